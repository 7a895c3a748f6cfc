/* SPDX-License-Identifier: BSD-2-Clause */
/* swap-peer.c - something for the kernel to swap to, while it is measured. */
#include "swap-peer.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/swap.h>
#include <unistd.h>

#include "nbd-server.h"
#include "private.h"

#define ZRAM "/sys/class/zram-control/"
#define ZSWAP "/sys/module/zswap/parameters/enabled"
#define PAGE_CLUSTER "/proc/sys/vm/page-cluster"
#define PRIORITY 32000
#define COMMAND_MAX (2 * PATH_MAX)

static int try_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		err = -errno;
	(void)close(fd);
	return err;
}

static void write_text(const char *path, const char *text)
{
	int err = try_text(path, text);

	if (err)
		private_die("%s: %s", path, strerror(-err));
}

static int read_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, size - 1);

	if (fd >= 0)
		(void)close(fd);
	text[n > 0 ? n : 0] = 0;
	return n > 0;
}

/* A command line of ours; what it says goes to standard error. */
static int shell(const char *format, ...) __attribute__((format(printf, 1, 2)));

static int shell(const char *format, ...)
{
	char command[COMMAND_MAX];
	va_list args;
	int n;

	va_start(args, format);
	n = snprintf(command, sizeof(command),
		     "PATH=$PATH:/usr/sbin:/sbin; exec >/dev/null; ");
	(void)vsnprintf(command + n, sizeof(command) - (size_t)n, format, args);
	va_end(args);
	return system(command); /* NOLINT: nothing of it comes from outside */
}

const char *swap_peer_name(enum swap_peer_kind kind)
{
	static const char *const names[SWAP_PEERS] = { "tmem", "sparse", "zram",
						       "zswap", "file" };

	return names[kind];
}

void swap_peers_init(struct swap_peers *s)
{
	char text[16];

	if (geteuid())
		private_die("swap is root's to set; please run this as root");
	if (!read_text(PAGE_CLUSTER, s->page_cluster, sizeof(s->page_cluster)))
		private_die("%s cannot be read", PAGE_CLUSTER);
	if (read_text(ZSWAP, text, sizeof(text)))
		s->zswap = text[0];
	if (s->zswap == 'Y')
		write_text(ZSWAP, "N");
}

void swap_peers_read_ahead(struct swap_peers *s, int log2_pages)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "%d", log2_pages);
	write_text(PAGE_CLUSTER, log2_pages < 0 ? s->page_cluster : text);
}

static void find_command(char *path)
{
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - 16);
	char *slash;

	path[n > 0 ? n : 0] = 0;
	slash = strrchr(path, '/'); /* .../bench/NAME */
	if (slash)
		*slash = 0;
	slash = strrchr(path, '/');
	strcpy(slash ? slash + 1 : path, "tmem");
}

int swap_peer_exists(const struct swap_peers *s, enum swap_peer_kind kind)
{
	switch (kind) {
	case SWAP_PEER_TMEM:
	case SWAP_PEER_SPARSE:
		return nbd_server_exists();
	case SWAP_PEER_ZRAM:
		return !access(ZRAM "hot_add", F_OK);
	case SWAP_PEER_ZSWAP:
		return s->zswap != 0;
	default:
		return 1;
	}
}

/* ---- Up ------------------------------------------------------------------- */

static void read_record(struct swap_peer *p)
{
	char path[PATH_MAX], line[256];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/swap/record", p->dir);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		(void)sscanf(line, "server %d", &p->servers[0]);
		(void)sscanf(line, "attacher %d", &p->servers[1]);
	}
	if (f)
		(void)fclose(f);
}

static void tmem_up(struct swap_peer *p, uint64_t size, uint64_t limit)
{
	char command[PATH_MAX], more[256] = "--plugin memory";

	find_command(command);
	if (p->kind == SWAP_PEER_TMEM && limit) {
		if (shell("truncate -s %" PRIu64 " %s/backing", size, p->dir))
			private_die("no file in %s", p->dir);
		(void)snprintf(more, sizeof(more),
			       "--store embedded --limit %" PRIu64
			       " --backing %s/backing",
			       limit, p->dir);
	} else if (p->kind == SWAP_PEER_TMEM) {
		strcpy(more, "--store embedded");
	}
	if (shell("%s swapon %" PRIu64 " --dir %s/swap --priority %d %s",
		  command, size, p->dir, PRIORITY, more))
		private_die("tmem swapon failed");
	read_record(p);
}

static void device_up(const struct swap_peer *p)
{
	if (shell("mkswap %s 2>&1", p->device) ||
	    swapon(p->device, SWAP_FLAG_PREFER | SWAP_FLAG_DISCARD | PRIORITY))
		private_die("no swap on %s: %s", p->device, strerror(errno));
}

static void zram_up(struct swap_peer *p, uint64_t size)
{
	char path[128], text[32];

	if (!read_text(ZRAM "hot_add", text, sizeof(text)))
		private_die(ZRAM "hot_add: %s", strerror(errno));
	p->zram = atoi(text);
	(void)snprintf(path, sizeof(path), "/sys/block/zram%d/comp_algorithm",
		       p->zram);
	write_text(path, "lz4");
	(void)snprintf(path, sizeof(path), "/sys/block/zram%d/disksize",
		       p->zram);
	(void)snprintf(text, sizeof(text), "%" PRIu64, size);
	write_text(path, text);
	(void)snprintf(p->device, sizeof(p->device), "/dev/zram%d", p->zram);
	p->made_node = !!access(p->device, F_OK);
	if (p->made_node &&
	    shell("mknod %s b $(tr : ' ' </sys/block/zram%d/dev)", p->device,
		  p->zram))
		private_die("no %s", p->device);
	device_up(p);
}

static void zram_down(struct swap_peer *p)
{
	char path[128], text[32];

	(void)snprintf(path, sizeof(path), "/sys/block/zram%d/reset", p->zram);
	(void)snprintf(text, sizeof(text), "%d", p->zram);
	(void)try_text(path, "1");
	(void)try_text(ZRAM "hot_remove", text);
	if (p->made_node)
		(void)unlink(p->device);
}

static void file_up(struct swap_peer *p, uint64_t size)
{
	(void)snprintf(p->device, sizeof(p->device), "%s/file", p->dir);
	/* Written, not only allocated: the disk has seen each block. */
	if (shell("umask 077; dd if=/dev/zero of=%s bs=1M count=%" PRIu64
		  " conv=fsync 2>&1",
		  p->device, size >> 20))
		private_die("no file in %s", p->dir);
	if (p->kind == SWAP_PEER_ZSWAP)
		write_text(ZSWAP, "Y");
	device_up(p);
}

void swap_peer_up(struct swap_peers *s, enum swap_peer_kind kind,
		  uint64_t size_bytes, uint64_t limit_bytes)
{
	struct swap_peer *p = &s->peer;

	memset(p, 0, sizeof(*p));
	p->kind = kind;
	p->zram = -1;
	/* Not /tmp: where that is memory, a file in it is no disk. */
	strcpy(p->dir, "/var/tmp/tmem-bench.XXXXXX");
	if (!mkdtemp(p->dir))
		private_die("no directory in /var/tmp: %s", strerror(errno));
	switch (kind) {
	case SWAP_PEER_TMEM:
	case SWAP_PEER_SPARSE:
		tmem_up(p, size_bytes, limit_bytes);
		break;
	case SWAP_PEER_ZRAM:
		zram_up(p, size_bytes);
		break;
	default:
		file_up(p, size_bytes);
		break;
	}
	p->before_bytes = swap_peer_memory(p);
}

/* From whatever was reached. Return: 0; 1 it is up yet, which has been told. */
static int take_down(struct swap_peer *p)
{
	char command[PATH_MAX], record[96];

	(void)snprintf(record, sizeof(record), "%s/swap", p->dir);
	find_command(command);
	if (!access(record, F_OK) &&
	    shell("%s swapoff --dir %s", command, record))
		return 1; /* it has said why */
	/* EINVAL: it was not on yet. */
	if (p->device[0] && swapoff(p->device) && errno != EINVAL &&
	    errno != ENOENT) {
		(void)fprintf(stderr, "bench: swapoff %s: %s\n", p->device,
			      strerror(errno));
		return 1;
	}
	if (p->zram >= 0)
		zram_down(p);
	(void)shell("rm -rf %s", p->dir);
	p->dir[0] = 0;
	return 0;
}

void swap_peer_down(struct swap_peers *s)
{
	if (take_down(&s->peer))
		exit(1);
	if (s->peer.kind == SWAP_PEER_ZSWAP)
		write_text(ZSWAP, "N");
}

void swap_peers_tidy(struct swap_peers *s)
{
	char zswap[] = { s->zswap, 0 };

	if (s->peer.dir[0])
		(void)take_down(&s->peer);
	if (s->zswap)
		(void)try_text(ZSWAP, zswap);
	if (s->page_cluster[0])
		(void)try_text(PAGE_CLUSTER, s->page_cluster);
}

/* ---- Memory --------------------------------------------------------------- */

static uint64_t zram_memory(const struct swap_peer *p)
{
	char path[128], text[256];
	uint64_t used = 0;

	(void)snprintf(path, sizeof(path), "/sys/block/zram%d/mm_stat", p->zram);
	if (!read_text(path, text, sizeof(text)) ||
	    sscanf(text, "%*s %*s %" SCNu64, &used) != 1)
		return 0;
	return used;
}

static uint64_t zswap_memory(void)
{
	FILE *f = fopen("/proc/meminfo", "re");
	char line[256];
	uint64_t kib = 0;

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "Zswap: %" SCNu64, &kib) == 1)
			break;
	}
	if (f)
		(void)fclose(f);
	return kib << 10;
}

uint64_t swap_peer_memory(const struct swap_peer *p)
{
	struct nbd_server server;
	uint64_t now = 0;
	unsigned i;

	switch (p->kind) {
	case SWAP_PEER_TMEM:
	case SWAP_PEER_SPARSE:
		for (i = 0; i < 2; i++) {
			server = (struct nbd_server){ .pid = p->servers[i] };
			now += nbd_server_memory(&server);
		}
		break;
	case SWAP_PEER_ZRAM:
		now = zram_memory(p);
		break;
	case SWAP_PEER_ZSWAP:
		now = zswap_memory();
		break;
	default:
		now = 0;
		break;
	}
	return now > p->before_bytes ? now - p->before_bytes : 0;
}

uint64_t swap_peers_used(void)
{
	FILE *f = fopen("/proc/swaps", "re");
	uint64_t kib, sum = 0;
	char line[512];
	int priority;

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%*s %*s %*s %" SCNu64 " %d", &kib,
			   &priority) == 2 &&
		    priority == PRIORITY)
			sum += kib << 10;
	}
	if (f)
		(void)fclose(f);
	return sum;
}
