"""Whether a table holds together, looked at when it is loaded: a table that does not stops the start with one sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date
from typing import get_args

from states.grammar.guard import Guard
from states.grammar.request import Request
from states.grammar.step import Step
from states.vocabulary import NAME, Money, State, UnsoundTable


def assert_sound(rows: Sequence[Step], of_every_step: Sequence[Guard], deliberation: type[Request]) -> None:
    """Raises UnsoundTable with the first thing that is wrong with a table. `deliberation` is what asks for one of the board."""
    for fault in (*_rows(rows), *_cells(rows), *_columns(rows, deliberation), *_guards(rows, of_every_step), *_states(rows), *_ends(rows)):
        raise UnsoundTable(fault)


def _rows(rows: Sequence[Step]) -> Iterator[str]:
    seen: set[str] = set()
    for row in rows:
        if row.trigger in seen:
            yield f"Deux lignes portent l’étape '{row.trigger}' : une étape n’a qu’une ligne, avec tous ses états de départ."
        seen.add(row.trigger)
    for column, what in (("opens", "ouvre un dossier"), ("takes_back", "annule une entrée"), ("reviews", "revoit les constats")):
        found = [row.trigger for row in rows if getattr(row, column)]
        if len(found) != 1:
            yield f"Une étape et une seule {what} ; ici : {', '.join(found) or 'aucune'}."
    for row in rows:
        if row.opens != (State.UNOPENED in row.source):
            yield f"L’étape '{row.trigger}' part de '{State.UNOPENED.value}' sans ouvrir de dossier, ou en ouvre un d’ailleurs."


def _cells(rows: Sequence[Step]) -> Iterator[str]:
    """What is wrong with one column of one row, whatever the others hold."""
    for row in rows:
        if not re.fullmatch(NAME, row.trigger):
            yield f"L’étape '{row.trigger}' : un nom d’étape s’écrit en minuscules sans accent, chiffres et « _ » (start_training)."
        if not row.label.strip():
            yield f"L’étape '{row.trigger}' n’a pas de libellé."
        if not row.source or not row.by:
            yield f"L’étape '{row.trigger}' n’a pas {'d’état de départ' if not row.source else 'de rôle'}."
        if row.dest in row.source and row.dest is not None:
            yield f"L’étape '{row.trigger}' part de l’état '{row.dest.value}' et y mène : une étape qui laisse l’état n’a pas de 'dest'."
        if row.within is not None and row.within.days < 0:
            yield f"L’étape '{row.trigger}' est attendue {row.within.days} jours après : une échéance ne se compte pas à rebours."
        if not _is_dated(row.asks):
            dated_by = getattr(row.asks, "dated_by", "")
            yield f"L’étape '{row.trigger}' est datée par '{dated_by}', qui n’est pas une date de sa demande ({row.asks.__name__})."


def _is_dated(asks: type[Request]) -> bool:
    """Whether the legal date of a request is one of its fields, and a date."""
    field = asks.model_fields.get(getattr(asks, "dated_by", ""))
    return field is not None and _holds_date(field.annotation)


def _holds_date(kind: object) -> bool:
    return kind is date or any(map(_holds_date, get_args(kind)))


def _columns(rows: Sequence[Step], deliberation: type[Request]) -> Iterator[str]:
    """What a row says of itself and what it does, where the two differ."""
    for row in rows:
        asked = (row.asks, *(field.annotation for field in row.asks.model_fields.values()))
        if any(isinstance(kind, type) and issubclass(kind, deliberation) for kind in asked) != (row.deliberates is not None):
            yield f"L’étape '{row.trigger}' demande une délibération sans dire ce qu’elle décide, ou le dit sans en demander."
        if row.commits_money != _commits(row):
            yield f"L’étape '{row.trigger}' mène à un état dont l’argent est mandaté sans dire qu’elle l’engage, ou le dit sans y mener."


def _commits(row: Step) -> bool:
    """Whether a row leads from where no payment is ordered to where one is. (A final state is come to with money and without.)"""
    if row.dest is None or row.dest.is_final or row.dest.money < Money.COMMITTED:
        return False
    return any(state.money < Money.COMMITTED for state in row.source)


def _guards(rows: Sequence[Step], of_every_step: Sequence[Guard]) -> Iterator[str]:
    seen: dict[str, Guard] = {}
    for guard in (*of_every_step, *(guard for row in rows for guard in row.guards)):
        if seen.setdefault(guard.code, guard) is not guard:
            yield f"Deux règles portent le code '{guard.code}'."


def _states(rows: Sequence[Step]) -> Iterator[str]:
    """What is wrong with a state: nobody comes there, nobody leaves, nobody is told by when, or somebody leaves after the end."""
    moving = [row for row in rows if row.dest is not None]
    reached, todo = {State.UNOPENED}, [State.UNOPENED]
    while todo:
        here = todo.pop()
        found = {row.dest for row in moving if here in row.source and row.dest is not None} - reached
        reached |= found
        todo += found
    for state in State:
        leaving = [row for row in moving if state in row.source]
        if state not in reached:
            yield f"L’état '{state.value}' n’est jamais atteint."
        elif state.is_final and leaving:
            yield f"L’état '{state.value}' est final, et l’étape '{leaving[0].trigger}' en sort."
        elif not state.is_final and not leaving:
            yield f"L’état '{state.value}' est une impasse : aucune étape n’en sort."
        elif not state.is_final and state is not State.UNOPENED and not any(row.within for row in leaving):
            yield f"L’état '{state.value}' attend quelqu’un, et aucune étape qui en sort n’a d’échéance."


def _ends(rows: Sequence[Step]) -> Iterator[str]:
    """The states from which nothing leads to an end, however many steps are done."""
    ending = {state for state in State if state.is_final}
    while found := {state for row in rows if row.dest in ending for state in row.source} - ending:
        ending |= found
    for state in State:
        if state not in ending:
            yield f"Depuis l’état '{state.value}', aucune suite d’étapes ne mène à une fin."
