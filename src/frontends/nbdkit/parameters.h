/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * parameters.h - key=value of nbdkit's command line, taken and checked.
 */
#ifndef TMEM_NBDKIT_PARAMETERS_H
#define TMEM_NBDKIT_PARAMETERS_H

#include <stdint.h>

/** PARAMETERS_EXPORTS_MAX - a session's pools: each disk is one. */
#define PARAMETERS_EXPORTS_MAX 128

/** PARAMETERS_SIZE_MAX - bytes of a disk, as tmem_preswap_init() takes them. */
#define PARAMETERS_SIZE_MAX (INT64_C(16) << 40)

/** PARAMETERS_HELP - a line each, for nbdkit --help. */
#define PARAMETERS_HELP                                                            \
	"size=SIZE          (required) Size of the disk, or of each.\n"            \
	"backing=FILE       What the store refuses goes there.\n"                  \
	"store=WHERE        embedded, embedded:KEYS or unix:PATH.\n"               \
	"domain=NAME        Whose memory it is, in a daemon's account.\n"          \
	"limit=BYTES        Most memory to use.\n"                                 \
	"export=NAME        A disk of that name; may be repeated.\n"               \
	"file=FILE          A file here that is the disk, too, by FUSE.\n"         \
	"reserve=BYTES      Memory to have ahead (default: 0; with swap: some).\n" \
	"swap=BOOL          For swap of this host (default: false).\n"

/** struct parameters - what was given. */
struct parameters {
	int64_t size;	      /* bytes; -1: not given */
	uint64_t limit_bytes; /* 0: not given */
	char *backing;	      /* whole path; NULL: none */
	char *file;	      /* whole path; NULL: none */
	char *store;	      /* NULL: not given */
	char *domain;	      /* NULL: not given */
	int64_t reserve;      /* bytes; -1: not given */
	int swap;	      /* 1: yes, 0: no; -1: not given */
	unsigned exports;
	char *export_names[PARAMETERS_EXPORTS_MAX];
};

void parameters_init(struct parameters *p);
void parameters_finish(struct parameters *p);

/** parameters_take() - one of them. Return: 0; -1 told by nbdkit_error(). */
int parameters_take(struct parameters *p, const char *key, const char *value);

/** parameters_check() - all of them. Return: 0; -1 told by nbdkit_error(). */
int parameters_check(const struct parameters *p);

#endif
