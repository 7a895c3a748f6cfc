/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * swap-disk.h - a swap disk whose pages lie in a store: set up, taken down.
 *
 *	kernel -> block device -> (swap-way.h) -> nbdkit + tmem plugin -> store
 */
#ifndef TMEM_COMMAND_SWAP_DISK_H
#define TMEM_COMMAND_SWAP_DISK_H

#include <stdint.h>

#include "swap-way.h"

#define SWAP_DISK_FAULT_MAX (SWAP_WAY_FAULT_MAX + 256u)

/** SWAP_DISK_BYTES_MIN - less is refused: the kernel wants ten pages. */
#define SWAP_DISK_BYTES_MIN (1ull << 20)

/** SWAP_DISK_PRIORITY_MAX - the kernel's. */
#define SWAP_DISK_PRIORITY_MAX 32767u

/** struct swap_wish - what is asked for; NULL: the plugin's own default. */
struct swap_wish {
	const char *dir; /* of the record */
	uint64_t size_bytes;
	unsigned priority;
	const struct swap_way *way; /* NULL: the best there is */
	const char *plugin;	    /* NULL: ours */
	const char *backing, *store, *domain, *limit; /* the plugin's */
};

/** struct swap_disk - what came of it. */
struct swap_disk {
	char device[64];
	const struct swap_way *way;
	int discards;	     /* 1: the device takes them */
	int zswap;	     /* 1: zswap is in front */
	int unprotected;     /* 1: the servers are not (swap-tool.h) */
	uint64_t home_bytes; /* brought home by swap_disk_down() */
	char fault[SWAP_DISK_FAULT_MAX];
};

/**
 * swap_disk_up() - set one up; where a step fails, those before it are undone, as
 * where it is interrupted (swap_tool_hold_signals()).
 *
 * Return: 0; negative errno, told in @d->fault.
 */
int swap_disk_up(struct swap_disk *d, const struct swap_wish *w);

/**
 * swap_disk_down() - bring all pages home, and take it down.
 *
 * Where they do not fit, the disk stays as it is.
 *
 * Return: 0; negative errno, told in @d->fault.
 */
int swap_disk_down(struct swap_disk *d, const char *dir);

#endif
