/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench-machine.h - what a figure depends on besides the code.
 */
#ifndef TMEM_COMMAND_BENCH_MACHINE_H
#define TMEM_COMMAND_BENCH_MACHINE_H

#include <stdint.h>

#define BENCH_FACT_MAX 96u

/** struct bench_machine - facts; a text is "unknown" or "none" without one. */
struct bench_machine {
	char cpu[BENCH_FACT_MAX];	   /* model */
	char kernel[BENCH_FACT_MAX];	   /* release */
	char thp[BENCH_FACT_MAX];	   /* transparent huge pages: enabled */
	char governor[BENCH_FACT_MAX];	   /* cpufreq */
	char halt_poll_ns[BENCH_FACT_MAX]; /* a guest's polling before it halts */
	char commit[BENCH_FACT_MAX];	   /* $TMEM_COMMIT */
	long cores;
	long os_page_bytes;
	double load; /* of the last minute: who else was at work */
};

void bench_machine_init(struct bench_machine *m);

/** bench_machine_huge_bytes() - of this process's memory, on huge pages. */
uint64_t bench_machine_huge_bytes(void);

/** bench_machine_shared_huge_bytes() - the same of shared memory. */
uint64_t bench_machine_shared_huge_bytes(void);

/** bench_machine_free_bytes() - MemFree and what waits at the processors to be
 * free; 0: unknown. */
uint64_t bench_machine_free_bytes(void);

#endif
