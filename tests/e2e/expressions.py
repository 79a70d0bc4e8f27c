"""Expressions once more, written from libshared/expression.h and services/rules-engine/window.h and from nothing else:
random ones as trees, their text, and what they are worth. Windows are kept here as plain lists of all values."""

import math
import operator as python

UNKNOWN = None
PANES = 64
WINDOWS = {"10s": 10_000, "1m": 60_000, "700ms": 700}
OF_WINDOW = ("mean", "min", "max", "sum", "count", "stddev", "median", "zscore", "ewma")
INEXACT = {"mean", "stddev", "zscore", "ewma", "rate", "/", "*"}  # the last digit may differ between two programs
NAMES = ("a", "b", "on", "mode", "flows.a", "flows.on", "tank_2.a", "tank_2.flows.b", "plant.tank_2.levels.on")


class Doubt(Exception):
    """The last digit decides, and two honest programs may differ in it."""


class Field:
    """All that a device has said of one of its fields."""

    def __init__(self):
        self.values = []  # (ts, value): the good ones
        self.good = False  # the last reading that named it

    def since(self, length):
        """Where a window of this length begins: at the first value, or after a gap that is longer."""
        numbers = self.numbers()
        begin = 0
        for i in range(1, len(numbers)):
            if numbers[i][0] - numbers[i - 1][0] > length:
                begin = i
        return numbers[begin:]

    def numbers(self):
        return [(ts, float(v)) for ts, v in self.values if not isinstance(v, str)]


def of_window(function, field, length, now):
    run = field.since(length)
    if not run or now - run[0][0] < length:
        return UNKNOWN
    if function == "ewma":
        average = run[0][1]
        for (before, _), (ts, value) in zip(run, run[1:]):
            weight = math.exp(-(ts - before) / length)
            average = weight * average + (1 - weight) * value
        return average

    def pane(ts):
        return ts * PANES // length

    inside = [(ts, v) for ts, v in field.numbers() if pane(now) - pane(ts) < PANES]
    values = [v for _, v in inside]
    if function == "count":
        return float(len(values))
    if not values:
        return UNKNOWN
    if function == "median":
        last = sorted({pane(ts): v for ts, v in inside}.values())
        middle = len(last) // 2
        return last[middle] if len(last) % 2 else (last[middle - 1] + last[middle]) / 2
    if function == "zscore":
        mean, stddev = moments(values[:-1])
        return (values[-1] - mean) / stddev if stddev else UNKNOWN
    return {"mean": lambda: math.fsum(values) / len(values), "min": lambda: min(values), "max": lambda: max(values),
            "sum": lambda: math.fsum(values), "count": lambda: float(len(values)),
            "stddev": lambda: moments(values)[1]}[function]()  # fmt: skip


def moments(values):
    if len(values) < 2:
        return UNKNOWN, UNKNOWN
    mean = math.fsum(values) / len(values)
    stddev = math.sqrt(math.fsum((v - mean) ** 2 for v in values) / (len(values) - 1))
    return mean, 0.0 if stddev < 1e-12 else stddev


class World:
    """What is known when an expression is asked."""

    def __init__(self, stale_after):
        self.fields = {}
        self.offline = set()
        self.stale_after, self.now = stale_after, 0

    def field(self, name):
        parts = name.split(".")
        device, measurement = "tank_1", "levels"
        if len(parts) > 2:
            device, measurement = parts[-3:-1]
        elif len(parts) == 2 and parts[0].startswith("tank"):
            device = parts[0]
        elif len(parts) == 2:
            measurement = parts[0]
        return device, self.fields.setdefault((device, measurement, parts[-1]), Field())

    def read(self, function, name, length=None):
        device, field = self.field(name)
        if not field.values:
            return UNKNOWN
        ts, value = field.values[-1]
        if function == "age":
            return (self.now - ts) / 1000
        if function == "count":  # that nothing came is known
            return of_window(function, field, length, self.now)
        if device in self.offline or (self.stale_after and self.now - ts >= self.stale_after):
            return UNKNOWN
        if length:
            return of_window(function, field, length, self.now)
        if not field.good:
            return UNKNOWN
        if function == "current":
            return value
        if len(field.values) < 2:
            return UNKNOWN
        before_ts, before = field.values[-2]
        if function == "previous":
            return before
        if is_number(value) and is_number(before) and ts > before_ts:
            return (value - before) / ((ts - before_ts) / 1000)
        return UNKNOWN


def is_number(value):
    return isinstance(value, float)


COMPARISONS = {"==": python.eq, "!=": python.ne, "<": python.lt, "<=": python.le, ">": python.gt, ">=": python.ge}


# A tree is (operator, operand, …); the operands of "read" and "constant" are no trees.


def is_exact(tree):
    if tree[0] in ("constant", "read"):
        return tree[0] == "constant" or tree[1] not in INEXACT
    return tree[0] not in INEXACT and all(is_exact(operand) for operand in tree[1:])


def compare(operator, tree, a, b):
    if operator in ("==", "!="):
        if a is UNKNOWN or type(a) is not type(b):
            return UNKNOWN
    elif not (is_number(a) and is_number(b)):
        return UNKNOWN
    if is_number(a) and math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9) and not is_exact(tree):
        raise Doubt
    return COMPARISONS[operator](a, b)


def logic(a, b, decisive):
    if a is decisive or b is decisive:
        return decisive
    return (not decisive) if isinstance(a, bool) and isinstance(b, bool) else UNKNOWN


def arithmetic(operator, tree, a, b):
    if not (is_number(a) and is_number(b)):
        return UNKNOWN
    if operator in "/%" and b == 0:
        return UNKNOWN
    if operator in "/%" and abs(b) < 1e-9 or operator == "%" and not is_exact(tree):
        raise Doubt
    return {"+": lambda: a + b, "-": lambda: a - b, "*": lambda: a * b, "/": lambda: a / b,
            "%": lambda: math.fmod(a, b), "min()": lambda: min(a, b), "max()": lambda: max(a, b)}[operator]()  # fmt: skip


def worth(tree, world):
    operator, *operands = tree
    if operator == "constant":
        return operands[1]
    if operator == "read":
        return world.read(*operands[:3])
    v = [worth(operand, world) for operand in operands]
    if operator in ("and", "or"):
        return logic(v[0], v[1], operator == "or")
    if operator == "not":
        return (not v[0]) if isinstance(v[0], bool) else UNKNOWN
    if operator in ("?:", "if"):
        return UNKNOWN if not isinstance(v[0], bool) else v[1] if v[0] else v[2]
    if operator == "..":
        return logic(compare(">=", tree, v[0], v[1]), compare("<=", tree, v[0], v[2]), False)
    if operator == "[]":
        found = False
        for member in v[1:]:
            found = logic(found, compare("==", tree, v[0], member), True)
        return found
    if operator in ("neg", "abs", "round"):
        if not is_number(v[0]):
            return UNKNOWN
        if operator == "round" and not is_exact(tree):
            raise Doubt
        return {"neg": -v[0], "abs": abs(v[0]), "round": math.copysign(math.floor(abs(v[0]) + 0.5), v[0])}[operator]
    if operator in COMPARISONS:
        return compare(operator, tree, *v)
    return arithmetic(operator, tree, *v)


LEVELS = {"?:": 0, "or": 1, "and": 2, "not": 3, "..": 4, "[]": 4, "==": 4, "!=": 4, "<": 4, "<=": 4, ">": 4, ">=": 4,
          "+": 5, "-": 5, "*": 6, "/": 6, "%": 6, "neg": 7}  # fmt: skip


def text(tree, random, wanted=0):
    """With parentheses where the grammar needs them, and now and then where it does not."""
    operator, *o = tree
    level = LEVELS.get(operator, 8)

    def part(operand, at_least):
        return text(operand, random, at_least)

    if operator == "constant":
        out = o[0]
    elif operator == "read":
        out = o[1] if o[0] == "current" else f"{o[0]}({o[1]}, {o[3]})" if len(o) > 2 else f"{o[0]}({o[1]})"
    elif operator == "?:":
        out = f"{part(o[0], 1)} ? {part(o[1], 0)} : {part(o[2], 0)}"
    elif operator == "..":
        out = f"{part(o[0], 5)} in {part(o[1], 5)}..{part(o[2], 5)}"
    elif operator == "[]":
        out = f"{part(o[0], 5)} in [{', '.join(part(m, 5) for m in o[1:])}]"
    elif operator == "not":
        out = f"not {part(o[0], 3)}"
    elif operator == "neg":
        out = f"-{part(o[0], 7)}"
    elif operator in ("if", "abs", "round", "min()", "max()"):
        out = f"{operator.rstrip('()')}({', '.join(part(m, 0) for m in o)})"
    else:  # left to right; a comparison takes no other one
        out = f"{part(o[0], 5 if level == 4 else level)} {operator} {part(o[1], level + 1)}"
    if level < wanted or random.random() < 0.05:
        return f"({out})"
    return out.replace(" ", random.choice([" ", "  ", "\n", "\t"])) if random.random() < 0.05 and "'" not in out else out


class Generator:
    """Trees whose types fit, as far as they are known before a field is read."""

    def __init__(self, random):
        self.random = random

    def read(self, names=NAMES):
        r, name = self.random, self.random.choice(names)
        if r.random() < 0.4:
            length = r.choice(list(WINDOWS))
            return ("read", r.choice(OF_WINDOW), name, WINDOWS[length], length)
        return ("read", r.choice(["current"] * 5 + ["previous", "rate", "age"]), name)

    def number(self, depth):
        r = self.random
        if depth == 0 or r.random() < 0.2:
            if r.random() < 0.6:
                return self.read()
            quarters = r.randrange(0, 40) / 4
            unit, scale = r.choice([("", 1.0)] * 5 + [("s", 1.0), ("ms", 0.001), ("m", 60.0)])
            return ("constant", f"{quarters:g}{unit}", quarters * scale)
        kind = r.randrange(10)
        if kind < 5:
            return (r.choice("+-*/%"), self.number(depth - 1), self.number(depth - 1))
        if kind < 6:
            return (r.choice(["neg", "abs", "round"]), self.number(depth - 1))
        if kind < 8:
            return (r.choice(["min()", "max()"]), self.number(depth - 1), ("neg", self.number(depth - 1)))
        return (r.choice(["?:", "if"]), self.boolean(depth - 1), self.number(depth - 1), self.number(depth - 1))

    def boolean(self, depth):
        r = self.random
        if depth == 0:
            return r.choice([("constant", "true", True), ("constant", "false", False), ("read", "current", "on"),
                             ("read", "previous", "flows.on"), ("read", "current", "b")])  # fmt: skip
        kind = r.randrange(8)
        if kind < 3:
            return (r.choice(["==", "!=", "<", "<=", ">", ">="]), self.number(depth - 1), self.number(depth - 1))
        if kind < 5:
            return (r.choice(["and", "or"]), self.boolean(depth - 1), self.boolean(depth - 1))
        if kind < 6:
            return ("not", self.boolean(depth - 1))
        if kind < 7:
            return ("..", self.number(depth - 1), self.number(depth - 1), self.number(depth - 1))
        mode = ("read", r.choice(["current", "previous"]), "mode")
        texts = [("constant", f"'{t}'", t) for t in r.sample(["auto", "eco", "off"], r.randrange(1, 3))]
        return ("[]", mode, *texts)

    def any(self):
        kind = self.boolean if self.random.random() < 0.4 else self.number
        return kind(self.random.randrange(4))
