/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * swap-way.h - how what an NBD server offers becomes a block device here.
 *
 *	ublk	nbdublk and the ublk driver
 *	nbd	nbd-client and the nbd driver
 *	file	our plugin's own file, by FUSE, and a loop device
 *	fuse	nbdfuse and a loop device: a demonstration
 *
 * in this order, the first that the host has. None of the drivers is loaded by
 * looking at it but by modprobe(8), which is tried where the tool is there.
 */
#ifndef TMEM_COMMAND_SWAP_WAY_H
#define TMEM_COMMAND_SWAP_WAY_H

#include <stdint.h>

#include "swap-record.h"

#define SWAP_WAY_FAULT_MAX (SWAP_TOOL_SAY_MAX + 128u)

/** struct swap_host - where the host shows its devices; a test has its own. */
struct swap_host {
	const char *dev; /* /dev */
	const char *sys; /* /sys */
};

extern const struct swap_host swap_host_here;

/** struct swap_offer - what is to become a device. */
struct swap_offer {
	uint64_t size_bytes;
	const char *socket;
};

/**
 * struct swap_way - one of them.
 * @name: for --by and the record.
 * @summary: how it is told.
 * @caution: what there is to be warned of, or NULL.
 * @threads: of the server for each connection.
 * @serves_file: 1: the server is told to make a file of DIR/disk: ours can.
 * @lacking: what the host lacks for it, or NULL: nothing.
 * @attach: fill in @r->device and @r->attacher, both as soon as they are known;
 *	@fault: out: SWAP_WAY_FAULT_MAX bytes, a line. Return: 0, negative errno.
 * @detach: the device goes; what is not there is fine. Return: 0, negative errno
 *	with a line in @fault.
 */
struct swap_way {
	const char *name;
	const char *summary;
	const char *caution;
	const char *threads;
	int serves_file;
	const char *(*lacking)(const struct swap_host *h);
	int (*attach)(const struct swap_host *h, const struct swap_offer *o,
		      struct swap_record *r, char *fault);
	int (*detach)(const struct swap_host *h, struct swap_record *r,
		      char *fault);
};

extern const struct swap_way swap_way_ublk;
extern const struct swap_way swap_way_nbd;
extern const struct swap_way swap_way_file;
extern const struct swap_way swap_way_fuse;

/** swap_way_find() - by its name. Return: it, or NULL. */
const struct swap_way *swap_way_find(const char *name);

/**
 * swap_way_choose() - the best that the host has.
 * @fault: out: SWAP_WAY_FAULT_MAX bytes: if none, what each lacks.
 *
 * Return: it, or NULL.
 */
const struct swap_way *swap_way_choose(const struct swap_host *h, char *fault);

/* ---- for the ways --------------------------------------------------------- */

/** swap_way_tool() - 1 there is such a program, 0 none. */
int swap_way_tool(const char *name);

/** swap_way_driver() - 1 there is @node below h->dev or h->sys, maybe only after
 * modprobe of @module (NULL: it is not tried). */
int swap_way_driver(const char *root, const char *node, const char *module);

/**
 * swap_way_await() - wait until a block device has its size.
 * @name: as in /sys/block.
 * @p: who makes it; once that has ended, nobody waits; NULL: nobody's.
 *
 * Return: 0, -ETIMEDOUT, -ESRCH @p has ended, -EINTR (swap-tool.h).
 */
int swap_way_await(const struct swap_host *h, const char *name,
		   uint64_t size_bytes, const struct swap_process *p);

#endif
