#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# test-json.sh - what a daemon's figures are printed as is what the schemas in
# docs/ say: every key, of its type, and no other.
set -eu

exec python3 - "$TMEM_BUILD" "$TMEM_SOURCE/docs" <<'END'
import json
import socket
import struct
import subprocess
import sys
import tempfile

PATIENCE_S = 20
build, docs = sys.argv[1], sys.argv[2]
faults = []

TYPES = {"object": dict, "array": list, "string": str, "boolean": bool,
         "integer": int, "number": (int, float), "null": type(None)}
KNOWN = {"$schema", "title", "description", "type", "properties", "required",
         "items", "enum", "minimum"}


def is_of(value, name):
    return isinstance(value, TYPES[name]) and (
        name == "boolean" or not isinstance(value, bool))


# As much of JSON Schema as the schemas use; what else they use is a fault. Keys
# may be added in later releases, but this one prints those that it documents.
def check(where, value, schema):
    types = schema["type"]
    types = types if isinstance(types, list) else [types]
    for word in set(schema) - KNOWN:
        faults.append("%s: the schema uses %s" % (where, word))
    if not schema.get("description"):
        faults.append("%s: the schema does not say what it is" % where)
    if not any(is_of(value, name) for name in types):
        faults.append("%s: %r is not of %s" % (where, value, types))
    elif isinstance(value, dict):
        keys = schema["properties"]
        if sorted(keys) != sorted(schema["required"]):
            faults.append("%s: not all keys are required" % where)
        for key in sorted(set(value) ^ set(keys)):
            faults.append("%s.%s: only in %s" % (
                where, key, "JSON" if key in value else "the schema"))
        for key in set(value) & set(keys):
            check(where + "." + key, value[key], keys[key])
    elif isinstance(value, list):
        for i, item in enumerate(value):
            check("%s[%d]" % (where, i), item, schema["items"])
    elif value is not None:
        if "enum" in schema and value not in schema["enum"]:
            faults.append("%s: %r is none of those" % (where, value))
        if value < schema["minimum"] if "minimum" in schema else False:
            faults.append("%s: %r is too little" % (where, value))


def ask(path, *arguments):
    return json.loads(subprocess.run(
        [build + "/tmem", *arguments, "--json", "--socket", path], check=True,
        stdout=subprocess.PIPE, timeout=PATIENCE_S).stdout)


def compare(path, name, *arguments):
    with open("%s/tmem-%s.schema.json" % (docs, name), encoding="utf-8") as f:
        schema = json.load(f)
    answer = ask(path, name, *arguments)
    check(name, answer, schema)
    return answer


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
        # ASK for a segment: one that holds nothing keeps no pages.
        client.send(struct.pack("=IIIIQ", 3, 24, 2, 0, 1))
        if struct.unpack("=I", client.recv(4096)[:4])[0] != 66:
            sys.exit("nothing lent")
        compare(path, "status")
        # One that says nothing of itself, and one that does: STATS.
        if compare(path, "list")[0]["report_age_seconds"] is not None:
            faults.append("list: a report that nobody made")
        client.send(struct.pack("=II24Q", 5, 200, *range(24)))
        domains = compare(path, "list")
        if domains[0]["reports_doubted"]:
            faults.append("list: what can be so is doubted")
        # Its words, by their places in struct tmem_wire_figures.
        for key, word in (("limit_bytes", 0), ("pages_dense", 10),
                          ("puts", 11), ("gets", 16), ("shortages", 23)):
            if domains[0]["claimed_" + key] != word:
                faults.append("list: claimed_%s is another" % key)
        if len(compare(path, "show", "docs")["members"]) != 1:
            faults.append("show: not its one session")
        for command, key in (("freeable", "freeable_bytes"),
                             ("flush", "flushed_bytes")):
            if ask(path, command) != {key: 0}:
                faults.append("%s: not {%s: 0}" % (command, key))
    finally:
        daemon.terminate()
        daemon.wait(PATIENCE_S)

for fault in faults:
    print(fault)
sys.exit(len(faults) > 0)
END
