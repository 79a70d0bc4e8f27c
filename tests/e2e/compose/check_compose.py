"""What must be true of `docker compose up`. Run by ./run, which brings it up and takes it down.

The checks share one running suite and go from what only looks to what breaks things.
"""

import json
import os
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest

SERVICES = ("serial-agent", "modbus-agent", "rules-engine", "influx-sink", "alerter")
SIMULATORS = ("greenhouse-sim", "line-sim")
PROJECT = os.environ["COMPOSE_PROJECT_NAME"]
MQTT_PORT = os.environ["FIELDLINE_MQTT_PORT"]
INFLUX_PORT = os.environ["FIELDLINE_INFLUX_PORT"]
UP_S = float(os.environ["FIELDLINE_UP"])
ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
GREENHOUSE = "iot/facility_a/greenhouse_001"
LINE = "iot/facility_a/line_001"
PLANT = "iot/facility_a/plc_001"
DEADLINE_S = time.monotonic() + 300  # of all checks together: what is broken fails quickly


def run(*command, check=True, timeout=60):
    return subprocess.run(command, check=check, timeout=timeout, text=True, capture_output=True)


def container(service):
    """The id of a service's container, running or not."""
    found = run("docker", "ps", "-aq", "--no-trunc",
                "--filter", f"label=com.docker.compose.project={PROJECT}",
                "--filter", f"label=com.docker.compose.service={service}").stdout.split()
    assert len(found) == 1, f"{service}: {len(found)} containers"
    return found[0]


def inspect(service):
    return json.loads(run("docker", "inspect", container(service)).stdout)[0]


def inside(service, *command, check=True):
    return run("docker", "exec", container(service), *command, check=check)


def wait_for(what, seconds, say):
    """The first true value that `what` gives."""
    end = min(time.monotonic() + seconds, DEADLINE_S)
    while True:
        value = what()
        if value:
            return value
        if time.monotonic() > end:
            break
        time.sleep(0.1)
    pytest.fail(f"not within {seconds} s: {say}")


class Ear:
    """Hears everything, with the very command of the README."""

    def __init__(self):
        self.messages = []
        self.process = subprocess.Popen(
            ["docker", "exec", container("broker"), "mosquitto_sub", "-t", "iot/#", "-F", "%j"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        for line in self.process.stdout:
            message = json.loads(line)
            try:
                message["payload"] = json.loads(message.get("payload", ""))
            except ValueError:
                pass
            self.messages.append(message)

    def mark(self):
        return len(self.messages)

    def hears(self, topic, since=0, seconds=30, where=lambda payload: True):
        """The payload of the first live message on `topic` after `since` that is as wanted."""
        def found():
            return [m["payload"] for m in self.messages[since:]
                    if m["topic"] == topic and not m["retain"] and where(m["payload"])]
        return wait_for(found, seconds, f"a wanted message on {topic}")[0]

    def close(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture(name="ear")
def fixture_ear():
    ear = Ear()
    yield ear
    ear.close()


def publish_as(service, topic, payload, password=None):
    """What the broker says to a service that publishes this; from the host, on the published port."""
    password = password or inside(service, "cat", "/run/secrets/mqtt_password").stdout
    return run("mosquitto_pub", "-h", "127.0.0.1", "-p", MQTT_PORT, "-V", "5", "-u", service,
               "-P", password, "-q", "1", "-t", topic, "-m", payload, check=False)


def stored(metric):
    query = urllib.parse.urlencode({"match[]": metric})
    url = f"http://127.0.0.1:{INFLUX_PORT}/api/v1/export?{query}"
    with urllib.request.urlopen(url, timeout=10) as answer:
        return [json.loads(line) for line in answer.read().splitlines()]


def healthy(service):
    state = inspect(service)["State"]
    return state["Running"] and state.get("Health", {}).get("Status") == "healthy"


def memory_kib(service):
    """Resident memory, and the part of it that is not pages of libraries, which all services share."""
    with open(f"/proc/{inspect(service)['State']['Pid']}/status", encoding="ascii") as status:
        size = {line.split(":")[0]: int(line.split()[1]) for line in status if line.endswith(" kB\n")}
    return size["VmRSS"], size["RssAnon"] + size["RssShmem"]


# --- it comes up -----------------------------------------------------------------------------------

@pytest.mark.parametrize("topic", [f"{GREENHOUSE}/telemetry/sensors", f"{PLANT}/telemetry/process",
                                   f"{LINE}/telemetry/production", f"{LINE}/telemetry/equipment_status"])
def test_telemetry_moves(ear, topic):
    reading = ear.hears(topic, seconds=30)
    print(f"\n  first seen {time.time() - UP_S:.1f} s after `up` began: {topic}")
    assert reading["values"] and isinstance(reading["ts"], int) and isinstance(reading["seq"], int)


@pytest.mark.parametrize("service", ("broker", "influxdb") + SERVICES)
def test_becomes_healthy(service):
    wait_for(lambda: healthy(service), 60, f"{service} healthy")
    assert inspect(service)["RestartCount"] == 0


def test_bootstrap_ends_and_tells_nothing():
    assert inspect("bootstrap")["State"]["ExitCode"] == 0
    secrets = [inside(service, "cat", "/run/secrets/mqtt_password").stdout for service in SERVICES]
    assert len(set(secrets)) == len(SERVICES) and all(len(secret) == 64 for secret in secrets)
    for service in ("bootstrap", "broker", "influxdb") + SERVICES:
        shown = run("docker", "logs", container(service))
        shown = shown.stdout + shown.stderr + json.dumps(inspect(service))
        assert not [secret for secret in secrets if secret in shown], service


def test_bootstrap_again_changes_no_credential():
    def credentials():
        return [inside(service, "cat", "/run/secrets/mqtt_password").stdout for service in SERVICES]
    before = credentials()
    run("docker", "start", "-a", container("bootstrap"))
    assert credentials() == before


def test_compose_2_reads_the_file():
    """Debian 13's docker-compose is version 2; what brought this suite up may be 1.29.2."""
    script = ("apt-get update -q && apt-get install -y -q --no-install-recommends docker-compose && "
              "docker-compose version && docker-compose -f docker-compose.yml config -q")
    done = run("docker", "run", "--rm", "--network", "host", "-v", f"{ROOT}/docker-compose.yml:/suite/docker-compose.yml:ro",
               "-w", "/suite", "debian:trixie-slim", "sh", "-c", script, check=False, timeout=120)
    assert done.returncode == 0 and "version 2." in done.stdout, done.stderr


# --- it is shut ------------------------------------------------------------------------------------

@pytest.mark.parametrize("service", SERVICES + SIMULATORS + ("broker",))
def test_container_is_hardened(service):
    facts = inspect(service)
    host = facts["HostConfig"]
    user = facts["Config"]["User"]
    assert user.split(":")[0].isdigit() and user.split(":")[0] != "0"
    assert host["ReadonlyRootfs"] and host["CapDrop"] == ["ALL"] and not host["CapAdd"]
    assert "no-new-privileges:true" in host["SecurityOpt"] and not host["Privileged"]
    assert 0 < host["Memory"] <= 256 << 20 and 0 < host["PidsLimit"] <= 64
    with open(f"/proc/{facts['State']['Pid']}/status", encoding="ascii") as status:
        held = dict(line.split(":", 1) for line in status)
    assert held["Uid"].split()[0] == user.split(":")[0]
    assert int(held["CapEff"], 16) == 0 and int(held["CapBnd"], 16) == 0
    assert held["NoNewPrivs"].strip() == "1"
    assert inside(service, "sh", "-c", "echo x > /usr/local/bin/x", check=False).returncode != 0


def test_only_loopback_is_published():
    for service in ("broker", "influxdb", "bootstrap", "store-setup") + SERVICES + SIMULATORS:
        for bindings in inspect(service)["NetworkSettings"]["Ports"].values():
            assert all(binding["HostIp"] == "127.0.0.1" for binding in bindings or []), service


@pytest.mark.parametrize("service", SERVICES)
def test_secret_is_its_owners_alone(service):
    uid = inspect(service)["Config"]["User"].split(":")[0]
    assert inside(service, "stat", "-c", "%u %a", "/run/secrets/mqtt_password").stdout.split() == [uid, "400"]
    stranger = run("docker", "exec", "-u", "10099:10099", container(service), "cat",
                   "/run/secrets/mqtt_password", check=False)
    assert stranger.returncode != 0 and "denied" in stranger.stderr


def test_nobody_gets_in_without_the_right_password():
    anonymous = run("mosquitto_pub", "-h", "127.0.0.1", "-p", MQTT_PORT, "-t", "iot/x", "-m", "x", check=False)
    wrong = publish_as("operator", f"{GREENHOUSE}/command/fan", "ON", password="operator")
    for attempt in (anonymous, wrong):
        assert attempt.returncode != 0 and "not authori" in attempt.stderr.lower(), attempt.stderr


@pytest.mark.parametrize("service, own, others", [
    ("serial-agent", "iot/_dead/serial-agent", f"{PLANT}/telemetry/process"),
    ("serial-agent", "iot/_dead/serial-agent", f"{GREENHOUSE}/alert/temperature_range"),
    ("modbus-agent", "iot/_dead/modbus-agent", f"{GREENHOUSE}/telemetry/sensors"),
    ("rules-engine", "iot/_dead/rules-engine", f"{GREENHOUSE}/telemetry/sensors"),
    ("influx-sink", "iot/_dead/influx-sink", f"{GREENHOUSE}/command/fan"),
    ("alerter", "iot/_dead/alerter", f"{PLANT}/command/pump_1"),
])
def test_a_service_publishes_only_its_own_topics(ear, service, own, others):
    time.sleep(0.5)
    since = ear.mark()
    refused = publish_as(service, others, '{"forged":1}')
    assert "not authori" in refused.stderr.lower(), refused.stderr
    assert publish_as(service, own, '{"allowed":1}').stderr == ""
    ear.hears(own, since, 5, lambda payload: payload == {"allowed": 1})
    assert not [m for m in ear.messages[since:] if m["payload"] == {"forged": 1}]


@pytest.mark.parametrize("service", SERVICES)
def test_every_subscription_is_served(ear, service):
    """A subscription that the ACL does not serve is granted all the same: the echo self-test counts it."""
    health = ear.hears(f"iot/_service/{service}/health", seconds=15)
    silent = {name: value for name, value in {**health["counters"], **health["gauges"]}.items() if "silent" in name}
    assert silent and not any(silent.values()), silent


def token_of(service, path):
    return inside(service, "cat", path).stdout.split("\n")[0]


def test_the_sink_holds_tokens_that_do_one_thing(ear):
    wait_for(lambda: inspect("store-setup")["State"]["Status"] == "exited"
             and inspect("store-setup")["State"]["ExitCode"] == 0, 60, "store-setup is done")
    admin = token_of("influxdb", "/run/secrets/admin_token")
    files = ("/run/secrets/influx_token", "/run/secrets/influx_read_token")
    tokens = [token_of("influx-sink", path) for path in files]
    assert len({admin, *tokens}) == 3
    assert inside("influx-sink", "grep", "-r", "-q", admin, "/run", check=False).returncode != 0
    for path in files:
        assert inside("influx-sink", "stat", "-c", "%u %a", path).stdout.split() == ["10004", "400"]
    url = f"http://127.0.0.1:{INFLUX_PORT}/api/v2/write?org=fieldline&bucket=fieldline&precision=ms"

    def write(token):
        request = urllib.request.Request(url, b"probe n=1", {"Authorization": f"Token {token}"})
        try:
            return urllib.request.urlopen(request, timeout=10).status
        except urllib.error.HTTPError as error:
            return error.code

    assert [write(token) for token in (*tokens, "another")] == [204, 403, 401]


def test_a_second_up_keeps_the_tokens():
    before = token_of("influx-sink", "/run/secrets/influx_token")
    started = inspect("store-setup")["State"]["StartedAt"]
    run("docker", "start", container("store-setup"))
    wait_for(lambda: inspect("store-setup")["State"]["StartedAt"] != started
             and inspect("store-setup")["State"]["Status"] == "exited", 30, "store-setup is done again")
    assert inspect("store-setup")["State"]["ExitCode"] == 0
    assert token_of("influx-sink", "/run/secrets/influx_token") == before


# --- it works --------------------------------------------------------------------------------------

def test_the_fan_obeys(ear):
    time.sleep(0.5)
    since = ear.mark()
    inside("broker", "mosquitto_pub", "-t", f"{GREENHOUSE}/command/fan", "-m", "ON", "-q", "1")
    result = ear.hears(f"{GREENHOUSE}/result/fan", since, 10)
    assert result["result"] == "ok" and result["value"] is True, result
    state = ear.hears(f"{GREENHOUSE}/state/fan", since, 10)
    assert state["value"] is True, state


def test_points_are_in_the_store():
    def found():
        return stored('sensors_temperature{location="facility_a",device_id="greenhouse_001"}')
    series = wait_for(found, 20, "sensors_temperature in the store")
    assert series[0]["values"] and abs(series[0]["timestamps"][-1] / 1000 - time.time()) < 120
    wait_for(lambda: stored('production_units_produced{device_id="line_001"}'), 20, "the line in the store")


def test_an_alert_fires_and_resolves(ear):
    """The line is sped up in override.yml: its shifts have one jam each."""
    alert = ear.hears(f"{LINE}/alert/low_efficiency", 0, 120, lambda payload: payload["state"] == "firing")
    assert "%" in alert["message"] and alert["cause"]["values"]["efficiency"] < 0.85, alert
    ear.hears(f"{LINE}/alert/low_efficiency", 0, 120,
              lambda payload: payload["state"] == "resolved" and payload["episode"] == alert["episode"])
    notified = [m for m in ear.messages if m["topic"].startswith("iot/_notification/")]
    assert notified, "the alerter told nobody"


@pytest.mark.parametrize("service", SERVICES)
def test_memory_is_small(service):
    resident, private = memory_kib(service)
    print(f"\n  {service}: {resident} KiB resident, {private} KiB of them its own")
    assert private < 10 * 1024 and resident < 16 * 1024


def test_nothing_was_unusable(ear):
    """No service has put another's message aside."""
    ear.hears("iot/_service/influx-sink/health", 0, 15)
    dead = [m for m in ear.messages if m["topic"].startswith("iot/_dead/") and m["payload"] != {"allowed": 1}]
    assert not dead, dead[0]


# --- it heals --------------------------------------------------------------------------------------

def crash(service):
    """As a crash would: `docker kill` counts as stopped by hand and is not restarted."""
    before = inspect(service)
    os.kill(before["State"]["Pid"], 9)
    wait_for(lambda: inspect(service)["RestartCount"] > before["RestartCount"]
             and inspect(service)["State"]["Running"], 20, f"{service} running again")


def test_a_crashed_agent_comes_back_and_the_others_go_on(ear):
    crash("modbus-agent")
    since = ear.mark()
    ear.hears(f"{GREENHOUSE}/telemetry/sensors", since, 10)
    ear.hears(f"{LINE}/telemetry/production", since, 30)
    wait_for(lambda: healthy("modbus-agent"), 60, "modbus-agent healthy")
    assert all(inspect(service)["RestartCount"] == 0 for service in SERVICES if service != "modbus-agent")


def test_a_crashed_broker_is_found_again():
    crash("broker")
    wait_for(lambda: inside("broker", "mosquitto_sub", "-t", "iot/#", "-C", "1", "-W", "2", check=False).returncode == 0,
             20, "the broker answers")
    ear = Ear()
    try:
        ear.hears(f"{GREENHOUSE}/telemetry/sensors", 0, 40)
        ear.hears(f"{LINE}/telemetry/equipment_status", 0, 40)
    finally:
        ear.close()
    assert all(inspect(service)["RestartCount"] == 0 for service in SERVICES if service != "modbus-agent")


def test_a_crashed_store_is_filled_again():
    crash("influxdb")
    since_ms = time.time() * 1000
    def found():
        try:
            return [s for s in stored("sensors_temperature") if s["timestamps"][-1] > since_ms]
        except OSError:
            return []
    wait_for(found, 60, "a point made after the store's crash in the store")
