/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sqlite-node.h - one database file as this process knows it: the state its cached
 * pages belong to.
 */
#ifndef TMEM_SQLITE_NODE_H
#define TMEM_SQLITE_NODE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/queue.h>

#include "sqlite-admit.h"
#include "sqlite-store.h"
#include "sqlite-token.h"

/** struct sqlite_counts - what has been done for a file; all (a). */
struct sqlite_counts {
	_Atomic uint64_t hits;	  /* pages the store had */
	_Atomic uint64_t misses;  /* pages it had not */
	_Atomic uint64_t stored;  /* pages it took */
	_Atomic uint64_t refused; /* pages it refused */
	_Atomic uint64_t skipped; /* pages not worth offering */
	_Atomic uint64_t idle;	  /* pages read while asking was not worth it */
	_Atomic uint64_t passed;  /* pages read while validity was unknown */
	_Atomic uint64_t checks;  /* times that validity was looked at */
	_Atomic uint64_t drops;	  /* times that everything was given up */
	_Atomic uint64_t flushed; /* pages given up, one at a time */
};

/** struct sqlite_node - shared by the file's connections. */
struct sqlite_node {
	TAILQ_ENTRY(sqlite_node) link; /* (n) the store's nodes_lock */
	unsigned refs;		       /* (n) connections */
	struct sqlite_store *store;    /* (c) */
	uint64_t dev, ino;	       /* (c) */
	int fd;	     /* (n) O_PATH, pins the inode; -1: no connections */
	int lasting; /* (c) `file` outlives all connections */
	struct tmem_precache_file file; /* (c) identity on its filesystem */
	struct sqlite_counts counts;
	struct sqlite_admit admit;
	_Atomic unsigned active; /* (a) connections in a transaction */
	_Atomic int doubted;	 /* (a) SQLite may have called it malformed */

	pthread_mutex_t lock;
	struct sqlite_token token; /* (l) lock: all zero: none */
	uint64_t life;		   /* (l) names the pages of this token */
	unsigned changing;	   /* (l) sections under way, see view */
};

/**
 * sqlite_node_get() - the node of a file that has just been opened.
 * @path: where the default VFS opened it.
 * @file: what the default VFS made of it.
 *
 * Return: the node; NULL: its identity is not sure, so nothing may be cached, or
 *	no memory.
 */
struct sqlite_node *sqlite_node_get(struct sqlite_store *store,
				    const char *path, sqlite3_file *file);

/** sqlite_node_put() - a connection ends; its pages may stay for the next. */
void sqlite_node_put(struct sqlite_node *node);

/**
 * sqlite_node_adopt() - the file is in this state.
 * @ret: out: the life that names the state's pages.
 *
 * Gives up the pages of any other state.
 *
 * Return: 1; 0 another connection of ours is changing the file and this is not
 *	the state that it started from: do without.
 */
int sqlite_node_adopt(struct sqlite_node *node,
		      const struct sqlite_token *token, uint64_t *ret);

/**
 * sqlite_node_recognise() - the short way: is it still the state that was adopted
 * last, in rollback mode?
 * @counter: SQLITE_TOKEN_COUNTER_BYTES of the file, read under this lock.
 * @ret_token: out: the state.
 *
 * Return: 1; 0 no, or not known: adopt.
 */
int sqlite_node_recognise(struct sqlite_node *node, const uint8_t *counter,
			  uint64_t *ret, struct sqlite_token *ret_token);

/** sqlite_node_begin() - adopts, and says that we alone change the file now. */
int sqlite_node_begin(struct sqlite_node *node,
		      const struct sqlite_token *token, uint64_t *ret);

/**
 * sqlite_node_end() - the change is done.
 * @life: from sqlite_node_begin().
 * @token: the state that our changes led to; NULL: unknown.
 */
void sqlite_node_end(struct sqlite_node *node, uint64_t life,
		     const struct sqlite_token *token);

/**
 * sqlite_nodes_doubt() - one of the files that have a transaction under way is
 * malformed: nothing of them is cached until all their connections are closed.
 */
void sqlite_nodes_doubt(struct sqlite_store *store);

/** sqlite_node_drop() - gives up all pages: the file has changed somehow. */
void sqlite_node_drop(struct sqlite_node *node);

#endif
