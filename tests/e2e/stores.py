"""Stores for the end-to-end tests of influx-sink: Debian's InfluxDB 1.6 and VictoriaMetrics, and a server that answers
as a test tells it to."""

import gzip
import json
import threading
import urllib.error
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import stand


def get(url):
    with urllib.request.urlopen(url, timeout=stand.PATIENCE_S) as answer:
        return answer.read()


def answers(url):
    try:
        get(url)
        return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


class InfluxDB(stand.Program):
    """influxd 1.6 on a free port, with a database "fieldline"."""

    def __init__(self, directory):
        self.port = stand.free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        directory = Path(directory) / "influxdb"
        directory.mkdir(exist_ok=True)
        config = directory / "influxdb.conf"
        config.write_text(
            "reporting-disabled = true\n"
            'bind-address = "127.0.0.1:0"\n'
            f'[meta]\n  dir = "{directory}/meta"\n'
            f'[data]\n  dir = "{directory}/data"\n  wal-dir = "{directory}/wal"\n'
            "[monitor]\n  store-enabled = false\n"
            f'[http]\n  bind-address = "127.0.0.1:{self.port}"\n  log-enabled = false\n'
        )
        super().__init__(["influxd", "run", "-config", config], directory / "influxd.log")

    def start(self):
        super().start()
        stand.wait_until(lambda: answers(f"{self.url}/ping"), what="influxd")
        self.query("CREATE DATABASE fieldline", method="POST")
        return self

    def query(self, text, method="GET"):
        """The first series as a list of dicts, [] where there is none."""
        parameters = urllib.parse.urlencode({"db": "fieldline", "epoch": "ms", "q": text})
        request = urllib.request.Request(f"{self.url}/query?{parameters}", method=method)
        with urllib.request.urlopen(request, timeout=stand.PATIENCE_S) as answer:
            result = json.loads(answer.read())["results"][0]
        assert "error" not in result, result
        if "series" not in result:
            return []
        series = result["series"][0]
        return [dict(zip(series["columns"], row)) for row in series["values"]]

    def write(self, lines):
        request = urllib.request.Request(f"{self.url}/write?db=fieldline&precision=ms", lines.encode())
        urllib.request.urlopen(request, timeout=stand.PATIENCE_S).close()

    def count(self, measurement, field):
        rows = self.query(f'SELECT COUNT("{field}") FROM "{measurement}"')
        return rows[0]["count"] if rows else 0


class VictoriaMetrics(stand.Program):
    def __init__(self, directory):
        self.port = stand.free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        super().__init__(
            [
                "victoria-metrics",
                f"-storageDataPath={directory}/victoria",
                f"-httpListenAddr=127.0.0.1:{self.port}",
                "-retentionPeriod=100y",
                "-search.latencyOffset=0s",
            ],
            Path(directory) / "victoria.log",
        )

    def start(self):
        super().start()
        stand.wait_until(lambda: answers(f"{self.url}/health"), what="victoria-metrics")
        return self

    def export(self, name):
        """{timestamp: value} of a series name."""
        get(f"{self.url}/internal/force_flush")
        text = get(f"{self.url}/api/v1/export?" + urllib.parse.urlencode({"match[]": name}))
        points = {}
        for line in text.splitlines():
            series = json.loads(line)
            points.update(zip(series["timestamps"], series["values"]))
        return points


class ScriptedStore:
    """Answers each write with what `script(lines)` returns: a status, or (status, headers, body).

    None leaves the request without an answer; a function is called with the handler, to answer as it likes. `posts` holds the lines of each write, `stored` those of the writes
    that got a 2xx, `requests` the headers and paths. Each GET is answered with what `script_get(path, headers)`
    returns, in the same form."""

    def __init__(self, script=lambda lines: 204):
        self.script = script
        self.script_get = lambda path, headers: 404
        self.posts = []
        self.stored = []
        self.requests = []
        self._released = threading.Event()
        store = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                store._take(self)

            def do_GET(self):
                store._answer(self, store.script_get(self.path, dict(self.headers)))

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def _take(self, handler):
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        if handler.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        lines = body.decode().splitlines()
        self.requests.append((handler.path, dict(handler.headers)))
        answer = self.script(lines)
        self.posts.append(lines)
        if (answer[0] if isinstance(answer, tuple) else answer or 0) // 100 == 2:
            self.stored += lines
        self._answer(handler, answer)

    def _answer(self, handler, answer):
        if answer is None:
            self._released.wait(60)
            handler.close_connection = True
            return
        if callable(answer):
            handler.close_connection = True
            answer(handler)
            return
        status, headers, text = answer if isinstance(answer, tuple) else (answer, {}, "")
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        if status != 204:
            handler.send_header("Content-Length", str(len(text)))
        handler.end_headers()
        if status != 204:
            handler.wfile.write(text.encode())

    def release(self):
        """Answers again with 204; requests without an answer are given up."""
        self.script = lambda lines: 204
        self._released.set()
        self._released = threading.Event()

    def close(self):
        self._released.set()
        self._server.shutdown()
        self._server.server_close()
