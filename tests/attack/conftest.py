"""What was tried, by which door, and the sentence that answered: a table at the end of `make attack`."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Note = Callable[[str, str, str], None]
ATTEMPT = "attempt"


@pytest.fixture
def note(record_property: Callable[[str, object], None]) -> Note:
    """Notes an attempt that was refused: its door, what was tried, what was answered."""
    return lambda door, tried, answered: record_property(ATTEMPT, (door, tried, answered))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line for each attempt, where `make attack` is what runs."""
    passed = terminalreporter.getreports("passed")
    rows = [told for report in passed for name, told in report.user_properties if name == ATTEMPT]
    if not rows or not all(report.nodeid.startswith("tests/attack/") for report in passed):
        return
    widths = [max(len(row[place]) for row in rows) for place in (0, 1)]
    terminalreporter.write_line("")
    for door, tried, answered in rows:
        terminalreporter.write_line(f"{door.ljust(widths[0])}  {tried.ljust(widths[1])}  refused: {' '.join(answered.split())[:300]}")
