/* SPDX-License-Identifier: BSD-2-Clause */
/* parameters.c - what is wrong with a parameter is told in one line. */
#include "parameters.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define NBDKIT_API_VERSION 2
#include <nbdkit-plugin.h>

#include <tmem/tmem.h>

void parameters_init(struct parameters *p)
{
	memset(p, 0, sizeof(*p));
	p->size = -1;
	p->reserve = -1;
	p->swap = -1;
}

void parameters_finish(struct parameters *p)
{
	unsigned i;

	free(p->backing);
	free(p->file);
	free(p->store);
	free(p->domain);
	for (i = 0; i < p->exports; i++)
		free(p->export_names[i]);
	parameters_init(p);
}

static int twice(const char *key)
{
	nbdkit_error("%s= is given twice", key);
	return -1;
}

static int empty(const char *key)
{
	nbdkit_error("%s= is empty", key);
	return -1;
}

static int take_text(char **to, const char *key, const char *value)
{
	if (*to)
		return twice(key);
	if (!*value)
		return empty(key);
	*to = strdup(value);
	if (!*to)
		nbdkit_error("out of memory");
	return *to ? 0 : -1;
}

static int take_size(struct parameters *p, const char *value)
{
	if (p->size >= 0)
		return twice("size");
	p->size = nbdkit_parse_size(value); /* tells what is wrong */
	return p->size < 0 ? -1 : 0;
}

static int take_limit(struct parameters *p, const char *value)
{
	int64_t bytes;

	if (p->limit_bytes)
		return twice("limit");
	bytes = nbdkit_parse_size(value);
	if (!bytes)
		nbdkit_error("limit=0: leave it out for as much as there is");
	if (bytes <= 0)
		return -1;
	p->limit_bytes = (uint64_t)bytes;
	return 0;
}

static int take_reserve(struct parameters *p, const char *value)
{
	if (p->reserve >= 0)
		return twice("reserve");
	p->reserve = nbdkit_parse_size(value);
	return p->reserve < 0 ? -1 : 0;
}

static int take_path(char **to, const char *key, const char *value)
{
	if (*to)
		return twice(key);
	if (!*value)
		return empty(key);
	/* The server may change its directory. */
	*to = nbdkit_absolute_path(value);
	return *to ? 0 : -1;
}

static int take_swap(struct parameters *p, const char *value)
{
	if (p->swap >= 0)
		return twice("swap");
	p->swap = nbdkit_parse_bool(value);
	return p->swap < 0 ? -1 : 0;
}

static int take_export(struct parameters *p, const char *value)
{
	unsigned i;

	for (i = 0; i < p->exports; i++)
		if (!strcmp(p->export_names[i], value)) {
			nbdkit_error("export=%s is given twice", value);
			return -1;
		}
	if (p->exports == PARAMETERS_EXPORTS_MAX) {
		nbdkit_error("export=%s: the most is %d of them", value,
			     PARAMETERS_EXPORTS_MAX);
		return -1;
	}
	p->export_names[p->exports] = strdup(value);
	if (!p->export_names[p->exports]) {
		nbdkit_error("out of memory");
		return -1;
	}
	p->exports++;
	return 0;
}

int parameters_take(struct parameters *p, const char *key, const char *value)
{
	if (!strcmp(key, "size"))
		return take_size(p, value);
	if (!strcmp(key, "backing"))
		return take_path(&p->backing, key, value);
	if (!strcmp(key, "file"))
		return take_path(&p->file, key, value);
	if (!strcmp(key, "store"))
		return take_text(&p->store, key, value);
	if (!strcmp(key, "domain"))
		return take_text(&p->domain, key, value);
	if (!strcmp(key, "limit"))
		return take_limit(p, value);
	if (!strcmp(key, "export"))
		return take_export(p, value);
	if (!strcmp(key, "reserve"))
		return take_reserve(p, value);
	if (!strcmp(key, "swap"))
		return take_swap(p, value);
	nbdkit_error(
		"unknown parameter '%s'; there are size=, backing=, "
		"store=, domain=, limit=, export=, file=, reserve= and swap=",
		key);
	return -1;
}

int parameters_check(const struct parameters *p)
{
	if (p->size < 0) {
		nbdkit_error("size= is needed, as in size=8G");
		return -1;
	}
	if (!p->size || p->size % TMEM_PAGE_SIZE) {
		nbdkit_error("size=%" PRIi64 ": want a multiple of %d bytes, "
			     "and at least one",
			     p->size, TMEM_PAGE_SIZE);
		return -1;
	}
	if (p->file && p->exports > 1) {
		nbdkit_error("file=%s: there are %u disks, and it is one",
			     p->file, p->exports);
		return -1;
	}
	if (p->size > PARAMETERS_SIZE_MAX) {
		nbdkit_error("size=%" PRIi64 ": the most is 16T", p->size);
		return -1;
	}
	return 0;
}
