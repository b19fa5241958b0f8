"""Whether a named entry of a journal can be taken back: what stands in its way, entry by entry, and the dossier without it.

A step is taken back by the inverse of its facts. A later entry stands in the way when it changed what the step wrote, or when it
would have come out otherwise without it; that is asked of the law itself, not of a list of what each rule reads.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from states.grammar.case import Obstacle, Past
from states.journal.entry import CONFLICT, REFUSED, Entry, Facts
from states.journal.fold import FINDINGS, Fold, blank, differences, finding_key, patch
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


class Stage(NamedTuple):
    """An entry that changed the dossier, with its facts as they are read today, and the dossier before and after it."""

    entry: Entry
    facts: Facts
    before: Partnership
    after: Partnership

    @property
    def moves(self) -> bool:
        """Whether it is a step of the trunk: one that led to another state."""
        return self.before.state is not self.after.state


def named(reference: str, entries: Sequence[Entry], n: int, stages: Sequence[Stage] | None = None) -> Past:
    """The entry `n` of a journal (in order) as something to take back. Raises Unreadable.

    `stages` are those of these entries, where somebody has added them up already.
    """
    entry = next((entry for entry in entries if entry.n == n), None)
    if entry is None:
        never = f"le journal de {reference} n’a pas d’entrée {n}, il en compte {len(entries)}"
        return Past(n, "", "", "", never)
    gone = undone(entries)
    taken_back = (gone[n].actor, gone[n].recorded_at) if n in gone else None
    past = Past(n, entry.trigger, entry.label, entry.actor, _never(entry, gone), taken_back)
    return past if past.never else _weighed(past, entry, stages_of(reference, entries) if stages is None else stages, gone)


def candidates(entries: Sequence[Entry]) -> list[Entry]:
    """The entries that stand, are somebody's step and are not frozen by money, the newest first: what an undo may name."""
    gone, ordered = undone(entries), any(map(_orders, entries))
    return [entry for entry in reversed(entries) if _never(entry, gone) is None and not (ordered and _is_frozen(entry))]


def _orders(entry: Entry) -> bool:
    """Whether money was committed by this entry."""
    step = STEPS.get(entry.trigger)
    return step is not None and step.commits_money and entry.is_done


def _is_frozen(entry: Entry) -> bool:
    """Whether an entry is no longer taken back once a payment was ordered: it moved the dossier, or its money."""
    step = STEPS.get(entry.trigger)
    return entry.moves or (step is not None and step.about_money)


def taken_with(entry: Entry) -> str:
    """What taking an entry back would take with it: « stagiaire n° 3 », « le dossier redevient « approuvé » »."""
    facts = entry.facts
    if facts is None:
        return "ce qu’elle a consigné"  # in an entry of before, which holds no facts
    parts = [f"{NOUNS[name]} n° {', '.join(sorted(facts[name], key=int))}" for name in NOUNS if facts.get(name)]
    if entry.moves:
        parts.append(f"le dossier redevient «\u00a0{State(entry.source).label}\u00a0»")
    return " ; ".join(parts) or "rien d’autre que l’entrée"


def _goes_back(entry: Entry) -> bool:
    step = STEPS.get(entry.trigger)
    return step is not None and step.takes_back


def _of_nobody(entry: Entry) -> bool:
    """Whether jalon did it by itself: its reviews of the findings."""
    step = STEPS.get(entry.trigger)
    return step is not None and step.reviews


def _never(entry: Entry, gone: dict[int, Entry]) -> str | None:
    """Why an entry is nothing that can be taken back, in French; None when it is."""
    if not entry.is_done:
        ending = {REFUSED: "a été refusée", CONFLICT: "est restée sans effet"}.get(entry.outcome, "reprend seulement ce qui existait")
        return f"l’entrée {entry.n} {ending}, elle n’a rien changé"
    if entry.n in gone:
        return f"l’entrée {entry.n} est déjà annulée, par {gone[entry.n].actor}"
    if _goes_back(entry):
        return f"l’entrée {entry.n} est une annulation, elle ne s’annule pas : l’étape se refait"
    if _of_nobody(entry):
        return f"l’entrée {entry.n} est une revue faite par jalon, elle n’est l’étape de personne"
    if entry.source == State.UNOPENED:
        return f"l’entrée {entry.n} est l’ouverture du dossier, elle ne s’annule pas"
    return None


def stages_of(reference: str, entries: Sequence[Entry]) -> list[Stage]:
    """The entries of a journal (in order) that changed the dossier: what `named` looks at, for whoever names several. Raises Unreadable."""
    fold, found = Fold(blank(reference)), []
    for entry in entries:
        before, facts = fold.partnership, fold.facts_of(entry)
        fold.add(entry)
        if facts is not None:
            found.append(Stage(entry, facts, before, fold.partnership))
    return found


def _weighed(past: Past, entry: Entry, stages: Sequence[Stage], gone: dict[int, Entry]) -> Past:
    here = next((at for at, stage in enumerate(stages) if stage.entry is entry), None)
    if here is None:
        return past._replace(never=f"l’entrée {past.n} date d’avant la reprise du journal, et ses données n’y sont pas")
    chosen, later = stages[here], stages[here + 1 :]
    money_moved = _is_frozen(entry) and any(_orders(stage.entry) for stage in stages)
    obstacles = tuple(_obstacles(chosen, later, gone))
    return past._replace(
        obstacles=obstacles,
        money_moved=money_moved,
        without=None if obstacles else _without(chosen, [stage for stage in later if stage.entry.n not in gone], stages[-1].after),
    )


def _obstacles(chosen: Stage, later: Sequence[Stage], gone: dict[int, Entry]) -> Iterator[Obstacle]:
    """The later entries that still stand and would not have come out the same without the chosen one."""
    there = Fold(chosen.before)  # the dossier as it would have been
    for stage in later:
        entry = stage.entry
        stands = entry.is_done and not (entry.n in gone or _goes_back(entry) or _of_nobody(entry))
        fits = _fits(stage, there.partnership) and not _overlap(chosen, stage)
        because = _because(chosen, stage, there.partnership, fits=fits) if stands else None
        if because:
            yield Obstacle(entry.n, entry.label, entry.actor, because)
        if fits:
            facts = {name: patches for name, patches in stage.facts.items() if name != FINDINGS}  # no rule asks for findings
            there.apply(facts, chosen.before.state if chosen.moves else stage.after.state, stage.after.version)


def _because(chosen: Stage, stage: Stage, there: Partnership, *, fits: bool) -> str | None:
    """Why a later entry stands in the way, in French; None when it does not. `fits`: what it wrote can be written `there`."""
    if chosen.moves and stage.moves:
        return MOVED
    if not fits:
        return CHANGED
    lent = "delegations" in chosen.facts and stage.entry.on_behalf_of is not None
    alike = UNSURE if stage.moves or lent or chosen.facts.keys() & stage.facts.keys() & KINDS.keys() else None
    try:
        outcome = effect(decided(there, stage.entry), there)
        if outcome == effect(recorded(stage.entry), stage.before):
            return None
        if outcome == effect(decided(stage.before, stage.entry), stage.before):
            return alike  # it comes out otherwise either way: its rule has changed, which says nothing of the chosen entry
    except Undecidable:
        return alike
    return RELIED


def _overlap(chosen: Stage, stage: Stage) -> bool:
    """Whether both wrote the same field of the same fact, or one wrote in a fact that the other made or took away."""
    for name in chosen.facts.keys() & stage.facts.keys() & KINDS.keys():
        before = {str(fact.number) for fact in getattr(chosen.before, name)}
        for number in chosen.facts[name].keys() & stage.facts[name].keys():
            mine, other = chosen.facts[name][number], stage.facts[name][number]
            if number not in before or not isinstance(mine, dict) or not isinstance(other, dict) or mine.keys() & other.keys():
                return True
    return False


def _fits(stage: Stage, there: Partnership) -> bool:
    """Whether every fact that an entry amended, or took away, is there."""
    for name in stage.facts.keys() & KINDS.keys():
        before = {fact.number for fact in getattr(stage.before, name)} & set(map(int, stage.facts[name]))
        if not before <= {fact.number for fact in getattr(there, name)}:
            return False
    return True


def _without(chosen: Stage, later: Sequence[Stage], now: Partnership) -> Partnership:
    """The dossier as it is now, less what the chosen entry did.

    `later` are the later entries that were not taken back: a finding stays that one of them has raised too, or that was worded
    otherwise since.
    """
    raised = {finding_key(reason["code"], stage.entry.trigger) for stage in later for reason in stage.entry.reasons}
    back = patch(chosen.after, chosen.before, differences(chosen.after, chosen.before))
    left = {finding_key(*finding[:2]): finding for finding in chosen.after.findings}
    stands = {finding_key(*finding[:2]): finding for finding in now.findings}
    found = {key: values for key, values in back.pop(FINDINGS, {}).items() if left.get(key) == stands.get(key) and key not in raised}
    fold = Fold(now)
    fold.apply({**back, FINDINGS: found}, chosen.before.state if chosen.moves else now.state, now.version)
    return fold.partnership
