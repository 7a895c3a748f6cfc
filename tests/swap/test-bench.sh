#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# test-bench.sh - the benchmarks of preswap in their tiny form: all keys are there,
# figures make sense, and nothing is left up.
set -eu

build=${TMEM_BUILD-.}
lacks() {
	echo "no bench to test: this machine lacks $1"
	[ -z "${CI-}" ] || exit 1
	exit 77
}
PATH=$PATH:/usr/sbin
[ -f "$build/nbdkit-tmem-plugin.so" ] || lacks 'the plugin of nbdkit'
command -v nbdkit >/dev/null || lacks nbdkit
[ -x "$build/bench/block" ] || lacks libnbd

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
unset TMEM_STORE TMEM_CORPORA

timeout 60 "$build/bench/block" --tiny --json >"$dir/block"
python3 - "$dir/block" <<'END'
import json
import sys

r = json.load(open(sys.argv[1]))
for key in """write_vs_sparse overwrite_vs_sparse read_vs_sparse
        memory_vs_sparse write_vs_zstd overwrite_vs_zstd read_vs_zstd
        write_depth1_vs_sparse read_depth1_vs_sparse""".split():
    assert 0.01 < r[key] < 1000, (key, r[key])
for peer in "tmem sparse malloc zstd".split():
    for key in """writes overwrites reads writes_depth1 reads_depth1
            write_p50_us read_p50_us write_depth1_p50_us
            read_depth1_p50_us""".split():
        assert r[peer][key] > 0, (peer, key)
END

[ "$(id -u)" = 0 ] || lacks root
command -v nbdfuse >/dev/null || lacks nbdfuse
before=$(cat /proc/swaps /proc/sys/vm/page-cluster)
timeout 100 "$build/bench/swap" --tiny --json --out "$dir" >"$dir/swap"
[ "$before" = "$(cat /proc/swaps /proc/sys/vm/page-cluster)" ] || {
	echo 'FAILED: the machine is not as it was'
	exit 1
}
grep -q '</svg>' "$dir/machek.svg"
python3 - "$dir/swap" <<'END'
import json
import sys

r = json.load(open(sys.argv[1]))
for peer in "tmem sparse file".split():
    for key in "out_us out_cpu_us fault_p50_us fault_p99_us".split():
        assert r[peer][key] >= 0, (peer, key)
    assert r[peer]["fault_p50_us"] > 0, peer
assert 100 < r["sparse"]["page_bytes"] < 20000, r["sparse"]
for program in "sort hash matrix jobs".split():
    for share in "all_ram half_tmem half_disk".split():
        assert r[program][share] > 0, (program, share)
END
