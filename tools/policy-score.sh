#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# policy-score.sh - is the policy good enough? Replays all traces in $TMEM_TRACES
# and says which of its beat lines hold.
#
#	tools/policy-score.sh [PATH-OF-TMEM]
#
#	inclusive	at 5, 10 and 20% of the distinct pages: misses against LRU,
#			each and in the geometric mean; miss ratio less that of a
#			page-exact S3-FIFO, in points
#	exclusive	at 10 and 20%, below a first level of 10%: hits against FIFO
#	below		at 10 and 40%, below the same: hits against LRU
#
# Times are of this machine as it is: let nothing else run.
#
# Exits 0 when all lines hold, 1 when one does not, 2 when it cannot tell.
set -euo pipefail

root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)
tmem=${1:-$root/build/tmem}
if [ ! -x "$tmem" ] || [ ! -d "${TMEM_TRACES-}" ]; then
	echo "policy-score: need $tmem, and \$TMEM_TRACES to name a folder" >&2
	exit 2
fi

python3 - "$tmem" "$TMEM_TRACES" <<'END'
import glob
import json
import math
import os
import subprocess
import sys

tmem, folder = sys.argv[1:]
traces = sorted(glob.glob(os.path.join(folder, "*.trace*")))
if not traces:
    print("policy-score: no *.trace* in", folder, file=sys.stderr)
    sys.exit(2)

# The lines: see the policy's issue and the design's table of beat lines.
MEAN_VS_LRU = -8.0  # percent, geometric mean of misses, at most
CELL_VS_LRU = 2.0  # percent, each cell, at most
CELL_VS_S3FIFO = 1.0  # points of miss ratio, each cell, at most
MEAN_VS_FIFO = {"10%": 18.0, "20%": 3.0}  # percent, mean of hits, at least
CELL_VS_FIFO = -3.0  # percent, each cell, at least
NS_PER_REQUEST = 1000.0  # at most

failed = 0
slowest = 0.0


def replay(trace, mode, sizes):
    out = subprocess.run([tmem, "replay", "--json", "--mode", mode, "--sizes",
                          sizes, trace], check=True, capture_output=True)
    r = json.loads(out.stdout)
    for cell in r["sizes"]:
        # All requests, or those that missed the first level.
        cell["asked"] = cell["hits"] + cell["misses"]
        yield cell


def percent(ours, theirs):
    """Ours more than theirs; with nothing to compare with, nothing."""
    return 100.0 * (ours / theirs - 1) if theirs else 0.0


def mean(percents):
    logs = [math.log(1 + max(p, -99.9) / 100) for p in percents]
    return 100.0 * (math.exp(sum(logs) / len(logs)) - 1)


def verdict(what, value, holds, unit="%"):
    global failed
    failed += not holds
    print(f"  {'ok  ' if holds else 'FAIL'}  {what}: {value:+.2f}{unit}")


def name_of(trace):
    return os.path.basename(trace).split(".trace")[0]


def inclusive():
    global slowest
    print("inclusive: miss ratios")
    print(f"{'trace':14}{'size':>6}{'tmem':>9}{'LRU':>9}{'S3-FIFO':>9}"
          f"{'optimal':>9}{'vs LRU':>10}{'vs S3-FIFO':>12}{'ns/req':>9}")
    vs_lru, vs_s3 = [], []
    for trace in traces:
        for c in replay(trace, "inclusive", "5%,10%,20%"):
            n = c["asked"]
            vs_lru.append(percent(c["misses"], c["lru_misses"]))
            vs_s3.append(100.0 * (c["misses"] - c["s3fifo_misses"]) / n)
            slowest = max(slowest, c["ns_per_request"])
            print(f"{name_of(trace):14}{c['size']:>6}{c['misses'] / n:9.4f}"
                  f"{c['lru_misses'] / n:9.4f}{c['s3fifo_misses'] / n:9.4f}"
                  f"{c['optimal_misses'] / n:9.4f}{vs_lru[-1]:+9.2f}%"
                  f"{vs_s3[-1]:+9.2f} pt{c['ns_per_request']:9.0f}")
    m = mean(vs_lru)
    verdict("mean of misses against LRU", m, m <= MEAN_VS_LRU)
    verdict("worst cell against LRU", max(vs_lru), max(vs_lru) <= CELL_VS_LRU)
    verdict("worst cell against S3-FIFO", max(vs_s3),
            max(vs_s3) <= CELL_VS_S3FIFO, " pt")
    print(f"        mean against S3-FIFO: {sum(vs_s3) / len(vs_s3):+.2f} pt")


def levels(mode, sizes, theirs, label):
    global slowest
    print(f"\n{mode}: share of the first level's misses that hit")
    print(f"{'trace':14}{'size':>6}{'tmem':>9}{label:>9}{'S3-FIFO':>9}"
          f"{'optimal':>9}{'vs ' + label:>10}{'':>12}{'ns/req':>9}")
    vs = {}
    for trace in traces:
        for c in replay(trace, mode, sizes):
            n = c["asked"]
            p = percent(c["hits"], c[theirs])
            vs.setdefault(c["size"], []).append(p)
            slowest = max(slowest, c["ns_per_request"])
            print(f"{name_of(trace):14}{c['size']:>6}{c['hits'] / n:9.4f}"
                  f"{c[theirs] / n:9.4f}{c['s3fifo_hits'] / n:9.4f}"
                  f"{c['optimal_hits'] / n:9.4f}{p:+9.2f}%{'':12}"
                  f"{c['ns_per_request']:9.0f}")
    return vs


inclusive()
for size, cells in levels("exclusive", "10%,20%", "fifo_hits", "FIFO").items():
    m = mean(cells)
    verdict(f"mean of hits against FIFO at {size}", m, m >= MEAN_VS_FIFO[size])
    verdict(f"worst cell against FIFO at {size}", min(cells),
            min(cells) >= CELL_VS_FIFO)
for size, cells in levels("below", "10%,40%", "lru_hits", "LRU").items():
    m = mean(cells)
    if size == "40%":
        verdict("mean of hits against LRU at 4 times the first level", m, m > 0)
    else:
        print(f"        mean of hits against LRU at {size}: {m:+.2f}%")
print()
verdict("slowest request", slowest, slowest <= NS_PER_REQUEST, " ns")
sys.exit(1 if failed else 0)
END
