"""What the rules-engine knows outlives it: kills, reloads with other rules, a damaged memory."""

import json
import random
import signal
import subprocess
import threading
import time

import pytest

import stand

PLACE = "iot/facility_a/boiler_1"
TELEMETRY = f"{PLACE}/telemetry/sensors"
SERVICE = "iot/_service/rules-engine/status"
SELECT = {"device": "boiler_*", "measurement": "sensors"}


def switches(name, actuator, **more):
    """A rule that switches an actuator on and off."""
    return {"name": name, "select": SELECT, **more,
            "then": [{"command": {"actuator": actuator, "value": True}}],
            "else": [{"command": {"actuator": actuator, "value": False}}]}  # fmt: skip


HOT = {"name": "hot", "select": SELECT, "when": "temperature > 30", "alert": True, "severity": "critical"}


@pytest.fixture
def engine(start, listener, tmp_path):
    """engine(rules): a running one, ready; the same state directory each time."""

    def start_engine(rules):
        mark = listener.mark()
        config = {"rules": rules, "service": {"state_dir": str(tmp_path / "state")}}
        service = start("rules-engine", config)
        listener.wait(SERVICE, lambda m: m.json["state"] == "online", since=mark)
        return service

    return start_engine


@pytest.fixture
def boiler(listener):
    boiler = Boiler(listener)
    yield boiler
    boiler.end()


class Boiler:
    """A device that says its values ten times a second, and carries out each command at once."""

    def __init__(self, listener):
        self.listener, self.values, self.seq, self.seen = listener, {}, 0, 0
        self.refuses = False
        self.done = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.done.wait(0.1):
            for command in self.listener.find(f"{PLACE}/command/+", since=self.seen):
                self.answer(command)
            self.seen = self.listener.mark()
            if self.values:
                self.seq += 1
                reading = {"ts": int(time.time() * 1000), "seq": self.seq, "values": dict(self.values)}
                self.listener.publish(TELEMETRY, reading, retain=True)

    def answer(self, command):
        outcome = ("rejected", "unknown_actuator") if self.refuses else ("ok", None)
        result = {"id": command.json["id"], "result": outcome[0], "reason": outcome[1],
                  "value": command.json["value"], "ts": int(time.time() * 1000)}  # fmt: skip
        self.listener.publish(command.topic.replace("/command/", "/result/"), result)

    def says(self, **values):
        self.values = {**self.values, **values}

    def end(self):
        self.done.set()
        self.thread.join()


def memory(tmp_path):
    """The last that the file says of each rule and device: (state, …)."""
    out = {}
    for line in (tmp_path / "state" / "rules.memory").read_text().splitlines():
        words = line.split()
        if words[0] not in ("memory", "alive"):
            out[words[5]] = words
    return out


def kept_twice(tmp_path):
    """The engine has told its memory all that it knew a moment ago."""
    def count():
        return (tmp_path / "state" / "rules.memory").read_text().count("alive")

    before = count()
    stand.wait_until(lambda: count() > before + 1, what="the memory to be kept")


def reload(service, rules):
    config = json.loads(service.config_path.read_text())
    config["rules"] = rules
    service.write(config)
    before = service.log().count("reloaded")
    service.signal(signal.SIGHUP)
    stand.wait_until(lambda: service.log().count("reloaded") > before, what="the reload")


def alerts(listener, rule, since=0):
    return [(m.json["state"], m.json["episode"]) for m in listener.find(f"{PLACE}/alert/{rule}", since=since)]


def resolved(listener, rule, since=0):
    return listener.wait(f"{PLACE}/alert/{rule}", lambda m: m.json["state"] == "resolved", since=since).json


def kill(service, engine, rules):
    service.kill()
    return engine(rules)


def hang_up(service, engine, rules):
    reload(service, rules)
    return service


@pytest.mark.parametrize("how", [kill, hang_up])
def test_a_wait_goes_on_unless_the_rule_means_something_else(listener, engine, boiler, tmp_path, how):
    def is_waiting(unlike):
        return memory(tmp_path).get("hot", [""])[0] == "waiting" and memory(tmp_path)["hot"][1] != unlike

    rule = {**HOT, "for": "1h"}
    service = engine([{**rule, "message": "one"}])
    boiler.says(temperature=40)
    stand.wait_until(lambda: is_waiting(None), what="the wait in the memory")
    since = memory(tmp_path)["hot"][1]
    service = how(service, engine, [{"severity": "info", "message": "two", **rule}])
    kept_twice(tmp_path)
    assert memory(tmp_path)["hot"][:2] == ["waiting", since]
    service = how(service, engine, [{**rule, "for": "2h"}])
    stand.wait_until(lambda: is_waiting(since), what="a wait that began anew")


@pytest.mark.parametrize("how", [kill, hang_up])
@pytest.mark.parametrize(
    "after, why",
    [
        ([], "was taken out"),
        ([{**HOT, "name": "warm"}], "was taken out"),
        ([{**HOT, "select": {**SELECT, "device": "kettle_*"}}], "does not select this device any more"),
        ([switches("hot", "fan", when="temperature > 30", severity="critical")], "alerts no more"),
    ],
)
def test_an_alert_without_its_rule_is_resolved(listener, engine, boiler, tmp_path, how, after, why):
    service = engine([HOT])
    boiler.says(temperature=40)
    listener.wait(f"{PLACE}/alert/hot")
    how(service, engine, after)
    over = resolved(listener, "hot")
    assert why in over["message"]
    assert (over["severity"], over["episode"]) == ("critical", 1)
    stand.wait_until(lambda: not any(w.startswith("alert=") for w in memory(tmp_path).get("hot", ["", ""])),
                     what="the memory without it")  # fmt: skip
    mark = listener.mark()
    engine(after)
    listener.wait(TELEMETRY, since=mark)
    assert alerts(listener, "hot", mark) == []


def test_a_changed_rule_is_switched_back_unless_it_still_holds(listener, engine, boiler):
    """Between `until` and `when` it would have stayed on; as it is now it would never have come on."""
    rule = switches("cool", "fan", when="temperature > 28", until="temperature < 20", alert=True)
    service = engine([rule])
    boiler.says(temperature=30)
    listener.wait(f"{PLACE}/command/fan", lambda m: m.json["value"] is True)
    listener.wait(f"{PLACE}/alert/cool")
    mark = listener.mark()
    reload(service, [{**rule, "when": "temperature > 29"}])
    reload(service, [{**rule, "when": "temperature > 35"}])
    listener.wait(f"{PLACE}/command/fan", lambda m: m.json["value"] is False, since=mark)
    assert resolved(listener, "cool", mark)["episode"] == 1
    assert [m.json["value"] for m in listener.find(f"{PLACE}/command/fan", since=mark)] == [False]


def test_a_failed_command_is_not_forgotten(listener, engine, boiler, tmp_path):
    """Not even where the broker has forgotten the alert about it."""
    rules = [switches("cool", "fan", when="temperature > 28")]
    boiler.refuses = True
    service = engine(rules)
    boiler.says(temperature=30)
    listener.wait(f"{PLACE}/alert/cool_failed", lambda m: m.json["state"] == "firing")
    stand.wait_until(lambda: "failed=1+" in memory(tmp_path)["cool"], what="it in the memory")
    service.kill()
    listener.publish(f"{PLACE}/alert/cool_failed", "", retain=True)
    boiler.refuses = False
    mark = listener.mark()
    engine(rules)
    boiler.says(temperature=20)
    assert resolved(listener, "cool_failed", mark)["episode"] == 1


def test_a_damaged_memory_is_told_kept_and_made_up_for(listener, engine, boiler, tmp_path):
    service = engine([HOT])
    boiler.says(temperature=40)
    listener.wait(f"{PLACE}/alert/hot")
    service.kill()
    file = tmp_path / "state" / "rules.memory"
    damaged = file.read_bytes().replace(b"active", b"inactive")
    file.write_bytes(damaged)
    mark = listener.mark()
    service = engine([HOT])
    assert "memory_damaged" in service.log()
    assert (tmp_path / "state" / "rules.memory.damaged").read_bytes() == damaged
    boiler.says(temperature=20)
    assert resolved(listener, "hot", mark)["episode"] == 1
    service.stop()
    health = listener.find("iot/_service/rules-engine/health", since=mark)[-1].json
    assert "memory.damaged_lines" in json.dumps(health)


TIMED = [
    switches("warm", "fan", when="temperature > 30", until="temperature < 28", alert=True,
             **{"for": "2s", "clear_for": "2s"}),
    switches("leak", "valve", when="pressure < 1", cool_down="5s"),
    switches("refill", "pump", when="level < 10", max_per_hour=3),
    {"name": "heat", "select": SELECT,
     "on_off": {"input": "water", "setpoint": "50", "band": 2, "action": "heats", "min_on": "3s", "min_off": "3s",
                "actuator": "heater"}},
    {"name": "hold", "select": SELECT,
     "pid": {"input": "flow", "setpoint": "20", "gain": 1, "integral": "1s", "minimum": 0, "maximum": 1000,
             "sample": "200ms", "step": 0.5, "actuator": "inlet"}},
]  # fmt: skip


def told(commands, alerts):
    """Of each actuator and alert what was said, in order, with its time; what is marked as a repeat once."""
    out, seen = {}, set()
    for topic, body, at in [*commands, *alerts]:
        what = body["id"] if "id" in body else (topic, body["state"], body["episode"])
        if what not in seen and body.get("state") != "stale":
            seen.add(what)
            out.setdefault(topic.removeprefix(PLACE), []).append((body.get("value") if "id" in body else body["state"], at))
    return out


def live_run(listener):
    wall = time.time() - time.monotonic()
    parts = []
    for kind in ("command", "alert"):
        parts.append([(m.topic, m.json, int((m.at + wall) * 1000)) for m in listener.find(f"{PLACE}/{kind}/+")])
    return told(*parts)


def undisturbed_run(listener, tmp_path):
    """What --replay prints on the recording of the same."""
    wall = time.time() - time.monotonic()
    with (tmp_path / "live.jsonl").open("w") as out:
        for m in listener.messages:
            if m.topic == TELEMETRY or "/result/" in m.topic:
                out.write(json.dumps({"t": int((m.at + wall) * 1000), "topic": m.topic, "payload": m.json}) + "\n")
    (tmp_path / "timed.json").write_text(json.dumps({"rules": TIMED}))
    done = subprocess.run([stand.BUILD / "rules-engine", "--config", tmp_path / "timed.json", "--replay", tmp_path / "live.jsonl"],
                          capture_output=True, text=True, timeout=60)  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    parts = [[(d["topic"], d["payload"], d["t"]) for d in lines if f"/{kind}/" in d["topic"]] for kind in ("command", "alert")]
    return told(*parts)


def value_at(said, at):
    return next((value for value, when in reversed(said) if when <= at), 0)


def test_killed_at_random_what_takes_time_goes_on(listener, engine, boiler, tmp_path):
    """Waits, cool-down, most an hour, on_off and pid, with kills anywhere: the same sequence as an undisturbed run, what
    is held back never earlier than there, and a pid that goes on from where it was."""
    chance = random.Random(11)
    service = engine(TIMED)
    calm = {"temperature": 20, "pressure": 2, "level": 50, "water": 50, "flow": 20}
    boiler.says(**calm)

    def then(what, wanted, **values):
        """Says so until that comes, with a kill on the way or none."""
        nonlocal service
        mark = listener.mark()
        boiler.says(**values)
        if chance.random() < 0.7:
            time.sleep(chance.random() * 2)
            service.kill()
            service = engine(TIMED)
        if wanted is not None:
            listener.wait(f"{PLACE}/{what}", lambda m: m.json.get("state", m.json.get("value")) == wanted, since=mark)

    then("", None, flow=19.5)  # the pid rises by a half a second from here on
    for _ in range(3):
        boiler.says(temperature=40)  # a blip, too short to count
        time.sleep(0.3)
        then("", None, temperature=20)
        then("alert/warm", "firing", temperature=40)
        then("command/valve", True, pressure=0.5)
        then("command/valve", False, pressure=2)
        then("command/pump", True, level=5)
        then("command/pump", False, level=50)
        then("command/heater", True, water=40)
        then("command/heater", False, water=60)
        then("alert/warm", "resolved", temperature=20)
    then("", None, level=5)  # a fourth time within the hour: not any more
    time.sleep(1)
    service.stop()
    boiler.end()
    live, calm_run = live_run(listener), undisturbed_run(listener, tmp_path)
    assert set(live) == set(calm_run)
    for topic, said in calm_run.items():
        if topic == "/command/inlet":
            continue
        assert [value for value, _ in live[topic]] == [value for value, _ in said], topic
        early = [(value, at - when) for (value, at), (_, when) in zip(live[topic], said) if at < when - 1000]
        assert not early, f"{topic}: {early}"
    assert len(calm_run["/command/pump"]) == 6
    off = [(at, value, value_at(calm_run["/command/inlet"], at)) for value, at in live["/command/inlet"]]
    assert max(value for _, value, _ in off) > 10
    assert not [o for o in off if abs(o[1] - o[2]) > 3], off
