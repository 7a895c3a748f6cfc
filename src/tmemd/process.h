/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * process.h - a process, by more than a number that another one may have tomorrow.
 */
#ifndef TMEM_TMEMD_PROCESS_H
#define TMEM_TMEMD_PROCESS_H

#include <stdint.h>

/** tmemd_process_open() - readable once it is over. Return: a pidfd, -1 there is no
 * such process, or none in sight. */
int tmemd_process_open(uint32_t pid);

/** tmemd_process_birth() - a number that no other process has had since the machine
 * was started; 0: the kernel does not tell (before Linux 6.9). */
uint64_t tmemd_process_birth(int pidfd);

#endif
