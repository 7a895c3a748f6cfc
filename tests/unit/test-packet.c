/* SPDX-License-Identifier: BSD-2-Clause */
/* test-packet.c - messages over a socket whose other end goes. */
#include "packet.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "leftover.h"
#include "unit.h"

static void say(int fd, const char *text)
{
	assert_int_equal(tmem_packet_send(fd, text, strlen(text), NULL, 0), 0);
}

static void hear(int fd, const char *text)
{
	struct tmem_packet packet;
	char got[64];

	assert_int_equal(tmem_packet_receive(fd, got, sizeof(got), &packet), 1);
	assert_int_equal(packet.len, strlen(text));
	assert_memory_equal(got, text, packet.len);
}

static void pair(int fds[2])
{
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
}

static void all_that_was_said_comes_before_the_end(void **state)
{
	struct tmem_packet packet;
	char got[64];
	int fds[2];

	(void)state;
	pair(fds);
	assert_int_equal(tmem_packet_receive(fds[0], got, sizeof(got), &packet),
			 -EAGAIN);
	say(fds[1], "one");
	say(fds[1], "two");
	(void)close(fds[1]);
	hear(fds[0], "one");
	hear(fds[0], "two");
	assert_int_equal(tmem_packet_receive(fds[0], got, sizeof(got), &packet),
			 0);
	(void)close(fds[0]);
}

/* As a daemon goes that says why, and has no more time to read. */
static void also_by_one_who_did_not_listen(void **state)
{
	struct tmem_packet packet;
	char got[64];
	int fds[2];

	(void)state;
	pair(fds);
	say(fds[0], "unread");
	say(fds[1], "the last word");
	(void)close(fds[1]);
	hear(fds[0], "the last word");
	assert_int_equal(tmem_packet_receive(fds[0], got, sizeof(got), &packet),
			 0);
	(void)close(fds[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_that_was_said_comes_before_the_end),
		cmocka_unit_test(also_by_one_who_did_not_listen),
		cmocka_unit_test(leftover_none),
	};

	return cmocka_run_group_tests(tests, leftover_note, NULL);
}
