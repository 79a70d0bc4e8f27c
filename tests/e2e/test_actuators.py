"""What may be trusted with a pump: the simulated PLC's log of writes is the witness, not the agent's word."""

import os
import random
import time

import pytest

import contract
import stand
from plant import (DEVICE, FAN, MODE, POLL_S, PUMP, SPEED, agent, assert_result, command, now_ms,  # noqa: F401
                   plc)


@pytest.fixture(autouse=True)
def keeps_the_contract(listener):
    yield
    for message in listener.messages:
        if message.payload and "/command/" not in message.topic:  # those are hostile on purpose
            contract.check(message.topic, message.payload)


def failsafe(listener, actuator, cause, since=0, value=False):
    """The state that says so, of the value that was reached."""
    return listener.wait(
        f"{DEVICE}/state/{actuator}",
        lambda m: m.json["mode"] == "failsafe"
        and m.json["source"] == f"failsafe:{cause}"
        and m.json["value"] == value,
        since=since,
    )


def assert_safe_within(plc, what, since_ms, limit_s, slack_s=0.1):
    """The safe value is on the wire no later than the configured time plus one poll, and not before it."""
    safe = lambda: [w for w in plc.writes(what, since=since_ms) if w[2] == 0]
    write = stand.wait_until(safe, what="the safe value on the wire")[0]
    took_s = (write[0] - since_ms) / 1000
    print(f"safe value after {took_s:.3f} s, limit {limit_s} s")
    assert took_s <= limit_s + POLL_S + slack_s  # the loop's tick, and what this machine does besides
    return took_s


# Fail-safe ----------------------------------------------------------------------------------------


@pytest.mark.alone
def test_a_killed_broker(listener, plc, agent, broker):
    agent(pump={"safe": False, "fail_safe": {"broker_lost": "700ms"}})
    assert_result(command(listener, "pump", "ON"), "ok", None)
    time.sleep(0.9)  # connected for longer than the limit: nothing happens
    assert len(plc.writes(PUMP)) == 1
    killed_ms = now_ms()
    broker.kill()
    assert assert_safe_within(plc, PUMP, killed_ms, 0.7) >= 0.6
    mark = listener.mark()
    broker.start()
    failsafe(listener, "pump", "broker_lost", since=mark)
    time.sleep(0.3)
    assert [w[2] for w in plc.writes(PUMP)] == [1, 0]  # what comes back does not bounce
    assert_result(command(listener, "pump", {"value": True, "source": "operator"}), "ok", None)
    state = listener.wait(f"{DEVICE}/state/pump", lambda m: m.json["source"] == "operator")
    assert state.json["mode"] == "normal"


@pytest.mark.alone
def test_a_silent_controller(listener, plc, agent):
    """Its health is a sign of life, and so is a command; its will is none."""
    agent(
        pump={"safe": False, "fail_safe": {"controller_silent": "600ms", "controller": "rules-7"}},
        fan={"safe": "hold", "fail_safe": {"controller_silent": "600ms", "controller": "rules-7"}},
    )
    assert_result(command(listener, "fan", "ON"), "ok", None)
    assert_result(command(listener, "pump", "ON"), "ok", None)
    health = {"ts": 1, "session": 1, "uptime_ms": 1, "rss_bytes": 1, "counters": {}, "gauges": {},
              "breakers": {}, "last_error": None}
    for _ in range(5):
        time.sleep(0.3)
        silent_ms = now_ms()
        listener.publish("iot/_service/rules-7/health", health)
    assert len(plc.writes(PUMP)) == 1
    time.sleep(0.2)
    offline = {"state": "offline", "session": 1, "version": "1", "since": 1}
    listener.publish("iot/_service/rules-7/status", offline, retain=True)
    assert assert_safe_within(plc, PUMP, silent_ms, 0.6) >= 0.55
    failsafe(listener, "pump", "controller_silent")
    failsafe(listener, "fan", "controller_silent", value=True)
    assert [w[2] for w in plc.writes(FAN)] == [1]


def test_a_killed_rules_engine(listener, plc, agent, start):
    """It sends its health each 10 s; its birth is a sign of life too, the will that the broker sends for it is none."""
    limit_s = 12
    agent(pump={"safe": False, "fail_safe": {"controller_silent": f"{limit_s}s"}})
    rule = {"name": "r", "select": {"device": "plc_*", "measurement": "process"}, "when": "pressure > 24", "alert": True}
    engine = start("rules-engine", {"rules": [rule]})
    signs = lambda: listener.find("iot/_service/rules-engine/health")
    stand.wait_until(lambda: len(signs()) >= 2, 40, "two signs of life")
    assert plc.writes(PUMP) == []  # alive for longer than the limit, and nothing happened
    ago_s = time.monotonic() - signs()[-1].at
    engine.kill()
    silent_ms = now_ms() - int(ago_s * 1000)
    listener.wait("iot/_service/rules-engine/status", lambda m: m.json["state"] == "offline")
    stand.wait_until(lambda: plc.writes(PUMP), limit_s + 5, "the safe value")
    assert assert_safe_within(plc, PUMP, silent_ms, limit_s, slack_s=2) >= limit_s - 0.5
    failsafe(listener, "pump", "controller_silent")


@pytest.mark.alone
def test_a_stale_input(listener, plc, agent):
    agent(pump={"safe": False, "fail_safe": {"input_stale": "500ms", "inputs": ["pressure"]}})
    assert_result(command(listener, "pump", "ON"), "ok", None)
    stale_ms = now_ms()
    plc.say("set input 5 9999")  # out of range: no good value
    assert assert_safe_within(plc, PUMP, stale_ms, 0.5) >= 0.4
    failsafe(listener, "pump", "input_stale")
    assert_result(command(listener, "pump", "ON"), "rejected", "interlock")
    mark = listener.mark()
    plc.say("free input 5")
    listener.wait(f"{DEVICE}/telemetry/process", lambda m: "pressure" in m.json["values"], since=mark)
    assert [w[2] for w in plc.writes(PUMP)] == [1, 0]
    stand.wait_until(lambda: command(listener, "pump", "ON")["result"] == "ok", what="a command to be taken")


def test_start_and_exit(listener, plc, agent):
    first = agent(
        pump={"safe": True, "fail_safe": {"start": True}}, speed={"safe": 100, "fail_safe": {"exit": True}}
    )
    failsafe(listener, "pump", "start", value=True)
    assert plc.writes(PUMP)[0][2] == 1
    assert_result(command(listener, "speed", "500"), "ok", None)
    assert first.stop() == 0
    assert [w[2] for w in plc.writes(SPEED)] == [500, 100]
    failsafe(listener, "speed", "exit", value=100)


@pytest.mark.alone
def test_on_for_too_long(listener, plc, agent):
    agent(pump={"safe": False, "guard": {"max_on": "400ms"}})
    assert_result(command(listener, "pump", "ON"), "ok", None)
    assert_safe_within(plc, PUMP, now_ms(), 0.4)
    failsafe(listener, "pump", "max_on")


def test_a_safe_value_waits_for_the_device(listener, plc, agent, broker):
    agent(pump={"safe": False, "fail_safe": {"input_stale": "500ms", "inputs": ["pressure"]}})
    assert_result(command(listener, "pump", "ON"), "ok", None)
    plc.say("fault silent 1")
    listener.wait(f"{DEVICE}/state/pump", lambda m: m.json["mode"] == "failsafe")
    time.sleep(0.5)
    assert len(plc.writes(PUMP)) == 1
    plc.say("fault none")
    failsafe(listener, "pump", "input_stale")
    assert [w[2] for w in plc.writes(PUMP)][-1] == 0


def test_dry_run(listener, plc, agent):
    agent(pump={"dry_run": True})
    result = command(listener, "pump", "OFF")  # at first it is on
    assert_result(result, "ok", None)
    assert result["dry_run"] is True and result["value"] is True
    assert listener.find(f"{DEVICE}/state/pump")[-1].json["dry_run"] is True
    assert_result(command(listener, "pump", "7"), "rejected", "bad_value")
    assert plc.writes(PUMP) == []


# The ledger, retained commands ----------------------------------------------------------------------


def test_a_duplicate_after_a_crash_writes_nothing(listener, start, plc, agent, tmp_path):
    state_dir = tmp_path / "state"
    state_dir.mkdir()
    service = {"state_dir": str(state_dir)}
    first = agent(service)
    answer = command(listener, "mode", {"value": 77, "id": "once"})
    assert_result(answer, "ok", None)
    refused = command(listener, "speed", {"value": 2001, "id": "never"})
    assert_result(refused, "rejected", "out_of_range")
    first.kill()
    agent(service)
    again = command(listener, "mode", {"value": 77, "id": "once"})
    assert_result(again, "ok", "duplicate")
    assert again["ts"] == answer["ts"] and again["value"] == 77
    assert_result(command(listener, "speed", {"value": 2001, "id": "never"}), "rejected", "duplicate")
    assert len(plc.writes(MODE)) == 1


def test_a_write_that_a_crash_cut_off_is_not_repeated(listener, plc, agent, tmp_path):
    """Whether it acted nobody knows, so it is answered as failed and left to whoever sent it."""
    state_dir = tmp_path / "state"
    state_dir.mkdir()
    service = {"state_dir": str(state_dir)}
    first = agent(service)
    plc.say("fault silent 1")
    listener.publish(f"{DEVICE}/command/mode", {"value": 78, "id": "cut"})
    stand.wait_until(
        lambda: "cut" in "".join(f.read_text() for f in state_dir.glob("commands-*")), what="the record of the start"
    )
    first.kill()
    plc.say("fault none")
    agent(service)
    assert_result(command(listener, "mode", {"value": 78, "id": "cut"}), "failed", "duplicate")
    assert len(plc.writes(MODE)) <= 1


def test_the_times_of_guards_outlive_a_crash(listener, plc, agent, tmp_path):
    """The longest on time of a pump that was on before the agent was, too; starts within an hour; time off."""
    (tmp_path / "state").mkdir()
    settings = dict(
        service={"state_dir": str(tmp_path / "state")}, pump={"safe": False, "guard": {"max_on": "5s"}},
        fan={"guard": {"starts_per_hour": 1}}, mode={"guard": {"min_off": "4s"}},
    )
    running = agent(**settings)
    seen_ms = now_ms()
    assert_result(command(listener, "fan", "ON"), "ok", None)
    assert_result(command(listener, "fan", "OFF"), "ok", None)
    time.sleep(4)  # of the start: for as long its time off counts
    assert_result(command(listener, "mode", "0"), "ok", None)
    off_ms = now_ms()
    running.kill()
    running = agent(**settings)
    assert_result(command(listener, "fan", "ON"), "rejected", "rate_limited")
    assert_result(command(listener, "mode", "5"), "rejected", "rate_limited")
    assert_safe_within(plc, PUMP, seen_ms, 5, slack_s=2)
    failsafe(listener, "pump", "max_on")
    time.sleep(max(0, off_ms + 2500 - now_ms()) / 1000)
    running.kill()
    running = agent(**settings)
    begun_ms = now_ms()
    time.sleep(max(0, off_ms + 4100 - now_ms()) / 1000)
    assert_result(command(listener, "mode", "5"), "ok", None)
    assert now_ms() < begun_ms + 3500  # else it would have been so without a memory


def test_a_retained_command_is_refused_and_cleared_once(listener, plc, agent, broker):
    agent()
    topic = f"{DEVICE}/command/mode"
    mark = listener.mark()
    assert_result(command(listener, "mode", "5", retain=True), "rejected", "retained")
    listener.wait(topic, lambda m: m.payload == b"", since=mark)
    assert_result(command(listener, "mode", "6"), "ok", None)
    time.sleep(0.3)
    assert [m.payload for m in listener.find(topic, since=mark)] == [b"5", b"", b"6"]  # no loop
    assert [w[2] for w in plc.writes(MODE)] == [6]
    late = stand.Listener(broker.port, topic)
    time.sleep(0.2)
    assert late.messages == []
    late.close()


# Where reasons begin and end; each alone is in test_reasons.py -------------------------------------------


def test_reasons_of_the_payload_and_the_limits(listener, plc, agent):
    agent(speed={"guard": {"step": 100, "max_rate": 1000}})
    assert_result(command(listener, "mode", "{]"), "rejected", "bad_payload")
    assert_result(command(listener, "mode", "ON"), "rejected", "bad_value")
    assert_result(command(listener, "valve", "ON"), "rejected", "unknown_actuator")
    assert_result(command(listener, "speed", "2100"), "rejected", "out_of_range")
    assert_result(command(listener, "speed", "150"), "rejected", "out_of_range")
    old = {"value": 5, "ts": now_ms() - 6000, "ttl_ms": 5000}
    assert_result(command(listener, "mode", old), "expired", None)
    assert plc.writes() == []


def test_rate_limited(listener, plc, agent):
    agent(speed={"guard": {"max_rate": 500}}, fan={"guard": {"min_on": "500ms"}}, pump={"guard": {"starts_per_hour": 1}})
    time.sleep(1)
    assert_result(command(listener, "speed", "2000"), "rejected", "rate_limited")
    for value in ("OFF", "ON", "OFF"):
        assert_result(command(listener, "pump", value), "ok", None)
    assert_result(command(listener, "pump", "ON"), "rejected", "rate_limited")
    assert_result(command(listener, "fan", "ON"), "ok", None)
    assert_result(command(listener, "fan", "OFF"), "rejected", "rate_limited")
    time.sleep(0.5)
    assert_result(command(listener, "fan", "OFF"), "ok", None)


def test_interlocks_and_groups(listener, plc, agent):
    plc.say("set input 5 20")
    agent(
        pump={"guard": {"exclusive": "motors"}},
        fan={"guard": {"exclusive": "motors"}},
        mode={"guard": {"interlock": "pressure > 3 and age(pressure) < 1s"}},
    )
    assert_result(command(listener, "pump", "ON"), "ok", None)
    assert_result(command(listener, "fan", "ON"), "rejected", "interlock")
    assert_result(command(listener, "pump", "OFF"), "ok", None)
    assert_result(command(listener, "fan", "ON"), "ok", None)
    assert_result(command(listener, "mode", "3"), "rejected", "interlock")
    plc.say("set input 5 35")
    listener.wait(f"{DEVICE}/telemetry/process", lambda m: m.json["values"].get("pressure") == 3.5)
    assert_result(command(listener, "mode", "3"), "ok", None)
    plc.say("set input 5 9999")  # not known any more: true for as long as the age allows
    stand.wait_until(lambda: command(listener, "mode", "4")["reason"] == "interlock", what="the value to be too old")
    assert_result(command(listener, "mode", "0"), "ok", None)  # off is always allowed


def test_reasons_of_the_wire(listener, plc, agent):
    agent()
    plc.say("fault exception=1:4")
    stand.wait_until(lambda: command(listener, "mode", "1")["reason"] == "exception_4", what="exception 4")
    plc.say("fault none")
    stand.wait_until(lambda: command(listener, "mode", "1")["result"] == "ok", what="the PLC to be back")
    mark = listener.mark()
    plc.say("fault silent 1")
    assert_result(command(listener, "mode", "2"), "failed", "timeout")
    listener.wait(f"{DEVICE}/status", lambda m: m.json["state"] == "offline", since=mark)
    assert_result(command(listener, "mode", "3"), "rejected", "device_offline")


# An independent witness -----------------------------------------------------------------------------


class Storm:
    """Random commands, and what each may do to the wire. Values of "mode" are given once, so that a write can be
    told apart from all others."""

    def __init__(self, listener, rng):
        self.listener, self.rng = listener, rng
        self.next_value = 1
        self.wanted = {}  # id: value that may be written once
        self.sent = []  # ids in order
        self.doubtful = set()  # sent to an agent that was killed about then
        self.kinds = [self.good] * 6 + [
            self.duplicate, self.forged, self.expired, self.future, self.retained, self.beyond, self.hostile,
            self.stranger, self.coil, self.coil, self.speed,
        ]

    def fresh(self):
        self.next_value += 1
        return self.next_value

    def send(self, actuator, payload, **properties):
        self.listener.publish(f"{DEVICE}/command/{actuator}", payload, **properties)

    def step(self):
        self.rng.choice(self.kinds)()

    def good(self):
        value = self.fresh()
        self.wanted[f"c{value}"] = value
        self.sent.append(f"c{value}")
        self.send("mode", {"value": value, "id": f"c{value}"})

    def duplicate(self):
        if self.sent:
            name = self.rng.choice(self.sent[-40:])  # the agent remembers 64
            self.send("mode", {"value": self.wanted[name], "id": name})

    def forged(self):
        """The id of another command, long done with, and a value of its own."""
        if len(self.sent) > 20 and self.sent[-10] not in self.doubtful:
            self.send("mode", {"value": self.fresh(), "id": self.sent[-10]})

    def expired(self):
        self.send("mode", {"value": self.fresh(), "ts": now_ms() - 2000, "ttl_ms": self.rng.randrange(1, 1900)})

    def future(self):
        """Of a sender whose clock is ahead: good."""
        value = self.fresh()
        self.wanted[f"c{value}"] = value
        self.sent.append(f"c{value}")
        self.send("mode", {"value": value, "id": f"c{value}", "ts": now_ms() + 60000}, expiry_s=5)

    def retained(self):
        self.send("mode", {"value": self.fresh(), "id": f"r{self.next_value}"}, retain=True)

    def beyond(self):
        self.send("mode", {"value": self.rng.choice([-1, 60001, 65535, 65536, 1e300, 1.5])})

    def hostile(self):
        value = self.fresh()
        self.send("mode", self.rng.choice([
            f'{{"value":{value},"value":{value}}}', f'{{"value":{value}', f"[{value}]", f"{value} {value}", "NaN",
            f'{{"value":"{value}"}}', f'{{"value":{value}}}}}', f"{{'value':{value}}}", f'{{"value":[{value}]}}',
            f'{{"value":{value},"id":"{"x" * 65}"}}', f'{{"value":{value},"id":"a\\u0000b"}}', "", "\x00", "{" * 50,
            self.rng.randbytes(20), f'{{"value":{value},"ttl_ms":-1}}', f'{{"value":{value},"id":7}}',
        ]))

    def stranger(self):
        self.send(self.rng.choice(["valve", "mode2", "MODE", "_mode"]), {"value": self.fresh()})

    def coil(self):
        self.send(self.rng.choice(["pump", "fan"]), self.rng.choice(["ON", "OFF", "true", "1", "0", "2", "maybe"]))

    def speed(self):
        self.send("speed", str(self.rng.randrange(-100, 2300, 25)))


def check_unique(storm, plc, results):
    """Nothing forbidden, nothing twice, nothing that was said to be done and was not."""
    written = [value for _, _, value in plc.writes(MODE)]
    allowed = {value: name for name, value in storm.wanted.items()}
    assert len(written) == len(set(written)), "a command was carried out twice"
    assert not set(written) - set(allowed), "a forbidden value was written"
    outcomes = {}
    for result in results:
        if result["id"] in storm.wanted and result["reason"] != "duplicate":
            outcomes.setdefault(result["id"], set()).add(result["result"])
    for name, outcome in outcomes.items():
        assert len(outcome) == 1, (name, outcome)
        if "ok" in outcome:
            assert storm.wanted[name] in written, name
        elif "failed" not in outcome:
            assert storm.wanted[name] not in written, (name, outcome)
    for name in storm.sent:
        assert name in outcomes or name in storm.doubtful, f"{name} was never answered"
    return outcomes


def check_coils(plc):
    """Never both on, and each at least 100 ms in one position."""
    on, since = {PUMP: 1, FAN: 0}, {}
    for time_ms, what, value in plc.writes():
        if what not in on or on[what] == value:
            continue
        on[what] = value
        assert on[PUMP] + on[FAN] < 2, f"both on at {time_ms}"
        assert time_ms - since.get(what, 0) >= 95, f"{what} switched after {time_ms - since[what]} ms"
        since[what] = time_ms


def test_no_forbidden_write_ever(listener, plc, agent, broker, tmp_path):
    seed = int(os.environ.get("FIELDLINE_SEED", random.randrange(2**32)))
    n_commands = int(os.environ.get("FIELDLINE_COMMANDS", 4000))
    print(f"FIELDLINE_SEED={seed} FIELDLINE_COMMANDS={n_commands}")
    storm = Storm(listener, random.Random(seed))
    (tmp_path / "state").mkdir()
    motor = {"guard": {"exclusive": "motors", "min_on": "100ms", "min_off": "100ms"}}
    settings = dict(
        service={"state_dir": str(tmp_path / "state")}, pump=motor, fan=motor, mode={"max": 60000, "guard": {"step": 1}},
        speed={"guard": {"step": 50}},
    )
    running = agent(**settings)
    for i in range(n_commands):
        if i % (n_commands // 5) == n_commands // 10:
            about_then = len(storm.sent)
            running.kill()
            for _ in range(10):
                storm.step()
            storm.doubtful |= set(storm.sent[max(0, about_then - 200):])
            running = agent(**settings)
        storm.step()
    storm.wanted["end"] = 0
    storm.send("mode", {"value": 0, "id": "end"})
    listener.wait(f"{DEVICE}/result/mode", lambda m: m.json["id"] == "end")
    results = [m.json for m in listener.find(f"{DEVICE}/result/mode")]
    outcomes = check_unique(storm, plc, results)
    n_ok = sum("ok" in o for o in outcomes.values())
    print(f"{len(storm.sent)} good ones of {n_commands}, {n_ok} carried out, {len(plc.writes())} writes")
    assert n_ok > n_commands // 20
    check_coils(plc)
    assert all(0 <= value <= 2000 and value % 50 == 0 for _, _, value in plc.writes(SPEED))
    late = stand.Listener(broker.port, f"{DEVICE}/command/#")
    time.sleep(0.2)
    assert late.messages == [], "a refused command is still retained"
    late.close()
