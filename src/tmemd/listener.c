/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * listener.c - the socket that clients connect to.
 */
#include "listener.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "packet.h"

/* Connections that wait to be taken in. */
#define BACKLOG 256

static int complain(const struct tmem_logger *logger, const char *path, int err,
		    const char *what)
{
	tmem_logger_say(logger, TMEM_LOG_ERR, "socket %s: %s: %s", path, what,
			strerror(-err));
	return err;
}

/* Two daemons that start at once must not take each other's place: whoever looks
 * and binds holds the directory. */
static int lock_directory(const char *path)
{
	char copy[TMEMD_SOCKET_MAX];
	int fd;

	(void)snprintf(copy, sizeof(copy), "%s", path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX)) {
		(void)close(fd);
		return -EIO;
	}
	return fd;
}

/* Return: 0 the path is free now; negative errno, told. */
static int clear_path(const char *path, const struct tmem_logger *logger)
{
	struct stat st;
	int fd, err;

	if (lstat(path, &st))
		return errno == ENOENT ? 0
				       : complain(logger, path, -errno,
						  "cannot be looked at");
	if (!S_ISSOCK(st.st_mode))
		return complain(logger, path, -EEXIST,
				"something else is there; move it away");
	err = tmem_packet_connect(path, &fd);
	if (!err)
		(void)close(fd);
	if (err != -ECONNREFUSED)
		return complain(logger, path, -EADDRINUSE,
				"another daemon listens there");
	if (unlink(path))
		return complain(logger, path, -errno,
				"a dead daemon's socket cannot be removed");
	return 0;
}

static int bind_here(struct tmemd_listener *l, const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int err = 0;

	strcpy(sun.sun_path, path);
	l->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
		       0);
	if (l->fd < 0)
		return -errno;
	if (bind(l->fd, (struct sockaddr *)&sun, sizeof(sun)))
		err = -errno;
	/* Everybody may be a client: quotas, not file modes, keep them apart. */
	else if (chmod(path, 0666) || lstat(path, &l->file) ||
		 listen(l->fd, BACKLOG))
		err = -errno;
	else
		strcpy(l->path, path);
	if (err) {
		(void)close(l->fd);
		l->fd = -1;
	}
	return err;
}

int tmemd_listener_bind(struct tmemd_listener *l, const char *path,
			const struct tmem_logger *logger)
{
	int dir, err;

	memset(l, 0, sizeof(*l));
	l->fd = -1;
	if (strlen(path) >= sizeof(l->path))
		return complain(logger, path, -ENAMETOOLONG, "cannot listen");
	dir = lock_directory(path);
	if (dir < 0)
		return complain(logger, path, dir,
				"its directory cannot be opened");
	err = clear_path(path, logger);
	if (!err) {
		err = bind_here(l, path);
		if (err)
			(void)complain(logger, path, err, "cannot listen");
	}
	(void)close(dir);
	return err;
}

int tmemd_listener_inherit(struct tmemd_listener *l, int fd,
			   const struct tmem_logger *logger)
{
	memset(l, 0, sizeof(*l));
	l->fd = -1;
	if (sd_is_socket_unix(fd, SOCK_SEQPACKET, 1, NULL, 0) <= 0)
		return complain(logger, "inherited", -EINVAL,
				"want ListenSequentialPacket=");
	(void)fcntl(fd, F_SETFL, O_NONBLOCK);
	l->fd = fd;
	return 0;
}

void tmemd_listener_finish(struct tmemd_listener *l)
{
	struct stat now;

	if (l->fd < 0)
		return;
	(void)close(l->fd);
	l->fd = -1;
	/* Somebody may have put another in its place. */
	if (l->path[0] && !lstat(l->path, &now) &&
	    now.st_dev == l->file.st_dev && now.st_ino == l->file.st_ino)
		(void)unlink(l->path);
}

int tmemd_listener_start(struct tmemd *d, int fd,
			 sd_event_io_handler_t on_connect)
{
	int err = sd_event_add_io(d->event, &d->listener, fd, EPOLLIN,
				  on_connect, d);

	return err < 0 ? err : 0;
}

int tmemd_listener_accept(struct tmemd *d, int fd)
{
	int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	/* Out of descriptors: asking again at once would only burn time;
	 * whoever closes one turns this on again. */
	if (peer < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM))
		(void)sd_event_source_set_enabled(d->listener, SD_EVENT_OFF);
	return peer;
}

void tmemd_listener_resume(struct tmemd *d)
{
	if (d->listener)
		(void)sd_event_source_set_enabled(d->listener, SD_EVENT_ON);
}
