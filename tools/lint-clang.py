# SPDX-License-Identifier: BSD-2-Clause
"""What clang has to say of a build directory's C files: its warnings of each, and
its analyzer's findings in those that are no tests. Usage: lint-clang.py DIR

The directory is configured for clang and needs not be built: nothing is compiled
nor linked, and a file that several programs have is read once for each set of
macros. (scan-build compiled everything on the way: 60 of its 230 seconds of
processor.) A line that finds fault ends it with 1."""

import concurrent.futures
import json
import os
import shlex
import subprocess
import sys

WARN = ["-fsyntax-only"]
ANALYZE = ["--analyze", "--analyzer-output", "text", "-Xclang", "-analyzer-werror"]

# What says where the result goes, with its argument or without.
OUTPUT = {"-o": 2, "-MF": 2, "-MQ": 2, "-MD": 1, "-c": 1}

# The tests' flavour of the product differs by what is asserted and made to fail.
TEST_FLAVOUR = "-DTMEM_FAULTS"


def without_output(words):
    kept = []
    skip = 0
    for word in words:
        skip = skip or OUTPUT.get(word, 0)
        if not skip:
            kept.append(word)
        skip = max(skip - 1, 0)
    return kept


def jobs_of(path):
    """One (directory, command) for each file, its macros, and what is asked of it;
    the analyzer's first, which takes longest."""
    seen = set()
    warn = []
    analyze = []
    with open(os.path.join(path, "compile_commands.json")) as file:
        database = json.load(file)
    for entry in database:
        words = without_output(shlex.split(entry["command"]))
        source = os.path.realpath(os.path.join(entry["directory"], entry["file"]))
        macros = tuple(sorted(w for w in words if w.startswith("-D")))
        if (source, macros) in seen:
            continue
        seen.add((source, macros))
        warn.append((entry["directory"], words + WARN))
        if TEST_FLAVOUR not in macros and "/tests/" not in source:
            analyze.append((entry["directory"], words + ANALYZE))
    return analyze + warn


def run(job):
    directory, words = job
    done = subprocess.run(
        words,
        cwd=directory,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return done.returncode, done.stdout


def main():
    status = 0
    jobs = jobs_of(sys.argv[1])
    if not jobs:
        sys.exit("no C files in " + sys.argv[1])
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as crew:
        for code, said in crew.map(run, jobs):
            if code or said:
                print(said, end="")
                status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
