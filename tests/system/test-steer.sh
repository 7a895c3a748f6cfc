#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# test-steer.sh - every command that talks to a daemon, as people type it: what it
# says, and every way in which it says no, in one line.
set -eu

build=${TMEM_BUILD-.}
source=${TMEM_SOURCE-.}
tmem=$build/tmem
tmemd=$build/tmemd
if [ ! -x "$tmem" ] || [ ! -x "$tmemd" ] || ! command -v python3 >/dev/null; then
	echo 'no tmem, no tmemd or no python3'
	exit 77
fi
unset TMEM_STORE NOTIFY_SOCKET LISTEN_FDS LISTEN_PID

dir=$(mktemp -d)
chmod 755 "$dir"
# shellcheck source-path=SCRIPTDIR/../lib
. "$source/tests/lib/run.sh"
# shellcheck source-path=SCRIPTDIR/../lib
. "$source/tests/lib/running.sh"
trap 'running_end; rm -rf "$dir"' EXIT
at=(--socket "$socket")

# ---- Without a daemon, or a sensible word ----------------------------------------

for command in status list 'show x' freeable flush 'set weight=1' freeze thaw \
	policy 'policy greedy' 'evict --yes x' top; do
	# shellcheck disable=SC2086 # words
	refuse 1 "no daemon answers at $socket" "$tmem" $command "${at[@]}"
done
refuse 2 'want no arguments; see tmem status' "$tmem" status x
refuse 2 'want no arguments; see tmem list' "$tmem" list x
refuse 2 'want no arguments; see tmem top' "$tmem" top x
refuse 2 'want one DOMAIN; see tmem show' "$tmem" show
refuse 2 'want one DOMAIN; see tmem show' "$tmem" show a b
refuse 2 'want one DOMAIN; see tmem evict' "$tmem" evict --yes
refuse 2 'at most one DOMAIN' "$tmem" freeable a b
refuse 2 'at most one DOMAIN' "$tmem" flush a b
refuse 2 'at most one DOMAIN' "$tmem" freeze a b
refuse 2 'at most one DOMAIN' "$tmem" thaw a b
refuse 2 'at most one NAME' "$tmem" policy a b
refuse 2 'want KEY=VALUE; see tmem set' "$tmem" set
refuse 2 'want KEY=VALUE behind the domain' "$tmem" set web
refuse 2 'x: want KEY=VALUE' "$tmem" set web weight=1 x
refuse 2 '=3: want KEY=VALUE' "$tmem" set web =3
refuse 2 'want KEY=VALUE' "$tmem" set web $'weight=\n1'
refuse 2 'want KEY=VALUE' "$tmem" set web $'weight=\xff'
refuse 2 'at most 1024 bytes' "$tmem" set web "weight=$(printf '1%.0s' {1..1100})"
refuse 2 'name of 1 to 63' "$tmem" set '' weight=1
refuse 2 'name of 1 to 63' "$tmem" freeze "$(printf 'x%.0s' {1..64})"
# shellcheck disable=SC2046 # words
refuse 2 'more than 64 arguments' "$tmem" set $(printf 'a=%d ' {1..65})
for size in 0 -1 1Q '' 1M1 18446744073709551616; do
	refuse 2 'want bytes' "$tmem" flush "--size=$size"
done
refuse 2 'a value must follow --size' "$tmem" flush --size
refuse 2 'no value may follow' "$tmem" list --json=yes
refuse 2 'no such option: --wrong' "$tmem" show --wrong x
for seconds in 0 0.01 x 1x 1e9 nan -1; do
	refuse 2 'from 0.1 to 3600' "$tmem" top "--interval=$seconds"
done
refuse 2 'want name, lent' "$tmem" top --sort=colour
refuse 2 'no terminal to ask on' "$tmem" evict x </dev/null

# What answers is no daemon, or one that says nonsense.
python3 - "$socket" "$source/tests/lib" <<'END' &
import struct
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[2])
import pretender

listener = pretender.listen(sys.argv[1])


def answer(*messages):
    s = listener.accept()[0]
    for message in messages:
        if s.recv(4096):
            s.send(message)
    s.close()


def domain(number, name):
    return name.ljust(64, b"\xff") + struct.pack("=Q", number) + bytes(320)


def listed(count, *domains):
    body = b"".join(domains)
    return struct.pack("=IIII", 81, 16 + len(body), count, 0) + body


status = struct.pack("=II", 80, 424) + bytes(416)
answer(b"x")
answer(struct.pack("=II", 80, 8))
answer(status[:-8])
answer(status, listed(10, domain(1, b"a\0")))
answer(status, listed(2, domain(2, b"a\0"), domain(1, b"b\0")))
answer(status, listed(1, domain(1, b"no end")))
answer(status, listed(2, domain(1, b"\xff\xfe\x1b[31m\\\n\0"),
                      domain(2, b"x" * 63 + b"\0")))
answer(status, listed(1, domain(1, b"\xff\xfe\x1b[31m\0")))
END
clients+=($!)
for ((i = 0; i < 1000; i++)); do
	[ -S "$socket" ] && break
	sleep 0.01
done
refuse 1 'Protocol error' "$tmem" status "${at[@]}"
refuse 1 'no tmemd, or of another release' "$tmem" status "${at[@]}"
refuse 1 'Protocol error' "$tmem" status "${at[@]}"
refuse 1 'makes no sense' "$tmem" list "${at[@]}"
refuse 1 'makes no sense' "$tmem" list "${at[@]}"
refuse 1 'makes no sense' "$tmem" list "${at[@]}"
# Names that are none end no line and steer no terminal.
run 0 "$tmem" list "${at[@]}"
[ "$(wc -l <"$out")" -eq 3 ] || fail 'three lines'
! grep -q $'\x1b' "$out" || fail 'an escape came through'
run 0 "$tmem" list --json "${at[@]}"
json 'r[0]["name"].startswith("\ufffd\ufffd\x1b")'
wait "${clients[0]}"
clients=()

# Flush ends though all that is taken is borrowed again at once: 300M are there.
rm -f "$socket"
python3 - "$socket" "$source/tests/lib" <<'END' &
import struct
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[2])
import pretender

FLUSH = 25


def refill(verb, reply):
    if struct.unpack("=I", verb[:4])[0] != FLUSH:
        return reply
    return pretender.message(83, struct.pack("=IIQQ512s", 1, 1, 64 << 20, 0, b""))


pretender.Pretender(sys.argv[1], ["a"], refill)
time.sleep(60)
END
clients+=($!)
for ((i = 0; i < 1000; i++)); do
	[ -S "$socket" ] && break
	sleep 0.01
done
run 0 timeout 30 "$tmem" flush --json "${at[@]}"
json 'r["flushed_bytes"] == 320 << 20'
kill "${clients[0]}"
wait "${clients[0]}" 2>/dev/null || true
clients=()
rm -f "$socket"

# ---- A daemon and its domains ----------------------------------------------------

printf 'budget = 64M\nfloor = 0\nmax-sessions = 4000\n[domain kept]\nmin = 16M\n' \
	>"$dir/conf"
daemon_start
clients_start web db a=b
run 0 "$tmem" show web "${at[@]}"
grep -qE '^domain web$' "$out" || fail 'show'
grep -qE '^  raw +400$' "$out" || fail 'pages by form'
run 0 "$tmem" show web --json "${at[@]}"
json 'len(r["members"]) == 1 and r["claimed_pages_dense"] == 68' \
	'r["lent_ephemeral_bytes"] == r["freeable_bytes"] > 0'
# freeable was always 0 in some of the old tools.
run 0 "$tmem" freeable web --json "${at[@]}"
json 'r["freeable_bytes"] > 0'
cp "$out" "$dir/freeable"
run 0 "$tmem" freeable "${at[@]}"
grep -qE '^[0-9.]+[KMG]$' "$out" || fail 'freeable for people'
run 0 "$tmem" flush web --json "${at[@]}"
[ "$(tr -d -c 0-9 <"$out")" = "$(tr -d -c 0-9 <"$dir/freeable")" ] ||
	fail 'flush is not what was freeable'
run 0 "$tmem" freeable web --json "${at[@]}"
json 'r["freeable_bytes"] == 0'
run 0 "$tmem" flush --size 1 "${at[@]}"
! grep -qx 0 "$out" || fail 'a byte is a segment'
for command in 'show' 'freeable' 'flush' 'freeze' 'thaw' 'evict --yes'; do
	# shellcheck disable=SC2086 # words
	refuse 1 'no domain "nobody"; `tmem list. tells' \
		"$tmem" $command nobody "${at[@]}"
done
refuse 1 'no domain "nobody"' "$tmem" set nobody weight=1 "${at[@]}"

# Several at once; a later one does not undo an earlier one.
run 0 "$tmem" set web weight=300 cap=32M "${at[@]}"
run 0 "$tmem" set web min=1M "${at[@]}"
run 0 "$tmem" show web --json "${at[@]}"
json 'r["weight"] == 300 and r["cap_bytes"] == 32 << 20' \
	'r["min_bytes"] == 1 << 20 and not r["frozen"]'
refuse 1 'cap=1Q: want bytes' "$tmem" set web weight=7 cap=1Q "${at[@]}"
refuse 1 'min is 48M, and the cap is 32M' \
	"$tmem" set web weight=7 min=48M "${at[@]}"
refuse 1 'all minimums are 81M, and the budget is 64M' \
	"$tmem" set db min=64M "${at[@]}"
refuse 1 'given twice' "$tmem" set web weight=1 weight=2 "${at[@]}"
refuse 1 'colour: no such key' "$tmem" set web colour=1 "${at[@]}"
refuse 1 'leave out the domain' "$tmem" set web budget=1G "${at[@]}"
refuse 1 'of a domain; name one' "$tmem" set weight=1 "${at[@]}"
refuse 1 'socket: takes a restart' "$tmem" set socket=/x "${at[@]}"
refuse 1 'whose a name is' "$tmem" set web uid=1 "${at[@]}"
run 0 "$tmem" show web --json "${at[@]}"
json 'r["weight"] == 300 and r["min_bytes"] == 1 << 20'
run 0 "$tmem" set kept weight=2 "${at[@]}"
run 0 "$tmem" set --domain a=b weight=9 "${at[@]}"
run 0 "$tmem" show a=b --json "${at[@]}"
json 'r["weight"] == 9'
run 0 "$tmem" set budget=96M floor=1M "${at[@]}"
run 0 "$tmem" status --json "${at[@]}"
json 'r["budget_maximum_bytes"] == 96 << 20 and r["floor_bytes"] == 1 << 20'
run 0 "$tmem" policy "${at[@]}"
grep -qx utility "$out" || fail 'policy'
run 0 "$tmem" policy weighted "${at[@]}"
run 0 "$tmem" policy "${at[@]}"
grep -qx weighted "$out" || fail 'policy'
refuse 1 'want greedy, static' "$tmem" policy best "${at[@]}"

# Freeze all holds for those to come; thaw all thaws all.
run 0 "$tmem" freeze db "${at[@]}"
run 0 "$tmem" freeze "${at[@]}"
clients_start later
run 0 "$tmem" list --json "${at[@]}"
json 'all(d["frozen"] for d in r) and len(r) == 4'
run 0 "$tmem" status --json "${at[@]}"
json 'r["frozen"]'
refuse 1 'every domain is frozen' "$tmem" thaw web "${at[@]}"
run 0 "$tmem" thaw "${at[@]}"
run 0 "$tmem" list --json "${at[@]}"
json 'not any(d["frozen"] for d in r)'

# What was set is logged, and the file's word counts again once it is read.
grep -q 'set domain=web value="\?weight=300' "$dir/log" || fail 'not logged'
kill -HUP "$daemon"
for ((i = 0; i < 1000; i++)); do
	grep -q 'configuration read' "$dir/log" && break
	sleep 0.01
done
run 0 "$tmem" show web --json "${at[@]}"
json 'r["weight"] == 100'

# Evict asks on a terminal, and ends who does not answer.
if command -v script >/dev/null; then
	script -qec "$tmem evict web --socket $socket" "$dir/typed" <<<n \
		>"$out" 2>&1 && fail 'evicted though nobody wanted it'
	grep -q 'Destroy all of them' "$out" || fail 'not asked'
	run 0 "$tmem" show web "${at[@]}"
fi
run 0 "$tmem" evict web --yes "${at[@]}"
grep -q '^web: lost 700 ephemeral and 68 persistent pages' "$out" ||
	fail 'what was lost'
grep -q '^web: 1 of 1 sessions did not answer and was ended' "$out" ||
	fail 'who was ended'
refuse 1 'no domain "web"' "$tmem" show web "${at[@]}"

# Those who may not, may not.
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	for command in status list 'show db' 'set db weight=1' freeze flush \
		'policy greedy' 'evict --yes db' top; do
		# shellcheck disable=SC2086 # words
		refuse 1 'control is for root' setpriv --reuid 65534 \
			--regid 65534 --clear-groups "$tmem" $command "${at[@]}"
	done
fi

# ---- A thousand domains ----------------------------------------------------------

# The old list ran over its buffer. Here: each once, names of any length; the beat
# line of 50 ms is for an idle machine and real clients (docs/performance.md).
mapfile -t names < <(for ((i = 0; i < 1000; i++)); do
	printf 'domain-%04d-%0*d\n' "$i" $((i % 40 + 1)) 0
done)
ulimit -n 4096 2>/dev/null || true
clients_start "${names[@]}"
start=$(date +%s%N)
run 0 "$tmem" list "${at[@]}"
took=$((($(date +%s%N) - start) / 1000000))
[ $took -le 2000 ] || fail "1,000 domains took $took ms"
[ "$(grep -c '^domain-' "$out")" -eq 1000 ] || fail 'not 1,000'
run 0 "$tmem" list --json "${at[@]}"
json 'len({d["name"] for d in r}) == len(r) == 1003'
exit $status
