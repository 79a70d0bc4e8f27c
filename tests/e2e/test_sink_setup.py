"""--setup: database or bucket, retention and hourly means, twice with the same outcome."""

import json
import stat
import subprocess

import pytest
import stand
from influx2 import Influx2
from test_influx_sink import influxdb, influxdb1, influxdb2  # noqa: F401  (fixtures)

DAY_S = 86400


def set_up(tmp_path, target, secret, *words, **more):
    config = tmp_path / "influx-sink.json"
    config.write_text(json.dumps({"service": {"state_dir": str(tmp_path)}, "targets": [target], **more}))
    (tmp_path / "admin").write_text(secret + "\n")
    return subprocess.run(
        [stand.BUILD / "influx-sink", "--config", config, "--setup", tmp_path / "admin", *words],
        capture_output=True, text=True,
    )  # fmt: skip


def test_influxdb1(influxdb, tmp_path):
    influxdb.start()
    target = {**influxdb1(influxdb.url), "database": 'plant "a"'}
    for retention, duration in (("90d", "2160h0m0s"), ("30d", "720h0m0s"), ("30d", "720h0m0s")):
        run = set_up(tmp_path, target, "", setup={"retention": retention})
        assert run.returncode == 0, run
        policies = {p["name"]: p for p in influxdb.query('SHOW RETENTION POLICIES ON "plant \\"a\\""')}
        assert policies["autogen"]["duration"] == duration and policies["autogen"]["default"]
        assert policies["hourly"]["duration"] == "0s"
        assert set(policies) == {"autogen", "hourly"}
    run = subprocess.run(
        ["curl", "-s", "-G", f"{influxdb.url}/query", "--data-urlencode", "q=SHOW CONTINUOUS QUERIES"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    queries = [q for s in json.loads(run.stdout)["results"][0]["series"] for q in s.get("values", [])]
    assert [name for name, _ in queries] == ["fieldline_hourly"]
    assert "mean(*)" in queries[0][1] and "hourly" in queries[0][1] and "GROUP BY time(1h), *" in queries[0][1]


def test_influxdb1_another_query_by_that_name_is_replaced(influxdb, tmp_path):
    influxdb.start()
    influxdb.query(
        'CREATE CONTINUOUS QUERY fieldline_hourly ON fieldline BEGIN SELECT max(x) INTO y FROM z GROUP BY time(2h) END',
        method="POST",
    )
    run = set_up(tmp_path, influxdb1(influxdb.url), "")
    assert run.returncode == 0, run
    assert "DROP CONTINUOUS QUERY" in run.stdout


def test_store_that_is_away(influxdb, tmp_path):
    run = set_up(tmp_path, influxdb1(influxdb.url), "")
    assert run.returncode == 69 and influxdb.url in run.stderr


@pytest.fixture
def influx2():
    store = Influx2("all powerful").start()
    yield store
    store.close()


def test_influxdb2(influx2, tmp_path):
    target = influxdb2(influx2.url)
    for days in (90, 30):
        run = set_up(tmp_path, target, "all powerful", setup={"retention": f"{days}d"})
        assert run.returncode == 0, run
        assert "all powerful" not in run.stdout + run.stderr
        buckets = {b["name"]: b["retentionRules"] for b in influx2.kinds["buckets"]}
        assert buckets == {"b&c": [{"type": "expire", "everySeconds": days * DAY_S}], "b&c_hourly": []}
        (task,) = influx2.kinds["tasks"]
        assert 'from(bucket: "b&c")' in task["flux"] and '|> to(bucket: "b&c_hourly", org: "the org")' in task["flux"]
    posted = [("POST", "buckets"), ("POST", "buckets"), ("POST", "tasks")]
    assert influx2.changes == posted + [("PATCH", kind) for _, kind in posted]


def test_influxdb2_without_the_right(influx2, tmp_path):
    run = set_up(tmp_path, influxdb2(influx2.url), "wrong")
    assert run.returncode == 69 and "unauthorized access" in run.stderr
    assert influx2.changes == []


@pytest.fixture
def files(tmp_path):
    """As deploy/bootstrap makes them: not valid, but there."""
    names = {name: tmp_path / f"influx_{name}" for name in ("write", "read")}
    for path in names.values():
        path.write_text("nothing the store knows\n")
        path.chmod(0o400)
    return names


def make_tokens(influx2, tmp_path, files):
    target = influxdb2(influx2.url, token_file=str(files["write"]))
    run = set_up(tmp_path, target, "all powerful", "--make-tokens", query={"token_file": str(files["read"])})
    assert run.returncode == 0, run
    tokens = {name: path.read_text().splitlines()[0] for name, path in files.items()}
    assert not any(token in run.stdout + run.stderr for token in (*tokens.values(), "all powerful"))
    return tokens


def test_tokens_may_do_one_thing_each_and_are_kept(influx2, tmp_path, files):
    tokens = make_tokens(influx2, tmp_path, files)
    bucket, hourly = (b["id"] for b in influx2.kinds["buckets"])
    for name, other in (("write", "read"), ("read", "write")):
        assert influx2.may(tokens[name], name, bucket) is True
        assert influx2.may(tokens[name], other, bucket) is False
        assert influx2.may(tokens[name], name, hourly) is False
        assert stat.S_IMODE(files[name].stat().st_mode) == 0o400
    assert make_tokens(influx2, tmp_path, files) == tokens
    assert len(influx2.kinds["authorizations"]) == 2
    assert sorted(p.name for p in tmp_path.glob("influx_*")) == ["influx_read", "influx_write"]

    # one was revoked, the other's store is a new one
    influx2.kinds["authorizations"][0]["status"] = "inactive"
    del influx2.kinds["authorizations"][1]
    again = make_tokens(influx2, tmp_path, files)
    assert again["write"] != tokens["write"] and again["read"] != tokens["read"]
    assert influx2.may(again["write"], "write", bucket) and influx2.may(again["read"], "read", bucket)


def test_token_that_asks_too_may_read_too(influx2, tmp_path, files):
    target = influxdb2(influx2.url, token_file=str(files["write"]))
    assert set_up(tmp_path, target, "all powerful", "--make-tokens").returncode == 0
    token = files["write"].read_text().splitlines()[0]
    bucket = influx2.kinds["buckets"][0]["id"]
    assert influx2.may(token, "write", bucket) and influx2.may(token, "read", bucket)
    assert files["read"].read_text() == "nothing the store knows\n"


def test_tokens_are_only_made_where_asked(influx2, tmp_path, files):
    target = influxdb2(influx2.url, token_file=str(files["write"]))
    assert set_up(tmp_path, target, "all powerful").returncode == 0
    assert influx2.kinds["authorizations"] == [] and files["write"].read_text() == "nothing the store knows\n"


def test_place_that_cannot_be_written_is_named(influx2, tmp_path, files):
    place = tmp_path / "full"
    place.mkdir()
    token = place / "token"
    token.write_text("x\n")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k,ro", "tmpfs", place], check=False)
    if not place.is_mount():
        pytest.skip("a file system can be mounted only by root")
    try:
        subprocess.run(["mount", "-o", "remount,rw", place], check=True)
        token.write_text("x\n")
        subprocess.run(["mount", "-o", "remount,ro", place], check=True)
        run = set_up(tmp_path, influxdb2(influx2.url, token_file=str(token)), "all powerful", "--make-tokens")
        assert run.returncode == 69 and str(token) in run.stderr and "Read-only" in run.stderr
        assert token.read_text() == "x\n"
    finally:
        subprocess.run(["umount", place], check=True)


def test_service_takes_up_the_token_that_was_made(influx2, tmp_path, files, broker, start):
    """First held by a store that knows nothing of its token; nothing is lost meanwhile, nobody tells it."""
    target = influxdb2(influx2.url, token_file=str(files["write"]))
    service = start(
        "influx-sink",
        {
            "mqtt": {"url": broker.url},
            "service": {"state_dir": str(tmp_path / "state")},
            "retry": {"first": "50ms", "max": "200ms", "breaker_open": "200ms"},
            "query": {"token_file": str(files["read"])},
            "targets": [target],
        },
    )
    stand.wait_until(lambda: "intake_up" in service.log(), what=service.log)
    listener = stand.Listener(broker.port)
    topic = "iot/facility_a/greenhouse_001/telemetry/sensors"
    listener.publish(topic, {"ts": 1763805600001, "seq": 1, "values": {"n": 1}})
    stand.wait_until(lambda: "store_" in service.log(), what="the store's refusal")
    place = tmp_path / "admin's"
    place.mkdir()
    make_tokens(influx2, place, files)
    stand.wait_until(lambda: any("sensors," in line for line in influx2.lines), 20, what=service.log)
    assert "secret_renewed" in service.log()
    listener.publish(topic, {"ts": 1763805600002, "seq": 2, "values": {"n": 2}})
    stand.wait_until(lambda: any("n=2" in line for line in influx2.lines), 20, what=service.log)
    listener.close()
