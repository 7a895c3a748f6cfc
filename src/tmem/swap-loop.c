/* SPDX-License-Identifier: BSD-2-Clause */
/* swap-loop.c - a file as a block device, for as long as somebody has that open. */
#include "swap-loop.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/loop.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* A device that is free may be taken by another before it is ours. */
#define TRIES 16

static int find_unused(const char *dev)
{
	char path[PATH_MAX];
	int fd, n;

	(void)snprintf(path, sizeof(path), "%s/loop-control", dev);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = ioctl(fd, LOOP_CTL_GET_FREE);
	if (n < 0)
		n = -errno;
	(void)close(fd);
	return n;
}

/* Return: a descriptor; -EBUSY another was first; another negative errno. */
static int take(const char *device, int file, const char *name)
{
	struct loop_config config = {
		.fd = (unsigned)file,
		.info.lo_flags = LO_FLAGS_AUTOCLEAR | LO_FLAGS_DIRECT_IO,
	};
	int fd = open(device, O_RDWR | O_CLOEXEC), err;

	if (fd < 0)
		return -errno;
	(void)snprintf((char *)config.info.lo_file_name, LO_NAME_SIZE, "%s",
		       name);
	if (!ioctl(fd, LOOP_CONFIGURE, &config))
		return fd;
	err = -errno;
	(void)close(fd);
	return err;
}

int swap_loop_attach(const char *dev, const char *file, char *device, size_t len)
{
	int backing = open(file, O_RDWR | O_CLOEXEC), result = -EBUSY, i, n;

	if (backing < 0)
		return -errno;
	for (i = 0; i < TRIES && result == -EBUSY; i++) {
		n = find_unused(dev);
		if (n < 0) {
			result = n;
			break;
		}
		(void)snprintf(device, len, "%s/loop%d", dev, n);
		result = take(device, backing, file);
	}
	(void)close(backing);
	return result;
}
