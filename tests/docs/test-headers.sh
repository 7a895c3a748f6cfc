#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# test-headers.sh - each installed header compiles alone, as C99 and as C++, and
# each header of ours compiles alone.
set -eu

cd "$TMEM_SOURCE"
clang=$(command -v clang || true)
if [ -z "$clang" ]; then
	echo "clang is not installed"
	exit 77
fi

status=0
check() {
	local what=$1
	shift
	if ! "$clang" -fsyntax-only -Wall -Wextra -Wpedantic -Werror "$@"; then
		echo "$what"
		status=1
	fi
}

for header in include/tmem/*.h; do
	check "$header as C99" -x c -std=c99 -Iinclude -include "$header" \
		/dev/null
	check "$header as C++" -x c++ -std=c++11 -Iinclude -include "$header" \
		/dev/null
done
for header in src/{base,lease,engine,client,tmemd}/*.h; do
	check "$header alone" -x c -std=gnu17 -D_GNU_SOURCE -Iinclude \
		-Isrc/base -Isrc/lease -Isrc/engine -Isrc/client -Isrc/tmemd \
		-Wno-unused-function -include "$header" /dev/null
done
exit $status
