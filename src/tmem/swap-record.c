/* SPDX-License-Identifier: BSD-2-Clause */
/* swap-record.c - what of a swap disk is up, written down. */
#include "swap-record.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"

/* All that may lie in DIR. */
static const char *const files[] = { "record",	   "record.new", "nbd.sock",
				     "nbdkit.pid", "nbdkit.log", "disk",
				     "attach.log" };

#define FILES (sizeof(files) / sizeof(files[0]))

const char *swap_record_path(const struct swap_record *r, const char *name,
			     char *path)
{
	(void)snprintf(path, PATH_MAX, "%s/%s", r->dir, name);
	return path;
}

/* What a killed one had started has its lock for a moment. */
#define HOLD_MS 300

static int hold(struct swap_record *r)
{
	const struct timespec ms = { .tv_nsec = TMEM_NS_PER_MS };
	int err, waited = 0;

	r->lock = open(r->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r->lock < 0)
		return -errno;
	while (flock(r->lock, LOCK_EX | LOCK_NB)) {
		err = errno == EWOULDBLOCK ? -EBUSY : -errno;
		if (err != -EBUSY || waited++ == HOLD_MS) {
			swap_record_close(r);
			return err;
		}
		(void)nanosleep(&ms, NULL);
	}
	return 0;
}

static int name_dir(struct swap_record *r, const char *dir)
{
	memset(r, 0, sizeof(*r));
	r->lock = r->device_fd = -1;
	if (strlen(dir) >= sizeof(r->dir))
		return -ENAMETOOLONG;
	strcpy(r->dir, dir);
	return 0;
}

int swap_record_create(struct swap_record *r, const char *dir)
{
	char parent[SWAP_RECORD_DIR_MAX];
	char *slash;
	int err = name_dir(r, dir);

	if (err)
		return err;
	strcpy(parent, dir);
	slash = strrchr(parent, '/');
	if (slash && slash != parent) {
		*slash = 0;
		(void)mkdir(parent, 0755);
	}
	if (mkdir(r->dir, 0700))
		return -errno;
	err = hold(r);
	if (!err)
		err = swap_record_write(r);
	if (err)
		swap_record_remove(r);
	return err;
}

/* Return: 1 it was the server's, which is in every record. */
static int take_line(struct swap_record *r, const char *line)
{
	struct swap_process *p = NULL;
	uint64_t start;
	int pid;

	(void)sscanf(line, "way %15s", r->way);
	(void)sscanf(line, "device %63s", r->device);
	if (!strncmp(line, "server ", 7))
		p = &r->server;
	if (!strncmp(line, "attacher ", 9))
		p = &r->attacher;
	if (p && sscanf(line, "%*s %d %" SCNu64, &pid, &start) == 2)
		*p = (struct swap_process){ .pid = pid, .start = start };
	return p == &r->server;
}

static int read_lines(struct swap_record *r, FILE *f)
{
	char line[256];
	int is_record = 0;

	while (fgets(line, sizeof(line), f))
		is_record |= take_line(r, line);
	return is_record && !ferror(f) ? 0 : -EPROTO;
}

/* Whoever made DIR came no further, and there is nothing to end; or it is not ours. */
static int lacks_record(const struct swap_record *r)
{
	char path[PATH_MAX];

	(void)unlink(swap_record_path(r, "record.new", path));
	return rmdir(r->dir) ? -EPROTO : 0;
}

int swap_record_open(struct swap_record *r, const char *dir)
{
	char path[PATH_MAX];
	int err = name_dir(r, dir);
	FILE *f;

	if (err)
		return err;
	err = hold(r);
	if (err)
		return err;
	f = fopen(swap_record_path(r, "record", path), "re");
	if (f) {
		err = read_lines(r, f);
		(void)fclose(f);
	} else {
		err = errno == ENOENT ? lacks_record(r) : -errno;
	}
	if (err)
		swap_record_close(r);
	return err;
}

int swap_record_write(const struct swap_record *r)
{
	char path[PATH_MAX], made[PATH_MAX];
	FILE *f = fopen(swap_record_path(r, "record.new", made), "we");
	int bad = 0;

	if (!f)
		return -errno;
	if (r->way[0])
		bad |= fprintf(f, "way %s\n", r->way) < 0;
	if (r->device[0])
		bad |= fprintf(f, "device %s\n", r->device) < 0;
	bad |= fprintf(f, "server %d %" PRIu64 "\nattacher %d %" PRIu64 "\n",
		       (int)r->server.pid, r->server.start,
		       (int)r->attacher.pid, r->attacher.start) < 0;
	bad |= fclose(f) != 0;
	if (bad)
		return -EIO;
	return rename(made, swap_record_path(r, "record", path)) ? -errno : 0;
}

int swap_record_start(struct swap_record *r, struct swap_process *p,
		      const char *const *argv, const char *log)
{
	char path[PATH_MAX];
	int gate, err;

	err = swap_tool_start(argv, swap_record_path(r, log, path), p, &gate);
	if (err)
		return err;
	err = swap_record_write(r);
	if (err)
		(void)close(gate); /* it ends */
	else
		swap_tool_go(gate);
	return err;
}

void swap_record_remove(struct swap_record *r)
{
	char path[PATH_MAX];
	size_t i;

	for (i = 0; i < FILES; i++)
		(void)unlink(swap_record_path(r, files[i], path));
	(void)rmdir(r->dir);
	swap_record_close(r);
}

void swap_record_let_go(struct swap_record *r)
{
	if (r->device_fd >= 0)
		(void)close(r->device_fd);
	r->device_fd = -1;
}

void swap_record_close(struct swap_record *r)
{
	swap_record_let_go(r);
	if (r->lock >= 0)
		(void)close(r->lock);
	r->lock = -1;
}
