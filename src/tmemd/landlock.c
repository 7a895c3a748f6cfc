/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * landlock.c - which files can still be opened or removed: Landlock, where the
 * kernel has it.
 *
 * By system calls: there is no libc wrapper, and headers are older than kernels.
 *
 * A rule belongs to an inode, not to a path. Hence two things. Whoever replaces
 * a file by renaming another over it needs a rule for its directory. And files
 * in /proc get a new inode when the kernel has dropped their dentry to save
 * memory, which is when this daemon wants to read them: so each path let in is
 * kept open, by O_PATH, which holds on to the dentry.
 */
#include "landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What came after the first version; Documentation/userspace-api/landlock.rst. */
#define FS_REFER (1ull << 13)	  /* 2 */
#define FS_TRUNCATE (1ull << 14)  /* 3 */
#define NET_BIND (1ull << 0)	  /* 4 */
#define NET_CONNECT (1ull << 1)	  /* 4 */
#define FS_IOCTL_DEV (1ull << 15) /* 5 */
#define SCOPE_SIGNAL (1ull << 1)  /* 6 */

/* All of the first version: EXECUTE to MAKE_SYM. */
#define FS_FIRST (((uint64_t)LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1)

/* struct landlock_ruleset_attr as of version 6; older kernels know a part. */
struct attr {
	uint64_t fs;
	uint64_t net;
	uint64_t scoped;
};

/* Not scoped are abstract sockets: a service manager's may be one. */
static struct attr all_of(int abi)
{
	struct attr a = { .fs = FS_FIRST };

	if (abi >= 2)
		a.fs |= FS_REFER;
	if (abi >= 3)
		a.fs |= FS_TRUNCATE;
	if (abi >= 4)
		a.net = NET_BIND | NET_CONNECT;
	if (abi >= 5)
		a.fs |= FS_IOCTL_DEV;
	if (abi >= 6)
		a.scoped = SCOPE_SIGNAL;
	return a;
}

static size_t size_of(int abi)
{
	if (abi >= 6)
		return sizeof(struct attr);
	return abi >= 4 ? offsetof(struct attr, scoped)
			: offsetof(struct attr, net);
}

int tmemd_landlock_init(struct tmemd_landlock *l)
{
	struct attr a;
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
			   LANDLOCK_CREATE_RULESET_VERSION);

	*l = (struct tmemd_landlock){ .rules = -1 };
	/* Not built in; not switched on; kept away by a container's own filter,
	 * since the kernel itself tells everybody its version. */
	if (abi < 0)
		return errno == ENOSYS || errno == EOPNOTSUPP || errno == EPERM
			       ? 0
			       : -errno;
	l->abi = (int)abi;
	a = all_of(l->abi);
	l->rules = (int)syscall(SYS_landlock_create_ruleset, &a,
				size_of(l->abi), 0);
	return l->rules < 0 ? -errno : 0;
}

static int allow(struct tmemd_landlock *l, const char *path, uint64_t file,
		 uint64_t directory)
{
	struct landlock_path_beneath_attr rule = { .allowed_access = file };
	struct stat st;
	int fd;

	if (!l->abi)
		return 0;
	if (l->pin_count == TMEMD_LANDLOCK_PATHS_MAX)
		return -ENOSPC;
	fd = open(path, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	l->pins[l->pin_count++] = fd;
	if (fstat(fd, &st))
		return -errno;
	if (S_ISDIR(st.st_mode))
		rule.allowed_access |= directory;
	rule.parent_fd = fd;
	if (syscall(SYS_landlock_add_rule, l->rules, LANDLOCK_RULE_PATH_BENEATH,
		    &rule, 0))
		return -errno;
	return 0;
}

int tmemd_landlock_allow_read(struct tmemd_landlock *l, const char *path)
{
	return allow(l, path, LANDLOCK_ACCESS_FS_READ_FILE,
		     LANDLOCK_ACCESS_FS_READ_DIR);
}

int tmemd_landlock_allow_remove(struct tmemd_landlock *l, const char *path)
{
	return allow(l, path, 0, LANDLOCK_ACCESS_FS_REMOVE_FILE);
}

int tmemd_landlock_restrict(struct tmemd_landlock *l)
{
	if (!l->abi)
		return 0;
	if (syscall(SYS_landlock_restrict_self, l->rules, 0))
		return -errno;
	(void)close(l->rules);
	l->rules = -1;
	return 0;
}

void tmemd_landlock_finish(struct tmemd_landlock *l)
{
	if (l->rules >= 0)
		(void)close(l->rules);
	while (l->pin_count)
		(void)close(l->pins[--l->pin_count]);
	l->rules = -1;
}
