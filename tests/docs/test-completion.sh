#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# test-completion.sh - what bash offers to complete is what the programs' --help and
# the pages say: commands, and each command's options.
set -eu

source=$TMEM_SOURCE
PATH=$TMEM_BUILD:$PATH
status=0
# shellcheck source=/dev/null
. "$source/packaging/completion.sh"

# What is offered for the last of these words: offered WORD...
offered() {
	local -a COMPREPLY
	# What bash sets, and the function reads.
	# shellcheck disable=SC2034
	local -a COMP_WORDS=("$@")
	local COMP_CWORD=$(($# - 1))

	_tmem "$1" "${!#}" "${COMP_WORDS[COMP_CWORD - 1]}"
	printf '%s\n' "${COMPREPLY[@]}" | sort
}

compare() {
	if [ -z "$2" ] || [ "$2" != "$3" ]; then
		echo "$1: completion (<) and page (>) differ:"
		diff <(echo "$2") <(echo "$3") | grep '^[<>]' || true
		status=1
	fi
}

# Options of a page, or of a part of it: options_of FILE [SECTION]
options_of() {
	sed -n "/^=head[12] ${2-OPTIONS}\$/,/^=head[12] /p" "$source/man/$1" |
		grep '^=item' | sed 's/[BI]<\([^>]*\)>/\1/g' |
		grep -oE -- '--[a-z0-9-]+=?' | sort -u
}

commands=$(tmem --help | sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p')
page=$(sed -n '/^=head1 COMMANDS$/,/^=head1 /s/^=head2 \([a-z-]*\)$/\1/p' \
	"$source/man/tmem.1.pod" | sort)
compare 'commands' "$(offered tmem '' | grep -v '^--')" "$page"
compare 'commands in the help' "$(sort <<<"$commands")" "$page"
for command in $commands; do
	compare "tmem $command" \
		"$(offered tmem "$command" -- | grep -v '^--help$' || echo none)" \
		"$(options_of tmem.1.pod "$command" || echo none)"
done
compare tmemd "$(offered tmemd --)" "$(options_of tmemd.8.pod)"
if [ -x "$TMEM_BUILD/tmem-exporter" ]; then
	compare tmem-exporter "$(offered tmem-exporter --)" \
		"$(options_of tmem-exporter.8.pod)"
fi

# The beginning of a word, and what is no option.
[ "$(offered tmem stat)" = status ] || {
	echo "stat: $(offered tmem stat)"
	status=1
}
[ "$(offered tmemd --pol)" = --policy= ] || {
	echo "--pol: $(offered tmemd --pol)"
	status=1
}
cd "$source"
offered tmem replay LICEN | grep -qx LICENSE || {
	echo 'no files are offered'
	status=1
}
exit $status
