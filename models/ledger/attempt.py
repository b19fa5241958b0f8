"""The attempt that somebody makes to do a step, and what may be written of it at all."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

from models.answers import Invalid
from models.database.store import writable
from models.people.codes import Shown
from states.dossier.proof import Proof
from states.grammar.case import Actor, Commune
from states.grammar.deadlines import PARIS
from states.grammar.guard import Refused
from states.grammar.request import Request
from states.values.french import day
from states.values.plain import Json

# How the keys begin that jalon makes itself, and by which way such a one comes in: nobody else may spend it beforehand.
OWN_KEYS = {"prefect:": "prefect", "web:": "guichet", "review:": "checks", "jalon:": ""}
TEXT_AT_MOST, VERSION_AT_MOST = 300, 2**31


class Attempt(NamedTuple):
    """One question to the ledger. `at` is an aware instant, `key` the caller's idempotency key."""

    reference: str
    trigger: str
    request: Request
    actor: str | Actor
    at: datetime
    key: str
    via: str
    expected_version: int | None
    instant: str
    payload: dict[str, Json]  # the whole request, as JSON values
    communes: tuple[tuple[Commune, ...], ...] | None = None  # the communes that it may mean
    refusal: Refused | None = None  # what the database itself objected to a first try
    objection: str | None = None  # and the constraint by whose name it did
    shown: Shown | None = None  # the one-time code, where one is asked for
    proof: Proof | None = None  # and what became of it
    register: int | None = None  # how many entries the register had when its roles were read


def assert_writable(reference: str, actor: str, key: str, via: str, expected_version: int | None) -> None:
    """Raise Invalid for what neither database could hold."""
    texts = (reference, actor, key, via)
    try:
        whole = "".join(texts)
    except TypeError:
        raise Invalid("La référence et la personne doivent être des textes.") from None
    if max(map(len, texts)) > TEXT_AT_MOST or not writable(whole):
        raise Invalid("La référence, la personne ou la clé est trop longue, ou contient des caractères illisibles.")
    if not key:
        raise Invalid("La clé d’idempotence est vide.")
    if reserved := next((prefix for prefix, own in OWN_KEYS.items() if key.casefold().startswith(prefix) and via != own), None):
        raise Invalid(f"Une clé d’idempotence ne commence pas par « {reserved} » : jalon s’en sert lui-même.")
    if expected_version is not None and not 0 <= expected_version < VERSION_AT_MOST:
        raise Invalid("La version attendue doit être un nombre entier positif.")


def instant(at: datetime) -> str:
    """An aware instant as ISO text in UTC, microseconds included, so that text order is time order."""
    utc = at if at.tzinfo is UTC else at.astimezone(UTC)
    return f"{utc.isoformat(timespec='microseconds')[:26]}Z"


def name_of(actor: str | Actor) -> str:
    return actor if isinstance(actor, str) else actor.name


def moment(recorded_at: str) -> str:
    at = datetime.fromisoformat(recorded_at).astimezone(PARIS)
    return f"le {day(at.date())} à {at:%H:%M:%S}"
