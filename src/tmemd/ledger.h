/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ledger.h - what is lent to whom, in bytes.
 *
 * An account is a domain that has sessions: it comes with the first of them and
 * goes with the last, and as long as it is there its name belongs to one user.
 */
#ifndef TMEM_TMEMD_LEDGER_H
#define TMEM_TMEMD_LEDGER_H

#include <stdint.h>
#include <sys/queue.h>

#include <tmem/wire.h>

struct tmemd_config;

/** struct tmemd_flow - what sessions claim, as far as it is believed and was watched.
 */
struct tmemd_flow {
	uint64_t raw_bytes; /* now */
	uint64_t used_bytes;
	uint64_t puts; /* ever; never less than before */
	uint64_t gets;
	uint64_t hits;
	uint64_t ghost_hits;
	uint64_t evictions;
	uint64_t ager_ns;
};

struct tmemd_account {
	TAILQ_ENTRY(tmemd_account) entry;
	char name[TMEM_WIRE_NAME_MAX];
	uint64_t number;	   /* rises from account to account */
	uint32_t uid;		   /* whose name it is */
	uint32_t sessions;	   /* that share it */
	uint64_t cap_bytes;	   /* most that is lent to it */
	uint64_t persistent_bytes; /* most that cannot be taken back */
	uint64_t min_bytes;	   /* has it before weights count */
	uint32_t weight;
	int frozen; /* gets nothing more */
	uint64_t lent_bytes[TMEM_WIRE_CLASSES];
	uint64_t asked_bytes;	 /* and not lent yet */
	uint64_t entitled_bytes; /* as last divided */
	uint64_t ghost_rate;	 /* see struct tmemd_claimant */
	uint64_t ghost_hits;	 /* claimed, since the last look */
	uint64_t revoked;	 /* segments, ever */
	uint64_t doubted;	 /* reports of which not all can be so */
	int passed_over;	 /* in this turn: nothing could be taken */
	struct tmem_wire_figures past; /* counted by sessions that are over */
	struct tmemd_flow flow;
	uint32_t place;		       /* in the history; 0: none */
	struct tmem_wire_domain *line; /* while a list is made: its own */
};

struct tmemd_ledger {
	TAILQ_HEAD(, tmemd_account) accounts;
	uint64_t number_last;  /* of an account */
	uint32_t count;	       /* of accounts */
	uint64_t budget_bytes; /* as it is now */
	uint64_t lent_bytes[TMEM_WIRE_CLASSES];
	struct tmemd_flow flow; /* of accounts that are over, too */
};

void tmemd_ledger_init(struct tmemd_ledger *l);
void tmemd_ledger_finish(struct tmemd_ledger *l);

/** tmemd_ledger_configure() - each account's settings as they are now said. */
void tmemd_ledger_configure(struct tmemd_ledger *l,
			    const struct tmemd_config *config);

/** tmemd_ledger_find() - NULL: no session is of a domain of that name. */
struct tmemd_account *tmemd_ledger_find(struct tmemd_ledger *l,
					const char *name);

/**
 * tmemd_ledger_join() - one more session of a domain.
 * @uid: of the client. Root may join any domain.
 *
 * Return: 0; -EINVAL that is no name; -EPERM it is another user's; -ENOMEM.
 */
int tmemd_ledger_join(struct tmemd_ledger *l, const struct tmemd_config *config,
		      const char *name, uint32_t uid,
		      struct tmemd_account **ret);

/** tmemd_ledger_leave() - one less; the last one takes the account along. */
void tmemd_ledger_leave(struct tmemd_ledger *l, struct tmemd_account *a);

/** tmemd_ledger_charge() - lent, or with a negative number taken back. */
void tmemd_ledger_charge(struct tmemd_ledger *l, struct tmemd_account *a,
			 uint32_t cls, int64_t bytes);

/**
 * tmemd_ledger_follow() - a session has said how it does, and is believed.
 * @was: what it said before; all 0: nothing.
 * @is: all 0: it is over, and holds nothing any more.
 * @watched: what it counted between the two is this daemon's to tell; 0: it may
 *	have been counted before the daemon was there.
 */
void tmemd_ledger_follow(struct tmemd_ledger *l, struct tmemd_account *a,
			 const struct tmem_wire_figures *was,
			 const struct tmem_wire_figures *is, int watched);

static inline uint64_t tmemd_lent_sum(const uint64_t lent[TMEM_WIRE_CLASSES])
{
	return lent[TMEM_WIRE_EPHEMERAL] + lent[TMEM_WIRE_PERSISTENT] +
	       lent[TMEM_WIRE_METADATA];
}

#endif
