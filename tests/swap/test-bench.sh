#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# test-bench.sh - `./dev bench block` in its tiny form: all keys are there, and
# figures make sense.
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
