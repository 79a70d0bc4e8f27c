"""rules-engine against a second evaluator of the same language, over random expressions and random series.

FIELDLINE_SEED=n repeats one run; a failing run names its seed.
"""

import json
import os
import random
import subprocess

import pytest

import stand
from expressions import Doubt, Field, Generator, World, is_number, text, worth

START_MS = 1763805600000
EVENTS = 500
DERIVED = 10
VALUES = 8  # expressions in each
ALL = "flows.a + tank_2.a + tank_2.flows.a"  # so that every series is read, and each reading asks all


def random_value(r, name):
    if r.random() < 0.03:
        return r.choice([1.5, True, "eco"])  # a device that changes its mind about the type
    return {"on": r.random() < 0.5, "mode": r.choice(["auto", "eco", "off"])}.get(name, r.randrange(-32, 32) / 4)


def random_reading(r, ts, seq):
    reading = {"ts": ts, "seq": seq, "values": {}, "bad": {}}
    for name in ("a", "b", "on", "mode"):
        chance = r.random()
        if chance < 0.8:
            reading["values"][name] = random_value(r, name)
        elif chance < 0.9:
            reading["bad"][name] = "timeout"
    return reading


def random_events(r):
    """(t, topic, payload) of readings of four series, some old, some from the future, and of devices that go offline."""
    t, last = START_MS, {}
    for i in range(EVENTS):
        t += r.choice([0, 1, 20, 300, 900, 1000, 1100, 4000]) if r.random() < 0.97 else r.choice([15_000, 70_000])
        device = r.choice(["tank_1", "tank_1", "tank_2"]) if i else "tank_1"
        if i and r.random() < 0.02:
            yield t, f"iot/plant/{device}/status", {"state": "offline", "since": t}
            continue
        measurement = r.choice(["levels", "levels", "flows"]) if i else "levels"
        ts = t + r.choice([-500, -30, -3, 0, 0, 200])
        if r.random() > 0.03:
            ts = max(ts, last.get((device, measurement), 0))
        last[device, measurement] = max(min(ts, t), last.get((device, measurement), 0))
        yield t, f"iot/plant/{device}/telemetry/{measurement}", random_reading(r, ts, i)


class Model:
    """The world after each event."""

    def __init__(self, stale_after):
        self.world = World(stale_after)
        self.last, self.offline_ms = {}, {}

    def take(self, t, topic, payload):
        """Whether the rules are asked."""
        _, _, device, kind, *rest = topic.split("/")
        self.world.now = t
        if kind == "status":
            self.world.offline.add(device)
            self.offline_ms[device] = payload["since"]
            return False
        ts, key = min(payload["ts"], t), (device, rest[0])
        if ts < self.last.get(key, 0):
            return False
        self.last[key] = ts
        for name, value in payload["values"].items():
            field = self.world.fields.setdefault((*key, name), Field())
            field.values.append((ts, value))
            field.good = True
        for name in payload["bad"]:
            self.world.fields.setdefault((*key, name), Field()).good = False
        if ts > self.offline_ms.get(device, ts):
            self.world.offline.discard(device)
        return True


def same(value, reading, name):
    if value is None:
        return reading.get("bad", {}).get(name) == "missing"
    got = reading["values"].get(name)
    if is_number(value):
        return isinstance(got, (int, float)) and not isinstance(got, bool) and abs(got - value) <= 1e-7 * max(
            1, abs(value))  # fmt: skip
    return type(got) is type(value) and got == value


def check(tmp_path, seed):
    r = random.Random(seed)
    stale_after = r.choice([0, 5_000, 30_000])
    generator = Generator(r)
    trees = [[generator.any() for _ in range(VALUES)] for _ in range(DERIVED)]
    config = {"mqtt": {"url": "mqtt://127.0.0.1"}, "derived": [
        {"name": f"d{i}", "select": {"device": "tank_1", "measurement": "levels"}, "measurement": f"out{i}",
         "stale_after": f"{stale_after}ms",
         "values": {"all": ALL, **{f"v{j}": text(tree, r) for j, tree in enumerate(row)}}}
        for i, row in enumerate(trees)]}  # fmt: skip
    events = list(random_events(r))
    (tmp_path / "rules.json").write_text(json.dumps(config))
    with (tmp_path / "capture.jsonl").open("w") as file:
        for t, topic, payload in events:
            print(json.dumps({"t": t, "topic": topic, "payload": payload}, separators=(",", ":")), file=file)
    run = subprocess.run(
        [stand.BUILD / "rules-engine", "--config", tmp_path / "rules.json", "--replay", tmp_path / "capture.jsonl"],
        capture_output=True, text=True)  # fmt: skip
    assert run.returncode == 0, f"FIELDLINE_SEED={seed}: {run.stderr}"
    lines = iter(map(json.loads, run.stdout.splitlines()))
    model, counts = Model(stale_after), {"same": 0, "unknown": 0, "doubt": 0}
    for number, (t, topic, payload) in enumerate(events):
        if not model.take(t, topic, payload):
            continue
        for i, row in enumerate(trees):
            line = next(lines)
            assert (line["t"], line["by"]) == (t, f"d{i}"), f"FIELDLINE_SEED={seed}: event {number}"
            for j, tree in enumerate(row):
                try:
                    value = worth(tree, model.world)
                except Doubt:
                    counts["doubt"] += 1
                    continue
                counts["unknown" if value is None else "same"] += 1
                assert same(value, line["payload"], f"v{j}"), (
                    f"FIELDLINE_SEED={seed}: event {number}, {config['derived'][i]['values'][f'v{j}']!r} is {value!r}, "
                    f"the program says {line['payload']}")  # fmt: skip
    assert next(lines, None) is None
    return counts


SEEDS = [int(os.environ["FIELDLINE_SEED"])] if "FIELDLINE_SEED" in os.environ else [1, 2, 3, "any"]


@pytest.mark.parametrize("seed", SEEDS)
def test_same_as_the_other_evaluator(tmp_path, seed):
    if seed == "any":
        seed = random.randrange(10**9)
    counts = check(tmp_path, seed)
    print(f"seed {seed}: {counts}")
    assert counts["same"] > 3000 and counts["unknown"] > 1000
    assert counts["doubt"] < 0.1 * counts["same"]
