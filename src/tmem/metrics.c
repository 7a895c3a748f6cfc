/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * metrics.c - what a daemon says, as Prometheus' text format 0.0.4 has it.
 *
 * A row of a table is one series; rows of one name follow each other and make a
 * family, whose first row has its help. Seconds and bytes, never anything else:
 * the convention is base units, and counters end in _total.
 */
#include "metrics.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

enum type {
	COUNTER,
	GAUGE
};

enum unit {
	PLAIN,	      /* uint64_t: bytes, or a number of something */
	NANOSECONDS,  /* uint64_t */
	MICROSECONDS, /* uint64_t */
	SIXTEENTHS,   /* uint64_t */
	SHORT,	      /* uint32_t */
	HUNDREDTHS,   /* uint32_t: of a percent */
	FROZEN	      /* uint32_t: flags */
};

/** struct row - a series. */
struct row {
	const char *name;
	const char *help;  /* NULL: of the family of the row above */
	const char *label; /* name and value; NULL: none */
	enum type type;
	enum unit unit;
	size_t offset; /* in the struct that the table is of */
};

#define STATUS(member) offsetof(struct tmem_wire_status_reply, member)
#define DOMAIN(member) offsetof(struct tmem_wire_domain, member)
#define LENT(cls) ((cls) * sizeof(uint64_t))

static const struct row status_rows[] = {
	{ "tmem_uptime_seconds", "Time since the daemon started.", NULL, GAUGE,
	  NANOSECONDS, STATUS(up_ns) },
	{ "tmem_cpu_seconds_total", "CPU time that the daemon itself has used.",
	  NULL, COUNTER, NANOSECONDS, STATUS(cpu_ns) },
	{ "tmem_budget_bytes", "Most that is lent to all domains, as it is now.",
	  NULL, GAUGE, PLAIN, STATUS(budget_bytes) },
	{ "tmem_budget_maximum_bytes", "Most that the budget may become.", NULL,
	  GAUGE, PLAIN, STATUS(maximum_bytes) },
	{ "tmem_budget_floor_bytes",
	  "Available memory of the machine that is left to everybody else.",
	  NULL, GAUGE, PLAIN, STATUS(floor_bytes) },
	{ "tmem_budget_changes_total", "Changes of the budget.",
	  "direction=\"up\"", COUNTER, PLAIN, STATUS(budget_grown) },
	{ "tmem_budget_changes_total", NULL, "direction=\"down\"", COUNTER,
	  PLAIN, STATUS(budget_shrunk) },
	{ "tmem_host_available_bytes",
	  "Available memory of the machine, as the kernel estimates it.", NULL,
	  GAUGE, PLAIN, STATUS(available_bytes) },
	{ "tmem_host_stalls_total",
	  "Stalls for want of memory that the kernel told of.", NULL, COUNTER,
	  PLAIN, STATUS(stalls) },
	{ "tmem_host_stalls_foreign_total",
	  "Of these, stalls that were not the machine's own need.", NULL,
	  COUNTER, PLAIN, STATUS(stalls_foreign) },
	{ "tmem_host_memory_waiting_seconds_total",
	  "Time in which some or all tasks of the machine waited for memory.",
	  "tasks=\"some\"", COUNTER, MICROSECONDS, STATUS(psi.some_us) },
	{ "tmem_host_memory_waiting_seconds_total", NULL, "tasks=\"full\"",
	  COUNTER, MICROSECONDS, STATUS(psi.full_us) },
	{ "tmem_host_memory_waiting_ratio",
	  "Share of the last ten seconds in which some or all tasks of the "
	  "machine waited for memory.",
	  "tasks=\"some\"", GAUGE, HUNDREDTHS, STATUS(psi.some_avg10) },
	{ "tmem_host_memory_waiting_ratio", NULL, "tasks=\"full\"", GAUGE,
	  HUNDREDTHS, STATUS(psi.full_avg10) },
	{ "tmem_lent_bytes", "Memory that is lent, by what it is lent for.",
	  "class=\"ephemeral\"", GAUGE, PLAIN,
	  STATUS(lent_bytes) + LENT(TMEM_WIRE_EPHEMERAL) },
	{ "tmem_lent_bytes", NULL, "class=\"persistent\"", GAUGE, PLAIN,
	  STATUS(lent_bytes) + LENT(TMEM_WIRE_PERSISTENT) },
	{ "tmem_lent_bytes", NULL, "class=\"metadata\"", GAUGE, PLAIN,
	  STATUS(lent_bytes) + LENT(TMEM_WIRE_METADATA) },
	{ "tmem_freeable_bytes", "Memory that can be taken back at this moment.",
	  NULL, GAUGE, PLAIN, STATUS(freeable_bytes) },
	{ "tmem_margin_bytes",
	  "Memory that the daemon's own cgroup still has room for, or one "
	  "above it: the least.",
	  NULL, GAUGE, PLAIN, STATUS(margin_bytes) },
	{ "tmem_domains", "Domains that have sessions.", NULL, GAUGE, PLAIN,
	  STATUS(domains) },
	{ "tmem_sessions", "Sessions of all domains.", NULL, GAUGE, PLAIN,
	  STATUS(sessions) },
	{ "tmem_connections", "Connections to the daemon, this one included.",
	  NULL, GAUGE, PLAIN, STATUS(connections) },
	{ "tmem_frozen", "1 if every domain is frozen.", NULL, GAUGE, FROZEN,
	  STATUS(flags) },
	{ "tmem_segments_lent_total", "Segments lent.", NULL, COUNTER, PLAIN,
	  STATUS(lent) },
	{ "tmem_segments_given_total", "Segments that clients gave back.", NULL,
	  COUNTER, PLAIN, STATUS(given) },
	{ "tmem_segments_revoked_total", "Segments that were taken back.", NULL,
	  COUNTER, PLAIN, STATUS(revoked) },
	{ "tmem_stray_pages_total",
	  "OS pages that nobody had lent, and that were taken away.", NULL,
	  COUNTER, PLAIN, STATUS(strays) },
	{ "tmem_sessions_returned_total",
	  "Leases that clients handed back after a restart of the daemon.",
	  NULL, COUNTER, PLAIN, STATUS(returned) },
};

#define CLAIMED(member) DOMAIN(claimed.member)

static const struct row domain_rows[] = {
	{ "tmem_domain_sessions", "Sessions of the domain.", NULL, GAUGE, SHORT,
	  DOMAIN(sessions) },
	{ "tmem_domain_sessions_reported",
	  "Sessions that have said how they do.", NULL, GAUGE, SHORT,
	  DOMAIN(reported) },
	{ "tmem_domain_report_age_seconds",
	  "Time since the oldest of these reports.", NULL, GAUGE, NANOSECONDS,
	  DOMAIN(report_age_ns) },
	{ "tmem_domain_lent_bytes",
	  "Memory that is lent to the domain, by what it is lent for.",
	  "class=\"ephemeral\"", GAUGE, PLAIN,
	  DOMAIN(lent_bytes) + LENT(TMEM_WIRE_EPHEMERAL) },
	{ "tmem_domain_lent_bytes", NULL, "class=\"persistent\"", GAUGE, PLAIN,
	  DOMAIN(lent_bytes) + LENT(TMEM_WIRE_PERSISTENT) },
	{ "tmem_domain_lent_bytes", NULL, "class=\"metadata\"", GAUGE, PLAIN,
	  DOMAIN(lent_bytes) + LENT(TMEM_WIRE_METADATA) },
	{ "tmem_domain_freeable_bytes",
	  "Memory of the domain that can be taken back at this moment.", NULL,
	  GAUGE, PLAIN, DOMAIN(freeable_bytes) },
	{ "tmem_domain_entitled_bytes",
	  "What the policy entitles the domain to.", NULL, GAUGE, PLAIN,
	  DOMAIN(entitled_bytes) },
	{ "tmem_domain_asked_bytes", "Asked for, and not lent yet.", NULL,
	  GAUGE, PLAIN, DOMAIN(asked_bytes) },
	{ "tmem_domain_cap_bytes", "Most that may be lent to the domain.", NULL,
	  GAUGE, PLAIN, DOMAIN(cap_bytes) },
	{ "tmem_domain_min_bytes", "What the domain has before weights count.",
	  NULL, GAUGE, PLAIN, DOMAIN(min_bytes) },
	{ "tmem_domain_persistent_quota_bytes",
	  "Most of it that cannot be taken back.", NULL, GAUGE, PLAIN,
	  DOMAIN(persistent_bytes) },
	{ "tmem_domain_weight", "The domain's weight.", NULL, GAUGE, SHORT,
	  DOMAIN(weight) },
	{ "tmem_domain_frozen", "1 if the domain is frozen.", NULL, GAUGE,
	  FROZEN, DOMAIN(flags) },
	{ "tmem_domain_ghost_rate",
	  "Ghost hits a second that the policy goes by.", NULL, GAUGE,
	  SIXTEENTHS, DOMAIN(ghost_rate) },
	{ "tmem_domain_segments_revoked_total",
	  "Segments that were taken from the domain.", NULL, COUNTER, PLAIN,
	  DOMAIN(revoked) },
	{ "tmem_domain_reports_doubted_total",
	  "Reports of the domain's sessions of which not all can be so.", NULL,
	  COUNTER, PLAIN, DOMAIN(doubted) },
	{ "tmem_domain_store_used_bytes",
	  "Memory of the domain's stores, everything included; claimed.", NULL,
	  GAUGE, PLAIN, CLAIMED(used_bytes) },
	{ "tmem_domain_store_raw_bytes",
	  "Pages that the domain keeps, times their size; claimed.", NULL,
	  GAUGE, PLAIN, CLAIMED(raw_bytes) },
	{ "tmem_domain_objects", "Objects of the domain; claimed.", NULL, GAUGE,
	  PLAIN, CLAIMED(objects) },
	{ "tmem_domain_pools", "Pools of the domain; claimed.", NULL, GAUGE,
	  PLAIN, CLAIMED(pools) },
	{ "tmem_domain_pages", "Pages of the domain, by their class; claimed.",
	  "class=\"ephemeral\"", GAUGE, PLAIN, CLAIMED(pages_ephemeral) },
	{ "tmem_domain_pages", NULL, "class=\"persistent\"", GAUGE, PLAIN,
	  CLAIMED(pages_persistent) },
	{ "tmem_domain_form_pages",
	  "Pages of the domain, by their form; claimed.", "form=\"same\"",
	  GAUGE, PLAIN, CLAIMED(pages_same) },
	{ "tmem_domain_form_pages", NULL, "form=\"raw\"", GAUGE, PLAIN,
	  CLAIMED(pages_raw) },
	{ "tmem_domain_form_pages", NULL, "form=\"packed\"", GAUGE, PLAIN,
	  CLAIMED(pages_packed) },
	{ "tmem_domain_form_pages", NULL, "form=\"dense\"", GAUGE, PLAIN,
	  CLAIMED(pages_dense) },
	{ "tmem_domain_puts_total", "Pages stored; claimed.", NULL, COUNTER,
	  PLAIN, CLAIMED(puts) },
	{ "tmem_domain_puts_packed_total",
	  "Pages that the putter had to pack itself; claimed.", NULL, COUNTER,
	  PLAIN, CLAIMED(puts_packed) },
	{ "tmem_domain_puts_refused_total", "Puts refused; claimed.",
	  "reason=\"full\"", COUNTER, PLAIN, CLAIMED(refused_full) },
	{ "tmem_domain_puts_refused_total", NULL, "reason=\"quota\"", COUNTER,
	  PLAIN, CLAIMED(refused_quota) },
	{ "tmem_domain_puts_refused_total", NULL, "reason=\"frozen\"", COUNTER,
	  PLAIN, CLAIMED(refused_frozen) },
	{ "tmem_domain_puts_refused_total", NULL, "reason=\"nomem\"", COUNTER,
	  PLAIN, CLAIMED(refused_nomem) },
	{ "tmem_domain_gets_total", "Pages asked for; claimed.", NULL, COUNTER,
	  PLAIN, CLAIMED(gets) },
	{ "tmem_domain_hits_total", "Pages asked for that were there; claimed.",
	  NULL, COUNTER, PLAIN, CLAIMED(hits) },
	{ "tmem_domain_ghost_hits_total",
	  "Misses of pages that left lately; claimed.", NULL, COUNTER, PLAIN,
	  CLAIMED(ghost_hits) },
	{ "tmem_domain_flushes_total", "Pages and objects flushed; claimed.",
	  NULL, COUNTER, PLAIN, CLAIMED(flushes) },
	{ "tmem_domain_evictions_total",
	  "Pages that left to make room; claimed.", NULL, COUNTER, PLAIN,
	  CLAIMED(evictions) },
	{ "tmem_domain_shortages_total",
	  "Times that putters had to help; claimed.", NULL, COUNTER, PLAIN,
	  CLAIMED(shortages) },
	{ "tmem_domain_ager_seconds_total",
	  "CPU time of background work; claimed.", NULL, COUNTER, NANOSECONDS,
	  CLAIMED(ager_ns) },
};

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

/* ---- Text ---------------------------------------------------------------- */

static void begin_family(FILE *out, const char *name, const char *help,
			 enum type type)
{
	(void)fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name,
		      type == COUNTER ? "counter" : "gauge");
}

/* A name that a client chose: what tmemd lets through needs no more than these
 * three, and anything else would make the whole text unreadable. */
static void write_label_value(FILE *out, const char *s)
{
	for (; *s; s++) {
		if (*s == '\\' || *s == '"')
			(void)fprintf(out, "\\%c", *s);
		else if (*s == '\n')
			(void)fputs("\\n", out);
		else
			(void)fputc(*s < 0x20 || *s == 0x7f ? '?' : *s, out);
	}
}

static uint64_t long_of(const struct row *r, const void *of)
{
	uint64_t value;

	memcpy(&value, (const char *)of + r->offset, sizeof(value));
	return value;
}

static uint32_t short_of(const struct row *r, const void *of)
{
	uint32_t value;

	memcpy(&value, (const char *)of + r->offset, sizeof(value));
	return value;
}

static int is_short(const struct row *r)
{
	return r->unit == SHORT || r->unit == HUNDREDTHS || r->unit == FROZEN;
}

static int is_known(const struct row *r, const void *of)
{
	return is_short(r) ? short_of(r, of) != UINT32_MAX
			   : long_of(r, of) != UINT64_MAX;
}

/* Whole numbers stay whole: a double has 53 bits. */
static void write_value(FILE *out, const struct row *r, const void *of)
{
	uint64_t value = is_short(r) ? short_of(r, of) : long_of(r, of);

	switch (r->unit) {
	case NANOSECONDS:
		(void)fprintf(out, " %.9f\n", (double)value / 1e9);
		break;
	case MICROSECONDS:
		(void)fprintf(out, " %.6f\n", (double)value / 1e6);
		break;
	case SIXTEENTHS:
		(void)fprintf(out, " %g\n", (double)value / 16);
		break;
	case HUNDREDTHS:
		(void)fprintf(out, " %g\n", (double)value / 10000);
		break;
	case FROZEN:
		(void)fprintf(out, " %d\n", !!(value & TMEM_WIRE_FROZEN));
		break;
	default:
		(void)fprintf(out, " %" PRIu64 "\n", value);
	}
}

static void write_series(FILE *out, const struct row *r, const void *of,
			 const char *domain)
{
	if (!is_known(r, of))
		return;
	(void)fputs(r->name, out);
	if (domain) {
		(void)fputs("{domain=\"", out);
		write_label_value(out, domain);
		(void)fprintf(out, "\"%s%s}", r->label ? "," : "",
			      r->label ? r->label : "");
	} else if (r->label) {
		(void)fprintf(out, "{%s}", r->label);
	}
	write_value(out, r, of);
}

static size_t family_end(const struct row *rows, size_t count, size_t first)
{
	size_t end = first + 1;

	while (end < count && !rows[end].help)
		end++;
	return end;
}

static void write_domains(FILE *out, const struct daemon_view *v)
{
	size_t first, end, i;
	uint32_t n;

	for (first = 0; first < ROWS(domain_rows); first = end) {
		end = family_end(domain_rows, ROWS(domain_rows), first);
		begin_family(out, domain_rows[first].name,
			     domain_rows[first].help, domain_rows[first].type);
		for (n = 0; n < v->count; n++)
			for (i = first; i < end; i++)
				write_series(out, &domain_rows[i],
					     &v->domains[n], v->domains[n].name);
	}
}

/* ---- Figures that are no plain number in a struct ------------------------ */

static void write_up(FILE *out, int up)
{
	begin_family(out, "tmem_up", "1 if the daemon answers.", GAUGE);
	(void)fprintf(out, "tmem_up %d\n", up);
}

static void write_refused(FILE *out, const struct tmem_wire_status_reply *s)
{
	uint32_t reason;

	begin_family(out, "tmem_clients_refused_total",
		     "Clients refused or dropped, by reason.", COUNTER);
	for (reason = 1; reason < TMEM_WIRE_REASONS; reason++)
		(void)fprintf(out,
			      "tmem_clients_refused_total{reason=\"%s\"} "
			      "%" PRIu64 "\n",
			      tmem_wire_reason(reason), s->reasons[reason]);
}

static void write_doubted(FILE *out, const struct tmem_wire_status_reply *s)
{
	uint32_t reason;

	begin_family(out, "tmem_reports_doubted_total",
		     "Reports of sessions of which not all can be so, by "
		     "reason.",
		     COUNTER);
	for (reason = 0; reason < TMEM_WIRE_DOUBTS; reason++)
		(void)fprintf(out,
			      "tmem_reports_doubted_total{reason=\"%s\"} "
			      "%" PRIu64 "\n",
			      tmem_wire_doubt(reason), s->doubts[reason]);
}

static void write_settings(FILE *out, const struct tmem_wire_status_reply *s)
{
	begin_family(out, "tmem_policy_info",
		     "The policy by which the budget is divided.", GAUGE);
	(void)fputs("tmem_policy_info{policy=\"", out);
	write_label_value(out, s->policy);
	(void)fputs("\"} 1\n", out);
	begin_family(out, "tmem_budget_reason_info",
		     "Why the budget is what it is.", GAUGE);
	(void)fprintf(out, "tmem_budget_reason_info{reason=\"%s\"} 1\n",
		      tmem_wire_budget_reason(s->budget_reason));
}

void metrics_write(FILE *out, const struct daemon_view *view)
{
	const struct tmem_wire_status_reply *status = &view->status;
	size_t i;

	write_up(out, 1);
	for (i = 0; i < ROWS(status_rows); i++) {
		if (status_rows[i].help)
			begin_family(out, status_rows[i].name,
				     status_rows[i].help, status_rows[i].type);
		write_series(out, &status_rows[i], status, NULL);
	}
	write_settings(out, status);
	write_refused(out, status);
	write_doubted(out, status);
	write_domains(out, view);
}

void metrics_write_down(FILE *out)
{
	write_up(out, 0);
}
