/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lease-daemon.c - segments out of stock: what the engine calls, and how much is
 * kept in stock.
 *
 * The stock grows like a window: it doubles when it was empty as somebody came,
 * once until something comes that was asked for with it so large, and falls back
 * to its least after a second without. So a session that fills up at full speed is
 * short a few times in all, and one at rest holds little. A reserve is a larger
 * least for persistent pages, from the beginning: what may be put while the daemon
 * does not get to run.
 */
#include "lease-daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "assertion.h"
#include "clock.h"
#include "fault.h"
#include "lease-link.h"
#include "mem.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

/* The least stock of a class: what is used up while a message goes round, 8 MiB
 * a millisecond, but no more than this share of the limit. */
#define LEAST_BYTES (8ull << 20)
#define LEAST_SHARE 8
#define LEAST_SEGMENTS 2

/* The largest stock, as a share of the limit. */
#define MOST_SHARE 4

/* Metadata that a store takes at once when it is made: a shard of 4 KiB for each
 * 16 MiB, objects a quarter of that; never more than the largest number of
 * shards takes. */
#define METADATA_SHARE 2048
#define METADATA_BYTES_MAX (32ull << 20)

/* Metadata in stock for what a reserve can take: an index has about 50 bytes a page,
 * which may be packed to a quarter. */
#define RESERVE_METADATA_SHARE 16

static struct tmem_daemon_lease *of(struct tmem_lease *lease)
{
	return (struct tmem_daemon_lease *)lease;
}

static void wake(const struct tmem_daemon_lease *l)
{
	const uint64_t one = 1;

	/* Cannot fail but by overflow, and then it is awake. */
	(void)!write(l->wake_fd, &one, sizeof(one));
}

/* ---- What the engine calls ----------------------------------------------- */

static int is_short(const struct tmem_daemon_lease *l)
{
	return !atomic_load(&l->linked) ||
	       __atomic_load_n(&l->control->segments_limit, __ATOMIC_ACQUIRE) <
		       l->lease.segments_max;
}

/* Doubled for each put that is refused while segments are on their way, it was a
 * quarter of the limit within microseconds, whatever the session had use for. */
static void grow_target(struct tmem_daemon_lease *l, enum tmem_class cls)
{
	uint32_t most = l->limit / MOST_SHARE;

	if (l->got[cls] < l->grows[cls])
		return;
	l->grows[cls] = l->asked[cls] + 1;
	l->target[cls] *= 2;
	if (l->target[cls] > most)
		l->target[cls] = most;
	if (l->target[cls] < l->least[cls])
		l->target[cls] = l->least[cls];
}

static int daemon_lend(struct tmem_lease *lease, enum tmem_class cls,
		       struct tmem_lent *ret)
{
	struct tmem_daemon_lease *l = of(lease);
	int low, err = 0;

	if (tmem_fault(TMEM_FAULT_SEGMENT))
		return -ENOMEM;
	tmem_lock_acquire(&l->lock);
	if (!l->target[cls])
		l->target[cls] = l->least[cls];
	if (!tmem_stock_take(&l->stock, cls, ret)) {
		err = is_short(l) ? -ENOMEM : -EAGAIN;
		grow_target(l, cls);
	}
	low = atomic_load(&l->stock.kept[cls].count) <= l->target[cls] / 2 &&
	      tmem_link_wants(l, cls);
	tmem_lock_release(&l->lock);
	/* One system call for half a stock. Metadata is lent under a shard's
	 * lock, where there may be none; what follows it asks for both. */
	if (low && cls != TMEM_CLASS_METADATA)
		wake(l);
	return err;
}

/* Nothing came for what was taken: what is there is what can be counted on. */
static int eats_reserve(const struct tmem_daemon_lease *l)
{
	return atomic_load(&l->has_reserved) &&
	       atomic_load(&l->stock.kept[TMEM_CLASS_PERSISTENT].count) <
		       atomic_load(&l->reserve) / 2;
}

static uint32_t daemon_spare(struct tmem_lease *lease)
{
	struct tmem_daemon_lease *l = of(lease);

	/* Without the lock: a moment's figure, asked for again when it matters. */
	if (!is_short(l) && !eats_reserve(l))
		return UINT32_MAX;
	return atomic_load(&l->stock.kept[TMEM_CLASS_EPHEMERAL].count) +
	       atomic_load(&l->stock.kept[TMEM_CLASS_PERSISTENT].count);
}

/* The engine lends and gives back under one lock, so the segment cannot come to
 * it anew while its memory goes. Not MADV_REMOVE: that refuses locked memory. */
static void daemon_give_back(struct tmem_lease *lease, uint32_t segment)
{
	struct tmem_daemon_lease *l = of(lease);
	const struct tmem_stock_item *item = &l->stock.items[segment];
	int first = 0;

	TMEM_ASSERT(segment < lease->segments_max);
	(void)fallocate(l->data_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			(off_t)segment * (off_t)lease->segment_size,
			(off_t)lease->segment_size);
	tmem_lock_acquire(&l->lock);
	if (!atomic_load(&l->linked) && item->state == TMEM_STOCK_USED) {
		/* There is nobody to give it to, and no other to be had. */
		tmem_stock_put(&l->stock, (enum tmem_class)item->cls, segment,
			       item->epoch);
	} else if (tmem_stock_return(&l->stock, segment)) {
		first = atomic_load(&l->stock.back.count) == 1;
	}
	tmem_lock_release(&l->lock);
	if (first)
		wake(l);
}

static void daemon_populate(struct tmem_lease *lease, uint32_t segment)
{
	/* The memory is there; this maps it. Best effort. */
	(void)madvise(tmem_lease_segment(lease, segment), lease->segment_size,
		      MADV_POPULATE_WRITE);
}

static void close_fd(int fd)
{
	if (fd >= 0)
		(void)close(fd);
}

static void daemon_destroy(struct tmem_lease *lease, int in_child)
{
	struct tmem_daemon_lease *l = of(lease);

	close_fd(l->socket);
	close_fd(l->data_fd);
	close_fd(l->control_fd);
	close_fd(l->wake_fd);
	tmem_stock_finish(&l->stock, in_child);
	/* A child has neither mapping. */
	if (!in_child) {
		tmem_mem_unmap(lease->base, l->map_bytes);
		tmem_mem_unmap(l->control, l->control_bytes);
	}
	tmem_lock_finish(&l->lock);
	tmem_mem_free(l, sizeof(*l));
}

static const struct tmem_lease_ops daemon_ops = {
	.lend = daemon_lend,
	.spare = daemon_spare,
	.give_back = daemon_give_back,
	.populate = daemon_populate,
	.limit = tmem_lease_daemon_limit,
	.destroy = daemon_destroy,
};

/* ---- Making one ---------------------------------------------------------- */

static uint32_t clamp(uint64_t n, uint32_t min, uint32_t max)
{
	return n < min ? min : n > max ? max : (uint32_t)n;
}

/* The whole file, at an address that suits huge pages. Reserved by a mapping
 * that the file's then takes the place of. */
static int map_data(struct tmem_daemon_lease *l)
{
	uint8_t *base = tmem_mem_map(l->map_bytes, l->lease.segment_size);

	if (!base)
		return -ENOMEM;
	l->lease.base = base;
	if (mmap(base, l->map_bytes, PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_FIXED | MAP_NORESERVE, l->data_fd,
		 0) == MAP_FAILED)
		return -ENOMEM;
	if (madvise(base, l->map_bytes, MADV_DONTFORK))
		return -ENOMEM;
	(void)madvise(base, l->map_bytes, MADV_DONTDUMP);
	/* Lent memory in swap would be no memory. Best effort: it takes a limit
	 * that few users have, and the daemon's cgroup has a say as well. */
	(void)mlock2(base, l->map_bytes, MLOCK_ONFAULT);
	return 0;
}

static struct tmem_daemon_lease *create(const struct tmem_lease_daemon_opts *opts)
{
	struct tmem_daemon_lease *l = tmem_mem_alloc(sizeof(*l));

	if (!l)
		return NULL;
	l->data_fd = l->control_fd = l->socket = l->wake_fd = -1;
	l->logger = *opts->logger;
	l->limit_asked = opts->limit_bytes;
	strcpy(l->path, opts->path);
	(void)strncpy(l->domain, opts->domain, sizeof(l->domain) - 1);
	tmem_lock_init(&l->lock, TMEM_RANK_LEASE);
	l->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return l;
}

int tmem_lease_daemon_create(const struct tmem_lease_daemon_opts *opts,
			     struct tmem_lease **ret, uint64_t *ret_limit)
{
	struct tmem_wire_welcome welcome;
	struct tmem_daemon_lease *l;
	int err = 0;

	if (strlen(opts->path) >= sizeof(l->path))
		return -ENAMETOOLONG;
	l = create(opts);
	if (!l)
		return -ENOMEM;
	if (l->wake_fd < 0)
		err = -ENOMEM;
	if (!err)
		err = tmem_link_open(l, &welcome);
	if (!err) {
		l->lease.ops = &daemon_ops;
		l->lease.epochs =
			(const _Atomic uint32_t *)((uint8_t *)l->control +
						   TMEM_WIRE_EPOCHS_AT);
		l->lease.revocations =
			(const _Atomic uint64_t *)&l->control->revocations;
		l->map_bytes =
			(size_t)l->lease.segments_max * l->lease.segment_size;
		l->reserve_asked =
			clamp((opts->reserve_bytes + l->lease.segment_size -
			       1) / l->lease.segment_size,
			      0, l->lease.segments_max);
		tmem_lease_daemon_limit(&l->lease, welcome.limit_bytes);
		err = map_data(l);
	}
	if (!err)
		err = tmem_stock_init(&l->stock, l->lease.segments_max,
				      l->lease.epochs);
	if (err) {
		daemon_destroy(&l->lease, 0);
		return err;
	}
	atomic_store(&l->linked, 1);
	*ret = &l->lease;
	*ret_limit = welcome.limit_bytes;
	return 0;
}

/* ---- How much is wanted -------------------------------------------------- */

/* Lock held. What is in stock beyond it goes back when nothing has been lent for a
 * while. */
static void plan_stock(struct tmem_daemon_lease *l, uint64_t limit)
{
	uint64_t size = l->lease.segment_size, bytes = limit / LEAST_SHARE;
	uint64_t metadata = limit / METADATA_SHARE;
	uint32_t reserve = l->reserve_asked;
	int cls;

	/* The rest is what pages that are not in a hurry may fill. One more: half of
	 * the limit may be a part of a segment. */
	if (reserve > l->limit / 2 + 1)
		reserve = l->limit / 2 + 1;
	atomic_store(&l->reserve, reserve);
	if (bytes > LEAST_BYTES)
		bytes = LEAST_BYTES;
	if (metadata > METADATA_BYTES_MAX)
		metadata = METADATA_BYTES_MAX;
	for (cls = 0; cls < TMEM_CLASSES; cls++)
		l->least[cls] = clamp(bytes / size, LEAST_SEGMENTS, UINT32_MAX);
	l->least[TMEM_CLASS_METADATA] =
		clamp(metadata / size + 1, 1, UINT32_MAX) +
		(reserve + RESERVE_METADATA_SHARE - 1) / RESERVE_METADATA_SHARE;
	if (reserve > l->least[TMEM_CLASS_PERSISTENT])
		l->least[TMEM_CLASS_PERSISTENT] = reserve;
	/* The others begin with the first pool of theirs. */
	l->target[TMEM_CLASS_METADATA] = l->least[TMEM_CLASS_METADATA];
}

void tmem_lease_daemon_limit(struct tmem_lease *lease, uint64_t limit_bytes)
{
	struct tmem_daemon_lease *l = of(lease);
	uint64_t n = limit_bytes / lease->segment_size;

	tmem_lock_acquire(&l->lock);
	l->limit = clamp(n, 0, lease->segments_max);
	plan_stock(l, limit_bytes);
	tmem_lock_release(&l->lock);
	wake(l);
}

void tmem_lease_daemon_settle(struct tmem_lease *lease)
{
	struct tmem_daemon_lease *l = of(lease);
	uint32_t keep;
	int cls;

	tmem_lock_acquire(&l->lock);
	/* Revoked while it was on its way back, a segment was counted twice. */
	l->lent = tmem_link_lent(l);
	for (cls = 0; cls < TMEM_CLASSES && atomic_load(&l->linked); cls++) {
		keep = l->target[cls] ? l->least[cls] : 0;
		l->target[cls] = keep;
		while (atomic_load(&l->stock.kept[cls].count) > keep &&
		       tmem_stock_unused(&l->stock, (enum tmem_class)cls))
			;
	}
	tmem_lock_release(&l->lock);
}

/* Nothing is wanted ahead until something is put again. */
void tmem_lease_daemon_destroyed(struct tmem_lease *lease)
{
	struct tmem_daemon_lease *l = of(lease);

	tmem_lock_acquire(&l->lock);
	l->target[TMEM_CLASS_EPHEMERAL] = 0;
	l->target[TMEM_CLASS_PERSISTENT] = 0;
	tmem_lock_release(&l->lock);
	tmem_lease_daemon_settle(lease);
	l->destroyed = 1;
}

int tmem_lease_daemon_frozen(struct tmem_lease *lease)
{
	return !!(__atomic_load_n(&of(lease)->control->flags, __ATOMIC_ACQUIRE) &
		  TMEM_WIRE_FROZEN);
}

void tmem_lease_daemon_wake(struct tmem_lease *lease)
{
	wake(of(lease));
}

void tmem_lease_daemon_fds(struct tmem_lease *lease, int *ret_socket,
			   int *ret_wake)
{
	*ret_socket = of(lease)->socket;
	*ret_wake = of(lease)->wake_fd;
}

/* ---- Waiting, before there is a keeper or beside it ----------------------- */

static uint32_t in_stock(const struct tmem_daemon_lease *l, enum tmem_class cls)
{
	return atomic_load(&l->stock.kept[cls].count);
}

uint32_t tmem_lease_daemon_expect(struct tmem_lease *lease, enum tmem_class cls,
				  uint32_t count, unsigned wait_ms)
{
	struct tmem_daemon_lease *l = of(lease);
	const uint64_t start = tmem_clock_ns();
	const struct timespec nap = { .tv_nsec = 100 * 1000 };

	tmem_lock_acquire(&l->lock);
	if (!l->target[cls])
		l->target[cls] = l->least[cls];
	tmem_lock_release(&l->lock);
	wake(l);
	while (in_stock(l, cls) < count && atomic_load(&l->linked) &&
	       __atomic_load_n(&l->control->segments_limit, __ATOMIC_ACQUIRE) >=
		       l->lease.segments_max &&
	       tmem_clock_ns() - start < wait_ms * TMEM_NS_PER_MS)
		(void)nanosleep(&nap, NULL);
	return in_stock(l, cls);
}
