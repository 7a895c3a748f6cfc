/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plugin.c - what nbdkit calls.
 *
 *	parameters -> get_ready: all that can be wrong is found, and told
 *	           -> (nbdkit forks) -> after_fork: session, disks, threads
 *
 * A session does not survive a fork, so before it one is opened for a trial and
 * closed: an error after the fork is seen by nobody.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#define NBDKIT_API_VERSION 2
#include <nbdkit-plugin.h>

#include <tmem/tmem.h>

#include "fusefile.h"
#include "giveback.h"
#include "home.h"
#include "parameters.h"
#include "supply.h"
#include "volume.h"

#define THREAD_MODEL NBDKIT_THREAD_MODEL_PARALLEL

#ifndef PR_SET_IO_FLUSHER
#define PR_SET_IO_FLUSHER 57
#endif

/** struct plugin - all there is. nbdkit loads a plugin once, and its callbacks
 * before open have no argument to find it by. */
static struct plugin {
	struct parameters parameters;
	struct home home;	/* fd -1: none */
	struct tmem *session;	/* after the fork */
	struct volume *volumes; /* one for each name, or one */
	unsigned volume_count;
	struct giveback giveback;
	struct fusefile fusefile;
} plugin = { .home.fd = -1 };

/* ---- Starting ------------------------------------------------------------- */

static void plugin_load(void)
{
	parameters_init(&plugin.parameters);
	giveback_init(&plugin.giveback);
}

static int plugin_config(const char *key, const char *value)
{
	return parameters_take(&plugin.parameters, key, value);
}

static int plugin_config_complete(void)
{
	return parameters_check(&plugin.parameters);
}

static unsigned count_disks(void)
{
	return plugin.parameters.exports ? plugin.parameters.exports : 1;
}

/* Swap's: what is put while the daemon does not get to run, or the kernel looks for
 * memory; a tenth of a second of a quick disk's reading, and not much of a small one. */
#define SWAP_RESERVE_BYTES (UINT64_C(16) << 20)
#define SWAP_RESERVE_SHARE 16

static uint64_t reserve_bytes(const struct parameters *p)
{
	uint64_t bytes = (uint64_t)p->size / SWAP_RESERVE_SHARE;

	if (p->reserve >= 0)
		return (uint64_t)p->reserve;
	if (p->swap != 1)
		return 0;
	return bytes < SWAP_RESERVE_BYTES ? bytes : SWAP_RESERVE_BYTES;
}

static struct supply_wish wish(void)
{
	const struct parameters *p = &plugin.parameters;

	return (struct supply_wish){
		.store = p->store,
		.domain = p->domain,
		.limit_bytes = p->limit_bytes,
		.pages = (uint64_t)p->size / TMEM_PAGE_SIZE * count_disks(),
		.reserve_bytes = reserve_bytes(p),
		.reserve_may_lack = p->reserve < 0,
		.has_home = !!p->backing,
		.wanted = p->backing ? giveback_want : NULL,
		.ctx = &plugin.giveback,
	};
}

static int open_session(void)
{
	const struct supply_wish w = wish();
	char line[SUPPLY_LINE_MAX];

	if (!supply_open(&w, &plugin.session, line))
		return 0;
	nbdkit_error("%s", line);
	return -1;
}

/* Nothing on the way of a page may wait for memory that waits for the page. Tried
 * before the fork, when it can be told, and done after it: a child has none of its
 * parent's locks. */
static int settle_for_swap(int tell)
{
	if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)) {
		nbdkit_error("swap=true: mlockall: %s; run as root or raise the "
			     "limit of locked memory",
			     strerror(errno));
		return -1;
	}
	/* A container's root may not, and its swap is as good as it was. Not by
	 * nbdkit_error(): whoever looks for what went wrong would take it for that. */
	if (prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0) && tell)
		(void)fprintf(stderr,
			      "nbdkit: swap=true: goes on without "
			      "PR_SET_IO_FLUSHER: %s\n",
			      strerror(errno));
	return 0;
}

static int plugin_get_ready(void)
{
	const struct parameters *p = &plugin.parameters;
	const struct supply_wish w = wish();
	char line[HOME_LINE_MAX > SUPPLY_LINE_MAX ? HOME_LINE_MAX
						  : SUPPLY_LINE_MAX];
	char file_line[FUSEFILE_LINE_MAX];
	int err;

	if (p->backing && home_open(&plugin.home, p->backing,
				    (uint64_t)p->size * count_disks(), line)) {
		nbdkit_error("%s", line);
		return -1;
	}
	if (p->file && fusefile_check(p->file, file_line)) {
		nbdkit_error("%s", file_line);
		return -1;
	}
	if (p->swap == 1 && settle_for_swap(1))
		return -1;
	if (open_session())
		return -1;
	err = supply_prove(&w, plugin.session, line);
	if (err)
		nbdkit_error("%s", line);
	tmem_close(plugin.session);
	plugin.session = NULL;
	return err ? -1 : 0;
}

static int make_volumes(void)
{
	const uint64_t pages = (uint64_t)plugin.parameters.size / TMEM_PAGE_SIZE;
	unsigned n = count_disks(), i;
	int err = 0;

	plugin.volumes = calloc(n, sizeof(*plugin.volumes));
	if (!plugin.volumes)
		err = -ENOMEM;
	for (i = 0; i < n && !err; i++) {
		const struct volume_opts opts = {
			.session = plugin.session,
			.home = plugin.home.fd < 0 ? NULL : &plugin.home,
			.first = i * pages,
			.pages = pages,
			.name = plugin.parameters.exports
					? plugin.parameters.export_names[i]
					: "disk",
		};

		err = volume_init(&plugin.volumes[i], &opts);
		plugin.volume_count += !err;
	}
	if (err)
		nbdkit_error("no disk: %s", strerror(-err));
	return err ? -1 : 0;
}

static int make_file(void)
{
	char line[FUSEFILE_LINE_MAX];

	if (!plugin.parameters.file ||
	    !fusefile_start(&plugin.fusefile, plugin.parameters.file,
			    &plugin.volumes[0], line))
		return 0;
	nbdkit_error("%s", line);
	return -1;
}

static int plugin_after_fork(void)
{
	if (plugin.parameters.swap == 1 && settle_for_swap(0))
		return -1;
	if (open_session() || make_volumes())
		return -1;
	if (plugin.home.fd >= 0 &&
	    giveback_start(&plugin.giveback, plugin.session, plugin.volumes,
			   plugin.volume_count)) {
		nbdkit_error("a thread cannot be started");
		return -1;
	}
	return make_file();
}

static void plugin_cleanup(void)
{
	unsigned i;

	fusefile_stop(&plugin.fusefile);
	giveback_stop(&plugin.giveback);
	for (i = 0; i < plugin.volume_count; i++)
		volume_finish(&plugin.volumes[i]);
	free(plugin.volumes);
	plugin.volumes = NULL;
	plugin.volume_count = 0;
	tmem_close(plugin.session);
	plugin.session = NULL;
	home_close(&plugin.home);
}

static void plugin_unload(void)
{
	plugin_cleanup();
	parameters_finish(&plugin.parameters);
}

/* ---- Connections ---------------------------------------------------------- */

static int plugin_list_exports(int readonly, int is_tls,
			       struct nbdkit_exports *exports)
{
	const struct parameters *p = &plugin.parameters;
	unsigned i;

	(void)readonly;
	(void)is_tls;
	for (i = 0; i < p->exports; i++)
		if (nbdkit_add_export(exports, p->export_names[i], NULL))
			return -1;
	return p->exports ? 0 : nbdkit_use_default_export(exports);
}

static const char *plugin_default_export(int readonly, int is_tls)
{
	(void)readonly;
	(void)is_tls;
	return plugin.parameters.exports ? plugin.parameters.export_names[0]
					 : "";
}

/* With no names given there is one disk, whatever a client calls it. */
static void *plugin_open(int readonly)
{
	const struct parameters *p = &plugin.parameters;
	const char *name = nbdkit_export_name();
	unsigned i;

	(void)readonly;
	if (!name)
		return NULL;
	if (!p->exports)
		return &plugin.volumes[0];
	for (i = 0; i < p->exports; i++)
		if (!strcmp(p->export_names[i], name))
			return &plugin.volumes[i];
	nbdkit_error("there is no export '%s'", name);
	nbdkit_set_error(ENOENT);
	return NULL;
}

static int64_t plugin_get_size(void *handle)
{
	const struct volume *v = handle;

	return (int64_t)(v->pages * TMEM_PAGE_SIZE);
}

static int plugin_block_size(void *handle, uint32_t *minimum,
			     uint32_t *preferred, uint32_t *maximum)
{
	(void)handle;
	*minimum = 1;
	*preferred = TMEM_PAGE_SIZE;
	*maximum = UINT32_MAX;
	return 0;
}

/* A flush on any connection is for what all of them wrote. */
static int plugin_can_multi_conn(void *handle)
{
	(void)handle;
	return 1;
}

static int yes(void *handle)
{
	(void)handle;
	return 1;
}

static int plugin_can_fua(void *handle)
{
	(void)handle;
	return NBDKIT_FUA_NATIVE;
}

/* ---- Requests ------------------------------------------------------------- */

static int answer(int err, const char *what, uint32_t count, uint64_t offset)
{
	if (!err)
		return 0;
	nbdkit_error("%s of %u bytes at %llu: %s", what, count,
		     (unsigned long long)offset, strerror(-err));
	nbdkit_set_error(-err);
	return -1;
}

static int sync_home(void)
{
	return volumes_sync(plugin.volumes, plugin.volume_count);
}

static int and_sync(int err, uint32_t flags)
{
	return err || !(flags & NBDKIT_FLAG_FUA) ? err : sync_home();
}

static int plugin_pread(void *handle, void *buf, uint32_t count,
			uint64_t offset, uint32_t flags)
{
	(void)flags;
	return answer(volume_read(handle, buf, count, offset), "read", count,
		      offset);
}

static int plugin_pwrite(void *handle, const void *buf, uint32_t count,
			 uint64_t offset, uint32_t flags)
{
	int err = volume_write(handle, buf, count, offset);

	return answer(and_sync(err, flags), "write", count, offset);
}

static int plugin_zero(void *handle, uint32_t count, uint64_t offset,
		       uint32_t flags)
{
	int err = volume_zero(handle, count, offset);

	return answer(and_sync(err, flags), "zero", count, offset);
}

static int plugin_trim(void *handle, uint32_t count, uint64_t offset,
		       uint32_t flags)
{
	int err = volume_trim(handle, count, offset);

	return answer(and_sync(err, flags), "trim", count, offset);
}

static int plugin_flush(void *handle, uint32_t flags)
{
	(void)handle;
	(void)flags;
	return answer(sync_home(), "flush", 0, 0);
}

static int plugin_extents(void *handle, uint32_t count, uint64_t offset,
			  uint32_t flags, struct nbdkit_extents *extents)
{
	uint64_t end = offset + count;

	while (offset < end) {
		int data;
		uint64_t n = volume_extent(handle, offset, end - offset, &data);

		if (nbdkit_add_extent(
			    extents, offset, n,
			    data ? 0 : NBDKIT_EXTENT_HOLE | NBDKIT_EXTENT_ZERO))
			return -1;
		if (flags & NBDKIT_FLAG_REQ_ONE)
			break;
		offset += n;
	}
	return 0;
}

static struct nbdkit_plugin nbdkit_plugin = {
	.name = "tmem",
	.longname = "disks in transcendent memory",
	.version = TMEM_VERSION,
	.description = "Disks whose blocks live in a store of tmem, compressed "
		       "as they age, and in a file where the store refuses",
	.config_help = PARAMETERS_HELP,
	.magic_config_key = "size",
	.errno_is_preserved = 1,
	.load = plugin_load,
	.unload = plugin_unload,
	.config = plugin_config,
	.config_complete = plugin_config_complete,
	.get_ready = plugin_get_ready,
	.after_fork = plugin_after_fork,
	.cleanup = plugin_cleanup,
	.list_exports = plugin_list_exports,
	.default_export = plugin_default_export,
	.open = plugin_open,
	.get_size = plugin_get_size,
	.block_size = plugin_block_size,
	.can_write = yes,
	.can_flush = yes,
	.can_trim = yes,
	.can_zero = yes,
	.can_fast_zero = yes,
	.can_extents = yes,
	.can_multi_conn = plugin_can_multi_conn,
	.can_fua = plugin_can_fua,
	.pread = plugin_pread,
	.pwrite = plugin_pwrite,
	.flush = plugin_flush,
	.trim = plugin_trim,
	.zero = plugin_zero,
	.extents = plugin_extents,
};

/* What the macro defines, and no header of nbdkit's declares. */
struct nbdkit_plugin *plugin_init(void);

NBDKIT_REGISTER_PLUGIN(nbdkit_plugin)
