/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * web.c - a daemon's figures served over HTTP.
 *
 * One thread, one request after the other: who scrapes asks every few seconds, and
 * more threads would only let more of them wait for the same daemon.
 */
#include "web.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon-view.h"
#include "metrics.h"

/* Two Prometheus servers, a person, and some that hang. */
#define CONNECTIONS_MAX 16u

/* Who says nothing for so long is not going to. */
#define SILENCE_S 10u

#define METRICS "/metrics"
#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"
#define HTML_TYPE "text/html; charset=utf-8"

struct web {
	struct MHD_Daemon *server;
	const char *daemon; /* (c) */
};

/** struct page - what is answered. */
struct page {
	unsigned status;
	const char *type;
	char *text; /* of malloc(); NULL: there was no memory for it */
	size_t len;
};

static void write_metrics(FILE *out, const char *socket)
{
	struct daemon_view view = { 0 };
	struct daemon_talk talk;
	int err = daemon_talk_open(&talk, socket);

	if (!err)
		err = daemon_view_take(&view, &talk);
	daemon_talk_close(&talk);
	if (err)
		metrics_write_down(out);
	else
		metrics_write(out, &view);
	daemon_view_finish(&view);
}

static void write_page(FILE *out, struct page *p, const char *daemon,
		       const char *url, const char *method)
{
	p->type = HTML_TYPE;
	if (strcmp(method, MHD_HTTP_METHOD_GET) &&
	    strcmp(method, MHD_HTTP_METHOD_HEAD)) {
		p->status = MHD_HTTP_METHOD_NOT_ALLOWED;
		(void)fputs("<title>405</title>GET, please\n", out);
	} else if (!strcmp(url, METRICS)) {
		p->status = MHD_HTTP_OK;
		p->type = METRICS_TYPE;
		write_metrics(out, daemon);
	} else if (!strcmp(url, "/")) {
		p->status = MHD_HTTP_OK;
		(void)fputs("<title>tmem-exporter</title>"
			    "<a href=\"" METRICS "\">Metrics</a> of tmemd\n",
			    out);
	} else {
		p->status = MHD_HTTP_NOT_FOUND;
		(void)fputs("<title>404</title>See <a href=\"" METRICS
			    "\">" METRICS "</a>\n",
			    out);
	}
}

static void make_page(struct page *p, const char *daemon, const char *url,
		      const char *method)
{
	FILE *out = open_memstream(&p->text, &p->len);

	if (!out)
		return;
	write_page(out, p, daemon, url, method);
	if (fclose(out)) {
		free(p->text);
		p->text = NULL;
	}
}

static enum MHD_Result answer(void *ctx, struct MHD_Connection *connection,
			      const char *url, const char *method,
			      const char *version, const char *upload,
			      size_t *upload_len, void **state)
{
	struct web *w = ctx;
	struct MHD_Response *response;
	enum MHD_Result ret;
	struct page page = { 0 };

	(void)version;
	(void)upload;
	(void)state;
	if (*upload_len) { /* a body that nobody asked for */
		*upload_len = 0;
		return MHD_YES;
	}
	make_page(&page, w->daemon, url, method);
	if (!page.text)
		return MHD_NO;
	response = MHD_create_response_from_buffer(page.len, page.text,
						   MHD_RESPMEM_MUST_FREE);
	if (!response) {
		free(page.text);
		return MHD_NO;
	}
	ret = MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
				      page.type);
	if (ret == MHD_YES && page.status == MHD_HTTP_METHOD_NOT_ALLOWED)
		ret = MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW,
					      "GET, HEAD");
	if (ret == MHD_YES)
		ret = MHD_queue_response(connection, page.status, response);
	MHD_destroy_response(response);
	return ret;
}

int web_create(int fd, const char *daemon, struct web **ret)
{
	struct web *w = calloc(1, sizeof(*w));

	if (!w) {
		(void)close(fd);
		return -ENOMEM;
	}
	w->daemon = daemon;
	w->server = MHD_start_daemon(
		MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL, 0, NULL, NULL,
		answer, w, MHD_OPTION_LISTEN_SOCKET, fd,
		MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX,
		MHD_OPTION_CONNECTION_TIMEOUT, SILENCE_S, MHD_OPTION_END);
	if (!w->server) {
		(void)close(fd);
		free(w);
		return -EIO;
	}
	*ret = w;
	return 0;
}

void web_destroy(struct web *w)
{
	if (w)
		MHD_stop_daemon(w->server);
	free(w);
}
