#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# test-report.sh - `tmem report`: one page, well formed, that asks nothing of anybody
# else; of a fresh daemon and of one with an hour behind it, in a browser by light
# and in the dark; errors are one line and leave the file that was there.
set -eu

build=${TMEM_BUILD-.}
if [ ! -x "$build/tmem" ] || [ ! -x "$build/tmemd" ]; then
	echo "no tmem and tmemd in $build"
	exit 77
fi
unset TMEM_STORE NOTIFY_SOCKET LISTEN_FDS LISTEN_PID

exec python3 - "$build" "${TMEM_SOURCE-.}" <<'END'
import functools
import html.parser
import http.server
import json
import os
import re
import shutil
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import threading
import zlib

build, source = sys.argv[1:]
sys.path.insert(0, source + "/tests/lib")
sys.dont_write_bytecode = True
import pretender

PATIENCE_S = 60
EVIL = "late <script>alert(1)</script>"
NAMES = ["web", "database", EVIL, "batch", 'flaky & "quoted"', "ci", "mail",
         "search", "metrics", "backup", "guest-1", "guest-2"]
# Colours of the page itself: hour-style.c.
LIGHT, DARK = (0xf5, 0xf6, 0xf8), (0x12, 0x16, 0x1c)
faults = 0


def check(what, good, told=""):
    global faults
    if not good:
        faults += 1
        print("FAILED: %s %s" % (what, told))


def report(path, out):
    return subprocess.run([build + "/tmem", "report", "--socket", path, out],
                          capture_output=True, text=True, timeout=PATIENCE_S)


def refused(what, r, code, pattern):
    check(what, r.returncode == code and not r.stdout and
          re.search(pattern, r.stderr) and r.stderr.count("\n") == 1,
          "exit %d, %s" % (r.returncode, r.stdout[:200] + r.stderr))


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


class Page(html.parser.HTMLParser):
    """Elements closed in order, what is inside, and every attribute."""
    VOID = ("meta", "br")

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.attributes, self.texts = [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += attributes
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += attributes

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            check("well formed", False, "</%s> at %s" % (tag, self.getpos()))

    def handle_data(self, data):
        if data.strip():
            self.texts.append(data.strip())


def look_at(what, path):
    text = open(path, encoding="utf-8").read()
    page = Page(text)
    check(what + ": all is closed", not page.open, page.open)
    check(what + ": no scripts", not {"script", "link", "iframe", "img",
                                      "object"} & set(page.tags))
    for name, value in page.attributes:
        check(what + ": nothing from elsewhere",
              name not in ("src", "href", "xlink:href", "srcset") and
              not name.startswith("on") and "url(" not in (value or ""),
              "%s=%s" % (name, value))
    style = re.search(r"<style>(.*?)</style>", text, re.S).group(1)
    check(what + ": style", "url(" not in style and "@import" not in style)
    check(what + ": numbers", not re.search(r"\b(nan|inf)\b", text))
    return page, text


def first_pixel(png):
    """Of an RGB or RGBA file without interlacing: in its corner, no filter needs
    another pixel."""
    data = open(png, "rb").read()
    check(png, data[:8] == b"\x89PNG\r\n\x1a\n" and data[24] == 8 and
          data[25] in (2, 6) and data[28] == 0)
    at, packed = 8, b""
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        if kind == b"IDAT":
            packed += data[at + 8:at + 8 + length]
        at += 12 + length
    return tuple(zlib.decompress(packed)[1:4]), struct.unpack(">II", data[16:24])


def browse(url, directory, dark):
    """A picture of it, what it became, what the browser said, what it asked for."""
    picture, log = directory + "/page.png", directory + "/net.json"
    # Not as root's: its sandbox wants a user.
    common = ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu",
              "--disable-dev-shm-usage", "--no-first-run", "--hide-scrollbars",
              "--disable-background-networking", "--disable-component-update",
              "--disable-sync", "--disable-extensions",
              "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
              "--user-data-dir=" + directory + "/profile",
              "--blink-settings=preferredColorScheme=%d" % (not dark)]
    r = subprocess.run(common + [
        "--enable-logging=stderr", "--window-size=1280,2500",
        "--log-net-log=" + log, "--screenshot=" + picture, url],
        capture_output=True, text=True, timeout=PATIENCE_S)
    check("chromium", r.returncode == 0 and os.path.exists(picture), r.stderr)
    said = [l for l in r.stderr.split("\n") if ":CONSOLE" in l]
    check("console", not said, said)
    asked = {e["params"]["url"] for e in json.load(open(log))["events"]
             if isinstance(e.get("params"), dict) and "url" in e["params"]}
    check("the log of requests", url in asked, asked)
    site = url.rsplit("/", 1)[0] + "/"
    # The browser's own errands go nowhere; the page has none.
    asked = [u for u in asked if not re.match(
        r"data:|chrome|https?://[^/]*\b(google|gstatic|googleapis)\.", u) and
        u not in (url, site, site + "favicon.ico")]
    check("requests", not asked, asked)
    pixel, size = first_pixel(picture)
    check("picture", size == (1280, 2500) and pixel == (DARK if dark else LIGHT),
          "%s %s" % (size, pixel))
    check("not empty", os.path.getsize(picture) > 100000)
    return common


def test_hour(directory):
    path, out = directory + "/busy", directory + "/hour.html"
    daemon = pretender.Pretender(path, NAMES)
    r = report(path, out)
    check("report", r.returncode == 0 and not r.stdout and not r.stderr,
          r.stderr)
    page, text = look_at("an hour", out)
    check("plots", page.tags.count("figure") == 7 and
          page.tags.count("svg") == 7 + len(NAMES))
    check("domains", all(n in page.texts for n in NAMES))
    check("left out", any("And 2 more" in t for t in page.texts))
    check("an hour of moments", len(set(re.findall(r"<title>(\d\d:\d\d:\d\d)",
                                                   text))) > 100)
    for curve in ("ephemeral", "budget", "floor", "gets", "puts", "ghost hits",
                  "waiting for memory", "others"):
        check("curve", curve in page.texts, curve)
    # One that was away has a gap: its curve is in two pieces.
    card = re.search(r'flaky &amp; &quot;quoted&quot;</h3>(.*?)</section>', text,
                     re.S).group(1)
    check("gap", card.count('class="line c') - card.count("limit") == 2)
    daemon.close()
    if not shutil.which("chromium"):
        print("no chromium: not looked at in a browser")
        return
    # Served, so that what it asks for is seen, itself included.
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=directory))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = "http://127.0.0.1:%d/hour.html" % server.server_port
    for dark in 0, 1:
        common = browse(url, directory, dark)
    r = subprocess.run(common + ["--dump-dom", url],
                       capture_output=True, text=True, timeout=PATIENCE_S)
    check("in the browser", "Memory lent</h3>" in r.stdout and
          EVIL.replace("<", "&lt;").replace(">", "&gt;") in r.stdout)
    server.shutdown()


def test_fresh(directory):
    path, out = directory + "/fresh", directory + "/fresh.html"
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(path)
    listener.listen()
    daemon = subprocess.Popen(
        ["bash", "-c", 'exec 3<&%d; LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" "$@"'
         % listener.fileno(), build + "/tmemd", "--config", "/dev/null",
         "--budget", "64M", "--sandbox=no"], pass_fds=[listener.fileno()],
        stderr=subprocess.DEVNULL)
    try:
        r = report(path, out)
        check("fresh", r.returncode == 0, r.stderr)
        page, text = look_at("fresh", out)
        check("no domain", any("None had a session" in t for t in page.texts))
        check("budget", "64 MiB" in page.texts)
        r = report(path, "-")
        check("standard output", r.returncode == 0 and
              r.stdout.startswith("<!DOCTYPE html>"))
        # What is there stays what it is.
        os.mkfifo(directory + "/pipe")
        # To a file: nobody reads on before the report has ended.
        read = tempfile.TemporaryFile("w+")
        reader = subprocess.Popen(["cat", directory + "/pipe"], stdout=read)
        check("to a pipe", report(path, directory + "/pipe").returncode == 0)
        is_pipe = stat.S_ISFIFO(os.stat(directory + "/pipe").st_mode)
        check("it is still one", is_pipe)
        if not is_pipe:
            reader.terminate()
        reader.wait(PATIENCE_S)
        read.seek(0)
        check("all of it", read.read().startswith("<!DOCTYPE html>"))
        os.unlink(directory + "/pipe")
        os.symlink("fresh.html", directory + "/link")
        os.truncate(out, 0)
        check("to a link", report(path, directory + "/link").returncode == 0)
        check("the link leads there", os.path.islink(directory + "/link") and
              os.stat(out).st_size > 0)
        os.unlink(directory + "/link")
        refused("a directory", report(path, directory), 1, "cannot write")
        refused("nowhere", report(path, directory + "/no/where.html"), 1,
                "cannot write .*No such file")
        refused("no argument", subprocess.run(
            [build + "/tmem", "report"], capture_output=True, text=True), 2,
            "want a FILE")
    finally:
        daemon.terminate()
        daemon.wait(PATIENCE_S)
    before = os.stat(out).st_ino
    refused("no daemon", report(path + ".away", out), 1, "no daemon answers")
    check("the old page is there", os.stat(out).st_ino == before)
    check("no litter", sorted(os.listdir(directory)) ==
          ["fresh", "fresh.html"], os.listdir(directory))


def test_nonsense(directory):
    """Replies that are none: told in a line, and soon."""
    def history(change):
        def spoil(verb, reply):
            if struct.unpack("=I", verb[:4])[0] != pretender.HISTORY:
                return reply
            return change(bytearray(reply))
        return spoil

    def put(at, form, value):
        def change(reply):
            struct.pack_into(form, reply, at, value)
            return bytes(reply)
        return history(change)

    cases = {
        "count": put(12, "=I", 31), "short": history(lambda r: bytes(r[:-1])),
        "place": put(8, "=I", 7), "places": put(32, "=I", 2**32 - 1),
        "name": put(48, "64s", b"x" * 64), "type": put(0, "=I", 80),
        "nothing": history(lambda r: b"x"),
    }
    for name, spoil in cases.items():
        path = directory + "/" + name
        daemon = pretender.Pretender(path, ["a"], spoil)
        refused(name, report(path, directory + "/x.html"), 1,
                "makes no sense|another release|Protocol error")
        daemon.close()
    # Numbers that may be: an end that is never reached, samples from far away.
    for name, spoil in {"end": put(24, "=Q", 2**64 - 1),
                        "from": put(16, "=Q", 2**63)}.items():
        path = directory + "/" + name
        daemon = pretender.Pretender(path, ["a"], spoil)
        check(name, report(path, "-").returncode in (0, 1))
        daemon.close()


for test in test_hour, test_fresh, test_nonsense:
    with tempfile.TemporaryDirectory() as directory:
        test(directory)
sys.exit(faults > 0)
END
