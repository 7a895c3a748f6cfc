/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * syscalls.c - which system calls can still be made: a seccomp filter.
 *
 * An allow list. What is not on it fails with EPERM rather than killing: a
 * library's new version that tries a call of its own must not take down the
 * owner of everybody's memory, and an attacker gets as little by it. Refused
 * calls show in the kernel's audit log.
 */
#include "syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *const allowed[] = {
	/* descriptors and files */
	"close",
	"fcntl",
	"fstat",
	"getdents64",
	"lseek",
	"newfstatat",
	"pread64",
	"pwrite64",
	"read",
	"readv",
	"statx",
	"unlink",
	"unlinkat",
	"write",
	"writev",
	/* memory, the lent one included */
	"brk",
	"fallocate",
	"ftruncate",
	"madvise",
	"memfd_create",
	"mremap",
	"munmap",
	/* clients */
	"accept4",
	"getpeername",
	"getsockname",
	"getsockopt",
	"pidfd_open",
	"recvfrom",
	"recvmsg",
	"sendmsg",
	"sendto",
	"setsockopt",
	"shutdown",
	/* waiting */
	"clock_getres",
	"clock_gettime",
	"clock_nanosleep",
	"epoll_create1",
	"epoll_ctl",
	"epoll_pwait",
	"epoll_pwait2",
	"epoll_wait",
	"eventfd2",
	"gettimeofday",
	"nanosleep",
	"pipe2",
	"poll",
	"ppoll",
	"signalfd4",
	"time",
	"timerfd_create",
	"timerfd_gettime",
	"timerfd_settime",
	/* signals, threads, oneself */
	"exit",
	"exit_group",
	"futex",
	"get_robust_list",
	"getcpu",
	"getegid",
	"geteuid",
	"getgid",
	"getpid",
	"getppid",
	"getrandom",
	"getrusage",
	"gettid",
	"getuid",
	"restart_syscall",
	"rseq",
	"rt_sigaction",
	"rt_sigprocmask",
	"rt_sigreturn",
	"sched_getaffinity",
	"sched_yield",
	"set_robust_list",
	"sigaltstack",
	"sysinfo",
	"uname",
};

#define NO_EXEC(argument) SCMP_CMP(argument, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)

/* 0, negative errno. A name that this libseccomp does not know is passed over:
 * the kernel it was made for does not have it, or the call stays refused. */
static int allow(scmp_filter_ctx filter, const char *name, unsigned count,
		 const struct scmp_arg_cmp *conditions)
{
	int number = seccomp_syscall_resolve_name(name);

	if (number == __NR_SCMP_ERROR)
		return 0;
	return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, number, count,
				      conditions);
}

/* Those that are allowed with some arguments only. */
static int allow_some(scmp_filter_ctx filter)
{
	const struct scmp_arg_cmp no_exec = NO_EXEC(2);
	/* sd_notify() opens its own; clients are accepted. */
	const struct scmp_arg_cmp unix_only =
		SCMP_CMP(0, SCMP_CMP_EQ, AF_UNIX, 0);
	/* Nothing is written but what was open before. */
	const struct scmp_arg_cmp read_only = SCMP_CMP(
		2, SCMP_CMP_MASKED_EQ, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY);
	const struct scmp_arg_cmp terminal = SCMP_CMP(1, SCMP_CMP_EQ, TCGETS, 0);
	const struct scmp_arg_cmp name =
		SCMP_CMP(0, SCMP_CMP_EQ, PR_SET_NAME, 0);
	const struct scmp_arg_cmp thread =
		SCMP_CMP(0, SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD);
	/* abort() */
	const struct scmp_arg_cmp self =
		SCMP_CMP(0, SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0);
	const struct scmp_arg_cmp own_limits[] = {
		SCMP_CMP(0, SCMP_CMP_EQ, 0, 0),
		SCMP_CMP(2, SCMP_CMP_EQ, 0, 0),
	};
	const struct {
		const char *name;
		const struct scmp_arg_cmp *conditions;
		unsigned count;
	} some[] = {
		{ "clone", &thread, 1 },	{ "ioctl", &terminal, 1 },
		{ "mmap", &no_exec, 1 },	{ "mprotect", &no_exec, 1 },
		{ "openat", &read_only, 1 },	{ "prctl", &name, 1 },
		{ "prlimit64", own_limits, 2 }, { "socket", &unix_only, 1 },
		{ "tgkill", &self, 1 },
	};
	size_t i;
	int err = 0;

	for (i = 0; !err && i < sizeof(some) / sizeof(some[0]); i++)
		err = allow(filter, some[i].name, some[i].count,
			    some[i].conditions);
	return err;
}

static int fill(scmp_filter_ctx filter)
{
	int clone3 = seccomp_syscall_resolve_name("clone3");
	size_t i;
	int err;

	err = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	if (!err)
		err = seccomp_attr_set(filter, SCMP_FLTATR_CTL_LOG, 1);
	for (i = 0; !err && i < sizeof(allowed) / sizeof(allowed[0]); i++)
		err = allow(filter, allowed[i], 0, NULL);
	if (!err)
		err = allow_some(filter);
	/* Its flags are behind a pointer. libc falls back on clone. */
	if (!err && clone3 != __NR_SCMP_ERROR)
		err = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), clone3,
				       0);
	return err;
}

int tmemd_syscalls_restrict(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int err;

	if (!filter)
		return -ENOMEM;
	err = fill(filter);
	if (!err)
		err = seccomp_load(filter);
	seccomp_release(filter);
	return err == -EINVAL ? -EOPNOTSUPP : err;
}
