"""Readings made while the broker is away: kept in memory, then on disk, and sent in order with their own times."""

import signal
import time

import pytest

import contract
import stand

TOPIC = "iot/facility_a/line_001/telemetry/process"


@pytest.fixture
def line(run_program):
    port = stand.free_port()
    run_program("tests/sim/sim-plc", "--listen", f"127.0.0.1:{port}")
    return port


def config(port, broker, tmp_path, **backlog):
    points = [{"name": f"r{i}", "table": "input", "address": i} for i in range(10)]
    return {
        "mqtt": {"url": broker.url, "backoff": {"first": "50ms", "max": "200ms"}},
        "service": {"state_dir": str(tmp_path / "state")},
        "backlog": backlog,
        "buses": [{"url": f"tcp://127.0.0.1:{port}", "devices": [{
            "unit": 1, "location": "facility_a", "device": "line_001",
            "groups": [{"measurement": "process", "period": "5ms", "points": points}]}]}],
    }


def readings(listener):
    found = []
    for message in listener.find(TOPIC):
        contract.check(message.topic, message.payload)
        found += message.json if isinstance(message.json, list) else [message.json]
    return found


def files(tmp_path):
    return sum(f.stat().st_size for f in (tmp_path / "state/backlog").glob("*.spool"))


def restart(broker, agent, listener):
    """The listener is there again before the agent is: it must hear all of what was kept."""
    agent.signal(signal.SIGSTOP)
    broker.start()
    listener.wait_granted()
    agent.signal(signal.SIGCONT)


@pytest.mark.parametrize("memory", ["8MiB", "64KiB", "0"])
def test_nothing_is_missing_after_an_outage(memory, line, broker, tmp_path, start, listener):
    agent = start("modbus-agent", config(line, broker, tmp_path, memory=memory))
    listener.wait(TOPIC)
    broker.kill()
    before = time.time()
    time.sleep(4)
    if memory != "8MiB":
        stand.wait_until(lambda: files(tmp_path) > 20_000, what="a backlog on disk")
    after = time.time()
    restart(broker, agent, listener)
    mark = listener.mark()
    listener.wait(TOPIC, lambda m: isinstance(m.json, dict) and m.json["ts"] > 1000 * after and m.retain, since=mark)
    found = readings(listener)
    sequence = [r["seq"] for r in found]
    first_seen = list(dict.fromkeys(sequence))  # a reading in flight at the kill may come twice
    assert first_seen == sorted(first_seen)
    # The listener itself missed what the broker had taken and not yet delivered when it was killed.
    gaps = [b - a for a, b in zip(first_seen, first_seen[1:]) if b != a + 1]
    assert len(gaps) <= 1 and sum(gaps) <= 70, gaps
    during = [r for r in found if 1000 * before < r["ts"] < 1000 * after]
    assert len(during) > 500
    assert max(b["ts"] - a["ts"] for a, b in zip(during, during[1:])) < 500
    assert any(isinstance(m.json, list) for m in listener.find(TOPIC)) or memory == "8MiB"
    assert agent.stop() == 0


def test_what_is_on_disk_outlives_a_killed_agent(line, broker, tmp_path, start, listener):
    settings = config(line, broker, tmp_path, memory="0")
    agent = start("modbus-agent", settings)
    listener.wait(TOPIC)
    broker.kill()
    time.sleep(1)
    kept = files(tmp_path)
    agent.kill()
    assert kept > 5_000
    broker.start()
    listener.wait_granted()
    mark = listener.mark()
    agent.start()
    array = listener.wait(TOPIC, lambda m: isinstance(m.json, list), since=mark)
    sequence = [r["seq"] for r in array.json]
    old = sequence[: sequence.index(1)] if 1 in sequence else sequence  # then the new agent's own begin
    assert old == list(range(old[0], old[0] + len(old))) and len(old) > 50


@pytest.mark.parametrize("memory", ["8MiB", "64KiB"])
def test_what_is_in_memory_outlives_an_agent_that_is_stopped(memory, line, broker, tmp_path, start, listener):
    settings = config(line, broker, tmp_path, memory=memory)
    agent = start("modbus-agent", settings)
    listener.wait(TOPIC)
    broker.kill()
    time.sleep(2)
    before = time.time()
    time.sleep(2)
    after = time.time()
    assert agent.stop() == 0
    assert files(tmp_path) > 20_000
    broker.start()
    listener.wait_granted()
    mark = listener.mark()
    agent.start()
    listener.wait(TOPIC, lambda m: isinstance(m.json, dict) and m.json["ts"] > 1000 * after, since=mark)
    during = [r for r in readings(listener) if 1000 * before < r["ts"] < 1000 * after]
    sequence = [r["seq"] for r in during]
    assert len(during) > 100 and sequence == list(range(sequence[0], sequence[0] + len(during)))


def test_a_full_disk_budget_drops_the_oldest_and_counts_it(line, broker, tmp_path, start, listener):
    agent = start("modbus-agent", config(line, broker, tmp_path, memory="0", disk="64KiB"))
    listener.wait(TOPIC)
    broker.kill()
    time.sleep(4)
    assert files(tmp_path) <= 70_000
    last = time.time()
    restart(broker, agent, listener)
    mark = listener.mark()
    listener.wait(TOPIC, lambda m: isinstance(m.json, dict) and m.json["ts"] > 1000 * last, since=mark)
    health = listener.wait("iot/_service/modbus-agent/health",
                           lambda m: m.json["gauges"].get("backlog.records", 100) < 20, since=mark, timeout_s=25)
    found = readings(listener)
    missing = found[-1]["seq"] - found[0]["seq"] + 1 - len({r["seq"] for r in found})
    dropped = health.json["counters"]["backlog.dropped_oldest"]
    # More are missing where the killed broker had taken them, fewer where the oldest were in flight when they were dropped.
    assert dropped > 0 and abs(missing - dropped) <= 70, (missing, dropped)
