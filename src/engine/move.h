/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * move.h - one entry moved out of a segment: as it is, packed, or in a form that
 * the caller has made.
 */
#ifndef TMEM_ENGINE_MOVE_H
#define TMEM_ENGINE_MOVE_H

#include "index.h"

enum tmem_fate {
	TMEM_FATE_DONE, /* moved, dropped or left: on to the next */
	TMEM_FATE_STUCK /* no room to move it to; it is where it was */
};

/** tmem_move_to() - write a page's new form, and exchange its slot.
 * @info, @bytes: of the new entry; its dictionary is kept by the caller. */
enum tmem_fate tmem_move_to(struct tmem_store *st, struct tmem_worker *w,
			    const struct tmem_hit *hit, uint32_t info,
			    const void *bytes);

/** tmem_move_as_is() - the same with the form it has. */
enum tmem_fate tmem_move_as_is(struct tmem_store *st, struct tmem_worker *w,
			       const struct tmem_hit *hit, uint32_t use);

/** tmem_move_packed() - pack a raw page; it stays, marked, if it does not get
 * small. */
enum tmem_fate tmem_move_packed(struct tmem_store *st, struct tmem_worker *w,
				const struct tmem_hit *hit);

/** tmem_move_mark() - note in an entry's header what was found out about it,
 * wherever it goes next. */
void tmem_move_mark(struct tmem_store *st, const struct tmem_entry *e,
		    uint64_t place, uint32_t bits);

#endif
