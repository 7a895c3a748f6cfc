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
	TMEM_WIRE_HINTS_MAX = 1000,  /* segments in a HINT */
	TMEM_WIRE_ENTRIES_MAX = 10,  /* domains in a message */
	TMEM_WIRE_SESSIONS_MAX = 15, /* sessions in a message */
	TMEM_WIRE_SAMPLES_MAX = 30,  /* samples in a message */
	TMEM_WIRE_PAIRS_MAX = 1024,  /* bytes of SET's texts */
	TMEM_WIRE_ANSWER_MAX = 512 /* bytes of an answer's text, with its NUL */
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

/** enum - why a session's report is not believed to the letter; each is counted. */
enum {
	TMEM_WIRE_DOUBT_BACKWARDS = 0, /* it had counted more before */
	TMEM_WIRE_DOUBT_TIME = 1,   /* its time was too short to do so much */
	TMEM_WIRE_DOUBT_MEMORY = 2, /* it never held enough to keep so much */
	TMEM_WIRE_DOUBTS = 3
};

/** enum - types of messages: a client's are below 64, a daemon's from there. */
enum {
	TMEM_WIRE_HELLO = 1, /* first of a session; fds: none, or to hand back */
	TMEM_WIRE_READY = 2, /* the control page is mapped */
	TMEM_WIRE_ASK = 3,
	TMEM_WIRE_GIVE = 4,
	TMEM_WIRE_STATS = 5,
	TMEM_WIRE_DESTROYED = 6, /* all pools, as DESTROY said */
	TMEM_WIRE_HINT = 7,	 /* if WELCOME's features have it */
	TMEM_WIRE_STATUS = 16,	 /* control verbs: need no HELLO */
	TMEM_WIRE_LIST = 17,
	TMEM_WIRE_SESSIONS = 18,
	TMEM_WIRE_HISTORY = 19,
	TMEM_WIRE_SET = 24, /* verbs that change something */
	TMEM_WIRE_FLUSH = 25,
	TMEM_WIRE_EVICT = 26,

	TMEM_WIRE_WELCOME = 64, /* fds: data and control, or control alone */
	TMEM_WIRE_REFUSED = 65, /* and the connection ends */
	TMEM_WIRE_LENT = 66,
	TMEM_WIRE_REVOKED = 67,
	TMEM_WIRE_DEMAND = 68,
	TMEM_WIRE_REPORT = 69,
	TMEM_WIRE_DESTROY = 70, /* your pools; an operator says so */
	TMEM_WIRE_STATUS_REPLY = 80,
	TMEM_WIRE_LIST_REPLY = 81,
	TMEM_WIRE_SESSIONS_REPLY = 82,
	TMEM_WIRE_ANSWER = 83, /* to SET, FLUSH, EVICT */
	TMEM_WIRE_HISTORY_REPLY = 84
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
	TMEM_WIRE_EVICTED = 16,	   /* an operator ended it */
	TMEM_WIRE_REASONS = 17
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

/** struct tmem_wire_ready - READY, DESTROYED: no more than that. */
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

/** struct tmem_wire_count - REVOKED, DEMAND: @count segments; REPORT, DESTROY: 0.
 * REVOKED with 0: the control page's head has changed. */
struct tmem_wire_count {
	struct tmem_wire_head head;
	uint32_t cls;
	uint32_t count;
};

/**
 * struct tmem_wire_figures - how a store does, by its own word; those of struct
 * tmem_stats in tmem.h, by the same names.
 *
 * First what is so now, then, from @puts on, what was counted ever.
 */
struct tmem_wire_figures {
	uint64_t limit_bytes;
	uint64_t used_bytes;
	uint64_t raw_bytes;
	uint64_t objects;
	uint64_t pools;
	uint64_t pages_ephemeral;
	uint64_t pages_persistent;
	uint64_t pages_same;
	uint64_t pages_raw;
	uint64_t pages_packed;
	uint64_t pages_dense;
	uint64_t puts;
	uint64_t refused_full;
	uint64_t refused_quota;
	uint64_t refused_frozen;
	uint64_t refused_nomem;
	uint64_t gets;
	uint64_t hits;
	uint64_t flushes;
	uint64_t evictions;
	uint64_t ghost_hits;
	uint64_t ager_ns;
	uint64_t puts_packed;
	uint64_t shortages;
};

/** struct tmem_wire_stats - what a client says of itself; nothing rests on it, and
 * it is believed as far as it can be so (TMEM_WIRE_DOUBT_*). */
struct tmem_wire_stats {
	struct tmem_wire_head head;
	struct tmem_wire_figures figures;
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
 * @birth: of the process @pid, for the daemon: which of those that have the number
 *	one after the other; 0: not known.
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
	uint64_t birth;
};

/** TMEM_WIRE_CONTROL_BYTES() - of a control memfd, before rounding to OS pages. */
#define TMEM_WIRE_CONTROL_BYTES(segments_max)                                  \
	(TMEM_WIRE_EPOCHS_AT + 5ull * (segments_max))

/* ---- Control verbs ------------------------------------------------------- */

/** struct tmem_wire_status - STATUS. */
struct tmem_wire_status {
	struct tmem_wire_head head;
};

/**
 * struct tmem_wire_psi - /proc/pressure/memory: tasks that waited for memory.
 * @some_avg10, @some_avg60, @full_avg10, @full_avg60: share of the last 10 and 60
 *	seconds in which some tasks waited, or all; hundredths of a percent.
 * @some_us, @full_us: ever. All of them UINT32_MAX, UINT64_MAX: not known.
 */
struct tmem_wire_psi {
	uint32_t some_avg10;
	uint32_t some_avg60;
	uint32_t full_avg10;
	uint32_t full_avg60;
	uint64_t some_us;
	uint64_t full_us;
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
	uint64_t stalls;	  /* that the kernel told of */
	uint64_t stalls_foreign;  /* ... that were not the machine's need */
	uint32_t budget_reason;	  /* TMEM_WIRE_BUDGET_*, of its last change */
	uint32_t flags;		  /* TMEM_WIRE_FROZEN: every domain is */
	char policy[16];	  /* name */
	uint64_t freeable_bytes;  /* lent, and can be taken at this moment */
	uint64_t margin_bytes;	  /* that the daemon's own cgroup can bear, and
				  * those above it; UINT64_MAX: no limit */
	uint64_t cpu_ns;	  /* that the daemon itself has used */
	uint64_t connections;	  /* this one included */
	struct tmem_wire_psi psi; /* of the machine */
	uint64_t doubts[TMEM_WIRE_DOUBTS]; /* reports that were doubted */
};

/** struct tmem_wire_list - LIST: domains whose number is larger than @after. */
struct tmem_wire_list {
	struct tmem_wire_head head;
	uint64_t after; /* 0: from the first on */
};

/**
 * struct tmem_wire_domain - one of them.
 * @number: rises from domain to domain and is never used again: one that ended
 *	and began anew has another.
 * @reported: sessions that have said how they do.
 * @emptying: sessions that were told to destroy their pools, and have not said
 *	that they did.
 * @report_age_ns: since the oldest of these reports; UINT64_MAX: none.
 * @doubted: reports of them of which not all can be so.
 * @claimed: what they said, as far as believed, summed up. What was counted ever
 *	includes sessions that are over.
 */
struct tmem_wire_domain {
	char name[TMEM_WIRE_NAME_MAX];
	uint64_t number;
	uint32_t uid;
	uint32_t sessions;
	uint64_t cap_bytes;
	uint64_t persistent_bytes; /* quota */
	uint64_t lent_bytes[TMEM_WIRE_CLASSES];
	uint64_t freeable_bytes; /* lent, and can be taken at this moment */
	uint64_t revoked;	 /* segments, ever */
	uint64_t min_bytes;
	uint64_t entitled_bytes; /* as last divided */
	uint64_t asked_bytes;	 /* and not lent yet */
	uint64_t ghost_rate; /* that the arbiter goes by: ghost hits a second, in
			      * 1/16 */
	uint32_t weight;
	uint32_t flags; /* TMEM_WIRE_FROZEN */
	uint32_t reported;
	uint32_t emptying;
	uint64_t report_age_ns;
	uint64_t doubted;
	struct tmem_wire_figures claimed;
};

/**
 * struct tmem_wire_list_reply - @count of them are sent, in the order of their
 * numbers; fewer than TMEM_WIRE_ENTRIES_MAX: there are no more.
 */
struct tmem_wire_list_reply {
	struct tmem_wire_head head;
	uint32_t count;
	uint32_t pad;
	struct tmem_wire_domain domains[TMEM_WIRE_ENTRIES_MAX];
};

/** struct tmem_wire_sessions - SESSIONS: a domain's, whose number is larger than
 * @after. */
struct tmem_wire_sessions {
	struct tmem_wire_head head;
	uint64_t after; /* 0: from the first on */
	char domain[TMEM_WIRE_NAME_MAX];
};

/** enum - of a session's flags, beside TMEM_WIRE_FROZEN. */
enum {
	TMEM_WIRE_AWAY = 2,  /* its lease is here, it has not come back yet */
	TMEM_WIRE_SHORT = 4, /* it asked for memory, and there was none for it */
	TMEM_WIRE_EMPTYING = 8 /* it is to destroy its pools */
};

/**
 * struct tmem_wire_session - one of them.
 * @number: as that of a domain.
 * @pid: 0: out of sight, or away and not known for sure.
 * @claimed: what it said last, as far as believed; all 0 if nothing.
 */
struct tmem_wire_session {
	uint64_t number;
	uint32_t pid;
	uint32_t uid;
	uint32_t segment_size; /* bytes */
	uint32_t flags;	       /* TMEM_WIRE_AWAY, ... */
	uint64_t most_bytes;   /* that it may ever hold */
	uint64_t lent_bytes[TMEM_WIRE_CLASSES];
	uint64_t freeable_bytes; /* lent, and can be taken at this moment */
	uint64_t report_age_ns;	 /* UINT64_MAX: it has said nothing */
	struct tmem_wire_figures claimed;
};

/** struct tmem_wire_sessions_reply - as a list's. */
struct tmem_wire_sessions_reply {
	struct tmem_wire_head head;
	uint32_t count;
	uint32_t pad;
	struct tmem_wire_session sessions[TMEM_WIRE_SESSIONS_MAX];
};

/**
 * struct tmem_wire_set - SET: settings of a domain, or with no name the daemon's
 * own, until it is restarted or reads its file again.
 * @count: texts in @pairs: KEY=VALUE, as in tmemd.conf, each with its NUL and
 *	nothing between them; head.len ends behind the last.
 */
struct tmem_wire_set {
	struct tmem_wire_head head;
	uint32_t count;
	uint32_t pad;
	char domain[TMEM_WIRE_NAME_MAX];
	char pairs[TMEM_WIRE_PAIRS_MAX];
};

/** struct tmem_wire_flush - FLUSH: take ephemeral memory, of a domain or with no
 * name of whoever has most beyond its entitlement. */
struct tmem_wire_flush {
	struct tmem_wire_head head;
	uint64_t bytes; /* most to take */
	char domain[TMEM_WIRE_NAME_MAX];
};

/** enum - of EVICT's flags. */
enum {
	TMEM_WIRE_FORCE = 1 /* end those that were told, and have not done so */
};

/** struct tmem_wire_evict - EVICT: a domain's sessions are to destroy their pools. */
struct tmem_wire_evict {
	struct tmem_wire_head head;
	uint32_t flags;
	uint32_t pad;
	char domain[TMEM_WIRE_NAME_MAX];
};

/**
 * struct tmem_wire_answer - what came of a verb that changes something.
 * @done: 1; 0: refused, nothing has changed, @text says why in one line.
 * @more: of FLUSH: say it again, there is more to take.
 * @bytes: of FLUSH: taken; of EVICT: that its sessions held.
 * @sessions: of EVICT: that were told, or ended.
 */
struct tmem_wire_answer {
	struct tmem_wire_head head;
	uint32_t done;
	uint32_t more;
	uint64_t bytes;
	uint64_t sessions;
	char text[TMEM_WIRE_ANSWER_MAX];
};

/**
 * struct tmem_wire_history - HISTORY: samples whose number is @from or larger.
 * @place: 0: of the whole; 1 and up: of the domain that has this place.
 */
struct tmem_wire_history {
	struct tmem_wire_head head;
	uint32_t place;
	uint32_t pad;
	uint64_t from;
};

/**
 * struct tmem_wire_sample - how things were at a moment.
 * @age_ns: since then; UINT64_MAX: there was no such domain.
 * @may_bytes: the whole: the budget; a domain: what it was entitled to.
 * @available_bytes: in the machine; @waiting_us: PSI of the machine, some tasks.
 *	A domain has neither. UINT64_MAX: unknown.
 * @revoked: segments.
 * @raw_bytes, @used_bytes: claimed.
 * @puts and what follows: claimed, and only what was counted while the daemon
 *	watched; never less than in the sample before, but for a domain that ended
 *	and began anew.
 */
struct tmem_wire_sample {
	uint64_t age_ns;
	uint64_t lent_bytes[TMEM_WIRE_CLASSES];
	uint64_t may_bytes;
	uint64_t available_bytes;
	uint64_t waiting_us;
	uint64_t revoked;
	uint64_t raw_bytes;
	uint64_t used_bytes;
	uint64_t puts;
	uint64_t gets;
	uint64_t hits;
	uint64_t ghost_hits;
	uint64_t evictions;
	uint64_t ager_ns;
};

/**
 * struct tmem_wire_history_reply - @count of them are sent, the first of number
 * @from, in order; @end is the number of the next to be taken.
 * @places: that there are; those without a domain have no @name.
 * @left_out: domains that have no place at the moment.
 */
struct tmem_wire_history_reply {
	struct tmem_wire_head head;
	uint32_t place;
	uint32_t count;
	uint64_t from;
	uint64_t end;
	uint32_t places;
	uint32_t left_out;
	uint64_t interval_ns;
	char name[TMEM_WIRE_NAME_MAX];
	struct tmem_wire_sample samples[TMEM_WIRE_SAMPLES_MAX];
};

/** tmem_wire_reason() - a reason's name, for tables and logs. */
static inline const char *tmem_wire_reason(uint32_t reason)
{
	static const char *const names[TMEM_WIRE_REASONS] = {
		"none",	    "bad_message", "bad_fds",	 "bad_order",
		"silent",   "version",	   "bad_name",	 "not_owner",
		"crowded",  "no_memory",   "bad_return", "no_rights",
		"bad_loan", "overdrawn",   "bad_memory", "deaf",
		"evicted",
	};

	return reason < TMEM_WIRE_REASONS ? names[reason] : "unknown";
}

/** tmem_wire_doubt() - a reason's name, for tables and metrics. */
static inline const char *tmem_wire_doubt(uint32_t reason)
{
	static const char *const names[TMEM_WIRE_DOUBTS] = {
		"backwards",
		"time",
		"memory",
	};

	return reason < TMEM_WIRE_DOUBTS ? names[reason] : "unknown";
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
_Static_assert(sizeof(struct tmem_wire_figures) == 192, "layout");
_Static_assert(sizeof(struct tmem_wire_stats) == 200, "layout");
_Static_assert(sizeof(struct tmem_wire_control) == 120, "layout");
_Static_assert(sizeof(struct tmem_wire_status) == 8, "layout");
_Static_assert(sizeof(struct tmem_wire_status_reply) == 424, "layout");
_Static_assert(sizeof(struct tmem_wire_list) == 16, "layout");
_Static_assert(sizeof(struct tmem_wire_domain) == 392, "layout");
_Static_assert(sizeof(struct tmem_wire_list_reply) == 3936, "layout");
_Static_assert(sizeof(struct tmem_wire_sessions) == 80, "layout");
_Static_assert(sizeof(struct tmem_wire_session) == 264, "layout");
_Static_assert(sizeof(struct tmem_wire_sessions_reply) == 3976, "layout");
_Static_assert(sizeof(struct tmem_wire_set) == 1104, "layout");
_Static_assert(sizeof(struct tmem_wire_flush) == 80, "layout");
_Static_assert(sizeof(struct tmem_wire_evict) == 80, "layout");
_Static_assert(sizeof(struct tmem_wire_answer) == 544, "layout");
_Static_assert(sizeof(struct tmem_wire_history) == 24, "layout");
_Static_assert(sizeof(struct tmem_wire_sample) == 128, "layout");
_Static_assert(sizeof(struct tmem_wire_history_reply) == 3952, "layout");
#endif

#endif
