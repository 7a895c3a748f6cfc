/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * host.c - what the kernel says about the whole machine's memory.
 *
 * MemAvailable leaves out free pages that CPUs keep at hand: hundreds of MiB a
 * CPU since Linux 6.7, and just those that have been given back last. Who gives
 * back 200 MiB and reads MemAvailable sees a third of it, and would give more for
 * nothing. So near the floor they are added from zoneinfo, which takes longer.
 */
#include "host.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <tmem/tmem.h>

#include "kernel-text.h"
#include "mem.h"

/* Some tasks stalled for 70 ms within a second: what TMO calls noticeable is less,
 * but a tenth of it can be had by starting a large program. Without privileges
 * the kernel takes windows of 2 s only. */
static const char *const stall_triggers[] = { "some 70000 1000000",
					      "some 140000 2000000" };

/* ---- Opening ------------------------------------------------------------- */

/* Masked, as containers do, it may be /dev/null: that takes every trigger, and
 * cannot be waited for. */
static int is_of_proc(int fd)
{
	struct statfs fs;

	return !fstatfs(fd, &fs) && fs.f_type == PROC_SUPER_MAGIC;
}

static int open_stall(void)
{
	size_t i;
	int fd = -1, ok = 0;

	for (i = 0; !ok && i < 2; i++) {
		fd = open("/proc/pressure/memory",
			  O_RDWR | O_NONBLOCK | O_CLOEXEC);
		if (fd < 0)
			return -1;
		ok = is_of_proc(fd) && write(fd, stall_triggers[i],
					     strlen(stall_triggers[i]) + 1) > 0;
		if (!ok)
			(void)close(fd);
	}
	return ok ? fd : -1;
}

void tmemd_host_init(struct tmemd_host *h, const struct tmem_logger *logger)
{
	h->meminfo_fd = open("/proc/meminfo", O_RDONLY | O_CLOEXEC);
	h->vmstat_fd = open("/proc/vmstat", O_RDONLY | O_CLOEXEC);
	h->zoneinfo_fd = open("/proc/zoneinfo", O_RDONLY | O_CLOEXEC);
	h->stall_fd = open_stall();
	/* Closely: what the kernel keeps with an open file it makes at the first
	 * reading. */
	if (tmemd_host_available(h, UINT64_MAX) == TMEMD_HOST_UNKNOWN)
		tmem_logger_say(logger, TMEM_LOG_WARNING,
				"/proc/meminfo has no MemAvailable: the floor is "
				"not kept, the budget is all that bounds "
				"lending");
	if (h->stall_fd < 0)
		tmem_logger_say(logger, TMEM_LOG_WARNING,
				"/proc/pressure/memory tells nothing: stalls do "
				"not shrink the budget, the floor still does");
}

void tmemd_host_finish(struct tmemd_host *h)
{
	tmemd_text_close(&h->meminfo_fd);
	tmemd_text_close(&h->vmstat_fd);
	tmemd_text_close(&h->zoneinfo_fd);
	tmemd_text_close(&h->stall_fd);
}

/* ---- Reading ------------------------------------------------------------- */

/* Pages in a piece's "count:" lines; a line that the piece cuts is left over. */
static uint64_t count_in(char *text, size_t *used)
{
	uint64_t sum = 0;
	char *line = text, *end;

	while ((end = strchr(line, '\n'))) {
		*end = 0;
		line += strspn(line, " ");
		if (!strncmp(line, "count: ", 7))
			sum += strtoull(line + 7, NULL, 10);
		line = end + 1;
	}
	*used = (size_t)(line - text);
	return sum;
}

static uint64_t pages_at_hand(int fd)
{
	char text[TMEMD_TEXT_MAX];
	size_t used = 1;
	uint64_t sum = 0;
	off_t at = 0;

	while (used && tmemd_text_read(fd, text, sizeof(text), at)) {
		sum += count_in(text, &used);
		at += (off_t)used;
	}
	return sum;
}

uint64_t tmemd_host_available(const struct tmemd_host *h, uint64_t enough_bytes)
{
	char text[TMEMD_TEXT_MAX];
	uint64_t available;

	(void)tmemd_text_read(h->meminfo_fd, text, sizeof(text), 0);
	available = tmemd_text_number(text, "MemAvailable:", TMEMD_HOST_UNKNOWN);
	if (available == TMEMD_HOST_UNKNOWN)
		return available;
	available *= 1024;
	if (available < enough_bytes)
		available += pages_at_hand(h->zoneinfo_fd) * TMEM_OS_PAGE;
	return available;
}

uint64_t tmemd_host_scanned(const struct tmemd_host *h)
{
	char text[TMEMD_TEXT_MAX];

	(void)tmemd_text_read(h->vmstat_fd, text, sizeof(text), 0);
	return tmemd_text_number(text, "pgscan_kswapd ", 0) +
	       tmemd_text_number(text, "pgscan_direct ", 0);
}
