#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# test-metrics.sh - figures for Prometheus: `tmem metrics` and tmem-exporter tell the
# same, in a form that a strict parser and promtool take; what they tell, the page
# and the dashboard agree; a domain's odd name harms nothing; errors are one line.
set -eu

build=${TMEM_BUILD-.}
if [ ! -x "$build/tmem" ] || [ ! -x "$build/tmemd" ]; then
	echo "no tmem and tmemd in $build"
	exit 77
fi
unset TMEM_STORE NOTIFY_SOCKET LISTEN_FDS LISTEN_PID

exec python3 - "$build" "${TMEM_SOURCE-.}" <<'END'
import http.client
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile

build, source = sys.argv[1:]
sys.path.insert(0, source + "/tests/lib")
sys.dont_write_bytecode = True
import exposition

PATIENCE_S = 20
ODD = 'odd "name" with \\ in {it="1"} 5'
faults = 0


def check(what, good, told=""):
    global faults
    if not good:
        faults += 1
        print("FAILED: %s %s" % (what, told))


def inherited(program, arguments, listener, env=()):
    """With the socket as descriptor 3, so that nothing waits for a bind."""
    return subprocess.Popen(
        ["bash", "-c", 'exec 3<&%d; LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" "$@"'
         % listener.fileno(), build + "/" + program] + arguments,
        pass_fds=[listener.fileno()], stderr=subprocess.DEVNULL)


def end(process):
    process.send_signal(signal.SIGTERM)
    return process.wait(PATIENCE_S)


def session(path, name):
    """HELLO of wire.h, and its answer."""
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.settimeout(PATIENCE_S)
    s.connect(path)
    s.send(struct.pack("=IIIHHIIQQ64s", 1, 104, 0x6d656d74, 1, 1, 0, 0, 0, 0,
                       name.encode()))
    check("welcome " + name, struct.unpack("=I", s.recv(4096)[:4])[0] == 64)
    return s


def refused(code, pattern, *command):
    r = subprocess.run(command, capture_output=True, text=True,
                       timeout=PATIENCE_S)
    check(" ".join(command), r.returncode == code and not r.stdout and
          re.search(pattern, r.stderr) and r.stderr.count("\n") == 1,
          "exit %d, %s" % (r.returncode, r.stdout + r.stderr))


def metrics(path):
    return subprocess.run([build + "/tmem", "metrics", "--socket", path],
                          check=True, capture_output=True, text=True,
                          timeout=PATIENCE_S).stdout


def ask(port, method, url, body=None):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    c.request(method, url, body)
    r = c.getresponse()
    text = r.read().decode()
    c.close()
    return r.status, r.getheader("Content-Type"), text


def compare(what, ours, theirs):
    check(what, set(ours) == set(theirs),
          "only here: %s; only there: %s" % (sorted(set(ours) - set(theirs)),
                                             sorted(set(theirs) - set(ours))))


def test_text(path):
    text = metrics(path)
    told = exposition.parse(text)
    check("up", told["tmem_up"][2] == {(): 1})
    check("budget", told["tmem_budget_bytes"][2][()] == 64 << 20)
    check("domains", told["tmem_domains"][2][()] == 2)
    series = told["tmem_domain_sessions"][2]
    compare("names", [dict(s)["domain"] for s in series], ["plain", ODD])
    check("sessions", all(v == 1 for v in series.values()))
    # Reported by nobody: these clients do not answer.
    check("reported", all(
        v == 0 for v in told["tmem_domain_sessions_reported"][2].values()))
    check("no age without a report",
          not told["tmem_domain_report_age_seconds"][2])
    check("classes", {dict(s)["class"] for s in told["tmem_lent_bytes"][2]} ==
          {"ephemeral", "persistent", "metadata"})
    promtool = shutil.which("promtool")
    if promtool:
        r = subprocess.run([promtool, "check", "metrics"], input=text,
                           capture_output=True, text=True)
        check("promtool", r.returncode == 0, r.stdout + r.stderr)
    return told


def test_page(told):
    page = open(source + "/man/tmem-exporter.8.pod").read()
    page = re.search(r"^=head1 METRICS\n(.*?)^=head1 ", page,
                     re.M | re.S).group(1)
    compare("tmem-exporter(8)",
            re.findall(r"^=item B<(tmem_\w+)>", page, re.M), told)


def queries_of(panel):
    for target in panel.get("targets", ()):
        yield panel["title"], target["expr"]
    for below in panel.get("panels", ()):
        yield from queries_of(below)


def test_dashboard(told):
    board = json.load(open(source + "/packaging/grafana-dashboard.json"))
    queries = [q for p in board["panels"] for q in queries_of(p)]
    queries += [(v["name"], v["query"]) for v in board["templating"]["list"]]
    check("queries", len(queries) > 20)
    used = set()
    for title, query in queries:
        for name, selector in re.findall(r"\b(tmem_\w+)(?:\{([^}]*)\})?", query):
            used.add(name)
            check("panel %s:" % title, name in told, "there is no " + name)
            if name not in told:
                continue
            labels = {l for s in told[name][2] for l, _ in s} | {"instance"}
            for label in re.findall(r"(\w+)=", selector):
                check("panel %s:" % title, label in labels,
                      "%s has no label %s" % (name, label))
            # A counter alone says nothing, and a gauge has no rate.
            rated = re.search(r"(rate|increase)\(%s\b" % name, query)
            check("panel %s:" % title,
                  bool(rated) == (told[name][0] == "counter") or
                  query.startswith("label_values"), "rate of " + name)
    ids = [p["id"] for p in board["panels"]]
    check("panels", len(set(ids)) == len(ids))
    places = [tuple(p["gridPos"].values()) for p in board["panels"]]
    check("places", len(set(places)) == len(places))
    check("used", len(used) > 20)


def test_exporter(path, told, directory):
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    port = listener.getsockname()[1]
    exporter = inherited("tmem-exporter", ["--socket", path], listener)
    try:
        status, kind, text = ask(port, "GET", "/metrics")
        check("GET", status == 200 and
              kind == "text/plain; version=0.0.4; charset=utf-8", kind)
        compare("exporter", exposition.parse(text), told)
        check("HEAD", ask(port, "HEAD", "/metrics")[::2] == (200, ""))
        check("/", "/metrics" in ask(port, "GET", "/")[2])
        check("nowhere", ask(port, "GET", "/x")[0] == 404)
        check("POST", ask(port, "POST", "/metrics", "x" * 100000)[0] == 405)
        # One that hangs is in nobody's way.
        silent = socket.create_connection(("127.0.0.1", port))
        silent.send(b"GET /met")
        check("beside a silent one", ask(port, "GET", "/metrics")[0] == 200)
        silent.close()
        os.rename(path, path + ".away")
        status, _, text = ask(port, "GET", "/metrics")
        os.rename(path + ".away", path)
        check("no daemon", status == 200 and exposition.parse(text) == {
            "tmem_up": ("gauge", told["tmem_up"][1], {(): 0.0})}, text)
        check("back", exposition.parse(ask(port, "GET", "/metrics")[2])
              ["tmem_up"][2] == {(): 1})
        refused(1, r"tmem-exporter: cannot listen at 127.0.0.1:%d: Address "
                "already in use" % port, build + "/tmem-exporter", "--listen",
                "127.0.0.1:%d" % port)
    finally:
        check("end", end(exporter) == 0)
    for wrong in "localhost:1", "127.0.0.1", ":80", "127.0.0.1:", "::1:80", \
            "127.0.0.1:x", "1" * 100:
        refused(2, "want an address and a port", build + "/tmem-exporter",
                "--listen", wrong)
    refused(2, "no arguments", build + "/tmem-exporter", "x")
    refused(2, "no such option", build + "/tmem-exporter", "--wrong")
    # Handed something else than a listening socket.
    other = open("/dev/null")
    wrong = inherited("tmem-exporter", [], other)
    check("inherited /dev/null", wrong.wait(PATIENCE_S) == 1)


def test_errors(path):
    missing = path + ".missing"
    refused(1, "tmem: no daemon answers at " + re.escape(missing),
            build + "/tmem", "metrics", "--socket", missing)
    refused(2, "no arguments", build + "/tmem", "metrics", "x")
    if os.geteuid() == 0 and shutil.which("setpriv"):
        refused(1, "control is for root", "setpriv", "--reuid", "65534",
                "--regid", "65534", "--clear-groups", build + "/tmem",
                "metrics", "--socket", path)


def test_parser():
    """It is only worth something if it refuses."""
    good = "# HELP a_total h\n# TYPE a_total counter\na_total{l=\"\\\"\"} 1\n"
    exposition.parse(good)
    for bad in (good[:-1], good.replace("# HELP a_total h\n", ""),
                good.replace("a_total", "a"), good.replace('\\"', '"'),
                good + good, good + 'a_total{l="\\""} 2\n',
                good.replace(" 1\n", " x\n"), good + "b 1\n",
                good.replace("a_total", "a_ms_total"),
                good.replace("}", ",}")):
        try:
            exposition.parse(bad)
            check("the parser takes", False, repr(bad))
        except exposition.Malformed:
            pass


test_parser()
with tempfile.TemporaryDirectory() as directory:
    os.chmod(directory, 0o755)
    path = directory + "/socket"
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(path)
    os.chmod(path, 0o666)
    listener.listen()
    daemon = inherited("tmemd", ["--config", "/dev/null", "--budget", "64M",
                                 "--sandbox=no"], listener)
    try:
        sessions = [session(path, name) for name in ("plain", ODD)]
        told = test_text(path)
        test_page(told)
        test_dashboard(told)
        test_errors(path)
        if os.path.exists(build + "/tmem-exporter"):
            test_exporter(path, told, directory)
        else:
            print("no tmem-exporter: it was not built")
    finally:
        end(daemon)
sys.exit(faults > 0)
END
