/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * loan.h - a lease, as its lender keeps it: two memfds and who has which segment.
 *
 *	data	| segment 0 | segment 1 | ...		the client's, never read here
 *	control	| head | epochs ... | classes ...	the daemon's, the client reads
 *
 * The data memfd has its full size from the beginning and memory only where a
 * segment is lent. It is sealed against growing, so that cutting it to 0 is for
 * ever; the control memfd is sealed against any writer but the mapping here.
 *
 * The classes live in the control memfd and nowhere else, so that both memfds
 * together are the whole lease: that is what survives a daemon.
 */
#ifndef TMEM_TMEMD_LOAN_H
#define TMEM_TMEMD_LOAN_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <tmem/wire.h>

struct tmemd_backing;

struct tmemd_loan {
	int fd;				   /* (c) data; -1: no lease */
	struct tmem_wire_control *control; /* (c) mapped */
	size_t control_bytes;		   /* (c) */
	_Atomic uint32_t *epochs;	   /* (c) in control */
	uint8_t *classes;      /* (c) in control: 0 free, else class + 1 */
	uint32_t segment_size; /* (c) bytes */
	uint32_t segments_max; /* (c) */
	uint32_t lent[TMEM_WIRE_CLASSES];    /* segments */
	uint32_t lent_most;		     /* that were so at a time */
	uint32_t lowest;		     /* no free segment below */
	uint32_t hand;			     /* where revoking goes on */
	uint32_t hints[TMEM_WIRE_HINTS_MAX]; /* first of all those, ... */
	uint32_t hints_next, hints_count;    /* ... from here on */
	dev_t dev;			     /* (c) of the data memfd */
	ino_t ino;			     /* (c) */
};

/** struct tmemd_loan_plan - whose, and how large. */
struct tmemd_loan_plan {
	const char *domain;
	uint32_t uid, pid;
	uint32_t segment_size;
	uint32_t segments_max;
	uint64_t daemon; /* this run's number */
};

/** TMEMD_DATA_SEALS, TMEMD_CONTROL_SEALS - exactly these, F_SEAL_EXEC aside. */
#define TMEMD_DATA_SEALS (F_SEAL_GROW | F_SEAL_SEAL)
#define TMEMD_CONTROL_SEALS                                                    \
	(F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL)
#define TMEMD_SEAL_EXEC 0x20 /* a policy of some systems; harmless */

/**
 * tmemd_loan_create() - a new lease, nothing lent.
 * @ret_control: out: the control memfd, the caller's to hand on and close.
 *
 * Return: 0, -ENOMEM, -EMFILE.
 */
int tmemd_loan_create(struct tmemd_loan *l, const struct tmemd_loan_plan *plan,
		      int *ret_control);

/**
 * tmemd_loan_adopt() - one that another run of the daemon made.
 * @data: its memfd, checked; owned from success on.
 * @epochs, @classes, @revocations: as its old control memfd had them, checked.
 * @ret_control: out: a new one, since nobody can write the old one.
 */
int tmemd_loan_adopt(struct tmemd_loan *l, const struct tmemd_loan_plan *plan,
		     int data, const uint32_t *epochs, const uint8_t *classes,
		     uint64_t revocations, int *ret_control);

/** tmemd_loan_finish() - the mapping goes, the data memfd is closed as it is. */
void tmemd_loan_finish(struct tmemd_loan *l);

/**
 * tmemd_loan_lend() - one more segment, backed with memory.
 *
 * Return: 0; -ENOSPC all are lent; -ENOMEM; -EPERM the client cut its memfd.
 */
int tmemd_loan_lend(struct tmemd_loan *l, struct tmemd_backing *b, uint32_t cls,
		    struct tmem_wire_loan *ret);

/**
 * tmemd_loan_take() - a segment that the client gives back.
 *
 * Return: its class; -ESTALE it was revoked meanwhile; -EINVAL it was not lent.
 */
int tmemd_loan_take(struct tmemd_loan *l, const struct tmem_wire_loan *loan);

/**
 * tmemd_loan_hint() - which segments the client would miss least, by its own word,
 * the first one first; in the place of what it said before. Numbers that mean nothing
 * are passed over when their turn comes.
 * @count: at most TMEM_WIRE_HINTS_MAX.
 */
void tmemd_loan_hint(struct tmemd_loan *l, const uint32_t *segments,
		     uint32_t count);

/**
 * tmemd_loan_revoke() - an ephemeral segment: the next one of the hint, else the
 * next one in the file.
 *
 * Raises its epoch, takes its memory, raises `revocations`: a reader that asks
 * the epoch after reading knows.
 *
 * Return: 1, 0 none is lent.
 */
int tmemd_loan_revoke(struct tmemd_loan *l);

/** tmemd_loan_lent() - segments, all told. */
static inline uint32_t tmemd_loan_lent(const struct tmemd_loan *l)
{
	return l->lent[TMEM_WIRE_EPHEMERAL] + l->lent[TMEM_WIRE_PERSISTENT] +
	       l->lent[TMEM_WIRE_METADATA];
}

/** tmemd_loan_set_limit() - tell the client how much there is. */
static inline void tmemd_loan_set_limit(struct tmemd_loan *l, uint32_t segments)
{
	__atomic_store_n(&l->control->segments_limit, segments,
			 __ATOMIC_RELEASE);
}

/** tmemd_loan_set_frozen() - tell the client whether to refuse puts. Return: 1 that
 * is new to it, 0. */
static inline int tmemd_loan_set_frozen(struct tmemd_loan *l, int frozen)
{
	const uint32_t flags = frozen ? TMEM_WIRE_FROZEN : 0;

	return __atomic_exchange_n(&l->control->flags, flags,
				   __ATOMIC_ACQ_REL) != flags;
}

/**
 * tmemd_loan_sweep() - take memory from where nothing is lent.
 *
 * A reader that races with a revocation leaves an OS page or two; a hostile
 * client as much as it likes.
 *
 * Return: bytes found; -EPERM the client cut its memfd.
 */
int64_t tmemd_loan_sweep(struct tmemd_loan *l);

#endif
