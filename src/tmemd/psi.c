/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * psi.c - how long tasks of this machine wait for memory, for people to see.
 *
 *	some avg10=0.12 avg60=0.05 avg300=0.00 total=123456
 *	full avg10=...
 *
 * The budget follows triggers (host.c), not these averages: they come too late.
 */
#include "psi.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "kernel-text.h"

/* Two lines of less than a hundred bytes. */
#define TEXT_MAX 512

void tmemd_psi_init(struct tmemd_psi *p)
{
	p->fd = open("/proc/pressure/memory", O_RDONLY | O_CLOEXEC);
}

void tmemd_psi_finish(struct tmemd_psi *p)
{
	tmemd_text_close(&p->fd);
}

static void read_line(const char *text, const char *name, uint32_t *avg10,
		      uint32_t *avg60, uint64_t *total)
{
	const char *line = strstr(text, name);
	unsigned a[4];
	unsigned long long us;

	if (!line ||
	    sscanf(line + strlen(name),
		   "avg10=%3u.%2u avg60=%3u.%2u avg300=%*u.%*u total=%llu",
		   &a[0], &a[1], &a[2], &a[3], &us) != 5)
		return;
	*avg10 = 100 * a[0] + a[1];
	*avg60 = 100 * a[2] + a[3];
	*total = us;
}

void tmemd_psi_read(const char *text, struct tmem_wire_psi *ret)
{
	memset(ret, 0xff, sizeof(*ret));
	read_line(text, "some ", &ret->some_avg10, &ret->some_avg60,
		  &ret->some_us);
	read_line(text, "full ", &ret->full_avg10, &ret->full_avg60,
		  &ret->full_us);
}

void tmemd_psi_look(const struct tmemd_psi *p, struct tmem_wire_psi *ret)
{
	char text[TEXT_MAX];

	(void)tmemd_text_read(p->fd, text, sizeof(text), 0);
	tmemd_psi_read(text, ret);
}
