"""Ends the run with the one line that tests/run adds up."""


def pytest_terminal_summary(terminalreporter):
    count = {outcome: len(terminalreporter.stats.get(outcome, ())) for outcome in ("passed", "failed", "error", "skipped")}
    terminalreporter.write_line(
        f"{count['passed']} passed, {count['failed'] + count['error']} failed, {count['skipped']} skipped")
