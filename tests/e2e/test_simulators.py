"""The simulators as a program meets them: over TCP, over a pseudo-terminal, with faults."""

import os
import select
import socket
import struct
import subprocess
import time
import tty

import pytest

import stand

ARDUINO = stand.BUILD / "tests/sim/sim-arduino"
PLC = stand.BUILD / "tests/sim/sim-plc"
READ_PRESSURE = bytes([4, 0, 5, 0, 1])
START_COOLING = bytes([5, 0, 0, 0xFF, 0])


class Simulator:
    """A simulator whose standard output is read line by line."""

    def __init__(self, program, *arguments):
        if not program.exists():
            pytest.skip(f"{program} is not built")
        self.process = subprocess.Popen(
            [program, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.port = int(self.line().rpartition("=")[2]) if "--listen" in arguments else None

    def line(self):
        return self.process.stdout.readline().strip()

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=stand.PATIENCE_S)

    def stop(self):
        self.process.terminate()
        return self.process.wait(stand.PATIENCE_S)


@pytest.fixture
def simulate():
    running = []

    def run(program, *arguments):
        running.append(Simulator(program, *arguments))
        return running[-1]

    yield run
    for simulator in running:
        assert simulator.stop() == 0


def lines(connection):
    return connection.makefile("rwb", buffering=0)


def ask(board, request):
    board.write(request + b"\n")
    return board.readline()


def read_for(fd, seconds, size=1):
    """What comes within `seconds`, until `size` bytes are there."""
    data, end = b"", time.monotonic() + seconds
    while len(data) < size and select.select([fd], [], [], max(0, end - time.monotonic()))[0]:
        data += os.read(fd, 1024)
    return data


def open_raw(path):
    fd = os.open(path, os.O_RDWR | os.O_NOCTTY)
    tty.setraw(fd)
    return fd


def test_board_boots_and_several_clients_share_it(simulate):
    board = simulate(ARDUINO, "--listen", "127.0.0.1:0", "--boot", 300)
    begun = time.monotonic()
    one, two = lines(board.connect()), lines(board.connect())
    one.write(b"LED,13,ON\n")  # into the boot: not heard
    assert one.readline() == b"READY\r\n"
    assert time.monotonic() - begun >= 0.29
    assert two.readline() == b"READY\r\n"
    assert b",FAN:0," in ask(two, b"READ_SENSORS")
    assert ask(one, b"LED,13,ON") == b"OK\r\n"
    assert b",FAN:1," in ask(two, b"READ_SENSORS")
    assert b'"fan":true' in ask(two, b"GET_DATA")
    assert ask(two, b"x" * 1000).startswith(b"ERR,")


def test_the_fan_cools(simulate):
    board = simulate(ARDUINO, "--listen", "127.0.0.1:0", "--boot", 0, "--speed", 20)
    client = lines(board.connect())
    client.readline()
    ask(client, b"SIM,SET,temp,28.0")
    ask(client, b"LED,13,ON")

    def cooled():
        return float(ask(client, b"READ_SENSORS").split(b",")[0][5:]) < 26

    stand.wait_until(cooled, timeout_s=4, what="26 °C")


def test_board_on_a_pseudo_terminal(simulate, tmp_path):
    link = tmp_path / "board"
    board = simulate(ARDUINO, "--pty", link, "--boot", 100)
    assert board.line() == f"serving pty={link}"
    for _ in range(5):  # every opening resets it
        fd = open_raw(link)
        assert read_for(fd, 5, 7) == b"READY\r\n"
        os.write(fd, b"LED,11,ON\n")
        assert read_for(fd, 5, 4) == b"OK\r\n"
        os.close(fd)
    assert board.stop() == 0
    assert not os.path.lexists(link)


def test_board_faults_at_run_time(simulate):
    board = simulate(ARDUINO, "--listen", "127.0.0.1:0", "--boot", 0, "--fault", "slow=50")
    client = lines(board.connect())
    client.readline()
    begun = time.monotonic()
    ask(client, b"READ_SENSORS")
    assert time.monotonic() - begun >= 0.04
    assert ask(client, b"SIM,slow,0") == b"OK\r\n"
    assert ask(client, b"SIM,silent,1") == b"OK\r\n"
    client.write(b"READ_SENSORS\n")
    assert ask(client, b"SIM,silent,0") == b"OK\r\n"
    assert ask(client, b"READ_SENSORS").startswith(b"TEMP:")


def modbus(connection, unit, pdu, transaction=7):
    connection.send(struct.pack(">HHHB", transaction, 0, 1 + len(pdu), unit) + pdu)
    answer = connection.recv(300)
    assert answer[:4] == struct.pack(">HH", transaction, 0)
    return answer[7:]


def crc(frame):
    value = 0xFFFF
    for byte in frame:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ 0xA001 if value & 1 else value >> 1
    return frame + struct.pack("<H", value)


def control(path, line):
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(str(path))
        s.send(line.encode() + b"\n")
        return s.recv(200).decode().strip()


def test_plc_over_tcp(simulate, tmp_path):
    path = tmp_path / "control"
    plc = simulate(
        PLC, "--listen", "127.0.0.1:0", "--units", "1,2", "--control", path, "--log-writes"
    )
    with plc.connect() as one, plc.connect() as two:
        assert control(path, "set input 5 35") == "ok"
        assert modbus(one, 1, READ_PRESSURE) == bytes([4, 2, 0, 35])
        assert modbus(two, 2, READ_PRESSURE) != bytes([4, 2, 0, 35])
        assert modbus(two, 9, READ_PRESSURE) == bytes([0x84, 11])
        assert modbus(two, 1, START_COOLING) == START_COOLING
        assert plc.line().split()[2:] == ["unit=1", "table=coil", "address=0", "value=1"]
        assert control(path, "get coil 0") == "1"
        assert control(path, "fault late 2 150") == "ok"
        begun = time.monotonic()
        one.send(struct.pack(">HHHB", 1, 0, 6, 2) + READ_PRESSURE)
        one.send(struct.pack(">HHHB", 2, 0, 6, 1) + READ_PRESSURE)
        assert one.recv(11)[:2] == b"\0\2"  # who is not late goes first
        assert one.recv(11)[:2] == b"\0\1"
        assert time.monotonic() - begun >= 0.14
        assert control(path, "fault none") == "ok"
        assert control(path, "fault silent 9").startswith("error")
        one.send(b"\0\1\0\5\0\6\1" + READ_PRESSURE)  # no Modbus: it hangs up
        assert one.recv(10) == b""
    assert plc.stop() == 0
    assert not path.exists()


def test_plc_on_a_serial_line(simulate, tmp_path):
    link = tmp_path / "line"
    simulate(PLC, "--rtu-pty", link, "--units", "1,2").line()
    fd = open_raw(link)
    request = crc(b"\1" + READ_PRESSURE)
    for _ in range(20):  # other units' requests are passed over, and it does not go deaf
        os.write(fd, crc(b"\x09" + READ_PRESSURE))
        os.write(fd, request)
        answer = read_for(fd, 5, 7)
        assert answer == crc(answer[:-2]) and answer[:3] == b"\1\4\2"
    os.write(fd, request[:5])  # cut: silence ends it
    assert read_for(fd, 0.1) == b""
    for byte in request:
        os.write(fd, bytes([byte]))
    assert len(read_for(fd, 5, 7)) == 7
    os.write(fd, request[:-1] + b"x")  # a wrong CRC is not answered
    assert read_for(fd, 0.1) == b""
    os.write(fd, crc(b"\1\x2b\x0e\1\0"))  # a function it does not know
    assert read_for(fd, 5, 5) == crc(b"\1\xab\1")
    os.close(fd)


@pytest.mark.parametrize(
    "program, arguments, code",
    [
        (PLC, [], 64),
        (PLC, ["--listen", "127.0.0.1:0", "--units", "0"], 64),
        (PLC, ["--listen", "127.0.0.1:0", "--fault", "silent=9"], 64),
        (PLC, ["--rtu", "/nowhere"], 69),
        (ARDUINO, [], 64),
        (ARDUINO, ["--listen", "127.0.0.1:0", "--fault", "loud=1"], 64),
        (ARDUINO, ["--listen", "nonsense"], 69),
        (ARDUINO, ["--help"], 0),
        (PLC, ["--help"], 0),
    ],
)
def test_usage(program, arguments, code):
    if not program.exists():
        pytest.skip(f"{program} is not built")
    done = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=10)
    assert done.returncode == code
    assert done.stdout if code == 0 else done.stderr
