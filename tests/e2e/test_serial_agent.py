"""serial-agent against real brokers, real terminals and the simulated Arduino."""

import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import threading
import time

import pytest

import contract
import serial_board
import stand

DEVICE = "iot/facility_a/greenhouse_001"
READING = b"TEMP:23.5,HUM:61.0,FAN:%d\r\n"


def config(port, **changes):
    device = {
        "location": "facility_a",
        "device": "greenhouse_001",
        "port": port,
        "baud": 115200,
        "boot_wait": "2s",
        "reply_timeout": "200ms",
        "offline_after": 2,
        "breaker": {"threshold": 4, "open": "500ms"},
        "backoff": {"first": "20ms", "max": "200ms"},
        "polls": [
            {
                "request": "READ_SENSORS",
                "period": "100ms",
                "measurement": "sensors",
                "points": [
                    {"name": "temperature", "field": "TEMP", "unit": "°C"},
                    {"name": "humidity", "field": "HUM", "valid": {"min": 0, "max": 100}},
                    {"name": "fan", "field": "FAN", "type": "bool"},
                ],
            }
        ],
        "actuators": [
            {"name": "fan", "pin": 13, "write": "LED,{pin},{ON|OFF}", "state": "fan"},
            {"name": "alarm", "pin": 99, "write": "LED,{pin},{ON|OFF}"},
        ],
    }
    device.update(changes)
    return {"devices": [device]}


class Board:
    """A board on the far end of a pseudo-terminal, played by this test line by line."""

    def __init__(self, link):
        self.link = link
        self.fan = False
        self.hangs = False
        self.refuses = False  # keeps its outputs as they are and says OK all the same
        self.heard = []
        self.manner = "whole"
        self.cut = 0
        self.master = None

    def plug(self):
        self.master, slave = pty.openpty()
        name = os.ttyname(slave)
        os.close(slave)
        if os.path.islink(self.link):
            os.unlink(self.link)
        os.symlink(name, self.link)
        self.thread = threading.Thread(target=self._talk, args=(self.master,), daemon=True)
        self.thread.start()

    def unplug(self):
        os.unlink(self.link)
        master, self.master = self.master, None
        self.thread.join(stand.PATIENCE_S)
        os.close(master)

    def say(self, data):
        os.write(self.master, data)

    def _talk(self, master):
        pending = b""
        while self.master == master:
            if not select.select([master], [], [], 0.01)[0]:
                continue
            try:
                pending += os.read(master, 256)
            except OSError:  # EIO: nobody has the other end open
                time.sleep(0.01)
                continue
            *lines, pending = pending.split(b"\n")
            for line in lines:
                self._answer(master, line)

    def _pieces(self, data):
        if self.manner == "byte by byte":
            return [data[i : i + 1] for i in range(len(data))]
        if self.manner == "cut at every byte":
            self.cut += 1
            cut = self.cut % len(data)
            return [data[:cut], data[cut:]]
        return [data]

    def _say(self, master, data):
        for piece in self._pieces(data):
            os.write(master, piece)
            if piece != data:
                time.sleep(0.001)  # so that they are not read together

    def _answer(self, master, line):
        self.heard.append(line)
        if self.hangs:
            return
        if line == b"READ_SENSORS":
            self._say(master, READING % self.fan)
        elif line in (b"LED,13,ON", b"LED,13,OFF"):
            self.fan = self.fan if self.refuses else line.endswith(b"ON")
            self._say(master, b"OK\r\n")
        else:
            self._say(master, b"ERR,no such pin\r\n")


@pytest.fixture
def board(tmp_path):
    board = Board(str(tmp_path / "ttyBoard"))
    board.plug()
    yield board
    if board.master is not None:
        board.unplug()


@pytest.fixture
def agent(start, listener, board):
    """An agent that has read the board; afterwards all that it said must keep the contract."""
    agent = start("serial-agent", config(board.link, boot_wait="0ms"))
    listener.wait(f"{DEVICE}/status", lambda m: m.json["state"] == "online")
    listener.wait(f"{DEVICE}/telemetry/sensors")
    yield agent
    for message in listener.messages:
        if "/command/" not in message.topic and "/_reply/" not in message.topic:
            contract.check(message.topic, message.payload)


def command(listener, actuator, payload):
    """Publishes a command and returns its result."""
    mark = listener.mark()
    listener.publish(f"{DEVICE}/command/{actuator}", payload)
    return listener.wait(f"{DEVICE}/result/{actuator}", since=mark).json


def test_telemetry_meta_and_birth(agent, listener):
    reading = listener.wait(f"{DEVICE}/telemetry/sensors")
    assert reading.retain
    assert reading.json["values"] == {"temperature": 23.5, "humidity": 61, "fan": False}
    assert "bad" not in reading.json
    assert abs(reading.json["ts"] - time.time() * 1000) < 10000

    listener.wait(f"{DEVICE}/telemetry/sensors", lambda m: m.json["seq"] >= 5)
    readings = listener.find(f"{DEVICE}/telemetry/sensors")
    assert [m.json["seq"] for m in readings] == list(range(1, len(readings) + 1))

    meta = listener.wait(f"{DEVICE}/meta").json
    assert [p["name"] for p in meta["points"]] == ["temperature", "humidity", "fan"]
    assert [a["name"] for a in meta["actuators"]] == ["fan", "alarm"]


def test_command_result_state_and_truth(agent, listener, board):
    result = command(listener, "fan", "ON")
    assert (result["result"], result["value"]) == ("ok", True)
    assert board.fan
    assert listener.wait(f"{DEVICE}/state/fan", lambda m: m.json["value"] is True).retain

    command_id = {"value": "OFF", "id": "a1", "source": "operator"}
    assert command(listener, "fan", command_id)["result"] == "ok"
    state = listener.wait(f"{DEVICE}/state/fan", lambda m: m.json["command_id"] == "a1").json
    assert (state["value"], state["source"]) == (False, "operator")

    board.fan = True  # somebody turns the knob
    mark = listener.mark()
    state = listener.wait(f"{DEVICE}/state/fan", since=mark).json
    assert (state["value"], state["source"]) == (True, "device")


def test_what_is_not_so_is_not_ok(agent, listener, board):
    board.refuses = True
    result = command(listener, "fan", "ON")
    assert (result["result"], result["reason"], result["value"]) == ("failed", "verify_failed", False)
    result = command(listener, "alarm", "ON")
    assert (result["result"], result["reason"]) == ("failed", "verify_failed")
    assert "ERR,no such pin" in result["message"]
    assert command(listener, "siren", "ON")["reason"] == "unknown_actuator"
    assert command(listener, "fan", "maybe")["reason"] == "bad_value"
    assert command(listener, "fan", '{"value":')["reason"] == "bad_payload"


def test_retained_and_repeated_commands_do_not_write(agent, listener, board):
    mark = listener.mark()
    listener.publish(f"{DEVICE}/command/fan", "ON", retain=True)
    assert listener.wait(f"{DEVICE}/result/fan", since=mark).json["reason"] == "retained"
    assert command(listener, "fan", {"value": True, "id": "x"})["result"] == "ok"
    assert command(listener, "fan", {"value": True, "id": "x"})["reason"] == "duplicate"
    assert board.heard.count(b"LED,13,ON") == 1


def test_the_response_topic_gets_the_same_bytes(agent, listener):
    mark = listener.mark()
    listener.publish(f"{DEVICE}/command/fan", "ON", reply="iot/_reply/me", correlation=b"\x01\x02")
    answer = listener.wait("iot/_reply/me", since=mark)
    assert answer.correlation == b"\x01\x02"
    assert answer.payload == listener.wait(f"{DEVICE}/result/fan", since=mark).payload

    mark = listener.mark()
    listener.publish(f"{DEVICE}/command/fan", "ON", reply=f"{DEVICE}/command/alarm")
    listener.wait(f"{DEVICE}/result/fan", since=mark)
    assert command(listener, "fan", "OFF")["result"] == "ok"
    assert not listener.find(f"{DEVICE}/command/alarm")


def test_unplugged_and_plugged_in_again(agent, listener, board):
    before = serial_board.descriptors(agent.process.pid)
    for _ in range(5):
        mark = listener.mark()
        board.unplug()
        listener.wait(f"{DEVICE}/status", lambda m: m.json["state"] == "offline", since=mark)
        assert command(listener, "fan", "ON")["reason"] == "device_offline"
        mark = listener.mark()
        board.plug()
        listener.wait(f"{DEVICE}/status", lambda m: m.json["state"] == "online", since=mark)
    assert command(listener, "fan", "ON")["result"] == "ok"
    assert serial_board.descriptors(agent.process.pid) == before


@pytest.mark.parametrize("manner", ["whole", "cut at every byte", "byte by byte"])
def test_a_conversation_in_pieces(start, listener, board, manner):
    board.manner = manner
    settings = config(board.link, boot_wait="0ms", reply_timeout="5s")
    settings["devices"][0]["polls"][0]["period"] = "10ms"
    start("serial-agent", settings)
    listener.wait(f"{DEVICE}/telemetry/sensors")
    for value in ("ON", "OFF") * 5:
        result = command(listener, "fan", value)
        assert (result["result"], result["value"]) == ("ok", value == "ON")
    assert command(listener, "alarm", "ON")["reason"] == "verify_failed"
    enough = 2 * len(READING)
    listener.wait(f"{DEVICE}/telemetry/sensors", lambda m: m.json["seq"] >= enough)
    read = [m.json for m in listener.find(f"{DEVICE}/telemetry/sensors")]
    assert [r["seq"] for r in read] == list(range(1, len(read) + 1))
    for reading in read:
        assert reading["values"] == {"temperature": 23.5, "humidity": 61, "fan": reading["values"]["fan"]}


def test_garbage_is_survived_and_counted(agent, listener, board):
    mark = listener.mark()
    board.say(b"\x00\xff\xfe" + bytes(range(128, 250)) + b"\n" + b"x" * 5000 + b"\nnonsense\n")
    seq = listener.wait(f"{DEVICE}/telemetry/sensors", since=mark).json["seq"]
    reading = listener.wait(f"{DEVICE}/telemetry/sensors", lambda m: m.json["seq"] > seq + 1).json
    assert reading["values"]["temperature"] == 23.5
    counters = listener.wait(
        "iot/_service/+/health",
        lambda m: m.json["counters"].get("dropped.bad_lines"),
        timeout_s=stand.PATIENCE_S + 10,
    ).json["counters"]
    assert counters["dropped.long_lines"] == 1
    assert counters["bytes.bad"] >= 100
    assert counters["lines.unexpected"] >= 1


def test_a_broken_value_is_named_and_the_others_stay(agent, listener, board):
    mark = listener.mark()
    board.hangs = True
    listener.wait(f"{DEVICE}/status", lambda m: m.json["state"] == "degraded", since=mark)
    bad = listener.wait(f"{DEVICE}/telemetry/sensors", lambda m: "bad" in m.json, since=mark).json
    assert bad["bad"] == {"temperature": "timeout", "humidity": "timeout", "fan": "timeout"}
    assert bad["values"] == {}

    mark = listener.mark()
    stop = threading.Event()

    def say_it():  # whenever a poll waits, this is its answer
        while not stop.wait(0.02):
            board.say(b"TEMP:2x,HUM:161\r\n")

    thread = threading.Thread(target=say_it)
    thread.start()
    try:
        reading = listener.wait(
            f"{DEVICE}/telemetry/sensors",
            lambda m: m.json.get("bad", {}).get("temperature") == "not_a_number",
            since=mark,
        ).json
    finally:
        stop.set()
        thread.join()
    assert reading["bad"] == {
        "temperature": "not_a_number",
        "humidity": "out_of_range",
        "fan": "missing",
    }


def test_a_board_that_hangs_is_spared_and_found_again(agent, listener, board):
    mark = listener.mark()
    board.hangs = True
    listener.wait(f"{DEVICE}/status", lambda m: m.json["state"] == "degraded", since=mark)
    listener.wait(f"{DEVICE}/status", lambda m: m.json["state"] == "offline", since=mark)
    listener.wait(f"{DEVICE}/status", lambda m: m.json["breaker"] == "open", since=mark)
    assert command(listener, "fan", "ON")["reason"] == "device_offline"
    mark = listener.mark()
    board.hangs = False
    listener.wait(f"{DEVICE}/status", lambda m: m.json["state"] == "online", since=mark)
    assert command(listener, "fan", "ON")["result"] == "ok"


def test_a_command_to_a_board_that_just_hung_times_out(agent, listener, board):
    board.hangs = True
    result = command(listener, "fan", "ON")
    assert (result["result"], result["reason"]) in [("failed", "timeout"), ("rejected", "device_offline")]
    assert not board.fan


def test_the_broker_comes_back(agent, listener, broker, board):
    mark = listener.mark()
    broker.stop()
    broker.start()
    birth = listener.wait(
        "iot/_service/serial-agent/status", lambda m: m.json["state"] == "online", since=mark
    )
    assert birth.retain
    for what in ("meta", "status", "telemetry/sensors"):  # the broker forgot what it had retained
        listener.wait(f"{DEVICE}/{what}", since=mark)
    assert command(listener, "fan", "ON")["result"] == "ok"


def test_a_new_configuration_is_taken_and_a_bad_one_is_not(agent, listener, broker, board):
    new = config(board.link, boot_wait="0ms", device="greenhouse_002")
    new["mqtt"] = {"url": broker.url}
    agent.write(new | {"devises": []})
    mark = listener.mark()
    agent.signal(signal.SIGHUP)
    stand.wait_until(lambda: "devises" in agent.log(), what="the complaint")
    listener.wait(f"{DEVICE}/telemetry/sensors", since=mark)

    agent.write(new)
    agent.signal(signal.SIGHUP)
    listener.wait("iot/facility_a/greenhouse_002/telemetry/sensors")
    listener.wait(f"{DEVICE}/status", lambda m: m.json["state"] == "offline")
    mark = listener.mark()
    listener.publish("iot/facility_a/greenhouse_002/command/fan", "ON")
    result = listener.wait("iot/facility_a/greenhouse_002/result/fan", since=mark)
    assert result.json["result"] == "ok"


def test_it_leaves_cleanly(agent, listener, board):
    mark = listener.mark()
    assert agent.stop() == 0
    status = listener.wait(
        f"{DEVICE}/status", lambda m: m.json["state"] == "offline", since=mark
    ).json
    assert status["reason"] == "agent_stopped"


def test_two_agents_do_not_share_a_port(agent, board, tmp_path, broker):
    other = tmp_path / "other.json"
    other.write_text(json.dumps(config(board.link) | {"mqtt": {"url": broker.url}}))
    answer = subprocess.run(
        [stand.BUILD / "serial-agent", "--config", other, "--once"],
        capture_output=True, text=True, timeout=30,
    )
    assert answer.returncode == 69
    assert f"in use by process {agent.process.pid} (serial-agent)" in answer.stdout


CONTAINER = """
import fcntl, os, struct, subprocess, sys
folder, number = "/dev/pts", int(sys.argv[1])
subprocess.run(["mount", "-t", "devpts", "-o", "newinstance,ptmxmode=666", "devpts", folder], check=True)
masters = [os.open(folder + "/ptmx", os.O_RDWR) for _ in range(number + 1)]
fcntl.ioctl(masters[-1], 0x40045431, struct.pack("i", 0))  # TIOCSPTLCK
slave = os.open(f"{folder}/{number}", os.O_RDWR | os.O_NOCTTY)
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
def test_another_containers_terminal_of_the_same_number_is_another(agent, listener, board, tmp_path, broker):
    """As test_two_agents…, while another process has a terminal open that only looks the same."""
    number = os.readlink(board.link).rsplit("/", 1)[1]
    container = subprocess.Popen(
        ["unshare", "-m", "python3", "-c", CONTAINER, number], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        if container.stdout.readline() != b"ready\n":
            pytest.skip("root of this machine may not mount")
        agent.kill()
        mark = listener.mark()
        agent.start()  # with a higher id: found later, if /proc lists in their order
        listener.wait(f"{DEVICE}/status", lambda m: m.json["state"] == "online", since=mark)
        test_two_agents_do_not_share_a_port(agent, board, tmp_path, broker)
    finally:
        container.communicate()


def simulator(run_program, *arguments):
    """A simulated Arduino on a free TCP port; returns its url."""
    program = run_program("tests/sim/sim-arduino", "--listen", "127.0.0.1:0", *arguments)
    found = stand.wait_until(lambda: re.search(r"port=(\d+)", program.log()), what="its port")
    return f"tcp://localhost:{found[1]}"


def simulator_on_a_terminal(run_program, tmp_path, *arguments):
    link = tmp_path / "ttyGreenhouse"
    run_program("tests/sim/sim-arduino", "--pty", link, *arguments)
    stand.wait_until(link.exists, what="the simulator's terminal")
    return str(link)


@pytest.mark.parametrize("wire", ["tcp", "terminal"])
def test_the_simulated_greenhouse(run_program, start, listener, tmp_path, wire):
    options = ("--boot", "300", "--speed", "60")
    if wire == "tcp":
        port = simulator(run_program, *options)
    else:
        port = simulator_on_a_terminal(run_program, tmp_path, *options)
    start("serial-agent", config(port))
    before = listener.wait(f"{DEVICE}/telemetry/sensors").json["values"]
    assert command(listener, "fan", "ON")["result"] == "ok"
    listener.wait(f"{DEVICE}/telemetry/sensors", lambda m: m.json["values"].get("fan") is True)
    listener.wait(
        f"{DEVICE}/telemetry/sensors",
        lambda m: m.json["values"].get("temperature", 99) < before["temperature"] - 1,
        timeout_s=30,
    )


def test_a_tcp_board_that_closes_is_found_again(start, listener):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(stand.PATIENCE_S)
        start("serial-agent", config(f"tcp://127.0.0.1:{server.getsockname()[1]}", boot_wait="0ms"))
        for _ in range(3):
            mark = listener.mark()
            connection, _address = server.accept()
            assert b"READ_SENSORS\n" == connection.recv(64)
            connection.sendall(READING % 0)
            listener.wait(f"{DEVICE}/status", lambda m: m.json["state"] == "online", since=mark)
            connection.close()
            listener.wait(f"{DEVICE}/status", lambda m: m.json["state"] == "offline", since=mark)


def test_json_replies_and_once(run_program, tmp_path):
    url = simulator(run_program, "--boot", "100")
    polls = [
        {
            "request": "GET_DATA",
            "measurement": "sensors",
            "format": "json",
            "points": [{"name": "temperature", "field": "temp"}, {"name": "fan", "type": "bool"}],
        }
    ]
    path = tmp_path / "once.json"
    path.write_text(json.dumps(config(url, polls=polls, actuators=[])))
    answer = subprocess.run(
        [stand.BUILD / "serial-agent", "--config", path, "--once"],
        capture_output=True, text=True, timeout=30,
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "> GET_DATA\\n\n" in answer.stdout
    assert re.search(r'< \{"temp":.*\}\\r\\n\n', answer.stdout)
    assert re.search(r"temperature +[0-9.]+ +\(temp\)", answer.stdout)
    assert re.search(r"fan +false", answer.stdout)
