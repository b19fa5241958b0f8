"""Markdown that nobody can write into: what people typed is shown as they typed it, and never as a link, a picture or a diagram."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Sequence
from html import escape
from unicodedata import category

from states.values.plain import legible

SPECIAL = re.compile(r"[\\`*_{}\[\]()#!|~<>:@]")
# The interface makes links of addresses by itself, also of those written with entities: a space that is not seen parts them.
ADDRESS = re.compile(r"(?<=:)(?=//)|(?<=www)(?=\.)|(?=@)", re.IGNORECASE)
PARTING = "\N{ZERO WIDTH SPACE}"
CELL_AT_MOST = 200


def plain(text: str, at_most: int = CELL_AT_MOST) -> str:
    """`text` on one line, every letter that markdown or HTML could read otherwise made harmless."""
    line = " ".join("".join(" " if category(letter)[0] in "CZ" else letter for letter in text).split())
    cut = line if len(line) <= at_most else f"{line[: at_most - 1]}…"
    parted = ADDRESS.sub(PARTING, cut)
    return SPECIAL.sub(lambda found: f"&#{ord(found[0])};", parted.replace("&", "&#38;"))


def shown(page: str) -> str:
    """A page as it leaves: whatever it was made from, nothing in it turns or hides what stands beside it."""
    return legible(page, keep=f"\n{PARTING}")


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table; its cells are markdown already."""
    return [f"| {' | '.join(titles)} |", f"|{'|'.join('---' for _ in titles)}|", *(f"| {' | '.join(row)} |" for row in rows)]


def link(text: str, address: str) -> str:
    """A link to an address of ours."""
    return f"[{text}]({address})"


def picture(svg: str, title: str) -> str:
    """A drawing; the interface takes pictures from data addresses only."""
    return f"![{plain(title)}](data:image/svg+xml;base64,{b64encode(svg.encode()).decode()})"


def bars(rows: Sequence[tuple[str, Sequence[tuple[int, str]]]], *, unit: str) -> str:
    """Horizontal bars as SVG: for each label its parts as `(count, colour)`, the total at the end of the bar."""
    most = max((sum(count for count, _ in parts) for _, parts in rows), default=1) or 1
    height, left, width = 26, 190, 430
    lines = []
    for place, (label, parts) in enumerate(rows):
        top, at = place * height + 6, float(left)
        lines.append(f'<text x="{left - 10}" y="{top + 13}" text-anchor="end">{escape(label)}</text>')
        for count, colour in parts:
            size = count / most * width
            lines.append(f'<rect x="{at:.1f}" y="{top}" width="{size:.1f}" height="18" rx="3" fill="{colour}"/>')
            at += size
        total = sum(count for count, _ in parts)
        lines.append(f'<text x="{at + 8:.1f}" y="{top + 13}">{total}{escape(unit)}</text>')
    tall = len(rows) * height + 12
    style = "font-family='sans-serif' font-size='13' fill='#334155'"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 700 {tall}" width="700" height="{tall}">'
        f'<rect width="700" height="{tall}" rx="8" fill="#f8fafc"/><g {style}>{"".join(lines)}</g></svg>'
    )
