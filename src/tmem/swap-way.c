/* SPDX-License-Identifier: BSD-2-Clause */
/* swap-way.c - the ways from an NBD server to a block device, best first. */
#include "swap-way.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What /sys/block/NAME/size counts in, whatever the device does. */
#define SECTOR_BYTES 512u

const struct swap_host swap_host_here = { .dev = "/dev", .sys = "/sys" };

static const struct swap_way *const ways[] = { &swap_way_ublk, &swap_way_nbd,
					       &swap_way_file, &swap_way_fuse };

#define WAYS (sizeof(ways) / sizeof(ways[0]))

const struct swap_way *swap_way_find(const char *name)
{
	size_t i;

	for (i = 0; i < WAYS; i++) {
		if (!strcmp(ways[i]->name, name))
			return ways[i];
	}
	return NULL;
}

const struct swap_way *swap_way_choose(const struct swap_host *h, char *fault)
{
	size_t len = 0, i;

	for (i = 0; i < WAYS; i++) {
		const char *lacking = ways[i]->lacking(h);

		if (!lacking)
			return ways[i];
		if (len < SWAP_WAY_FAULT_MAX)
			len += (size_t)snprintf(
				fault + len, SWAP_WAY_FAULT_MAX - len,
				"%s%s lacks %s",
				i ? ", " : "no way to a block device: ",
				ways[i]->name, lacking);
	}
	return NULL;
}

int swap_way_tool(const char *name)
{
	char path[PATH_MAX];

	return swap_tool_find(name, path);
}

int swap_way_driver(const char *root, const char *node, const char *module)
{
	const char *const argv[] = { "modprobe", "-q", module, NULL };
	char path[PATH_MAX], say[SWAP_TOOL_SAY_MAX];

	(void)snprintf(path, sizeof(path), "%s/%s", root, node);
	if (!access(path, F_OK))
		return 1;
	return module && !swap_tool_run(argv, say) && !access(path, F_OK);
}

static uint64_t size_of(const struct swap_host *h, const char *name)
{
	char path[PATH_MAX];
	uint64_t sectors = 0;
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/block/%s/size", h->sys, name);
	f = fopen(path, "re");
	if (!f)
		return 0;
	if (fscanf(f, "%" SCNu64, &sectors) != 1)
		sectors = 0;
	(void)fclose(f);
	return sectors * SECTOR_BYTES;
}

int swap_way_await(const struct swap_host *h, const char *name,
		   uint64_t size_bytes, const struct swap_process *p)
{
	const uint64_t end_ns = swap_tool_patience_ns();
	int err = 0;

	while (!err && (size_of(h, name) != size_bytes))
		err = swap_process_nap(p, end_ns);
	return err;
}
