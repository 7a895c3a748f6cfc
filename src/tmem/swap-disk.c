/* SPDX-License-Identifier: BSD-2-Clause */
/* swap-disk.c - a swap disk whose pages lie in a store: set up, taken down. */
#include "swap-disk.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/swap.h>
#include <unistd.h>

#include "swap-file.h"

#define PLUGIN_FILE "nbdkit-tmem-plugin.so"
#define PLUGIN_NAME "tmem"

static int complain(struct swap_disk *d, int err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int complain(struct swap_disk *d, int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(d->fault, sizeof(d->fault), format, args);
	va_end(args);
	return err;
}

/* ---- What the kernel says ------------------------------------------------- */

/* Return: the first character of a file below /sys, or 0. */
static char first_of(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char c = 0;

	if (fd >= 0) {
		if (read(fd, &c, 1) != 1)
			c = 0;
		(void)close(fd);
	}
	return c;
}

static void queue_path(const char *device, const char *name, char *path)
{
	(void)snprintf(path, PATH_MAX, "/sys/block/%s/queue/%s",
		       strrchr(device, '/') + 1, name);
}

/* Return: 1 it is in use as swap, with the bytes that are there. */
static int find_swap(const char *device, uint64_t *ret_bytes)
{
	FILE *f = fopen("/proc/swaps", "re");
	char line[512], name[256];
	uint64_t used_kib;
	int found = 0;

	while (f && !found && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%255s %*s %*s %" SCNu64, name, &used_kib) !=
			    2 ||
		    strcmp(name, device) != 0)
			continue;
		*ret_bytes = used_kib << 10;
		found = 1;
	}
	if (f)
		(void)fclose(f);
	return found;
}

/* ---- Down ----------------------------------------------------------------- */

/* The kernel begins by itself after many a signal, and not here: who is stopped and
 * goes on, or is frozen with a machine that sleeps, finds the swap still on. What was
 * brought home is at home. */
static int turn_off(const char *device)
{
	int ret;

	do {
		ret = swapoff(device);
	} while (ret && errno == EINTR);
	return ret;
}

/* Whether it is in use the kernel says, by EINVAL: the list of swaps may be hidden, as
 * in a container, and what is in use must not be taken down. */
static int bring_home(struct swap_disk *d, const struct swap_record *r)
{
	int listed;

	if (!r->device[0])
		return 0;
	listed = find_swap(r->device, &d->home_bytes);
	if (!turn_off(r->device) || errno == EINVAL)
		return 0;
	if (!listed && (errno == ENOENT || errno == ENXIO || errno == ENODEV))
		return 0; /* it is gone */
	if (errno == ENOMEM)
		return complain(d, -ENOMEM,
				"%s holds %" PRIu64
				" MiB, more than there is room for in memory "
				"and other swap; it stays as it is",
				r->device, d->home_bytes >> 20);
	return complain(d, -errno, "swapoff %s: %s; it stays as it is",
			r->device, strerror(errno));
}

/* From whatever was reached. Return: 0; negative errno, and the record stays. */
static int take_down(struct swap_disk *d, struct swap_record *r)
{
	const struct swap_way *way = r->way[0] ? swap_way_find(r->way) : NULL;
	char fault[SWAP_WAY_FAULT_MAX] = "";
	int err = bring_home(d, r);

	if (err)
		return err;
	if (r->way[0] && !way)
		return complain(d, -EPROTO, "%s/record: no such way: %s",
				r->dir, r->way);
	if (way)
		err = way->detach(&swap_host_here, r, fault);
	if (err)
		return complain(d, err, "%s", fault);
	err = swap_process_end(&r->server, 0);
	if (err)
		return complain(d, err, "nbdkit (process %d) does not end",
				(int)r->server.pid);
	return 0;
}

int swap_disk_down(struct swap_disk *d, const char *dir)
{
	struct swap_record r;
	int err;

	memset(d, 0, sizeof(*d));
	err = swap_record_open(&r, dir);
	if (err == -ENOENT)
		return complain(d, err, "no swap is on: there is no %s", dir);
	if (err == -EBUSY)
		return complain(d, err, "another tmem is at work on %s", dir);
	if (err == -EPROTO)
		return complain(d, err,
				"%s has no record of a swap; give the --dir of "
				"`tmem swapon'",
				dir);
	if (err)
		return complain(d, err, "%s: %s", dir, strerror(-err));
	(void)snprintf(d->device, sizeof(d->device), "%s", r.device);
	err = take_down(d, &r);
	if (err)
		swap_record_close(&r);
	else
		swap_record_remove(&r);
	return err;
}

/* ---- Up ------------------------------------------------------------------- */

/* Beside this program, as in a build directory; else where nbdkit looks. */
static const char *find_plugin(const struct swap_wish *w, char *path)
{
	ssize_t n;
	char *slash;

	if (w->plugin)
		return w->plugin;
	n = readlink("/proc/self/exe", path, PATH_MAX - 64);
	path[n > 0 ? n : 0] = 0;
	slash = strrchr(path, '/');
	if (slash) {
		strcpy(slash + 1, PLUGIN_FILE);
		if (!access(path, R_OK))
			return path;
	}
	return PLUGIN_NAME;
}

/** struct command_line - nbdkit's, as it grows. */
struct command_line {
	const char *argv[SWAP_TOOL_ARGS_MAX];
	unsigned count;
	char texts[9][PATH_MAX];
	unsigned text_count;
};

static void add(struct command_line *c, const char *arg)
{
	c->argv[c->count++] = arg;
}

static void add_key(struct command_line *c, const char *key, const char *value)
{
	char *text = c->texts[c->text_count];

	if (!value)
		return;
	(void)snprintf(text, PATH_MAX, "%s=%s", key, value);
	c->text_count++;
	add(c, text);
}

static void build_line(struct command_line *c, const struct swap_wish *w,
		       const struct swap_way *way, const char *socket,
		       const char *pidfile, const char *file)
{
	char size[32];

	(void)snprintf(size, sizeof(size), "%" PRIu64, w->size_bytes);
	/* In the foreground its faults are told to us, not to the system's log,
	 * also those of a store that is opened late. */
	add(c, "nbdkit");
	add(c, "--foreground");
	add(c, "--unix");
	add(c, socket);
	add(c, "--pidfile");
	add(c, pidfile);
	add(c, "--threads");
	add(c, way->threads);
	add(c, find_plugin(w, c->texts[c->text_count++]));
	add_key(c, "size", size);
	add_key(c, "backing", w->backing);
	add_key(c, "store", w->store);
	add_key(c, "domain", w->domain);
	add_key(c, "limit", w->limit);
	add_key(c, "file", way->serves_file ? file : NULL);
	/* Another plugin would not know the key. */
	if (!w->plugin)
		add_key(c, "swap", "true");
}

/* Once it listens, it writes down its number. */
static int await_server(const struct swap_record *r)
{
	const uint64_t end_ns = swap_tool_patience_ns();
	char path[PATH_MAX];
	int err = 0;

	(void)swap_record_path(r, "nbdkit.pid", path);
	while (!err && (access(path, F_OK)))
		err = swap_process_nap(&r->server, end_ns);
	return err;
}

/* A server that has ended says why in its log. Return: @err. */
static int blame_server(struct swap_disk *d, const struct swap_record *r,
			int err)
{
	char log[PATH_MAX], say[SWAP_TOOL_SAY_MAX];

	swap_tool_first_line(swap_record_path(r, "nbdkit.log", log), say);
	return complain(d, err, "nbdkit: %s", say);
}

/* To be mounted over; where there is none the server says so. */
static void make_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd >= 0)
		(void)close(fd);
}

static int start_server(struct swap_disk *d, const struct swap_wish *w,
			struct swap_record *r, const char *socket)
{
	char pidfile[PATH_MAX], file[PATH_MAX];
	struct command_line *c = calloc(1, sizeof(*c));
	int err;

	if (!c)
		return complain(d, -ENOMEM, "out of memory");
	if (d->way->serves_file)
		make_file(swap_record_path(r, SWAP_FILE, file));
	build_line(c, w, d->way, socket,
		   swap_record_path(r, "nbdkit.pid", pidfile),
		   swap_record_path(r, SWAP_FILE, file));
	err = swap_record_start(r, &r->server, c->argv, "nbdkit.log");
	free(c);
	if (!err)
		err = await_server(r);
	if (err == -ESRCH)
		return blame_server(d, r, err);
	return err ? complain(d, err, "nbdkit: %s", strerror(-err)) : 0;
}

static int make_device(struct swap_disk *d, const struct swap_wish *w,
		       struct swap_record *r, const char *socket)
{
	const struct swap_offer offer = { .size_bytes = w->size_bytes,
					  .socket = socket };
	char fault[SWAP_WAY_FAULT_MAX] = "";
	int err;

	(void)snprintf(r->way, sizeof(r->way), "%s", d->way->name);
	err = d->way->attach(&swap_host_here, &offer, r, fault);
	if (err)
		return complain(d, err, "%s", fault[0] ? fault : strerror(-err));
	err = swap_record_write(r);
	return err ? complain(d, err, "%s/record: %s", r->dir, strerror(-err))
		   : 0;
}

/* What the kernel decides by when it is told of the swap. */
static void tune(struct swap_disk *d, const char *device)
{
	char path[PATH_MAX];
	int fd;

	queue_path(device, "rotational", path);
	if (first_of(path) == '1') {
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd >= 0) {
			(void)!write(fd, "0", 1);
			(void)close(fd);
		}
	}
	queue_path(device, "discard_max_bytes", path);
	d->discards = first_of(path) != '0';
	d->zswap = first_of("/sys/module/zswap/parameters/enabled") == 'Y';
}

static int use_device(struct swap_disk *d, const struct swap_wish *w,
		      const char *device)
{
	const char *const argv[] = { "mkswap", device, NULL };
	char say[SWAP_TOOL_SAY_MAX];
	int flags = SWAP_FLAG_DISCARD | SWAP_FLAG_PREFER |
		    (int)(w->priority << SWAP_FLAG_PRIO_SHIFT &
			  SWAP_FLAG_PRIO_MASK);
	int err = swap_tool_run(argv, say);

	if (err)
		return complain(d, err, "mkswap %s: %s", device, say);
	tune(d, device);
	if (swap_tool_interrupted())
		return -EINTR;
	if (!swapon(device, flags))
		return 0;
	if (errno == EPERM)
		return complain(d, -EPERM,
				"the kernel takes no more swap: not permitted, "
				"or it has as many devices as it can");
	return complain(d, -errno, "swapon %s: %s", device, strerror(errno));
}

static int set_up(struct swap_disk *d, const struct swap_wish *w,
		  struct swap_record *r)
{
	char socket[PATH_MAX];
	int err;

	(void)swap_record_path(r, "nbd.sock", socket);
	err = start_server(d, w, r, socket);
	if (!err)
		err = make_device(d, w, r, socket);
	if (!err)
		err = use_device(d, w, r->device);
	return err;
}

static int undo(struct swap_record *r)
{
	struct swap_disk rest = { .fault = "" };
	int err = take_down(&rest, r);

	if (!err) {
		swap_record_remove(r);
		return 0;
	}
	(void)swap_record_write(r);
	swap_record_close(r);
	return err;
}

int swap_disk_up(struct swap_disk *d, const struct swap_wish *w)
{
	char fault[SWAP_WAY_FAULT_MAX] = "";
	const char *lacking;
	struct swap_record r;
	int err;

	memset(d, 0, sizeof(*d));
	if (!swap_way_tool("nbdkit"))
		return complain(d, -ENOENT,
				"there is no nbdkit; please install it");
	d->way = w->way ? w->way : swap_way_choose(&swap_host_here, fault);
	if (!d->way)
		return complain(d, -ENODEV, "%s", fault);
	if (w->plugin && d->way->serves_file) {
		if (w->way)
			return complain(d, -EINVAL,
					"--by %s is for our own plugin, not "
					"for --plugin %s",
					w->way->name, w->plugin);
		d->way = &swap_way_fuse;
	}
	lacking = d->way->lacking(&swap_host_here);
	if (lacking)
		return complain(d, -ENODEV, "%s lacks %s", d->way->name,
				lacking);
	err = swap_record_create(&r, w->dir);
	if (err == -EEXIST)
		return complain(d, err,
				"there is a swap already (%s); `tmem swapoff' "
				"takes it down",
				w->dir);
	if (err)
		return complain(d, err, "%s: %s", w->dir, strerror(-err));
	err = set_up(d, w, &r);
	if (err == -EINTR)
		(void)complain(d, err, "interrupted; no swap is on");
	if (err) {
		if (!d->fault[0])
			(void)complain(d, err, "%s: %s", w->dir, strerror(-err));
		(void)undo(&r);
		return err;
	}
	strcpy(d->device, r.device);
	d->unprotected = !swap_process_protected(&r.server);
	swap_record_close(&r);
	return 0;
}
