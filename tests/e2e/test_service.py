"""What every program keeps of the contract, sections 1, 4 and 5, whatever its own work is."""

import json
import os
import re
import signal
import subprocess
import time

import pytest

import stand

NAMES = ["serial-agent", "modbus-agent", "rules-engine", "influx-sink", "alerter"]


def shipped(name, tmp_path):
    """The configuration of the demo, which is a full one, with its secrets and places made local."""
    text = (stand.ROOT / "deploy/config" / f"{name}.json").read_text()
    (tmp_path / "secret").write_text("s3cret-token\n")
    text = re.sub(r'("(?:password|token|secret)_file":\s*)"[^"]*"', rf'\1"{tmp_path}/secret"', text)
    text = re.sub(r'("(?:state_dir|health_file)":\s*)"[^"]*"', rf'\1"{tmp_path}/{name}"', text)
    text = text.replace("rules/*.json", f"{stand.ROOT}/deploy/config/rules/*.json")
    path = tmp_path / f"{name}.json"
    path.write_text(text)
    return stand.BUILD / name, path


def run(*arguments, **more):
    return subprocess.run([str(a) for a in arguments], capture_output=True, text=True, timeout=30, **more)


@pytest.mark.parametrize("name", NAMES)
def test_the_shipped_configuration_is_valid(name, tmp_path):
    program, path = shipped(name, tmp_path)
    done = run(program, "--check", "--config", path)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", NAMES)
def test_the_effective_configuration_is_json_without_secrets(name, tmp_path):
    program, path = shipped(name, tmp_path)
    done = run(program, "--print-config", "--config", path)
    assert done.returncode == 0, done.stderr
    effective = json.loads(done.stdout)
    assert effective["mqtt"]["keep_alive"]  # a default that the file does not name
    assert "s3cret" not in done.stdout


@pytest.mark.parametrize("name", NAMES)
def test_every_problem_is_named_with_its_path(name, tmp_path):
    program, path = shipped(name, tmp_path)
    path.write_text(path.read_text().replace('"mqtt"', '"mqtt": {"ulr": "x", "root": "a/#"}, "mqttt"', 1))
    done = run(program, "--check", "--config", path)
    assert done.returncode == 78
    assert "mqtt.ulr" in done.stderr and "url" in done.stderr
    assert "mqtt.root" in done.stderr
    assert "mqttt" in done.stderr


@pytest.mark.parametrize("name", NAMES)
def test_words_of_the_command_line(name, tmp_path):
    program = stand.BUILD / name
    assert name in run(program, "--version").stdout
    assert "--config" in run(program, "--help").stdout
    assert run(program, "--wrong").returncode == 64
    environment = {k: v for k, v in os.environ.items() if k != "FIELDLINE_CONFIG"}
    assert run(program, env=environment).returncode == 64
    assert run(program, "--config", tmp_path / "absent.json").returncode == 78


def sanitised(program):
    """Whether it takes the memory of ASan or TSan besides its own."""
    text = program.read_bytes()
    return b"__asan_init" in text or b"__tsan_init" in text


@pytest.mark.parametrize("name", NAMES)
def test_birth_health_and_end(name, tmp_path, broker, listener):
    program, path = shipped(name, tmp_path)
    environment = dict(os.environ, FIELDLINE_MQTT_URL=broker.url, FIELDLINE_MQTT_USERNAME="x")
    log = open(tmp_path / "log", "wb")
    process = subprocess.Popen([program, "--config", path], env=environment, stdout=log, stderr=log)
    try:
        online = listener.wait(f"iot/_service/{name}/status", lambda m: m.json["state"] == "online")
        assert online.retain
        health = listener.wait(f"iot/_service/{name}/health")
        if not sanitised(program):
            assert health.json["rss_bytes"] < 12 * 1024 * 1024  # of which 2 are its own, the rest shared libraries
        assert health.json["session"] == online.json["session"]
        mark = listener.mark()
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
        offline = listener.wait(f"iot/_service/{name}/status", since=mark)
        assert offline.json["state"] == "offline"
        assert offline.json["session"] == online.json["session"]
    finally:
        process.kill()
        process.wait()


def test_the_will_of_a_killed_service(tmp_path, start, listener):
    service = start("rules-engine", {})
    online = listener.wait("iot/_service/rules-engine/status", lambda m: m.json["state"] == "online")
    service.kill()
    offline = listener.wait("iot/_service/rules-engine/status", lambda m: m.json["state"] == "offline")
    assert offline.json["session"] == online.json["session"]


def test_healthcheck_follows_the_work(tmp_path, broker, start, listener):
    health_file = tmp_path / "health"
    config = {"mqtt": {"url": broker.url}, "service": {"health_file": str(health_file)}}
    service = start("rules-engine", config)
    command = [stand.BUILD / "rules-engine", "--healthcheck", "--config", service.config_path]
    stand.wait_until(lambda: run(*command).returncode == 0, what="a healthy service")
    broker.kill()
    stand.wait_until(lambda: run(*command).returncode == 1, what="an unhealthy service")
    assert "broker" in run(*command).stdout
    broker.start()
    stand.wait_until(lambda: run(*command).returncode == 0, what="a healed service")
    service.kill()
    time.sleep(0.1)
    os.utime(health_file, (time.time() - 60, time.time() - 60))
    assert run(*command).returncode == 1


def test_a_bad_reload_is_refused_and_a_good_one_taken(broker, start, listener):
    service = start("rules-engine", {"log": {"level": "info"}})
    listener.wait("iot/_service/rules-engine/status", lambda m: m.json["state"] == "online")
    service.config_path.write_text('{"mqtt": {"url": 5}}')
    service.signal(signal.SIGHUP)
    stand.wait_until(lambda: "reload_refused" in service.log(), what="the refusal")
    assert "mqtt.url" in service.log()
    service.write({"mqtt": {"url": broker.url}})
    service.signal(signal.SIGHUP)
    stand.wait_until(lambda: " reloaded " in service.log(), what="the reload")
    assert service.running()


def test_another_root_and_a_password_from_the_environment(tmp_path, broker, listener):
    (tmp_path / "pw").write_text("secret\n")
    path = tmp_path / "c.json"
    path.write_text(json.dumps({"mqtt": {"url": "mqtt://127.0.0.1:1", "root": "plant/north"}}))
    environment = dict(
        os.environ,
        FIELDLINE_CONFIG=str(path),
        FIELDLINE_MQTT_URL=broker.url,
        FIELDLINE_MQTT_USERNAME="u",
        FIELDLINE_MQTT_PASSWORD_FILE=str(tmp_path / "pw"),
    )
    process = subprocess.Popen([stand.BUILD / "rules-engine"], env=environment, stderr=subprocess.DEVNULL)
    try:
        listener.wait("plant/north/_service/rules-engine/status", lambda m: m.json["state"] == "online")
    finally:
        process.terminate()
        process.wait(15)
