#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# policy-shapes.sh - made-up traces, to see that the policy is not good at real
# ones only. The same every time.
#
#	tools/policy-shapes.sh FOLDER
#	TMEM_TRACES=FOLDER tools/policy-score.sh
#
# 600000 requests each, for about 40000 pages; the lines of policy-score.sh are
# for real traces and do not all hold here.
set -euo pipefail

if [ $# -ne 1 ] || [ ! -d "$1" ]; then
	echo "usage: policy-shapes.sh FOLDER" >&2
	exit 2
fi

python3 - "$1" <<'END'
import bisect
import itertools
import os
import random
import sys

PAGES = 40000
REQUESTS = 600000
rng = random.Random(7)


def zipf(pages, exponent):
    sums = list(itertools.accumulate(
        (i + 1) ** -exponent for i in range(pages)))
    order = list(range(pages))
    rng.shuffle(order)
    return lambda: order[bisect.bisect(sums, rng.random() * sums[-1])]


def loop(pages):
    """All pages once, so that sizes in percent are of as many."""
    for i in range(REQUESTS):
        yield i % pages if i >= PAGES else i


def scans_over_hot(hot):
    scanned = 0
    for _ in range(REQUESTS):
        if rng.random() < 0.6:
            yield hot()
        else:
            scanned += 1
            yield 9000 + scanned % 31000


def moving():
    for i in range(REQUESTS):
        yield (i // 30000 * 1500 + rng.randrange(8000)) % PAGES


def in_turn(hot):
    for i in range(REQUESTS):
        phase = i // 75000 % 4
        if phase == 0:
            yield hot()
        elif phase == 1:
            yield 100000 + i % 7500
        elif phase == 2:
            yield 200000 + i % 12000
        else:
            yield 300000 + i % PAGES if rng.random() < 0.5 else hot()


hot = zipf(PAGES, 0.9)
mild = zipf(PAGES, 0.7)
shapes = {
    "zipf-0.9": (hot() for _ in range(REQUESTS)),
    "zipf-0.7": (mild() for _ in range(REQUESTS)),
    "loop-7500": loop(7500),
    "loop-10000": loop(10000),
    "loop-16000": loop(16000),
    "scans": scans_over_hot(zipf(9000, 0.6)),
    "moving": moving(),
    "in-turn": in_turn(hot),
}
for name, pages in shapes.items():
    path = os.path.join(sys.argv[1], name + ".trace")
    with open(path, "w", encoding="ascii") as f:
        f.writelines(f"r {page}\n" for page in pages)
END
