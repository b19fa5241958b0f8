"""One entry of a journal as a value with fields, and as the JSON of which the journal keeps the bytes.

In that JSON the state before is `from` and the state after `to`; what an entry does not say is not in it at all.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter
from typing import NamedTuple, TypedDict

from states.values.plain import Json

Facts = dict[str, dict[str, Json]]  # a merge patch (see `states.journal.fold`), or what patches add up to
DONE, REFUSED, CONFLICT, CARRIED = "done", "refused", "conflict", "carried"  # how an attempt ends; `CARRIED`: an upgrade wrote it


class ReasonFields(TypedDict):
    """Why a step was refused, or passed with a warning, as JSON."""

    code: str
    reason: str
    who: str
    source: str
    severity: str


class ConflictFields(TypedDict):
    """Who was first, and when (ISO instant in UTC), as JSON."""

    sentence: str
    who: str
    when: str


class Entry(NamedTuple):
    """An attempt as the journal tells it. Days are ISO dates, `recorded_at` is an ISO instant in UTC; `role` and `roles` are codes.

    `request` is what was asked, without names of people; `reasons` are those of the refusal, or the warnings of a step that was done.
    """

    reference: str
    n: int
    prev: str
    key: str
    trigger: str
    label: str
    source: str
    dest: str
    version: int
    outcome: str
    actor: str
    role: str
    effective_on: str
    recorded_at: str
    via: str
    request: dict[str, Json]
    reasons: list[ReasonFields]
    # What only some entries say.
    law: int | None = None  # the number of the law that decided; None: before the first number
    facts: Facts | None = None  # what the step wrote, changed or took away
    roles: str | None = None  # every role of the actor, where there are several
    on_behalf_of: str | None = None  # who has delegated the role
    registered: dict[str, list[str]] | None = None  # the roles of other people, as the register gave them
    proof: str | None = None  # what became of the one-time code
    register: int | None = None  # how many entries the register of people had when it was asked for roles
    since: dict[str, str] | None = None  # the roles that the actor was given lately, and when: they may have to wait
    waits: int | None = None  # how many working days
    notes: list[str] | None = None  # what changed, as French sentences
    undoes: int | None = None  # the number of the entry that is taken back
    conflict: ConflictFields | None = None
    objection: str | None = None  # the constraint by which the database refused
    faults: list[str] | None = None  # what did not hold when an upgrade carried the dossier over
    asked: str | None = None  # the keyed digest of the input, where `request` does not hold all of it
    newest_before: str | None = None  # the newest instant of the entries before, where the clock was behind it

    @property
    def is_done(self) -> bool:
        """Whether the step was done, and not refused or overtaken."""
        return self.outcome == DONE

    @property
    def moves(self) -> bool:
        """Whether it led to another state."""
        return self.source != self.dest

    def fields(self) -> dict[str, object]:
        """The entry as JSON: what it does not say is left out."""
        return {name: value for name, value in zip(NAMES, self, strict=True) if value is not None}


NAMES = tuple({"source": "from", "dest": "to"}.get(field, field) for field in Entry._fields)
ALWAYS = frozenset(name for name, field in zip(NAMES, Entry._fields, strict=True) if field not in Entry._field_defaults)
NUMBERS, GROUPS = ("n", "version", "law", "undoes", "register", "waits"), ("request", "facts", "registered", "conflict", "since")
LISTS = ("reasons", "notes", "faults")
TYPES: dict[str, type] = {
    **dict.fromkeys(NAMES, str),
    **dict.fromkeys(NUMBERS, int),
    **dict.fromkeys(GROUPS, dict),
    **dict.fromkeys(LISTS, list),
}


class Shape(NamedTuple):
    """The entries that say the same things, which are nearly all alike: the types of their fields, and how one is made of these."""

    types: tuple[type, ...]  # with that of a last None
    arranged: Callable[[tuple[Json, ...]], tuple[Json, ...]]  # the values and a last None, as `Entry` has them


def shape(names: str) -> Shape | None:
    """The shape of the entries with these fields (in their order, between spaces); None when no entry has just these."""
    fields = names.split(" ")
    if not ALWAYS <= set(fields) <= TYPES.keys():
        return None
    places = [fields.index(name) if name in fields else len(fields) for name in NAMES]
    return Shape((*(TYPES[name] for name in fields), type(None)), itemgetter(*places))


def entry_from(fields: Json, shaped: Callable[[str], Shape | None] = shape) -> Entry:
    """The entry that JSON stands for; `shaped` may remember shapes. Raises ValueError: a field is missing, odd, or one too many."""
    if isinstance(fields, dict):
        form, values = shaped(" ".join(fields)), (*fields.values(), None)
        if form is not None and tuple(map(type, values)) == form.types:
            return tuple.__new__(Entry, form.arranged(values))
    raise ValueError("not an entry")  # whoever asks wants to know one thing: whether it can be read
