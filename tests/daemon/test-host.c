/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-host.c - a daemon on hosts as other kernels show them: what is missing is
 * said once, the rest works; and a floor that is crossed when the test says so.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cover.h"
#include "daemon.h"
#include "leftover.h"
#include "machine.h"
#include "pages.h"
#include "unit.h"

#define MIB (1ull << 20)
#define PAGES 4096u /* 16 MiB */

static struct daemon d;
static struct cover c;

static const char *place(const char *name)
{
	static char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", d.dir, name);
	return path;
}

static int set_up(void **state)
{
	(void)state;
	daemon_init(&d);
	daemon_configure(&d, "budget = 64M\nfloor = 256M\n");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	(void)rmdir(place("pressure"));
	daemon_finish(&d);
	return 0;
}

/* ---- Another host -------------------------------------------------------- */

static void write_file(const char *name, const char *text)
{
	int fd = open(place(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, text, strlen(text), 0), strlen(text));
	(void)close(fd);
}

static void begin(void)
{
	if (cover_begin(&c))
		skip_for("covering files of /proc takes root");
}

static void lay_over(const char *path, const char *with)
{
	assert_int_equal(cover_put(path, with), 0);
}

static void start(void)
{
	daemon_start(&d);
	assert_int_equal(cover_end(&c), 0);
}

/* MemAvailable is the test's to say. What CPUs keep at hand would come to it. */
static void lay_over_available(void)
{
	lay_over("/proc/meminfo", place("meminfo"));
	lay_over("/proc/zoneinfo", "/dev/null");
}

/* As long each time: the daemon reads it meanwhile. */
static void available(uint64_t mib)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "MemAvailable: %12" PRIu64 " kB\n",
		       mib * 1024);
	write_file("meminfo", text);
}

static unsigned times_said(const char *text)
{
	FILE *f = fopen(d.log, "re");
	char line[2048];
	unsigned n = 0;

	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		n += strstr(line, text) != NULL;
	(void)fclose(f);
	return n;
}

/* What a session needs; and looks at the host come and go meanwhile. */
static void works(void)
{
	struct tmem *t = daemon_open(&d, "user", 0);
	int pool = pages_pool(t, 0);
	unsigned in = pages_put(t, pool, 0, PAGES, PAGES_PATIENCE_MS);

	assert_in_range(in, PAGES - PAGES / 8, PAGES);
	assert_in_range(pages_get(t, pool, 0, PAGES), PAGES / 2, PAGES);
	(void)sleep(1);
	tmem_close(t);
}

static int is_read(const struct tmem_wire_status_reply *s, void *ctx)
{
	return s->maximum_bytes == *(const uint64_t *)ctx;
}

static void reload(const char *text, uint64_t maximum)
{
	daemon_configure(&d, text);
	daemon_signal(&d, SIGHUP);
	daemon_until(&d, is_read, &maximum);
}

/* ---- What is missing ----------------------------------------------------- */

/* Before Linux 3.14, or where a container's files are made up. */
static void without_mem_available(void **state)
{
	(void)state;
	write_file("meminfo", "MemTotal: 1024 kB\nMemFree: 512 kB\n");
	begin();
	lay_over("/proc/meminfo", place("meminfo"));
	start();
	assert_true(daemon_status(&d).available_bytes == UINT64_MAX);
	works();
	assert_true(daemon_status(&d).budget_bytes == 64 * MIB);
	reload("budget = 32M\nfloor = 512M\n", 32 * MIB);
	works();
	assert_true(daemon_status(&d).budget_bytes == 32 * MIB);
	assert_int_equal(times_said("no MemAvailable"), 1);
	assert_int_equal(times_said("<4>"), 1);
}

static int took_all(const struct tmem_wire_status_reply *s, void *ctx)
{
	(void)ctx;
	return s->budget_reason == TMEM_WIRE_BUDGET_FLOOR &&
	       !s->lent_bytes[TMEM_WIRE_EPHEMERAL];
}

static void floor_is_kept(void)
{
	struct tmem *t = daemon_open(&d, "user", 0);
	int pool = pages_pool(t, 0);

	assert_in_range(pages_put(t, pool, 0, PAGES, PAGES_PATIENCE_MS), 1,
			PAGES);
	assert_true(daemon_status(&d).lent_bytes[TMEM_WIRE_EPHEMERAL] > 0);
	available(128);
	daemon_until(&d, took_all, NULL);
	tmem_close(t);
}

/* CONFIG_PSI=n, or psi=0. */
static void without_stalls(void **state)
{
	(void)state;
	assert_int_equal(mkdir(place("pressure"), 0755), 0);
	available(8192);
	begin();
	if (access("/proc/pressure", F_OK) == 0)
		lay_over("/proc/pressure", place("pressure"));
	lay_over_available();
	start();
	works();
	floor_is_kept();
	assert_int_equal(times_said("/proc/pressure/memory tells nothing"), 1);
	assert_int_equal(times_said("<4>"), 1);
}

/* Masked, as containers do: it can be opened and written, and tells nothing. */
static void masked_stalls(void **state)
{
	(void)state;
	if (access("/proc/pressure/memory", F_OK))
		skip_for("no /proc/pressure/memory here");
	begin();
	lay_over("/proc/pressure/memory", "/dev/null");
	start();
	works();
	assert_int_equal(times_said("/proc/pressure/memory tells nothing"), 1);
}

static void without_anything(void **state)
{
	static const char *const paths[] = { "/proc/meminfo", "/proc/vmstat",
					     "/proc/zoneinfo" };
	size_t i;

	(void)state;
	begin();
	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		lay_over(paths[i], "/dev/null");
	if (access("/proc/pressure/memory", F_OK) == 0)
		lay_over("/proc/pressure/memory", "/dev/null");
	start();
	works();
	assert_int_equal(times_said("no MemAvailable"), 1);
	assert_int_equal(times_said("/proc/pressure/memory tells nothing"), 1);
}

/* ---- What comes and goes ------------------------------------------------- */

static int has_grown(const struct tmem_wire_status_reply *s, void *ctx)
{
	(void)ctx;
	return s->budget_grown && s->budget_reason == TMEM_WIRE_BUDGET_QUIET;
}

static void budget_follows(void **state)
{
	struct tmem_wire_status_reply s;
	struct tmem *t;
	int pool;

	(void)state;
	available(8192);
	begin();
	lay_over_available();
	start();
	t = daemon_open(&d, "user", 0);
	pool = pages_pool(t, 0);
	assert_in_range(pages_put(t, pool, 0, PAGES, PAGES_PATIENCE_MS), 1,
			PAGES);
	/* Well above the floor: nothing happens. */
	available(1024);
	(void)usleep(1500000);
	s = daemon_status(&d);
	assert_true(s.budget_bytes == 64 * MIB && !s.budget_shrunk);
	available(256 - 8);
	daemon_until(&d, took_all, NULL);
	assert_int_equal(times_said("reason=floor"), 1);
	/* Enough again: not at once, but it grows. */
	available(8192);
	(void)usleep(1500000);
	s = daemon_status(&d);
	assert_int_equal(s.budget_grown, 0);
	assert_true(s.budget_bytes < 64 * MIB);
	daemon_until(&d, has_grown, NULL);
	assert_int_equal(times_said("reason=quiet"), 1);
	tmem_close(t);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_mem_available), TEST(without_stalls),
		TEST(masked_stalls),	     TEST(without_anything),
		TEST(budget_follows),	     cmocka_unit_test(leftover_none),
	};

	if (!daemon_exists())
		return 77;
	return cmocka_run_group_tests(tests, leftover_note, NULL);
}
