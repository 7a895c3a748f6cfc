/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * psi.h - how long tasks of this machine wait for memory, for people to see.
 */
#ifndef TMEM_TMEMD_PSI_H
#define TMEM_TMEMD_PSI_H

#include <tmem/wire.h>

/** struct tmemd_psi - the file; -1: there is none. */
struct tmemd_psi {
	int fd;
};

/** tmemd_psi_init() - before the sandbox. */
void tmemd_psi_init(struct tmemd_psi *p);
void tmemd_psi_finish(struct tmemd_psi *p);

/** tmemd_psi_look() - now. What is not known is all ones. */
void tmemd_psi_look(const struct tmemd_psi *p, struct tmem_wire_psi *ret);

/** tmemd_psi_read() - the same, from a text of the file's form. */
void tmemd_psi_read(const char *text, struct tmem_wire_psi *ret);

#endif
