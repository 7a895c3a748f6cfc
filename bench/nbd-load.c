/* SPDX-License-Identifier: BSD-2-Clause */
/* nbd-load.c - requests of one page to an NBD server, so many at a time. */
#include "nbd-load.h"

#include <errno.h>
#include <libnbd.h>
#include <string.h>
#include <time.h>

#include <tmem/tmem.h>

#include "clock.h"
#include "private.h"

/* A socket has its name a moment before its server listens. */
#define LISTEN_NS (1 * TMEM_NS_PER_SEC)

/** struct request - one that is under way, or a place for one. */
struct request {
	struct run *run;
	uint64_t from_ns;
	uint32_t block;
	uint8_t *page; /* for what is read */
};

/** struct run - all of them. */
struct run {
	struct nbd_handle *nbd;
	const struct nbd_load *load;
	struct nbd_load_result *result;
	struct request requests[NBD_LOAD_DEPTH_MAX];
	struct request *idle[NBD_LOAD_DEPTH_MAX];
	unsigned idle_count;
	uint64_t next; /* in load->order */
	int error;
	uint8_t pages[NBD_LOAD_DEPTH_MAX][TMEM_PAGE_SIZE];
};

struct nbd_handle *nbd_load_connect(const char *socket)
{
	const struct timespec ms = { .tv_nsec = TMEM_NS_PER_MS };
	uint64_t end = tmem_clock_ns() + LISTEN_NS;
	struct nbd_handle *nbd;

	for (;;) {
		nbd = nbd_create();
		if (!nbd)
			private_die("libnbd: %s", nbd_get_error());
		if (!nbd_connect_unix(nbd, socket))
			return nbd;
		if (nbd_get_errno() != ECONNREFUSED || tmem_clock_ns() > end)
			private_die("%s", nbd_get_error());
		nbd_close(nbd);
		(void)nanosleep(&ms, NULL);
	}
}

void nbd_load_disconnect(struct nbd_handle *nbd)
{
	(void)nbd_shutdown(nbd, 0);
	nbd_close(nbd);
}

/* libnbd's: 1 says that nobody will ask for the outcome again. */
static int completed(void *data, int *error)
{
	struct request *q = data;
	struct run *r = q->run;

	tmem_histogram_add(&r->result->latency, tmem_clock_ns() - q->from_ns);
	if (*error)
		r->error = *error;
	else if (r->load->kind == NBD_LOAD_READ &&
		 memcmp(q->page, r->load->pages[q->block], TMEM_PAGE_SIZE))
		r->error = EILSEQ;
	r->idle[r->idle_count++] = q;
	return 1;
}

static void submit(struct run *r)
{
	struct request *q = r->idle[--r->idle_count];
	nbd_completion_callback done = { .callback = completed, .user_data = q };
	int64_t cookie;
	uint64_t offset;

	q->block = r->load->order[r->next++];
	offset = (uint64_t)q->block * TMEM_PAGE_SIZE;
	q->from_ns = tmem_clock_ns();
	cookie = r->load->kind == NBD_LOAD_WRITE
			 ? nbd_aio_pwrite(r->nbd, r->load->pages[q->block],
					  TMEM_PAGE_SIZE, offset, done, 0)
			 : nbd_aio_pread(r->nbd, q->page, TMEM_PAGE_SIZE,
					 offset, done, 0);
	if (cookie < 0)
		private_die("%s", nbd_get_error());
}

void nbd_load_run(struct nbd_handle *nbd, const struct nbd_load *load,
		  struct nbd_load_result *ret)
{
	static struct run r; /* too large for a stack */
	uint64_t from;
	unsigned i;

	r = (struct run){ .nbd = nbd, .load = load, .result = ret };
	tmem_histogram_init(&ret->latency);
	for (i = 0; i < load->depth; i++) {
		r.requests[i] =
			(struct request){ .run = &r, .page = r.pages[i] };
		r.idle[r.idle_count++] = &r.requests[i];
	}
	from = tmem_clock_ns();
	while (r.next < load->count || r.idle_count < load->depth) {
		while (r.idle_count && r.next < load->count)
			submit(&r);
		if (nbd_poll(nbd, -1) < 0)
			private_die("%s", nbd_get_error());
		if (r.error)
			private_die("%s: %s",
				    load->kind == NBD_LOAD_WRITE ? "a write"
								 : "a read",
				    r.error == EILSEQ ? "other bytes than were "
							"written"
						      : strerror(r.error));
	}
	ret->per_second = (double)load->count * TMEM_NS_PER_SEC /
			  (double)(tmem_clock_ns() - from);
}
