/* SPDX-License-Identifier: BSD-2-Clause */
/* swap-peer.c - something for the kernel to swap to, while it is measured. */
#include "swap-peer.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/swap.h>
#include <unistd.h>

#include "private.h"

#define ZSWAP "/sys/module/zswap/parameters/enabled"
#define PAGE_CLUSTER "/proc/sys/vm/page-cluster"
#define PRIORITY 32000
#define COMMAND_MAX (2 * PATH_MAX)

/* What was there before, and what is up: so that it is put back and taken down also
 * when the benchmark ends itself. */
static char zswap_before, page_cluster_before[16];
static struct swap_peer *peer_up;

static void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		private_die("%s: %s", path, strerror(errno));
	(void)close(fd);
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

static void put_back(void)
{
	if (page_cluster_before[0])
		write_text(PAGE_CLUSTER, page_cluster_before);
	if (zswap_before == 'Y')
		write_text(ZSWAP, "Y");
	page_cluster_before[0] = zswap_before = 0;
	if (peer_up)
		swap_peer_down(peer_up);
}

/* This thread waits or computes most of the time: nothing that is torn apart here is
 * needed to put things back. */
static void on_end(int sig)
{
	(void)sig;
	exit(1);
}

void swap_peers_begin(void)
{
	const struct sigaction sa = { .sa_handler = on_end };
	char text[16];

	if (geteuid())
		private_die("swap is root's to set; please run this as root");
	if (!read_text(PAGE_CLUSTER, page_cluster_before,
		       sizeof(page_cluster_before)))
		private_die("%s cannot be read", PAGE_CLUSTER);
	if (read_text(ZSWAP, text, sizeof(text)))
		zswap_before = text[0];
	if (atexit(put_back) || sigaction(SIGTERM, &sa, NULL) ||
	    sigaction(SIGINT, &sa, NULL))
		private_die("out of memory");
	write_text(PAGE_CLUSTER, "0");
	if (zswap_before == 'Y')
		write_text(ZSWAP, "N");
}

void swap_peers_end(void)
{
	put_back();
}

void swap_peers_forget(void)
{
	peer_up = NULL;
	page_cluster_before[0] = zswap_before = 0;
	(void)signal(SIGTERM, SIG_DFL);
	(void)signal(SIGINT, SIG_DFL);
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

int swap_peer_exists(enum swap_peer_kind kind)
{
	switch (kind) {
	case SWAP_PEER_TMEM:
	case SWAP_PEER_SPARSE:
		return nbd_server_exists();
	case SWAP_PEER_ZRAM:
		return !access("/sys/class/zram-control/hot_add", F_OK);
	case SWAP_PEER_ZSWAP:
		return zswap_before != 0;
	default:
		return 1;
	}
}

/* ---- Up ------------------------------------------------------------------- */

static void read_record(struct swap_peer *p)
{
	char path[PATH_MAX], line[256];
	int pid = 0;
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/swap/record", p->dir);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		(void)sscanf(line, "server %d", &pid);
	if (f)
		(void)fclose(f);
	p->server.pid = pid;
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
	char why[BENCH_ZRAM_WHY_MAX], path[128], text[32];

	if (bench_zram_open(&p->zram, why))
		private_die("%s", why);
	(void)snprintf(path, sizeof(path), "/sys/block/zram%d/comp_algorithm",
		       p->zram.id);
	write_text(path, "lz4");
	(void)snprintf(path, sizeof(path), "/sys/block/zram%d/disksize",
		       p->zram.id);
	(void)snprintf(text, sizeof(text), "%" PRIu64, size);
	write_text(path, text);
	(void)snprintf(p->device, sizeof(p->device), "/dev/zram%d", p->zram.id);
	if (access(p->device, F_OK) &&
	    shell("mknod %s b $(tr : ' ' </sys/block/zram%d/dev)", p->device,
		  p->zram.id))
		private_die("no %s", p->device);
	device_up(p);
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

void swap_peer_up(struct swap_peer *p, enum swap_peer_kind kind,
		  uint64_t size_bytes, uint64_t limit_bytes)
{
	memset(p, 0, sizeof(*p));
	peer_up = p;
	p->kind = kind;
	p->zram.id = -1;
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

void swap_peer_down(struct swap_peer *p)
{
	char command[PATH_MAX];

	peer_up = NULL;
	find_command(command);
	if (p->server.pid) {
		if (shell("%s swapoff --dir %s/swap", command, p->dir))
			private_die("tmem swapoff failed");
	} else if (p->device[0] && swapoff(p->device)) {
		private_die("swapoff %s: %s", p->device, strerror(errno));
	}
	if (p->kind == SWAP_PEER_ZSWAP)
		write_text(ZSWAP, "N");
	if (p->kind == SWAP_PEER_ZRAM)
		bench_zram_close(&p->zram);
	(void)shell("rm -rf %s", p->dir);
}

/* ---- Memory --------------------------------------------------------------- */

static uint64_t zram_memory(const struct swap_peer *p)
{
	char path[128], text[256];
	uint64_t used = 0;

	(void)snprintf(path, sizeof(path), "/sys/block/zram%d/mm_stat",
		       p->zram.id);
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
	uint64_t now;

	switch (p->kind) {
	case SWAP_PEER_TMEM:
	case SWAP_PEER_SPARSE:
		now = nbd_server_memory(&p->server);
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
