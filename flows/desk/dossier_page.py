"""The page of one dossier on the operators' desk: where it stands, what is missing and who can clear it, what was done, the proof."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from itertools import groupby, pairwise
from typing import Any

from flows.desk.markdown import link, plain, table
from flows.home import Home
from flows.intake.undoing import entry_told
from flows.wording import OUTCOMES, STATUSES, due_told, role_label, short_day, wall_time
from models.answers import Invalid
from models.read.views import terms_told
from states.engine.decide import next_steps
from states.grammar.deadlines import paris_day
from states.grammar.step import Step
from states.journal.standing import undone
from states.journal.undoing import candidates, told_of
from states.lifecycle import ROWS, STEPS, UNDOING
from states.partnership import Partnership
from states.payment.calculation import entitlement, in_force
from states.values.french import counted, euros
from states.vocabulary import Role, State

# The address of the run form of a trigger for a reference, where there is one; filled with the entry that an undo names.
Form = Callable[[str, str, str | None], str | None]
TRAINEES_AT_MOST, LINES_AT_MOST, UNDOABLE_AT_MOST = 60, 40, 5
ACROSS_AT_MOST = 7  # states that can be read side by side
STYLES = (
    "classDef past fill:#dcfce7,stroke:#16a34a,color:#14532d",
    "classDef present fill:#2563eb,stroke:#1e3a8a,color:#ffffff",
    "classDef possible fill:#fef9c3,stroke:#ca8a04,color:#713f12,stroke-dasharray:4 3",
)


def page(home: Home, reference: str, *, at: datetime, form: Form) -> tuple[str, Partnership]:
    """The page as markdown, and the facts that it shows. Raises Invalid, also when somebody has damaged its rows; Unreachable."""
    try:
        return _page(home, reference, at, form)
    except (LookupError, StopIteration, ValueError, TypeError) as fault:
        raise Invalid(f"Le dossier {reference} est illisible : lancez « jalon verify {reference} ».") from fault


def _page(home: Home, reference: str, at: datetime, form: Form) -> tuple[str, Partnership]:
    told, partnership, history = home.views.page(reference, on=paris_day(at))
    lines = [
        f"# {reference} : {partnership.state.label}",
        "",
        *_summary(partnership, told),
        "",
        "## Où en est le dossier",
        "",
        "```mermaid",
        *diagram(partnership.state, _visited(history)),
        "```",
        "",
        "Vert : fait. Bleu : maintenant. Jaune : possible ensuite.",
        "",
        *_next(partnership, at, form),
        *_entitlement(partnership, at),
        *_findings(told),
        *_timeline(history),
        *_undoable(reference, history, form),
        *_proof(reference, history),
    ]
    return "\n".join(lines), partnership


def _summary(partnership: Partnership, told: dict[str, Any]) -> list[str]:
    terms, due = told["terms"], told["entitlement"]
    counts = f"{counted(due['subsidised'], 'subventionné', 'subventionnés')}, {counted(due['eligible'], 'éligible', 'éligibles')}"
    rows = [
        (
            "État",
            f"**{partnership.state.label}** depuis le {short_day(partnership.entered_on.isoformat()) if partnership.entered_on else '?'}",
        ),
        ("Parties", f"{plain(partnership.centre.name)} et {plain(partnership.university.name)}"),
        ("Conditions", f"{euros(Decimal(terms['rate']))} par stagiaire, {terms['cap']} au plus, département {terms['department']}"),
        ("Année", terms["academic_year"]),
        (
            "Droit à subvention",
            f"**{euros(Decimal(due['amount']))}** ({counts})",
        ),
    ]
    return table(("", ""), rows)


def _visited(history: list[dict[str, Any]]) -> list[State]:
    """The states that the dossier has been in, in order; an undone step leaves its state behind."""
    path: list[State] = []
    for told in history:
        if told["outcome"] != "done":
            continue
        arrived = State(told["to"])
        if told["trigger"] in STEPS and STEPS[told["trigger"]].takes_back and told["from"] != told["to"] and arrived in path:
            del path[len(path) - path[::-1].index(arrived) :]
        elif not path or path[-1] is not arrived:
            path.append(arrived)
    return path


def diagram(now: State, visited: list[State]) -> list[str]:
    """The lifecycle with the past, the present and what may come next; states that were never near are left out."""
    possible = {row.dest for row in ROWS if row.dest is not None and now in row.source} - {now}
    shown = [state for state in State if state in {*visited, now, *possible}]
    direction = "LR" if len(shown) <= ACROSS_AT_MOST else "TB"
    lines = ["stateDiagram-v2", f"    direction {direction}", *(f"    {state.value} : {state.label}" for state in shown)]
    first = visited[0] if visited else now
    lines.append(f"    [*] --> {first.value}")
    gone = list(pairwise(visited))
    lines += [f"    {one.value} --> {other.value}" for one, other in gone]
    lines += [f"    {now.value} --> {state.value}" for state in shown if state in possible and (now, state) not in gone]
    lines += [f"    {now.value} --> [*]"] if now.is_final else []
    lines += [f"    {style}" for style in STYLES]
    kinds = (("past", set(visited) - {now}), ("present", {now}), ("possible", possible - set(visited)))
    return [*lines, *(f"    class {state.value} {kind}" for kind, states in kinds for state in shown if state in states)]


def _next(partnership: Partnership, at: datetime, form: Form) -> list[str]:
    """The steps that move the dossier, with what is missing for each, then what may be recorded: the same list as `jalon why`."""
    rows, recordings = [], []
    for found in next_steps(partnership, at=at):
        if found.step.is_recording:
            if not found.unmet and not found.step.of_the_house:
                recordings.append(_linked(found.step, partnership, form))
            continue
        due = due_told(found.due_on, paris_day(at))
        missing = "<br>".join(f"{plain(one.reason)} → {plain(one.who)}" for one in found.unmet)
        missing = missing or ("le journal en décide" if found.step.takes_back else "rien")
        rows.append(
            (
                _linked(found.step, partnership, form),
                ", ".join(role.label for role in found.step.by if role is not Role.CLOCK),
                due,
                missing,
            )
        )
    others = ["Peuvent aussi être consignés, sans changer l’état :", "", *(f"- {one}" for one in recordings), ""] if recordings else []
    if not rows:
        return ["Le dossier est terminé.", "", *others]
    heads = ("Étape", "Par", "Attendue le", "Ce qui manque, et qui peut y remédier")
    return ["## Ce qui peut venir ensuite", "", *table(heads, rows), "", *others]


def _linked(step: Step, partnership: Partnership, form: Form) -> str:
    """The name of a step, as a link to its form where there is one."""
    address = form(step.trigger, partnership.reference, None)
    return link(step.label, address) if address else step.label


def _entitlement(partnership: Partnership, at: datetime) -> list[str]:
    if not partnership.trainees:
        return []
    due = entitlement(partnership, paris_day(at))
    rows = [(str(one.trainee), str(one.rank), STATUSES[one.status], plain(one.reason), euros(one.unit)) for one in due.lines]
    more = [f"{len(rows) - TRAINEES_AT_MOST} autres."] if len(rows) > TRAINEES_AT_MOST else []
    terms = terms_told(in_force(partnership, paris_day(at))[-1])
    title = f"## Droit à subvention : {euros(due.amount)}"
    heads = ("Stagiaire n°", "Rang", "Statut", "Pourquoi", "Montant")
    return [title, "", f"Plafond : {terms['cap']} stagiaires.", "", *table(heads, rows[:TRAINEES_AT_MOST]), *more, ""]


def _findings(told: dict[str, Any]) -> list[str]:
    if not told["findings"]:
        return []
    rows = [
        (f"`{one['code']}`", plain(one["reason"], 600), wall_time(one["opened_at"])[:10], plain(one["source"])) for one in told["findings"]
    ]
    return ["## Constats", "", *table(("Code", "Constat", "Depuis le", "Source"), rows), ""]


def _timeline(history: list[dict[str, Any]]) -> list[str]:
    """The newest first, the same step many times in a row as one line. No motive, no free text: they stay in the ledger."""
    gone = undone(history)

    def same(told: dict[str, Any]) -> tuple[str, str, str, str, int]:
        by = gone[told["n"]]["n"] if told["n"] in gone else 0
        return told["trigger"], told["outcome"], told["actor"], told["effective_on"], by

    rows = [_line(list(entries), undone_by) for (*_, undone_by), entries in groupby(reversed(history), same)]
    older = len(rows) - LINES_AT_MOST
    more = ["", f"Et {counted(older, 'ligne plus ancienne', 'lignes plus anciennes')} : jalon show."] if older > 0 else []
    heads = ("Entrée", "Date du fait", "Saisi le", "Étape", "Résultat", "Par")
    return ["## Chronologie", "", *table(heads, rows[:LINES_AT_MOST]), *more, ""]


def _line(entries: list[dict[str, Any]], undone_by: int) -> list[str]:
    last, first = entries[0], entries[-1]
    several = len(entries) > 1
    return [
        f"{first['n']} à {last['n']}" if several else str(last["n"]),
        short_day(last["effective_on"]),
        wall_time(last["recorded_at"]),
        plain(last["label"]) + (f" × {len(entries)}" if several else ""),
        _outcome(last) + (f", annulé par l’entrée {undone_by}" if undone_by else ""),
        f"{plain(last['actor'])} ({', '.join(role_label(role) for role in last['role'].split(','))}){_lent(last)}",
    ]


def _outcome(told: dict[str, Any]) -> str:
    """« fait », « refusé (WRONG_STATE) »; the sentence of a refusal is in the run, and in `jalon show`."""
    codes = ", ".join(f"`{one['code']}`" for one in told["reasons"]) if told["outcome"] == "refused" else ""
    return f"{OUTCOMES[told['outcome']]}{f' ({codes})' if codes else ''}"


def _lent(told: dict[str, Any]) -> str:
    return f", par délégation de {plain(told['on_behalf_of'])}" if told.get("on_behalf_of") else ""


def _undoable(reference: str, history: list[dict[str, Any]], form: Form) -> list[str]:
    """The newest entries that an undo may name, each with its form: the ledger says whether others rely on it."""
    rows = []
    for one in candidates(history)[:UNDOABLE_AT_MOST]:
        address = form(UNDOING.trigger, reference, entry_told(one))
        told = f"Annuler l’entrée {one['n']}"
        rows.append((link(told, address) if address else told, plain(one["label"]), plain(one["actor"]), plain(told_of(one))))
    heads = ("Entrée", "Étape", "Faite par", "Ce qui est concerné")
    said = (
        "Une erreur de saisie s’annule, avec un motif, si rien de ce qui a suivi ne s’appuie dessus ; les entrées plus anciennes aussi, "
        "par leur numéro."
    )
    return ["## Dernières entrées, et leur annulation", "", said, "", *table(heads, rows), ""] if rows else []


def _proof(reference: str, history: list[dict[str, Any]]) -> list[str]:
    return [
        "## Preuve",
        "",
        f"Tête de la chaîne, à l’entrée {history[-1]['n']} : `{history[-1]['digest']}`",
        "",
        f"À vérifier par : `jalon verify {reference}`. {link('Tableau de bord', '/v2/artifacts/key/tableau-de-bord')}",
    ]
