/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-tmemd-resident.c - the daemon's memory is locked as far as it may be, and
 * where it may not, the daemon can still map what it needs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "machine.h"
#include "resident.h"
#include "unit.h"

#define MIB (1u << 20)
#define NOBODY 65534

static unsigned long locked_kib(void)
{
	FILE *f = fopen("/proc/self/status", "re");
	unsigned long kib = 0;
	char line[256];

	while (f && fgets(line, sizeof(line), f))
		(void)sscanf(line, "VmLck: %lu", &kib);
	if (f)
		(void)fclose(f);
	return kib;
}

/* More than any limit that there is by default, but for none. */
static int maps_more(void)
{
	char *at = mmap(NULL, 32 * MIB, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		return 0;
	memset(at, 1, MIB);
	return 1;
}

static int try_with(rlim_t limit, int privileged)
{
	const struct rlimit r = { limit, limit };
	const char *how;
	int locked;

	if (setrlimit(RLIMIT_MEMLOCK, &r) || (!privileged && setuid(NOBODY)))
		return 1;
	how = tmemd_resident_lock();
	locked = !strcmp(how, "locked");
	if (!locked && strcmp(how, "locked-at-start") && strcmp(how, "unlocked"))
		return 2;
	if (locked && locked_kib() < 1024)
		return 3;
	if (!privileged && (locked || locked_kib()))
		return 4;
	/* As after the sandbox. */
	if (privileged && setuid(NOBODY))
		return 5;
	if (!maps_more())
		return 6;
	/* What is mapped later is locked with the rest, or not, by the word. */
	return locked == (locked_kib() > 32 * 1024) ? 0 : 7;
}

static void try_apart(rlim_t limit, int privileged)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid)
		_exit(try_with(limit, privileged));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void test_with_privileges(void **state)
{
	(void)state;
	if (getuid() || MACHINE_SANITIZED)
		skip_for("for root, without a sanitizer");
	try_apart(64 * 1024, 1);
}

static void test_without(void **state)
{
	(void)state;
	if (getuid() || MACHINE_SANITIZED)
		skip_for("for root, without a sanitizer");
	try_apart(64 * 1024, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_with_privileges),
		cmocka_unit_test(test_without),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
