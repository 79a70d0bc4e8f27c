"""serial-agent on SIGHUP: what changed changes, and nothing else notices."""

import json
import signal

import pytest

import contract
import serial_board
import stand
import test_serial_agent as greenhouse
from serial_board import DEVICE, SENSORS
from test_serial_rfc2217 import POLL, Server

FAN = f"{greenhouse.DEVICE}/command/fan"


@pytest.fixture(autouse=True)
def keeps_the_contract(listener):
    yield
    for message in listener.messages:
        contract.check(message.topic, message.payload)


@pytest.fixture
def talker(tmp_path):
    talker = serial_board.Talker(tmp_path / "ttyTalker").start()
    talker.plug()
    yield talker
    talker.end()


@pytest.fixture
def servers():
    made = [Server(), Server()]
    yield made
    for server in made:
        server.close()


@pytest.fixture
def board(tmp_path):
    board = greenhouse.Board(str(tmp_path / "ttyBoard"))
    board.plug()
    yield board
    board.unplug()


def afar(server, name):
    """A board behind RFC 2217, which tells what becomes of DTR."""
    return serial_board.config(server.url, device=name, polls=[POLL], streams=[])["devices"][0]


def fan_board(board, **changes):
    return greenhouse.config(board.link, boot_wait="0ms", **changes)["devices"][0]


def reload(agent, listener, change):
    """Changes the configuration in place; returns a mark from before the reload."""
    config = json.loads(agent.config_path.read_text())
    change(config["devices"])
    agent.write(config)
    mark, reloads = listener.mark(), agent.log().count(" reloaded ")
    agent.signal(signal.SIGHUP)
    stand.wait_until(lambda: agent.log().count(" reloaded ") > reloads, what="the reload")
    return mark


def reading(listener, name, measurement="sensors", **wait):
    return listener.wait(f"iot/facility_a/{name}/telemetry/{measurement}", **wait)


def test_another_board_notices_nothing(listener, start, talker, servers):
    steady, other = servers
    streams = serial_board.config(talker.link)["devices"]
    agent = start("serial-agent", {"devices": streams + [afar(steady, "steady"), afar(other, "other")]})
    serial_board.wait_reading(listener)
    for name in ("steady", "other"):
        listener.wait(f"iot/facility_a/{name}/status", lambda m: m.json["state"] == "online")
    edges = steady.edges
    for timeout in ("900ms", "800ms", "700ms"):
        mark = reload(agent, listener, lambda devices: devices[2].update(reply_timeout=timeout))
        listener.wait("iot/facility_a/other/status", lambda m: m.json.get("reason") == "reconfigured", since=mark)
        for name in ("steady", "other"):
            reading(listener, name, since=mark)
        serial_board.wait_reading(listener, since=listener.mark())
    assert (steady.connections, steady.edges) == (1, edges)
    assert other.connections == 4
    numbers = [r["values"]["n"] for r in serial_board.readings(listener)]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    for name in ("talker", "steady"):
        states = [m.json["state"] for m in listener.find(f"iot/facility_a/{name}/status")]
        assert "offline" not in states[states.index("online") :]


def test_actuators_of_an_unchanged_board_keep_what_is_under_way(listener, start, board, servers):
    """The times of their guards, the commands that were seen, and one that waits for its answer."""
    device = fan_board(board, reply_timeout="5s")
    device["actuators"][0]["guard"] = {"starts_per_hour": 1}
    agent = start("serial-agent", {"devices": [device, afar(servers[0], "other")]})
    listener.wait(f"{greenhouse.DEVICE}/status", lambda m: m.json["state"] == "online")
    assert greenhouse.command(listener, "fan", '{"value": true, "id": "once"}')["result"] == "ok"

    mark, heard = listener.mark(), len(board.heard)
    board.hangs = True
    listener.publish(FAN, '{"value": false, "id": "under_way", "ttl_ms": 60000}')
    listener.publish(FAN, '{"value": true, "id": "behind_it", "ttl_ms": 60000}')
    stand.wait_until(lambda: b"LED,13,OFF" in board.heard[heard:], what="the write")
    reload(agent, listener, lambda devices: devices[1].update(reply_timeout="900ms"))
    reading(listener, "other", since=mark)
    assert not listener.find(f"{greenhouse.DEVICE}/result/fan", since=mark)
    board.hangs = False
    board.fan = False
    board.say(b"OK\r\n")
    ends = {
        id: listener.wait(f"{greenhouse.DEVICE}/result/fan", lambda m: m.json["id"] == id).json
        for id in ("under_way", "behind_it")
    }
    assert ends["under_way"]["result"] == "ok"
    assert ends["behind_it"]["reason"] == "rate_limited"
    assert board.heard.count(b"LED,13,OFF") == 1
    assert greenhouse.command(listener, "fan", '{"value": true, "id": "once"}')["reason"] == "duplicate"


def test_a_removed_board_goes_for_good(listener, start, board, servers):
    device = fan_board(board)
    namesake = afar(servers[1], "stays") | {"location": "facility_b"}
    agent = start("serial-agent", {"devices": [device, afar(servers[0], "stays"), namesake]})
    listener.wait(f"{greenhouse.DEVICE}/status", lambda m: m.json["state"] == "online")
    assert greenhouse.command(listener, "fan", "ON")["result"] == "ok"
    mark = reload(agent, listener, lambda devices: devices.pop(0))
    status = listener.wait(f"{greenhouse.DEVICE}/status", since=mark).json
    assert (status["state"], status["reason"]) == ("offline", "removed")
    late = stand.Listener(listener.port, f"{greenhouse.DEVICE}/#")
    late.publish(f"{greenhouse.DEVICE}/ack/end", "")  # behind all that is retained
    late.wait(f"{greenhouse.DEVICE}/ack/end")
    assert {m.topic for m in late.messages if m.retain} == {f"{greenhouse.DEVICE}/status"}
    late.close()
    assert reading(listener, "stays", since=mark)
    health = listener.wait("iot/_service/+/health", lambda m: m.json["gauges"]["boards"] == 2, timeout_s=30).json
    assert set(health["breakers"]) == {"facility_a/stays", "facility_b/stays"}


def test_what_a_board_has_no_more_is_taken_away(listener, start, board):
    device = fan_board(board)
    device["actuators"].append({"name": "lamp", "pin": 13, "write": "LED,{pin},{ON|OFF}"})
    agent = start("serial-agent", {"devices": [device]})
    listener.wait(f"{greenhouse.DEVICE}/status", lambda m: m.json["state"] == "online")
    for actuator in ("fan", "lamp"):
        assert greenhouse.command(listener, actuator, "ON")["result"] == "ok"

    def change(devices):
        devices[0]["actuators"].pop()
        devices[0]["polls"][0]["measurement"] = "fresh"

    mark = reload(agent, listener, change)
    reading(listener, "greenhouse_001", "fresh", since=mark)
    for gone in ("state/lamp", "telemetry/sensors"):
        assert listener.find(f"{greenhouse.DEVICE}/{gone}")[-1].payload == b""
    assert listener.find(f"{greenhouse.DEVICE}/state/fan")[-1].json["value"] is True
    assert greenhouse.command(listener, "lamp", "ON")["reason"] == "unknown_actuator"
