/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tenant.c - leases begun, handed back, charged, swept and ended.
 */
#include "tenant.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "belief.h"
#include "bounds.h"
#include "claim.h"
#include "clock.h"
#include "fdstore.h"
#include "figures.h"
#include "mem.h"
#include "peer.h"
#include "process.h"

/* Sweeps in a row, a second apart, that found more than racing readers leave. A
 * client that was stopped in the middle of a read has one. */
#define STRIKES_MAX 3

/* ---- Beginning ----------------------------------------------------------- */

static int on_death(sd_event_source *source, int fd, uint32_t revents, void *ctx)
{
	struct tmemd_tenant *t = ctx;

	(void)source;
	(void)fd;
	(void)revents;
	/* Its children may hold the connection; the lease was its own. */
	tmemd_tenant_end(t->d, t);
	return 0;
}

static void unwatch(struct tmemd_tenant *t)
{
	t->death = sd_event_source_disable_unref(t->death);
	if (t->pidfd >= 0)
		(void)close(t->pidfd);
	t->pidfd = -1;
}

static void watch(struct tmemd *d, struct tmemd_tenant *t, uint32_t pid)
{
	unwatch(t);
	t->pidfd = tmemd_process_open(pid);
	if (t->pidfd >= 0 && sd_event_add_io(d->event, &t->death, t->pidfd,
					     EPOLLIN, on_death, t) < 0)
		unwatch(t);
}

/* Whoever is there now. A process out of sight (another pid namespace) is known by
 * its socket only. */
static void watch_peer(struct tmemd *d, struct tmemd_tenant *t)
{
	watch(d, t, t->peer->pid);
	t->pid = t->peer->pid;
	t->loan.control->pid = t->pid;
	t->loan.control->birth = tmemd_process_birth(t->pidfd);
}

/*
 * Whoever was there before the daemon was. Its number may be another's by now: that
 * one has another birth, and the lease is an orphan's. Where births are not known the
 * number is nobody's until its owner has come back; but if that process ends, so has
 * the owner.
 *
 * Return: 1 it may come back, 0.
 */
static int watch_absent(struct tmemd *d, struct tmemd_tenant *t,
			const struct tmem_wire_control *was)
{
	uint64_t birth;

	watch(d, t, was->pid);
	birth = tmemd_process_birth(t->pidfd);
	t->loan.control->birth = was->birth;
	if (birth && birth == was->birth)
		t->pid = was->pid;
	return t->pidfd >= 0 && (!birth || !was->birth || t->pid);
}

static struct tmemd_tenant *create(struct tmemd *d)
{
	struct tmemd_tenant *t = tmem_mem_alloc(sizeof(*t));

	if (!t)
		return NULL;
	t->d = d;
	t->since_ns = tmem_clock_ns();
	t->loan.fd = t->control_fd = t->pidfd = -1;
	return t;
}

static void enter(struct tmemd *d, struct tmemd_tenant *t)
{
	TAILQ_INSERT_TAIL(&d->tenants, t, entry);
	d->tenants_count++;
	tmemd_turns_sweep(&d->turns);
	tmemd_pressure_on(d);
}

static void charge(struct tmemd *d, struct tmemd_tenant *t, int sign)
{
	uint32_t cls;

	for (cls = 0; cls < TMEM_WIRE_CLASSES; cls++)
		tmemd_ledger_charge(&d->ledger, t->account, cls,
				    sign * (int64_t)t->loan.lent[cls] *
					    t->loan.segment_size);
}

static void plan_for(const struct tmemd *d, const struct tmemd_account *a,
		     uint32_t uid, uint32_t pid, struct tmemd_loan_plan *plan)
{
	memset(plan, 0, sizeof(*plan));
	plan->domain = a->name;
	plan->uid = uid;
	plan->pid = pid;
	plan->daemon = d->number;
}

/* Room for as far as the limit may ever be raised. Return: the limit; 0: not
 * even the least store fits. */
static uint64_t plan_size(const struct tmemd *d, const struct tmemd_account *a,
			  uint64_t wanted, struct tmemd_loan_plan *plan)
{
	uint64_t cap = a->cap_bytes, limit, most;

	/* The budget of a bad moment would bound it for good. */
	if (cap > d->config->budget_bytes)
		cap = d->config->budget_bytes;
	if (cap > TMEM_LIMIT_MAX)
		cap = TMEM_LIMIT_MAX;
	limit = wanted && wanted < cap ? wanted : cap;
	if (limit < TMEM_LIMIT_MIN)
		return 0;
	plan->segment_size = (uint32_t)tmem_segment_size(limit);
	most = limit <= cap / TMEM_LIMIT_GROWTH ? limit * TMEM_LIMIT_GROWTH
						: cap;
	plan->segments_max = (uint32_t)(most / plan->segment_size);
	return limit;
}

static int welcome(struct tmemd *d, struct tmemd_tenant *t, uint64_t limit,
		   int with_data, int control)
{
	const struct tmem_wire_welcome w = {
		.head = { TMEM_WIRE_WELCOME, sizeof(w) },
		.version = TMEM_WIRE_VERSION,
		.segment_size = t->loan.segment_size,
		.segments_max = t->loan.segments_max,
		.features = TMEM_WIRE_TAKES_HINTS,
		.limit_bytes = limit,
		.daemon = d->number,
	};
	const int fds[] = { control, t->loan.fd };

	tmemd_loan_set_frozen(&t->loan, t->account->frozen);
	return tmemd_peer_send(t->peer, &w, sizeof(w), fds, with_data ? 2 : 1);
}

static int open_new(struct tmemd *d, struct tmemd_tenant *t,
		    const struct tmem_wire_hello *hello)
{
	struct tmemd_peer *p = t->peer;
	struct tmemd_loan_plan plan;
	uint64_t limit;
	int control, err;

	plan_for(d, t->account, p->uid, p->pid, &plan);
	limit = plan_size(d, t->account, hello->limit_bytes, &plan);
	if (!limit || tmemd_loan_create(&t->loan, &plan, &control))
		return TMEM_WIRE_NO_MEMORY;
	tmemd_fdstore_add(d, t->id, t->loan.fd, control);
	err = welcome(d, t, limit, 1, control);
	(void)close(control);
	return err ? TMEM_WIRE_DEAF : 0;
}

/* ---- Coming back --------------------------------------------------------- */

static struct tmemd_tenant *find_memory(struct tmemd *d, ino_t ino)
{
	struct tmemd_tenant *t;

	TAILQ_FOREACH(t, &d->tenants, entry)
		if (t->loan.ino == ino)
			return t;
	return NULL;
}

/* The lease is here already: its classes are known, whatever the client says. */
static int rejoin(struct tmemd *d, struct tmemd_tenant *t, struct tmemd_peer *p)
{
	int err;

	if (t->peer || t->loan.control->uid != p->uid)
		return TMEM_WIRE_BAD_RETURN;
	t->peer = p;
	p->tenant = t;
	watch_peer(d, t);
	err = welcome(d, t,
		      (uint64_t)t->loan.segments_max * t->loan.segment_size, 0,
		      t->control_fd);
	(void)close(t->control_fd);
	t->control_fd = -1;
	d->counters.returned++;
	return err ? TMEM_WIRE_DEAF : 0;
}

static int adopt(struct tmemd *d, struct tmemd_tenant *t,
		 const struct tmemd_claim *c, int data, uint32_t uid,
		 uint32_t pid, int *ret_control)
{
	struct tmemd_loan_plan plan;
	int err;

	plan_for(d, t->account, uid, pid, &plan);
	plan.segment_size = c->head.segment_size;
	plan.segments_max = c->head.segments_max;
	err = tmemd_loan_adopt(&t->loan, &plan, data, c->epochs, c->classes,
			       c->head.revocations, ret_control);
	if (err)
		return err;
	t->since_ns = 0;
	charge(d, t, 1);
	tmemd_fdstore_add(d, t->id, t->loan.fd, *ret_control);
	return 0;
}

static int open_returning(struct tmemd *d, struct tmemd_tenant *t,
			  const struct tmemd_claim *c, int data)
{
	struct tmemd_peer *p = t->peer;
	int control, err, own = fcntl(data, F_DUPFD_CLOEXEC, 0);

	if (own < 0)
		return TMEM_WIRE_NO_MEMORY;
	if (!tmemd_claim_fits(c, t->account->cap_bytes,
			      t->account->persistent_bytes) ||
	    strcmp(c->head.domain, t->account->name)) {
		(void)close(own);
		return TMEM_WIRE_BAD_RETURN;
	}
	err = adopt(d, t, c, own, p->uid, p->pid, &control);
	if (err) {
		(void)close(own);
		return TMEM_WIRE_NO_MEMORY;
	}
	err = welcome(d, t,
		      (uint64_t)t->loan.segments_max * t->loan.segment_size, 0,
		      control);
	(void)close(control);
	d->counters.returned++;
	return err ? TMEM_WIRE_DEAF : 0;
}

/* ---- HELLO --------------------------------------------------------------- */

static int join_domain(struct tmemd *d, struct tmemd_tenant *t,
		       const char *domain, uint32_t uid)
{
	int err = tmemd_arbiter_room(&d->arbiter, d->ledger.count + 1);

	return err ? err
		   : tmemd_ledger_join(&d->ledger, d->config, domain, uid,
				       &t->account);
}

static int join(struct tmemd *d, struct tmemd_tenant *t, struct tmemd_peer *p,
		const char *domain)
{
	switch (join_domain(d, t, domain, p->uid)) {
	case 0:
		break;
	case -EINVAL:
		return TMEM_WIRE_BAD_NAME;
	case -EPERM:
		return TMEM_WIRE_NOT_OWNER;
	default:
		return TMEM_WIRE_NO_MEMORY;
	}
	t->peer = p;
	t->id = d->lease_next++;
	return 0;
}

/* A user holds at most half of the places, so that one cannot shut out all. */
static int crowded(const struct tmemd *d, uint32_t uid)
{
	const struct tmemd_tenant *t;
	uint32_t own = 0;

	if (d->tenants_count >= d->config->max_sessions)
		return 1;
	if (!uid)
		return 0;
	TAILQ_FOREACH(t, &d->tenants, entry)
		own += t->loan.control->uid == uid;
	return own >= (d->config->max_sessions + 1) / 2;
}

static int open_fresh(struct tmemd *d, struct tmemd_peer *p,
		      const struct tmem_wire_hello *hello,
		      const struct tmemd_claim *c, int data)
{
	struct tmemd_tenant *t;
	int reason;

	if (crowded(d, p->uid))
		return TMEM_WIRE_CROWDED;
	t = create(d);
	if (!t)
		return TMEM_WIRE_NO_MEMORY;
	reason = join(d, t, p, hello->domain);
	if (reason) {
		tmem_mem_free(t, sizeof(*t));
		return reason;
	}
	reason = c ? open_returning(d, t, c, data) : open_new(d, t, hello);
	enter(d, t);
	if (reason) {
		t->peer = NULL;
		tmemd_tenant_end(d, t);
		return reason;
	}
	p->tenant = t;
	watch_peer(d, t);
	return 0;
}

int tmemd_tenant_open(struct tmemd *d, struct tmemd_peer *p,
		      const struct tmem_wire_hello *hello, const int *fds)
{
	struct tmemd_tenant *known;
	struct tmemd_claim claim;
	ino_t ino;
	int reason;

	if (hello->version_min > TMEM_WIRE_VERSION ||
	    hello->version_max < TMEM_WIRE_VERSION)
		return TMEM_WIRE_VERSION_UNKNOWN;
	if (!(hello->flags & TMEM_WIRE_RETURNING))
		return open_fresh(d, p, hello, NULL, -1);
	if (tmemd_claim_read(fds[0], fds[1], d->memfd_dev, &claim, &ino))
		return TMEM_WIRE_BAD_RETURN;
	known = find_memory(d, ino);
	reason = known ? rejoin(d, known, p)
		       : open_fresh(d, p, hello, &claim, fds[0]);
	tmemd_claim_finish(&claim);
	return reason;
}

int tmemd_tenant_restore(struct tmemd *d, uint64_t id, int data, int control)
{
	struct tmemd_tenant *t = create(d);
	struct tmemd_claim c = { 0 };
	ino_t ino;
	int err = t ? 0 : -ENOMEM;

	if (!err)
		err = tmemd_claim_read(data, control, d->memfd_dev, &c, &ino);
	(void)close(control);
	/* The store is the service manager's: what it says of the uid is so. */
	if (!err)
		err = join_domain(d, t, c.head.domain, c.head.uid);
	if (err) {
		tmemd_claim_finish(&c);
		tmem_mem_free(t, sizeof(*t));
		tmemd_endings_add(&d->endings, data);
		return err;
	}
	t->id = id;
	err = adopt(d, t, &c, data, c.head.uid, c.head.pid, &t->control_fd);
	if (err)
		tmemd_endings_add(&d->endings, data);
	enter(d, t);
	/* Else nobody would ever come, or go. */
	if (!err && !watch_absent(d, t, &c.head))
		err = -ESRCH;
	if (err)
		tmemd_tenant_end(d, t);
	tmemd_claim_finish(&c);
	return err;
}

/* ---- Ending -------------------------------------------------------------- */

static void forget(struct tmemd *d, struct tmemd_tenant *t)
{
	if (t->peer)
		t->peer->tenant = NULL;
	unwatch(t);
	if (t->control_fd >= 0)
		(void)close(t->control_fd);
	if (t->loan.control)
		charge(d, t, -1);
	TAILQ_REMOVE(&d->tenants, t, entry);
	d->tenants_count--;
	d->reports_due -= (uint32_t)t->report_due;
	tmemd_figures_add_counted(&t->account->past, &t->figures);
	tmemd_ledger_follow(&d->ledger, t->account, &t->figures,
			    &(struct tmem_wire_figures){ 0 }, 0);
	tmemd_ledger_leave(&d->ledger, t->account);
	tmemd_loan_finish(&t->loan);
	tmem_mem_free(t, sizeof(*t));
}

void tmemd_tenant_end(struct tmemd *d, struct tmemd_tenant *t)
{
	struct tmemd_peer *p = t->peer;
	int data = t->loan.fd;

	t->loan.fd = -1;
	tmemd_fdstore_remove(d, t->id);
	if (data >= 0)
		tmemd_endings_add(&d->endings, data);
	forget(d, t);
	if (p)
		tmemd_peer_close(d, p);
	tmemd_tenants_wake(d);
}

void tmemd_tenant_drop(struct tmemd *d, struct tmemd_tenant *t, int reason)
{
	if (t->peer)
		tmemd_peer_refuse(d, t->peer, reason, t->account->name);
	tmemd_tenant_end(d, t);
}

void tmemd_tenants_finish(struct tmemd *d)
{
	struct tmemd_tenant *t;

	while ((t = TAILQ_FIRST(&d->tenants)))
		forget(d, t);
}

/* ---- In between ---------------------------------------------------------- */

int tmemd_tenant_give(struct tmemd *d, struct tmemd_tenant *t,
		      const struct tmem_wire_loans *give)
{
	uint32_t i;
	int cls, reason = 0;

	for (i = 0; i < give->count && !reason; i++) {
		cls = tmemd_loan_take(&t->loan, &give->loans[i]);
		if (cls >= 0) {
			tmemd_ledger_charge(&d->ledger, t->account,
					    (uint32_t)cls,
					    -(int64_t)t->loan.segment_size);
			d->counters.given++;
		} else if (cls != -ESTALE) {
			reason = TMEM_WIRE_BAD_LOAN;
		}
	}
	tmemd_tenants_wake(d);
	return reason;
}

int tmemd_tenant_revoke(struct tmemd *d, struct tmemd_tenant *t)
{
	if (!t->ready || !tmemd_loan_revoke(&t->loan))
		return 0;
	tmemd_ledger_charge(&d->ledger, t->account, TMEM_WIRE_EPHEMERAL,
			    -(int64_t)t->loan.segment_size);
	t->untold++;
	t->revoked++;
	t->account->revoked++;
	d->counters.revoked++;
	return 1;
}

void tmemd_tenants_wake(struct tmemd *d)
{
	struct tmemd_tenant *t;

	TAILQ_FOREACH(t, &d->tenants, entry)
		t->waits = 0;
	tmemd_turns_soon(&d->turns);
}

/* ---- What they say and are told ------------------------------------------- */

static void settle_report(struct tmemd_tenant *t)
{
	t->d->reports_due -= (uint32_t)t->report_due;
	t->report_due = 0;
}

static void count_doubts(struct tmemd_tenant *t, unsigned doubts)
{
	uint32_t i;

	t->account->doubted += doubts != 0;
	for (i = 0; i < TMEM_WIRE_DOUBTS; i++)
		t->d->counters.doubts[i] += doubts >> i & 1;
}

void tmemd_tenant_report(struct tmemd_tenant *t,
			 const struct tmem_wire_stats *stats)
{
	const uint64_t now = tmem_clock_ns();
	const struct tmemd_means means = {
		.age_ns = now - t->since_ns,
		.cpus = t->d->cpus,
		.lent_most_bytes =
			(uint64_t)t->loan.lent_most * t->loan.segment_size,
	};
	struct tmem_wire_figures is;

	count_doubts(t, tmemd_belief_form(&means, &t->figures, &stats->figures,
					  &is));
	/* The first one tells of a time that nobody measured. */
	if (t->reported_ns)
		t->account->ghost_hits =
			tmemd_figure_sum(t->account->ghost_hits,
					 is.ghost_hits - t->figures.ghost_hits);
	tmemd_ledger_follow(&t->d->ledger, t->account, &t->figures, &is,
			    t->reported_ns || t->since_ns);
	t->figures = is;
	t->reported_ns = now;
	settle_report(t);
}

void tmemd_tenants_ask_reports(struct tmemd *d)
{
	const struct tmem_wire_count m = {
		.head = { TMEM_WIRE_REPORT, sizeof(m) },
	};
	struct tmemd_tenant *t;

	/* One that does not keep up reports another time. */
	TAILQ_FOREACH(t, &d->tenants, entry)
		if (t->peer &&
		    !tmemd_peer_send(t->peer, &m, sizeof(m), NULL, 0) &&
		    !t->report_due) {
			t->report_due = 1;
			d->reports_due++;
		}
}

void tmemd_tenants_refreeze(struct tmemd *d)
{
	const struct tmem_wire_count m = {
		.head = { TMEM_WIRE_REVOKED, sizeof(m) },
	};
	struct tmemd_tenant *t;

	TAILQ_FOREACH(t, &d->tenants, entry)
		if (tmemd_loan_set_frozen(&t->loan, t->account->frozen) &&
		    t->peer)
			(void)tmemd_peer_send(t->peer, &m, sizeof(m), NULL, 0);
}

uint64_t tmemd_tenant_asked_bytes(const struct tmemd_tenant *t)
{
	uint64_t sum = 0, bound = 0, room, more;
	uint32_t cls;

	for (cls = 0; cls < TMEM_WIRE_CLASSES; cls++) {
		if (t->account->frozen && cls != TMEM_WIRE_METADATA)
			continue;
		more = t->asked[cls] > t->granted[cls]
			       ? t->asked[cls] - t->granted[cls]
			       : 0;
		if (more > t->loan.segments_max)
			more = t->loan.segments_max;
		more *= t->loan.segment_size;
		if (cls == TMEM_WIRE_PERSISTENT)
			bound = more;
		else
			sum += more;
	}
	room = t->account->persistent_bytes;
	room = room > t->account->lent_bytes[TMEM_WIRE_PERSISTENT]
		       ? room - t->account->lent_bytes[TMEM_WIRE_PERSISTENT]
		       : 0;
	return sum + (bound < room ? bound : room);
}

int tmemd_tenant_sweep(struct tmemd *d, struct tmemd_tenant *t)
{
	int64_t swept = tmemd_loan_sweep(&t->loan);
	uint64_t excused = (uint64_t)t->revoked * t->loan.segment_size;

	t->revoked = 0;
	if (swept < 0)
		return TMEM_WIRE_BAD_MEMORY;
	d->counters.strays += (uint64_t)swept / TMEM_OS_PAGE;
	if ((uint64_t)swept <= excused) {
		t->strikes = 0;
		return 0;
	}
	return ++t->strikes < STRIKES_MAX ? 0 : TMEM_WIRE_OVERDRAWN;
}
