/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * claim.h - a lease that somebody hands back, and whether to believe it.
 *
 * Another run of the daemon made it, or so the client says: anybody can make
 * memfds and seal them. What is accepted costs nothing that an honest client
 * could not have had: the seals are ours, so the memory can be ended for good;
 * size and persistent segments fit cap and quota; and no two sessions have the
 * same file.
 */
#ifndef TMEM_TMEMD_CLAIM_H
#define TMEM_TMEMD_CLAIM_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <tmem/wire.h>

/** struct tmemd_claim - a private copy of what a control memfd says. */
struct tmemd_claim {
	void *copy;   /* of it */
	size_t bytes; /* of the copy */
	struct tmem_wire_control head;
	const uint32_t *epochs; /* in the copy */
	const uint8_t *classes; /* in the copy */
	uint64_t lent_bytes[TMEM_WIRE_CLASSES];
};

/**
 * tmemd_claim_parse() - take a copy of a control memfd apart.
 * @copy: @bytes bytes, 8-byte aligned; any content.
 * @ret: out, on success; keeps pointers into @copy.
 *
 * Return: 0, -EPROTO it was never written by a daemon.
 */
int tmemd_claim_parse(const void *copy, size_t bytes, struct tmemd_claim *ret);

/**
 * tmemd_claim_read() - check both memfds and copy the control page.
 * @dev: of this daemon's own memfds.
 * @ret: out, on success; freed by tmemd_claim_finish().
 * @ret_ino: out: the data memfd's.
 *
 * Return: 0; -EPROTO they are not what they should be; -ENOMEM.
 */
int tmemd_claim_read(int data, int control, dev_t dev, struct tmemd_claim *ret,
		     ino_t *ret_ino);

/** tmemd_claim_fits() - 1: within a cap and a persistent quota, bytes. */
int tmemd_claim_fits(const struct tmemd_claim *c, uint64_t cap_bytes,
		     uint64_t persistent_bytes);

void tmemd_claim_finish(struct tmemd_claim *c);

#endif
