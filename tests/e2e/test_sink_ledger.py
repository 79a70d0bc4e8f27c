"""The sink's ledger: exact numbers from a QoS 0 publisher that skips some, over kills and restarts of everything."""

import json

import stand
from test_influx_sink import TS, broker_port, influxdb, influxdb1, sink, up  # noqa: F401  (fixtures)

TOPIC = "iot/facility_a/greenhouse_001/telemetry/sensors"


def publish(listener, seqs, session=0):
    for seq in seqs:
        payload = json.dumps({"ts": TS + session * 1000000 + seq, "seq": seq, "values": {"n": seq}})
        listener._client.publish(TOPIC, payload, qos=0)


def series(message):
    (one,) = [s for s in message.json["series"] if s["device"] == "greenhouse_001"]
    return {key: one[key] for key in ("received", "duplicate", "missing", "late", "restarts")}


def told(listener, since=0, **expected):
    expected = {"received": 0, "duplicate": 0, "missing": 0, "late": 0, "restarts": 0, **expected}
    message = listener.wait(
        "iot/_service/influx-sink/health",
        lambda m: m.json["gauges"].get("readings.received") == expected["received"],
        since=since,
        timeout_s=15,
    )
    assert series(message) == expected
    for name, number in expected.items():
        assert message.json["gauges"][f"readings.{name}"] == number


def test_exact_numbers_are_told_and_stored(sink, influxdb, listener):
    influxdb.start()
    service = sink(influxdb1(influxdb.url))
    skipped = {7, 8, 300, 999}
    publish(listener, [seq for seq in range(1, 1001) if seq not in skipped])
    told(listener, received=996, missing=4)
    rows = stand.wait_until(
        lambda: influxdb.query("SELECT * FROM health WHERE telemetry = 'sensors' AND missing = 4"), 15, what="its point"
    )
    assert rows[-1]["device_id"] == "greenhouse_001" and rows[-1]["received"] == 996
    publish(listener, [300, 1000, 1001, 1001])
    since = listener.mark()
    told(listener, since, received=1000, missing=3, late=1, duplicate=2)

    # a new session of the agent, the sink killed in it and its first reading lost
    publish(listener, range(2, 101), session=1)
    since = listener.mark()
    told(listener, since, received=1099, missing=4, late=1, duplicate=2, restarts=1)
    service.kill()
    service.start()
    up(service, times=2)
    publish(listener, range(101, 201), session=1)
    since = listener.mark()
    told(listener, since, received=1199, missing=4, late=1, duplicate=2, restarts=1)

    # stopped in order, and away while QoS 0 messages pass
    assert service.stop() == 0
    publish(listener, range(201, 211), session=1)
    service.start()
    up(service, times=3)
    publish(listener, range(211, 221), session=1)
    since = listener.mark()
    told(listener, since, received=1209, missing=14, late=1, duplicate=2, restarts=1)


def test_how_readings_ended_is_told(sink, influxdb, listener):
    """Whole messages that cannot be read, readings out of the window, lines that the store refuses."""
    influxdb.start()
    service = sink(influxdb1(influxdb.url), encode={"window": {"future": "1d"}})
    good = [{"ts": TS + k, "seq": k, "values": {"n": k}} for k in range(1, 11)]
    late = {"ts": TS * 2, "seq": 11, "values": {"n": 11}}
    without_value = {"ts": TS + 12, "seq": 12, "values": {}, "bad": {"n": "timeout"}}
    listener.publish(TOPIC, [*good, late, without_value])
    listener.publish(TOPIC, {"ts": TS + 13, "seq": 13, "values": {"n": [1]}})
    influxdb.query("SELECT count(n) FROM sensors")
    listener.publish(TOPIC, {"ts": TS + 14, "seq": 14, "values": {"n": "a text where numbers are"}})
    message = listener.wait(
        "iot/_service/influx-sink/health",
        lambda m: m.json["gauges"].get("readings.stored", 0) + m.json["gauges"].get("readings.dead", 0) == 14,
        timeout_s=25,
    )
    (one,) = [s for s in message.json["series"] if s["device"] == "greenhouse_001"]
    assert (one["received"], one["stored"], one["dead"]) == (14, 11, 3)
    stand.wait_until(
        lambda: influxdb.query("SELECT * FROM health WHERE telemetry = 'sensors' AND dead = 3 AND stored = 11"),
        15, what="its point",
    )  # fmt: skip
    assert influxdb.count("sensors", "n") == 10
    assert service.stop() == 0


def test_messages_that_came_while_the_sink_was_killed_count_once(sink, influxdb, listener):
    influxdb.start()
    service = sink(influxdb1(influxdb.url))
    for round_ in range(3):
        for seq in range(round_ * 500 + 1, round_ * 500 + 501):
            payload = json.dumps({"ts": TS + seq, "seq": seq, "values": {"n": seq}})
            info = listener._client.publish(TOPIC, payload, qos=1)
            if seq % 500 == 250:
                service.kill()
        info.wait_for_publish(stand.PATIENCE_S)
        service.start()
        up(service, times=round_ + 2)
    message = listener.wait(
        "iot/_service/influx-sink/health",
        lambda m: m.json["gauges"].get("readings.received", 0) - m.json["gauges"].get("readings.duplicate", 0) == 1500,
        timeout_s=20,
    )
    assert series(message)["missing"] == 0 and series(message)["restarts"] == 0

    def settled(message):
        (one,) = [s for s in message.json["series"] if s["device"] == "greenhouse_001"]
        # a message that was appended and not yet counted when the sink was killed: tracker.h
        return 0 <= one["stored"] - one["received"] <= 3 and one["dead"] == 0

    listener.wait("iot/_service/influx-sink/health", settled, timeout_s=25)
    stand.wait_until(lambda: influxdb.count("sensors", "n") == 1500, what="all points")
