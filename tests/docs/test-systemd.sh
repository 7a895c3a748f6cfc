#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# test-systemd.sh - the units are such as systemd understands all of, and agree
# with the daemon about paths.
set -eu

if ! command -v systemd-analyze >/dev/null; then
	echo "no systemd-analyze"
	exit 77
fi
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
status=0

# The daemon is not where it will be installed.
sed "s|^ExecStart=.*/tmemd|ExecStart=$TMEM_BUILD/tmemd|" \
	"$TMEM_BUILD/systemd/tmemd.service" >"$dir/tmemd.service"
cp "$TMEM_SOURCE/systemd/tmemd.socket" "$dir"
out=$(systemd-analyze verify --man=no "$dir/tmemd.service" \
	"$dir/tmemd.socket" 2>&1) || status=1
# What it does not understand it ignores, and says so; other units of this
# machine are no concern of ours.
if [ $status -ne 0 ] || grep -q "$dir" <<<"$out"; then
	echo "$out"
	status=1
fi

socket=$(sed -n 's/^ListenSequentialPacket=//p' "$dir/tmemd.socket")
if ! ARGP_HELP_FMT=rmargin=250 "$TMEM_BUILD/tmemd" --help |
	grep -q -- "--socket=.*($socket)"; then
	echo "tmemd.socket listens at $socket, tmemd elsewhere"
	status=1
fi
if ! grep -q "^d ${socket%/*} " "$TMEM_SOURCE/systemd/tmpfiles.conf"; then
	echo "tmpfiles.conf makes another directory than ${socket%/*}"
	status=1
fi
exit $status
