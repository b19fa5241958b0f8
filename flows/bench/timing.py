"""How long a thing takes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def timed(work: Callable[[], T]) -> tuple[T, float]:
    """What `work` answers, and the seconds it took."""
    began = time.perf_counter()
    answer = work()
    return answer, time.perf_counter() - began
