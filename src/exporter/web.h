/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * web.h - a daemon's figures served over HTTP.
 */
#ifndef TMEM_EXPORTER_WEB_H
#define TMEM_EXPORTER_WEB_H

struct web;

/**
 * web_create() - serve from now on, by a thread of its own.
 * @fd: a listening socket; taken in any case.
 * @daemon: socket of the daemon; the caller's text, used until web_destroy().
 *
 * Each request asks the daemon anew. If none answers, tmem_up is 0 and nothing
 * else is told: that is an answer, not an error.
 *
 * Return: 0, -ENOMEM; -EIO the web server does not start.
 */
int web_create(int fd, const char *daemon, struct web **ret);

/** web_destroy() - answers what is being asked, then ends. NULL is fine. */
void web_destroy(struct web *w);

#endif
