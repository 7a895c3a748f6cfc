/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sqlite-token.h - what must stay the same while a database file does.
 */
#ifndef TMEM_SQLITE_TOKEN_H
#define TMEM_SQLITE_TOKEN_H

#include <stdint.h>

#include <sqlite3.h>

/** SQLITE_TOKEN_HEAD - bytes of a database's first page that are looked at. */
#define SQLITE_TOKEN_HEAD 100

/** Where in it are the bytes that SQLite compares. */
#define SQLITE_TOKEN_COUNTER 24
#define SQLITE_TOKEN_COUNTER_BYTES 16

/**
 * struct sqlite_token - a state of a database file; all zero: none.
 * @dev, @ino: which file.
 * @bytes: its length.
 * @modified_ns, @changed_ns: its times.
 * @counter: rollback journal: bytes 24 to 39 of the file, the change counter and
 *	what else SQLite compares before it trusts its own page cache.
 * @salt, @backfill: write-ahead log: which log, how much of it is in the file.
 * @wal: 1 if there is a write-ahead log.
 * @page_size: bytes.
 */
struct sqlite_token {
	uint64_t dev, ino;
	uint64_t bytes;
	uint64_t modified_ns, changed_ns;
	uint8_t counter[SQLITE_TOKEN_COUNTER_BYTES];
	uint32_t salt[2];
	uint32_t backfill;
	uint32_t wal;
	uint32_t page_size;
	uint32_t reserved;
};

/**
 * sqlite_token_times() - as far as a descriptor tells: file, length, times.
 * @fd: of the file, O_PATH.
 *
 * Return: 1; 0 the filesystem will not say.
 */
int sqlite_token_times(int fd, struct sqlite_token *ret);

/**
 * sqlite_token_rollback() - the state of a file that keeps a rollback journal.
 * @file: the default VFS's, on which the caller holds SHARED or more.
 *
 * Return: 1; 0 it cannot be known: no database, a write-ahead log in use.
 */
int sqlite_token_rollback(sqlite3_file *file, int fd, struct sqlite_token *ret);

/**
 * sqlite_token_wal() - the state of a file that has a write-ahead log.
 * @index: the wal-index's first region; the caller holds one of its locks.
 *
 * Return: 1; 0 it cannot be known, now: the wal-index is being changed, or nothing
 *	but the file's age tells it from an older one and the file is too young.
 */
int sqlite_token_wal(sqlite3_file *file, int fd, const volatile void *index,
		     struct sqlite_token *ret);

/**
 * sqlite_token_same() - whether two tokens are of one state.
 * @changing: the file's times are moving because this process checkpoints: a log
 *	and its backfill say enough then.
 */
int sqlite_token_same(const struct sqlite_token *a,
		      const struct sqlite_token *b, int changing);

/** sqlite_token_restartable() - all of the log is in the file. */
int sqlite_token_restartable(const volatile void *index);

#endif
