/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config-file.h - a file of sections and keys, told one after the other.
 */
#ifndef TMEM_TMEMD_CONFIG_FILE_H
#define TMEM_TMEMD_CONFIG_FILE_H

#include "logger.h"

/**
 * struct tmemd_config_taker - whom the file is told to.
 * @section: a header was read: the text between its brackets.
 * @pair: a key with its value, of the section last told.
 * @ctx: their first argument.
 *
 * They return 0 to go on, else a negative errno after telling why themselves.
 */
struct tmemd_config_taker {
	int (*section)(void *ctx, unsigned line, const char *text);
	int (*pair)(void *ctx, unsigned line, const char *key,
		    const char *value);
	void *ctx;
};

/**
 * tmemd_config_file_read() - read all of it.
 * @path: the file.
 * @must_exist: 0: one that is not there is an empty one.
 * @taker: stops it at the first thing that it does not take.
 * @logger: is told in one line what is wrong with the file itself.
 *
 * Return: 0; -EINVAL told; what @taker returned.
 */
int tmemd_config_file_read(const char *path, int must_exist,
			   const struct tmemd_config_taker *taker,
			   const struct tmem_logger *logger)
	__attribute__((warn_unused_result));

#endif
