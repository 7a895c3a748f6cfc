/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nbd-load.h - requests of one page to an NBD server, so many at a time.
 */
#ifndef BENCH_NBD_LOAD_H
#define BENCH_NBD_LOAD_H

#include <stdint.h>

#include "histogram.h"

/** NBD_LOAD_DEPTH_MAX - most requests under way. */
#define NBD_LOAD_DEPTH_MAX 64u

enum nbd_load_kind {
	NBD_LOAD_WRITE,
	NBD_LOAD_READ /* and compare */
};

/** struct nbd_load - what is to be done. */
struct nbd_load {
	enum nbd_load_kind kind;
	unsigned depth;
	const uint32_t *order; /* block numbers */
	uint64_t count;	       /* of them */
	const uint8_t **pages; /* what belongs in each block */
};

/** struct nbd_load_result - how it went. */
struct nbd_load_result {
	double per_second;
	struct tmem_histogram latency; /* ns */
};

struct nbd_handle;

/** nbd_load_connect() - to a Unix socket; ends the benchmark if it cannot. */
struct nbd_handle *nbd_load_connect(const char *socket);
void nbd_load_disconnect(struct nbd_handle *nbd);

/** nbd_load_run() - a failed request or a wrong byte ends the benchmark. */
void nbd_load_run(struct nbd_handle *nbd, const struct nbd_load *load,
		  struct nbd_load_result *ret);

#endif
