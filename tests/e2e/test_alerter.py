"""alerter: alert topics in, notifications out: once for each change, whatever happens in between."""

import contextlib
import http.server
import json
import os
import pathlib
import signal
import subprocess
import threading
import time

import paho.mqtt.client as paho
import pytest

import contract
import stand

LOCATION, DEVICE, RULE = "hall", "line_1", "over_pressure"
ALERT_TOPIC = f"iot/{LOCATION}/{DEVICE}/alert/{RULE}"
OUTCOME_TOPIC = "iot/_notification/ops"


class Receiver:
    """A webhook that answers by a script of (status, headers) or "hang"; 200 when the script is at its end."""

    def __init__(self):
        self.requests = []
        self.script = []
        self.release = threading.Event()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.requests.append((time.monotonic(), dict(self.headers), json.loads(body)))
                step = receiver.script.pop(0) if receiver.script else (200, {})
                if step == "hang":
                    receiver.release.wait(stand.PATIENCE_S)
                    return
                self.send_response(step[0])
                for name, value in {"Content-Length": "0", **step[1]}.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/alerts"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def ids(self):
        return [body["id"] for _, _, body in self.requests]

    def told(self):
        """What was said of single alerts: (rule, episode, state) each."""
        return [(b["rule"], a["episode"], a["state"]) for _, _, b in self.requests for a in b["alerts"]]

    def wait_for(self, count):
        stand.wait_until(lambda: len(self.requests) >= count, what=f"{count} requests")
        return self.requests

    def close(self):
        self.release.set()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def receiver():
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def config(receiver, tmp_path):
    state = tmp_path / "state"
    state.mkdir()
    secret = tmp_path / "secret"
    secret.write_text("Bearer s3cret\n")
    return {
        "service": {"instance": "alerter", "state_dir": str(state)},
        "channels": {
            "log": {"type": "log"},
            "ops": {
                "type": "webhook",
                "url": receiver.url,
                "headers": {"X-Plant": "one"},
                "secret_file": str(secret),
                "timeout": "1s",
                "retry_first": "20ms",
                "retry_max": "100ms",
                "breaker_failures": 3,
                "breaker_open": "200ms",
            },
        },
        "route": {
            "channels": ["log", "ops"],
            "group_by": ["location", "device", "rule"],
            "group_wait": "0s",
            "group_interval": "0s",
        },
    }


def alert(state, episode=1, since=None, **more):
    return {
        "state": state,
        "severity": "critical",
        "since": since or int(time.time() * 1000),
        "value": 7.1,
        "message": "pressure 7.1 bar",
        "rule": RULE,
        "episode": episode,
        **more,
    }


def publish(listener, *arguments, **more):
    listener.publish(ALERT_TOPIC, alert(*arguments, **more), retain=True)


def wait_up(listener, since=0):
    listener.wait("iot/_service/alerter/status", lambda m: m.json["state"] == "online", since=since)


def wait_ended(listener, episode, state, outcome="delivered", since=0):
    """The notification of that state of the alert, once it has ended on the webhook."""
    wanted = (RULE, episode, state, outcome)
    return listener.wait(
        OUTCOME_TOPIC,
        lambda m: (m.json["rule"], m.json["episode"], m.json["state"], m.json["outcome"]) == wanted,
        since=since,
    ).json


def settle(listener, marker):
    """Waits until the alerter has dealt with everything sent before: it answers a bad alert last."""
    listener.publish("iot/hall/line_1/alert/marker", marker)
    listener.wait("iot/_dead/alerter", lambda m: m.json["payload"] == marker)


def memory_path(config):
    return config["service"]["state_dir"] + "/alerter.json"


def state_of(config):
    """The memory on disk: what is in it, by kind."""
    kinds = {"alert": [], "pending": []}
    with open(memory_path(config)) as file:
        for line in file:
            for kind, document in json.loads(line).items():
                kinds.setdefault(kind, []).append(document)
    return {"alerts": kinds["alert"], "pending": kinds["pending"]}


def wait_saved(config, episode, state):
    """The memory on disk knows that this was told and that nothing is pending."""

    def saved():
        try:
            memory = state_of(config)
        except FileNotFoundError:
            return False
        known = [a for a in memory["alerts"] if a["rule"] == RULE and a["episode"] == episode]
        return known and known[0]["state"] == state and not memory["pending"]

    stand.wait_until(saved, what="the memory on disk")


def test_fired_once_resolved_once(listener, start, config, receiver):
    service = start("alerter", config)
    wait_up(listener)
    publish(listener, "firing", since=1000)
    wait_ended(listener, 1, "firing")
    publish(listener, "firing", since=1000)
    publish(listener, "resolved", since=2000)
    outcome = wait_ended(listener, 1, "resolved")
    publish(listener, "resolved", since=2000)
    settle(listener, "end")
    assert receiver.told() == [(RULE, 1, "firing"), (RULE, 1, "resolved")]
    assert receiver.ids()[0].startswith("hall/line_1/over_pressure/") and len(set(receiver.ids())) == 2
    _, headers, body = receiver.requests[0]
    assert headers["Authorization"] == "Bearer s3cret"
    assert headers["X-Plant"] == "one"
    assert headers["Content-Type"] == "application/json"
    assert (body["state"], body["severity"], body["alerts"][0]["value"]) == ("firing", "critical", 7.1)
    since = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(1))
    assert body["text"] == (
        f"firing: critical hall/line_1 over_pressure: pressure 7.1 bar, since {since}\n"
        "acknowledge: mosquitto_pub -t iot/hall/line_1/ack/over_pressure -m '{\"by\":\"YOUR NAME\"}'"
    )
    assert body["alerts"][0]["ack"] == "iot/hall/line_1/ack/over_pressure"
    assert "ack" not in receiver.requests[1][2]["alerts"][0]
    assert (outcome["attempts"], outcome["error"]) == (1, None)
    assert "firing: critical hall/line_1 over_pressure: pressure 7.1 bar" in service.log()
    assert "s3cret" not in service.log()
    for message in listener.find("iot/_notification/+") + listener.find("iot/_dead/+"):
        contract.check(message.topic, message.payload)
    assert service.stop() == 0


def test_stale_is_told_apart(listener, start, config, receiver):
    start("alerter", config)
    wait_up(listener)
    publish(listener, "firing")
    publish(listener, "stale")
    publish(listener, "firing")
    publish(listener, "resolved")
    wait_ended(listener, 1, "resolved")
    assert [body["state"] for _, _, body in receiver.requests] == ["firing", "stale", "resolved"]
    assert "not resolved" in receiver.requests[1][2]["text"]


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_restart_repeats_nothing(listener, start, config, receiver, how):
    service = start("alerter", config)
    wait_up(listener)
    publish(listener, "firing", 4)
    wait_ended(listener, 4, "firing")
    wait_saved(config, 4, "firing")
    getattr(service, how)()
    mark = listener.mark()
    service.start()
    wait_up(listener, mark)
    settle(listener, "after the restart")
    assert len(receiver.requests) == 1
    publish(listener, "resolved", 4)
    wait_ended(listener, 4, "resolved")
    assert len(receiver.requests) == 2


@pytest.mark.parametrize("session_kept", [True, False])
def test_raised_while_killed_arrives_once(listener, start, config, receiver, session_kept):
    service = start("alerter", config)
    wait_up(listener)
    publish(listener, "firing", 1)
    publish(listener, "resolved", 1)
    wait_ended(listener, 1, "resolved")
    wait_saved(config, 1, "resolved")
    service.kill()
    publish(listener, "firing", 2)
    if not session_kept:
        take_over_session(listener)
    mark = listener.mark()
    service.start()
    wait_up(listener, mark)
    wait_ended(listener, 2, "firing")
    settle(listener, "after the restart")
    assert receiver.told()[2:] == [(RULE, 2, "firing")]


def take_over_session(listener):
    """Connects as the alerter with a clean start, so that the broker forgets its session."""
    client = paho.Client(client_id="alerter", protocol=paho.MQTTv5)
    client.connect("127.0.0.1", listener._client._port, clean_start=True)
    client.loop_start()
    stand.wait_until(client.is_connected, what="the session's end")
    client.disconnect()
    client.loop_stop()


def test_fired_and_resolved_while_killed_is_told(listener, start, config, receiver):
    service = start("alerter", config)
    wait_up(listener)
    settle(listener, "start")
    service.kill()
    publish(listener, "firing", 1, since=1000)
    publish(listener, "resolved", 1, since=2000)
    service.start()
    wait_ended(listener, 1, "resolved")
    assert [body["state"] for _, _, body in receiver.requests] == ["firing", "resolved"]


def test_the_very_first_alert_raised_while_killed_is_told(listener, start, config, receiver):
    service = start("alerter", config)
    stand.wait_until(lambda: os.path.exists(memory_path(config)), what="the empty memory on disk")
    service.kill()
    take_over_session(listener)
    publish(listener, "firing", 1)
    service.start()
    wait_ended(listener, 1, "firing")
    assert len(receiver.requests) == 1


def test_first_start_is_silent_about_what_is_retained(listener, start, config, receiver):
    publish(listener, "firing", 9)
    start("alerter", config)
    wait_up(listener)
    settle(listener, "start")
    assert receiver.requests == []
    publish(listener, "resolved", 9)
    wait_ended(listener, 9, "resolved")
    assert receiver.told() == [(RULE, 9, "resolved")]


def test_500_then_200(listener, start, config, receiver):
    receiver.script = [(500, {}), (503, {})]
    start("alerter", config)
    wait_up(listener)
    publish(listener, "firing")
    outcome = wait_ended(listener, 1, "firing")
    assert len(receiver.requests) == 3
    assert len(set(receiver.ids())) == 1
    assert (outcome["attempts"], outcome["error"]) == (3, "answer 503")


def test_429_waits_as_told(listener, start, config, receiver):
    receiver.script = [(429, {"Retry-After": "1"})]
    start("alerter", config)
    wait_up(listener)
    publish(listener, "firing")
    wait_ended(listener, 1, "firing")
    first, second = receiver.wait_for(2)[:2]
    assert second[0] - first[0] >= 0.95


def test_404_is_no_use_repeating(listener, start, config, receiver):
    receiver.script = [(404, {})]
    start("alerter", config)
    wait_up(listener)
    publish(listener, "firing")
    outcome = wait_ended(listener, 1, "firing", "failed")
    publish(listener, "resolved")
    wait_ended(listener, 1, "resolved")
    assert (outcome["attempts"], outcome["error"]) == (1, "answer 404")
    assert len(receiver.requests) == 2


def test_hanging_receiver_holds_nobody_else_up(listener, start, config, receiver):
    receiver.script = ["hang"]
    service = start("alerter", config)
    wait_up(listener)
    publish(listener, "firing")
    receiver.wait_for(1)
    listener.wait("iot/_notification/log", timeout_s=0.9)
    wait_ended(listener, 1, "firing")
    assert len(receiver.requests) == 2
    assert service.stop() == 0


def test_receiver_away_across_a_kill(listener, start, config, receiver):
    """What could not be delivered yet is delivered after a kill −9, under the same id."""
    receiver.script = [(503, {})] * 1000
    service = start("alerter", config)
    wait_up(listener)
    publish(listener, "firing")
    receiver.wait_for(4)
    stand.wait_until(lambda: state_of(config)["pending"], what="a pending notification on disk")
    service.kill()
    receiver.script = []
    tried = len(receiver.requests)
    service.start()
    wait_ended(listener, 1, "firing")
    settle(listener, "end")
    assert len(receiver.requests) == tried + 1
    assert len(set(receiver.ids())) == 1


def test_stops_while_a_request_hangs(listener, start, config, receiver):
    config["channels"]["ops"]["timeout"] = "60s"
    config["service"]["drain"] = "200ms"
    receiver.script = ["hang"]
    service = start("alerter", config)
    wait_up(listener)
    publish(listener, "firing")
    receiver.wait_for(1)
    begun = time.monotonic()
    assert service.stop() == 0
    assert time.monotonic() - begun < 3
    assert [p["channel"] for p in state_of(config)["pending"]] == ["ops"]


def test_bad_alerts_are_dead_letters(listener, start, config, receiver):
    service = start("alerter", config)
    wait_up(listener)
    for payload in ["", "no JSON", "{}", json.dumps(alert("burning")), b"\xff\xfe"]:
        listener.publish(ALERT_TOPIC, payload)
    listener.wait("iot/_dead/alerter", lambda m: "burning" in m.json["payload"])
    settle(listener, "end")
    dead = listener.find("iot/_dead/alerter")
    assert len(dead) == 5
    for message in dead:
        contract.check(message.topic, message.payload)
        assert message.json["detail"]
    publish(listener, "firing")
    wait_ended(listener, 1, "firing")
    assert service.stop() == 0


@pytest.mark.parametrize("damage", ["cut", "bit", "foreign", "newer"])
def test_lost_memory_is_put_aside(listener, start, config, receiver, tmp_path, damage):
    """What is retained then counts as told, what comes is news, and the file is kept for who wants to look."""
    path = tmp_path / "state" / "alerter.json"
    alerter = start("alerter", config)
    wait_up(listener)
    publish(listener, "firing", 1)
    wait_ended(listener, 1, "firing")
    wait_saved(config, 1, "firing")
    alerter.kill()
    whole = path.read_bytes()
    path.write_bytes(
        {
            "cut": whole[:-9],
            "bit": whole[:40] + bytes([whole[40] ^ 1]) + whole[41:],
            "foreign": b'{"version":1,',
            "newer": whole.replace(b'"version":3', b'"version":4'),
        }[damage]
    )
    damaged = path.read_bytes()
    mark = listener.mark()
    alerter.start()
    wait_up(listener, since=mark)
    settle(listener, "start")
    assert len(receiver.requests) == 1
    said = {"cut": "cut off", "bit": "damaged", "foreign": "not written by the alerter", "newer": "newer program"}
    assert "memory_lost" in alerter.log() and said[damage] in alerter.log()
    assert (tmp_path / "state" / "alerter.json.bad").read_bytes() == damaged
    counters = listener.wait("iot/_service/alerter/health", lambda m: "memory.lost" in m.json["counters"], since=mark)
    assert counters.json["counters"]["memory.lost"] == 1
    publish(listener, "resolved", 1)
    wait_ended(listener, 1, "resolved", since=mark)


@pytest.fixture
def small_disk(tmp_path):
    place = tmp_path / "disk"
    place.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", place], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no tmpfs can be mounted: {done.stderr.strip()}")
    yield place
    subprocess.run(["umount", place], check=True)


def test_full_disk_is_said_once_and_tried_again(listener, start, config, receiver, small_disk):
    """Meanwhile people are told all the same; and who is killed once there is room again, repeats nothing."""
    config["service"]["state_dir"] = str(small_disk)
    alerter = start("alerter", config)
    wait_up(listener)
    publish(listener, "firing", 1)
    wait_ended(listener, 1, "firing")
    wait_saved(config, 1, "firing")
    filler = small_disk / "filler"
    with open(filler, "wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"x" * 1024)
    publish(listener, "resolved", 1)
    wait_ended(listener, 1, "resolved")
    publish(listener, "firing", 2)
    wait_ended(listener, 2, "firing")
    health = listener.wait("iot/_service/alerter/health", lambda m: m.json["counters"].get("memory.not_saved", 0) > 0)
    assert health.json["last_error"]
    assert alerter.log().count("memory_not_saved") == 1
    filler.unlink()
    wait_saved(config, 2, "firing")
    stand.wait_until(lambda: "memory_saved" in alerter.log(), what="the word that it is saved again")
    alerter.kill()
    mark = listener.mark()
    alerter.start()
    wait_up(listener, since=mark)
    settle(listener, "after the kill")
    assert receiver.told() == [(RULE, 1, "firing"), (RULE, 1, "resolved"), (RULE, 2, "firing")]


def test_what_a_removed_channel_had_to_send_is_told_by_the_usual_one(listener, start, config, receiver):
    """A notification that waits and a summary that the limit holds, when a reload takes their channel away."""
    config["channels"]["gone"] = {**config["channels"]["ops"], "url": "http://127.0.0.1:9/", "max_per_hour": 1}
    config["channels"]["gone"]["critical_passes"] = False
    config["route"]["channels"] = ["gone"]
    alerter = start("alerter", config)
    wait_up(listener)
    publish(listener, "firing", 1)
    publish(listener, "firing", 2)
    memory = pathlib.Path(memory_path(config))
    stand.wait_until(lambda: memory.exists() and '"held":{' in memory.read_text(), what="the summary in the memory")
    del config["channels"]["gone"]
    config["route"]["channels"] = ["ops"]
    alerter.write({**config, "mqtt": json.loads(alerter.config_path.read_text())["mqtt"]})
    alerter.signal(signal.SIGHUP)
    bodies = [body for _, _, body in receiver.wait_for(2)]
    assert {body["kind"] for body in bodies} == {"news", "summary"}
    health = listener.wait(
        "iot/_service/alerter/health", lambda m: m.json["counters"].get("fell_back.no_such_channel", 0) == 2
    )
    assert health


def test_test_sends_one(start, config, receiver, run_program, tmp_path):
    path = tmp_path / "tool.json"
    path.write_text(json.dumps(config))
    receiver.script = [(200, {}), (500, {})]
    for expected in (0, 69):
        program = run_program("alerter", "--config", path, "--test", "ops")
        assert program.process.wait(stand.PATIENCE_S) == expected, program.log()
    assert receiver.ids()[0].startswith("test/")
    assert "answer 500" in program.log()
    program = run_program("alerter", "--config", path, "--test", "nobody")
    assert program.process.wait(stand.PATIENCE_S) == 64
    assert "log ops" in program.log()


def test_full_queue_drops_the_oldest(listener, start, config, receiver):
    receiver.script = [(503, {})] * 1000
    config["channels"]["ops"]["queue"] = 2
    service = start("alerter", config)
    wait_up(listener)
    for episode in range(1, 6):
        publish(listener, "firing", episode, since=episode)
    stand.wait_until(lambda: os.path.exists(memory_path(config)), what="the memory on disk")

    def waiting():  # one in flight stays, whatever its age
        return [p["notification"]["alerts"][0]["episode"] for p in state_of(config)["pending"]]

    stand.wait_until(lambda: len(waiting()) == 2 and waiting()[-1] == 5, what="two in the queue, the newest with them")
    assert 'reason="queue full"' in service.log()
    receiver.script = []
    wait_ended(listener, 5, "firing")
    delivered = listener.find(OUTCOME_TOPIC, lambda m: m.json["outcome"] == "delivered")
    assert len(delivered) == 2


def test_gives_up_in_the_end(listener, start, config, receiver):
    receiver.script = [(503, {})] * 1000
    config["channels"]["ops"]["give_up_after"] = "1s"
    start("alerter", config)
    wait_up(listener)
    publish(listener, "firing")
    outcome = wait_ended(listener, 1, "firing", "failed")
    assert outcome["attempts"] > 1
    assert outcome["error"] == "answer 503"


def test_breaker_spares_the_receiver(listener, start, config, receiver):
    """After three failures in a row it is asked at most once in breaker_open."""
    receiver.script = [(503, {})] * 1000
    config["channels"]["ops"].update(retry_first="10ms", retry_max="10ms", breaker_open="400ms")
    start("alerter", config)
    wait_up(listener)
    publish(listener, "firing")
    times = [at for at, _, _ in receiver.wait_for(5)]
    assert times[3] - times[2] >= 0.38
    assert times[4] - times[3] >= 0.38


def test_reload_changes_the_routes_and_repeats_nothing(listener, start, config, receiver):
    service = start("alerter", config)
    wait_up(listener)
    publish(listener, "firing")
    wait_ended(listener, 1, "firing")
    config["route"]["channels"] = ["log"]
    config["mqtt"] = json.loads(service.config_path.read_text())["mqtt"]
    service.write(config)
    mark = listener.mark()
    service.signal(signal.SIGHUP)
    stand.wait_until(lambda: " reloaded " in service.log(), what="the reload in the log")
    publish(listener, "resolved")
    listener.wait("iot/_notification/log", lambda m: m.json["state"] == "resolved", since=mark)
    receiver.wait_for(2)
    settle(listener, "end")
    assert [state for _, _, state in receiver.told()] == ["firing", "resolved"]  # the end is owed to who was told
    assert not listener.find("iot/_notification/+", lambda m: m.json["state"] == "firing", since=mark)


SCENARIOS = stand.ROOT / "tests/alerter/scenarios"


def run_tool(run_program, *arguments):
    program = run_program("alerter", *arguments)
    return program.process.wait(stand.PATIENCE_S), program.log()


def test_replay_compares_with_what_is_expected(run_program, tmp_path):
    scenario = ["--config", SCENARIOS / "fifty_devices.json", "--replay", SCENARIOS / "fifty_devices.jsonl"]
    code, out = run_tool(run_program, *scenario)
    assert code == 0 and out == (SCENARIOS / "fifty_devices.expected").read_text()
    code, out = run_tool(run_program, *scenario, "--expect", SCENARIOS / "fifty_devices.expected")
    assert (code, out) == (0, "")
    (tmp_path / "other").write_text((SCENARIOS / "fifty_devices.expected").read_text().replace("offline", "on fire"))
    code, out = run_tool(run_program, *scenario, "--expect", tmp_path / "other")
    assert code == 1
    assert [line[0] for line in out.splitlines() if "gateway_1 does not answer" in line] == ["-", "+"]
    code, out = run_tool(run_program, *scenario[:3], tmp_path / "none")
    assert code == 74 and "none" in out


def test_route_says_where_and_why(run_program, tmp_path):
    path = tmp_path / "alert.jsonl"
    line = {"t": 1763805600000, "topic": "iot/hall/pump_1/alert/night_run", "payload": alert("firing", since=1)}
    path.write_text(json.dumps({**line, "payload": {**line["payload"], "rule": "night_run"}}) + "\n")
    code, out = run_tool(run_program, "--config", SCENARIOS / "routing.json", "--route", path)
    lines = [text.strip() for text in out.splitlines()]
    assert code == 0
    assert "{ }{ severity=critical }: takes it and lets the next ones look too, to" in lines
    assert "{ }{ device=pump_*|valve_* }{ rule=night_* }: takes it, to" in lines
    assert "pumps_night" in lines and "all" not in lines
    code, out = run_tool(run_program, "--config", SCENARIOS / "silences.json", "--route", SCENARIOS / "silences.jsonl")
    assert code == 0 and "held now" not in out.replace("not held now", "")
    path.write_text("")
    code, out = run_tool(run_program, "--config", SCENARIOS / "routing.json", "--route", path)
    assert code == 74 and "there is no alert in it" in out
