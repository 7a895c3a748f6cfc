/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * syscalls.h - which system calls can still be made: a seccomp filter.
 */
#ifndef TMEM_TMEMD_SYSCALLS_H
#define TMEM_TMEMD_SYSCALLS_H

/**
 * tmemd_syscalls_restrict() - from now on, in all threads, only those that a
 * running daemon needs. Others fail with -EPERM, and the kernel logs them.
 *
 * Context: needs no_new_privs.
 * Return: 0; -EOPNOTSUPP the kernel has no filters; other negative errno.
 */
int tmemd_syscalls_restrict(void) __attribute__((warn_unused_result));

#endif
