"""Whether a table holds together, looked at when it is loaded: a table that does not stops the start with one sentence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from states.grammar.guard import Guard
from states.grammar.request import Request
from states.grammar.step import Step
from states.vocabulary import Money, State, UnsoundTable


def assert_sound(rows: Sequence[Step], of_every_step: Sequence[Guard], deliberation: type[Request]) -> None:
    """Raises UnsoundTable with the first thing that is wrong with a table. `deliberation` is what asks for one of the board."""
    for fault in (*_rows(rows), *_columns(rows, deliberation), *_guards(rows, of_every_step), *_states(rows), *_ends(rows)):
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
        elif not state.is_final and all(row.dest is state for row in leaving):
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
