/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * backing.h - memory put behind a part of a memfd, before anybody touches it.
 *
 * So that the daemon's cgroup pays for it, and not the client that would touch
 * it first.
 */
#ifndef TMEM_TMEMD_BACKING_H
#define TMEM_TMEMD_BACKING_H

#include <stddef.h>
#include <stdint.h>

struct tmemd_backing {
	uint8_t *window; /* (c) address space of one huge page, never touched */
};

/** tmemd_backing_init() - Return: 0, -ENOMEM. */
int tmemd_backing_init(struct tmemd_backing *b);
void tmemd_backing_finish(struct tmemd_backing *b);

/**
 * tmemd_backing_fill() - memory behind [at, at + len).
 * @len: a huge page's size: one is tried for; else OS pages.
 *
 * Return: 0; -ENOMEM; -EPERM the file was cut shorter than that.
 */
int tmemd_backing_fill(struct tmemd_backing *b, int fd, uint64_t at, size_t len);

/** tmemd_backing_punch() - the memory goes back to the kernel; cannot fail on a
 * memfd sealed as ours are. */
void tmemd_backing_punch(int fd, uint64_t at, uint64_t len);

#endif
