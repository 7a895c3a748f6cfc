#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Tell what a log of `meson test` says.

testlog.py failed LOG         names of the tests that failed, a line each; not of
                              those that a sanitizer ended
testlog.py count LOG [AGAIN]  passed, failed and skipped tests on the first line,
                              then why those failed; a test that is in AGAIN, too,
                              counts as it went there
"""

import json
import os
import re
import sys

GOOD = ("OK", "EXPECTEDFAIL")
TELLING = re.compile("FAILED|ERROR|LINE|rror:|ssert|Sanitizer")
CAUSE_LINES_MAX = 4


def read(path):
    """All tests of a log, by name; none if there is no such log."""
    if not os.path.exists(path):
        return {}
    with open(path, encoding="utf-8") as log:
        tests = [json.loads(line) for line in log]
    return {test["name"]: test for test in tests}


def is_bad(test):
    return test["result"] not in GOOD and test["result"] != "SKIP"


def said(test):
    return (test.get("stdout", "") + test.get("stderr", "")).splitlines()


def causes(test):
    """What a failed test said that may tell why, and how it ended."""
    lines = said(test)
    telling = [line for line in lines if TELLING.search(line)]
    yield f"{test['name']}: {test['result']}, {test['duration']:.0f} s"
    for line in (telling or lines)[-CAUSE_LINES_MAX:]:
        yield "    " + line


def count(tests, again):
    last = {name: again.get(name, test) for name, test in tests.items()}
    bad = sum(map(is_bad, last.values()))
    skipped = sum(test["result"] == "SKIP" for test in last.values())
    print(len(last) - bad - skipped, bad, skipped)
    for name, test in tests.items():
        if not is_bad(test):
            continue
        if not is_bad(last[name]):
            print("passed alone, and failed beside others:")
        print("\n".join(causes(test)))


def main():
    command, logs = sys.argv[1], sys.argv[2:]
    tests = read(logs[0])
    if command == "failed":
        for name, test in tests.items():
            if is_bad(test) and not any("Sanitizer" in line for line in said(test)):
                # "project:suite / name": the last of it is what meson takes.
                print(name.rpartition(" / ")[2])
    else:
        count(tests, read(logs[1]) if logs[1:] else {})


main()
