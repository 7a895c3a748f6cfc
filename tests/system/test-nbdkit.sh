#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# test-nbdkit.sh - the plugin in nbdkit, and those that speak NBD with it: nbdinfo,
# nbdcopy, qemu-img, qemu-io, fio; what is wrong on the command line; a daemon that
# dies; a backing that fails, fills up or goes away.
set -eu

build=${TMEM_BUILD-.}
plugin=$build/nbdkit-tmem-plugin.so
for tool in nbdkit nbdinfo nbdcopy qemu-img qemu-io fio; do
	if ! command -v "$tool" >/dev/null; then
		echo "no $tool"
		exit 77
	fi
done
if [ ! -e "$plugin" ]; then
	echo "no $plugin"
	exit 77
fi
unset TMEM_STORE

dir=$(mktemp -d)
sock=$dir/sock
server=''
daemon=''
fuse=''
remote=''
status=0

# shellcheck disable=SC2317 # by the trap
finish() {
	for pid in $fuse $server $daemon $remote; do
		kill "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	umount "$dir/small" 2>/dev/null || true
	umount -l "$dir/mnt" 2>/dev/null || true
	rm -rf "$dir"
}
trap finish EXIT

fail() {
	echo "FAILED: $*"
	sed 's/^/  /' "$dir/out" "$dir/log" 2>/dev/null | tail -n 20
	status=1
}

# until CONDITION...: within half a minute, which no machine needs.
until_true() {
	local i
	for ((i = 0; i < 3000; i++)); do
		! "$@" 2>/dev/null || return 0
		sleep 0.01
	done
	fail "never: $*"
	return 1
}

# serve ARGUMENT...: nbdkit with the plugin, at $sock and $uri.
serve() {
	rm -f "$sock"
	nbdkit -f -U "$sock" "$plugin" "$@" 2>"$dir/log" &
	server=$!
	until_true test -S "$sock"
	uri="nbd+unix:///?socket=$sock"
}

stop() {
	kill "$server" 2>/dev/null || true
	wait "$server" 2>/dev/null || true
	server=''
}

# try WHAT COMMAND...: it must succeed; what it prints is in $dir/out.
try() {
	local what=$1
	shift
	"$@" >"$dir/out" 2>&1 || fail "$what"
}

has() {
	grep -qE -- "$1" "$dir/out" || fail "no line like $1"
}

# Half of it packs well, half does not, and some is zeros.
head -c 12M /dev/urandom >"$dir/data"
yes 'a line of a log, as there are many' | head -c 12M >>"$dir/data"
truncate -s 32M "$dir/data"

# ---- What is wrong is told in one line, before anything is served.

refused() {
	local want=$1 lines
	shift
	# shellcheck disable=SC2086 # words
	if timeout 20 ${under-} nbdkit -U "$dir/none" "$plugin" "$@" --run true \
		>"$dir/out" 2>&1; then
		fail "taken: $*"
	fi
	lines=$(wc -l <"$dir/out")
	[ "$lines" = 1 ] || fail "$lines lines for: $*"
	has "$want"
}

truncate -s 1M "$dir/short"
mkdir "$dir/folder"
refused 'size= is needed'
refused 'size=100: want a multiple of 4096' size=100
refused 'size=0: want' size=0
refused 'could not parse size' size=much
refused 'the most is 16T' size=32T
refused "unknown parameter 'colour'" size=1M colour=red
refused 'size= is given twice' size=1M size=2M
refused 'export=a is given twice' size=1M export=a export=a
refused 'bytes of memory are needed to keep all' size=64M store=embedded limit=32M
refused 'bytes of memory are needed to keep all' size=64M store=embedded:size=32M
refused 'the least is 1M' size=1M store=embedded limit=4k
refused 'the limit is given twice' size=1M store=embedded:size=8M limit=8M
refused 'reserve_bytes: the most is half the limit' size=1M store=embedded limit=8M \
	reserve=5M
refused 'reserve= is given twice' size=1M reserve=1M reserve=1M
refused "unknown key 'colour'" size=1M store=embedded:colour=red
refused 'no daemon answers' size=1M "store=unix:$dir/nobody"
refused 'it has 1048576 bytes, and 2097152 are needed' size=2M "backing=$dir/short"
refused 'it has 1048576 bytes, and 2097152 are needed' size=1M export=a export=b \
	"backing=$dir/short"
refused 'backing=.*folder: Is a directory' size=1M "backing=$dir/folder"
refused 'want a file or a block device' size=1M backing=/dev/null
refused 'No such file or directory' size=1M "backing=$dir/no/such"
refused 'backing= is empty' size=1M backing=
refused 'file=/dev/null: want a regular file, as touch.1. makes one$' size=1M \
	store=embedded file=/dev/null
refused 'file=.*: there are 2 disks' size=1M export=a export=b "file=$dir/file"
refused 'file=.*No such file' size=1M store=embedded "file=$dir/no/such"
# Seen before the fork: what goes wrong after it is told to nobody.
if [ "$(id -u)" = 0 ] && setpriv --bounding-set=-ipc_lock true 2>/dev/null; then
	under='setpriv --bounding-set=-ipc_lock prlimit --memlock=65536 --'
	refused 'swap=true: mlockall: ' size=1M swap=true
	under=''
	# What it goes on without is no error, and does not come before the one there is.
	setpriv --bounding-set=-sys_resource nbdkit -U "$dir/none" "$plugin" size=1M \
		store=bogus swap=true --run true >"$dir/out" 2>&1 || true
	has "error: no store 'bogus'"
	[ "$(grep -c 'error: ' "$dir/out")" = 1 ] || fail 'more errors than there are'
fi
[ -e "$dir/none" ] && fail 'something was served'

# A file that cannot be written: root may write any, so one on a device.
if [ "$(id -u)" = 0 ] && command -v losetup >/dev/null &&
	loop=$(losetup --read-only --find --show "$dir/short" 2>/dev/null); then
	refused 'backing=/dev/loop.*(Permission denied|read-only)' \
		size=1M "backing=$loop"
	losetup -d "$loop"
fi

# ---- A disk on a store of its own, all of it promised.

serve size=32M store=embedded
try nbdinfo nbdinfo "$uri"
for what in can_multi_conn can_trim can_zero can_fast_zero can_fua can_flush; do
	has "$what: true"
done
has 'export-size: 33554432'
has 'block_size_minimum: 1$'
try 'map of nothing' nbdinfo --map "$uri"
has '^ +0 +33554432 +3 +hole,zero$'
try 'nbdcopy to' nbdcopy "$dir/data" "$uri"
try 'nbdcopy from' nbdcopy "$uri" "$dir/back"
cmp "$dir/data" "$dir/back" || fail 'nbdcopy: other bytes'
try 'qemu-img compare' qemu-img compare -f raw -F raw "$dir/data" "$uri"
has 'identical'
try map nbdinfo --map "$uri"
has 'hole,zero' # what was zeros in the file
try qemu-io qemu-io -f raw "$uri" \
	-c 'write -P 0x11 512 1024' -c 'read -P 0x11 512 1024' \
	-c 'write -P 0x22 4095 2' -c 'read -P 0x22 4095 2' \
	-c 'read -P 0x11 512 1024' \
	-c 'write -z 1000 500' -c 'read -P 0 1000 500' -c 'read -P 0x11 512 488' \
	-c 'discard 8k 64k' -c 'read -P 0 8k 64k' \
	-c 'aio_write -P 0x33 1M 2M' -c 'aio_flush' -c 'read -P 0x33 1M 2M' \
	-c 'flush'
if grep -q 'Pattern verification failed' "$dir/out"; then
	fail 'qemu-io: other bytes'
fi
stop

# The same disk as a file of this host, in pieces that no page is made of.
if [ "$(id -u)" = 0 ] && [ -w /dev/fuse ]; then
	: >"$dir/file"
	serve size=32M store=embedded "file=$dir/file"
	try 'to the file' dd if="$dir/data" of="$dir/file" bs=100003 conv=notrunc,fsync
	try 'compare by NBD' qemu-img compare -f raw -F raw "$dir/data" "$uri"
	has 'identical'
	try 'compare the file' cmp "$dir/data" "$dir/file"
	try 'a hole' fallocate --punch-hole --offset 8192 --length 1M "$dir/file"
	try 'the hole' cmp -n 1M -i 8192:0 "$dir/file" /dev/zero
	try 'behind it' cmp -i 1056768 "$dir/data" "$dir/file"
	try 'parts of pages' fallocate --punch-hole --offset 2097664 --length 8192 "$dir/file"
	try 'zeros in all of it' cmp -n 8192 -i 2097664:0 "$dir/file" /dev/zero
	try 'and in no more' cmp -n 512 -i 2097152 "$dir/data" "$dir/file"
	try 'nor behind' cmp -i 2105856 "$dir/data" "$dir/file"
	stop
	! grep -q "$dir/file" /proc/mounts || fail 'the file is mounted yet'

	# Who serves swap asks the kernel for no memory, not even at first.
	file_faults() {
		sed -n 's/^[0-9]* (fusefile) . \([-0-9]* \)\{6\}\([0-9]*\) .*/\2/p' \
			"/proc/$server/task"/*/stat | awk '{ n += $1; k++ } END { print k ? n : "none" }'
	}
	serve size=256M store=embedded swap=true "file=$dir/file"
	until_true test -s "$dir/file" || true
	before=$(file_faults)
	try 'write it' dd if="$dir/data" of="$dir/file" bs=128k count=32 oflag=direct conv=notrunc
	try 'read it' dd if="$dir/file" of=/dev/null bs=128k count=32 iflag=direct
	after=$(file_faults)
	((after - before <= 8)) || fail "$((after - before)) page faults of who serves the file"
	stop
fi

# Several disks in one server, none of which sees another's.
serve size=4M export=one export=two store=embedded
try 'list' nbdinfo --list "nbd+unix:///?socket=$sock"
has 'export="one"'
has 'export="two"'
try 'write one' qemu-io -f raw "nbd+unix:///one?socket=$sock" -c 'write -P 1 0 1M'
try 'read two' qemu-io -f raw "nbd+unix:///two?socket=$sock" -c 'read -P 0 0 4M'
has 'read 4194304'
! grep -q 'verification failed' "$dir/out" || fail 'two has the bytes of one'
if nbdinfo "nbd+unix:///three?socket=$sock" >"$dir/out" 2>&1; then
	fail 'there is a third export'
fi
stop

# It goes into the background, and the store is opened there. Who may lock no memory
# has no swap either.
in_background() {
	rm -f "$sock"
	try daemonize nbdkit -U "$sock" -P "$dir/pid" "$plugin" size=32M store=embedded swap=true
	cp "$dir/out" "$dir/said"
	server=$(cat "$dir/pid")
	uri="nbd+unix:///?socket=$sock"
	try 'qemu-io of a daemon' qemu-io -f raw "$uri" -c 'write -P 7 0 4M' -c 'read -P 7 0 4M' \
		-c 'discard 0 4M' -c 'read -P 0 0 4M'
	! grep -q 'verification failed' "$dir/out" || fail 'other bytes'
	grep -q '^VmLck:[[:space:]]*[1-9]' "/proc/$server/status" || fail 'nothing is locked'
	# PF_MEMALLOC_NOIO, which PR_SET_IO_FLUSHER sets, of every thread; or it is told.
	for task in "/proc/$server/task"/*; do
		flags=$(sed "s/.*) //" "$task/stat" 2>/dev/null | cut -d " " -f 7)
		[ -n "$flags" ] || continue # it has ended
		[ $((flags & 0x80000)) != 0 ] ||
			grep -q 'goes on without PR_SET_IO_FLUSHER: ' "$dir/said" ||
			fail "no driver of I/O, and not told: $(cat "$task/comm")"
	done
	# Also memory that is locked is given back.
	rss_kib() {
		sed -n 's/^VmRSS:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$server/status"
	}
	try 'write noise' qemu-io -f raw "$uri" -c "write -s $dir/data 0 12M"
	full=$(rss_kib)
	# shellcheck disable=SC2317 # by until_true
	is_given_back() {
		[ "$(rss_kib)" -lt $((full - 8192)) ]
	}
	try 'discard' qemu-io -f raw "$uri" -c 'discard 0 32M'
	until_true is_given_back
	kill "$server"
	until_true test ! -d "/proc/$server"
	server=''
}
if [ "$(id -u)" = 0 ] || [ "$(ulimit -l)" = unlimited ]; then
	in_background
else
	echo 'no memory may be locked: swap=true is not tried'
fi

# ---- A small store before a file: some lies here, some there.

# Each block is written once, since fio itself mixes up what it rewrites at a depth
# (it says the same of nbdkit's memory plugin); the next run writes over it.
fio_verify() {
	try "fio, depth $1" fio --name=t --ioengine=nbd "--uri=$uri" \
		--rw=randwrite "--iodepth=$1" --size=32M \
		--bssplit=4k/50:512/10:8k/10:64k/10:256k/10:5k/10 --blockalign=512 \
		--verify=crc32c --verify_fatal=1 --do_verify=1 --randrepeat=0 \
		--refill_buffers --buffer_compress_percentage=30 --verify_state_save=0
	! grep -q 'verify:' "$dir/out" || fail "fio, depth $1: other bytes"
}

serve size=32M store=embedded limit=8M "backing=$dir/backing"
try 'nbdcopy to' nbdcopy "$dir/data" "$uri"
try 'qemu-img compare' qemu-img compare -f raw -F raw "$dir/data" "$uri"
[ "$(stat -c %b "$dir/backing")" -gt 0 ] || fail 'nothing went home'
refused 'it is in use' size=1M "backing=$dir/backing"
fio_verify 1
fio_verify 32
fio_verify 32
try 'fio, trims' fio --name=t --ioengine=nbd "--uri=$uri" --rw=randtrimwrite \
	--iodepth=8 --size=32M --io_size=32M --bs=16k
try 'discard' qemu-io -f raw "$uri" -c 'discard 0 32M' -c 'read -P 0 0 32M'
! grep -q 'verification failed' "$dir/out" || fail 'discarded, not zeros'
[ "$(stat -c %b "$dir/backing")" -lt 4096 ] || fail 'home keeps what was discarded'
stop

# ---- A backing that is full, fails, or goes away: an error, never other bytes.

# Pages of noise until the store refuses; then the backing's fault shows.
noise=(-c 'write -s '"$dir/data"' 0 12M')

if [ "$(id -u)" = 0 ] && mkdir "$dir/small" &&
	mount -t tmpfs -o size=2M tmem-test "$dir/small" 2>/dev/null; then
	serve size=32M store=embedded limit=4M "backing=$dir/small/backing"
	qemu-io -f raw "$uri" "${noise[@]}" >"$dir/out" 2>&1 || true
	has 'No space left on device'
	qemu-io -f raw "$uri" -c 'write -P 5 16M 64k' -c 'read -P 5 16M 64k' \
		-c 'read -P 0 20M 4M' >"$dir/out" 2>&1 || true
	! grep -q 'verification failed' "$dir/out" || fail 'full: other bytes'
	stop
	umount "$dir/small"
fi

# nbdkit's error filter behind nbdfuse: EIO from when the file is there.
if [ "$(id -u)" = 0 ] && [ -e /dev/fuse ] && command -v nbdfuse >/dev/null; then
	truncate -s 32M "$dir/remote"
	nbdkit -f -U "$dir/remote.sock" --filter=error file "$dir/remote" \
		error=EIO error-rate=1 error-file="$dir/broken" 2>/dev/null &
	remote=$!
	until_true test -S "$dir/remote.sock"
	touch "$dir/mnt"
	nbdfuse "$dir/mnt" --unix "$dir/remote.sock" 2>/dev/null &
	fuse=$!
	until_true test -s "$dir/mnt"
	serve size=32M store=embedded limit=4M "backing=$dir/mnt"
	try 'all is well' qemu-io -f raw "$uri" "${noise[@]}"
	touch "$dir/broken"
	qemu-io -f raw "$uri" -c "write -s $dir/data 12M 12M" >"$dir/out" 2>&1 || true
	has 'write failed: Input/output error'
	# Not nbdcopy: it hangs up on its other requests, and nbdkit 1.32 then
	# fails an assertion of its own.
	qemu-io -f raw "$uri" -c 'read 0 12M' >"$dir/out" 2>&1 || true
	has 'read failed: Input/output error'
	rm "$dir/broken"
	# What was written before it broke is there again.
	try 'read again' qemu-io -f raw "$uri" -c 'read 0 12M'
	qemu-img dd -f raw -O raw bs=1M count=12 "if=$uri" "of=$dir/back" \
		>"$dir/out" 2>&1 || fail 'read again'
	cmp -n 12582912 "$dir/back" "$dir/data" || fail 'healed: other bytes'
	# It vanishes.
	kill -9 "$remote"
	wait "$remote" 2>/dev/null || true
	remote=''
	qemu-io -f raw "$uri" -c 'read 0 12M' >"$dir/out" 2>&1 || true
	has 'read failed: '
	stop
	kill "$fuse" 2>/dev/null || true
	wait "$fuse" 2>/dev/null || true
	fuse=''
	umount -l "$dir/mnt" 2>/dev/null || true
fi

# ---- On a daemon's memory; it is killed.

if [ -x "$build/tmemd" ]; then
	dsock=$dir/tmemd.sock
	printf '%s\n' 'budget = 24M' 'default-persistent = 20M' \
		'[domain small]' 'persistent = 8M' >"$dir/conf"
	"$build/tmemd" --socket "$dsock" --config "$dir/conf" --sandbox=no \
		>"$dir/daemon.log" 2>&1 &
	daemon=$!
	until_true "$build/tmem" status --socket "$dsock" >/dev/null
	refused 'the store allows' size=1M limit=1G "store=unix:$dsock" \
		"backing=$dir/backing"
	refused 'size: the daemon lends no more than' size=16M "store=unix:$dsock" \
		domain=small
	refused 'bytes of memory are needed' size=64M "store=unix:$dsock"
	refused 'reserve_bytes: the daemon does not lend 10485760 bytes ahead' size=16M \
		"store=unix:$dsock" domain=small limit=24M reserve=10M \
		"backing=$dir/backing"
	# Pages go into the reserve while the daemon does not run, none goes home.
	serve size=32M "store=unix:$dsock" "backing=$dir/none-home" reserve=8M \
		domain=ahead
	# Who answers has his session; a socket alone is there before.
	try 'nbdinfo' nbdinfo "$uri"
	kill -STOP "$daemon"
	try 'from the reserve' qemu-io -f raw "$uri" -c "write -s $dir/data 0 6M" \
		-c 'read 0 6M'
	[ "$(stat -c %b "$dir/none-home")" = 0 ] || fail 'not from the reserve'
	kill -CONT "$daemon"
	stop
	serve size=4M "store=unix:$dsock"
	try 'all that was promised' qemu-io -f raw "$uri" -c "write -s $dir/data 0 4M"
	stop
	serve size=32M "store=unix:$dsock" domain=disk "backing=$dir/backing"
	# Nothing that could be made smaller instead.
	head -c 24M /dev/urandom >"$dir/data"
	truncate -s 32M "$dir/data"
	try 'nbdcopy to' nbdcopy "$dir/data" "$uri"
	# It wants memory back: pages come home, and none changes.
	before=$(stat -c %b "$dir/backing")
	printf '%s\n' 'budget = 16M' >"$dir/conf"
	kill -HUP "$daemon"
	# shellcheck disable=SC2317 # by until_true
	more_at_home() {
		[ "$(stat -c %b "$dir/backing")" -gt $((before + 2048)) ]
	}
	until_true more_at_home
	try 'qemu-img compare' qemu-img compare -f raw -F raw "$dir/data" "$uri"
	kill -9 "$daemon"
	wait "$daemon" 2>/dev/null || true
	daemon=''
	try 'qemu-img compare' qemu-img compare -f raw -F raw "$dir/data" "$uri"
	fio_verify 32
	stop
fi

[ "$status" = 0 ] && echo "no byte differs"
exit $status
