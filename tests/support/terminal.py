"""What a test types on the command line, and what it is answered."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from walks import RIGHT

REFERENCE = "ESSAI-1"
# The command line asks the real clock: one year earlier, no fact of these tests is in the future.
PAST: dict[str, dict[str, Any]] = json.loads(json.dumps(RIGHT).replace("2025", "2024").replace("2026", "2025"))


class Said(NamedTuple):
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def told(self) -> Any:
        return json.loads(self.out)
