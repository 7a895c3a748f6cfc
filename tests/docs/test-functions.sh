#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# test-functions.sh - what tmem.h declares is what libtmem(3) tells: functions
# with their prototypes and errors, fields of structs, constants.
set -eu

python3 - "$TMEM_SOURCE/include/tmem/tmem.h" "$TMEM_SOURCE/man/libtmem.3.pod" <<'END'
import re
import sys

header = open(sys.argv[1]).read()
page = open(sys.argv[2]).read()
faults = 0


def squeeze(text):
    return re.sub(r"\s+", " ", text).strip()


def compare(what, in_header, in_page):
    global faults
    for name in sorted(set(in_header) ^ set(in_page)):
        faults += 1
        print("%s: %s: only in %s" % (what, name,
              "tmem.h" if name in in_header else "libtmem(3)"))


def errors(text):
    return set(re.findall(r"-E[A-Z0-9]+", text))


# Docstrings by function; prototypes.
docs = dict(re.findall(r"/\*\*\n \* (tmem_\w+)\(\) - (.*?)\*/", header, re.S))
protos = {}
for text in re.findall(r"^TMEM_API (.*?);", header, re.M | re.S):
    text = squeeze(re.sub(r"__attribute__.*", "", text, flags=re.S))
    protos[re.search(r"(tmem_\w+)\(", text).group(1)] = text
protos["tmem_key"] = "struct tmem_key tmem_key(uint64_t object, uint64_t index)"
compare("docstrings", docs, protos)

# Sections of the page.
sections = dict(re.findall(r"^=head2 (tmem_\w+)\n(.*?)(?=^=head|\Z)", page,
                           re.M | re.S))
compare("sections", protos, sections)
synopsis = squeeze(re.search(r"^=head1 SYNOPSIS\n(.*?)^=head1 ", page,
                             re.M | re.S).group(1))
for name in sorted(set(protos) & set(sections)):
    for place, text in (("synopsis", synopsis),
                        (name, squeeze(sections[name]))):
        if protos[name] + ";" not in text:
            faults += 1
            print("%s: prototype differs: %s" % (place, protos[name]))
    # tmem_submit() tells of an op's errors as well: they are the single calls'.
    told = re.search(r"\* Return: (.*?)(?=\n \* (?:Source|Since):)", docs[name],
                     re.S)
    compare("errors of " + name, errors(told.group(1)) if told else (),
            errors(re.sub(r"^=item B<offset>.*?(?=^=item)", "",
                          sections[name], flags=re.M | re.S)))

# Structs: each field has an item, in the section that shows the struct or, for
# the figures, in the one that reads them.
structs = dict(re.findall(r"^struct (tmem_\w+) \{\n(.*?)^\};", header,
                          re.M | re.S))
items = {n: set(re.findall(r"B<(\w+)>", " ".join(
            re.findall(r"^=item (.*)$", s, re.M)))) for n, s in sections.items()}
homes = {"tmem_key": "tmem_key", "tmem_open_opts": "tmem_open",
         "tmem_pool_opts": "tmem_pool_create", "tmem_op": "tmem_submit",
         "tmem_stats": "tmem_stats", "tmem_pool_stats": "tmem_pool_stats"}
compare("structs", structs, homes)
for struct, home in homes.items():
    body = re.sub(r"/\*.*?\*/", "", structs[struct], flags=re.S)
    # Of a pointer to a function, what is in the first brackets.
    body = re.sub(r"\(\*(\w+)\)\(.*?\)", r"\1", body)
    fields = set(re.findall(r"(\w+)(?:\[\d+\])?[;,]", body))
    have = items[home]
    if struct == "tmem_pool_stats":
        have |= items["tmem_stats"] - {
            "limit_bytes", "pools", "ager_ns", "puts_packed", "shortages",
            "dictionaries"}
    compare("fields of " + struct, fields, {h for h in have if h.islower()})

# Constants, but for what is the header's own.
code = re.sub(r"/\*.*?\*/", "", header, flags=re.S)
constants = set(re.findall(r"\bTMEM_[A-Z0-9_]+\b", code)) - {
    "TMEM_API", "TMEM_TMEM_H"}
compare("constants", constants,
        set(re.findall(r"\bTMEM_[A-Z0-9_]+\b", page)) - {"TMEM_STORE"})
sys.exit(faults > 0)
END
