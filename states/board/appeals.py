"""Until when an act can be contested: by third parties from its publication, by the prefect from its transmission."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from states.board.facts import Act, Appeal
from states.values.calendars import add_months, clear_deadline
from states.values.law import APPEAL_MONTHS, DEFERRAL_MONTHS, SILENCE_MONTHS


class Windows(NamedTuple):
    """The last day on which each side may go to court; None when nothing has started the delay."""

    third_parties_until: date | None
    prefect_until: date | None


def windows(act: Act, appeals: Iterable[Appeal], calendar: str) -> Windows:
    """Both windows of an act, in clear months of the centre's calendar, moved once, by the first appeal lodged in time.

    An appeal makes the delay begin again with its answer, or with the silence that stands for a refusal.
    Sources: CJA art. R421-1 (third parties, from the publication) and CGCT art. L2131-6 (the prefect, from the transmission).
    """
    of_act = sorted((appeal for appeal in appeals if appeal.act == act.number), key=lambda appeal: appeal.lodged_on)
    return Windows(
        _until(act.published_on, APPEAL_MONTHS.value, [appeal for appeal in of_act if appeal.by == "third_party"], calendar),
        _until(act.transmitted_on, DEFERRAL_MONTHS.value, [appeal for appeal in of_act if appeal.by == "prefect"], calendar),
    )


def _until(start: date | None, months: int, appeals: list[Appeal], calendar: str) -> date | None:
    if start is None:
        return None
    until = clear_deadline(start, months, calendar)
    first = next((appeal for appeal in appeals if appeal.lodged_on <= until), None)
    if first is None:
        return until
    silence = add_months(first.lodged_on, SILENCE_MONTHS.value)
    after_silence = clear_deadline(silence, months, calendar)
    if first.decided_on is None or first.decided_on > after_silence:
        return max(until, after_silence)  # an answer that comes later still confirms, and begins nothing
    return max(until, clear_deadline(first.decided_on, months, calendar))
