"""Who did what, and what came of it: from a command to what the store says of it."""

import pytest

import contract
import stand
import stores
from plant import DEVICE, agent, command, plc  # noqa: F401


@pytest.fixture
def store(tmp_path, start):
    """An InfluxDB that the sink writes to; its database is there."""
    influxdb = stores.InfluxDB(tmp_path)
    influxdb.start()
    sink = start("influx-sink", {
        "service": {"state_dir": str(tmp_path / "sink")},
        "targets": [{"kind": "influxdb1", "url": influxdb.url, "database": "fieldline"}],
    })
    stand.wait_until(lambda: "intake_up" in sink.log(), what="the sink's session at the broker")
    yield influxdb
    influxdb.stop()


@pytest.fixture(autouse=True)
def keeps_the_contract(listener):
    yield
    for message in listener.messages:
        if "/command/" not in message.topic:
            contract.check(message.topic, message.payload)


def test_each_command_and_its_end_are_in_the_store(listener, store, plc, agent):
    agent(mode={"max": 100})
    before = plc.value(("holding", 1))
    command(listener, "mode", {"value": 7, "id": "a", "source": "operator"})
    command(listener, "mode", {"value": 7, "id": "a", "source": "operator"})  # a duplicate
    command(listener, "mode", {"value": 101, "id": "b", "source": "a_rule"})
    command(listener, "mode", {"value": 8, "id": "c"}, retain=True)
    command(listener, "mode", "much")
    results = listener.find(f"{DEVICE}/result/mode")
    rows = stand.wait_until(lambda: store.count("command", "result") >= len(results) and
                            store.query("SELECT * FROM command WHERE actuator = 'mode'"), what="all of them")
    assert len(rows) == len(results) == 5

    def stored(**fields):
        (row,) = [row for row in rows if all(row.get(key) == value for key, value in fields.items())]
        assert (row["location"], row["device_id"]) == ("facility_a", "plc_001")
        return row

    done = stored(id="a", reason=None)
    first = results[0].json
    assert (done["result"], done["source"]) == ("ok", "operator")
    assert (done["previous"], done["wanted"], done["value"]) == (before, 7, 7)
    assert (done["queued_ms"], done["took_ms"]) == (first["queued_ms"], first["took_ms"])
    assert done["time"] == first["ts"]
    assert stored(id="a", reason="duplicate")["time"] != done["time"]
    refused = stored(id="b")
    assert (refused["result"], refused["reason"], refused["source"]) == ("rejected", "out_of_range", "a_rule")
    assert (refused["wanted"], refused["value"]) == (101, 7)
    assert stored(reason="retained")["wanted"] == 8
    assert stored(reason="bad_value")["wanted_text"] == "much"


def test_what_an_agent_does_by_itself_is_in_the_store(listener, store, plc, agent):
    agent(pump={"safe": False, "guard": {"max_on": "500ms"}})
    listener.wait(f"{DEVICE}/result/pump")
    found = lambda: store.query("SELECT * FROM command WHERE actuator = 'pump'")
    (row,) = stand.wait_until(found, what="the fail-safe")
    assert (row["source"], row["result"], row["previous"], row["wanted"], row["value"]) == (
        "failsafe:max_on", "ok", 1, 0, 0)
