"""What may be trusted with a pump: the simulated PLC's log of writes is the witness, not the agent's word."""

import re
import socket
import time

import pytest

import contract
import stand

DEVICE = "iot/facility_a/plc_001"
POLL_S = 0.05
WRITE = re.compile(r"write time=(\d+) unit=1 table=(\w+) address=(\d+) value=(\d+)")
PUMP, FAN, SPEED, MODE = ("coil", 1), ("coil", 3), ("holding", 0), ("holding", 1)


class Plc:
    """sim-plc and what it saw on the wire."""

    def __init__(self, run_program, tmp_path):
        self.port = stand.free_port()
        self.control = tmp_path / "plc.sock"
        self.program = run_program(
            "tests/sim/sim-plc", "--listen", f"127.0.0.1:{self.port}", "--log-writes", "--control", self.control
        )
        stand.wait_until(lambda: stand.accepts(self.port), what="the simulator's port")

    def writes(self, of=None, since=0):
        """(ms since 1970, (table, address), value) of each write."""
        found = [
            (int(time_ms), (table, int(address)), int(value))
            for time_ms, table, address, value in WRITE.findall(self.program.log())
        ]
        return [w for w in found if w[0] >= since and of in (None, w[1])]

    def say(self, line):
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(str(self.control))
            s.sendall(f"{line}\n".encode())
            s.shutdown(socket.SHUT_WR)
            s.recv(1000)


def now_ms():
    return int(time.time() * 1000)


@pytest.fixture
def plc(run_program, tmp_path):
    return Plc(run_program, tmp_path)


@pytest.fixture(autouse=True)
def keeps_the_contract(listener):
    yield
    for message in listener.messages:
        if message.payload:
            contract.check(message.topic, message.payload)


@pytest.fixture
def agent(start, listener, plc, tmp_path):
    """agent(pump={…}, fan={…}) serves the PLC, with more said of these actuators; waits until it is online."""

    def serve(service=None, **more):
        config = {
            "service": service or {},
            "buses": [
                {
                    "url": f"tcp://127.0.0.1:{plc.port}",
                    "timeout": "200ms",
                    "reconnect": {"first": "50ms", "max": "200ms"},
                    "devices": [
                        {
                            "unit": 1,
                            "location": "facility_a",
                            "device": "plc_001",
                            "breaker": {"failures": 3, "open": "1s"},
                            "groups": [
                                {
                                    "measurement": "state",
                                    "period": "50ms",
                                    "points": [
                                        {"name": name, "table": table, "address": address}
                                        for name, (table, address) in
                                        {"pump": PUMP, "fan": FAN, "speed": SPEED, "mode": MODE}.items()
                                    ],
                                },
                                {
                                    "measurement": "process",
                                    "period": "50ms",
                                    "points": [
                                        {
                                            "name": "pressure",
                                            "table": "input",
                                            "address": 5,
                                            "divide": 10,
                                            "valid": {"max": 25},
                                        }
                                    ],
                                },
                            ],
                            "actuators": [
                                {"name": "pump", "table": "coil", "address": 1, **more.get("pump", {})},
                                {"name": "fan", "table": "coil", "address": 3, **more.get("fan", {})},
                                {"name": "speed", "table": "holding", "address": 0, "min": 0, "max": 2000,
                                 **more.get("speed", {})},
                                {"name": "mode", "table": "holding", "address": 1, **more.get("mode", {})},
                            ],
                        }
                    ],
                }
            ],
        }
        mark = listener.mark()
        agent = start("modbus-agent", config)
        online(listener, mark)
        return agent

    return serve


def online(listener, since=0):
    listener.wait(f"{DEVICE}/status", lambda m: m.json["state"] == "online", since=since)
    for name in ("pump", "fan", "speed", "mode"):
        listener.wait(f"{DEVICE}/state/{name}", since=since)


def command(listener, actuator, payload, **properties):
    mark = listener.mark()
    listener.publish(f"{DEVICE}/command/{actuator}", payload, **properties)
    return listener.wait(f"{DEVICE}/result/{actuator}", since=mark).json


def assert_result(result, outcome, reason):
    assert (result["result"], result["reason"]) == (outcome, reason), result


def failsafe(listener, actuator, cause, since=0, value=False):
    """The state that says so, of the value that was reached."""
    return listener.wait(
        f"{DEVICE}/state/{actuator}",
        lambda m: m.json["mode"] == "failsafe"
        and m.json["source"] == f"failsafe:{cause}"
        and m.json["value"] == value,
        since=since,
    )


def assert_safe_within(plc, what, since_ms, limit_s, value=0):
    """The safe value is on the wire no later than the configured time plus one poll, and not before it."""
    write = stand.wait_until(lambda: plc.writes(what, since=since_ms), what="the safe value on the wire")[0]
    took_s = (write[0] - since_ms) / 1000
    assert write[2] == value
    print(f"safe value after {took_s:.3f} s, limit {limit_s} s")
    assert took_s <= limit_s + POLL_S + 0.1  # the loop's tick, and what this machine does besides
    return took_s


# Fail-safe ----------------------------------------------------------------------------------------


def test_a_killed_broker(listener, plc, agent, broker):
    agent(pump={"safe": False, "fail_safe": {"broker_lost": "700ms"}})
    assert_result(command(listener, "pump", "ON"), "ok", None)
    time.sleep(0.9)  # connected for longer than the limit: nothing happens
    assert len(plc.writes(PUMP)) == 1
    killed_ms = now_ms()
    broker.kill()
    assert assert_safe_within(plc, PUMP, killed_ms, 0.7) >= 0.6
    mark = listener.mark()
    broker.start()
    failsafe(listener, "pump", "broker_lost", since=mark)
    time.sleep(0.3)
    assert [w[2] for w in plc.writes(PUMP)] == [1, 0]  # what comes back does not bounce
    assert_result(command(listener, "pump", {"value": True, "source": "operator"}), "ok", None)
    state = listener.wait(f"{DEVICE}/state/pump", lambda m: m.json["source"] == "operator")
    assert state.json["mode"] == "normal"


def test_a_silent_controller(listener, plc, agent):
    """Its health is a sign of life, and so is a command; its will is none."""
    agent(
        pump={"safe": False, "fail_safe": {"controller_silent": "600ms", "controller": "rules-7"}},
        fan={"safe": "hold", "fail_safe": {"controller_silent": "600ms", "controller": "rules-7"}},
    )
    assert_result(command(listener, "fan", "ON"), "ok", None)
    assert_result(command(listener, "pump", "ON"), "ok", None)
    health = {"ts": 1, "session": 1, "uptime_ms": 1, "rss_bytes": 1, "counters": {}, "gauges": {},
              "breakers": {}, "last_error": None}
    for _ in range(5):
        time.sleep(0.3)
        silent_ms = now_ms()
        listener.publish("iot/_service/rules-7/health", health)
    assert len(plc.writes(PUMP)) == 1
    time.sleep(0.2)
    offline = {"state": "offline", "session": 1, "version": "1", "since": 1}
    listener.publish("iot/_service/rules-7/status", offline, retain=True)
    assert assert_safe_within(plc, PUMP, silent_ms, 0.6) >= 0.55
    failsafe(listener, "pump", "controller_silent")
    failsafe(listener, "fan", "controller_silent", value=True)
    assert [w[2] for w in plc.writes(FAN)] == [1]


def test_a_stale_input(listener, plc, agent):
    agent(pump={"safe": False, "fail_safe": {"input_stale": "500ms", "inputs": ["pressure"]}})
    assert_result(command(listener, "pump", "ON"), "ok", None)
    stale_ms = now_ms()
    plc.say("set input 5 9999")  # out of range: no good value
    assert assert_safe_within(plc, PUMP, stale_ms, 0.5) >= 0.4
    failsafe(listener, "pump", "input_stale")
    assert_result(command(listener, "pump", "ON"), "rejected", "interlock")
    mark = listener.mark()
    plc.say("free input 5")
    listener.wait(f"{DEVICE}/telemetry/process", lambda m: "pressure" in m.json["values"], since=mark)
    assert [w[2] for w in plc.writes(PUMP)] == [1, 0]
    stand.wait_until(lambda: command(listener, "pump", "ON")["result"] == "ok", what="a command to be taken")


def test_start_and_exit(listener, plc, agent):
    first = agent(
        pump={"safe": True, "fail_safe": {"start": True}}, speed={"safe": 100, "fail_safe": {"exit": True}}
    )
    failsafe(listener, "pump", "start", value=True)
    assert plc.writes(PUMP)[0][2] == 1
    assert_result(command(listener, "speed", "500"), "ok", None)
    assert first.stop() == 0
    assert [w[2] for w in plc.writes(SPEED)] == [500, 100]
    failsafe(listener, "speed", "exit", value=100)


def test_on_for_too_long(listener, plc, agent):
    agent(pump={"safe": False, "guard": {"max_on": "400ms"}})
    assert_result(command(listener, "pump", "ON"), "ok", None)
    assert_safe_within(plc, PUMP, now_ms(), 0.4)
    failsafe(listener, "pump", "max_on")


def test_a_safe_value_waits_for_the_device(listener, plc, agent, broker):
    agent(pump={"safe": False, "fail_safe": {"input_stale": "500ms", "inputs": ["pressure"]}})
    assert_result(command(listener, "pump", "ON"), "ok", None)
    plc.say("fault silent 1")
    listener.wait(f"{DEVICE}/state/pump", lambda m: m.json["mode"] == "failsafe")
    time.sleep(0.5)
    assert len(plc.writes(PUMP)) == 1
    plc.say("fault none")
    failsafe(listener, "pump", "input_stale")
    assert [w[2] for w in plc.writes(PUMP)][-1] == 0


def test_dry_run(listener, plc, agent):
    agent(pump={"dry_run": True})
    result = command(listener, "pump", "OFF")  # at first it is on
    assert_result(result, "ok", None)
    assert result["dry_run"] is True and result["value"] is True
    assert listener.find(f"{DEVICE}/state/pump")[-1].json["dry_run"] is True
    assert_result(command(listener, "pump", "7"), "rejected", "bad_value")
    assert plc.writes(PUMP) == []
