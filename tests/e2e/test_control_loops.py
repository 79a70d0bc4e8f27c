"""on_off and pid on a real broker, each around a simulated plant that answers its commands."""

import time

import pytest

import stand

DEVICE = "iot/works/plant_1"
STEP_S = 0.05


class Plant:
    """dy/dt = (drive − y) / lag, in the time that really passes; what is commanded becomes `output` and is answered."""

    def __init__(self, listener, y, lag_s, drive):
        self.listener, self.y, self.lag_s, self.drive = listener, y, lag_s, drive
        self.output, self.hand, self.goal = 0, False, 0
        self.mark, self.seq, self.last = listener.mark(), 0, time.monotonic()
        self.series = []  # (s, y)
        self.commands = []  # (ts, value)

    def obey(self):
        mark = self.listener.mark()
        for message in self.listener.find(f"{DEVICE}/command/valve", since=self.mark):
            command = message.json
            self.commands.append((command["ts"], command["value"]))
            self.output = self.output if self.hand else command["value"]
            result = {"id": command["id"], "result": "ok", "reason": None, "value": command["value"], "ts": self.now_ms()}
            self.listener.publish(f"{DEVICE}/result/valve", result)
        self.mark = mark

    def now_ms(self):
        return int(time.time() * 1000)

    def say(self, measurement, **values):
        self.seq += 1
        reading = {"ts": self.now_ms(), "seq": self.seq, "values": values}
        self.listener.publish(f"{DEVICE}/telemetry/{measurement}", reading)

    def step(self):
        time.sleep(STEP_S)  # the plant's own pace
        self.obey()
        now = time.monotonic()
        left = now - self.last
        while left > 0:  # in steps that stay stable however late this is
            h = min(left, 0.02)
            self.y += (self.drive(self.output) - self.y) * h / self.lag_s
            left -= h
        self.last = now
        self.series.append((now, self.y))
        self.say("state", hand=self.hand, valve=float(self.output), goal=self.goal)
        self.say("process", y=self.y)

    def run(self, seconds):
        """The values of so long; afterwards."""
        begin, end = len(self.series), time.monotonic() + seconds
        while time.monotonic() < end:
            self.step()
        return [y for _, y in self.series[begin:]]

    def run_until(self, condition, what):
        end = time.monotonic() + stand.PATIENCE_S
        while not condition():
            assert time.monotonic() < end, f"{what}: y {self.y}, output {self.output}, {self.commands[-5:]}"
            self.step()


@pytest.fixture
def control(start, listener):
    def start_engine(block, **more):
        rule = {"name": "loop", "select": {"device": "plant_*", "measurement": "process"}, **block, **more}
        start("rules-engine", {"rules": [rule]})
        listener.wait("iot/_service/rules-engine/status", lambda m: m.json["state"] == "online")

    return start_engine


def test_on_off_keeps_the_band_and_its_times(listener, control):
    block = {"input": "y", "setpoint": "20", "band": 2, "action": "heats", "min_on": "900ms", "min_off": "1200ms",
             "actuator": "valve", "tolerance": 6}  # fmt: skip
    control({"on_off": block}, alert=True, **{"for": "1s"})
    plant = Plant(listener, y=17.0, lag_s=4, drive=lambda on: 35.0 if on else 8.0)
    plant.run_until(lambda: plant.y > 20.5, "warm")
    ys = plant.run(9)
    assert all(14 < y < 26 for y in ys), (min(ys), max(ys))
    assert min(ys) < 19.5 and max(ys) > 20.5
    switched = plant.commands
    assert [value for _, value in switched] == [i % 2 == 0 for i in range(len(switched))] and len(switched) >= 4
    for (before, was_on), (after, _) in zip(switched, switched[1:]):
        assert after - before >= (900 if was_on else 1200)
    assert not listener.find(f"{DEVICE}/alert/+")
    plant.drive = lambda on: 8.0  # the heater is broken
    plant.run_until(lambda: listener.find(f"{DEVICE}/alert/loop_not_held"), "the alert")
    assert listener.find(f"{DEVICE}/alert/loop_not_held")[0].json["state"] == "firing"


PID = {"input": "y", "setpoint": "state.goal", "gain": 2, "integral": "2s", "minimum": 0, "maximum": 60, "sample": "100ms",
       "actuator": "valve", "auto": "not state.hand", "track": "state.valve"}  # fmt: skip


def test_pid_holds_its_set_point_and_does_not_wind_up(listener, control):
    control({"pid": PID})
    plant = Plant(listener, y=10.0, lag_s=2, drive=float)
    plant.goal = 40
    plant.run_until(lambda: abs(plant.y - 40) < 1, "40")
    held = plant.run(2)
    assert all(abs(y - 40) < 5 for y in held) and abs(plant.y - 40) < 2, held
    plant.goal = 90  # out of reach
    plant.run_until(lambda: plant.output == 60 and plant.y > 55, "the limit")
    plant.run(4)
    assert plant.output == 60
    plant.goal, released = 30, time.monotonic()
    plant.run_until(lambda: plant.output < 60, "leaving the limit")
    assert time.monotonic() - released < 2  # wound up for 4 s by an error of 30 it would stay there for 4 s more
    plant.run_until(lambda: abs(plant.y - 30) < 1, "30")
    held = plant.run(3)
    assert all(y > 22 for y in held) and abs(plant.y - 30) < 2, held


def test_pid_by_hand_and_back_without_a_bump(listener, control):
    control({"pid": PID})
    plant = Plant(listener, y=10.0, lag_s=2, drive=float)
    plant.goal = 20
    plant.run_until(lambda: abs(plant.y - 20) < 1, "20")
    plant.hand, plant.output = True, 50
    plant.run(1)  # what was under way when the hand came
    silent = len(plant.commands)
    plant.run_until(lambda: plant.y > 42, "42")
    assert len(plant.commands) == silent
    plant.hand = False
    plant.run_until(lambda: len(plant.commands) > silent, "automatic")
    assert abs(plant.commands[silent][1] - 50) < 12  # without what it follows: 20 − 2 × 22 or so, which is 0
    plant.run_until(lambda: abs(plant.y - 20) < 1, "20 again")
