/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hour-page.h - the last hour of a daemon as a page for a browser.
 */
#ifndef TMEM_COMMAND_HOUR_PAGE_H
#define TMEM_COMMAND_HOUR_PAGE_H

#include <stdio.h>
#include <time.h>

#include "daemon-view.h"
#include "hour.h"

/**
 * hour_page_write() - all of it in one text: no script, and nothing to be loaded.
 * @host: the machine's name.
 * @now: which moment the ages are counted from.
 *
 * Return: 0, -ENOMEM.
 */
int hour_page_write(FILE *out, const struct hour *h,
		    const struct daemon_view *v, const char *host, time_t now);

#endif
