/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * command-line.h - the daemon's options as they were typed, and its --help.
 */
#ifndef TMEM_TMEMD_COMMAND_LINE_H
#define TMEM_TMEMD_COMMAND_LINE_H

#include "logger.h"
#include "options.h"

/**
 * tmemd_command_line_read() - which row was given which text.
 * @said: out: by row, pointing into @argv; NULL: not given.
 * @check: out: 1: --check was given.
 *
 * Return: 0; 1 --help or --version was answered; -EINVAL wrong usage, told;
 *	-ENOMEM.
 */
int tmemd_command_line_read(int argc, char **argv, const char *version,
			    const struct tmem_logger *logger,
			    const char *said[TMEMD_OPTIONS_MAX], int *check)
	__attribute__((warn_unused_result));

#endif
