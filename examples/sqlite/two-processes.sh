#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# two-processes.sh - two processes read one database at random, in a memory cgroup that
# has room for a quarter of it; without a store, and with what a tmemd of its own
# lends from the rest of the machine. Root; cgroup version 1 or 2.
#
#	examples/sqlite/two-processes.sh [BUILD [MIB [READS]]]
set -eu

build=${1:-$(dirname "$0")/../../build}
mib=${2:-128}
reads=${3:-100000}

if [ -w /sys/fs/cgroup/memory/cgroup.procs ]; then
	group=/sys/fs/cgroup/memory/tmem-example-$$
	limit=memory.limit_in_bytes
elif echo +memory 2>/dev/null >/sys/fs/cgroup/cgroup.subtree_control; then
	group=/sys/fs/cgroup/tmem-example-$$
	limit=memory.max
else
	echo 'no memory cgroup to be had here: run this as root'
	exit 77
fi

dir=$(mktemp -d "${TMPDIR:-/var/tmp}/tmem-example.XXXXXX")
daemon=
finish() {
	if [ -n "$daemon" ]; then
		kill "$daemon"
		wait "$daemon" || true
	fi
	if [ -d "$group" ]; then
		rmdir "$group"
	fi
	rm -rf "$dir"
}
trap finish EXIT

db=$dir/app.db
sqlite3 -init /dev/null "$db" "CREATE TABLE t(a INTEGER PRIMARY KEY, b);
	WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n
		WHERE i < $((mib * 2500)))
	INSERT INTO t SELECT i, printf('order %d, %s, delivered, %.*c', i,
		hex(randomblob(40)), 280, '-') FROM n"

mkdir "$group"
# Beside pages, each process needs a few MiB of its own.
echo $(((mib / 4 + 12) << 20)) >"$group/$limit"

# What the page cache has of the database was charged to who wrote it.
forget() {
	dd if="$db" iflag=nocache count=0 status=none
}

# both STORE: two processes at once, in the cgroup.
both() {
	local pids=() pid
	forget
	for i in 1 2; do
		(
			sh -c "echo \$PPID" >"$group/cgroup.procs"
			exec "$build/examples/example-sqlite-point-reads" \
				"$db" t "$1" "$reads"
		) | sed "s/^/  process $i: /" &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid"
	done
}

echo "Without a store, $((mib / 4)) MiB for a database of $mib MiB:"
both -

echo "budget = $((mib < 16 ? 32 : mib * 2))M" >"$dir/conf"
"$build/tmemd" --socket "$dir/socket" --config "$dir/conf" \
	2>"$dir/log" &
daemon=$!
for _ in $(seq 100); do
	if [ -S "$dir/socket" ]; then
		break
	fi
	sleep 0.1
done
echo 'With what the machine has to lend:'
both "unix:$dir/socket"
