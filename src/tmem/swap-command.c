/* SPDX-License-Identifier: BSD-2-Clause */
/* swap-command.c - `tmem swapon`, `tmem swapoff`: what is asked, what is told. */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "parse.h"
#include "quote.h"
#include "swap-disk.h"

/* Above disks, which the kernel gives negative ones, and as systemd's zram. */
#define PRIORITY 100u

/* What the kernel swaps. */
#define PAGE_BYTES 4096u

enum {
	KEY_BACKING = 256,
	KEY_BY,
	KEY_DIR,
	KEY_DOMAIN,
	KEY_LIMIT,
	KEY_PLUGIN,
	KEY_PRIORITY,
	KEY_STORE
};

static int refuse_size(struct argp_state *state, const char *arg)
{
	char quoted[QUOTE_MAX];

	return command_refuse(state,
			      "%s: want a size such as 8G, a multiple of 4096 "
			      "bytes, at least 1M",
			      quote_text(arg, quoted, sizeof(quoted)));
}

static int take_size(struct swap_wish *w, const char *arg,
		     struct argp_state *state)
{
	uint64_t size;

	if (w->size_bytes)
		return command_refuse(state, "one size, please");
	if (tmem_parse_size(arg, &size) || size % PAGE_BYTES ||
	    size < SWAP_DISK_BYTES_MIN || size > INT64_MAX)
		return refuse_size(state, arg);
	w->size_bytes = size;
	return 0;
}

static int take_priority(struct swap_wish *w, const char *arg,
			 struct argp_state *state)
{
	char quoted[QUOTE_MAX];
	uint64_t n;

	if (tmem_parse_uint(arg, SWAP_DISK_PRIORITY_MAX, &n))
		return command_refuse(state, "--priority %s: want 0 to %u",
				      quote_text(arg, quoted, sizeof(quoted)),
				      SWAP_DISK_PRIORITY_MAX);
	w->priority = (unsigned)n;
	return 0;
}

static int take_way(struct swap_wish *w, const char *arg,
		    struct argp_state *state)
{
	char quoted[QUOTE_MAX];

	w->way = swap_way_find(arg);
	if (w->way)
		return 0;
	return command_refuse(state, "--by %s: want ublk, nbd, file or fuse",
			      quote_text(arg, quoted, sizeof(quoted)));
}

/* Left to nbdkit, its complaint would not say of what. */
static int take_limit(struct swap_wish *w, const char *arg,
		      struct argp_state *state)
{
	char quoted[QUOTE_MAX];
	uint64_t bytes;

	w->limit = arg;
	if (!tmem_parse_size(arg, &bytes) && bytes)
		return 0;
	return command_refuse(state, "--limit %s: want a size such as 2G",
			      quote_text(arg, quoted, sizeof(quoted)));
}

static int take_backing(struct swap_wish *w, const char *arg,
			struct argp_state *state)
{
	w->backing = arg;
	return arg[0] ? 0
		      : command_refuse(state, "--backing: want a file or a "
					      "block device");
}

static int take_dir(struct swap_wish *w, const char *arg,
		    struct argp_state *state)
{
	w->dir = arg;
	if (arg[0] == '/' && strlen(arg) < SWAP_RECORD_DIR_MAX)
		return 0;
	return command_refuse(state,
			      "--dir: want a path from / of at most %u "
			      "characters",
			      SWAP_RECORD_DIR_MAX - 1);
}

static error_t parse_on(int key, char *arg, struct argp_state *state)
{
	struct swap_wish *w = state->input;

	switch (key) {
	case KEY_BACKING:
		return take_backing(w, arg, state);
	case KEY_BY:
		return take_way(w, arg, state);
	case KEY_DIR:
		return take_dir(w, arg, state);
	case KEY_DOMAIN:
		w->domain = arg;
		return 0;
	case KEY_LIMIT:
		return take_limit(w, arg, state);
	case KEY_PLUGIN:
		w->plugin = arg;
		return 0;
	case KEY_PRIORITY:
		return take_priority(w, arg, state);
	case KEY_STORE:
		w->store = arg;
		return 0;
	case ARGP_KEY_ARG:
		return take_size(w, arg, state);
	case ARGP_KEY_END:
		return w->size_bytes
			       ? 0
			       : command_refuse(state,
						"a size, please; see %s --help",
						state->name);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t parse_off(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case KEY_DIR:
		return take_dir(state->input, arg, state);
	case ARGP_KEY_ARG:
		return command_refuse(state,
				      "no arguments, please; see %s --help",
				      state->name);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* Releases of clang-format differ about braces in a macro. */
/* clang-format off */
#define DIR_OPTION                                                             \
	{                                                                      \
		.name = "dir", .key = KEY_DIR, .arg = "DIR",                   \
		.doc = "Where it is written down what is up "                  \
		       "(" SWAP_RECORD_DIR "); one swap each"                  \
	}
/* clang-format on */

static const struct argp_option on_options[] = {
	{ .name = "backing",
	  .key = KEY_BACKING,
	  .arg = "FILE",
	  .doc = "A file or block device of SIZE for what the store refuses" },
	{ .name = "by",
	  .key = KEY_BY,
	  .arg = "WAY",
	  .doc = "How it becomes a block device: ublk, nbd, file or fuse (the first "
		 "of them that the host has)" },
	DIR_OPTION,
	{ .name = "domain",
	  .key = KEY_DOMAIN,
	  .arg = "NAME",
	  .doc = "The domain whose memory it is" },
	{ .name = "limit",
	  .key = KEY_LIMIT,
	  .arg = "SIZE",
	  .doc = "Most memory to use; more goes to the backing" },
	{ .name = "plugin",
	  .key = KEY_PLUGIN,
	  .arg = "PLUGIN",
	  .doc = "Another plugin of nbdkit that takes size=, to compare" },
	{ .name = "priority",
	  .key = KEY_PRIORITY,
	  .arg = "N",
	  .doc = "Among the host's swap, 0 to 32767; the highest is used first "
		 "(100)" },
	{ .name = "store",
	  .key = KEY_STORE,
	  .arg = "WHERE",
	  .doc = "Which store, as $TMEM_STORE has it (the host's daemon, or "
		 "one of its own)" },
	{ 0 },
};

static const struct argp_option off_options[] = {
	DIR_OPTION,
	{ 0 },
};

static const struct argp on_argp = {
	.options = on_options,
	.parser = parse_on,
	.args_doc = "SIZE",
	.doc = "Let the kernel swap to a disk whose pages lie in a store.",
	.children = command_common,
};

static const struct argp off_argp = {
	.options = off_options,
	.parser = parse_off,
	.doc = "Bring home what `tmem swapon' let the kernel swap, and take the "
	       "disk down.",
	.children = command_common,
};

static int complain(const char *fault)
{
	char quoted[SWAP_DISK_FAULT_MAX];

	return command_complain(COMMAND_FAILED, "%s",
				quote_text(fault, quoted, sizeof(quoted)));
}

static int not_root(void)
{
	return geteuid() ? command_complain(COMMAND_FAILED,
					    "swap is root's to set; please run "
					    "this as root")
			 : COMMAND_DONE;
}

/* nbdkit may change its directory before the plugin opens it. */
static int make_absolute(const char **file, char *buf)
{
	char cwd[PATH_MAX / 2];

	if (!*file || **file == '/')
		return 0;
	if (!getcwd(cwd, sizeof(cwd)) ||
	    snprintf(buf, PATH_MAX, "%s/%s", cwd, *file) >= PATH_MAX)
		return command_complain(COMMAND_FAILED,
					"--backing: the path is too long");
	*file = buf;
	return 0;
}

static void tell(const struct swap_disk *d, const struct swap_wish *w)
{
	char size[TMEM_FORMAT_SIZE_MAX];

	(void)tmem_format_size(w->size_bytes, size, sizeof(size));
	(void)printf("%s: %s of swap, priority %u, by %s\n", d->device, size,
		     w->priority, d->way->summary);
	if (d->way->caution)
		(void)printf("%s\n", d->way->caution);
	if (d->unprotected)
		(void)printf("without CAP_SYS_RESOURCE, what serves it can be "
			     "killed for want of memory, or throttled by the "
			     "swapping it serves\n");
	if (!d->discards)
		(void)printf("%s takes no discards: pages that are free again "
			     "stay in the store until they are written anew\n",
			     d->device);
	if (d->zswap)
		(void)printf("zswap is on and comes first: this disk sees only "
			     "what zswap rejects or writes back; to turn it "
			     "off: echo N >/sys/module/zswap/parameters/"
			     "enabled\n");
}

int swapon_run(int argc, char **argv)
{
	struct swap_wish w = { .dir = SWAP_RECORD_DIR, .priority = PRIORITY };
	char backing[PATH_MAX];
	struct swap_disk d;

	switch (command_parse(&on_argp, argc, argv, 0, &w)) {
	case 0:
		break;
	case 1:
		return COMMAND_DONE;
	default:
		return COMMAND_USAGE;
	}
	if (not_root() || make_absolute(&w.backing, backing))
		return COMMAND_FAILED;
	swap_tool_hold_signals();
	if (swap_disk_up(&d, &w))
		return complain(d.fault);
	tell(&d, &w);
	return COMMAND_DONE;
}

int swapoff_run(int argc, char **argv)
{
	struct swap_wish w = { .dir = SWAP_RECORD_DIR };
	struct swap_disk d;

	switch (command_parse(&off_argp, argc, argv, 0, &w)) {
	case 0:
		break;
	case 1:
		return COMMAND_DONE;
	default:
		return COMMAND_USAGE;
	}
	if (not_root())
		return COMMAND_FAILED;
	if (swap_disk_down(&d, w.dir))
		return complain(d.fault);
	(void)printf("%s: %" PRIu64 " MiB brought home\n",
		     d.device[0] ? d.device : w.dir, d.home_bytes >> 20);
	return COMMAND_DONE;
}
