/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * swap-peer.h - something for the kernel to swap to, for as long as it is measured.
 *
 *	tmem	`tmem swapon` by the best way of this host, an embedded store
 *	sparse	nbdkit's memory plugin, by nbdfuse where tmem's is a file
 *	zram	the kernel's compressed RAM disk, lz4
 *	zswap	the kernel's compressed cache before a file
 *	file	a file on this machine's disk
 *
 * It comes before all other swap of the machine. zswap is off but for its own turn,
 * and vm.page-cluster is what a measurement wants; both are put back in the end.
 * What cannot be done ends the benchmark with a line that says why.
 *
 * All is written down in memory that the guard has, too (guard.h), before it is
 * done: so it can be undone by a process that did not do it.
 */
#ifndef BENCH_SWAP_PEER_H
#define BENCH_SWAP_PEER_H

#include <stdint.h>
#include <sys/types.h>

enum swap_peer_kind {
	SWAP_PEER_TMEM,
	SWAP_PEER_SPARSE,
	SWAP_PEER_ZRAM,
	SWAP_PEER_ZSWAP,
	SWAP_PEER_FILE,
	SWAP_PEERS
};

struct swap_peer {
	enum swap_peer_kind kind;
	char dir[64]; /* "": none is up */
	char device[128];
	int zram;	  /* number of the device; below 0: none */
	int made_node;	  /* /dev had none for it */
	pid_t servers[2]; /* tmem, sparse: nbdkit, and who makes a device of it */
	uint64_t before_bytes; /* memory, when nothing was swapped */
};

/** struct swap_peers - the one that is up, and the machine's own settings. */
struct swap_peers {
	struct swap_peer peer;
	char zswap;	       /* 'Y', 'N'; 0: there is none */
	char page_cluster[16]; /* "": not touched */
};

/** swap_peer_name() - for keys. */
const char *swap_peer_name(enum swap_peer_kind kind);

/** swap_peers_init() - look at the machine, and make it ready. */
void swap_peers_init(struct swap_peers *s);

/** swap_peers_tidy() - the machine as it was; what fails is told, and the rest is
 * done. */
void swap_peers_tidy(struct swap_peers *s);

/** swap_peers_read_ahead() - how many pages the kernel reads at a fault, as a power
 * of two; below 0: what the machine had. */
void swap_peers_read_ahead(struct swap_peers *s, int log2_pages);

/** swap_peer_exists() - 1: this host has it. */
int swap_peer_exists(const struct swap_peers *s, enum swap_peer_kind kind);

/**
 * swap_peer_up() - the kernel may swap to it, and to no other of them.
 * @limit_bytes: tmem's: most memory of the store, with a file behind; 0: none.
 */
void swap_peer_up(struct swap_peers *s, enum swap_peer_kind kind,
		  uint64_t size_bytes, uint64_t limit_bytes);

/** swap_peer_down() - what is swapped comes home. */
void swap_peer_down(struct swap_peers *s);

/** swap_peer_memory() - RAM that what is swapped takes: of the kernel, or of all
 * processes that serve it, what they had before taken off. */
uint64_t swap_peer_memory(const struct swap_peer *p);

/** swap_peers_used() - bytes that are swapped, to the one that is up. */
uint64_t swap_peers_used(void);

#endif
