/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-soak.c - 64 clients come, work and die at random, under settings that
 * change and a host that runs short of memory; no sum drifts.
 *
 *	round:	come -- all stopped, walked -- come, end, are killed --
 *		all stopped, walked -- all gone, nothing left
 *
 * While everybody is stopped, the same memory is counted in four ways: the
 * ledger's sums, the accounts, the control pages that clients see, and what the
 * kernel says lies behind their memfds. Before the first death of a round the
 * counters must explain it as well: lent, less given back, less revoked.
 *
 * TMEM_SOAK_SEED repeats what is decided here; when things happen is left to
 * chance. TMEM_SOAK_S is how long, in seconds: 25, or 600 in the long form.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cover.h"
#include "daemon.h"
#include "leftover.h"
#include "machine.h"
#include "memlimit.h"
#include "rng.h"
#include "soak-client.h"
#include "unit.h"
#include "walk.h"

#define MIB (1ull << 20)
#define MS 1000000ull

#define CLIENTS (MACHINE_SANITIZED ? 16u : 64u)
#define CLIENTS_MAX 64u
#define SECONDS (MACHINE_SANITIZED ? 8u : 25u)
#define SECONDS_LONG 600u

#define BIRTH_MS 700u /* of a round, without deaths */
#define CHURN_MS 1800u
#define STEP_MS 15
/* On a busy machine it takes a while until somebody gets a processor. */
#define GIVE_MS_MIN 5
#define GIVE_MS_MAX 200
#define SETTLE_NS (20000 * MS)

#define FLOOR_MIB 256u
#define PLENTY_MIB 8192u

/* The heap's ups and downs; 1000 leaked bytes a client would show in a round. */
#define HEAP_SLACK (512u << 10)
/* Counted by the kernel in batches, on each CPU. A sanitizer keeps what was freed. */
#define CHARGE_SLACK (MACHINE_SANITIZED ? 64 * MIB : 8 * MIB)

/* Names, and as whom one comes, if this is root. The first two are theirs by
 * configuration, the others by being first. */
static const struct {
	const char *name;
	uid_t uid;
} domains[] = {
	{ "owned", 1001 }, { "owned too", 1002 },
	{ "a", 1001 },	   { "b", 1001 },
	{ "c", 1002 },	   { "d", 1003 },
	{ "e", 1003 },	   { "f", 0 },
	{ "g", 0 },	   { "h", 0 },
};

#define DOMAINS (sizeof(domains) / sizeof(domains[0]))

struct tally {
	unsigned rounds, walks, explained, reloads, refused, shortages;
	unsigned closed, left, shut_out, killed;
};

struct soak {
	struct daemon d;
	struct memlimit m;
	struct rng rng;
	pid_t clients[CLIENTS_MAX]; /* 0: none */
	_Atomic unsigned *failed;   /* sessions not got; in shared memory */
	struct tally t;
	uint64_t budget_mib; /* in force */
	char meminfo[128]; /* written for the daemon; "": it sees the host's */
	int limited;	   /* 1: it is in a cgroup of its own */
	unsigned fds;
	unsigned ended; /* by themselves, when the round began */
	uint64_t heap, charged;
};

static struct soak s;

static void nap_ms(int ms)
{
	(void)poll(NULL, 0, ms);
}

/* ---- Clients ------------------------------------------------------------- */

static void client_start(unsigned n, uint64_t lives_ms)
{
	const size_t domain = rng_below(&s.rng, DOMAINS);
	const struct soak_client_plan plan = {
		.where = s.d.where,
		.domain = domains[domain].name,
		.uid = domains[domain].uid,
		.seed = rng_next(&s.rng),
		.lives_ms = lives_ms,
		.failed = s.failed,
	};

	(void)fflush(NULL);
	s.clients[n] = fork();
	assert_true(s.clients[n] >= 0);
	if (!s.clients[n])
		soak_client_run(&plan);
}

static void client_ended(unsigned n, int status)
{
	s.clients[n] = 0;
	if (WIFSIGNALED(status)) {
		assert_int_equal(WTERMSIG(status), SIGKILL);
		s.t.killed++;
		return;
	}
	s.t.closed += WEXITSTATUS(status) == SOAK_CLIENT_CLOSED;
	s.t.left += WEXITSTATUS(status) == SOAK_CLIENT_LEFT;
	s.t.shut_out += WEXITSTATUS(status) == SOAK_CLIENT_SHUT_OUT;
	if (WEXITSTATUS(status) >= SOAK_CLIENT_WRONG_PAGE)
		fail_msg("a client ended with %d", WEXITSTATUS(status));
}

/* By themselves. */
static unsigned ended(void)
{
	return s.t.closed + s.t.left + s.t.shut_out;
}

static void clients_reap(void)
{
	unsigned n;
	int status;

	for (n = 0; n < CLIENTS; n++)
		if (s.clients[n] &&
		    waitpid(s.clients[n], &status, WNOHANG) == s.clients[n])
			client_ended(n, status);
}

static void client_kill(unsigned n)
{
	int status;

	if (!s.clients[n])
		return;
	(void)kill(s.clients[n], SIGKILL);
	assert_int_equal(waitpid(s.clients[n], &status, 0), s.clients[n]);
	client_ended(n, status);
}

static void clients_stop(void)
{
	unsigned n;
	int status;

	for (n = 0; n < CLIENTS; n++)
		if (s.clients[n])
			(void)kill(s.clients[n], SIGSTOP);
	for (n = 0; n < CLIENTS; n++) {
		if (!s.clients[n])
			continue;
		assert_int_equal(waitpid(s.clients[n], &status, WUNTRACED),
				 s.clients[n]);
		if (!WIFSTOPPED(status))
			client_ended(n, status);
	}
}

static void clients_go_on(void)
{
	unsigned n;

	for (n = 0; n < CLIENTS; n++)
		if (s.clients[n])
			(void)kill(s.clients[n], SIGCONT);
}

/* ---- The host ------------------------------------------------------------ */

static void available(uint64_t mib)
{
	char text[64];
	int fd, len;

	/* As long each time, so that no reader sees half of it. */
	len = snprintf(text, sizeof(text), "MemAvailable: %12" PRIu64 " kB\n",
		       mib * 1024);
	fd = open(s.meminfo, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, text, (size_t)len, 0), len);
	(void)close(fd);
}

/* For a moment the host is short by so much; each look of the daemon's takes it
 * anew. */
static void shortage(void)
{
	if (!s.meminfo[0])
		return;
	available(FLOOR_MIB - 1 - rng_below(&s.rng, 48));
	nap_ms(20 + (int)rng_below(&s.rng, 150));
	available(PLENTY_MIB);
	s.t.shortages++;
}

/* ---- Settings ------------------------------------------------------------ */

static const char *const bad_settings[] = {
	"budget = 64M\npolicy = fair\n",
	"budget = 64M\n[domain a]\nmin = 65M\ncap = 80M\n",
	"budget = 64M\n[domain a]\nmin = 9M\ncap = 8M\n",
	"budget = 64M\n[domain a]\nweight = 0\n",
	"budget = -64M\n",
};

#define BAD_SETTINGS (sizeof(bad_settings) / sizeof(bad_settings[0]))

static void write_settings(uint64_t budget_mib, int frozen)
{
	static const char *const policies[] = { "greedy", "static", "weighted",
						"utility" };
	char text[2048];
	size_t i, len;

	len = (size_t)snprintf(text, sizeof(text),
			       "budget = %" PRIu64
			       "M\nfloor = %uM\npolicy = %s\nfrozen = %s\n"
			       "default-persistent = 8M\ndefault-cap = 50%%\n",
			       budget_mib, s.meminfo[0] ? FLOOR_MIB : 0,
			       policies[rng_below(&s.rng, 4)],
			       frozen ? "yes" : "no");
	for (i = 0; i < DOMAINS; i++) {
		if (i >= 2 && rng_below(&s.rng, 2))
			continue;
		len += (size_t)snprintf(
			text + len, sizeof(text) - len,
			"[domain %s]\nweight = %" PRIu64 "\ncap = %" PRIu64
			"M\nmin = %" PRIu64 "M\npersistent = %" PRIu64 "M\n",
			domains[i].name, 1 + rng_below(&s.rng, 1000),
			4 + rng_below(&s.rng, 40), rng_below(&s.rng, 4),
			rng_below(&s.rng, 8));
		if (i < 2 && !getuid())
			len += (size_t)snprintf(text + len, sizeof(text) - len,
						"uid = %u\n",
						(unsigned)domains[i].uid);
	}
	daemon_configure(&s.d, text);
}

static void reload(void)
{
	const int bad = !rng_below(&s.rng, 6);
	const uint64_t budget_mib = 40 + rng_below(&s.rng, 80);

	if (bad)
		daemon_configure(&s.d,
				 bad_settings[rng_below(&s.rng, BAD_SETTINGS)]);
	else
		write_settings(budget_mib, !rng_below(&s.rng, 8));
	daemon_reload(&s.d, NULL, bad ? "want " : "configuration read");
	s.t.reloads++;
	s.t.refused += (unsigned)bad;
	if (!bad)
		s.budget_mib = budget_mib;
	assert_true(daemon_status(&s.d).maximum_bytes == s.budget_mib * MIB);
}

/* ---- What must hold ------------------------------------------------------ */

static uint64_t sum(const uint64_t lent[TMEM_WIRE_CLASSES])
{
	return lent[0] + lent[1] + lent[2];
}

/* More may be lent than the budget only as far as it cannot be taken back. Turns
 * are bounded, so it may be a few until that holds. */
static void within_budget(void)
{
	const uint64_t end = machine_now_ns() + SETTLE_NS;
	struct tmem_wire_status_reply r = daemon_status(&s.d);

	while (sum(r.lent_bytes) > r.budget_bytes &&
	       r.lent_bytes[TMEM_WIRE_EPHEMERAL]) {
		if (machine_now_ns() > end)
			fail_msg("%" PRIu64 " lent, budget %" PRIu64,
				 sum(r.lent_bytes), r.budget_bytes);
		nap_ms(1);
		r = daemon_status(&s.d);
	}
	assert_true(r.budget_bytes <= r.maximum_bytes);
}

static int same_sums(const struct tmem_wire_status_reply *a,
		     const struct tmem_wire_status_reply *b)
{
	return !memcmp(a->lent_bytes, b->lent_bytes, sizeof(a->lent_bytes)) &&
	       a->lent == b->lent && a->given == b->given &&
	       a->revoked == b->revoked;
}

static size_t domain_of(const char *name)
{
	size_t i;

	for (i = 0; strcmp(domains[i].name, name) != 0; i++)
		assert_true(i + 1 < DOMAINS);
	return i;
}

/* Who has no account has nothing. */
static void accounts_add(uint64_t lent[DOMAINS][TMEM_WIRE_CLASSES],
			 uint64_t all[TMEM_WIRE_CLASSES])
{
	struct tmem_wire_domain list[DOMAINS], *e;
	unsigned cls;

	memset(lent, 0, DOMAINS * sizeof(lent[0]));
	for (e = list + daemon_domains(&s.d, list, DOMAINS); e-- > list;) {
		memcpy(lent[domain_of(e->name)], e->lent_bytes, sizeof(lent[0]));
		for (cls = 0; cls < TMEM_WIRE_CLASSES; cls++)
			all[cls] += e->lent_bytes[cls];
		if (sum(e->lent_bytes) > e->cap_bytes)
			assert_int_equal(e->lent_bytes[TMEM_WIRE_EPHEMERAL], 0);
	}
}

/* A client makes the hole itself before it says that it gives something back. One
 * that was stopped between may say it now. Return: 1 it had to. */
static int finish_giving(unsigned n, const struct walk *one, int nap)
{
	int status;

	if (one->memory_bytes >= sum(one->lent_bytes))
		return 0;
	(void)kill(s.clients[n], SIGCONT);
	nap_ms(nap);
	(void)kill(s.clients[n], SIGSTOP);
	assert_int_equal(waitpid(s.clients[n], &status, WUNTRACED),
			 s.clients[n]);
	if (!WIFSTOPPED(status))
		client_ended(n, status);
	return 1;
}

/* Return: 1, 0 somebody had to go on for that. */
static int pages_add(struct walk by_domain[DOMAINS], struct walk *all, int nap)
{
	unsigned n, cls, moved = 0;
	size_t i;

	for (n = 0; n < CLIENTS; n++) {
		struct walk one = { 0 };

		if (!s.clients[n] || !walk_add(&one, s.clients[n]))
			continue;
		i = domain_of(one.domain);
		for (cls = 0; cls < TMEM_WIRE_CLASSES; cls++) {
			by_domain[i].lent_bytes[cls] += one.lent_bytes[cls];
			all->lent_bytes[cls] += one.lent_bytes[cls];
		}
		all->leases++;
		all->segments += one.segments;
		all->memory_bytes += one.memory_bytes;
		moved += (unsigned)finish_giving(n, &one, nap);
	}
	return !moved;
}

/* 1: the counters tell all that was lent since. A session that was begun in vain has
 * died, with what it was lent; and where a machine is so slow that the last one came
 * when the first one's time was over, so has that. */
static int is_explained(const struct tmem_wire_status_reply *before)
{
	return before && !atomic_load(s.failed) && ended() == s.ended;
}

/*
 * Everybody is stopped. What was asked for before is still lent, and a budget
 * may still grow: it is looked at until it stood still meanwhile.
 *
 * Return: 1 all agree; 0 it moved, or racing readers' strays are not swept yet.
 */
static int walk_once(const struct tmem_wire_status_reply *before, int nap,
		     struct walk *ret)
{
	uint64_t accounts[DOMAINS][TMEM_WIRE_CLASSES], lent[3] = { 0 };
	struct walk by_domain[DOMAINS] = { 0 }, all = { 0 };
	struct tmem_wire_status_reply r = daemon_status(&s.d), after;
	int still;
	size_t i;

	accounts_add(accounts, lent);
	still = pages_add(by_domain, &all, nap);
	after = daemon_status(&s.d);
	*ret = all;
	if (!still || !same_sums(&r, &after))
		return 0;
	for (i = 0; i < DOMAINS; i++)
		assert_memory_equal(accounts[i], by_domain[i].lent_bytes,
				    sizeof(accounts[i]));
	assert_memory_equal(lent, r.lent_bytes, sizeof(lent));
	assert_memory_equal(all.lent_bytes, r.lent_bytes, sizeof(r.lent_bytes));
	assert_true(all.leases <= r.sessions);
	if (is_explained(before))
		assert_int_equal(all.segments,
				 r.lent - before->lent -
					 (r.given - before->given) -
					 (r.revoked - before->revoked));
	return all.memory_bytes == sum(r.lent_bytes);
}

/* Everybody is stopped, and goes on afterwards. */
static void walk(const struct tmem_wire_status_reply *before)
{
	const uint64_t end = machine_now_ns() + SETTLE_NS;
	int nap = GIVE_MS_MIN;
	struct walk all;

	while (!walk_once(before, nap, &all)) {
		if (machine_now_ns() > end)
			fail_msg("%" PRIu64 " lent, and %" PRIu64
				 " bytes behind it",
				 sum(all.lent_bytes), all.memory_bytes);
		nap_ms(20);
		nap = nap < GIVE_MS_MAX ? 2 * nap : nap;
	}
	s.t.walks++;
	s.t.explained += (unsigned)is_explained(before);
	clients_go_on();
}

static uint64_t daemon_heap(void)
{
	char path[64], line[128];
	uint64_t kib = 0;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)s.d.pid);
	f = fopen(path, "re");
	assert_non_null(f);
	while (!kib && fgets(line, sizeof(line), f))
		(void)sscanf(line, "RssAnon: %" SCNu64, &kib);
	(void)fclose(f);
	return kib * 1024;
}

static int is_empty(const struct tmem_wire_status_reply *r, void *ctx)
{
	(void)ctx;
	return !r->sessions && !r->domains && !sum(r->lent_bytes);
}

/*
 * Honest clients: none is told that it makes no sense. But there may be no room
 * for one, and one may be killed or stopped before it has said who it is, or
 * heard the answer.
 */
static void nobody_dropped(void)
{
	const uint32_t fine = 1u << TMEM_WIRE_NO_MEMORY |
			      1u << TMEM_WIRE_SILENT | 1u << TMEM_WIRE_DEAF;
	struct tmem_wire_status_reply r = daemon_status(&s.d);
	uint32_t i;

	for (i = 0; i < TMEM_WIRE_REASONS; i++)
		if (r.reasons[i] && !(fine & 1u << i))
			fail_msg("%" PRIu64 " clients dropped: %s",
				 r.reasons[i], tmem_wire_reason(i));
}

/* All are gone. */
static void nothing_left(void)
{
	const uint64_t end = machine_now_ns() + DAEMON_PATIENCE_NS;

	daemon_until(&s.d, is_empty, NULL);
	nobody_dropped();
	while (daemon_fds(&s.d) != s.fds ||
	       (s.limited && memlimit_usage(&s.m) > s.charged + CHARGE_SLACK)) {
		if (machine_now_ns() > end)
			fail_msg("%u descriptors, %" PRIu64 " bytes charged; "
				 "before: %u, %" PRIu64,
				 daemon_fds(&s.d), memlimit_usage(&s.m), s.fds,
				 s.charged);
		nap_ms(5);
	}
	/* What it needs at all, it has had in the first rounds. */
	if (s.t.rounds == 2)
		s.heap = daemon_heap();
	else if (s.t.rounds > 2 && !MACHINE_SANITIZED)
		assert_in_range(daemon_heap(), 0, s.heap + HEAP_SLACK);
}

/* ---- A round ------------------------------------------------------------- */

static void disturb(int with_deaths)
{
	if (!rng_below(&s.rng, 30))
		reload();
	if (!rng_below(&s.rng, 50))
		shortage();
	if (with_deaths && !rng_below(&s.rng, 3))
		client_kill((unsigned)rng_below(&s.rng, CLIENTS));
	within_budget();
	nap_ms(STEP_MS);
}

static void be_born(void)
{
	const uint64_t end = machine_now_ns() + BIRTH_MS * MS;
	unsigned n = 0;

	while (n < CLIENTS || machine_now_ns() < end) {
		/* So long that none ends before it is walked. */
		for (; n < CLIENTS && rng_below(&s.rng, 5); n++)
			client_start(n, 4 * BIRTH_MS +
						rng_below(&s.rng, CHURN_MS));
		disturb(0);
	}
}

static void churn(void)
{
	const uint64_t end = machine_now_ns() + CHURN_MS * MS;
	unsigned n;

	while (machine_now_ns() < end) {
		disturb(1);
		clients_reap();
		n = (unsigned)rng_below(&s.rng, CLIENTS);
		if (!s.clients[n])
			client_start(n, rng_below(&s.rng, CHURN_MS));
	}
}

static void round_of_all(void)
{
	const struct tmem_wire_status_reply before = daemon_status(&s.d);
	unsigned n;

	atomic_store(s.failed, 0);
	s.ended = ended();
	be_born();
	clients_stop();
	walk(&before);
	churn();
	clients_stop();
	walk(NULL);
	/* Some end by themselves, some at once. */
	for (n = 0; n < CLIENTS; n++)
		if (rng_below(&s.rng, 4))
			client_kill(n);
	nap_ms(50);
	for (n = 0; n < CLIENTS; n++)
		client_kill(n);
	s.t.rounds++;
	nothing_left();
	reload();
}

/* ---- The test ------------------------------------------------------------ */

static void start_daemon(void)
{
	struct cover c;
	int covered;

	(void)snprintf(s.meminfo, sizeof(s.meminfo), "%s/meminfo", s.d.dir);
	available(PLENTY_MIB);
	covered = !cover_begin(&c);
	/* What CPUs keep at hand would come to what is available. */
	if (!covered || cover_put("/proc/meminfo", s.meminfo) ||
	    cover_put("/proc/zoneinfo", "/dev/null")) {
		print_message(
			"/proc cannot be covered: memory is never short\n");
		s.meminfo[0] = 0;
	}
	s.budget_mib = 64;
	write_settings(s.budget_mib, 0);
	daemon_start(&s.d);
	if (covered)
		assert_int_equal(cover_end(&c), 0);
	s.limited = !memlimit_init(&s.m, 2048 * MIB);
	if (s.limited)
		assert_int_equal(memlimit_enter(&s.m, s.d.pid), 0);
	else
		print_message("no cgroup: what is charged is not looked at\n");
}

static void tell(uint64_t seconds, uint64_t free_before)
{
	const struct tmem_wire_status_reply r = daemon_status(&s.d);

	print_message(
		"soak: %" PRIu64 " s, %u rounds; clients: %u closed, %u left, "
		"%u killed, %u shut out; %u settings, %u of them refused; %u "
		"shortages; segments: %" PRIu64 " lent, %" PRIu64
		" given back, %" PRIu64 " revoked; %" PRIu64 " stray pages; "
		"%u walks, no difference, %u explained by the counters; %u descriptors, heap %" PRIu64
		" KiB and %" PRIu64 " KiB, MemFree %+" PRId64 " MiB\n",
		seconds, s.t.rounds, s.t.closed, s.t.left, s.t.killed,
		s.t.shut_out, s.t.reloads, s.t.refused, s.t.shortages, r.lent,
		r.given, r.revoked, r.strays, s.t.walks, s.t.explained,
		daemon_fds(&s.d), s.heap / 1024, daemon_heap() / 1024,
		((int64_t)machine_mem_free() - (int64_t)free_before) /
			(int64_t)MIB);
}

static void no_sum_drifts(void **state)
{
	const char *text = getenv("TMEM_TEST_LONG");
	const uint64_t seconds =
		rng_setting("TMEM_SOAK_S",
			    text && !strcmp(text, "1") ? SECONDS_LONG : SECONDS);
	const uint64_t from = machine_now_ns(), free_before = machine_mem_free();

	(void)state;
	s.rng.state = rng_seed("TMEM_SOAK_SEED");
	s.failed = mmap(NULL, sizeof(*s.failed), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(s.failed, MAP_FAILED);
	daemon_init(&s.d);
	start_daemon();
	s.fds = daemon_fds(&s.d);
	s.charged = s.limited ? memlimit_usage(&s.m) : 0;
	while (machine_now_ns() - from < seconds * 1000 * MS)
		round_of_all();
	tell((machine_now_ns() - from) / (1000 * MS), free_before);
	daemon_finish(&s.d);
	if (s.limited)
		memlimit_finish(&s.m);
	(void)munmap((void *)s.failed, sizeof(*s.failed));
}

/* Whatever failed: nobody of ours goes on. */
static int end_all(void **state)
{
	unsigned n;

	(void)state;
	for (n = 0; n < CLIENTS_MAX; n++)
		if (s.clients[n] > 0) {
			(void)kill(s.clients[n], SIGKILL);
			(void)waitpid(s.clients[n], NULL, 0);
		}
	if (s.d.pid)
		daemon_kill(&s.d);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(no_sum_drifts, end_all),
		cmocka_unit_test(leftover_none),
	};

	if (!daemon_exists())
		return 77;
	return cmocka_run_group_tests(tests, leftover_note, NULL);
}
