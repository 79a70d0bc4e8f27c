"""Two posts in flight, and what is new while a backlog is drained: order at the store, cursor, kills, dead letters."""

import json
import re
import threading
import time

import pytest
import stand
from test_influx_sink import (  # noqa: F401  (fixtures)
    broker_port, influxdb2, publisher, reading, scripted, seqs, sink, tool, up,
)  # fmt: skip

OLD_S = 5  # feed.c: what waited longer is overtaken
TELEMETRY = ["+/+/telemetry/+"]


class Counting:
    """A script for the store: answers as `answer(lines)` says and notes how many posts were there at once."""

    def __init__(self, answer):
        self.answer, self.most, self._now, self._lock = answer, 0, 0, threading.Lock()

    def __call__(self, lines):
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        try:
            return self.answer(lines)
        finally:
            with self._lock:
                self._now -= 1


def waiting(service):
    return int(re.search(r"waiting +(\d+) records", tool(service, "--spool-info"))[1])


def test_one_post_hangs_the_others_go_on_and_the_cursor_waits(sink, scripted, publisher):
    released = threading.Event()

    def answer(lines):
        if 0 in seqs(lines):
            released.wait(stand.PATIENCE_S * 3)
        time.sleep(0.02)
        return 204

    scripted.script = script = Counting(answer)
    service = sink(influxdb2(scripted.url, timeout="60s"), topics=TELEMETRY, batch={"points": 100, "age": "10ms"})
    publisher.publish(range(1000)).done()
    stand.wait_until(lambda: len(scripted.stored) > 800, what="the others")
    assert 0 not in seqs(scripted.stored)
    assert waiting(service) == 1000
    service.kill()
    released.set()
    scripted.script = lambda lines: 204
    scripted.stored.clear()
    service.start()
    stand.wait_until(lambda: seqs(scripted.stored) == set(range(1000)), what="all points, for the cursor did not move")
    stand.wait_until(lambda: waiting(service) == 0, what="the cursor")
    assert script.most == 2


@pytest.mark.parametrize("trouble", [400, 413, 429, 503, None])
def test_trouble_in_one_post_while_another_is_under_way(sink, scripted, publisher, listener, trouble):
    """Of two posts under way one is refused, too large, put off or left without an answer."""
    together = threading.Barrier(2)
    begun = threading.Event()

    def answer(lines):
        hit = 150 in seqs(lines)
        if not begun.is_set() and (hit or 250 in seqs(lines)):
            try:
                together.wait(5)
            except threading.BrokenBarrierError:
                pass
            if hit:
                begun.set()
                return trouble
        return 400 if hit and trouble == 400 else 204

    scripted.script = answer
    service = sink({**influxdb2(scripted.url), "timeout": "2s"}, topics=TELEMETRY, batch={"points": 100, "age": "0s"})
    publisher.publish(range(1000)).done()
    expected = set(range(1000)) - ({150} if trouble == 400 else set())
    stand.wait_until(lambda: seqs(scripted.stored) >= expected, 20, what="all the others")
    if trouble == 400:
        assert listener.wait("iot/_dead/influx-sink").json["payload"] == reading(150)
    else:
        assert not listener.find("iot/_dead/influx-sink")
    stand.wait_until(lambda: waiting(service) == 0, what="the cursor")
    assert seqs(scripted.stored) == expected


def test_both_posts_under_way_are_of_the_wrong_type(sink, scripted, publisher, listener):
    """What the answer to the one teaches is news for the other one no more; its batch is encoded anew all the same."""
    together = threading.Barrier(2)
    words = 'field type conflict: input field "n" on measurement "sensors" is type float, already exists as type integer'

    def answer(lines):
        if all(re.search(r" n=\d+i ", line) for line in lines):
            return 204
        if len(lines) == 100:
            try:
                together.wait(3)
            except threading.BrokenBarrierError:
                pass
        return 400, {}, json.dumps({"error": words})

    scripted.script = lambda lines: 503
    sink(influxdb2(scripted.url), topics=TELEMETRY, batch={"points": 100, "age": "0s"})
    publisher.publish(range(1000)).done()
    stand.wait_until(lambda: len(scripted.posts) > 3, what="the store to be away")
    scripted.script = answer
    stand.wait_until(lambda: seqs(scripted.stored) == set(range(1000)), 20, what="all points")
    assert not listener.find("iot/_dead/influx-sink")


def fill_backlog(sink, scripted, publisher, n):
    """A sink whose store is away, with n readings that are old."""
    scripted.script = lambda lines: 503
    service = sink(influxdb2(scripted.url), topics=TELEMETRY, batch={"points": 100, "age": "100ms"})
    publisher.publish(range(n)).done()
    end = time.monotonic() + OLD_S + 0.5
    stand.wait_until(lambda: time.monotonic() > end, OLD_S + 5, what="the readings to grow old")
    return service


def stored_readings(message):
    (one,) = [s for s in message.json["series"] if s["device"] == "greenhouse_001"]
    return one["received"], one["stored"], one["dead"]


def test_new_readings_overtake_a_backlog(sink, scripted, publisher, listener):
    n = 6000
    service = fill_backlog(sink, scripted, publisher, n)

    def slow(lines):
        time.sleep(0.1)
        return (400, {}, "bad") if any(" n=10003 " in line for line in lines) else 204

    publisher.publish([10000]).done()  # shortly before
    scripted.script = slow
    stand.wait_until(lambda: 10000 in seqs(scripted.stored), 20, what="what was new when the store came back")
    assert len(seqs(scripted.stored)) < n
    for seq in range(10001, 10003):
        start = time.monotonic()
        publisher.publish([seq]).done()
        stand.wait_until(lambda: seq in seqs(scripted.stored), what="what is new")
        assert time.monotonic() - start < 10
        assert len(seqs(scripted.stored)) < n  # the backlog is still there
    publisher.publish([10003]).done()
    assert listener.wait("iot/_dead/influx-sink").json["payload"] == reading(10003)
    assert len(seqs(scripted.stored)) < n
    everything = set(range(n)) | set(range(10000, 10003))
    stand.wait_until(lambda: seqs(scripted.stored) == everything, 30, what="everything")
    stand.wait_until(lambda: waiting(service) == 0, what="the cursor")
    for seq in range(10004, 10014):  # what came twice would be among them
        publisher.publish([seq]).done()
        stand.wait_until(lambda: seq in seqs(scripted.stored), what="the last ones")
    assert len(scripted.stored) == len(everything) + 10
    listener.wait(
        "iot/_service/influx-sink/health", lambda m: stored_readings(m) == (n + 14, n + 13, 1), timeout_s=25
    )


def test_killed_while_catching_up_it_loses_nothing_and_counts_once(sink, scripted, publisher, listener):
    n = 4000
    service = fill_backlog(sink, scripted, publisher, n)

    def slow(lines):
        time.sleep(0.1)
        return 204

    scripted.script = slow
    seen = set()
    for round_ in range(3):
        stand.wait_until(lambda: len(seqs(scripted.stored)) > len(seen) + 100, 20, what="some of the backlog")
        publisher.publish(range(10000 + 100 * round_, 10100 + 100 * round_)).done()
        stand.wait_until(lambda: 10000 + 100 * round_ in seqs(scripted.stored), what="what is new")
        seen = seqs(scripted.stored)
        assert waiting(service) > 0
        service.kill()
        service.start()
        up(service, round_ + 2)
    everything = set(range(n)) | set(range(10000, 10300))
    stand.wait_until(lambda: seqs(scripted.stored) == everything, 30, what="everything")
    stand.wait_until(lambda: waiting(service) == 0, what="the cursor")
    listener.wait(
        "iot/_service/influx-sink/health", lambda m: stored_readings(m)[1:] == (n + 300, 0), timeout_s=25
    )
