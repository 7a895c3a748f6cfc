/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * budget.c - how much may be lent in all, as the host's need comes and goes.
 *
 * How often to look follows from how soon the floor could be crossed. Far from it
 * the kernel's own speed says that: it hands out fresh memory at some GiB a second
 * at most. Near it, where a budget that is used up always ends, what others have
 * been seen to take says it, so that a machine at rest is looked at rarely there
 * as well.
 */
#include "budget.h"

#include "bounds.h"
#include "clock.h"

/* Hysteresis: this share of the floor, within bounds. The least is what a
 * machine's own ups and downs are in a second at rest. */
#define SLACK_SHARE 16
#define SLACK_MIN (16 * TMEM_MIB)
#define SLACK_MAX (256 * TMEM_MIB)

/* Before growing again, and how fast: from nothing to all in half a minute. */
#define QUIET_NS (5 * TMEM_NS_PER_SEC)
#define GROW_MS (32 * 1000)

/* What a stall that counts takes: a share of what is lent. A second later the
 * kernel tells whether it was enough. */
#define STALL_SHARE 8
#define STALL_MIN (32 * TMEM_MIB)

/* Pages scanned for the whole machine between two baselines, 16 MiB: less is a
 * stray wakeup of kswapd. */
#define SCANNED_MIN 4096
#define SCANNED_NS TMEM_NS_PER_SEC
#define SCANNED_OLD_NS (4 * SCANNED_NS)

/* Looks. The speed is that of zeroing memory on two cores, generously. At the
 * least interval looks take a hundredth of a core, for as long as memory is taken at
 * GiB a second. */
#define INTERVAL_MIN_NS (5 * TMEM_NS_PER_MS)
#define INTERVAL_STILL_NS (100 * TMEM_NS_PER_MS)
#define INTERVAL_MAX_NS TMEM_NS_PER_SEC
#define SPEED_MOST (8 * TMEM_MIB) /* bytes a millisecond */

/* Who takes memory may take it so many times as fast until the next look; and at
 * the floor a look comes before this share of the slack can be gone. */
#define FASTER 4
#define DEEP_SHARE 4

uint64_t tmemd_budget_slack(const struct tmemd_budget *b)
{
	uint64_t slack = b->floor_bytes / SLACK_SHARE;

	if (slack < SLACK_MIN)
		return SLACK_MIN;
	return slack < SLACK_MAX ? slack : SLACK_MAX;
}

static uint64_t less(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

/* Bytes that could be lent if the floor were so high. */
static uint64_t possible(const struct tmemd_budget *b, uint64_t lent_bytes,
			 uint64_t floor_bytes)
{
	uint64_t most;

	if (b->available_bytes == TMEMD_HOST_UNKNOWN)
		return b->maximum_bytes;
	most = less(b->available_bytes + lent_bytes, floor_bytes);
	return most < b->maximum_bytes ? most : b->maximum_bytes;
}

static int change(struct tmemd_budget *b, uint64_t bytes, uint32_t reason,
		  uint64_t now_ns)
{
	if (bytes == b->now_bytes)
		return 0;
	if (bytes < b->now_bytes)
		b->shrunk++;
	else
		b->grown++;
	b->now_bytes = bytes;
	b->reason = reason;
	b->changed_ns = now_ns;
	return 1;
}

/* ---- Stalls -------------------------------------------------------------- */

static int is_near(const struct tmemd_budget *b, uint64_t available_bytes)
{
	return available_bytes != TMEMD_HOST_UNKNOWN &&
	       available_bytes < b->floor_bytes + 2 * tmemd_budget_slack(b);
}

int tmemd_budget_asks_scanned(const struct tmemd_budget *b,
			      uint64_t available_bytes, int stalled,
			      uint64_t now_ns)
{
	return !is_near(b, available_bytes) &&
	       (stalled || now_ns - b->scanned_ns >= SCANNED_NS);
}

/* Two baselines, so that there is always one that is a second old at least. After a
 * time near the floor, in which nobody looked, both are new. */
static int machine_reclaims(struct tmemd_budget *b, uint64_t scanned,
			    uint64_t now_ns)
{
	uint64_t age_ns = now_ns - b->scanned_ns;
	int moved = scanned - b->scanned >= SCANNED_MIN &&
		    age_ns < SCANNED_OLD_NS;

	if (age_ns >= SCANNED_NS) {
		b->scanned = age_ns < SCANNED_OLD_NS ? b->scanned_next : scanned;
		b->scanned_next = scanned;
		b->scanned_ns = now_ns;
	}
	return moved;
}

static uint64_t after_stall(const struct tmemd_budget *b, uint64_t lent_bytes)
{
	uint64_t used = lent_bytes < b->now_bytes ? lent_bytes : b->now_bytes;
	uint64_t step = used / STALL_SHARE;

	return less(used, step > STALL_MIN ? step : STALL_MIN);
}

/* ---- Looking ------------------------------------------------------------- */

/*
 * What others take of the machine, bytes a millisecond. What is lent or taken back
 * moves no more than from one term of the sum to the other. Falls back by halves:
 * who pauses between two allocations is not done.
 */
static void follow_speed(struct tmemd_budget *b, uint64_t sum_bytes,
			 uint64_t passed_ns)
{
	uint64_t us = passed_ns / TMEM_NS_PER_US;
	uint64_t speed = us ? less(b->sum_bytes, sum_bytes) * 1000 / us : 0;

	b->speed = speed > b->speed / 2 ? speed : b->speed / 2;
	b->sum_bytes = sum_bytes;
}

/* Until `bytes` are gone. */
static uint64_t gone_ns(uint64_t bytes, uint64_t speed)
{
	if (!speed || bytes / speed >= INTERVAL_MAX_NS / TMEM_NS_PER_MS)
		return INTERVAL_MAX_NS;
	return bytes * TMEM_NS_PER_MS / speed;
}

static void plan_look(struct tmemd_budget *b)
{
	uint64_t room = less(b->available_bytes, b->floor_bytes);
	uint64_t deep = tmemd_budget_slack(b) / DEEP_SHARE;
	uint64_t ns = gone_ns(room + deep, FASTER * b->speed), far_ns;

	if (ns > INTERVAL_STILL_NS)
		ns = INTERVAL_STILL_NS;
	/* It may have begun just now. */
	if (ns > 2 * b->interval_ns)
		ns = 2 * b->interval_ns;
	far_ns = gone_ns(room, SPEED_MOST);
	if (ns < far_ns)
		ns = far_ns;
	b->interval_ns = ns < INTERVAL_MIN_NS ? INTERVAL_MIN_NS : ns;
}

static int grow(struct tmemd_budget *b, uint64_t goal, uint64_t now_ns,
		uint64_t passed_ns)
{
	uint64_t passed_ms = passed_ns / TMEM_NS_PER_MS, step;

	if (goal <= b->now_bytes || now_ns - b->trouble_ns < QUIET_NS)
		return 0;
	step = passed_ms < GROW_MS ? b->maximum_bytes / GROW_MS * passed_ms
				   : b->maximum_bytes;
	if (step > goal - b->now_bytes)
		step = goal - b->now_bytes;
	return change(b, b->now_bytes + step, TMEM_WIRE_BUDGET_QUIET, now_ns);
}

int tmemd_budget_look(struct tmemd_budget *b, const struct tmemd_host_view *v,
		      uint64_t lent_bytes, int stalled, uint64_t now_ns)
{
	uint64_t passed_ns = now_ns - b->looked_ns;
	uint64_t goal;
	int reclaims = 0, counts;

	if (v->scanned != TMEMD_HOST_UNKNOWN)
		reclaims = machine_reclaims(b, v->scanned, now_ns);
	b->available_bytes = v->available_bytes;
	b->looked_ns = now_ns;
	follow_speed(b, b->available_bytes + lent_bytes, passed_ns);
	plan_look(b);
	counts = stalled && (reclaims || is_near(b, v->available_bytes));
	b->stalls += !!stalled;
	b->stalls_foreign += stalled && !counts;
	if (counts)
		b->trouble_ns = now_ns;
	goal = possible(b, lent_bytes, b->floor_bytes + tmemd_budget_slack(b));
	if (possible(b, lent_bytes, b->floor_bytes) < b->now_bytes) {
		b->trouble_ns = now_ns;
		return change(b, goal, TMEM_WIRE_BUDGET_FLOOR, now_ns);
	}
	if (counts)
		return change(b, after_stall(b, lent_bytes),
			      TMEM_WIRE_BUDGET_STALL, now_ns);
	return grow(b, goal, now_ns, passed_ns);
}

int tmemd_budget_configure(struct tmemd_budget *b, uint64_t maximum_bytes,
			   uint64_t floor_bytes, uint64_t available_bytes,
			   uint64_t lent_bytes, uint64_t now_ns)
{
	if (maximum_bytes == b->maximum_bytes && floor_bytes == b->floor_bytes)
		return 0;
	b->maximum_bytes = maximum_bytes;
	b->floor_bytes = floor_bytes;
	b->available_bytes = available_bytes;
	b->looked_ns = b->changed_ns = now_ns;
	b->scanned_ns = now_ns - SCANNED_OLD_NS;
	b->sum_bytes = available_bytes + lent_bytes;
	b->interval_ns = INTERVAL_MIN_NS;
	b->now_bytes =
		possible(b, lent_bytes, floor_bytes + tmemd_budget_slack(b));
	b->reason = TMEM_WIRE_BUDGET_SETTINGS;
	return 1;
}
