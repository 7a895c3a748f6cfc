/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-tmemd-sandbox.c - each restriction, tried from inside, and what must go on
 * to work there.
 *
 * A test is a child that enters the sandbox and reports by its exit code; a
 * failed CHECK's line goes to stderr.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "leftover.h"
#include "lines.h"
#include "sandbox.h"
#include "unit.h"

#define MIB (1u << 20)

/* A child whose parent failed, or that waits for what never comes, ends. */
#define CHILD_SECONDS 20

#define CHECK(x)                                                                \
	do {                                                                    \
		if (!(x)) {                                                     \
			(void)fprintf(stderr, "%s:%d: not so: %s (%s)\n",       \
				      __func__, __LINE__, #x, strerror(errno)); \
			return 1;                                               \
		}                                                               \
	} while (0)

/* A directory for the socket, and one for the configuration. */
struct place {
	char dir[64];
	char run[96], etc[96];
	char socket[128], config[128], other[128], link[128];
	int listener;
	struct tmemd_sandbox sandbox;
};

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static int make_listener(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_true(strlen(path) < sizeof(a.sun_path));
	strcpy(a.sun_path, path);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 8), 0);
	return fd;
}

static int set_up(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	strcpy(p->dir, "/tmp/tmemd-sandbox.XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	(void)snprintf(p->run, sizeof(p->run), "%s/run", p->dir);
	(void)snprintf(p->etc, sizeof(p->etc), "%s/etc", p->dir);
	assert_int_equal(mkdir(p->run, 0700), 0);
	assert_int_equal(mkdir(p->etc, 0700), 0);
	(void)snprintf(p->socket, sizeof(p->socket), "%s/sock", p->run);
	(void)snprintf(p->config, sizeof(p->config), "%s/tmemd.conf", p->etc);
	(void)snprintf(p->other, sizeof(p->other), "%s/other", p->dir);
	(void)snprintf(p->link, sizeof(p->link), "%s/link", p->run);
	write_file(p->config, "budget = 64M\n");
	write_file(p->other, "x\n");
	assert_int_equal(symlink(p->config, p->link), 0);
	p->listener = make_listener(p->socket);
	*state = p;
	return 0;
}

static int tear_down(void **state)
{
	struct place *p = *state;

	(void)close(p->listener);
	(void)unlink(p->socket);
	(void)unlink(p->link);
	(void)unlink(p->config);
	(void)unlink(p->other);
	(void)rmdir(p->run);
	(void)rmdir(p->etc);
	(void)rmdir(p->dir);
	free(p);
	return 0;
}

static void say(void *ctx, int level, const char *line)
{
	(void)ctx;
	(void)fprintf(stderr, "<%d>%s\n", level, line);
}

static int enter(struct place *p)
{
	static const char *const reads[] = { "/proc/meminfo", "/proc/pressure",
					     "/proc/no/such/file", NULL };
	const struct tmemd_sandbox_opts opts = { .socket = p->socket,
						 .config = p->config,
						 .reads = reads };
	const struct tmem_logger logger = { say, NULL };

	return tmemd_sandbox_enter(&p->sandbox, &opts, &logger);
}

/* Runs `try` in a child that is inside; the parent does `meanwhile` between the
 * child's entering and trying. */
static void inside_while(struct place *p, int (*try)(struct place *p),
			 void (*meanwhile)(struct place *p, pid_t child))
{
	int gate[2], status = 0;
	char byte = 0;
	pid_t pid;

	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, gate), 0);
	(void)fflush(stderr);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		(void)close(gate[0]);
		(void)alarm(CHILD_SECONDS);
		if (enter(p) || write(gate[1], &byte, 1) != 1 ||
		    read(gate[1], &byte, 1) != 1)
			_exit(99);
		_exit(try(p));
	}
	(void)close(gate[1]);
	assert_int_equal(read(gate[0], &byte, 1), 1);
	if (meanwhile)
		meanwhile(p, pid);
	assert_int_equal(write(gate[0], &byte, 1), 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	(void)close(gate[0]);
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		fail_msg("child: status 0x%x", (unsigned)status);
}

static void inside(void **state, int (*try)(struct place *p))
{
	inside_while(*state, try, NULL);
}

/* ---- What is refused ---------------------------------------------------- */

static int try_files(struct place *p)
{
	int fd;

	if (p->sandbox.landlock.abi) {
		CHECK(open("/etc/passwd", O_RDONLY) < 0 && errno == EACCES);
		CHECK(open(p->other, O_RDONLY) < 0 && errno == EACCES);
		CHECK(open("/", O_RDONLY | O_DIRECTORY) < 0);
		CHECK(unlink(p->other) && errno == EACCES);
		CHECK(unlink(p->config) && errno == EACCES);
	}
	CHECK(truncate(p->config, 0) && errno == EPERM);
	/* What may be read may not be written, nor anything be made. */
	CHECK(open(p->config, O_RDWR) < 0 && errno == EPERM);
	CHECK(open(p->config, O_RDONLY | O_TRUNC) < 0 && errno == EPERM);
	CHECK(open(p->other, O_WRONLY) < 0 && errno == EPERM);
	CHECK(open(p->run, O_TMPFILE | O_RDWR, 0600) < 0 && errno == EPERM);
	CHECK(rename(p->config, p->other) && errno == EPERM);
	CHECK(link(p->config, p->other) && errno == EPERM);
	CHECK(symlink("x", p->other) && errno == EPERM);
	CHECK(mkdir(p->other, 0700) && errno == EPERM);
	CHECK(chmod(p->config, 0777) && errno == EPERM);
	CHECK(chown(p->config, 1, 1) && errno == EPERM);
	fd = open(p->config, O_RDONLY | O_CLOEXEC);
	CHECK(fd >= 0);
	CHECK(fchmod(fd, 0777) && errno == EPERM);
	return 0;
}

static void files_are_out_of_reach(void **state)
{
	inside(state, try_files);
}

static int try_programs(struct place *p)
{
	char *const argv[] = { (char *)"false", NULL };
	void *code;

	(void)p;
	CHECK(execv("/bin/false", argv) && errno == EPERM);
	CHECK(fexecve(STDIN_FILENO, argv, argv) && errno == EPERM);
	CHECK(fork() < 0 && errno == EPERM);
	code = mmap(NULL, 4096, PROT_READ | PROT_EXEC,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(code == MAP_FAILED && errno == EPERM);
	code = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(code != MAP_FAILED);
	CHECK(mprotect(code, 4096, PROT_READ | PROT_EXEC) && errno == EPERM);
	CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) < 0 && errno == EPERM);
	return 0;
}

static void no_program_starts(void **state)
{
	inside(state, try_programs);
}

static int try_network(struct place *p)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd;

	CHECK(socket(AF_INET, SOCK_STREAM, 0) < 0 && errno == EPERM);
	CHECK(socket(AF_INET6, SOCK_DGRAM, 0) < 0 && errno == EPERM);
	CHECK(socket(AF_NETLINK, SOCK_RAW, 0) < 0 && errno == EPERM);
	CHECK(socket(AF_PACKET, SOCK_RAW, 0) < 0 && errno == EPERM);
	/* As root, to other daemons of this machine. */
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	CHECK(fd >= 0);
	strcpy(a.sun_path, p->socket);
	CHECK(connect(fd, (struct sockaddr *)&a, sizeof(a)) && errno == EPERM);
	CHECK(bind(fd, (struct sockaddr *)&a, sizeof(a)) && errno == EPERM);
	return 0;
}

static void no_network(void **state)
{
	inside(state, try_network);
}

static int try_privileges(struct place *p)
{
	struct rlimit limit = { 16, 16 };
	cap_t caps = cap_get_proc(), none = cap_init();

	(void)p;
	/* capget is refused as well; /proc is out of reach. */
	CHECK(!caps && errno == EPERM);
	CHECK(setuid(1) && errno == EPERM);
	CHECK(setgid(1) && errno == EPERM);
	CHECK(setgroups(0, NULL) && errno == EPERM);
	CHECK(none && cap_set_proc(none) && errno == EPERM);
	CHECK(setrlimit(RLIMIT_NOFILE, &limit) && errno == EPERM);
	CHECK(!getrlimit(RLIMIT_NOFILE, &limit));
	CHECK(kill(getppid(), 0) && errno == EPERM);
	CHECK(ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0 && errno == EPERM);
	CHECK(chroot("/") && errno == EPERM);
	(void)cap_free(none);
	return 0;
}

static void no_privileges(void **state)
{
	inside(state, try_privileges);
}

static int try_nothing(struct place *p)
{
	(void)p;
	return 0;
}

static void read_status(struct place *p, pid_t child)
{
	char path[64], line[256];
	unsigned zero = 0, seen = 0;
	FILE *f;

	(void)p;
	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)child);
	f = fopen(path, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		if (!strncmp(line, "Cap", 3) && (!getuid() || line[3] != 'B'))
			zero += !strcmp(line + 7, "\t0000000000000000\n");
		seen += !strcmp(line, "NoNewPrivs:\t1\n") ||
			!strcmp(line, "Seccomp:\t2\n");
	}
	(void)fclose(f);
	/* Inheritable, permitted, effective, ambient; root's bounding set. */
	assert_int_equal(zero, getuid() ? 4 : 5);
	assert_int_equal(seen, 2);
}

static void kernel_agrees(void **state)
{
	inside_while(*state, try_nothing, read_status);
}

/* ---- What works --------------------------------------------------------- */

static int try_memory(struct place *p)
{
	int fd = memfd_create("lease", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int copy;
	void *map;

	(void)p;
	CHECK(fd >= 0);
	CHECK(!ftruncate(fd, 4 * MIB));
	CHECK(!fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 2 * MIB));
	CHECK(!fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
			 2 * MIB));
	map = mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(map != MAP_FAILED);
	memset(map, 1, MIB);
	CHECK(!madvise(map, MIB, MADV_DONTFORK));
	CHECK(!munmap(map, MIB));
	CHECK(!fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SEAL));
	CHECK(fcntl(fd, F_GET_SEALS) == (F_SEAL_GROW | F_SEAL_SEAL));
	copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	CHECK(copy >= 0 && !close(copy));
	CHECK(!ftruncate(fd, 0));
	CHECK(!close(fd));
	map = malloc(64 * MIB);
	CHECK(map);
	memset(map, 1, 64 * MIB);
	free(map);
	return 0;
}

static void memory_is_lent(void **state)
{
	inside(state, try_memory);
}

/* Sends a descriptor, as leases go to clients. */
static int send_fd(int to, int fd)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	char byte = 1;
	struct iovec iov = { &byte, 1 };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = control.space,
			    .msg_controllen = sizeof(control.space) };

	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	return sendmsg(to, &m, MSG_NOSIGNAL | MSG_DONTWAIT) == 1 ? 0 : -1;
}

static int try_clients(struct place *p)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);
	int client, fd;
	char buf[8];

	client = accept4(p->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	CHECK(client >= 0);
	CHECK(!getsockopt(client, SOL_SOCKET, SO_PEERCRED, &cred, &len));
	CHECK(cred.uid == getuid());
	CHECK(recv(client, buf, sizeof(buf), 0) == 5);
	fd = memfd_create("lease", MFD_CLOEXEC);
	CHECK(fd >= 0);
	CHECK(!send_fd(client, fd));
	CHECK(!close(fd) && !close(client));
	return 0;
}

static void clients_are_served(void **state)
{
	struct place *p = *state;
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	strcpy(a.sun_path, p->socket);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(send(fd, "hello", 5, 0), 5);
	inside(state, try_clients);
	(void)close(fd);
}

static int try_waiting(struct place *p)
{
	struct itimerspec soon = { .it_value = { 0, 1 } };
	struct epoll_event e = { .events = EPOLLIN };
	int loop = epoll_create1(EPOLL_CLOEXEC);
	int timer = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	int signals;
	sigset_t set;

	(void)p;
	CHECK(loop >= 0 && timer >= 0);
	CHECK(!timerfd_settime(timer, 0, &soon, NULL));
	CHECK(!epoll_ctl(loop, EPOLL_CTL_ADD, timer, &e));
	CHECK(epoll_wait(loop, &e, 1, 5000) == 1);
	CHECK(!sigemptyset(&set) && !sigaddset(&set, SIGTERM));
	CHECK(!sigprocmask(SIG_BLOCK, &set, NULL));
	signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	CHECK(signals >= 0);
	CHECK(!raise(SIGTERM));
	CHECK(!epoll_ctl(loop, EPOLL_CTL_DEL, timer, NULL));
	CHECK(!epoll_ctl(loop, EPOLL_CTL_ADD, signals, &e));
	CHECK(epoll_wait(loop, &e, 1, 5000) == 1);
	return 0;
}

static void loop_turns(void **state)
{
	inside(state, try_waiting);
}

static void *nothing(void *arg)
{
	return arg;
}

static int try_thread(struct place *p)
{
	pthread_t t;

	CHECK(!pthread_create(&t, NULL, nothing, p));
	CHECK(!pthread_join(t, NULL));
	return 0;
}

static void threads_start(void **state)
{
	inside(state, try_thread);
}

static int can_read(const char *path)
{
	char byte;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int fine = fd >= 0 && read(fd, &byte, 1) == 1;

	if (fd >= 0)
		(void)close(fd);
	return fine;
}

static int try_host(struct place *p)
{
	struct stat st;

	(void)p;
	CHECK(can_read("/proc/meminfo"));
	if (!stat("/proc/pressure/memory", &st))
		CHECK(can_read("/proc/pressure/memory"));
	return 0;
}

static void host_is_watched(void **state)
{
	inside(state, try_host);
}

/* The socket goes, and only from its directory. */
static int try_end(struct place *p)
{
	CHECK(!unlink(p->socket));
	return 0;
}

static void socket_is_removed(void **state)
{
	struct place *p = *state;

	inside(state, try_end);
	assert_int_equal(access(p->socket, F_OK), -1);
}

static int try_reread(struct place *p)
{
	int fd = open(p->config, O_RDONLY | O_CLOEXEC);
	char byte = 0;

	CHECK(fd >= 0);
	CHECK(read(fd, &byte, 1) == 1);
	CHECK(byte == 'x');
	return 0;
}

/* As editors and package managers do. */
static void replace_config(struct place *p, pid_t child)
{
	(void)child;
	assert_int_equal(rename(p->other, p->config), 0);
}

static void replaced_config_is_read(void **state)
{
	inside_while(*state, try_reread, replace_config);
}

/* Its name is in one directory, itself in another. */
static void linked_config_is_read(void **state)
{
	struct place *p = *state;
	char target[sizeof(p->config)];

	memcpy(target, p->config, sizeof(target));
	memcpy(p->config, p->link, sizeof(p->config));
	write_file(target, "x\n");
	inside_while(p, try_reread, NULL);
	memcpy(p->config, target, sizeof(p->config));
}

static void too_many_paths(void **state)
{
	const char *reads[TMEMD_LANDLOCK_PATHS_MAX + 2];
	const struct tmemd_sandbox_opts opts = { .reads = reads };
	struct tmemd_sandbox s = { 0 };
	struct lines lines;
	struct tmem_logger logger = { lines_take, &lines };
	struct tmemd_landlock probe;
	int status = 0;
	unsigned i;
	pid_t pid;

	(void)state;
	assert_int_equal(tmemd_landlock_init(&probe), 0);
	tmemd_landlock_finish(&probe);
	if (!probe.abi)
		return; /* nothing is opened then */
	for (i = 0; i <= TMEMD_LANDLOCK_PATHS_MAX; i++)
		reads[i] = "/";
	reads[i] = NULL;
	pid = fork(); /* no_new_privs stays */
	if (!pid) {
		lines_init(&lines);
		_exit(tmemd_sandbox_enter(&s, &opts, &logger) != -ENOSPC ||
		      lines_count(&lines) != 1 ||
		      !lines_say(&lines, "sandbox = no"));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* As in a container whose filter is older than Landlock. */
static int enter_in_container(void)
{
	const struct tmemd_sandbox_opts opts = { 0 };
	struct tmemd_sandbox s = { 0 };
	struct lines lines;
	struct tmem_logger logger = { lines_take, &lines };
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

	lines_init(&lines);
	CHECK(filter);
	CHECK(!seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM),
				SCMP_SYS(landlock_create_ruleset), 0));
	CHECK(!seccomp_load(filter));
	seccomp_release(filter);
	CHECK(!tmemd_sandbox_enter(&s, &opts, &logger));
	CHECK(!s.landlock.abi && !lines_count(&lines));
	return 0;
}

static void container_without_landlock(void **state)
{
	int status = 0;
	pid_t pid = fork();

	(void)state;
	assert_true(pid >= 0);
	if (!pid)
		_exit(enter_in_container());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(files_are_out_of_reach),
		TEST(no_program_starts),
		TEST(no_network),
		TEST(no_privileges),
		TEST(kernel_agrees),
		TEST(memory_is_lent),
		TEST(clients_are_served),
		TEST(loop_turns),
		TEST(threads_start),
		TEST(host_is_watched),
		TEST(socket_is_removed),
		TEST(replaced_config_is_read),
		TEST(linked_config_is_read),
		cmocka_unit_test(too_many_paths),
		cmocka_unit_test(container_without_landlock),
		cmocka_unit_test(leftover_none),
	};

	return cmocka_run_group_tests(tests, leftover_note, NULL);
}
