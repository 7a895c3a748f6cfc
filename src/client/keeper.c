/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * keeper.c - the thread that talks to the daemon for a leased session.
 *
 * It sleeps until the daemon says something or the stock runs low. Whatever may
 * wait, waits here: no put does. When the daemon is gone it looks for the next
 * one, and hands the lease to it.
 */
#include "keeper.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>

#include <tmem/tmem.h>
#include <tmem/wire.h>

#include "agers.h"
#include "clock.h"
#include "fault.h"
#include "lease-daemon.h"
#include "order.h"
#include "store.h"

/* Without a word for so long, the stock falls back to its least. */
#define SETTLE_MS 1000

/* Between two hints of what is coldest: a thousandth of a core or two. */
#define HINT_NS (1900 * TMEM_NS_PER_MS)

/* Between two looks for a daemon. Somebody restarts it by hand or at once. */
#define LOOK_MS 250

/** struct watch - what the next poll waits for. */
struct watch {
	int behind;  /* the daemon did not take all that was said */
	int moved;   /* something happened since the stock was at its least */
	int refused; /* the daemon there does not want us: do not ask again */
};

static void report(struct tmem_keeper *k, struct tmem_store *store)
{
	struct tmem_wire_stats w = { 0 };
	struct tmem_wire_figures *f = &w.figures;
	struct tmem_stats s;

	tmem_store_stats(store, &s);
	f->limit_bytes = s.limit_bytes;
	f->used_bytes = s.used_bytes;
	f->raw_bytes = s.raw_bytes;
	f->objects = s.objects;
	f->pools = s.pools;
	f->pages_ephemeral = s.pages_ephemeral;
	f->pages_persistent = s.pages_persistent;
	f->pages_same = s.pages_same;
	f->pages_raw = s.pages_raw;
	f->pages_packed = s.pages_packed;
	f->pages_dense = s.pages_dense;
	f->puts = s.puts;
	f->refused_full = s.refused_full;
	f->refused_quota = s.refused_quota;
	f->refused_frozen = s.refused_frozen;
	f->refused_nomem = s.refused_nomem;
	f->gets = s.gets;
	f->hits = s.hits;
	f->flushes = s.flushes;
	f->evictions = s.evictions;
	f->ghost_hits = s.ghost_hits;
	f->ager_ns = s.ager_ns;
	f->puts_packed = s.puts_packed;
	f->shortages = s.shortages;
	tmem_lease_daemon_report(k->lease, &w);
}

/* The daemon's operator says so: what the promises of persistent pages were worth
 * is his to know. Programs find that their pools are gone. */
static void empty(struct tmem_keeper *k, struct tmem_store *store)
{
	uint64_t given;

	tmem_store_pools_destroy(store);
	tmem_store_shrink(store, UINT64_MAX, &given);
	tmem_lease_daemon_destroyed(k->lease);
	tmem_logger_say(&k->logger, TMEM_LOG_WARNING,
			"the daemon's operator had all pools destroyed");
}

/* It takes some milliseconds: seldom, and not while nobody uses the store. */
static void hint(struct tmem_keeper *k, struct tmem_store *store)
{
	struct tmem_victim coldest[TMEM_WIRE_HINTS_MAX];
	uint32_t segments[TMEM_WIRE_HINTS_MAX], count, i;
	uint64_t now_ns = tmem_clock_ns(), calls;
	struct tmem_stats s;

	if (k->hinted_ns && now_ns - k->hinted_ns < HINT_NS)
		return;
	tmem_store_stats(store, &s);
	calls = s.puts + s.gets + s.flushes;
	if (calls == k->hinted_calls)
		return;
	k->hinted_ns = now_ns;
	k->hinted_calls = calls;
	count = tmem_store_coldest(store, coldest, TMEM_WIRE_HINTS_MAX);
	for (i = 0; i < count; i++)
		segments[i] = coldest[i].segment;
	if (count)
		tmem_lease_daemon_hint(k->lease, segments, count);
}

static void settle(struct tmem_keeper *k)
{
	struct tmem_store *store = atomic_load(&k->store);

	tmem_lease_daemon_settle(k->lease);
	if (store)
		hint(k, store);
}

static void handle(struct tmem_keeper *k, unsigned events, uint32_t demand)
{
	struct tmem_store *store = atomic_load(&k->store);
	uint64_t given;

	if (events & TMEM_LEASE_GONE)
		tmem_logger_say(&k->logger, TMEM_LOG_WARNING,
				"the daemon is gone; going on with the memory "
				"at hand");
	if (!store)
		return;
	tmem_store_freeze(store, TMEM_FREEZER_LENDER,
			  tmem_lease_daemon_frozen(k->lease));
	if (events & (TMEM_LEASE_CHANGED | TMEM_LEASE_GONE)) {
		tmem_store_refresh(store);
		if (tmem_store_wants_age(store))
			tmem_agers_kick(k->agers);
	}
	if (events & TMEM_LEASE_DEMAND) {
		const uint64_t asked = demand * k->lease->segment_size;

		tmem_store_shrink(store, asked, &given);
		/* The rest is in persistent pages, and the user's to give. */
		if (given < asked && k->wanted)
			k->wanted(k->wanted_ctx, asked - given);
	}
	if (events & TMEM_LEASE_DESTROY)
		empty(k, store);
	if (events & (TMEM_LEASE_REPORT | TMEM_LEASE_DESTROY)) {
		report(k, store);
		hint(k, store);
	}
}

static void look_for_daemon(struct tmem_keeper *k, struct watch *w)
{
	struct tmem_store *store;
	int err = tmem_lease_daemon_return(k->lease);

	/* One that is not there may come; one that says no will say it again. */
	if (err == -EPERM || err == -EPROTO || err == -EINVAL)
		w->refused = 1;
	if (err)
		return;
	w->moved = 1;
	store = atomic_load(&k->store);
	if (store)
		tmem_store_refresh(store);
	tmem_logger_say(&k->logger, TMEM_LOG_INFO, "a daemon is back");
}

static int patience(const struct watch *w, int socket)
{
	if (socket < 0)
		return w->refused ? -1 : LOOK_MS;
	return w->moved ? SETTLE_MS : -1;
}

static void turn(struct tmem_keeper *k, struct watch *w)
{
	struct pollfd fds[2] = { 0 };
	uint32_t demand;
	unsigned events;
	int n;

	tmem_lease_daemon_fds(k->lease, &fds[0].fd, &fds[1].fd);
	fds[0].events = w->behind ? POLLIN | POLLOUT : POLLIN;
	fds[1].events = POLLIN;
	n = poll(fds, 2, patience(w, fds[0].fd));
	if (atomic_load(&k->stop) || (n < 0 && errno != EINTR))
		return;
	events = tmem_lease_daemon_listen(k->lease, &demand);
	handle(k, events, demand);
	if (fds[0].fd < 0 && !w->refused)
		look_for_daemon(k, w);
	else if (!n)
		settle(k);
	w->moved = n > 0;
	w->behind = tmem_lease_daemon_speak(k->lease) == -EAGAIN;
}

static void *keeper_main(void *arg)
{
	struct tmem_keeper *k = arg;
	struct watch w = { 0 };

	(void)pthread_setname_np(pthread_self(), "tmem-keeper");
	while (!atomic_load(&k->stop))
		turn(k, &w);
	return NULL;
}

int tmem_keeper_start(struct tmem_keeper *k, struct tmem_lease *lease,
		      struct tmem_agers *agers, const struct tmem_logger *logger)
{
	sigset_t all, old;
	int err;

	k->lease = lease;
	k->agers = agers;
	k->logger = *logger;
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	err = tmem_fault(TMEM_FAULT_THREAD) ||
	      pthread_create(&k->thread, NULL, keeper_main, k);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (err)
		k->lease = NULL;
	return err ? -ENOMEM : 0;
}

void tmem_keeper_serve(struct tmem_keeper *k, struct tmem_store *store)
{
	atomic_store(&k->store, store);
	tmem_store_freeze(store, TMEM_FREEZER_LENDER,
			  tmem_lease_daemon_frozen(k->lease));
	tmem_store_refresh(store);
	/* Frozen or thawed just now: the keeper looks once more. */
	tmem_lease_daemon_wake(k->lease);
}

void tmem_keeper_stop(struct tmem_keeper *k)
{
	if (!k->lease)
		return;
	atomic_store(&k->stop, 1);
	tmem_lease_daemon_wake(k->lease);
	(void)pthread_join(k->thread, NULL);
	k->lease = NULL;
}
