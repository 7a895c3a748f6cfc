#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# shell.sh - the sqlite3 shell with a store: makes a small database, reads it twice,
# and asks what the store did. tmem_admit=all: the file has just been written, so
# that the page cache has all of it, and none would be offered otherwise.
#
#	examples/sqlite/shell.sh [MODULE]
set -eu

module=${1:-$(dirname "$0")/../../build/tmem-sqlite.so}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

sqlite3 -init /dev/null <<END
.load $module
.open "file:$dir/app.db?vfs=tmem&tmem_store=embedded:size=16M&tmem_admit=all"
CREATE TABLE orders(id INTEGER PRIMARY KEY, text);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000)
	INSERT INTO orders SELECT i, printf('order %d, delivered', i) FROM n;
PRAGMA cache_size = 20;
SELECT count(*), sum(length(text)) FROM orders;
SELECT count(*), sum(length(text)) FROM orders;
.mode column
SELECT name, value FROM tmem_stats;
END
