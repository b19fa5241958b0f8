"""Until when an act can be contested: by third parties from its publication, by the prefect from its transmission."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from states.calendars import add_months, clear_deadline
from states.facts import Act, Appeal
from states.law import APPEAL_MONTHS, DEFERRAL_MONTHS, SILENCE_MONTHS


class Windows(NamedTuple):
    """The last day on which each side may go to court; None when nothing has started the delay."""

    third_parties_until: date | None
    prefect_until: date | None


def windows(act: Act, appeals: Iterable[Appeal], calendar: str) -> Windows:
    """Both windows of an act, in clear months of the centre's calendar, moved by the appeals lodged in time.

    Sources: CJA art. R421-1 (third parties, from the publication) and CGCT art. L2131-6 (the prefect, from the transmission).
    """
    of_act = sorted((one for one in appeals if one.act == act.number), key=lambda one: one.lodged_on)
    return Windows(
        _until(act.published_on, APPEAL_MONTHS.value, [one for one in of_act if one.by == "third_party"], calendar),
        _until(act.transmitted_on, DEFERRAL_MONTHS.value, [one for one in of_act if one.by == "prefect"], calendar),
    )


def _until(start: date | None, months: int, appeals: list[Appeal], calendar: str) -> date | None:
    if start is None:
        return None
    until = clear_deadline(start, months, calendar)
    for one in appeals:
        if one.lodged_on <= until:
            answered = one.decided_on or add_months(one.lodged_on, SILENCE_MONTHS.value)
            until = max(until, clear_deadline(answered, months, calendar))
    return until
