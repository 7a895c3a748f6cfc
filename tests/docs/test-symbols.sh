#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# test-symbols.sh - what tmem.h declares, the symbol map lists and libtmem.so
# exports are the same functions.
set -eu

header=$TMEM_SOURCE/include/tmem/tmem.h
map=$TMEM_SOURCE/src/client/libtmem.map
library=$TMEM_BUILD/libtmem.so

declared=$(tr '\n' ' ' <"$header" | grep -o 'TMEM_API [^;(]*(' |
	grep -o 'tmem_[a-z_]*(' | tr -d '(' | sort)
mapped=$(grep -o '^	tmem_[a-z_]*;' "$map" | tr -d '	;' | sort)
exported=$(nm -D --defined-only "$library" | awk '$2 == "T" { print $3 }' |
	sed 's/@.*//' | sort)

status=0
compare() {
	if [ "$2" != "$4" ]; then
		echo "$1 (<) and $3 (>) differ:"
		diff <(echo "$2") <(echo "$4") | grep '^[<>]' || true
		status=1
	fi
}
compare tmem.h "$declared" libtmem.map "$mapped"
compare libtmem.map "$mapped" libtmem.so "$exported"
exit $status
