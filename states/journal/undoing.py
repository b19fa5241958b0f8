"""Whether a named entry of a journal can be taken back: what stands in its way, entry by entry, and the dossier without it.

A step is taken back by the inverse of its facts. A later entry stands in the way when it changed what the step wrote, or when it
would have come out otherwise without it; that is asked of the law itself, not of a list of what each rule reads.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from states.grammar.case import Obstacle, Past
from states.journal.fold import FINDINGS, Facts, Fold, blank, differences, finding_key, patch
from states.journal.kinds import KINDS, NOUNS
from states.journal.redecide import Undecidable, decided, effect, recorded
from states.journal.standing import undone
from states.lifecycle import STEPS
from states.partnership import Partnership
from states.vocabulary import State

CHANGED = "a changé les mêmes données"
RELIED = "s’appuie sur elle"
MOVED = "a fait avancer le dossier depuis"
UNSURE = "a suivi, et jalon ne peut plus dire si elle s’appuie sur elle"


class Place(NamedTuple):
    """An entry that changed the dossier, with its facts as they are read today, and the dossier before and after it."""

    entry: dict[str, Any]
    facts: Facts
    before: Partnership
    after: Partnership

    @property
    def moves(self) -> bool:
        """Whether it is a step of the trunk: one that led to another state."""
        return self.before.state is not self.after.state


def named(reference: str, entries: Sequence[dict[str, Any]], n: int, places: Sequence[Place] | None = None) -> Past:
    """The entry `n` of a journal (parsed, in order) as something to take back. Raises Unreadable.

    `places` are those of these entries, where somebody has added them up already.
    """
    entry = next((one for one in entries if one["n"] == n), None)
    if entry is None:
        never = f"le journal de {reference} n’a pas d’entrée {n}, il en compte {len(entries)}"
        return Past(n, "", "", "", never)
    gone = undone(entries)
    taken_back = (gone[n]["actor"], gone[n]["recorded_at"]) if n in gone else None
    past = Past(n, entry["trigger"], entry["label"], entry["actor"], _never(entry, gone), taken_back)
    return past if past.never else _weighed(past, entry, _places(reference, entries) if places is None else places, gone)


def candidates(entries: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The entries that stand, are somebody's step and are not frozen by money, the newest first: what an undo may name."""
    gone, ordered = undone(entries), any(map(_orders, entries))
    return [entry for entry in reversed(entries) if _never(entry, gone) is None and not (ordered and _is_frozen(entry))]


def _orders(entry: dict[str, Any]) -> bool:
    """Whether money was committed by this entry."""
    step = STEPS.get(entry["trigger"])
    return step is not None and step.commits_money and entry["outcome"] == "done"


def _is_frozen(entry: dict[str, Any]) -> bool:
    """Whether an entry is no longer taken back once a payment was ordered: it moved the dossier, or its money."""
    step = STEPS.get(entry["trigger"])
    return entry["from"] != entry["to"] or (step is not None and step.asks_code)


def told_of(entry: dict[str, Any]) -> str:
    """What taking an entry back would take with it: « stagiaire n° 3 », « le dossier redevient « approuvé » »."""
    facts = entry.get("facts")
    if facts is None:
        return "ce qu’elle a consigné"  # in an entry of before, which holds no facts
    told = [f"{NOUNS[name]} n° {', '.join(sorted(facts[name], key=int))}" for name in NOUNS if facts.get(name)]
    if entry["from"] != entry["to"]:
        told.append(f"le dossier redevient «\u00a0{State(entry['from']).label}\u00a0»")
    return " ; ".join(told) or "rien d’autre que l’entrée"


def _goes_back(entry: dict[str, Any]) -> bool:
    step = STEPS.get(entry["trigger"])
    return step is not None and step.takes_back


def _of_nobody(entry: dict[str, Any]) -> bool:
    """Whether jalon did it by itself: its reviews of the findings."""
    step = STEPS.get(entry["trigger"])
    return step is not None and step.reviews


def _never(entry: dict[str, Any], gone: dict[int, dict[str, Any]]) -> str | None:
    """Why an entry is nothing that can be taken back, in French; None when it is."""
    if entry["outcome"] != "done":
        told = {"refused": "a été refusée", "conflict": "est restée sans effet"}.get(entry["outcome"], "reprend seulement ce qui existait")
        return f"l’entrée {entry['n']} {told}, elle n’a rien changé"
    if entry["n"] in gone:
        return f"l’entrée {entry['n']} est déjà annulée, par {gone[entry['n']]['actor']}"
    if _goes_back(entry):
        return f"l’entrée {entry['n']} est une annulation, elle ne s’annule pas : l’étape se refait"
    if _of_nobody(entry):
        return f"l’entrée {entry['n']} est une revue faite par jalon, elle n’est l’étape de personne"
    if entry["from"] == State.UNOPENED:
        return f"l’entrée {entry['n']} est l’ouverture du dossier, elle ne s’annule pas"
    return None


def _places(reference: str, entries: Sequence[dict[str, Any]]) -> list[Place]:
    fold, found = Fold(blank(reference)), []
    for entry in entries:
        before, facts = fold.partnership, fold.facts_of(entry)
        fold.add(entry)
        if facts is not None:
            found.append(Place(entry, facts, before, fold.partnership))
    return found


def _weighed(past: Past, entry: dict[str, Any], places: Sequence[Place], gone: dict[int, dict[str, Any]]) -> Past:
    here = next((at for at, one in enumerate(places) if one.entry is entry), None)
    if here is None:
        return past._replace(never=f"l’entrée {past.n} date d’avant la reprise du journal, et ses données n’y sont pas")
    chosen, later = places[here], places[here + 1 :]
    money_moved = _is_frozen(entry) and any(_orders(one.entry) for one in places)
    obstacles = tuple(_obstacles(chosen, later, gone))
    return past._replace(
        obstacles=obstacles,
        money_moved=money_moved,
        without=None if obstacles else _without(chosen, [one for one in later if one.entry["n"] not in gone], places[-1].after),
    )


def _obstacles(chosen: Place, later: Sequence[Place], gone: dict[int, dict[str, Any]]) -> Iterator[Obstacle]:
    """The later entries that still stand and would not have come out the same without the chosen one."""
    there = Fold(chosen.before)  # the dossier as it would have been
    for place in later:
        entry = place.entry
        stands = entry["outcome"] == "done" and not (entry["n"] in gone or _goes_back(entry) or _of_nobody(entry))
        fits = _fits(place, there.partnership) and not _overlap(chosen, place)
        because = _because(chosen, place, there.partnership, fits=fits) if stands else None
        if because:
            yield Obstacle(entry["n"], entry["label"], entry["actor"], because)
        if fits:
            facts = {name: told for name, told in place.facts.items() if name != FINDINGS}  # no rule asks for findings
            there.apply(facts, chosen.before.state if chosen.moves else place.after.state, place.after.version)


def _because(chosen: Place, place: Place, there: Partnership, *, fits: bool) -> str | None:
    """Why a later entry stands in the way, in French; None when it does not. `fits`: what it wrote can be written `there`."""
    if chosen.moves and place.moves:
        return MOVED
    if not fits:
        return CHANGED
    lent = "delegations" in chosen.facts and place.entry.get("on_behalf_of") is not None
    alike = UNSURE if place.moves or lent or chosen.facts.keys() & place.facts.keys() & KINDS.keys() else None
    try:
        outcome = effect(decided(there, place.entry), there)
        if outcome == effect(recorded(place.entry), place.before):
            return None
        if outcome == effect(decided(place.before, place.entry), place.before):
            return alike  # it comes out otherwise either way: its rule has changed, which says nothing of the chosen entry
    except Undecidable:
        return alike
    return RELIED


def _overlap(chosen: Place, place: Place) -> bool:
    """Whether both wrote the same field of the same fact, or one wrote in a fact that the other made or took away."""
    for name in chosen.facts.keys() & place.facts.keys() & KINDS.keys():
        before = {str(fact.number) for fact in getattr(chosen.before, name)}
        for number in chosen.facts[name].keys() & place.facts[name].keys():
            one, other = chosen.facts[name][number], place.facts[name][number]
            if number not in before or one is None or other is None or one.keys() & other.keys():
                return True
    return False


def _fits(place: Place, there: Partnership) -> bool:
    """Whether every fact that an entry amended, or took away, is there."""
    for name in place.facts.keys() & KINDS.keys():
        before = {fact.number for fact in getattr(place.before, name)} & set(map(int, place.facts[name]))
        if not before <= {fact.number for fact in getattr(there, name)}:
            return False
    return True


def _without(chosen: Place, later: Sequence[Place], now: Partnership) -> Partnership:
    """The dossier as it is now, less what the chosen entry did.

    `later` are the later entries that were not taken back: a finding stays that one of them has raised too, or that was worded
    otherwise since.
    """
    raised = {finding_key(reason["code"], place.entry["trigger"]) for place in later for reason in place.entry["reasons"]}
    back = patch(chosen.after, chosen.before, differences(chosen.after, chosen.before))
    left, stands = {finding_key(*one[:2]): one for one in chosen.after.findings}, {finding_key(*one[:2]): one for one in now.findings}
    found = {key: values for key, values in back.pop(FINDINGS, {}).items() if left.get(key) == stands.get(key) and key not in raised}
    fold = Fold(now)
    fold.apply({**back, FINDINGS: found}, chosen.before.state if chosen.moves else now.state, now.version)
    return fold.partnership
