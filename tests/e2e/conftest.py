"""Fixtures of the end-to-end tests. The programs come from $FIELDLINE_BUILD, build/release by default."""

import pytest

import stand

LONGEST = ("test_chaos.py", "test_demos.py", "test_benches.py")


def pytest_configure(config):
    config.addinivalue_line("markers", "alone: measures times that other tests beside it would spoil; tests/run has a pass for these")


def pytest_collection_modifyitems(items):
    """What takes longest begins first, so that no worker is left with it when the others have ended."""
    items.sort(key=lambda item: LONGEST.index(item.path.name) if item.path.name in LONGEST else len(LONGEST))


@pytest.fixture
def broker(tmp_path):
    """A running broker; broker.url, broker.port, broker.stop(), broker.start()."""
    broker = stand.Broker(tmp_path).start()
    yield broker
    if broker.running():
        broker.kill()


@pytest.fixture
def listener(broker):
    """Hears everything from before the first service is started."""
    listener = stand.Listener(broker.port)
    yield listener
    listener.close()


@pytest.fixture
def start(tmp_path, broker):
    """start("serial-agent", {…}) runs a service until the end of the test.

    "mqtt" and "service" of its configuration are filled in where the test does not say otherwise.
    """
    running = []

    def start_service(name, config, *arguments):
        config = dict(config)
        config.setdefault("mqtt", {"url": broker.url})
        service = stand.Service(name, config, tmp_path, arguments).start()
        running.append(service)
        return service

    yield start_service
    for service in reversed(running):
        service.stop()


@pytest.fixture
def run_program(tmp_path):
    """run_program("tests/sim/sim-arduino", "--port", "4001") runs a program of the build till the end."""
    running = []

    def run(path, *arguments):
        program = stand.BUILD / path
        if not program.exists():
            pytest.skip(f"{program} is not built")
        log = tmp_path / f"{program.name}-{len(running)}.log"
        running.append(stand.Program([program, *arguments], log).start())
        return running[-1]

    yield run
    for program in reversed(running):
        if program.running():
            program.kill()
