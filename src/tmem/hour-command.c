/* SPDX-License-Identifier: BSD-2-Clause */
/* hour-command.c - `tmem report`: the last hour as a page for a browser. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command.h"
#include "control-options.h"
#include "hour-page.h"
#include "quote.h"

#define HOST_MAX 256u

static const struct argp_option options[] = { CONTROL_SOCKET, { 0 } };

static const struct argp argp = {
	.options = options,
	.parser = control_parse_option,
	.args_doc = "FILE",
	.doc = "Write the last hour of a daemon as a page for a browser: one "
	       "FILE with everything in it; `-' is standard output.",
	.children = command_common,
};

/** struct text - a page in memory: a file is not begun before all is known. */
struct text {
	char *at;
	size_t len;
};

static int make(const struct control_options *o, struct text *ret)
{
	struct daemon_view view = { 0 };
	struct hour hour = { 0 };
	struct daemon_talk talk;
	char host[HOST_MAX] = "";
	int err = daemon_talk_open(&talk, o->socket), bad = 0;
	FILE *out;

	if (!err)
		err = daemon_view_take(&view, &talk);
	if (!err)
		err = hour_take(&hour, &talk);
	daemon_talk_close(&talk);
	if (err)
		(void)control_complain(&talk);
	out = err ? NULL : open_memstream(&ret->at, &ret->len);
	if (out) {
		(void)gethostname(host, sizeof(host) - 1);
		bad = hour_page_write(out, &hour, &view, host, time(NULL));
		bad |= fclose(out);
	}
	if (!err && (!out || bad))
		err = command_complain(COMMAND_FAILED, "out of memory");
	hour_finish(&hour);
	daemon_view_finish(&view);
	return err;
}

/* Return: 0, negative errno; @fd is closed in any case. */
static int write_all(int fd, const struct text *t)
{
	ssize_t n;
	size_t at;
	int err = 0;

	for (at = 0; !err && at < t->len; at += (size_t)(n > 0 ? n : 0)) {
		n = write(fd, t->at + at, t->len - at);
		if (n < 0 && errno != EINTR)
			err = -errno;
	}
	if (close(fd) && !err)
		err = -errno;
	return err;
}

/* Beside what was there before, then in its place: a full disk loses nothing. */
static int replace(const char *path, const struct text *t)
{
	char *beside = NULL;
	int fd, err = 0;

	if (asprintf(&beside, "%s.%d", path, (int)getpid()) < 0)
		return -ENOMEM;
	fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0) {
		err = -errno;
		free(beside);
		return err;
	}
	err = write_all(fd, t);
	if (!err && rename(beside, path))
		err = -errno;
	if (err)
		(void)unlink(beside);
	free(beside);
	return err;
}

/* A pipe or a device is written to, not replaced: a file in the place of /dev/null
 * would be found out late. Of a link, what it leads to. */
static int save(const char *path, const struct text *t)
{
	char *target;
	struct stat st;
	int fd, err;

	if (stat(path, &st))
		return replace(path, t);
	if (!S_ISREG(st.st_mode)) {
		fd = open(path, O_WRONLY | O_CLOEXEC);
		return fd < 0 ? -errno : write_all(fd, t);
	}
	target = realpath(path, NULL);
	if (!target)
		return -errno;
	err = replace(target, t);
	free(target);
	return err;
}

static int report(const struct control_options *o)
{
	struct text text = { 0 };
	char quoted[QUOTE_MAX];
	int err = 0, code = COMMAND_DONE;

	if (make(o, &text)) {
		free(text.at);
		return COMMAND_FAILED;
	}
	if (!strcmp(o->args[0], "-"))
		(void)fwrite(text.at, 1, text.len, stdout); /* main() looks */
	else
		err = save(o->args[0], &text);
	if (err)
		code = command_complain(COMMAND_FAILED, "cannot write %s: %s",
					quote_text(o->args[0], quoted,
						   sizeof(quoted)),
					strerror(-err));
	free(text.at);
	return code;
}

int report_run(int argc, char **argv)
{
	struct control_options o;
	int code = control_parse(&argp, argc, argv, 1, 1, "a FILE", &o);

	return code >= 0 ? code : report(&o);
}
