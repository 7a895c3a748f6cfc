/* SPDX-License-Identifier: BSD-2-Clause */
/* swap.c - `tmem swapon` under test. */
#include "swap.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <inttypes.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "machine.h"
#include "memlimit.h"
#include "unit.h"

#define ZSWAP "/sys/module/zswap/parameters/enabled"
#define ARGS_MAX 24u
#define UP_MS 40000
#define LOOP_CONTROL "/dev/loop-control"
/* Longer than another's tests take on a busy machine, and less than what ours may. */
#define ALONE_MS 150000

/* Looks, 50 ms apart, for what is about to end: ten seconds. */
#define ENDS_TRIES 200

static const char *program(const char *name)
{
	static char path[PATH_MAX];
	const char *build = getenv("TMEM_BUILD");

	(void)snprintf(path, sizeof(path), "%s/%s", build ? build : ".", name);
	return path;
}

static int have(const char *name)
{
	char command[64];

	(void)snprintf(command, sizeof(command),
		       "PATH=$PATH:/usr/sbin:/sbin command -v %s >/dev/null",
		       name);
	return !system(command); /* NOLINT: a constant name */
}

/* What this machine lacks, or NULL: nothing. */
static const char *lacking(void)
{
	struct memlimit m;

	if (geteuid())
		return "root";
	if (access(program("nbdkit-tmem-plugin.so"), R_OK))
		return "the plugin of nbdkit";
	if (!have("nbdkit"))
		return "nbdkit";
	if (!have("nbdfuse"))
		return "nbdfuse";
	if (!have("mkswap"))
		return "mkswap";
	if (access("/dev/fuse", R_OK | W_OK))
		return "FUSE";
	if (access(LOOP_CONTROL, R_OK | W_OK))
		return "loop devices";
	if (access("/proc/swaps", R_OK))
		return "swap in the kernel";
	if (memlimit_init(&m, 64u << 20))
		return "memory limits for cgroups";
	memlimit_finish(&m);
	return NULL;
}

/*
 * Two swaps of one priority share what is swapped, and zswap is on for both or off.
 * Another tree's tests, or a chroot's, meet in the kernel alone: at the device that all
 * of them need. It is held until this program ends.
 */
static void take_turn(void)
{
	const struct timespec nap = { .tv_nsec = 100000000 };
	uint64_t end = machine_now_ns() + (uint64_t)ALONE_MS * 1000000;
	int fd = open(LOOP_CONTROL, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	while (flock(fd, LOCK_EX | LOCK_NB)) {
		if (machine_now_ns() > end) {
			(void)printf("somebody else has %s: going on beside "
				     "them\n",
				     LOOP_CONTROL);
			break;
		}
		(void)nanosleep(&nap, NULL);
	}
}

void swap_need(void)
{
	const char *lacks = lacking();
	const char *ci = getenv("CI");

	if (!lacks) {
		take_turn();
		return;
	}
	(void)printf("no swap to test: this machine lacks %s\n", lacks);
	exit(ci && *ci ? 1 : 77);
}

/* ---- zswap ---------------------------------------------------------------- */

static int zswap_is_on(void)
{
	int fd = open(ZSWAP, O_RDONLY | O_CLOEXEC);
	char c = 'N';

	if (fd < 0)
		return 0;
	(void)!read(fd, &c, 1);
	(void)close(fd);
	return c == 'Y';
}

static void zswap_set(char c)
{
	int fd = open(ZSWAP, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	(void)!write(fd, &c, 1);
	(void)close(fd);
}

void swap_init(struct swap *s)
{
	memset(s, 0, sizeof(*s));
	strcpy(s->dir, "/tmp/tmem-test.XXXXXX");
	assert_non_null(mkdtemp(s->dir));
	(void)snprintf(s->record, sizeof(s->record), "%s/swap", s->dir);
	(void)snprintf(s->backing, sizeof(s->backing), "%s/backing", s->dir);
	s->zswap = zswap_is_on();
	if (s->zswap)
		zswap_set('N');
}

void swap_finish(struct swap *s)
{
	if (!access(s->record, F_OK))
		(void)swap_off(s, UP_MS);
	if (s->zswap)
		zswap_set('Y');
	(void)unlink(s->backing);
	(void)rmdir(s->dir);
}

void swap_make_backing(struct swap *s, uint64_t bytes)
{
	int fd = open(s->backing, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
		      0600);

	assert_true(fd >= 0);
	assert_false(ftruncate(fd, (off_t)bytes));
	assert_false(close(fd));
}

/* ---- Commands ------------------------------------------------------------- */

static int exit_code(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* What waits for a device cannot be killed; then it is left to itself. */
static int await(pid_t pid, int patience_ms)
{
	const struct timespec nap = { .tv_nsec = 5000000 };
	uint64_t end = machine_now_ns() + (uint64_t)patience_ms * 1000000;
	int status = 0;

	while (!waitpid(pid, &status, WNOHANG)) {
		if (machine_now_ns() > end) {
			(void)kill(pid, SIGKILL);
			return -1;
		}
		(void)nanosleep(&nap, NULL);
	}
	return exit_code(status);
}

/* Of this process alone: what it mounts over, nobody else sees. */
static void hide_list(void)
{
	if (unshare(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("/dev/null", "/proc/swaps", NULL, MS_BIND, NULL))
		_exit(126);
}

static pid_t start(const char *const *argv, int unseen)
{
	char path[PATH_MAX];
	pid_t pid;

	strcpy(path, program("tmem"));
	(void)fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		if (unseen)
			hide_list();
		(void)execv(path, (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	return pid;
}

static int command(const char *const *argv, int patience_ms)
{
	return await(start(argv, 0), patience_ms);
}

static void read_record(struct swap *s)
{
	char path[PATH_MAX], line[256];
	int pid = 0;
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/record", s->record);
	f = fopen(path, "re");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		(void)sscanf(line, "device %63s", s->device);
		(void)sscanf(line, "server %d", &pid);
	}
	assert_false(fclose(f));
	assert_true(s->device[0] && pid > 0);
	s->server = pid;
}

static void make_line(const struct swap *s, const char *const *args,
		      const char **argv)
{
	const char *const first[] = { "tmem",	    "swapon",	  "--dir",
				      s->record,    "--by",	  "file",
				      "--priority", SWAP_PRIORITY };
	unsigned n = sizeof(first) / sizeof(first[0]);

	memcpy(argv, first, sizeof(first));
	while (*args && n + 1 < ARGS_MAX)
		argv[n++] = *args++;
	assert_null(*args);
	argv[n] = NULL;
}

int swap_on(struct swap *s, const char *const *args)
{
	const char *argv[ARGS_MAX];
	int code;

	make_line(s, args, argv);
	code = command(argv, UP_MS);
	if (!code)
		read_record(s);
	return code;
}

int swap_on_cut(struct swap *s, const char *const *args, int sig,
		unsigned after_ms)
{
	const struct timespec nap = { .tv_nsec = (long)after_ms * 1000000 };
	const char *argv[ARGS_MAX];
	pid_t pid;

	make_line(s, args, argv);
	pid = start(argv, 0);
	(void)nanosleep(&nap, NULL);
	(void)kill(pid, sig);
	return await(pid, UP_MS);
}

/* Is the scratch directory named in any of these files? */
static int is_named(const struct swap *s, const char *pattern, int tell)
{
	char text[4096];
	int found = 0;
	size_t i, n, at;
	glob_t g;

	if (glob(pattern, 0, NULL, &g))
		return 0;
	for (i = 0; i < g.gl_pathc; i++) {
		FILE *f = fopen(g.gl_pathv[i], "re");

		while (f && (n = fread(text, 1, sizeof(text) - 1, f)) > 0) {
			for (at = 0; at < n; at++) /* arguments end by 0 */
				text[at] = text[at] ? text[at] : ' ';
			text[n] = 0;
			if (!strstr(text, s->dir))
				continue;
			found = 1;
			if (tell)
				(void)printf("%s: %s\n", g.gl_pathv[i], text);
		}
		if (f)
			(void)fclose(f);
	}
	globfree(&g);
	return found;
}

static int is_anywhere(const struct swap *s, int tell)
{
	return is_named(s, "/proc/self/mounts", tell) |
	       is_named(s, "/sys/block/loop*/loop/backing_file", tell) |
	       is_named(s, "/proc/[0-9]*/cmdline", tell);
}

/* What is about to end gets its time. */
int swap_left(const struct swap *s)
{
	const struct timespec nap = { .tv_nsec = 50000000 };
	int tries;

	for (tries = 0; tries < ENDS_TRIES; tries++) {
		if (!is_anywhere(s, 0))
			return 0;
		(void)nanosleep(&nap, NULL);
	}
	return is_anywhere(s, 1);
}

static int off(struct swap *s, int patience_ms, int unseen)
{
	const char *const argv[] = { "tmem", "swapoff", "--dir", s->record,
				     NULL };
	int code = await(start(argv, unseen), patience_ms);

	if (!code) {
		s->device[0] = 0;
		s->server = 0;
	}
	return code;
}

int swap_off(struct swap *s, int patience_ms)
{
	return off(s, patience_ms, 0);
}

int swap_off_unseen(struct swap *s, int patience_ms)
{
	return off(s, patience_ms, 1);
}

int swap_off_stopped(struct swap *s, unsigned times, int patience_ms)
{
	const char *const argv[] = { "tmem", "swapoff", "--dir", s->record,
				     NULL };
	const struct timespec nap = { .tv_nsec = 4000000 };
	pid_t pid = start(argv, 0);
	int code, status, ended = 0;

	while (times-- && !ended) {
		(void)nanosleep(&nap, NULL);
		(void)kill(pid, SIGSTOP);
		(void)nanosleep(&nap, NULL);
		(void)kill(pid, SIGCONT);
		ended = waitpid(pid, &status, WNOHANG) == pid;
	}
	code = ended ? exit_code(status) : await(pid, patience_ms);
	if (!code) {
		s->device[0] = 0;
		s->server = 0;
	}
	return code;
}

uint64_t swap_used(const struct swap *s)
{
	FILE *f = fopen("/proc/swaps", "re");
	char line[512], name[256];
	uint64_t used = 0, kib;

	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%255s %*s %*s %" SCNu64, name, &kib) == 2 &&
		    !strcmp(name, s->device))
			used = kib << 10;
	}
	(void)fclose(f);
	return used;
}

uint64_t swap_backed(const struct swap *s)
{
	struct stat st;

	assert_false(stat(s->backing, &st));
	return (uint64_t)st.st_blocks * 512;
}
