/* SPDX-License-Identifier: BSD-2-Clause */
/* metrics-command.c - `tmem metrics`: a daemon's figures for Prometheus. */
#include <stdio.h>

#include "command.h"
#include "control-options.h"
#include "daemon-view.h"
#include "metrics.h"

static const struct argp_option options[] = { CONTROL_SOCKET, { 0 } };

static const struct argp argp = {
	.options = options,
	.parser = control_parse_option,
	.doc = "Tell a daemon's figures in the text format that Prometheus "
	       "scrapes. tmem-exporter(8) serves the same over HTTP.",
	.children = command_common,
};

static int print(const char *socket)
{
	struct daemon_view view = { 0 };
	struct daemon_talk talk;
	int err = daemon_talk_open(&talk, socket);

	if (!err)
		err = daemon_view_take(&view, &talk);
	daemon_talk_close(&talk);
	if (!err)
		metrics_write(stdout, &view);
	daemon_view_finish(&view);
	return err ? control_complain(&talk) : COMMAND_DONE;
}

int metrics_run(int argc, char **argv)
{
	struct control_options o;
	int code = control_parse(&argp, argc, argv, 0, 0, "no arguments", &o);

	return code >= 0 ? code : print(o.socket);
}
