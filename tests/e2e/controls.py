"""Control blocks once more, written from deploy/config/rules/README.md and the headers of the rules-engine and from
nothing else: what a pid, an on_off and the alert about either would decide on a series of readings. Times are ms."""

UNKNOWN = None
POLL = 1000  # how often an alert looks at the clock
QUARTER, MINUTE = 15 * 60_000, 60_000


class Device:
    """The last that is known of a device's fields."""

    def __init__(self, stale_after):
        self.stale_after, self.fields = stale_after, {}

    def take(self, ts, values, bad):
        self.fields.update({name: (ts, value) for name, value in values.items()})
        self.fields.update({name: (ts, UNKNOWN) for name in bad})

    def number(self, source, now):
        """A number as it is, or a field's value."""
        if not isinstance(source, str):
            return source
        ts, value = self.fields.get(source, (now, UNKNOWN))
        return UNKNOWN if now - ts >= self.stale_after else value


def in_hours(hours, now):
    """[from, to) in minutes of the day, UTC."""
    return hours is None or hours[0] <= now // MINUTE % 1440 < hours[1]


def hours_change(hours, now):
    """When to look at the hours again."""
    if hours is None:
        return float("inf")
    edges = [now // MINUTE // 1440 * 1440 + m for m in (*hours, hours[0] + 1440)]
    edge = min(e * MINUTE for e in edges if e * MINUTE > now)
    return min(edge, now // QUARTER * QUARTER + QUARTER)


class Block:
    """What all three have in common: asked at each reading, and at `due` by time."""

    def __init__(self, says, device):
        self.says, self.device, self.due, self.decided = says, device, float("inf"), []

    def automatic(self, now):
        """True, false or unknown."""
        if "auto" not in self.says:
            return True
        hand = self.device.number("hand", now)
        return UNKNOWN if hand is UNKNOWN else not hand

    def error(self, now):
        x, goal = self.device.number("x", now), self.device.number(self.says["setpoint"], now)
        return UNKNOWN if x is UNKNOWN or goal is UNKNOWN else goal - x

    def enabled(self, now):
        return in_hours(self.says.get("hours"), now)

    def ask(self, now):
        self.step(now)
        self.due = min(self.moment(now), hours_change(self.says.get("hours"), now))


class Pid(Block):
    """Åström and Hägglund's ideal form: u = K (e + 1/Ti ∫e − Td dy/dt); the derivative filtered with Td/8 and taken by
    backward differences; what the limits cut off is taken out of the integral."""

    def __init__(self, says, device):
        super().__init__(says, device)
        self.last = UNKNOWN  # of a step while it runs
        self.u, self.i, self.d, self.y, self.commanded = 0.0, 0.0, 0.0, 0.0, UNKNOWN

    def limit(self, u):
        return float(min(max(u, self.says["minimum"]), self.says["maximum"]))

    def begin(self, now, e, x):
        tracked = self.device.number("valve", now) if "track" in self.says else UNKNOWN
        self.u = self.limit(self.u if tracked is UNKNOWN else tracked)
        self.i, self.d, self.y, self.last = self.u - self.says["gain"] * e, 0.0, x, now

    def go_on(self, now, e, x):
        k, ti, td = (self.says[name] for name in ("gain", "integral", "derivative"))
        h = (now - self.last) / 1000
        if td:
            n = 8
            self.d = td / (td + n * h) * self.d - k * td * n / (td + n * h) * (x - self.y)
        if ti:
            self.i += k * h / ti * e
        v = k * e + self.i + self.d
        self.u, self.y, self.last = self.limit(v), x, now
        if ti:
            self.i -= v - self.u

    def command(self, now, step):
        if self.commanded is UNKNOWN or (self.u != self.commanded and abs(self.u - self.commanded) >= step):
            self.commanded = self.u
            self.decided.append((now, self.u))

    def step(self, now):
        if self.last is not UNKNOWN and now - self.last < self.says["sample"]:
            return
        by_hand = self.automatic(now) is not True
        e, x = self.error(now), self.device.number("x", now)
        if not by_hand and not self.enabled(now):
            self.last = UNKNOWN
            if "safe" in self.says:
                self.u = float(self.says["safe"])
                self.command(now, 0)
        elif e is UNKNOWN:
            self.last = UNKNOWN
        elif by_hand or self.last is UNKNOWN:
            self.begin(now, e, x)
            if by_hand:
                self.commanded = UNKNOWN
        else:
            self.go_on(now, e, x)
            rounding = 1e-9 * (self.says["maximum"] - self.says["minimum"])
            self.command(now, max(self.says["step"], rounding))

    def moment(self, now):
        return float("inf") if self.last is UNKNOWN else max(self.last + self.says["sample"], now + 1)


class OnOff(Block):
    def __init__(self, says, device):
        super().__init__(says, device)
        self.on, self.since, self.hand = False, -float("inf"), False

    def settled(self):
        return self.since + self.says["min_on" if self.on else "min_off"]

    def wanted(self, now):
        """On, off, or as it is; unknown where nothing can be said."""
        if not self.enabled(now):
            return False
        e = self.error(now)
        if e is UNKNOWN:
            return UNKNOWN
        e = -e if self.says["cools"] else e
        half = self.says["band"] / 2
        return True if e > half else False if e < -half else self.on

    def say(self, now, on):
        self.on, self.since, self.hand = on, now, False
        self.decided.append((now, on))

    def step(self, now):
        turn = self.automatic(now)
        self.hand = self.hand or turn is False
        wanted = self.wanted(now) if turn else UNKNOWN
        if wanted is UNKNOWN:
            return
        if wanted is not self.on and now >= self.settled():
            self.say(now, wanted)
        elif self.hand:
            self.say(now, self.on)

    def moment(self, now):
        return self.settled() if self.settled() > now else float("inf")


class Watch(Block):
    def __init__(self, says, device):
        super().__init__(says, device)
        self.firing, self.since = False, UNKNOWN  # of the wait

    def step(self, now):
        e = self.error(now)
        near = e is not UNKNOWN and abs(e) <= self.says["tolerance"]
        held = self.automatic(now) is not True or near or not self.enabled(now)
        if held is not self.firing:
            self.since = UNKNOWN
            return
        if self.since is UNKNOWN:
            self.since = now
        if now - self.since >= self.says["clear_for" if self.firing else "for"]:
            self.firing, self.since = not self.firing, UNKNOWN
            self.decided.append((now, "firing" if self.firing else "resolved"))

    def moment(self, now):
        wait = self.says["clear_for" if self.firing else "for"]
        return min(now + POLL, float("inf") if self.since is UNKNOWN else self.since + wait)
