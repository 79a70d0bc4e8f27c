"""Decoding against a reference written apart from it: every type in every order, random bytes.

    SEED=… repeats a run; each test prints its own.
"""

import json
import math
import os
import random
import struct
import subprocess
import time

import pytest

import stand
from modbus_wire import Pymodbus

WORDS = {"bool": 1, "bit": 1, "string": 3, "int8": 1, "uint8": 1, "bits": 1, "int16": 1, "uint16": 1, "bcd16": 1, "float16": 1, "int32": 2,
         "uint32": 2, "bcd32": 2, "float32": 2, "int64": 4, "uint64": 4, "float64": 4}  # fmt: skip
STRUCT = {"int16": "h", "uint16": "H", "int32": "i", "uint32": "I", "int64": "q", "uint64": "Q",
          "float16": "e", "float32": "f", "float64": "d"}  # fmt: skip
ORDERS = {1: ["AB", "BA", "ABCD", "BADC"], 2: ["ABCD", "CDAB", "BADC", "DCBA"],
          3: ["AB", "BA", "ABCD", "BADC"],  # of a string, whatever its length
          4: ["ABCDEFGH", "GHEFCDAB", "BADCFEHG", "HGFEDCBA", "ABCD", "CDAB", "BADC", "DCBA"]}  # fmt: skip
POINTS = 120


@pytest.fixture
def generator():
    seed = int(os.environ.get("SEED", time.time()))
    print(f"SEED={seed}")
    return random.Random(seed)


def big_endian(words, order):
    """The value's bytes from the most significant one: where letter i of the order stands, byte i goes."""
    wire = b"".join(word.to_bytes(2, "big") for word in words)
    whole = {"ABCD": "ABCDEFGH", "CDAB": "GHEFCDAB", "BADC": "BADCFEHG", "DCBA": "HGFEDCBA"}
    if len(wire) == 8:
        order = whole.get(order, order)
    elif len(wire) == 2:
        order = {"ABCD": "AB", "BADC": "BA"}.get(order, order)
    return bytes(wire[order.index(letter)] for letter in sorted(order))


def reference_text(point, words):
    """Up to the first NUL, without blanks at the end; what is no printable ASCII is '?'."""
    swapped = point.get("order") in ("BA", "BADC")
    data = b"".join(word.to_bytes(2, "little" if swapped else "big") for word in words)
    text = data.split(b"\0")[0].rstrip(b" ")
    return '"' + "".join(chr(byte) if 0x20 <= byte <= 0x7E else "?" for byte in text) + '"'


def reference(point, words):
    kind = point["type"]
    if kind == "string":
        return reference_text(point, words)
    if kind == "bool":
        return "true" if words[0] else "false"
    data = big_endian(words, point.get("order", "ABCDEFGH"[: 2 * len(words)]))
    if kind in STRUCT:
        value = float(struct.unpack(">" + STRUCT[kind], data)[0])
    elif kind.endswith("int8"):
        byte = data[:1] if point["byte"] == "high" else data[1:]
        value = struct.unpack("b" if kind == "int8" else "B", byte)[0]
    elif kind == "bit":
        return "true" if int.from_bytes(data, "big") >> point["bit"] & 1 else "false"
    elif kind == "bits":
        text = f"{data[0]:08b}{data[1]:08b}"[::-1]
        value = int(text[point["bit"] : point["bit"] + point["width"]][::-1], 2)
    else:
        value = int(data.hex()) if data.hex().isdigit() else math.nan
    if not math.isfinite(value):
        return "not_a_number"
    value = value / point["divide"] if "divide" in point else value * point.get("scale", 1)
    value += point.get("offset", 0)
    return value if math.isfinite(value) else "not_a_number"


def random_words(rng, kind):
    if kind == "string":
        text = bytes(rng.choice(b"Ab7- \x00\xff\n\"") if rng.random() < 0.3 else rng.randrange(0x20, 0x7F)
                     for _ in range(2 * rng.randint(1, 12)))  # fmt: skip
        return list(struct.unpack(f">{len(text) // 2}H", text))
    if kind == "bool":
        return [rng.choice([0, 1, 0x100, 0xFFFF])]
    n = WORDS[kind]
    if kind.startswith("bcd") and rng.random() < 0.9:
        return [int("".join(rng.choice("0123456789") for _ in range(4)), 16) for _ in range(n)]
    edges = [0, 1, 0x7FFF, 0x8000, 0xFFFF, 0x7C00, 0xFF80, 0x7F80, 0x7FC0, 0x03FF]
    return [rng.choice(edges) if rng.random() < 0.2 else rng.getrandbits(16) for _ in range(n)]


def random_point(rng, kind, order, address, name):
    point = {"name": name, "table": rng.choice(["input", "holding"]), "address": address, "type": kind}
    if kind == "bool":
        return point
    if kind.endswith("int8"):
        point["byte"] = rng.choice(["low", "high"])
    elif order:
        point["order"] = order
    if kind == "bit":
        point["bit"] = rng.randrange(16)
    if kind in ("bit", "string"):
        return point
    if kind == "bits":
        point["bit"] = rng.randrange(16)
        point["width"] = rng.randint(1, 16 - point["bit"])
    if rng.random() < 0.3:
        point["divide"] = rng.choice([10, 100, 1000, 3])
    elif rng.random() < 0.3:
        point["scale"] = rng.choice([0.1, 2, -0.5])
    if rng.random() < 0.2:
        point["offset"] = rng.choice([-40, 0.5])
    return point


def test_decoding_equals_the_reference(tmp_path, generator):
    points, tables, expected = [], {"input": {}, "holding": {}}, {}
    kinds = [(kind, order) for kind, n in WORDS.items() for order in ORDERS[n]]
    address = 0
    for i in range(10 * POINTS):
        kind, order = kinds[i % len(kinds)]
        point = random_point(generator, kind, order, address, f"p{i}")
        words = random_words(generator, kind)
        if kind == "string":
            point["length"] = len(words)
        tables[point["table"]][address] = words
        expected[point["name"]] = reference(point, words)
        points.append(point)
        address += len(words) + generator.choice([0, 0, 0, 1, 7])
    server = Pymodbus({1: tables}, tmp_path).start()
    groups = [
        {"measurement": f"m{i}", "points": points[i : i + POINTS]} for i in range(0, len(points), POINTS)
    ]
    device = {"location": "l", "device": "d", "max_gap": 0, "groups": groups}
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"buses": [{"url": server.url, "timeout": "5s", "devices": [device]}]}))
    try:
        ran = subprocess.run(
            [stand.BUILD / "modbus-agent", "--config", config, "--once"], capture_output=True, text=True
        )
    finally:
        server.kill()
    rows = [line.split("\t") for line in ran.stdout.splitlines()[1:]]
    got = {row[2]: row[6] for row in rows}
    assert len(got) == len(points), ran.stderr
    for point in points:
        want, have = expected[point["name"]], got[point["name"]]
        assert have == want if isinstance(want, str) else float(have) == want, (point, want, have)
