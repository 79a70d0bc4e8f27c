"""Several rules-engines that share the devices, live, on one configuration and one state directory."""

import json
import time

import stand

RULES = {
    "rules": [
        {
            "name": "hotter_than_the_roof",
            "select": {"device": "greenhouse_*", "measurement": "sensors"},
            "when": "temperature > roof.climate.temperature",
            "then": [{"command": {"actuator": "fan", "value": True}}],
        }
    ]
}
DEVICES = [f"greenhouse_{n}" for n in range(12)]


def reading(seq, **values):
    return {"ts": int(time.time() * 1000), "seq": seq, "values": values}


def test_two_share_the_work(broker, listener, tmp_path):
    config = {**RULES, "mqtt": {"url": broker.url}, "service": {"state_dir": str(tmp_path / "state")}}
    engines = [stand.Service("rules-engine", config, tmp_path, ["--shard", f"{i}/2"]).start() for i in (1, 2)]
    try:
        for i in (1, 2):
            listener.wait(f"iot/_service/rules-engine-{i}of2/status", lambda m: m.json["state"] == "online")
        listener.publish("iot/a/roof/telemetry/climate", reading(1, temperature=20))
        for device in DEVICES:
            listener.publish(f"iot/a/{device}/telemetry/sensors", reading(1, temperature=30))
        for device in DEVICES:
            listener.wait(f"iot/a/{device}/command/fan")
        for device in DEVICES:  # and nobody says it twice: what follows is said by the same engines, later
            listener.publish(f"iot/a/{device}/telemetry/sensors", reading(2, temperature=10))
        for device in DEVICES:
            listener.publish(f"iot/a/{device}/telemetry/sensors", reading(3, temperature=30))
        for device in DEVICES:
            stand.wait_until(lambda d=device: len(listener.find(f"iot/a/{d}/command/fan")) == 2, what=f"both of {device}")
    finally:
        codes = [engine.stop() for engine in engines]
    assert codes == [0, 0]
    assert len(listener.find("iot/a/+/command/fan")) == 2 * len(DEVICES)
    kept = [(tmp_path / "state" / part / "rules.memory").read_text() for part in ("1of2", "2of2")]
    assert all(kept)
    first, second = ({line.split()[4] for line in text.splitlines() if "meaning=" in line} for text in kept)
    assert sorted(first | second) == sorted(DEVICES)
    assert not first & second
    for engine, part in zip(engines, ("1of2", "2of2")):
        health = listener.find(f"iot/_service/rules-engine-{part}/health")
        assert health, engine.log()


def test_a_part_that_is_none_is_refused(broker, tmp_path):
    for wrong in ("2", "x y", "3/2"):
        engine = stand.Service("rules-engine", {**RULES, "mqtt": {"url": broker.url}}, tmp_path, ["--shard", wrong]).start()
        assert engine.process.wait(stand.PATIENCE_S) in (64, 69)
        assert wrong.split()[0] in engine.log()
