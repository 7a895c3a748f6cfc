/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz-config.c - any file: refused in one line that names its place, or taken
 * with every value within its bounds, and the same when it is read again.
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <tmem/tmem.h>

#include "bounds.h"
#include "config.h"

/* More than the reader takes, so that its own bound is reached. */
#define INPUT_MAX (2u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct heard {
	const char *path;
	unsigned lines;
};

static void hear(void *ctx, int level, const char *line)
{
	struct heard *h = ctx;

	h->lines++;
	/* The default group need not exist, one of the file must. */
	if (level != TMEM_LOG_ERR || strncmp(line, h->path, strlen(h->path)) ||
	    line[strlen(h->path)] != ':' || strpbrk(line, "\n\r"))
		abort();
}

static void expect_size(uint64_t bytes, uint64_t min)
{
	if (bytes < min || bytes > TMEM_LIMIT_MAX)
		abort();
}

static void expect_bounds(const struct tmemd_config *c)
{
	struct tmemd_domain d;
	size_t i;

	expect_size(c->budget_bytes, 16 * TMEM_MIB);
	expect_size(c->default_cap_bytes, TMEM_LIMIT_MIN);
	expect_size(c->default_persistent_bytes, 0);
	if (!c->max_sessions || !c->socket[0] || c->domain_count > 1024)
		abort();
	for (i = 0; i < c->domain_count; i++) {
		if (tmemd_config_domain(c, c->domains[i].name, &d) != 1 ||
		    d.line != c->domains[i].line)
			abort();
		expect_size(d.cap_bytes, TMEM_LIMIT_MIN);
		expect_size(d.persistent_bytes, 0);
		if (d.persistent_bytes > d.cap_bytes)
			abort();
	}
}

static void expect_same(const struct tmemd_config *a,
			const struct tmemd_config *b)
{
	if (memcmp(a, b, offsetof(struct tmemd_config, domains)) != 0 ||
	    a->domain_count != b->domain_count)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char name[] = "tmemd", option[64];
	char *argv[] = { name, option, NULL };
	struct tmemd_config *c = NULL, *again = NULL;
	struct heard heard = { .path = option + strlen("--config=") };
	const struct tmem_logger logger = { hear, &heard };
	int fd, err;

	if (len > INPUT_MAX)
		return 0;
	fd = memfd_create("config", MFD_CLOEXEC);
	if (fd < 0 || write(fd, data, len) != (ssize_t)len)
		abort();
	(void)snprintf(option, sizeof(option), "--config=/proc/self/fd/%d", fd);
	err = tmemd_config_create(2, argv, "0", &logger, &c);
	if (err ? err != -EINVAL || c || heard.lines != 1 : heard.lines)
		abort();
	if (!err) {
		expect_bounds(c);
		if (tmemd_config_reread(c, &logger, &again) || heard.lines)
			abort();
		expect_same(c, again);
	}
	tmemd_config_destroy(again);
	tmemd_config_destroy(c);
	(void)close(fd);
	return 0;
}
