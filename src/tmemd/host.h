/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * host.h - what the kernel says about the whole machine's memory.
 *
 * Files are opened once, before the sandbox, and read without allocating: this
 * is read when memory is short. The kernel allocates nothing for that, either, but
 * for the scanned pages.
 */
#ifndef TMEM_TMEMD_HOST_H
#define TMEM_TMEMD_HOST_H

#include <stdint.h>

#include "logger.h"

/** TMEMD_HOST_UNKNOWN - bytes that this kernel does not tell. */
#define TMEMD_HOST_UNKNOWN UINT64_MAX

/** struct tmemd_host - the files; -1: there is none. */
struct tmemd_host {
	int meminfo_fd;
	int vmstat_fd;
	int zoneinfo_fd;
	int stall_fd; /* poll it for EPOLLPRI: tasks stalled for memory */
};

/**
 * struct tmemd_host_view - a moment.
 * @available_bytes: MemAvailable; looked at closely, with what CPUs keep at hand;
 *	or TMEMD_HOST_UNKNOWN.
 * @scanned: pages that reclaim has looked at for the whole machine, ever; 0 if
 *	the kernel does not tell; TMEMD_HOST_UNKNOWN: not looked at now.
 */
struct tmemd_host_view {
	uint64_t available_bytes;
	uint64_t scanned;
};

/** tmemd_host_init() - @logger is told once of each thing that is missing. */
void tmemd_host_init(struct tmemd_host *h, const struct tmem_logger *logger);
void tmemd_host_finish(struct tmemd_host *h);

/**
 * tmemd_host_available() - MemAvailable.
 * @enough_bytes: with less than this look closely, adding what CPUs keep at hand.
 *
 * Return: bytes, TMEMD_HOST_UNKNOWN.
 */
uint64_t tmemd_host_available(const struct tmemd_host *h, uint64_t enough_bytes);

/**
 * tmemd_host_scanned() - pages that reclaim has looked at for the whole machine,
 * ever; 0 if the kernel does not tell. Reclaim within a cgroup's limit and
 * proactive reclaim are not in it.
 */
uint64_t tmemd_host_scanned(const struct tmemd_host *h);

#endif
