# SPDX-License-Identifier: BSD-2-Clause
"""A strict parser of Prometheus' text format 0.0.4: stricter than Prometheus, which
takes families in pieces, and figures without help."""
import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,?)')
SERIES = re.compile(r"(%s)(?:\{(.*)\})? (\S+)$" % NAME)
OTHER_UNITS = ("_ms", "_us", "_ns", "_milliseconds", "_kb", "_mb", "_pages_bytes",
               "_percent", "_pct")


class Malformed(Exception):
    pass


def labels_of(text, where):
    labels, at = {}, 0
    while at < len(text):
        m = LABEL.match(text, at)
        if not m or (m.end() < len(text)) != bool(m.group(3)):
            raise Malformed("%s: labels" % where)
        if m.group(1) in labels:
            raise Malformed("%s: %s twice" % (where, m.group(1)))
        labels[m.group(1)] = re.sub(
            r"\\(.)", lambda e: "\n" if e.group(1) == "n" else e.group(1),
            m.group(2))
        at = m.end()
    return labels


def check_name(name, kind, where):
    if (kind == "counter") != name.endswith("_total"):
        raise Malformed("%s: only counters end in _total" % where)
    if name.replace("_total", "").endswith(OTHER_UNITS):
        raise Malformed("%s: not a base unit" % where)


def parse(text):
    """{name: (kind, help, {labels as a sorted tuple: value})}, or Malformed."""
    families, current, awaited = {}, None, None
    if not text.endswith("\n"):
        raise Malformed("no newline at the end")
    for number, line in enumerate(text[:-1].split("\n"), 1):
        where = "line %d: %s" % (number, line)
        m = re.match(r"# HELP (%s) (.+)$" % NAME, line)
        if m:
            if awaited or m.group(1) in families:
                raise Malformed("%s: out of place" % where)
            awaited = m.groups()
            continue
        m = re.match(r"# TYPE (%s) (counter|gauge)$" % NAME, line)
        if m:
            if not awaited or awaited[0] != m.group(1):
                raise Malformed("%s: no HELP above" % where)
            check_name(*m.groups(), where)
            current = m.group(1)
            families[current] = (m.group(2), awaited[1], {})
            awaited = None
            continue
        m = SERIES.match(line)
        if not m or awaited or m.group(1) != current:
            raise Malformed("%s: out of its family" % where)
        if not re.match(r"-?[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?$", m.group(3)):
            raise Malformed("%s: value" % where)
        labels = tuple(sorted(labels_of(m.group(2) or "", where).items()))
        series = families[current][2]
        if labels in series:
            raise Malformed("%s: twice" % where)
        series[labels] = float(m.group(3))
    if awaited:
        raise Malformed("HELP and nothing else at the end")
    return families
