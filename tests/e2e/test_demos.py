"""The main job: both demos from end to end, from the shipped configurations."""

import os
import re
import shlex
import signal
import subprocess
import time

import pytest

import contract
import stand
from demo import Demo, SERVICES

GREENHOUSE = "iot/facility_a/greenhouse_001"
LINE = "iot/facility_a/line_001"
PLANT = "iot/facility_a/plc_001"


@pytest.fixture
def demo(tmp_path, broker, listener):
    """start(…) → a running Demo; what it said on MQTT is checked against proto/ at the end."""
    demos = []

    def start(**pace):
        demos.append(Demo(tmp_path, broker, **pace).start())
        return demos[-1]

    yield start
    for running in demos:
        running.stop()
    for message in listener.find("#"):
        contract.check(message.topic, message.payload)


def values(listener, topic, name, since=0):
    messages = [m.json for m in listener.find(topic, since=since)]
    readings = [r for m in messages for r in (m if isinstance(m, list) else [m])]
    return [r["values"][name] for r in readings if name in r["values"]]


def test_everything_moves(demo, listener):
    running = demo()
    for measurement in ("production", "state"):
        listener.wait(f"{LINE}/telemetry/{measurement}")
    status = listener.wait(f"{LINE}/telemetry/equipment_status")
    assert set(status.json["values"]) | set(status.json.get("bad", {})) == {
        "production_rate", "efficiency", "downtime_minutes", "quality"}
    process = listener.wait(f"{PLANT}/telemetry/process")
    assert set(process.json["values"]) == {"temperature", "pressure", "flow", "energy"}
    state = listener.wait(f"{PLANT}/telemetry/state")
    assert set(state.json["values"]) == {"pump_0", "pump_1"}
    first = listener.wait(f"{GREENHOUSE}/telemetry/sensors")
    assert first.retain
    assert set(first.json["values"]) == {
        "temperature", "humidity", "soil_moisture", "light", "fan", "irrigation", "led"}
    assert isinstance(first.json["values"]["fan"], bool)
    listener.wait(f"{GREENHOUSE}/status", lambda m: m.json["state"] == "online")
    for device in (LINE, PLANT):
        listener.wait(f"{device}/status", lambda m: m.json["state"] == "online")
        listener.wait(f"{device}/meta")
    for name in SERVICES:
        listener.wait(f"iot/_service/{name}/status", lambda m: m.json["state"] == "online")
    stand.wait_until(
        lambda: running.points.exists() and re.search(
            r"^sensors,device_id=greenhouse_001,location=facility_a .*temperature=", running.points.read_text(), re.M),
        what="the greenhouse's reading in the store")
    listener.wait("iot/_service/+/health", lambda m: "rss_bytes" in m.json, timeout_s=20)


@pytest.mark.parametrize("wire", ["tcp", "terminal"])
def test_the_fan_by_hand(demo, broker, listener, wire):
    """mosquitto_pub … ON is answered ok, the state follows, the temperature falls, and in the cold the rules end it."""
    demo(greenhouse_speed=10, period="100ms", wire=wire)
    before = listener.wait(f"{GREENHOUSE}/telemetry/sensors").json["values"]["temperature"]
    mark = listener.mark()
    subprocess.run(["mosquitto_pub", "-p", str(broker.port), "-t", f"{GREENHOUSE}/command/fan",
                    "-m", "ON", "-q", "1"], check=True)
    result = listener.wait(f"{GREENHOUSE}/result/fan", since=mark)
    assert (result.json["result"], result.json["value"]) == ("ok", True)
    listener.wait(f"{GREENHOUSE}/state/fan", lambda m: m.json["value"] is True, since=mark)
    listener.wait(f"{GREENHOUSE}/telemetry/sensors",
                  lambda m: m.json["values"].get("fan") and m.json["values"]["temperature"] < before - 0.5,
                  since=mark, timeout_s=30)
    off = listener.wait(f"{GREENHOUSE}/command/fan", lambda m: m.payload != b"ON", since=mark, timeout_s=60).json
    assert (off["value"], off["source"]) == (False, "rules-engine/fan_guard")
    listener.wait(f"{GREENHOUSE}/result/fan", lambda m: (m.json["id"], m.json["result"]) == (off["id"], "ok"), since=mark)
    listener.wait(f"{GREENHOUSE}/telemetry/sensors",
                  lambda m: m.json["values"].get("fan") is False and m.json["values"]["temperature"] < 24, since=mark)


def assert_within(seen, low, high, what):
    assert low <= min(seen) and max(seen) <= high, f"{what} from {min(seen)} to {max(seen)}"


def episodes(efficiencies, low=0.85, high=0.92):
    """How often a value falls below `low` and how often it comes back above `high`."""
    fired = resolved = 0
    active = False
    for value in efficiencies:
        if not active and value < low:
            active, fired = True, fired + 1
        elif active and value > high:
            active, resolved = False, resolved + 1
    return fired, resolved


def test_ten_minutes_alone(demo, listener):
    """Greenhouse and plant stay in their ranges by the rules; one alert and one resolve an episode of the line."""
    running = demo(greenhouse_speed=10, line_speed=40, period="100ms")
    listener.wait(f"{GREENHOUSE}/telemetry/sensors")
    time.sleep(65)
    temperatures = values(listener, f"{GREENHOUSE}/telemetry/sensors", "temperature")
    assert len(temperatures) > 500
    assert max(temperatures) - min(temperatures) > 3  # there was weather
    for name, low, high in (("temperature", 19.5, 29), ("humidity", 58, 82), ("soil_moisture", 28, 70)):
        assert_within(values(listener, f"{GREENHOUSE}/telemetry/sensors", name), low, high, name)
    assert not listener.find(f"{GREENHOUSE}/alert/+")
    assert_within(values(listener, f"{PLANT}/telemetry/process", "temperature"), 22, 28, "process")
    commands = [m for m in listener.find(f"{GREENHOUSE}/command/+") if not m.topic.endswith("/_echo")]
    assert commands and all(m.json["source"].startswith("rules-engine") for m in commands)
    results = listener.find(f"{GREENHOUSE}/result/+")
    assert [m.json["result"] for m in results] == ["ok"] * len(results)
    running.programs["line-sim"].signal(signal.SIGSTOP)  # no new episode while we count
    time.sleep(1)
    fired, resolved = episodes(values(listener, f"{LINE}/telemetry/equipment_status", "efficiency"))
    alerts = [m.json["state"] for m in listener.find(f"{LINE}/alert/low_efficiency")]
    assert fired >= 1
    assert (alerts.count("firing"), alerts.count("resolved")) == (fired, resolved)
    over_pressure = [m.json["state"] for m in listener.find(f"{PLANT}/alert/over_pressure")]
    assert over_pressure.count("firing") >= 2 and over_pressure.count("resolved") >= 1
    notified = [m.json["state"] for m in listener.find("iot/_notification/log")
                if m.json["rule"] == "low_efficiency"]
    assert notified == [state for state in alerts if state != "stale"]


def test_services_in_any_order_and_broker_restarts(demo, broker, listener):
    """Each service starts alone and heals: broker killed, agents killed, everything comes back."""
    running = demo(period="200ms")
    listener.wait(f"{GREENHOUSE}/telemetry/sensors")
    listener.wait(f"{LINE}/telemetry/production")
    for name in SERVICES:
        running.programs[name].kill()
        running.programs[name].start()
    broker.kill()
    time.sleep(1)
    broker.start()
    mark = listener.mark()
    for topic in (f"{GREENHOUSE}/telemetry/sensors", f"{PLANT}/telemetry/process",
                  f"{LINE}/telemetry/equipment_status"):
        listener.wait(topic, since=mark, timeout_s=40)
    for name in SERVICES:
        assert running.programs[name].running()
        listener.wait(f"iot/_service/{name}/status", lambda m: m.json["state"] == "online", since=mark, timeout_s=40)


def hear_interrupts():
    """As in a user's terminal, though these tests may run in the background, where SIGINT is ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_deploy_demo_as_a_user_runs_it(tmp_path):
    """deploy/demo prints two lines to paste, which work; SIGINT leaves no process and no directory."""
    environment = dict(os.environ, TMPDIR=str(tmp_path))
    log = open(tmp_path / "demo.log", "wb")
    process = subprocess.Popen([stand.ROOT / "deploy/demo"], env=environment, stdout=log, stderr=log,
                               stdin=subprocess.DEVNULL, start_new_session=True,
                               preexec_fn=hear_interrupts)

    def said():
        return (tmp_path / "demo.log").read_text()

    try:
        stand.wait_until(lambda: "mosquitto_pub" in said() or process.poll() is not None, 300, "the demo's two lines")
        assert process.poll() is None, said()
        assert int(re.search(r"measured, (\d+) s after the build", said())[1]) < 30
        subscribe, publish = (line.strip() for line in said().splitlines() if "XDG_CONFIG_HOME=" in line)
        heard = subprocess.Popen(["bash", "-c", f"exec timeout 15 env {subscribe}"], stdout=subprocess.PIPE, text=True)
        time.sleep(1)
        subprocess.run(["bash", "-c", publish], check=True, timeout=10)
        text = heard.communicate()[0]
        assert "greenhouse_001/telemetry/sensors" in text and "line_001/telemetry/production" in text
        assert "plc_001/telemetry/process" in text
        assert re.search(r'greenhouse_001/result/fan \{.*"result":"ok"', text)
        port = shlex.split(said()[said().index("Broker 127.0.0.1:"):])[1].split(":")[1].rstrip(",")
        anonymous = subprocess.run(["mosquitto_pub", "-p", port, "-t", "iot/x", "-m", "x"],
                                   capture_output=True, env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)})
        assert anonymous.returncode != 0
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(30) == 130
        assert not list(tmp_path.glob("fieldline-demo*"))
        assert subprocess.run(["pgrep", "-f", str(tmp_path)], capture_output=True).returncode == 1
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
