/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-volume.c - the disk behind the nbdkit plugin, without nbdkit: every change of
 * state a page can make, homes that fail, and random requests while the store is
 * frozen, shrunk, limited and refused segments, and pages are taken home.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "content.h"
#include "fault.h"
#include "home.h"
#include "leftover.h"
#include "machine.h"
#include "opened.h"
#include "random-ops.h"
#include "rng.h"
#include "unit.h"
#include "volume.h"

#define PAGE 4096u
#define PAGES 2048u
#define BYTES ((uint64_t)PAGES * PAGE)
#define WHERE "embedded:size=4M"

/* ---- Memory that requests ask for ------------------------------------------- */

/* This thread's calls count; volatile: a compiler knows that malloc() does not look. */
static _Thread_local volatile int counting;
static _Atomic unsigned allocations;

#if !MACHINE_SANITIZED
/* In place of the C library's, which has its own under this name. */
void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *old, size_t bytes);

void *malloc(size_t bytes)
{
	allocations += (unsigned)counting;
	return __libc_malloc(bytes);
}

void *calloc(size_t count, size_t bytes)
{
	allocations += (unsigned)counting;
	return __libc_calloc(count, bytes);
}

void *realloc(void *old, size_t bytes)
{
	allocations += (unsigned)counting;
	return __libc_realloc(old, bytes);
}
#endif

/* ---- What happens in the middle of home's I/O ------------------------------ */

static struct {
	void (*writing)(void); /* NULL: nothing */
	void (*syncing)(void);
	int sync_errno; /* 0: syncs succeed */
	unsigned syncs;
} middle;

/* In place of the C library's, which home.c would call. */
ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at)
{
	if (middle.writing)
		middle.writing();
	return syscall(SYS_pwrite64, fd, bytes, count, at);
}

int fdatasync(int fd)
{
	(void)fd;
	middle.syncs++;
	if (middle.syncing)
		middle.syncing();
	errno = middle.sync_errno;
	return middle.sync_errno ? -1 : 0;
}

struct scene {
	struct opened store;
	struct home home;
	struct volume v;
	char path[64];
	uint8_t a[PAGE], b[PAGE], got[PAGE];
};

static struct scene scene; /* too large for a stack */

static struct scene *begin(int with_home)
{
	struct scene *s = &scene;
	char line[HOME_LINE_MAX];
	struct volume_opts opts = { .pages = PAGES, .name = "test" };
	int fd;

	memset(s, 0, sizeof(*s));
	s->home.fd = -1;
	page_fill(s->a, PAGE, CONTENT_RANDOM, 1);
	page_fill(s->b, PAGE, CONTENT_RANDOM, 2);
	opened_init(&s->store, WHERE);
	opts.session = s->store.t;
	if (with_home) {
		strcpy(s->path, "/tmp/tmem-volume.XXXXXX");
		fd = mkstemp(s->path);
		assert_true(fd >= 0);
		assert_int_equal(ftruncate(fd, BYTES), 0);
		(void)close(fd);
		assert_int_equal(home_open(&s->home, s->path, BYTES, line), 0);
		opts.home = &s->home;
	}
	assert_int_equal(volume_init(&s->v, &opts), 0);
	return s;
}

static void end(struct scene *s)
{
	volume_finish(&s->v);
	home_close(&s->home);
	if (s->path[0])
		(void)unlink(s->path);
	opened_finish(&s->store);
}

static void expect(struct scene *s, uint64_t page, const uint8_t *want)
{
	static const uint8_t zeros[PAGE];

	memset(s->got, 0x5a, PAGE);
	assert_int_equal(volume_read(&s->v, s->got, PAGE, page * PAGE), 0);
	assert_memory_equal(s->got, want ? want : zeros, PAGE);
}

static int write_page(struct scene *s, uint64_t page, const uint8_t *bytes)
{
	return volume_write(&s->v, bytes, PAGE, page * PAGE);
}

static int is_data(struct scene *s, uint64_t page)
{
	int data;

	assert_true(volume_extent(&s->v, page * PAGE, PAGE, &data) == PAGE);
	return data;
}

/* none -> stored -> home -> stored -> none, and what was written last is read. */
static void pages_go_to_and_fro(void **state)
{
	struct scene *s = begin(1);

	(void)state;
	expect(s, 7, NULL);
	assert_false(is_data(s, 7));
	assert_int_equal(write_page(s, 7, s->a), 0);
	assert_true(tmem_preswap_stored(s->v.area, 7, 1));
	expect(s, 7, s->a);
	assert_int_equal(tmem_freeze(s->store.t, 1), 0);
	assert_int_equal(write_page(s, 7, s->b), 0);
	assert_false(tmem_preswap_stored(s->v.area, 7, 1));
	expect(s, 7, s->b);
	assert_true(is_data(s, 7));
	assert_int_equal(tmem_freeze(s->store.t, 0), 0);
	assert_int_equal(write_page(s, 7, s->a), 0);
	expect(s, 7, s->a);
	assert_int_equal(tmem_preswap_shrink(s->v.area, 0, NULL), 0);
	assert_false(tmem_preswap_stored(s->v.area, 7, 1));
	expect(s, 7, s->a);
	assert_int_equal(volume_trim(&s->v, PAGE, 7 * PAGE), 0);
	expect(s, 7, NULL);
	assert_false(is_data(s, 7));
	end(s);
}

/* What pages took home leaves no room there when they are trimmed. */
static void home_gets_its_room_back(void **state)
{
	struct scene *s = begin(1);
	struct stat st;
	uint64_t page;

	(void)state;
	for (page = 0; page < 64; page++)
		assert_int_equal(write_page(s, page, s->a), 0);
	assert_int_equal(tmem_preswap_shrink(s->v.area, 0, NULL), 0);
	assert_int_equal(fsync(s->home.fd), 0);
	assert_int_equal(fstat(s->home.fd, &st), 0);
	assert_true((uint64_t)st.st_blocks * 512 >= 64 * PAGE);
	assert_int_equal(volume_trim(&s->v, 64 * PAGE, 0), 0);
	assert_int_equal(fsync(s->home.fd), 0);
	assert_int_equal(fstat(s->home.fd, &st), 0);
	assert_true((uint64_t)st.st_blocks * 512 < 16 * PAGE);
	end(s);
}

/* A part of a page, wherever the rest of it lies. */
static void parts_keep_the_rest(void **state)
{
	struct scene *s = begin(1);
	uint8_t want[PAGE];

	(void)state;
	assert_int_equal(volume_write(&s->v, "hello", 5, 3 * PAGE - 2), 0);
	expect(s, 4, NULL);
	assert_int_equal(volume_read(&s->v, want, 5, 3 * PAGE - 2), 0);
	assert_memory_equal(want, "hello", 5);
	assert_int_equal(write_page(s, 9, s->a), 0);
	assert_int_equal(tmem_freeze(s->store.t, 1), 0);
	assert_int_equal(volume_write(&s->v, s->b, 100, 9 * PAGE + 50), 0);
	memcpy(want, s->a, PAGE);
	memcpy(want + 50, s->b, 100);
	expect(s, 9, want);
	assert_int_equal(volume_zero(&s->v, 60, 9 * PAGE + 20), 0);
	memset(want + 20, 0, 60);
	expect(s, 9, want);
	/* A trim leaves parts of pages alone; zeroing what is zero writes none. */
	assert_int_equal(volume_trim(&s->v, PAGE, 9 * PAGE + 1), 0);
	expect(s, 9, want);
	assert_int_equal(volume_zero(&s->v, 60, 11 * PAGE + 20), 0);
	assert_false(is_data(s, 11));
	end(s);
}

static void extents_are_of_one_kind(void **state)
{
	struct scene *s = begin(1);
	int data;

	(void)state;
	assert_true(volume_extent(&s->v, 0, BYTES, &data) == BYTES);
	assert_false(data);
	assert_int_equal(write_page(s, 70, s->a), 0);
	assert_true(volume_extent(&s->v, 5, BYTES - 5, &data) == 70 * PAGE - 5);
	assert_false(data);
	assert_true(volume_extent(&s->v, 70 * PAGE, BYTES / 2, &data) == PAGE);
	assert_true(data);
	assert_true(volume_extent(&s->v, 70 * PAGE, 10, &data) == 10);
	end(s);
}

/* Without a home a refusal is an error, told soon; the page's bytes are gone, and
 * nobody gets zeros instead. */
static void refused_and_homeless_is_lost(void **state)
{
	struct scene *s = begin(0);

	(void)state;
	assert_int_equal(write_page(s, 7, s->a), 0);
	assert_int_equal(tmem_freeze(s->store.t, 1), 0);
	assert_int_equal(write_page(s, 7, s->b), -ENOSPC);
	assert_int_equal(write_page(s, 8, s->b), -ENOSPC); /* without waiting */
	assert_int_equal(volume_read(&s->v, s->got, PAGE, 7 * PAGE), -EIO);
	assert_int_equal(volume_write(&s->v, "x", 1, 7 * PAGE), -EIO);
	assert_true(is_data(s, 7));
	assert_int_equal(tmem_freeze(s->store.t, 0), 0);
	assert_int_equal(write_page(s, 7, s->a), 0);
	expect(s, 7, s->a);
	assert_int_equal(volume_zero(&s->v, PAGE, 8 * PAGE), 0);
	expect(s, 8, NULL);
	end(s);
}

static void *thaw_soon(void *arg)
{
	const struct timespec t = { .tv_nsec = 50 * 1000000l };

	(void)nanosleep(&t, NULL);
	(void)tmem_freeze(arg, 0);
	return NULL;
}

/* Memory that is on its way is waited for. */
static void refused_for_a_while(void **state)
{
	struct scene *s = begin(0);
	pthread_t thread;

	(void)state;
	assert_int_equal(tmem_freeze(s->store.t, 1), 0);
	assert_int_equal(pthread_create(&thread, NULL, thaw_soon, s->store.t),
			 0);
	assert_int_equal(write_page(s, 7, s->a), 0);
	(void)pthread_join(thread, NULL);
	expect(s, 7, s->a);
	end(s);
}

/* One long refusal long ago is no reason to have no patience with the next. */
static void patience_comes_back(void **state)
{
	struct scene *s = begin(0);
	pthread_t thread;

	(void)state;
	assert_int_equal(tmem_freeze(s->store.t, 1), 0);
	assert_int_equal(write_page(s, 7, s->a), -ENOSPC);
	assert_int_equal(tmem_freeze(s->store.t, 0), 0);
	assert_int_equal(write_page(s, 7, s->a), 0);
	assert_int_equal(tmem_freeze(s->store.t, 1), 0);
	assert_int_equal(pthread_create(&thread, NULL, thaw_soon, s->store.t),
			 0);
	assert_int_equal(write_page(s, 7, s->b), 0);
	(void)pthread_join(thread, NULL);
	expect(s, 7, s->b);
	end(s);
}

/* Not even while the store fills up, and what it refuses goes home. */
static void requests_ask_for_no_memory(void **state)
{
	static uint8_t run[32 * PAGE];
	struct scene *s = begin(1);
	struct tmem_preswap_stats stats = { .size = sizeof(stats) };
	void *volatile some;
	uint64_t page;
	int data, err = 0;

	(void)state;
	page_fill(run, sizeof(run), CONTENT_RANDOM, 3);
	counting = 1;
	some = malloc(1);
	counting = 0;
	assert_int_equal(allocations, !MACHINE_SANITIZED); /* it counts */
	free(some);
	allocations = 0;
	counting = 1;
	for (page = 0; page < PAGES; page += 32) {
		err |= volume_write(&s->v, run, sizeof(run), page * PAGE);
		err |= volume_write(&s->v, run, 5000, page * PAGE + 100);
		err |= volume_read(&s->v, run, sizeof(run), page * PAGE);
		err |= volume_read(&s->v, run, 5000, page * PAGE + 100);
	}
	(void)volume_extent(&s->v, 0, BYTES, &data);
	err |= volume_zero(&s->v, 9 * PAGE, 100);
	err |= volume_trim(&s->v, BYTES / 2, 0);
	err |= volumes_sync(&s->v, 1);
	counting = 0;
	assert_int_equal(err, 0);
	assert_int_equal(tmem_preswap_stats(s->v.area, &stats), 0);
	assert_true(stats.succ_stores && stats.failed_stores);
	assert_int_equal(allocations, 0);
	end(s);
}

/* Home is full or gone: the write is told so, and other pages are as they were. */
static void home_that_fails(void **state)
{
	struct scene *s = begin(1);
	int fd = s->home.fd;

	(void)state;
	assert_int_equal(tmem_freeze(s->store.t, 1), 0);
	assert_int_equal(write_page(s, 6, s->a), 0);
	assert_int_equal(tmem_freeze(s->store.t, 0), 0);
	assert_int_equal(write_page(s, 7, s->a), 0);
	s->home.fd = open("/dev/full", O_RDWR | O_CLOEXEC);
	assert_true(s->home.fd >= 0);
	/* What could not go home stays. */
	assert_int_equal(tmem_preswap_shrink(s->v.area, 0, NULL), -ENOSPC);
	expect(s, 7, s->a);
	assert_int_equal(tmem_freeze(s->store.t, 1), 0);
	assert_int_equal(write_page(s, 7, s->b), -ENOSPC);
	assert_int_equal(volume_read(&s->v, s->got, PAGE, 7 * PAGE), -EIO);
	(void)close(s->home.fd);
	s->home.fd = fd;
	assert_int_equal(volume_read(&s->v, s->got, PAGE, 7 * PAGE), -EIO);
	expect(s, 6, s->a);
	assert_int_equal(write_page(s, 7, s->b), 0);
	expect(s, 7, s->b);
	/* It became shorter: an error, not zeros. */
	assert_int_equal(truncate(s->path, PAGE), 0);
	assert_int_equal(volume_read(&s->v, s->got, PAGE, 7 * PAGE), -EIO);
	end(s);
}

static void interrupt_once(void)
{
	middle.sync_errno = middle.syncs == 1 ? EINTR : 0;
}

/* A signal is no failure of the medium (file systems of other machines and programs
 * tell of it). */
static void an_interrupted_sync(void **state)
{
	struct scene *s = begin(1);

	(void)state;
	assert_int_equal(tmem_freeze(s->store.t, 1), 0);
	assert_int_equal(write_page(s, 7, s->a), 0);
	middle.syncs = 0;
	middle.syncing = interrupt_once;
	assert_int_equal(volumes_sync(&s->v, 1), 0);
	middle.syncing = NULL;
	middle.sync_errno = 0;
	expect(s, 7, s->a);
	end(s);
}

static void what_a_failed_sync_leaves(void **state)
{
	struct scene *s = begin(1);

	(void)state;
	assert_int_equal(write_page(s, 5, s->a), 0);
	assert_int_equal(tmem_freeze(s->store.t, 1), 0);
	assert_int_equal(write_page(s, 7, s->a), 0);
	middle.sync_errno = EIO;
	assert_int_equal(volumes_sync(&s->v, 1), -EIO);
	middle.sync_errno = 0;
	assert_int_equal(volume_read(&s->v, s->got, PAGE, 7 * PAGE), -EIO);
	expect(s, 5, s->a);
	assert_int_equal(write_page(s, 7, s->b), 0);
	expect(s, 7, s->b);
	end(s);
}

/* ---- Two requests at once --------------------------------------------------- */

static void rest_ms(unsigned ms)
{
	const struct timespec t = { .tv_nsec = ms * 1000000l };

	(void)nanosleep(&t, NULL);
}

/** struct other - what another thread does meanwhile. */
static struct other {
	pthread_t thread;
	int result;
	_Atomic int begun, over;
	_Atomic int joined; /* whoever began it is there, too */
} other;

static void other_begin(void *(*what)(void *))
{
	memset(&other, 0, sizeof(other));
	assert_int_equal(pthread_create(&other.thread, NULL, what, &scene), 0);
}

static void *ask_extent(void *arg)
{
	other.result = is_data(arg, 7);
	return NULL;
}

static void ask_in_another_thread(void)
{
	middle.writing = NULL;
	other_begin(ask_extent);
	rest_ms(20);
}

/* It was data and will be data; in between neither store nor home has it. */
static void extents_while_a_page_goes_home(void **state)
{
	struct scene *s = begin(1);

	(void)state;
	assert_int_equal(write_page(s, 7, s->a), 0);
	assert_int_equal(tmem_freeze(s->store.t, 1), 0);
	middle.writing = ask_in_another_thread;
	assert_int_equal(write_page(s, 7, s->b), 0);
	(void)pthread_join(other.thread, NULL);
	assert_int_equal(other.result, 1);
	end(s);
}

static void sync_it(void)
{
	middle.writing = NULL;
	assert_int_equal(volumes_sync(&scene.v, 1), 0);
}

/* A sync while a page is on its way is not for that page. */
static void a_sync_amid_a_write(void **state)
{
	struct scene *s = begin(1);

	(void)state;
	assert_int_equal(tmem_freeze(s->store.t, 1), 0);
	assert_int_equal(write_page(s, 6, s->a), 0);
	middle.writing = sync_it;
	assert_int_equal(write_page(s, 7, s->a), 0);
	middle.syncs = 0;
	assert_int_equal(volumes_sync(&s->v, 1), 0);
	assert_int_equal(middle.syncs, 1);
	assert_int_equal(volumes_sync(&s->v, 1), 0);
	assert_int_equal(middle.syncs, 1);
	end(s);
}

static void *sync_there(void *arg)
{
	struct scene *s = arg;

	other.result = volumes_sync(&s->v, 1);
	return NULL;
}

static void take_long(void)
{
	middle.syncing = NULL;
	atomic_store(&other.begun, 1);
	while (!atomic_load(&other.joined))
		rest_ms(1);
	rest_ms(30);
	atomic_store(&other.over, 1);
}

/* A client's flush is also for what the client before it is still flushing. */
static void syncs_wait_for_each_other(void **state)
{
	struct scene *s = begin(1);
	int fails, result;

	(void)state;
	assert_int_equal(tmem_freeze(s->store.t, 1), 0);
	for (fails = 0; fails < 2; fails++) {
		assert_int_equal(write_page(s, 7, s->a), 0);
		middle.sync_errno = fails ? EIO : 0;
		middle.syncing = take_long;
		other_begin(sync_there);
		while (!atomic_load(&other.begun))
			rest_ms(1);
		atomic_store(&other.joined, 1);
		result = volumes_sync(&s->v, 1);
		assert_int_equal(atomic_load(&other.over), 1);
		assert_int_equal(result, fails ? -EIO : 0);
		(void)pthread_join(other.thread, NULL);
		assert_int_equal(other.result, fails ? -EIO : 0);
	}
	middle.sync_errno = 0;
	assert_int_equal(volume_read(&s->v, s->got, PAGE, 7 * PAGE), -EIO);
	end(s);
}

/* ---- Random requests -------------------------------------------------------- */

static int disk_read(void *ctx, unsigned thread, void *to, uint32_t count,
		     uint64_t offset)
{
	(void)thread;
	return volume_read(ctx, to, count, offset);
}

static int disk_write(void *ctx, unsigned thread, const void *from,
		      uint32_t count, uint64_t offset)
{
	(void)thread;
	return volume_write(ctx, from, count, offset);
}

static int disk_zero(void *ctx, unsigned thread, uint32_t count, uint64_t offset)
{
	(void)thread;
	return volume_zero(ctx, count, offset);
}

static int disk_trim(void *ctx, unsigned thread, uint32_t count, uint64_t offset)
{
	(void)thread;
	return volume_trim(ctx, count, offset);
}

static int disk_flush(void *ctx, unsigned thread)
{
	(void)thread;
	return volumes_sync(ctx, 1);
}

/** struct trouble - what else happens meanwhile. */
struct trouble {
	struct scene *scene;
	struct rng rng;
	_Atomic int stop;
	uint64_t times;
};

static void make_trouble(struct trouble *t)
{
	struct tmem *session = t->scene->store.t;
	struct tmem_preswap *area = t->scene->v.area;

	switch (rng_below(&t->rng, 6)) {
	case 0:
		(void)tmem_freeze(session, 1);
		break;
	case 1:
		(void)tmem_shrink(session, 1u << 20, NULL);
		break;
	case 2:
		(void)tmem_set_limit(session, (1 + rng_below(&t->rng, 6)) << 20);
		break;
	case 3:
		assert_int_equal(
			tmem_preswap_shrink(
				area, tmem_preswap_curr_pages(area) / 2, NULL),
			0);
		break;
	case 4:
		tmem_fault_every(TMEM_FAULT_SEGMENT, 1 + rng_below(&t->rng, 9));
		break;
	default:
		tmem_fault_set(TMEM_FAULT_CODEC, 1 + rng_below(&t->rng, 9));
		break;
	}
}

static void *trouble_main(void *arg)
{
	const struct timespec while_ns = { .tv_nsec = 2000000 };
	struct trouble *t = arg;

	while (!atomic_load(&t->stop)) {
		make_trouble(t);
		t->times++;
		(void)nanosleep(&while_ns, NULL);
		(void)tmem_freeze(t->scene->store.t, 0);
		tmem_fault_every(TMEM_FAULT_SEGMENT, 0);
		(void)nanosleep(&while_ns, NULL);
	}
	return NULL;
}

/* 1: the trouble was met. */
static int is_enough(const struct tmem_preswap_stats *stats)
{
	return stats->succ_stores > 100 && stats->failed_stores > 100 &&
	       stats->taken_home > 100;
}

/* Runs until it was. */
#define RUNS_MAX 8u

static void random_requests_in_trouble(void **state)
{
	struct scene *s = begin(1);
	const struct random_disk disk = { disk_read, disk_write, disk_zero,
					  disk_trim, disk_flush, &s->v,
					  BYTES };
	const uint64_t seed = rng_seed("volume");
	struct trouble t = { .scene = s, .rng.state = seed };
	struct random_result result = { 0 };
	struct tmem_preswap_stats stats = { .size = sizeof(stats) };
	unsigned seconds = (unsigned)rng_setting("TMEM_TEST_SECONDS",
						 MACHINE_SANITIZED ? 4 : 6);
	pthread_t thread;
	unsigned i;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, trouble_main, &t), 0);
	/* The thread that makes trouble gets its turns when it does. */
	for (i = 0; i < RUNS_MAX && !is_enough(&stats); i++) {
		/* They begin with a disk of zeros. */
		assert_int_equal(volume_zero(&s->v, BYTES, 0), 0);
		random_ops_run(&disk, 4, seconds, seed + i * 4, &result);
		assert_int_equal(tmem_preswap_stats(s->v.area, &stats), 0);
	}
	atomic_store(&t.stop, 1);
	(void)pthread_join(thread, NULL);
	print_message("trouble %llu times: %llu stored, %llu refused, %llu "
		      "taken home\n",
		      (unsigned long long)t.times,
		      (unsigned long long)stats.succ_stores,
		      (unsigned long long)stats.failed_stores,
		      (unsigned long long)stats.taken_home);
	assert_true(is_enough(&stats));
	end(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_go_to_and_fro),
		cmocka_unit_test(home_gets_its_room_back),
		cmocka_unit_test(parts_keep_the_rest),
		cmocka_unit_test(extents_are_of_one_kind),
		cmocka_unit_test(refused_and_homeless_is_lost),
		cmocka_unit_test(refused_for_a_while),
		cmocka_unit_test(patience_comes_back),
		cmocka_unit_test(requests_ask_for_no_memory),
		cmocka_unit_test(home_that_fails),
		cmocka_unit_test(an_interrupted_sync),
		cmocka_unit_test(what_a_failed_sync_leaves),
		cmocka_unit_test(extents_while_a_page_goes_home),
		cmocka_unit_test(a_sync_amid_a_write),
		cmocka_unit_test(syncs_wait_for_each_other),
		cmocka_unit_test(random_requests_in_trouble),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
