/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * landlock.h - which files can still be opened or removed: Landlock, where the
 * kernel has it.
 */
#ifndef TMEM_TMEMD_LANDLOCK_H
#define TMEM_TMEMD_LANDLOCK_H

/** TMEMD_LANDLOCK_PATHS_MAX - most paths let in. */
#define TMEMD_LANDLOCK_PATHS_MAX 16u

/**
 * struct tmemd_landlock - what will be let in.
 * @abi: the kernel's version of Landlock; 0: it has none.
 * @rules: the kernel's handle; -1 without Landlock and once in force.
 * @pins: O_PATH descriptors of all that was let in: see landlock.c.
 * @pin_count: how many.
 */
struct tmemd_landlock {
	int abi;
	int rules;
	int pins[TMEMD_LANDLOCK_PATHS_MAX];
	unsigned pin_count;
};

/** tmemd_landlock_init() - nothing let in yet. Return: 0, negative errno. */
int tmemd_landlock_init(struct tmemd_landlock *l)
	__attribute__((warn_unused_result));

/**
 * tmemd_landlock_allow_read() - a file, or the files below a directory, may be
 * opened for reading. A path that is not there is left out.
 *
 * Return: 0; -ENOSPC too many; other negative errno.
 */
int tmemd_landlock_allow_read(struct tmemd_landlock *l, const char *path)
	__attribute__((warn_unused_result));

/** tmemd_landlock_allow_remove() - files below a directory may be unlinked. */
int tmemd_landlock_allow_remove(struct tmemd_landlock *l, const char *path)
	__attribute__((warn_unused_result));

/**
 * tmemd_landlock_restrict() - from now on, in this thread and what it starts,
 * only what was let in. Needs no_new_privs. Without Landlock: does nothing.
 */
int tmemd_landlock_restrict(struct tmemd_landlock *l)
	__attribute__((warn_unused_result));

/** tmemd_landlock_finish() - the restriction stays, but see `pins`. */
void tmemd_landlock_finish(struct tmemd_landlock *l);

#endif
