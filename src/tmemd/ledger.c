/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ledger.c - what is lent to whom: accounts found, made, charged and closed.
 */
#include "ledger.h"

#include <errno.h>
#include <string.h>

#include "assertion.h"
#include "config.h"
#include "figures.h"
#include "mem.h"

_Static_assert(TMEM_WIRE_NAME_MAX == TMEMD_DOMAIN_MAX, "one kind of name");

void tmemd_ledger_init(struct tmemd_ledger *l)
{
	memset(l, 0, sizeof(*l));
	TAILQ_INIT(&l->accounts);
}

void tmemd_ledger_finish(struct tmemd_ledger *l)
{
	struct tmemd_account *a;

	while ((a = TAILQ_FIRST(&l->accounts))) {
		TAILQ_REMOVE(&l->accounts, a, entry);
		tmem_mem_free(a, sizeof(*a));
	}
}

static void settle(struct tmemd_account *a, const struct tmemd_domain *d)
{
	a->cap_bytes = d->cap_bytes;
	a->persistent_bytes = d->persistent_bytes;
	a->min_bytes = d->min_bytes;
	a->weight = d->weight;
	a->frozen = d->frozen;
}

void tmemd_ledger_configure(struct tmemd_ledger *l,
			    const struct tmemd_config *config)
{
	struct tmemd_account *a;
	struct tmemd_domain d;

	TAILQ_FOREACH(a, &l->accounts, entry)
		if (tmemd_config_domain(config, a->name, &d) >= 0)
			settle(a, &d);
}

struct tmemd_account *tmemd_ledger_find(struct tmemd_ledger *l, const char *name)
{
	struct tmemd_account *a;

	TAILQ_FOREACH(a, &l->accounts, entry)
		if (!strcmp(a->name, name))
			return a;
	return NULL;
}

static struct tmemd_account *create(struct tmemd_ledger *l,
				    const struct tmemd_domain *d, uint32_t uid)
{
	struct tmemd_account *a = tmem_mem_alloc(sizeof(*a));

	if (!a)
		return NULL;
	memcpy(a->name, d->name, sizeof(a->name));
	a->number = ++l->number_last;
	a->uid = d->uid == TMEMD_UID_ANY ? uid : d->uid;
	settle(a, d);
	TAILQ_INSERT_TAIL(&l->accounts, a, entry);
	l->count++;
	return a;
}

int tmemd_ledger_join(struct tmemd_ledger *l, const struct tmemd_config *config,
		      const char *name, uint32_t uid, struct tmemd_account **ret)
{
	struct tmemd_account *a;
	struct tmemd_domain d;
	uint32_t owner;

	if (tmemd_config_domain(config, name, &d) < 0)
		return -EINVAL;
	a = tmemd_ledger_find(l, name);
	owner = a ? a->uid : d.uid == TMEMD_UID_ANY ? uid : d.uid;
	if (uid && uid != owner)
		return -EPERM;
	if (!a)
		a = create(l, &d, uid);
	if (!a)
		return -ENOMEM;
	a->sessions++;
	*ret = a;
	return 0;
}

void tmemd_ledger_leave(struct tmemd_ledger *l, struct tmemd_account *a)
{
	if (--a->sessions)
		return;
	TMEM_ASSERT(!tmemd_lent_sum(a->lent_bytes));
	TAILQ_REMOVE(&l->accounts, a, entry);
	l->count--;
	tmem_mem_free(a, sizeof(*a));
}

void tmemd_ledger_charge(struct tmemd_ledger *l, struct tmemd_account *a,
			 uint32_t cls, int64_t bytes)
{
	a->lent_bytes[cls] += (uint64_t)bytes;
	l->lent_bytes[cls] += (uint64_t)bytes;
}

static void grow(uint64_t *sum, uint64_t was, uint64_t is)
{
	TMEM_ASSERT(is >= was);
	*sum = tmemd_figure_sum(*sum, is - was);
}

static void flow(struct tmemd_flow *f, const struct tmem_wire_figures *was,
		 const struct tmem_wire_figures *is, int watched)
{
	f->raw_bytes += is->raw_bytes - was->raw_bytes;
	f->used_bytes += is->used_bytes - was->used_bytes;
	if (!watched)
		return;
	grow(&f->puts, was->puts, is->puts);
	grow(&f->gets, was->gets, is->gets);
	grow(&f->hits, was->hits, is->hits);
	grow(&f->ghost_hits, was->ghost_hits, is->ghost_hits);
	grow(&f->evictions, was->evictions, is->evictions);
	grow(&f->ager_ns, was->ager_ns, is->ager_ns);
}

void tmemd_ledger_follow(struct tmemd_ledger *l, struct tmemd_account *a,
			 const struct tmem_wire_figures *was,
			 const struct tmem_wire_figures *is, int watched)
{
	flow(&a->flow, was, is, watched);
	flow(&l->flow, was, is, watched);
}
