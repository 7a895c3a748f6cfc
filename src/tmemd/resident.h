/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * resident.h - the daemon's own memory stays in RAM, so that giving back never
 * waits for a page of the daemon's.
 */
#ifndef TMEM_TMEMD_RESIDENT_H
#define TMEM_TMEMD_RESIDENT_H

#include "logger.h"

/**
 * tmemd_resident_lock() - what is mapped now is brought in and kept, and so is what
 * will be, once it is touched.
 *
 * Context: before the sandbox, which leaves no privilege for it.
 * Return: 1 locked; 0 not, or not what will be: this process may not, which @logger
 * is told.
 */
int tmemd_resident_lock(const struct tmem_logger *logger);

#endif
