/* SPDX-License-Identifier: BSD-2-Clause */
/* clean-dense.h - one entry of a segment made dense. */
#ifndef TMEM_ENGINE_CLEAN_DENSE_H
#define TMEM_ENGINE_CLEAN_DENSE_H

#include "move.h"

/** tmem_clean_dense() - if that makes the page smaller; else as clean-dense.c tells. */
enum tmem_fate tmem_clean_dense(struct tmem_store *st, struct tmem_worker *w,
				const struct tmem_hit *hit);

#endif
