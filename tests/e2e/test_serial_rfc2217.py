"""serial-agent and a serial port at the far end of a telnet connection: RFC 2217, with pyserial as the server."""

import socket
import threading

import pytest
import serial
import serial.rfc2217

import serial_board
import stand
from serial_board import DEVICE, SENSORS, config

STREAM = config("")["devices"][0]["streams"][0]
POLL = {key: STREAM[key] for key in ("measurement", "points")} | {"request": "READ \xff", "period": "50ms"}


class Server:
    """Listens, and behind it a port with a board that answers each line and is reset by an edge of DTR."""

    def __init__(self, refuses=False):
        self.refuses = refuses
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"rfc2217://127.0.0.1:{self.listener.getsockname()[1]}"
        self.heard, self.edges, self.hangs, self.connections = [], 0, False, 0
        self.port = serial.serial_for_url("loop://", do_not_open=True)
        self.connection = None
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                self.connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            with self.connection:
                self._talk()

    def _talk(self):
        self.port.close()
        self.port.open()
        manager = None if self.refuses else serial.rfc2217.PortManager(self.port, self)
        line, dtr = b"", self.port.dtr
        while data := self._read():
            if self.refuses:
                self.write(b"\xff\xfe\x2c" if b"\xff\xfb\x2c" in data else b"")  # DONT COM-PORT-OPTION
                continue
            for byte in manager.filter(data):
                line += byte
                if byte == b"\n":
                    self.heard.append(line)
                    line = b""
                    if not self.hangs:
                        self.write(b"".join(manager.escape(b"TEMP:23.5,\xc3\xbf:\xff,N:1\r\nTEMP:24.5,N:2\r\n")))
            self.edges += self.port.dtr != dtr
            dtr = self.port.dtr

    def _read(self):
        try:
            return self.connection.recv(4096)
        except OSError:
            return b""

    def write(self, data):
        self.connection.sendall(data)

    def close(self):
        self.listener.close()
        if self.connection:
            self.connection.close()


@pytest.fixture
def server():
    server = Server()
    yield server
    server.close()


def test_settings_lines_and_bytes(start, listener, server):
    """Set up before the first byte; 0xFF doubled out and in, and broken UTF-8 still seen for what it is."""
    device = {"baud": 250000, "frame": "7E2", "rts": False, "polls": [POLL], "streams": []}
    start("serial-agent", config(server.url, **device))
    reading = serial_board.wait_reading(listener, lambda r: "temperature" in r["values"])
    assert reading["values"] == {"temperature": 24.5, "n": 2}
    assert (server.port.baudrate, server.port.bytesize, server.port.parity, server.port.stopbits) == (250000, 7, "E", 2)
    assert (server.port.dtr, server.port.rts) == (True, False)
    assert server.heard[0] == "READ ÿ\n".encode()
    health = listener.wait("iot/_service/+/health", lambda m: m.json["counters"].get("bytes.bad"), timeout_s=30)
    assert health.json["counters"]["bytes.bad"] == health.json["counters"]["dropped.bad_lines"]


def test_a_board_that_hangs_is_reset_from_afar(start, listener, server):
    options = {"reset_on_hang": True, "boot_wait": "500ms", "reply_timeout": "100ms", "offline_after": 1,
               "breaker": {"threshold": 2, "open": "60s"}, "polls": [POLL], "streams": []}
    agent = start("serial-agent", config(server.url, **options))
    serial_board.wait_reading(listener)
    before, server.hangs = server.edges, True
    stand.wait_until(lambda: "board_reset" in agent.log() and server.edges == before + 2, what="the reset")
    server.hangs = False
    mark = listener.mark()
    listener.wait(f"{DEVICE}/status", lambda m: m.json["state"] == "online", since=mark)


def test_a_connection_that_ends_is_made_again(start, listener, server):
    start("serial-agent", config(server.url, polls=[POLL], streams=[]))
    for _ in range(3):
        mark = listener.mark()
        listener.wait(SENSORS, since=mark)
        mark = listener.mark()
        server.connection.shutdown(socket.SHUT_RDWR)
        listener.wait(f"{DEVICE}/status", lambda m: m.json["state"] == "offline", since=mark)
        listener.wait(f"{DEVICE}/status", lambda m: m.json["state"] == "online", since=mark)


def test_who_speaks_no_rfc2217_is_named(start, listener):
    server = Server(refuses=True)
    start("serial-agent", config(server.url, polls=[POLL], streams=[]))
    listener.wait(f"{DEVICE}/status", lambda m: "RFC 2217" in m.json.get("reason", ""), timeout_s=30)
    server.close()
