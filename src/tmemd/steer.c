/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * steer.c - what an operator changes while the daemon runs: settings, memory to
 * be given back now, domains to be emptied.
 *
 * Each verb is answered with what came of it, and one that cannot be met changes
 * nothing. None takes longer than a turn of serving: who wants more memory back
 * than that says FLUSH again.
 */
#include "steer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "peer.h"
#include "serve.h"
#include "tenant.h"

/* ---- Answers ------------------------------------------------------------- */

static int answer(struct tmemd_peer *p, struct tmem_wire_answer *a)
{
	a->head.type = TMEM_WIRE_ANSWER;
	a->head.len = sizeof(*a);
	return tmemd_peer_send(p, a, sizeof(*a), NULL, 0) ? TMEM_WIRE_DEAF : 0;
}

static int refuse_unknown(struct tmemd_peer *p, const char *domain)
{
	struct tmem_wire_answer a = { 0 };

	(void)snprintf(a.text, sizeof(a.text),
		       "no domain \"%s\"; `tmem list' tells which there are",
		       domain);
	return answer(p, &a);
}

/* What is changed by hand is not in any file: the log has it. */
static void tell(struct tmemd *d, const struct tmemd_peer *p, const char *what,
		 const char *domain, const char *value)
{
	tmemd_log_say(&d->log, TMEM_LOG_INFO, what,
		      TMEMD_FIELDS(TMEMD_TEXT("domain", *domain ? domain : "-"),
				   TMEMD_TEXT("value", value),
				   TMEMD_UINT("pid", p->pid),
				   TMEMD_UINT("uid", p->uid)));
}

/* ---- Settings ------------------------------------------------------------ */

void tmemd_steer_apply(struct tmemd *d, struct tmemd_config *config)
{
	tmemd_config_destroy(d->config);
	d->config = config;
	d->log.level = config->log_level;
	d->arbiter.policy = config->policy;
	tmemd_ledger_configure(&d->ledger, config);
	tmemd_pressure_configure(d);
	tmemd_tenants_refreeze(d);
	tmemd_serve_trim(d);
}

/* A logger whose last line is an answer's text. */
static void take_line(void *ctx, int level, const char *line)
{
	struct tmem_wire_answer *a = ctx;

	(void)level;
	(void)snprintf(a->text, sizeof(a->text), "%s", line);
}

static int known(struct tmemd *d, const char *domain)
{
	struct tmemd_domain section;

	return tmemd_ledger_find(&d->ledger, domain) ||
	       tmemd_config_domain(d->config, domain, &section) == 1;
}

/* A domain that was set by hand, and that nobody is of any more: the first of them.
 * NULL: there is none. */
static const char *forgettable(struct tmemd *d)
{
	const struct tmemd_domain *s = d->config->sections;
	size_t i;

	for (i = 0; i < d->config->domain_count; i++)
		if (!s[i].line && !tmemd_ledger_find(&d->ledger, s[i].name))
			return s[i].name;
	return NULL;
}

/* Names that come once and never again, as those of containers, do not use up the
 * places for all who come later. */
static int change(struct tmemd *d, const char *domain, const char *pairs,
		  size_t len, const struct tmem_logger *logger,
		  struct tmemd_config **ret)
{
	const char *name = d->config->domain_count == TMEMD_DOMAINS_MAX
				   ? forgettable(d)
				   : NULL;
	struct tmemd_config *less = NULL;
	int err = 0;

	if (domain && name && strcmp(name, domain) != 0)
		err = tmemd_config_forget(d->config, name, logger, &less);
	if (!err)
		err = tmemd_config_change(less ? less : d->config, domain,
					  pairs, len, logger, ret);
	tmemd_config_destroy(less);
	return err;
}

static int set(struct tmemd *d, struct tmemd_peer *p,
	       const struct tmem_wire_set *m)
{
	const size_t len = m->head.len - offsetof(struct tmem_wire_set, pairs);
	struct tmem_wire_answer a = { 0 };
	const struct tmem_logger logger = { take_line, &a };
	struct tmemd_config *config;
	size_t at;
	int err;

	if (m->domain[0] && !known(d, m->domain))
		return refuse_unknown(p, m->domain);
	err = change(d, m->domain[0] ? m->domain : NULL, m->pairs, len, &logger,
		     &config);
	if (err == -ENOMEM)
		take_line(&a, 0, "the daemon is out of memory");
	if (err)
		return answer(p, &a);
	for (at = 0; at < len; at += strlen(m->pairs + at) + 1)
		tell(d, p, "set", m->domain, m->pairs + at);
	tmemd_steer_apply(d, config);
	a.done = 1;
	return answer(p, &a);
}

/* ---- Memory back --------------------------------------------------------- */

static int flush(struct tmemd *d, struct tmemd_peer *p,
		 const struct tmem_wire_flush *m)
{
	struct tmem_wire_answer a = { .done = 1 };
	struct tmemd_account *of = NULL;
	char bytes[32];
	int more;

	if (m->domain[0]) {
		of = tmemd_ledger_find(&d->ledger, m->domain);
		if (!of)
			return refuse_unknown(p, m->domain);
	}
	more = tmemd_serve_flush(d, of, m->bytes, &a.bytes);
	a.more = (uint32_t)more;
	(void)snprintf(bytes, sizeof(bytes), "%" PRIu64, a.bytes);
	if (!more) /* a line for all of it, not for each turn */
		tell(d, p, "flushed", m->domain, bytes);
	return answer(p, &a);
}

/* ---- Domains to be emptied ----------------------------------------------- */

/* It destroys its pools itself: only it can do so without harm to who is reading
 * from them. Return: 1 it was told. */
static int order(struct tmemd_tenant *t)
{
	const struct tmem_wire_count m = {
		.head = { TMEM_WIRE_DESTROY, sizeof(m) },
	};

	t->emptying = 1;
	return t->peer && !tmemd_peer_send(t->peer, &m, sizeof(m), NULL, 0);
}

/* Return: 1, 0 it did as it was told, or was not told. */
static int end(struct tmemd *d, struct tmemd_tenant *t)
{
	if (!t->emptying)
		return 0;
	tmemd_tenant_drop(d, t, TMEM_WIRE_EVICTED);
	return 1;
}

static int evict(struct tmemd *d, struct tmemd_peer *p,
		 const struct tmem_wire_evict *m)
{
	struct tmemd_account *of = tmemd_ledger_find(&d->ledger, m->domain);
	struct tmem_wire_answer a = { .done = 1 };
	struct tmemd_tenant *t, *next;
	int force = m->flags & TMEM_WIRE_FORCE;

	if (!of)
		return refuse_unknown(p, m->domain);
	a.bytes = tmemd_lent_sum(of->lent_bytes);
	for (t = TAILQ_FIRST(&d->tenants); t; t = next) {
		next = TAILQ_NEXT(t, entry);
		if (t->account == of) /* which ends with its last session */
			a.sessions += (uint64_t)(force ? end(d, t) : order(t));
	}
	tell(d, p, "evicted", m->domain, force ? "ended" : "told");
	return answer(p, &a);
}

int tmemd_steer_handle(struct tmemd *d, struct tmemd_peer *p,
		       const union tmemd_request *r)
{
	switch (r->head.type) {
	case TMEM_WIRE_SET:
		return set(d, p, &r->set);
	case TMEM_WIRE_FLUSH:
		return flush(d, p, &r->flush);
	default:
		return evict(d, p, &r->evict);
	}
}
