"""The facts of the board: its deliberations, and the appeals against them. Legal dates are `date`."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import NamedTuple


class Matter(StrEnum):
    """What a deliberation decides: a row of the table says which it asks for, an act of the dossier which it was."""

    APPROVAL = "approve"
    REJECTION = "reject"
    RATIFICATION = "act"
    AMENDMENT = "amend"
    TERMINATION = "terminate"

    @property
    def label(self) -> str:
        return MATTER_LABELS[self]

    @property
    def kind(self) -> str | None:
        """The kind of act that it is when nobody says otherwise."""
        return {Matter.APPROVAL: "authorisation", Matter.RATIFICATION: "ratification", Matter.AMENDMENT: "amendment"}.get(self)

    @property
    def bears_the_payment(self) -> bool:
        """Whether the payment rests on it, and waits until it is executory."""
        return self in (Matter.RATIFICATION, Matter.AMENDMENT)


MATTER_LABELS = {
    Matter.APPROVAL: "approbation",
    Matter.REJECTION: "rejet",
    Matter.RATIFICATION: "acte",
    Matter.AMENDMENT: "avenant",
    Matter.TERMINATION: "résiliation",
}


class Act(NamedTuple):
    """A deliberation of the board: one item of one session. What the source does not give of the roll call is None.

    `present` and `absent` are those of the item: members come and go during a session. Members who were
    excused are among the absent. A proxy is `(giver, holder)`, an alternate `(alternate, member)`.
    """

    number: int
    trigger: str
    kind: str | None  # "principle" | "authorisation" | "ratification" | "amendment"
    held_on: date
    act_number: str | None
    item: int | None
    seats: int | None
    present: tuple[str, ...] | None
    absent: tuple[str, ...] | None
    excused: tuple[str, ...]
    alternates: tuple[tuple[str, str], ...]
    proxies: tuple[tuple[str, str], ...]
    reconvened: bool
    chair: str | None
    secretary: str | None
    votes_for: int | None
    votes_against: int | None
    abstentions: int | None
    transmitted_on: date | None
    receipt_number: str | None
    published_on: date | None
    publication_address: str | None

    @property
    def matter(self) -> Matter:
        """What was decided, which `trigger` keeps."""
        return Matter(self.trigger)

    @property
    def executory_on(self) -> date | None:
        """The day from which the act can be carried out: the later of its transmission and its publication."""
        if self.transmitted_on is None or self.published_on is None:
            return None
        return max(self.transmitted_on, self.published_on)


class Appeal(NamedTuple):
    """An appeal against an act; `decided_on` is None as long as nobody has answered."""

    number: int
    act: int
    by: str  # "third_party" | "prefect"
    lodged_on: date
    decided_on: date | None
