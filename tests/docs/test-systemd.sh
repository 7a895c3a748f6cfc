#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# test-systemd.sh - the units are such as systemd understands all of, hardened as
# far as they were, and agree with the programs about paths.
set -eu

if ! command -v systemd-analyze >/dev/null; then
	echo "no systemd-analyze"
	exit 77
fi
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
status=0

# The most that `systemd-analyze security` may say of a unit, in tenths: 0 is shut,
# 100 is open. Each has what it needs and no more; see the comments in the units.
EXPOSED_MAX=10

# The programs are not where they will be installed.
units=()
for unit in "$TMEM_BUILD"/systemd/*.service; do
	units+=("$dir/${unit##*/}")
	sed -E "s|^ExecStart=.*/([^/]+)$|ExecStart=$TMEM_BUILD/\1|" "$unit" \
		>"${units[-1]}"
done
for unit in "$TMEM_SOURCE"/systemd/*.socket; do
	if [ -f "$dir/$(basename "$unit" .socket).service" ]; then
		units+=("$dir/${unit##*/}")
		cp "$unit" "$dir"
	fi
done
analyze() {
	local out unit

	out=$(systemd-analyze verify --man=no "${units[@]}" 2>&1) || status=1
	# What it does not understand it ignores, and says so; other units of this
	# machine are no concern of ours.
	if [ $status -ne 0 ] || grep -q "$dir" <<<"$out"; then
		echo "$out"
		status=1
	fi
	for unit in "$dir"/*.service; do
		if ! out=$(systemd-analyze security --offline=true --no-pager \
			--threshold=$EXPOSED_MAX "$unit" 2>&1); then
			echo "$unit is more exposed than it was:"
			grep -v '✓' <<<"$out"
			status=1
		fi
	done
}

# It makes what systemd has there when it is up.
skipped=no
if [ -d /run/systemd ] || [ -w /run ]; then
	analyze
else
	echo 'units not looked at: systemd is not up here, so this takes root'
	skipped=yes
fi

if [ -x "$TMEM_BUILD/tmem-exporter" ]; then
	listen=$(sed -n 's/^ListenStream=//p' "$dir/tmem-exporter.socket")
	if ! ARGP_HELP_FMT=rmargin=250 "$TMEM_BUILD/tmem-exporter" --help |
		grep -q -- "--listen=.*($listen)"; then
		echo "tmem-exporter.socket listens at $listen, its program elsewhere"
		status=1
	fi
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
[ $status -ne 0 ] || [ $skipped = no ] || exit 77
exit $status
