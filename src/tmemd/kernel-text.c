/* SPDX-License-Identifier: BSD-2-Clause */
/* kernel-text.c - what the kernel tells in files of text. */
#include "kernel-text.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

size_t tmemd_text_read(int fd, char *text, size_t size, off_t at)
{
	ssize_t n = fd < 0 ? 0 : pread(fd, text, size - 1, at);

	text[n > 0 ? n : 0] = 0;
	return n > 0 ? (size_t)n : 0;
}

uint64_t tmemd_text_number(const char *text, const char *name, uint64_t missing)
{
	const char *at = strstr(text, name);

	/* "active_file" is the end of other names. */
	while (at && at != text && at[-1] != '\n')
		at = strstr(at + 1, name);
	return at ? strtoull(at + strlen(name), NULL, 10) : missing;
}

void tmemd_text_close(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}
