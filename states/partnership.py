"""A whole dossier as one frozen value: its facts by kind, and what is asked of them everywhere."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from datetime import date
from operator import itemgetter
from typing import NamedTuple, TypeAlias

from states.board.facts import Act, Appeal
from states.convention.facts import Party, Signature, Terms
from states.dossier.facts import Delegation, Document, Finding
from states.invoices.facts import Invoice
from states.payment.facts import PayeeChange, Settlement
from states.recovery.facts import Recovery
from states.trainees.facts import Trainee
from states.training.facts import Committee, Training
from states.vocabulary import State

# A numbered fact, of whichever kind.
Fact: TypeAlias = (
    Party | Terms | Act | Signature | Training | Committee | Trainee | Invoice | Settlement | Document | Appeal | Recovery | PayeeChange
    | Delegation
)  # fmt: skip


def last_number(facts: Sequence[Fact]) -> int:
    """The number of the last fact of a collection, 0 when there is none: a recording that was undone may leave a gap before it."""
    return facts[-1].number if facts else 0


class Partnership(NamedTuple):
    """A whole dossier. `version` counts its accepted changes; `entered_on` is the legal date of its state."""

    reference: str
    imported: bool
    state: State
    version: int
    entered_on: date | None
    pepper: str
    parties: tuple[Party, ...] = ()
    terms: tuple[Terms, ...] = ()
    acts: tuple[Act, ...] = ()
    signatures: tuple[Signature, ...] = ()
    trainings: tuple[Training, ...] = ()
    committees: tuple[Committee, ...] = ()
    trainees: tuple[Trainee, ...] = ()
    invoices: tuple[Invoice, ...] = ()
    settlements: tuple[Settlement, ...] = ()
    documents: tuple[Document, ...] = ()
    appeals: tuple[Appeal, ...] = ()
    recoveries: tuple[Recovery, ...] = ()
    payee_changes: tuple[PayeeChange, ...] = ()
    delegations: tuple[Delegation, ...] = ()
    findings: tuple[Finding, ...] = ()
    identity_digests: tuple[tuple[int, str], ...] = ()  # the number of a trainee, and the digest of who that is

    @property
    def terms_in_force(self) -> Terms:
        """The newest terms, whenever they take effect."""
        return self.terms[-1]

    def place_of(self, trainee: int) -> int | None:
        """Where the trainee of that number stands among `trainees`, or None."""
        place = bisect_left(self.trainees, trainee, key=itemgetter(0))  # they stand in the order of their numbers
        return place if place < len(self.trainees) and self.trainees[place].number == trainee else None

    def trainee(self, number: int) -> Trainee | None:
        """The trainee of that number, or None."""
        place = self.place_of(number)
        return None if place is None else self.trainees[place]

    @property
    def centre(self) -> Party:
        return next(party for party in self.parties if party.side == "cdg")

    def lent_to(self, name: str, on: date) -> tuple[Delegation, ...]:
        """The delegations that a person holds on a day."""
        return tuple(lent for lent in self.delegations if lent.holder == name and lent.starts_on <= on <= lent.ends_on)

    @property
    def payee(self) -> tuple[str | None, str | None]:
        """Who is paid and on which IBAN: what the convention says, or the last change that was confirmed."""
        confirmed = [change for change in self.payee_changes if change.confirmed_on is not None]
        return (confirmed[-1].holder, confirmed[-1].iban) if confirmed else (self.university.payee_holder, self.university.payee_iban)

    @property
    def payee_proposed(self) -> PayeeChange | None:
        """The change of account that waits for a second person."""
        last = self.payee_changes[-1] if self.payee_changes else None
        return last if last is not None and last.confirmed_on is None and last.rejected_on is None else None

    @property
    def university(self) -> Party:
        return next(party for party in self.parties if party.side == "university")

    @property
    def training(self) -> Training | None:
        return self.trainings[-1] if self.trainings else None

    @property
    def invoice(self) -> Invoice | None:
        """The invoice under way: the last one, unless it was rejected."""
        return self.invoices[-1] if self.invoices and self.invoices[-1].status != "rejected" else None

    @property
    def settlement(self) -> Settlement | None:
        return self.settlements[-1] if self.settlements else None
