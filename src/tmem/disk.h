/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * disk.h - pages of files, read past the kernel's page cache.
 *
 * By O_DIRECT. Where a file system refuses that, by plain reads with the kernel
 * told before and after to forget what it cached; such files are marked plain.
 */
#ifndef TMEM_COMMAND_DISK_H
#define TMEM_COMMAND_DISK_H

#include <stddef.h>
#include <stdint.h>

struct file;

/** Files kept open at a time: below the usual limit of 1024 descriptors. */
#define DISK_OPEN_MAX 512

/** struct disk - files that are open, so that most reads need not open one. */
struct disk {
	struct {
		const struct file *file; /* NULL: free */
		int fd;
	} slot[DISK_OPEN_MAX]; /* by the file's first page, modulo */
};

/**
 * disk_open() - open a file for disk_pread().
 *
 * Return: a descriptor; -ESTALE it is no longer the file that was found; what
 *	open(2) gives.
 */
int disk_open(struct file *f) __attribute__((warn_unused_result));

/**
 * disk_pread() - read pages in one go.
 * @page: the file's page to begin with.
 * @pages: how many.
 * @buf: out: aligned to a page; zeroes after the file's end.
 *
 * Return: 0; -ESTALE the file is not as long as it was; what pread(2) gives.
 */
int disk_pread(int fd, struct file *f, uint64_t page, size_t pages, void *buf)
	__attribute__((warn_unused_result));

void disk_init(struct disk *d);
void disk_finish(struct disk *d);

/** disk_read() - disk_pread() of one page, opening the file if need be. */
int disk_read(struct disk *d, struct file *f, uint64_t page, void *buf)
	__attribute__((warn_unused_result));

/** disk_changed() - 1: the file under that name is not what was hashed. */
int disk_changed(const struct file *f);

#endif
