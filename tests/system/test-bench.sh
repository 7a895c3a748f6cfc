#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# test-bench.sh - each benchmark in its tiny form: all figures are there, and
# make sense; what is drawn of them; what it says when it cannot.
set -eu

tmem=${1:-${TMEM_BUILD-.}/tmem}
harvest=${TMEM_BUILD-.}/tools/harvest
if [ ! -x "$tmem" ]; then
	echo "no command at $tmem"
	exit 77
fi
unset TMEM_STORE TMEM_CORPORA

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
# shellcheck source=tests/lib/run.sh
. "${TMEM_SOURCE-.}/tests/lib/run.sh"

# check_json NAME CORPORA [CORPUS COUNT]: keys and figures of $out.
check_json() {
	command -v python3 >/dev/null || return 0
	python3 - "$out" "$@" <<'END' || fail "JSON of $1"
import json
import sys

with open(sys.argv[1], encoding="utf-8") as f:
    r = json.load(f)
name = sys.argv[2]
keys = {
    "lease": """put_own_ns put_leased_ns put_ratio get_own_ns get_leased_ns
        get_ratio miss_ratio death_bytes death_ms stopped_bytes
        stopped_ms""",
    "limits": """put_huge_hot_ns put_huge_cold_ns get_huge_ns put_4k_hot_ns
        put_4k_cold_ns get_4k_ns lookup_dependent_ns lookup_overlapped_ns""",
    "store": """floor_put_ns floor_get_ns put_raw_ns put_raw_ratio get_raw_ns
        get_raw_ratio miss_ns batch_get_ns put_over_ns put_packed_ns
        get_packed_ns packed_pages_pct put_pressed_ns put_pressed_help_ns
        meta_bytes_per_page waste_under_churn_pct ager_cores_under_churn
        scale_2_threads_put scale_2_threads_get
        scale_2_threads_floor_put scale_2_threads_floor_get first_fill_put_ns
        shrink_huge_ms_per_gib shrink_4k_ms_per_gib shrink_4k_ratio
        growth_max_ratio growth_warm_max_ratio""",
    "density": "get_dense_ns dense_pages_pct",
    "tail": "shrink_p999_over_p50 ager_p999_over_p50",
}[name].split()
# Differences of two times: in a tiny form, noise may turn their sign.
signed = {
    "lease": "own_huge_pct leased_huge_pct",
    "limits": "",
    "store": """put_packed_over_ns get_packed_over_ns put_pressed_over_ns
        get_packed_over_cold_ns shrink_memfree_pct""",
    "density": "get_dense_over_ns get_dense_over_cold_ns",
    "tail": "",
}[name].split()
assert r["bench"] == name
for key in keys:
    assert r[key] > 0, key
    assert r["repeats"][key], key
for key in signed:
    assert isinstance(r[key], float), key
m = r["machine"]
for key in "cpu", "kernel", "thp", "governor", "halt_poll_ns", "commit":
    assert isinstance(m[key], str) and m[key], key
assert m["commit"] == "abc123" and m["cores"] > 0 and m["os_page_bytes"] > 0
assert r["request"]["tiny"] is True and r["request"]["size"] > 0
assert r["request"]["corpora"] == sys.argv[3], r["request"]
for key, latency in r["latency"].items():
    assert 0 < latency["p50"] <= latency["p99"] <= latency["p99.9"], key
    assert latency["p99.9"] <= latency["max"] and latency["count"] > 0, key
    pairs = latency["percentiles"]
    assert pairs == sorted(pairs) and pairs[-1][0] == 100, key
if name == "lease":
    pass
elif name == "limits":
    assert len(r["lz4"]) == int(sys.argv[4]), r["lz4"]
    for corpus, (pack, unpack, ratio) in r["lz4"].items():
        assert pack > 0 and unpack > 0 and ratio > 1, corpus
elif name == "density":
    ratios = """packed_vs_zram dense_vs_zram cpu_packed_vs_zram
        cpu_dense_vs_zram put_vs_zram""".split()
    corpora = [v for k, v in r.items() if isinstance(v, dict)
               and "dense_bytes" in v]
    assert len(corpora) == int(sys.argv[4]), corpora
    has_zram = "packed_vs_zram" in r
    for c in corpora:
        for form in "raw", "packed", "dense":
            assert 0 < c[form + "_bytes"] and 0 < c[form + "_cpu_ns"], form
        assert c["packed_bytes"] < c["raw_bytes"], c
        assert c["raw_cpu_ns"] < c["dense_cpu_ns"], c
        assert c["put_ns"] > 0
        assert ("zram_lz4_bytes" in c) == has_zram
    if has_zram:
        for key in ratios:
            values = [c[key] for c in corpora]
            assert min(values) * .99 <= r[key] <= max(values) * 1.01, key
elif name == "tail":
    for kind in "raw", "dense":
        for moment in "steady", "ager", "shrink":
            for op in "get", "put":
                low, mid, high = (r[kind][f"{op}_{moment}_{p}_ns"]
                                  for p in ("p50", "p99", "p999"))
                assert 0 < low <= mid <= high, (kind, op, moment)
    worst = max(r[k]["shrink_p999_over_p50"] for k in ("raw", "dense"))
    assert worst == r["shrink_p999_over_p50"]
else:
    assert m["store_page_bytes"] > 0
    for growth in r["growth"], r["growth_warm"]:
        assert all(len(growth[k]) == 4 for k in ("put", "get", "miss", "floor"))
        assert all(v > 0 for k in ("put", "get", "miss") for v in growth[k])
    pages = r["growth"]["pages"]
    assert pages[3] == 1000 * pages[0], pages
    for kind in "persistent", "ephemeral":
        waste, cores, rate = r["churn"][kind]
        assert 0 < waste < 100 and cores >= 0 and rate > 0, kind
END
}

export TMEM_COMMIT=abc123
run 0 "$tmem" bench limits --tiny --json
check_json limits synthetic 4
run 0 "$tmem" bench lease --tiny --json
check_json lease synthetic
run 0 "$tmem" bench store --tiny --json
check_json store synthetic
[ ! -s "$err" ] || fail 'chatter on stderr'
cp "$out" "$dir/store.json"
run 0 "$tmem" bench tail --tiny --json
check_json tail synthetic
[ ! -s "$err" ] || fail 'chatter on stderr'

# Beside zram where there is one for us, which is gone again afterwards; where
# there is not, that is said, and the rest is measured. Others' tests make some,
# too: one at a time, by a lock on what swap's tests have for the same.
zrams() {
	find /sys/block -name 'zram*' 2>/dev/null | sort
}
if [ -r /dev/loop-control ]; then
	exec 9</dev/loop-control
	flock -w 100 9 || echo 'somebody else has /dev/loop-control'
fi
before=$(zrams)
run 0 "$tmem" bench density --tiny --json
check_json density synthetic 4
if [ -s "$err" ]; then
	grep -q 'no zram to compare with: ' "$err" || fail 'chatter on stderr'
fi
[ "$(zrams)" = "$before" ] || fail 'other zram devices than before'
# However it ends.
"$tmem" bench density >"$out" 2>"$err" &
pid=$!
for _ in $(seq 100); do
	[ "$(zrams)" = "$before" ] || break
	[ ! -s "$err" ] || break
	kill -0 $pid 2>/dev/null || break
	sleep 0.1
done
kill -9 $pid 2>/dev/null || true
wait $pid 2>/dev/null || true
for _ in $(seq 100); do
	[ "$(zrams)" != "$before" ] || break
	sleep 0.1
done
[ "$(zrams)" = "$before" ] || fail 'a zram device was left behind'
exec 9<&-

# For people.
run 0 "$tmem" bench store --tiny
for row in put_raw_ratio get_raw_ratio meta_bytes_per_page growth.put; do
	grep -q "^$row " "$out" || fail "no row: $row"
done

# Drawings: well-formed, with a line for each of what was measured.
run 0 "$tmem" bench plot "$dir/store.json" --out "$dir/plots"
for file in latency growth; do
	[ -s "$dir/plots/$file.svg" ] || fail "no $file.svg"
	grep -q polyline "$dir/plots/$file.svg" || fail "$file.svg: no line"
	grep -qE '[^a-z](nan|inf)' "$dir/plots/$file.svg" &&
		fail "$file.svg: no number"
	if command -v python3 >/dev/null; then
		python3 -c 'import sys, xml.dom.minidom as m; m.parse(sys.argv[1])' \
			"$dir/plots/$file.svg" || fail "$file.svg: no XML"
	fi
done
[ "$(grep -c polyline "$dir/plots/growth.svg")" -eq 8 ] || fail 'growth: lines'

# Pages of files, and of a process that is started for it.
if [ -x "$harvest" ]; then
	mkdir "$dir/corpora"
	seq 200000 >"$dir/numbers"
	echo "$dir/numbers" | "$harvest" --size 1M \
		--out "$dir/corpora/numbers.pages" --files >"$out" 2>"$err" ||
		fail 'harvest --files'
	"$harvest" --size 1M --out "$dir/corpora/awk.pages" -- awk \
		'BEGIN { for (;;) if (i < 100000) a[i] = "value " i++ }' \
		>"$out" 2>"$err" || fail 'harvest of a process'
	for name in numbers awk; do
		[ "$(stat -c %s "$dir/corpora/$name.pages")" -eq 1048576 ] ||
			fail "$name: not 1 MiB"
	done
	"$harvest" --out "$dir/none" -- true >"$out" 2>"$err" &&
		fail 'harvest: nothing, and no complaint'
	[ ! -e "$dir/none" ] || fail 'harvest: a file of nothing'
	run 0 "$tmem" bench limits --tiny --json --corpora "$dir/corpora"
	check_json limits "$dir/corpora" 2
	TMEM_CORPORA=$dir/corpora run 0 "$tmem" bench store --tiny --json
	check_json store "$dir/corpora"
fi

# Wrong usage: 2.
refuse 2 'which one' "$tmem" bench
refuse 2 'no benchmark "nonsense"' "$tmem" bench nonsense
refuse 2 'too many words' "$tmem" bench limits store
refuse 2 '"1Q" is no size' "$tmem" bench store --size 1Q
refuse 2 '8M to 256G' "$tmem" bench store --size 4M
refuse 1 'no part is called so' "$tmem" bench store --tiny --only nonsense
refuse 2 'which file' "$tmem" bench plot
refuse 2 'only bench plot' "$tmem" bench limits --out "$dir"
refuse 2 'no such option: --wrong' "$tmem" bench --wrong

# Understood, and not possible: 1.
refuse 1 'corpora: no such directory' "$tmem" bench limits --tiny \
	--corpora "$dir/missing"
refuse 1 'missing: No such file' "$tmem" bench plot "$dir/missing" --out "$dir"
for text in '' '{' '[1, 2' '{"latency": 7}' 'x' '{"a": "b'; do
	printf '%s' "$text" >"$dir/bad.json"
	refuse 1 'nothing that --json wrote' "$tmem" bench plot "$dir/bad.json" \
		--out "$dir"
done
refuse 1 'Not a directory' "$tmem" bench plot "$dir/store.json" \
	--out "$dir/bad.json/x"
"$tmem" bench limits --tiny --json >/dev/full 2>"$err" &&
	fail 'a full output went unnoticed'
run 0 "$tmem" bench --help
grep -q 'tmem bench' "$out" || fail 'usage'
exit $status
