/* SPDX-License-Identifier: BSD-2-Clause */
/* machine.c - figures out of /proc. */
#include "machine.h"

#include <ctype.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The number after the first line that begins with @key, in @base. */
static uint64_t field(const char *path, const char *key, int base)
{
	FILE *f = fopen(path, "re");
	uint64_t value = 0;
	char line[256];

	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f)) {
		if (strncmp(line, key, strlen(key)))
			continue;
		value = strtoull(line + strlen(key), NULL, base);
		break;
	}
	(void)fclose(f);
	return value;
}

static unsigned entries(const char *path)
{
	DIR *dir = opendir(path);
	unsigned n = 0;
	struct dirent *d;

	if (!dir)
		return 0;
	while ((d = readdir(dir)))
		n += isdigit((unsigned char)d->d_name[0]) ? 1 : 0;
	(void)closedir(dir);
	return n;
}

uint64_t machine_now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* OS pages on the lists of the CPUs. */
static uint64_t pages_at_hand(void)
{
	FILE *f = fopen("/proc/zoneinfo", "re");
	uint64_t count, sum = 0;
	char line[256];

	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, " count: %" SCNu64, &count) == 1)
			sum += count;
	(void)fclose(f);
	return sum;
}

uint64_t machine_mem_free(void)
{
	return field("/proc/meminfo", "MemFree:", 10) * 1024 +
	       pages_at_hand() * (uint64_t)sysconf(_SC_PAGESIZE);
}

uint64_t machine_mem_available(void)
{
	return field("/proc/meminfo", "MemAvailable:", 10) * 1024;
}

uint64_t machine_rss(void)
{
	return field("/proc/self/smaps_rollup", "Rss:", 10) * 1024;
}

uint64_t machine_address_space(void)
{
	return field("/proc/self/status", "VmSize:", 10) * 1024;
}

unsigned machine_threads(void)
{
	return entries("/proc/self/task");
}

unsigned machine_fds(void)
{
	return entries("/proc/self/fd");
}

int machine_threads_blocking(uint64_t mask)
{
	DIR *dir = opendir("/proc/self/task");
	int all = dir != NULL;
	struct dirent *d;
	char path[300];

	while (dir && (d = readdir(dir))) {
		if (!isdigit((unsigned char)d->d_name[0]) ||
		    atoi(d->d_name) == gettid())
			continue;
		(void)snprintf(path, sizeof(path), "/proc/self/task/%s/status",
			       d->d_name);
		if (~field(path, "SigBlk:", 16) & mask)
			all = 0;
	}
	if (dir)
		(void)closedir(dir);
	return all;
}
