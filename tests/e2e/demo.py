"""Both demos natively, from the shipped configurations, on a broker without credentials.

deploy/demo does the same for people, with credentials; here the pace is faster and the ports are free ones.
"""

import json
import re
from pathlib import Path

import stand

SERVICES = ("serial-agent", "modbus-agent", "rules-engine", "influx-sink", "alerter")


def read_commented(path):
    """The JSON of a configuration with // comments."""
    string_or_comment = r'("(?:\\.|[^"\\])*")|//[^\n]*'
    return json.loads(re.sub(string_or_comment, lambda found: found[1] or "", Path(path).read_text()))


class Demo:
    """Broker, simulators and the five services; `period` replaces the agents' one-second polls.

    The greenhouse's wire is "tcp" or, with the same configuration but for its port, a "terminal".
    """

    def __init__(self, directory, broker, greenhouse_speed=1, line_speed=1, period="1s", wire="tcp"):
        self.directory = Path(directory)
        self.broker = broker
        address = f"127.0.0.1:{stand.free_port()}"
        terminal = self.directory / "ttyGreenhouse"
        self.greenhouse_port = f"tcp://{address}" if wire == "tcp" else str(terminal)
        serve = ["--listen", address] if wire == "tcp" else ["--pty", terminal]
        self.line_port = stand.free_port()
        self.control = self.directory / "line.sock"
        self.points = self.directory / "points"
        self.period = period
        simulators = stand.BUILD / "tests/sim"
        self.programs = {
            "greenhouse-sim": stand.Program(
                [simulators / "sim-arduino", *serve, "--speed", greenhouse_speed], self.directory / "greenhouse-sim.log"),
            "line-sim": stand.Program(
                [simulators / "sim-plc", "--listen", f"127.0.0.1:{self.line_port}", "--speed", line_speed,
                 "--control", self.control, "--log-writes"], self.directory / "line-sim.log"),
        }
        for name in SERVICES:
            self.programs[name] = stand.Service(name, self.config(name), self.directory)

    def config(self, name):
        config = read_commented(stand.ROOT / "deploy/config" / f"{name}.json")
        config["mqtt"] = {"url": self.broker.url}
        config["service"] = {"state_dir": str(self.directory / f"{name}.state")}
        if name == "rules-engine":
            config["include"] = [str(stand.ROOT / "deploy/config/rules/*.json")]
        if name == "influx-sink":
            config["targets"] = [{"kind": "file", "url": f"file://{self.points}"}]
            del config["query"]  # a file answers no questions
        text = json.dumps(config)
        text = text.replace("tcp://greenhouse-sim:4001", self.greenhouse_port)
        text = text.replace("line-sim:5020", f"127.0.0.1:{self.line_port}")
        return json.loads(re.sub(r'"period": "1s"', f'"period": "{self.period}"', text))

    def start(self):
        for program in self.programs.values():
            program.start()
        return self

    def stop(self):
        for program in reversed(self.programs.values()):
            if program.running():
                program.kill()

    def resident_bytes(self):
        """Of each service, as the kernel counts it."""
        pages = {}
        for name in SERVICES:
            statm = Path(f"/proc/{self.programs[name].process.pid}/statm").read_text()
            pages[name] = int(statm.split()[1]) * 4096
        return pages
