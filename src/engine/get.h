/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * get.h - the way out, and the ways of giving up.
 */
#ifndef TMEM_ENGINE_GET_H
#define TMEM_ENGINE_GET_H

#include "index.h"
#include "read.h"

/**
 * tmem_get_ref() - copy a page or a part of it out.
 * @take: 1: a hit removes the page; whole pages only.
 *
 * Return: 1 hit, 0 miss, -EBADF, -EIO.
 */
int tmem_get_ref(struct tmem_store *st, const struct tmem_view *pool,
		 const struct tmem_ref *ref, const struct tmem_part *part,
		 int take, void *to);

/** tmem_flush_ref() - 1 it was there, 0 not, -EBADF. */
int tmem_flush_ref(struct tmem_store *st, const struct tmem_ref *ref);

/** tmem_flush_object_ref() - the same for all pages of the ref's object. */
int tmem_flush_object_ref(struct tmem_store *st, const struct tmem_ref *ref);

#endif
