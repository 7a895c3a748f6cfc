/* SPDX-License-Identifier: BSD-2-Clause */
/* cover.c - a mount namespace in which files of /proc are others. */
#include "cover.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stddef.h>
#include <sys/mount.h>
#include <unistd.h>

int cover_begin(struct cover *c)
{
	c->mounts = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	c->cwd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (c->mounts < 0 || c->cwd < 0 || unshare(CLONE_NEWNS))
		goto cannot;
	/* What is laid over stays ours. */
	if (!mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return 0;
	(void)setns(c->mounts, CLONE_NEWNS);
	(void)fchdir(c->cwd);
cannot:
	(void)close(c->mounts);
	(void)close(c->cwd);
	return -EOPNOTSUPP;
}

int cover_put(const char *path, const char *with)
{
	return mount(with, path, NULL, MS_BIND, NULL) ? -errno : 0;
}

int cover_end(struct cover *c)
{
	int err = setns(c->mounts, CLONE_NEWNS) || fchdir(c->cwd) ? -errno : 0;

	(void)close(c->mounts);
	(void)close(c->cwd);
	return err;
}
