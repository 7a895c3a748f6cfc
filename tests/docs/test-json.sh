#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# test-json.sh - the keys that `tmem status` and `tmem list` print are those that
# tmem(1) tells.
set -eu

exec python3 - "$TMEM_BUILD" "$TMEM_SOURCE/man/tmem.1.pod" <<'END'
import json
import re
import socket
import struct
import subprocess
import sys
import tempfile

PATIENCE_S = 20
build, page = sys.argv[1], open(sys.argv[2]).read()
faults = 0


def told(command):
    part = re.search(r"^=head3 JSON of %s\n(.*?)(?=^=head)" % command, page,
                     re.M | re.S).group(1)
    keys = set()
    for item in re.findall(r"^=item (.*?)\n\n", part, re.M | re.S):
        keys |= set(item.replace("\n", " ").replace(" ", "").split(","))
    reasons = re.search(r"^=item refused\n(.*?)(?=^=)", part, re.M | re.S)
    return keys, set(re.findall(r"C<(\w+)>", reasons.group(1))
                     if reasons else [])


def compare(what, printed, in_page):
    global faults
    for key in sorted(set(printed) ^ set(in_page)):
        faults += 1
        print("%s: %s: only in %s" % (what, key,
              "JSON" if key in printed else "tmem(1)"))


def ask(command, path):
    return json.loads(subprocess.run(
        [build + "/tmem", command, "--json", "--socket", path], check=True,
        stdout=subprocess.PIPE, timeout=PATIENCE_S).stdout)


with tempfile.TemporaryDirectory() as directory:
    path = directory + "/socket"
    # Inherited, so that nothing has to wait for the daemon to bind it.
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(path)
    listener.listen()
    daemon = subprocess.Popen(
        ["bash", "-c", 'exec 3<&%d; LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" "$@"'
         % listener.fileno(), build + "/tmemd", "--config", "/dev/null",
         "--budget", "64M", "--sandbox=no"], pass_fds=[listener.fileno()],
        stderr=subprocess.DEVNULL)
    try:
        # HELLO of wire.h: a domain without a session is not listed.
        client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        client.settimeout(PATIENCE_S)
        client.connect(path)
        client.send(struct.pack("=IIIHHIIQQ64s", 1, 104, 0x6d656d74, 1, 1, 0,
                                0, 0, 0, b"docs"))
        if not client.recv(4096):
            sys.exit("no welcome")
        status, domains = ask("status", path), ask("list", path)
    finally:
        daemon.terminate()
        daemon.wait(PATIENCE_S)

keys, reasons = told("status")
compare("status", status, keys)
compare("status, refused", status["refused"], reasons)
compare("list", domains[0], told("list")[0])
sys.exit(faults > 0)
END
