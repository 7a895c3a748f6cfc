#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# test-top.sh - `tmem top` on terminals of several sizes, driven by keys, while its
# daemon goes and comes back; and what it costs.
set -eu

build=${TMEM_BUILD-.}
source=${TMEM_SOURCE-.}
tmem=$build/tmem
tmemd=$build/tmemd
for program in tmux python3; do
	command -v $program >/dev/null || {
		echo "no $program"
		exit 77
	}
done
unset TMEM_STORE NOTIFY_SOCKET LISTEN_FDS LISTEN_PID TMUX NO_COLOR

dir=$(mktemp -d)
# shellcheck source-path=SCRIPTDIR/../lib
. "$source/tests/lib/run.sh"
# shellcheck source-path=SCRIPTDIR/../lib
. "$source/tests/lib/running.sh"
trap 'mux kill-server 2>/dev/null || true; running_end; rm -rf "$dir"' EXIT

# Looks, of 50 ms and more: a busy machine may be slow, not still.
PATIENCE=800

mux() {
	tmux -S "$dir/tmux" -f /dev/null "$@"
}

# open COLUMNS LINES [ARGUMENTS...]: top in a new terminal.
open() {
	local columns=$1 lines=$2
	shift 2

	rm -f "$dir/code"
	mux new-session -d -x "$columns" -y "$lines" -s top \
		"LC_ALL=C.UTF-8 $tmem top --socket $socket $* 2>$dir/said
		echo \$? >$dir/code; sleep 60"
}

keys() {
	mux send-keys -t top "$@"
}

# screen: what is shown, in $out.
screen() {
	mux capture-pane -p -t top >"$out"
}

# until_shown PATTERN: look again until a line matches.
until_shown() {
	for ((i = 0; i < PATIENCE; i++)); do
		screen
		grep -qE -- "$1" "$out" && return
		sleep 0.05
	done
	fail "never shown: $1"
}

until_gone() {
	for ((i = 0; i < PATIENCE; i++)); do
		screen
		grep -qE -- "$1" "$out" || return 0
		sleep 0.05
	done
	fail "still shown: $1"
}

# top_pid: the shell's child.
top_pid() {
	pgrep -P "$(mux list-panes -t top -F '#{pane_pid}')"
}

# ended: by itself, well, and without a word.
ended() {
	for ((i = 0; i < PATIENCE; i++)); do
		[ -s "$dir/code" ] && break
		sleep 0.05
	done
	[ "$(cat "$dir/code" 2>/dev/null)" = 0 ] || fail "$1: no good end"
	[ ! -s "$dir/said" ] || fail "said: $(cat "$dir/said")"
	mux kill-session -t top
}

quit() {
	keys q
	ended 'q'
}

# Figures become 9s, so that screens can be compared.
still() {
	sed -E 's/[0-9]+(\.[0-9]+)?[kMG]?/9/g; s/[▁▂▃▄▅▆▇█]+/|/g; s/ +/ /g; s/ $//' \
		"$out"
}

echo 'budget = 64M' >"$dir/conf"
echo 'floor = 0' >>"$dir/conf"
daemon_start

# ---- No terminal, no daemon ------------------------------------------------------

refuse 1 'top wants a terminal' "$tmem" top --socket "$socket"
mux new-session -d -x 80 -y 24 -s top \
	"TERM=nonsense $tmem top --socket $socket 2>$dir/said; echo \$? >$dir/code"
for ((i = 0; i < PATIENCE; i++)); do
	[ -s "$dir/code" ] && break
	sleep 0.05
done
grep -q 'top wants a terminal' "$dir/said" || fail 'an unknown terminal'
[ "$(cat "$dir/code")" = 1 ] || fail 'exit code without a terminal'
mux kill-session -t top 2>/dev/null || true
: >"$dir/said"
open 80 24
until_shown 'no domains: nobody uses this daemon yet'
quit

# ---- Sizes -----------------------------------------------------------------------

clients_start web db
run 0 "$tmem" freeze db --socket "$socket"
open 80 24 --sort name
until_shown '^ .*web .* 75\.0 '
cat >"$dir/want" <<'END'
tmem top - up 9:9:9, utility, 9 domains, 9 sessions 9:9:9
lent 9 of 9 [#---------------] freeable 9 avail 9, floor 9
PSI some 9% full 9% budget: settings, +9 -9 tmemd 9% agers 9%
by name
 DOMAIN LENT ENTITL OF% FORMS RATIO HIT% OPS/s GHO/s EVI/s AGER%
>Fdb 9 9 9 srrrrppd 9 9 9 9 9 9
 web 9 9 9 srrrrppd 9 9 9 9 9 9
END
for ((i = 0; i < PATIENCE; i++)); do
	screen
	still | head -n 7 |
		sed -E 's/\[#*-*\]/[#---------------]/; s/floor 9.*/floor 9/' \
			>"$dir/have"
	cmp -s "$dir/want" "$dir/have" && break
	sleep 0.05
done
diff "$dir/want" "$dir/have" || fail 'the screen of 80 by 24'
grep -qE '^ db: 1 session, weight 100, min 0, cap 64.0M.*, frozen' "$out" ||
	fail panel
grep -qE '^ hit% .* 75\.0$' "$out" || fail 'history'
grep -qE '^q quit' "$out" || fail 'keys'
# fits COLUMNS LINES: the screen, or $wrong says what is not right with it.
fits() {
	local columns=$1 lines=$2

	screen
	wrong='too wide'
	[ "$(wc -L <"$out")" -le "$columns" ] || return
	wrong='no line'
	[ "$lines" -lt 8 ] || grep -qE '^>Fdb ' "$out" || return
	wrong='no room used'
	[ "$columns" -lt 120 ] || grep -q 'LAST MINUTES' "$out" || return
	wrong='too much'
	[ "$columns" -gt 60 ] || ! grep -q 'AGER' "$out"
}
for size in '120 40' '200 60' '60 15' '40 8' '20 4' '10 2' '80 24'; do
	read -r columns lines <<<"$size"
	mux resize-window -t top -x "$columns" -y "$lines"
	sleep 0.3 # what was shown before may fit, too
	for ((i = 0; i < PATIENCE; i++)); do
		fits "$columns" "$lines" && break
		sleep 0.05
	done
	[ $i -lt $PATIENCE ] || fail "$size: $wrong"
done

# ---- Keys ------------------------------------------------------------------------

until_shown '^by name$'
keys '>'
until_shown '^by lent$'
keys '<' '<'
until_shown '^by agers$'
keys r
until_shown '^by agers, reversed$'
keys r '>'
until_shown '^by name$'
keys Down Down
until_shown '^> web'
keys Up
until_shown '^>Fdb'
keys '?'
until_shown '^ q +quit'
keys '?'
until_gone '^ q +quit'
keys / D x BSpace B Enter
until_shown 'filter "DB": 1 of 2'
until_gone '^.{2}web '
keys / Escape
until_shown '^.{2}web '
keys / n o n e
until_shown 'no domain has "none" in its name'
keys Escape
until_shown '^.{2}web '
keys Space
until_shown ', paused'
keys Space
until_gone ', paused'

# ---- The daemon goes, stops, comes back -------------------------------------------

kill -STOP "$daemon"
until_shown 'the daemon has not answered for [0-9]+ s'
keys '?'
until_shown '^ q +quit' # not stopped by that
keys '?'
kill -CONT "$daemon"
until_gone 'has not answered'
daemon_end
until_shown 'trying again'
screen
grep -qE '^.{2}web ' "$out" || fail 'the last picture is gone'
daemon_start
until_gone 'trying again'
until_shown 'no domains'
clients=()
clients_start web

# ---- What it costs: at most 2% of a core, here with a bound of 10 -----------------

until_shown '^.{2}web '
pid=$(top_pid)
ticks() {
	awk '{ print $14 + $15 }' "/proc/$pid/stat"
}
for _ in 1 2 3; do
	before=$(ticks)
	sleep 3
	used=$(($(ticks) - before))
	[ "$used" -gt $((3 * $(getconf CLK_TCK) / 10)) ] || break
done
[ "$used" -le $((3 * $(getconf CLK_TCK) / 10)) ] || fail "CPU: $used ticks in 3 s"
quit

# ---- Signals, and something to watch -----------------------------------------------

open 80 24
until_shown '^by lent'
keys C-c
ended Ctrl-C
open 80 24 --demo
until_shown '^.{2}libraries '
until_shown '^.{2}documents '
pid=$(top_pid)
mapfile -t children < <(pgrep -P "$pid")
[ ${#children[@]} -eq 3 ] || fail 'not a daemon and two programs'
quit
for child in "${children[@]}"; do
	! kill -0 "$child" 2>/dev/null || fail 'a process is left'
done
exit $status
