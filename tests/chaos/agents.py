"""Agents that are killed, and the devices that they read: meters, which know what they told whom and when.

What a killed agent loses by design (libshared/backlog.h): with "backlog": {"memory": "0"} the readings that it was just
taking; else also those that the broker had not acknowledged, since they were in its memory only: of a broker that is
there a few, of one that is away all since it went.
"""

import socketserver
import struct
import threading
import time

import modbus_wire
import stand

IN_HAND_S = 1  # a reading younger than this when the agent ended may not have got as far as its backlog
CATCH_UP_S = 3  # after the broker is back, for what an agent has in memory
PERIOD = "20ms"


class Meter:
    """Answers each question with the next number: 0, 1, 2 …"""

    def __init__(self):
        self.told = []  # when each was, monotonic
        self.last = {}  # {thread of a connection: the last number told on it}
        self._lock = threading.Lock()

    def next(self):
        with self._lock:
            number = len(self.told)
            self.told.append(time.monotonic())
            self.last[threading.current_thread()] = number
            return number


class ModbusMeter(Meter):
    """Input registers 0 and 1 are the number, the high word first."""

    def __init__(self):
        super().__init__()
        self._server = modbus_wire.RawServer(self._answer)
        self.config = {
            "buses": [{
                "url": self._server.url, "timeout": "10s", "reconnect": {"first": "20ms", "max": "200ms"},
                "devices": [{
                    "unit": 1, "location": "agents", "device": "modbus",
                    "groups": [{"measurement": "counted", "period": PERIOD, "points": [
                        {"name": "n", "table": "input", "address": 0, "type": "uint32"}]}],
                }],
            }],
        }  # fmt: skip

    def _answer(self, _unit, pdu):
        if pdu != struct.pack(">BHH", 4, 0, 2):
            return bytes([pdu[0] | 0x80, 2])
        number = self.next()
        return modbus_wire.registers(4, (number >> 16, number & 0xFFFF))

    def close(self):
        self._server.close()


class SerialMeter(Meter):
    """A board behind a serial-to-TCP bridge: READ is answered by N:NUMBER."""

    def __init__(self):
        super().__init__()
        meter = self

        class Board(socketserver.StreamRequestHandler):
            disable_nagle_algorithm = True

            def handle(self):
                for line in self.rfile:
                    if line.strip() == b"READ":
                        self.wfile.write(b"N:%d\r\n" % meter.next())

        class Bridge(socketserver.ThreadingTCPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass  # the agent was killed

        self._server = Bridge(("127.0.0.1", 0), Board)
        threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True).start()
        self.config = {
            "devices": [{
                "location": "agents", "device": "serial", "port": f"tcp://127.0.0.1:{self._server.server_address[1]}",
                "boot_wait": "0ms", "reply_timeout": "10s", "backoff": {"first": "20ms", "max": "200ms"},
                "polls": [{"request": "READ", "period": PERIOD, "measurement": "counted",
                           "points": [{"name": "n", "field": "N"}]}],
            }],
        }  # fmt: skip

    def close(self):
        self._server.shutdown()
        self._server.server_close()


class Agent(stand.Service):
    """An agent and its meter. `key` is the series of its readings."""

    def __init__(self, name, meter, memory, port, directory):
        self.meter = meter
        self.memory = memory
        self.key = ("agents", name.split("-")[0])
        self.ends = []  # when its processes ended, monotonic
        self.lock = threading.Lock()  # held by whoever breaks it
        directory.mkdir()
        super().__init__(name, {
            "service": {"instance": name, "state_dir": str(directory / "state"), "drain": "2s"},
            "mqtt": {"url": f"mqtt://127.0.0.1:{port}", "backoff": {"first": "50ms", "max": "200ms"}},
            "backlog": {"memory": memory},
            **meter.config,
        }, directory)  # fmt: skip

    def kill(self):
        code = super().kill()
        self.ends.append(time.monotonic())
        return code

    def stop(self, timeout_s=30):
        code = super().stop(timeout_s)
        self.ends.append(time.monotonic())
        return code


def make(port, directory):
    return [
        Agent("modbus-agent", ModbusMeter(), "0", port, directory / "modbus"),
        Agent("serial-agent", SerialMeter(), "1MiB", port, directory / "serial"),
    ]


class Account:
    """What became of the numbers that a meter told, and how each that is gone may be."""

    def __init__(self, agent, stored, outages):
        self.told = len(agent.meter.told)
        self.stored = sum(k in stored for k in range(self.told))
        self.in_hand, self.in_memory, self.unaccounted = [], [], []
        self.strangers = sum(k >= self.told for k in stored.numbers())
        self.unseen = 0  # numbers that the ledger must call missing: others of their session came after them
        lasts = set(agent.meter.last.values())
        n_gone, ends = 0, iter([*agent.ends, float("inf")])
        before, end = float("-inf"), next(ends)
        for k, at in enumerate(agent.meter.told):
            if at > end:
                n_gone = 0
            while at > end:
                before, end = end, next(ends)
            if k in lasts and k not in stored and at - before < IN_HAND_S:  # asked by the one that had just ended
                self.in_hand.append(k)
                continue
            if k in stored:
                self.unseen += n_gone
                n_gone = 0
                continue
            n_gone += 1
            self._place(agent, outages, at, end).append(k)

    def _place(self, agent, outages, at, end):
        if end - at < IN_HAND_S:
            return self.in_hand
        waited = any(down - IN_HAND_S < at and down < end < up + CATCH_UP_S for down, up in outages)
        return self.in_memory if agent.memory != "0" and waited else self.unaccounted
