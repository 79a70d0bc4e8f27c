"""The short form of tests/chaos/run: what the broker acknowledged is stored, in the dead letters or counted, whatever is
killed meanwhile; and the same oracle finds a sink that acknowledges too early."""

import subprocess

import pytest
import stand

RUN = stand.ROOT / "tests/chaos/run"
RATE = 3000  # messages a second: what a slow machine takes with all parts on it


def chaos(*arguments):
    if not (stand.BUILD / "tests/chaos/chaos-publish").exists():
        pytest.skip("tests/chaos is not built")
    return subprocess.run(
        [str(word) for word in (RUN, "--rate", RATE, *arguments)], capture_output=True, text=True, timeout=300
    )


@pytest.mark.parametrize(
    "arguments", [("--seconds", 60), ("--seconds", 20, "--sinks", 2), ("--seconds", 20, "--store", "influxdb")]
)
def test_what_was_acknowledged_is_conserved(arguments):
    result = chaos(*arguments)
    print(result.stdout)
    assert result.returncode == 0, result.stdout + result.stderr


def test_sink_that_acknowledges_before_it_appends_is_caught():
    """In one of three runs at the latest: in those 50 ms a kill has to come while the broker delivers."""
    for seed in (1, 2, 3):
        result = chaos("--seconds", 15, "--seed", seed, "--settle", 5, "--plant", "early-ack")
        if result.returncode != 0:
            break
    assert result.returncode == 1, result.stdout + result.stderr
    assert "NOT CONSERVED" in result.stdout
