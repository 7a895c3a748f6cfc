/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * demo.h - what a store of pages does for reading real files.
 *
 * Both return an exit code, and have complained if it is not 0.
 */
#ifndef TMEM_COMMAND_DEMO_H
#define TMEM_COMMAND_DEMO_H

#include "demo-options.h"

/** demo_once() - all of it. */
int demo_once(struct demo_options *options);

/** demo_keep_on() - the pass with a store, until this process is ended. Returns
 * only if it fails. */
int demo_keep_on(struct demo_options *options);

#endif
