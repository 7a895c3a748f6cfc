/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench-corpus.h - pages to compress: harvested ones of a directory, or made-up
 * ones.
 *
 * A directory of corpora holds files NAME.pages, pages one after the other
 * (tools/corpora.sh makes one).
 */
#ifndef TMEM_COMMAND_BENCH_CORPUS_H
#define TMEM_COMMAND_BENCH_CORPUS_H

#include <stdint.h>

#define BENCH_CORPORA_MAX 8u
#define BENCH_CORPUS_NAME_MAX 32u

struct bench_corpus {
	char name[BENCH_CORPUS_NAME_MAX];
	uint8_t *pages; /* mapped or allocated */
	uint64_t count; /* pages */
};

struct bench_corpora {
	struct bench_corpus corpus[BENCH_CORPORA_MAX];
	unsigned count;
	/* Those of all corpora that the store would keep packed, in turns of
	 * BENCH_BATCH from each. */
	const uint8_t **mix;
	uint64_t mix_count;
};

/**
 * bench_corpora_init() - load or make them.
 * @dir: NULL: make them up.
 * @bytes: of each, at most.
 *
 * Return: 0; -ENOENT nothing of use in @dir, or what opening it said; -ENOMEM.
 */
int bench_corpora_init(struct bench_corpora *c, const char *dir, uint64_t bytes);
void bench_corpora_finish(struct bench_corpora *c);

#endif
