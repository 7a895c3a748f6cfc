/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * swap-loop.h - a file as a block device, for as long as somebody has that open.
 *
 * So it needs nobody to take it down: it goes with the process that set it up, or
 * with swapoff(2) once it is in use. By losetup(8) there were moments in which a
 * killed `tmem swapon` left one that was written down nowhere.
 */
#ifndef TMEM_COMMAND_SWAP_LOOP_H
#define TMEM_COMMAND_SWAP_LOOP_H

#include <stddef.h>

/**
 * swap_loop_attach() - by direct I/O, so that no page is cached twice.
 * @dev: where the devices are.
 * @device: out: its path.
 *
 * Return: a descriptor that keeps it; negative errno.
 */
int swap_loop_attach(const char *dev, const char *file, char *device,
		     size_t len);

#endif
