/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tmem.h - transcendent memory: pages put by handle, got back by handle.
 *
 * Stability: everything in this header is stable. Structs that begin with
 * `size` grow only at the end; enumerators are only added.
 *
 * The idea. A store keeps pages for its users in memory that they cannot
 * address. They copy pages in (put) and out (get) under a key, and give them up
 * (flush). Because nobody holds a pointer, the owner of the memory may compress
 * a page, move it, or, when the page is ephemeral, drop it at any moment.
 *
 *	struct tmem *t;
 *	struct tmem_key key = tmem_key(inode, page_index);
 *	int err = tmem_open("embedded:size=256M", NULL, &t);
 *	int pool = err ? err : tmem_pool_create(t, NULL);
 *
 *	if (pool >= 0 && tmem_put(t, pool, &key, page) == 1)
 *		...					stored
 *	if (pool >= 0 && tmem_get(t, pool, &key, page) == 1)
 *		...					hit: page holds what was put
 *	tmem_close(t);
 *
 * Glossary.
 *	page		what is stored: 4 KiB by default, any power of two from
 *			4 KiB to 64 KiB, fixed per pool. The kernel's own unit
 *			is called an OS page here.
 *	key		192-bit object id and 64-bit index
 *	pool		a set of objects with attributes: ephemeral or persistent
 *	ephemeral	may vanish at any moment
 *	persistent	once stored, every get hits until flush, overwrite or
 *			the end of the pool
 *	put, get, flush	copy in, copy out, give up
 *	refuse		a put that returns 0; normal, and counted by reason
 *	session		what tmem_open() gives: one user of one store
 *	domain		an accounting group of sessions
 *	store		one engine instance; a session's private pools have one
 *	ager		the background mechanism that cleans, compresses, evicts
 *	form		how a page is kept: same-filled, raw, packed, dense
 *
 * Semantics, in force for every call below.
 *  1. A put copies; the caller keeps its page. Any put may be refused.
 *  2. Persistent: once put returns 1, every get hits until the page is flushed
 *     or overwritten or the pool goes. Ephemeral: any get may miss.
 *  3. A get removes the page from a private ephemeral pool (exclusive) and
 *     leaves it in all others, unless the pool says KEEP or TAKE.
 *  4. put(k, A), put(k, B), get(k) never yields A, whatever the second put
 *     returned: a put that fails on an existing key leaves nothing.
 *  5. Once a get misses, it misses until the next put. Flushes are strict: no
 *     later get sees the page. They never fail for want of memory and work on a
 *     frozen store.
 *  6. No order between different keys; each operation on one key is atomic.
 *  7. Frozen: new puts are refused, a put on an existing key drops the old page
 *     and is refused, everything else works.
 *  8. A page read back is bit-identical to what was put, or the get is a miss,
 *     or (persistent only, corruption detected) it is -EIO.
 *
 * Errors are negative errno values; 1 and 0 are the two normal outcomes. A call
 * that returns an error has changed nothing and written no output, with one
 * exception: after -EIO the page buffer's content is undefined, as it is after
 * a get that missed because the memory was taken back while it was read.
 *
 * Threads: every call may be made from any thread at any time, except that
 * tmem_close() must be the last use of its session. Fork: a session is dead in
 * a forked child, where every call but tmem_close() gives -EPERM.
 */
#ifndef TMEM_TMEM_H
#define TMEM_TMEM_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define TMEM_API __attribute__((visibility("default")))
#else
#define TMEM_API
#endif

/* ---- Limits ------------------------------------------------------------- */

enum {
	TMEM_PAGE_SIZE = 4096, /* bytes: a pool's page_size when it says 0 */
	TMEM_PAGE_SIZE_MIN = 4096,  /* bytes: the smallest page */
	TMEM_PAGE_SIZE_MAX = 65536, /* bytes: the largest OS page in use today */
	TMEM_POOLS_MAX = 256,	    /* live pools of one session */
	TMEM_AGERS_MAX = 64	    /* background threads of one session */
};

/** TMEM_NO_AGERS - opts.agers: no background thread; see tmem_age(). */
#define TMEM_NO_AGERS UINT32_MAX

/** Levels given to the log callback; syslog's numbers. */
enum {
	TMEM_LOG_ERR = 3,
	TMEM_LOG_WARNING = 4,
	TMEM_LOG_INFO = 6,
	TMEM_LOG_DEBUG = 7
};

/* ---- Types -------------------------------------------------------------- */

/** struct tmem - a session; opaque. */
struct tmem;

/**
 * struct tmem_key - names a page inside a pool.
 * @object: 192-bit object id: an inode's identity, a swap area, a table.
 * @index: which page of the object.
 *
 * Every bit counts; no value is special.
 */
struct tmem_key {
	uint64_t object[3];
	uint64_t index;
};

/**
 * tmem_key() - a key whose object id fits 64 bits.
 * @object: the object id; the upper 128 bits are zero.
 * @index: the page's index in the object.
 *
 * Context: anywhere; touches nothing.
 * Return: the key.
 * Since: 0.1
 */
static inline struct tmem_key tmem_key(uint64_t object, uint64_t index)
{
	struct tmem_key key;

	key.object[0] = object;
	key.object[1] = 0;
	key.object[2] = 0;
	key.index = index;
	return key;
}

/**
 * struct tmem_open_opts - how to open a session.
 * @size: sizeof(struct tmem_open_opts).
 * @limit_bytes: most memory the store may use, bytes, everything included;
 *	0: what `where` says, else a quarter of the machine's MemAvailable.
 *	Given both here and in `where`: -EINVAL.
 * @limit_pages: most pages the store may hold; 0: no such limit.
 * @agers: background threads; 0: what `where` says, else one; TMEM_NO_AGERS:
 *	none, the caller does the background work by tmem_age(). Given both here
 *	and in `where`: -EINVAL.
 * @reserved: 0.
 * @domain: accounting name, 1 to 63 printable characters; NULL: the program's
 *	name. Copied. A daemon gives a name to the user who holds it first.
 * @log: called for events worth an operator's attention, one line without a
 *	newline, from any thread; must not call back into the session. NULL:
 *	silent.
 * @log_ctx: first argument of @log.
 * @wanted: called when a daemon asks for memory of persistent pages and did not
 *	get all of it by shrinking: so many bytes are wanted still. Whoever flushes
 *	that much and then calls tmem_shrink() has obeyed; nothing happens to those
 *	who do not, and they will be asked again. From the session's own thread;
 *	must not call back into the session nor wait. NULL: nobody is told. Since
 *	0.2, as all below.
 * @wanted_ctx: first argument of @wanted.
 * @reserve_bytes: memory to have at hand before it is needed, within the limit, at
 *	most half of it; 0: none. Puts take it first, and what they took is made up
 *	for in the background: so a put waits neither for the kernel to find memory
 *	nor for a daemon to run, until so much was put at once. An embedded store
 *	backs free segments with memory, a leased one borrows them ahead for
 *	persistent pages. For those that put because memory is short.
 */
struct tmem_open_opts {
	size_t size;
	uint64_t limit_bytes;
	uint64_t limit_pages;
	uint32_t agers;
	uint32_t reserved;
	const char *domain;
	void (*log)(void *ctx, int level, const char *line);
	void *log_ctx;
	void (*wanted)(void *ctx, uint64_t bytes);
	void *wanted_ctx;
	uint64_t reserve_bytes;
};

/**
 * enum - pool attributes.
 * @TMEM_POOL_PERSISTENT: pages never vanish; without it they are ephemeral.
 * @TMEM_POOL_SHARED: named by a uuid and joined by several sessions; never
 *	together with PERSISTENT, never in an embedded store.
 * @TMEM_POOL_KEEP: a get leaves the page, whatever the pool's kind.
 * @TMEM_POOL_TAKE: a get removes the page, whatever the pool's kind.
 */
enum {
	TMEM_POOL_PERSISTENT = 1,
	TMEM_POOL_SHARED = 2,
	TMEM_POOL_KEEP = 4,
	TMEM_POOL_TAKE = 8
};

/**
 * struct tmem_pool_opts - how to create a pool.
 * @size: sizeof(struct tmem_pool_opts).
 * @flags: TMEM_POOL_*; unknown bits, or KEEP with TAKE: -EINVAL.
 * @page_size: bytes, a power of two from 4 KiB to 64 KiB; 0: 4096.
 * @uuid: name of a shared pool; ignored for a private one.
 * @name: for people, in statistics; NULL is fine. Copied.
 */
struct tmem_pool_opts {
	size_t size;
	uint32_t flags;
	uint32_t page_size;
	uint8_t uuid[16];
	const char *name;
};

/** enum - what a struct tmem_op asks for. */
enum {
	TMEM_OP_PUT = 1,
	TMEM_OP_GET = 2,
	TMEM_OP_FLUSH_PAGE = 3,
	TMEM_OP_FLUSH_OBJECT = 4
};

/**
 * struct tmem_op - one operation of a batch.
 * @code: TMEM_OP_*.
 * @flags: 0.
 * @pool: a pool id.
 * @result: out: what the single call would have returned.
 * @key: the page; its index is ignored by TMEM_OP_FLUSH_OBJECT.
 * @page: put reads it, get writes it: page_size bytes, or @len of them.
 *	Ignored by the flushes.
 * @offset: first byte of the part of the page that is meant.
 * @len: length of the part, bytes; @offset and @len both 0: the whole page.
 * @user_data: the caller's; untouched.
 * @reserved: 0.
 *
 * A part must lie inside the page; @len 0 with @offset not 0 is -EINVAL. Getting a
 * part, be it all of the page, copies the range and never removes the page. Putting a part changes a page that is there, and is refused
 * where none is; if it fails on a page that is there, that page is gone, as
 * with any put.
 */
struct tmem_op {
	uint32_t code;
	uint32_t flags;
	int32_t pool;
	int32_t result;
	struct tmem_key key;
	void *page;
	uint32_t offset, len;
	uint64_t user_data;
	uint64_t reserved[2];
};

/**
 * struct tmem_stats - what a session's store holds and has done.
 * @size: set by the caller to sizeof(struct tmem_stats).
 * @limit_bytes: most memory the store may use, bytes.
 * @used_bytes: all memory the store holds, bytes: pages in every form, index,
 *	objects, codec contexts, ghost, room kept ready.
 * @raw_bytes: pages held times their size, bytes.
 * @objects: objects with at least one page.
 * @pools: live pools.
 * @pages_ephemeral: pages held that may vanish.
 * @pages_persistent: pages held that may not.
 * @pages_same: of all pages, those kept as one repeated word.
 * @pages_raw: those kept as they came.
 * @pages_packed: those kept in lz4's form.
 * @pages_dense: those kept in zstd's form.
 * @puts: puts asked for; stored ones are puts less the refused_*.
 * @refused_full: puts refused because no room could be made, or because there
 *	was no page to put a part into.
 * @refused_quota: puts refused by limit_pages or a quota.
 * @refused_frozen: puts refused because the store was frozen.
 * @refused_nomem: puts refused because index or objects could not grow.
 * @gets: gets asked for.
 * @hits: gets that returned a page.
 * @flushes: flushes of either kind asked for.
 * @evictions: ephemeral pages dropped to make room, by shrinking included.
 * @ghost_hits: misses on pages dropped lately: what more room would have saved.
 * @ager_ns: time spent on background work, ns, whoever did it: CPU time of ager
 *	threads and tmem_age(), elapsed time where a put lent a hand.
 * @puts_packed: puts that packed their page themselves, because background work
 *	did not keep up. Since 0.2, as all below.
 * @shortages: times that free segments became so few that puts began to do so;
 *	they stop when there are twice as many again.
 * @dictionaries: live dictionaries of dense pages.
 *
 * The counts of pages, objects and bytes are of one moment only while no other
 * thread works on the store.
 */
struct tmem_stats {
	size_t size;
	uint64_t limit_bytes;
	uint64_t used_bytes;
	uint64_t raw_bytes;
	uint64_t objects;
	uint64_t pools;
	uint64_t pages_ephemeral;
	uint64_t pages_persistent;
	uint64_t pages_same;
	uint64_t pages_raw;
	uint64_t pages_packed;
	uint64_t pages_dense;
	uint64_t puts;
	uint64_t refused_full;
	uint64_t refused_quota;
	uint64_t refused_frozen;
	uint64_t refused_nomem;
	uint64_t gets;
	uint64_t hits;
	uint64_t flushes;
	uint64_t evictions;
	uint64_t ghost_hits;
	uint64_t ager_ns;
	uint64_t puts_packed;
	uint64_t shortages;
	uint64_t dictionaries;
};

/**
 * struct tmem_pool_stats - the same for one pool.
 * @size: set by the caller to sizeof(struct tmem_pool_stats).
 * @flags: TMEM_POOL_* it was created with.
 * @page_size: bytes.
 * @used_bytes: bytes its pages take in the log, their headers included. For
 *	pages lost by tmem_shrink() or revocation, their mean size is taken off.
 *
 * The other fields are those of struct tmem_stats, for this pool alone.
 */
struct tmem_pool_stats {
	size_t size;
	uint64_t flags;
	uint64_t page_size;
	uint64_t used_bytes;
	uint64_t raw_bytes;
	uint64_t objects;
	uint64_t pages_ephemeral;
	uint64_t pages_persistent;
	uint64_t pages_same;
	uint64_t pages_raw;
	uint64_t pages_packed;
	uint64_t pages_dense;
	uint64_t puts;
	uint64_t refused_full;
	uint64_t refused_quota;
	uint64_t refused_frozen;
	uint64_t refused_nomem;
	uint64_t gets;
	uint64_t hits;
	uint64_t flushes;
	uint64_t evictions;
	uint64_t ghost_hits;
};

/* ---- Sessions and pools ------------------------------------------------- */

/**
 * tmem_open() - open a session.
 * @where: which store: "embedded:" with comma-separated keys, each at most once:
 *	size=BYTES (K, M, G, T), pages=4k|huge, agers=N (0: none), and those
 *	below, an own store in this process; "unix:PATH", a daemon's; NULL:
 *	$TMEM_STORE if set, else the system's daemon if it answers, else
 *	"embedded:".
 * @opts: NULL: defaults.
 * @ret: out: the session; closed by tmem_close().
 *
 * Keys for how pages age: codec=lz4|zstd (what background work makes them
 * smaller with; default zstd from size=64M on; its least is 4M), level=1..9
 * (zstd's, default 1), raw=0..100 (percent of the size that may be full before it
 * begins; default 75 with zstd, 100 with lz4: only when room is short),
 * share=1..100 (percent of a core that all ager threads together take for that,
 * default 25; what cannot wait takes what it needs).
 *
 * $TMEM_STORE is ignored in a program that gained privileges. When it is set but
 * unusable, that is an error. What is wrong with an argument is told to
 * opts->log in one line.
 *
 * A daemon may allow less than limit_bytes; tmem_stats() says what. It takes
 * ephemeral memory back whenever the machine needs it. When it goes, the session
 * goes on within the memory that it holds, and returns to the next one.
 *
 * Context: any thread; starts opts->agers threads with all signals blocked, and
 *	for "unix:" one more, which talks to the daemon.
 * Return: 0; -EINVAL a bad argument, an unknown key, a size out of bounds, a
 *	domain that is no name; -E2BIG @opts is newer than this library and uses
 *	what it does not know; -ENOMEM. With "unix:" also -ENOENT, -ECONNREFUSED,
 *	-EACCES as connect(2); -EPERM the domain is another user's; -ENOSPC the
 *	daemon has no room; -EPROTO, -ETIMEDOUT what answers is no such daemon.
 * Since: 0.1
 */
TMEM_API int tmem_open(const char *where, const struct tmem_open_opts *opts,
		       struct tmem **ret) __attribute__((warn_unused_result));

/**
 * tmem_close() - end a session: its pools, its pages and its memory go.
 * @t: a session, or NULL.
 *
 * Context: no other call on @t may be under way. In a forked child it frees what
 *	the child holds and leaves the parent's session alone.
 * Since: 0.1
 */
TMEM_API void tmem_close(struct tmem *t);

/**
 * tmem_pool_create() - make a pool.
 * @t: a session.
 * @opts: NULL: private, ephemeral, 4 KiB pages.
 *
 * Ids carry a generation: the id of a destroyed pool is refused for good.
 *
 * Context: any thread.
 * Return: a pool id, 0 or more; -EINVAL a bad argument, a page size that this
 *	store's segments cannot hold; -E2BIG; -ENOSPC TMEM_POOLS_MAX pools are
 *	live; -EOPNOTSUPP shared and persistent, or shared in an embedded store;
 *	-ENOMEM; -EPERM a forked child.
 * Source: NEW_POOL of Xen's tmem; there, ids were reused at once.
 * Since: 0.1
 */
TMEM_API int tmem_pool_create(struct tmem *t, const struct tmem_pool_opts *opts)
	__attribute__((warn_unused_result));

/**
 * tmem_pool_destroy() - give up a pool and every page in it.
 * @t: a session.
 * @pool: id from tmem_pool_create().
 *
 * Takes the same short time however many pages there are: they are unreachable
 * when it returns, and their memory is reclaimed as it is needed. A daemon's
 * operator can have the same done to all pools of a domain (`tmem evict`).
 *
 * Context: any thread. An operation under way in another thread may still
 *	finish as if it had come first.
 * Return: 0; -EBADF no such pool; -EPERM a forked child.
 * Since: 0.1
 */
TMEM_API int tmem_pool_destroy(struct tmem *t, int pool);

/* ---- Pages -------------------------------------------------------------- */

/**
 * tmem_put() - offer one page to a pool.
 * @t: a session.
 * @pool: id from tmem_pool_create().
 * @key: the page's name; copied.
 * @page: page_size readable bytes; not kept after return.
 *
 * Replaces any page under the same key, also when refused: the old copy is gone.
 *
 * Context: any thread; no I/O, never waits for another process.
 * Return: 1 stored, 0 refused (tmem_stats() counts why); -EINVAL; -EBADF no such
 *	pool; -EPERM a forked child.
 * Source: the put contract of Linux and Xen tmem.
 * Since: 0.1
 */
TMEM_API int tmem_put(struct tmem *t, int pool, const struct tmem_key *key,
		      const void *page);

/**
 * tmem_get() - copy one page out.
 * @t: a session.
 * @pool: id from tmem_pool_create().
 * @key: the page's name.
 * @page: page_size writable bytes.
 *
 * A hit removes the page from a private ephemeral pool, unless the pool says
 * KEEP, and from any pool that says TAKE.
 *
 * Context: any thread; no I/O, never waits for another process.
 * Return: 1 hit, 0 miss; -EINVAL; -EBADF no such pool; -EIO a persistent page is
 *	there but damaged (it stays until flushed or overwritten); -EPERM.
 * Source: the get contract of Linux and Xen tmem.
 * Since: 0.1
 */
TMEM_API int tmem_get(struct tmem *t, int pool, const struct tmem_key *key,
		      void *page);

/**
 * tmem_flush_page() - give up one page.
 * @t: a session.
 * @pool: id from tmem_pool_create().
 * @key: the page's name.
 *
 * Context: any thread; works on a frozen store, needs no memory.
 * Return: 1 it was there, 0 it was not; -EINVAL; -EBADF; -EPERM.
 * Since: 0.1
 */
TMEM_API int tmem_flush_page(struct tmem *t, int pool,
			     const struct tmem_key *key);

/**
 * tmem_flush_object() - give up all pages of an object.
 * @t: a session.
 * @pool: id from tmem_pool_create().
 * @key: names the object; its index is ignored.
 *
 * Takes the same short time however many pages there are.
 *
 * Context: any thread; works on a frozen store, needs no memory.
 * Return: 1 something was there, 0 nothing; -EINVAL; -EBADF; -EPERM.
 * Since: 0.1
 */
TMEM_API int tmem_flush_object(struct tmem *t, int pool,
			       const struct tmem_key *key);

/**
 * tmem_submit() - a batch of operations.
 * @t: a session.
 * @ops: the operations; each one's result is written to it.
 * @count: how many.
 *
 * Done in order, as if by single calls, but look-ups overlap: a batch of 32
 * costs well below 32 calls. The only way to work on parts of pages.
 *
 * Context: any thread.
 * Return: 0, each op's own result in it; -EINVAL @ops NULL with @count not 0 (no
 *	op was done); -EPERM a forked child.
 * Since: 0.1
 */
TMEM_API int tmem_submit(struct tmem *t, struct tmem_op *ops, unsigned count);

/* ---- Memory ------------------------------------------------------------- */

/**
 * tmem_shrink() - give memory back to the kernel now.
 * @t: a session.
 * @bytes: how much; any value.
 * @ret_bytes: out: how much was given back; NULL is fine.
 *
 * Drops ephemeral pages, coldest first, and compresses persistent ones if that
 * helps; never drops a persistent page. The limit stays, so the store may grow
 * again; and a reserve (reserve_bytes) stays, and does not count as given back.
 *
 * Context: any thread; may take milliseconds per GiB, longer if it compresses.
 * Return: 0, also when short; -EINVAL; -EPERM a forked child.
 * Since: 0.1
 */
TMEM_API int tmem_shrink(struct tmem *t, uint64_t bytes, uint64_t *ret_bytes);

/**
 * tmem_set_limit() - change the most memory that the store may use.
 * @t: a session.
 * @limit_bytes: bytes, at least the least a store works with, at most 64 times
 *	what the store was opened with (segment size and shards are fixed then).
 *
 * Lowering it gives back memory at once, as tmem_shrink() does. What persistent
 * pages hold beyond the new limit stays until they are flushed; until then every
 * put is refused.
 *
 * Context: any thread.
 * Return: 0; -EINVAL out of bounds; -EPERM a forked child.
 * Since: 0.1
 */
TMEM_API int tmem_set_limit(struct tmem *t, uint64_t limit_bytes);

/**
 * tmem_freeze() - stop or restart taking new pages.
 * @t: a session.
 * @frozen: 1 freezes, 0 thaws.
 *
 * Context: any thread; a put under way in another thread may still be stored.
 * Return: 0; -EINVAL any other value; -EPERM a forked child.
 * Since: 0.1
 */
TMEM_API int tmem_freeze(struct tmem *t, int frozen);

/**
 * tmem_age() - do background work now, in the caller.
 * @t: a session.
 * @budget_us: stop after about this many microseconds; 0: one step.
 *
 * For programs that run no ager threads; harmless beside them. No result of any
 * other call depends on its ever being called.
 *
 * Context: any thread.
 * Return: 1 work remains, 0 nothing to do; -EINVAL; -EPERM a forked child.
 * Since: 0.1
 */
TMEM_API int tmem_age(struct tmem *t, uint64_t budget_us);

/* ---- Looking inside ----------------------------------------------------- */

/**
 * tmem_stats() - read the store's figures.
 * @t: a session.
 * @ret: in: size; out: the rest.
 *
 * A @ret that is larger than this library knows is fine if its unknown tail is
 * zero.
 *
 * Context: any thread. Finishes the sweep of flushed objects and destroyed
 *	pools first, so that all counts are exact.
 * Return: 0; -EINVAL size is 0 or smaller than the first release's; -E2BIG;
 *	-EPERM a forked child.
 * Since: 0.1
 */
TMEM_API int tmem_stats(struct tmem *t, struct tmem_stats *ret);

/**
 * tmem_pool_stats() - read one pool's figures.
 * @t: a session.
 * @pool: id from tmem_pool_create().
 * @ret: in: size; out: the rest.
 *
 * Context: as tmem_stats().
 * Return: 0; -EINVAL; -E2BIG; -EBADF no such pool; -EPERM a forked child.
 * Since: 0.1
 */
TMEM_API int tmem_pool_stats(struct tmem *t, int pool,
			     struct tmem_pool_stats *ret);

/**
 * tmem_check() - walk everything and re-derive every count.
 * @t: a session.
 *
 * A tool for tests and for the suspicious: takes time with the store's size and
 * holds up other threads' operations meanwhile.
 *
 * Context: any thread.
 * Return: 0; -EUCLEAN a fault, told to opts->log; -ENOMEM; -EPERM a forked child.
 * Since: 0.1
 */
TMEM_API int tmem_check(struct tmem *t);

#ifdef __cplusplus
}
#endif

#endif /* TMEM_TMEM_H */
