/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pagelock.c - taking and dropping bits that are locks.
 *
 * Who waits counts itself before it looks at the word for the last time; who drops
 * looks at the count after it has changed the word. So either the waiter sees the
 * bits open, or the dropper sees the waiter: both by sequentially consistent
 * operations. With nobody waiting, a lock is one exchange and one `and`.
 */
#include "pagelock.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Looks before a thread sleeps: most are held for about a microsecond. */
#define LOOKS 64

static void relax(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

int pagelocks_init(struct pagelocks *l, uint64_t pages)
{
	l->words = calloc((pages + PAGELOCK_WORD - 1) / PAGELOCK_WORD,
			  sizeof(*l->words));
	atomic_init(&l->waiting, 0);
	return l->words ? 0 : -ENOMEM;
}

void pagelocks_finish(struct pagelocks *l)
{
	free(l->words);
	l->words = NULL;
}

static uint32_t mask_of(uint64_t page, unsigned count)
{
	uint32_t ones = count < PAGELOCK_WORD ? (1u << count) - 1 : UINT32_MAX;

	return ones << page % PAGELOCK_WORD;
}

static int try_take(_Atomic uint32_t *word, uint32_t mask, uint32_t *seen)
{
	*seen = atomic_load_explicit(word, memory_order_relaxed);
	while (!(*seen & mask))
		if (atomic_compare_exchange_weak_explicit(
			    word, seen, *seen | mask, memory_order_acquire,
			    memory_order_relaxed))
			return 1;
	return 0;
}

static void futex(_Atomic uint32_t *word, int op, uint32_t value)
{
	/* Woken for nothing, or not asleep at all: the caller looks again. */
	(void)syscall(SYS_futex, word, op | FUTEX_PRIVATE_FLAG, value, NULL,
		      NULL, 0);
}

void pagelock_take(struct pagelocks *l, uint64_t page, unsigned count)
{
	_Atomic uint32_t *word = &l->words[page / PAGELOCK_WORD];
	uint32_t mask = mask_of(page, count), seen;
	unsigned i;

	for (i = 0; i < LOOKS; i++) {
		if (try_take(word, mask, &seen))
			return;
		relax();
	}
	atomic_fetch_add(&l->waiting, 1);
	while (!try_take(word, mask, &seen)) {
		seen = atomic_load(word);
		if (seen & mask)
			futex(word, FUTEX_WAIT, seen);
	}
	atomic_fetch_sub(&l->waiting, 1);
}

void pagelock_drop(struct pagelocks *l, uint64_t page, unsigned count)
{
	_Atomic uint32_t *word = &l->words[page / PAGELOCK_WORD];

	atomic_fetch_and(word, ~mask_of(page, count));
	if (atomic_load(&l->waiting))
		futex(word, FUTEX_WAKE, INT_MAX);
}
