#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# run.sh - an unmodified guest swaps to a store: Debian's kernel and a RAM disk in
# QEMU, with a second disk (virtio-blk by NBD) that nbdkit keeps in tmem. In it, a
# program uses some times the guest's RAM and checks every byte; then all of it
# comes home.
#
#	examples/qemu-guest/run.sh [OPTION...] [PARAMETER OF THE PLUGIN...]
#
#	--ram MIB	the guest's RAM (128)
#	--times N	so often what its kernel leaves of that is filled (3)
#	--accel kvm|tcg	by KVM or by emulation (KVM if the kernel boots on it)
#	--seconds N	how long it may take in all (300)
#	--cache DIR	where the kernel is kept (build/guest)
#	--plugin FILE	the plugin (build/nbdkit-tmem-plugin.so)
#
# What belongs to the guest is unpacked there, not installed. Exit status: 0 right,
# 1 not, 77 this machine lacks what it takes.
set -eu

here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
root=$(cd "$here/../.." && pwd)
ram=128
times=3
accel=
seconds=300
cache=$root/build/guest
plugin=$root/build/nbdkit-tmem-plugin.so
parameters=()

# A stock kernel is up in 2 s by KVM. Where KVM is there but does not carry it (as
# on nested machines that lack what it takes), it stands still.
kvm_seconds=8

die() {
	printf 'run.sh: %s\n' "$1" >&2
	exit "${2-1}"
}

while [ $# -gt 0 ]; do
	case $1 in
	--ram | --times | --accel | --seconds | --cache | --plugin)
		[ $# -gt 1 ] || die "$1: a value must follow" 2
		declare "${1#--}=$2"
		shift 2
		;;
	-*) die "no such option: $1" 2 ;;
	*)
		parameters+=("$1")
		shift
		;;
	esac
done
[[ $ram =~ ^[0-9]+$ && $times =~ ^[0-9]+$ && $seconds =~ ^[0-9]+$ ]] ||
	die '--ram, --times and --seconds want a number' 2
case $accel in
'' | kvm | tcg) ;;
*) die '--accel wants kvm or tcg' 2 ;;
esac
for tool in qemu-system-x86_64 nbdkit busybox gcc dpkg-deb; do
	PATH=$PATH:/usr/sbin command -v "$tool" >/dev/null ||
		die "there is no $tool" 77
done
[ "$(uname -m)" = x86_64 ] || die 'the guest is an x86-64 one' 77
[ -f "$plugin" ] || die "there is no $plugin; ./dev build makes it" 77

# ---- What the guest is made of ----------------------------------------------

# Debian's kernel for virtual machines, unpacked: prints its directory.
kernel_dir() {
	local package dir

	dir=$(find "$cache" -mindepth 1 -maxdepth 1 -name 'linux-image-*' \
		-type d 2>/dev/null | sort | tail -n 1)
	if [ -z "$dir" ]; then
		mkdir -p "$cache"
		package=$(apt-cache depends linux-image-cloud-amd64 2>/dev/null |
			sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p' |
			head -n 1)
		[ -n "$package" ] ||
			die 'apt-cache knows no linux-image-cloud-amd64' 77
		(cd "$cache" && apt-get -q download "$package" >&2 2>/dev/null) ||
			die "$package cannot be downloaded" 77
		mkdir "$cache/new.$$"
		dpkg-deb -x "$cache/$package"_*.deb "$cache/new.$$"
		rm "$cache/$package"_*.deb
		mv "$cache/new.$$" "$cache/$package"
		dir=$cache/$package
	fi
	printf '%s' "$dir"
}

# Drivers of disks, each after those that it needs.
modules=(virtio/virtio_ring virtio/virtio virtio/virtio_pci_modern_dev
	virtio/virtio_pci_legacy_dev virtio/virtio_pci block/virtio_blk)

make_initrd() {
	local tree=$dir/tree module file

	mkdir -p "$tree/bin" "$tree/modules"
	cp "$(command -v busybox)" "$tree/bin/busybox"
	gcc -O2 -static -o "$tree/bin/fill" "$here/fill.c"
	cp "$here/init" "$tree/init"
	chmod 755 "$tree/init"
	echo "TIMES=$times" >"$tree/parameters"
	for module in "${modules[@]}"; do
		# Below lib/ or usr/lib/, and packed since Debian 13.
		file=$(find "$kernel" -path "*/drivers/$module.ko*")
		case $file in
		'') continue ;; # built in
		*.xz) busybox xz -dc "$file" >"$tree/modules/${module##*/}.ko" ;;
		*) cp "$file" "$tree/modules/" ;;
		esac
		echo "${module##*/}.ko" >>"$tree/modules/order"
	done
	(cd "$tree" && find . | busybox cpio -o -H newc 2>/dev/null | gzip -1) >"$dir/initrd"
}

# ---- Running it -------------------------------------------------------------

# guest ACCELERATOR SECONDS: its console on standard output.
guest() {
	local cpu=host

	[ "$1" = kvm ] || cpu=max
	timeout -k 5 "$2" qemu-system-x86_64 -accel "$1" -cpu "$cpu" \
		-m "$ram" -smp 1 -nodefaults -nographic -no-reboot \
		-serial stdio -kernel "$(echo "$kernel"/boot/vmlinuz-*)" \
		-initrd "$dir/initrd" -append "$append" \
		-blockdev "driver=nbd,node-name=swap,server.type=unix,server.path=$dir/nbd.sock,discard=unmap,detect-zeroes=unmap" \
		-device virtio-blk-pci,drive=swap </dev/null
}

# Does the kernel come as far as its first program?
boots_by_kvm() {
	[ -r /dev/kvm ] && [ -w /dev/kvm ] || return 1
	guest kvm $kvm_seconds 2>/dev/null | grep -q -m 1 '^guest: up'
}

dir=$(mktemp -d)
trap '[ ! -s "$dir/pid" ] || kill "$(cat "$dir/pid")" 2>/dev/null || true
	rm -rf "$dir"' EXIT
append='console=ttyS0 quiet panic=-1 mitigations=off'
kernel=$(kernel_dir)
make_initrd

# Twice what can be swapped: what is free again is told late.
PATH=$PATH:/usr/sbin nbdkit --unix "$dir/nbd.sock" --pidfile "$dir/pid" \
	"$plugin" size=$((ram * times * 2))M "${parameters[@]}"

if [ -z "$accel" ]; then
	accel=tcg
	if boots_by_kvm; then
		accel=kvm
	fi
fi
echo "host: a guest of $ram MiB by $accel"
guest $accel "$seconds" 2>&1 | tee "$dir/console" | grep --line-buffered '^guest:' ||
	true
if grep -q '^guest: result: right' "$dir/console"; then
	exit 0
fi
tail -n 20 "$dir/console"
die 'the guest did not come to a right end'
