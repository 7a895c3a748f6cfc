/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * swap-peer.h - something for the kernel to swap to, for as long as it is measured.
 *
 *	tmem	`tmem swapon` by the best way of this host, an embedded store
 *	sparse	the same way to nbdkit's memory plugin: what the way costs
 *	zram	the kernel's compressed RAM disk, lz4
 *	zswap	the kernel's compressed cache before a file
 *	file	a file on this machine's disk
 *
 * It comes before all other swap of the machine. zswap is off but for its own turn,
 * and the kernel reads no pages ahead (vm.page-cluster); both are put back in the
 * end. What cannot be done ends the benchmark with a line that says why.
 */
#ifndef BENCH_SWAP_PEER_H
#define BENCH_SWAP_PEER_H

#include <stdint.h>

#include "bench-zram.h"
#include "nbd-server.h"

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
	char dir[64];
	char device[128];
	struct nbd_server server; /* tmem, sparse: its process alone */
	struct bench_zram zram;
	uint64_t before_bytes; /* memory, when nothing was swapped */
};

/** swap_peer_name() - for keys. */
const char *swap_peer_name(enum swap_peer_kind kind);

/** swap_peers_begin(), swap_peers_end() - around all of them. */
void swap_peers_begin(void);
void swap_peers_end(void);

/** swap_peers_forget() - in a forked child: what is up is the parent's. */
void swap_peers_forget(void);

/** swap_peer_exists() - 1: this host has it. */
int swap_peer_exists(enum swap_peer_kind kind);

/**
 * swap_peer_up() - the kernel may swap to it.
 * @limit_bytes: tmem's: most memory of the store, with a file behind; 0: none.
 */
void swap_peer_up(struct swap_peer *p, enum swap_peer_kind kind,
		  uint64_t size_bytes, uint64_t limit_bytes);

/** swap_peer_down() - what is swapped comes home. */
void swap_peer_down(struct swap_peer *p);

/** swap_peer_memory() - RAM that what is swapped takes. */
uint64_t swap_peer_memory(const struct swap_peer *p);

/** swap_peers_used() - bytes that are swapped, to the one that is up. */
uint64_t swap_peers_used(void);

#endif
