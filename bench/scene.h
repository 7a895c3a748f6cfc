/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scene.h - processes that read pages, each through a domain of its own, under one
 * configuration of a private daemon.
 *
 * A page that the store does not have takes as long as a disk, and is put then.
 * After a few reads a process waits a little, as one does that answers somebody:
 * so several of them share a processor without slowing each other down, and what
 * is told apart is memory.
 */
#ifndef BENCH_SCENE_H
#define BENCH_SCENE_H

#include <stdatomic.h>
#include <stdint.h>

#include <tmem/wire.h>

#include "timeline.h"

#define SCENE_MIB (1ull << 20)
#define SCENE_PAGE 4096u
#define SCENE_PAGES_OF_MIB (SCENE_MIB / SCENE_PAGE)
#define SCENE_ROLES_MAX 4u
#define SCENE_PHASES_MAX 3u
#define SCENE_ENDLESS UINT64_MAX

/** struct scene_phase - reads of one set of pages. */
struct scene_phase {
	uint64_t pages; /* of the set */
	uint64_t reads; /* 0: no such phase; SCENE_ENDLESS */
};

/** struct scene_role - a process; its name is its domain's. */
struct scene_role {
	const char *name;
	uint64_t delay_ns; /* until it begins */
	int scans;	   /* 1: in order; 0: at random */
	int rushes;	   /* 1: what the store does not have takes no time */
	struct scene_phase phases[SCENE_PHASES_MAX];
};

/** struct scene_done - what a process tells; in shared memory. */
struct scene_done {
	_Atomic uint64_t ns; /* its work took; 0: it is at it */
};

/**
 * struct scene - roles under one configuration.
 * @line: gets a line's point for each role, MiB lent; may be NULL.
 * @look: is shown the domains once in a while, and returns 1 when it has seen
 *	enough; NULL: it ends when all have done their work.
 */
struct scene {
	const char *config;
	const struct scene_role *roles;
	unsigned count;
	struct timeline *line;
	int (*look)(void *ctx, const struct tmem_wire_domain *domains,
		    unsigned count, uint64_t at_ns);
	void *ctx;
};

/** scene_done_create() - room for what SCENE_ROLES_MAX processes tell. */
struct scene_done *scene_done_create(void);

/** scene_run() - from beginning to end; @done: one of each role. */
void scene_run(const struct scene *s, struct scene_done *done);

#endif
