#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# test-guest.sh - an unmodified guest in QEMU swaps to a store, checks every byte,
# and brings everything home (examples/qemu-guest). In continuous integration all
# it takes is there, and a skip would hide a defect.
set -eu

status=0
out=$(mktemp)
trap 'rm -f "$out"' EXIT

# The kernel is downloaded once for each build directory. Emulation takes half a
# minute on an idle machine.
"$TMEM_SOURCE/examples/qemu-guest/run.sh" --ram 96 --seconds 100 \
	--cache "$TMEM_BUILD/guest" \
	--plugin "$TMEM_BUILD/nbdkit-tmem-plugin.so" \
	store=embedded >"$out" 2>&1 || status=$?
cat "$out"
if [ $status -eq 77 ] && [ -n "${CI-}" ]; then
	exit 1
fi
[ $status -eq 0 ] || exit $status

# It was the store that it swapped to, and more than it has.
grep -qE '^guest: pages at home [1-9][0-9]*, wrong 0' "$out"
grep -qE '^guest: pages out, in: [1-9][0-9]{4,} ' "$out"
grep -q '^guest: swap that is on: 0 MiB' "$out"
