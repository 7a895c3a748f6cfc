#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# corpora.sh - harvests pages for `tmem bench --corpora`: the heaps of python3,
# of a compiler at work, of redis full of JSON values; shared libraries; text.
# What this machine lacks is skipped with a word. Nothing of it is committed.
#
#	tools/corpora.sh DIR [SIZE]
set -euo pipefail

root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)
harvest=${TMEM_BUILD:-$root/build}/tools/harvest
server=

die() {
	printf 'corpora: %s\n' "$*" >&2
	exit 1
}

skip() {
	printf 'corpora: no %s: %s\n' "$1" "$2" >&2
}

[ $# -eq 1 ] || [ $# -eq 2 ] || die 'usage: tools/corpora.sh DIR [SIZE]'
[ -x "$harvest" ] || die "no $harvest: ./dev build makes it"
mkdir -p "$1"
dir=$(cd "$1" && pwd)
size=${2-64M}
tmp=$(mktemp -d)

finish() {
	if [ -n "$server" ]; then
		kill "$server" 2>/dev/null || true
		wait "$server" 2>/dev/null || true
	fi
	rm -rf "$tmp"
}
trap finish EXIT

# from_process NAME COMMAND...
from_process() {
	local name=$1
	shift
	"$harvest" --size "$size" --out "$dir/$name.pages" -- "$@" \
		</dev/null >"$tmp/out" 2>"$tmp/err" ||
		{
			skip "$name" "$(tail -n 1 "$tmp/err")"
			return 0
		}
	tail -n 1 "$tmp/out" # after what the command itself says
}

# from_files NAME: their names on standard input.
from_files() {
	"$harvest" --size "$size" --out "$dir/$1.pages" --files ||
		skip "$1" 'nothing to read'
}

# ---- processes --------------------------------------------------------------

# Syntax trees of what the interpreter brings along, and the text itself, until
# the harvester has seen enough.
python_program() {
	cat <<'PROGRAM'
import ast
import glob
import os
import sys
import time

kept = []
where = os.path.dirname(os.__file__)
names = sorted(glob.glob(where + "/**/*.py", recursive=True))
for name in names:
    try:
        with open(name, encoding="utf-8") as f:
            text = f.read()
        kept.append((name, text.splitlines(), ast.parse(text)))
    except (OSError, SyntaxError, ValueError, RecursionError):
        continue
time.sleep(120)
sys.exit(1)
PROGRAM
}

# Functions that differ, each with enough in it to be worth optimising.
c_program() {
	awk 'BEGIN {
		for (i = 0; i < 40000; i++) {
			printf "struct s%d { int a, b; long c[%d]; };\n", i, i % 7 + 1
			printf "long f%d(struct s%d *p, long n)\n{\n", i, i
			printf "\tlong sum = %d, i;\n", i * 37
			printf "\tfor (i = 0; i < n; i++) {\n"
			printf "\t\tif (p[i].a > %d)\n", i % 113
			printf "\t\t\tsum += p[i].c[i %% %d] * %d;\n", i % 7 + 1, i % 17 + 3
			printf "\t\telse\n\t\t\tsum ^= (long)p[i].b << %d;\n", i % 31
			printf "\t}\n"
			if (i)
				printf "\treturn n > 9 ? f%d((void *)p, n / 2) : sum;\n}\n", i - 1
			else
				printf "\treturn sum;\n}\n"
		}
	}'
}

json_values() {
	awk -v count="$1" 'BEGIN {
		srand(7)
		split("anna berta carl dora emil fritz gerda hans ida jan", who)
		for (i = 0; i < count; i++) {
			value = sprintf("{\"id\":%d,\"name\":\"%s %s\",", i,
				who[int(rand() * 10) + 1], who[int(rand() * 10) + 1])
			value = value sprintf("\"mail\":\"%08x@example.org\",\"score\":%.6f,",
				rand() * 4294967295, rand())
			value = value "\"tags\":["
			for (n = int(rand() * 12); n >= 0; n--)
				value = value sprintf("\"t%d\"%s", rand() * 5000, n ? "," : "")
			value = value sprintf("],\"session\":\"%08x%08x%08x\",\"active\":%s}",
				rand() * 4294967295, rand() * 4294967295,
				rand() * 4294967295, rand() < 0.5 ? "true" : "false")
			key = "user:" i
			printf "*3\r\n$3\r\nSET\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n", \
				length(key), key, length(value), value
		}
	}'
}

harvest_python() {
	command -v python3 >/dev/null || {
		skip python 'no python3'
		return 0
	}
	python_program >"$tmp/keep.py"
	from_process python python3 "$tmp/keep.py"
}

# The compiler proper, or its driver would be the child that is looked into.
harvest_cc1() {
	local cc1

	cc1=$(gcc -print-prog-name=cc1 2>/dev/null || true)
	[ -x "$cc1" ] || {
		skip cc1 'no gcc'
		return 0
	}
	c_program >"$tmp/large.c"
	from_process cc1 "$cc1" -quiet -O2 "$tmp/large.c" -o /dev/null
}

harvest_redis() {
	local i

	command -v redis-server >/dev/null || {
		skip redis 'no redis-server'
		return 0
	}
	from_process redis redis-server --port 0 --unixsocket "$tmp/redis" \
		--save '' --appendonly no --dir "$tmp" &
	server=$!
	for ((i = 0; i < 100; i++)); do
		[ -S "$tmp/redis" ] && break
		sleep 0.1
	done
	# More than is wanted; it ends when the server was stopped and killed.
	json_values 2000000 | redis-cli -s "$tmp/redis" --pipe \
		>/dev/null 2>&1 || true
	wait "$server" || true
	server=
}

# ---- files ------------------------------------------------------------------

harvest_python
harvest_cc1
harvest_redis
find /usr/lib /lib -xdev -type f -name '*.so*' 2>/dev/null | sort |
	from_files libs
find /usr/include /usr/lib /usr/share -xdev -type f \
	\( -name '*.h' -o -name '*.c' -o -name '*.py' -o -name '*.txt' \) \
	2>/dev/null | sort | from_files text
