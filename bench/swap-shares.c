/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * swap-shares.c - Machek's question: programs with all the RAM they want; with half
 * of it, and something to swap to.
 *
 * The kernel reads ahead as the machine is set (vm.page-cluster): that is what a
 * program meets. But not from zram, for which everybody turns it off.
 */
#include "swap-shares.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bars.h"
#include "clock.h"
#include "machek.h"
#include "private.h"

/* A program with half its RAM and a slow disk takes some seconds. */
#define PATIENCE_NS (60 * TMEM_NS_PER_SEC)

/* A kernel that reclaims within a small cgroup gives up at times, and kills, however
 * much swap there is: Linux 6.18 with zram in every other run of sort. That is told,
 * and the program is run again. */
#define TRIES 10u

enum {
	ALL_RAM,
	HALF_TMEM,
	HALF_ZRAM,
	HALF_DISK,
	SHARES
};

static const struct share {
	const char *name, *text, *legend;
	enum swap_peer_kind peer; /* SWAP_PEERS: none */
} shares[SHARES] = {
	{ "all_ram", "all RAM, s", NULL, SWAP_PEERS },
	{ "half_tmem", "half of it, half as tmem, s", "tmem", SWAP_PEER_TMEM },
	{ "half_zram", "half of it, and zram, s", "zram", SWAP_PEER_ZRAM },
	{ "half_disk", "half of it, and a disk, s", "a disk", SWAP_PEER_FILE },
};

/* In a process of its own: its memory goes with it. Return: seconds; below 0 the
 * kernel killed it. */
static double run_program(const struct machek_program *program, uint64_t bytes,
			  const struct memlimit *m)
{
	const struct timespec ms = { .tv_nsec = TMEM_NS_PER_MS };
	uint64_t from = tmem_clock_ns();
	int status = 1;
	pid_t pid = private_fork();

	if (!pid) {
		if (m && memlimit_enter(m, getpid()))
			_exit(2);
		_exit(!program->run(bytes));
	}
	while (!waitpid(pid, &status, WNOHANG)) {
		if (tmem_clock_ns() - from > PATIENCE_NS) {
			(void)kill(pid, SIGKILL);
			private_die("%s takes more than a minute",
				    program->name);
		}
		(void)nanosleep(&ms, NULL);
	}
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		return -1;
	if (WIFSIGNALED(status)) /* SIGBUS: what was swapped is lost */
		private_die("%s: ended by signal %d", program->name,
			    WTERMSIG(status));
	if (status)
		private_die("%s: not the right result", program->name);
	return (double)(tmem_clock_ns() - from) / TMEM_NS_PER_SEC;
}

/* Until it comes to its end. */
static double insist_on(const struct machek_program *program, uint64_t bytes,
			const struct memlimit *m, unsigned *kills)
{
	unsigned i;

	for (i = 0; i < TRIES; i++) {
		double seconds = run_program(program, bytes, m);

		if (seconds >= 0)
			return seconds;
		++*kills;
	}
	private_die("%s: killed %u times: no memory in its cgroup",
		    program->name, TRIES);
}

/* Return: so often a program was killed. */
static unsigned measure_share(struct swap_rig *rig, const struct share *share,
			      uint64_t bytes, double seconds[MACHEK_PROGRAMS])
{
	const int swaps = share->peer != SWAP_PEERS;
	unsigned i, kills = 0;

	if (swaps) {
		/* The parts that a program has beside its data come on top. */
		swap_rig_limit(rig, bytes / 2);
		swap_peer_up(&rig->peers, share->peer, 2 * bytes, bytes / 2);
		swap_peers_read_ahead(&rig->peers,
				      share->peer == SWAP_PEER_ZRAM ? 0 : -1);
	}
	for (i = 0; i < MACHEK_PROGRAMS; i++)
		seconds[i] = insist_on(&machek_programs[i], bytes,
				       swaps ? &rig->limit : NULL, &kills);
	if (swaps) {
		swap_peers_read_ahead(&rig->peers, -1);
		swap_peer_down(&rig->peers);
		swap_rig_unlimit(rig);
	}
	return kills;
}

static void draw(const char *dir, double seconds[][MACHEK_PROGRAMS])
{
	struct bars bars = {
		.title = "Half of the RAM, and what to swap to",
		.y_title = "times as long as with all RAM",
		.group_count = MACHEK_PROGRAMS,
	};
	char path[PATH_MAX];
	unsigned s, i;
	FILE *f;

	for (i = 0; i < MACHEK_PROGRAMS; i++)
		bars.groups[i] = machek_programs[i].name;
	for (s = HALF_TMEM; s < SHARES; s++) {
		const unsigned n = bars.series_count++;

		bars.series[n] = shares[s].legend;
		for (i = 0; i < MACHEK_PROGRAMS; i++)
			bars.times[n][i] = seconds[s][i] / seconds[ALL_RAM][i];
	}
	(void)snprintf(path, sizeof(path), "%s/machek.svg", dir);
	f = fopen(path, "we");
	if (!f)
		private_die("%s: %s", path, strerror(errno));
	bars_draw(f, &bars);
	if (fclose(f))
		private_die("%s: %s", path, strerror(errno));
}

void swap_shares_measure(struct swap_rig *rig, uint64_t bytes, const char *out,
			 struct bench_report *r)
{
	double seconds[SHARES][MACHEK_PROGRAMS] = { 0 };
	unsigned kills[SHARES] = { 0 }, s, i;

	for (s = 0; s < SHARES; s++)
		if (shares[s].peer == SWAP_PEERS ||
		    swap_peer_exists(&rig->peers, shares[s].peer))
			kills[s] = measure_share(rig, &shares[s], bytes,
						 seconds[s]);
	for (i = 0; i < MACHEK_PROGRAMS; i++)
		for (s = 0; s < SHARES; s++)
			if (seconds[s][i] > 0)
				bench_report_one(r, machek_programs[i].name,
						 shares[s].name, shares[s].text,
						 seconds[s][i]);
	for (s = HALF_TMEM; s < SHARES; s++)
		if (seconds[s][0] > 0)
			bench_report_one(r, shares[s].name, "kills",
					 "programs killed, and run again",
					 kills[s]);
	if (out)
		draw(out, seconds);
}
