/* SPDX-License-Identifier: BSD-2-Clause */
/* swap-tool.c - other people's programs: found, run with a time limit, ended. */
#include "swap-tool.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"

#ifndef PR_SET_IO_FLUSHER
#define PR_SET_IO_FLUSHER 57
#endif

/* Behind $PATH: root's may lack them when it came by sudo or from a unit. */
#define ADMIN_PATH "/usr/sbin:/sbin:/usr/bin:/bin"

/* oom_score_adj of what is never killed (proc(5)). */
#define OOM_NEVER "-1000"

/* An answer to SIGTERM. A server frees what it stores before it ends: 2 ms a
 * GiB on huge pages, 100 ms on small ones. */
#define END_MS 10000

/* SIGKILL takes effect at once, unless the process waits for a device. */
#define KILL_MS 5000

static int find_in(const char *list, const char *name, char *path)
{
	const char *p = list;
	size_t n;

	while (p && *p) {
		n = strcspn(p, ":");
		if (n &&
		    snprintf(path, PATH_MAX, "%.*s/%s", (int)n, p, name) <
			    PATH_MAX &&
		    !access(path, X_OK))
			return 1;
		p += n + (p[n] == ':');
	}
	return 0;
}

int swap_tool_find(const char *name, char *path)
{
	const size_t size = strlen(name) + 1;

	if (size > PATH_MAX)
		return 0;
	if (strchr(name, '/')) {
		memcpy(path, name, size);
		return !access(name, X_OK);
	}
	return find_in(getenv("PATH"), name, path) ||
	       find_in(ADMIN_PATH, name, path);
}

/* In the child. Whether it took is asked later: swap_process_protected(). */
static void protect(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd >= 0) {
		(void)!write(fd, OOM_NEVER, strlen(OOM_NEVER));
		(void)close(fd);
	}
	(void)prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0);
}

/* In the child; never returns. */
static void execute(const char *path, const char *const *argv, int out)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	sigset_t none;

	protect();
	(void)setsid();
	(void)sigemptyset(&none); /* `tmem swapon` holds some back */
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	/* A server outlives whoever ran `tmem swapon`, and would hold what that
	 * has open: its locks, its pipes. */
	(void)close_range(STDERR_FILENO + 1, ~0u, CLOSE_RANGE_CLOEXEC);
	if (null < 0)
		_exit(127);
	(void)dup2(null, STDIN_FILENO);
	(void)dup2(out, STDOUT_FILENO);
	(void)dup2(out, STDERR_FILENO);
	/* argv is what execv() leaves alone, whatever its prototype says. */
	(void)execv(path, (char *const *)(uintptr_t)argv);
	_exit(127);
}

static int pidfd_of(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

static int start(const char *const *argv, int out, pid_t *ret)
{
	char path[PATH_MAX];
	pid_t pid;

	if (!swap_tool_find(argv[0], path))
		return -ENOENT;
	(void)fflush(NULL); /* what is buffered is said once */
	pid = fork();
	if (!pid)
		execute(path, argv, out);
	if (pid < 0)
		return -errno;
	*ret = pid;
	return 0;
}

/* The line that says what went wrong, without what people wrap it in. */
static void keep_complaint(char *say)
{
	char *error = strstr(say, "error: ");
	char *line = say;

	if (error)
		line = error + strlen("error: ");
	line[strcspn(line, "\n")] = 0;
	memmove(say, line, strlen(line) + 1);
}

/*
 * Until the program ends. A daemon that it leaves behind may hold the pipe, so
 * the pipe's end is no sign.
 */
static int listen_until(int pidfd, int in, char *say)
{
	uint64_t end = swap_tool_patience_ns();
	struct pollfd fds[2] = { { .fd = pidfd, .events = POLLIN },
				 { .fd = in, .events = POLLIN } };
	size_t len = 0;
	char rest[256];
	ssize_t n;

	for (;;) {
		uint64_t now = tmem_clock_ns();

		if (now >= end)
			return -ETIMEDOUT;
		(void)poll(fds, 2, (int)((end - now) / TMEM_NS_PER_MS) + 1);
		n = len + 1 < SWAP_TOOL_SAY_MAX
			    ? read(in, say + len, SWAP_TOOL_SAY_MAX - 1 - len)
			    : read(in, rest, sizeof(rest));
		if (n > 0 && len + 1 < SWAP_TOOL_SAY_MAX)
			len += (size_t)n;
		say[len] = 0;
		if (n == 0)
			fds[1].fd = -1;
		if (n <= 0 && fds[0].revents)
			return 0;
	}
}

static int outcome(pid_t pid, int err, char *say)
{
	int status = 0;

	if (err) { /* -ETIMEDOUT: one that waits for a device cannot be killed */
		(void)kill(pid, SIGKILL);
		(void)waitpid(pid, NULL, WNOHANG);
		(void)snprintf(say, SWAP_TOOL_SAY_MAX, "not done in %u seconds",
			       SWAP_TOOL_PATIENCE_S);
		return err;
	}
	(void)waitpid(pid, &status, 0);
	if (WIFEXITED(status) && !WEXITSTATUS(status)) {
		say[strcspn(say, "\n")] = 0;
		return 0;
	}
	keep_complaint(say);
	if (!say[0])
		(void)snprintf(say, SWAP_TOOL_SAY_MAX, "%s %d",
			       WIFSIGNALED(status) ? "ended by signal"
						   : "exit status",
			       WIFSIGNALED(status) ? WTERMSIG(status)
						   : WEXITSTATUS(status));
	return -EIO;
}

int swap_tool_run(const char *const *argv, char *say)
{
	int pipes[2], pidfd, err;
	pid_t pid = 0;

	say[0] = 0;
	if (pipe2(pipes, O_CLOEXEC | O_NONBLOCK))
		return -errno;
	err = start(argv, pipes[1], &pid);
	(void)close(pipes[1]);
	if (err) {
		(void)close(pipes[0]);
		(void)snprintf(say, SWAP_TOOL_SAY_MAX, "%s", strerror(-err));
		return err;
	}
	pidfd = pidfd_of(pid);
	err = pidfd < 0 ? -errno : listen_until(pidfd, pipes[0], say);
	if (pidfd >= 0)
		(void)close(pidfd);
	(void)close(pipes[0]);
	return outcome(pid, err, say);
}

/*
 * In a child that ends at once. Its own child begins only then: a program may ask
 * to be ended when its parent ends (nbdkit does in the foreground), and that must
 * not be `tmem swapon`. And it begins only if it is told to: where whoever started
 * it has ended meanwhile, nobody knows of it.
 */
static void leave(const char *path, const char *const *argv, int out, int tell,
		  int gate)
{
	pid_t pid = fork();
	char c;

	if (!pid) {
		if (read(gate, &c, 1) != 1)
			_exit(1);
		execute(path, argv, out);
	}
	if (write(tell, &pid, sizeof(pid)) != sizeof(pid))
		_exit(1);
	_exit(pid < 0);
}

/* Return: its number; negative errno. */
static pid_t start_apart(const char *path, const char *const *argv, int out,
			 const int *gate)
{
	pid_t between, pid = -1;
	int told[2], status = 1;

	if (pipe2(told, O_CLOEXEC))
		return -errno;
	(void)fflush(NULL);
	between = fork();
	if (!between) {
		(void)close(gate[1]);
		leave(path, argv, out, told[1], gate[0]);
	}
	(void)close(told[1]);
	if (between > 0) {
		if (read(told[0], &pid, sizeof(pid)) != sizeof(pid))
			pid = -1;
		(void)waitpid(between, &status, 0);
	}
	(void)close(told[0]);
	return pid <= 0 || status ? -EAGAIN : pid;
}

int swap_tool_start(const char *const *argv, const char *log,
		    struct swap_process *ret, int *ret_gate)
{
	char path[PATH_MAX];
	int out, gate[2];
	pid_t pid;

	if (!swap_tool_find(argv[0], path))
		return -ENOENT;
	out = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (out < 0)
		return -errno;
	if (pipe2(gate, O_CLOEXEC)) {
		(void)close(out);
		return -errno;
	}
	pid = start_apart(path, argv, out, gate);
	(void)close(out);
	(void)close(gate[0]);
	if (pid < 0 || swap_process_find(pid, ret)) {
		(void)close(gate[1]);
		return pid < 0 ? pid : -ESRCH;
	}
	*ret_gate = gate[1];
	return 0;
}

void swap_tool_go(int gate)
{
	/* It may have been killed: then nobody reads, and there is SIGPIPE. */
	void (*before)(int) = signal(SIGPIPE, SIG_IGN);

	(void)!write(gate, "", 1);
	(void)close(gate);
	(void)signal(SIGPIPE, before);
}

/* ---- Signals -------------------------------------------------------------- */

static void make_held(sigset_t *set)
{
	(void)sigemptyset(set);
	(void)sigaddset(set, SIGHUP);
	(void)sigaddset(set, SIGINT);
	(void)sigaddset(set, SIGTERM);
}

void swap_tool_hold_signals(void)
{
	sigset_t set;

	make_held(&set);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
}

int swap_tool_interrupted(void)
{
	const struct timespec now = { 0 };
	sigset_t set;

	make_held(&set);
	return sigtimedwait(&set, NULL, &now) > 0;
}

/* ---- Processes ------------------------------------------------------------ */

int swap_process_find(pid_t pid, struct swap_process *ret)
{
	char path[64], text[1024];
	unsigned long long start_ticks;
	const char *p;
	ssize_t n;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -ESRCH;
	n = read(fd, text, sizeof(text) - 1);
	(void)close(fd);
	text[n > 0 ? n : 0] = 0;
	/* The name may have blanks and brackets; what follows has none. The
	 * start is the 22nd field, the 20th behind the name. */
	p = strrchr(text, ')');
	if (!p || p[1] != ' ' || p[2] == 'Z' ||
	    sscanf(p + 2,
		   "%*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
		   "%*s %*s %*s %*s %*s %llu",
		   &start_ticks) != 1)
		return -ESRCH;
	*ret = (struct swap_process){ .pid = pid, .start = start_ticks };
	return 0;
}

int swap_process_lives(const struct swap_process *p)
{
	struct swap_process now;

	return p->pid > 0 && !swap_process_find(p->pid, &now) &&
	       now.start == p->start;
}

uint64_t swap_tool_patience_ns(void)
{
	return tmem_clock_ns() + SWAP_TOOL_PATIENCE_S * TMEM_NS_PER_SEC;
}

int swap_process_nap(const struct swap_process *p, uint64_t end_ns)
{
	const struct timespec nap = { .tv_nsec = 5 * TMEM_NS_PER_MS };

	if (p && !swap_process_lives(p))
		return -ESRCH;
	if (tmem_clock_ns() > end_ns)
		return -ETIMEDOUT;
	if (swap_tool_interrupted())
		return -EINTR;
	(void)nanosleep(&nap, NULL);
	return 0;
}

int swap_process_protected(const struct swap_process *p)
{
	char path[64], text[16] = "";
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/oom_score_adj",
		       (int)p->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		(void)!read(fd, text, sizeof(text) - 1);
		(void)close(fd);
	}
	return !strncmp(text, OOM_NEVER, strlen(OOM_NEVER));
}

static int gone_within(int pidfd, int ms)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };

	return poll(&p, 1, ms) == 1;
}

static int signal_by(int pidfd, int sig)
{
	return (int)syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0);
}

int swap_process_end(const struct swap_process *p, int grace_ms)
{
	int pidfd, err = 0;

	if (p->pid <= 0)
		return 0;
	pidfd = pidfd_of(p->pid);
	/* Looked at after the descriptor is had: it cannot change behind it. */
	if (pidfd < 0)
		return 0;
	if (!swap_process_lives(p) || gone_within(pidfd, grace_ms))
		goto out;
	(void)signal_by(pidfd, SIGTERM);
	if (gone_within(pidfd, END_MS))
		goto out;
	(void)signal_by(pidfd, SIGKILL);
	if (!gone_within(pidfd, KILL_MS))
		err = -ETIMEDOUT;
out:
	(void)waitpid(p->pid, NULL, WNOHANG); /* where it is a child */
	(void)close(pidfd);
	return err;
}

void swap_tool_first_line(const char *log, char *say)
{
	int fd = open(log, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, say, SWAP_TOOL_SAY_MAX - 1);

	if (fd >= 0)
		(void)close(fd);
	say[n > 0 ? n : 0] = 0;
	keep_complaint(say);
	if (!say[0])
		(void)snprintf(say, SWAP_TOOL_SAY_MAX, "it says nothing");
}
