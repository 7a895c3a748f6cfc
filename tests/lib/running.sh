# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
# running.sh - for test scripts: a private daemon, and a client that holds pages.
#
# Whoever sources this has run.sh, and $dir, $tmem and $tmemd. The daemon listens
# at $socket. running_end is for the trap.
# shellcheck disable=SC2034,SC2154

socket=$dir/socket
daemon=
clients=()

# A leak checker wants to trace its own process, which the sandbox forbids.
sandbox=yes
if ldd "$tmemd" | grep -qE 'lib[at]san'; then
	sandbox=no
fi

daemon_start() {
	rm -f "$socket"
	"$tmemd" --config "$dir/conf" --socket "$socket" --sandbox=$sandbox \
		2>>"$dir/log" &
	daemon=$!
	# Its socket is there a moment before it answers.
	for ((i = 0; i < 1000; i++)); do
		"$tmem" status --socket "$socket" >"$dir/started" 2>&1 && return
		sleep 0.01
	done
	cat "$dir/started"
	echo 'the daemon does not start'
	exit 1
}

daemon_end() {
	[ -z "$daemon" ] || kill "$daemon" 2>/dev/null || true
	wait "$daemon" 2>/dev/null || true
	daemon=
}

# clients_start NAME...: a session each, which borrows segments and says what it
# does: puts, gets, hits. In python: no library is needed for what is on the wire.
clients_start() {
	python3 - "$socket" "$@" <<'END' &
import select
import socket
import struct
import sys
import time

sessions = []
for name in sys.argv[2:]:
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.connect(sys.argv[1])
    s.send(struct.pack("=IIIHHIIQQ64s", 1, 104, 0x6d656d74, 1, 1, 0, 0, 0, 0,
                       name.encode()))
    if struct.unpack_from("=I", s.recv(4096))[0] != 64:
        sys.exit("no welcome")
    s.send(struct.pack("=II", 2, 8))              # READY
    s.send(struct.pack("=IIIIQ", 3, 24, 0, 0, 4))  # ASK: 4 ephemeral
    sessions.append(s)
start = time.monotonic()
while sessions:
    for s in select.select(sessions, [], [])[0]:
        message = s.recv(4096)
        if not message:
            sessions.remove(s)
            continue
        if struct.unpack_from("=I", message)[0] == 69:  # REPORT
            n = int((time.monotonic() - start) * 1000)
            s.send(struct.pack("=II24Q", 5, 200, 8 << 20, 2 << 20, 3 << 20, 7,
                               1, 700, 68, 100, 400, 200, 68, n, 0, 0, 0, 0,
                               4 * n, 3 * n, 0, n, n // 2, 10**6 * n, 0, 0))
END
	clients+=($!)
	# A list waits a moment for what they say of themselves.
	for ((i = 0; i < 1000; i++)); do
		"$tmem" list --json --socket "$socket" >"$dir/listed" &&
			have_said "$@" && return
		sleep 0.01
	done
	echo 'the clients do not start'
	exit 1
}

# have_said NAME...: these have, by $dir/listed.
have_said() {
	python3 - "$dir/listed" "$@" <<'END'
import json
import sys

with open(sys.argv[1], encoding="utf-8") as f:
    said = {d["name"] for d in json.load(f) if d["sessions_reported"]}
sys.exit(not said.issuperset(sys.argv[2:]))
END
}

running_end() {
	local pid

	for pid in "${clients[@]}"; do
		kill "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	daemon_end
}
