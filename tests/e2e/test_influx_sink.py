"""influx-sink between a real broker and real stores, and a scripted one for the answers these do not give."""

import getpass
import json
import re
import signal
import subprocess
import time

import paho.mqtt.client as paho
import pytest
import stand
import stores
from contract import check

TOPIC = "iot/facility_a/greenhouse_001/telemetry/sensors"
TS = 1763805600000


def reading(seq, **values):
    return json.dumps({"ts": TS + seq, "seq": seq, "values": values or {"n": seq}})


def seqs(lines):
    """The readings' numbers in lines of measurement sensors."""
    return {int(line.split()[-1]) - TS for line in lines if line.startswith("sensors,")}


def file_seqs(path):
    """Those in a file that may be being written."""
    text = path.read_text() if path.exists() else ""
    return seqs(text[: text.rfind("\n") + 1].splitlines())


class Publisher:
    """QoS 1 without waiting for each; done() waits until the broker has acknowledged all."""

    def __init__(self, port):
        self.client = paho.Client(protocol=paho.MQTTv5)
        self.client.max_inflight_messages_set(100)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        self.last = []

    def publish(self, seq_range, **values):
        self.last += [self.client.publish(TOPIC, reading(i, **values), qos=1) for i in seq_range]
        return self

    def done(self):
        for info in self.last:
            info.wait_for_publish(stand.PATIENCE_S)
            assert info.is_published()
        self.last = []

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture
def publisher(broker):
    publisher = Publisher(broker.port)
    yield publisher
    publisher.close()


@pytest.fixture
def influxdb(tmp_path):
    store = stores.InfluxDB(tmp_path)
    yield store
    store.stop()


@pytest.fixture
def scripted():
    store = stores.ScriptedStore()
    yield store
    store.close()


QUICK = {"first": "50ms", "max": "200ms", "breaker_failures": 3, "breaker_open": "200ms"}


@pytest.fixture
def sink(start, tmp_path, listener):
    """sink(target) runs influx-sink and waits until its session at the broker stands."""

    def start_sink(target, wait=True, **more):
        config = {
            "service": {
                "state_dir": str(tmp_path / "state"),
                "health_file": str(tmp_path / "health"),
                "drain": "3s",
            },
            "mqtt": {"url": f"mqtt://127.0.0.1:{start_sink.port}", "backoff": {"first": "50ms", "max": "200ms"}},
            "retry": QUICK,
            "targets": [target],
            **more,
        }
        service = start("influx-sink", config)
        if wait:
            up(service)
        return service

    start_sink.port = None
    return start_sink


@pytest.fixture(autouse=True)
def broker_port(sink, broker):
    sink.port = broker.port


def up(service, times=1):
    stand.wait_until(lambda: service.log().count("intake_up") >= times, what=service.log)


def influxdb1(url):
    return {"kind": "influxdb1", "url": url, "database": "fieldline"}


def influxdb2(url, **more):
    return {"kind": "influxdb2", "url": url, "org": "the org", "bucket": "b&c", **more}


def tool(service, *words):
    return subprocess.run(
        [service.arguments[0], "--config", service.config_path, *words], capture_output=True, text=True, check=True
    ).stdout


def test_influxdb1_gets_readings_results_alerts_and_health(sink, influxdb, listener):
    influxdb.start()
    sink(influxdb1(influxdb.url))
    listener.publish(TOPIC, {"ts": TS, "seq": 1, "values": {"temperature": 23.45, "fan": True, "mode": 'a "b"'}})
    listener.publish(
        "iot/facility_a/greenhouse_001/result/fan",
        {"id": "x", "result": "ok", "reason": None, "value": True, "ts": TS, "queued_ms": 1, "took_ms": 2},
    )
    listener.publish(
        "iot/facility_a/line_001/alert/low",
        {
            "state": "firing",
            "severity": "warning",
            "since": TS,
            "value": 0.81,
            "message": "efficiency 81.00 %",
            "rule": "low",
            "episode": 7,
            "cause": {"measurement": "equipment_status", "ts": TS, "seq": 1, "values": {"efficiency": 0.81}},
        },
    )
    rows = stand.wait_until(lambda: influxdb.query("SELECT * FROM alert"), what="the alert")
    assert rows[0]["rule"] == "low" and rows[0]["value"] == 0.81 and rows[0]["device_id"] == "line_001"
    (row,) = influxdb.query("SELECT * FROM sensors")
    assert row == {
        "time": TS,
        "device_id": "greenhouse_001",
        "location": "facility_a",
        "temperature": 23.45,
        "fan": True,
        "mode": 'a "b"',
    }
    (row,) = influxdb.query("SELECT * FROM command")
    assert (row["actuator"], row["result"], row["value"], row["id"]) == ("fan", "ok", 1, "x")
    rows = stand.wait_until(lambda: influxdb.query("SELECT * FROM health WHERE location = '_service'"), 15, what="the sink's own health")
    assert rows[0]["device_id"] == "influx-sink" and rows[0]["location"] == "_service"


def test_what_cannot_be_stored_becomes_a_dead_letter_and_stops_nothing(sink, influxdb, listener, publisher, tmp_path):
    influxdb.start()
    service = sink(influxdb1(influxdb.url))
    publisher.publish(range(1)).done()
    stand.wait_until(lambda: influxdb.count("sensors", "n") == 1, what="the first point")
    service.signal(signal.SIGSTOP)  # all that follows is one batch
    publisher.publish(range(1, 50))
    publisher.publish([50], n="a text where numbers are")
    publisher.publish(range(51, 100))
    publisher.client.publish(TOPIC, b'{"ts":1,\xff\x00', qos=1)
    publisher.done()
    service.signal(signal.SIGCONT)
    stand.wait_until(lambda: influxdb.count("sensors", "n") == 99, what="the other points")
    refused = listener.wait("iot/_dead/influx-sink", lambda m: m.json["reason"] == "type_conflict")
    assert 'field "n" of "sensors" is of type float' in refused.json["detail"]
    assert refused.json["payload"] == reading(50, n="a text where numbers are")
    unread = listener.wait("iot/_dead/influx-sink", lambda m: m.json["reason"] == "bad_payload")
    for message in (refused, unread):
        check(message.topic, message.payload)
    shown = tool(service, "--dead-letters", "list")
    assert "type_conflict" in shown and "bad_payload" in shown and "2 dead letters" in shown


def test_victoriametrics_by_the_second_protocol(sink, publisher, tmp_path):
    store = stores.VictoriaMetrics(tmp_path).start()
    try:
        (tmp_path / "token").write_text("secret\n")
        sink(influxdb2(store.url, token_file=str(tmp_path / "token")))
        publisher.publish(range(300)).done()
        expected = {TS + i: i for i in range(300)}
        stand.wait_until(lambda: store.export("sensors_n") == expected, what="all points")
    finally:
        store.stop()


def test_store_that_comes_later_gets_everything(sink, influxdb, publisher, tmp_path):
    service = sink(influxdb1(influxdb.url))
    publisher.publish(range(200)).done()
    stand.wait_until(lambda: "store_away" in service.log(), what="the store to be missed")
    waiting = re.search(r"waiting +(\d+) records", tool(service, "--spool-info"))
    assert int(waiting[1]) >= 200  # and what services said of themselves meanwhile
    stand.wait_until(lambda: (tmp_path / "health").read_text().startswith("working"), 15, what="health")
    influxdb.start()
    stand.wait_until(lambda: influxdb.count("sensors", "n") == 200, what="all points")
    stand.wait_until(lambda: "waiting   0 records" in tool(service, "--spool-info"), what="an empty spool")


def test_killed_in_the_stream_it_loses_nothing(sink, scripted, publisher):
    """Each kill hits a post that the store has not answered, and messages that have just been acknowledged."""
    service = sink(influxdb2(scripted.url), batch={"points": 100, "age": "10ms"})
    for part in range(4):
        stored_before = len(scripted.stored)
        publisher.publish(range(part * 500, part * 500 + 250))
        stand.wait_until(lambda: len(scripted.stored) > stored_before, what="the stream to run")
        scripted.script = lambda lines: None
        posts_before = len(scripted.posts)
        publisher.publish(range(part * 500 + 250, part * 500 + 500)).done()
        stand.wait_until(lambda: len(scripted.posts) > posts_before, what="a post in flight")
        service.kill()
        scripted.script = lambda lines: 204
        service.start()
    stand.wait_until(lambda: seqs(scripted.stored) == set(range(2000)), 20, what="all points")


def test_broker_keeps_what_comes_while_the_sink_is_away(sink, scripted, publisher):
    service = sink(influxdb2(scripted.url))
    assert service.stop() == 0
    publisher.publish(range(500)).done()
    service.start()
    stand.wait_until(lambda: seqs(scripted.stored) == set(range(500)), what="all points")
    assert service.stop() == 0  # drained: nothing is read again
    assert "waiting   0 records" in tool(service, "--spool-info")


def test_broker_restart_is_survived(sink, scripted, publisher, broker):
    service = sink(influxdb2(scripted.url))
    broker.kill()
    stand.wait_until(lambda: "intake_down" in service.log(), what="the loss to be seen")
    broker.start()
    up(service, times=2)
    stand.wait_until(publisher.client.is_connected, what="the publisher")
    publisher.publish(range(100)).done()
    stand.wait_until(lambda: seqs(scripted.stored) == set(range(100)), what="all points")


def test_request_as_the_protocol_wants_it(sink, scripted, publisher, tmp_path):
    (tmp_path / "token").write_text("secret\n")
    sink(influxdb2(scripted.url + "/", token_file=str(tmp_path / "token"), gzip=True))
    publisher.publish(range(1)).done()
    stand.wait_until(lambda: scripted.stored, what="a point")
    path, headers = scripted.requests[0]
    assert path == "/api/v2/write?org=the%20org&bucket=b%26c&precision=ms"
    assert headers["Authorization"] == "Token secret"
    assert headers["Content-Encoding"] == "gzip"


def test_single_reading_is_stored_at_once(sink, scripted, publisher):
    sink(influxdb2(scripted.url))
    took = []
    for i in range(10):
        time.sleep(0.2)
        start = time.monotonic()
        publisher.publish([i]).done()
        stand.wait_until(lambda: i in seqs(scripted.stored), what="the point")
        took.append(time.monotonic() - start)
    assert sorted(took)[5] < 0.1


@pytest.mark.parametrize("status", [400, 413])
def test_bad_line_is_found_and_the_others_stored(sink, scripted, publisher, listener, status):
    def script(lines):
        bad = any(" n=33 " in line for line in lines) if status == 400 else len(lines) > 20
        return (status, {}, '{"code":"invalid","message":"the server\'s words"}') if bad else 204

    scripted.script = script
    service = sink(influxdb2(scripted.url))
    service.signal(signal.SIGSTOP)
    publisher.publish(range(100)).done()
    service.signal(signal.SIGCONT)
    expected = set(range(100)) - ({33} if status == 400 else set())
    stand.wait_until(lambda: seqs(scripted.stored) == expected, what="all the others")
    assert len(scripted.posts) < 40
    if status == 400:
        letter = listener.wait("iot/_dead/influx-sink").json
        assert letter["payload"] == reading(33) and "the server's words" in letter["detail"]
    else:
        assert not listener.find("iot/_dead/influx-sink")


def test_422_is_not_sent_again(sink, scripted, publisher, listener):
    scripted.script = lambda lines: (422, {}, "beyond the retention") if " n=3 " in "".join(lines) else 204
    sink(influxdb2(scripted.url))
    publisher.publish([3]).done()
    letter = listener.wait("iot/_dead/influx-sink").json
    assert letter["reason"] == "partly_refused" and "beyond the retention" in letter["detail"]
    publisher.publish([4]).done()
    stand.wait_until(lambda: 4 in seqs(scripted.stored), what="the next point")
    assert sum(3 in seqs(post) for post in scripted.posts) == 1


def cut_answer(handler):
    handler.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"results":')


def endless_answer(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    try:
        while True:
            handler.wfile.write(b"400\r\n" + b"x" * 1024 + b"\r\n")
    except OSError:
        pass


def slow_answer(handler):
    handler.wfile.write(b"HTTP/1.1 204 No Content\r\nX-Slow: ")
    try:
        while True:
            handler.wfile.write(b"x")
            time.sleep(0.05)
    except OSError:
        pass


def no_http(handler):
    handler.wfile.write(b"220 mail.example.org ESMTP\r\n")


LIES = [
    (200, {}, '{"error":"engine closed"}'),
    (200, {}, "<html>Please log in to this network</html>"),
    cut_answer,
    endless_answer,
    slow_answer,
    no_http,
]


@pytest.mark.parametrize("answer", [429, 500, 503, 408, None, *LIES])
def test_store_in_trouble_is_waited_for(sink, scripted, publisher, listener, answer):
    scripted.script = lambda lines: answer
    sink({**influxdb2(scripted.url), "timeout": "300ms"})
    publisher.publish(range(20)).done()
    stand.wait_until(lambda: len(scripted.posts) >= 4, what="several attempts")
    assert len(scripted.posts[-1]) == 1  # the breaker is half-open: a small probe
    scripted.script = lambda lines: 204
    stand.wait_until(lambda: seqs(scripted.stored) == set(range(20)), what="all points")
    assert not listener.find("iot/_dead/influx-sink")


def test_retry_after_is_kept(sink, scripted, publisher):
    at = []

    def script(lines):
        at.append(time.monotonic())
        return (429, {"Retry-After": "1"}, "") if len(at) == 1 else 204

    scripted.script = script
    sink(influxdb2(scripted.url))
    publisher.publish(range(1)).done()
    stand.wait_until(lambda: len(at) >= 2, what="the second attempt")
    assert at[1] - at[0] >= 1


def test_store_that_takes_nothing_from_us_is_an_error_and_drops_nothing(
    sink, scripted, publisher, listener, tmp_path
):
    scripted.script = lambda lines: (404, {}, "no such bucket")
    service = sink(influxdb2(scripted.url))
    publisher.publish(range(20)).done()
    stand.wait_until(lambda: "store_holds" in service.log(), what="the trouble in the log")
    health = listener.wait(
        "iot/_service/influx-sink/health", lambda m: m.json["last_error"] is not None, timeout_s=15
    ).json
    assert "no such bucket" in health["last_error"]["text"]
    stand.wait_until(lambda: "takes nothing from us" in (tmp_path / "health").read_text(), what="--healthcheck")
    scripted.script = lambda lines: 204
    stand.wait_until(lambda: seqs(scripted.stored) >= set(range(20)), what="all points")
    assert not listener.find("iot/_dead/influx-sink")


def test_full_spool_leaves_the_rest_with_the_broker(sink, scripted, publisher):
    scripted.script = lambda lines: 503
    service = sink(influxdb2(scripted.url), spool={"max_size": "4MiB", "segment_size": "1MiB"})
    publisher.publish(range(400), text="x" * 20000).done()
    stand.wait_until(lambda: "spool_refuses" in service.log(), what="the spool to be full")
    service.stop()  # the message in hand stays unacknowledged
    scripted.script = lambda lines: 204
    service.start()
    stand.wait_until(lambda: seqs(scripted.stored) == set(range(400)), 20, what="all points")


def test_file_target(sink, publisher, tmp_path):
    path = tmp_path / "points.lp"
    service = sink({"kind": "file", "url": f"file://{path}"})
    publisher.publish(range(1000)).done()
    stand.wait_until(lambda: file_seqs(path) == set(range(1000)), what="all points")
    assert service.stop() == 0


def test_subscription_that_the_broker_does_not_serve_is_found(start, tmp_path):
    directory = tmp_path / "strict"
    directory.mkdir()
    acl = directory / "acl"
    acl.write_text("topic readwrite iot/_service/#\ntopic readwrite iot/+/+/telemetry/+\ntopic write iot/#\n")
    broker = stand.Broker(directory, extra=f"acl_file {acl}\nuser {getpass.getuser()}").start()
    try:
        service = start(
            "influx-sink",
            {
                "mqtt": {"url": broker.url},
                "service": {"state_dir": str(tmp_path / "state")},
                "targets": [{"kind": "file", "url": f"file://{tmp_path}/points.lp"}],
            },
        )
        stand.wait_until(lambda: "subscription_silent" in service.log(), what=service.log)
        assert "result" in service.log() or "alert" in service.log()
    finally:
        broker.stop()


def test_second_sink_on_the_same_spool_is_refused(sink, scripted, tmp_path):
    first = sink(influxdb2(scripted.url))
    second = subprocess.run(first.arguments, capture_output=True, text=True, timeout=stand.PATIENCE_S)
    assert second.returncode == 69
    assert "another process uses this spool" in second.stderr


def test_reload_loses_nothing(sink, scripted, publisher):
    service = sink(influxdb2(scripted.url))
    publisher.publish(range(500))
    service.signal(signal.SIGHUP)
    publisher.publish(range(500, 1000)).done()
    up(service, times=2)
    assert "reloaded" in service.log()
    stand.wait_until(lambda: seqs(scripted.stored) == set(range(1000)), what="all points")


def test_type_that_the_store_has_is_learnt(sink, influxdb, publisher, listener):
    influxdb.start()
    influxdb.write("sensors,device_id=greenhouse_001,location=facility_a n=7i 1763805500000\n")
    service = sink(influxdb1(influxdb.url))
    publisher.publish(range(10)).done()
    stand.wait_until(lambda: influxdb.count("sensors", "n") == 11, what="all points, as integers")
    assert not listener.find("iot/_dead/influx-sink")
    service.stop()
    service.start()
    up(service, 2)
    publisher.publish([10], n=True)
    publisher.publish([11], n="no number").done()
    letter = listener.wait("iot/_dead/influx-sink").json
    assert letter["reason"] == "type_conflict" and "is of type integer" in letter["detail"]
    (row,) = stand.wait_until(lambda: influxdb.query(f"SELECT n FROM sensors WHERE time = {TS + 10}ms"), what="a 1")
    assert row["n"] == 1


def test_points_as_the_configuration_wants_them(sink, scripted, publisher, listener):
    now = int(time.time() * 1000)
    sink(
        influxdb2(scripted.url),
        encode={
            "integers": ["climate/units"],
            "window": {"past": "1h", "future": "10s"},
            "rules": [
                {
                    "topics": "+/greenhouse_001/telemetry/+",
                    "measurement": "climate",
                    "tags": {"area": "north"},
                    "fields": {"n": "units"},
                }
            ],
        },
    )
    late, good, early = ({"ts": now + d, "seq": 1, "values": {"n": 3}} for d in (-7200000, 0, 60000))
    listener.publish(TOPIC, [late, good, early])
    stand.wait_until(lambda: scripted.stored, what="the point")
    assert scripted.stored == [f"climate,area=north,device_id=greenhouse_001,location=facility_a units=3i {now}"]
    letter = listener.wait("iot/_dead/influx-sink").json
    assert letter["reason"] == "out_of_window" and "so are 1 more" in letter["detail"]


def test_target_that_is_away_holds_nobody_up(sink, scripted, publisher, tmp_path):
    scripted.script = lambda lines: 503
    path = tmp_path / "points.lp"
    file = {"name": "archive", "kind": "file", "url": f"file://{path}"}
    service = sink(file, targets=[influxdb2(scripted.url), file], spool={"max_size": "8MiB", "segment_size": "1MiB"})
    publisher.publish(range(300), text="x" * 10000).done()
    stand.wait_until(lambda: file_seqs(path) == set(range(300)), what="the file")
    stand.wait_until(lambda: "for     0 records, target archive" in tool(service, "--spool-info"), what="its cursor")
    waiting = re.search(r"for     (\d+) records, target main", tool(service, "--spool-info"))
    assert int(waiting[1]) >= 300
    scripted.script = lambda lines: 204
    stand.wait_until(lambda: seqs(scripted.stored) == set(range(300)), what="the store")
    assert service.stop() == 0


def test_removed_target_holds_no_segments(sink, scripted, publisher, tmp_path):
    scripted.script = lambda lines: 503
    path = tmp_path / "points.lp"
    file = {"name": "archive", "kind": "file", "url": f"file://{path}"}
    service = sink(file, targets=[influxdb2(scripted.url), file], spool={"max_size": "8MiB", "segment_size": "1MiB"})
    publisher.publish(range(300), text="x" * 10000).done()
    stand.wait_until(lambda: file_seqs(path) == set(range(300)), what="the file")
    config = json.loads(service.config_path.read_text())
    config["targets"] = [file]
    service.write(config)
    service.signal(signal.SIGHUP)
    up(service, 2)
    shown = tool(service, "--spool-info")
    assert "waiting   0 records" in shown and "target main" not in shown and "in 1 segments" in shown


def test_influxdb3_request_and_its_partial_write(sink, scripted, publisher, listener, tmp_path):
    """InfluxDB 3 stores the good lines of a refused write; to send them again is harmless."""

    def script(lines):
        if not any(" n=33 " in line for line in lines):
            return 204
        scripted.stored += [line for line in lines if " n=33 " not in line]
        words = {"error": "partial write of line protocol occurred", "data": [{"error_message": "the server's words"}]}
        return (400, {}, json.dumps(words))

    (tmp_path / "token").write_text("secret\n")
    scripted.script = script
    target = {
        "kind": "influxdb3",
        "url": scripted.url,
        "database": "field line",
        "token_file": str(tmp_path / "token"),
    }
    sink(target)
    publisher.publish(range(100)).done()
    letter = listener.wait("iot/_dead/influx-sink").json
    assert letter["payload"] == reading(33) and "the server's words" in letter["detail"]
    stand.wait_until(lambda: seqs(scripted.stored) == set(range(100)) - {33}, what="all the others")
    path, headers = scripted.requests[0]
    assert path == "/api/v3/write_lp?db=field%20line&precision=millisecond"
    assert headers["Authorization"] == "Bearer secret"


def test_posts_grow_slowly_after_an_outage(sink, scripted, publisher):
    scripted.script = lambda lines: 503
    sink(influxdb2(scripted.url))
    publisher.publish(range(200)).done()
    stand.wait_until(lambda: len(scripted.posts) > 6, what="the breaker to open")
    first = []

    def script(lines):
        first.append(len(lines))
        return 204

    scripted.script = script
    stand.wait_until(lambda: seqs(scripted.stored) >= set(range(200)), what="all points")
    # A batch may end before its post is as large as it might be: the first one holds what came first.
    assert first[0] == 1 and all(n <= 2**i for i, n in enumerate(first)) and max(first) >= 8, first


def test_file_target_is_rotated(sink, publisher, tmp_path):
    path = tmp_path / "points.lp"
    sink({"kind": "file", "url": f"file://{path}", "max_size": "4KiB", "keep": 3}, batch={"points": 20, "age": "0s"})
    publisher.publish(range(200)).done()
    stand.wait_until(lambda: 199 in file_seqs(path), what="the last point")
    parts = [tmp_path / f"points.lp.{i}" for i in (3, 2, 1)] + [path]
    assert all(part.stat().st_size <= 4096 for part in parts)
    assert not (tmp_path / "points.lp.4").exists()
    kept = [i for part in parts for i in sorted(seqs(part.read_text().splitlines()))]
    assert kept == list(range(kept[0], 200)) and len(kept) > 100


def test_dead_letters_are_mended_and_stored_while_the_service_runs(sink, influxdb, listener, publisher):
    influxdb.start()
    service = sink(influxdb1(influxdb.url))
    publisher.publish(range(1, 3)).done()
    stand.wait_until(lambda: influxdb.count("sensors", "n") == 2, what="the first points")
    publisher.publish([3, 4], n="a text where numbers are")
    publisher.client.publish(TOPIC, b"no reading", qos=1)
    publisher.done()
    stand.wait_until(lambda: "3 dead letters" in tool(service, "--dead-letters", "list"), what="the letters")
    assert tool(service, "--dead-letters", "replay").startswith("0 stored, 3 stay")
    told = tool(service, "--dead-letters", "fix", "--set-field", "n=7", "--only", "iot/+/greenhouse_001/#")
    assert told.startswith("2 of 3 letters mended")
    assert tool(service, "--dead-letters", "replay").startswith("2 stored, 1 stay")
    assert influxdb.count("sensors", "n") == 4
    publisher.client.publish(TOPIC, b"no reading either", qos=1)
    stand.wait_until(lambda: "2 dead letters" in tool(service, "--dead-letters", "list"), what="the service's next letter")
    influxdb.stop()
    assert tool(service, "--dead-letters", "replay").startswith("0 stored, 2 stay")  # none of them needs the store
