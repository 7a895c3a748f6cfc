/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wire.h - what tmemd and those who talk to it say to each other.
 *
 * Stability: fixed from the first release on. Messages and the control page grow
 * by new types, new feature bits, and words that are 0 today.
 *
 * A connection is a Unix socket of type SOCK_SEQPACKET; a message is one packet:
 * struct tmem_wire_head, then what its type says, exactly head.len bytes in all.
 * Integers have the byte order of the machine that both run on; widths and
 * offsets are fixed, there are no pointers. docs/protocol.md tells who says what
 * when, and what each side checks.
 *
 * Usable from kernel code: nothing but fixed-width integers.
 */
#ifndef TMEM_WIRE_H
#define TMEM_WIRE_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <stdint.h>
#endif

/** TMEM_WIRE_SOCKET - where the system's daemon listens. */
#define TMEM_WIRE_SOCKET "/run/tmem/tmemd.sock"

enum {
	TMEM_WIRE_MAGIC = 0x6d656d74, /* "tmem" */
	TMEM_WIRE_VERSION = 1,
	TMEM_WIRE_MESSAGE_MAX = 4096, /* bytes: the longest message */
	TMEM_WIRE_NAME_MAX = 64,   /* bytes of a domain's name, with its NUL */
	TMEM_WIRE_TEXT_MAX = 192,  /* bytes of a refusal's text, with its NUL */
	TMEM_WIRE_LOANS_MAX = 256, /* segments in a message */
	TMEM_WIRE_HINTS_MAX = 1000, /* segments in a HINT */
	TMEM_WIRE_ENTRIES_MAX = 16  /* domains in a message */
};

/** enum - what memory is lent for; those of the engine, by the same numbers. */
enum {
	TMEM_WIRE_EPHEMERAL = 0,
	TMEM_WIRE_PERSISTENT = 1,
	TMEM_WIRE_METADATA = 2,
	TMEM_WIRE_CLASSES = 3
};

/** enum - why the budget is what it is. */
enum {
	TMEM_WIRE_BUDGET_SETTINGS = 0, /* maximum or floor were set so */
	TMEM_WIRE_BUDGET_FLOOR = 1,    /* MemAvailable came to the floor */
	TMEM_WIRE_BUDGET_STALL = 2,    /* tasks stalled for want of memory */
	TMEM_WIRE_BUDGET_QUIET = 3, /* it has been quiet, and there is more */
	TMEM_WIRE_BUDGET_REASONS = 4
};

/** enum - types of messages: a client's are below 64, a daemon's from there. */
enum {
	TMEM_WIRE_HELLO = 1, /* first of a session; fds: none, or to hand back */
	TMEM_WIRE_READY = 2, /* the control page is mapped */
	TMEM_WIRE_ASK = 3,
	TMEM_WIRE_GIVE = 4,
	TMEM_WIRE_STATS = 5,
	TMEM_WIRE_HINT = 7,    /* if WELCOME's features have it */
	TMEM_WIRE_STATUS = 16, /* control verbs: need no HELLO */
	TMEM_WIRE_LIST = 17,

	TMEM_WIRE_WELCOME = 64, /* fds: data and control, or control alone */
	TMEM_WIRE_REFUSED = 65, /* and the connection ends */
	TMEM_WIRE_LENT = 66,
	TMEM_WIRE_REVOKED = 67,
	TMEM_WIRE_DEMAND = 68,
	TMEM_WIRE_REPORT = 69,
	TMEM_WIRE_STATUS_REPLY = 80,
	TMEM_WIRE_LIST_REPLY = 81
};

/** enum - why a client was refused or dropped; each is counted. */
enum {
	TMEM_WIRE_NO_REASON = 0,
	TMEM_WIRE_BAD_MESSAGE = 1, /* malformed, truncated, too long, unknown */
	TMEM_WIRE_BAD_FDS = 2,	   /* fds where none belong, or too many */
	TMEM_WIRE_BAD_ORDER = 3,   /* not now */
	TMEM_WIRE_SILENT = 4,	   /* connected, and said nothing */
	TMEM_WIRE_VERSION_UNKNOWN = 5,
	TMEM_WIRE_BAD_NAME = 6,	   /* of a domain: empty, odd, too long */
	TMEM_WIRE_NOT_OWNER = 7,   /* the domain is another user's */
	TMEM_WIRE_CROWDED = 8,	   /* too many connections */
	TMEM_WIRE_NO_MEMORY = 9,   /* not even the least store */
	TMEM_WIRE_BAD_RETURN = 10, /* what was handed back is not ours */
	TMEM_WIRE_NO_RIGHTS = 11,  /* control verbs are not for everybody */
	TMEM_WIRE_BAD_LOAN = 12,   /* gave back what it does not hold */
	TMEM_WIRE_OVERDRAWN = 13,  /* holds more memory than was lent */
	TMEM_WIRE_BAD_MEMORY = 14, /* changed its memfd so that it is useless */
	TMEM_WIRE_DEAF = 15,	   /* does not read its replies */
	TMEM_WIRE_REASONS = 16
};

struct tmem_wire_head {
	uint32_t type; /* TMEM_WIRE_* */
	uint32_t len;  /* bytes of the message, this head included */
};

/* ---- Sessions ------------------------------------------------------------ */

/** enum - of HELLO's flags. */
enum {
	TMEM_WIRE_RETURNING =
		1 /* with fds: data, control of the lease it holds */
};

/** enum - of features: bits. */
enum {
	TMEM_WIRE_TAKES_HINTS = 1 /* of WELCOME: the daemon knows HINT */
};

/**
 * struct tmem_wire_hello - who is there, and for how much.
 * @version_min, @version_max: those that the client speaks.
 * @flags: TMEM_WIRE_RETURNING; others 0.
 * @features: 0.
 * @limit_bytes: most that it wants to hold; 0: as much as it may.
 * @domain: NUL-terminated, and NULs to the end.
 */
struct tmem_wire_hello {
	struct tmem_wire_head head;
	uint32_t magic;
	uint16_t version_min;
	uint16_t version_max;
	uint32_t flags;
	uint32_t pad;
	uint64_t features;
	uint64_t limit_bytes;
	char domain[TMEM_WIRE_NAME_MAX];
};

/**
 * struct tmem_wire_welcome - a lease, with nothing lent yet.
 * @features: TMEM_WIRE_TAKES_HINTS; others may come.
 * @limit_bytes: what it may hold for now; at most segments_max segments.
 * @daemon: a number that this run of the daemon drew.
 */
struct tmem_wire_welcome {
	struct tmem_wire_head head;
	uint32_t version;
	uint32_t segment_size; /* bytes, a power of two */
	uint32_t segments_max;
	uint32_t pad;
	uint64_t features;
	uint64_t limit_bytes;
	uint64_t daemon;
};

struct tmem_wire_refused {
	struct tmem_wire_head head;
	uint32_t reason; /* TMEM_WIRE_*, see above */
	uint32_t pad;
	char text[TMEM_WIRE_TEXT_MAX]; /* for people, one line */
};

/** struct tmem_wire_ready - no more than that. */
struct tmem_wire_ready {
	struct tmem_wire_head head;
};

/**
 * struct tmem_wire_ask - how much the client wants in all.
 * @total: segments of the class asked for since the session began, those that
 *	were lent since included. So an ask may be repeated and is never doubled.
 */
struct tmem_wire_ask {
	struct tmem_wire_head head;
	uint32_t cls;
	uint32_t pad;
	uint64_t total;
};

/** struct tmem_wire_loan - a segment, in the epoch in which it was lent. */
struct tmem_wire_loan {
	uint32_t segment;
	uint32_t epoch;
};

/**
 * struct tmem_wire_loans - LENT: of class @cls; GIVE: @cls is 0.
 * @loans: @count of them are sent, and head.len says so.
 */
struct tmem_wire_loans {
	struct tmem_wire_head head;
	uint32_t cls;
	uint32_t count;
	struct tmem_wire_loan loans[TMEM_WIRE_LOANS_MAX];
};

/** struct tmem_wire_count - REVOKED, DEMAND: @count segments; REPORT: 0. REVOKED
 * with 0: the control page's head has changed. */
struct tmem_wire_count {
	struct tmem_wire_head head;
	uint32_t cls;
	uint32_t count;
};

/** struct tmem_wire_stats - what a client says of itself; nothing rests on it. */
struct tmem_wire_stats {
	struct tmem_wire_head head;
	uint64_t limit_bytes;
	uint64_t used_bytes;
	uint64_t raw_bytes;
	uint64_t pages_ephemeral;
	uint64_t pages_persistent;
	uint64_t puts;
	uint64_t refused; /* puts, for any reason */
	uint64_t gets;
	uint64_t hits;
	uint64_t flushes;
	uint64_t evictions;
	uint64_t ghost_hits;
	uint64_t ager_ns;
};

/**
 * struct tmem_wire_hint - which of its ephemeral segments the client would miss
 * least, the first one first. It stands until the next one. Numbers that it does not
 * hold are passed over.
 * @segments: @count of them are sent, and head.len says so.
 */
struct tmem_wire_hint {
	struct tmem_wire_head head;
	uint32_t count;
	uint32_t pad;
	uint32_t segments[TMEM_WIRE_HINTS_MAX];
};

/* ---- The control page ---------------------------------------------------- */

enum {
	TMEM_WIRE_EPOCHS_AT = 4096, /* bytes: where the epochs begin */
	TMEM_WIRE_FROZEN = 1	    /* of flags: refuse puts */
};

/**
 * struct tmem_wire_control - the head of a lease's control memfd.
 * @revocations: raised after each; (a)
 * @segments_limit: as many as would be lent in all, as things are now; (a)
 * @pid, @uid: of whom the lease is.
 * @flags: TMEM_WIRE_FROZEN; (a)
 *
 * At TMEM_WIRE_EPOCHS_AT: uint32_t epochs[segments_max], read atomically. Behind
 * them uint8_t classes[segments_max]: 0 not lent, else its class + 1. Written by
 * the daemon alone: the memfd is sealed so (F_SEAL_FUTURE_WRITE).
 */
struct tmem_wire_control {
	uint32_t magic;
	uint32_t version;
	uint32_t segment_size;
	uint32_t segments_max;
	uint64_t daemon;
	uint64_t revocations;
	uint32_t segments_limit;
	uint32_t uid;
	uint32_t pid;
	uint32_t flags;
	char domain[TMEM_WIRE_NAME_MAX];
};

/** TMEM_WIRE_CONTROL_BYTES() - of a control memfd, before rounding to OS pages. */
#define TMEM_WIRE_CONTROL_BYTES(segments_max)                                  \
	(TMEM_WIRE_EPOCHS_AT + 5ull * (segments_max))

/* ---- Control verbs ------------------------------------------------------- */

/** struct tmem_wire_status - STATUS. */
struct tmem_wire_status {
	struct tmem_wire_head head;
};

struct tmem_wire_status_reply {
	struct tmem_wire_head head;
	uint32_t version;
	uint32_t pid;
	uint64_t up_ns;
	uint64_t budget_bytes; /* most that is lent in all */
	uint64_t lent_bytes[TMEM_WIRE_CLASSES];
	uint64_t domains;
	uint64_t sessions;
	uint64_t lent;	   /* segments, ever */
	uint64_t given;	   /* segments given back, ever */
	uint64_t revoked;  /* segments, ever */
	uint64_t strays;   /* OS pages that nobody had lent, taken away */
	uint64_t returned; /* leases handed back */
	uint64_t reasons[TMEM_WIRE_REASONS];
	uint64_t maximum_bytes;	  /* of the budget, as configured */
	uint64_t floor_bytes;	  /* as configured */
	uint64_t available_bytes; /* in the machine; UINT64_MAX: unknown */
	uint64_t budget_age_ns;	  /* since the budget changed */
	uint64_t budget_grown;	  /* times */
	uint64_t budget_shrunk;
	uint64_t stalls;	 /* that the kernel told of */
	uint64_t stalls_foreign; /* ... that were not the machine's need */
	uint32_t budget_reason;	 /* TMEM_WIRE_BUDGET_*, of its last change */
	uint32_t pad;
	char policy[16]; /* name */
};

/** struct tmem_wire_list - LIST: domains from the @skip-th on. */
struct tmem_wire_list {
	struct tmem_wire_head head;
	uint32_t skip;
	uint32_t pad;
};

/** struct tmem_wire_domain - one of them. @claimed: sums of what its sessions say. */
struct tmem_wire_domain {
	char name[TMEM_WIRE_NAME_MAX];
	uint32_t uid;
	uint32_t sessions;
	uint64_t cap_bytes;
	uint64_t persistent_bytes; /* quota */
	uint64_t lent_bytes[TMEM_WIRE_CLASSES];
	uint64_t revoked; /* segments, ever */
	uint64_t claimed_raw_bytes;
	uint64_t claimed_pages_ephemeral;
	uint64_t claimed_pages_persistent;
	uint64_t claimed_puts;
	uint64_t claimed_gets;
	uint64_t claimed_hits;
	uint64_t claimed_ghost_hits;
	uint64_t min_bytes;
	uint64_t entitled_bytes; /* as last divided */
	uint64_t asked_bytes;	 /* and not lent yet */
	uint32_t weight;
	uint32_t flags; /* TMEM_WIRE_FROZEN */
};

/**
 * struct tmem_wire_list_reply - @count of them are sent; fewer than
 * TMEM_WIRE_ENTRIES_MAX: there are no more.
 */
struct tmem_wire_list_reply {
	struct tmem_wire_head head;
	uint32_t count;
	uint32_t pad;
	struct tmem_wire_domain domains[TMEM_WIRE_ENTRIES_MAX];
};

/** tmem_wire_reason() - a reason's name, for tables and logs. */
static inline const char *tmem_wire_reason(uint32_t reason)
{
	static const char *const names[TMEM_WIRE_REASONS] = {
		"none",	    "bad_message", "bad_fds",	 "bad_order",
		"silent",   "version",	   "bad_name",	 "not_owner",
		"crowded",  "no_memory",   "bad_return", "no_rights",
		"bad_loan", "overdrawn",   "bad_memory", "deaf",
	};

	return reason < TMEM_WIRE_REASONS ? names[reason] : "unknown";
}

/** tmem_wire_budget_reason() - a reason's name, for tables and logs. */
static inline const char *tmem_wire_budget_reason(uint32_t reason)
{
	static const char *const names[TMEM_WIRE_BUDGET_REASONS] = {
		"settings",
		"floor",
		"stall",
		"quiet",
	};

	return reason < TMEM_WIRE_BUDGET_REASONS ? names[reason] : "unknown";
}

#if defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
_Static_assert(sizeof(struct tmem_wire_head) == 8, "layout");
_Static_assert(sizeof(struct tmem_wire_hello) == 104, "layout");
_Static_assert(sizeof(struct tmem_wire_welcome) == 48, "layout");
_Static_assert(sizeof(struct tmem_wire_refused) == 208, "layout");
_Static_assert(sizeof(struct tmem_wire_ready) == 8, "layout");
_Static_assert(sizeof(struct tmem_wire_ask) == 24, "layout");
_Static_assert(sizeof(struct tmem_wire_loan) == 8, "layout");
_Static_assert(sizeof(struct tmem_wire_loans) == 2064, "layout");
_Static_assert(sizeof(struct tmem_wire_count) == 16, "layout");
_Static_assert(sizeof(struct tmem_wire_stats) == 112, "layout");
_Static_assert(sizeof(struct tmem_wire_control) == 112, "layout");
_Static_assert(sizeof(struct tmem_wire_status) == 8, "layout");
_Static_assert(sizeof(struct tmem_wire_status_reply) == 328, "layout");
_Static_assert(sizeof(struct tmem_wire_list) == 16, "layout");
_Static_assert(sizeof(struct tmem_wire_domain) == 208, "layout");
_Static_assert(sizeof(struct tmem_wire_list_reply) == 3344, "layout");
#endif

#endif
