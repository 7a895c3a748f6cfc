/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * entry.h - what lies in a segment, to the byte.
 *
 *	raw:  | label | header of unit u at 16 * u ... | page slots, OS-page aligned |
 *	log:  | label | header check payload pad | header check payload pad | ...    |
 *
 * A raw segment is an array of 4 KiB slots; a page takes as many in a row as it
 * needs, and its header is the one with its first slot's number. The slots that
 * the header array itself covers have no header, so the label is in their place.
 * Log entries are a multiple of 16 bytes, their payload follows a 32-bit check.
 *
 * A header is written when room is dealt out, with object 0, so that a walk can
 * step over what was never published; the object comes with publishing.
 */
#ifndef TMEM_ENGINE_ENTRY_H
#define TMEM_ENGINE_ENTRY_H

#include <stdint.h>

#include "pool.h"
#include "segment.h"

/** struct tmem_entry - a header. */
struct tmem_entry {
	uint64_t index;
	uint32_t object; /* 0: never published */
	uint32_t info;	 /* len:17 | form:2 | page_shift - 12:3 | unpackable:1 |
			* undense:1 | dict:4 */
};
_Static_assert(sizeof(struct tmem_entry) == TMEM_UNIT, "a header is a unit");

#define TMEM_ENTRY_LEN_BITS 17
#define TMEM_ENTRY_LEN(info) ((info) & ((1u << TMEM_ENTRY_LEN_BITS) - 1))
#define TMEM_ENTRY_FORM(info) ((info) >> 17 & 3)
#define TMEM_ENTRY_PAGE_SHIFT(info) (((info) >> 19 & 7) + 12)
#define TMEM_ENTRY_UNPACKABLE (1u << 22) /* lz4 does not get it small */
#define TMEM_ENTRY_UNDENSE (1u << 23)	 /* nor does zstd, smaller than it is */
#define TMEM_ENTRY_DICT_SHIFT 24
#define TMEM_ENTRY_WITHOUT_DICT ((1u << TMEM_ENTRY_DICT_SHIFT) - 1)
#define TMEM_ENTRY_DICT(info) ((info) >> TMEM_ENTRY_DICT_SHIFT & 15)
_Static_assert(TMEM_DICTS <= 16, "a dictionary's number fits");

static inline uint32_t tmem_entry_info(uint32_t len, uint32_t form,
				       uint32_t page_shift)
{
	return len | form << 17 | (page_shift - 12) << 19;
}

/** Bytes between a log entry's start and its payload: header and check. */
#define TMEM_LOG_HEAD (sizeof(struct tmem_entry) + sizeof(uint32_t))

#define TMEM_LABEL_MAGIC 0x6d656d74u /* "tmem" */

/** struct tmem_label - the first unit of a sealed segment, for walkers. */
struct tmem_label {
	uint32_t magic;
	uint8_t cls, layout, queue, spare;
	uint32_t epoch;
	uint32_t fill; /* units */
};
_Static_assert(sizeof(struct tmem_label) == TMEM_UNIT, "a label is a unit");

#define TMEM_RAW_SHIFT 12
#define TMEM_RAW_UNITS (1u << (TMEM_RAW_SHIFT - TMEM_UNIT_SHIFT))

/** tmem_raw_first() - first page slot of a raw segment. */
static inline uint32_t tmem_raw_first(const struct tmem_space *s)
{
	uint32_t slots = s->units / TMEM_RAW_UNITS;

	return (slots * (uint32_t)sizeof(struct tmem_entry) +
		(1u << TMEM_RAW_SHIFT) - 1) >>
	       TMEM_RAW_SHIFT;
}

/** tmem_entry_units() - 16-byte units that an entry takes, header and all. */
static inline uint32_t tmem_entry_units(uint32_t layout, uint32_t info)
{
	uint32_t len = TMEM_ENTRY_LEN(info);

	if (layout == TMEM_LAYOUT_RAW)
		return (len >> TMEM_UNIT_SHIFT) + 1;
	return ((uint32_t)TMEM_LOG_HEAD + len + TMEM_UNIT - 1) >>
	       TMEM_UNIT_SHIFT;
}

/* ---- Places: what a slot says of its page -------------------------------- */

/* place: epoch:8 | use:2 | form:2 | location:36 (units from the lease's base) */
#define TMEM_PLACE_LOCATION_BITS 36
#define TMEM_PLACE_USE_MAX 3

static inline uint64_t tmem_place(uint8_t epoch, uint32_t form,
				  uint64_t location)
{
	return (uint64_t)epoch << 40 | (uint64_t)form << 36 | location;
}

static inline uint64_t tmem_place_location(uint64_t place)
{
	return place & ((1ull << TMEM_PLACE_LOCATION_BITS) - 1);
}

static inline uint32_t tmem_place_form(uint64_t place)
{
	return (uint32_t)(place >> 36) & 3;
}

static inline uint32_t tmem_place_use(uint64_t place)
{
	return (uint32_t)(place >> 38) & 3;
}

static inline uint64_t tmem_place_set_use(uint64_t place, uint32_t use)
{
	return (place & ~(3ull << 38)) | (uint64_t)use << 38;
}

static inline uint8_t tmem_place_epoch(uint64_t place)
{
	return (uint8_t)(place >> 40);
}

static inline uint32_t tmem_place_segment(const struct tmem_space *s,
					  uint64_t place)
{
	return (uint32_t)(tmem_place_location(place) >>
			  (s->segment_shift - TMEM_UNIT_SHIFT));
}

/** tmem_place_entry() - the header of a page at a location. */
static inline struct tmem_entry *tmem_place_entry(const struct tmem_space *s,
						  uint64_t place)
{
	uint64_t location = tmem_place_location(place);
	uint32_t n = tmem_place_segment(s, place);
	uint8_t *base = tmem_lease_segment(s->lease, n);
	uint64_t in = (location << TMEM_UNIT_SHIFT) &
		      (s->lease->segment_size - 1);

	if (tmem_place_form(place) == TMEM_FORM_RAW)
		return (struct tmem_entry *)base + (in >> TMEM_RAW_SHIFT);
	return (struct tmem_entry *)(base + in);
}

/** tmem_entry_inside() - 1: an entry of this length ends inside its segment. A
 * damaged header may say otherwise. */
static inline int tmem_entry_inside(const struct tmem_space *s, uint64_t place,
				    uint32_t info)
{
	uint64_t in = (tmem_place_location(place) << TMEM_UNIT_SHIFT) &
		      (s->lease->segment_size - 1);

	return in + TMEM_LOG_HEAD + TMEM_ENTRY_LEN(info) <=
	       s->lease->segment_size;
}

/** tmem_place_payload() - where the page's bytes are, whatever their form. */
static inline uint8_t *tmem_place_payload(const struct tmem_space *s,
					  uint64_t place)
{
	uint8_t *at = s->lease->base +
		      (tmem_place_location(place) << TMEM_UNIT_SHIFT);

	return tmem_place_form(place) == TMEM_FORM_RAW ? at : at + TMEM_LOG_HEAD;
}

#endif
