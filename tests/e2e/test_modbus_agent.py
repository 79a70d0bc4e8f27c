"""modbus-agent against Modbus servers: pymodbus, raw frames with faults, and sim-plc over TCP and RTU."""

import itertools
import json
import signal
import struct
import subprocess
import time

import pytest

import contract
import stand
from modbus_wire import Pymodbus, RawServer, registers

DEVICE = "iot/facility_a/line_001"


def agent_config(url, groups=(), actuators=(), timeout="200ms", **device):
    return {
        "buses": [
            {
                "url": url,
                "timeout": timeout,
                "reconnect": {"first": "50ms", "max": "500ms"},
                "devices": [
                    {
                        "unit": 1,
                        "location": "facility_a",
                        "device": "line_001",
                        "groups": list(groups),
                        "actuators": list(actuators),
                        **device,
                    }
                ],
            }
        ]
    }


def group(measurement, points, period="100ms"):
    return {"measurement": measurement, "period": period, "points": points}


@pytest.fixture(autouse=True)
def keeps_the_contract(request):
    """Every message that a test has heard is held to proto/."""
    listener = request.getfixturevalue("listener") if "listener" in request.fixturenames else None
    yield
    for message in listener.messages if listener else ():
        contract.check(message.topic, message.payload)


@pytest.fixture
def pymodbus(tmp_path):
    running = []

    def serve(units):
        running.append(Pymodbus(units, tmp_path).start())
        return running[-1]

    yield serve
    for server in running:
        server.kill()


@pytest.fixture
def raw():
    running = []

    def serve(answer):
        running.append(RawServer(answer))
        return running[-1]

    yield serve
    for server in running:
        server.close()


def reading(listener, measurement, predicate=lambda r: True, **wait):
    """The first of a message's readings: those from before there was a connection come as an array."""

    def first(message):
        return message.json[0] if isinstance(message.json, list) else message.json

    return first(listener.wait(f"{DEVICE}/telemetry/{measurement}", lambda m: predicate(first(m)), **wait))


def status(listener, state, **wait):
    return listener.wait(f"{DEVICE}/status", lambda m: m.json["state"] == state, **wait).json


def online(listener):
    return status(listener, "online")


def command(listener, actuator, payload, **properties):
    mark = listener.mark()
    listener.publish(f"{DEVICE}/command/{actuator}", payload, **properties)
    return listener.wait(f"{DEVICE}/result/{actuator}", since=mark).json


def health(listener, predicate):
    return listener.wait(
        "iot/_service/+/health", lambda m: predicate(m.json["counters"]), timeout_s=25
    ).json["counters"]


# Every type in every order ------------------------------------------------------------------------

NUMBERS = {
    "int16": ("h", -12345),
    "uint16": ("H", 54321),
    "int32": ("i", -1234567890),
    "uint32": ("I", 4123456789),
    "int64": ("q", -1234567890123456),
    "uint64": ("Q", 9007199254740992),
    "float32": ("f", -23.4375),
    "float64": ("d", 3.141592653589793),
}


def wire_words(kind, order, value):
    """The registers as a device of that order holds them; written apart from the agent's own code."""
    big = struct.pack(">" + NUMBERS[kind][0], value)
    words = [big[i : i + 2] for i in range(0, len(big), 2)]
    if order in ("CDAB", "DCBA"):
        words.reverse()
    if order in ("BADC", "DCBA", "BA"):
        words = [word[::-1] for word in words]
    return [int.from_bytes(word, "big") for word in words]


def orders_of(kind):
    return ["AB", "BA"] if kind.endswith("16") else ["ABCD", "DCBA", "BADC", "CDAB"]


def test_all_types_and_orders(listener, start, pymodbus):
    points, cells, expected, address = [], {}, {}, 100
    for table in ("input", "holding"):
        cells[table] = {}
        for kind, (_, value) in NUMBERS.items():
            for order in orders_of(kind):
                name = f"{table}_{kind}_{order.lower()}"
                words = wire_words(kind, order, value)
                points.append(
                    {"name": name, "table": table, "address": address, "type": kind, "order": order}
                )
                cells[table][address] = words
                expected[name] = value
                address += len(words) + address % 2  # with holes
    unit = {
        **cells,
        "coil": {0: [True, False, True]},
        "discrete": {7: [False, True]},
    }
    unit["holding"][10] = [0x4142, 0x4320, 0x0000, 0x8001]
    unit["input"][10] = [2345, 65535, 35, 30000]
    points += [
        {"name": "on", "table": "coil", "address": 0},
        {"name": "off", "table": "coil", "address": 1},
        {"name": "closed", "table": "discrete", "address": 8},
        {"name": "open", "table": "discrete", "address": 7},
        {"name": "serial", "table": "holding", "address": 10, "type": "string", "length": 3},
        {"name": "bit_15", "table": "holding", "address": 13, "type": "bit", "bit": 15},
        {"name": "bit_1", "table": "holding", "address": 13, "type": "bit", "bit": 1},
        {"name": "temperature", "table": "input", "address": 10, "type": "int16", "divide": 100, "unit": "°C"},
        {"name": "unknown", "table": "input", "address": 11, "valid": {"not": [65535]}},
        {"name": "small", "table": "input", "address": 12, "divide": 100},
        {"name": "wild", "table": "input", "address": 13, "divide": 10, "valid": {"max": 25}},
    ]
    expected |= {
        "on": True, "off": False, "closed": True, "open": False, "serial": "ABC",
        "bit_15": True, "bit_1": False, "temperature": 23.45, "small": 0.35,
    }  # fmt: skip
    server = pymodbus({1: unit})
    start("modbus-agent", agent_config(server.url, [group("everything", points)]))

    got = reading(listener, "everything")
    assert got["values"] == expected
    assert got["bad"] == {"unknown": "missing", "wild": "out_of_range"}
    meta = listener.wait(f"{DEVICE}/meta").json
    assert {p["name"] for p in meta["points"]} == {p["name"] for p in points}
    assert next(p for p in meta["points"] if p["name"] == "temperature") == {
        "name": "temperature", "measurement": "everything", "type": "number", "unit": "°C", "period_ms": 100,
    }  # fmt: skip


# Commands -----------------------------------------------------------------------------------------

ACTUATORS = [
    {"name": "pump", "table": "coil", "address": 0},
    {"name": "stuck", "table": "coil", "address": 1},
    {"name": "nowhere", "table": "coil", "address": 99},
    {"name": "speed", "table": "holding", "address": 0, "min": 0, "max": 2000},
    {"name": "level", "table": "holding", "address": 2, "type": "float32", "order": "CDAB", "divide": 10},
]


@pytest.fixture
def controlled(listener, start, pymodbus):
    pymodbus_unit = {"coil": {0: [False, False]}, "holding": {0: [700, 0, 0, 0]}, "stuck": [1]}
    server = pymodbus({1: pymodbus_unit})
    points = [
        {"name": "pump", "table": "coil", "address": 0},
        {"name": "speed", "table": "holding", "address": 0},
        {"name": "level", "table": "holding", "address": 2, "type": "float32", "order": "CDAB"},
    ]
    start("modbus-agent", agent_config(server.url, [group("state", points)], ACTUATORS))
    online(listener)
    return server


def test_a_command_is_written_and_read_back(listener, controlled):
    assert listener.wait(f"{DEVICE}/state/pump", lambda m: m.json["value"] is False)
    mark = listener.mark()
    result = command(listener, "pump", {"value": True, "id": "a1"})
    assert (result["id"], result["result"], result["value"]) == ("a1", "ok", True)
    state = listener.wait(f"{DEVICE}/state/pump", lambda m: m.json["command_id"] == "a1", since=mark)
    assert state.json["value"] is True
    reading(listener, "state", lambda r: r["values"]["pump"] is True, since=mark)
    assert command(listener, "pump", "OFF")["value"] is False
    reading(listener, "state", lambda r: r["values"]["pump"] is False, since=listener.mark())


def test_registers_take_numbers(listener, controlled):
    assert command(listener, "speed", "1250")["value"] == 1250
    reading(listener, "state", lambda r: r["values"]["speed"] == 1250)
    assert command(listener, "level", "2.5")["value"] == 2.5
    reading(listener, "state", lambda r: r["values"]["level"] == 25)
    refused = command(listener, "speed", "2001")
    assert (refused["result"], refused["reason"]) == ("rejected", "out_of_range")
    refused = command(listener, "speed", "ON")
    assert (refused["result"], refused["reason"]) == ("rejected", "bad_value")


def test_what_was_not_taken_is_not_ok(listener, controlled):
    result = command(listener, "stuck", "ON")
    assert (result["result"], result["reason"], result["value"]) == ("failed", "verify_failed", False)
    result = command(listener, "nowhere", "ON")
    assert (result["result"], result["reason"]) == ("failed", "exception_2")
    result = command(listener, "door", "ON")
    assert (result["result"], result["reason"]) == ("rejected", "unknown_actuator")
    result = command(listener, "pump", "ON", retain=True)
    assert (result["result"], result["reason"]) == ("rejected", "retained")


def test_a_command_reaches_the_wire_within_milliseconds(listener, start, raw):
    coil = {"value": 0}

    def answer(_unit, pdu):
        if pdu[0] == 5:
            coil["value"] = 1 if pdu[3] else 0
            return pdu
        if pdu[0] == 1:
            return bytes([1, 1, coil["value"]])
        return registers(4, [1] * pdu[4])

    server = raw(answer)
    points = [{"name": "n", "table": "input", "address": 0}]
    start("modbus-agent", agent_config(server.url, [group("fast", points, "10ms")], ACTUATORS[:1]))
    online(listener)
    delays = []
    for i in range(50):
        sent = time.monotonic()
        assert command(listener, "pump", "ON" if i % 2 == 0 else "OFF")["result"] == "ok"
        delays += [at - sent for at, _, pdu in server.requests if pdu[0] == 5 and at > sent]
    delays.sort()
    print(f"command to wire: median {delays[25] * 1e3:.1f} ms, worst {delays[-1] * 1e3:.1f} ms")
    assert len(delays) == 50
    assert delays[25] < 0.1


# Faults -------------------------------------------------------------------------------------------


def test_a_refused_part_is_named_and_the_rest_is_there(listener, start, pymodbus):
    server = pymodbus({1: {"input": {0: [11], 50: [22]}}})
    points = [
        {"name": "here", "table": "input", "address": 0},
        {"name": "hole", "table": "input", "address": 20},
        {"name": "there", "table": "input", "address": 50},
    ]
    start("modbus-agent", agent_config(server.url, [group("parts", points)]))
    got = reading(listener, "parts")
    assert got["values"] == {"here": 11, "there": 22}
    assert got["bad"] == {"hole": "exception_2"}
    assert status(listener, "degraded")["reason"] == "exception_2 in parts"
    seqs = [m.json["seq"] for m in listener.find(f"{DEVICE}/telemetry/parts")]
    assert seqs == list(range(1, len(seqs) + 1))  # one reading a round, not one a request


def test_what_is_not_new_is_not_published(listener, start, raw):
    value = {"n": 100, "m": 1}
    server = raw(lambda _unit, pdu: registers(pdu[0], [value["n"], value["m"]]))
    points = [{"name": name, "table": "input", "address": i} for i, name in enumerate("nm")]
    points[0]["deadband_percent"] = 5
    quiet = {**group("quiet", points, "20ms"), "publish": "on_change", "heartbeat": "1h"}
    beating = {**quiet, "measurement": "beating", "heartbeat": "300ms"}
    start("modbus-agent", agent_config(server.url, [quiet, beating]))
    online(listener)
    value["n"] = 200
    reading(listener, "quiet", lambda r: r["values"]["n"] == 200)
    value["n"] = 100
    mark = listener.mark()
    reading(listener, "quiet", lambda r: r["values"]["n"] == 100, since=mark)
    for change in ({"n": 105}, {"n": 106}, {"m": 2}):
        value.update(change)
        reading(listener, "beating", lambda r, now=dict(value): r["values"] == now)
        stand.wait_until(lambda at=time.monotonic(): time.monotonic() > at + 0.1)
    said = [m.json for m in listener.find(f"{DEVICE}/telemetry/quiet")]
    different = [m.json["values"] for m in listener.find(f"{DEVICE}/telemetry/quiet", since=mark)][1:]
    assert different == [{"n": 106, "m": 1}, {"n": 106, "m": 2}]  # 105 is within the dead-band
    assert [r["seq"] for r in said] == list(range(1, len(said) + 1))  # a gap would be a loss


def test_what_is_not_published_is_fresh_all_the_same(listener, start, raw):
    """An interlock goes by the age of what was read, not of what was published."""
    server = raw(lambda _unit, pdu: pdu if pdu[0] == 6 else registers(pdu[0], [7]))
    points = [{"name": "n", "table": "input", "address": 0}]
    quiet = {**group("quiet", points, "20ms"), "publish": "on_change", "heartbeat": "1h"}
    speed = {"name": "speed", "table": "holding", "address": 9, "guard": {"interlock": "age(n) < 500ms"}}
    start("modbus-agent", agent_config(server.url, [quiet], [speed]))
    online(listener)
    assert command(listener, "speed", "7")["result"] == "ok"
    said = f"{DEVICE}/telemetry/quiet"
    stand.wait_until(lambda: server.requests[-1][0] > listener.find(said)[-1].at + 0.6)
    assert command(listener, "speed", "7")["result"] == "ok"
    assert listener.find(said)[-1].at + 0.6 < time.monotonic()


def test_holes_are_learnt_published_and_kept(listener, start, raw, tmp_path):
    """Registers 2 to 5 cannot be read, not even along with others."""

    def answer(_unit, pdu):
        address, count = struct.unpack(">HH", pdu[1:5])
        if address < 6 and address + count > 2:
            return bytes([pdu[0] | 0x80, 2])
        return registers(pdu[0], range(address, address + count))

    server = raw(answer)
    points = [{"name": f"p{i}", "table": "input", "address": i} for i in (0, 1, 7, 9)]
    config = agent_config(server.url, [group("parts", points, "50ms")])
    config["service"] = {"state_dir": str(tmp_path / "state")}
    (tmp_path / "state").mkdir()
    agent = start("modbus-agent", config)
    values = {"p0": 0, "p1": 1, "p7": 7, "p9": 9}
    assert reading(listener, "parts")["values"] == values  # in the first round already
    learnt = listener.wait(f"{DEVICE}/meta", lambda m: "holes" in m.json).json
    assert learnt["holes"] == [{"table": "input", "address": 2, "count": 5}]
    agent.stop()

    before = len(server.requests)
    mark = listener.mark()
    start("modbus-agent", config)
    assert reading(listener, "parts", since=mark)["values"] == values
    assert listener.wait(f"{DEVICE}/meta", since=mark).json["holes"] == learnt["holes"]
    asked = {struct.unpack(">HH", pdu[1:5]) for _, _, pdu in server.requests[before:]}
    assert asked == {(0, 2), (7, 3)}


def two_units(url, open_="1s"):
    config = agent_config(url, [group("fine", [{"name": "n", "table": "input", "address": 0}], "50ms")])
    config["buses"][0]["devices"].append(
        {
            "unit": 9,
            "location": "facility_a",
            "device": "dead_001",
            "breaker": {"failures": 3, "open": open_},
            "groups": [group("gone", [{"name": "n", "table": "input", "address": 0}], "50ms")],
            "actuators": [{"name": "pump", "table": "coil", "address": 0}],
        }
    )
    return config


def test_a_silent_unit_costs_the_others_nothing(listener, start, raw):
    server = raw(lambda unit, pdu: registers(pdu[0], [7]) if unit == 1 else None)
    start("modbus-agent", two_units(server.url, "3s"))
    dead = "iot/facility_a/dead_001"
    opened = listener.wait(f"{dead}/status", lambda m: m.json["breaker"] == "open")
    assert (opened.json["state"], opened.json["reason"]) == ("offline", "unit_silent")
    gone = [m.json for m in listener.find(f"{dead}/telemetry/gone")]
    assert gone and all(r["values"] == {} and r["bad"] == {"n": "timeout"} for r in gone)
    online(listener)

    # Until the next probe the unit is not asked at all, and the other one keeps its period.
    begin = opened.at + 0.2
    stand.wait_until(lambda: time.monotonic() > begin + 2)
    asked = [at for at, unit, _ in server.requests if unit == 9]
    assert len(asked) == 3
    fine = [at for at, unit, _ in server.requests if unit == 1 and begin < at < begin + 2]
    assert 38 <= len(fine) <= 41
    result = listener.mark()
    listener.publish(f"{dead}/command/pump", "ON")
    result = listener.wait(f"{dead}/result/pump", since=result).json
    assert (result["result"], result["reason"]) == ("rejected", "device_offline")

    # Then exactly one probe.
    stand.wait_until(lambda: len([1 for _, unit, _ in server.requests if unit == 9]) == 4)
    stand.wait_until(lambda: time.monotonic() > opened.at + 5)
    assert len([1 for _, unit, _ in server.requests if unit == 9]) == 4
    assert server.connections == 1


def test_a_unit_that_speaks_again_is_read_again(listener, start, raw):
    alive = {1}
    server = raw(lambda unit, pdu: registers(pdu[0], [unit]) if unit in alive else None)
    start("modbus-agent", two_units(server.url, "500ms"))
    dead = "iot/facility_a/dead_001"
    listener.wait(f"{dead}/status", lambda m: m.json["breaker"] == "open")
    alive.add(9)
    mark = listener.mark()
    listener.wait(f"{dead}/telemetry/gone", lambda m: m.json["values"] == {"n": 9}, since=mark)
    listener.wait(f"{dead}/status", lambda m: m.json["state"] == "online", since=mark)


def test_one_unit_shown_as_two_devices(listener, start, raw):
    """Each has its own points, status and meta; whether the unit answers is found out for both at once."""
    alive = {1}
    server = raw(lambda unit, pdu: registers(pdu[0], [7]) if unit in alive else None)
    config = two_units(server.url)
    first, second = config["buses"][0]["devices"]
    second["unit"] = 1
    first["breaker"] = second["breaker"]
    second["groups"][0]["period"] = "5s"  # too rarely to notice the silence by itself
    start("modbus-agent", config)
    other = "iot/facility_a/dead_001"
    assert reading(listener, "fine")["values"] == {"n": 7}
    assert listener.wait(f"{other}/telemetry/gone").json["values"] == {"n": 7}
    assert listener.wait(f"{other}/meta").json["actuators"] and not listener.wait(f"{DEVICE}/meta").json["actuators"]
    for device in (DEVICE, other):
        listener.wait(f"{device}/status", lambda m: m.json["state"] == "online")

    mark = listener.mark()
    alive.clear()
    for device in (DEVICE, other):
        opened = listener.wait(f"{device}/status", lambda m: m.json["state"] == "offline", since=mark, timeout_s=3)
        assert (opened.json["reason"], opened.json["breaker"]) == ("unit_silent", "open")
    silent = [at for at, _, _ in server.requests if at > opened.at - 0.15]
    assert len(silent) <= 3, "the second device was asked on its own"
    mark = listener.mark()
    alive.add(1)
    for device in (DEVICE, other):
        listener.wait(f"{device}/status", lambda m: m.json["state"] == "online", since=mark, timeout_s=4)


def test_a_gateways_word_that_the_unit_is_silent_counts_as_silence(listener, start, raw):
    server = raw(lambda unit, pdu: registers(pdu[0], [7]) if unit == 1 else bytes([pdu[0] | 0x80, 11]))
    start("modbus-agent", two_units(server.url))
    dead = "iot/facility_a/dead_001"
    listener.wait(f"{dead}/telemetry/gone", lambda m: m.json["bad"] == {"n": "exception_11"})
    listener.wait(f"{dead}/status", lambda m: m.json["breaker"] == "open")


def test_a_server_restart_is_a_lost_link(listener, start, pymodbus):
    server = pymodbus({1: {"input": {0: [5]}}})
    points = [{"name": "n", "table": "input", "address": 0}]
    agent = start("modbus-agent", agent_config(server.url, [group("fine", points)]))
    online(listener)
    mark = listener.mark()
    server.kill()
    offline = status(listener, "offline", since=mark)
    assert offline["reason"].startswith("link_down: ")
    assert offline["breaker"] == "closed"
    mark = listener.mark()
    server.start()
    status(listener, "online", since=mark)
    assert reading(listener, "fine", since=mark)["values"] == {"n": 5}
    # A line in the log when the link goes and one when it comes, not one for every attempt.
    assert [line.split()[3] for line in agent.log().splitlines() if " bus_" in line] == [
        "bus_up", "bus_down", "bus_up",
    ]  # fmt: skip


def test_a_server_that_hangs_up_between_requests_is_dialled_again_at_once(listener, start, raw):
    server = raw(lambda _unit, pdu: pdu if pdu[0] == 5 else bytes([pdu[0], 1, 1]))
    points = [{"name": "pump", "table": "coil", "address": 0}]
    start("modbus-agent", agent_config(server.url, [group("state", points, "600ms")], ACTUATORS[:1]))
    online(listener)
    begin = listener.mark()
    for _ in range(3):
        reading(listener, "state", since=listener.mark())  # now the bus is idle for a while
        server.hang_up()
        assert command(listener, "pump", "ON")["result"] == "ok"
        server.hang_up()
    reading(listener, "state", since=listener.mark())
    assert not listener.find(f"{DEVICE}/telemetry/state", lambda m: m.json.get("bad"), since=begin)
    assert not listener.find(f"{DEVICE}/status", lambda m: m.json["state"] != "online", since=begin)
    assert server.connections == 7


def test_it_leaves_while_a_unit_is_silent(listener, start, raw):
    server = raw(lambda unit, pdu: registers(pdu[0], [7]) if unit == 1 else None)
    agent = start("modbus-agent", two_units(server.url))
    online(listener)
    mark = listener.mark()
    assert agent.stop(5) == 0, agent.log()
    assert status(listener, "offline", since=mark)["reason"] == "agent_stopped"


def test_a_new_configuration_takes_the_place_of_the_old(listener, start, raw):
    server = raw(lambda _unit, pdu: registers(pdu[0], [7]))
    points = [{"name": "n", "table": "input", "address": 0}]
    agent = start("modbus-agent", agent_config(server.url, [group("before", points)]))
    online(listener)
    good = json.loads(agent.config_path.read_text())
    agent.write({**good, "buses": []})
    agent.signal(signal.SIGHUP)
    mark = listener.mark()
    reading(listener, "before", since=mark)  # a bad file changes nothing
    good["buses"][0]["devices"][0]["groups"] = [group("after", points)]
    agent.write(good)
    agent.signal(signal.SIGHUP)
    reading(listener, "after")
    mark = listener.mark()
    reading(listener, "after", since=mark)
    assert not listener.find(f"{DEVICE}/telemetry/before", since=mark)


def test_it_starts_without_the_server(listener, start):
    port = stand.free_port()
    points = [{"name": "n", "table": "input", "address": 0}]
    start("modbus-agent", agent_config(f"tcp://127.0.0.1:{port}", [group("fine", points)]))
    assert "refused" in status(listener, "offline")["reason"]


def test_a_late_answer_is_never_taken_for_the_next(listener, start, raw):
    """Each answer says which address was asked; some come after the time-out, before or after the next
    question was sent."""
    lateness = itertools.cycle([0, 0.25, 0, 0.3, 0.45, 0, 0, 0.21])

    def answer(_unit, pdu):
        address, count = struct.unpack(">HH", pdu[1:5])
        return registers(pdu[0], [address + i for i in range(count)]), next(lateness)

    server = raw(answer)
    groups = [
        group(f"g{i}", [{"name": "n", "table": "input", "address": 100 * i}], "50ms") for i in range(4)
    ]
    start("modbus-agent", agent_config(server.url, groups, breaker={"failures": 1000}))
    counters = health(listener, lambda c: c.get("late_replies", 0) >= 10)
    good = 0
    for i in range(4):
        for message in listener.find(f"{DEVICE}/telemetry/g{i}"):
            assert message.json["values"] in ({}, {"n": 100 * i}), message.json
            good += message.json["values"] != {}
    print(f"{good} good readings, {counters['late_replies']} late replies, {counters['timeouts']} time-outs")
    assert good > 20
    assert server.connections == 1


def test_answers_that_are_none(listener, start, raw):
    """Cut short, of another function, with a wrong length: named, counted, and got over."""
    faults = itertools.chain(
        [bytes([4, 2, 0]), bytes([3, 2, 0, 9]), bytes([4, 4, 0, 9, 0, 9]), bytes([0x84, 0]), b"\x04"] * 2,
        itertools.repeat(registers(4, [9])),
    )
    server = raw(lambda _unit, _pdu: next(faults))
    points = [{"name": "n", "table": "input", "address": 0}]
    start(
        "modbus-agent",
        agent_config(server.url, [group("fine", points, "50ms")], breaker={"failures": 1000}),
    )
    reading(listener, "fine", lambda r: r.get("bad") == {"n": "timeout"})
    mark = listener.mark()
    reading(listener, "fine", lambda r: r["values"] == {"n": 9}, since=mark, timeout_s=20)
    online(listener)


def test_periods_of_ten_milliseconds(listener, start, raw):
    """On the grid however busy the machine: a period that is late is not made up for, and counted."""
    server = raw(lambda _unit, pdu: registers(pdu[0], [1]))
    points = [{"name": "n", "table": "input", "address": 0}]
    start("modbus-agent", agent_config(server.url, [group("fast", points, "10ms")]))
    first = listener.wait("iot/_service/+/health", lambda m: m.json["counters"]["requests"] > 0, timeout_s=25).json
    last = listener.wait("iot/_service/+/health", lambda m: m.json["ts"] >= first["ts"] + 3000, timeout_s=25).json
    seconds = (last["ts"] - first["ts"]) / 1000
    asked, missed = (last["counters"][name] - first["counters"][name] for name in ("requests", "missed_periods"))
    print(f"in {seconds} s {asked} asked, {missed} missed")
    assert 0.97 <= (asked + missed) / (100 * seconds) <= 1.03  # a period that drifts by a millisecond makes 0.91
    assert asked > missed


# Serial lines -------------------------------------------------------------------------------------


@pytest.fixture
def rtu(tmp_path, run_program):
    def serve(*arguments):
        link = tmp_path / "line"
        program = run_program("tests/sim/sim-plc", "--rtu-pty", link, *arguments)
        stand.wait_until(link.exists, what="the simulator's pty")
        return f"rtu://{link}?baud=19200&parity=none&stop=1", program

    return serve


COILS = [
    {"name": "conveyor", "table": "coil", "address": 2},
    {"name": "warning_light", "table": "coil", "address": 3},
]


def test_rtu(listener, start, rtu):
    url, program = rtu()
    start("modbus-agent", agent_config(url, [group("state", COILS)], COILS))
    online(listener)
    assert command(listener, "warning_light", "ON")["result"] == "ok"
    reading(listener, "state", lambda r: r["values"]["warning_light"] is True)
    mark = listener.mark()
    program.kill()
    assert status(listener, "offline", since=mark)["reason"].startswith("link_down: ")


@pytest.fixture
def gateway(run_program):
    def serve(*arguments):
        port = stand.free_port()
        program = run_program("tests/sim/sim-plc", "--rtu-listen", f"127.0.0.1:{port}", *arguments)
        stand.wait_until(lambda: stand.accepts(port), what="the simulator's port")
        return f"rtu+tcp://127.0.0.1:{port}", program

    return serve


def test_rtu_over_tcp(listener, start, gateway):
    url, program = gateway()
    start("modbus-agent", agent_config(url, [group("state", COILS)], COILS))
    online(listener)
    assert command(listener, "warning_light", "ON")["result"] == "ok"
    reading(listener, "state", lambda r: r["values"]["warning_light"] is True)
    mark = listener.mark()
    program.kill()
    assert status(listener, "offline", since=mark)["reason"].startswith("link_down: ")


def test_rtu_over_tcp_late_answers(listener, start, gateway):
    """There is no transaction number and libmodbus cannot flush a socket: we throw away what comes late."""
    url, _ = gateway("--fault", "late=1:750")
    groups = [group(f"g{i}", [{"name": "n", "table": "input", "address": i}], "50ms") for i in (0, 4, 5)]
    start("modbus-agent", agent_config(url, groups, timeout="500ms", breaker={"failures": 1000}))
    health(listener, lambda c: c.get("late_replies", 0) >= 5)
    rounds = listener.find(f"{DEVICE}/telemetry/+")
    assert len(rounds) >= 5
    assert all(m.json["values"] == {} for m in rounds), rounds[-1].json


def test_a_line_that_cannot_be_switched_says_so(listener, start, rtu):
    url, _ = rtu()
    start("modbus-agent", agent_config(url + "&rs485=on", [group("state", COILS)]))
    assert "cannot be switched as rs485 asks" in status(listener, "offline")["reason"]


def test_rtu_late_answers(listener, start, rtu):
    """On a line there is no transaction number: a silent unit is left alone until its time is over."""
    url, _ = rtu("--units", "1,2", "--fault", "late=2:750")
    config = agent_config(url, [group("state", COILS, "50ms")], timeout="500ms")
    config["buses"][0]["devices"].append(
        {
            "unit": 2,
            "location": "facility_a",
            "device": "slow_002",
            "breaker": {"failures": 1000},
            "groups": [
                group("a", [{"name": "n", "table": "input", "address": 0, "type": "uint32"}], "70ms"),
                group("b", COILS, "90ms"),
            ],
        }
    )
    start("modbus-agent", config)
    counters = health(listener, lambda c: c.get("late_replies", 0) >= 3)
    for message in listener.find("iot/facility_a/slow_002/telemetry/+"):
        assert message.json["values"] == {}, message.json
    good = [m for m in listener.find(f"{DEVICE}/telemetry/state") if m.json["values"]]
    assert len(good) > 20, counters


def test_rtu_late_answers_of_the_only_unit(listener, start, rtu):
    """All its answers have one form, so that only what was thrown away in time is not mistaken."""
    url, _ = rtu("--fault", "late=1:750")
    groups = [group(f"g{i}", [{"name": "n", "table": "input", "address": i}], "50ms") for i in (0, 4, 5)]
    start("modbus-agent", agent_config(url, groups, timeout="500ms", breaker={"failures": 1000}))
    health(listener, lambda c: c.get("late_replies", 0) >= 5)
    rounds = listener.find(f"{DEVICE}/telemetry/+")
    assert len(rounds) >= 5
    assert all(m.json["values"] == {} for m in rounds), rounds[-1].json


# Tools --------------------------------------------------------------------------------------------


def run_tool(tmp_path, config, *words):
    path = tmp_path / "tool.json"
    path.write_text(json.dumps(config))
    return subprocess.run(
        [stand.BUILD / "modbus-agent", "--config", path, *words], capture_output=True, text=True, timeout=20
    )


def test_once(tmp_path, pymodbus):
    server = pymodbus({1: {"input": {4: [0xFC18], 5: [63]}, "coil": {1: [True]}}})
    points = [
        {"name": "temperature", "table": "input", "address": 4, "type": "int16", "divide": 100, "unit": "°C"},
        {"name": "pressure", "table": "input", "address": 5, "divide": 10, "unit": "bar"},
        {"name": "pump", "table": "coil", "address": 1},
        {"name": "hole", "table": "input", "address": 77},
    ]
    ran = run_tool(tmp_path, agent_config(server.url, [group("process", points)]), "--once")
    rows = [line.split("\t")[2:] for line in ran.stdout.splitlines()]
    assert rows == [
        ["name", "table", "address", "raw", "value", "unit"],
        ["temperature", "input", "4", "fc18", "-10", "°C"],
        ["pressure", "input", "5", "003f", "6.3", "bar"],
        ["pump", "coil", "1", "1", "true", ""],
        ["hole", "input", "77", "-", "exception_2", ""],
    ]
    assert ran.returncode == 69


def test_plan(tmp_path):
    points = [{"name": f"p{i}", "table": "holding", "address": i} for i in range(130)]
    url = "rtu:///dev/null?baud=9600"
    ran = run_tool(tmp_path, agent_config(url, [group("many", points, "1s")]), "--plan")
    assert "holding 0 to 124 (125)" in ran.stdout
    assert "holding 125 to 129 (5)" in ran.stdout
    assert ran.returncode == 0
    ran = run_tool(tmp_path, agent_config(url, [group("many", points, "100ms")]), "--plan")
    assert "CANNOT be met" in ran.stdout
    assert ran.returncode == 78
    fed = agent_config(url, [group("one", points[:1], "1s")])
    fed["buses"][0]["devices"][0]["watchdog"] = {"address": 7, "period": "2s"}
    ran = run_tool(tmp_path, fed, "--plan")
    assert "watchdog every 2000 ms: holding 7, about" in ran.stdout
    assert ran.returncode == 0


def test_health_says_how_each_group_keeps_its_period(listener, start, raw):
    """A bus that can do with its time, and one whose device takes longer than the period."""
    points = [{"name": "n", "table": "input", "address": 0}]
    quick = raw(lambda _unit, pdu: registers(pdu[0], [7]))
    tardy = raw(lambda _unit, pdu: (registers(pdu[0], [7]), 0.05))
    config = agent_config(quick.url, [group("easy", points, "1s")])
    config["buses"] += agent_config(tardy.url, [group("hard", points, "20ms")], device="slow")["buses"]
    start("modbus-agent", config)

    def says(message):
        hard = message.json["groups"]["facility_a/slow/hard"]
        easy = message.json["groups"]["facility_a/line_001/easy"]
        return hard["missed"] > 10 and hard["slack_ms"] < 0 and easy["missed"] == 0 and easy["slack_ms"] > 0

    listener.wait("iot/_service/+/health", says, timeout_s=25)


def test_bad_configuration_is_named_by_path(tmp_path):
    points = [
        {"name": "n", "table": "input", "address": 65535, "type": "uint32"},
        {"name": "n", "table": "coil", "address": 3, "type": "uint16"},
        {"name": "o", "table": "holding", "address": 0, "type": "int16", "order": "CDAB"},
        {"name": "p", "table": "register", "address": 0},
        {"name": "q", "table": "holding", "address": 70000},
    ]
    config = agent_config("tcp://127.0.0.1:99999", [group("m", points), group("m", points[:1])])
    config["buses"].append(agent_config("http://x")["buses"][0])
    ran = run_tool(tmp_path, config, "--check")
    said = ran.stdout + ran.stderr
    assert ran.returncode == 78
    for part in (
        "buses[0].url",
        "buses[0].devices[0].groups[0].points[0].address",
        "buses[0].devices[0].groups[0].points[1].type",
        'buses[0].devices[0].groups[0].points[1]: "n"',
        "buses[0].devices[0].groups[0].points[2].order",
        "buses[0].devices[0].groups[0].points[3].table",
        "buses[0].devices[0].groups[0].points[4].address",
        'buses[0].devices[0].groups[1]: "m"',
        "buses[1].url",
        "buses[1].devices[0].device",
    ):
        assert part in said, said
