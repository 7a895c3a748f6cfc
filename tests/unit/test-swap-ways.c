/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-swap-ways.c - which way to a block device is taken on which host, and what
 * its tools are told: with a host made of files, and tools that write down their
 * arguments. The way by FUSE meets its real tools in the system tests.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "swap-record.h"
#include "swap-tool.h"
#include "swap-way.h"
#include "unit.h"

#define SIZE 8192u /* 16 sectors */

/** struct fixture - a directory with bin/, dev/, sys/block/, and a record. */
struct fixture {
	char dir[48];
	char dev[64], sys[64], record_dir[64];
	struct swap_host host;
	struct swap_record record;
	char path[2048]; /* $PATH as it was */
};

static struct fixture *f;

static const char *at(const char *name)
{
	static char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	return path;
}

static void write_file(const char *name, mode_t mode, const char *text)
{
	int fd = open(at(name), O_WRONLY | O_CREAT | O_TRUNC, mode);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_false(close(fd));
}

/* A program: $* is what it was told, $D the fixture. */
static void make_tool(const char *name, const char *script)
{
	char file[64], text[1024];

	(void)snprintf(file, sizeof(file), "bin/%s", name);
	(void)snprintf(text, sizeof(text),
		       "#!/bin/sh\nD=%s\necho \"$*\" >>$D/%s.args\n%s\n",
		       f->dir, name, script);
	write_file(file, 0755, text);
}

static void assert_told(const char *tool, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void assert_told(const char *tool, const char *format, ...)
{
	char name[64], want[512], got[512];
	va_list args;
	ssize_t n;
	int fd;

	va_start(args, format);
	(void)vsnprintf(want, sizeof(want), format, args);
	va_end(args);
	(void)snprintf(name, sizeof(name), "%s.args", tool);
	fd = open(at(name), O_RDONLY);
	assert_true(fd >= 0);
	n = read(fd, got, sizeof(got) - 1);
	assert_true(n >= 0);
	got[n] = 0;
	assert_false(close(fd));
	assert_string_equal(got, want);
}

static int set_up(void **state)
{
	char path[2200];

	(void)state;
	f = calloc(1, sizeof(*f));
	assert_non_null(f);
	strcpy(f->dir, "/tmp/tmem-test.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	(void)snprintf(f->dev, sizeof(f->dev), "%s/dev", f->dir);
	(void)snprintf(f->sys, sizeof(f->sys), "%s/sys", f->dir);
	(void)snprintf(f->record_dir, sizeof(f->record_dir), "%s/record",
		       f->dir);
	f->host = (struct swap_host){ .dev = f->dev, .sys = f->sys };
	assert_false(mkdir(at("bin"), 0755));
	assert_false(mkdir(at("dev"), 0755));
	assert_false(mkdir(at("sys"), 0755));
	assert_false(mkdir(at("sys/block"), 0755));
	(void)snprintf(f->path, sizeof(f->path), "%s", getenv("PATH"));
	(void)snprintf(path, sizeof(path), "%s/bin:%s", f->dir, f->path);
	assert_false(setenv("PATH", path, 1));
	/* Whatever this machine could load stays out of it. */
	make_tool("modprobe", "exit 1");
	f->record.lock = -1;
	assert_false(swap_record_create(&f->record, f->record_dir));
	return 0;
}

static int tear_down(void **state)
{
	char command[64];

	(void)state;
	swap_record_remove(&f->record);
	assert_false(setenv("PATH", f->path, 1));
	(void)snprintf(command, sizeof(command), "rm -rf %s", f->dir);
	assert_false(system(command));
	free(f);
	return 0;
}

static struct swap_offer offer(void)
{
	return (struct swap_offer){ .size_bytes = SIZE, .socket = "/s.sock" };
}

/* ---- Which way ------------------------------------------------------------ */

static void bare_host_is_told_what_it_lacks(void **state)
{
	char fault[SWAP_WAY_FAULT_MAX];

	(void)state;
	assert_null(swap_way_choose(&f->host, fault));
	assert_non_null(strstr(fault, "ublk lacks "));
	assert_non_null(strstr(fault, "nbd lacks "));
	assert_non_null(strstr(fault, "fuse lacks "));
}

static void best_way_is_taken(void **state)
{
	char fault[SWAP_WAY_FAULT_MAX];

	(void)state;
	make_tool("nbdublk", "");
	make_tool("nbd-client", "");
	make_tool("nbdfuse", "");
	write_file("dev/fuse", 0600, "");
	write_file("dev/loop-control", 0600, "");
	assert_ptr_equal(swap_way_choose(&f->host, fault), &swap_way_file);
	assert_false(mkdir(at("sys/block/nbd0"), 0755));
	assert_ptr_equal(swap_way_choose(&f->host, fault), &swap_way_nbd);
	write_file("dev/ublk-control", 0600, "");
	assert_ptr_equal(swap_way_choose(&f->host, fault), &swap_way_ublk);
}

/* A driver that is a module is loaded, but not for a tool that is not there. */
static void driver_is_loaded_for_its_tool(void **state)
{
	char fault[SWAP_WAY_FAULT_MAX];

	(void)state;
	make_tool("nbd-client", "");
	make_tool("modprobe", "[ \"$2\" != nbd ] || mkdir $D/sys/block/nbd0");
	assert_ptr_equal(swap_way_choose(&f->host, fault), &swap_way_nbd);
	assert_told("modprobe", "-q nbd\n");
}

static void ways_have_names(void **state)
{
	(void)state;
	assert_ptr_equal(swap_way_find("ublk"), &swap_way_ublk);
	assert_ptr_equal(swap_way_find("nbd"), &swap_way_nbd);
	assert_ptr_equal(swap_way_find("file"), &swap_way_file);
	assert_ptr_equal(swap_way_find("fuse"), &swap_way_fuse);
	assert_null(swap_way_find(""));
}

/* ---- ublk ----------------------------------------------------------------- */

#define UBLK_SERVES                                                            \
	"mkdir $D/sys/block/ublkb$1 && echo 16 >$D/sys/block/ublkb$1/size && " \
	"exec sleep 60"

static void ublk_takes_the_next_number_and_stays(void **state)
{
	const struct swap_offer o = offer();
	char fault[SWAP_WAY_FAULT_MAX], device[80];

	(void)state;
	write_file("dev/ublkc0", 0600, "");
	make_tool("nbdublk", UBLK_SERVES);
	assert_false(swap_way_ublk.attach(&f->host, &o, &f->record, fault));
	(void)snprintf(device, sizeof(device), "%s/ublkb1", f->dev);
	assert_string_equal(f->record.device, device);
	assert_told("nbdublk", "1 --unix /s.sock\n");
	assert_true(swap_process_lives(&f->record.attacher));

	assert_false(swap_way_ublk.detach(&f->host, &f->record, fault));
	assert_false(swap_process_lives(&f->record.attacher));
	/* Once more is fine: a swapoff may have been cut short. */
	assert_false(swap_way_ublk.detach(&f->host, &f->record, fault));
}

static void ublk_that_fails_is_quoted(void **state)
{
	const struct swap_offer o = offer();
	char fault[SWAP_WAY_FAULT_MAX];

	(void)state;
	make_tool("nbdublk", "echo 'nbdublk: no such thing' >&2; exit 1");
	assert_int_equal(swap_way_ublk.attach(&f->host, &o, &f->record, fault),
			 -ESRCH);
	assert_string_equal(fault, "nbdublk: nbdublk: no such thing");
	assert_false(swap_way_ublk.detach(&f->host, &f->record, fault));
}

/* ---- nbd ------------------------------------------------------------------ */

static void nbd_takes_a_device_that_nobody_serves(void **state)
{
	const struct swap_offer o = offer();
	char fault[SWAP_WAY_FAULT_MAX], device[80];

	(void)state;
	assert_false(mkdir(at("sys/block/nbd0"), 0755));
	write_file("sys/block/nbd0/pid", 0600, "1");
	assert_false(mkdir(at("sys/block/nbd1"), 0755));
	make_tool("nbd-client", "echo 16 >$D/sys/block/nbd1/size");
	assert_false(swap_way_nbd.attach(&f->host, &o, &f->record, fault));
	(void)snprintf(device, sizeof(device), "%s/nbd1", f->dev);
	assert_string_equal(f->record.device, device);
	assert_int_equal(f->record.attacher.pid, 0); /* the kernel's work */

	assert_false(swap_way_nbd.detach(&f->host, &f->record, fault));
	assert_told("nbd-client",
		    "-unix /s.sock %s -block-size 4096 -swap\n-d %s\n", device,
		    device);
}

static void nbd_that_fails_leaves_no_device(void **state)
{
	const struct swap_offer o = offer();
	char fault[SWAP_WAY_FAULT_MAX];

	(void)state;
	assert_int_equal(swap_way_nbd.attach(&f->host, &o, &f->record, fault),
			 -EBUSY);
	assert_false(mkdir(at("sys/block/nbd0"), 0755));
	make_tool("nbd-client",
		  "echo 'Error: Negotiation failed: x' >&2; exit 1");
	assert_int_equal(swap_way_nbd.attach(&f->host, &o, &f->record, fault),
			 -EIO);
	assert_string_equal(fault, "nbd-client: Error: Negotiation failed: x");
	assert_string_equal(f->record.device, "");
	assert_false(swap_way_nbd.detach(&f->host, &f->record, fault));
}

/* ---- Tools ---------------------------------------------------------------- */

static void tool_is_heard(void **state)
{
	const char *const good[] = { "good", "a b", NULL };
	const char *const bad[] = { "bad", NULL };
	const char *const mute[] = { "mute", NULL };
	const char *const none[] = { "tmem-no-such-tool", NULL };
	char say[SWAP_TOOL_SAY_MAX];

	(void)state;
	make_tool("good", "echo first; echo second");
	assert_false(swap_tool_run(good, say));
	assert_string_equal(say, "first");
	assert_told("good", "a b\n");
	make_tool("bad", "echo x: error: why >&2; echo more >&2; exit 3");
	assert_int_equal(swap_tool_run(bad, say), -EIO);
	assert_string_equal(say, "why");
	make_tool("mute", "kill -9 $$");
	assert_int_equal(swap_tool_run(mute, say), -EIO);
	assert_string_equal(say, "ended by signal 9");
	assert_int_equal(swap_tool_run(none, say), -ENOENT);
}

/* nbdkit goes on in the background, holding what it was given. */
static void tool_that_leaves_a_daemon_has_ended(void **state)
{
	const char *const argv[] = { "forks", NULL };
	char say[SWAP_TOOL_SAY_MAX];
	struct swap_process p;

	(void)state;
	make_tool("forks", "sleep 60 & echo $!");
	assert_false(swap_tool_run(argv, say));
	assert_false(swap_process_find(atoi(say), &p));
	assert_true(swap_process_lives(&p));
	assert_false(swap_process_end(&p, 0));
	assert_false(swap_process_lives(&p));
}

/* A number that was given to another process since is not ended. */
static void process_is_more_than_its_number(void **state)
{
	struct swap_process p;
	pid_t child = fork();

	(void)state;
	if (!child) {
		(void)pause();
		_exit(0);
	}
	assert_false(swap_process_find(child, &p));
	p.start++;
	assert_false(swap_process_lives(&p));
	assert_false(swap_process_end(&p, 0));
	p.start--;
	assert_true(swap_process_lives(&p));
	assert_false(swap_process_end(&p, 0));
	assert_false(swap_process_lives(&p));
}

/* ---- The record ----------------------------------------------------------- */

static void record_is_read_by_another(void **state)
{
	struct swap_record r;

	(void)state;
	strcpy(f->record.way, "nbd");
	strcpy(f->record.device, "/dev/nbd3");
	f->record.server =
		(struct swap_process){ .pid = 7, .start = 1ull << 40 };
	assert_false(swap_record_write(&f->record));
	assert_int_equal(swap_record_open(&r, f->record_dir), -EBUSY);
	assert_int_equal(swap_record_create(&r, f->record_dir), -EEXIST);
	swap_record_close(&f->record);

	assert_false(swap_record_open(&r, f->record_dir));
	assert_string_equal(r.way, "nbd");
	assert_string_equal(r.device, "/dev/nbd3");
	assert_int_equal(r.server.pid, 7);
	assert_true(r.server.start == 1ull << 40);
	assert_int_equal(r.attacher.pid, 0);
	swap_record_remove(&r);
	assert_int_equal(swap_record_open(&r, f->record_dir), -ENOENT);
}

/* Whoever made it was killed before the first line: nothing is up. */
static void record_without_lines_is_empty(void **state)
{
	struct swap_record r;

	(void)state;
	assert_false(unlink(at("record/record")));
	swap_record_close(&f->record);
	assert_false(swap_record_open(&r, f->record_dir));
	assert_string_equal(r.way, "");
	assert_int_equal(r.server.pid, 0);
	swap_record_close(&r);
}

/* Somebody's directory: what is in it is not ours to remove. */
static void foreign_directory_is_left_alone(void **state)
{
	struct swap_record r;

	(void)state;
	assert_false(mkdir(at("theirs"), 0755));
	write_file("theirs/disk", 0600, "a file");
	assert_int_equal(swap_record_open(&r, at("theirs")), -EPROTO);
	write_file("theirs/record", 0600, "of a court\n");
	assert_int_equal(swap_record_open(&r, at("theirs")), -EPROTO);
	assert_false(unlink(at("theirs/record")));
	assert_false(unlink(at("theirs/disk")));
	assert_false(rmdir(at("theirs")));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(bare_host_is_told_what_it_lacks),
		TEST(best_way_is_taken),
		TEST(driver_is_loaded_for_its_tool),
		TEST(ways_have_names),
		TEST(ublk_takes_the_next_number_and_stays),
		TEST(ublk_that_fails_is_quoted),
		TEST(nbd_takes_a_device_that_nobody_serves),
		TEST(nbd_that_fails_leaves_no_device),
		TEST(tool_is_heard),
		TEST(tool_that_leaves_a_daemon_has_ended),
		TEST(process_is_more_than_its_number),
		TEST(record_is_read_by_another),
		TEST(record_without_lines_is_empty),
		TEST(foreign_directory_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
