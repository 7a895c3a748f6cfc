/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * budget.c - how much may be lent in all, as the host's need comes and goes.
 *
 * How often to look follows from how soon the floor could be crossed: the kernel
 * hands out fresh memory at some GiB a second at most. Only near the floor, where
 * a budget that is used up always ends, looks are frequent; and they become rarer
 * there as well while nothing moves.
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

/* Looks. The speed is that of zeroing memory on two cores, generously. */
#define INTERVAL_MIN_NS (20 * TMEM_NS_PER_MS)
#define INTERVAL_STILL_NS (100 * TMEM_NS_PER_MS)
#define INTERVAL_MAX_NS TMEM_NS_PER_SEC
#define SPEED_BYTES (8 * TMEM_GIB) /* a second */
#define STILL_BYTES (4 * TMEM_MIB)

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

/* Two baselines, so that there is always one that is a second old at least. */
static int machine_reclaims(struct tmemd_budget *b,
			    const struct tmemd_host_view *v, uint64_t now_ns)
{
	int moved = v->scanned - b->scanned >= SCANNED_MIN;

	if (now_ns - b->scanned_ns >= SCANNED_NS) {
		b->scanned = b->scanned_next;
		b->scanned_next = v->scanned;
		b->scanned_ns = now_ns;
	}
	return moved;
}

static int is_near(const struct tmemd_budget *b)
{
	return b->available_bytes != TMEMD_HOST_UNKNOWN &&
	       b->available_bytes < b->floor_bytes + 2 * tmemd_budget_slack(b);
}

static uint64_t after_stall(const struct tmemd_budget *b, uint64_t lent_bytes)
{
	uint64_t used = lent_bytes < b->now_bytes ? lent_bytes : b->now_bytes;
	uint64_t step = used / STALL_SHARE;

	return less(used, step > STALL_MIN ? step : STALL_MIN);
}

/* ---- Looking ------------------------------------------------------------- */

static void plan_look(struct tmemd_budget *b, uint64_t before, uint64_t lent)
{
	uint64_t room = less(b->available_bytes, b->floor_bytes);
	uint64_t moved = b->available_bytes > before
				 ? b->available_bytes - before
				 : before - b->available_bytes;
	uint64_t still = 2 * b->interval_ns, ns;

	ns = lent && room < SPEED_BYTES ? room / (SPEED_BYTES / TMEM_MIB) *
						  TMEM_NS_PER_SEC / TMEM_MIB
					: INTERVAL_MAX_NS;
	if (ns < INTERVAL_MIN_NS)
		ns = INTERVAL_MIN_NS;
	if (still > INTERVAL_STILL_NS)
		still = INTERVAL_STILL_NS;
	if (moved < STILL_BYTES && ns < still)
		ns = still;
	b->interval_ns = ns < INTERVAL_MAX_NS ? ns : INTERVAL_MAX_NS;
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
	uint64_t before = b->available_bytes, goal;
	int reclaims = machine_reclaims(b, v, now_ns), counts;

	b->available_bytes = v->available_bytes;
	b->looked_ns = now_ns;
	plan_look(b, before, lent_bytes);
	counts = stalled && (reclaims || is_near(b));
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

void tmemd_budget_configure(struct tmemd_budget *b, uint64_t maximum_bytes,
			    uint64_t floor_bytes,
			    const struct tmemd_host_view *v,
			    uint64_t lent_bytes, uint64_t now_ns)
{
	if (maximum_bytes == b->maximum_bytes && floor_bytes == b->floor_bytes)
		return;
	b->maximum_bytes = maximum_bytes;
	b->floor_bytes = floor_bytes;
	b->available_bytes = v->available_bytes;
	b->looked_ns = b->changed_ns = now_ns;
	b->scanned = b->scanned_next = v->scanned;
	b->scanned_ns = now_ns;
	b->interval_ns = INTERVAL_MIN_NS;
	b->now_bytes =
		possible(b, lent_bytes, floor_bytes + tmemd_budget_slack(b));
	b->reason = TMEM_WIRE_BUDGET_SETTINGS;
}
