"""Stores for the oracle: each tells which readings it has, and each has faults of its own."""

import gzip
import json
import signal
import socket
import struct
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import stand
import stores


class Seen:
    """How often each number was seen, without a set of millions."""

    def __init__(self):
        self._times = bytearray()
        self.repeated = 0

    def add(self, number):
        if number >= len(self._times):
            self._times.extend(bytes(max(number + 1 - len(self._times), 65536)))
        if self._times[number]:
            self.repeated += 1
        self._times[number] = 1

    def __contains__(self, number):
        return 0 <= number < len(self._times) and self._times[number] == 1

    def numbers(self):
        return (i for i, times in enumerate(self._times) if times)


class RecordingStore:
    """An InfluxDB 2 that notes every line it said yes to, before it says so.

    A post with a text where numbers are gets a 400 and nothing of it is kept. `mode` is how it answers; reset_after
    and hang_after keep the lines and say nothing, so that they must come again.
    """

    modes = (
        "401", "404", "408", "429", "500", "503", "413", "hang", "hang_after", "reset", "reset_after", "liar",
        "cut_short", "down",
    )  # fmt: skip

    def __init__(self, base_ms):
        self.base_ms = base_ms
        self.repeats_known = True  # how often it was sent a line again
        self.mode = "ok"
        self.seen = {}  # (location, device): Seen
        self.answers = {}
        self.strange = []
        self._lock = threading.Lock()
        self._tags = {}
        self._connections = set()
        self._server = None
        self._port = 0
        self._changed = threading.Event()
        self._open()

    @property
    def target(self):
        return {
            "kind": "influxdb2", "url": f"http://127.0.0.1:{self._port}", "org": "chaos", "bucket": "chaos",
            "timeout": "1s", "connect_timeout": "1s",
        }  # fmt: skip

    def has(self, key):
        return self.seen.get(key, Seen())

    def apply(self, mode):
        if mode == "down":
            self._close()
        self.mode = mode

    def recover(self):
        down, self.mode = self.mode == "down", "ok"
        self._changed.set()
        self._changed = threading.Event()
        if down:
            self._open()

    def close(self):
        self.recover()
        self._close()

    def _open(self):
        store = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                super().setup()
                store._connections.add(self.connection)

            def finish(self):
                store._connections.discard(self.connection)
                try:
                    super().finish()
                except OSError:
                    pass

            def do_POST(self):
                store._answer(self)

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass  # the sink was killed in the middle of a post

        self._server = Server(("127.0.0.1", self._port), Handler)
        self._port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def _close(self):
        self._server.shutdown()
        self._server.server_close()
        for connection in list(self._connections):
            reset(connection)

    def _answer(self, handler):
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        if handler.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        mode, lines = self.mode, body.splitlines()
        with self._lock:
            self.answers[mode] = self.answers.get(mode, 0) + 1
        if mode in ("hang", "hang_after", "reset", "reset_after"):
            if mode.endswith("after") and not refused(lines):
                self._keep(lines)
            if mode.startswith("hang"):
                self._changed.wait(60)
            reset(handler.connection)
            handler.close_connection = True
            return
        status, headers, text = self._decide(mode, lines)
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(text) + (100 if mode == "cut_short" else 0)))
        handler.end_headers()
        handler.wfile.write(text)
        handler.close_connection = handler.close_connection or mode == "cut_short"

    def _decide(self, mode, lines):
        if mode.isdigit() and not (mode == "413" and len(lines) <= 40):
            return int(mode), {"Retry-After": "1"} if mode == "429" else {}, b'{"code":"chaos","message":"chaos"}'
        if mode == "liar":
            return 200, {}, b'{"error":"engine: closed"}'
        if mode == "cut_short":
            return 200, {}, b"{"
        if refused(lines):
            return 400, {}, b'{"code":"invalid","message":"a text where numbers are"}'
        self._keep(lines)
        return 200, {}, b""

    def _keep(self, lines):
        with self._lock:
            for line in lines:
                tags, _, rest = line.partition(b" ")
                if tags.startswith(b"sensors,"):
                    self._series(tags).add(int(rest[rest.rindex(b" ") + 1 :]) - self.base_ms)
                elif tags.startswith(b"counted,"):
                    self._series(tags).add(int(float(rest[2 : rest.index(b" ")])))

    def _series(self, tags):
        if tags not in self._tags:
            pairs = dict(pair.split("=") for pair in tags.decode().split(",")[1:])
            key = (pairs["location"], pairs["device_id"])
            self._tags[tags] = self.seen.setdefault(key, Seen())
        return self._tags[tags]


def refused(lines):
    return any(b'="' in line for line in lines if line.startswith(b"sensors,"))


def reset(connection):
    """Ends a connection with a reset instead of a farewell."""
    try:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RDWR)
        connection.close()
    except OSError:
        pass


class RealInfluxDB:
    """Debian's InfluxDB 1.6, killed -9 and stopped in its tracks. Says 400 "partial write" to a text where
    numbers are and keeps the rest."""

    modes = ("kill", "stop")

    def __init__(self, base_ms, directory):
        self.base_ms = base_ms
        self.repeats_known = False
        self._influxdb = stores.InfluxDB(directory).start()
        self.answers, self._seen = {}, {}
        self._mode = "ok"

    @property
    def target(self):
        return {
            "kind": "influxdb1", "url": self._influxdb.url, "database": "fieldline", "timeout": "2s",
            "connect_timeout": "1s",
        }  # fmt: skip

    def apply(self, mode):
        self._mode = mode
        self.answers[mode] = self.answers.get(mode, 0) + 1
        if mode == "kill":
            self._influxdb.kill()
        else:
            self._influxdb.signal(signal.SIGSTOP)

    def recover(self):
        if self._mode == "kill":
            self._influxdb.start()
        elif self._mode == "stop":
            self._influxdb.signal(signal.SIGCONT)
        self._mode = "ok"

    def has(self, key):
        """Asks the server, at most once in two seconds."""
        at, seen = self._seen.get(key, (0, None))
        if time.monotonic() - at > 2:
            seen = Seen()
            what = "n FROM counted" if key[0] == "agents" else "v0 FROM sensors"
            rows = self._influxdb.query(f"SELECT {what} WHERE location='{key[0]}' AND device_id='{key[1]}'")
            for row in rows:
                seen.add(int(row["n"]) if key[0] == "agents" else row["time"] - self.base_ms)
            self._seen[key] = (time.monotonic(), seen)
        return seen

    def close(self):
        self._influxdb.kill()
