"""Deciding the journal of a dossier again: what the law of each entry's own number says today, beside what the entry says."""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

from models.earlier import CARRIED, tells_otherwise, with_facts
from states.fold import Fold, blank
from states.guard import Past
from states.lifecycle import STEPS
from states.redecide import LAWS, Gone, Outcome, Undecidable, decided, recorded
from states.undoing import named


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
            f"la loi n° {self.law} décide aujourd’hui : {self.decided}{facts}."
        )


class Redecided(NamedTuple):
    """How many entries were decided again, which came out otherwise, and why others could not be: a reason and how many."""

    again: int
    anomalies: tuple[Anomaly, ...]
    left: tuple[tuple[str, int], ...]


def redecided(reference: str, entries: list[dict[str, Any]]) -> Redecided:
    """Decide every entry of a journal (parsed, in order, of a chain that holds) again. Raises Unreadable."""
    fold, again, anomalies, left = Fold(blank(reference)), 0, [], Counter[str]()
    if tells_otherwise(entries):
        carried = next(entry for entry in entries if entry["outcome"] == CARRIED)
        anomalies.append(
            Anomaly(carried["n"], carried["label"], carried["law"], "repris tel quel", "d’autres faits, à lire les entrées d’avant", ())
        )
    entries = with_facts(entries)
    for place, entry in enumerate(entries):
        if entry.get("law", 0) not in LAWS:
            left[_only_added_up(entry)] += 1
            fold.add(entry)
            continue
        try:
            past = _past(reference, entries[:place], entry)
            outcome = decided(fold.partnership, entry, past)
        except Gone as reason:
            anomalies.append(Anomaly(entry["n"], entry["label"], entry["law"], str(recorded(entry)), str(reason), ()))
        except Undecidable as reason:
            left[str(reason)] += 1
        else:
            again += 1
            if outcome != recorded(entry):
                anomalies.append(_anomaly(entry, recorded(entry), outcome))
        fold.add(entry)
    return Redecided(again, tuple(anomalies), tuple(left.items()))


def _past(reference: str, before: list[dict[str, Any]], entry: dict[str, Any]) -> Past | None:
    """The entry that an undo names, on the journal as it was."""
    step = STEPS.get(entry["trigger"])
    return named(reference, before, entry["request"]["entry"]) if step is not None and step.back else None


def _only_added_up(entry: dict[str, Any]) -> str:
    law = entry.get("law", 0)
    return (
        f"la loi n° {law} n’est plus dans ce jalon, leurs faits ont seulement été additionnés"
        if law
        else "décidées avant les numéros de loi"
    )


def _anomaly(entry: dict[str, Any], kept: Outcome, found: Outcome) -> Anomaly:
    differs: list[str] = []
    if kept.done and found.done:
        for name in sorted(kept.facts.keys() | found.facts.keys()):
            one, other = kept.facts.get(name, {}), found.facts.get(name, {})
            differs += [
                _said(name, key, one.get(key), other.get(key))
                for key in sorted(one.keys() | other.keys())
                if one.get(key) != other.get(key)
            ]
        if kept.role != found.role:
            differs.append(f"rôle {kept.role} / {found.role}")
    return Anomaly(entry["n"], entry["label"], entry["law"], str(kept), str(found), tuple(differs))


def _said(name: str, key: str, kept: Any, found: Any) -> str:
    """« settlements 1 : ceiling 30000.00 / 30001.00 »: what the journal says, then what the law decides."""
    if not (isinstance(kept, dict) and isinstance(found, dict)):
        return f"{name} {key}"
    fields = [field for field in sorted(kept.keys() | found.keys()) if kept.get(field) != found.get(field)]
    return f"{name} {key} : {', '.join(f'{field} {_short(kept.get(field))} / {_short(found.get(field))}' for field in fields)}"


def _short(value: Any) -> str:
    text = "rien" if value is None else str(value)
    return text if len(text) <= 40 else f"{text[:40]}…"
