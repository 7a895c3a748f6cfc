/* SPDX-License-Identifier: BSD-2-Clause */
/* pages.c - many pages put and looked for again, in a session of a daemon's. */
#include "pages.h"

#include <poll.h>

#include "content.h"
#include "machine.h"

int pages_pool(struct tmem *t, int persistent)
{
	struct tmem_pool_opts opts = {
		.size = sizeof(opts),
		.flags = persistent ? TMEM_POOL_PERSISTENT : TMEM_POOL_KEEP,
	};

	return tmem_pool_create(t, &opts);
}

unsigned pages_put(struct tmem *t, int pool, unsigned first, unsigned count,
		   unsigned patience_ms)
{
	uint64_t end = machine_now_ns() + patience_ms * 1000000ull;
	uint8_t page[TMEM_PAGE_SIZE];
	unsigned i, in = 0;
	struct tmem_key key;
	int ret;

	for (i = first; i < first + count; i++) {
		key = tmem_key(7, i);
		page_fill(page, sizeof(page), CONTENT_RANDOM, i);
		while (!(ret = tmem_put(t, pool, &key, page)) &&
		       machine_now_ns() < end)
			(void)poll(NULL, 0, 1);
		in += ret == 1;
	}
	return in;
}

int pages_get(struct tmem *t, int pool, unsigned first, unsigned count)
{
	uint8_t page[TMEM_PAGE_SIZE];
	struct tmem_key key;
	unsigned i;
	int found = 0;

	for (i = first; i < first + count; i++) {
		key = tmem_key(7, i);
		if (tmem_get(t, pool, &key, page) != 1)
			continue;
		if (!page_equal(page, sizeof(page), CONTENT_RANDOM, i))
			return -1;
		found++;
	}
	return found;
}
