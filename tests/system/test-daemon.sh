#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# test-daemon.sh - tmemd as an operator meets it: what keeps it from starting is
# told in one line and touches nothing; status and list; the demo on it.
set -eu

build=${TMEM_BUILD-.}
tmem=$build/tmem
tmemd=$build/tmemd
if [ ! -x "$tmem" ] || [ ! -x "$tmemd" ]; then
	echo "no tmem and tmemd in $build"
	exit 77
fi
unset TMEM_STORE NOTIFY_SOCKET LISTEN_FDS LISTEN_PID

dir=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || kill "$pid" 2>/dev/null; rm -rf "$dir"' EXIT
# shellcheck source=tests/lib/run.sh
. "${TMEM_SOURCE-.}/tests/lib/run.sh"
chmod 755 "$dir"
socket=$dir/socket
conf=$dir/conf

# ---- Not starting -----------------------------------------------------------

echo 'budget = 64M' >"$conf"
refuse 1 'directory cannot be opened: No such file' \
	"$tmemd" --config "$conf" --socket "$dir/missing/socket"
refuse 2 'want a path of 1 to 107' \
	"$tmemd" --config "$conf" --socket "/$(printf 'x%.0s' {1..107})"
touch "$dir/file"
refuse 1 'something else is there' \
	"$tmemd" --config "$conf" --socket "$dir/file"
[ -f "$dir/file" ] || fail 'the file is gone'
echo 'budget = 1Q' >"$dir/bad"
refuse 2 'bad:1: budget = 1Q' "$tmemd" --config "$dir/bad" --socket "$socket"
echo 'nonsense = 1' >"$dir/bad"
refuse 2 'bad:1: .*nonsense' "$tmemd" --config "$dir/bad" --socket "$socket"
refuse 2 'no such option|unrecognized|unknown' "$tmemd" --wrong
refuse 2 'missing' "$tmemd" --config "$dir/missing" --socket "$socket"
[ ! -e "$socket" ] || fail 'a socket was left'
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	refuse 1 'cannot listen: Permission denied' setpriv --reuid 65534 \
		--regid 65534 --clear-groups "$tmemd" --config "$conf" \
		--socket "$socket"
fi

# ---- Running ----------------------------------------------------------------

refuse 1 "no daemon answers at $socket" "$tmem" status --socket "$socket"
refuse 1 "no daemon answers at $socket" "$tmem" list --socket "$socket"
# A leak checker wants to trace its own process, which the sandbox forbids.
sandbox=yes
if ldd "$tmemd" | grep -qE 'lib[at]san'; then
	sandbox=no
fi
"$tmemd" --config "$conf" --socket "$socket" --sandbox=$sandbox 2>"$dir/log" &
pid=$!
# Its socket is there a moment before it answers.
for ((i = 0; i < 1000; i++)); do
	"$tmem" status --socket "$socket" >/dev/null 2>&1 && break
	sleep 0.01
done
run 0 "$tmem" status --socket "$socket"
grep -qE "^pid +$pid\$" "$out" || fail 'pid'
grep -qE '^budget +64M$' "$out" || fail 'budget'
run 0 "$tmem" status --json --socket "$socket"
json "r['pid'] == $pid and r['budget_bytes'] == 64 << 20"
json "r['sessions'] == 0 and r['refused']['silent'] == 0"
run 0 "$tmem" list --socket "$socket"
[ "$(wc -l <"$out")" -eq 1 ] || fail 'domains'
run 0 "$tmem" list --json --socket "$socket"
json 'r == []'
refuse 1 'another daemon listens there' \
	"$tmemd" --config "$conf" --socket "$socket"
[ -S "$socket" ] || fail 'the socket is gone'
refuse 2 'no arguments' "$tmem" status x
refuse 2 'no such option: --wrong' "$tmem" list --wrong
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	refuse 1 'control is for root' setpriv --reuid 65534 --regid 65534 \
		--clear-groups "$tmem" status --socket "$socket"
fi

# The demo, as a domain of it.
mkdir "$dir/data"
for i in 1 2 3 4 5 6 7 8; do
	seq $((i * 100000)) $((i * 100000 + 90000)) >"$dir/data/$i"
done
small=(--data 4M --l1 512K --rounds 3)
run 0 "$tmem" demo "${small[@]}" --json --store "unix:$socket" "$dir/data"
json "r['hits'] > 0 and r['pages_differing'] == 0"
run 0 "$tmem" list --json --socket "$socket"
json 'r == []'

# A bad configuration is told and leaves the old one in force; a good one counts.
echo 'budget = 1' >"$conf"
kill -HUP "$pid"
for ((i = 0; i < 1000; i++)); do
	grep -q 'budget = 1' "$dir/log" && break
	sleep 0.01
done
run 0 "$tmem" status --json --socket "$socket"
json "r['budget_bytes'] == 64 << 20"
echo 'budget = 32M' >"$conf"
kill -HUP "$pid"
for ((i = 0; i < 1000; i++)); do
	grep -q 'configuration read' "$dir/log" && break
	sleep 0.01
done
run 0 "$tmem" status --json --socket "$socket"
json "r['budget_bytes'] == 32 << 20"

kill "$pid"
wait "$pid" || fail "exit $?"
pid=
[ ! -e "$socket" ] || fail 'the socket is left'

# ---- The demo on a daemon of its own ------------------------------------------

run 0 "$tmem" demo "${small[@]}" --daemon --pool 4M "$dir/data"
for row in 'domain demo-1' 'domain demo-2' 'segments lent so far'; do
	grep -q "^$row" "$out" || fail "no row: $row"
done
run 0 "$tmem" demo "${small[@]}" --daemon --pool 4M --json "$dir/data"
json "all(r['domains'][d]['hits'] > 0 and
          r['domains'][d]['pages_differing'] == 0
          for d in ('demo-1', 'demo-2'))"
json "r['daemon']['segments_lent'] > 0 and r['daemon']['sessions'] == 0"
refuse 2 '--daemon and --store' "$tmem" demo --daemon --store embedded: /usr
exit $status
