"""A device's own watchdog: fed for as long as what it stands for is there, and what follows where it is not."""

import re
import time

import pytest

import contract
import modbus_wire
import stand
from plant import DEVICE, PUMP, STEP_S, WATCHDOG, Plc, agent, assert_result, command, config, dead_man_ms, now_ms  # noqa: F401

LIMIT_S = 0.8  # of the devices' watchdogs
PERIOD_S = 0.2  # of the feeding
SLACK_S = 0.25  # what this machine does besides
FED = {"address": 2, "period": "200ms"}
GREENHOUSE = "iot/facility_a/greenhouse_001"


@pytest.fixture
def plc(run_program, tmp_path):
    return Plc(run_program, tmp_path, "--watchdog", str(int(LIMIT_S * 1000)))


@pytest.fixture(autouse=True)
def keeps_the_contract(listener):
    yield
    for message in listener.messages:
        contract.check(message.topic, message.payload)


def counters(listener, device, predicate, since=0):
    """Counters of a health that satisfy the predicate."""
    health = f"iot/_service/{device}/health"
    return listener.wait(health, lambda m: predicate(m.json["counters"]), since=since, timeout_s=25).json["counters"]


def assert_let_go(simulator, since_ms):
    """No later than the device's limit after the last feed, which was up to a period before; and not before."""
    took_s = (dead_man_ms(simulator, since_ms) - since_ms) / 1000
    print(f"the device's dead-man after {took_s:.3f} s; it waits {LIMIT_S} s, fed each {PERIOD_S} s")
    assert LIMIT_S - PERIOD_S - SLACK_S < took_s < LIMIT_S + STEP_S + SLACK_S


@pytest.mark.alone
def test_a_killed_agent(listener, plc, agent):
    running = agent(watchdog=FED)
    time.sleep(2 * LIMIT_S)
    assert plc.value(PUMP) == 1
    fed = [value for _, _, value in plc.writes(WATCHDOG)]
    assert fed == list(range(fed[0], fed[0] + len(fed))) and len(fed) > LIMIT_S / PERIOD_S
    killed_ms = now_ms()
    running.kill()
    assert_let_go(plc.program, killed_ms)
    assert plc.value(PUMP) == 0
    agent(watchdog={**FED, "write": "toggle"})
    assert_result(command(listener, "pump", "ON"), "ok", None)
    time.sleep(2 * LIMIT_S)
    assert plc.value(PUMP) == 1
    assert {value for _, _, value in plc.writes(WATCHDOG)[-4:]} == {0, 1}


def test_feeding_is_counted(listener, plc, agent):
    agent(watchdog=FED)
    assert counters(listener, "modbus-agent", lambda c: c.get("watchdog.fed", 0) > 5)


@pytest.mark.alone
def test_a_lost_broker_where_it_is_to_count(listener, plc, agent, broker):
    agent(watchdog={**FED, "broker_lost": "500ms"})
    time.sleep(1)
    assert plc.value(PUMP) == 1
    killed_ms = now_ms()
    broker.kill()
    took_s = (dead_man_ms(plc.program, killed_ms) - killed_ms) / 1000
    assert 0.5 + LIMIT_S - 2 * PERIOD_S < took_s < 0.5 + LIMIT_S + STEP_S + SLACK_S
    n_fed = len(plc.writes(WATCHDOG))
    mark = listener.mark()
    broker.start()
    stand.wait_until(lambda: len(plc.writes(WATCHDOG)) > n_fed, what="the feeding to go on")
    withheld = "watchdog.withheld.broker_lost"
    assert counters(listener, "modbus-agent", lambda c: withheld in c, since=mark)[withheld] >= 2


@pytest.mark.alone
def test_a_lost_broker_where_it_is_not(listener, plc, agent, broker):
    agent(watchdog=FED)
    broker.kill()
    time.sleep(3 * LIMIT_S)
    assert plc.value(PUMP) == 1
    broker.start()


@pytest.mark.alone
def test_a_silent_controller(listener, plc, agent):
    agent(watchdog={**FED, "controller_silent": "600ms", "controller": "rules-7"})
    health = {"ts": 1, "session": 1, "uptime_ms": 1, "rss_bytes": 1, "counters": {}, "gauges": {},
              "breakers": {}, "last_error": None}
    for _ in range(6):
        listener.publish("iot/_service/rules-7/health", health)
        silent_ms = now_ms()
        time.sleep(0.3)
    assert plc.value(PUMP) == 1
    took_s = (dead_man_ms(plc.program) - silent_ms) / 1000
    assert 0.6 + LIMIT_S - 2 * PERIOD_S < took_s < 0.6 + LIMIT_S + STEP_S + SLACK_S


def test_a_safe_value_that_is_not_taken(listener, start):
    """The output is stuck: what the agent cannot bring to safety the device's watchdog is left to."""
    fed = []

    def answer(_unit, pdu):
        if pdu[0] == 6 and pdu[2] == 2:
            fed.append(time.monotonic())
        if pdu[0] in (5, 6):
            return pdu
        return bytes([pdu[0], 1, 1]) if pdu[0] == 1 else modbus_wire.registers(pdu[0], [1] * pdu[4])

    server = modbus_wire.RawServer(answer)
    pump = {"safe": False, "guard": {"max_on": "600ms"}}
    begun = time.monotonic()
    start("modbus-agent", config(server.url, watchdog={**FED, "safe_unconfirmed": "500ms"}, pump=pump))
    listener.wait(f"{DEVICE}/result/pump", lambda m: m.json["reason"] == "verify_failed")
    counters(listener, "modbus-agent", lambda c: c.get("watchdog.withheld.safe_unconfirmed", 0) > 2)
    assert len(fed) >= 3
    assert fed[-1] - begun < 0.6 + 0.5 + 2 * PERIOD_S + 1
    server.close()


def test_a_register_that_is_not_there(listener, plc, start):
    start("modbus-agent", config(f"tcp://127.0.0.1:{plc.port}", watchdog={**FED, "address": 99}))
    status = listener.wait(f"{DEVICE}/status", lambda m: m.json["state"] == "degraded")
    assert status.json["reason"] == "exception_2 in feeding the watchdog"
    assert counters(listener, "modbus-agent", lambda c: c.get("watchdog.failed.exception_2", 0) > 2)


# A board on a serial line -----------------------------------------------------------------------------


def greenhouse(port, **watchdog):
    output = {"name": "fan", "pin": 13, "write": "LED,{pin},{ON|OFF}", "state": "fan"}
    poll = {
        "request": "READ_SENSORS", "period": "100ms", "measurement": "sensors",
        "points": [{"name": "temperature", "field": "TEMP"}, {"name": "fan", "field": "FAN", "type": "bool"}],
    }
    return {"devices": [{
        "location": "facility_a", "device": "greenhouse_001", "port": f"tcp://127.0.0.1:{port}", "boot_wait": "500ms",
        "backoff": {"first": "20ms", "max": "200ms"}, "polls": [poll], "actuators": [output],
        "watchdog": {"line": "ALIVE", "period": "200ms", **watchdog},
    }]}


@pytest.fixture
def board(run_program):
    program = run_program("tests/sim/sim-arduino", "--listen", "127.0.0.1:0", "--boot", "50",
                          "--dead-man", str(int(LIMIT_S * 1000)))
    program.port = stand.wait_until(lambda: re.search(r"port=(\d+)", program.log()), what="its port")[1]
    return program


@pytest.mark.alone
@pytest.mark.parametrize("reply", [{"expect": "OK"}, {}], ids=["a line that is answered", "one that is not"])
def test_a_killed_serial_agent(listener, start, board, reply):
    running = start("serial-agent", greenhouse(board.port, **reply))
    listener.wait(f"{GREENHOUSE}/status", lambda m: m.json["state"] == "online")
    assert_result(command(listener, "fan", "ON", device=GREENHOUSE), "ok", None)
    time.sleep(2 * LIMIT_S)
    assert "dead-man" not in board.log()
    killed_ms = now_ms()
    running.kill()
    assert_let_go(board, killed_ms)


def test_polls_do_not_keep_a_board_that_is_fed(listener, start, board, broker):
    """Once fed, a board takes nothing else for a heartbeat: so "broker_lost" counts though it is still asked."""
    start("serial-agent", greenhouse(board.port, expect="OK", broker_lost="300ms"))
    listener.wait(f"{GREENHOUSE}/status", lambda m: m.json["state"] == "online")
    assert_result(command(listener, "fan", "ON", device=GREENHOUSE), "ok", None)
    broker.kill()
    dead_man_ms(board)
    broker.start()


def test_a_line_that_is_not_answered_as_expected(listener, start, board):
    start("serial-agent", {**greenhouse(board.port, expect="YES")})
    listener.wait(f"{GREENHOUSE}/status", lambda m: m.json["reason"] in ("the watchdog is not fed", "no answer"))
    assert counters(listener, "serial-agent", lambda c: c.get("watchdog.failed.timeout", 0) >= 1)
