"""rules-engine on a real broker: live edges, retained messages, restarts, bad payloads."""

import json
import random
import signal
import subprocess
import time

import paho.mqtt.client as paho
import pytest

import contract
import stand

TELEMETRY = "iot/facility_a/greenhouse_001/telemetry/sensors"
COMMAND = "iot/facility_a/greenhouse_001/command/fan"
ALERT = "iot/facility_a/greenhouse_001/alert/temperature_range"
SERVICE = "iot/_service/rules-engine/status"
OWN = ("iot/+/+/command/+", "iot/+/+/alert/+", "iot/+/+/telemetry/equipment_status", "iot/_service/#", "iot/_dead/#")

RULES = {
    "derived": [
        {
            "name": "equipment_status",
            "select": {"measurement": "production"},
            "measurement": "equipment_status",
            "values": {"efficiency": "units_produced / runtime_hours / 1000"},
        }
    ],
    "rules": [
        {
            "name": "cool",
            "select": {"device": "greenhouse_*", "measurement": "sensors"},
            "when": "temperature > 28",
            "until": "temperature < 26",
            "then": [{"command": {"actuator": "fan", "value": True}}],
            "else": [{"command": {"actuator": "fan", "value": False}}],
        },
        {
            "name": "temperature_range",
            "select": {"device": "greenhouse_*", "measurement": "sensors"},
            "when": "temperature > 32",
            "until": "temperature < 30",
            "alert": True,
            "severity": "critical",
            "message": "{device}: {temperature:.1f} °C",
            "stale_after": "2s",
        },
        {
            "name": "low_efficiency",
            "select": {"measurement": "equipment_status"},
            "when": "efficiency < 0.85",
            "until": "efficiency > 0.92",
            "alert": True,
            "message": "efficiency {efficiency:.2%}",
        },
    ],
}


class Device:
    """Speaks for one measurement of one device, like its agent would."""

    def __init__(self, listener, topic=TELEMETRY):
        self.listener = listener
        self.topic = topic
        self.seq = 0

    def says(self, retain=True, **values):
        self.seq += 1
        reading = {"ts": int(time.time() * 1000), "seq": self.seq, "values": values}
        self.listener.publish(self.topic, reading, retain=retain)
        time.sleep(0.002)  # the next one is a millisecond later at least


@pytest.fixture
def engine(start, listener, tmp_path):
    """engine(): a running one, ready; the same state directory each time."""

    def start_engine(**more):
        mark = listener.mark()
        config = {**RULES, **more, "service": {"state_dir": str(tmp_path / "state")}}
        service = start("rules-engine", config)
        listener.wait(SERVICE, lambda m: m.json["state"] == "online", since=mark)
        return service

    yield start_engine
    for message in listener.messages:
        if any(paho.topic_matches_sub(own, message.topic) for own in OWN):
            contract.check(message.topic, message.payload)


def settled(listener):
    """Everything said before has been dealt with: a probe through the same pipe came out. Said again and
    again, since after a reload the subscriptions may not be back yet."""
    probe = Device(listener, "iot/facility_a/probe/telemetry/production")
    mark = listener.mark()

    def came_out():
        probe.says(units_produced=100, runtime_hours=0.1, retain=False)
        try:
            return listener.wait("iot/facility_a/probe/telemetry/equipment_status", since=mark, timeout_s=0.3)
        except AssertionError:
            return None

    stand.wait_until(came_out, what="the probe")


def obey(listener, command, topic=COMMAND):
    """Answers as the agent would, and waits until the engine knows."""
    result = {"id": command.json["id"], "result": "ok", "reason": None, "value": command.json["value"],
              "ts": int(time.time() * 1000)}  # fmt: skip
    listener.publish(topic.replace("/command/", "/result/"), result)
    settled(listener)


def values(listener, since=0):
    return [m.json["value"] for m in listener.find(COMMAND, since=since)]


def states(listener, topic=ALERT, since=0):
    return [(m.json["state"], m.json["episode"]) for m in listener.find(topic, since=since)]


def test_a_live_edge_commands_once(listener, engine):
    engine()
    device = Device(listener)
    for temperature in (27, 29, 30, 27, 29, 25, 24, 27):
        device.says(temperature=temperature)
    listener.wait(COMMAND, lambda m: m.json["value"] is False)
    settled(listener)
    assert values(listener) == [True, False]
    first, second = listener.find(COMMAND)
    assert not first.retain
    assert first.json["source"] == "rules-engine/cool"
    assert first.json["ttl_ms"] == 10000
    assert first.json["id"] != second.json["id"]


def test_retained_messages_fire_nothing(listener, engine):
    Device(listener).says(temperature=40)
    engine()
    settled(listener)
    assert values(listener) == []
    assert states(listener) == []


def test_an_alert_fires_and_resolves_once(listener, engine):
    engine()
    device = Device(listener)
    for temperature in (31, 33, 34, 31, 33, 30, 29.9, 31):
        device.says(temperature=temperature)
    listener.wait(ALERT, lambda m: m.json["state"] == "resolved")
    settled(listener)
    assert states(listener) == [("firing", 1), ("resolved", 1)]
    firing = listener.find(ALERT)[0]
    assert firing.retain
    assert firing.json["severity"] == "critical"
    assert firing.json["message"] == "greenhouse_001: 33.0 °C"
    assert firing.json["value"] == 33
    assert firing.json["cause"]["values"] == {"temperature": 33}
    assert firing.json["cause"]["measurement"] == "sensors"


def test_silence_makes_an_alert_stale_not_resolved(listener, engine):
    engine()
    device = Device(listener)
    device.says(temperature=33)
    listener.wait(ALERT, lambda m: m.json["state"] == "stale", timeout_s=8)
    device.says(temperature=33)
    device.says(temperature=20)
    listener.wait(ALERT, lambda m: m.json["state"] == "resolved")
    assert states(listener) == [("firing", 1), ("stale", 1), ("firing", 1), ("resolved", 1)]


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_restart_repeats_and_forgets_nothing(listener, engine, how):
    first = engine()
    device = Device(listener)
    device.says(temperature=33)
    obey(listener, listener.wait(COMMAND))
    listener.wait(ALERT)
    first.signal(how)
    first.process.wait()
    mark = listener.mark()
    engine()
    settled(listener)
    device.says(temperature=33.5)
    settled(listener)
    assert values(listener, mark) == []
    assert states(listener, since=mark) == []
    device.says(temperature=23)
    listener.wait(COMMAND, since=mark)
    listener.wait(ALERT, since=mark)
    settled(listener)
    assert values(listener, mark) == [False]
    assert states(listener, since=mark) == [("resolved", 1)]
    device.says(temperature=33)
    assert listener.wait(ALERT, lambda m: m.json["state"] == "firing", since=mark).json["episode"] == 2


def test_the_broker_alone_keeps_a_firing_alert(listener, engine, tmp_path):
    first = engine()
    device = Device(listener)
    device.says(temperature=33)
    listener.wait(ALERT)
    first.stop()
    (tmp_path / "state" / "rules.memory").unlink()
    mark = listener.mark()
    engine()
    device.says(temperature=33)
    device.says(temperature=20)
    listener.wait(ALERT, since=mark)
    settled(listener)
    assert states(listener, since=mark) == [("resolved", 1)]


def test_a_broker_restart_repeats_nothing(listener, engine, broker):
    engine()
    device = Device(listener)
    device.says(temperature=33)
    listener.wait(ALERT)
    mark = listener.mark()
    broker.stop()
    broker.start()
    listener.wait(SERVICE, lambda m: m.json["state"] == "online", since=mark, timeout_s=20)
    device.says(temperature=33)
    settled(listener)
    assert values(listener, mark) == []
    device.says(temperature=23)
    listener.wait(COMMAND, since=mark)
    assert values(listener, mark) == [False]


def test_silence_fires_for_who_is_announced_and_never_seen(listener, engine):
    """One device announced by its agent, one named in the rule: neither ever says a word; a third speaks."""
    meta = {"ts": 1, "agent": "a", "version": "1", "actuators": [],
            "points": [{"name": "temperature", "measurement": "sensors", "type": "number"}]}  # fmt: skip
    listener.publish("iot/facility_a/greenhouse_007/meta", meta, retain=True)
    select = {"device": "greenhouse_*", "measurement": "sensors"}
    named = {"location": "facility_a", "device": "cellar", "measurement": "sensors"}
    engine(rules=[{"name": "away", "select": select, "absent": "2s", "alert": True},
                  {"name": "gone", "select": named, "absent": "2s", "alert": True}])  # fmt: skip
    announced, absent = "iot/facility_a/greenhouse_007/alert/away", "iot/facility_a/cellar/alert/gone"
    for topic in (announced, absent):
        listener.wait(topic, lambda m: m.json["state"] == "firing", timeout_s=20)
    Device(listener, "iot/facility_a/greenhouse_007/telemetry/sensors").says(temperature=20)
    listener.wait(announced, lambda m: m.json["state"] == "resolved")
    assert states(listener, absent) == [("firing", 1)]
    assert states(listener, "iot/facility_a/greenhouse_001/alert/away") == []


def test_a_broker_that_forgot_a_firing_alert_is_told_again(listener, engine, broker):
    """The broker of these tests keeps nothing over its restart."""
    engine(rules=[{**RULES["rules"][1], "stale_after": "1h"}])
    Device(listener).says(temperature=33)
    listener.wait(ALERT)
    broker.stop()
    mark = listener.mark()
    broker.start()
    again = listener.wait(ALERT, since=mark, timeout_s=30).json
    assert (again["state"], again["episode"]) == ("firing", 1)


def test_derived_values_feed_rules(listener, engine):
    engine()
    line = Device(listener, "iot/facility_a/line_001/telemetry/production")
    alert = "iot/facility_a/line_001/alert/low_efficiency"
    line.says(units_produced=0, runtime_hours=0)
    for units in (100, 83, 90, 95):
        line.says(units_produced=units, runtime_hours=0.1)
    resolved = listener.wait(alert, lambda m: m.json["state"] == "resolved")
    assert states(listener, alert) == [("firing", 1), ("resolved", 1)]
    assert resolved.json["message"] == "efficiency 95.00 %"
    readings = [m.json for m in listener.find("iot/facility_a/line_001/telemetry/equipment_status")]
    assert [r["seq"] for r in readings] == [1, 2, 3, 4, 5]
    assert readings[0] == {
        "ts": readings[0]["ts"],
        "seq": 1,
        "values": {},
        "bad": {"efficiency": "missing"},
    }
    assert readings[1]["values"] == {"efficiency": 1}


@pytest.mark.parametrize(
    "topic, payload",
    [
        (TELEMETRY, b"TEMP:23.5,HUM:61.0"),
        (TELEMETRY, b'{"ts":1,"seq":1,"values":{"temperature":NaN}}'),
        (TELEMETRY, b"\xff\xfe"),
        ("iot/facility_a/greenhouse_001/status", b'{"state":3}'),
        ("iot/facility_a/greenhouse_001/result/fan", b"[1]"),
    ],
)
def test_a_bad_payload_is_buried_and_told(listener, engine, topic, payload):
    service = engine()
    listener.publish(topic, payload)
    dead = listener.wait("iot/_dead/rules-engine").json
    assert dead["topic"] == topic
    assert dead["reason"] == "bad_payload"
    assert dead["detail"]
    assert dead["payload"] == payload.decode(errors="replace")
    settled(listener)
    assert service.running()
    assert "bad_payload" in service.log()


def test_readings_that_never_came_are_counted(listener, engine):
    service = engine()
    device = Device(listener)
    device.says(temperature=20)
    device.says(temperature=20)
    device.seq += 3
    device.says(temperature=20)
    health = "iot/_service/rules-engine/health"
    listener.wait(health, lambda m: m.json["counters"].get("readings.missing") == 3, timeout_s=3 * stand.PATIENCE_S)
    assert "readings_missing" in service.log()
    assert "device=greenhouse_001 measurement=sensors missing=3" in service.log()


def test_failed_commands_are_told(listener, engine):
    service = engine()
    Device(listener).says(temperature=29)
    command = listener.wait(COMMAND).json
    for ident in (command["id"], "somebody-elses"):
        listener.publish(
            "iot/facility_a/greenhouse_001/result/fan",
            {"id": ident, "result": "rejected", "reason": "interlock", "value": None, "ts": 1},
        )
    settled(listener)
    lines = [line for line in service.log().splitlines() if "command_failed" in line]
    assert len(lines) == 1
    assert "reason=interlock" in lines[0]


def test_a_command_nobody_answered_is_given_again_under_its_id(listener, engine):
    """By the same engine when its time is over, and by one that comes after a kill: the agent writes it once."""
    rules = [{"name": "cool", "select": {"measurement": "sensors"}, "when": "temperature > 28",
              "then": [{"command": {"actuator": "fan", "value": True, "ttl": "100ms", "retries": 1}}]}]  # fmt: skip
    first = engine(rules=rules)
    Device(listener).says(temperature=29)
    stand.wait_until(lambda: len(listener.find(COMMAND)) == 2, what="the repeat", timeout_s=20)
    first.kill()
    mark = listener.mark()
    engine(rules=rules)
    Device(listener).says(temperature=29)
    obey(listener, listener.wait(COMMAND, since=mark))
    Device(listener).says(temperature=29)
    settled(listener)
    assert len({m.json["id"] for m in listener.find(COMMAND)}) == 1
    assert len(listener.find(COMMAND)) == 3


def test_a_command_refused_for_good_is_alerted(listener, engine):
    engine()
    Device(listener).says(temperature=29)
    command = listener.wait(COMMAND).json
    listener.publish(
        "iot/facility_a/greenhouse_001/result/fan",
        {"id": command["id"], "result": "rejected", "reason": "unknown_actuator", "value": None, "ts": 1},
    )
    alert = listener.wait("iot/facility_a/greenhouse_001/alert/cool_failed").json
    assert alert["state"] == "firing"
    assert "unknown_actuator" in alert["message"]
    assert len(listener.find(COMMAND)) == 1


def test_a_reload_keeps_what_was_active(listener, engine):
    service = engine()
    device = Device(listener)
    device.says(temperature=33)
    obey(listener, listener.wait(COMMAND))
    listener.wait(ALERT)
    config = json.loads(service.config_path.read_text())
    config["rules"][0]["until"] = "temperature < 27"
    service.write(config)
    service.signal(signal.SIGHUP)
    stand.wait_until(lambda: "reloaded" in service.log(), what="the reload")
    mark = listener.mark()
    settled(listener)
    device.says(temperature=33)
    device.says(temperature=26.5)
    listener.wait(COMMAND, since=mark)
    listener.wait(ALERT, since=mark)
    assert values(listener, mark) == [False]
    assert states(listener, since=mark) == [("resolved", 1)]


def test_windows_survive_a_reload_and_a_kill(listener, engine):
    """The reload writes them; a mean over ten minutes is known at once to who comes after."""
    rules = [{"name": "warm", "select": {"measurement": "sensors"}, "when": "mean(temperature, 10m) > 28",
              "then": [{"command": {"actuator": "fan", "value": True}}]}]  # fmt: skip
    service = engine(rules=rules)
    begin_ms = int(time.time() * 1000) - 605_000
    for i in range(605):
        listener.publish(TELEMETRY, {"ts": begin_ms + 1000 * i, "seq": i, "values": {"temperature": 27}})
    settled(listener)
    service.signal(signal.SIGHUP)
    stand.wait_until(lambda: "reloaded" in service.log(), what="the reload")
    service.kill()
    engine(rules=rules)
    device = Device(listener)
    device.says(temperature=27)
    settled(listener)
    assert values(listener) == []
    for _ in range(50):  # (600 × 27 + 50 × 60) / 650 = 29.5
        device.says(temperature=60)
    listener.wait(COMMAND, lambda m: m.json["value"] is True)


@pytest.mark.parametrize("capture", ["greenhouse", "plant", "efficiency"])
def test_the_demos_rules_replay_as_they_are_shipped(capture):
    """A tool needs neither a broker nor its password, which only the container has."""
    captures = stand.ROOT / "tests/rules-engine/replay"
    ran = subprocess.run(
        [stand.BUILD / "rules-engine", "--config", stand.ROOT / "deploy/config/rules-engine.json",
         "--replay", captures / f"{capture}.jsonl", "--expect", captures / f"{capture}.expected"],
        capture_output=True, text=True, timeout=20,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize(
    "file, capture, names",
    [
        ("greenhouse", "greenhouse", None),
        ("process", "plant", {"cool_process"}),
        ("over_pressure", "plant", {"over_pressure"}),
        ("efficiency", "efficiency", None),
    ],
)
def test_each_file_of_rules_replays_alone(file, capture, names):
    captures = stand.ROOT / "tests/rules-engine/replay"
    done = subprocess.run(
        [stand.BUILD / "rules-engine", "--config", stand.ROOT / f"deploy/config/rules/{file}.json",
         "--replay", captures / f"{capture}.jsonl"],
        capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    expected = [json.loads(line) for line in (captures / f"{capture}.expected").read_text().splitlines()]
    expected = [line for line in expected if names is None or line["by"] in names]
    assert expected
    assert [json.loads(line) for line in done.stdout.splitlines()] == expected


def test_a_file_that_is_included_and_wrong_is_named(tmp_path):
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules/good.json").write_text('{"rules": []}')
    (tmp_path / "rules/bad.json").write_text('{"rules": [{"name": "r", "select": {"measurement": "m"}, "when": "x >"}]}')
    config = tmp_path / "rules-engine.json"
    config.write_text('{"include": ["rules/*.json", "more/*.json"]}')
    done = subprocess.run([stand.BUILD / "rules-engine", "--config", config, "--check"],
                          capture_output=True, text=True, timeout=30)  # fmt: skip
    assert done.returncode == 78
    for part in ("rules/bad.json", "rules[0].when: line 1, column 4", "more/*.json"):
        assert part in done.stderr
    assert "good.json" not in done.stderr


def decided(tmp_path, capture, *more):
    done = subprocess.run([stand.BUILD / "rules-engine", "--config", tmp_path / "rules.json", "--replay", capture, *more],
                          capture_output=True, text=True, timeout=60)  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def test_shards_together_decide_what_one_does(tmp_path):
    (tmp_path / "rules.json").write_text(json.dumps(RULES))
    capture = tmp_path / "capture.jsonl"
    with capture.open("w") as out:
        for second in range(60):
            for device in range(40):
                ts = 1763805600000 + 1000 * second + device
                reading = {"ts": ts, "seq": second, "values": {"temperature": 20 + (7 * second + device) % 15}}
                topic = f"iot/site_{device % 3}/greenhouse_{device}/telemetry/sensors"
                out.write(json.dumps({"t": ts, "topic": topic, "payload": reading}) + "\n")
    whole = decided(tmp_path, capture)
    assert whole == decided(tmp_path, capture)
    for n in (2, 5):
        parts = [decided(tmp_path, capture, "--shard", f"{i}/{n}") for i in range(1, n + 1)]
        assert all(parts)
        assert sorted(line for part in parts for line in part) == sorted(whole)


def test_against_other_rules_shows_what_they_would_decide_otherwise(tmp_path):
    captures = stand.ROOT / "tests/rules-engine/replay"
    ours = stand.ROOT / "deploy/config/rules/greenhouse.json"
    theirs = tmp_path / "theirs.json"
    theirs.write_text(ours.read_text().replace('"temperature > 28"', '"temperature > 90"'))

    def against(other):
        return subprocess.run(
            [stand.BUILD / "rules-engine", "--config", ours, "--replay", captures / "greenhouse.jsonl", "--against", other],
            capture_output=True, text=True, timeout=30,
        )  # fmt: skip

    assert (against(ours).returncode, against(ours).stdout) == (0, "no decision differs\n")
    done = against(theirs)
    lines = done.stdout.splitlines()
    assert done.returncode == 1
    assert lines
    assert all(line[0] == "-" and json.loads(line[1:])["by"] == "cool" for line in lines)
    theirs.write_text('{"rules": [{}]}')
    assert against(theirs).returncode == 78


def test_killed_at_random_it_decides_as_if_it_were_not(listener, engine):
    """A sequence of readings with kills anywhere in it: the same commands and alerts as without, but for repeats that
    are marked by the same id or episode. What is lost on the way down (a reading that was just published when the
    engine died) is said again by the device, as a device does each second."""
    chance = random.Random(7)
    service = engine()
    device = Device(listener)
    expected_commands, expected_alerts, hot, alarm = [], [], False, False
    for step in range(60):
        celsius = chance.choice([20, 25, 27, 29, 31, 33])
        if not hot and celsius > 28 or hot and celsius < 26:
            hot = not hot
            expected_commands.append(hot)
        if not alarm and celsius > 32 or alarm and celsius < 30:
            alarm = not alarm
            expected_alerts.append("firing" if alarm else "resolved")
        device.says(temperature=celsius)
        if chance.random() < 0.25:
            time.sleep(chance.random() * 0.02)
            service.kill()
            service = engine()
        device.says(temperature=celsius)
        settled(listener)
    commands, alerts = [], []
    for message in listener.find(COMMAND):
        if message.json["id"] not in [c["id"] for c in commands]:
            commands.append(message.json)
    for message in listener.find(ALERT):
        if message.json["state"] == "stale":
            continue
        said = (message.json["episode"], message.json["state"])
        if said not in alerts:
            alerts.append(said)
    assert [c["value"] for c in commands] == expected_commands
    assert [state for _, state in alerts] == expected_alerts
