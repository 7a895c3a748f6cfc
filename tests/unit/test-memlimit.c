/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-memlimit.c - the cgroup helper on both versions: on trees made up of plain
 * files, since a machine has one of them, and on the machine's own.
 */
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "memlimit.h"
#include "unit.h"

#define MIB (1ull << 20)

static char root[64];

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
	strcpy(root, "/tmp/tmem-cgroup.XXXXXX");
	return mkdtemp(root) ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	return nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static const char *below(const char *name)
{
	static char path[320];

	(void)snprintf(path, sizeof(path), "%s/%s", root, name);
	return path;
}

/* The kernel would make it; its name is the helper's. */
static const char *group_file(const char *parent, const char *file)
{
	static char name[256];

	(void)snprintf(name, sizeof(name), "%stmem-test-%d%s%s", parent,
		       (int)getpid(), *file ? "/" : "", file);
	return name;
}

static void directory(const char *name)
{
	assert_int_equal(mkdir(below(name), 0700), 0);
}

static void file(const char *name, const char *text)
{
	FILE *f = fopen(below(name), "we");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void expect(const char *name, const char *text)
{
	char is[64] = "";
	FILE *f = fopen(below(name), "re");

	assert_non_null(f);
	(void)!fgets(is, sizeof(is), f);
	(void)fclose(f);
	assert_string_equal(is, text);
}

static void version_2(void **state)
{
	struct memlimit m;

	(void)state;
	file("cgroup.subtree_control", "");
	directory(group_file("", ""));
	file(group_file("", "memory.max"), "");
	file(group_file("", "memory.current"), "1234567\n");
	file(group_file("", "memory.swap.max"), "");
	file(group_file("", "cgroup.procs"), "");
	assert_int_equal(memlimit_init_at(&m, root, 16 * MIB), 0);
	assert_int_equal(m.version, 2);
	expect("cgroup.subtree_control", "+memory");
	expect(group_file("", "memory.max"), "16777216");
	memlimit_forbid_swap(&m);
	expect(group_file("", "memory.swap.max"), "0");
	assert_int_equal(memlimit_enter(&m, 42), 0);
	expect(group_file("", "cgroup.procs"), "42");
	assert_int_equal(memlimit_usage(&m), 1234567);
}

static void version_1(void **state)
{
	struct memlimit m;

	(void)state;
	directory("memory");
	directory(group_file("memory/", ""));
	file(group_file("memory/", "memory.limit_in_bytes"), "");
	file(group_file("memory/", "memory.usage_in_bytes"), "7\n");
	file(group_file("memory/", "memory.swappiness"), "");
	file(group_file("memory/", "cgroup.procs"), "");
	assert_int_equal(memlimit_init_at(&m, root, 16 * MIB), 0);
	assert_int_equal(m.version, 1);
	expect(group_file("memory/", "memory.limit_in_bytes"), "16777216");
	memlimit_forbid_swap(&m);
	expect(group_file("memory/", "memory.swappiness"), "0");
	assert_int_equal(memlimit_enter(&m, 42), 0);
	assert_int_equal(memlimit_usage(&m), 7);
}

/* Version 2 without the controller, which another hierarchy may have: nothing is
 * left behind. */
static void without_the_controller(void **state)
{
	struct memlimit m;

	(void)state;
	file("cgroup.subtree_control", "");
	assert_int_equal(memlimit_init_at(&m, root, MIB), -EOPNOTSUPP);
	assert_int_equal(access(below(group_file("", "")), F_OK), -1);
	assert_int_equal(memlimit_init_at(&m, "/nonexistent", MIB), -EOPNOTSUPP);
}

/* A limit that was set is a limit. */
static void on_this_machine(void **state)
{
	struct memlimit m;
	int status;
	pid_t pid;

	(void)state;
	if (memlimit_init(&m, 16 * MIB))
		skip_for("no memory limits for cgroups, or not for us");
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		if (memlimit_enter(&m, getpid()) ||
		    mmap(NULL, 4 * MIB, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1,
			 0) == MAP_FAILED)
			_exit(1);
		_exit(memlimit_usage(&m) < 4 * MIB);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	memlimit_finish(&m);
	assert_int_equal(access(m.dir, F_OK), -1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(version_2),
		TEST(version_1),
		TEST(without_the_controller),
		TEST(on_this_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
