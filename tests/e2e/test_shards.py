"""Several rules-engines that share the devices, live, on one configuration and one state directory."""

import json
import signal
import time

import pytest

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


HOT = {"name": "hot", "select": {"device": "greenhouse_*", "measurement": "sensors"},
       "when": "temperature > 28", "until": "temperature < 26", "alert": True, "message": "{device}: {temperature}",
       "then": [{"command": {"actuator": "vent", "value": True}}],
       "else": [{"command": {"actuator": "vent", "expression": "temperature > 25"}}]}  # fmt: skip
COOL = {"name": "cool", "select": {"device": "*", "measurement": "climate"},
        "on_off": {"input": "temperature", "setpoint": "20", "band": 2, "action": "cools", "actuator": "chiller"}}  # fmt: skip
MORE = {"rules": [*RULES["rules"], HOT, COOL]}


class Site:
    """An engine, or several that share the work, on the same messages; what they said, device by device."""

    def __init__(self, broker, listener, tmp_path, parts, root):
        self.listener, self.root, self.parts, self.seq = listener, root, parts, 0
        self.config = {**MORE, "mqtt": {"url": broker.url, "root": root}, "service": {"state_dir": str(tmp_path / root)}}
        self.folder = tmp_path / f"logs_{root}"
        self.folder.mkdir()
        self.engines = {part: self.start(part) for part in range(1, parts + 1)}
        for part in self.engines:
            self.wait_online(part)

    def start(self, part):
        shard = ["--shard", f"{part}/{self.parts}"] if self.parts > 1 else []
        return stand.Service("rules-engine", self.config, self.folder, shard).start()

    def wait_online(self, part, since=0):
        instance = f"rules-engine-{part}of{self.parts}" if self.parts > 1 else "rules-engine"
        status = f"{self.root}/_service/{instance}/status"
        self.listener.wait(status, lambda m: m.json["state"] == "online", since=since)

    def say(self, device, measurement, temperature):
        self.seq += 1
        time.sleep(0.002)  # a reading has a time of its own
        topic = f"{self.root}/a/{device}/telemetry/{measurement}"
        self.listener.publish(topic, reading(self.seq, temperature=temperature), retain=True)

    def said(self):
        """What was decided of each device's actuators and alerts, each once: a command may be given again."""
        out, seen = {}, set()
        for message in self.listener.find(f"{self.root}/a/+/command/+") + self.listener.find(f"{self.root}/a/+/alert/+"):
            payload = message.json
            key = (message.topic, payload.get("id", (payload.get("episode"), payload.get("state"))))
            if key not in seen:
                what = payload.get("value") if "/command/" in message.topic else [payload[k] for k in ("state", "episode", "message")]
                out.setdefault(message.topic.split("/", 1)[1], []).append(what)
            seen.add(key)
        return out

    def answer(self):
        """As the agents would; each command once."""
        for message in self.listener.find(f"{self.root}/a/+/command/+"):
            result = {"id": message.json["id"], "result": "ok", "reason": None, "value": message.json["value"],
                      "ts": int(time.time() * 1000)}  # fmt: skip
            self.listener.publish(message.topic.replace("/command/", "/result/"), result)

    def kill(self, part):
        self.engines[part].process.send_signal(signal.SIGKILL)
        self.engines[part].process.wait()
        mark = self.listener.mark()
        self.engines[part] = self.start(part)
        self.wait_online(part, since=mark)

    def stop(self):
        return [engine.stop() for engine in self.engines.values()]


def act(site, killed=None):
    """Every device crosses every limit twice; in between, one engine dies."""
    n = len(DEVICES)
    everybody = lambda sensors, climate: [(site.say(d, "sensors", sensors), site.say(d, "climate", climate)) for d in DEVICES]
    count = lambda kind: sum(len(v) for topic, v in site.said().items() if f"/{kind}/" in topic)
    settled = lambda commands, alerts: stand.wait_until(
        lambda: count("command") >= commands * n + 2 and count("alert") >= alerts * n, what=f"{commands}, {alerts} of each")
    site.say("roof", "climate", 25)
    site.say("probe", "climate", 30)
    everybody(30, 30)
    settled(3, 1)
    site.answer()
    if killed:
        site.kill(killed)
    everybody(10, 10)
    settled(5, 2)
    site.answer()
    everybody(31, 31)
    settled(8, 3)


@pytest.mark.parametrize("parts, killed", [(2, None), (5, None), (5, 3)])
def test_together_they_say_what_one_says(broker, tmp_path, parts, killed):
    listener = stand.Listener(broker.port, "one/#", "many/#")
    one = Site(broker, listener, tmp_path, 1, "one")
    many = Site(broker, listener, tmp_path, parts, "many")
    try:
        act(one)
        act(many, killed)
        assert many.said() == one.said()
        if not killed:  # and nobody says what another has said
            assert len(listener.find("many/a/+/command/+")) == len(listener.find("one/a/+/command/+"))
        assert len(one.said()) == 4 * len(DEVICES) + 2
    finally:
        codes = one.stop() + many.stop()
        listener.close()
    assert set(codes) == {0}


def test_a_part_that_is_none_is_refused(broker, tmp_path):
    for wrong in ("2", "x y", "3/2"):
        engine = stand.Service("rules-engine", {**RULES, "mqtt": {"url": broker.url}}, tmp_path, ["--shard", wrong]).start()
        assert engine.process.wait(stand.PATIENCE_S) in (64, 69)
        assert wrong.split()[0] in engine.log()
