"""modbus-agent on SIGHUP: what changed changes, and nothing else notices."""

import copy
import json
import signal
import statistics

import pytest

import contract
import stand
from modbus_wire import RawServer, registers

PERIOD_S = 0.2


@pytest.fixture(autouse=True)
def keeps_the_contract(listener):
    yield
    for message in listener.messages:
        contract.check(message.topic, message.payload)


class Device:
    """One coil that can be written, registers that all hold 7."""

    def __init__(self):
        self.coil = 0
        self.late_s = 0  # the answer to a write
        self.server = RawServer(self.answer)

    def answer(self, _unit, pdu):
        if pdu[0] == 5:
            self.coil = int(pdu[3] != 0)
            return pdu, self.late_s
        if pdu[0] == 1:
            return bytes([1, 1, self.coil])
        return registers(pdu[0], [7] * pdu[4])


@pytest.fixture
def servers():
    made = [Device(), Device()]
    yield made
    for device in made:
        device.server.close()


def device(name, unit, measurement="m", actuators=(), **more):
    points = [{"name": "n", "table": "input", "address": 0}]
    groups = [{"measurement": measurement, "period": f"{int(PERIOD_S * 1000)}ms", "points": points, **more}]
    return {"location": "l", "device": name, "unit": unit, "groups": groups, "actuators": list(actuators)}


def bus(server, *devices):
    return {"url": server.url, "timeout": "1s", "devices": list(devices)}


def reload(agent, listener, change):
    """Changes the configuration in place; returns a mark from before the reload."""
    config = json.loads(agent.config_path.read_text())
    change(config)
    agent.write(config)
    mark, reloads = listener.mark(), agent.log().count(" reloaded ")
    agent.signal(signal.SIGHUP)
    stand.wait_until(lambda: agent.log().count(" reloaded ") > reloads, what="the reload")
    return mark


def status(listener, name, state, **wait):
    return listener.wait(f"iot/l/{name}/status", lambda m: m.json["state"] == state, **wait).json


def reading(listener, name, measurement="m", **wait):
    return listener.wait(f"iot/l/{name}/telemetry/{measurement}", **wait).json


def command(listener, name, actuator, value):
    mark = listener.mark()
    listener.publish(f"iot/l/{name}/command/{actuator}", value)
    return listener.wait(f"iot/l/{name}/result/{actuator}", since=mark).json


def phase(times):
    """Where in the period the requests come, as the median distance from the first one's place."""
    return statistics.median((t - times[0] + PERIOD_S / 2) % PERIOD_S - PERIOD_S / 2 for t in times)


def test_another_bus_notices_nothing(listener, start, servers):
    steady, other = (d.server for d in servers)
    config = {"buses": [bus(steady, device("steady", 1)), bus(other, device("other", 1))]}
    agent = start("modbus-agent", config)
    for name in ("steady", "other"):
        status(listener, name, "online")
    stand.wait_until(lambda: len(steady.requests) > 10)
    for period in ("100ms", "50ms", "80ms"):

        def change(config):
            config["buses"][1]["devices"][0]["groups"][0]["period"] = period

        before = len(steady.requests)
        mark = reload(agent, listener, change)
        reading(listener, "other", since=mark)
        stand.wait_until(lambda: len(steady.requests) > before + 10)
    assert steady.connections == 1
    assert other.connections == 4
    times = [t for t, _, _ in steady.requests]
    middle = len(times) // 2
    assert abs(phase([times[0]] + times[middle:]) - phase(times[:middle])) < PERIOD_S / 4
    seqs = [m.json["seq"] for m in listener.find("iot/l/steady/telemetry/m")]
    assert seqs == list(range(1, len(seqs) + 1))  # neither begun anew nor one left out
    assert not listener.find("iot/l/steady/status", lambda m: m.json["state"] != "online")


def test_a_removed_device_goes_for_good(listener, start, servers):
    server = servers[0].server
    pumps = [{"name": name, "table": "coil", "address": 0} for name in ("pump", "spare")]
    config = {"buses": [bus(server, device("stays", 1, actuators=pumps), device("goes", 2, actuators=pumps[:1]))]}
    agent = start("modbus-agent", config)
    for name, pump in (("stays", "pump"), ("stays", "spare"), ("goes", "pump")):
        status(listener, name, "online")
        assert command(listener, name, pump, "ON")["result"] == "ok"
    mark = reload(agent, listener, lambda config: config["buses"][0]["devices"].pop())
    assert status(listener, "goes", "offline", since=mark)["reason"] == "removed"
    listener.wait("iot/l/goes/meta", lambda m: m.payload == b"", since=mark)
    reading(listener, "stays", since=mark)
    mark = listener.mark()
    reading(listener, "stays", since=mark)
    assert not listener.find("iot/l/goes/telemetry/m", since=mark)

    def change(config):
        config["buses"][0]["devices"][0]["actuators"].pop()
        config["buses"][0]["devices"][0]["groups"][0]["measurement"] = "fresh"

    mark = reload(agent, listener, change)
    reading(listener, "stays", "fresh", since=mark)
    late = stand.Listener(listener.port, "iot/l/#")
    late.wait("iot/l/stays/telemetry/fresh", timeout_s=30)
    late.publish("iot/l/goes/ack/end", "")  # behind all that is retained
    late.wait("iot/l/goes/ack/end")
    kept = {m.topic for m in late.messages if m.retain}
    late.close()
    stays = {f"iot/l/stays/{what}" for what in ("status", "meta", "state/pump", "telemetry/fresh")}
    assert kept == stays | {"iot/l/goes/status"}
    health = listener.wait("iot/_service/+/health", lambda m: m.json["breakers"], since=mark, timeout_s=30).json
    assert list(health["breakers"]) == ["l/stays"]


def test_what_changed_applies(listener, start, servers):
    first, second = (d.server for d in servers)
    config = {"buses": [bus(first, device("moves", 1), device("changes", 2))]}
    agent = start("modbus-agent", config)
    status(listener, "changes", "online")

    def change(config):
        devices = config["buses"][0]["devices"]
        config["buses"].append(bus(second, devices.pop(0)))
        devices[0]["groups"][0]["measurement"] = "fresh"
        devices.append(device("added", 3))

    mark = reload(agent, listener, change)
    reading(listener, "changes", "fresh", since=mark)
    reading(listener, "added", since=mark)
    reading(listener, "moves", since=mark)
    for name in ("moves", "changes"):
        status(listener, name, "online", since=mark)
        assert listener.find(f"iot/l/{name}/status")[-1].json["state"] == "online"
    assert second.requests


def test_actuators_of_an_unchanged_device_keep_their_times_and_results(listener, start, servers):
    """Also on a bus on which another device was changed."""
    pump = {"name": "pump", "table": "coil", "address": 0, "guard": {"starts_per_hour": 1}}
    config = {"buses": [bus(servers[0].server, device("kept", 1, actuators=[pump]), device("other", 2))]}
    agent = start("modbus-agent", config)
    status(listener, "kept", "online")
    assert command(listener, "kept", "pump", "OFF")["result"] == "ok"
    assert command(listener, "kept", "pump", '{"value": true, "id": "once"}')["result"] == "ok"
    assert command(listener, "kept", "pump", "OFF")["result"] == "ok"
    assert command(listener, "kept", "pump", "ON")["reason"] == "rate_limited"

    def change(config):
        config["buses"][0]["devices"][1]["groups"][0]["measurement"] = "fresh"

    mark = reload(agent, listener, change)
    reading(listener, "other", "fresh", since=mark)
    reading(listener, "kept", since=mark)
    assert command(listener, "kept", "pump", "ON")["reason"] == "rate_limited"
    again = command(listener, "kept", "pump", '{"value": true, "id": "once"}')
    assert again["reason"] == "duplicate"
    assert not listener.find("iot/l/kept/status", lambda m: m.json["state"] == "offline", since=mark)
    assert command(listener, "kept", "pump", "OFF")["result"] == "ok"
    assert servers[0].coil == 0


@pytest.mark.parametrize("changed", ["pumped", "other"])
def test_a_command_behind_one_that_is_being_written_gets_its_end(listener, start, servers, changed):
    pump = {"name": "pump", "table": "coil", "address": 0}
    devices = [device("pumped", 1, actuators=[pump]), device("other", 2)]
    agent = start("modbus-agent", {"buses": [bus(servers[0].server, *devices)]})
    status(listener, "pumped", "online")
    servers[0].late_s = 0.7

    def change(config):
        for one in config["buses"][0]["devices"]:
            if one["device"] == changed:
                one["groups"][0]["measurement"] = "fresh"
        for id, value in (("under_way", "true"), ("behind_it", "false")):
            listener.publish("iot/l/pumped/command/pump", f'{{"value": {value}, "id": "{id}"}}')
        stand.wait_until(lambda: any(pdu[0] == 5 for _, _, pdu in servers[0].server.requests), what="the write")

    mark = reload(agent, listener, change)
    ends = {
        id: listener.wait("iot/l/pumped/result/pump", lambda m: m.json["id"] == id).json
        for id in ("under_way", "behind_it")
    }
    assert ends["under_way"]["result"] == "ok"
    assert ends["behind_it"]["result"] == "ok" or changed == "pumped" and ends["behind_it"]["reason"] == "device_offline"
    reading(listener, changed, "fresh", since=mark)
    servers[0].late_s = 0
    assert command(listener, "pumped", "pump", "OFF")["result"] == "ok"


def test_commands_right_after_a_reload_wait_for_the_bus(listener, start, servers):
    """The status of a device that was not changed says online throughout, and commands keep to it."""
    server = servers[0].server
    pumps = [{"name": name, "table": "coil", "address": 0} for name in ("patient", "hasty")]
    devices = [device("kept", 1, actuators=pumps), device("other", 2)]
    agent = start("modbus-agent", {"buses": [bus(server, *devices) | {"connect_timeout": "10s"}]})
    status(listener, "kept", "online")
    with server.overrun():
        mark = reload(agent, listener, lambda config: config["buses"][0]["devices"][1].update(unit=3))
        for pump, ttl_ms in (("patient", 60000), ("hasty", 100)):
            listener.publish(f"iot/l/kept/command/{pump}", {"value": True, "ttl_ms": ttl_ms})
        assert command(listener, "kept", "unknown", "ON")["reason"] == "unknown_actuator"
        assert not listener.find("iot/l/kept/result/patient")
    assert listener.wait("iot/l/kept/result/patient").json["result"] == "ok"
    assert listener.wait("iot/l/kept/result/hasty").json["result"] == "expired"
    reading(listener, "other", since=mark)
    assert not listener.find("iot/l/kept/status", lambda m: m.json["state"] != "online")


def test_templates_count_as_what_they_say(listener, start, servers, tmp_path):
    """A changed template changes its devices, though their own lines are the same."""
    template = tmp_path / "meter.json"
    contents = {"groups": device("x", 1)["groups"]}
    template.write_text(json.dumps(contents))
    meter = {"location": "l", "device": "meter", "unit": 1, "template": "meter"}
    config = {"templates": str(tmp_path), "buses": [bus(servers[0].server, meter)]}
    agent = start("modbus-agent", config)
    reading(listener, "meter")
    mark = reload(agent, listener, lambda config: None)
    reading(listener, "meter", since=mark)
    assert servers[0].server.connections == 1
    changed = copy.deepcopy(contents)
    changed["groups"][0]["measurement"] = "fresh"
    template.write_text(json.dumps(changed))
    mark = reload(agent, listener, lambda config: None)
    reading(listener, "meter", "fresh", since=mark)
