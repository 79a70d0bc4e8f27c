"""Commands and fail-safes over a wire that loses what goes over it, or is pulled."""

import re
import time

import pytest

import contract
import stand
import wire
from plant import (DEVICE, MODE, PUMP, STEP_S, WATCHDOG, Plc, assert_result, command, config, dead_man_ms, now_ms,  # noqa: F401
                   online, plc)

GREENHOUSE = "iot/facility_a/greenhouse_001"
DEAD_MAN_S = 0.8
SLACK_S = 0.25


@pytest.fixture(autouse=True)
def keeps_the_contract(listener):
    yield
    for message in listener.messages:
        contract.check(message.topic, message.payload)


@pytest.fixture
def wires():
    """wires(Tcp or Terminal, …) opens one until the end of the test."""
    opened = []

    def open_wire(kind, *arguments):
        opened.append(kind(*arguments))
        return opened[-1]

    yield open_wire
    for one in opened:
        one.close()


def writes_mode(request):
    """A request that writes holding register 1: function 6 over TCP and in an RTU frame."""
    return request[7:10] == b"\x06\x00\x01" or request[1:4] == b"\x06\x00\x01"


# The reply to a write is lost, or the write itself ------------------------------------------------------


@pytest.fixture(params=["tcp", "rtu over tcp", "rtu"])
def line(request, plc, wires, tmp_path, start, listener):
    """A wire to the PLC in each of the ways that Modbus goes, and the agent on it."""
    if request.param == "tcp":
        line = wires(wire.Tcp, plc.port)
        url = line.url
    elif request.param == "rtu over tcp":
        line = wires(wire.Tcp, plc.rtu_port)
        url = f"rtu+{line.url}?baud=115200"
    else:
        line = wires(wire.Terminal, plc.rtu_port, tmp_path / "line")
        url = f"rtu://{line.link}?baud=115200&parity=none"
    start("modbus-agent", config(url))
    online(listener)
    return line


def test_the_answer_to_a_write_is_lost(listener, plc, line):
    """What is read back is the truth, and nothing is written twice."""
    line.lose_answer(writes_mode)
    result = command(listener, "mode", {"value": 77, "id": "a"})
    assert_result(result, "ok", None)
    assert (result["value"], result["message"]) == (77, "no answer to the write, but read back as wanted")
    assert line.lost == 1
    assert_result(command(listener, "mode", "78"), "ok", None)
    assert [value for _, _, value in plc.writes(MODE)] == [77, 78]
    listener.wait(f"{DEVICE}/state/mode", lambda m: m.json["command_id"] == "a" and m.json["value"] == 77)


def test_a_write_is_lost(listener, plc, line):
    """It is not tried again: that is for whoever commanded it, who is told."""
    before = plc.value(MODE)
    line.lose_request(writes_mode)
    result = command(listener, "mode", {"value": 77, "id": "a"})
    assert_result(result, "failed", "timeout")
    assert (result["value"], result["message"]) == (before, "no answer to the write, and not read back as wanted")
    assert line.lost == 1
    time.sleep(0.5)
    assert plc.writes(MODE) == []
    assert_result(command(listener, "mode", {"value": 77, "id": "b"}), "ok", None)


# A board on a line ---------------------------------------------------------------------------------------


@pytest.fixture
def board(run_program):
    program = run_program("tests/sim/sim-arduino", "--listen", "127.0.0.1:0", "--boot", "0",
                          "--dead-man", str(int(DEAD_MAN_S * 1000)))
    program.port = int(stand.wait_until(lambda: re.search(r"port=(\d+)", program.log()), what="its port")[1])
    return program


@pytest.fixture
def board_line(board, wires, tmp_path, start, listener):
    line = wires(wire.Terminal, board.port, tmp_path / "tty")
    poll = {
        "request": "READ_SENSORS", "period": "100ms", "measurement": "sensors",
        "points": [{"name": "temperature", "field": "TEMP"}, {"name": "fan", "field": "FAN", "type": "bool"}],
    }
    fan = {"name": "fan", "pin": 13, "write": "LED,{pin},{ON|OFF}", "state": "fan", "safe": False,
           "fail_safe": {"input_stale": "600ms", "inputs": ["temperature"], "broker_lost": "600ms"}}
    start("serial-agent", {"devices": [{
        "location": "facility_a", "device": "greenhouse_001", "port": line.link, "boot_wait": "100ms",
        "reply_timeout": "200ms", "backoff": {"first": "20ms", "max": "100ms"}, "polls": [poll], "actuators": [fan],
        "watchdog": {"line": "ALIVE", "expect": "OK", "period": "200ms"},
    }]})
    listener.wait(f"{GREENHOUSE}/state/fan")
    assert_result(command(listener, "fan", "ON", device=GREENHOUSE), "ok", None)
    return line


def said(line, beginning, since=0.0):
    """Times of the lines that began so."""
    return [at for at, data in line.asked if data.startswith(beginning) and at >= since]


def test_a_board_s_reply_is_lost(listener, board_line):
    board_line.lose_answer(lambda request: request.startswith(b"LED,13"))
    result = command(listener, "fan", "OFF", device=GREENHOUSE)
    assert_result(result, "ok", None)
    assert (result["value"], result["message"]) == (False, "no reply, but read back")
    assert board_line.lost == 1
    assert len(said(board_line, b"LED,13,OFF")) == 1


def test_a_line_to_a_board_is_lost(listener, board_line):
    board_line.lose_request(lambda request: request.startswith(b"LED,13"))
    result = command(listener, "fan", "OFF", device=GREENHOUSE)
    assert_result(result, "failed", "timeout")
    assert result["value"] is True
    assert len(said(board_line, b"LED,13,OFF")) == 1


@pytest.mark.alone
def test_a_serial_agent_whose_broker_is_killed(board_line, broker):
    time.sleep(0.7)  # connected for longer than the limit: nothing happens
    assert not said(board_line, b"LED,13,OFF")
    killed = time.monotonic()
    broker.kill()
    took_s = stand.wait_until(lambda: said(board_line, b"LED,13,OFF"), what="the safe value on the wire")[0] - killed
    print(f"safe value after {took_s:.3f} s, limit 0.6 s")
    assert 0.5 < took_s < 0.6 + 0.1 + SLACK_S
    broker.start()


# The cable is pulled ---------------------------------------------------------------------------------------


@pytest.mark.alone
def test_a_board_s_cable_is_pulled(listener, board, board_line):
    """The device's own dead-man acts meanwhile; the safe value is the first that it hears afterwards."""
    pulled_ms = now_ms()
    board_line.pull()
    took_s = (dead_man_ms(board, pulled_ms) - pulled_ms) / 1000
    assert took_s < DEAD_MAN_S + STEP_S + SLACK_S
    listener.wait(f"{GREENHOUSE}/state/fan", lambda m: m.json["source"] == "failsafe:input_stale")
    plugged = time.monotonic()
    board_line.plug()
    first = stand.wait_until(lambda: [e for e in board_line.asked if e[0] > plugged], what="the agent to be back")[0]
    assert first[1] == b"LED,13,OFF\n"
    listener.wait(f"{GREENHOUSE}/result/fan", lambda m: (m.json["result"], m.json.get("source")) ==
                  ("ok", "failsafe:input_stale"))


@pytest.mark.alone
def test_a_bus_s_cable_is_pulled(listener, run_program, tmp_path, wires, start):
    """The same; one request of the polls may be ahead of it."""
    plc = Plc(run_program, tmp_path, "--watchdog", str(int(DEAD_MAN_S * 1000)))
    line = wires(wire.Terminal, plc.rtu_port, tmp_path / "line")
    pump = {"safe": False, "fail_safe": {"input_stale": "600ms", "inputs": ["pressure"]}}
    start("modbus-agent", config(f"rtu://{line.link}?baud=115200&parity=none", pump=pump,
                                 watchdog={"address": WATCHDOG[1], "period": "200ms"}))
    online(listener)
    assert plc.value(PUMP) == 1
    pulled_ms = now_ms()
    line.pull()
    took_s = (dead_man_ms(plc.program, pulled_ms) - pulled_ms) / 1000
    assert took_s < DEAD_MAN_S + STEP_S + SLACK_S
    assert plc.value(PUMP) == 0
    listener.wait(f"{DEVICE}/state/pump", lambda m: m.json["source"] == "failsafe:input_stale")
    mark = listener.mark()
    plugged = time.monotonic()
    line.plug()
    stand.wait_until(lambda: plc.writes(PUMP, since=pulled_ms), what="the safe value on the wire")
    heard = [data for at, data in line.asked if at > plugged]
    writes = [i for i, data in enumerate(heard) if data[1] in (5, 6)]
    assert writes[0] <= 1 and heard[writes[0]][1:6] == b"\x05\x00\x01\x00\x00", heard[:4]
    assert [value for _, _, value in plc.writes(PUMP, since=pulled_ms)] == [0]
    listener.wait(f"{DEVICE}/status", lambda m: m.json["state"] == "online", since=mark)
    reasons = [m.json.get("reason") or "" for m in listener.find(f"{DEVICE}/status", since=mark)]
    assert not any("watchdog" in reason for reason in reasons), reasons  # away and not fed is told once
