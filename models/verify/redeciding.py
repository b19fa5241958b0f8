"""Deciding the journal of a dossier again: what the law of each entry's own number says today, beside what the entry says."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from models.ledger.earlier import tells_otherwise, with_facts
from states.grammar.case import Past
from states.journal.entry import CARRIED, Entry
from states.journal.fold import FINDINGS, ODD_JSON, Fold, blank
from states.journal.kinds import NOUNS
from states.journal.redecide import Gone, Outcome, Undecidable, decided, recorded
from states.journal.undoing import Stage, named
from states.lifecycle import STEPS
from states.values.law import LAW
from states.values.plain import Json

SHORT = 40  # letters of a value in a sentence


class Anomaly(NamedTuple):
    """An entry that comes out otherwise: it was written against its law, or a rule has changed without a new number.

    `recorded` and `decided` are both outcomes, in French; `differs` names the facts in which they differ, if the ends are the same.
    """

    n: int
    label: str
    law: int
    recorded: str
    decided: str
    differs: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """« Entrée 52 (« Liquider ») : anomalie. ... »"""
        facts = f" ; diffèrent : {', '.join(self.differs)}" if self.differs else ""
        return (
            f"Entrée {self.n} (« {self.label} ») : anomalie. Le journal dit : {self.recorded} ; "
            f"sous la loi n° {self.law} d’aujourd’hui : {self.decided}{facts}."
        )


class Redecided(NamedTuple):
    """How many entries were decided again, which came out otherwise, and why others could not be: a reason and how many."""

    again: int
    anomalies: tuple[Anomaly, ...]
    left: tuple[tuple[str, int], ...]


def redecided(reference: str, entries: list[Entry]) -> Redecided:
    """Decide every entry of a journal (in order, of a proof that holds) again."""
    found = _Again(reference)
    if tells_otherwise(entries):
        carried = next(entry for entry in entries if entry.outcome == CARRIED)
        found.anomalies.append(_otherwise(carried, "repris tel quel", "d’autres faits, à lire les entrées d’avant"))
    whole = with_facts(entries)
    for place, entry in enumerate(whole):
        found.decide(entry, whole[:place])
    return Redecided(found.again, tuple(found.anomalies), tuple(found.left.items()))


class _Again:
    """One journal, decided again entry by entry."""

    def __init__(self, reference: str) -> None:
        self._fold = Fold(blank(reference))
        self._stages: list[Stage] = []
        self.again = 0
        self.anomalies: list[Anomaly] = []
        self.left: Counter[str] = Counter()

    def decide(self, entry: Entry, before: list[Entry]) -> None:
        """Decide the next entry, and add up what it says; `before` are the entries before it."""
        law, dossier = entry.law or 0, self._fold.partnership
        if law != LAW:
            gone = f"la loi n° {law} n’est plus dans ce jalon, seuls les faits ont été additionnés"
            self.left[gone if law else "les lois n’avaient pas encore de numéro"] += 1
        else:
            try:
                self._compare(entry, decided(dossier, entry, self._past(entry, before)))
            except Gone as reason:
                self.anomalies.append(_otherwise(entry, str(recorded(entry)), str(reason)))
            except Undecidable as reason:
                self.left[str(reason)] += 1
            except ODD_JSON:
                self.anomalies.append(_otherwise(entry, "une chose que jalon n’écrit pas", "rien : l’entrée ne se relit pas"))
        facts = self._fold.facts_of(entry)
        self._fold.add(entry)
        if facts is not None:
            self._stages.append(Stage(entry, facts, dossier, self._fold.partnership))

    def _past(self, entry: Entry, before: list[Entry]) -> Past | None:
        """The entry that an undo names, on the journal as it was."""
        step = STEPS.get(entry.trigger)
        if step is None or not step.takes_back:
            return None
        n = entry.request["entry"]
        if not isinstance(n, int):
            raise TypeError(n)
        return named(entry.reference, before, n, self._stages)

    def _compare(self, entry: Entry, outcome: Outcome) -> None:
        self.again += 1
        if outcome != recorded(entry):
            self.anomalies.append(_anomaly(entry, recorded(entry), outcome))


def _otherwise(entry: Entry, written: str, found: str) -> Anomaly:
    return Anomaly(entry.n, entry.label, entry.law or 0, written, found, ())


def _anomaly(entry: Entry, written: Outcome, found: Outcome) -> Anomaly:
    differs: list[str] = []
    if written.done and found.done:
        for name in sorted(written.facts.keys() | found.facts.keys()):
            facts, others = written.facts.get(name, {}), found.facts.get(name, {})
            keys = sorted(key for key in facts.keys() | others.keys() if facts.get(key) != others.get(key))
            differs += [_difference(name, key, facts.get(key), others.get(key)) for key in keys]
        for field, label in AROUND.items():
            if getattr(written, field) != getattr(found, field):
                differs.append(f"{label} {_short(getattr(written, field))} / {_short(getattr(found, field))}")
    return Anomaly(entry.n, entry.label, entry.law or 0, str(written), str(found), tuple(differs))


# What an entry says besides its facts, as an auditor calls it.
AROUND = {"role": "rôle", "effective_on": "date du fait", "on_behalf_of": "par délégation de", "undoes": "entrée annulée"}


def _difference(name: str, key: str, written: Json, found: Json) -> str:
    """« liquidation n° 1 : ceiling 30000.00 / 30001.00 »: what the journal says, then what the law decides."""
    title = f"{NOUNS[name]} n° {key}" if name in NOUNS else f"constat {key}" if name == FINDINGS else "le dossier"
    if not (isinstance(written, dict) and isinstance(found, dict)):
        return f"{title} {_short(written)} / {_short(found)}" if not isinstance(written or found, dict) else title
    fields = [field for field in sorted(written.keys() | found.keys()) if written.get(field) != found.get(field)]
    return f"{title} : {', '.join(f'{field} {_short(written.get(field))} / {_short(found.get(field))}' for field in fields)}"


def _short(value: Json) -> str:
    text = "rien" if value is None else str(value)
    return text if len(text) <= SHORT else f"{text[:SHORT]}…"
