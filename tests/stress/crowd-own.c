/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * crowd-own.c - keys of which one thread knows exactly what is there, and boards,
 * of which each thread knows its part.
 */
#include <string.h>

#include "content.h"
#include "crowd-member.h"

/* ---- A thread's own keys ------------------------------------------------ */

static struct tmem_key own_key(const struct member *m, unsigned k)
{
	return tmem_key(100 + m->id * 4 + k % 4, k);
}

static uint64_t own_name(const struct member *m, unsigned k, uint32_t version)
{
	return crowd_name(PERS, 256 + k, m->id, version);
}

void crowd_put_own(struct member *m, unsigned k)
{
	struct tmem_key key = own_key(m, k);
	uint32_t version = ++m->sequence;
	int ret;

	crowd_make(m->page, own_name(m, k, version));
	ret = tmem_put(m->crowd->opts.t, m->crowd->pools[PERS], &key, m->page);
	m->counts.puts++;
	if (ret != 0 && ret != 1)
		crowd_wrong(m->crowd, "put returned %d", ret);
	m->versions[k] = ret == 1 ? version : 0;
	m->counts.stored += ret == 1;
}

void crowd_get_own(struct member *m, unsigned k)
{
	struct tmem_key key = own_key(m, k);
	int ret = tmem_get(m->crowd->opts.t, m->crowd->pools[PERS], &key,
			   m->page);

	m->counts.gets++;
	if (ret != (m->versions[k] != 0)) {
		crowd_wrong(m->crowd,
			    "own key %u of thread %u: got %d, version %u", k,
			    m->id, ret, m->versions[k]);
		return;
	}
	if (!ret)
		return;
	m->counts.hits++;
	crowd_make(m->made, own_name(m, k, m->versions[k]));
	if (memcmp(m->page, m->made, PAGE))
		crowd_wrong(m->crowd,
			    "own key %u of thread %u is not version %u", k,
			    m->id, m->versions[k]);
}

void crowd_flush_own(struct member *m, unsigned k)
{
	struct tmem_key key = own_key(m, k);
	int ret = tmem_flush_page(m->crowd->opts.t, m->crowd->pools[PERS], &key);

	m->counts.flushes++;
	if (ret != (m->versions[k] != 0))
		crowd_wrong(m->crowd, "flush of own key %u returned %d", k, ret);
	m->versions[k] = 0;
}

void crowd_flush_own_object(struct member *m, unsigned k)
{
	struct tmem_key key = own_key(m, k);
	int ret, any = 0;
	unsigned i;

	for (i = k % 4; i < OWN_KEYS; i += 4) {
		any |= m->versions[i] != 0;
		m->versions[i] = 0;
	}
	ret = tmem_flush_object(m->crowd->opts.t, m->crowd->pools[PERS], &key);
	m->counts.flushes++;
	if (ret != any)
		crowd_wrong(m->crowd, "flush of own object returned %d", ret);
}

/* ---- Boards: pages of which every thread changes a part ------------------ */

/*
 * The first word is a number that no other board has or had; then each thread has
 * a word to count in, far from the others'. As long as the number is the same,
 * nobody but the thread itself has changed its word.
 */
static size_t board_at(const struct member *m)
{
	return (m->id + 1) * 808;
}

static struct tmem_key board_key(unsigned b)
{
	return tmem_key(50 + b % 2, b);
}

static void put_board(struct member *m, unsigned b)
{
	struct tmem_key key = board_key(b);
	uint64_t number = atomic_fetch_add(&m->crowd->board_number, 1) + 1;
	int ret;

	page_fill(m->page, PAGE, number % CONTENT_KINDS, number);
	memcpy(m->page, &number, sizeof(number));
	ret = tmem_put(m->crowd->opts.t, m->crowd->pools[PERS], &key, m->page);
	m->counts.puts++;
	m->counts.stored += ret == 1;
	m->boards[b].number = 0;
	if (ret != 0 && ret != 1)
		crowd_wrong(m->crowd, "put of a board returned %d", ret);
}

/* Looks at a board; 1: it is there and is what was last seen, if it was. */
static int get_board(struct member *m, unsigned b)
{
	struct tmem_key key = board_key(b);
	uint64_t number, value;
	int ret = tmem_get(m->crowd->opts.t, m->crowd->pools[PERS], &key,
			   m->page);

	m->counts.gets++;
	if (ret != 0 && ret != 1)
		crowd_wrong(m->crowd, "get of a board returned %d", ret);
	if (ret != 1) {
		m->boards[b].number = 0;
		return 0;
	}
	m->counts.hits++;
	memcpy(&number, m->page, sizeof(number));
	memcpy(&value, m->page + board_at(m), sizeof(value));
	if (number == m->boards[b].number && value != m->boards[b].value)
		crowd_wrong(m->crowd, "board %u: the word of thread %u was lost",
			    b, m->id);
	m->boards[b].number = number;
	m->boards[b].value = value;
	return 1;
}

void crowd_count_on_board(struct member *m, unsigned b)
{
	uint64_t value;
	struct tmem_op op = {
		.code = TMEM_OP_PUT,
		.pool = m->crowd->pools[PERS],
		.key = board_key(b),
		.page = &value,
		.offset = (uint32_t)board_at(m),
		.len = sizeof(value),
	};

	if (!get_board(m, b)) {
		put_board(m, b);
		return;
	}
	value = m->boards[b].value + 1;
	if (tmem_submit(m->crowd->opts.t, &op, 1) ||
	    (op.result != 0 && op.result != 1))
		crowd_wrong(m->crowd, "part put returned %d", op.result);
	m->counts.puts++;
	m->counts.stored += op.result == 1;
	if (op.result == 1)
		m->boards[b].value = value;
	else
		m->boards[b].number = 0;
	(void)get_board(m, b);
}
