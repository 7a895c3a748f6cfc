/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * demo-scale.h - how large an experiment the disk allows.
 */
#ifndef TMEM_COMMAND_DEMO_SCALE_H
#define TMEM_COMMAND_DEMO_SCALE_H

#include <stdint.h>

struct demo_options;
struct files;

/**
 * demo_scale_find() - how far to scale down, by trying the disk.
 * @left_ns: time for both passes.
 * @ret_read_ns: out: what one read takes; 0: nothing could be read.
 *
 * Return: how often to halve data, first level and pool; 0: not at all.
 */
unsigned demo_scale_find(const struct demo_options *o, struct files *fs,
			 uint64_t left_ns, uint64_t *ret_read_ns);

#endif
