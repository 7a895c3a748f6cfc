#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# test-install.sh - `ninja install` into an empty DESTDIR leaves the files that
# installed.txt lists and no others, and what is there works: a program outside the
# tree is built by pkg-config and runs.
set -eu

list=$TMEM_SOURCE/tests/docs/installed.txt
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
status=0

DESTDIR=$dir/root meson install -C "$TMEM_BUILD" --no-rebuild --quiet >/dev/null
option() {
	meson introspect --buildoptions "$TMEM_BUILD" | python3 -c '
import json
import sys
print({o["name"]: o["value"] for o in json.load(sys.stdin)}[sys.argv[1]])' "$1"
}
prefix=$(option prefix)
libdir=$(option libdir)

# As in the list: below the prefix, with the library directory by that name.
(cd "$dir/root$prefix" && find . -type f -o -type l) |
	sed "s|^\./||; s|^$libdir/|LIBDIR/|" | LC_ALL=C sort >"$dir/found"
# What is only there with a library that this machine may lack has a "?" in front.
grep -v '^#' "$list" | sed 's/^?//' | LC_ALL=C sort >"$dir/listed"
sed -n 's/^?//p' "$list" | LC_ALL=C sort >"$dir/optional"
added=$(LC_ALL=C comm -23 "$dir/found" "$dir/listed")
lost=$(LC_ALL=C comm -13 "$dir/found" "$dir/listed" |
	LC_ALL=C comm -23 - "$dir/optional")
if [ -n "$added$lost" ]; then
	echo "installed, and not in tests/docs/installed.txt (and not in a" \
		"packaging/debian/*.install?):"
	echo "${added:-nothing}"
	echo 'listed, and not installed:'
	echo "${lost:-nothing}"
	status=1
fi
if [ -n "$(find "$dir/root" -type f ! -path "$dir/root$prefix/*")" ]; then
	echo "files outside of $prefix"
	status=1
fi

# ---- What is there works ----------------------------------------------------

if [ $status -ne 0 ] || nm -D "$TMEM_BUILD/libtmem.so" | grep -q '__[at]san_'; then
	exit $status
fi
cat >"$dir/use.c" <<'END'
#include <tmem/tmem.h>

int main(void)
{
	struct tmem *t;
	int err = tmem_open("embedded:size=8M", NULL, &t);

	if (!err)
		tmem_close(t);
	return err != 0;
}
END
export PKG_CONFIG_PATH=$dir/root$prefix/$libdir/pkgconfig
export PKG_CONFIG_SYSROOT_DIR=$dir/root
read -ra flags < <(pkg-config --cflags --libs tmem)
"${CC:-cc}" -Wall -Werror -o "$dir/use" "$dir/use.c" "${flags[@]}"
LD_LIBRARY_PATH=$dir/root$prefix/$libdir "$dir/use"
"$dir/root$prefix/bin/tmem" --version >/dev/null
# Units name the programs where they are.
for unit in "$dir/root$prefix"/lib/systemd/system/*.service; do
	program=$(sed -n 's/^ExecStart=\([^ ]*\).*/\1/p' "$unit")
	if [ ! -x "$dir/root$program" ]; then
		echo "${unit##*/} starts $program, which is not there"
		status=1
	fi
done
# Each page that a unit or a page points to is one that is installed.
for page in $(sed -n 's/^Documentation=//p' \
	"$dir/root$prefix"/lib/systemd/system/* | tr ' ' '\n' | sort -u); do
	page=${page#man:}
	section=${page#*(}
	section=${section%)}
	if [ -d "$dir/root$prefix/share/man" ] &&
		[ ! -f "$dir/root$prefix/share/man/man$section/${page%(*}.$section" ]; then
		echo "no page $page"
		status=1
	fi
done
exit $status
