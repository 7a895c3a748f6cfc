/* SPDX-License-Identifier: BSD-2-Clause */
/* demo-command.c - `tmem demo`: once, or twice at once in a private daemon. */
#include "command.h"
#include "demo-daemon.h"
#include "demo-options.h"
#include "demo.h"

int demo_run(int argc, char **argv)
{
	struct demo_options options;

	switch (demo_options_parse(&options, argc, argv)) {
	case 0:
		break;
	case 1:
		return COMMAND_DONE;
	default:
		return COMMAND_USAGE;
	}
	return options.daemon ? demo_daemon(&options) : demo_once(&options);
}
