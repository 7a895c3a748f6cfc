#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# test-package.sh - the Debian packages are built by ./dev package, lintian finds
# no fault with them, and their version is the build files'. The long form installs
# them in a fresh Debian, uses them there, and removes them again.
set -eu

source=${TMEM_SOURCE-.}
for program in dpkg-buildpackage dh lintian; do
	if ! command -v "$program" >/dev/null; then
		echo "no $program"
		exit 77
	fi
done

dir=$(mktemp -d)
trap 'rm -rf --one-file-system "$dir"' EXIT
debs=$dir/debs
status=0

fail() {
	echo "FAILED: $*"
	status=1
}

# Its tests run here anyway.
DEB_BUILD_OPTIONS='nocheck noautodbgsym' "$source/dev" package "$debs" >/dev/null
version=$(sed -nE "s/^  version: '([0-9.]+)',/\1/p" "$source/meson.build")
while read -r package; do
	compgen -G "$debs/${package}_${version}_*.deb" >/dev/null ||
		fail "no $package of version $version"
done < <(sed -n 's/^Package: //p' "$source/packaging/debian/control")
lintian --allow-root --fail-on error,warning "$debs"/*.changes || fail 'lintian'
if [ $status -ne 0 ] || [ "${TMEM_TEST_LONG-0}" != 1 ]; then
	exit $status
fi

# ---- In a fresh Debian ------------------------------------------------------

if [ "$(id -u)" != 0 ] || ! command -v debootstrap >/dev/null; then
	echo 'the long form takes root and debootstrap'
	exit $status
fi
# Wherever this machine's packages come from.
# shellcheck disable=SC2016 # apt's own variable
mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' |
	head -n 1)
codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
root=$dir/root
inside() {
	unshare --pid --fork --kill-child --mount-proc="$root/proc" \
		chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \
		DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 "$@"
}
# With what packages brought, and without what any use of apt leaves.
files() {
	(cd "$root" && find . -xdev \( -path ./proc -o -path ./run -o -path ./var/cache -o \
		-path ./var/log -o -path ./var/lib/apt -o -path ./tmp -o \
		-path ./var/lib/dpkg \) -prune -o -print) | sort
}
used() {
	local out

	out=$(inside timeout 20 "$@" 2>&1) || {
		echo "$out"
		fail "in the chroot: $*"
	}
}

debootstrap --variant=minbase "$codename" "$root" "$mirror" >"$dir/log" 2>&1 || {
	tail -n 3 "$dir/log"
	exit 1
}
inside apt-get -q -y --no-install-recommends install gcc libc6-dev pkg-config \
	sqlite3 systemd >"$dir/log" 2>&1 || {
	tail -n 3 "$dir/log"
	exit 1
}
files >"$dir/before"
inside dpkg --get-selections >"$dir/before.packages"
mkdir "$root/tmp/debs"
cp "$debs"/*.deb "$root/tmp/debs"
inside sh -c 'apt-get -q -y --no-install-recommends install /tmp/debs/*.deb' \
	>"$dir/log" 2>&1 || {
	tail -n 20 "$dir/log"
	fail 'install'
}

inside getent passwd tmem >/dev/null || fail 'no user tmem'
inside getent group tmem-watch >/dev/null || fail 'no group tmem-watch'
for unit in tmemd.service tmemd.socket tmem-exporter.socket; do
	[ "$(inside systemctl is-enabled $unit)" = enabled ] ||
		fail "$unit is not enabled"
done
[ -d "$root/run/tmem" ] || fail 'no /run/tmem'
used tmemd --check
cat >"$root/tmp/use.sh" <<'END'
set -eu
tmemd --socket /tmp/s --budget 64M --sandbox=no 2>/tmp/tmemd.log &
daemon=$!
tmem-exporter --socket /tmp/s --listen 127.0.0.1:9759 &
exporter=$!
trap 'kill $daemon $exporter' EXIT
n=0
until tmem status --socket /tmp/s >/dev/null 2>&1; do n=$((n + 1)); [ $n -lt 500 ]; sleep 0.02; done
cat >/tmp/use.c <<'C'
#include <string.h>
#include <tmem/tmem.h>
int main(void)
{
	struct tmem_key key = tmem_key(1, 2);
	static char page[4096] = "page", back[4096];
	struct tmem *t;
	int pool;

	if (tmem_open("unix:/tmp/s", NULL, &t))
		return 1;
	pool = tmem_pool_create(t, NULL);
	if (tmem_put(t, pool, &key, page) != 1 ||
	    tmem_get(t, pool, &key, back) != 1)
		return 2;
	tmem_close(t);
	return memcmp(page, back, sizeof(page)) != 0;
}
C
gcc -Wall -o /tmp/use /tmp/use.c $(pkg-config --cflags --libs tmem)
/tmp/use
gcc -Wall -o /tmp/use-static /tmp/use.c \
	$(pkg-config --cflags tmem) -Wl,-Bstatic -ltmem -Wl,-Bdynamic -llz4 -lzstd
/tmp/use-static
tmem status --socket /tmp/s
tmem metrics --socket /tmp/s | grep -q '^tmem_up 1$'
exec 3<>/dev/tcp/127.0.0.1/9759
printf 'GET /metrics HTTP/1.0\r\n\r\n' >&3
grep -q '^tmem_up 1$' <&3
nbdkit --dump-plugin "$(echo /usr/lib/*/nbdkit/plugins/nbdkit-tmem-plugin.so)" |
	grep -q '^name=tmem$'
sqlite3 -init /dev/null :memory: ".load $(dirname /usr/lib/*/tmem/tmem-sqlite.so)/tmem-sqlite" 'select 1;'
END
used bash /tmp/use.sh

# With a swap that cannot be brought home, what would do it stays.
mkdir -p "$root/run/tmem/swap"
echo 'no record' >"$root/run/tmem/swap/record"
inside apt-get -q -y remove tmem >"$dir/log" 2>&1 && fail 'removed beside a swap'
inside tmem --version >/dev/null || fail 'tmem is gone, its swap is not'
rm -r "$root/run/tmem/swap"

inside apt-get -q -y purge tmem tmem-exporter libtmem0 libtmem-dev \
	libsqlite3-mod-tmem nbdkit-plugin-tmem >"$dir/log" 2>&1 || fail 'purge'
grep -i 'warning' "$dir/log" && fail 'purge warns'
inside apt-get -q -y --purge autoremove >/dev/null 2>&1
files >"$dir/after"
[ ! -e "$root/run/tmem" ] || fail '/run/tmem is left'
# systemd-sysusers' files change, and are none of ours to undo.
diff "$dir/before" "$dir/after" | grep -vE '^[0-9,acd]+$|/(passwd|group|shadow|gshadow)-?$' &&
	fail 'files are left'
inside dpkg --get-selections | diff "$dir/before.packages" - ||
	fail 'packages are left'
[ $status -ne 0 ] || echo "installed, used and removed in $codename"
exit $status
