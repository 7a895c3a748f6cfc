/* SPDX-License-Identifier: BSD-2-Clause */
/* sandbox.c - what a started daemon gives up, for good. */
#include "sandbox.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>

#include <tmem/tmem.h>

#include "syscalls.h"

typedef int (*allow_fn)(struct tmemd_landlock *l, const char *path);

static int allow_directory_of(struct tmemd_landlock *l, const char *path,
			      allow_fn allow)
{
	char copy[PATH_MAX];

	if (strlen(path) >= sizeof(copy))
		return -ENAMETOOLONG;
	strcpy(copy, path);
	return allow(l, dirname(copy));
}

/* The directory of its name, and of what that links to. */
static int allow_config(struct tmemd_landlock *l, const char *path)
{
	char target[PATH_MAX];
	int err = allow_directory_of(l, path, tmemd_landlock_allow_read);

	if (!err && realpath(path, target))
		err = allow_directory_of(l, target, tmemd_landlock_allow_read);
	return err;
}

static int restrict_files(struct tmemd_landlock *l,
			  const struct tmemd_sandbox_opts *opts)
{
	const char *const *path;
	int err = 0;

	if (opts->socket)
		err = allow_directory_of(l, opts->socket,
					 tmemd_landlock_allow_remove);
	if (!err && opts->config)
		err = allow_config(l, opts->config);
	for (path = opts->reads; !err && path && *path; path++)
		err = tmemd_landlock_allow_read(l, *path);
	if (!err)
		err = tmemd_landlock_restrict(l);
	return err;
}

/*
 * None is needed: fallocate, seals and SO_PEERCRED ask for none, and what root
 * owns root still opens. The bounding set goes first, while it can.
 */
static int drop_capabilities(void)
{
	cap_t none;
	cap_value_t c;
	int err = 0;

	for (c = 0; c < cap_max_bits(); c++) {
		if (cap_get_bound(c) == 1 && cap_drop_bound(c) &&
		    errno != EPERM) /* not root: nothing to gain by it */
			return -errno;
	}
	if (cap_reset_ambient())
		return -errno;
	none = cap_init();
	if (!none)
		return -ENOMEM;
	if (cap_set_proc(none))
		err = -errno;
	(void)cap_free(none);
	return err;
}

static int give_up(struct tmemd_sandbox *s,
		   const struct tmemd_sandbox_opts *opts, const char **what)
{
	int err;

	*what = "no_new_privs";
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	*what = "Landlock";
	err = restrict_files(&s->landlock, opts);
	if (err)
		return err;
	*what = "capabilities";
	err = drop_capabilities();
	if (err)
		return err;
	*what = "seccomp";
	return tmemd_syscalls_restrict();
}

int tmemd_sandbox_enter(struct tmemd_sandbox *s,
			const struct tmemd_sandbox_opts *opts,
			const struct tmem_logger *logger)
{
	const char *what = "Landlock";
	int err = tmemd_landlock_init(&s->landlock);

	if (!err)
		err = give_up(s, opts, &what);
	if (err) {
		tmemd_landlock_finish(&s->landlock);
		tmem_logger_say(logger, TMEM_LOG_ERR,
				"no sandbox: %s: %s; sandbox = no runs without",
				what, strerror(-err));
	}
	return err;
}

void tmemd_sandbox_finish(struct tmemd_sandbox *s)
{
	tmemd_landlock_finish(&s->landlock);
}
