/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench-fairness.c - four domains, one budget that is too small, each policy.
 *
 * After SmarTmem's scenarios (IPDPSW 2019): programs that come at different times,
 * whose demand comes in phases, and one that goes through more memory than there
 * is. Each has an end, takes about four seconds alone, and is counted.
 *
 *	seconds	 0	1	2	3	4	5
 *	early	 | 16 MiB | 5 MiB		|
 *	phased	 | 5 MiB	| 16 MiB    | 5 |
 *	late		 | 16 MiB		       |
 *	scanner	 | 112 MiB, one after the other	|	a backup
 *
 * So two large sets at most are in use at a time, and the budget of 64 MiB has room
 * for what everybody uses. But whoever came first and is asked for nothing keeps
 * what he does not use any more, and a scan uses nothing that it has.
 *
 * Told are each domain's slowdown against alone, the slowest completion, and
 * Jain's index of the slowdowns (1: all alike).
 *
 * Two more scenes look at memory alone: two domains that flood the budget, at
 * weights 1 to 3; and one that wants more than its part, between two that flood.
 * The latter under greedy as well, where nobody has a part: a measure that finds
 * nothing there would find nothing anywhere.
 */
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "options.h"
#include "private.h"
#include "scene.h"
#include "timeline.h"

#define DOMAINS 4u
#define MIBS(n) (SCENE_PAGES_OF_MIB * (n))
#define BUDGET_MIB 64u

#define LARGE MIBS(16)
#define SMALL MIBS(5)
#define BACKUP MIBS(112)

static const struct scene_role roles[DOMAINS] = {
	{ "early", 0, 0, 0, { { LARGE, 60000 }, { SMALL, 330000 }, { 0, 0 } } },
	{ "phased",
	  0,
	  0,
	  0,
	  { { SMALL, 200000 }, { LARGE, 130000 }, { SMALL, 30000 } } },
	{ "late",
	  TMEM_NS_PER_SEC,
	  0,
	  0,
	  { { LARGE, 400000 }, { 0, 0 }, { 0, 0 } } },
	{ "scanner", 0, 1, 0, { { BACKUP, BACKUP }, { 0, 0 }, { 0, 0 } } },
};

static const char *const policies[] = { "greedy", "static", "weighted",
					"utility" };
#define POLICIES 4u

/* ---- Policies ------------------------------------------------------------ */

static double seconds(const struct scene_done *d)
{
	return (double)atomic_load(&d->ns) / TMEM_NS_PER_SEC;
}

static void configure(char *config, size_t size, const char *policy)
{
	(void)snprintf(config, size, "budget = %uM\npolicy = %s\n", BUDGET_MIB,
		       policy);
}

static void run_alone(const struct scene_role *all, struct scene_done *done,
		      double *alone, struct bench_report *report)
{
	char config[128];
	struct scene s = { .config = config, .count = 1 };
	unsigned i;

	configure(config, sizeof(config), "greedy");
	for (i = 0; i < DOMAINS; i++) {
		s.roles = &all[i];
		scene_run(&s, done);
		alone[i] = seconds(&done[0]);
		bench_report_one(report, "alone_s", all[i].name,
				 "its work, with nobody else, s", alone[i]);
	}
}

/* Jain, Chiu and Hawe, 1984. */
static double jain(const double *values, unsigned count)
{
	double sum = 0, squares = 0;
	unsigned i;

	for (i = 0; i < count; i++) {
		sum += values[i];
		squares += values[i] * values[i];
	}
	return sum * sum / (count * squares);
}

/** struct outcome - of a policy. */
struct outcome {
	double slowdown[DOMAINS];
	double slowest_s, jain;
};

static struct outcome run_policy(const struct options *o,
				 const struct scene_role *all,
				 const char *policy, struct scene_done *done,
				 const double *alone)
{
	static struct timeline line;
	char config[128], title[64], file[64];
	struct scene s = {
		.config = config, .roles = all, .count = DOMAINS, .line = &line
	};
	struct outcome ret = { .slowest_s = 0 };
	unsigned i;

	(void)snprintf(title, sizeof(title), "Memory of four domains, %s",
		       policy);
	timeline_init(&line, title, "MiB lent");
	for (i = 0; i < DOMAINS; i++)
		(void)timeline_line(&line, all[i].name);
	configure(config, sizeof(config), policy);
	scene_run(&s, done);
	for (i = 0; i < DOMAINS; i++) {
		ret.slowdown[i] = seconds(&done[i]) / alone[i];
		if (seconds(&done[i]) > ret.slowest_s)
			ret.slowest_s = seconds(&done[i]);
	}
	ret.jain = jain(ret.slowdown, DOMAINS);
	(void)snprintf(file, sizeof(file), "fairness-%s.svg", policy);
	timeline_draw(&line, o->out, file);
	return ret;
}

static void run_policies(const struct options *o, const struct scene_role *all,
			 struct scene_done *done, struct bench_report *report)
{
	/* The report keeps a group's name as it is. */
	static const char *const groups[POLICIES] = { "greedy_slowdown",
						      "static_slowdown",
						      "weighted_slowdown",
						      "utility_slowdown" };
	struct outcome outcomes[POLICIES];
	double alone[DOMAINS];
	char key[BENCH_KEY_MAX];
	unsigned i, n;

	run_alone(all, done, alone, report);
	for (i = 0; i < POLICIES; i++) {
		outcomes[i] = run_policy(o, all, policies[i], done, alone);
		for (n = 0; n < DOMAINS; n++)
			bench_report_one(report, groups[i], all[n].name,
					 "times as long as alone",
					 outcomes[i].slowdown[n]);
	}
	for (i = 0; i < POLICIES; i++) {
		(void)snprintf(key, sizeof(key), "%s_slowest_s", policies[i]);
		bench_report_one(report, NULL, key,
				 "the slowest domain's work, s",
				 outcomes[i].slowest_s);
		(void)snprintf(key, sizeof(key), "%s_jain", policies[i]);
		bench_report_one(report, NULL, key,
				 "... Jain's index of the slowdowns",
				 outcomes[i].jain);
	}
	bench_report_one(
		report, NULL, "utility_sooner_pct",
		"utility's slowest sooner than greedy's, %",
		100 * (1 - outcomes[3].slowest_s / outcomes[0].slowest_s));
}

/* ---- Memory alone -------------------------------------------------------- */

/* How long is looked once things have settled; and for that, at most so long. On a
 * busy machine it takes longer. */
#define LOOK_NS (3 * TMEM_NS_PER_SEC)
#define LOOK_TINY_NS TMEM_NS_PER_SEC
#define SETTLE_NS_MAX (15 * TMEM_NS_PER_SEC)

static uint64_t look_ns(const struct options *o)
{
	return o->tiny ? LOOK_TINY_NS : LOOK_NS;
}

static const struct tmem_wire_domain *
find(const struct tmem_wire_domain *domains, unsigned count, const char *name)
{
	unsigned i;

	for (i = 0; i < count; i++)
		if (!strcmp(domains[i].name, name))
			return &domains[i];
	return NULL;
}

static const struct scene_role floods[] = {
	{ "light", 0, 1, 1, { { MIBS(160), SCENE_ENDLESS }, { 0, 0 }, { 0, 0 } } },
	{ "heavy", 0, 1, 1, { { MIBS(160), SCENE_ENDLESS }, { 0, 0 }, { 0, 0 } } },
};

/* Nothing moves in so many looks: 0.7 s. */
#define STILL_LOOKS 10u

/** struct split - shares, and once they have settled their error. */
struct split {
	uint64_t look_ns, until_ns; /* 0: they have not */
	double share;
	unsigned still;
	double error_pts; /* the worst */
};

/* All is lent, and whose it is stays so. */
static int has_settled(struct split *p, double share, double lent)
{
	const double moved = share > p->share ? share - p->share
					      : p->share - share;

	p->share = share;
	p->still = moved < 0.5 && lent > 0.9 * BUDGET_MIB * SCENE_MIB
			   ? p->still + 1
			   : 0;
	return p->still >= STILL_LOOKS;
}

static int look_split(void *ctx, const struct tmem_wire_domain *domains,
		      unsigned count, uint64_t at_ns)
{
	const struct tmem_wire_domain *light = find(domains, count, "light");
	const struct tmem_wire_domain *heavy = find(domains, count, "heavy");
	struct split *p = ctx;
	double lent, share, error;

	if (!light || !heavy)
		return 0;
	share = (double)private_lent(light->lent_bytes);
	lent = share + (double)private_lent(heavy->lent_bytes);
	share = 100 * share / lent;
	if (!p->until_ns && !has_settled(p, share, lent) &&
	    at_ns < SETTLE_NS_MAX)
		return 0;
	if (!p->until_ns)
		p->until_ns = at_ns + p->look_ns;
	error = share > 25 ? share - 25 : 25 - share;
	if (error > p->error_pts)
		p->error_pts = error;
	return at_ns >= p->until_ns;
}

static void run_split(const struct options *o, struct scene_done *done,
		      struct bench_report *report)
{
	static struct timeline line;
	struct split p = { .look_ns = look_ns(o) };
	struct scene s = {
		.config = "budget = 64M\npolicy = weighted\n"
			  "[domain light]\nweight = 100\n"
			  "[domain heavy]\nweight = 300\n",
		.roles = floods,
		.count = 2,
		.line = &line,
		.look = look_split,
		.ctx = &p,
	};

	timeline_init(&line, "Two domains that flood, weights 1 and 3",
		      "MiB lent");
	(void)timeline_line(&line, "light");
	(void)timeline_line(&line, "heavy");
	scene_run(&s, done);
	timeline_draw(&line, o->out, "fairness-split.svg");
	bench_report_one(report, NULL, "weighted_split_error_pts",
			 "weights 1 to 3: worst distance from 25 %, points",
			 p.error_pts);
}

/* ---- Below its part ------------------------------------------------------ */

/* It comes when all is taken, and wants twice its part, at random: so it has ghost
 * hits, and never enough. */
static const struct scene_role attack[] = {
	{ "victim",
	  TMEM_NS_PER_SEC,
	  0,
	  0,
	  { { MIBS(40), SCENE_ENDLESS }, { 0, 0 }, { 0, 0 } } },
	{ "flood 1",
	  0,
	  1,
	  1,
	  { { MIBS(160), SCENE_ENDLESS }, { 0, 0 }, { 0, 0 } } },
	{ "flood 2",
	  0,
	  1,
	  1,
	  { { MIBS(160), SCENE_ENDLESS }, { 0, 0 }, { 0, 0 } } },
};

#define ATTACK_ROLES 3u
#define SEGMENT (256ull << 10) /* of stores of this size */

/* By weight, a third; ghost hits may move a quarter of that. What a policy calls
 * entitled is believed beyond that only, or one that entitles nobody would look
 * best. */
#define PART_BYTES (BUDGET_MIB * SCENE_MIB / ATTACK_ROLES / 4 * 3)

/* Entitlements are divided anew each second; this is 0.7 s. */
#define RAISE_LOOKS 10u

/** struct shortfall - of a domain that others flood around. */
struct shortfall {
	uint64_t look_ns, settle_ns_max;
	uint64_t until_ns; /* 0: it has not had its part yet */
	unsigned seen, wanting, attacked;
	double pct;		   /* below its entitlement, the worst */
	double parts[RAISE_LOOKS]; /* its entitlement, at the last looks */
	unsigned looks;
};

/* The least of the last looks: who has just been entitled to more is not there
 * yet, and nobody has pushed it. */
static double part_of(struct shortfall *s, const struct tmem_wire_domain *victim)
{
	double least;
	unsigned i;

	s->parts[s->looks++ % RAISE_LOOKS] =
		victim ? (double)victim->entitled_bytes : 0;
	least = s->parts[0];
	for (i = 1; i < RAISE_LOOKS; i++)
		least = s->parts[i] < least ? s->parts[i] : least;
	return least > (double)PART_BYTES ? least : (double)PART_BYTES;
}

static int look_below(void *ctx, const struct tmem_wire_domain *domains,
		      unsigned count, uint64_t at_ns)
{
	const struct tmem_wire_domain *victim = find(domains, count, "victim");
	const struct tmem_wire_domain *one = find(domains, count, "flood 1");
	const struct tmem_wire_domain *two = find(domains, count, "flood 2");
	struct shortfall *s = ctx;
	double held, pct;

	/* One that has not even been let in wants, and has nothing. */
	held = victim ? (double)private_lent(victim->lent_bytes) : 0;
	pct = 100 * (1 - (held + SEGMENT) / part_of(s, victim));
	if (!s->until_ns && pct > 0 && at_ns < s->settle_ns_max)
		return 0;
	if (!s->until_ns)
		s->until_ns = at_ns + s->look_ns;
	s->seen++;
	s->attacked += one && two && (one->asked_bytes || two->asked_bytes);
	s->wanting += !victim || victim->asked_bytes;
	if (pct > s->pct)
		s->pct = pct;
	return at_ns >= s->until_ns;
}

/* @settle_ns_max: until it should have its part. */
static struct shortfall run_attack(const struct options *o, const char *policy,
				   uint64_t settle_ns_max,
				   struct scene_done *done)
{
	static struct timeline line;
	struct shortfall f = { .look_ns = look_ns(o),
			       .settle_ns_max = settle_ns_max };
	char config[128], title[64], file[64];
	struct scene s = {
		.config = config,
		.roles = attack,
		.count = ATTACK_ROLES,
		.line = &line,
		.look = look_below,
		.ctx = &f,
	};
	unsigned i;

	(void)snprintf(title, sizeof(title), "One that wants memory, %s",
		       policy);
	timeline_init(&line, title, "MiB lent");
	for (i = 0; i < ATTACK_ROLES; i++)
		(void)timeline_line(&line, attack[i].name);
	configure(config, sizeof(config), policy);
	scene_run(&s, done);
	(void)snprintf(file, sizeof(file), "fairness-below-%s.svg", policy);
	timeline_draw(&line, o->out, file);
	return f;
}

static void run_below(const struct options *o, struct scene_done *done,
		      struct bench_report *report)
{
	struct shortfall f = run_attack(o, "utility", SETTLE_NS_MAX, done);
	struct shortfall none = run_attack(o, "greedy", LOOK_NS, done);

	bench_report_one(report, NULL, "below_entitlement_pct",
			 "flooded: worst distance below entitlement, %", f.pct);
	bench_report_one(report, NULL, "below_wanting_pct",
			 "... of the looks, while it wanted more, %",
			 100.0 * f.wanting / f.seen);
	bench_report_one(report, NULL, "below_attacked_pct",
			 "... and while others wanted more, %",
			 100.0 * f.attacked / f.seen);
	bench_report_one(report, NULL, "greedy_below_pct",
			 "... the same figure under greedy, %", none.pct);
}

/* ---- All of it ----------------------------------------------------------- */

/* A fortieth of the reads: of shape, but not of size. */
static void make_tiny(struct scene_role *all)
{
	unsigned i, n;

	for (i = 0; i < DOMAINS; i++) {
		all[i].delay_ns /= 40;
		for (n = 0; n < SCENE_PHASES_MAX; n++)
			all[i].phases[n].reads /= 40;
	}
}

int main(int argc, char **argv)
{
	struct options o = { .name = "fairness",
			     .doc = "Four domains with phased demand, one of "
				    "them a scanner, under each policy." };
	static struct bench_report report;
	struct scene_role all[DOMAINS];
	struct scene_done *done;

	options_parse(&o, argc, argv);
	memcpy(all, roles, sizeof(all));
	if (o.tiny)
		make_tiny(all);
	done = scene_done_create();
	run_policies(&o, all, done, &report);
	run_split(&o, done, &report);
	run_below(&o, done, &report);
	options_tell(&o, &report, BUDGET_MIB * SCENE_MIB, 1);
	return 0;
}
