/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sqlite-token.c - reads what must stay the same while a database file does.
 *
 * Rollback journal. Whoever changes the file holds EXCLUSIVE on it, which nobody
 * gets while we hold SHARED, and changes the counter in its head. That is all
 * that SQLite goes by when it keeps its own page cache over a lock's end. It is
 * not all we go by: a writer without a journal that dies in mid-change, a backup
 * copied over the file, truncate(1), leave a counter that proves nothing, so the
 * file's length and times count as well.
 *
 * Write-ahead log. Only checkpoints change the file. What a reader takes from the
 * file (not from the log) is wholly determined by two things:
 *
 *	which log	two salts, new ones each time that the log is restarted
 *	its backfill	frames 1..n are in the file
 *
 * A page that a reader takes from the file has no frame in n+1..(its own last).
 * So its content is that of its newest frame in 1..n, else what it was before
 * the log began. A checkpoint that is under way, or died, has written pages of
 * frames above n: readers find these in the log, so it does not matter what the
 * file has. A reader may begin at n and ask for the token at a later n': the
 * pages between have frames that it sees in the log. That SQLite's readers rely on
 * the same is why it needs no lock against a checkpoint in their way.
 *
 * A log that has just come to be, when its database is opened after an orderly
 * end, has no salts yet (zeros): then file times alone tell two lives apart, and
 * count only if the file rested longer than its clock's tick. That is the kernel's,
 * or the filesystem's own: whole seconds where inodes have no room for more.
 *
 * The wal-index, in words of 32 bits (https://sqlite.org/walformat.html):
 *
 *	 0..11	header: 0 version, 3 initialised .. page size, 4 last frame,
 *		8 and 9 salts, 10 and 11 checksum
 *	12..23	the same again; a writer writes this one first
 *	24	backfill
 */
#include "sqlite-token.h"

#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum {
	INDEX_VERSION = 3007000,
	INDEX_WORDS = 25,
	HEADER_WORDS = 12,
	INDEX_PAGE_SIZE = 14,
	WORD_INIT = 3,
	WORD_LAST_FRAME = 4,
	WORD_SALT = 8,
	WORD_BACKFILL = 24,

	HEAD_PAGE_SIZE = 16,
	HEAD_WRITE_VERSION = 18,
	HEAD_READ_VERSION = 19,

	VERSION_ROLLBACK = 1,
	/* A header is changed in nanoseconds; a torn one thrice in a row means
	 * that its writer was stopped in between. */
	TRIES_MAX = 3
};

#define NS_PER_S 1000000000ull

/* A file's clock ticks at HZ, 100 at the slowest; five ticks for good measure. */
#define YOUNG_NS (50 * 1000000ull)

/* FAT counts seconds by twos, and nobody is coarser. */
#define TICK_COARSE_NS (2 * NS_PER_S)

static uint64_t ns_of(const struct timespec *t)
{
	return (uint64_t)t->tv_sec * NS_PER_S + (uint64_t)t->tv_nsec;
}

int sqlite_token_times(int fd, struct sqlite_token *ret)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return 0;
	ret->dev = st.st_dev;
	ret->ino = st.st_ino;
	ret->bytes = (uint64_t)st.st_size;
	ret->modified_ns = ns_of(&st.st_mtim);
	ret->changed_ns = ns_of(&st.st_ctim);
	return 1;
}

static int take_head(sqlite3_file *file, uint8_t *head, struct sqlite_token *ret)
{
	uint32_t size;

	if (file->pMethods->xRead(file, head, SQLITE_TOKEN_HEAD, 0) != SQLITE_OK)
		return 0;
	if (memcmp(head, "SQLite format 3", 16) != 0)
		return 0;
	size = (uint32_t)head[HEAD_PAGE_SIZE] << 8 | head[HEAD_PAGE_SIZE + 1];
	if (size == 1)
		size = 65536;
	if (size < 512 || (size & (size - 1)))
		return 0;
	ret->page_size = size;
	return 1;
}

int sqlite_token_rollback(sqlite3_file *file, int fd, struct sqlite_token *ret)
{
	uint8_t head[SQLITE_TOKEN_HEAD];
	struct sqlite_token token = { .wal = 0 };

	if (!sqlite_token_times(fd, &token) || !take_head(file, head, &token))
		return 0;
	if (head[HEAD_WRITE_VERSION] != VERSION_ROLLBACK ||
	    head[HEAD_READ_VERSION] != VERSION_ROLLBACK)
		return 0;
	memcpy(token.counter, head + SQLITE_TOKEN_COUNTER,
	       sizeof(token.counter));
	*ret = token;
	return 1;
}

/* One moment's copy of the header and the backfill. */
static int take_index(const volatile void *index, uint32_t words[INDEX_WORDS])
{
	const volatile uint32_t *from = index;
	uint32_t backfill;

	for (int tries = 0; tries < TRIES_MAX; tries++) {
		for (int i = 0; i < HEADER_WORDS; i++)
			words[i] = __atomic_load_n(&from[i], __ATOMIC_ACQUIRE);
		backfill =
			__atomic_load_n(&from[WORD_BACKFILL], __ATOMIC_ACQUIRE);
		for (int i = HEADER_WORDS; i < INDEX_WORDS; i++)
			words[i] = __atomic_load_n(&from[i], __ATOMIC_ACQUIRE);
		if (words[WORD_BACKFILL] == backfill &&
		    memcmp(words, words + HEADER_WORDS,
			   HEADER_WORDS * sizeof(*words)) == 0)
			return words[0] == INDEX_VERSION &&
			       *(const uint8_t *)&words[WORD_INIT];
	}
	return 0;
}

/* Bytes 14 and 15, in the machine's order; 65536 does not fit and is 1. */
static uint32_t index_page_size(const uint32_t words[INDEX_WORDS])
{
	uint16_t size;

	memcpy(&size, (const uint8_t *)words + INDEX_PAGE_SIZE, sizeof(size));
	return (size & 0xfe00u) + ((size & 1u) << 16);
}

/* A clock that is finer says a whole second twice by chance alone. */
static uint64_t tick_ns(const struct sqlite_token *token)
{
	return token->modified_ns % NS_PER_S || token->changed_ns % NS_PER_S
		       ? 0
		       : TICK_COARSE_NS;
}

static int is_young(const struct sqlite_token *token)
{
	struct timespec now;
	uint64_t since;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	since = ns_of(&now) - YOUNG_NS - tick_ns(token);
	return token->modified_ns > since || token->changed_ns > since;
}

int sqlite_token_wal(sqlite3_file *file, int fd, const volatile void *index,
		     struct sqlite_token *ret)
{
	uint8_t head[SQLITE_TOKEN_HEAD];
	uint32_t words[INDEX_WORDS];
	struct sqlite_token token = { .wal = 1 };

	if (!sqlite_token_times(fd, &token) || !take_index(index, words))
		return 0;
	/* A log being restarted has its new salts before its backfill is 0. */
	if (words[WORD_BACKFILL] > words[WORD_LAST_FRAME])
		return 0;
	memcpy(token.salt, &words[WORD_SALT], sizeof(token.salt));
	token.page_size = index_page_size(words);
	/* A log that nothing has been written to has not heard of it. */
	if (!token.page_size && !take_head(file, head, &token))
		return 0;
	token.backfill = words[WORD_BACKFILL];
	if (!token.salt[0] && !token.salt[1] && is_young(&token))
		return 0;
	*ret = token;
	return 1;
}

int sqlite_token_restartable(const volatile void *index)
{
	uint32_t words[INDEX_WORDS];

	return take_index(index, words) &&
	       words[WORD_BACKFILL] == words[WORD_LAST_FRAME];
}

int sqlite_token_same(const struct sqlite_token *a,
		      const struct sqlite_token *b, int changing)
{
	if (!changing || !a->wal || !b->wal || (!a->salt[0] && !a->salt[1]))
		return memcmp(a, b, sizeof(*a)) == 0;
	return a->dev == b->dev && a->ino == b->ino &&
	       a->salt[0] == b->salt[0] && a->salt[1] == b->salt[1] &&
	       a->backfill == b->backfill && a->page_size == b->page_size;
}
