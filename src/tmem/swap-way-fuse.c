/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * swap-way-fuse.c - nbdfuse and a loop device: for another plugin of nbdkit than
 * ours, which makes a file by itself (swap-way-file.c).
 *
 *	swap -> loop device -> file by FUSE -> nbdfuse -> NBD -> nbdkit
 *
 * Why it is a demonstration: nobody locks nbdfuse's memory, and FUSE allocates on
 * the way. A host that is short of memory as a whole, not only some cgroup on it,
 * may swap out what it needs in order to swap in.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "swap-file.h"
#include "swap-way.h"

/*
 * nbdfuse makes four connections, and requests come page by page: with one thread
 * for each connection nobody hands a request over. Measured beside 16: a fault takes
 * 78 us rather than 117, half the CPU; and 4 buffers rather than 64, each as large as
 * the largest request it ever had, are 17 MiB less of locked memory.
 */
#define THREADS "1"

/* Once its file is unmounted, nbdfuse takes leave of the server and ends. */
#define LEAVE_MS 3000

static const char *lacking(const struct swap_host *h)
{
	if (!swap_way_tool("nbdfuse"))
		return "nbdfuse";
	return swap_file_lacking(h);
}

static int mount_file(const struct swap_offer *o, struct swap_record *r,
		      const char *disk, char *fault)
{
	char log[PATH_MAX], say[SWAP_TOOL_SAY_MAX];
	const char *const argv[] = { "nbdfuse", disk, "--unix", o->socket,
				     NULL };
	int fd = open(disk, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	int err;

	if (fd < 0)
		return -errno;
	(void)close(fd);
	err = swap_record_start(r, &r->attacher, argv, "attach.log");
	if (!err)
		err = swap_file_await(disk, o->size_bytes, &r->attacher);
	if (!err)
		return 0;
	(void)snprintf(say, sizeof(say), "%s", strerror(-err));
	if (err == -ESRCH)
		swap_tool_first_line(swap_record_path(r, "attach.log", log),
				     say);
	(void)snprintf(fault, SWAP_WAY_FAULT_MAX, "nbdfuse: %s", say);
	return err;
}

static int attach(const struct swap_host *h, const struct swap_offer *o,
		  struct swap_record *r, char *fault)
{
	char disk[PATH_MAX];
	int err;

	err = mount_file(o, r, swap_record_path(r, SWAP_FILE, disk), fault);
	if (err)
		return err;
	return swap_file_attach(h, disk, r, fault);
}

static int detach(const struct swap_host *h, struct swap_record *r, char *fault)
{
	int err;

	(void)h;
	swap_file_detach(r);
	err = swap_process_end(&r->attacher, LEAVE_MS);
	if (err)
		(void)snprintf(fault, SWAP_WAY_FAULT_MAX,
			       "nbdfuse (process %d) does not end",
			       (int)r->attacher.pid);
	return err;
}

const struct swap_way swap_way_fuse = {
	.name = "fuse",
	.summary = "nbdfuse and a loop device",
	.caution = "a demonstration: nbdfuse's memory is not locked, so a host "
		   "that is short of memory as a whole can come to wait for "
		   "itself; ublk and nbd do not have that",
	.threads = THREADS,
	.lacking = lacking,
	.attach = attach,
	.detach = detach,
};
