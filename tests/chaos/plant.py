"""What the oracle breaks: the broker with the shipped configuration, the sinks and the disk they write to, the agents."""

import getpass
import os
import re
import subprocess
import time
from pathlib import Path

import agents
import stand

DISK_MIB = 48


class Broker(stand.Program):
    """mosquitto with deploy/broker/mosquitto.conf, but for addresses, paths and users."""

    def __init__(self, directory):
        self.port = stand.free_port()
        text = (stand.ROOT / "deploy/broker/mosquitto.conf").read_text()
        text = re.sub(r"(?m)^listener .*", f"listener {self.port} 127.0.0.1", text)
        text = re.sub(r"(?m)^allow_anonymous .*", "allow_anonymous true", text)
        text = re.sub(r"(?m)^(password_file|acl_file) .*\n", "", text)
        text = text.replace("/var/lib/mosquitto/", f"{directory}/broker/")
        (directory / "broker").mkdir()
        config = directory / "mosquitto.conf"
        config.write_text(f"{text}\nuser {getpass.getuser()}\nsys_interval 1\n")
        self.outages = []  # (from, to), monotonic
        super().__init__(["mosquitto", "-c", config], directory / "mosquitto.log")

    def start(self):
        super().start()
        stand.wait_until(lambda: stand.accepts(self.port), 30, what="the broker")
        if self.outages:
            self.outages[-1] = (self.outages[-1][0], time.monotonic())
        return self

    def stop(self, timeout_s=60):
        self.outages.append((time.monotonic(), float("inf")))
        return super().stop(timeout_s)


class Disk:
    """A small file system of its own, to be filled; a plain folder where it may not be mounted."""

    def __init__(self, path):
        self.path = path
        path.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "tmpfs", str(path)]
        self.small = os.geteuid() == 0 and subprocess.run(command, capture_output=True).returncode == 0

    def fill(self):
        with open(self.path / "ballast", "ab", buffering=0) as ballast:
            for size in (1 << 20, 4096, 1):
                try:
                    while True:
                        ballast.write(bytes(size))
                except OSError:
                    pass

    def free(self):
        (self.path / "ballast").unlink(missing_ok=True)

    def close(self):
        if self.small:
            subprocess.run(["umount", "-l", str(self.path)], check=True)
            self.small = False


class Sink(stand.Service):
    kills = 0

    def kill(self):
        self.kills += 1
        return super().kill()


class Plant:
    def __init__(self, directory, store, n_sinks, bug):
        self.store = store
        self.broker = Broker(directory)
        self.disk = Disk(directory / "disk")
        self.sinks = [self._make_sink(directory, i, n_sinks, bug) for i in range(n_sinks)]
        self.agents = agents.make(self.broker.port, directory)
        self.health = None

    def _make_sink(self, directory, index, n_sinks, bug):
        place = directory / f"sink-{index}"
        place.mkdir()
        location = f"chaos_{index}" if n_sinks > 1 else "+"
        config = {
            "service": {"instance": place.name, "state_dir": str(self.disk.path / place.name), "drain": "2s"},
            "mqtt": {
                "url": f"mqtt://127.0.0.1:{self.broker.port}",
                "backoff": {"first": "50ms", "max": "500ms"},
            },
            "topics": [f"{location}/+/telemetry/+", *(["agents/+/telemetry/+"] if n_sinks > 1 and index == 0 else [])],
            "spool": {"segment_size": "1MiB"},
            "dead_letters": {"max_size": "1GiB"},
            "retry": {"first": "50ms", "max": "500ms", "breaker_failures": 5, "breaker_open": "300ms"},
            "targets": [self.store.target],
        }
        sink = Sink("influx-sink", config, place)
        if bug:
            library = stand.BUILD / "tests/chaos/libchaos-early-ack.so"
            sink.arguments[:0] = ["env", f"LD_PRELOAD={library}"]
        return sink

    def start(self):
        self.broker.start()
        self.health = stand.Listener(
            self.broker.port, "iot/_service/+/health", "$SYS/broker/publish/messages/dropped"
        )
        for sink in self.sinks:
            sink.start()
        for sink in self.sinks:
            stand.wait_until(lambda: "intake_up" in sink.log(), 30, what=f"the session; see {sink.log_path}")
        for agent in self.agents:
            agent.start()

    def waiting(self, sink):
        """Records in a sink's spool."""
        command = [word for word in sink.arguments if not word.startswith("LD_PRELOAD")] + ["--spool-info"]
        text = subprocess.run(command, capture_output=True, text=True).stdout
        found = re.search(r"waiting +(\d+) records", text)
        return int(found[1]) if found else -1

    def dead_letters(self):
        """Their lines, from all files of all sinks."""
        for path in sorted(Path(self.disk.path).glob("sink-*/dead-letters.jsonl*")):
            yield from path.read_text(errors="replace").splitlines()

    def stop_agents(self):
        for agent in self.agents:
            agent.stop()

    def stop_sinks(self):
        for sink in self.sinks:
            sink.stop(30)

    def stop(self):
        for program in [*self.agents, *self.sinks, self.broker]:
            if program.running():
                program.kill()
        for agent in self.agents:
            agent.meter.close()
        if self.health:
            self.health.close()
        self.disk.close()
