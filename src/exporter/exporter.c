/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * exporter.c - tmem-exporter: options, the socket it listens on, its life.
 *
 * No part of tmemd, so that nothing that speaks HTTP is near anybody's memory, and
 * no part of the command, so that that does not load a web server's libraries.
 */
#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <tmem/wire.h>

#include "command.h"
#include "quote.h"
#include "web.h"

#define LISTEN_DEFAULT "127.0.0.1:9750"
#define ADDRESS_MAX 80u /* an IPv6 address with its zone and port */
#define BACKLOG 16

enum {
	KEY_LISTEN = 256,
	KEY_SOCKET
};

/** struct request - a command line. */
struct request {
	const char *listen;
	const char *socket;
	int version;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct request *r = state->input;

	switch (key) {
	case KEY_LISTEN:
		r->listen = arg;
		return 0;
	case KEY_SOCKET:
		r->socket = arg;
		return 0;
	case 'V':
		r->version = 1;
		return 0;
	case ARGP_KEY_ARG:
		return command_refuse(state,
				      "no arguments, please; "
				      "see %s --help",
				      state->name);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option options[] = {
	{ .name = "listen",
	  .key = KEY_LISTEN,
	  .arg = "ADDRESS",
	  .doc = "Serve at this address and port, unless a socket is "
		 "inherited (" LISTEN_DEFAULT ")" },
	{ .name = "socket",
	  .key = KEY_SOCKET,
	  .arg = "PATH",
	  .doc = "Where the daemon listens (" TMEM_WIRE_SOCKET ")" },
	{ .name = "version", .key = 'V', .doc = "Tell the release", .group = -1 },
	{ 0 },
};

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.doc = "Serve the figures of tmemd over HTTP, for Prometheus.",
	.children = command_common,
};

/* ---- The socket ---------------------------------------------------------- */

static int bind_to(const struct addrinfo *a)
{
	const int on = 1;
	int fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, 0);
	int err;

	if (fd < 0)
		return -errno;
	if (!setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) &&
	    !bind(fd, a->ai_addr, a->ai_addrlen) && !listen(fd, BACKLOG))
		return fd;
	err = -errno;
	(void)close(fd);
	return err;
}

/* "127.0.0.1:9750" or "[::1]:9750": no names, which are somebody else's to say.
 * Return: a socket; -EINVAL that is no address; other negative errno. */
static int listen_at(const char *where)
{
	const struct addrinfo hints = {
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
		.ai_socktype = SOCK_STREAM,
	};
	char text[ADDRESS_MAX], *host = text, *port;
	struct addrinfo *list;
	int fd;

	if (snprintf(text, sizeof(text), "%s", where) >= (int)sizeof(text))
		return -EINVAL;
	port = strrchr(text, ':');
	if (!port || port == text || !port[1])
		return -EINVAL;
	*port++ = 0;
	if (*host == '[' && port[-2] == ']') {
		host++;
		port[-2] = 0;
	} else if (strchr(host, ':')) {
		return -EINVAL;
	}
	if (getaddrinfo(host, port, &hints, &list))
		return -EINVAL;
	fd = bind_to(list);
	freeaddrinfo(list);
	return fd;
}

/* Return: a socket, or the exit code as a negative number: told. */
static int take_socket(const struct request *r)
{
	char quoted[QUOTE_MAX];
	int n = sd_listen_fds(1), fd;

	if (n > 1 || (n == 1 && sd_is_socket(SD_LISTEN_FDS_START, AF_UNSPEC,
					     SOCK_STREAM, 1) <= 0))
		return -command_complain(COMMAND_FAILED,
					 "one listening stream socket can be "
					 "inherited, and nothing else");
	if (n == 1)
		return SD_LISTEN_FDS_START;
	fd = listen_at(r->listen);
	if (fd >= 0)
		return fd;
	(void)quote_text(r->listen, quoted, sizeof(quoted));
	if (fd == -EINVAL)
		return -command_complain(COMMAND_USAGE,
					 "--listen=%s: want an address and a "
					 "port, such as " LISTEN_DEFAULT
					 " or [::1]:9750",
					 quoted);
	return -command_complain(COMMAND_FAILED, "cannot listen at %s: %s",
				 quoted, strerror(-fd));
}

/* ---- Life ---------------------------------------------------------------- */

static int serve(const struct request *r)
{
	struct web *web;
	sigset_t stop;
	int fd, err, got;

	/* Before the thread, which inherits it. */
	(void)sigemptyset(&stop);
	(void)sigaddset(&stop, SIGTERM);
	(void)sigaddset(&stop, SIGINT);
	(void)sigprocmask(SIG_BLOCK, &stop, NULL);
	fd = take_socket(r);
	if (fd < 0)
		return -fd;
	err = web_create(fd, r->socket, &web);
	if (err)
		return command_complain(COMMAND_FAILED,
					"the web server does not start: %s",
					strerror(-err));
	(void)sd_notify(0, "READY=1");
	(void)sigwait(&stop, &got);
	(void)sd_notify(0, "STOPPING=1");
	web_destroy(web);
	return COMMAND_DONE;
}

int main(int argc, char **argv)
{
	struct request r = { .listen = LISTEN_DEFAULT,
			     .socket = TMEM_WIRE_SOCKET };
	char self[] = "tmem-exporter";
	char *nothing[] = { self, NULL };

	if (argc < 1) { /* allowed by execve(2), unknown to argp */
		argc = 1;
		argv = nothing;
	}
	argv[0] = self;
	switch (command_parse(&argp, argc, argv, 0, &r)) {
	case 0:
		break;
	case 1:
		return COMMAND_DONE;
	default:
		return COMMAND_USAGE;
	}
	if (!r.version)
		return serve(&r);
	(void)printf("tmem-exporter %s\n", command_version);
	return COMMAND_DONE;
}
