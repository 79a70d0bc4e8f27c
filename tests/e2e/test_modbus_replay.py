"""modbus-agent against raw answers, replayed byte by byte with faults, on three wires.

Every other answer is a fault: cut at each byte (and then silence, a hang-up, or the rest after the time-out),
each bit flipped, a wrong transaction, unit, length, function or byte count, two answers at once. Good answers
hold ever new values; what a faulty one says is POISON and its number, and must never be published.
"""

import os
import select
import socket
import struct
import threading
import time
import tty

import pytest

import contract
import stand

DEVICE = "iot/facility_a/line_001"
POISON = 0x8000
TIMEOUT_S = 0.06
LATE_S = 1.5 * TIMEOUT_S  # beyond two time-outs nothing tells answers apart that have no number
UNIT = 1
COUNTERS = ("requests", "answers", "exceptions", "timeouts", "bad_answers", "late_replies", "bus_losses")


def crc(data):
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ 0xA001 if value & 1 else value >> 1
    return struct.pack("<H", value)


def flips(frame, positions):
    for at in positions:
        for bit in range(8):
            yield f"bit {bit} of byte {at}", [frame[:at] + bytes([frame[at] ^ 1 << bit]) + frame[at + 1 :]]


def cuts(frame):
    for at in range(len(frame)):
        yield f"cut at {at}", [frame[:at]]
        yield f"cut at {at}, hung up", [frame[:at], None]
        yield f"cut at {at}, the rest late", [frame[:at], LATE_S, frame[at:]]


class Tcp:
    """Modbus TCP. Its data has no checksum of its own: what is flipped there nobody can see, so headers are."""

    scheme = "tcp"
    request_size = 12

    @staticmethod
    def frame(request, pdu, transaction=None, unit=UNIT, length=None, protocol=0):
        number = struct.unpack(">H", request[:2])[0] if transaction is None else transaction
        return struct.pack(">HHHB", number & 0xFFFF, protocol, length or len(pdu) + 1, unit) + pdu

    @classmethod
    def faults(cls, request, poison):
        number = struct.unpack(">H", request[:2])[0]
        frame = cls.frame(request, poison)
        yield from flips(frame, range(9))
        for other in (number - 1, number + 1, 0, 0xFFFF):
            yield f"transaction {other}", [cls.frame(request, poison, transaction=other)]
        for unit in (0, 2, 255):
            yield f"unit {unit}", [cls.frame(request, poison, unit=unit)]
        for length in (1, 2, 4, 6, 255, 0xFFFF):
            yield f"length {length}", [cls.frame(request, poison, length=length)]
        yield "protocol 1", [cls.frame(request, poison, protocol=1)]


class Rtu:
    """RTU frames, through TCP or on a line: every bit is guarded."""

    scheme = "rtu+tcp"
    request_size = 8

    @staticmethod
    def frame(request, pdu, unit=None):
        data = bytes([request[0] if unit is None else unit]) + pdu
        return data + crc(data)

    @classmethod
    def faults(cls, request, poison):
        frame = cls.frame(request, poison)
        yield from flips(frame, range(len(frame)))
        for unit in (0, 2, 247):
            yield f"unit {unit}", [cls.frame(request, poison, unit=unit)]
        yield "CRC swapped", [frame[:-2] + frame[:-3:-1]]


def common_faults(kind, request, poison):
    frame = kind.frame(request, poison)
    yield from cuts(frame)
    yield "another function", [kind.frame(request, b"\x03" + poison[1:])]
    yield "more bytes than asked for", [kind.frame(request, b"\x04\x04" + 2 * poison[2:])]
    yield "fewer bytes than said", [kind.frame(request, b"\x04\x04" + poison[2:])]
    yield "no bytes", [kind.frame(request, b"\x04\x00")]
    yield "nothing but noise", [bytes(range(0x80, 0xA0))]
    yield "late", [LATE_S, frame]
    yield "an exception of no kind", [kind.frame(request, b"\x84\x00")]


class Replay:
    """Answers each other request by the next fault, and counts what it did."""

    def __init__(self, kind):
        self.kind = kind
        self.n = 0
        self.done = threading.Event()
        self.held = []  # of the good answers
        request = bytes(kind.request_size)
        poison = struct.pack(">BBH", 4, 2, POISON)
        self.labels = [label for label, _ in self.all_faults(request, poison)]
        self.count = len(self.labels)

    def all_faults(self, request, poison):
        yield from self.kind.faults(request, poison)
        yield from common_faults(self.kind, request, poison)

    def actions(self, request):
        """What goes out: bytes, seconds to wait, or None to hang up."""
        self.n += 1
        fault = self.n // 2 - 1
        if self.n % 2 == 0 and fault < self.count:
            poison = struct.pack(">BBH", 4, 2, POISON + fault)
            return list(self.all_faults(request, poison))[fault][1]
        if fault >= self.count + 5:
            self.done.set()
        self.held.append(len(self.held) + 1)
        return [self.kind.frame(request, struct.pack(">BBH", 4, 2, self.held[-1]))]


class TcpWire:
    def __init__(self, replay):
        self.replay = replay
        self.connections = 0
        self.server = socket.create_server(("127.0.0.1", 0))
        self.url = f"{replay.kind.scheme}://127.0.0.1:{self.server.getsockname()[1]}"
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            try:
                peer, _ = self.server.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer):
        with peer:
            while True:
                try:
                    request = peer.recv(self.replay.kind.request_size, socket.MSG_WAITALL)
                except OSError:
                    return
                if len(request) < self.replay.kind.request_size or not self._act(peer, request):
                    return

    def _act(self, peer, request):
        try:
            for action in self.replay.actions(request):
                if isinstance(action, float):
                    time.sleep(action)
                elif action is None:
                    return False
                else:
                    peer.sendall(action)
        except OSError:
            return False
        return True

    def close(self):
        socket.socket().connect_ex(self.server.getsockname())
        self.server.close()


class LineWire:
    """A serial line: a pty that is asked and answers; nobody can hang up on it."""

    connections = 1

    def __init__(self, replay):
        self.replay = replay
        self.line, self.end = os.openpty()
        tty.setraw(self.end)
        self.url = f"rtu://{os.ttyname(self.end)}?baud=115200&parity=none"
        self.stopping = False
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        request = b""
        while not self.stopping:
            if not select.select([self.line], [], [], 0.2)[0]:
                continue
            request += os.read(self.line, 64)
            if len(request) < 8:
                continue
            request, now = request[8:], request[:8]
            for action in self.replay.actions(now):
                if isinstance(action, float):
                    time.sleep(action)
                elif action is not None:
                    os.write(self.line, action)

    def close(self):
        self.stopping = True
        self.thread.join()
        os.close(self.line)
        os.close(self.end)


@pytest.fixture(autouse=True)
def keeps_the_contract(listener):
    yield
    for message in listener.messages:
        contract.check(message.topic, message.payload)


@pytest.mark.alone
@pytest.mark.parametrize("kind, wire", [(Tcp, TcpWire), (Rtu, TcpWire), (Rtu, LineWire)])
def test_no_fault_on_the_wire_becomes_a_value(listener, start, kind, wire):
    replay = Replay(kind)
    server = wire(replay)
    points = [{"name": "n", "table": "input", "address": 0}]
    start(
        "modbus-agent",
        {
            "buses": [
                {
                    "url": server.url,
                    "timeout": f"{TIMEOUT_S * 1000:.0f}ms",
                    "reconnect": {"first": "10ms", "max": "20ms"},
                    "devices": [
                        {
                            "unit": UNIT,
                            "location": "facility_a",
                            "device": "line_001",
                            "breaker": {"failures": 1000},
                            "groups": [{"measurement": "fine", "period": "20ms", "points": points}],
                        }
                    ],
                }
            ]
        },
    )
    assert replay.done.wait(180), f"{replay.n} requests for {replay.count} faults"
    counted = listener.wait(
        "iot/_service/+/health", since=listener.mark(), timeout_s=25
    ).json["counters"]  # fmt: skip
    server.close()
    messages = [m.json for m in listener.find(f"{DEVICE}/telemetry/fine")]
    readings = [r for m in messages for r in (m if isinstance(m, list) else [m])]
    values = [r["values"]["n"] for r in readings if r["values"]]
    bad = [r["bad"] for r in readings if "bad" in r]
    told = {k: v for k, v in counted.items() if k in COUNTERS}
    print(f"{server.url}: {replay.count} faults, {len(values)} values, {len(bad)} bad; {told}")
    assert not [replay.labels[v - POISON] for v in values if v >= POISON]
    assert values == sorted(set(values)) and set(values) <= set(replay.held)
    assert {reason for b in bad for reason in b.values()} == {"timeout"}
    assert counted["timeouts"] + counted["bad_answers"] >= replay.count / 2
    assert counted["late_replies"] > 0 and counted["bad_answers"] > 0
