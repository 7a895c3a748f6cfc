/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-precache.c - libprecache: what a filesystem relies on, what a file is
 * called, and what happens without a store, a pool or an identity.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "content.h"
#include "leftover.h"
#include "opened.h"
#include "unit.h"
#include <tmem/precache.h>

#define WHERE "embedded:size=8M"

/* A file is young for 50 ms; no machine takes longer each time. */
#define YOUNG_TRIES 20

static const struct tmem_precache_file one = { { 1, 2, 3 } };
static const struct tmem_precache_file other = { { 1, 2, 4 } };

struct fixture {
	struct opened store;
	struct tmem_precache *pc;
	uint8_t a[65536], b[65536], got[65536];
};

static void begin(struct fixture *f, uint32_t flags, uint32_t page_size)
{
	struct tmem_precache_opts opts = {
		.size = sizeof(opts),
		.flags = flags,
		.page_size = page_size,
		.name = "test",
	};

	page_fill(f->a, sizeof(f->a), CONTENT_RANDOM, 1);
	page_fill(f->b, sizeof(f->b), CONTENT_RANDOM, 2);
	opened_init(&f->store, WHERE);
	assert_int_equal(tmem_precache_init(f->store.t, &opts, &f->pc), 0);
}

static void end(struct fixture *f)
{
	tmem_precache_finish(f->pc);
	assert_int_equal(opened_stats(&f->store).pools, 0);
	opened_finish(&f->store);
}

/* Victims: a page is in one cache or in the other. */
static void a_get_takes(void **state)
{
	static struct fixture f;

	(void)state;
	begin(&f, 0, 0);
	assert_int_equal(tmem_precache_put(f.pc, &one, 7, f.a), 1);
	assert_int_equal(tmem_precache_get(f.pc, &other, 7, f.got), 0);
	assert_int_equal(tmem_precache_get(f.pc, &one, 8, f.got), 0);
	assert_int_equal(tmem_precache_get(f.pc, &one, 7, f.got), 1);
	assert_memory_equal(f.got, f.a, 4096);
	assert_int_equal(tmem_precache_get(f.pc, &one, 7, f.got), 0);
	end(&f);
}

static void keep_keeps_every_page_size(void **state)
{
	static struct fixture f;

	(void)state;
	for (uint32_t size = 4096; size <= 65536; size *= 2) {
		begin(&f, TMEM_PRECACHE_KEEP, size);
		assert_int_equal(tmem_precache_put(f.pc, &one, 7, f.a), 1);
		for (int i = 0; i < 2; i++) {
			memset(f.got, 0, sizeof(f.got));
			assert_int_equal(
				tmem_precache_get(f.pc, &one, 7, f.got), 1);
			assert_memory_equal(f.got, f.a, size);
		}
		end(&f);
	}
}

static void put_put_get_is_the_second(void **state)
{
	static struct fixture f;

	(void)state;
	begin(&f, TMEM_PRECACHE_KEEP, 0);
	assert_int_equal(tmem_precache_put(f.pc, &one, 7, f.a), 1);
	assert_int_equal(tmem_precache_put(f.pc, &one, 7, f.b), 1);
	assert_int_equal(tmem_precache_get(f.pc, &one, 7, f.got), 1);
	assert_memory_equal(f.got, f.b, 4096);
	/* A refused one leaves nothing. */
	assert_int_equal(tmem_freeze(f.store.t, 1), 0);
	assert_int_equal(tmem_precache_put(f.pc, &one, 7, f.a), 0);
	assert_int_equal(tmem_precache_get(f.pc, &one, 7, f.got), 0);
	end(&f);
}

static void flushes_reach_what_they_name(void **state)
{
	static struct fixture f;

	(void)state;
	begin(&f, TMEM_PRECACHE_KEEP, 0);
	for (uint64_t i = 0; i < 3; i++) {
		assert_int_equal(tmem_precache_put(f.pc, &one, i, f.a), 1);
		assert_int_equal(tmem_precache_put(f.pc, &other, i, f.b), 1);
	}
	assert_int_equal(tmem_freeze(f.store.t, 1), 0);
	assert_int_equal(tmem_precache_flush(f.pc, &one, 1), 1);
	assert_int_equal(tmem_precache_flush(f.pc, &one, 1), 0);
	assert_int_equal(tmem_precache_get(f.pc, &one, 1, f.got), 0);
	assert_int_equal(tmem_precache_get(f.pc, &one, 2, f.got), 1);
	assert_int_equal(tmem_precache_flush_inode(f.pc, &one), 1);
	assert_int_equal(tmem_precache_flush_inode(f.pc, &one), 0);
	assert_int_equal(tmem_precache_get(f.pc, &one, 2, f.got), 0);
	assert_int_equal(tmem_precache_get(f.pc, &other, 2, f.got), 1);
	assert_int_equal(tmem_precache_flush_filesystem(f.pc), 1);
	assert_int_equal(tmem_precache_flush_filesystem(f.pc), 0);
	assert_int_equal(tmem_precache_get(f.pc, &other, 2, f.got), 0);
	end(&f);
}

/* No pool before the first put, nor after a flush of all; a new one then. */
static void a_put_makes_the_pool(void **state)
{
	static struct fixture f;
	struct tmem_pool_stats s = { .size = sizeof(s) };

	(void)state;
	begin(&f, 0, 8192);
	assert_int_equal(tmem_precache_get(f.pc, &one, 1, f.got), 0);
	assert_int_equal(tmem_precache_flush(f.pc, &one, 1), 0);
	assert_int_equal(tmem_precache_flush_inode(f.pc, &one), 0);
	assert_int_equal(opened_stats(&f.store).pools, 0);
	assert_int_equal(tmem_precache_stats(f.pc, &s), 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(tmem_precache_put(f.pc, &one, 1, f.a), 1);
		assert_int_equal(opened_stats(&f.store).pools, 1);
		assert_int_equal(tmem_precache_stats(f.pc, &s), 1);
		assert_int_equal(s.page_size, 8192);
		assert_int_equal(s.pages_ephemeral, 1);
		assert_int_equal(tmem_precache_flush_filesystem(f.pc), 1);
		assert_int_equal(opened_stats(&f.store).pools, 0);
		assert_int_equal(tmem_precache_get(f.pc, &one, 1, f.got), 0);
	}
	end(&f);
}

/* A put that finds no pool left is refused, and tried anew by the next. */
static void no_pool_is_a_refusal(void **state)
{
	static struct fixture f;
	int pools[TMEM_POOLS_MAX];

	(void)state;
	begin(&f, 0, 0);
	for (int i = 0; i < TMEM_POOLS_MAX; i++)
		pools[i] = opened_pool(&f.store, 0, 0);
	assert_int_equal(tmem_precache_put(f.pc, &one, 1, f.a), 0);
	assert_int_equal(tmem_pool_destroy(f.store.t, pools[9]), 0);
	assert_int_equal(tmem_precache_put(f.pc, &one, 1, f.a), 1);
	assert_int_equal(tmem_precache_get(f.pc, &one, 1, f.got), 1);
	for (int i = 0; i < TMEM_POOLS_MAX; i++)
		(void)tmem_pool_destroy(f.store.t, pools[i]);
	end(&f);
}

static void without_a_store_all_is_nothing(void **state)
{
	struct tmem_precache *pc = (struct tmem_precache *)0x5a5a5a50;
	struct tmem_pool_stats s = { .size = sizeof(s) };
	uint8_t page[4096];

	(void)state;
	assert_int_equal(tmem_precache_init(NULL, NULL, &pc), 0);
	assert_null(pc);
	assert_int_equal(tmem_precache_put(pc, &one, 1, page), 0);
	assert_int_equal(tmem_precache_get(pc, &one, 1, page), 0);
	assert_int_equal(tmem_precache_flush(pc, &one, 1), 0);
	assert_int_equal(tmem_precache_flush_inode(pc, &one), 0);
	assert_int_equal(tmem_precache_flush_filesystem(pc), 0);
	assert_int_equal(tmem_precache_stats(pc, &s), 0);
	tmem_precache_finish(pc);
}

static void bad_arguments_change_nothing(void **state)
{
	static const struct tmem_precache_opts bad[] = {
		{ .size = 0 },
		{ .size = sizeof(bad[0]) - 1 },
		{ .size = sizeof(bad[0]), .flags = 2 },
		{ .size = sizeof(bad[0]), .page_size = 2048 },
		{ .size = sizeof(bad[0]), .page_size = 5000 },
		{ .size = sizeof(bad[0]), .page_size = 131072 },
	};
	struct {
		struct tmem_precache_opts known;
		uint64_t later;
	} newer = { .known = { .size = sizeof(newer) } };
	struct tmem_precache *pc = NULL;
	static struct fixture f;

	(void)state;
	begin(&f, 0, 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(tmem_precache_init(f.store.t, &bad[i], &pc),
				 -EINVAL);
		assert_int_equal(tmem_precache_shared_init(f.store.t, &bad[i],
							   &pc),
				 -EINVAL);
	}
	newer.later = 1;
	assert_int_equal(tmem_precache_init(f.store.t, &newer.known, &pc),
			 -E2BIG);
	assert_null(pc);
	newer.later = 0;
	assert_int_equal(tmem_precache_init(f.store.t, &newer.known, &pc), 0);
	tmem_precache_finish(pc);
	assert_int_equal(tmem_precache_init(f.store.t, NULL, NULL), -EINVAL);
	assert_int_equal(tmem_precache_put(f.pc, NULL, 1, f.a), -EINVAL);
	assert_int_equal(tmem_precache_put(f.pc, &one, 1, NULL), -EINVAL);
	assert_int_equal(tmem_precache_get(f.pc, NULL, 1, f.a), -EINVAL);
	assert_int_equal(tmem_precache_get(f.pc, &one, 1, NULL), -EINVAL);
	assert_int_equal(tmem_precache_flush(f.pc, NULL, 1), -EINVAL);
	assert_int_equal(tmem_precache_flush_inode(f.pc, NULL), -EINVAL);
	assert_int_equal(tmem_precache_identify(0, NULL), -EINVAL);
	end(&f);
}

/* The day stores have shared pools, this test is to be about them. */
static void shared_is_refused_at_once(void **state)
{
	struct tmem_precache_opts opts = { .size = sizeof(opts) };
	struct tmem_precache *pc = NULL;
	static struct fixture f;

	(void)state;
	begin(&f, 0, 0);
	assert_int_equal(tmem_precache_shared_init(f.store.t, &opts, &pc),
			 -EOPNOTSUPP);
	assert_null(pc);
	assert_int_equal(tmem_precache_shared_init(f.store.t, NULL, &pc),
			 -EINVAL);
	end(&f);
}

/* ---- Identity ----------------------------------------------------------- */

struct scratch {
	char dir[64], path[96];
};

static void scratch_init(struct scratch *s)
{
	(void)snprintf(s->dir, sizeof(s->dir), "%s/tmem-precache-XXXXXX",
		       getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	assert_non_null(mkdtemp(s->dir));
	(void)snprintf(s->path, sizeof(s->path), "%s/file", s->dir);
}

static void scratch_finish(struct scratch *s)
{
	(void)unlink(s->path);
	assert_int_equal(rmdir(s->dir), 0);
}

/* Makes the file anew if it is not there; a descriptor that reads nothing. */
static int name_file(const struct scratch *s, struct tmem_precache_file *ret)
{
	int fd = open(s->path, O_RDWR | O_CREAT, 0600);
	int by;

	assert_true(fd >= 0);
	(void)close(fd);
	fd = open(s->path, O_PATH);
	assert_true(fd >= 0);
	by = tmem_precache_identify(fd, ret);
	(void)close(fd);
	return by;
}

static int same(const struct tmem_precache_file *a,
		const struct tmem_precache_file *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* Filesystems give an inode's number again at once; its generation is new. */
static void a_handle_outlives_the_inode_and_no_more(void **state)
{
	struct tmem_precache_file first, again, next;
	struct scratch s;
	int by;

	(void)state;
	scratch_init(&s);
	by = name_file(&s, &first);
	if (by != TMEM_PRECACHE_BY_HANDLE) {
		scratch_finish(&s);
		skip_for("no file handles here");
	}
	assert_int_equal(truncate(s.path, 12345), 0);
	assert_int_equal(chmod(s.path, 0640), 0);
	assert_int_equal(name_file(&s, &again), by);
	assert_true(same(&first, &again));
	for (int i = 0; i < 16; i++) {
		assert_int_equal(unlink(s.path), 0);
		assert_int_equal(name_file(&s, &next), by);
		assert_false(same(&again, &next));
		again = next;
	}
	scratch_finish(&s);
}

/* What has no identity is said to have none. */
static void some_files_are_not_cached(void **state)
{
	struct tmem_precache_file file;
	int fds[2], fd;

	(void)state;
	assert_int_equal(tmem_precache_identify(-1, &file), -EBADF);
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(tmem_precache_identify(fds[0], &file), -EOPNOTSUPP);
	(void)close(fds[0]);
	(void)close(fds[1]);
	fd = open("/", O_RDONLY | O_DIRECTORY);
	assert_int_equal(tmem_precache_identify(fd, &file), -EOPNOTSUPP);
	(void)close(fd);
}

/** struct young - a file of procfs, as old as the first look at it. */
struct young {
	pid_t child;
	int fd;
};

static void young_begin(struct young *y)
{
	char path[64];

	y->child = fork();
	assert_true(y->child >= 0);
	if (!y->child) {
		(void)pause();
		_exit(0);
	}
	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)y->child);
	y->fd = open(path, O_RDONLY);
	assert_true(y->fd >= 0);
}

static void young_end(struct young *y)
{
	(void)close(y->fd);
	assert_int_equal(kill(y->child, SIGKILL), 0);
	assert_int_equal(waitpid(y->child, NULL, 0), y->child);
}

/*
 * Without a handle the change time names the file, but not while a second change
 * could bear the same time. procfs has no handles. On a busy machine a file may not be
 * young any more when it is asked about, but not every time.
 */
static void young_files_wait(void **state)
{
	const struct timespec rest = { .tv_nsec = 100 * 1000000 };
	struct tmem_precache_file file, again;
	struct young y;
	int i, by;

	(void)state;
	young_begin(&y);
	for (i = 1; tmem_precache_identify(y.fd, &file) != -EAGAIN; i++) {
		assert_true(i < YOUNG_TRIES);
		young_end(&y);
		young_begin(&y);
	}
	(void)nanosleep(&rest, NULL);
	by = tmem_precache_identify(y.fd, &file);
	assert_int_equal(by, TMEM_PRECACHE_BY_TIME);
	assert_int_equal(tmem_precache_identify(y.fd, &again), by);
	assert_true(same(&file, &again));
	young_end(&y);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_get_takes),
		cmocka_unit_test(keep_keeps_every_page_size),
		cmocka_unit_test(put_put_get_is_the_second),
		cmocka_unit_test(flushes_reach_what_they_name),
		cmocka_unit_test(a_put_makes_the_pool),
		cmocka_unit_test(no_pool_is_a_refusal),
		cmocka_unit_test(without_a_store_all_is_nothing),
		cmocka_unit_test(bad_arguments_change_nothing),
		cmocka_unit_test(shared_is_refused_at_once),
		cmocka_unit_test(a_handle_outlives_the_inode_and_no_more),
		cmocka_unit_test(some_files_are_not_cached),
		cmocka_unit_test(young_files_wait),
		cmocka_unit_test(leftover_none),
	};

	return cmocka_run_group_tests(tests, leftover_note, NULL);
}
