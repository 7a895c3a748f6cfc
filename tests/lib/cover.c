/* SPDX-License-Identifier: BSD-2-Clause */
/* cover.c - a mount namespace in which files of /proc are others. */
#include "cover.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stddef.h>
#include <sys/mount.h>
#include <unistd.h>

/* Who joins a namespace gets its root for its own, also out of a chroot. */
static int go_back(struct cover *c)
{
	int err = 0;

	if (setns(c->mounts, CLONE_NEWNS) || fchdir(c->root) || chroot(".") ||
	    fchdir(c->cwd))
		err = -errno;
	(void)close(c->mounts);
	(void)close(c->root);
	(void)close(c->cwd);
	return err;
}

int cover_begin(struct cover *c)
{
	c->mounts = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	c->root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	c->cwd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (c->mounts < 0 || c->root < 0 || c->cwd < 0 || unshare(CLONE_NEWNS)) {
		(void)close(c->mounts);
		(void)close(c->root);
		(void)close(c->cwd);
		return -EOPNOTSUPP;
	}
	/* What is laid over stays ours. In a chroot, / is no mount. */
	if (!mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    !mount(NULL, "/proc", NULL, MS_REC | MS_PRIVATE, NULL))
		return 0;
	(void)go_back(c);
	return -EOPNOTSUPP;
}

int cover_put(const char *path, const char *with)
{
	return mount(with, path, NULL, MS_BIND, NULL) ? -errno : 0;
}

int cover_end(struct cover *c)
{
	return go_back(c);
}
