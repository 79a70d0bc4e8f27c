"""alerter: what the broker shows when it is there again is the truth, also of what was missed meanwhile."""

import getpass
import json
import signal
import time

import paho.mqtt.client as paho
import pytest

import contract
import stand

READINGS = "iot/hall/tank_1/telemetry/sensors"


@pytest.fixture
def config(tmp_path):
    state = tmp_path / "state"
    state.mkdir()
    return {
        "service": {"instance": "alerter", "state_dir": str(state)},
        "channels": {"shift": {"type": "log"}},
        "route": {
            "channels": ["shift"],
            "group_by": ["location", "device", "rule"],
            "group_wait": "0s",
            "group_interval": "0s",
            "repeat_interval": "1s",
        },
        "confirm_within": "1s",
    }


def topic(device, rule="gone"):
    return f"iot/hall/{device}/alert/{rule}"


def publish(listener, device, state="firing", rule="gone", retain=True):
    alert = {
        "state": state,
        "severity": "warning",
        "since": int(time.time() * 1000),
        "message": "no signal",
        "rule": rule,
        "episode": 1,
    }
    listener.publish(topic(device, rule), alert, retain=retain)


def told(listener, device, state, kind="news", since=0, timeout_s=stand.PATIENCE_S):
    message = listener.wait(
        "iot/_notification/shift",
        lambda m: (m.json["device"], m.json["state"], m.json["kind"]) == (device, state, kind),
        since=since,
        timeout_s=timeout_s,
    )
    contract.check(message.topic, message.payload)
    return message.json


def wait_up(listener, since=0):
    listener.wait("iot/_service/alerter/status", lambda m: m.json["state"] == "online", since=since)


def wait_saved(config, n):
    def saved():
        try:
            with open(config["service"]["state_dir"] + "/alerter.json") as file:
                lines = [json.loads(line) for line in file]
        except FileNotFoundError:
            return False
        return sum("alert" in line for line in lines) == n and not any("pending" in line for line in lines)

    stand.wait_until(saved, what="the memory on disk")


def end_session(broker):
    """Connects as the alerter with a clean start, so that the broker forgets its session."""
    client = paho.Client(client_id="alerter", protocol=paho.MQTTv5)
    client.connect("127.0.0.1", broker.port, clean_start=True)
    client.loop_start()
    stand.wait_until(client.is_connected, what="the session's end")
    client.disconnect()
    client.loop_stop()


@pytest.mark.parametrize("session_kept", [True, False])
def test_deleted_while_it_was_away(listener, start, broker, config, session_kept):
    """With its session it hears of the deletion; without, that nobody shows the alert any more."""
    service = start("alerter", config)
    wait_up(listener)
    publish(listener, "line_1")
    publish(listener, "line_2")
    told(listener, "line_1", "firing")
    told(listener, "line_2", "firing")
    wait_saved(config, 2)
    service.stop()
    listener.publish(topic("line_1"), b"", retain=True)
    if not session_kept:
        end_session(broker)
    mark = listener.mark()
    service.start()
    told(listener, "line_1", "removed" if session_kept else "stale", since=mark)
    mark = listener.mark()
    for _ in range(3):
        told(listener, "line_2", "firing", "repeat", since=mark)
        mark = listener.mark()
    assert not listener.find("iot/_notification/shift", lambda m: m.json["device"] == "line_1", since=mark)
    assert ("alerts_not_announced" in service.log()) != session_kept
    assert ("nobody announces it any more" in service.log()) != session_kept


def test_resolved_while_it_was_away_and_forgotten(listener, start, broker, config):
    """What resolved is retained as that, session or not."""
    service = start("alerter", config)
    wait_up(listener)
    publish(listener, "line_1")
    told(listener, "line_1", "firing")
    wait_saved(config, 1)
    service.kill()
    publish(listener, "line_1", "resolved")
    end_session(broker)
    service.start()
    told(listener, "line_1", "resolved")
    assert not listener.find("iot/_notification/shift", lambda m: m.json["state"] == "stale")


def test_broker_forgets_and_the_rules_announce_again(listener, start, broker, config, tmp_path):
    """The broker is killed and has kept nothing: what the rules-engine announces anew was never away;
    what nobody does is stale until somebody does."""
    rule = {
        "name": "hot",
        "select": {"device": "tank_*", "measurement": "sensors"},
        "when": "temperature > 32",
        "until": "temperature < 30",
        "alert": True,
        "message": "{temperature:.1f} °C",
    }
    (tmp_path / "rules_state").mkdir()
    start("rules-engine", {"service": {"state_dir": str(tmp_path / "rules_state")}, "rules": [rule]})
    config["confirm_within"] = "12s"  # the rules-engine takes 5 s from when it is connected
    config["route"]["repeat_interval"] = "0s"
    start("alerter", config)
    wait_up(listener)
    listener.wait("iot/_service/rules-engine/status", lambda m: m.json["state"] == "online")
    listener.publish(READINGS, {"ts": int(time.time() * 1000), "seq": 1, "values": {"temperature": 40}})
    told(listener, "tank_1", "firing")
    publish(listener, "ghost")
    told(listener, "ghost", "firing")
    broker.kill()
    mark = listener.mark()
    broker.start()
    listener.wait_granted()
    wait_up(listener, mark)
    listener.wait(topic("tank_1", "hot"), lambda m: m.json["state"] == "firing", since=mark, timeout_s=30)
    told(listener, "ghost", "stale", since=mark, timeout_s=40)
    assert len(listener.find("iot/_notification/shift", since=mark)) == 1
    publish(listener, "ghost")
    told(listener, "ghost", "firing", since=mark)
    listener.publish(READINGS, {"ts": int(time.time() * 1000), "seq": 2, "values": {"temperature": 20}})
    told(listener, "tank_1", "resolved", since=mark)


def test_what_is_shown_again_after_a_cut_is_in_no_doubt(listener, start, broker, config):
    """Doubts begin where the link ends, since what is retained is heard before the link is said to be up."""
    start("alerter", config)
    wait_up(listener)
    publish(listener, "line_1")
    publish(listener, "ghost", retain=False)
    told(listener, "line_1", "firing")
    told(listener, "ghost", "firing")
    mark = listener.mark()
    end_session(broker)
    told(listener, "ghost", "stale", since=mark)
    told(listener, "line_1", "firing", "repeat", since=listener.mark())
    assert not listener.find("iot/_notification/shift", lambda m: (m.json["device"], m.json["state"]) == ("line_1", "stale"))


def test_nothing_is_missed_where_nothing_can_be_heard(tmp_path, start, config):
    """The broker grants the subscriptions and honours none: that no alert is heard does not tell that there is none."""
    acl = tmp_path / "acl"
    acl.write_text("topic readwrite iot/#\n")
    broker = stand.Broker(tmp_path, f"acl_file {acl}\nuser {getpass.getuser()}").start()
    config["mqtt"] = {"url": broker.url}
    ears = stand.Listener(broker.port)
    start("alerter", config)
    wait_up(ears)
    publish(ears, "line_1")
    told(ears, "line_1", "firing")
    acl.write_text("topic write iot/#\ntopic read iot/_notification/#\ntopic read iot/_service/#\n")
    broker.signal(signal.SIGHUP)
    mark = ears.mark()
    end_session(broker)
    wait_up(ears, mark)
    for _ in range(4):  # a second each, as long as it takes until it would be missed
        mark = ears.mark()
        told(ears, "line_1", "firing", "repeat", since=mark)
    assert not ears.find("iot/_notification/shift", lambda m: m.json["state"] == "stale")
    ears.close()
    broker.stop()
