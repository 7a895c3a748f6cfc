#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# test-sqlite.sh - the loadable extension in the sqlite3 shell, as people use it:
# loading, statistics, stores that are not there, databases that are none.
set -eu

module=${TMEM_BUILD-.}/tmem-sqlite.so
if [ ! -e "$module" ] || ! command -v sqlite3 >/dev/null; then
	echo "no $module, or no sqlite3"
	exit 77
fi
unset TMEM_STORE

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
db=$dir/app.db
store='vfs=tmem&tmem_store=embedded:size=16M&tmem_admit=all'
status=0

fail() {
	echo "FAILED: $*"
	sed 's/^/  /' "$dir/out"
	status=1
}

# shell OPTIONS URI: SQL comes on stdin, what it prints is in $dir/out.
shell() {
	{
		printf '%s\n' ".load $module" ".open \"$1\""
		cat
	} | sqlite3 -batch -init /dev/null >"$dir/out" 2>&1 || true
}

has() {
	grep -qE -- "$1" "$dir/out" || fail "no line like $1"
}

rows() {
	printf '%s' "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1
		FROM c WHERE x<$1) INSERT INTO t SELECT x, hex(randomblob(200))
		FROM c;"
}

# Made, read and changed by the extension; dumped by both.
shell "file:$db?$store" <<END
PRAGMA cache_size=10;
CREATE TABLE t(a INTEGER PRIMARY KEY, b);
$(rows 5000)
SELECT count(*), sum(length(b)) FROM t;
SELECT count(*), sum(length(b)) FROM t;
UPDATE t SET b='x' WHERE a%7=0;
SELECT count(*), sum(length(b)) FROM t;
PRAGMA integrity_check;
.vfsname
PRAGMA tmem_stats;
SELECT name, value FROM tmem_stats WHERE "schema"='main';
END
has '^5000\|2000000$'
has '^ok$'
has '^tmem/unix$'
has '^state=on$'
has '^hits=[1-9]'
has '^state\|on$'
has '^hits\|[1-9]'
has '^store_limit_bytes\|16777216$'
shell "file:$db?$store" <<<'.dump'
mv "$dir/out" "$dir/dump"
sqlite3 -init /dev/null "$db" .dump >"$dir/out"
cmp "$dir/out" "$dir/dump" || fail 'dumps differ'

# Attached databases have their own figures; a database in memory has none.
shell ":memory:" <<END
ATTACH 'file:$db?$store' AS one;
ATTACH 'file:$dir/two.db?$store' AS two;
CREATE TABLE two.t AS SELECT * FROM one.t;
SELECT "schema", count(*) FROM tmem_stats GROUP BY 1;
END
has '^one\|1[0-9]$'
has '^two\|1[0-9]$'
if grep -q '^main' "$dir/out"; then fail 'figures of a database in memory'; fi

# A store that is not there costs time, nothing else, and says why.
for where in 'nonsense' 'embedded:size=1' 'embedded:size=junk' \
	"unix:$dir/no.sock"; do
	shell "file:$db?vfs=tmem&tmem_store=$where" <<'END'
SELECT count(*) FROM t;
PRAGMA tmem_stats;
END
	has '^5000$'
	has '^state=off: .+'
done
TMEM_STORE=nonsense shell "file:$db?vfs=tmem" <<'END'
SELECT count(*) FROM t;
PRAGMA tmem_stats;
END
has '^5000$'
has '^state=off: .+'

# Loading it again is harmless.
shell "file:$db?$store" <<END
.load $module
SELECT count(*) FROM t;
END
has '^5000$'
if grep -qi error "$dir/out"; then fail 'loaded twice'; fi

# Where no locks are taken nothing is cached.
for how in nolock=1 immutable=1; do
	shell "file:$db?$store&$how" <<'END'
PRAGMA cache_size=10;
SELECT sum(length(b)) FROM t;
SELECT sum(length(b)) FROM t;
PRAGMA tmem_stats;
END
	has '^hits=0$'
	has '^stored=0$'
done

# One that locks all others out, and its log's index is in private memory.
for journal in delete wal; do
	cp "$db" "$dir/own.db"
	shell "file:$dir/own.db?$store" <<END
PRAGMA cache_size=10;
PRAGMA locking_mode=EXCLUSIVE;
PRAGMA journal_mode=$journal;
SELECT sum(length(b)) FROM t;
UPDATE t SET b='y' WHERE a%5=0;
SELECT 'sum', sum(length(b)) FROM t;
DELETE FROM t WHERE a>4000;
VACUUM;
SELECT 'sum', sum(length(b)) FROM t;
SELECT 'sum', sum(length(b)) FROM t;
PRAGMA integrity_check;
END
	has '^ok$'
	tail -n 2 "$dir/out" | head -n 1 >"$dir/own"
	sqlite3 -init /dev/null "$dir/own.db" \
		"SELECT 'sum', sum(length(b)) FROM t" >"$dir/out"
	cmp "$dir/out" "$dir/own" || fail "exclusive, $journal"
	rm -f "$dir"/own.db*
done

# Read only: a file and a directory nobody may write to are as good.
shell "file:$db?$store&mode=ro" <<'END'
PRAGMA cache_size=10;
SELECT sum(length(b)) FROM t;
SELECT sum(length(b)) FROM t;
PRAGMA tmem_stats;
END
has '^hits=[1-9]'

# No database: said as ever, nothing kept.
head -c 100000 /dev/urandom >"$dir/noise"
shell "file:$dir/noise?$store" <<'END'
SELECT * FROM t;
PRAGMA tmem_stats;
END
has 'file is not a database'
has '^stored=0$'

# Cut short under a connection's eyes: what SQLite says is what it says without.
cp "$db" "$dir/short.db"
shell "file:$dir/short.db?$store" <<END
PRAGMA cache_size=10;
SELECT count(*) FROM t;
.shell truncate -s 40960 $dir/short.db
SELECT sum(length(b)) FROM t;
END
has 'malformed'

# Two processes, one of them foreign, in turn.
for journal in wal delete; do
	shell "file:$db?$store" <<END
PRAGMA cache_size=10;
PRAGMA journal_mode=$journal;
SELECT sum(length(b)) FROM t;
SELECT sum(length(b)) FROM t;
.shell sqlite3 -init /dev/null $db "UPDATE t SET b='$journal' WHERE a>100; PRAGMA wal_checkpoint"
SELECT 'is', count(*) FROM t WHERE b='$journal';
PRAGMA integrity_check;
END
	has '^is\|4900$'
	has '^ok$'
done

# A word that it does not know is said to SQLite's error log.
{
	printf '%s\n' '.log stdout' ".load $module" \
		".open \"file:$db?$store&tmem_page_cache=none\""
} | sqlite3 -batch -init /dev/null >"$dir/out" 2>&1 || true
has 'tmem_page_cache=none: it is keep or drop; keep is used'

# What the store took is let go of by the kernel, if it is asked to.
forget() {
	sync "$db"
	dd if="$db" iflag=nocache count=0 status=none
}
resident() {
	fincore --raw --noheadings --output PAGES "$db"
}
read_all() {
	shell "file:$db?$store&tmem_page_cache=$1" <<END
PRAGMA cache_size=10;
SELECT sum(length(b)) FROM t;
.shell sleep 0.3
END
}
forget
if ! command -v fincore >/dev/null || [ "$(resident)" -gt 10 ]; then
	echo 'no telling what the page cache of this filesystem has'
else
	read_all keep
	kept=$(resident)
	forget
	read_all drop
	dropped=$(resident)
	echo "$kept pages in the page cache when kept, $dropped when dropped"
	# Folios that reach over what was told of stay; how large they are depends
	# on how the machine's memory lies.
	[ "$dropped" -lt $((kept * 9 / 10)) ] || fail 'the page cache keeps all'
fi

# The examples do what they say.
"$TMEM_SOURCE/examples/sqlite/shell.sh" "$module" >"$dir/out" 2>&1 ||
	fail 'shell.sh'
has '^hits +[1-9]'
got=0
"$TMEM_SOURCE/examples/sqlite/two-processes.sh" "$TMEM_BUILD" 16 5000 \
	>"$dir/out" 2>&1 || got=$?
if [ $got = 77 ]; then
	cat "$dir/out"
elif [ $got != 0 ]; then
	fail "two-processes.sh: $got"
else
	has 'process 1: hits=[1-9]'
	has 'process 2: hits=[1-9]'
fi
exit $status
