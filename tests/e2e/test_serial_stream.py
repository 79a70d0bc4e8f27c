"""serial-agent and boards that talk by themselves: streams, gaps, replugging, floods, remedies, replies."""

import json
import os
import signal
import subprocess
import time

import pytest

import contract
import serial_board
import stand
from serial_board import DEVICE, SENSORS, Talker, config, readings, wait_reading


@pytest.fixture
def talker(tmp_path):
    talker = Talker(tmp_path / "ttyTalker")
    talker.plug()
    yield talker.start()
    talker.end()


def counters(listener, predicate):
    """The counters of the first health from now on that satisfies the predicate."""
    return listener.wait(
        "iot/_service/+/health", lambda m: predicate(m.json["counters"]),
        since=listener.mark(), timeout_s=stand.PATIENCE_S + 25,
    ).json["counters"]


def test_a_stream_is_published_line_by_line(start, listener, talker):
    start("serial-agent", config(talker.link))
    wait_reading(listener, lambda r: r["seq"] >= 100)
    numbers = [r["values"]["n"] for r in readings(listener)]
    assert numbers == list(range(int(numbers[0]), int(numbers[0]) + len(numbers)))
    assert len(listener.find(SENSORS)) < len(numbers) / 2  # a line each 2 ms: several in a message
    for message in listener.find(SENSORS):
        contract.check(message.topic, message.payload)

    mark = listener.mark()
    talker.quiet = True
    bad = wait_reading(listener, lambda r: "bad" in r, since=mark)
    assert bad["bad"] == {"temperature": "timeout", "n": "timeout"}
    listener.wait(f"{DEVICE}/status", lambda m: m.json["state"] == "offline", since=mark)
    talker.quiet = False
    mark = listener.mark()
    listener.wait(f"{DEVICE}/status", lambda m: m.json["state"] == "online", since=mark)


def test_lines_in_one_go_are_one_message(start, listener, talker):
    """In their order, each with a time of its own; a lone line does not wait for company."""
    talker.quiet = True
    stream = dict(config("")["devices"][0]["streams"][0], gather="10s", silence="20s")
    start("serial-agent", config(talker.link, streams=[stream]))
    listener.wait(f"{DEVICE}/meta")
    stand.wait_until(lambda: talker.say(b"TEMP:1,N:1\n" * 5) and listener.find(SENSORS), what="a message")
    first = listener.find(SENSORS)[0].json
    assert [r["seq"] for r in first] == list(range(1, len(first) + 1))
    assert len(first) % 5 == 0 and len({r["ts"] for r in first}) == len(first)


def test_what_waits_is_sent_before_the_agent_leaves(start, listener, talker):
    talker.quiet = True
    stream = dict(config("")["devices"][0]["streams"][0], gather="50s", silence="60s")
    agent = start("serial-agent", config(talker.link, streams=[stream]))
    listener.wait(f"{DEVICE}/meta")
    alone = stand.wait_until(lambda: talker.say(b"TEMP:0,N:0\n") and listener.find(SENSORS), what="a message")[0]
    assert alone.readings[0]["values"]["n"] == 0
    talker.say(b"TEMP:2,N:8\n")
    talker.say(b"TEMP:3,N:9\n")
    stand.wait_until(lambda: agent.stop() == 0, what="the end")
    stand.wait_until(lambda: readings(listener)[-1]["values"]["n"] == 9, what="the last line")
    assert [r["seq"] for r in readings(listener)] == list(range(1, len(readings(listener)) + 1))


def test_what_is_said_while_the_broker_is_away_comes_later(start, listener, talker, broker, tmp_path):
    service = {"service": {"state_dir": str(tmp_path / "state")}, "backlog": {"memory": "0"}}
    agent = start("serial-agent", config(talker.link) | service)
    wait_reading(listener, lambda r: r["seq"] >= 50)
    broker.kill()
    away = talker.number + 50
    stand.wait_until(lambda: talker.number >= away + 300, what="lines that nobody can be told")
    agent.signal(signal.SIGSTOP)  # until the listener listens again
    talker.quiet = True
    broker.start()
    listener.wait_granted()
    agent.signal(signal.SIGCONT)
    talker.quiet = False
    wait_reading(listener, lambda r: r["values"].get("n", 0) >= away + 400)
    read = [r["values"]["n"] for r in readings(listener) if "n" in r["values"]]
    assert set(read) >= set(range(away, away + 300))
    assert [n for n in read if n >= away] == sorted(set(n for n in read if n >= away))
    for message in listener.find(SENSORS):
        contract.check(message.topic, message.payload)


def test_replugged_200_times_under_streaming(start, listener, talker, monkeypatch):
    monkeypatch.setenv("ASAN_OPTIONS", "quarantine_size_mb=0:thread_local_quarantine_size_kb=0")  # what is freed is free
    agent = start("serial-agent", config(talker.link))
    first = wait_reading(listener)["values"]["n"]
    pid = agent.process.pid
    before = serial_board.descriptors(pid)
    talker.replug(50)
    warm_kib = serial_board.resident_kib(pid)
    talker.replug(150)
    stand.wait_until(lambda: serial_board.descriptors(pid) == before, what="the same descriptors")
    assert serial_board.resident_kib(pid) - warm_kib < 1024
    last = talker.number + 5
    stand.wait_until(lambda: talker.number >= last, what="lines after the last plug")
    talker.quiet = True
    time.sleep(0.2)
    sent = talker.number - int(first) + 1

    def all_accounted(c):
        return c["lines.streamed"] + c["lines.missed"] == sent

    counted = counters(listener, all_accounted)
    assert counted["lines.missed"] > 100
    assert counted["links.opened"] > 100
    assert counted["links.lost"] >= counted["links.opened"] - 1


def test_a_flood_is_bounded_and_the_newest_kept(start, listener, talker):
    stream = dict(config("")["devices"][0]["streams"][0], interval="100ms")
    start("serial-agent", config(talker.link, streams=[stream]))
    wait_reading(listener, lambda r: r["seq"] >= 12)
    for _ in range(20):
        read = readings(listener)
        time.sleep(0.1)
        newest = talker.number
    assert newest - read[-1]["values"]["n"] < 400
    counted = counters(listener, lambda c: c["dropped.thinned"] > 500)
    assert counted["lines.missed"] == 0
    published = len(readings(listener))
    assert published * 10 < counted["lines.streamed"]


def test_broken_lines_do_not_become_readings(start, listener, talker):
    talker.quiet = True
    device = {"checksum": {"kind": "nmea"}}
    start("serial-agent", config(talker.link, **device))
    listener.wait(f"{DEVICE}/meta")

    def nmea(text):
        sum_ = 0
        for byte in text:
            sum_ ^= byte
        return text + b"*%02X\r\n" % sum_

    good = nmea(b"TEMP:1,N:1")
    stand.wait_until(lambda: talker.say(good) and readings(listener), what="a reading")
    mark = listener.mark()
    talker.say(b"TEMP:2,N:2*00\r\n" + good.replace(b"TEMP:1", b"TEMP:7") + b"TEMP:3,N:3\r\n")
    talker.say(nmea(b"TEMP:4,N:4")[:9])  # and its end never comes in time
    wait_reading(listener, lambda r: "bad" in r, since=mark)
    talker.say(b"4*55\r\n" + nmea(b"TEMP:5,N:5"))
    wait_reading(listener, lambda r: r["values"].get("n") == 5, since=mark)
    values = [r["values"] for r in readings(listener, since=mark)]
    assert all(v in ({}, {"temperature": 1, "n": 1}, {"temperature": 5, "n": 5}) for v in values)
    counted = counters(listener, lambda c: c["dropped.cut_lines"] == 1)
    assert counted["dropped.bad_checksums"] == 3


class Parrot(Talker):
    """Streams its valve, and takes "V<n>" for it, by echo or in silence."""

    valve, mute = b"0", False

    def _talk(self):
        heard = b""
        while not self._ends.wait(0.02):
            try:
                heard += os.read(self.master, 64)
            except (OSError, TypeError):
                pass
            *lines, heard = heard.split(b"\n")
            for line in lines:
                if line.startswith(b"V"):
                    self.valve = line[1:]
                    self.mute or self.say(line + b"\r\n")
            self.say(b"$VALVE;" + self.valve + b"\n")


@pytest.mark.parametrize("confirm", ["echo", "reading", "pattern"])
def test_values_by_name_and_their_confirmations(start, listener, tmp_path, confirm):
    parrot = Parrot(tmp_path / "ttyParrot")
    parrot.mute = confirm == "reading"
    parrot.plug()
    parrot.start()
    stream = {"measurement": "valves", "format": "csv", "prefix": "$VALVE;", "separator": ";",
              "points": [{"name": "position", "type": "text", "column": 1}]}
    actuator = {"name": "valve", "type": "text", "write": "V{value}", "confirm": confirm, "state": "position",
                "values": {"shut": "0", "half": "5", "open": "9"}, "reply_timeout": "300ms"}
    if confirm == "pattern":
        actuator["expect"] = "^V[0-9]$"
    try:
        start("serial-agent", config(parrot.link, streams=[stream], actuators=[actuator]))
        listener.wait(f"{DEVICE}/state/valve", lambda m: m.json["value"] == "shut")
        for value, outcome in (("open", "ok"), ("half", "ok"), ("ajar", "rejected")):
            mark = listener.mark()
            listener.publish(f"{DEVICE}/command/valve", value)
            result = listener.wait(f"{DEVICE}/result/valve", since=mark).json
            assert result["result"] == outcome, result
            assert outcome == "rejected" or result["value"] == value
        assert result["reason"] == "bad_value"
    finally:
        parrot.end()


def test_a_text_cannot_smuggle_in_a_second_request(start, listener, talker):
    actuator = {"name": "note", "type": "text", "write": "N{value}", "confirm": "echo", "reply_timeout": "100ms"}
    start("serial-agent", config(talker.link, request_end=";", actuators=[actuator]))
    wait_reading(listener)
    for value, reason in (("hello;V9", "bad_value"), ("hello", "timeout")):
        mark = listener.mark()
        listener.publish(f"{DEVICE}/command/note", value)
        assert listener.wait(f"{DEVICE}/result/note", since=mark).json["reason"] == reason
    assert os.read(talker.master, 64) == b"Nhello;"


def test_once_waits_for_what_comes_by_itself(talker, tmp_path):
    path = tmp_path / "once.json"
    other = {"measurement": "others", "silence": "200ms", "points": [{"name": "x"}]}
    streams = config("")["devices"][0]["streams"]
    for more, code in (([], 0), ([other], 69)):
        path.write_text(json.dumps(config(talker.link, streams=streams + more)))
        answer = subprocess.run([stand.BUILD / "serial-agent", "--config", path, "--once"],
                                capture_output=True, text=True, timeout=30)
        assert answer.returncode == code, answer.stdout + answer.stderr
        assert "temperature          23.5   (TEMP)" in answer.stdout
    assert "others: nothing came by itself within 200 ms" in answer.stdout


def test_a_board_that_hangs_is_reset(start, listener, talker):
    options = {"reset_on_hang": True, "boot_wait": "500ms", "breaker": {"threshold": 2, "open": "60s"}}
    agent = start("serial-agent", config(talker.link, **options))
    wait_reading(listener)
    talker.quiet = True
    stand.wait_until(lambda: "board_reset" in agent.log(), what="the reset")
    talker.quiet = False
    mark = listener.mark()
    listener.wait(f"{DEVICE}/status", lambda m: m.json["state"] == "online", since=mark)
    assert counters(listener, lambda c: c["resets"] > 0)["resets"] == 1
