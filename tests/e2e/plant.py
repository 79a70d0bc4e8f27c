"""The simulated PLC as the witness of what goes over its wire, and modbus-agent as it serves it; for tests of
commands."""

import re
import socket
import time

import pytest

import stand

DEVICE = "iot/facility_a/plc_001"
POLL_S = 0.05
STEP_S = 0.1  # of the simulators
WRITE = re.compile(r"write time=(\d+) unit=1 table=(\w+) address=(\d+) value=(\d+)")
PUMP, FAN, SPEED, MODE = ("coil", 1), ("coil", 3), ("holding", 0), ("holding", 1)
WATCHDOG = ("holding", 2)


class Plc:
    """sim-plc and what it saw on the wire; `rtu_port` speaks RTU frames."""

    def __init__(self, run_program, tmp_path, *arguments):
        self.port, self.rtu_port = stand.free_port(), stand.free_port()
        self.control = tmp_path / "plc.sock"
        self.program = run_program(
            "tests/sim/sim-plc", "--listen", f"127.0.0.1:{self.port}", "--rtu-listen", f"127.0.0.1:{self.rtu_port}",
            "--log-writes", "--control", self.control, *arguments
        )
        stand.wait_until(lambda: stand.accepts(self.rtu_port), what="the simulator's port")

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
            return s.recv(1000).decode().strip()

    def value(self, of):
        return int(self.say(f"get {of[0]} {of[1]}"))


def now_ms():
    return int(time.time() * 1000)


def dead_man_ms(simulator, since=0):
    """When the device's own watchdog took its outputs to safe values, waited for."""
    pattern = re.compile(r"dead-man time=(\d+)")
    later = lambda: [t for t in map(int, pattern.findall(simulator.log())) if t >= since]
    return stand.wait_until(later, what="the device's dead-man")[0]


@pytest.fixture
def plc(run_program, tmp_path):
    return Plc(run_program, tmp_path)


def config(url, service=None, watchdog=None, **more):
    """More said of the actuators pump, fan, speed and mode by their names."""
    points = {"pump": PUMP, "fan": FAN, "speed": SPEED, "mode": MODE}
    pressure = {"name": "pressure", "table": "input", "address": 5, "divide": 10, "valid": {"max": 25}}
    state = [{"name": name, "table": table, "address": address} for name, (table, address) in points.items()]
    device = {
        "unit": 1,
        "location": "facility_a",
        "device": "plc_001",
        "breaker": {"failures": 3, "open": "1s"},
        "groups": [
            {"measurement": "state", "period": "50ms", "points": state},
            {"measurement": "process", "period": "50ms", "points": [pressure]},
        ],
        "actuators": [
            {**point, **({"min": 0, "max": 2000} if point["name"] == "speed" else {}), **more.get(point["name"], {})}
            for point in state
        ],
    }
    if watchdog:
        device["watchdog"] = watchdog
    bus = {"url": url, "timeout": "200ms", "reconnect": {"first": "50ms", "max": "200ms"}, "devices": [device]}
    return {"service": service or {}, "buses": [bus]}


@pytest.fixture
def agent(start, listener, plc):
    """agent(pump={…}, fan={…}) serves the PLC, with more said of these actuators; waits until it is online."""

    def serve(service=None, url=None, **more):
        mark = listener.mark()
        agent = start("modbus-agent", config(url or f"tcp://127.0.0.1:{plc.port}", service, **more))
        online(listener, mark)
        return agent

    return serve


def online(listener, since=0):
    listener.wait(f"{DEVICE}/status", lambda m: m.json["state"] == "online", since=since)
    for name in ("pump", "fan", "speed", "mode"):
        listener.wait(f"{DEVICE}/state/{name}", since=since)


def command(listener, actuator, payload, device=DEVICE, **properties):
    mark = listener.mark()
    listener.publish(f"{device}/command/{actuator}", payload, **properties)
    return listener.wait(f"{device}/result/{actuator}", since=mark).json


def assert_result(result, outcome, reason):
    assert (result["result"], result["reason"]) == (outcome, reason), result
