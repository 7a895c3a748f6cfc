#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# test-pod.sh - the manual's sources are well formed.
set -eu
shopt -s nullglob

pages=("$TMEM_SOURCE"/man/*.pod)
if [ ${#pages[@]} -eq 0 ] || ! command -v podchecker >/dev/null; then
	echo "no pages, or no podchecker"
	exit 77
fi
podchecker -warnings "${pages[@]}"
