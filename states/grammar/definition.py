"""Whether a table holds together, looked at when it is loaded: a table that does not stops the start with one sentence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from states.grammar.guard import Guard
from states.grammar.step import Step
from states.vocabulary import State, UnsoundTable


def assert_sound(rows: Sequence[Step], of_every_step: Sequence[Guard]) -> None:
    """Raises UnsoundTable with the first thing that is wrong with a table."""
    for fault in (*_rows(rows), *_guards(rows, of_every_step), *_states(rows)):
        raise UnsoundTable(fault)


def _rows(rows: Sequence[Step]) -> Iterator[str]:
    seen: dict[str, Step] = {}
    for row in rows:
        if not row.source or not row.by:
            yield f"L’étape '{row.trigger}' n’a pas {'d’état de départ' if not row.source else 'de rôle'}."
        other = seen.setdefault(row.trigger, row)
        if other is not row:
            common = next((state for state in row.source if state in other.source), row.source[0])
            yield f"Deux étapes répondent à '{row.trigger}' depuis l’état '{common.value}'."
    for column, what in (("opens", "ouvre un dossier"), ("takes_back", "annule une entrée"), ("reviews", "revoit les constats")):
        found = [row.trigger for row in rows if getattr(row, column)]
        if len(found) != 1:
            yield f"Une étape et une seule {what} ; ici : {', '.join(found) or 'aucune'}."
    for row in rows:
        if row.opens != (State.UNOPENED in row.source):
            yield f"L’étape '{row.trigger}' part de '{State.UNOPENED.value}' sans ouvrir de dossier, ou en ouvre un d’ailleurs."


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
        elif not state.is_final and all(row.dest is state for row in leaving):
            yield f"L’état '{state.value}' est une impasse : aucune étape n’en sort."
        elif not state.is_final and state is not State.UNOPENED and not any(row.within for row in leaving):
            yield f"L’état '{state.value}' attend quelqu’un, et aucune étape qui en sort n’a d’échéance."
