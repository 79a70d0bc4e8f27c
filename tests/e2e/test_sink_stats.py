"""Statistics over MQTT, asked with mosquitto_rr as a user would, of a real InfluxDB and of a scripted store."""

import json
import os
import subprocess
import time
import urllib.parse

import pytest
import stand
from contract import validate
from test_influx_sink import (  # noqa: F401  (fixtures)
    broker_port,
    influxdb,
    influxdb1,
    influxdb2,
    scripted,
    sink,
    up,
)

HOUR_MS = 3600 * 1000
QUERY = {"location": "facility_a", "device": "greenhouse_001", "measurement": "sensors", "hours": 4, "every": "1h"}


def ask(port, request, timeout_s=10):
    """The answer, which keeps proto/."""
    text = request if isinstance(request, str) else json.dumps(request)
    topic = f"iot/_reply/{time.monotonic_ns()}"
    run = subprocess.run(
        ["mosquitto_rr", "-p", str(port), "-V", "5", "-t", "iot/_query/stats", "-e", topic, "-q", "1", "-W",
         str(timeout_s), "-D", "publish", "correlation-data", "c1", "-m", text, "-F", "%D %p"],
        capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode == 0, run
    correlation, _, payload = run.stdout.partition(" ")
    assert correlation == "c1"
    validate("stats-answer", payload.strip().encode())
    return json.loads(payload)


def counter(listener, name, at_least=1):
    message = listener.wait(
        "iot/_service/influx-sink/health", lambda m: m.json["counters"].get(name, 0) >= at_least, timeout_s=15
    )
    return message.json["counters"][name]


def test_functions_of_real_data(sink, influxdb, listener, broker):
    influxdb.start()
    sink(influxdb1(influxdb.url))
    hour = int(time.time() * 1000) // HOUR_MS * HOUR_MS
    readings = []
    for back in (2, 1):
        for i, value in enumerate([20 + back, 22 + back, 27 + back]):
            values = {"temperature": value, "humidity": 60.5, "fan": True, "mode": "auto"}
            readings.append({"ts": hour - back * HOUR_MS + i * 60000, "seq": len(readings) + 1, "values": values})
    listener.publish("iot/facility_a/greenhouse_001/telemetry/sensors", readings)
    listener.publish("iot/facility_a/other/telemetry/sensors", [{**r, "values": {"temperature": 999}} for r in readings])
    stand.wait_until(lambda: influxdb.count("sensors", "temperature") == 12, what="all points")
    expected = {"mean": (25, 24), "min": (22, 21), "max": (29, 28), "sum": (75, 72), "count": (3, 3), "median": (24, 23)}
    for function, (first, second) in expected.items():
        answer = ask(broker.port, {**QUERY, "function": function})
        assert answer["series"]["temperature"] == [[hour - 2 * HOUR_MS, first], [hour - HOUR_MS, second]], function
        assert [value for _, value in answer["series"]["humidity"]] != []
    answer = ask(broker.port, QUERY)
    assert set(answer["series"]) == {"temperature", "humidity"}  # numbers alone have a mean
    assert ask(broker.port, {**QUERY, "device": "nobody"}) == {"result": "ok", "series": {}}


def test_failures_say_why(sink, influxdb, broker):
    sink(influxdb1(influxdb.url), query={"max_range": "48h"})
    assert ask(broker.port, QUERY)["reason"] == "store_away"
    influxdb.start()
    for request, reason, words in [
        ("{", "bad_request", ""),
        ({**QUERY, "measurement": 'sensors"; DROP DATABASE fieldline; --'}, "bad_request", "measurement"),
        ({**QUERY, "device": "x' OR 'a'='a"}, "bad_request", "device"),
        ({**QUERY, "hours": 49}, "too_much", "48"),
        ({**QUERY, "every": "1s"}, "too_much", "every"),
        ("x" * 5000, "bad_request", "too long"),
    ]:
        answer = ask(broker.port, request)
        assert (answer["result"], answer["reason"]) == ("failed", reason), answer
        assert words in answer["message"]
    influxdb.query("DROP DATABASE fieldline", method="POST")
    answer = ask(broker.port, QUERY)
    assert answer["reason"] == "store_failed" and "database not found" in answer["message"]


def test_answers_go_to_response_topics_of_strangers_alone(sink, influxdb, listener):
    influxdb.start()
    sink(influxdb1(influxdb.url))
    own = "iot/facility_a/greenhouse_001/command/fan"
    for topic in (own, "iot/_service/influx-sink/status", "iot/anything"):
        listener.publish("iot/_query/stats", QUERY, reply=topic)
    listener.publish("iot/_query/stats", QUERY)
    listener.publish("iot/_query/stats", QUERY, reply="elsewhere/me", correlation=b"\x00\x01")
    answer = listener.wait("elsewhere/me")
    assert answer.json["result"] == "ok" and answer.correlation == b"\x00\x01"
    counter(listener, "queries.bad_response_topic", 3)
    assert counter(listener, "queries.without_response_topic") == 1
    assert not listener.find(own) and not listener.find("iot/anything")
    assert not listener.find("iot/_dead/#")


KINDS = {
    "influxdb2": ({"org": "the org", "bucket": "b&c"}, "Token may read"),
    "influxdb3": ({"database": "b&c"}, "Bearer may read"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_request_as_influxdb2_and_3_want_it(sink, scripted, broker, tmp_path, kind):
    """Both keep 1.x's GET /query: "Query data with the 1.x compatibility API" (2.x), "Use the v1 query API" (3 Core)."""
    more, authorization = KINDS[kind]
    seen = []
    results = {"statement_id": 0}

    def script(path, headers):
        seen.append((path, headers))
        return 200, {"Content-Type": "application/json"}, json.dumps({"results": [results]})

    (tmp_path / "write").write_text("may write\n")
    (tmp_path / "read").write_text("may read\n")
    scripted.script_get = script
    target = {"kind": kind, "url": scripted.url, "token_file": str(tmp_path / "write"), **more}
    sink(target, query={"token_file": str(tmp_path / "read")})
    assert ask(broker.port, QUERY) == {"result": "ok", "series": {}}
    results["series"] = [{"name": "sensors", "columns": ["time", "mean_n"], "values": [[1000, 1.5], [2000, None]]}]
    assert ask(broker.port, QUERY) == {"result": "ok", "series": {"n": [[1000, 1.5]]}}
    (path, headers) = seen[0]
    url = urllib.parse.urlsplit(path)
    parameters = dict(urllib.parse.parse_qsl(url.query, strict_parsing=True))
    assert url.path == "/query" and parameters["db"] == "b&c" and parameters["epoch"] == "ms"
    assert parameters["q"].startswith('SELECT mean(*) FROM "sensors" WHERE ')
    assert headers["Authorization"] == authorization
    scripted.script_get = lambda path, headers: (400, {}, '{"error":"error while planning query: no such table"}')
    answer = ask(broker.port, QUERY)
    assert answer["reason"] == "store_failed" and "error while planning query" in answer["message"]


def test_store_that_hangs_delays_neither_readings_nor_the_end(sink, scripted, listener, broker):
    scripted.script_get = lambda path, headers: None
    service = sink(influxdb2(scripted.url), query={"timeout": "1s", "max_waiting": 2})
    for i in range(5):
        listener.publish("iot/_query/stats", QUERY, reply=f"answer/{i}")
    listener.publish("iot/facility_a/a/telemetry/sensors", {"ts": 1, "seq": 1, "values": {"n": 1}})
    stand.wait_until(lambda: scripted.stored, what="the reading")
    reasons = [listener.wait(f"answer/{i}").json["reason"] for i in range(5)]
    assert reasons[2:] == ["busy"] * 3 and set(reasons[:2]) == {"timeout"}, reasons
    listener.publish("iot/_query/stats", QUERY, reply="answer/last")
    start = time.monotonic()
    assert service.stop() == 0
    assert time.monotonic() - start < 5


def test_store_that_refuses_or_lies(sink, scripted, broker):
    sink(influxdb2(scripted.url))
    answers = {
        "store_refused": [(401, {}, "unauthorized"), (403, {}, "forbidden")],
        "store_away": [(500, {}, "engine"), (429, {}, "later")],
        "store_failed": [(404, {}, "no bucket"), (200, {}, "<html>"), (200, {}, '{"results":[{"error":"x"}]}'),
                         (200, {}, '{"results":"' + "x" * 1100000 + '"}')],
    }  # fmt: skip
    for reason, scripts in answers.items():
        for script in scripts:
            scripted.script_get = lambda path, headers, script=script: script
            assert ask(broker.port, QUERY)["reason"] == reason, script[:2]


def test_many_questions_leave_nothing_behind(sink, scripted, listener, broker, monkeypatch):
    """MQTTClient, in a program with MQTTAsync, leaks a kilobyte for each message with properties."""
    keep_nothing = "quarantine_size_mb=0:thread_local_quarantine_size_kb=0"  # of what was freed, where ASan is in it
    monkeypatch.setenv("ASAN_OPTIONS", ":".join(filter(None, [os.environ.get("ASAN_OPTIONS"), keep_nothing])))
    service = sink(influxdb2(scripted.url), query={"max_waiting": 100})

    def resident_kib():
        with open(f"/proc/{service.process.pid}/statm") as statm:
            return int(statm.read().split()[1]) * 4

    def rounds(n):
        for i in range(n):
            listener.publish("iot/_query/stats", "{}", reply="answer/me", correlation=b"c" * 100)
        stand.wait_until(lambda: len(listener.find("answer/me")) >= n, 20, what="all answers")
        listener.messages.clear()

    rounds(1000)
    before = resident_kib()
    rounds(4000)
    assert resident_kib() - before < 1024
