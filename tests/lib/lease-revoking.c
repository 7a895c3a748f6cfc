/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lease-revoking.c - an embedded source behind a lock, and a table of who holds
 * what, so that a revocation may come from any thread at any moment.
 */
#include "lease-revoking.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "assertion.h"
#include "rng.h"

enum {
	NOT_LENT = -1,
	REVOKED = -2, /* and the user may not have noticed */
};

struct lease_revoking {
	struct tmem_lease lease; /* (c) first: ops get a pointer to it */
	struct tmem_lease *inner;
	pthread_mutex_t lock; /* all below but the atomics */
	struct rng rng;
	unsigned one_in;
	uint64_t late;
	uint64_t lent[TMEM_CLASSES];
	int8_t *classes; /* per segment: its class, NOT_LENT or REVOKED */
	_Atomic uint32_t *epochs;
	_Atomic uint64_t revocations;
};

static struct lease_revoking *of(struct tmem_lease *lease)
{
	return (struct lease_revoking *)lease;
}

static void revoke_locked(struct lease_revoking *s, uint32_t segment)
{
	atomic_fetch_add(&s->epochs[segment], 1);
	s->inner->ops->give_back(s->inner, segment);
	s->lent[TMEM_CLASS_EPHEMERAL]--;
	s->classes[segment] = REVOKED;
	atomic_fetch_add(&s->revocations, 1);
}

static int revoke_any_locked(struct lease_revoking *s)
{
	uint32_t max = s->lease.segments_max, i;
	uint64_t skip, n = s->lent[TMEM_CLASS_EPHEMERAL];

	if (!n)
		return 0;
	skip = rng_below(&s->rng, n);
	for (i = 0; i < max; i++) {
		if (s->classes[i] != TMEM_CLASS_EPHEMERAL || skip--)
			continue;
		revoke_locked(s, i);
		return 1;
	}
	return 0;
}

static void chance_locked(struct lease_revoking *s)
{
	if (s->one_in && !rng_below(&s->rng, s->one_in))
		(void)revoke_any_locked(s);
}

static int revoking_lend(struct tmem_lease *lease, enum tmem_class cls,
			 struct tmem_lent *ret)
{
	struct lease_revoking *s = of(lease);
	int err;

	(void)pthread_mutex_lock(&s->lock);
	chance_locked(s);
	err = s->inner->ops->lend(s->inner, cls, ret);
	if (!err) {
		s->classes[ret->segment] = (int8_t)cls;
		ret->epoch = atomic_load(&s->epochs[ret->segment]);
		s->lent[cls]++;
		/* It may be gone again before its user knows the number. */
		chance_locked(s);
	}
	(void)pthread_mutex_unlock(&s->lock);
	return err;
}

static void revoking_give_back(struct tmem_lease *lease, uint32_t segment)
{
	struct lease_revoking *s = of(lease);

	(void)pthread_mutex_lock(&s->lock);
	chance_locked(s);
	TMEM_ASSERT(segment < lease->segments_max);
	/* Given back twice: that is no lateness but the user's mistake. */
	TMEM_ASSERT(s->classes[segment] != NOT_LENT);
	if (s->classes[segment] == REVOKED) {
		s->late++;
		s->classes[segment] = NOT_LENT;
	} else {
		s->lent[s->classes[segment]]--;
		s->classes[segment] = NOT_LENT;
		s->inner->ops->give_back(s->inner, segment);
	}
	(void)pthread_mutex_unlock(&s->lock);
}

static void revoking_populate(struct tmem_lease *lease, uint32_t segment)
{
	struct lease_revoking *s = of(lease);

	(void)pthread_mutex_lock(&s->lock);
	chance_locked(s);
	TMEM_ASSERT(segment < lease->segments_max);
	if (s->classes[segment] >= 0)
		s->inner->ops->populate(s->inner, segment);
	else
		s->late++;
	(void)pthread_mutex_unlock(&s->lock);
}

static void revoking_destroy(struct tmem_lease *lease, int in_child)
{
	struct lease_revoking *s = of(lease);

	if (s->inner)
		s->inner->ops->destroy(s->inner, in_child);
	(void)pthread_mutex_destroy(&s->lock);
	free((void *)s->epochs);
	free(s->classes);
	free(s);
}

static const struct tmem_lease_ops revoking_ops = {
	.lend = revoking_lend,
	.give_back = revoking_give_back,
	.populate = revoking_populate,
	.destroy = revoking_destroy,
};

int lease_revoking_create(const struct tmem_lease_opts *opts, uint64_t seed,
			  struct lease_revoking **ret)
{
	struct lease_revoking *s = calloc(1, sizeof(*s));
	uint32_t i;

	if (!s)
		return -ENOMEM;
	(void)pthread_mutex_init(&s->lock, NULL);
	if (tmem_lease_embedded_create(opts, &s->inner))
		s->inner = NULL;
	if (s->inner) {
		s->classes = malloc(s->inner->segments_max);
		s->epochs = calloc(s->inner->segments_max, sizeof(*s->epochs));
	}
	if (!s->classes || !s->epochs) {
		revoking_destroy(&s->lease, 0);
		return -ENOMEM;
	}
	for (i = 0; i < s->inner->segments_max; i++)
		s->classes[i] = NOT_LENT;
	s->rng.state = seed;
	s->lease = *s->inner;
	s->lease.ops = &revoking_ops;
	s->lease.epochs = s->epochs;
	s->lease.revocations = &s->revocations;
	*ret = s;
	return 0;
}

struct tmem_lease *lease_revoking_lease(struct lease_revoking *source)
{
	return &source->lease;
}

int lease_revoking_revoke(struct lease_revoking *source)
{
	int done;

	(void)pthread_mutex_lock(&source->lock);
	done = revoke_any_locked(source);
	(void)pthread_mutex_unlock(&source->lock);
	return done;
}

int lease_revoking_revoke_segment(struct lease_revoking *source,
				  uint32_t segment)
{
	int can;

	(void)pthread_mutex_lock(&source->lock);
	can = segment < source->lease.segments_max &&
	      source->classes[segment] == TMEM_CLASS_EPHEMERAL;
	if (can)
		revoke_locked(source, segment);
	(void)pthread_mutex_unlock(&source->lock);
	return can;
}

void lease_revoking_set_odds(struct lease_revoking *source, unsigned one_in)
{
	(void)pthread_mutex_lock(&source->lock);
	source->one_in = one_in;
	(void)pthread_mutex_unlock(&source->lock);
}

void lease_revoking_counts(struct lease_revoking *source,
			   struct lease_revoking_counts *ret)
{
	int i;

	(void)pthread_mutex_lock(&source->lock);
	ret->revoked = atomic_load(&source->revocations);
	ret->late = source->late;
	for (i = 0; i < TMEM_CLASSES; i++)
		ret->lent[i] = source->lent[i];
	(void)pthread_mutex_unlock(&source->lock);
}

int lease_revoking_class(struct lease_revoking *source, uint32_t segment)
{
	int cls;

	(void)pthread_mutex_lock(&source->lock);
	cls = source->classes[segment];
	if (cls == REVOKED)
		cls = NOT_LENT;
	(void)pthread_mutex_unlock(&source->lock);
	return cls;
}
