"""When what breaks: drawn from the seed before anything starts, a track for each part, carried out by a thread."""

import random
import signal
import threading
import time
from dataclasses import dataclass


@dataclass
class Fault:
    at_s: float
    for_s: float
    victim: int
    mode: str


def draw(seed, name, seconds, modes, gap_s, for_s, victims=1):
    """The faults of one track; all are over two seconds before the end."""
    random_ = random.Random(f"{seed} {name}")
    at_s, faults = 0, []
    while True:
        at_s += random_.uniform(*gap_s)
        fault = Fault(at_s, random_.uniform(*for_s), random_.randrange(victims), random_.choice(modes))
        at_s += fault.for_s
        if at_s > seconds - 2:
            return faults
        faults.append(fault)


class Chaos:
    """With it, the plant breaks; after it, everything runs again."""

    def __init__(self, plant, seed, seconds):
        self._plant = plant
        self._start = time.monotonic()
        n, n_agents = len(plant.sinks), len(plant.agents)
        tracks = [
            (self._sink, draw(seed, "sink", seconds, ("kill",) * 6 + ("stop", "term"), (0.5, 4), (0, 1.5), n)),
            (self._store, draw(seed, "store", seconds, plant.store.modes, (0.3, 2), (0.2, 2))),
            (self._agent, draw(seed, "agent", seconds, ("kill",) * 6 + ("stop", "term"), (0.5, 4), (0, 1.5), n_agents)),
            (self._broker, draw(seed, "broker", seconds, ("alone", "agent"), (4, 12), (0.1, 2.5), n_agents)),
        ]
        if plant.disk.small:
            tracks.append((self._disk, draw(seed, "disk", seconds, ("full",), (3, 9), (0.3, 2))))
        else:
            print("NOT TESTED: the full disk. A small file system can be mounted only by root.", flush=True)
        print("The broker is stopped gracefully: one that is killed -9 loses what came since its last save "
              "(autosave_interval, 5 s), which no client can prevent.", flush=True)  # fmt: skip
        self._failed = []
        self._threads = [threading.Thread(target=self._follow, args=track, daemon=True) for track in tracks]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        for thread in self._threads:
            thread.join()
        if self._failed:
            raise self._failed[0]

    def _follow(self, carry_out, faults):
        try:
            for fault in faults:
                self._sleep_until(fault.at_s)
                carry_out(fault)
        except Exception as error:  # told by the thread that waits for this one
            self._failed.append(error)

    def _sleep_until(self, at_s):
        time.sleep(max(0, self._start + at_s - time.monotonic()))

    def _say(self, text):
        print(f"+{time.monotonic() - self._start:5.1f} s  {text}", flush=True)

    def _sink(self, fault):
        self._break(self._plant.sinks[fault.victim], f"sink {fault.victim}", fault)

    def _agent(self, fault):
        agent = self._plant.agents[fault.victim]
        with agent.lock:
            self._break(agent, agent.name, fault)

    def _break(self, program, name, fault):
        self._say(f"{name}: {fault.mode}, for {fault.for_s:.1f} s")
        if fault.mode == "stop":
            program.signal(signal.SIGSTOP)
        elif fault.mode == "term":
            program.stop(30)
        else:
            program.kill()
        self._sleep_until(fault.at_s + fault.for_s)
        if fault.mode == "stop":
            program.signal(signal.SIGCONT)
        else:
            program.start()

    def _store(self, fault):
        self._say(f"store: {fault.mode}, for {fault.for_s:.1f} s")
        self._plant.store.apply(fault.mode)
        self._sleep_until(fault.at_s + fault.for_s)
        self._plant.store.recover()

    def _broker(self, fault):
        self._say(f"broker: stopped, for {fault.for_s:.1f} s")
        self._plant.broker.stop()
        if fault.mode == "agent":
            self._sleep_until(fault.at_s + fault.for_s * 0.8)
            self._kill_meanwhile(self._plant.agents[fault.victim])
        self._sleep_until(fault.at_s + fault.for_s)
        self._plant.broker.start()

    def _kill_meanwhile(self, agent):
        """Unless it is broken already: with readings that it could not send."""
        if agent.lock.acquire(blocking=False):
            self._say(f"{agent.name}: kill, while the broker is away")
            agent.kill()
            agent.start()
            agent.lock.release()

    def _disk(self, fault):
        self._say(f"disk: full, for {fault.for_s:.1f} s")
        self._plant.disk.fill()
        self._sleep_until(fault.at_s + fault.for_s)
        self._plant.disk.free()
