/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * put.h - the two ways in.
 */
#ifndef TMEM_ENGINE_PUT_H
#define TMEM_ENGINE_PUT_H

#include "index.h"
#include "read.h"

/** tmem_put_ref() - a whole page; 1 stored, 0 refused, -EBADF. */
int tmem_put_ref(struct tmem_store *st, const struct tmem_view *pool,
		 const struct tmem_ref *ref, const void *page);

/** tmem_put_part() - change a page that is there; 1, 0, -EBADF, -EIO. */
int tmem_put_part(struct tmem_store *st, const struct tmem_view *pool,
		  const struct tmem_ref *ref, const struct tmem_part *part,
		  const void *bytes);

#endif
