"""tests/bench/sink day: influx-sink started on a day's backlog, 1,000 readings a second, one a message, while as much comes."""

import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

from sink_plant import Store, freshness, say, stand, with_bench

SMOKE = "--smoke" in sys.argv
READINGS = 50_000 if SMOKE else int(os.environ.get("DAY_READINGS", 86_400_000))
RATE = 1000  # what comes meanwhile
DAY_MS = 86_400_000
RECORD_BYTES = 130  # about; and as much again for what the store makes of what it gets, and its log
DRAIN_S = 2 if SMOKE else 120


def check_room():
    need, free = 2 * RECORD_BYTES * READINGS, shutil.disk_usage(tempfile.gettempdir()).free
    if free < need:
        raise SystemExit(f"{tempfile.gettempdir()} has {free / 1e9:.0f} GB free, {need / 1e9:.0f} GB are needed: set TMPDIR")


def fill(bench):
    """Writes the spool; its files get the times that they would have."""
    spool, last_ms, start = bench.directory / "state/spool", int(time.time() * 1000), time.monotonic()
    spool.parent.mkdir(exist_ok=True)
    words = [stand.BUILD / "tests/bench/bench-fill-spool", spool, READINGS, last_ms - DAY_MS, last_ms]
    subprocess.run([str(w) for w in words], check=True)
    segments = sorted(spool.glob("*.spool"))
    ends = [int(segment.stem, 16) for segment in segments[1:]] + [READINGS]
    for segment, end in zip(segments, ends):
        at_s = (last_ms - DAY_MS * (1 - end / READINGS)) / 1000
        os.utime(segment, (at_s, at_s))
    size = sum(segment.stat().st_size for segment in segments)
    say(f"a spool of {READINGS:,} messages", f"{size / 1e9:.1f} GB", f"{len(segments)} segments, written in {time.monotonic() - start:.0f} s")  # fmt: skip


def information(bench):
    start = time.monotonic()
    text = subprocess.run([*bench.sink.arguments, "--spool-info"], capture_output=True, text=True, check=True).stdout
    say("  --spool-info", f"{1000 * (time.monotonic() - start):.0f} ms", "; ".join(re.sub(" +", " ", line) for line in text.splitlines()[1:]))  # fmt: skip


def read_bytes(bench):
    """That the sink has had read for it so far, from the page cache or not."""
    with open(f"/proc/{bench.sink.process.pid}/io") as io:
        return int(re.search(r"rchar: (\d+)", io.read())[1])


def drain(bench):
    fill(bench)
    with Store("InfluxDB 1.6") as store:
        store.program.kill()  # so that starting is all that it does
        start = time.monotonic()
        bench.start_sink(store.target, max_size="64GiB")
        say("  start to the broker's session", f"{1000 * (time.monotonic() - start):.0f} ms",
            f"{read_bytes(bench) / 1e6:.1f} MB read, {bench.resident_mib()[0]:.0f} MiB resident")  # fmt: skip
        information(bench)
        publisher = bench.publish(1 << 30, rate=RATE)
        store.program.start()
        start, cursor, resident, files = time.monotonic(), bench.cursor(), [], []

        def over():
            resident.append(bench.resident_mib()[0])
            files.append(len(os.listdir(f"/proc/{bench.sink.process.pid}/fd")))
            return time.monotonic() - start > DRAIN_S

        took = freshness(bench, store.program, over)
        seconds, drained = time.monotonic() - start, bench.cursor() - cursor
        publisher.kill()
        say(f"  of it drained in {seconds:.0f} s, while {RATE:,} readings/s came", f"{drained / seconds:,.0f} /s",
            f"{drained:,}; {min(resident):.0f} to {bench.resident_mib()[1]:.0f} MiB resident, at most {max(files)} open files")  # fmt: skip
        say("  new readings, found in the store meanwhile", f"p50 {statistics.median(took):.2f} s",
            f"max {max(took):.2f} s of {len(took)} (aim 10); the first {', '.join(f'{s:.2f}' for s in took[:5])}")  # fmt: skip
        information(bench)


def bench_day():
    check_room()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))  # so that the files go
    with_bench(drain)
