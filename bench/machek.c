/* SPDX-License-Identifier: BSD-2-Clause */
/* machek.c - programs to be run with too little memory. */
#include "machek.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench-run.h"

static void *take(uint64_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	/* Huge pages are swapped whole or split: another question. */
	if (p == MAP_FAILED || madvise(p, bytes, MADV_NOHUGEPAGE))
		return NULL;
	return p;
}

/* ---- sort ----------------------------------------------------------------- */

/** struct record - as an exported table has them. */
struct record {
	uint64_t key;
	char text[48];
	uint64_t none;
};

static void swap_records(struct record *a, struct record *b)
{
	struct record r = *a;

	*a = *b;
	*b = r;
}

/* Hoare's, the smaller part first. */
static void sort(struct record *r, int64_t n)
{
	while (n > 1) {
		uint64_t pivot = r[(n - 1) / 2].key;
		int64_t i = -1, j = n;

		for (;;) {
			while (r[++i].key < pivot)
				;
			while (r[--j].key > pivot)
				;
			if (i >= j)
				break;
			swap_records(&r[i], &r[j]);
		}
		j++; /* of the first part */
		if (j < n - j) {
			sort(r, j);
			r += j;
			n -= j;
		} else {
			sort(r + j, n - j);
			n = j;
		}
	}
}

static int run_sort(uint64_t bytes)
{
	struct bench_random random = { .state = 1 };
	uint64_t n = bytes / sizeof(struct record), i, sum = 0;
	struct record *all = take(bytes);

	if (!all)
		return 0;
	for (i = 0; i < n; i++) {
		all[i].key = bench_below(&random, 1u << 30);
		(void)snprintf(all[i].text, sizeof(all[i].text),
			       "order %llu, delivered to customer",
			       (unsigned long long)i);
		sum += all[i].key;
	}
	sort(all, (int64_t)n);
	for (i = 0; i < n; i++) {
		sum -= all[i].key;
		if (i && all[i].key < all[i - 1].key)
			return 0;
	}
	return sum == 0;
}

/* ---- hash ----------------------------------------------------------------- */

struct word {
	uint64_t hash; /* 0: none */
	uint64_t count;
	char text[16];
};

/* Places of the table, for each word seen: hashes lie anywhere, so that with half the
 * memory every other word is a fault. */
#define PLACES_PER_SEEN 16u

/* Seven of eight come from the first eighth of them. */
static uint64_t draw(struct bench_random *random, uint64_t words)
{
	return bench_below(random, 8) ? bench_below(random, words / 8)
				      : bench_below(random, words);
}

static void count_word(struct word *table, uint64_t places, uint64_t word)
{
	struct bench_random mix = { .state = word };
	uint64_t hash = bench_random(&mix) | 1, at = hash % places;

	while (table[at].hash && table[at].hash != hash)
		at = (at + 1) % places;
	if (!table[at].hash) {
		table[at].hash = hash;
		(void)snprintf(table[at].text, sizeof(table[at].text),
			       "word-%llu", (unsigned long long)word);
	}
	table[at].count++;
}

static int run_hash(uint64_t bytes)
{
	struct bench_random random = { .state = 2 };
	uint64_t places = bytes / sizeof(struct word), i, sum = 0;
	uint64_t seen = places / PLACES_PER_SEEN;
	struct word *table = take(bytes);

	if (!table)
		return 0;
	for (i = 0; i < seen; i++)
		count_word(table, places, draw(&random, places / 2));
	for (i = 0; i < places; i++)
		sum += table[i].count;
	return sum == seen;
}

/* ---- matrix --------------------------------------------------------------- */

#define TIMES 6u

static int run_matrix(uint64_t bytes)
{
	uint64_t n = 1, i, j;
	double *a, *x, *y, sum = 0;
	unsigned t;

	while ((n + 1) * (n + 1) * sizeof(*a) <= bytes)
		n++;
	a = take(bytes);
	x = take(n * sizeof(*x));
	y = take(n * sizeof(*y));
	if (!a || !x || !y)
		return 0;
	/* Each column sums to 1, so that the vector keeps its sum. */
	for (i = 0; i < n * n; i++)
		a[i] = 0;
	for (i = 0; i < n; i++) {
		a[i * n + i] += 0.5;
		a[(n - 1 - i) * n + i] += 0.25;
		a[(i * 7 + 1) % n * n + i] += 0.25;
		x[i] = 1;
	}
	for (t = 0; t < TIMES; t++) {
		for (i = 0; i < n; i++) {
			y[i] = 0;
			for (j = 0; j < n; j++)
				y[i] += a[i * n + j] * x[j];
		}
		memcpy(x, y, n * sizeof(*x));
	}
	for (i = 0; i < n; i++)
		sum += x[i];
	return sum > (double)n * 0.999 && sum < (double)n * 1.001;
}

/* ---- jobs ----------------------------------------------------------------- */

#define JOBS 8u
#define JOBS_AT_ONCE 4u
#define PASSES 4u

/* A compiler's life: a file is read, a tree is built and gone over, it ends. */
static int job(uint64_t bytes, unsigned number)
{
	struct bench_random random = { .state = number };
	uint64_t n = bytes / sizeof(uint64_t), i, sum = 0, want = 0;
	uint64_t *all = take(bytes);
	unsigned pass;

	if (!all)
		return 0;
	for (i = 0; i < n; i++) {
		all[i] = bench_below(&random, 1u << 12);
		want += all[i];
	}
	for (pass = 0; pass < PASSES; pass++)
		for (i = 0; i < n; i++)
			all[i] = all[i] * 3 + 1;
	for (pass = 0; pass < PASSES; pass++)
		for (i = 0; i < n; i++)
			all[i] = (all[i] - 1) / 3;
	for (i = 0; i < n; i++)
		sum += all[i];
	return sum == want;
}

static void await_job(unsigned *right, unsigned *killed)
{
	int status = 1;

	if (wait(&status) <= 0)
		return;
	*killed += WIFSIGNALED(status);
	*right += WIFEXITED(status) && !WEXITSTATUS(status);
}

static int run_jobs(uint64_t bytes)
{
	unsigned i, right = 0, killed = 0;

	for (i = 0; i < JOBS; i++) {
		pid_t pid;

		if (i >= JOBS_AT_ONCE)
			await_job(&right, &killed);
		pid = fork();
		if (!pid)
			_exit(!job(bytes / JOBS_AT_ONCE, i));
		if (pid < 0)
			return 0;
	}
	for (i = 0; i < JOBS_AT_ONCE; i++)
		await_job(&right, &killed);
	if (killed) /* then so is the program */
		(void)raise(SIGKILL);
	return right == JOBS;
}

const struct machek_program machek_programs[MACHEK_PROGRAMS] = {
	{ "sort", run_sort },
	{ "hash", run_hash },
	{ "matrix", run_matrix },
	{ "jobs", run_jobs },
};
