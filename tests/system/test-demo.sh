#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# test-demo.sh - `tmem demo` on a small directory with odd files: figures, JSON,
# what it says when it cannot.
set -eu

tmem=("${1:-${TMEM_BUILD-.}/tmem}")
if [ ! -x "${tmem[0]}" ]; then
	echo "no command at ${tmem[0]}"
	exit 77
fi
unset TMEM_STORE

dir=$(mktemp -d)
trap 'chmod -R u+rwx "$dir" && rm -rf "$dir"' EXIT
# shellcheck source=tests/lib/run.sh
. "${TMEM_SOURCE-.}/tests/lib/run.sh"
data=$dir/data

# Some 12 MiB: text that packs well, noise that does not, and odd cases.
make_data() {
	local i

	mkdir "$data" "$data/sub" "$data/sub/no"
	for i in $(seq 1 30); do
		seq "$i" 1 40000 >"$data/text$i"
		head -c $((i * 5003)) /dev/urandom >"$data/sub/noise$i"
	done
	: >"$data/empty"
	truncate -s 1M "$data/holes"
	ln "$data/text1" "$data/sub/second-name"
	ln -s text2 "$data/link"
	ln -s . "$data/sub/loop"
	ln -s nowhere "$data/dangling"
	mkfifo "$data/fifo"
	printf 'x' >"$data/new"$'\n'line
	printf 'y' >"$data/"$'\xff\xfe"quote\\'
	echo secret >"$data/unreadable"
	echo secret >"$data/sub/no/body"
	chmod 0 "$data/unreadable" "$data/sub/no"
	chmod 755 "$dir"
}

small=(--data 16M --l1 1M --pool 4M --rounds 2)
make_data

# Without root's privileges, where that is possible: root may read everything.
if [ "$(id -u)" = 0 ] &&
	setpriv --reuid=65534 --regid=65534 --clear-groups \
		"${tmem[0]}" --version >/dev/null 2>&1; then
	tmem=(setpriv --reuid=65534 --regid=65534 --clear-groups "${tmem[@]}")
	chown -R 65534:65534 "$data"
fi

run 0 "${tmem[@]}" demo "${small[@]}" "$data"
for row in accesses 'first-level hits' 'disk reads' 'time, s' \
	'pool hit ratio' 'compression ratio' 'memory used' put get \
	'pages verified'; do
	grep -q "^$row" "$out" || fail "no row: $row"
done
grep -q ' differing: 0,' "$out" || fail 'pages differ'
if [ "$(id -u)" != 0 ] || [ ${#tmem[@]} -gt 1 ]; then
	grep -q 'skipped: .*/unreadable: Permission denied' "$err" ||
		fail 'unreadable file not named'
	grep -q 'skipped: .*/sub/no: Permission denied' "$err" ||
		fail 'unreadable directory not named'
fi
LC_ALL=C grep -q '[[:cntrl:]]' "$err" && fail 'control characters on stderr'

run 0 "${tmem[@]}" demo "${small[@]}" --json --seed 7 "$data"
if command -v python3 >/dev/null; then
	python3 - "$out" <<'END' || fail 'JSON'
import json
import sys

with open(sys.argv[1], encoding="utf-8") as f:
    r = json.load(f)
assert r["seed"] == 7 and r["page_size"] == 4096, "request"
assert r["pages"] * 4096 >= r["bytes"] > 8 << 20, "data"
assert r["files"] == 63 + (r["files_skipped"] == 0) * 2, r["files"]
for side in "without", "with":
    assert r["accesses_" + side] == r["accesses_planned"], side
    assert r["first_reads_" + side] <= r["pages"], side
    assert 0 < r["disk_reads_" + side] <= r["accesses_" + side], side
    assert 0 < r["disk_seconds_" + side] <= r["seconds_" + side], side
assert r["accesses_planned"] == 2 * r["pages"], "rounds"
assert r["l1_hits_with"] == r["l1_hits_without"], "same list"
assert r["first_reads_with"] == r["first_reads_without"], "same list"
assert r["hits"] == r["gets"] - r["disk_reads_with"], "gets"
assert r["gets"] == r["disk_reads_without"], "same list"
assert r["hits"] > 0 and r["disk_reads_with"] < r["disk_reads_without"], "use"
assert abs(r["hit_ratio"] - r["hits"] / r["gets"]) < 0.001, "hit ratio"
assert 0 < r["used_bytes"] <= r["limit_bytes"] == 4 << 20, "memory"
assert r["compression_ratio"] > 0, "compression"
assert r["put_p50_us"] <= r["put_p99_us"], "put"
assert r["get_p50_us"] <= r["get_p99_us"], "get"
assert r["pages_verified"] == 2 * r["accesses_planned"], "verified"
assert r["pages_differing"] == 0 and r["pages_changed"] == 0, "fault"
END
fi

# A name that is not UTF-8, in the JSON too.
odd=$dir/$'odd\xff\n"\\'
mkdir "$odd"
cp "$data"/text* "$odd"
run 0 "${tmem[@]}" demo "${small[@]}" --json "$odd"
if command -v python3 >/dev/null; then
	python3 -m json.tool "$out" >/dev/null || fail 'JSON with an odd name'
fi

# The same seed gives the same list; another seed does not.
hits() {
	run 0 "${tmem[@]}" demo "${small[@]}" --json --seed "$1" "$data"
	grep -o '"l1_hits_without": [0-9]*' "$out"
}
first=$(hits 3)
[ "$first" = "$(hits 3)" ] || fail 'the same seed, another list'
[ "$first" != "$(hits 4)" ] || fail 'another seed, the same list'

# Time that is up at once shortens the list, and is told.
run 0 "${tmem[@]}" demo "${small[@]}" --rounds 1000 --seconds 1 "$data"
grep -q 'time was short' "$err" || fail 'shortened, and not told'

# Wrong usage: 2.
refuse 2 'no such option: --wrong' "${tmem[@]}" demo --wrong "$data"
refuse 2 'no such option: -x' "${tmem[@]}" demo -x
refuse 2 'value must follow --data' "${tmem[@]}" demo --data
refuse 2 'no value may follow --json=1' "${tmem[@]}" demo --json=1
refuse 2 '"12Q" is no size' "${tmem[@]}" demo --data 12Q "$data"
refuse 2 '"" is no size' "${tmem[@]}" demo --l1= "$data"
refuse 2 '"-1" is no size' "${tmem[@]}" demo --pool=-1 "$data"
refuse 2 '"4M,agers=0" is no size' "${tmem[@]}" demo --pool 4M,agers=0 "$data"
refuse 2 '--l1: must be' "${tmem[@]}" demo --l1 0 "$data"
refuse 2 '--data: must be' "${tmem[@]}" demo --data 99999999T "$data"
refuse 2 '--rounds: must be .* 1 to 1000' "${tmem[@]}" demo --rounds 0 "$data"
refuse 2 '--seed: must be' "${tmem[@]}" demo --seed x "$data"
refuse 2 '--seconds: must be' "${tmem[@]}" demo --seconds -5 "$data"
refuse 2 '--data must be at least' "${tmem[@]}" demo --data 4M --l1 4M "$data"
refuse 2 'only one DIR' "${tmem[@]}" demo "$data" "$data"
refuse 2 '--pool and --store' "${tmem[@]}" demo --pool 4M --store embedded: "$data"
refuse 2 'embedded:size=1K: .*[0-9]' "${tmem[@]}" demo --pool 1K "$data"
refuse 2 'nosuch' "${tmem[@]}" demo --store nosuch: "$data"
refuse 2 'no command' "${tmem[@]}" frobnicate
refuse 2 'no command' "${tmem[@]}"
refuse 2 'no such option: --wrong' "${tmem[@]}" --wrong

# Understood, and not possible: 1.
refuse 1 'cannot read .*/missing: No such file' "${tmem[@]}" demo "$data/missing"
refuse 1 'cannot read .*/text1: Not a directory' "${tmem[@]}" demo "$data/text1"
mkdir "$dir/nothing"
refuse 1 'no file in .*/nothing' "${tmem[@]}" demo "$dir/nothing"
refuse 1 '--l1 of at most [0-9]+K' "${tmem[@]}" demo --data 640M "$odd"
refuse 1 'unix:' "${tmem[@]}" demo --store unix:/nonexistent "$data"
"${tmem[@]}" demo "${small[@]}" "$odd" >/dev/full 2>"$err" &&
	fail 'a full output went unnoticed'

# Help.
run 0 "${tmem[@]}" --version
grep -qE '^tmem [0-9]+\.[0-9]+\.[0-9]+$' "$out" || fail 'version'
run 0 "${tmem[@]}" --help
grep -q '^  demo ' "$out" || fail 'demo is not in the help'
run 0 "${tmem[@]}" demo --help
grep -q '^Usage: tmem demo ' "$out" || fail 'usage'
[ ! -s "$err" ] || fail 'help on stderr'
exit $status
