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


def fill_backlog(sink, scripted, publisher, n, points=100, **more):
    """A sink whose store is away, with n readings that are old."""
    scripted.script = lambda lines: 503
    service = sink(influxdb2(scripted.url, **more), topics=TELEMETRY, batch={"points": points, "age": "100ms"})
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


class Limited:
    """A script for the store: takes a post each `pause_s`, and notes when it had which readings."""

    def __init__(self, pause_s):
        self._pause_s, self._lock, self.log = pause_s, threading.Lock(), []

    def __call__(self, lines):
        with self._lock:
            time.sleep(self._pause_s)
            self.log.append((time.monotonic(), seqs(lines)))
        return 204

    def newest_at(self, at, published):
        """When the newest reading was published that the store had at that time."""
        return max((published[seq] for when, had in self.log if when <= at for seq in had if seq in published), default=0)

    def between(self, start, end):
        return set().union(*(had for when, had in self.log if start <= when < end))


def overload(publisher, seconds, rate):
    """{number: when it was published}, from 10000 on."""
    published, end = {}, time.monotonic() + seconds
    while time.monotonic() < end:
        first = 10000 + len(published)
        publisher.publish(range(first, first + rate // 20)).done()
        published.update(dict.fromkeys(range(first, first + rate // 20), time.monotonic()))
        time.sleep(0.05)
    return published


def test_overload_starves_neither_the_backlog_nor_what_is_new(sink, scripted, publisher, listener):
    n, seconds = 5000, 24
    fill_backlog(sink, scripted, publisher, n, points=50)
    scripted.script = store = Limited(0.1)  # 500 readings a second
    start = time.monotonic()
    published = overload(publisher, seconds, 1000)
    end = time.monotonic()
    assert len(published) > 600 * seconds, "this machine is too slow for the test"
    for at in range(int(start) + 4, int(end)):
        assert at - store.newest_at(at, published) < 10
        if not set(range(n)) <= store.between(start, at - 3):
            assert any(seq < n for seq in store.between(at - 3, at)), f"no backlog from second {at - 3 - start:.0f} on"
    scripted.script = lambda lines: 204
    total = n + len(published)
    stand.wait_until(lambda: len(seqs(scripted.stored)) == total, 60, what="everything")
    assert len(scripted.stored) == total


def gauges(message):
    names = ("received", "stored", "dead", "dropped", "waiting")
    return {name: message.json["gauges"].get(f"readings.{name}") for name in names}


def tells(listener, scripted, received, dead=0):
    """Waits for a health that says just what the store has; returns all that it says."""

    def is_true(message):
        stored = len(seqs(scripted.stored))
        return gauges(message) == {
            "received": received, "stored": stored, "dead": dead, "dropped": 0, "waiting": received - stored - dead,
        }  # fmt: skip

    return listener.wait("iot/_service/influx-sink/health", is_true, listener.mark(), 25).json["gauges"]


def test_health_is_true_while_new_overtakes_and_over_kills(sink, scripted, publisher, listener):
    """Where the store hangs in the midst of it, and when the sink is killed then, the numbers are those of the store."""
    n, new = 8000, 0
    service = fill_backlog(sink, scripted, publisher, n, timeout="60s")
    for round_ in range(2):
        scripted.script = Limited(0.1)
        first, released = 10000 + new, threading.Event()
        new += 150
        publisher.publish(range(first, 10000 + new)).done()
        stand.wait_until(
            lambda: first + 149 in seqs(scripted.stored) and len(seqs(scripted.stored)) > 1000 * (round_ + 1), 30,
            what="what is new, and full posts",
        )  # fmt: skip
        scripted.script = lambda lines: released.wait(stand.PATIENCE_S * 6) and 503
        told = tells(listener, scripted, n + new)
        assert 0 < told["readings.waiting"] < n  # the backlog is still there
        assert round_ > 0 or told["waiting"] == told["readings.waiting"]  # after a kill, some are to be sent again
        service.kill()
        service.start()
        up(service, round_ + 2)
        tells(listener, scripted, n + new)
        released.set()
    publisher.publish([20000]).done()
    scripted.script = lambda lines: 400 if 20000 in seqs(lines) else 204
    tells(listener, scripted, n + new + 1, dead=1)
    assert len(seqs(scripted.stored)) == n + new
    for message in listener.find("iot/_service/influx-sink/health"):
        told = gauges(message)
        assert told["received"] == told["stored"] + told["dead"] + told["dropped"] + told["waiting"]
