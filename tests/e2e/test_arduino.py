"""The sketch in deploy/arduino and the simulated board hold the same conversations; the sketch fits an Uno."""

import re
import select
import shutil
import socket
import subprocess
import time

import pytest

import stand

TABLE = stand.ROOT / "tests/serial-agent/conversations.txt"
STAND_IN = stand.ROOT / "tests/serial-agent/arduino_stand_in.cpp"
SKETCH = stand.ROOT / "deploy/arduino/fieldline/fieldline.ino"
CORE = stand.Path("/usr/share/arduino/hardware/arduino/avr")
DEAD_MAN_MS = 600


def conversation():
    for line in TABLE.read_text().splitlines():
        if line and not line.startswith("#"):
            yield line.split(" => ", 1)


class Wire:
    """Requests in any pieces, answers by the line."""

    def __init__(self, read_fd, write, close):
        self.read_fd, self.write, self.close = read_fd, write, close
        self.heard = b""

    def line(self):
        while b"\r\n" not in self.heard:
            assert select.select([self.read_fd], [], [], stand.PATIENCE_S)[0], f"only {self.heard!r}"
            data = self.read_fd.recv(4096) if isinstance(self.read_fd, socket.socket) else self.read_fd.read1()
            assert data, "the board is gone"
            self.heard += data
        line, self.heard = self.heard.split(b"\r\n", 1)
        return line.decode()

    def ask(self, *pieces):
        for piece in pieces:
            self.write(piece)
        return self.line()


@pytest.fixture(scope="session")
def sketch(tmp_path_factory):
    program = tmp_path_factory.mktemp("sketch") / "sketch"
    subprocess.run(
        ["g++", "-std=c++11", "-Wall", "-Wextra", "-Werror", "-fsanitize=address,undefined", f'-DSKETCH="{SKETCH}"',
         f"-DDEAD_MAN_MS={DEAD_MAN_MS}UL", "-o", program, STAND_IN], check=True)
    return program


@pytest.fixture(params=["sketch", "simulator"])
def board(request, run_program):
    if request.param == "sketch":
        process = subprocess.Popen([request.getfixturevalue("sketch")], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, bufsize=0)
        stdout = open(process.stdout.fileno(), "rb", closefd=False)
        wire = Wire(stdout, process.stdin.write, lambda: (process.stdin.close(), process.wait(5)))
    else:
        program = run_program("tests/sim/sim-arduino", "--listen", "127.0.0.1:0", "--boot", "50",
                              "--dead-man", str(DEAD_MAN_MS))
        found = stand.wait_until(lambda: re.search(r"port=(\d+)", program.log()), what="its port")
        connection = socket.create_connection(("127.0.0.1", int(found[1])))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        wire = Wire(connection, connection.sendall, connection.close)
    assert wire.line() == "READY"
    yield wire
    wire.close()


def check(request, expected, answer):
    assert re.fullmatch(expected, answer), f"{request}: {answer!r} is not {expected}"


def test_whole(board):
    for request, expected in conversation():
        check(request, expected, board.ask(request.encode() + b"\n"))


def test_cut_at_every_byte(board):
    for request, expected in conversation():
        line = request.encode() + b"\r\n"
        for cut in range(1, len(line) - 1):
            check(request, expected, board.ask(line[:cut], line[cut:]))


def test_byte_by_byte(board):
    for request, expected in conversation():
        check(request, expected, board.ask(*(bytes([b]) for b in request.encode() + b"\r")))


def test_all_at_once(board):
    for request, _ in conversation():
        board.write(request.encode() + b"\n")
    for request, expected in conversation():
        check(request, expected, board.line())


def test_the_dead_man_switches_off(board):
    for pin in 13, 12, 11:
        assert board.ask(b"LED,%d,ON\n" % pin) == "OK"
    until = time.monotonic() + 2 * DEAD_MAN_MS / 1000
    while time.monotonic() < until:  # whoever is heard keeps them on
        time.sleep(DEAD_MAN_MS / 4000)
        assert board.ask(b"READ_SENSORS\n").endswith("FAN:1,IRRIGATION:1,LED:1")
    time.sleep(1.5 * DEAD_MAN_MS / 1000)
    assert board.ask(b"READ_SENSORS\n").endswith("FAN:0,IRRIGATION:0,LED:0")


def test_once_fed_only_a_heartbeat_keeps_them_on(board):
    assert board.ask(b"LED,13,ON\n") == "OK"
    until = time.monotonic() + 2 * DEAD_MAN_MS / 1000
    while time.monotonic() < until:
        time.sleep(DEAD_MAN_MS / 4000)
        assert board.ask(b"ALIVE\n") == "OK"
    assert board.ask(b"READ_SENSORS\n").endswith("FAN:1,IRRIGATION:0,LED:0")
    until = time.monotonic() + 2 * DEAD_MAN_MS / 1000
    while time.monotonic() < until:  # polls alone do not
        time.sleep(DEAD_MAN_MS / 4000)
        answer = board.ask(b"READ_SENSORS\n")
    assert answer.endswith("FAN:0,IRRIGATION:0,LED:0")


@pytest.mark.skipif(not shutil.which("avr-g++") or not CORE.exists(),
                    reason="Debian's gcc-avr, avr-libc and arduino-core-avr are not installed")
def test_it_fits_an_uno(tmp_path):
    flags = ["-mmcu=atmega328p", "-DF_CPU=16000000L", "-DARDUINO=10819", "-DARDUINO_AVR_UNO", "-DARDUINO_ARCH_AVR",
             f"-I{CORE}/cores/arduino", f"-I{CORE}/variants/standard", "-Os", "-ffunction-sections", "-fdata-sections"]
    core = [p for p in (CORE / "cores/arduino").iterdir() if p.suffix in (".c", ".cpp", ".S")]
    subprocess.run(["avr-g++", *flags, "-std=gnu++11", "-fno-exceptions", "-fno-threadsafe-statics", "-Wall", "-Wextra",
                    "-Werror", "-include", "Arduino.h", "-x", "c++", "-c", SKETCH, "-o", tmp_path / "sketch.o"], check=True)
    for source in core:
        compiler = "avr-g++" if source.suffix == ".cpp" else "avr-gcc"
        # Debian's compiler is older than the core: its C++ does not know C11's DECIMAL_DIG.
        extra = ["-fno-exceptions", "-fno-threadsafe-statics", "-std=gnu++11", "-DDECIMAL_DIG=17"] if source.suffix == ".cpp" else []
        subprocess.run([compiler, *flags, *extra, "-w", "-c", source, "-o", tmp_path / f"{source.name}.o"], check=True)
    subprocess.run(["avr-gcc", "-mmcu=atmega328p", "-Os", "-Wl,--gc-sections", "-o", tmp_path / "sketch.elf",
                    *tmp_path.glob("*.o"), "-lm"], check=True)
    sizes = subprocess.run(["avr-size", tmp_path / "sketch.elf"], check=True, capture_output=True, text=True).stdout
    text, data, bss = map(int, sizes.splitlines()[1].split()[:3])
    assert text + data < 32256 and data + bss < 1536, sizes
