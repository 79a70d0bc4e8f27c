"""Ends the run with the one line that tests/run adds up."""


def pytest_unconfigure(config):
    stats = config.pluginmanager.get_plugin("terminalreporter").stats
    count = {outcome: len(stats.get(outcome, ())) for outcome in ("passed", "failed", "error", "skipped")}
    print(f"{count['passed']} passed, {count['failed'] + count['error']} failed, {count['skipped']} skipped")
