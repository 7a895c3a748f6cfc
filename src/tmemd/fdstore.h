/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fdstore.h - leases kept by the service manager while there is no daemon.
 *
 * Two descriptors a lease, named "dN" and "cN": its data and control memfds. See
 * FileDescriptorStoreMax= in systemd.service(5). Without such a manager all of
 * this does nothing.
 */
#ifndef TMEM_TMEMD_FDSTORE_H
#define TMEM_TMEMD_FDSTORE_H

#include "tmemd.h"

/** tmemd_fdstore_add() - keep these; copies are kept, or, when a control memfd
 * takes an older one's place, that goes. */
void tmemd_fdstore_add(struct tmemd *d, uint64_t id, int data, int control);

/** tmemd_fdstore_remove() - the lease is over. */
void tmemd_fdstore_remove(struct tmemd *d, uint64_t id);

/** tmemd_restore_fn - a lease that was kept; takes both memfds. Return: 0, negative
 * errno: it was ended. */
typedef int (*tmemd_restore_fn)(struct tmemd *d, uint64_t id, int data,
				int control);

/**
 * tmemd_fdstore_start() - sort out what the manager handed over at start.
 * @restore: called with each lease among it.
 * @ret_listen: out: the listening socket among it; -1: none.
 *
 * Unknown descriptors are closed.
 */
void tmemd_fdstore_start(struct tmemd *d, tmemd_restore_fn restore,
			 int *ret_listen);

#endif
