#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# test-replay.sh - `tmem replay` on small traces whose answers are known: figures,
# JSON, forms of input, what it says when it cannot.
set -eu

tmem=${1:-${TMEM_BUILD-.}/tmem}
if [ ! -x "$tmem" ] || ! command -v python3 >/dev/null; then
	echo "no command at $tmem, or no python3"
	exit 77
fi
unset TMEM_STORE

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
# shellcheck source=tests/lib/run.sh
. "${TMEM_SOURCE-.}/tests/lib/run.sh"

# Traces, one line a request. Page numbers are spread over 64 bits.
make_traces() {
	awk -v dir="$dir" '
	function ask(file, page) {
		printf "%s 18446744073%09d\n", rand() < 0.2 ? "w" : "r", \
			page > (dir "/" file)
	}
	BEGIN {
		srand(1)
		for (n = 0; n < 10; n++)
			for (i = 0; i < 1000; i++)
				ask("loop", i)
		for (n = 0; n < 20; n++) {
			for (i = 0; i < 2000; i++)
				ask("scan", int(rand() * 500))
			for (i = 0; i < 1000; i++)
				ask("scan", (n + 1) * 1000 + i)
		}
		for (n = 0; n < 10; n++)
			for (i = 0; i < 5000; i++)
				ask("shift", n * 1000 + int(rand() * 1000))
	}'
}
make_traces

inclusive='{"requests", "distinct", "size_pages", "hits", "misses",
	"lru_misses", "fifo_misses", "s3fifo_misses", "optimal_misses",
	"ns_per_request"}'
level='{"requests", "distinct", "size_pages", "l1_misses", "hits",
	"lru_hits", "fifo_hits", "s3fifo_hits", "optimal_hits",
	"ns_per_request"}'

# A loop that fits misses each page once, and one that does not defeats LRU.
run 0 "$tmem" replay --json --verify --size 100% "$dir/loop"
json "$inclusive <= r.keys()" 'r["mode"] == "inclusive"' \
	'r["requests"] == 10000' 'r["distinct"] == r["size_pages"] == 1000' \
	'r["misses"] == r["lru_misses"] == r["optimal_misses"] == 1000' \
	'r["hits"] == 9000' 'r["puts"] == 1000' 'r["evictions"] == 0' \
	'r["ns_per_request"] > 0'
run 0 "$tmem" replay --json --size 90% "$dir/loop"
json 'r["size_pages"] == 900' 'r["lru_misses"] == 10000' \
	'r["fifo_misses"] == 10000' 'r["optimal_misses"] < 2000' \
	'r["misses"] < 10000'

# A hot set outlives scans, where LRU loses it.
run 0 "$tmem" replay --json --sizes 4%,5% "$dir/scan"
json 'all(p["misses"] < 0.75 * p["lru_misses"] for p in s)' \
	'all(p["misses"] < 1.02 * p["s3fifo_misses"] for p in s)'

# A hot set that moves on: what was hot must make way, which takes S3-FIFO time.
run 0 "$tmem" replay --json --size 20% "$dir/shift"
json 'r["lru_misses"] == r["distinct"]' \
	'r["misses"] < 1.1 * max(r["lru_misses"], r["s3fifo_misses"])'

# No cache does better than the optimum, in any mode, at any size.
for mode in inclusive exclusive below; do
	for trace in loop scan shift; do
		run 0 "$tmem" replay --json --mode $mode --l1 5% --verify \
			--sizes 2.5%,10%,50%,100% "$dir/$trace"
		json '[p["size"] for p in s] ==
			["2.5%", "10%", "50%", "100%"]' \
			'all(p["refused"] == 0 for p in s)'
		case $mode in
		inclusive)
			json "all($inclusive <= r.keys() | p.keys()
				for p in s)" \
				'all(p["optimal_misses"] <= p[k] for p in s
				for k in ("misses", "lru_misses",
				"fifo_misses", "s3fifo_misses"))'
			;;
		*)
			json "all($level <= r.keys() | p.keys()
				for p in s)" \
				'all(p["optimal_hits"] >= p[k] for p in s
				for k in ("hits", "lru_hits", "fifo_hits",
				"s3fifo_hits"))' \
				'all(p["hits"] + p["misses"] == r["l1_misses"]
				for p in s)'
			;;
		esac
		[ $mode != exclusive ] ||
			json 'all(p["lru_hits"] == p["fifo_hits"]
				for p in s)'
	done
done

# A first level and a cache of its victims are one LRU of both together, but for
# what is written.
sed 's/^w/r/' "$dir/shift" >"$dir/reads"
run 0 "$tmem" replay --json --mode exclusive --l1 4% --size 6% "$dir/reads"
both=$(python3 -c 'import json, sys; r = json.load(open(sys.argv[1]))
print(r["l1_misses"] - r["fifo_hits"])' "$out")
run 0 "$tmem" replay --json --size 10% "$dir/reads"
json "abs(r['lru_misses'] - $both) < 20"

# The same requests in every form. The store's own figures differ a little from
# run to run: its hashes are seeded anew.
same() {
	grep -E '"(mode|requests|distinct|size_pages|gets|refused|.*_misses)"' \
		"$out"
}
run 0 "$tmem" replay --json --size 7% "$dir/shift"
want=$(same)
"$tmem" replay --json --size 7% - <"$dir/shift" >"$out" || fail 'stdin'
[ "$(same)" = "$want" ] || fail 'standard input differs'
printf '%s' "$(cat "$dir/shift")" >"$dir/unended"
run 0 "$tmem" replay --json --size 7% "$dir/unended"
[ "$(same)" = "$want" ] || fail 'without a last newline it differs'
if command -v zstd >/dev/null; then
	{
		head -n 20000 "$dir/shift" | zstd -q
		tail -n +20001 "$dir/shift" | zstd -q
	} >"$dir/packed"
	run 0 "$tmem" replay --json --size 7% "$dir/packed"
	[ "$(same)" = "$want" ] || fail 'zstd differs'
	# shellcheck disable=SC2002 # a pipe is what is tested
	cat "$dir/packed" | "$tmem" replay --json --size 7% - >"$out" ||
		fail 'zstd on stdin'
	[ "$(same)" = "$want" ] || fail 'zstd on standard input differs'
	head -c 20000 "$dir/packed" >"$dir/cut"
	refuse 1 'zstd packed is damaged: cut short' "$tmem" replay "$dir/cut"
	printf 'nonsense%.0s' {1..99} |
		dd of="$dir/packed" bs=1 seek=9000 conv=notrunc status=none
	refuse 1 'zstd packed is damaged' "$tmem" replay "$dir/packed"
fi

# By bytes; with the pages of a file; with agers. Everything is verified.
run 0 "$tmem" replay --json --size 4M --verify --mode exclusive "$dir/shift"
json 'r["size_pages"] == 1024' 'r["limit_bytes"] == 4 << 20' \
	'r["used_bytes"] <= r["limit_bytes"]' 'r["hits"] > 0'
run 0 "$tmem" replay --json --size 2M --verify --agers 2 --content "$tmem" "$dir/scan"
json 'r["hits"] > 0'

# For people, and for eyes.
run 0 "$tmem" replay --sizes 50%,5%,10% --plot "$dir/plot.svg" --mode below "$dir/scan"
for row in 'first level of 2050 pages' 'size .*tmem .*LRU .*FIFO .*S3-FIFO' \
	'^ *50% *10250 ' '^ *5% *1025 ' '^ *10% *2050 '; do
	grep -q "$row" "$out" || fail "no row: $row"
done
[ ! -s "$err" ] || fail 'a progress bar that nobody sees'
python3 - "$dir/plot.svg" <<'END' || fail 'the plot'
import sys
import xml.etree.ElementTree

svg = "{http://www.w3.org/2000/svg}"
root = xml.etree.ElementTree.parse(sys.argv[1]).getroot()
curves = root.findall(".//" + svg + "polyline")
assert len(curves) == 5, len(curves)
for curve in curves:
    xs = [float(p.split(",")[0]) for p in curve.get("points").split()]
    assert len(xs) == 3 and xs == sorted(xs), xs
texts = {t.text for t in root.findall(".//" + svg + "text")}
assert {"tmem", "LRU", "FIFO", "S3-FIFO", "optimal", "5%"} <= texts, texts
END

# Malformed lines are named: 2.
bad() {
	printf '%b' "$2" >"$dir/bad"
	refuse 2 "bad: line $1: neither" "$tmem" replay "$dir/bad"
}
bad 1 'x 1\n'
bad 2 'r 1\nr\n'
bad 2 'r 1\n\nr 2\n'
bad 3 'r 1\nw 2\nr -3\n'
bad 3 'r 1\nw 2\nr  3\n'
bad 1 'r 1 \n'
bad 1 'R 1\n'
bad 1 'r 0x10\n'
bad 1 'r 18446744073709551616\n'
bad 1 'r 1\r\n'
bad 1 'r 1\0002\n'
bad 2 'r 1\nr 1000000000000000000000000000000000000000000000000000000'
bad 2 'r 1\nr'
bad 1 '\n'
(sed 's/^r 18446744073000000123$/r/' "$dir/loop") >"$dir/bad"
if cmp -s "$dir/bad" "$dir/loop"; then
	sed '124s/.*/r/' "$dir/loop" >"$dir/bad"
fi
line=$(grep -n '^r$' "$dir/bad" | head -n 1 | cut -d : -f 1)
refuse 2 "line $line: neither" "$tmem" replay "$dir/bad"
printf 'r 18446744073709551615\nw 0\n' >"$dir/good"
run 0 "$tmem" replay --size 100% --verify "$dir/good"

# Wrong usage: 2. What is not there: 1.
: >"$dir/empty"
refuse 2 'no requests' "$tmem" replay "$dir/empty"
refuse 2 'no TRACE' "$tmem" replay
refuse 2 'only one TRACE' "$tmem" replay "$dir/loop" "$dir/loop"
refuse 2 '--mode: inclusive, exclusive or below' "$tmem" replay --mode x "$dir/loop"
refuse 2 '--size and --sizes' "$tmem" replay --size 1% --sizes 2% "$dir/loop"
for size in 0% 101% 100.1% -1% 1.%  .5% 1.23456% % '' 1K 10%x '10 %' 1e1%; do
	refuse 2 '--size: ".*" is no size' "$tmem" replay --size "$size" "$dir/loop"
	refuse 2 '--sizes: ".*" is no size' "$tmem" replay --sizes "5%,$size" "$dir/loop"
	refuse 2 '--l1: ".*" is no size' "$tmem" replay --l1 "$size" "$dir/loop"
done
refuse 2 '--sizes: at most 64' "$tmem" replay \
	--sizes "$(printf '1%%,%.0s' {1..64})1%" "$dir/loop"
refuse 2 'a store of 64K: .*[0-9]' "$tmem" replay --size 64K "$dir/loop"
refuse 2 '--agers: must be .* 0 to 64' "$tmem" replay --agers 65 "$dir/loop"
refuse 1 'nothing: No such file' "$tmem" replay "$dir/nothing"
refuse 1 'nothing: No such file' "$tmem" replay --content "$dir/nothing" "$dir/loop"
refuse 1 'empty: less than one page' "$tmem" replay --content "$dir/empty" "$dir/loop"
refuse 1 "$dir: Is a directory" "$tmem" replay "$dir"
run 1 "$tmem" replay --plot "$dir/no/plot.svg" "$dir/loop"
grep -q 'plot.svg: No such file' "$err" || fail 'plot: no reason'

# A real trace, the smallest of those that are there.
if [ -d "${TMEM_TRACES-}" ]; then
	real=$(find "$TMEM_TRACES" -name '*.trace.zst' -printf '%s %p\n' |
		sort -n | sed -n '1s/^[0-9]* //p')
	[ -z "$real" ] || {
		run 0 "$tmem" replay --json --size 10% "$real"
		json 'r["optimal_misses"] < r["misses"]' \
			'r["misses"] < 1.02 * r["lru_misses"]' \
			'r["refused"] == 0'
	}
fi
exit $status
