# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# Completion of tmem, tmemd and tmem-exporter in bash. What there is to complete is
# asked of the programs' own --help, so this knows no command and no option.

# "--name" or "--name=", a line each: _tmem_options PROGRAM [COMMAND]
_tmem_options() {
	ARGP_HELP_FMT=rmargin=250 "$@" --help 2>/dev/null |
		sed -nE 's/^ .*(--[a-z0-9-]+)(=?)([A-Z]*) .*/\1\2/p'
}

_tmem_commands() {
	"$1" --help 2>/dev/null |
		sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p'
}

# Of the daemon that answers, if one does: _tmem_domains PROGRAM
_tmem_domains() {
	timeout 1 "$1" list --json 2>/dev/null |
		sed -nE 's/.*"name": "([A-Za-z0-9._@:-]+)".*/\1/p'
}

_tmem() {
	local program=$1 word=$2 before=$3 command='' i words

	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		if [[ ${COMP_WORDS[i]} != -* ]]; then
			command=${COMP_WORDS[i]}
			break
		fi
	done
	[ "${program##*/}" = tmem ] || command=-
	# The word in front wants a value, or "=" does: readline cuts there.
	if [ "$word" = '=' ]; then
		word=
	elif [ "$before" = '=' ]; then
		before=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	case $before in
	--socket | --config | --out | --corpora)
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		compopt -o filenames 2>/dev/null
		return
		;;
	esac
	if [ -z "$command" ]; then
		words="$(_tmem_commands "$program") --help --version"
	elif [[ $word == -* ]]; then
		if [ "$command" = - ]; then
			words=$(_tmem_options "$program")
		else
			words=$(_tmem_options "$program" "$command")
		fi
	else
		case $command in
		evict | flush | freeze | set | show | thaw)
			words=$(_tmem_domains "$program")
			;;
		*)
			mapfile -t COMPREPLY < <(compgen -f -- "$word")
			compopt -o filenames 2>/dev/null
			return
			;;
		esac
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
	if [ ${#COMPREPLY[@]} -eq 1 ] && [[ ${COMPREPLY[0]} == *= ]]; then
		compopt -o nospace 2>/dev/null
	fi
}

complete -F _tmem tmem tmemd tmem-exporter
