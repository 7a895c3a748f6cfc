/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fdstore.c - leases kept by the service manager while there is no daemon.
 */
#include "fdstore.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

static void store(const char *what, uint64_t id, int fd)
{
	char state[64];

	/* No polling for hangups: a memfd has none. */
	(void)snprintf(state, sizeof(state),
		       "FDSTORE=1\nFDNAME=%s%" PRIu64 "\nFDPOLL=0", what, id);
	(void)sd_pid_notify_with_fds(0, 0, state, &fd, 1);
}

static void unstore(const char *what, uint64_t id)
{
	char state[64];

	(void)snprintf(state, sizeof(state),
		       "FDSTOREREMOVE=1\nFDNAME=%s%" PRIu64, what, id);
	(void)sd_notify(0, state);
}

void tmemd_fdstore_add(struct tmemd *d, uint64_t id, int data, int control)
{
	if (!d->keeps_fds)
		return;
	/* Of a lease that was restored: the manager would keep both. */
	unstore("c", id);
	unstore("d", id);
	store("d", id, data);
	store("c", id, control);
}

void tmemd_fdstore_remove(struct tmemd *d, uint64_t id)
{
	if (!d->keeps_fds)
		return;
	unstore("d", id);
	unstore("c", id);
}

/* "d12" is the data memfd of lease 12. */
static int parse_name(const char *name, char *ret_kind, uint64_t *ret_id)
{
	char *end;

	if ((name[0] != 'd' && name[0] != 'c') || name[1] < '0' || name[1] > '9')
		return 0;
	*ret_kind = name[0];
	*ret_id = strtoull(name + 1, &end, 10);
	return !*end;
}

static int take_partner(char **names, int count, const char *name)
{
	int i;

	for (i = 0; i < count; i++)
		if (names[i] && !strcmp(names[i], name)) {
			free(names[i]);
			names[i] = NULL;
			return SD_LISTEN_FDS_START + i;
		}
	return -1;
}

static void hand_over(struct tmemd *d, tmemd_restore_fn restore, char **names,
		      int count, uint64_t id, int data)
{
	char partner[32];
	int control, err = -1;

	(void)snprintf(partner, sizeof(partner), "c%" PRIu64, id);
	control = take_partner(names, count, partner);
	if (id >= d->lease_next)
		d->lease_next = id + 1;
	if (control >= 0)
		err = restore(d, id, data, control);
	else
		tmemd_endings_add(&d->endings, data);
	if (err)
		tmemd_fdstore_remove(d, id);
	tmemd_log_say(&d->log, TMEM_LOG_INFO,
		      err ? "stored lease ended" : "stored lease restored",
		      TMEMD_FIELDS(TMEMD_UINT("lease", id)));
}

void tmemd_fdstore_start(struct tmemd *d, tmemd_restore_fn restore,
			 int *ret_listen)
{
	char **names = NULL, kind;
	int i, fd, count;
	uint64_t id;

	*ret_listen = -1;
	/* A manager that keeps none ignores what it is sent. */
	d->keeps_fds = getenv("NOTIFY_SOCKET") != NULL;
	count = sd_listen_fds_with_names(1, &names);
	for (i = 0; i < count; i++) {
		fd = SD_LISTEN_FDS_START + i;
		if (!names[i])
			continue; /* a partner that was taken */
		if (parse_name(names[i], &kind, &id) && kind == 'd')
			hand_over(d, restore, names, count, id, fd);
	}
	for (i = 0; i < count; i++) {
		fd = SD_LISTEN_FDS_START + i;
		if (!names[i])
			continue;
		if (parse_name(names[i], &kind, &id)) {
			if (kind == 'c')
				(void)close(fd);
		} else if (*ret_listen < 0 &&
			   sd_is_socket(fd, AF_UNIX, 0, 1) > 0) {
			*ret_listen = fd;
		} else {
			(void)close(fd);
		}
		free(names[i]);
	}
	free(names);
}
