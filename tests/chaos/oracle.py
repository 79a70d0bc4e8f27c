"""Counts, at the end, where every acknowledged message is."""

import json
import re
import time

DROPS = ("spool_corrupt", "dropped", "lost")  # counters of the sink's health that name a loss


class Device:
    """One publisher's messages, from the report of chaos-publish."""

    def __init__(self):
        self.sent = 0
        self.doubt = set()
        self.unheard = 0

    def acknowledged(self):
        return (k for k in range(self.sent) if k not in self.doubt)


def read_report(text):
    devices = {}
    for line in text.splitlines():
        location, name, word, number, *_ = line.split()
        device = devices.setdefault((location, name), Device())
        if word == "sent":
            device.sent = int(number)
        elif word == "unheard":
            device.unheard = int(number)
        else:
            device.doubt.add(int(number))
    return devices


HEALTH_S = 10  # between two messages of health


def is_cut(number):
    """As chaos-publish was told to make them: without an end, so that no ledger can read the number."""
    return number % 3001 == 3


def is_bad(number):
    """Cut, or poisoned."""
    return is_cut(number) or number % 2003 == 7


def ranges(numbers):
    """[1, 2, 3, 7] → "1-3 7", of the first twenty."""
    runs = []
    for n in sorted(numbers):
        if runs and n == runs[-1][1] + 1:
            runs[-1][1] = n
        else:
            runs.append([n, n])
    return " ".join(f"{a}-{b}" if a != b else str(a) for a, b in runs[:20]) + (" …" if len(runs) > 20 else "")


class Oracle:
    def __init__(self, report, store, plant):
        self._devices = read_report(report)
        self._store = store
        self._plant = plant
        self._told = None

    def _missing(self):
        """{device: numbers that were acknowledged and are nowhere}."""
        dead = self._dead()
        missing = {}
        for key, device in self._devices.items():
            stored, buried = self._store.has(key), dead.get(key, ())
            missing[key] = [k for k in device.acknowledged() if k not in stored and k not in buried]
        return missing

    def _dead(self):
        """{device: numbers in the dead letters}; a payload that was cut short still shows its number."""
        dead = {}
        for line in self._plant.dead_letters():
            try:
                letter = json.loads(line)
            except ValueError:
                continue  # being written just now
            _, location, device, *_ = letter["topic"].split("/")
            found = re.search(r'"seq":(\d+)', letter["payload"])
            if found:
                dead.setdefault((location, device), set()).add(int(found[1]))
        return dead

    def settle(self, patience_s):
        """Until nothing is missing, or nothing has changed for `patience_s`."""
        last, since = None, time.monotonic()
        while time.monotonic() - since < patience_s:
            now = sum(len(numbers) for numbers in self._missing().values())
            if now == 0 and all(self._plant.waiting(sink) == 0 for sink in self._plant.sinks):
                break
            if now != last:
                last, since = now, time.monotonic()
            time.sleep(1)
        self._told = self._told_missing()

    def _told_missing(self):
        """What the ledgers of all sinks say is missing, from their health after all has settled; None without."""
        since = self._plant.health.mark()
        total = 0
        for sink in self._plant.sinks:
            topic = f"iot/_service/{sink.log_path.parent.name}/health"
            try:
                health = self._plant.health.wait(topic, lambda m: m.payload, since, HEALTH_S + 5).json
                total += health["gauges"]["readings.missing"]
            except (AssertionError, KeyError):
                return None
        return total

    def _expected_missing(self):
        """Numbers that a ledger cannot have seen: of messages that never arrived, or were cut."""
        dead, total = self._dead(), 0
        for key in self._devices:
            buried = {n for n in dead.get(key, ()) if not is_cut(n)}
            arrived = buried.union(self._store.has(key).numbers())
            total += max(arrived) + 1 - len(arrived) if arrived else 0
        return total

    def _drops(self):
        """What the sinks counted as lost, and the broker too: {name: number}."""
        last, broker, before = {}, 0, 0
        for message in self._plant.health.find("iot/_service/+/health", lambda m: m.payload):
            health = message.json
            for name, count in health["counters"].items():
                if name.split(".")[0] in DROPS:
                    last[(message.topic, health["session"], name)] = count
        for message in self._plant.health.find("$SYS/broker/publish/messages/dropped"):
            count = int(message.payload)
            broker += count - before if count >= before else count  # a restarted one counts from 0
            before = count
        drops = {}
        for (_, _, name), count in last.items():
            drops[name] = drops.get(name, 0) + count
        return drops, broker

    def verdict(self):
        """Prints the account; True where it is even."""
        missing, dead = self._missing(), self._dead()
        drops, by_broker = self._drops()
        stored = {key: set(self._store.has(key).numbers()) for key in self._devices}
        sent = sum(d.sent for d in self._devices.values())
        doubt = sum(len(d.doubt) for d in self._devices.values())
        n_missing = sum(map(len, missing.values()))
        strangers = sum(n >= self._devices[key].sent for key in stored for n in stored[key])
        buried_well = sum(not is_bad(n) for numbers in dead.values() for n in numbers)
        repeated = sum(self._store.has(key).repeated for key in self._devices)
        unaccounted = n_missing - sum(drops.values())

        def say(what, number, remark=""):
            print(f"  {what:34} {number:>9}  {remark}".rstrip())

        print("\nWhere the messages are")
        say("sent", sent)
        say("in doubt", doubt, "in flight when a connection went; count for nothing")
        say("PUBACKed", sent - doubt)
        say("  of them stored", sent - doubt - n_missing - self._only_dead(stored, dead))
        say("  of them in the dead letters only", self._only_dead(stored, dead))
        say("  counted as dropped by the sink", sum(drops.values()), str(drops or ""))
        say("  UNACCOUNTED FOR", unaccounted, "this must be 0")
        expected = self._expected_missing()
        say("missing, says the ledger", "?" if self._told is None else int(self._told), f"this must be {expected}")
        say("stored again", repeated, "same series and time: harmless")
        say("stored but never sent", strangers, "this must be 0")
        say("good ones in the dead letters", buried_well, "this must be 0")
        say("nobody subscribed", sum(d.unheard for d in self._devices.values()))
        say("dropped by the broker's own count", by_broker)
        say("posts answered", sum(self._store.answers.values()), str(self._store.answers))
        for (location, device), numbers in missing.items():
            if numbers:
                print(f"  missing of {location}/{device}: {ranges(numbers)}")
        good = unaccounted == 0 and strangers == 0 and buried_well == 0 and self._told == expected
        print("conserved" if good else "NOT CONSERVED", flush=True)
        return good

    def _only_dead(self, stored, dead):
        return sum(
            k in dead.get(key, ()) and k not in stored[key] and k not in device.doubt
            for key, device in self._devices.items()
            for k in dead.get(key, ())
        )
