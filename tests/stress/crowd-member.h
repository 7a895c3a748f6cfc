/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * crowd-member.h - what the rooms of the crowd share: the threads, the pools, and
 * pages that name themselves.
 */
#ifndef TESTS_STRESS_CROWD_MEMBER_H
#define TESTS_STRESS_CROWD_MEMBER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "crowd.h"
#include "rng.h"

#define PAGE 4096u
#define MAGIC 0x7du

enum {
	THREADS = 4,
	OWN_KEYS = 160,
	OBJECTS = 6, /* shared */
	INDEXES = 8,
	KEYS = OBJECTS * INDEXES,
	BOARDS = 3
};

/* Pools that live as long as the crowd, and one that comes and goes. */
enum {
	PERS,
	TAKEN, /* ephemeral, exclusive */
	KEPT,  /* ephemeral, KEEP */
	POOLS,
	FLEETING = POOLS
};

/* What all know of one shared key. */
struct shared {
	atomic_uint started[THREADS]; /* the writer's last, begun */
	atomic_uint done[THREADS];    /* its last, returned */
	atomic_uint floor[THREADS];
	atomic_uint taken[THREADS]; /* its last, got by an exclusive get */
};

struct crowd {
	struct crowd_opts opts;
	int pools[POOLS];
	atomic_int fleeting; /* pool id; -1: none now */
	atomic_uint board_number;
	pthread_mutex_t fleeting_lock;
	struct shared keys[POOLS][KEYS];
	uint64_t end_ns;
	atomic_int stop;
	pthread_mutex_t fault_lock;
	char fault[300];
};

struct member {
	struct crowd *crowd;
	unsigned id;
	pthread_t thread;
	struct rng rng;
	struct crowd_counts counts;
	uint32_t versions[OWN_KEYS]; /* 0: nothing is there */
	uint32_t sequence;
	struct {
		uint64_t number, value;
	} boards[BOARDS]; /* as last seen; number 0: not known */
	uint8_t page[PAGE], made[PAGE];
};

/** crowd_wrong() - note what was wrong, if it is the first, and stop all. */
__attribute__((format(printf, 2, 3))) void crowd_wrong(struct crowd *c,
						       const char *format, ...);

/* ---- Pages that name themselves: crowd.c -------------------------------- */

uint64_t crowd_name(unsigned pool, unsigned key, unsigned writer,
		    uint32_t sequence);
void crowd_make(uint8_t *page, uint64_t name);

/** crowd_named() - the name of m->page, which it wholly fits; 0: it does not. */
uint64_t crowd_named(struct member *m);

/* ---- Keys that all share: crowd-shared.c -------------------------------- */

struct tmem_key crowd_shared_key(unsigned k);
void crowd_put_shared(struct member *m, unsigned pool, unsigned k);
void crowd_get_shared(struct member *m, unsigned pool, unsigned k);
void crowd_get_name(struct member *m, unsigned pool, unsigned k);
void crowd_flush_shared(struct member *m, unsigned pool, unsigned k);
void crowd_flush_shared_object(struct member *m, unsigned pool, unsigned k);

/* ---- Keys of a thread's own, and boards: crowd-own.c -------------------- */

void crowd_put_own(struct member *m, unsigned k);
void crowd_get_own(struct member *m, unsigned k);
void crowd_flush_own(struct member *m, unsigned k);
void crowd_flush_own_object(struct member *m, unsigned k);
void crowd_count_on_board(struct member *m, unsigned b);

#endif
