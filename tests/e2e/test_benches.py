"""Every part of every bench in tests/bench at its smallest size: it runs and says its figures, whatever they are."""

import re
import subprocess

import pytest

import stand

NUMBER = r"([\d,]+(?:\.\d+)?)"

# What each says, `#` in the place of a number that is more than nothing.
FIGURES = {
    "alerts": ["5000 events, # notifications", "with all: # s of CPU, # events/s, # MiB resident", "alone: # events/s"],
    "command": ["idle agent, 10 commands, 0 s between: p50 # ms, p99 # ms", "2 s between: p50 # ms",
                "1008 registers without pause, 10 commands, 0.01 s between: p50 # ms"],
    "loop_latency": ["register to coil, 10 changes, .*: p50 # ms, p99 # ms", "demo: serial-agent +# MiB",
                     "demo: modbus-agent +# MiB", "demo: rules-engine +# MiB", "demo: influx-sink +# MiB",
                     "demo: alerter +# MiB"],
    "modbus forecast": ["5 generated buses .*: median #, from # to #"],
    "modbus isolation": ["0 dead, none +[0-9.]+ %", "1 dead, silent +[0-9.]+ %", "1 dead, exception 0x0B +[0-9.]+ %",
                         "1 dead, garbage +[0-9.]+ %", "1 dead, late +[0-9.]+ %", "bound by --plan # ms",
                         "0 dead, none +[0-9.]+ ms", "1 dead, silent +[0-9.]+ ms", "1 dead, exception 0x0B +[0-9.]+ ms",
                         "1 dead, garbage +[0-9.]+ ms", "1 dead, late +[0-9.]+ ms"],
    "modbus scale": ["20 TCP devices .*: # requests", "# MiB resident"],
    "modbus speed": ["1 register .*unchanged +# +# +#", "in 8 blocks .*published +# +# +# +#", "the same, unchanged +# +# +#"],
    "rules latency": ["one after the other +p50 # ms", "after pauses of 1.5 s +p50 # ms"],
    "rules live": ["of one publisher +# messages/s .* the broker alone # /s"],
    "rules memory": ["1,000 rules × 100 devices +# MiB", "100 rules × 1,000 devices +# MiB",
                     "10 rules × 10,000 devices +# MiB .* # B a rule and device, # B a device"],
    "rules replay": ["1,000 rules over 1,000 devices, .* +# readings/s"],
    "rules rules": ["10 rules, 1,000 rules, .* +#, # µs", "1,000 patterns meet 1,000 devices: .* +# s"],
    "rules start": ["1,000 rules, names of their own: .* [0-9.]+; [0-9.]+ s", "one name, a device each: .* [0-9.]+ s",
                    "each absent: .* [0-9.]+ s"],
    "rules windows": [rf"{name}\(temperature, 1m\) .*µs +on top of # µs" for name in
                      ("mean", "max", "stddev", "median", "zscore", "ewma")] + ["window of 60 values +# KiB"],
    "serial boards": ["4 boards .*, # lines/s, interval 2ms: 0 lines lost", "4 boards .* # lines/s, interval 1s: 0 lines lost"],
    "serial latency": ["p50 # ms, p99 # ms"],
    "serial replug": ["unplugged 20 times .*: # lines said, # read, [0-9]+ counted as missed, opened # times"],
    "sink arrays": ["into a server that discards +# points/s", "into VictoriaMetrics +# points/s .* direct posts at #",
                    "into VictoriaMetrics, a core of its own +# points/s", "into InfluxDB 1.6 +# points/s",
                    "into InfluxDB 1.6, a core of its own +# points/s"],
    "sink backlog": ["readings into VictoriaMetrics +# points/s .* # to # while draining",
                     "readings into InfluxDB 1.6 +# points/s .* # to # while draining", "new readings, .* p50 # s"],
    "sink day": ["a spool of 50,000 messages ", "start to the broker's session +# ms", "--spool-info +# ms",
                 "1,000 readings/s came +# /s", "new readings, .* p50 # s"],
    "sink latency": ["p50 # ms +max # ms"],
    "sink message": ["into a server that discards +# /s .*bare subscriber # /s # µs", "into VictoriaMetrics +# /s",
                     "into InfluxDB 1.6 +# /s .* stored at # /s"],
}  # fmt: skip


@pytest.mark.parametrize("bench", FIGURES)
def test_bench_says_its_figures(bench):
    name, *part = bench.split()
    ran = subprocess.run(
        [stand.ROOT / "tests/bench" / name, "--smoke", *part], capture_output=True, text=True, timeout=300
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    for words in FIGURES[bench]:
        found = re.search(words.replace("#", NUMBER), ran.stdout)
        assert found, f"{words!r} is not in\n{ran.stdout}"
        assert all(float(number.replace(",", "")) > 0 for number in found.groups()), found[0]


def test_no_bench_is_left_out():
    benches = {path.name for path in (stand.ROOT / "tests/bench").iterdir() if not path.suffix and path.is_file()}
    assert benches == {bench.split()[0] for bench in FIGURES}
    for name in benches:
        said = (stand.ROOT / "tests/bench" / name).read_text().split('"""')[1]
        parts = re.findall(r"\[(?!--)(\w+)\]", said.split("\n\n")[1])
        assert all(f"{name} {part}" in FIGURES for part in parts), f"{name} has more parts than are tested"
