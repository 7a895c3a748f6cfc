/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * swap-record.h - what of a swap disk is up, written down so that another process
 * can take it down.
 *
 *	DIR/		held by flock(2) while somebody is at work on it
 *	  record	lines of NAME VALUE, replaced as a whole after each step
 *	  nbd.sock	where nbdkit listens
 *	  nbdkit.pid	there from when it listens
 *	  nbdkit.log	what it says
 *	  disk		what a file by FUSE is mounted over
 *	  attach.log	what nbdublk or nbdfuse says
 *
 * DIR is on a file system that a restart empties, like all that it speaks of.
 */
#ifndef TMEM_COMMAND_SWAP_RECORD_H
#define TMEM_COMMAND_SWAP_RECORD_H

#include <limits.h>

#include "swap-tool.h"

/** SWAP_RECORD_DIR - unless said otherwise. */
#define SWAP_RECORD_DIR "/run/tmem/swap"

/** SWAP_RECORD_DIR_MAX - longest DIR: a socket's path has 107 characters. */
#define SWAP_RECORD_DIR_MAX 96u

struct swap_record {
	char dir[SWAP_RECORD_DIR_MAX];
	int lock;		    /* DIR; -1: not held */
	char way[16];		    /* swap-way.h; "": not attached */
	char device[64];	    /* "": none */
	int device_fd;		    /* keeps it until it is in use; -1: none */
	struct swap_process server; /* nbdkit */
	struct swap_process attacher; /* nbdublk, nbdfuse */
};

/**
 * swap_record_create() - take DIR, which is not there yet, for a new disk.
 * @dir: its parent is made, too, if only that is missing.
 *
 * Return: 0; -EEXIST it is there; another negative errno.
 */
int swap_record_create(struct swap_record *r, const char *dir);

/**
 * swap_record_open() - take what is written there.
 *
 * Return: 0; -ENOENT there is none; -EBUSY somebody is at work on it; -EPROTO what is
 * there is no record; another negative errno.
 */
int swap_record_open(struct swap_record *r, const char *dir);

/** swap_record_write() - what @r says now. Return: 0, negative errno. */
int swap_record_write(const struct swap_record *r);

/**
 * swap_record_start() - swap_tool_start(), and it does nothing before it is written
 * down.
 * @p: of @r: which it is.
 * @log: its name in DIR.
 *
 * Return: 0, negative errno.
 */
int swap_record_start(struct swap_record *r, struct swap_process *p,
		      const char *const *argv, const char *log);

/** swap_record_path() - of a file in DIR. @path: out: PATH_MAX bytes. Return:
 * @path. */
const char *swap_record_path(const struct swap_record *r, const char *name,
			     char *path);

/** swap_record_remove() - DIR, once nothing is up. */
void swap_record_remove(struct swap_record *r);

/** swap_record_let_go() - of the device: it stays if it is in use. */
void swap_record_let_go(struct swap_record *r);

/** swap_record_close() - let go of DIR, which stays, and of the device. */
void swap_record_close(struct swap_record *r);

#endif
