#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# test-rooms.sh - tmemd's rooms call each other one way: in the order that the table
# in ARCHITECTURE.md tells, which has all of them.
set -eu

python3 - "$TMEM_SOURCE/ARCHITECTURE.md" "$TMEM_BUILD/src/libtmem-tmemd.a" <<'END'
import fnmatch
import re
import subprocess
import sys

# Names and patterns in their order; the second column is prose.
page = open(sys.argv[1]).read()
table = page.split("| room of tmemd | noun |\n|---|---|\n")[1].split("\n\n")[0]
order = [name for row in table.splitlines()
         for name in re.findall("`([^`]+)`", row.split("|")[1])]

# "ARCHIVE:MEMBER: ADDRESS TYPE SYMBOL", where MEMBER is "tmemd_ROOM.c.o".
owners, uses = {}, []
for line in subprocess.check_output(["nm", "-A", sys.argv[2]],
                                    text=True).splitlines():
    room = re.search(r"_([a-z-]+)\.c\.o:", line).group(1)
    kind, symbol = line.split()[-2:]
    if kind == "U":
        uses.append((room, symbol))
    elif kind in "BDRT":
        owners[symbol] = room
rooms = set(owners.values())

faults = []
places = {}
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
print("\n".join(sorted(faults)) or
      "%d rooms, %d calls" % (len(places), len(calls)))
sys.exit(bool(faults))
END
