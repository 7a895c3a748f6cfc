/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-tmemd-margin.c - the least room on the way from the own cgroup to the root: in
 * trees of plain files of both versions, and in the machine's own.
 */
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <tmem/tmem.h>

#include "logger.h"
#include "margin.h"
#include "memlimit.h"
#include "unit.h"

#define MIB (1ull << 20)

/* That the daemon stays below a limit. */
#define KEPT (64 * MIB)

/* The first version's word for none. */
#define NO_LIMIT 0x7ffffffffffff000ull

static char root[64];
static unsigned lines; /* that were said */

static void count_line(void *ctx, int level, const char *line)
{
	(void)ctx;
	(void)line;
	lines += level == TMEM_LOG_WARNING;
}

static const struct tmem_logger logger = { count_line, NULL };

/* ---- Made up -------------------------------------------------------------- */

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int set_up(void **state)
{
	(void)state;
	lines = 0;
	strcpy(root, "/tmp/tmem-margin.XXXXXX");
	return mkdtemp(root) ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	return nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* And the directories on its way. */
static void file(const char *text, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static void file(const char *text, const char *format, ...)
{
	char path[1024], *at;
	va_list args;
	size_t len;
	FILE *f;

	len = (size_t)snprintf(path, sizeof(path), "%s/", root);
	va_start(args, format);
	(void)vsnprintf(path + len, sizeof(path) - len, format, args);
	va_end(args);
	for (at = strchr(path + len, '/'); at; at = strchr(at + 1, '/')) {
		*at = 0;
		(void)mkdir(path, 0700);
		*at = '/';
	}
	f = fopen(path, "we");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static const char *number(uint64_t n)
{
	static char text[32];

	(void)snprintf(text, sizeof(text), "%llu\n", (unsigned long long)n);
	return text;
}

/* @limit: 0: none. */
static void group2(const char *path, uint64_t limit, uint64_t usage,
		   uint64_t cache)
{
	char stat[128];

	(void)snprintf(stat, sizeof(stat),
		       "anon 1\nfile 99999999999\ninactive_file %llu\n"
		       "active_file %llu\n",
		       (unsigned long long)cache / 2,
		       (unsigned long long)cache / 2);
	file("", "sys/fs/cgroup%s/cgroup.procs", path);
	file(limit ? number(limit) : "max\n", "sys/fs/cgroup%s/memory.max",
	     path);
	file(number(usage), "sys/fs/cgroup%s/memory.current", path);
	file(stat, "sys/fs/cgroup%s/memory.stat", path);
}

static void group1(const char *path, uint64_t limit, uint64_t usage,
		   uint64_t cache, int hierarchy)
{
	char stat[128];

	(void)snprintf(stat, sizeof(stat),
		       "inactive_file 7\nactive_file 7\n"
		       "total_inactive_file %llu\ntotal_active_file %llu\n",
		       (unsigned long long)cache / 2,
		       (unsigned long long)cache / 2);
	file("", "sys/fs/cgroup/memory%s/cgroup.procs", path);
	file(number(limit ? limit : NO_LIMIT),
	     "sys/fs/cgroup/memory%s/memory.limit_in_bytes", path);
	file(number(usage), "sys/fs/cgroup/memory%s/memory.usage_in_bytes",
	     path);
	file(stat, "sys/fs/cgroup/memory%s/memory.stat", path);
	file(hierarchy ? "1\n" : "0\n",
	     "sys/fs/cgroup/memory%s/memory.use_hierarchy", path);
}

static uint64_t margin(void)
{
	struct tmemd_margin m;
	uint64_t bytes;

	tmemd_margin_init(&m, root, &logger);
	bytes = tmemd_margin_bytes(&m);
	tmemd_margin_finish(&m);
	return bytes;
}

static void second_version(void **state)
{
	struct tmemd_margin m;

	(void)state;
	file("0::/a/b/c\n", "proc/self/cgroup");
	file("", "sys/fs/cgroup/cgroup.procs"); /* the root has no limit */
	group2("/a", 0, 900 * MIB, 0);
	group2("/a/b", 0, 800 * MIB, 0);
	group2("/a/b/c", 0, 100 * MIB, 0);
	tmemd_margin_init(&m, root, &logger);
	assert_true(tmemd_margin_bytes(&m) == UINT64_MAX);
	/* Limits that are set later count as well, whoever's they are. */
	group2("/a/b/c", 500 * MIB, 100 * MIB, 0);
	assert_int_equal(tmemd_margin_bytes(&m), 400 * MIB - KEPT);
	group2("/a/b", 1000 * MIB, 800 * MIB, 0);
	assert_int_equal(tmemd_margin_bytes(&m), 200 * MIB - KEPT);
	group2("/a", 1000 * MIB, 900 * MIB, 0);
	assert_int_equal(tmemd_margin_bytes(&m), 100 * MIB - KEPT);
	/* Cache of files can go, the neighbours' too. */
	group2("/a", 1000 * MIB, 900 * MIB, 300 * MIB);
	assert_int_equal(tmemd_margin_bytes(&m), 200 * MIB - KEPT);
	group2("/a", 800 * MIB, 900 * MIB, 0);
	assert_int_equal(tmemd_margin_bytes(&m), 0);
	tmemd_margin_finish(&m);
	assert_int_equal(lines, 0);
}

static void first_version(void **state)
{
	(void)state;
	file("5:cpu:/\n4:memory:/a/b\n0::/\n", "proc/self/cgroup");
	group1("", 0, 4000 * MIB, 0, 1);
	group1("/a", 0, 900 * MIB, 0, 1);
	group1("/a/b", 0, 100 * MIB, 0, 1);
	assert_true(margin() == UINT64_MAX);
	group1("/a/b", 1000 * MIB, 100 * MIB, 0, 1);
	assert_int_equal(margin(), 900 * MIB - KEPT);
	group1("/a", 1000 * MIB, 900 * MIB, 200 * MIB, 1);
	assert_int_equal(margin(), 300 * MIB - KEPT);
	/* Its limit is its own: what is below is charged to nobody else, and
	 * to nobody above either. */
	group1("/a", 1000 * MIB, 900 * MIB, 200 * MIB, 0);
	group1("", 1 * MIB, 1 * MIB, 0, 1);
	assert_int_equal(margin(), 900 * MIB - KEPT);
	assert_int_equal(lines, 0);
}

/* A leaf for which the controller is not on, and a container that sees its own
 * cgroup where the root should be. */
static void levels_without_files(void **state)
{
	(void)state;
	file("0::/a/b\n", "proc/self/cgroup");
	file("", "sys/fs/cgroup/a/b/cgroup.procs");
	group2("/a", 500 * MIB, 100 * MIB, 0);
	assert_int_equal(margin(), 400 * MIB - KEPT);
	file("4:memory:/docker/0123\n", "proc/self/cgroup");
	group1("", 300 * MIB, 100 * MIB, 0, 1);
	assert_int_equal(margin(), 200 * MIB - KEPT);
	assert_int_equal(lines, 0);
}

static void nothing_to_see(void **state)
{
	(void)state;
	/* No cgroups; in the root; the controller off: no limit, no word. */
	assert_true(margin() == UINT64_MAX);
	file("4:memory:/\n0::/\n", "proc/self/cgroup");
	assert_true(margin() == UINT64_MAX);
	file("0::/a\n", "proc/self/cgroup");
	file("", "sys/fs/cgroup/a/cgroup.procs");
	assert_true(margin() == UINT64_MAX);
	assert_int_equal(lines, 0);
	/* A cgroup that is not in sight, or not of this namespace. */
	file("0::/b\n", "proc/self/cgroup");
	assert_true(margin() == UINT64_MAX);
	assert_int_equal(lines, 1);
	file("0::/../a\n", "proc/self/cgroup");
	assert_true(margin() == UINT64_MAX);
}

static void deep(void **state)
{
	char path[128] = "", line[160];
	unsigned i;

	(void)state;
	for (i = 0; i < TMEMD_MARGIN_LEVELS + 4; i++) {
		strcat(path, "/d");
		group2(path, (1000 + i) * MIB, 100 * MIB, 0);
	}
	(void)snprintf(line, sizeof(line), "0::%s\n", path);
	file(line, "proc/self/cgroup");
	assert_int_equal(margin(), 904 * MIB - KEPT);
	assert_int_equal(lines, 1);
}

/* ---- The machine's -------------------------------------------------------- */

/* For a child: no assertion. Return: 0 as it should be. */
static int live_below(const struct memlimit *limit, const char *inner)
{
	struct tmemd_margin m;
	uint64_t before, after;
	char path[320];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/cgroup.procs", inner);
	f = fopen(path, "we");
	if (!f || fprintf(f, "%d\n", (int)getpid()) < 0 || fclose(f))
		return 1;
	tmemd_margin_init(&m, "", &logger);
	before = tmemd_margin_bytes(&m);
	if (memlimit_set(limit, 200 * MIB))
		return 2;
	after = tmemd_margin_bytes(&m);
	tmemd_margin_finish(&m);
	if (before > 300 * MIB - KEPT || before < 200 * MIB - KEPT)
		return 3;
	return after > 200 * MIB - KEPT || after < 100 * MIB - KEPT ? 4 : 0;
}

static void the_machines_own(void **state)
{
	struct memlimit limit;
	char inner[300];
	int status, tries;
	pid_t pid;

	(void)state;
	if (memlimit_init(&limit, 300 * MIB))
		skip_for("no cgroup can be limited here");
	(void)snprintf(inner, sizeof(inner), "%s/inner", limit.dir);
	assert_int_equal(mkdir(inner, 0755), 0);
	pid = fork();
	if (!pid)
		_exit(live_below(&limit, inner));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	/* The kernel takes a moment to notice that it is empty. */
	for (tries = 0; rmdir(inner) && tries < 1000; tries++)
		(void)usleep(1000);
	memlimit_finish(&limit);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(second_version, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(first_version, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(levels_without_files, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(nothing_to_see, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(deep, set_up, tear_down),
		cmocka_unit_test(the_machines_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
