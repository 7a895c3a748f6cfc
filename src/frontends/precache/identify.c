/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * identify.c - what to call a file, so that no other file and no other life of
 * its inode has the same name.
 *
 *	object[0]	object[1], object[2]
 *	type size dev	the handle, up to 16 bytes, zeros behind
 *	0    0    dev	inode, change time in ns
 *
 * Handles of ext4 and XFS have 8 and 12 bytes, tmpfs' 12, of which an inode
 * generation is a part. btrfs' have 20: it goes by time, as do filesystems that
 * have none. Cleancache skipped files whose handle was too long.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <time.h>

#include <tmem/precache.h>

#define HANDLE_MAX 16 /* bytes: what object[1] and object[2] have room for */
#define TYPE_BITS 24  /* of object[0], above 8 bits of size and 32 of device */
#define NS_PER_S 1000000000ull

/*
 * Kernels before 6.13, and some filesystems still, stamp files by a clock that
 * ticks at HZ, 100 at the slowest: two changes within 10 ms may look like one.
 * Five ticks leave room for a clock that was read late. Where times are whole
 * seconds the filesystem's tick is one, or two on FAT.
 */
#define YOUNG_NS (50 * 1000000ull)
#define TICK_COARSE_NS (2 * NS_PER_S)

/*
 * Magic numbers of statfs(2) whose inode numbers, handles and times come from
 * another machine or program: a FUSE node id, for one, lives as long as the
 * inode is in memory, and its handle no longer.
 */
static const unsigned foreign_types[] = {
	0x6969,	    /* NFS */
	0x517b,	    /* SMB */
	0xff534d42, /* CIFS */
	0xfe534d42, /* SMB2 */
	0x65735546, /* FUSE */
	0x01021997, /* 9P */
	0x00c36400, /* Ceph */
	0x5346414f, /* AFS */
};

/* The kernel's own 12 + 20 bits. */
static uint64_t device_of(const struct stat *st)
{
	return (uint64_t)major(st->st_dev) << 20 | minor(st->st_dev);
}

static int by_handle(int fd, const struct stat *st,
		     struct tmem_precache_file *ret)
{
	union {
		struct file_handle handle;
		char room[sizeof(struct file_handle) + HANDLE_MAX];
	} h = { .handle.handle_bytes = HANDLE_MAX };
	int mount_id;

	if (name_to_handle_at(fd, "", &h.handle, &mount_id, AT_EMPTY_PATH) < 0)
		return 0;
	if (!h.handle.handle_bytes || h.handle.handle_bytes > HANDLE_MAX ||
	    h.handle.handle_type < 0 || h.handle.handle_type >= 1 << TYPE_BITS)
		return 0;
	memset(ret, 0, sizeof(*ret));
	ret->object[0] = (uint64_t)h.handle.handle_type << 40 |
			 (uint64_t)h.handle.handle_bytes << 32 | device_of(st);
	memcpy(&ret->object[1], h.handle.f_handle, h.handle.handle_bytes);
	return 1;
}

static int filesystem_is_foreign(int fd)
{
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0)
		return 1;
	for (size_t i = 0; i < sizeof(foreign_types) / sizeof(foreign_types[0]);
	     i++) {
		if ((unsigned)fs.f_type == foreign_types[i])
			return 1;
	}
	return 0;
}

static int by_time(const struct stat *st, struct tmem_precache_file *ret)
{
	uint64_t changed = (uint64_t)st->st_ctim.tv_sec * NS_PER_S +
			   (uint64_t)st->st_ctim.tv_nsec;
	struct timespec now;
	uint64_t now_ns;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	now_ns = (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
	/* From the future: somebody set the clock. */
	if (changed + YOUNG_NS + (changed % NS_PER_S ? 0 : TICK_COARSE_NS) >
	    now_ns)
		return -EAGAIN;
	ret->object[0] = device_of(st);
	ret->object[1] = st->st_ino;
	ret->object[2] = changed;
	return TMEM_PRECACHE_BY_TIME;
}

int tmem_precache_identify(int fd, struct tmem_precache_file *ret)
{
	struct stat st;

	if (!ret)
		return -EINVAL;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || filesystem_is_foreign(fd))
		return -EOPNOTSUPP;
	if (by_handle(fd, &st, ret))
		return TMEM_PRECACHE_BY_HANDLE;
	return by_time(&st, ret);
}
