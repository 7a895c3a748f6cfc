/* SPDX-License-Identifier: BSD-2-Clause */
/* sqlite-sane.h - whether bytes can be a page of a database. */
#ifndef TMEM_SQLITE_SANE_H
#define TMEM_SQLITE_SANE_H

#include <stdint.h>

/**
 * sqlite_sane() - 1: a page of a database might look like this.
 * @bytes: its size.
 * @count: pages that the file has.
 */
int sqlite_sane(const uint8_t *page, uint32_t bytes, uint32_t count);

#endif
