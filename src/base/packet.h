/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * packet.h - messages with file descriptors over a Unix socket of packets.
 *
 * Never waits: whoever may, polls. Knows nothing of what is said.
 */
#ifndef TMEM_BASE_PACKET_H
#define TMEM_BASE_PACKET_H

#include <stddef.h>

/** TMEM_PACKET_FDS_MAX - that one packet may carry. What comes with more is cut
 * by the kernel, which closes the rest. */
#define TMEM_PACKET_FDS_MAX 4u

/** struct tmem_packet - what came beside the bytes. */
struct tmem_packet {
	size_t len;	    /* bytes */
	int cut;	    /* longer than the buffer, or with more fds */
	unsigned fds_count; /* the receiver's to close */
	int fds[TMEM_PACKET_FDS_MAX];
};

/**
 * tmem_packet_connect() - to a listening socket.
 * @ret: out: a non-blocking socket, closed on exec.
 *
 * Return: 0; -ENAMETOOLONG; as connect(2): -ENOENT, -ECONNREFUSED, -EACCES,
 *	-EAGAIN the listener is behind.
 */
int tmem_packet_connect(const char *path, int *ret);

/**
 * tmem_packet_send() - one message.
 * @fds: @count of them go along; copies, the caller keeps its own.
 *
 * Return: 0; -EAGAIN the peer does not keep up; -EPIPE, -ECONNRESET it is gone.
 */
int tmem_packet_send(int fd, const void *message, size_t len, const int *fds,
		     unsigned count);

/**
 * tmem_packet_receive() - one message.
 * @ret: out on 1.
 *
 * Return: 1; 0 the peer has closed, or sent nothing at all; -EAGAIN none there;
 *	other negative errno.
 */
int tmem_packet_receive(int fd, void *message, size_t size,
			struct tmem_packet *ret);

/** tmem_packet_close() - the descriptors that came along. */
void tmem_packet_close(struct tmem_packet *packet);

#endif
