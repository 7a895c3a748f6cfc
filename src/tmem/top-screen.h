/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * top-screen.h - `tmem top` on a terminal: drawn, and its keys.
 */
#ifndef TMEM_COMMAND_TOP_SCREEN_H
#define TMEM_COMMAND_TOP_SCREEN_H

#include "top-model.h"

/** struct top_screen - a terminal taken over. */
struct top_screen {
	void *terminal; /* ncurses' */
	int utf8;
	int colors;
	int help;      /* the keys are shown */
	int filtering; /* what is typed is the filter */
	int paused;
	char filter_before[TMEM_WIRE_NAME_MAX];
};

/** enum - what a key asks of the caller. */
enum top_wish {
	TOP_NOTHING, /* beyond a new drawing */
	TOP_QUIT,
	TOP_REFRESH, /* now */
	TOP_NO_KEY   /* none was pressed */
};

/** top_screen_open() - Return: 0; -ENOTTY there is none that can be used. */
int top_screen_open(struct top_screen *s);

/** top_screen_close() - the terminal as it was. */
void top_screen_close(struct top_screen *s);

/**
 * top_screen_draw() - all of it; what is the same already is not sent.
 * @socket: of the daemon.
 * @trouble: a line about the daemon; "" all is well.
 */
void top_screen_draw(const struct top_screen *s, const struct top_model *m,
		     const char *socket, const char *trouble);

/** top_screen_key() - take a key that was pressed; never waits. */
enum top_wish top_screen_key(struct top_screen *s, struct top_model *m);

/** top_sort_find() - a column by its name, as --sort has it. Return: -ENOENT. */
int top_sort_find(const char *name);

#endif
