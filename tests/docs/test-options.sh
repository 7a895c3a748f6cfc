#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# test-options.sh - what tmemd takes by its own word (--help, made from the table
# of options) is what tmemd(8), tmemd.conf(5) and the example say: names, units,
# defaults, nothing missing and nothing made up.
set -eu

tmemd=$TMEM_BUILD/tmemd
man=$TMEM_SOURCE/man
example=$TMEM_SOURCE/examples/tmemd.conf
status=0

compare() {
	if [ -z "$2" ] || [ "$2" != "$3" ]; then
		echo "$1: --help (<) and the page (>) differ:"
		diff <(echo "$2") <(echo "$3") | grep '^[<>]' || true
		status=1
	fi
}

# --help, each option on a line of its own.
help=$(ARGP_HELP_FMT=rmargin=250 "$tmemd" --help)

# "--budget=SIZE 25%", one a line; "--help" and the like have no second word.
options_of_help() {
	sed -nE 's/^ .*(--[a-z-]+(=[A-Z]+)?) .*\(([^ )]+)[^)]*\)$/\1 \3/p
		s/^ .*(--[a-z-]+(=[A-Z]+)?)  +[^(]*$/\1/p' <<<"$help" | sort
}

# "cap=SIZE default-cap"
keys_of_domains() {
	sed -nE 's/^  ([a-z-]+) = ([A-Z]+) .*\(([^)]*)\)$/\1=\2 \3/p' <<<"$help" |
		sort
}

# The items of a page's section, and the word before "unless told otherwise" in
# the text below them: items_of PAGE SECTION
items_of() {
	python3 - "$man/$1" "$2" <<'END'
import re
import sys

text = open(sys.argv[1]).read()
part = re.search(r"^=head1 %s\n(.*?)(?=^=head1 )" % sys.argv[2], text,
                 re.M | re.S).group(1)
for item, below in re.findall(r"^=item (.*?)\n(.*?)(?=^=item |^=back)", part,
                              re.M | re.S):
    plain = re.sub(r"[A-Z]<([^>]*)>", r"\1", item)
    name = re.search(r"-*[a-z][a-z-]+( ?= ?[A-Z]+)?$", plain).group(0)
    below = re.sub(r"[A-Z]<([^>]*)>", r"\1", " ".join(below.split()))
    said = re.search(r"([^ ]+) unless told otherwise", below)
    print(*[name.replace(" ", "")] + ([said.group(1).lower()] if said else []))
END
}

options=$(options_of_help)
compare 'tmemd(8)' "$options" "$(items_of tmemd.8.pod OPTIONS | sort)"
daemon=$(sed -n 's/^--//p' <<<"$options" |
	grep -vE '^(check|config|help|version)\b')
compare 'tmemd.conf(5)' "$daemon" \
	"$(items_of tmemd.conf.5.pod 'KEYS OF THE DAEMON' | sort)"
domains=$(keys_of_domains)
compare 'tmemd.conf(5), domains' "$domains" \
	"$(items_of tmemd.conf.5.pod DOMAINS | sort)"

# The example has each key, with its default; all together they are taken.
keys_of_example() {
	sed -nE 's/^#([a-z-]+) = (.*)/\1 \2/p' | sort
}
without_units() {
	sed 's/=[A-Z]*//'
}
compare 'examples/tmemd.conf' "$(without_units <<<"$daemon")" \
	"$(sed '/^#\[/q' "$example" | keys_of_example)"
compare 'examples/tmemd.conf, domains' \
	"$(without_units <<<"$domains" | cut -d' ' -f1)" \
	"$(sed '1,/^#\[/d' "$example" | keys_of_example | cut -d' ' -f1)"
file=$(mktemp)
trap 'rm -f "$file"' EXIT
sed -E 's/^#([a-z[])/\1/; s/^((watch-)?group) = .*/\1 = 0/' "$example" >"$file"
"$tmemd" --check --config "$file" >/dev/null || status=1
"$tmemd" --check --config "$example" >/dev/null || status=1
exit $status
