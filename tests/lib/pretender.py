# SPDX-License-Identifier: BSD-2-Clause
"""What answers like a tmemd with a busy hour behind it, or like none at all: replies of
wire.h, packed by hand."""
import math
import os
import socket
import struct
import threading

STATUS, LIST, HISTORY = 16, 17, 19
SAMPLES_MAX, ENTRIES_MAX = 30, 10
UNKNOWN = 2**64 - 1
MIB = 1 << 20
SAMPLES, PLACES, INTERVAL_NS = 360, 32, 10**10


def message(kind, body):
    return struct.pack("=II", kind, 8 + len(body)) + body


def status(policy=b"utility", reasons=17):
    body = struct.pack("=IIQQ3Q", 1, 4711, 9 * 3600 * 10**9, 512 * MIB,
                       300 * MIB, 40 * MIB, 6 * MIB)
    body += struct.pack("=7Q", 12, 14, 900, 20, 310, 0, 0)
    body += bytes(8 * reasons)
    body += struct.pack("=8Q2I16s", 640 * MIB, 2048 * MIB, 3000 * MIB, 0, 4, 5,
                        0, 0, 3, 0, policy)
    body += struct.pack("=4Q4I5Q", 300 * MIB, UNKNOWN, 10**9, 15, 0, 0, 0, 0,
                        0, 0, 0, 0, 0)
    return message(80, body)


def domain(name, number):
    body = struct.pack("=64sQII", name, number, 1000, 1)
    body += struct.pack("=2Q3Q", 512 * MIB, 64 * MIB, 25 * MIB, 0, MIB)
    body += struct.pack("=6Q", 25 * MIB, 12, 0, 32 * MIB, 0, 16)
    body += struct.pack("=4I2Q", 100, 0, 1, 0, 10**6, 0)
    figures = [0] * 24
    figures[2], figures[8:11] = 40 * MIB, [3000, 5000, 2000]
    figures[11], figures[16], figures[17] = 90000, 100000, 71000
    return body + struct.pack("=24Q", *figures)


def sample(place, i):
    """The hour as it might be: waves, an outage, and one that comes late."""
    t = i / SAMPLES
    wave = 1 + math.sin(2 * math.pi * (t * (1 + place % 3) + place / 7)) / 2
    age = (SAMPLES - 1 - i) * INTERVAL_NS + 10**9
    if place == 0:
        lent = [int((240 + 60 * math.sin(7 * t)) * MIB), 40 * MIB, 6 * MIB]
        may = (512 if t < 0.55 else 400 if t < 0.7 else 512) * MIB
        rest = [int((3400 - 900 * (0.5 < t < 0.72)) * MIB),
                int(4e8 * max(0, min(t, 0.66) - 0.54))]
        scale = 10
    else:
        if place == 3 and t < 0.4 or place == 5 and 0.5 < t < 0.6:
            return struct.pack("=16Q", UNKNOWN, *[0] * 15)
        lent = [int(40 * wave / place**0.7 * MIB), 2 * MIB, MIB // 2]
        may = int(45 / place**0.7 * MIB)
        rest = [UNKNOWN, UNKNOWN]
        scale = 3 / place
    # Counters are sums of what came each ten seconds.
    gets = hits = 0
    for k in range(i + 1):
        u = k / SAMPLES
        more = scale * 10 * (900 + 500 * math.sin(9 * u + place))
        gets += int(more)
        hits += int(more * (0.62 + 0.25 * math.sin(u * 5 + place)))
    return struct.pack("=16Q", age, *lent, may, *rest, i // 2,
                       int(sum(lent) * 1.7), sum(lent), int(gets * 0.4), gets,
                       hits, int((gets - hits) * 0.1), int(gets * 0.02),
                       gets * 2000)


def history(names, place, start):
    name = names[place - 1] if 0 < place <= len(names) else b""
    start = min(start, SAMPLES)
    count = min(SAMPLES_MAX, SAMPLES - start)
    if place and not name:
        count = 0
    body = struct.pack("=IIQQIIQ64s", place, count, start, SAMPLES, PLACES, 2,
                       INTERVAL_NS, name)
    return message(84, body + b"".join(sample(place, i) for i in
                                       range(start, start + count)))


def listen(path):
    """A socket that has its name once it takes connections: who waits for the name
    may connect."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(path + ".new")
    listener.listen()
    os.rename(path + ".new", path)
    return listener


class Pretender:
    """Listens at a path. Each reply goes through @spoil, which may change it."""

    def __init__(self, path, names=(), spoil=lambda verb, reply: reply):
        self.names, self.spoil = [n.encode() for n in names], spoil
        self.listener = listen(path)
        threading.Thread(target=self.serve, daemon=True).start()

    def answer(self, verb):
        kind = struct.unpack("=I", verb[:4])[0]
        if kind == STATUS:
            return status()
        if kind == LIST:
            after = struct.unpack("=Q", verb[8:16])[0]
            some = list(enumerate(self.names, 1))[after:after + ENTRIES_MAX]
            return message(81, struct.pack("=II", len(some), 0) + b"".join(
                domain(name, number) for number, name in some))
        place, _, start = struct.unpack("=IIQ", verb[8:24])
        return history(self.names, place, start)

    def serve(self):
        while True:
            try:
                peer = self.listener.accept()[0]
            except OSError:
                return
            try:
                while verb := peer.recv(4096):
                    peer.send(self.spoil(verb, self.answer(verb)))
            except OSError:
                pass
            peer.close()

    def close(self):
        self.listener.close()
