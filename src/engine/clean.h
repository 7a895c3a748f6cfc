/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * clean.h - what becomes of an entry in a segment that is being emptied: for the
 * rooms that know one thing to do with it.
 */
#ifndef TMEM_ENGINE_CLEAN_H
#define TMEM_ENGINE_CLEAN_H

#include "index.h"

enum tmem_fate {
	TMEM_FATE_DONE, /* moved, dropped or left: on to the next */
	TMEM_FATE_STUCK /* no room to move it to; it is where it was */
};

/** tmem_clean_move_to() - write a page's new form, and exchange its slot.
 * @info, @bytes: of the new entry; its dictionary is kept by the caller. */
enum tmem_fate tmem_clean_move_to(struct tmem_store *st, struct tmem_worker *w,
				  const struct tmem_hit *hit, uint32_t info,
				  const void *bytes);

/** tmem_clean_move_as_is() - the same with the form it has. */
enum tmem_fate tmem_clean_move_as_is(struct tmem_store *st,
				     struct tmem_worker *w,
				     const struct tmem_hit *hit, uint32_t use);

/** tmem_clean_mark() - note in an entry's header what was found out about it,
 * wherever it goes next. */
void tmem_clean_mark(struct tmem_store *st, const struct tmem_entry *e,
		     uint64_t place, uint32_t bits);

/** tmem_clean_dense() - make a page dense; clean-dense.c. */
enum tmem_fate tmem_clean_dense(struct tmem_store *st, struct tmem_worker *w,
				const struct tmem_hit *hit);

#endif
