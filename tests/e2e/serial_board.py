"""A board on a pseudo-terminal that talks by itself, numbering its lines whether or not somebody hears."""

import os
import pty
import random
import threading
import time
import tty

DEVICE = "iot/facility_a/talker"
SENSORS = f"{DEVICE}/telemetry/sensors"


def config(port, **changes):
    device = {
        "location": "facility_a",
        "device": "talker",
        "port": port,
        "baud": 115200,
        "boot_wait": "0ms",
        "backoff": {"first": "1ms", "max": "5ms"},
        "streams": [
            {
                "measurement": "sensors",
                "sequence": {"field": "N"},
                "silence": "300ms",
                "points": [{"name": "temperature", "field": "TEMP"}, {"name": "n", "field": "N"}],
            }
        ],
    }
    device.update(changes)
    return {"devices": [device]}


def readings(listener, since=0):
    """All that were published, in their order."""
    return [r for m in listener.find(SENSORS, since=since) for r in m.readings]


def wait_reading(listener, predicate=lambda _: True, since=0):
    """The first one that satisfies the predicate."""
    message = listener.wait(SENSORS, lambda m: any(map(predicate, m.readings)), since=since)
    return next(filter(predicate, message.readings))


class Talker:
    """What does not fit the terminal is lost in the middle of a line, as on a real wire."""

    def __init__(self, link, period_s=0.002):
        self.link = str(link)
        self.period_s = period_s
        self.number = -1  # of the last line
        self.master = None
        self.quiet = False
        self._lock = threading.Lock()
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._talk, daemon=True)

    def start(self):
        self._thread.start()
        return self

    def plug(self):
        master, slave = pty.openpty()
        tty.setraw(slave)
        os.set_blocking(master, False)
        name = os.ttyname(slave)
        os.close(slave)
        if os.path.islink(self.link):
            os.unlink(self.link)
        os.symlink(name, self.link)
        with self._lock:
            self.master = master

    def unplug(self):
        with self._lock:
            if self.master is not None:
                os.unlink(self.link)
                os.close(self.master)
            self.master = None

    def replug(self, times):
        """At any moment, in the middle of lines too."""
        draw = random.Random(5)
        for _ in range(times):
            self.unplug()
            time.sleep(draw.uniform(0.001, 0.006))
            self.plug()
            time.sleep(draw.uniform(0.004, 0.025))

    def say(self, data):
        with self._lock:
            try:
                if self.master is not None:
                    return os.write(self.master, data)
            except (BlockingIOError, OSError):
                pass
            return 0

    def _talk(self):
        while not self._ends.wait(self.period_s):
            if not self.quiet:
                self.number += 1
                self.say(b"TEMP:23.5,N:%d\r\n" % self.number)

    def end(self):
        self._ends.set()
        self._thread.join(10)
        self.unplug()


def descriptors(pid):
    """How many it has open, but for the files of /proc that it reads for its health at times."""
    folder, count = f"/proc/{pid}/fd", 0
    for name in os.listdir(folder):
        try:
            count += not os.readlink(f"{folder}/{name}").startswith("/proc/")
        except FileNotFoundError:
            pass
    return count


def resident_kib(pid):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
