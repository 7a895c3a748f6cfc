/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * top-model.h - what `tmem top` shows: domains with their rates and their last
 * minutes, sorted and filtered. Knows no terminal.
 */
#ifndef TMEM_COMMAND_TOP_MODEL_H
#define TMEM_COMMAND_TOP_MODEL_H

#include <stddef.h>
#include <stdint.h>

#include "daemon-view.h"

/** TOP_SAMPLES - refreshes that are kept: five minutes of one a second. */
#define TOP_SAMPLES 300u

/** enum top_sort - by what. */
enum top_sort {
	TOP_BY_NAME,
	TOP_BY_LENT,
	TOP_BY_ENTITLED,
	TOP_BY_SHARE,
	TOP_BY_RATIO,
	TOP_BY_HITS,
	TOP_BY_OPS,
	TOP_BY_GHOSTS,
	TOP_BY_EVICTIONS,
	TOP_BY_AGERS,
	TOP_SORTS
};

/** enum - the kinds of history. */
enum {
	TOP_OPS,  /* a second */
	TOP_HITS, /* percent of the gets of an interval */
	TOP_LENT, /* bytes */
	TOP_HISTORIES
};

/**
 * struct top_domain - one, as of the last two views.
 * @hits_pct: of the gets between them; below 0: there were none.
 * @share_pct: lent, of the entitlement; below 0: it has none.
 * @ratio: pages' bytes to memory used; below 0: none used.
 * @history: the last `samples`, oldest first.
 */
struct top_domain {
	struct tmem_wire_domain now;
	int seen; /* in the last view */
	double lent_bytes;
	double ops, ghosts, evictions; /* a second */
	double agers_pct;	       /* of a core */
	double hits_pct;
	double share_pct;
	double ratio;
	size_t samples;
	float history[TOP_HISTORIES][TOP_SAMPLES];
};

/** struct top_sum - of all domains, filtered or not. */
struct top_sum {
	double ops, evictions, agers_pct, daemon_pct;
	uint64_t lent_bytes;
};

/**
 * struct top_model - all 0 at first, but for ->sort.
 * @all: by number; count of them.
 * @shown: those that pass the filter, sorted; shown_count of them.
 * @filter: part of a name, in any case.
 * @selected: number of a domain; 0: none.
 */
struct top_model {
	struct tmem_wire_status_reply status;
	uint64_t taken_ns; /* of the last view; 0: none yet */
	struct top_sum sum;
	struct top_domain **all;
	struct top_domain **shown;
	size_t count, shown_count, room;
	enum top_sort sort;
	int reverse;
	char filter[TMEM_WIRE_NAME_MAX];
	uint64_t selected;
};

/** top_model_update() - from another view. Return: 0, -ENOMEM: as it was. */
int top_model_update(struct top_model *m, const struct daemon_view *v);

/** top_model_arrange() - after ->sort, ->reverse or ->filter changed. */
void top_model_arrange(struct top_model *m);

/** top_model_select() - move the selection by so many lines. */
void top_model_select(struct top_model *m, long lines);

/** top_model_selected() - which of ->shown; 0 if none is. */
size_t top_model_selected(const struct top_model *m);

void top_model_finish(struct top_model *m);

#endif
