/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * resident.h - the daemon's own memory stays in RAM, so that giving back never
 * waits for a page of the daemon's.
 */
#ifndef TMEM_TMEMD_RESIDENT_H
#define TMEM_TMEMD_RESIDENT_H

/**
 * tmemd_resident_lock() - what is mapped now is brought in and kept, and so is what
 * will be, once it is touched.
 *
 * Context: before the sandbox, which leaves no privilege for it.
 * Return: how far this process may: "locked", "locked-at-start" (what comes later is
 * not), "unlocked"; for the log.
 */
const char *tmemd_resident_lock(void);

#endif
