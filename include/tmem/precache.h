/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tmem/precache.h - a second chance for clean pages of files.
 *
 * Stability: everything in this header is stable. Structs that begin with
 * `size` grow only at the end; enumerators are only added.
 *
 * The idea. Whoever caches pages of files gives the clean ones that leave its
 * cache to a precache (put), asks it before it reads a disk (get), and gives
 * them up when the file changes (flush). The precache may lose any page at any
 * moment, so nothing is ever read from it that the disk does not hold as well.
 *
 *	struct tmem_precache *pc = NULL;	the disk's only copy stays valid
 *	struct tmem_precache_file file;
 *
 *	if (tmem_precache_init(session, NULL, &pc) < 0 ||
 *	    tmem_precache_identify(fd, &file) != TMEM_PRECACHE_BY_HANDLE)
 *		...					do without
 *	if (tmem_precache_get(pc, &file, index, page) != 1)
 *		...					read it from the disk
 *
 * One precache serves one mounted filesystem: a file's identity is unique only
 * there. At unmount comes tmem_precache_finish().
 *
 * What the caller promises: a page that is put is what the disk holds, and
 * between a change of the file and the next get there is a flush. What the
 * library adds: put(A), put(B), get never yields A; a flush is strict, cannot
 * fail for want of memory, and works on a frozen store.
 *
 * A cache above sees hits and the precache its misses, not its victims, unless
 * victims are what is put. Then a get should take the page out (the default). A
 * caller that puts what it reads, wants TMEM_PRECACHE_KEEP.
 *
 * Threads: every call from any thread at any time, but finish, which is last.
 * Two calls on one page at once are ordered by the caller, as a page lock does.
 */
#ifndef TMEM_PRECACHE_H
#define TMEM_PRECACHE_H

#include <tmem/tmem.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Types -------------------------------------------------------------- */

/** struct tmem_precache - the precache of one filesystem; opaque. */
struct tmem_precache;

/** enum - struct tmem_precache_opts.flags. */
enum {
	TMEM_PRECACHE_KEEP = 1 /* a get leaves the page */
};

/**
 * struct tmem_precache_opts - how to begin.
 * @size: sizeof(struct tmem_precache_opts).
 * @flags: TMEM_PRECACHE_*; unknown bits: -EINVAL.
 * @page_size: bytes, a power of two from 4 KiB to 64 KiB; 0: 4096.
 * @uuid: names a shared filesystem; ignored for a private one.
 * @name: for people, in statistics; NULL is fine. Copied.
 */
struct tmem_precache_opts {
	size_t size;
	uint32_t flags;
	uint32_t page_size;
	uint8_t uuid[16];
	const char *name;
};

/**
 * struct tmem_precache_file - which file of the filesystem.
 * @object: filled by tmem_precache_identify(), or the caller's own numbering, if
 *	no number ever means two files or two lives of one. Every bit counts.
 */
struct tmem_precache_file {
	uint64_t object[3];
};

/** enum - what tmem_precache_identify() found to name a file by. */
enum {
	/* The file's handle: lasts as long as the file, and names no other. */
	TMEM_PRECACHE_BY_HANDLE = 1,
	/* Device, inode and change time: another name after each change. */
	TMEM_PRECACHE_BY_TIME = 2
};

/* ---- Beginning and end -------------------------------------------------- */

/**
 * tmem_precache_init() - begin for a filesystem.
 * @t: a session that outlives the precache; NULL: there is no store, *ret
 *	becomes NULL, and each call below is one test.
 * @opts: NULL: get takes pages out, 4 KiB pages.
 * @ret: out: the precache; ended by tmem_precache_finish().
 *
 * The pool is made by the first put: a filesystem nobody reads from costs none.
 *
 * Context: any thread.
 * Return: 0; -EINVAL a bad argument; -E2BIG @opts is newer than this library and
 *	uses what it does not know; -ENOMEM.
 * Source: cleancache's init_fs; Xen's auto-allocated pools.
 * Since: 0.1
 */
int tmem_precache_init(struct tmem *t, const struct tmem_precache_opts *opts,
		       struct tmem_precache **ret)
	__attribute__((warn_unused_result));

/**
 * tmem_precache_shared_init() - begin for a filesystem that several hosts mount.
 * @opts: its uuid names the filesystem; not NULL. KEEP is implied.
 *
 * The pool is joined at once, so that a refusal is known before anything relies
 * on it. Whoever mounts the filesystem keeps the flushes in step with its locks.
 *
 * Context: any thread.
 * Return: as tmem_precache_init(); -EOPNOTSUPP the store has no shared pools (none
 *	has in this release); -ENOSPC no pool is left.
 * Source: cleancache's init_shared_fs.
 * Since: 0.1
 */
int tmem_precache_shared_init(struct tmem *t,
			      const struct tmem_precache_opts *opts,
			      struct tmem_precache **ret)
	__attribute__((warn_unused_result));

/**
 * tmem_precache_finish() - end: every page of the filesystem goes.
 * @pc: a precache, or NULL.
 *
 * Context: the last call on @pc; before its session's tmem_close().
 * Since: 0.1
 */
void tmem_precache_finish(struct tmem_precache *pc);

/* ---- Files -------------------------------------------------------------- */

/**
 * tmem_precache_identify() - what to call a file.
 * @fd: the open file; O_PATH will do.
 * @ret: out: its identity.
 *
 * A handle (name_to_handle_at(2)) of up to 16 bytes has the inode's generation in
 * it and outlives the inode in memory. Where there is none, the change time
 * stands for the generation: then the caller asks again after every change of
 * the file, its own included, and old pages become unreachable.
 *
 * Context: any thread; up to three system calls.
 * Return: TMEM_PRECACHE_BY_HANDLE or TMEM_PRECACHE_BY_TIME; -EOPNOTSUPP don't
 *	cache: not a regular file, or neither a handle nor a clock to trust (a
 *	network or user-space filesystem); -EAGAIN don't cache yet: it changed so
 *	lately that another change might bear the same time; -EBADF, -EINVAL.
 * Source: cleancache's file keys by encode_fh.
 * Since: 0.1
 */
int tmem_precache_identify(int fd, struct tmem_precache_file *ret);

/* ---- Pages -------------------------------------------------------------- */

/* Behind the calls below; @pc is not NULL. */
int tmem_precache_put_page(struct tmem_precache *pc,
			   const struct tmem_precache_file *file,
			   uint64_t index, const void *page);
int tmem_precache_get_page(struct tmem_precache *pc,
			   const struct tmem_precache_file *file,
			   uint64_t index, void *page);
int tmem_precache_flush_page(struct tmem_precache *pc,
			     const struct tmem_precache_file *file,
			     uint64_t index);
int tmem_precache_flush_object(struct tmem_precache *pc,
			       const struct tmem_precache_file *file);
int tmem_precache_flush_pool(struct tmem_precache *pc);

/**
 * tmem_precache_put() - offer a clean page.
 * @pc: a precache, or NULL.
 * @file: which file.
 * @index: which page of it.
 * @page: page_size readable bytes; copied.
 *
 * Context: any thread; no I/O. The first put makes the pool.
 * Return: 1 stored; 0 refused, and no older copy is left; -EINVAL; -EPERM a
 *	forked child.
 * Since: 0.1
 */
static inline int tmem_precache_put(struct tmem_precache *pc,
				    const struct tmem_precache_file *file,
				    uint64_t index, const void *page)
{
	return pc ? tmem_precache_put_page(pc, file, index, page) : 0;
}

/**
 * tmem_precache_get() - ask for a page before reading it.
 * @page: page_size writable bytes.
 *
 * Context: any thread; no I/O.
 * Return: 1 hit; 0 miss; -EINVAL; -EPERM. After anything but 1 the page buffer's
 *	content is undefined.
 * Since: 0.1
 */
static inline int tmem_precache_get(struct tmem_precache *pc,
				    const struct tmem_precache_file *file,
				    uint64_t index, void *page)
{
	return pc ? tmem_precache_get_page(pc, file, index, page) : 0;
}

/**
 * tmem_precache_flush() - give up one page.
 *
 * Context: any thread; needs no memory.
 * Return: 1 it was there, 0 not; -EINVAL; -EPERM.
 * Since: 0.1
 */
static inline int tmem_precache_flush(struct tmem_precache *pc,
				      const struct tmem_precache_file *file,
				      uint64_t index)
{
	return pc ? tmem_precache_flush_page(pc, file, index) : 0;
}

/**
 * tmem_precache_flush_inode() - give up all pages of a file.
 *
 * Takes the same short time however many there are.
 *
 * Context: any thread; needs no memory.
 * Return: 1 something was there, 0 nothing; -EINVAL; -EPERM.
 * Since: 0.1
 */
static inline int tmem_precache_flush_inode(struct tmem_precache *pc,
					    const struct tmem_precache_file *file)
{
	return pc ? tmem_precache_flush_object(pc, file) : 0;
}

/**
 * tmem_precache_flush_filesystem() - give up all pages.
 *
 * The pool goes; the next put makes a new one. A put under way in another thread
 * comes before or is refused. A shared pool is left, not emptied: pages of other
 * hosts are theirs; the precache is as without a store from then on.
 *
 * Context: any thread; needs no memory.
 * Return: 1 there was a pool, 0 none; -EPERM.
 * Since: 0.1
 */
static inline int tmem_precache_flush_filesystem(struct tmem_precache *pc)
{
	return pc ? tmem_precache_flush_pool(pc) : 0;
}

/**
 * tmem_precache_stats() - the figures of the pool that there is now.
 * @pc: a precache, or NULL.
 * @ret: in: size; out: the rest, as tmem_pool_stats() gives it.
 *
 * Context: any thread.
 * Return: 1 filled; 0 there is no pool; -EINVAL; -E2BIG; -EPERM.
 * Since: 0.1
 */
int tmem_precache_stats(struct tmem_precache *pc, struct tmem_pool_stats *ret);

#ifdef __cplusplus
}
#endif

#endif /* TMEM_PRECACHE_H */
