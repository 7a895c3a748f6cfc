/* SPDX-License-Identifier: BSD-2-Clause */
/* packet.c - messages with file descriptors over a Unix socket of packets. */
#include "packet.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/** union - room for descriptors, aligned as the kernel wants it. */
union fds_room {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(TMEM_PACKET_FDS_MAX * sizeof(int))];
};

int tmem_packet_connect(const char *path, int *ret)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd, err = 0;

	if (strlen(path) >= sizeof(sun.sun_path))
		return -ENAMETOOLONG;
	strcpy(sun.sun_path, path);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun))) {
		err = -errno;
		(void)close(fd);
		return err;
	}
	*ret = fd;
	return 0;
}

int tmem_packet_send(int fd, const void *message, size_t len, const int *fds,
		     unsigned count)
{
	struct iovec iov = { (void *)message, len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c;
	union fds_room room;
	ssize_t n;

	if (count > TMEM_PACKET_FDS_MAX)
		return -EINVAL;
	if (count) {
		memset(&room, 0, sizeof(room));
		msg.msg_control = room.bytes;
		msg.msg_controllen = CMSG_SPACE(count * sizeof(int));
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(c), fds, count * sizeof(int));
	}
	do {
		n = sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

static void take_fds(struct msghdr *msg, struct tmem_packet *ret)
{
	struct cmsghdr *c;
	size_t n;

	for (c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		/* The room holds no more, and a packet has one such part. */
		if (n > TMEM_PACKET_FDS_MAX - ret->fds_count)
			n = TMEM_PACKET_FDS_MAX - ret->fds_count;
		memcpy(ret->fds + ret->fds_count, CMSG_DATA(c), n * sizeof(int));
		ret->fds_count += (unsigned)n;
	}
}

int tmem_packet_receive(int fd, void *message, size_t size,
			struct tmem_packet *ret)
{
	struct iovec iov = { message, size };
	union fds_room room;
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = room.bytes,
		.msg_controllen = sizeof(room.bytes),
	};
	int resets = 0;
	ssize_t n;

	/* That a peer closed and left something unread is said once, and before
	 * what it had sent until then: its last word may be why. */
	do {
		n = recvmsg(fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	} while (n < 0 &&
		 (errno == EINTR || (errno == ECONNRESET && !resets++)));
	if (n < 0)
		return -errno;
	memset(ret, 0, sizeof(*ret));
	take_fds(&msg, ret);
	if (!n) {
		tmem_packet_close(ret);
		return 0;
	}
	ret->len = (size_t)n;
	ret->cut = !!(msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC));
	return 1;
}

void tmem_packet_close(struct tmem_packet *packet)
{
	while (packet->fds_count)
		(void)close(packet->fds[--packet->fds_count]);
}
