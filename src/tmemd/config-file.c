/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config-file.c - a file of sections and keys, told one after the other.
 *
 * libinih takes lines apart; this room hands it the lines. It does so itself
 * because the packaged library counts no lines for its caller, cuts long ones
 * into two, cuts names of sections at 50 bytes, says nothing of an empty section
 * or of one that comes twice, and takes an indented line for the end of the one
 * above. So here lines are counted, bounded, and come without indentation, and
 * headers of sections are read here.
 */
#include "config-file.h"

#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <tmem/tmem.h>

/* Far more than all sections that are taken; a wrong path may be of anything. */
#define BYTES_MAX (1u << 20)

/* UTF-8's byte order mark: some editors begin a file with it. */
#define MARK "\xef\xbb\xbf"
#define MARK_LEN 3

struct reader {
	FILE *file;
	const char *path;
	const struct tmemd_config_taker *taker;
	const struct tmem_logger *logger;
	unsigned line;
	unsigned bytes;
	int err; /* told; nothing is read any more */
};

static int complain(struct reader *r, const char *what)
{
	tmem_logger_say(r->logger, TMEM_LOG_ERR, "%s:%u: %s", r->path, r->line,
			what);
	return -EINVAL;
}

/* "[text]", then nothing but a comment. */
static int read_header(struct reader *r, char *s)
{
	char *end = strchr(s, ']'), *rest;

	if (!end)
		return complain(r, "no ] behind [; want [domain NAME]");
	rest = end + 1 + strspn(end + 1, " \t\r");
	if (*rest && *rest != ';' && *rest != '#')
		return complain(r,
				"text behind ]; want it on a line of its own");
	*end = '\0';
	return r->taker->section(r->taker->ctx, r->line, s + 1);
}

/* EOF: the end, or too much. */
static int next_byte(struct reader *r)
{
	if (++r->bytes <= BYTES_MAX)
		return getc(r->file);
	r->err = complain(r, "too large for a configuration");
	return EOF;
}

/* A line without indentation and newline; its length, or -1: the end. */
static int read_line(struct reader *r, char *s, int size)
{
	int n = 0, c = 0;

	r->line++;
	while (!r->err && (c = next_byte(r)) != EOF && c != '\n') {
		if (c < ' ' && c != '\t' && c != '\r')
			r->err = complain(r, "a control character; want text");
		else if (n + 1 >= size)
			r->err = complain(r, "line too long; want fewer than "
					     "200 characters");
		else if (n || (c != ' ' && c != '\t'))
			s[n++] = (char)c;
		if (r->line == 1 && n == MARK_LEN && !memcmp(s, MARK, MARK_LEN))
			n = 0;
	}
	s[n] = '\0';
	if (!r->err && ferror(r->file)) {
		tmem_logger_say(r->logger, TMEM_LOG_ERR,
				"%s: cannot be read: %s; want a file", r->path,
				strerror(errno));
		r->err = -EINVAL;
	}
	return r->err || (c == EOF && !n) ? -1 : n;
}

/* libinih's fgets(). */
static char *next_line(char *s, int size, void *ctx)
{
	struct reader *r = ctx;

	if (r->err || read_line(r, s, size) < 0)
		return NULL;
	if (*s == '[') {
		r->err = read_header(r, s);
		*s = '\0';
	}
	return r->err ? NULL : s;
}

/* libinih's handler: 1 is fine. */
static int take_pair(void *ctx, const char *section, const char *key,
		     const char *value)
{
	struct reader *r = ctx;

	(void)section;
	if (!r->err)
		r->err = r->taker->pair(r->taker->ctx, r->line, key, value);
	return 1;
}

static int read_all(struct reader *r)
{
	int line = ini_parse_stream(next_line, r, take_pair, r);

	if (r->err)
		return r->err;
	if (line > 0) {
		r->line = (unsigned)line;
		return complain(r, "want KEY = VALUE, [domain NAME] or a # "
				   "comment");
	}
	return line ? -ENOMEM : 0;
}

/* O_NONBLOCK: re-reading what became a pipe must not stop the daemon. */
static int open_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) || !(S_ISREG(st.st_mode) || S_ISCHR(st.st_mode))) {
		(void)close(fd);
		return -EISDIR;
	}
	return fd;
}

static int cannot_open(const char *path, int err, const struct tmem_logger *l)
{
	const char *advice = "see that the daemon's user may read it";

	if (err == -ENOENT)
		advice = "create it, or name another by --config";
	else if (err == -EISDIR)
		advice = "want a file";
	tmem_logger_say(l, TMEM_LOG_ERR, "%s: %s; %s", path,
			err == -EISDIR ? "not a file" : strerror(-err), advice);
	return -EINVAL;
}

int tmemd_config_file_read(const char *path, int must_exist,
			   const struct tmemd_config_taker *taker,
			   const struct tmem_logger *logger)
{
	struct reader r = { .path = path, .taker = taker, .logger = logger };
	int fd = open_file(path), err;

	if (fd == -ENOENT && !must_exist)
		return 0;
	if (fd < 0)
		return cannot_open(path, fd, logger);
	r.file = fdopen(fd, "r");
	if (!r.file) {
		(void)close(fd);
		return -ENOMEM;
	}
	err = read_all(&r);
	(void)fclose(r.file);
	return err;
}
