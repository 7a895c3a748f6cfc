/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stage.h - a swap on memory of a private daemon, and a process that needs it.
 *
 * The process may use 16 MiB and touches four times that. What is lent to the swap,
 * and what it must do without, is set by the daemon's configuration; what the store
 * refuses goes to a file.
 */
#ifndef TESTS_SWAP_STAGE_H
#define TESTS_SWAP_STAGE_H

#include "daemon.h"
#include "memlimit.h"
#include "swap.h"
#include "toucher.h"

#define STAGE_MIB (1ull << 20)
#define STAGE_LIMIT (16 * STAGE_MIB)
#define STAGE_TOUCHED (4 * STAGE_LIMIT)

/** STAGE_ROOMY - all of it fits into memory that the daemon lends. */
#define STAGE_ROOMY "budget = 512M\ndefault-persistent = 256M\n"

/** STAGE_DOMAIN - of the swap. */
#define STAGE_DOMAIN "swap"

struct stage {
	struct daemon d;
	struct swap s;
	struct memlimit m;
	struct toucher t;
};

/** stage_set_up(), stage_tear_down() - of a test (cmocka): *state is a struct stage
 * with nothing on it yet. */
int stage_set_up(void **state);
int stage_tear_down(void **state);

/** stage_start() - daemon, swap and process. */
void stage_start(struct stage *g, const char *config);

#endif
