"""Every outcome and every reason of the contract, each provoked: a word that is added there fails here until it is."""

import json
import re
import time

import pytest

import contract
import modbus_wire
import stand
from plant import DEVICE, FAN, MODE, PUMP, agent, assert_result, command, config, now_ms, online, plc  # noqa: F401

SCHEMA = json.loads((contract.PROTO / "result.schema.json").read_text())["properties"]
REASONS = re.fullmatch(r"\^\((.*)\)\$", SCHEMA["reason"]["pattern"])[1].split("|")
OUTCOMES = SCHEMA["result"]["enum"]
SLOW_S = 0.15  # what a PLC that is late takes for one answer; a write and its reading back are two


@pytest.fixture(autouse=True)
def keeps_the_contract(listener):
    yield
    for message in listener.messages:
        if message.payload and "/command/" not in message.topic:
            contract.check(message.topic, message.payload)


class Bench:
    """What a provocation may need."""

    def __init__(self, listener, plc, agent, start, broker):
        self.listener, self.plc, self.agent, self.start, self.broker = listener, plc, agent, start, broker

    def command(self, actuator, payload, **properties):
        return command(self.listener, actuator, payload, **properties)

    def results(self, actuator, n):
        """The first n, waited for."""
        topic = f"{DEVICE}/result/{actuator}"
        return stand.wait_until(
            lambda: len(found := self.listener.find(topic)) >= n and [m.json for m in found], what=f"{n} results")

    def slow(self):
        self.plc.say(f"fault late 1 {int(SLOW_S * 1000)}")


@pytest.fixture
def bench(listener, plc, agent, start, broker):
    return Bench(listener, plc, agent, start, broker)


# Each gives the result that has the reason, or the outcome ------------------------------------------------


def unknown_actuator(bench):
    bench.agent()
    return bench.command("valve", "ON")


def bad_value(bench):
    bench.agent()
    return bench.command("pump", "maybe")


def out_of_range(bench):
    bench.agent()
    return bench.command("speed", "2001")


def rate_limited(bench):
    bench.agent(pump={"guard": {"min_on": "1m"}})
    return bench.command("pump", "OFF")


def interlock(bench):
    bench.agent(mode={"guard": {"interlock": "pressure > 20 and age(pressure) < 1s"}})
    return bench.command("mode", "3")


def retained(bench):
    bench.agent()
    return bench.command("mode", "3", retain=True)


def duplicate(bench):
    bench.agent()
    bench.command("mode", {"value": 3, "id": "a"})
    return bench.command("mode", {"value": 3, "id": "a"})


def device_offline(bench):
    bench.agent()
    mark = bench.listener.mark()
    bench.plc.say("fault silent 1")
    bench.listener.wait(f"{DEVICE}/status", lambda m: m.json["state"] == "offline", since=mark)
    return bench.command("mode", "3")


def verify_failed(bench):
    """An output that takes what it is told and stays as it is."""
    stuck = lambda _unit, pdu: (
        pdu if pdu[0] in (5, 6) else
        bytes([1, 1, 0]) if pdu[0] == 1 else modbus_wire.registers(pdu[0], [0] * pdu[4]))
    server = modbus_wire.RawServer(stuck)
    bench.start("modbus-agent", config(server.url))
    online(bench.listener)
    return bench.command("pump", "ON")


def timeout(bench):
    bench.agent()
    bench.plc.say("fault silent 1")
    return bench.command("mode", "3")


def exception(bench):
    bench.agent()
    bench.plc.say("fault exception=1:4")
    return bench.command("mode", "3")


def bad_payload(bench):
    bench.agent()
    return bench.command("mode", "{]")


def ok(bench):
    bench.agent()
    return bench.command("mode", "3")


def expired(bench):
    bench.agent()
    return bench.command("mode", {"value": 3, "ts": now_ms() - 6000, "ttl_ms": 5000})


def superseded(bench):
    bench.agent()
    bench.slow()
    for value in 3, 4, 5:
        bench.listener.publish(f"{DEVICE}/command/mode", {"value": value, "id": f"v{value}"})
    results = {result["id"]: result for result in bench.results("mode", 3)}
    assert results["v3"]["result"] == results["v5"]["result"] == "ok"
    assert [value for _, _, value in bench.plc.writes(MODE)] == [3, 5]
    return results["v4"]


PROVOKED = {
    "unknown_actuator": unknown_actuator, "bad_value": bad_value, "out_of_range": out_of_range,
    "rate_limited": rate_limited, "interlock": interlock, "retained": retained, "duplicate": duplicate,
    "device_offline": device_offline, "verify_failed": verify_failed, "timeout": timeout,
    "exception_[0-9]+": exception, "bad_payload": bad_payload,
}
ENDED = {"ok": ok, "rejected": bad_value, "failed": timeout, "expired": expired, "superseded": superseded}


@pytest.mark.parametrize("reason", REASONS)
def test_reason(reason, bench):
    assert reason in PROVOKED, f'the contract has a reason "{reason}" that no test provokes'
    result = PROVOKED[reason](bench)
    assert re.fullmatch(reason, result["reason"]), result


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_outcome(outcome, bench):
    assert outcome in ENDED, f'the contract has an outcome "{outcome}" that no test provokes'
    assert ENDED[outcome](bench)["result"] == outcome


def test_no_word_is_provoked_that_the_contract_does_not_have():
    assert set(PROVOKED) == set(REASONS) and set(ENDED) == set(OUTCOMES)


# Too late --------------------------------------------------------------------------------------------------


def test_a_command_that_waited_too_long_behind_others_is_not_written(bench):
    """Those of other actuators keep the bus busy: 0.3 s each."""
    bench.agent()
    bench.slow()
    for actuator in "speed", "fan", "pump":
        bench.listener.publish(f"{DEVICE}/command/{actuator}", "0")
    result = bench.command("mode", {"value": 9, "ttl_ms": 400})
    assert_result(result, "expired", None)
    assert result["took_ms"] > 300 and "too long for its turn" in result["message"]
    assert bench.results("pump", 1)[0]["result"] == "ok"
    assert bench.plc.writes(MODE) == []


def test_a_command_that_waited_too_long_behind_its_own_kind_is_not_written(bench):
    bench.agent()
    bench.slow()
    bench.listener.publish(f"{DEVICE}/command/mode", {"value": 3, "id": "first"})
    bench.listener.publish(f"{DEVICE}/command/mode", {"value": 4, "id": "late", "ttl_ms": 150})
    results = {result["id"]: result for result in bench.results("mode", 2)}
    assert_result(results["first"], "ok", None)
    assert_result(results["late"], "expired", None)
    assert results["late"]["queued_ms"] > 150
    assert [value for _, _, value in bench.plc.writes(MODE)] == [3]


def test_the_expiry_of_the_message_counts_too(bench):
    """1 s by MQTT 5's message expiry, though the command itself would live for 10."""
    bench.agent()
    bench.plc.say("fault late 1 190")
    for actuator in "speed", "fan", "pump":
        bench.listener.publish(f"{DEVICE}/command/{actuator}", "0")
    assert_result(bench.command("mode", "9", expiry_s=1), "expired", None)
    assert bench.plc.writes(MODE) == []
    bench.plc.say("fault none")
    assert_result(bench.command("mode", "9", expiry_s=5), "ok", None)


def test_what_was_commanded_while_the_agent_was_away_never_comes(bench):
    """Clean start: the broker queues nothing for it, whoever published it and however."""
    running = bench.agent()
    assert_result(bench.command("mode", "3"), "ok", None)
    running.kill()
    for value in range(10, 20):
        bench.listener.publish(f"{DEVICE}/command/mode", {"value": value, "ttl_ms": 3600000})
    bench.listener.publish(f"{DEVICE}/command/mode", {"value": 20, "id": "kept", "ttl_ms": 3600000}, retain=True)
    mark = bench.listener.mark()
    bench.agent()
    assert_result(bench.command("mode", "4"), "ok", None)
    time.sleep(0.3)
    assert [value for _, _, value in bench.plc.writes(MODE)] == [3, 4]
    assert [m.json["result"] for m in bench.listener.find(f"{DEVICE}/result/mode", since=mark)] == ["ok"]


def test_what_was_commanded_while_the_link_was_down_never_comes(bench):
    """The broker goes and comes; the agent lives. What the broker has kept as retained is not carried out either."""
    bench.agent()
    topic = f"{DEVICE}/command/mode"
    bench.broker.stop()
    mark = bench.listener.mark()
    bench.broker.start()
    bench.listener.wait_granted()
    bench.listener.publish(topic, {"value": 20, "id": "kept"}, retain=True)
    bench.listener.wait("iot/_service/modbus-agent/health", since=mark, timeout_s=25)
    stand.wait_until(lambda: bench.command("mode", "4")["result"] == "ok", what="the agent to be back")
    assert {value for _, _, value in bench.plc.writes(MODE)} == {4}
