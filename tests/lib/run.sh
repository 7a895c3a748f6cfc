# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
# run.sh - for test scripts: run a program, and look at what it says.
#
# Whoever sources this has a directory $dir; what the last program printed is in
# $out and $err there, and $status is what the script shall exit with.
# shellcheck disable=SC2034,SC2154

out=$dir/out
err=$dir/err
status=0
: >"$out"
: >"$err"

# Longest that one program may take, seconds; more is a hang.
RUN_SECONDS=${RUN_SECONDS-60}

fail() {
	echo "FAILED: $*"
	head -n 50 "$out" | sed 's/^/  stdout: /'
	sed 's/^/  stderr: /' "$err"
	status=1
}

# run CODE PROGRAM ARGUMENTS...
run() {
	local want=$1 got=0
	shift

	timeout "$RUN_SECONDS" "$@" >"$out" 2>"$err" || got=$?
	[ $got -eq "$want" ] || fail "$*: exit $got, expected $want"
}

# refuse CODE PATTERN PROGRAM ARGUMENTS...: one line on stderr that matches, no
# output.
refuse() {
	local code=$1 pattern=$2
	shift 2

	run "$code" "$@"
	[ "$(wc -l <"$err")" -eq 1 ] || fail "$*: not one line"
	grep -qE -- "$pattern" "$err" || fail "$*: not like $pattern"
	[ ! -s "$out" ] || fail "$*: output"
}

# json EXPRESSION...: each holds for the JSON in $out: r is all of it, s the list
# r["sizes"], or that of r alone.
json() {
	command -v python3 >/dev/null || return 0
	python3 - "$out" "$@" <<'END' || fail "JSON: $*"
import json
import sys

with open(sys.argv[1], encoding="utf-8") as f:
    r = json.load(f)
s = r["sizes"] if "sizes" in r else [r]
for expression in sys.argv[2:]:
    if not eval("(" + expression + ")"):
        sys.exit("does not hold: " + expression)
END
}
