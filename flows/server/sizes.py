"""How large Prefect's database was: written down about once a day, so that growth can be told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

FILE = "sizes.json"
DAY = timedelta(hours=20)  # between two nights


class Size(NamedTuple):
    """How many bytes it took, at an aware instant."""

    at: datetime
    bytes: int


def _kept(folder: Path) -> list[Size]:
    try:
        return [Size(datetime.fromisoformat(at), int(many)) for at, many in json.loads((folder / FILE).read_text())]
    except (OSError, ValueError, TypeError):
        return []


def written(folder: Path, there: Mapping[str, int], now: datetime) -> None:
    """Write down what it takes now; a month is kept."""
    sizes = [*_kept(folder)[-30:], Size(now, there["bytes"])]
    with suppress(OSError):
        (folder / FILE).write_text(json.dumps([[size.at.isoformat(), size.bytes] for size in sizes]))


def before(folder: Path, now: datetime) -> Size | None:
    """What it took the day before, or as long ago as we know; None when nobody has written it down."""
    sizes = _kept(folder)
    return next((size for size in reversed(sizes) if now - size.at >= DAY), sizes[0] if sizes else None)
