/* SPDX-License-Identifier: BSD-2-Clause */
/* replay-trace.c - from lines to an array of page ids. */
#include "replay-trace.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "parse.h"
#include "progress.h"
#include "replay-input.h"

/* A letter, a blank, 20 digits; a longer line is malformed whatever it says,
 * unless all that is too much are leading zeroes, and then too. */
#define LINE_MAX_LEN 24

#define CHUNK_BYTES (64u * 1024)
#define COUNT_FIRST (1u << 16)
#define IDS_FIRST (1u << 12)

/** struct reading - a line while it comes in. */
struct reading {
	struct trace *t;
	char line[LINE_MAX_LEN + 1];
	size_t len;
};

static uint32_t *slot_of(const struct trace *t, uint64_t page)
{
	uint32_t i = (uint32_t)tmem_mix(page, page) & t->slot_mask;

	while (t->slot[i] && t->page[t->slot[i] - 1] != page)
		i = (i + 1) & t->slot_mask;
	return &t->slot[i];
}

/* Twice the ids; slots stay at most half full. */
static int grow_ids(struct trace *t)
{
	uint32_t room = t->ids_room ? t->ids_room * 2 : IDS_FIRST, id;
	uint64_t *page;

	if (room > TRACE_IDS_MAX)
		return -EFBIG;
	page = reallocarray(t->page, room, sizeof(*page));
	if (!page)
		return -ENOMEM;
	t->page = page;
	free(t->slot);
	t->slot = calloc((size_t)room * 2, sizeof(*t->slot));
	if (!t->slot)
		return -ENOMEM;
	t->slot_mask = room * 2 - 1;
	t->ids_room = room;
	for (id = 0; id < t->ids; id++)
		*slot_of(t, t->page[id]) = id + 1;
	return 0;
}

static int grow_requests(struct trace *t)
{
	uint64_t room = t->count_room ? t->count_room * 2 : COUNT_FIRST;
	uint32_t *request = reallocarray(t->request, room, sizeof(*t->request));

	if (!request)
		return -ENOMEM;
	t->request = request;
	t->count_room = room;
	return 0;
}

static int add(struct trace *t, uint64_t page, uint32_t flag)
{
	uint32_t *slot;
	int err = 0;

	if (t->count == t->count_room)
		err = grow_requests(t);
	if (!err && t->ids == t->ids_room)
		err = grow_ids(t);
	if (err)
		return err;
	slot = slot_of(t, page);
	if (!*slot) {
		t->page[t->ids++] = page;
		*slot = t->ids;
	}
	t->request[t->count++] = (*slot - 1) | flag;
	return 0;
}

static int end_line(struct reading *r)
{
	uint64_t page = 0;

	r->t->line++;
	r->line[r->len] = '\0';
	if (r->len < 3 || strlen(r->line) != r->len ||
	    (r->line[0] != 'r' && r->line[0] != 'w') || r->line[1] != ' ' ||
	    tmem_parse_uint(r->line + 2, UINT64_MAX, &page))
		return -EINVAL;
	r->len = 0;
	return add(r->t, page, r->line[0] == 'w' ? TRACE_WRITE : 0);
}

static int take(struct reading *r, const char *bytes, size_t len)
{
	size_t i;
	int err;

	for (i = 0; i < len; i++) {
		if (bytes[i] == '\n') {
			err = end_line(r);
			if (err)
				return err;
		} else if (r->len == LINE_MAX_LEN) {
			r->t->line++;
			return -EINVAL;
		} else {
			r->line[r->len++] = bytes[i];
		}
	}
	return 0;
}

int trace_read(struct trace *t, struct input *in, struct progress *progress)
{
	struct reading r = { .t = t };
	char *chunk = malloc(CHUNK_BYTES);
	uint64_t before;
	size_t len = 0;
	int err = chunk ? 0 : -ENOMEM;

	memset(t, 0, sizeof(*t));
	while (!err) {
		err = input_read(in, chunk, CHUNK_BYTES, &len);
		if (err || !len)
			break;
		before = t->count;
		err = take(&r, chunk, len);
		progress_add(progress, t->count - before);
	}
	if (!err && r.len)
		err = end_line(&r); /* the last may lack its newline */
	free(chunk);
	return err;
}

void trace_finish(struct trace *t)
{
	free(t->request);
	free(t->page);
	free(t->slot);
	memset(t, 0, sizeof(*t));
}
