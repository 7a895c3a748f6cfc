#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# test-rooms.sh - the rooms of a layer call each other one way: in the order that
# its table in ARCHITECTURE.md tells, which has all of them.
set -eu

python3 - "$TMEM_SOURCE/ARCHITECTURE.md" "$TMEM_BUILD/src" <<'END'
import fnmatch
import re
import subprocess
import sys

LAYERS = ("engine", "tmemd")


def told(page, layer):
    """Names and patterns in their order; the second column is prose."""
    table = page.split("| room of %s | noun |\n|---|---|\n" % layer)[1]
    return [name for row in table.split("\n\n")[0].splitlines()
            for name in re.findall("`([^`]+)`", row.split("|")[1])]


def built(archive):
    """Which room a symbol is in, and which room uses which symbol."""
    owners, uses = {}, []
    # "ARCHIVE:MEMBER: ADDRESS TYPE SYMBOL", where MEMBER is "LAYER_ROOM.c.o".
    for line in subprocess.check_output(["nm", "-A", archive],
                                        text=True).splitlines():
        room = re.search(r"_([a-z0-9-]+)\.c\.o:", line).group(1)
        kind, symbol = line.split()[-2:]
        if kind == "U":
            uses.append((room, symbol))
        elif kind in "BDRT":
            owners[symbol] = room
    return owners, uses


def look(layer, order, owners, uses):
    rooms, faults, places = set(owners.values()), [], {}
    for room in rooms:
        at = [i for i, name in enumerate(order) if fnmatch.fnmatch(room, name)]
        if len(at) == 1:
            places[room] = at[0]
        else:
            faults.append("%s.c is in the table %d times, not once"
                          % (room, len(at)))
    for name in order:
        if not fnmatch.filter(rooms, name):
            faults.append("the table has %s, and there is no such room" % name)
    calls = [(room, symbol, owners[symbol]) for room, symbol in uses
             if room in places and owners.get(symbol) in places]
    for room, symbol, owner in calls:
        if places[owner] < places[room]:
            faults.append("%s.c calls %s() of %s.c, which stands before it"
                          % (room, symbol, owner))
    print("%s: %d rooms, %d calls" % (layer, len(places), len(calls)))
    return ["%s: %s" % (layer, fault) for fault in sorted(faults)]


page = open(sys.argv[1]).read()
faults = [fault for layer in LAYERS
          for fault in look(layer, told(page, layer), *built(
              "%s/libtmem-%s.a" % (sys.argv[2], layer)))]
print("\n".join(faults))
sys.exit(bool(faults))
END
