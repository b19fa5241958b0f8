"""What JSON can hold, as a type, and what people can read of a text that somebody else has written."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"

# What moves a cursor, turns the direction of a line, hides between letters or is no letter: C0, C1 and DEL, line and paragraph
# separators, marks and embeddings of direction, what has no width, tags, halves of a pair.
UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164"
    "\ud800-\udfff\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
STAND_IN = "\N{REPLACEMENT CHARACTER}"


def legible(text: str, keep: str = "\n") -> str:
    """`text` for a terminal, a letter, a page or a log: a sign in place of each letter that would do something there, except `keep`."""
    return UNSEEN.sub(lambda found: found[0] if found[0] in keep else STAND_IN, text)


def legible_in(value: Json) -> Json:
    """The same for every text of a value that is sent as JSON and shown by somebody else."""
    if isinstance(value, str):
        return legible(value)
    if isinstance(value, Mapping):
        return {legible(name): legible_in(inner) for name, inner in value.items()}
    return [legible_in(inner) for inner in value] if isinstance(value, Sequence) else value


def escaped(json: str) -> str:
    """JSON whose texts say the same and do nothing to a terminal that shows them; line ends between its parts stay."""
    return UNSEEN.sub(lambda found: found[0] if found[0] == "\n" else _escape(ord(found[0])), json)


def _escape(code: int) -> str:
    high, low = divmod(code - 0x10000, 0x400)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"
