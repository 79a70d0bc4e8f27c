"""Every device template: valid, planned within the device's limits, and read as its document says.

Examples come from the documents that the templates name where there are any ("document"), else they are encoded
here by hand from the document's table ("table").
"""

import json
import struct
import subprocess

import pytest

import stand
from modbus_wire import RawServer

TEMPLATES = stand.ROOT / "deploy" / "config" / "devices"


def words(text):
    return [int(word, 16) for word in text.split()]


def float32(value):
    return list(struct.unpack(">2H", struct.pack(">f", value)))


# template: [(source, table, first address, registers, {point: value})]
EXAMPLES = {
    "abb_acs355": [
        ("table", "holding", 3, words("0083 0BB8 FF38"),
         {"ready_on": True, "ready_run": True, "ready_reference": False, "tripped": False, "alarm": True,
          "actual_1": 3000, "actual_2": -200}),
    ],
    "carlo_gavazzi_em340": [
        ("table", "input", 0, words("08FC 0000"), {"voltage_l1": 230.0}),
        ("table", "input", 0x28, words("FC18 FFFF"), {"power": -100.0}),
        ("table", "input", 0x34, words("86A0 0001"), {"energy_import": 10000.0}),
    ],
    "comet_t0310": [
        ("table", "holding", 0x30, words("FF9C"), {"temperature": -10.0}),
        ("table", "holding", 0x1034, words("0491 0123"), {"serial_number": 4910123}),
    ],
    "delta_vfd_el": [("document", "holding", 0x2102, words("1770 0000"), {"frequency_command": 60.0, "frequency": 0})],
    "eastron_sdm120": [("document", "input", 0, words("4366 3334"), {"voltage": 230.2})],
    "eastron_sdm630": [("document", "input", 0, words("4366 3334"), {"voltage_l1": 230.2})],
    "epever_tracer": [
        ("document", "input", 0x3102, words("93E0 0004"), {"pv_power": 3000.0}),
        ("table", "input", 0x3110, words("F830 0898"), {"battery_temperature": -20.0, "inside_temperature": 22.0}),
    ],
    "kbr_multicomp_f144": [
        ("document", "input", 1, words("436B 5AB4 42DC 6720 4248 0C63"),
         {"voltage": 235.35, "current": 110.20, "frequency": 50.012}),
    ],
    "morningstar_sunsaver_mppt": [
        ("document", "holding", 0x0008, words("0F96"), {"battery_voltage": 12.18}),
        ("document", "holding", 0x0025, words("13D8 0022"), {"hour_meter": 2233304}),
    ],
    "peacefair_pzem_004t": [
        ("table", "input", 0, words("08FC 86A0 0001 5AF3 0003 93E0 0004 01F4 0063 FFFF"),
         {"voltage": 230.0, "current": 100.0, "power": 21989.1, "energy": 300000, "frequency": 50.0,
          "power_factor": 0.99, "alarm": True}),
    ],
    "simex_trs_02a": [
        ("document", "holding", 1, words("00C1 0000"), {"temperature": 19.3, "status": "good"}),
        ("document", "holding", 1, words("00C5 00A0"), {"temperature": 19.7, "status": "line broken"}),
    ],
    "sunspec_inverter_float": [
        ("table", "holding", 40069, [113], {"model": 113}),
        ("table", "holding", 40091, float32(3500) + float32(50), {"power": 3500, "frequency": 50}),
        ("table", "holding", 40109, float32(41.5), {"cabinet_temperature": 41.5}),
        ("table", "holding", 40117, [4], {"state": "mppt"}),
    ],
    "waveshare_relay_8": [
        ("table", "coil", 0, [1, 0, 0, 1, 0, 0, 0, 1], {"relay_1": True, "relay_2": False, "relay_4": True, "relay_8": True}),
    ],
    "xy_md02": [
        ("document", "input", 1, words("0131 0222"), {"temperature": 30.5, "humidity": 54.6}),
        ("document", "input", 1, words("FF33"), {"temperature": -20.5}),
    ],
}  # fmt: skip
FUNCTIONS = {"coil": 1, "discrete": 2, "holding": 3, "input": 4}


class Device(RawServer):
    """Has the cells of one example, and zeros everywhere else; keeps the longest request of registers."""

    def __init__(self, table, first, cells):
        self.longest = 0
        held = {first + i: cell for i, cell in enumerate(cells)}

        def answer(_unit, pdu):
            address, count = struct.unpack(">HH", pdu[1:5])
            values = [held.get(a, 0) if pdu[0] == FUNCTIONS[table] else 0 for a in range(address, address + count)]
            if pdu[0] <= 2:
                bits = sum(v << i for i, v in enumerate(values))
                return bytes([pdu[0], (count + 7) // 8]) + bits.to_bytes((count + 7) // 8, "little")
            self.longest = max(self.longest, count)
            return struct.pack(f">BB{count}H", pdu[0], 2 * count, *values)

        super().__init__(answer)


def agent(tmp_path, template, url, *words):
    device = {"unit": 1, "location": "plant", "device": "d", "template": template}
    config = {"templates": str(TEMPLATES), "buses": [{"url": url, "timeout": "5s", "devices": [device]}]}
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config))
    return subprocess.run(
        [stand.BUILD / "modbus-agent", "--config", path, *words], capture_output=True, text=True, timeout=60
    )


def test_each_template_has_examples():
    assert sorted(EXAMPLES) == sorted(path.stem for path in TEMPLATES.glob("*.json"))
    assert len(EXAMPLES) >= 14


@pytest.mark.parametrize("template", EXAMPLES)
def test_valid_planned_and_sourced(tmp_path, template):
    checked = agent(tmp_path, template, "rtu:///dev/null?baud=9600", "--check")
    assert checked.returncode == 0, checked.stderr
    planned = agent(tmp_path, template, "rtu:///dev/null?baud=9600", "--plan")
    assert planned.returncode == 0, planned.stdout  # its periods can be met at the usual speed
    head = (TEMPLATES / f"{template}.json").read_text().split("{")[0]
    assert "Source: " in head and "Verified: " in head and "ot tried on" in head


@pytest.mark.parametrize(
    "template, example", [(template, example) for template, all_of in EXAMPLES.items() for example in all_of]
)
def test_decoding(tmp_path, template, example):
    _, table, first, cells, expected = example
    server = Device(table, first, cells)
    try:
        ran = agent(tmp_path, template, server.url, "--once")
    finally:
        server.close()
    rows = [line.split("\t") for line in ran.stdout.splitlines()[1:]]
    got = {row[2]: json.loads(row[6]) for row in rows if row[2] in expected}
    for point, want in expected.items():
        assert got[point] == (pytest.approx(want, rel=1e-5, abs=5e-3) if isinstance(want, float) else want), point
    text = "".join(
        line for line in (TEMPLATES / f"{template}.json").read_text().splitlines() if not line.startswith("//")
    )
    assert server.longest <= json.loads(text).get("max_registers", 125)
