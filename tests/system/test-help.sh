#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# test-help.sh - the options in each command's --help are those in tmem(1).
set -eu

tmem=${1:-${TMEM_BUILD-.}/tmem}
page=${TMEM_SOURCE-.}/man/tmem.1.pod
if [ ! -x "$tmem" ] || [ ! -f "$page" ]; then
	echo "no command, or no page"
	exit 77
fi

status=0
commands=$("$tmem" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p')
[ -n "$commands" ] || {
	echo 'no command in the help'
	exit 1
}

# Long options with their argument: --data=SIZE
options_of_help() {
	"$tmem" "$@" --help | grep -oE '^ .*--[a-z0-9-]+(=[A-Z]+)?' |
		grep -oE -- '--[a-z0-9-]+(=[A-Z]+)?' | sort -u
}

# The same from a part of the page: its =item lines.
options_of_page() {
	sed -n "/^=head$1 $2\$/,/^=head[1-$1] /p" "$page" | grep '^=item' |
		sed 's/[BI]<\([^>]*\)>/\1/g' |
		grep -oE -- '--[a-z0-9-]+(=[A-Z]+)?' | sort -u
}

compare() {
	if [ "$2" != "$3" ]; then
		echo "$1: the help (<) and tmem(1) (>) differ:"
		diff <(echo "$2") <(echo "$3") || true
		status=1
	fi
}

common=$(options_of_page 1 OPTIONS)
compare tmem "$(options_of_help)" "$common"
for command in $commands; do
	compare "tmem $command" \
		"$(options_of_help "$command" | grep -v '^--help$')" \
		"$(options_of_page 2 "$command")"
done
exit $status
