/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * harvest.c - real pages for benchmarks: of a process it starts, or of files.
 *
 *	harvest [--size 64M] --out FILE -- COMMAND [ARGUMENT...]
 *	harvest [--size 64M] --out FILE --files <LIST
 *
 * The first starts the command, waits until it has more anonymous memory than
 * asked for, stops it, copies the pages that are present (/proc/PID/maps, pagemap,
 * mem), and kills it. It reads nothing but its own child. The second copies the
 * files named on standard input, a line each, their last pages filled up with
 * zeroes, as an operating system caches them.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "parse.h"

#define PAGE 4096u
#define DEFAULT_SIZE "64M"

/* Looks at the child, so many times, so far apart: two minutes. */
#define LOOK_EVERY_US 20000
#define LOOKS_MAX 6000

/* Stopped when it has this much more than is wanted: not all of it is written. */
#define SPARE_PCT 10

#define PAGEMAP_PRESENT (1ull << 63)

struct harvest {
	const char *out;
	uint64_t bytes; /* wanted */
	uint64_t done;
	int fd;
};

static int complain(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

static int complain(const char *format, ...)
{
	va_list args;

	(void)fputs("harvest: ", stderr);
	va_start(args, format);
	(void)vfprintf(stderr, format, args);
	va_end(args);
	(void)fputc('\n', stderr);
	return 1;
}

/* 0, or 1: told why. */
static int write_page(struct harvest *h, const uint8_t *page)
{
	size_t done = 0;
	ssize_t n;

	while (done < PAGE) {
		n = write(h->fd, page + done, PAGE - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return complain("%s: %s", h->out, strerror(errno));
		done += (size_t)n;
	}
	h->done += PAGE;
	return 0;
}

/* ---- A process ----------------------------------------------------------- */

static int open_of(pid_t pid, const char *name)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%ld/%s", (long)pid, name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* Bytes of anonymous memory that are present; 0: none, or gone. */
static uint64_t anonymous_bytes(pid_t pid)
{
	int fd = open_of(pid, "status");
	uint64_t kib = 0;
	char line[256];
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "RssAnon: %" SCNu64, &kib) == 1)
			break;
	if (f)
		(void)fclose(f);
	return kib * 1024;
}

/* Entries of a pagemap read at a time: 2 MiB worth of pages. */
#define ENTRIES 512u

static int copy_range(struct harvest *h, int pagemap, int mem, uint64_t from,
		      uint64_t to)
{
	uint64_t entries[ENTRIES], count, i;
	uint8_t page[PAGE];
	ssize_t len;

	for (; from < to && h->done < h->bytes; from += count * PAGE) {
		count = (to - from) / PAGE < ENTRIES ? (to - from) / PAGE
						     : ENTRIES;
		len = pread(pagemap, entries, count * sizeof(*entries),
			    (off_t)(from / PAGE * sizeof(*entries)));
		for (i = 0; i < count && h->done < h->bytes; i++) {
			if (len < (ssize_t)((i + 1) * sizeof(*entries)) ||
			    !(entries[i] & PAGEMAP_PRESENT) ||
			    pread(mem, page, PAGE, (off_t)(from + i * PAGE)) !=
				    (ssize_t)PAGE)
				continue;
			if (write_page(h, page))
				return 1;
		}
	}
	return 0;
}

/* More is address space that somebody reserved (a sanitizer's shadow is terabytes),
 * and asking after each of its pages takes hours. */
#define RANGE_MAX (64ull << 30)

/* Writable private memory of no file: heap, stack, what malloc() mapped. */
static int is_wanted(const char *line, uint64_t *from, uint64_t *to)
{
	char mode[5];
	uint64_t inode;

	return sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %*s %*s %" SCNu64,
		      from, to, mode, &inode) == 4 &&
	       !strncmp(mode, "rw", 2) && mode[3] == 'p' && !inode &&
	       *to - *from <= RANGE_MAX;
}

static int copy_process(struct harvest *h, pid_t pid)
{
	int maps = open_of(pid, "maps"), pagemap = open_of(pid, "pagemap");
	int mem = open_of(pid, "mem"), err = 0;
	FILE *f = maps < 0 ? NULL : fdopen(maps, "r");
	uint64_t from, to;
	char line[4352];

	if (!f || pagemap < 0 || mem < 0)
		err = complain("cannot look into %ld: %s", (long)pid,
			       strerror(errno));
	while (f && !err && h->done < h->bytes && fgets(line, sizeof(line), f))
		if (is_wanted(line, &from, &to))
			err = copy_range(h, pagemap, mem, from, to);
	if (f)
		(void)fclose(f);
	if (pagemap >= 0)
		(void)close(pagemap);
	if (mem >= 0)
		(void)close(mem);
	return err;
}

/* 0: it has enough; 1: told why not. */
static int wait_grown(const struct harvest *h, pid_t pid)
{
	uint64_t want = h->bytes + h->bytes / 100 * SPARE_PCT, has = 0, most = 0;
	int looks;

	for (looks = 0; looks < LOOKS_MAX; looks++) {
		if (waitpid(pid, NULL, WNOHANG) == pid)
			return complain("the command ended, with %" PRIu64
					" MiB at most",
					most >> 20);
		has = anonymous_bytes(pid);
		if (has >= want)
			return 0;
		most = has > most ? has : most;
		(void)usleep(LOOK_EVERY_US);
	}
	return complain("the command stays at %" PRIu64 " MiB", has >> 20);
}

/* Returns when the command runs, and is no longer a copy of this program; -1:
 * told why not. */
static pid_t start(char **command)
{
	int pipes[2], err = 0;
	pid_t pid, self = getpid();

	if (pipe2(pipes, O_CLOEXEC))
		return -complain("pipe: %s", strerror(errno));
	pid = fork();
	if (!pid) {
		/* Not left behind, whatever becomes of this one. */
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() == self)
			(void)execvp(command[0], command);
		err = errno;
		_exit(write(pipes[1], &err, sizeof(err)) != sizeof(err));
	}
	(void)close(pipes[1]);
	if (pid < 0)
		(void)complain("fork: %s", strerror(errno));
	/* Nothing comes of a successful exec but the end. */
	if (pid > 0 && read(pipes[0], &err, sizeof(err)) == sizeof(err)) {
		(void)waitpid(pid, NULL, 0);
		pid = -complain("%s: %s", command[0], strerror(err));
	}
	(void)close(pipes[0]);
	return pid;
}

static int harvest_process(struct harvest *h, char **command)
{
	pid_t pid = start(command);
	int err;

	if (pid < 0)
		return 1;
	err = wait_grown(h, pid);
	if (!err) {
		(void)kill(pid, SIGSTOP);
		(void)waitpid(pid, NULL, WUNTRACED);
		err = copy_process(h, pid);
	}
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	return err;
}

/* ---- Files --------------------------------------------------------------- */

static int copy_file(struct harvest *h, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), err = 0;
	uint8_t page[PAGE];
	struct stat st;
	ssize_t n;

	if (fd < 0)
		return 0; /* not ours to read */
	while (!fstat(fd, &st) && S_ISREG(st.st_mode) && !err &&
	       h->done < h->bytes) {
		n = read(fd, page, PAGE);
		if (n <= 0)
			break;
		memset(page + n, 0, PAGE - (size_t)n);
		err = write_page(h, page);
	}
	(void)close(fd);
	return err;
}

static int harvest_files(struct harvest *h)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t len;
	int err = 0;

	while (!err && h->done < h->bytes &&
	       (len = getline(&line, &room, stdin)) > 0) {
		line[len - (line[len - 1] == '\n')] = '\0';
		err = copy_file(h, line);
	}
	free(line);
	return err;
}

/* ---- Entry --------------------------------------------------------------- */

static int run(struct harvest *h, int files, char **command)
{
	int err;

	h->fd = open(h->out, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (h->fd < 0)
		return complain("%s: %s", h->out, strerror(errno));
	err = files ? harvest_files(h) : harvest_process(h, command);
	if (close(h->fd) && !err)
		err = complain("%s: %s", h->out, strerror(errno));
	if (!err && !h->done)
		err = complain("no page");
	if (err)
		(void)unlink(h->out);
	else
		(void)printf("%s: %" PRIu64 " pages\n", h->out, h->done / PAGE);
	return err;
}

int main(int argc, char **argv)
{
	struct harvest h = { 0 };
	const char *size = DEFAULT_SIZE;
	int i, files = 0;

	for (i = 1; i < argc && !strncmp(argv[i], "--", 2) && argv[i][2]; i++) {
		if (!strcmp(argv[i], "--files"))
			files = 1;
		else if (!strcmp(argv[i], "--size") && i + 1 < argc)
			size = argv[++i];
		else if (!strcmp(argv[i], "--out") && i + 1 < argc)
			h.out = argv[++i];
		else
			return complain("no such option: %s", argv[i]);
	}
	if (i < argc && !strcmp(argv[i], "--"))
		i++;
	if (!h.out || (i < argc) == files || tmem_parse_size(size, &h.bytes) ||
	    h.bytes < PAGE)
		return complain("usage: harvest [--size 64M] --out FILE "
				"-- COMMAND... | --files <LIST");
	return run(&h, files, argv + i);
}
