/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * overview.c - what a daemon says of itself, its domains and their sessions,
 * printed.
 *
 * A table of figures for each; both forms come from it.
 */
#include "overview.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "figure.h"
#include "parse.h"
#include "quote.h"

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))
#define LENT(cls) ((cls) * sizeof(uint64_t))

#define STATUS(member) offsetof(struct tmem_wire_status_reply, member)

static const struct figure status_rows[] = {
	{ "protocol", NULL, FIGURE_COUNT32, STATUS(version) },
	{ "pid", "pid", FIGURE_COUNT32, STATUS(pid) },
	{ "up_seconds", "up", FIGURE_NS, STATUS(up_ns) },
	{ "cpu_seconds", "CPU used", FIGURE_NS, STATUS(cpu_ns) },
	{ "budget_bytes", "budget", FIGURE_BYTES, STATUS(budget_bytes) },
	{ "budget_maximum_bytes", "  at most", FIGURE_BYTES,
	  STATUS(maximum_bytes) },
	{ "budget_age_seconds", "  unchanged for", FIGURE_NS,
	  STATUS(budget_age_ns) },
	{ "budget_grown", "  grown, times", FIGURE_COUNT, STATUS(budget_grown) },
	{ "budget_shrunk", "  shrunk, times", FIGURE_COUNT,
	  STATUS(budget_shrunk) },
	{ "available_bytes", "available in the machine", FIGURE_BYTES,
	  STATUS(available_bytes) },
	{ "floor_bytes", "  floor", FIGURE_BYTES, STATUS(floor_bytes) },
	{ "margin_bytes", "  room in the own cgroup", FIGURE_BYTES,
	  STATUS(margin_bytes) },
	{ "lent_ephemeral_bytes", "lent, ephemeral", FIGURE_BYTES,
	  STATUS(lent_bytes) + LENT(TMEM_WIRE_EPHEMERAL) },
	{ "lent_persistent_bytes", "lent, persistent", FIGURE_BYTES,
	  STATUS(lent_bytes) + LENT(TMEM_WIRE_PERSISTENT) },
	{ "lent_metadata_bytes", "lent, metadata", FIGURE_BYTES,
	  STATUS(lent_bytes) + LENT(TMEM_WIRE_METADATA) },
	{ "freeable_bytes", "freeable now", FIGURE_BYTES,
	  STATUS(freeable_bytes) },
	{ "domains", "domains", FIGURE_COUNT, STATUS(domains) },
	{ "sessions", "sessions", FIGURE_COUNT, STATUS(sessions) },
	{ "connections", NULL, FIGURE_COUNT, STATUS(connections) },
	{ "segments_lent", "segments lent so far", FIGURE_COUNT, STATUS(lent) },
	{ "segments_given", "  given back", FIGURE_COUNT, STATUS(given) },
	{ "segments_revoked", "  taken back", FIGURE_COUNT, STATUS(revoked) },
	{ "stray_pages", "stray pages swept", FIGURE_COUNT, STATUS(strays) },
	{ "sessions_returned", "sessions returned", FIGURE_COUNT,
	  STATUS(returned) },
	{ "stalls", "stalls told by the kernel", FIGURE_COUNT, STATUS(stalls) },
	{ "stalls_foreign", "  not the machine's need", FIGURE_COUNT,
	  STATUS(stalls_foreign) },
	{ "psi_some_avg10_percent", "PSI some, of 10 s", FIGURE_PERCENT,
	  STATUS(psi.some_avg10) },
	{ "psi_some_avg60_percent", NULL, FIGURE_PERCENT,
	  STATUS(psi.some_avg60) },
	{ "psi_some_seconds", NULL, FIGURE_US, STATUS(psi.some_us) },
	{ "psi_full_avg10_percent", "PSI full, of 10 s", FIGURE_PERCENT,
	  STATUS(psi.full_avg10) },
	{ "psi_full_avg60_percent", NULL, FIGURE_PERCENT,
	  STATUS(psi.full_avg60) },
	{ "psi_full_seconds", NULL, FIGURE_US, STATUS(psi.full_us) },
};

#define DOMAIN(member) offsetof(struct tmem_wire_domain, member)

static const struct figure domain_rows[] = {
	{ "number", NULL, FIGURE_COUNT, DOMAIN(number) },
	{ "uid", "user", FIGURE_COUNT32, DOMAIN(uid) },
	{ "sessions", "sessions", FIGURE_COUNT32, DOMAIN(sessions) },
	{ "sessions_reported", "  that say how they do", FIGURE_COUNT32,
	  DOMAIN(reported) },
	{ "sessions_emptying", NULL, FIGURE_COUNT32, DOMAIN(emptying) },
	{ "report_age_seconds", NULL, FIGURE_NS, DOMAIN(report_age_ns) },
	{ "weight", "weight", FIGURE_COUNT32, DOMAIN(weight) },
	{ "min_bytes", "min", FIGURE_BYTES, DOMAIN(min_bytes) },
	{ "cap_bytes", "cap", FIGURE_BYTES, DOMAIN(cap_bytes) },
	{ "persistent_quota_bytes", "persistent quota", FIGURE_BYTES,
	  DOMAIN(persistent_bytes) },
	{ "entitled_bytes", "entitled to", FIGURE_BYTES,
	  DOMAIN(entitled_bytes) },
	{ "lent_ephemeral_bytes", "lent, ephemeral", FIGURE_BYTES,
	  DOMAIN(lent_bytes) + LENT(TMEM_WIRE_EPHEMERAL) },
	{ "lent_persistent_bytes", "lent, persistent", FIGURE_BYTES,
	  DOMAIN(lent_bytes) + LENT(TMEM_WIRE_PERSISTENT) },
	{ "lent_metadata_bytes", "lent, metadata", FIGURE_BYTES,
	  DOMAIN(lent_bytes) + LENT(TMEM_WIRE_METADATA) },
	{ "freeable_bytes", "freeable now", FIGURE_BYTES,
	  DOMAIN(freeable_bytes) },
	{ "asked_bytes", "asked for, not lent yet", FIGURE_BYTES,
	  DOMAIN(asked_bytes) },
	{ "segments_revoked", "segments taken back", FIGURE_COUNT,
	  DOMAIN(revoked) },
	{ "reports_doubted", "reports doubted", FIGURE_COUNT, DOMAIN(doubted) },
};

#define CLAIM(member) offsetof(struct tmem_wire_figures, member)

/* As its sessions say. */
static const struct figure claim_rows[] = {
	{ "claimed_limit_bytes", NULL, FIGURE_BYTES, CLAIM(limit_bytes) },
	{ "claimed_used_bytes", "memory used", FIGURE_BYTES, CLAIM(used_bytes) },
	{ "claimed_raw_bytes", "pages kept", FIGURE_BYTES, CLAIM(raw_bytes) },
	{ "claimed_objects", "objects", FIGURE_COUNT, CLAIM(objects) },
	{ "claimed_pools", "pools", FIGURE_COUNT, CLAIM(pools) },
	{ "claimed_pages_ephemeral", "pages, ephemeral", FIGURE_COUNT,
	  CLAIM(pages_ephemeral) },
	{ "claimed_pages_persistent", "  persistent", FIGURE_COUNT,
	  CLAIM(pages_persistent) },
	{ "claimed_pages_same", "pages, same-filled", FIGURE_COUNT,
	  CLAIM(pages_same) },
	{ "claimed_pages_raw", "  raw", FIGURE_COUNT, CLAIM(pages_raw) },
	{ "claimed_pages_packed", "  packed", FIGURE_COUNT,
	  CLAIM(pages_packed) },
	{ "claimed_pages_dense", "  dense", FIGURE_COUNT, CLAIM(pages_dense) },
	{ "claimed_puts", "puts", FIGURE_COUNT, CLAIM(puts) },
	{ "claimed_puts_packed", "  packed by the putter", FIGURE_COUNT,
	  CLAIM(puts_packed) },
	{ "claimed_refused_full", "  refused, full", FIGURE_COUNT,
	  CLAIM(refused_full) },
	{ "claimed_refused_quota", "  refused, quota", FIGURE_COUNT,
	  CLAIM(refused_quota) },
	{ "claimed_refused_frozen", "  refused, frozen", FIGURE_COUNT,
	  CLAIM(refused_frozen) },
	{ "claimed_refused_nomem", "  refused, no memory", FIGURE_COUNT,
	  CLAIM(refused_nomem) },
	{ "claimed_gets", "gets", FIGURE_COUNT, CLAIM(gets) },
	{ "claimed_hits", "  hits", FIGURE_COUNT, CLAIM(hits) },
	{ "claimed_flushes", "flushes", FIGURE_COUNT, CLAIM(flushes) },
	{ "claimed_evictions", "evictions", FIGURE_COUNT, CLAIM(evictions) },
	{ "claimed_ghost_hits", "ghost hits", FIGURE_COUNT, CLAIM(ghost_hits) },
	{ "claimed_shortages", "shortages", FIGURE_COUNT, CLAIM(shortages) },
	{ "claimed_ager_seconds", "agers' CPU", FIGURE_NS, CLAIM(ager_ns) },
};

#define SESSION(member) offsetof(struct tmem_wire_session, member)

static const struct figure session_rows[] = {
	{ "number", NULL, FIGURE_COUNT, SESSION(number) },
	{ "pid", NULL, FIGURE_COUNT32, SESSION(pid) },
	{ "uid", NULL, FIGURE_COUNT32, SESSION(uid) },
	{ "segment_bytes", NULL, FIGURE_COUNT32, SESSION(segment_size) },
	{ "most_bytes", NULL, FIGURE_BYTES, SESSION(most_bytes) },
	{ "lent_ephemeral_bytes", NULL, FIGURE_BYTES,
	  SESSION(lent_bytes) + LENT(TMEM_WIRE_EPHEMERAL) },
	{ "lent_persistent_bytes", NULL, FIGURE_BYTES,
	  SESSION(lent_bytes) + LENT(TMEM_WIRE_PERSISTENT) },
	{ "lent_metadata_bytes", NULL, FIGURE_BYTES,
	  SESSION(lent_bytes) + LENT(TMEM_WIRE_METADATA) },
	{ "freeable_bytes", NULL, FIGURE_BYTES, SESSION(freeable_bytes) },
	{ "report_age_seconds", NULL, FIGURE_NS, SESSION(report_age_ns) },
};

static const char *truth(uint32_t flags, uint32_t bit)
{
	return flags & bit ? "true" : "false";
}

static const char *size_text(uint64_t bytes, char buf[TMEM_FORMAT_SIZE_MAX])
{
	(void)tmem_format_size(bytes, buf, TMEM_FORMAT_SIZE_MAX);
	return buf;
}

/** SHARE_MAX - room for a ratio or a percentage. */
#define SHARE_MAX 32

static const char *ratio_text(double a, double b, char buf[SHARE_MAX])
{
	(void)snprintf(buf, SHARE_MAX, b > 0 ? "%.2f" : "-", a / b);
	return buf;
}

static const char *percent_text(double a, double b, char buf[SHARE_MAX])
{
	(void)snprintf(buf, SHARE_MAX, b > 0 ? "%.1f%%" : "-", 100 * a / b);
	return buf;
}

/** PID_MAX_TEXT - room for any number of 32 bits. */
#define PID_MAX_TEXT 12

static const char *pid_text(uint32_t pid, char buf[PID_MAX_TEXT])
{
	(void)snprintf(buf, PID_MAX_TEXT, pid ? "%" PRIu32 : "-", pid);
	return buf;
}

/* ---- The daemon ---------------------------------------------------------- */

void overview_status(FILE *out, const struct tmem_wire_status_reply *s)
{
	uint32_t reason;

	figures_print(out, status_rows, ROWS(status_rows), s);
	(void)fprintf(out, "%-26s%14s\n", "policy", s->policy);
	(void)fprintf(out, "%-26s%14s\n", "last change of the budget",
		      tmem_wire_budget_reason(s->budget_reason));
	if (s->flags & TMEM_WIRE_FROZEN)
		(void)fprintf(out, "%-26s%14s\n", "frozen", "every domain");
	for (reason = 1; reason < TMEM_WIRE_REASONS; reason++)
		if (s->reasons[reason])
			(void)fprintf(out, "refused: %-17s%14" PRIu64 "\n",
				      tmem_wire_reason(reason),
				      s->reasons[reason]);
	for (reason = 0; reason < TMEM_WIRE_DOUBTS; reason++)
		if (s->doubts[reason])
			(void)fprintf(out, "doubted: %-17s%14" PRIu64 "\n",
				      tmem_wire_doubt(reason),
				      s->doubts[reason]);
}

void overview_status_json(FILE *out, const struct tmem_wire_status_reply *s)
{
	uint32_t reason;

	(void)fputs("{\n  ", out);
	figures_json(out, status_rows, ROWS(status_rows), s, ",\n  ");
	(void)fputs(",\n  \"policy\": ", out);
	quote_json(out, s->policy);
	(void)fprintf(out, ",\n  \"budget_reason\": \"%s\"",
		      tmem_wire_budget_reason(s->budget_reason));
	(void)fprintf(out, ",\n  \"frozen\": %s",
		      truth(s->flags, TMEM_WIRE_FROZEN));
	(void)fputs(",\n  \"refused\": {", out);
	for (reason = 1; reason < TMEM_WIRE_REASONS; reason++)
		(void)fprintf(out, "%s\n    \"%s\": %" PRIu64,
			      reason > 1 ? "," : "", tmem_wire_reason(reason),
			      s->reasons[reason]);
	(void)fputs("\n  },\n  \"doubted\": {", out);
	for (reason = 0; reason < TMEM_WIRE_DOUBTS; reason++)
		(void)fprintf(out, "%s\n    \"%s\": %" PRIu64, reason ? "," : "",
			      tmem_wire_doubt(reason), s->doubts[reason]);
	(void)fputs("\n  }\n}\n", out);
}

/* ---- Domains ------------------------------------------------------------- */

void overview_list(FILE *out, const struct tmem_wire_domain *domains,
		   uint32_t count)
{
	char name[QUOTE_MAX], a[TMEM_FORMAT_SIZE_MAX], b[TMEM_FORMAT_SIZE_MAX],
		c[TMEM_FORMAT_SIZE_MAX], e[TMEM_FORMAT_SIZE_MAX],
		ratio[SHARE_MAX], hits[SHARE_MAX];
	uint32_t n;

	(void)fprintf(out, "%-20s %6s %5s %7s %8s %7s %7s %6s %6s\n", "domain",
		      "uid", "sess", "lent", "entitled", "free", "holds",
		      "ratio", "hits");
	for (n = 0; n < count; n++) {
		const struct tmem_wire_domain *d = &domains[n];
		const struct tmem_wire_figures *f = &d->claimed;

		(void)fprintf(out,
			      "%-20s %6" PRIu32 " %5" PRIu32
			      " %7s %8s %7s %7s %6s %6s%s\n",
			      quote_text(d->name, name, sizeof(name)), d->uid,
			      d->sessions,
			      size_text(overview_lent_bytes(d->lent_bytes), a),
			      size_text(d->entitled_bytes, b),
			      size_text(d->freeable_bytes, c),
			      size_text(f->raw_bytes, e),
			      ratio_text((double)f->raw_bytes,
					 (double)f->used_bytes, ratio),
			      percent_text((double)f->hits, (double)f->gets,
					   hits),
			      d->flags & TMEM_WIRE_FROZEN ? " frozen" : "");
	}
}

static void domain_json(FILE *out, const struct tmem_wire_domain *d,
			const char *between)
{
	(void)fputs("\"name\": ", out);
	quote_json(out, d->name);
	(void)fprintf(out, "%s\"frozen\": %s%s", between,
		      truth(d->flags, TMEM_WIRE_FROZEN), between);
	figures_json(out, domain_rows, ROWS(domain_rows), d, between);
	(void)fprintf(out, "%s\"ghost_rate\": %.4f%s", between,
		      (double)d->ghost_rate / 16, between);
	figures_json(out, claim_rows, ROWS(claim_rows), &d->claimed, between);
}

void overview_list_json(FILE *out, const struct tmem_wire_domain *domains,
			uint32_t count)
{
	uint32_t n;

	(void)fputs("[", out);
	for (n = 0; n < count; n++) {
		(void)fprintf(out, "%s\n  { ", n ? "," : "");
		domain_json(out, &domains[n], ", ");
		(void)fputs(" }", out);
	}
	(void)fputs(count ? "\n]\n" : "]\n", out);
}

/* ---- One domain ---------------------------------------------------------- */

static void show_sessions(FILE *out, const struct tmem_wire_session *sessions,
			  uint32_t count)
{
	char a[TMEM_FORMAT_SIZE_MAX], b[TMEM_FORMAT_SIZE_MAX],
		c[TMEM_FORMAT_SIZE_MAX], e[TMEM_FORMAT_SIZE_MAX],
		ratio[SHARE_MAX], hits[SHARE_MAX], pid[PID_MAX_TEXT];
	uint32_t n;

	(void)fprintf(out, "\n%9s %6s %8s %8s %8s %8s %6s %6s\n", "pid", "uid",
		      "lent", "free", "most", "holds", "ratio", "hits");
	for (n = 0; n < count; n++) {
		const struct tmem_wire_session *s = &sessions[n];
		const struct tmem_wire_figures *f = &s->claimed;

		(void)fprintf(
			out, "%9s %6" PRIu32 " %8s %8s %8s %8s %6s %6s%s%s%s\n",
			pid_text(s->pid, pid), s->uid,
			size_text(overview_lent_bytes(s->lent_bytes), a),
			size_text(s->freeable_bytes, b),
			size_text(s->most_bytes, c), size_text(f->raw_bytes, e),
			ratio_text((double)f->raw_bytes, (double)f->used_bytes,
				   ratio),
			percent_text((double)f->hits, (double)f->gets, hits),
			s->flags & TMEM_WIRE_AWAY ? " away" : "",
			s->flags & TMEM_WIRE_SHORT ? " short" : "",
			s->flags & TMEM_WIRE_EMPTYING ? " emptying" : "");
	}
}

void overview_show(FILE *out, const struct tmem_wire_domain *d,
		   const struct tmem_wire_session *sessions, uint32_t count)
{
	const struct tmem_wire_figures *f = &d->claimed;
	char name[QUOTE_MAX], text[SHARE_MAX];

	(void)fprintf(out, "domain %s%s\n\n",
		      quote_text(d->name, name, sizeof(name)),
		      d->flags & TMEM_WIRE_FROZEN ? ", frozen" : "");
	figures_print(out, domain_rows, ROWS(domain_rows), d);
	(void)fputs("\nas its sessions say\n\n", out);
	figures_print(out, claim_rows, ROWS(claim_rows), f);
	(void)fprintf(out, "%-26s%14s\n", "pages kept to memory used",
		      ratio_text((double)f->raw_bytes, (double)f->used_bytes,
				 text));
	(void)fprintf(out, "%-26s%14s\n", "hits of gets",
		      percent_text((double)f->hits, (double)f->gets, text));
	show_sessions(out, sessions, count);
}

void overview_show_json(FILE *out, const struct tmem_wire_domain *d,
			const struct tmem_wire_session *sessions, uint32_t count)
{
	const struct tmem_wire_session *s;

	(void)fputs("{\n  ", out);
	domain_json(out, d, ",\n  ");
	(void)fputs(",\n  \"members\": [", out);
	for (s = sessions; s < sessions + count; s++) {
		(void)fprintf(out, "%s\n    { ", s > sessions ? "," : "");
		figures_json(out, session_rows, ROWS(session_rows), s, ", ");
		(void)fprintf(
			out, ", \"away\": %s, \"short\": %s, \"emptying\": %s, ",
			truth(s->flags, TMEM_WIRE_AWAY),
			truth(s->flags, TMEM_WIRE_SHORT),
			truth(s->flags, TMEM_WIRE_EMPTYING));
		figures_json(out, claim_rows, ROWS(claim_rows), &s->claimed,
			     ", ");
		(void)fputs(" }", out);
	}
	(void)fputs("\n  ]\n}\n", out);
}
