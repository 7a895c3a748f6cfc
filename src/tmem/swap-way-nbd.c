/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * swap-way-nbd.c - nbd-client and the kernel's own NBD client.
 *
 * The kernel speaks to the server by itself, with the reserves that swap needs;
 * nbd-client only introduces them to each other.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "swap-way.h"

/* The kernel makes one connection, and has many requests on it: it reads ahead, and
 * writes in batches. */
#define THREADS "16"

#define DEVICES_MAX 1024u

static const char *lacking(const struct swap_host *h)
{
	if (!swap_way_tool("nbd-client"))
		return "nbd-client";
	if (!swap_way_driver(h->sys, "block/nbd0", "nbd"))
		return "the nbd driver";
	return NULL;
}

/* A device in use shows who serves it. Return: 1, with its name. */
static int find_unused(const struct swap_host *h, char *name, size_t len)
{
	char path[PATH_MAX];
	unsigned n;

	for (n = 0; n < DEVICES_MAX; n++) {
		(void)snprintf(path, sizeof(path), "%s/block/nbd%u", h->sys, n);
		if (access(path, F_OK))
			return 0;
		strcat(path, "/pid");
		if (!access(path, F_OK))
			continue;
		(void)snprintf(name, len, "nbd%u", n);
		return 1;
	}
	return 0;
}

static int attach(const struct swap_host *h, const struct swap_offer *o,
		  struct swap_record *r, char *fault)
{
	char device[sizeof(r->device)], name[16], say[SWAP_TOOL_SAY_MAX];
	const char *const argv[] = { "nbd-client",  "-unix", o->socket, device,
				     "-block-size", "4096",  "-swap",	NULL };
	int err;

	if (!find_unused(h, name, sizeof(name))) {
		(void)snprintf(fault, SWAP_WAY_FAULT_MAX,
			       "no nbd device is free");
		return -EBUSY;
	}
	(void)snprintf(device, sizeof(device), "%.40s/%s", h->dev, name);
	err = swap_tool_run(argv, say);
	if (!err) {
		strcpy(r->device, device);
		err = swap_way_await(h, name, o->size_bytes, NULL);
		(void)snprintf(say, sizeof(say), "%s has another size", device);
	}
	if (err)
		(void)snprintf(fault, SWAP_WAY_FAULT_MAX, "nbd-client: %s", say);
	return err;
}

static int detach(const struct swap_host *h, struct swap_record *r, char *fault)
{
	const char *const argv[] = { "nbd-client", "-d", r->device, NULL };
	char say[SWAP_TOOL_SAY_MAX];
	int err = r->device[0] ? swap_tool_run(argv, say) : 0;

	(void)h;
	if (err)
		(void)snprintf(fault, SWAP_WAY_FAULT_MAX,
			       "nbd-client -d %s: %s", r->device, say);
	return err;
}

const struct swap_way swap_way_nbd = {
	.name = "nbd",
	.summary = "nbd-client",
	.threads = THREADS,
	.lacking = lacking,
	.attach = attach,
	.detach = detach,
};
