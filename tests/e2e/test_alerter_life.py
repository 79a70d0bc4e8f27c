"""alerter: acknowledged, silenced, escalated, grouped, on a real broker and across kill −9."""

import json
import os
import signal
import time

import pytest

import contract
import stand

RULE = "over_pressure"


@pytest.fixture
def config(tmp_path):
    state = tmp_path / "state"
    state.mkdir()
    return {
        "service": {"instance": "alerter", "state_dir": str(state)},
        "channels": {name: {"type": "log"} for name in ("shift", "foreman")},
        "route": {
            "channels": ["shift"],
            "group_by": ["location"],
            "group_wait": "300ms",
            "group_interval": "300ms",
            "repeat_interval": "0s",
        },
    }


def publish(listener, device="line_1", state="firing", episode=1, location="hall"):
    listener.publish(
        f"iot/{location}/{device}/alert/{RULE}",
        {
            "state": state,
            "severity": "warning",
            "since": int(time.time() * 1000),
            "message": "7.1 bar",
            "rule": RULE,
            "episode": episode,
        },
        retain=True,
    )


def wait_up(listener, since=0):
    listener.wait("iot/_service/alerter/status", lambda m: m.json["state"] == "online", since=since)


def told(listener, channel="shift", since=0, **wanted):
    message = listener.wait(
        f"iot/_notification/{channel}", lambda m: all(m.json[k] == v for k, v in wanted.items()), since=since
    )
    contract.check(message.topic, message.payload)
    return message.json


def all_told(listener):
    return [(m.topic.rsplit("/", 1)[1], m.json["kind"], m.json["state"]) for m in listener.find("iot/_notification/+")]


def memory(config):
    """What is on disk, by kind; nothing yet before the first save."""
    kinds = {"alert": [], "silence": [], "pending": []}
    try:
        with open(config["service"]["state_dir"] + "/alerter.json") as file:
            for line in file:
                for kind, document in json.loads(line).items():
                    kinds.setdefault(kind, []).append(document)
    except FileNotFoundError:
        pass
    return {"alerts": kinds["alert"], "silences": kinds["silence"], "pending": kinds["pending"]}


def test_what_comes_together_is_told_together(listener, start, config):
    start("alerter", config)
    wait_up(listener)
    for i in range(20):
        publish(listener, f"pump_{i}")
    outcome = told(listener)
    assert outcome["counts"] == {"firing": 20} and outcome["message"] == "hall: 20 firing"
    assert (outcome["location"], outcome["device"], outcome["rule"]) == ("hall", None, RULE)
    assert len(listener.find("iot/_notification/+")) == 1


def test_acknowledged_stops_escalating_and_says_who(listener, start, config):
    config["route"]["escalate"] = [{"after": "1s", "channels": ["foreman"]}]
    service = start("alerter", config)
    wait_up(listener)
    publish(listener)
    told(listener, state="firing")
    listener.publish(f"iot/hall/line_1/ack/{RULE}", {"by": "anna", "comment": "on my way"})
    told(listener, state="acknowledged")
    publish(listener, "line_2")
    told(listener, "foreman", kind="escalation", device="line_2")
    assert "acknowledged by anna (on my way)" in service.log()
    assert not listener.find("iot/_notification/foreman", lambda m: m.json["device"] == "line_1")


def test_an_acknowledgement_that_fits_nothing_is_counted(listener, start, config):
    start("alerter", config)
    wait_up(listener)
    listener.publish(f"iot/hall/line_1/ack/{RULE}", {"by": "anna"})
    listener.publish(f"iot/hall/line_1/ack/{RULE}", {"by": ""})
    listener.publish(f"iot/hall/line_1/ack/{RULE}", "no JSON")
    listener.wait("iot/_dead/alerter", lambda m: m.json["reason"] == "bad_ack" and m.json["payload"] == "no JSON")
    assert len(listener.find("iot/_dead/alerter")) == 2


@pytest.mark.parametrize("killed", [False, True])
def test_escalates_also_after_a_kill(listener, start, config, killed):
    config["route"]["escalate"] = [{"after": "2s", "channels": ["foreman"]}]
    service = start("alerter", config)
    wait_up(listener)
    publish(listener)
    first = told(listener, state="firing")
    begun = time.monotonic()
    if killed:
        stand.wait_until(lambda: not memory(config)["pending"] and memory(config)["alerts"], what="the memory")
        service.kill()
        service.start()
    second = told(listener, "foreman", kind="escalation")
    assert time.monotonic() - begun >= 1.9
    assert second["id"] != first["id"]
    publish(listener, state="resolved")
    told(listener, "foreman", state="resolved")
    assert sorted(all_told(listener)) == [
        ("foreman", "escalation", "firing"),
        ("foreman", "news", "resolved"),
        ("shift", "news", "firing"),
        ("shift", "news", "resolved"),
    ]


def test_silence_by_topic_with_an_end_and_across_a_kill(listener, start, config):
    service = start("alerter", config)
    wait_up(listener)
    silence = {"match": {"device": "line_*"}, "until": int((time.time() + 3600) * 1000), "by": "anna"}
    listener.publish("iot/_silence/cleaning", silence, retain=True)
    stand.wait_until(lambda: memory(config)["silences"], what="the silence in the memory")
    publish(listener, "line_1")
    publish(listener, "pump_1")
    assert told(listener)["device"] == "pump_1"
    stand.wait_until(lambda: len(memory(config)["alerts"]) == 2, what="both alerts in the memory")
    service.kill()
    service.start()
    publish(listener, "pump_2")
    told(listener, device="pump_2")
    listener.publish("iot/_silence/cleaning", b"", retain=True)
    assert told(listener, device="line_1")["state"] == "firing"
    assert len({m.json["id"] for m in listener.find("iot/_notification/+")}) == 3
    listener.publish("iot/_silence/bad", {"match": {}, "until": 1}, retain=False)
    listener.wait("iot/_dead/alerter", lambda m: m.json["reason"] == "bad_silence")


def test_killed_while_it_waits_and_while_it_sends(listener, start, config, tmp_path):
    """Twenty kills at any moment: nothing is lost, and what is told twice has the same id."""
    config["route"].update(group_wait="50ms", group_interval="50ms", group_by=["location", "device"])
    service = start("alerter", config)
    wait_up(listener)
    path = config["service"]["state_dir"] + "/alerter.json"
    stand.wait_until(lambda: os.path.exists(path), what="the first memory")  # before it, all is old news
    for i in range(20):
        mark = listener.mark()
        publish(listener, f"pump_{i}")
        time.sleep(0.01 * i)
        service.kill()
        service.start()
        wait_up(listener, mark)
    for i in range(20):
        told(listener, device=f"pump_{i}")
    by_device = {}
    for message in listener.find("iot/_notification/shift"):
        by_device.setdefault(message.json["device"], set()).add(message.json["id"])
    assert sorted(len(ids) for ids in by_device.values()) == [1] * 20


def test_routes_change_on_reload(listener, start, config):
    """Who hears of an alert for the first time is told; who knows of it is told that it moved, and its end."""
    service = start("alerter", config)
    wait_up(listener)
    publish(listener)
    told(listener)
    config["route"]["routes"] = [{"match": {"device": "line_*"}, "channels": ["foreman"]}]
    config["mqtt"] = json.loads(service.config_path.read_text())["mqtt"]
    service.write(config)
    service.signal(signal.SIGHUP)
    told(listener, "foreman", state="firing")
    publish(listener, state="resolved")
    told(listener, "foreman", state="resolved")
    told(listener, state="resolved")
    states = [m.json["state"] for m in listener.find("iot/_notification/shift")]
    assert states == ["firing", "moved", "resolved"]


def test_ten_thousand_at_once_are_a_few_notifications(listener, start, config):
    config["route"].update(group_wait="1s", group_interval="5s")
    service = start("alerter", config)
    wait_up(listener)
    for i in range(10000):
        publish(listener, f"sensor_{i}")
    told(listener)

    def counted():
        return sum(m.json["counts"]["firing"] for m in listener.find("iot/_notification/shift"))

    stand.wait_until(lambda: counted() == 10000, timeout_s=60, what="ten thousand told of")
    assert len(listener.find("iot/_notification/shift")) <= 10
    health = listener.wait("iot/_service/alerter/health", lambda m: m.json["gauges"].get("alerts_firing") == 10000)
    assert health.json["rss_bytes"] < 200 * 1024 * 1024  # with the sanitizers' share
    assert service.stop() == 0
