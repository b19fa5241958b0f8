"""What `jalon doctor` answers with: one thing looked at, how it is, and what to do."""

from __future__ import annotations

from typing import NamedTuple

OK, WARN, FAIL = "ok", "warn", "fail"


class Symptom(NamedTuple):
    """One thing looked at. `level` is ok, warn or fail; `message` and `todo` are French, `todo` is empty when all is well."""

    name: str
    level: str
    message: str
    todo: str = ""
