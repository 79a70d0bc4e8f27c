"""Counts, at the end, where every acknowledged message is."""

import json
import re
import time

import agents

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


def say(what, number, remark=""):
    print(f"  {what:34} {number:>9}  {remark}".rstrip())


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
            stored, buried = self._store.has(key), set(dead.get(key, ()))
            missing[key] = [k for k in device.acknowledged() if k not in stored and k not in buried]
        return missing

    def _dead(self):
        """{device: numbers in the dead letters, as often as they are there}; a payload that was cut short still shows
        its number."""
        dead = {}
        for line in self._plant.dead_letters():
            try:
                letter = json.loads(line)
            except ValueError:
                continue  # being written just now
            _, location, device, *_ = letter["topic"].split("/")
            found = re.search(r'"seq":(\d+)', letter["payload"])
            if found:
                dead.setdefault((location, device), []).append(int(found[1]))
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
        self._told = self._ledger()

    def _ledger(self):
        """{series: what the sinks' ledgers say of it}, from their health after all has settled; None without."""
        since = self._plant.health.mark()
        told = {}
        for sink in self._plant.sinks:
            topic = f"iot/_service/{sink.log_path.parent.name}/health"
            try:
                health = self._plant.health.wait(topic, lambda m: m.payload, since, HEALTH_S + 5).json
            except AssertionError:
                return None
            told.update({(one["location"], one["device"]): one for one in health["series"]})
        return told

    def _ledger_faults(self, dead):
        """Where the ledgers do not say what the oracle counted itself."""
        if self._told is None:
            return ["no health came"]
        faults = []

        def expect(key, what, low, number, high):
            if not low <= number <= high:
                faults.append(f"{'/'.join(key)}: {what} is {number}, not {low}{f' to {high}' if high != low else ''}")

        for key in [*self._devices, *(agent.key for agent in self._plant.agents)]:
            if key not in self._told:
                faults.append(f"{'/'.join(key)} is not in it")
                continue
            told, seen = self._told[key], self._store.has(key)
            letters = [n for n in dead.get(key, ()) if not is_cut(n)]
            stored, buried = set(seen.numbers()), set(letters)
            arrived = len(stored | buried)
            again = seen.repeated if self._store.repeats_known else float("inf")
            expect(key, "received less duplicates", arrived, told["received"] - told["duplicate"], arrived)
            expect(key, "stored", len(stored), told["stored"], len(stored) + again)
            expect(key, "dead", len(buried), told["dead"], len(letters))
            expect(key, "stored and dead less received", 0, told["stored"] + told["dead"] - told["received"], 0)
            unseen = self._unseen(key, stored | buried)
            expect(key, "missing", unseen, told["missing"], unseen)
        return faults

    def _unseen(self, key, arrived):
        """Numbers that a ledger must call missing: of messages that never arrived, or were cut, before others."""
        for agent in self._plant.agents:
            if agent.key == key:
                return self._account(agent).unseen
        return max(arrived) + 1 - len(arrived) if arrived else 0

    def _account(self, agent):
        return agents.Account(agent, self._store.has(agent.key), self._plant.broker.outages)

    def _drops(self):
        """What the sinks counted as lost, and the broker too: {name: number}."""
        names = {sink.log_path.parent.name for sink in self._plant.sinks}
        last, broker, before = {}, 0, 0
        for message in self._plant.health.find("iot/_service/+/health", lambda m: m.payload):
            if message.topic.split("/")[2] not in names:
                continue
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
        buried_well = sum(not is_bad(n) for numbers in dead.values() for n in set(numbers))
        repeated = sum(self._store.has(key).repeated for key in self._devices)
        only_dead = self._only_dead(stored, dead)
        unaccounted = n_missing - sum(drops.values())

        print("\nWhere the messages are")
        say("sent", sent)
        say("in doubt", doubt, "in flight when a connection went; count for nothing")
        say("PUBACKed", sent - doubt)
        say("  of them stored", sent - doubt - n_missing - only_dead)
        say("  of them in the dead letters only", only_dead)
        say("  counted as dropped by the sink", sum(drops.values()), str(drops or ""))
        say("  UNACCOUNTED FOR", unaccounted, "this must be 0")
        say("stored again", repeated, "same series and time: harmless")
        say("stored but never sent", strangers, "this must be 0")
        say("good ones in the dead letters", buried_well, "this must be 0")
        say("nobody subscribed", sum(d.unheard for d in self._devices.values()))
        say("dropped by the broker's own count", by_broker)
        say("posts answered", sum(self._store.answers.values()), str(self._store.answers))
        for (location, device), numbers in missing.items():
            if numbers:
                print(f"  missing of {location}/{device}: {ranges(numbers)}")
        good = unaccounted == 0 and strangers == 0 and buried_well == 0
        good = self._say_agents() and good
        good = self._say_ledger(dead) and good
        print("conserved" if good else "NOT CONSERVED", flush=True)
        return good

    def _say_agents(self):
        good = True
        for agent in self._plant.agents:
            account = self._account(agent)
            print(f"\nWhere the readings of {agent.name} are, which may keep {agent.memory} in memory")
            say("told by the device", account.told)
            say("  of them stored", account.stored)
            say("  gone with a process: last second", len(account.in_hand), f"in {len(agent.ends)} ends of it")
            say("  gone with a process: in memory", len(account.in_memory), "since the broker was away")
            say("  UNACCOUNTED FOR", len(account.unaccounted), ranges(account.unaccounted) or "this must be 0")
            say("stored but never told", account.strangers, "this must be 0")
            good = good and not account.unaccounted and account.strangers == 0 and account.stored > 0
        return good

    def _say_ledger(self, dead):
        faults = self._ledger_faults(dead)
        print("\nWhat the sinks' own ledger says of all series")
        for what in ("received", "duplicate", "missing", "late", "stored", "dead"):
            say(what, sum(one[what] for one in (self._told or {}).values()))
        say("DIFFERS FROM THE ABOVE", len(faults), "this must be 0")
        for fault in faults:
            print(f"  {fault}")
        return not faults

    def _only_dead(self, stored, dead):
        return sum(
            k not in stored[key] and k not in device.doubt
            for key, device in self._devices.items()
            for k in set(dead.get(key, ()))
        )
