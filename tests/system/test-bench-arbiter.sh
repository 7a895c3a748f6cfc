#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# test-bench-arbiter.sh - `./dev bench fairness` and `reclaim` in their tiny form:
# all figures are there, within bounds that a broken arbiter would not keep, and
# the drawings are drawings.
set -eu

build=${TMEM_BUILD-.}
for program in tmemd bench/fairness bench/reclaim; do
	if [ ! -x "$build/$program" ]; then
		echo "no $program in $build"
		exit 77
	fi
done
if ! command -v python3 >/dev/null; then
	echo "no python3 to look at JSON with"
	exit 77
fi
unset TMEM_STORE NOTIFY_SOCKET LISTEN_FDS LISTEN_PID

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
status=0

fail() {
	echo "FAILED: $*"
	sed 's/^/  /' "$dir/$1.json" "$dir/$1.err" | head -n 60
	status=1
}

# run NAME: its figures are in NAME.json, drawings in a directory.
run() {
	timeout 130 "$build/bench/$1" --tiny --json --out "$dir" \
		>"$dir/$1.json" 2>"$dir/$1.err"
}

# check NAME, with Python that looks at `r`.
check() {
	python3 -c '
import json
import sys

r = json.load(open(sys.argv[1], encoding="utf-8"))
assert r["bench"] == sys.argv[2]
assert r["request"]["tiny"] is True and r["request"]["size"] > 0
assert r["machine"]["cpu"] and r["machine"]["cores"] > 0


def within(key, low, high, of=r):
    assert low <= of[key] <= high, (key, of[key], low, high)


exec(sys.stdin.read())
' "$dir/$1.json" "$1"
}

# drawing NAME FILE LINE...: it is XML, and has these lines, of numbers.
drawing() {
	local name=$1 file=$2
	shift 2
	python3 - "$dir/$file" "$@" <<'END' || fail "$name" "$file"
import math
import sys
import xml.etree.ElementTree as xml

root = xml.parse(sys.argv[1]).getroot()
ns = "{http://www.w3.org/2000/svg}"
width, height = float(root.get("width")), float(root.get("height"))
lines = root.findall(ns + "polyline")
texts = [t.text for t in root.findall(ns + "text")]
assert len(lines) == len(sys.argv) - 2, len(lines)
for name in sys.argv[2:] + ["seconds"]:
    assert name in texts, (name, texts)
for line in lines:
    points = [tuple(map(float, p.split(",")))
              for p in line.get("points").split()]
    # A tiny run may be over before one of them is seen.
    for x, y in points:
        assert math.isfinite(x + y) and 0 <= x <= width and 0 <= y <= height
    assert points == sorted(points, key=lambda p: p[0])
assert sum(len(l.get("points").split()) for l in lines) >= 4
END
}

# ---- fairness ---------------------------------------------------------------

cat >"$dir/fairness.py" <<'END'
policies = "greedy", "static", "weighted", "utility"
domains = "early", "phased", "late", "scanner"
for d in domains:
    within(d, .001, 120, r["alone_s"])
for p in policies:
    slow = [r[p + "_slowdown"][d] for d in domains]
    assert min(slow) > .1 and max(slow) < 100, (p, slow)
    jain = sum(slow) ** 2 / (4 * sum(s * s for s in slow))
    assert abs(jain - r[p + "_jain"]) < .01, (p, jain)
    slowest = max(s * r["alone_s"][d] for s, d in zip(slow, domains))
    assert abs(slowest - r[p + "_slowest_s"]) < .01 * slowest + .01, p
sooner = 100 * (1 - r["utility_slowest_s"] / r["greedy_slowest_s"])
assert abs(sooner - r["utility_sooner_pct"]) < .1, sooner
# These need no long run: memory alone.
within("weighted_split_error_pts", 0, 3)
within("below_entitlement_pct", 0, 10)
within("below_wanting_pct", 10, 100)
within("below_attacked_pct", 10, 100)
within("greedy_below_pct", 50, 100)
END
# Once more if figures are out of bounds: others on the machine change them.
for last in '' 1; do
	run fairness || fail fairness "exit $?"
	check fairness <"$dir/fairness.py" 2>"$dir/why" && break
	[ -z "$last" ] || {
		cat "$dir/why"
		fail fairness 'JSON'
	}
done
for policy in greedy static weighted utility; do
	drawing fairness "fairness-$policy.svg" early phased late scanner
done
drawing fairness fairness-split.svg light heavy
for policy in greedy utility; do
	drawing fairness "fairness-below-$policy.svg" victim 'flood 1' 'flood 2'
done

# ---- reclaim ----------------------------------------------------------------

# reclaimed: its figures are there, and can be so. It may all be back by the time that
# the floor is crossed.
reclaimed() {
	run reclaim && check reclaim <<'END'
within("reclaim_1gib_ms", 0, 5000)
within("reclaim_notice_ms", -1000, r["reclaim_1gib_ms"] + 1)
assert r["repeats"]["reclaim_1gib_ms"]
END
}

# It needs room, and for a second nobody else who takes or frees as much: builds do,
# and other tests.
reclaimed_at_last() {
	local try

	for try in 1 2 3; do
		if reclaimed 2>>"$dir/check.err"; then
			return
		fi
		echo "reclaim: try $try: $(cat "$dir/reclaim.err" "$dir/check.err")"
		sleep 2
	done
	return 1
}

if reclaimed_at_last; then
	drawing reclaim reclaim.svg lent 'the other process' MemAvailable floor
elif grep -qE 'are available; the least is|is memory short' \
	"$dir/reclaim.err"; then
	echo 'reclaim: not enough memory here, or not at rest; left out'
else
	fail reclaim 'no figures'
fi
exit $status
