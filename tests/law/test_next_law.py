"""The next law is a number and two commands: the tests of the law go through it, and hold nothing of the law of today by its number."""

from __future__ import annotations

from pathlib import Path

import pytest
from edited import copied, python

from states.values.law import FIRST_LAW, LAW

pytestmark = pytest.mark.long
NUMBER = ("states/values/law.py", f"FIRST_LAW, LAW = {FIRST_LAW}, {LAW}", f"FIRST_LAW, LAW = {FIRST_LAW}, {LAW + 1}")
TESTS = ("test_golden", "test_fingerprints", "test_redeciding")


@pytest.mark.endurance
def test_the_next_law_leaves_the_tests_of_the_law_green(tmp_path: Path) -> None:
    folder = copied(tmp_path / "copy", NUMBER)
    for command in ("fingerprints", "golden_lives"):
        written = python(folder, f"tests/support/{command}.py")
        assert written.returncode == 0, written.stderr
    files = [f"tests/law/{name}.py" for name in TESTS]
    tested = python(folder, "-m", "pytest", "-q", "-p", "no:cacheprovider", *files, "-k", "not postgresql")
    assert tested.returncode == 0, tested.stdout
    assert "passed" in tested.stdout
