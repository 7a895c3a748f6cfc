/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * swap-way-file.c - our plugin's own file and a loop device: for a host that has
 * neither ublk nor nbd.
 *
 *	swap -> loop device -> file by FUSE -> nbdkit
 *
 * With nbdfuse in between a request went through three processes: 88 us at the
 * loop device, beside 20 by one that serves the file itself. And all who serve have
 * locked their memory here.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "swap-file.h"

static int attach(const struct swap_host *h, const struct swap_offer *o,
		  struct swap_record *r, char *fault)
{
	char disk[PATH_MAX];
	int err = swap_file_await(swap_record_path(r, SWAP_FILE, disk),
				  o->size_bytes, &r->server);

	if (!err)
		return swap_file_attach(h, disk, r, fault);
	(void)snprintf(fault, SWAP_WAY_FAULT_MAX, "the file by FUSE: %s",
		       strerror(-err));
	return err;
}

static int detach(const struct swap_host *h, struct swap_record *r, char *fault)
{
	(void)h;
	(void)fault;
	swap_file_detach(r);
	return 0;
}

const struct swap_way swap_way_file = {
	.name = "file",
	.summary = "a file by FUSE and a loop device",
	.caution = "FUSE and the loop device allocate on the way of a page: a "
		   "host that is short of memory as a whole can come to wait "
		   "for itself; ublk and nbd do not have that",
	.threads = "1", /* nobody comes by NBD */
	.serves_file = 1,
	.lacking = swap_file_lacking,
	.attach = attach,
	.detach = detach,
};
