/* SPDX-License-Identifier: BSD-2-Clause */
/* bench-machine.c - facts out of /proc and /sys. */
#include "bench-machine.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

static void set(char *fact, const char *text)
{
	(void)snprintf(fact, BENCH_FACT_MAX, "%.*s", (int)strcspn(text, "\n"),
		       text);
}

/* The first line of a file, or `otherwise`. */
static void read_line(char *fact, const char *path, const char *otherwise)
{
	FILE *f = fopen(path, "re");
	char line[BENCH_FACT_MAX];

	set(fact, f && fgets(line, sizeof(line), f) ? line : otherwise);
	if (f)
		(void)fclose(f);
}

/* What follows the colon after a key; "unknown". */
static void read_key(char *fact, const char *path, const char *key)
{
	FILE *f = fopen(path, "re");
	char line[512];
	const char *colon;

	set(fact, "unknown");
	while (f && fgets(line, sizeof(line), f)) {
		colon = strchr(line, ':');
		if (!colon || strncmp(line, key, strlen(key)))
			continue;
		set(fact, colon + 1 + strspn(colon + 1, " \t"));
		break;
	}
	if (f)
		(void)fclose(f);
}

static uint64_t read_kib(const char *path, const char *key)
{
	char fact[BENCH_FACT_MAX];

	read_key(fact, path, key);
	return strtoull(fact, NULL, 10) * 1024;
}

/* "always [madvise] never": what is in brackets. */
static void keep_chosen(char *fact)
{
	char *from = strchr(fact, '['), *to = strchr(fact, ']');

	if (!from || !to || to < from)
		return;
	*to = '\0';
	memmove(fact, from + 1, (size_t)(to - from));
}

void bench_machine_init(struct bench_machine *m)
{
	const char *commit = getenv("TMEM_COMMIT");
	struct utsname u;

	memset(m, 0, sizeof(*m));
	read_key(m->cpu, "/proc/cpuinfo", "model name");
	set(m->kernel, uname(&u) ? "unknown" : u.release);
	read_line(m->thp, "/sys/kernel/mm/transparent_hugepage/enabled", "none");
	keep_chosen(m->thp);
	read_line(m->governor,
		  "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor",
		  "none");
	read_line(m->halt_poll_ns,
		  "/sys/module/haltpoll/parameters/guest_halt_poll_ns", "none");
	set(m->commit, commit && *commit ? commit : "unknown");
	m->cores = sysconf(_SC_NPROCESSORS_ONLN);
	m->os_page_bytes = sysconf(_SC_PAGESIZE);
	if (getloadavg(&m->load, 1) != 1)
		m->load = 0;
}

uint64_t bench_machine_huge_bytes(void)
{
	return read_kib("/proc/self/smaps_rollup", "AnonHugePages");
}

uint64_t bench_machine_shared_huge_bytes(void)
{
	return read_kib("/proc/self/smaps_rollup", "ShmemPmdMapped");
}

uint64_t bench_machine_free_bytes(void)
{
	FILE *f = fopen("/proc/zoneinfo", "re");
	uint64_t count, pages = 0;
	char line[256];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, " count: %" SCNu64, &count) == 1)
			pages += count;
	if (f)
		(void)fclose(f);
	return read_kib("/proc/meminfo", "MemFree") +
	       pages * (uint64_t)sysconf(_SC_PAGESIZE);
}
