/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-hostile-memory.c - clients that do to their memfds what they should not.
 */
#include "hostile.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "machine.h"
#include "unit.h"

#define OUR_SEALS (F_SEAL_GROW | F_SEAL_SEAL)
#define LEASE_BYTES (8u << 20)

static struct daemon d;
static struct witness w;

static int group_init(void **state)
{
	return witness_begin(&w, &d, NULL, state);
}

static void the_end(void **state)
{
	witness_end(&w, &d, state);
}

static uint8_t *map_data(const struct hostile *h, size_t bytes)
{
	uint8_t *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
			  h->data, 0);

	assert_ptr_not_equal(p, MAP_FAILED);
	return p;
}

/* ---- What was lent, and more --------------------------------------------- */

/* Return: 0; -1 its memory is cut: by system calls, since a page that is touched as it
 * goes is a fault. */
static int touch_all(const struct hostile *h)
{
	static const uint8_t ones[1u << 16] = { 1 };
	size_t at;

	for (at = 0; at < LEASE_BYTES; at += sizeof(ones))
		if (pwrite(h->data, ones, sizeof(ones), (off_t)at) !=
		    (ssize_t)sizeof(ones))
			return -1;
	return 0;
}

static void more_touched_than_lent(void **state)
{
	uint64_t before = hostile_count(&d, TMEM_WIRE_OVERDRAWN);
	uint64_t strays = daemon_status(&d).strays;
	struct tmem_wire_loan loan;
	struct pollfd p = { .events = POLLRDHUP };
	struct hostile h;

	(void)state;
	hostile_open(&h, &d, LEASE_BYTES);
	assert_int_equal(hostile_ask(&h, TMEM_WIRE_EPHEMERAL, 1, &loan, 1), 1);
	p.fd = h.fd;
	/* Taken away each time, and too often in the end. Whatever else the
	 * daemon says meanwhile does not end it. */
	while (!touch_all(&h) && !poll(&p, 1, 100))
		;
	hostile_refused(&d, h.fd, TMEM_WIRE_OVERDRAWN, before);
	assert_true(daemon_status(&d).strays > strays);
	hostile_close(&h);
	witness_check(&w);
}

/* A reader that raced leaves a page or two: no crime. */
static void a_stray_page(void **state)
{
	uint64_t before = hostile_count(&d, TMEM_WIRE_OVERDRAWN);
	uint64_t strays = daemon_status(&d).strays;
	struct hostile h;
	uint8_t *data;

	(void)state;
	hostile_open(&h, &d, LEASE_BYTES);
	data = map_data(&h, LEASE_BYTES);
	data[LEASE_BYTES / 2] = 1;
	while (daemon_status(&d).strays == strays)
		(void)poll(NULL, 0, 10);
	/* Gone: another page is there, if one looks. */
	assert_int_equal(data[LEASE_BYTES / 2], 0);
	(void)poll(NULL, 0, 1200);
	assert_int_equal(hostile_count(&d, TMEM_WIRE_OVERDRAWN), before);
	(void)munmap(data, LEASE_BYTES);
	hostile_close(&h);
	witness_check(&w);
}

/* Cut, it can never grow back; there is nothing to lend any more. */
static void a_memfd_cut_short(void **state)
{
	uint64_t before = hostile_count(&d, TMEM_WIRE_BAD_MEMORY);
	struct tmem_wire_loan loan;
	struct hostile h;

	(void)state;
	hostile_open(&h, &d, LEASE_BYTES);
	assert_int_equal(hostile_ask(&h, TMEM_WIRE_EPHEMERAL, 1, &loan, 1), 1);
	assert_int_equal(ftruncate(h.data, 4096), 0);
	hostile_refused(&d, h.fd, TMEM_WIRE_BAD_MEMORY, before);
	hostile_close(&h);
	/* The same, and then asked for more. */
	before = hostile_count(&d, TMEM_WIRE_BAD_MEMORY);
	hostile_open(&h, &d, LEASE_BYTES);
	assert_int_equal(ftruncate(h.data, 0), 0);
	assert_int_equal(hostile_ask(&h, TMEM_WIRE_EPHEMERAL, 1, &loan, 1), 0);
	assert_int_equal(hostile_count(&d, TMEM_WIRE_BAD_MEMORY), before + 1);
	hostile_close(&h);
	witness_check(&w);
}

static void everything_the_seals_forbid(void **state)
{
	struct hostile h;
	struct stat st;
	void *p;

	(void)state;
	hostile_open(&h, &d, LEASE_BYTES);
	assert_int_equal(fstat(h.data, &st), 0);
	assert_int_equal(ftruncate(h.data, st.st_size + 4096), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(fallocate(h.data, 0, st.st_size, 4096), -1);
	assert_int_equal(fcntl(h.data, F_ADD_SEALS, F_SEAL_WRITE), -1);
	assert_int_equal(fcntl(h.data, F_ADD_SEALS, F_SEAL_SHRINK), -1);
	/* The control page is read-only, whatever one tries. */
	assert_int_equal(fstat(h.control, &st), 0);
	assert_int_equal(pwrite(h.control, "x", 1, 0), -1);
	assert_int_equal(ftruncate(h.control, 0), -1);
	assert_int_equal(fallocate(h.control,
				   FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				   0, 4096),
			 -1);
	assert_ptr_equal(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED,
			      h.control, 0),
			 MAP_FAILED);
	p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, h.control, 0);
	assert_ptr_not_equal(p, MAP_FAILED);
	assert_int_equal(mprotect(p, 4096, PROT_READ | PROT_WRITE), -1);
	(void)munmap(p, 4096);
	hostile_close(&h);
	witness_check(&w);
}

/* What they allow hurts nobody but its owner. */
static void everything_the_seals_allow(void **state)
{
	struct tmem_wire_loan loans[8];
	struct hostile h;
	uint32_t n;
	int i;

	(void)state;
	hostile_open(&h, &d, LEASE_BYTES);
	n = hostile_ask(&h, TMEM_WIRE_PERSISTENT, 8, loans, 8);
	assert_int_equal(n, 8);
	for (i = 0; i < 100; i++) {
		(void)fallocate(h.data,
				FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
				LEASE_BYTES);
		(void)pwrite(h.data, "x", 1, i * 4096);
		(void)lseek(h.data, i * 4096, SEEK_SET);
		(void)fcntl(h.data, F_SETFL, O_APPEND | O_NONBLOCK);
		(void)fchmod(h.data, 0);
	}
	assert_int_equal(hostile_ask(&h, TMEM_WIRE_PERSISTENT, 9, loans, 1), 1);
	hostile_close(&h);
	witness_check(&w);
}

/* ---- What is not a lease, handed back ------------------------------------ */

static void refused_return(int data, int control)
{
	struct tmem_wire_hello hello = hostile_hello("hostile", 0);
	uint64_t before = hostile_count(&d, TMEM_WIRE_BAD_RETURN);
	const int fds[] = { data, control };
	int fd = daemon_connect(&d);

	hello.flags = TMEM_WIRE_RETURNING;
	hostile_send(fd, &hello, sizeof(hello), fds, 2);
	hostile_refused(&d, fd, TMEM_WIRE_BAD_RETURN, before);
	(void)close(fd);
}

static int memfd(uint64_t size, int seals, unsigned flags)
{
	int fd = memfd_create("hostile",
			      MFD_CLOEXEC | MFD_ALLOW_SEALING | flags);

	if (fd < 0)
		return -1;
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	if (seals)
		assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
	return fd;
}

/* A control memfd with any content, sealed as ours are. */
static int forge_control(uint32_t segment_size, uint32_t segments_max,
			 const uint8_t *classes, size_t bytes)
{
	struct tmem_wire_control c = {
		.magic = TMEM_WIRE_MAGIC,
		.version = TMEM_WIRE_VERSION,
		.segment_size = segment_size,
		.segments_max = segments_max,
		.domain = "hostile",
	};
	int fd = memfd(bytes, 0, 0);

	assert_int_equal(pwrite(fd, &c, sizeof(c), 0), sizeof(c));
	if (classes)
		assert_int_equal(
			pwrite(fd, classes, segments_max,
			       TMEM_WIRE_EPOCHS_AT + 4 * (off_t)segments_max),
			segments_max);
	assert_int_equal(fcntl(fd, F_ADD_SEALS,
			       F_SEAL_GROW | F_SEAL_SHRINK |
				       F_SEAL_FUTURE_WRITE | F_SEAL_SEAL),
			 0);
	return fd;
}

static void descriptors_of_the_wrong_kind(void **state)
{
	int control = forge_control(65536, 64, NULL, 8192);
	int data = memfd(64 * 65536, OUR_SEALS, 0);
	char path[64];
	int pipes[2], fd;

	(void)state;
	/* The same one twice. */
	refused_return(data, data);
	refused_return(control, control);
	refused_return(control, data);
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	refused_return(pipes[0], control);
	refused_return(data, pipes[1]);
	(void)close(pipes[0]);
	(void)close(pipes[1]);
	fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	refused_return(fd, fd);
	(void)close(fd);
	fd = open(d.log, O_RDWR | O_CLOEXEC);
	refused_return(fd, control);
	(void)close(fd);
	/* Read-only, and not even that. */
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", data);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	refused_return(fd, control);
	(void)close(fd);
	fd = open(path, O_PATH | O_CLOEXEC);
	refused_return(fd, control);
	(void)close(fd);
	/* Another kind of memory. */
	fd = memfd(2 << 20, OUR_SEALS, MFD_HUGETLB);
	if (fd >= 0) {
		refused_return(fd, control);
		(void)close(fd);
	}
	(void)close(data);
	(void)close(control);
	witness_check(&w);
}

static void memfds_sealed_otherwise(void **state)
{
	static const int seals[] = { 0, F_SEAL_GROW, F_SEAL_SEAL,
				     OUR_SEALS | F_SEAL_SHRINK,
				     OUR_SEALS | F_SEAL_WRITE };
	int control = forge_control(65536, 64, NULL, 8192);
	size_t i;
	int fd;

	(void)state;
	for (i = 0; i < sizeof(seals) / sizeof(seals[0]); i++) {
		fd = memfd(64 * 65536, seals[i], 0);
		refused_return(fd, control);
		(void)close(fd);
	}
	(void)close(control);
	witness_check(&w);
}

static void control_pages_that_lie(void **state)
{
	static const uint32_t sizes[] = { 0,	 1,	   4096,
					  65537, 1u << 22, UINT32_MAX };
	static const uint32_t counts[] = { 0, 63, 65, 1u << 21, UINT32_MAX };
	int data = memfd(64 * 65536, OUR_SEALS, 0), fd;
	uint8_t classes[64] = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		fd = forge_control(sizes[i], 64, NULL, 8192);
		refused_return(data, fd);
		(void)close(fd);
	}
	for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		fd = forge_control(65536, counts[i], NULL, 8192);
		refused_return(data, fd);
		(void)close(fd);
	}
	classes[63] = TMEM_WIRE_CLASSES + 1;
	fd = forge_control(65536, 64, classes, 8192);
	refused_return(data, fd);
	(void)close(fd);
	(void)close(data);
	witness_check(&w);
}

/* Within the seals and beyond the quota: 4096 segments of 64 KiB are 256 MiB. */
static void more_persistent_than_the_quota(void **state)
{
	static uint8_t classes[4096];
	int data = memfd(4096ull * 65536, OUR_SEALS, 0), fd;

	(void)state;
	memset(classes, TMEM_WIRE_PERSISTENT + 1, sizeof(classes));
	fd = forge_control(65536, 4096, classes, 4096 + 5 * 4096);
	refused_return(data, fd);
	(void)close(fd);
	(void)close(data);
	/* Larger than the cap, though nothing is lent. */
	data = memfd(8192ull * 65536, OUR_SEALS, 0);
	fd = forge_control(65536, 8192, NULL, 4096 + 5 * 8192);
	refused_return(data, fd);
	(void)close(fd);
	(void)close(data);
	witness_check(&w);
}

/* A live session's memory is nobody else's, not even its owner's twice. */
static void a_lease_that_is_alive(void **state)
{
	struct hostile h;

	(void)state;
	hostile_open(&h, &d, LEASE_BYTES);
	refused_return(h.data, h.control);
	hostile_close(&h);
	witness_check(&w);
}

/* A forged one that keeps all bounds is as good as a real one: it can be ended. */
static void a_forgery_that_costs_nothing(void **state)
{
	struct tmem_wire_hello hello = hostile_hello("hostile", 0);
	uint8_t classes[64] = { 1, 2, 3 };
	int fds[] = { memfd(64 * 65536, OUR_SEALS, 0),
		      forge_control(65536, 64, classes, 8192) };
	struct tmem_packet packet;
	union hostile_message m;
	struct tmem_wire_domain line;
	struct stat st;
	int fd = daemon_connect(&d);

	(void)state;
	hello.flags = TMEM_WIRE_RETURNING;
	hostile_send(fd, &hello, sizeof(hello), fds, 2);
	assert_int_equal(hostile_receive(fd, &m, &packet), 1);
	assert_int_equal(m.head.type, TMEM_WIRE_WELCOME);
	assert_int_equal(packet.fds_count, 1);
	tmem_packet_close(&packet);
	assert_int_equal(daemon_domain(&d, "hostile", &line), 1);
	assert_int_equal(line.lent_bytes[0], 65536);
	assert_int_equal(line.lent_bytes[1], 65536);
	assert_int_equal(line.lent_bytes[2], 65536);
	(void)close(fd);
	witness_check(&w);
	assert_int_equal(fstat(fds[0], &st), 0);
	assert_int_equal(st.st_size, 0);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(more_touched_than_lent),
		cmocka_unit_test(a_stray_page),
		cmocka_unit_test(a_memfd_cut_short),
		cmocka_unit_test(everything_the_seals_forbid),
		cmocka_unit_test(everything_the_seals_allow),
		cmocka_unit_test(descriptors_of_the_wrong_kind),
		cmocka_unit_test(memfds_sealed_otherwise),
		cmocka_unit_test(control_pages_that_lie),
		cmocka_unit_test(more_persistent_than_the_quota),
		cmocka_unit_test(a_lease_that_is_alive),
		cmocka_unit_test(a_forgery_that_costs_nothing),
		cmocka_unit_test(the_end),
	};

	if (!daemon_exists())
		return 77;
	return cmocka_run_group_tests(tests, group_init, NULL);
}
