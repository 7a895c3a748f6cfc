/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log.h - open segments and the room dealt out of them.
 *
 * A head is one stream of entries: who writes it, of which class and queue, in
 * which layout. Room is dealt out under the head's lock, filled outside of any
 * lock, and then published or abandoned.
 */
#ifndef TMEM_ENGINE_LOG_H
#define TMEM_ENGINE_LOG_H

#include "entry.h"
#include "lock.h"
#include "pool.h"
#include "segment.h"

/** Streams; for each, one head per layout. */
enum tmem_stream {
	TMEM_STREAM_EPHEMERAL,	/* puts, ephemeral, never seen */
	TMEM_STREAM_RETURNED,	/* puts, ephemeral, lately evicted or taken */
	TMEM_STREAM_PERSISTENT, /* puts, persistent */
	TMEM_STREAM_PROBATION,	/* the cleaner's, of probation segments */
	TMEM_STREAM_MAIN,	/* the cleaner's, of what is worth keeping */
	TMEM_STREAM_KEPT,	/* the cleaner's, persistent */
	TMEM_STREAMS
};

struct tmem_head {
	struct tmem_lock lock; /* TMEM_RANK_HEAD */
	uint32_t segment;      /* TMEM_SEGMENT_NONE: none */
	uint32_t stamp; /* when it last dealt out a segment's first room */
} __attribute__((aligned(64)));

struct tmem_log {
	struct tmem_space *space; /* (c) */
	_Atomic uint32_t clock;	  /* (a) segments opened */
	struct tmem_head heads[TMEM_STREAMS][TMEM_LAYOUTS];
};

/** struct tmem_room - a place dealt out, to be published or abandoned. */
struct tmem_room {
	uint32_t segment;
	uint32_t units;
	uint64_t place;
	struct tmem_entry *entry;
	uint8_t *payload;
};

/** tmem_log_room() - units that 4 KiB pages' entries can fill in a segment. */
uint32_t tmem_log_room(const struct tmem_space *s, enum tmem_layout layout);

void tmem_log_init(struct tmem_log *log, struct tmem_space *space);
void tmem_log_finish(struct tmem_log *log);

/**
 * tmem_log_reserve() - room for one entry.
 * @info: what tmem_entry_info() gave for it.
 * @age: for a cleaner's stream: no younger than this; 0: the youngest.
 * @ret: out; its header is written, with object 0.
 *
 * Return: 0, -ENOMEM no segment could be opened.
 */
int tmem_log_reserve(struct tmem_log *log, enum tmem_stream stream,
		     uint64_t index, uint32_t info, uint64_t age,
		     struct tmem_room *ret);

/**
 * tmem_log_expect() - start loading what the stream's next packed entry will
 * overwrite, because it will be there when the codec is done.
 * @bytes: of it.
 */
void tmem_log_expect(struct tmem_log *log, enum tmem_stream stream,
		     uint32_t bytes);

/** tmem_log_publish() - the room's entry lives; the slot is being written. */
void tmem_log_publish(struct tmem_log *log, const struct tmem_room *room,
		      uint32_t object);

/** tmem_log_abandon() - nothing will be published there. */
void tmem_log_abandon(struct tmem_log *log, const struct tmem_room *room);

/**
 * tmem_log_seal() - close heads, so that the cleaner may take their segments.
 * @cls: heads of this class only.
 * @revoked: 1: only those whose segment the source has revoked.
 *
 * Return: segments sealed.
 */
uint32_t tmem_log_seal(struct tmem_log *log, enum tmem_class cls, int revoked);

/** struct tmem_walk - entries of a segment, in order. */
struct tmem_walk {
	uint32_t segment;
	uint32_t at;   /* units: next entry */
	uint32_t fill; /* units */
	uint32_t layout;
	uint64_t place; /* of the current one */
	struct tmem_entry entry;
};

void tmem_walk_init(const struct tmem_log *log, uint32_t segment,
		    struct tmem_walk *w);

/** tmem_walk_next() - 1 there is one, in w->entry and w->place; 0 the end. */
int tmem_walk_next(const struct tmem_log *log, struct tmem_walk *w);

#endif
