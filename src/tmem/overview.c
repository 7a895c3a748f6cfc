/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * overview.c - what a daemon says of itself and of its domains, printed.
 *
 * A table of figures for each of the two; both forms come from it.
 */
#include "overview.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "clock.h"
#include "parse.h"
#include "quote.h"

enum kind {
	COUNT,
	BYTES,
	SECONDS
};

/** struct figure - a number of a struct, and what it is called. */
struct figure {
	const char *key;  /* in JSON */
	const char *text; /* for people */
	enum kind kind;
	size_t offset; /* of a uint64_t */
	size_t width;  /* of its column */
};

#define STATUS(member) offsetof(struct tmem_wire_status_reply, member)
#define LENT(cls) ((cls) * sizeof(uint64_t))

static const struct figure status_figures[] = {
	{ "up_seconds", "up", SECONDS, STATUS(up_ns), 0 },
	{ "budget_bytes", "budget", BYTES, STATUS(budget_bytes), 0 },
	{ "lent_ephemeral_bytes", "lent, can be taken back", BYTES,
	  STATUS(lent_bytes) + LENT(TMEM_WIRE_EPHEMERAL), 0 },
	{ "lent_persistent_bytes", "lent, persistent", BYTES,
	  STATUS(lent_bytes) + LENT(TMEM_WIRE_PERSISTENT), 0 },
	{ "lent_metadata_bytes", "lent, metadata", BYTES,
	  STATUS(lent_bytes) + LENT(TMEM_WIRE_METADATA), 0 },
	{ "domains", "domains", COUNT, STATUS(domains), 0 },
	{ "sessions", "sessions", COUNT, STATUS(sessions), 0 },
	{ "segments_lent", "segments lent so far", COUNT, STATUS(lent), 0 },
	{ "segments_given", "segments given back", COUNT, STATUS(given), 0 },
	{ "segments_revoked", "segments taken back", COUNT, STATUS(revoked), 0 },
	{ "stray_pages", "stray pages swept", COUNT, STATUS(strays), 0 },
	{ "sessions_returned", "sessions returned", COUNT, STATUS(returned), 0 },
};

#define DOMAIN(member) offsetof(struct tmem_wire_domain, member)

static const struct figure domain_figures[] = {
	{ "lent_ephemeral_bytes", "ephemeral", BYTES,
	  DOMAIN(lent_bytes) + LENT(TMEM_WIRE_EPHEMERAL), 11 },
	{ "lent_persistent_bytes", "persistent", BYTES,
	  DOMAIN(lent_bytes) + LENT(TMEM_WIRE_PERSISTENT), 12 },
	{ "lent_metadata_bytes", "metadata", BYTES,
	  DOMAIN(lent_bytes) + LENT(TMEM_WIRE_METADATA), 10 },
	{ "cap_bytes", "cap", BYTES, DOMAIN(cap_bytes), 8 },
	{ "persistent_quota_bytes", "quota", BYTES, DOMAIN(persistent_bytes),
	  8 },
	{ "segments_revoked", "taken", COUNT, DOMAIN(revoked), 8 },
	{ "claimed_raw_bytes", "holds", BYTES, DOMAIN(claimed.raw_bytes), 8 },
	{ "claimed_puts", "puts", COUNT, DOMAIN(claimed.puts), 10 },
	{ "claimed_gets", "gets", COUNT, DOMAIN(claimed.gets), 10 },
	{ "claimed_hits", "hits", COUNT, DOMAIN(claimed.hits), 10 },
	{ "claimed_pages_ephemeral", NULL, COUNT,
	  DOMAIN(claimed.pages_ephemeral), 0 },
	{ "claimed_pages_persistent", NULL, COUNT,
	  DOMAIN(claimed.pages_persistent), 0 },
};

#define FIGURES(table) (sizeof(table) / sizeof((table)[0]))
#define NAME_WIDTH 24

static uint64_t value_of(const struct figure *f, const void *of)
{
	uint64_t value;

	memcpy(&value, (const char *)of + f->offset, sizeof(value));
	return value;
}

static void print_value(FILE *out, const struct figure *f, const void *of,
			int width)
{
	char bytes[TMEM_FORMAT_SIZE_MAX];
	uint64_t value = value_of(f, of);

	if (f->kind == BYTES) {
		(void)tmem_format_size(value, bytes, sizeof(bytes));
		(void)fprintf(out, "%*s", width, bytes);
	} else if (f->kind == SECONDS) {
		(void)fprintf(out, "%*.0f s", width > 2 ? width - 2 : 0,
			      (double)value / TMEM_NS_PER_SEC);
	} else {
		(void)fprintf(out, "%*" PRIu64, width, value);
	}
}

static void print_json(FILE *out, const struct figure *f, const void *of)
{
	uint64_t value = value_of(f, of);

	if (f->kind == SECONDS)
		(void)fprintf(out, "\"%s\": %.3f", f->key,
			      (double)value / TMEM_NS_PER_SEC);
	else
		(void)fprintf(out, "\"%s\": %" PRIu64, f->key, value);
}

void overview_status(FILE *out, const struct tmem_wire_status_reply *s)
{
	uint32_t reason;
	size_t i;

	(void)fprintf(out, "%-*s%14" PRIu32 "\n", NAME_WIDTH, "pid", s->pid);
	for (i = 0; i < FIGURES(status_figures); i++) {
		(void)fprintf(out, "%-*s", NAME_WIDTH, status_figures[i].text);
		print_value(out, &status_figures[i], s, 14);
		(void)fputs("\n", out);
	}
	for (reason = 1; reason < TMEM_WIRE_REASONS; reason++)
		if (s->reasons[reason])
			(void)fprintf(out, "refused: %-*s%14" PRIu64 "\n",
				      NAME_WIDTH - 9, tmem_wire_reason(reason),
				      s->reasons[reason]);
}

void overview_status_json(FILE *out, const struct tmem_wire_status_reply *s)
{
	uint32_t reason;
	size_t i;

	(void)fprintf(out,
		      "{\n  \"protocol\": %" PRIu32 ",\n  \"pid\": %" PRIu32
		      ",\n",
		      s->version, s->pid);
	for (i = 0; i < FIGURES(status_figures); i++) {
		(void)fputs("  ", out);
		print_json(out, &status_figures[i], s);
		(void)fputs(",\n", out);
	}
	(void)fputs("  \"refused\": {", out);
	for (reason = 1; reason < TMEM_WIRE_REASONS; reason++)
		(void)fprintf(out, "%s\n    \"%s\": %" PRIu64,
			      reason > 1 ? "," : "", tmem_wire_reason(reason),
			      s->reasons[reason]);
	(void)fputs("\n  }\n}\n", out);
}

void overview_list(FILE *out, const struct tmem_wire_domain *domains,
		   uint32_t count)
{
	char name[QUOTE_MAX];
	uint32_t n;
	size_t i;

	(void)fprintf(out, "%-*s%6s%10s", NAME_WIDTH, "domain", "uid",
		      "sessions");
	for (i = 0; i < FIGURES(domain_figures); i++)
		if (domain_figures[i].text)
			(void)fprintf(out, "%*s", (int)domain_figures[i].width,
				      domain_figures[i].text);
	(void)fputs("\n", out);
	for (n = 0; n < count; n++) {
		(void)fprintf(out, "%-*s%6" PRIu32 "%10" PRIu32, NAME_WIDTH,
			      quote_text(domains[n].name, name, sizeof(name)),
			      domains[n].uid, domains[n].sessions);
		for (i = 0; i < FIGURES(domain_figures); i++)
			if (domain_figures[i].text)
				print_value(out, &domain_figures[i], &domains[n],
					    (int)domain_figures[i].width);
		(void)fputs("\n", out);
	}
}

void overview_list_json(FILE *out, const struct tmem_wire_domain *domains,
			uint32_t count)
{
	uint32_t n;
	size_t i;

	(void)fputs("[", out);
	for (n = 0; n < count; n++) {
		(void)fprintf(out, "%s\n  { \"name\": ", n ? "," : "");
		quote_json(out, domains[n].name);
		(void)fprintf(out,
			      ", \"uid\": %" PRIu32 ", \"sessions\": %" PRIu32,
			      domains[n].uid, domains[n].sessions);
		for (i = 0; i < FIGURES(domain_figures); i++) {
			(void)fputs(", ", out);
			print_json(out, &domain_figures[i], &domains[n]);
		}
		(void)fputs(" }", out);
	}
	(void)fputs(count ? "\n]\n" : "]\n", out);
}
