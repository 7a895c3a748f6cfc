/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * process.c - a process, by more than a number that another one may have tomorrow.
 *
 * The inode of a pidfd has been the process's own since Linux 6.9, and was that of all
 * pidfds, and of much else, before. The start time in /proc/PID/stat would tell two
 * processes apart on any kernel, but not to a daemon from whom others are hidden
 * (ProtectProc=, hidepid=), and not in the sandbox.
 */
#include "process.h"

#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int tmemd_process_open(uint32_t pid)
{
	return pid ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
}

static uint64_t inode_of(int fd)
{
	struct stat st;

	return fd < 0 || fstat(fd, &st) ? 0 : st.st_ino;
}

uint64_t tmemd_process_birth(int pidfd)
{
	const uint64_t birth = inode_of(pidfd);
	int own = tmemd_process_open((uint32_t)getpid());
	const uint64_t ours = inode_of(own);

	if (own >= 0)
		(void)close(own);
	return ours && birth != ours ? birth : 0;
}
