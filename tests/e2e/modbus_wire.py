"""Modbus TCP servers for the tests of modbus-agent: pymodbus in a process of its own, and raw frames."""

import contextlib
import json
import socket
import struct
import sys
import threading
import time
from pathlib import Path

import stand


class Pymodbus(stand.Program):
    """pymodbus_server.py on a port that it keeps over restarts."""

    def __init__(self, units, directory, tls=None):
        self.port = stand.free_port()
        self.url = f"{'tls' if tls else 'tcp'}://127.0.0.1:{self.port}"
        script = Path(__file__).with_name("pymodbus_server.py")
        super().__init__(
            [sys.executable, script, self.port, json.dumps(units), *([tls] if tls else [])],
            Path(directory) / "pymodbus.log",
        )

    def start(self):
        super().start()
        stand.wait_until(lambda: stand.accepts(self.port), what="pymodbus")
        return self


class RawServer:
    """Frames byte by byte: answer(unit, pdu) gives the answer's PDU, or (PDU, seconds late), or None.

    Answers go out in the order of the questions, each at its time, as from a slow device.
    """

    def __init__(self, answer):
        self.answer = answer
        self.connections = 0
        self.peers = []
        self.requests = []  # (monotonic time, unit, pdu)
        self.stopping = False
        self.accepting = threading.Event()
        self.accepting.set()
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.url = f"tcp://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                peer, _ = self.server.accept()
            except OSError:
                return
            self.connections += 1
            self.accepting.wait()
            if self.stopping:
                return
            self.peers.append(peer)
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer):
        stream = peer.makefile("rb")
        while True:
            header = stream.read(7)
            if len(header) < 7:
                return
            transaction, _, length, unit = struct.unpack(">HHHB", header)
            pdu = stream.read(length - 1)
            self.requests.append((time.monotonic(), unit, pdu))
            answer = self.answer(unit, pdu)
            if answer is None:
                continue
            pdu, late_s = answer if isinstance(answer, tuple) else (answer, 0)
            frame = struct.pack(">HHHB", transaction, 0, len(pdu) + 1, unit) + pdu
            if late_s:
                threading.Timer(late_s, self._send, (peer, frame)).start()
            else:
                self._send(peer, frame)

    @staticmethod
    def _send(peer, frame):
        try:
            peer.sendall(frame)
        except OSError:
            pass

    @contextlib.contextmanager
    def overrun(self):
        """Meanwhile its queue of connections is full: nobody gets in, nobody is refused."""
        self.accepting.clear()
        self.server.listen(0)
        before = self.connections
        fillers = [socket.create_connection(("127.0.0.1", self.port))]
        stand.wait_until(lambda: self.connections > before, what="the one that is taken out of the queue")
        with contextlib.suppress(TimeoutError):
            while True:
                fillers.append(socket.create_connection(("127.0.0.1", self.port), 0.2))
        yield
        self.server.listen(100)
        self.accepting.set()
        for filler in fillers:
            filler.close()

    def hang_up(self):
        for peer in self.peers:
            peer.shutdown(socket.SHUT_RDWR)
        self.peers = []

    def close(self):
        self.stopping = True
        self.accepting.set()
        socket.socket().connect_ex(("127.0.0.1", self.port))
        self.server.close()


def registers(function, values):
    """The PDU that answers a read of registers."""
    return struct.pack(f">BB{len(values)}H", function, 2 * len(values), *values)
