"""What tests/bench/sink measures with: influx-sink with a broker of its own, and the stores behind it."""

import os
import re
import struct
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
import stand
import stores

TICK = os.sysconf("SC_CLK_TCK")


class Discard:
    """A store that says yes and forgets; it notes when each post came."""

    def __init__(self):
        self.arrivals = []
        discard = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                discard.arrivals.append(time.monotonic())
                self.send_response_only(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.target = influxdb2(f"http://127.0.0.1:{self._server.server_port}")
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()


def influxdb2(url):
    return {"kind": "influxdb2", "url": url, "org": "bench", "bucket": "bench"}


def influxdb1(url):
    return {"kind": "influxdb1", "url": url, "database": "fieldline"}


class Bench:
    """A broker, and one consumer of it."""

    def __init__(self, directory):
        self.directory = Path(directory)
        self.broker = stand.Broker(self.directory, "max_queued_messages 0\nmax_inflight_messages 100").start()
        self.base_ms = int(time.time() * 1000) - 3_600_000
        self.sink = None

    def start_sink(self, target, max_size="4GiB"):
        config = {
            "service": {"state_dir": str(self.directory / "state")},
            "mqtt": {"url": self.broker.url},
            "topics": ["+/+/telemetry/+"],
            "spool": {"max_size": max_size},
            "retry": {"first": "50ms", "max": "200ms", "breaker_open": "200ms"},
            "targets": [target],
        }
        self.sink = stand.Service("influx-sink", config, self.directory).start()
        stand.wait_until(lambda: "intake_up" in self.sink.log(), what="the session")

    def publish(self, messages, readings=1, values=2, rate=0):
        """Starts it; four devices share the messages. As fast as the broker takes them, or `rate` a second."""
        words = [
            stand.BUILD / "tests/chaos/chaos-publish", "--port", self.broker.port, "--count", messages // 4,
            "--readings", readings, "--values", values, "--base", self.base_ms, "--window", 100, "--rate", rate,
        ]  # fmt: skip
        return subprocess.Popen([str(w) for w in words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def spooled(self):
        """(number of the next record to store, number of the next record to come)."""
        text = subprocess.run([*self.sink.arguments, "--spool-info"], capture_output=True, text=True).stdout
        found = re.search(r"numbers (\d+) to before (\d+)", text)
        return (int(found[1]), int(found[2])) if found else (0, 0)

    def cursor(self):
        """Number of the next record to store, cheaply: spool.h has the format."""
        try:
            return struct.unpack("<8xQ4x", (self.directory / "state/spool/cursor.main").read_bytes())[0]
        except (OSError, struct.error):
            return 0

    def cpu_s(self):
        fields = Path(f"/proc/{self.sink.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def resident_mib(self):
        text = Path(f"/proc/{self.sink.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", text)[1]) / 1024, int(re.search(r"VmHWM:\s+(\d+)", text)[1]) / 1024

    def stored(self, messages):
        """Waits until so many are stored; returns the highest resident memory seen, in MiB."""
        stand.wait_until(lambda: self.cursor() >= messages or time.sleep(0.02), 300, "the store")
        return self.resident_mib()[1]

    def close(self):
        if self.sink:
            self.sink.kill()
        self.broker.kill()


def with_bench(function, *arguments):
    with tempfile.TemporaryDirectory(prefix="fieldline-bench.") as directory:
        bench = Bench(directory)
        try:
            return function(bench, *arguments)
        finally:
            bench.close()


STORES = ("VictoriaMetrics", "InfluxDB 1.6")


class Store:
    """One of the real ones, in a directory of its own, started anew."""

    def __init__(self, name):
        self._directory = tempfile.TemporaryDirectory(prefix="fieldline-bench.")
        kind, target = {"VictoriaMetrics": (stores.VictoriaMetrics, influxdb2),
                        "InfluxDB 1.6": (stores.InfluxDB, influxdb1)}[name]  # fmt: skip
        self.path = {"VictoriaMetrics": "/api/v2/write?precision=ms",
                     "InfluxDB 1.6": "/write?db=fieldline&precision=ms"}[name]  # fmt: skip
        self.program = kind(self._directory.name)
        self.target = target(self.program.url)

    def __enter__(self):
        self.program.start()
        return self

    def __exit__(self, *_):
        self.program.kill()
        self._directory.cleanup()


def freshness(bench, influxdb, stop):
    """Seconds from a new reading's publication to its being found in the store, again and again until stop()."""
    listener = stand.Listener(bench.broker.port, "nothing")
    took = []
    while not took or not stop():
        ts, start = int(time.time() * 1000), time.monotonic()
        listener.publish("iot/a/fresh/telemetry/fresh", {"ts": ts, "seq": len(took), "values": {"n": len(took)}})
        stand.wait_until(
            lambda: influxdb.query(f"SELECT n FROM fresh WHERE time = {ts}ms") or time.sleep(0.02), 300, "what is new"
        )
        took.append(time.monotonic() - start)
        time.sleep(0.5)
    listener.close()
    return took


def say(what, value, remark=""):
    print(f"{what:58} {value:>22}  {remark}".rstrip(), flush=True)
