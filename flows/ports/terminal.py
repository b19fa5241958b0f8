"""What is said to somebody at a terminal: nothing that was typed, read or kept does anything there but be read."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TextIO

from states.values.plain import legible


def say(text: str, stream: TextIO | None = None) -> None:
    """Print lines at once. Raises BrokenPipeError when nobody reads them."""
    print(legible(text), file=stream or sys.stdout, flush=True)


def remark(text: str) -> None:
    """Print a line on the way; nobody reading, as after `| head`, is no reason to stop what runs."""
    with suppress(BrokenPipeError):
        say(text)
