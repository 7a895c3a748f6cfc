/* SPDX-License-Identifier: BSD-2-Clause */
/* swap-file.c - a file that is served by FUSE, and a loop device on it. */
#include "swap-file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "swap-loop.h"

const char *swap_file_lacking(const struct swap_host *h)
{
	if (!swap_way_driver(h->dev, "fuse", "fuse"))
		return "FUSE";
	if (!swap_way_driver(h->dev, "loop-control", "loop"))
		return "loop devices";
	return NULL;
}

/* The file has a size from when it is served. */
int swap_file_await(const char *path, uint64_t size_bytes,
		    const struct swap_process *p)
{
	const uint64_t end_ns = swap_tool_patience_ns();
	struct stat st;
	int err = 0;

	while (!err && (stat(path, &st) || (uint64_t)st.st_size != size_bytes))
		err = swap_process_nap(p, end_ns);
	return err;
}

int swap_file_attach(const struct swap_host *h, const char *path,
		     struct swap_record *r, char *fault)
{
	r->device_fd =
		swap_loop_attach(h->dev, path, r->device, sizeof(r->device));
	if (r->device_fd >= 0)
		return 0;
	(void)snprintf(fault, SWAP_WAY_FAULT_MAX, "no loop device: %s",
		       strerror(-r->device_fd));
	return r->device_fd;
}

void swap_file_detach(struct swap_record *r)
{
	char path[PATH_MAX];

	swap_record_let_go(r);
	(void)umount2(swap_record_path(r, SWAP_FILE, path), MNT_DETACH);
}
