"""The facts of a dossier as frozen values. Euros are Decimal with two places, legal dates are `date`.

A fact that a dossier holds several of carries `number`: 1, 2, 3... inside its dossier.
"""

from __future__ import annotations

from bisect import bisect_left
from datetime import date
from decimal import Decimal
from operator import itemgetter
from typing import Any, NamedTuple

from states.money_facts import Invoice, PayeeChange, Recovery, Settlement
from states.words import Role, State


class Actor(NamedTuple):
    """A person of the register, with every role held."""

    name: str
    roles: frozenset[Role]


class Party(NamedTuple):
    """One side of the convention. The university's payee is its agent comptable, on a fixed IBAN."""

    number: int
    side: str  # "cdg" | "university"
    name: str
    siret: str
    department: str | None
    calendar: str | None
    payee_holder: str | None
    payee_iban: str | None


class Terms(NamedTuple):
    """What the convention promises. `rate` and the fees are euros per trainee."""

    number: int
    academic_year: str
    year_starts_on: date
    year_ends_on: date
    rate: Decimal
    cap: int
    department: str
    amount_mode: str  # "flat" | "capped_at_fee"
    fee_continuing: Decimal | None
    fee_initial: Decimal | None
    quorum_rule: str
    result_policy: str  # a Severity: what a missing operating result does to the settlement
    takes_effect_on: date
    dropout_policy: str | None  # "full" | "prorata" | "none"; None: the convention does not say
    proxies_count: bool  # whether a proxy counts for the quorum
    quorum_verified: bool  # whether somebody has read the text of the quorum rule
    payee_cooling_days: int  # days between proposing another account and confirming it
    nature: str  # "subsidy" | "service"
    payment_days: int  # days to pay, from the invoice on

    def fee(self, regime: str) -> Decimal | None:
        """The university's fee for `regime` ("continuing" or "initial"), when it is known."""
        return self.fee_continuing if regime == "continuing" else self.fee_initial


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


class Signature(NamedTuple):
    """The signed convention. A signatory who is missing is None."""

    number: int
    signed_on: date
    document_sha256: str
    cdg_name: str | None
    cdg_title: str | None
    university_name: str | None
    university_title: str | None
    points: tuple[str, ...]


class Training(NamedTuple):
    """The training, from its opening to its operating result."""

    number: int
    starts_on: date
    ends_on: date
    hours: int
    ended_on: date | None
    attestation_sha256: str | None
    presented_on: date | None
    result_sha256: str | None


class Committee(NamedTuple):
    """One meeting of the steering committee (comité de pilotage)."""

    number: int
    held_on: date
    minutes_sha256: str


class Trainee(NamedTuple):
    """A retained trainee, without any name: a number, a rank and a commune."""

    number: int
    rank: int
    fee_regime: str
    insee: str
    declared_insee: str  # what was said when the trainee was retained; `insee` is what was seen
    retained_on: date
    verified_on: date | None
    verified_by: str | None
    evidence_kind: str | None
    moved_on: date | None  # the day on which a later move was seen; the residence that counts is `insee`
    moved_to: str | None
    left_on: date | None
    hours_done: int | None
    left_because: str | None
    excluded_on: date | None  # found ineligible after the payment
    commitment: str


class Identity(NamedTuple):
    """Who a trainee is. The only value of the product that holds personal data of a trainee."""

    trainee: int
    family_name: str
    given_name: str
    born_on: date
    salt: str
    digest: str


class Delegation(NamedTuple):
    """A role lent by one person to another, for a time."""

    number: int
    role: str
    giver: str
    holder: str
    starts_on: date
    ends_on: date


class Document(NamedTuple):
    """A paper of the dossier, known by the sha256 of its content."""

    number: int
    title: str
    sha256: str
    attached_on: date


class Finding(NamedTuple):
    """Something a person should know about the dossier; `subject` tells two findings of one code apart."""

    code: str
    subject: str
    severity: str
    reason: str
    source: str


def last_number(facts: tuple[Any, ...]) -> int:
    """The number of the last fact of a collection, 0 when there is none: a recording that was undone may leave a gap before it."""
    number: int = facts[-1].number if facts else 0
    return number


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
        return tuple(one for one in self.delegations if one.holder == name and one.starts_on <= on <= one.ends_on)

    @property
    def payee(self) -> tuple[str | None, str | None]:
        """Who is paid and on which IBAN: what the convention says, or the last change that was confirmed."""
        confirmed = [one for one in self.payee_changes if one.confirmed_on is not None]
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
