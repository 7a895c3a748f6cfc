/* SPDX-License-Identifier: BSD-2-Clause */
/* demo-options.c - what `tmem demo` is asked to do. */
#include "demo-options.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <tmem/tmem.h>

#include "command.h"
#include "dataset.h"
#include "parse.h"
#include "quote.h"

/* As texts: they are parsed like what is typed, and shown in the help. */
#define DEFAULT_DIR "/usr"
#define DEFAULT_DATA "640M"
#define DEFAULT_L1 "64M"
#define DEFAULT_POOL "256M"
#define DEFAULT_ROUNDS "6"
#define DEFAULT_SEED "1"
#define DEFAULT_SECONDS "100"

#define ROUNDS_MAX 1000u
#define SECONDS_MAX 86400u /* a day */

/* Beyond what is printable: they have no short form. */
enum {
	KEY_DATA = 256,
	KEY_L1,
	KEY_POOL,
	KEY_STORE,
	KEY_DAEMON,
	KEY_ROUNDS,
	KEY_SEED,
	KEY_SECONDS,
	KEY_JSON
};

/** struct parse - options while they are parsed. */
struct parse {
	struct demo_options *o;
	int sized;	   /* --data, --l1 was given */
	const char *pool;  /* NULL: not given */
	const char *store; /* the same */
};

static error_t set_pages(struct argp_state *state, const char *name,
			 const char *text, uint32_t *ret)
{
	uint64_t bytes = 0;
	char quoted[QUOTE_MAX];
	int err = tmem_parse_size(text, &bytes);

	if (err == -EINVAL)
		return command_refuse(state,
				      "%s: \"%s\" is no size; say it like 64M",
				      name,
				      quote_text(text, quoted, sizeof(quoted)));
	if (err || bytes < TMEM_PAGE_SIZE ||
	    bytes / TMEM_PAGE_SIZE > DATASET_PAGES_MAX)
		return command_refuse(state, "%s: must be 4K to 1T", name);
	*ret = (uint32_t)(bytes / TMEM_PAGE_SIZE);
	return 0;
}

static error_t set_number(struct argp_state *state, const char *name,
			  const char *text, uint64_t min, uint64_t max,
			  uint64_t *ret)
{
	uint64_t value = 0;

	if (tmem_parse_uint(text, max, &value) || value < min)
		return command_refuse(state,
				      "%s: must be a number from %" PRIu64
				      " to %" PRIu64,
				      name, min, max);
	*ret = value;
	return 0;
}

/* The library judges the size; here it must only be one, and nothing more. */
static error_t set_pool(struct argp_state *state, const char *text)
{
	struct parse *p = state->input;
	char quoted[QUOTE_MAX];

	if (tmem_parse_size(text, &p->o->pool_bytes) ||
	    snprintf(p->o->pool, sizeof(p->o->pool), "embedded:size=%s",
		     text) >= (int)sizeof(p->o->pool))
		return command_refuse(
			state, "--pool: \"%s\" is no size; say it like 256M",
			quote_text(text, quoted, sizeof(quoted)));
	return 0;
}

static error_t set_defaults(struct argp_state *state)
{
	struct parse *p = state->input;
	struct demo_options *o = p->o;

	o->dir = DEFAULT_DIR;
	o->domain = "demo";
	if (set_pages(state, "--data", DEFAULT_DATA, &o->data_pages) ||
	    set_pages(state, "--l1", DEFAULT_L1, &o->l1_pages) ||
	    set_pool(state, DEFAULT_POOL) ||
	    set_number(state, "--rounds", DEFAULT_ROUNDS, 1, ROUNDS_MAX,
		       &o->rounds) ||
	    set_number(state, "--seed", DEFAULT_SEED, 0, UINT64_MAX, &o->seed) ||
	    set_number(state, "--seconds", DEFAULT_SECONDS, 0, SECONDS_MAX,
		       &o->seconds))
		return EINVAL;
	return 0;
}

/* What no option can tell by itself. */
static error_t check(struct argp_state *state)
{
	struct parse *p = state->input;
	struct demo_options *o = p->o;

	if (p->pool && p->store)
		return command_refuse(state, "--pool and --store: give one; "
					     "a size may be part of --store");
	if (o->daemon && p->store)
		return command_refuse(state, "--daemon and --store: give one; "
					     "the daemon is the store");
	o->where = p->store ? p->store : o->pool;
	o->scalable = !p->sized && !p->pool && !p->store && o->seconds;
	if (o->data_pages / DEMO_DATA_PER_L1 < o->l1_pages)
		return command_refuse(state,
				      "--data must be at least %u times --l1, "
				      "or the first level has no victims",
				      DEMO_DATA_PER_L1);
	return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct parse *p = state->input;
	struct demo_options *o = p->o;

	switch (key) {
	case ARGP_KEY_INIT:
		return set_defaults(state);
	case KEY_DATA:
		p->sized = 1;
		return set_pages(state, "--data", arg, &o->data_pages);
	case KEY_L1:
		p->sized = 1;
		return set_pages(state, "--l1", arg, &o->l1_pages);
	case KEY_POOL:
		p->pool = arg;
		return set_pool(state, arg);
	case KEY_STORE:
		p->store = arg;
		return 0;
	case KEY_DAEMON:
		o->daemon = 1;
		return 0;
	case KEY_ROUNDS:
		return set_number(state, "--rounds", arg, 1, ROUNDS_MAX,
				  &o->rounds);
	case KEY_SEED:
		return set_number(state, "--seed", arg, 0, UINT64_MAX, &o->seed);
	case KEY_SECONDS:
		return set_number(state, "--seconds", arg, 0, SECONDS_MAX,
				  &o->seconds);
	case KEY_JSON:
		o->json = 1;
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num)
			return command_refuse(state, "only one DIR, please; "
						     "see tmem demo --help");
		o->dir = arg;
		return 0;
	case ARGP_KEY_SUCCESS:
		return check(state);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option options[] = {
	{ .name = "data",
	  .key = KEY_DATA,
	  .arg = "SIZE",
	  .doc = "Most bytes of files to sample (" DEFAULT_DATA ")" },
	{ .name = "l1",
	  .key = KEY_L1,
	  .arg = "SIZE",
	  .doc = "First-level cache (" DEFAULT_L1 ")" },
	{ .name = "pool",
	  .key = KEY_POOL,
	  .arg = "SIZE",
	  .doc = "Memory of the store below it (" DEFAULT_POOL ")" },
	{ .name = "store",
	  .key = KEY_STORE,
	  .arg = "WHERE",
	  .doc = "Another store than embedded:size=SIZE, as for tmem_open(3)" },
	{ .name = "daemon",
	  .key = KEY_DAEMON,
	  .doc = "Start a private daemon, and do all of it twice at once, as "
		 "two domains of it" },
	{ .name = "rounds",
	  .key = KEY_ROUNDS,
	  .arg = "N",
	  .doc = "Accesses: N times the pages sampled (" DEFAULT_ROUNDS ")" },
	{ .name = "seconds",
	  .key = KEY_SECONDS,
	  .arg = "N",
	  .doc = "Most time for all, shortening what must be; 0: no bound "
		 "(" DEFAULT_SECONDS ")" },
	{ .name = "seed",
	  .key = KEY_SEED,
	  .arg = "N",
	  .doc = "Another sample, another access list (" DEFAULT_SEED ")" },
	{ .name = "json", .key = KEY_JSON, .doc = "Print a JSON object" },
	{ 0 },
};

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "[DIR]",
	.doc = "Read the files of DIR (" DEFAULT_DIR
	       ") again and again, in pages, through a small cache: first from "
	       "the disk alone, then with a store of pages between cache and "
	       "disk. Compare disk reads and time, and verify each page.",
	.children = command_common,
};

int demo_options_parse(struct demo_options *o, int argc, char **argv)
{
	struct parse p = { .o = o };

	memset(o, 0, sizeof(*o));
	return command_parse(&argp, argc, argv, 0, &p);
}

void demo_options_scale(struct demo_options *o, unsigned halvings)
{
	o->data_pages >>= halvings;
	o->l1_pages >>= halvings;
	o->pool_bytes >>= halvings;
	if (o->limit_bytes) { /* a daemon's: its name says no size */
		o->limit_bytes = o->pool_bytes;
		return;
	}
	(void)snprintf(o->pool, sizeof(o->pool), "embedded:size=%" PRIu64,
		       o->pool_bytes);
}
