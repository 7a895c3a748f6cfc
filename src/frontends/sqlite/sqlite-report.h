/* SPDX-License-Identifier: BSD-2-Clause */
/* sqlite-report.h - SQLite's error log, for what it says of malformed databases. */
#ifndef TMEM_SQLITE_REPORT_H
#define TMEM_SQLITE_REPORT_H

#include "sqlite-store.h"

/** struct sqlite_report - lives as long as the process, as the log does. */
struct sqlite_report {
	void (*next)(void *ctx, int code, const char *line); /* (c) or NULL */
	void *next_ctx;					     /* (c) */
	_Atomic(struct sqlite_stores *) stores; /* (a) NULL: none yet */
};

/**
 * sqlite_report_create() - one that hands every line on.
 * @next: NULL: to nobody.
 *
 * Return: for free() if SQLite never gets it; NULL for want of memory.
 */
struct sqlite_report *sqlite_report_create(void (*next)(void *ctx, int code,
							const char *line),
					   void *next_ctx);

/** sqlite_report_line() - for SQLITE_CONFIG_LOG; @ctx is a struct sqlite_report. */
void sqlite_report_line(void *ctx, int code, const char *line);

#endif
