"""modbus-agent --probe: what it finds on buses that nobody described, and that it only ever reads.

    SEED=… repeats a run of the random devices; the test prints its own. DEVICES=2000 makes more of them, of which
    95 % are found; UNIFORM=1 makes every type as common as the next; TOLERANCE=0.02 doubles that of what is expected.
"""

import json
import os
import random
import struct
import subprocess
import time

import pytest

import stand
from modbus_wire import RawServer

READS = {1, 2, 3, 4}
TABLES = {1: "coil", 2: "discrete", 3: "holding", 4: "input"}
DEVICES = int(os.environ.get("DEVICES", "200"))


def probe(url, *words, timeout_s=120):
    return subprocess.run(
        [stand.BUILD / "modbus-agent", "--probe", url, *words], capture_output=True, text=True, timeout=timeout_s
    )


class Units(RawServer):
    """Units with the cells that are given: {unit: {table: {address: value}}}; the others are silent.

    Of every request the function is kept: nothing but reads may ever come.
    """

    def __init__(self, units):
        self.units = units
        super().__init__(self.reply)

    def reply(self, unit, pdu):
        if unit not in self.units:
            return None
        cells = self.units[unit].get(TABLES.get(pdu[0]))
        if cells is None:
            return bytes([pdu[0] | 0x80, 1])
        address, count = struct.unpack(">HH", pdu[1:5])
        if not all(a in cells for a in range(address, address + count)):
            return bytes([pdu[0] | 0x80, 2])
        values = [cells[a] for a in range(address, address + count)]
        if pdu[0] > 2:
            return struct.pack(f">BB{count}H", pdu[0], 2 * count, *values)
        bits = sum(bool(v) << i for i, v in enumerate(values))
        return bytes([pdu[0], (count + 7) // 8]) + bits.to_bytes((count + 7) // 8, "little")


@pytest.fixture
def serve():
    running = []

    def start(units):
        running.append(Units(units))
        return running[-1]

    yield start
    for server in running:
        server.close()
        functions = {pdu[0] for _, _, pdu in server.requests}
        assert functions <= READS, f"the probe wrote: functions {functions - READS}"


def cells(address, *words):
    return {address + i: word for i, word in enumerate(words)}


def float32(value, order="ABCD"):
    data = struct.pack(">f", value)
    words = [data[:2], data[2:]]
    if order in ("CDAB", "DCBA"):
        words.reverse()
    if order in ("BADC", "DCBA"):
        words = [w[::-1] for w in words]
    return [int.from_bytes(w, "big") for w in words]


def entry(ran):
    """The configuration that was printed, without the comments before it."""
    return json.loads("\n".join(line for line in ran.stdout.splitlines() if not line.startswith("//")))


def only_point(ran):
    return entry(ran)["buses"][0]["devices"][0]["groups"][0]["points"][0]


def check(tmp_path, ran):
    """What was printed is a configuration as it stands, comments and all."""
    path = tmp_path / "found.json"
    path.write_text(ran.stdout)
    checked = subprocess.run(
        [stand.BUILD / "modbus-agent", "--config", path, "--check"], capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stderr
    return subprocess.run(
        [stand.BUILD / "modbus-agent", "--config", path, "--once"], capture_output=True, text=True
    )


def test_an_expected_value_is_found_and_its_entry_is_read_at_once(tmp_path, serve):
    meter = {"input": cells(0, *float32(228.7, "CDAB"), *float32(3.31, "CDAB"), *float32(701.25, "CDAB"))}
    server = serve({17: meter})
    for text in ("229.0±5", "229.0+-5", "229±2%", "229"):
        ran = probe(server.url, "--units", "17", "--expect", text)
        assert ran.returncode == 0, ran.stderr
        assert only_point(ran) == {
            "name": "value_1", "table": "input", "address": 0, "type": "float32", "order": "CDAB",
        }  # fmt: skip
    assert "float32 CDAB = 228.7 (" in ran.stdout
    once = check(tmp_path, ran)
    assert once.returncode == 0 and "228.69" in once.stdout


def test_several_expected_values(tmp_path, serve):
    drive = {"holding": cells(0, 2301, 4998, 12, 0, 65486, 1), "coil": cells(0, 1, 0, 1)}
    server = serve({1: drive})
    ran = probe(server.url, "--units", "1-3", "--timeout", "100ms", "--expect", "230.1±1, 49.98±0.1,-5+-0.1")
    assert ran.returncode == 0, ran.stdout
    points = entry(ran)["buses"][0]["devices"][0]["groups"][0]["points"]
    assert [(p["address"], p["type"], p["divide"]) for p in points[:2]] == [(0, "uint16", 10), (1, "uint16", 100)]
    assert (points[2]["address"], points[2]["type"], points[2]["divide"]) == (4, "int16", 10)
    assert "101" in ran.stdout
    check(tmp_path, ran)


def test_units_are_looked_for_and_each_gets_its_entry(tmp_path, serve):
    server = serve({n: {"input": cells(0, *float32(100.5 + n), *float32(50.01))} for n in (2, 5)})
    ran = probe(server.url, "--units", "1-6", "--timeout", "100ms")
    assert ran.returncode == 0
    devices = entry(ran)["buses"][0]["devices"]
    assert [d["unit"] for d in devices] == [2, 5]
    assert [p["type"] for d in devices for p in d["groups"][0]["points"]] == ["float32"] * 4
    once = check(tmp_path, ran)
    assert "105.5" in once.stdout and once.returncode == 0
    assert {unit for _, unit, _ in server.requests} == {1, 2, 3, 4, 5, 6}


def test_every_interpretation_is_shown(serve):
    server = serve({1: {"holding": cells(0, *float32(21.5), 0x0102, 0x0304)}})
    said = probe(server.url, "--units", "1", "--addresses", "0-3", "--all").stdout
    for order in ("ABCD", "CDAB", "BADC", "DCBA"):
        for kind in ("uint32", "int32", "float32", "bcd32", "uint64", "int64", "float64"):
            assert f"{kind} {order} = " in said
    for kind in ("uint16", "int16", "bcd16", "float16"):
        for order in ("AB", "BA"):
            assert f"{kind} {order} = " in said
    for part in ("uint8 high byte = 1", "uint8 low byte = 2", "int8 high byte", "int8 low byte"):
        assert part in said
    assert "uint32 ABCD = 16909060" in said and "uint32 DCBA = 67305985" in said


def test_a_server_that_does_not_care_for_units_is_looked_at_once(serve):
    server = serve({n: {"input": cells(0, 231)} for n in range(256)})
    ran = probe(server.url)
    assert "whatever the unit" in ran.stdout
    assert len(server.requests) < 500
    assert 0 not in {unit for _, unit, _ in server.requests}  # behind a gateway it would be all units at once


def test_what_is_refused_is_read_around(serve):
    units = {1: {"input": {**cells(3, 2301), **cells(40, 4999), **cells(97, 2299, 501)}}}
    server = serve(units)
    ran = probe(server.url, "--units", "1", "--expect", "50.1±0.1")
    assert only_point(ran)["address"] == 98
    for block in ("input 3 to 3", "input 40 to 40", "input 97 to 98"):
        assert block in ran.stdout


def test_nothing_there(serve):
    server = serve({})
    ran = probe(server.url, "--units", "1-2", "--timeout", "50ms")
    assert ran.returncode == 69 and "No unit answers" in ran.stdout
    server = serve({1: {"input": cells(0, 7)}})
    ran = probe(server.url, "--units", "1", "--expect", "229±5")
    assert ran.returncode == 69 and "is nowhere" in ran.stdout
    ran = probe(f"tcp://127.0.0.1:{stand.free_port()}")
    assert ran.returncode == 69 and "refused" in ran.stderr


def test_the_time_limit_ends_it(serve):
    server = serve({1: {"input": cells(0, 7)}})
    began = time.monotonic()
    ran = probe(server.url, "--limit", "1s", "--timeout", "100ms")
    assert time.monotonic() - began < 15
    assert "CUT SHORT" in ran.stdout


@pytest.mark.parametrize(
    "words",
    [("http://x",), ("tcp://x", "--units", "0-256"), ("tcp://x", "--units", "5-"), ("tcp://x", "--addresses", "9-1"),
     ("tcp://x", "--addresses", "0-65535"), ("tcp://x", "--expect", "warm"), ("tcp://x", "--expect", "5±"),
     ("tcp://x", "--timeout", "5"), ("rtu:///dev/null", "--units", "0")],
)  # fmt: skip
def test_bad_words_are_named(words):
    ran = probe(*words)
    assert ran.returncode == 64
    assert words[-1] in ran.stderr and "meant" in ran.stderr


def test_a_serial_line(run_program, tmp_path):
    link = tmp_path / "line"
    run_program("tests/sim/sim-plc", "--rtu-pty", link, "--units", "3", "--log-writes")
    stand.wait_until(link.exists, what="the simulator's pty")
    ran = probe(f"rtu://{link}?baud=19200&parity=none", "--units", "1-4", "--timeout", "150ms")
    assert ran.returncode == 0, ran.stderr
    assert "unit 3, input 0 to 11" in ran.stdout
    log = next(tmp_path.glob("sim-plc*.log")).read_text()
    assert "write time" not in log


# Random devices -----------------------------------------------------------------------------------

WORDS = {"int16": 1, "uint16": 1, "bcd16": 1, "float16": 1, "int32": 2, "uint32": 2, "bcd32": 2, "float32": 2,
         "int64": 4, "uint64": 4, "float64": 4}  # fmt: skip
CODES = {"int16": "h", "uint16": "H", "int32": "i", "uint32": "I", "int64": "q", "uint64": "Q",
         "float16": "e", "float32": "f", "float64": "d"}  # fmt: skip
# What other values a device has: as register maps have them.
USUAL = ["uint16"] * 30 + ["int16"] * 20 + ["float32"] * 25 + ["uint32"] * 12 + ["int32"] * 6 + ["float64"] * 2 + [
    "uint64"] * 2 + ["int64"] + ["bcd16"] + ["bcd32"]  # fmt: skip
ORDERS = ["ABCD"] * 11 + ["CDAB"] * 6 + ["BADC"] + ["DCBA"] * 2
QUANTITIES = [(200, 250), (0.1, 90), (-4000, 20000), (49.8, 50.2), (-25, 95), (1, 500000), (300, 1100), (0, 100)]
LIMITS = {"uint16": 65535, "int16": 32767, "bcd16": 9999, "float16": 60000, "bcd32": 99999999,
          "uint32": 2**32 - 1, "int32": 2**31 - 1}  # fmt: skip


def wire(kind, order, raw):
    """The registers that hold a raw value, written apart from the agent's own code."""
    n = WORDS[kind]
    data = bytes.fromhex(f"{raw:0{4 * n}d}") if kind.startswith("bcd") else struct.pack(">" + CODES[kind], raw)
    words = [data[i : i + 2] for i in range(0, 2 * n, 2)]
    if order in ("CDAB", "DCBA"):
        words.reverse()
    if order in ("BADC", "DCBA"):
        words = [w[::-1] for w in words]
    return [int.from_bytes(w, "big") for w in words]


def random_value(rng, kind):
    """(raw, divide) of a quantity that the type can hold; of signed types every other one is below 0."""
    while True:
        value = rng.uniform(*rng.choice(QUANTITIES))
        if kind in ("int16", "int32", "int64") and rng.random() < 0.5:
            value = -abs(value)
        elif not kind.startswith(("int", "float")):
            value = abs(value)
        if kind.startswith("float"):
            if kind != "float16" or abs(value) <= LIMITS[kind]:
                return struct.unpack(">" + CODES[kind], struct.pack(">" + CODES[kind], value))[0], 1
            continue
        divide = rng.choice([1, 10, 10, 100, 100, 1000])
        raw = round(value * divide)
        if abs(raw) <= LIMITS.get(kind, 2**53) and abs(raw) >= 20:
            return raw, divide


def random_device(rng):
    """The cells of a device with up to four types of values, and the one point that will be asked for."""
    order = rng.choice(ORDERS)
    n = rng.randint(6, 24)
    wanted = rng.randrange(n)
    palette = [rng.choice(list(WORDS) if os.environ.get("UNIFORM") else USUAL) for _ in range(rng.randint(1, 4))]
    kind = rng.choice(palette)
    raw, divide = random_value(rng, kind)
    value = raw / divide
    held, address, point = {}, rng.choice([0, 0, 0, 4, 30]), None
    for i in range(n):
        other = rng.choice(palette)
        other_raw, other_divide = random_value(rng, other)
        while abs(other_raw / other_divide - value) < 0.06 * abs(value):  # the same would be no question
            other_raw, other_divide = random_value(rng, other)
        if i == wanted:
            point = {"address": address, "type": kind, "order": order, "divide": divide, "value": value}
            words = wire(kind, order, raw)
        else:
            words = wire(other, order, other_raw)
        held.update(cells(address, *words))
        address += len(words)
        if rng.random() < 0.15:
            gap = rng.randint(1, 4)
            if rng.random() < 0.5:
                held.update(cells(address, *[0] * gap))
            address += gap
    return {rng.choice(["input", "holding"]): held}, point


def same(found, point):
    """One value does not tell whether its type has a sign, unless it is below 0."""
    kind, have = point["type"], found["type"]
    if point["value"] >= 0:
        kind, have = kind.removeprefix("u"), have.removeprefix("u")
    order = point["order"] if WORDS[point["type"]] > 1 else {"ABCD": "AB", "CDAB": "AB"}.get(point["order"], "BA")
    return (have, found["address"], found.get("order"), found.get("divide", 1)) == (
        kind, point["address"], order, point["divide"])  # fmt: skip


def test_types_of_random_devices(serve):
    seed = int(os.environ.get("SEED", time.time()))
    rng = random.Random(seed)
    found, tolerance = 0, float(os.environ.get("TOLERANCE", "0.01"))
    devices = [random_device(rng) for _ in range(DEVICES)]
    missed = []
    for first in range(0, DEVICES, 200):
        batch = devices[first : first + 200]
        server = serve({n + 1: device for n, (device, _) in enumerate(batch)})
        for n, (_, point) in enumerate(batch):
            shown = rng.gauss(point["value"], abs(point["value"]) * tolerance / 3)
            ran = probe(server.url, "--units", str(n + 1), "--addresses", "0-120", "--expect",
                        f"{shown:.4g}±{abs(point['value']) * tolerance:.3g}")  # fmt: skip
            if ran.returncode == 0 and same(only_point(ran), point):
                found += 1
            else:
                missed.append((point, only_point(ran) if ran.returncode == 0 else ran.stdout + ran.stderr))
    print(f"SEED={seed}: {found} of {DEVICES} found")
    for point, picked in missed:
        print("  is", point, "taken for", picked)
    chance = 3 * (0.95 * 0.05 * DEVICES) ** 0.5  # three standard deviations of what one run may be off
    assert found >= 0.95 * DEVICES - chance
