"""What every request is: the form, the options of the command and the JSON of one step."""

from __future__ import annotations

from datetime import date
from typing import ClassVar

from states.values.payload import Payload


class Request(Payload):
    """What a step asks; `dated_by` is the field of its legal date."""

    dated_by: ClassVar[str]
    personal: ClassVar[tuple[str, ...]] = ()  # fields that hold personal data of trainees
    unsaid: ClassVar[tuple[str, ...]] = ()  # fields that no letter repeats
    people: ClassVar[tuple[str, ...]] = ()  # fields that name a person of the register

    def effective_on(self, today: date) -> date:
        """The legal date of the fact; `today` when the request names none."""
        day: date | None = getattr(self, self.dated_by)
        return day or today
