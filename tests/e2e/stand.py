"""The stand of the end-to-end tests: real brokers, real programs, and a listener that waits for messages.

Nothing here sleeps for a fixed time and hopes: whoever waits says for what and for how long at most.
"""

import contextlib
import itertools
import json
import os
import random
import socket
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import paho.mqtt.client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("FIELDLINE_BUILD", ROOT / "build" / "release"))
PATIENCE_S = float(os.environ.get("FIELDLINE_PATIENCE", "10"))


def _ports():
    """Those below what the kernel gives to clients, so that none is taken by a connection before its server starts;
    workers of one run have every eighth, so that no two choose the same."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
    ports = range(10_000 + worker % 8, 32_000, 8)
    first = random.randrange(len(ports))  # of several runs on one machine, each elsewhere
    return itertools.cycle([*ports[first:], *ports[:first]])


_PORTS = _ports()


def free_port():
    """A TCP port of 127.0.0.1 that nobody uses now, another one each time."""
    for port in itertools.islice(_PORTS, 1000):
        with socket.socket() as s, contextlib.suppress(OSError):
            s.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no free port among a thousand")


def wait_until(condition, timeout_s=PATIENCE_S, what="the condition"):
    """Returns the first truthy value of condition()."""
    end = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {timeout_s} s in vain for {what}")
        time.sleep(0.01)


def accepts(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


class Program:
    """A child process whose output goes to a file; ended by its own id."""

    def __init__(self, arguments, log_path):
        self.arguments = [str(a) for a in arguments]
        self.log_path = Path(log_path)
        self.process = None

    def start(self):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                self.arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        return self

    def log(self):
        return self.log_path.read_text(errors="replace")

    def running(self):
        return self.process is not None and self.process.poll() is None

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        self.process.kill()
        return self.process.wait()

    def stop(self, timeout_s=PATIENCE_S):
        """SIGTERM; returns the exit code. A program that does not leave is killed, and that is an error."""
        if not self.running():
            return self.process.returncode if self.process else None
        self.process.terminate()
        try:
            return self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.arguments[0]} did not leave within {timeout_s} s:\n{self.log()}")


class Broker(Program):
    """mosquitto on a free port of 127.0.0.1 with a configuration of its own."""

    def __init__(self, directory, extra=""):
        self.port = free_port()
        self.url = f"mqtt://127.0.0.1:{self.port}"
        config = Path(directory) / "mosquitto.conf"
        config.write_text(
            f"listener {self.port} 127.0.0.1\n"
            "allow_anonymous true\n"
            "set_tcp_nodelay true\n"
            "max_queued_messages 100000\n"
            f"{extra}\n"
        )
        super().__init__(["mosquitto", "-c", config], Path(directory) / "mosquitto.log")

    def start(self):
        super().start()
        wait_until(lambda: accepts(self.port), what=f"the broker on port {self.port}")
        return self


class Service(Program):
    """One of the five programs with a configuration given as a dict."""

    def __init__(self, name, config, directory, arguments=()):
        self.name = name
        self.config_path = Path(directory) / f"{name}.json"
        self.write(config)
        super().__init__(
            [BUILD / name, "--config", self.config_path, *arguments],
            Path(directory) / f"{name}.log",
        )

    def write(self, config):
        """In one go: another one that starts from the same file may be reading it."""
        new = self.config_path.with_suffix(".new")
        new.write_text(json.dumps(config, indent=2))
        new.replace(self.config_path)


@dataclass
class Message:
    topic: str
    payload: bytes
    retain: bool
    correlation: bytes | None
    at: float = field(default_factory=time.monotonic)

    @property
    def json(self):
        return json.loads(self.payload)

    @property
    def readings(self):
        """Of a telemetry message, which holds one or an array of them."""
        said = self.json
        return said if isinstance(said, list) else [said]


def _always(_):
    return True


class Listener:
    """An MQTT 5 client that keeps all messages of its filters and can wait for one."""

    def __init__(self, port, *filters, host="127.0.0.1", username=None, password=None):
        self.port = port
        self.messages = []
        self._filters = filters or ("#",)
        self._granted = threading.Event()
        self._changed = threading.Condition()
        self._client = paho.Client(protocol=paho.MQTTv5)
        if username:
            self._client.username_pw_set(username, password)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = lambda *_: self._granted.set()
        self._client.on_disconnect = lambda *_: self._granted.clear()
        self._client.on_message = self._on_message
        self._client.reconnect_delay_set(0.1, 0.5)
        self._client.connect(host, port, clean_start=True)
        self._client.loop_start()
        if not self._granted.wait(PATIENCE_S):
            raise AssertionError("the broker did not grant the listener's subscription")

    def _on_connect(self, client, *_):
        # Else what the tests measure would be this client's 40 ms of Nagle and delayed acknowledgement.
        client.socket().setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        options = paho.SubscribeOptions(qos=1, retainAsPublished=True)
        client.subscribe([(f, options) for f in self._filters])

    def _on_message(self, _client, _userdata, message):
        correlation = getattr(message.properties, "CorrelationData", None)
        with self._changed:
            self.messages.append(
                Message(message.topic, message.payload, bool(message.retain), correlation)
            )
            self._changed.notify_all()

    def wait_granted(self, timeout_s=PATIENCE_S):
        """After the broker was away: connected again, its subscriptions granted."""
        if not self._granted.wait(timeout_s):
            raise AssertionError("the listener is not connected again")

    def mark(self):
        """A place in the stream of messages to wait from: `listener.wait(…, since=mark)`."""
        with self._changed:
            return len(self.messages)

    def find(self, topic, predicate=_always, since=0):
        """All messages of a topic or filter that satisfy the predicate."""
        with self._changed:
            messages = self.messages[since:]
        return [m for m in messages if paho.topic_matches_sub(topic, m.topic) and predicate(m)]

    def wait(self, topic, predicate=_always, since=0, timeout_s=PATIENCE_S):
        """The first message of a topic or filter that satisfies the predicate, past or to come."""
        end = time.monotonic() + timeout_s
        with self._changed:
            seen = since
            while True:
                while seen < len(self.messages):
                    message = self.messages[seen]
                    seen += 1
                    if paho.topic_matches_sub(topic, message.topic) and predicate(message):
                        return message
                left = end - time.monotonic()
                if left <= 0 or not self._changed.wait(left):
                    last = [f"{m.topic} {m.payload[:200]!r}" for m in self.messages[-10:]]
                    raise AssertionError(
                        f"no such message on {topic} within {timeout_s} s; the last were\n"
                        + "\n".join(last)
                    )

    def publish(self, topic, payload, *, retain=False, qos=1, expiry_s=None, reply=None, correlation=None):
        """Publishes and waits until the broker has it. A dict is sent as JSON."""
        properties = Properties(PacketTypes.PUBLISH)
        if expiry_s is not None:
            properties.MessageExpiryInterval = expiry_s
        if reply is not None:
            properties.ResponseTopic = reply
        if correlation is not None:
            properties.CorrelationData = correlation
        if isinstance(payload, (dict, list)):
            payload = json.dumps(payload)
        assert self._granted.wait(PATIENCE_S), "the listener is not connected"
        info = self._client.publish(topic, payload, qos=qos, retain=retain, properties=properties)
        info.wait_for_publish(PATIENCE_S)
        assert info.is_published(), f"the broker did not take {topic}"

    def close(self):
        self._client.disconnect()
        self._client.loop_stop()
