/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kernel-text.h - what the kernel tells in files of text: kept open, and read without
 * allocating, since that is done when memory is short.
 */
#ifndef TMEM_TMEMD_KERNEL_TEXT_H
#define TMEM_TMEMD_KERNEL_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** TMEMD_TEXT_MAX - room for a text, its end included: the lines that are looked for
 * are well within it. */
#define TMEMD_TEXT_MAX 8192u

/**
 * tmemd_text_read() - what is there now, as much as there is room for.
 * @fd: of the file; below 0: there is none.
 * @text: out: ended in any case.
 * @at: bytes to pass over.
 *
 * Return: its length; 0: nothing, or it cannot be read.
 */
size_t tmemd_text_read(int fd, char *text, size_t size, off_t at);

/** tmemd_text_number() - the number behind a name at the start of a line; @missing
 * if that is not there. */
uint64_t tmemd_text_number(const char *text, const char *name, uint64_t missing);

/** tmemd_text_close() - the file; *@fd is -1 then. */
void tmemd_text_close(int *fd);

#endif
