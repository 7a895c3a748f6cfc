/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * swap-way-ublk.c - nbdublk and the ublk driver (Linux 6.0).
 *
 * nbdublk stays as long as the device; asked to end, it removes it. It tells
 * nobody which number it was given, so it is told one.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "swap-way.h"

/* The kernel reads ahead, and writes in batches. */
#define THREADS "16"

#define DEVICES_MAX 64u /* ublks_max, unless the driver was told otherwise */

static const char *lacking(const struct swap_host *h)
{
	if (!swap_way_tool("nbdublk"))
		return "nbdublk";
	if (!swap_way_driver(h->dev, "ublk-control", "ublk_drv"))
		return "the ublk driver";
	return NULL;
}

/* Return: a number that nobody has, or DEVICES_MAX. */
static unsigned unused(const struct swap_host *h)
{
	char path[PATH_MAX];
	unsigned n;

	for (n = 0; n < DEVICES_MAX; n++) {
		(void)snprintf(path, sizeof(path), "%s/ublkc%u", h->dev, n);
		if (access(path, F_OK))
			break;
	}
	return n;
}

static int attach(const struct swap_host *h, const struct swap_offer *o,
		  struct swap_record *r, char *fault)
{
	char log[PATH_MAX], number[16], name[32], say[SWAP_TOOL_SAY_MAX];
	const char *const argv[] = { "nbdublk", number, "--unix", o->socket,
				     NULL };
	unsigned n = unused(h);
	int err;

	if (n == DEVICES_MAX) {
		(void)snprintf(fault, SWAP_WAY_FAULT_MAX,
			       "no ublk device is free");
		return -EBUSY;
	}
	(void)snprintf(number, sizeof(number), "%u", n);
	(void)snprintf(name, sizeof(name), "ublkb%u", n);
	(void)snprintf(r->device, sizeof(r->device), "%.40s/%.20s", h->dev,
		       name);
	err = swap_record_start(r, &r->attacher, argv, "attach.log");
	if (!err)
		err = swap_way_await(h, name, o->size_bytes, &r->attacher);
	if (err == -ESRCH)
		swap_tool_first_line(swap_record_path(r, "attach.log", log),
				     say);
	else
		(void)snprintf(say, sizeof(say), "%s", strerror(-err));
	if (err)
		(void)snprintf(fault, SWAP_WAY_FAULT_MAX, "nbdublk: %s", say);
	return err;
}

static int detach(const struct swap_host *h, struct swap_record *r, char *fault)
{
	int err = swap_process_end(&r->attacher, 0);

	(void)h;
	if (err)
		(void)snprintf(fault, SWAP_WAY_FAULT_MAX,
			       "nbdublk (process %d) does not end",
			       (int)r->attacher.pid);
	return err;
}

const struct swap_way swap_way_ublk = {
	.name = "ublk",
	.summary = "nbdublk",
	.threads = THREADS,
	.lacking = lacking,
	.attach = attach,
	.detach = detach,
};
