"""tests/capture: what it records of a broker, replayed, decides what was decided live."""

import json
import signal
import subprocess
from collections import defaultdict

import pytest

import stand
from demo import Demo

AGENTS = ("serial-agent", "modbus-agent")


@pytest.fixture
def recorder(tmp_path, broker):
    """A running tests/capture of everything; .lines() so far, .stop()."""
    path = tmp_path / "capture.jsonl"
    program = stand.Program(
        [stand.ROOT / "tests/capture", "--host", "127.0.0.1", "--port", broker.port, "--out", path, "#"],
        tmp_path / "capture.log",
    ).start()
    program.path = path
    program.lines = lambda: [json.loads(line) for line in path.read_text().split("\n")[:-1]]
    stand.wait_until(lambda: "recording" in program.log(), what="the recorder's subscription")
    yield program
    program.stop()


def replay(config, capture):
    return subprocess.run(
        [stand.BUILD / "rules-engine", "--config", config, "--replay", capture],
        capture_output=True, text=True, check=False)


def payload_of(line):
    if "hex" in line:
        return bytes.fromhex(line["hex"])
    said = line["payload"]
    return said.encode() if isinstance(said, str) else json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()


def test_any_bytes_come_back(broker, listener, recorder, tmp_path):
    payloads = [b"ON", b"21.5", b'"quoted"', b"\xff\x00\x01", b"a\0b", b'{"a":1,"a":2}', b'{"a":\n1}', b'{"a":NaN}',
                b'{"a":"\\u0000"}', b"[" * 40 + b"]" * 40, b'{"n":9007199254740993}', b"{}", "{\"ä\":\"°C\"}".encode(), b"\x01\x7f"]
    for number, payload in enumerate(payloads):
        listener.publish(f"iot/a/b/telemetry/x{number}", payload, retain=number % 2 == 1)
    stand.wait_until(lambda: len(recorder.lines()) == len(payloads), what="all of it in the capture")
    lines = recorder.lines()
    assert [payload_of(line) for line in lines] == payloads
    assert [line["retained"] for line in lines] == [False] * len(payloads), "sent just now"
    assert all(a["t"] <= b["t"] for a, b in zip(lines, lines[1:]))
    config = tmp_path / "rules.json"
    config.write_text('{"rules":[{"name":"r","select":{"measurement":"x0"},"when":"t > 1","alert":true}]}')
    result = replay(config, recorder.path)
    assert (result.returncode, result.stdout) == (0, ""), result.stderr


def test_what_the_broker_kept_is_retained(broker, listener, tmp_path):
    listener.publish("iot/a/b/telemetry/x", '{"ts":1,"seq":1,"values":{"t":2}}', retain=True)
    result = subprocess.run(
        [stand.ROOT / "tests/capture", "--host", "127.0.0.1", "--port", str(broker.port), "--seconds", "1", "iot/#"],
        capture_output=True, text=True, check=True)
    line, = [json.loads(line) for line in result.stdout.splitlines()]
    assert line["retained"] and line["topic"] == "iot/a/b/telemetry/x"


def essence(topic, payload):
    """What was decided, without the moment: the recorder hears of a reading a little later than the engine."""
    kind = topic.split("/")[3]
    if kind == "command":
        return payload["value"], payload["source"]
    if kind == "alert":
        return payload["state"], payload["value"], payload["message"], payload["episode"], json.dumps(payload.get("cause"))
    return json.dumps(payload)


def by_topic(lines):
    decided = defaultdict(list)
    for line in lines:
        decided[line["topic"]].append(essence(line["topic"], line["payload"]))
    return decided


def is_decision(line):
    parts = line["topic"].split("/")
    if "_echo" in parts:
        return False
    if parts[3:4] == ["command"]:
        return str(line["payload"].get("source", "")).startswith("rules-engine/")
    return parts[3:4] == ["alert"] or parts[-1] == "equipment_status"


def test_replay_decides_what_was_decided_live(broker, listener, recorder, tmp_path):
    demo = Demo(tmp_path, broker, greenhouse_speed=60, line_speed=20, period="100ms")
    try:
        demo.programs["rules-engine"].start()
        # Before the agents speak, so that what the recorder hears is news to the engine, too.
        listener.wait("iot/_service/rules-engine/status", lambda m: m.json["state"] == "online")
        for name in ("greenhouse-sim", "line-sim", *AGENTS):
            demo.programs[name].start()
        stand.wait_until(
            lambda: len(listener.find("iot/+/greenhouse_001/command/+")) >= 2
            and len(listener.find("iot/+/line_001/telemetry/equipment_status")) >= 30,
            timeout_s=60, what="decisions of the demo's rules")
        for name in AGENTS:
            demo.programs[name].stop()
        probe = {"ts": 1, "seq": 1, "values": {"units_produced": 1, "runtime_hours": 1, "downtime_minutes": 0, "quality": 1}}
        listener.publish("iot/facility_a/line_probe/telemetry/production", probe)
        stand.wait_until(lambda: any("line_probe/telemetry/equipment_status" in line["topic"] for line in recorder.lines()),
                         what="the end of it in the capture")
        recorder.signal(signal.SIGTERM)
        recorder.process.wait()
    finally:
        demo.stop()
    result = replay(demo.programs["rules-engine"].config_path, recorder.path)
    assert result.returncode == 0, result.stderr
    live = by_topic(line for line in recorder.lines() if is_decision(line))
    replayed = by_topic(json.loads(line) for line in result.stdout.splitlines())
    assert any("command" in topic for topic in live)
    assert live == replayed
    assert replay(demo.programs["rules-engine"].config_path, recorder.path).stdout == result.stdout
    # The agents announce all that the demo's rules name.
    check = subprocess.run(
        [stand.BUILD / "rules-engine", "--config", demo.programs["rules-engine"].config_path, "--check", "--meta", recorder.path],
        capture_output=True, text=True, check=True)
    warnings = [line for line in check.stdout.splitlines() if line.startswith("warning: ")]
    assert [line.split(" both command ")[1] for line in warnings] == ["fan of */greenhouse_*", "irrigation of */greenhouse_*"]
