"""--setup: database or bucket, retention and hourly means, twice with the same outcome."""

import json
import subprocess
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import stand
from test_influx_sink import influxdb, influxdb1, influxdb2  # noqa: F401  (fixtures)

DAY_S = 86400


def set_up(tmp_path, target, secret, **more):
    config = tmp_path / "influx-sink.json"
    config.write_text(json.dumps({"service": {"state_dir": str(tmp_path)}, "targets": [target], **more}))
    (tmp_path / "admin").write_text(secret + "\n")
    return subprocess.run(
        [stand.BUILD / "influx-sink", "--config", config, "--setup", tmp_path / "admin"], capture_output=True, text=True
    )


def test_influxdb1(influxdb, tmp_path):
    influxdb.start()
    target = {**influxdb1(influxdb.url), "database": 'plant "a"'}
    for retention, duration in (("90d", "2160h0m0s"), ("30d", "720h0m0s"), ("30d", "720h0m0s")):
        run = set_up(tmp_path, target, "", setup={"retention": retention})
        assert run.returncode == 0, run
        policies = {p["name"]: p for p in influxdb.query('SHOW RETENTION POLICIES ON "plant \\"a\\""')}
        assert policies["autogen"]["duration"] == duration and policies["autogen"]["default"]
        assert policies["hourly"]["duration"] == "0s"
        assert set(policies) == {"autogen", "hourly"}
    run = subprocess.run(
        ["curl", "-s", "-G", f"{influxdb.url}/query", "--data-urlencode", "q=SHOW CONTINUOUS QUERIES"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    queries = [q for s in json.loads(run.stdout)["results"][0]["series"] for q in s.get("values", [])]
    assert [name for name, _ in queries] == ["fieldline_hourly"]
    assert "mean(*)" in queries[0][1] and "hourly" in queries[0][1] and "GROUP BY time(1h), *" in queries[0][1]


def test_influxdb1_another_query_by_that_name_is_replaced(influxdb, tmp_path):
    influxdb.start()
    influxdb.query(
        'CREATE CONTINUOUS QUERY fieldline_hourly ON fieldline BEGIN SELECT max(x) INTO y FROM z GROUP BY time(2h) END',
        method="POST",
    )
    run = set_up(tmp_path, influxdb1(influxdb.url), "")
    assert run.returncode == 0, run
    assert "DROP CONTINUOUS QUERY" in run.stdout


def test_store_that_is_away(influxdb, tmp_path):
    run = set_up(tmp_path, influxdb1(influxdb.url), "")
    assert run.returncode == 69 and influxdb.url in run.stderr


class Influx2:
    """What /api/v2/orgs, buckets and tasks of InfluxDB 2 say (its API's OpenAPI document), as far as it is asked."""

    def __init__(self, token):
        self.kinds = {"orgs": [{"id": "00000000000000aa", "name": "the org"}], "buckets": [], "tasks": []}
        self.changes = []
        store = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self, status, document):
                text = json.dumps(document).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def handle_it(self):
                url = urllib.parse.urlsplit(self.path)
                kind, _, id_ = url.path.removeprefix("/api/v2/").partition("/")
                body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or "null")
                if self.headers["Authorization"] != f"Token {token}":
                    return self.answer(401, {"code": "unauthorized", "message": "unauthorized access"})
                if self.command == "GET":
                    query = dict(urllib.parse.parse_qsl(url.query, strict_parsing=True))
                    assert query["org"] == "the org"
                    found = [o for o in store.kinds[kind] if query.get("name") in (None, o["name"])]
                    if kind == "buckets" and not found:
                        return self.answer(404, {"code": "not found", "message": "bucket not found"})
                    return self.answer(200, {kind: found})
                store.changes.append((self.command, kind))
                if kind == "tasks":
                    assert set(body) >= {"flux", "status"} and 'option task = {name: "fieldline_hourly"' in body["flux"]
                    body["name"] = "fieldline_hourly"
                if self.command == "POST":
                    assert body["orgID"] == "00000000000000aa"
                    body["id"] = f"{len(store.changes):016x}"
                    store.kinds[kind].append(body)
                    return self.answer(201, body)
                (old,) = [o for o in store.kinds[kind] if o["id"] == id_]
                old.update(body)
                return self.answer(200, old)

            do_GET = do_POST = do_PATCH = handle_it

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def influx2():
    store = Influx2("all powerful")
    yield store
    store.close()


def test_influxdb2(influx2, tmp_path):
    target = influxdb2(influx2.url)
    for days in (90, 30):
        run = set_up(tmp_path, target, "all powerful", setup={"retention": f"{days}d"})
        assert run.returncode == 0, run
        assert "all powerful" not in run.stdout + run.stderr
        buckets = {b["name"]: b["retentionRules"] for b in influx2.kinds["buckets"]}
        assert buckets == {"b&c": [{"type": "expire", "everySeconds": days * DAY_S}], "b&c_hourly": []}
        (task,) = influx2.kinds["tasks"]
        assert 'from(bucket: "b&c")' in task["flux"] and '|> to(bucket: "b&c_hourly", org: "the org")' in task["flux"]
    posted = [("POST", "buckets"), ("POST", "buckets"), ("POST", "tasks")]
    assert influx2.changes == posted + [("PATCH", kind) for _, kind in posted]


def test_influxdb2_without_the_right(influx2, tmp_path):
    run = set_up(tmp_path, influxdb2(influx2.url), "wrong")
    assert run.returncode == 69 and "unauthorized access" in run.stderr
    assert influx2.changes == []
