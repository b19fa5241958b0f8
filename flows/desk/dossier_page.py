"""The page of one dossier on the operators' desk: where it stands, what is missing and who can clear it, what was done, the proof."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import groupby, pairwise

from flows.desk.markdown import link, plain, table
from flows.home import Home
from flows.intake.undoing import entry_label
from flows.wording import OUTCOMES, STATUSES, actor_label, due_label, short_day, undoing_label, wall_time
from models.answers import Invalid
from models.read.dossier import DatedFinding, Dossier
from models.read.history import HistoryLine
from states.engine.decide import next_steps
from states.grammar.deadlines import paris_day
from states.grammar.step import Step
from states.journal.entry import Entry
from states.journal.undoing import candidates, taken_with
from states.lifecycle import ROWS, STEPS, UNDOING
from states.partnership import Partnership
from states.payment.calculation import Entitlement
from states.values.french import counted, euros
from states.vocabulary import Role, State

# The address of the run form of a trigger for a reference, where there is one; filled with the entry that an undo names.
FormAddress = Callable[[str, str, str | None], str | None]
TRAINEES_AT_MOST, LINES_AT_MOST, UNDOABLE_AT_MOST = 60, 40, 5
ACROSS_AT_MOST = 7  # states that can be read side by side
STYLES = (
    "classDef past fill:#dcfce7,stroke:#16a34a,color:#14532d",
    "classDef present fill:#2563eb,stroke:#1e3a8a,color:#ffffff",
    "classDef possible fill:#fef9c3,stroke:#ca8a04,color:#713f12,stroke-dasharray:4 3",
)


def page(home: Home, reference: str, *, at: datetime, form: FormAddress) -> tuple[str, Partnership]:
    """The page as markdown, and the facts that it shows. Raises Invalid, also when somebody has damaged its rows; Unreachable."""
    try:
        return _page(home, reference, at, form)
    except (LookupError, StopIteration, ValueError, TypeError) as fault:
        raise Invalid(f"Le dossier {reference} est illisible : lancez « jalon verify {reference} ».") from fault


def _page(home: Home, reference: str, at: datetime, form: FormAddress) -> tuple[str, Partnership]:
    dossier = home.views.dossier(reference, on=paris_day(at))
    partnership = dossier.partnership
    lines = [
        f"# {reference} : {partnership.state.label}",
        "",
        *_summary(dossier),
        "",
        "## Où en est le dossier",
        "",
        "```mermaid",
        *diagram(partnership.state, _visited(dossier.entries)),
        "```",
        "",
        "Vert : fait. Bleu : maintenant. Jaune : possible ensuite.",
        "",
        *_next(partnership, at, form),
        *_entitlement(dossier.due, dossier.terms.cap),
        *_findings(dossier.findings),
        *_timeline(dossier.history),
        *_undoable(reference, dossier.entries, form),
        *_proof(reference, dossier.history[-1]),
    ]
    return "\n".join(lines), partnership


def _summary(dossier: Dossier) -> list[str]:
    partnership, terms, due = dossier.partnership, dossier.terms, dossier.due
    counts = f"{counted(due.subsidised, 'subventionné', 'subventionnés')}, {counted(due.eligible, 'éligible', 'éligibles')}"
    rows = [
        (
            "État",
            f"**{partnership.state.label}** depuis le {short_day(partnership.entered_on.isoformat()) if partnership.entered_on else '?'}",
        ),
        ("Parties", f"{plain(partnership.centre.name)} et {plain(partnership.university.name)}"),
        ("Conditions", f"{euros(terms.rate)} par stagiaire, {terms.cap} au plus, département {terms.department}"),
        ("Année", terms.academic_year),
        (
            "Droit à subvention",
            f"**{euros(due.amount)}** ({counts})",
        ),
    ]
    return table(("", ""), rows)


def _visited(entries: Sequence[Entry]) -> list[State]:
    """The states that the dossier has been in, in order; an undone step leaves its state behind."""
    path: list[State] = []
    for entry in entries:
        if not entry.is_done:
            continue
        arrived = State(entry.dest)
        if entry.trigger in STEPS and STEPS[entry.trigger].takes_back and entry.moves and arrived in path:
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
    lines += [f"    {source.value} --> {dest.value}" for source, dest in gone]
    lines += [f"    {now.value} --> {state.value}" for state in shown if state in possible and (now, state) not in gone]
    lines += [f"    {now.value} --> [*]"] if now.is_final else []
    lines += [f"    {style}" for style in STYLES]
    kinds = (("past", set(visited) - {now}), ("present", {now}), ("possible", possible - set(visited)))
    return [*lines, *(f"    class {state.value} {kind}" for kind, states in kinds for state in shown if state in states)]


def _next(partnership: Partnership, at: datetime, form: FormAddress) -> list[str]:
    """The steps that move the dossier, with what is missing for each, then what may be recorded: the same list as `jalon why`."""
    rows, recordings = [], []
    for found in next_steps(partnership, at=at):
        if found.step.is_recording:
            if not found.unmet and not found.step.of_the_house:
                recordings.append(_linked(found.step, partnership, form))
            continue
        due = due_label(found.due_on, paris_day(at))
        missing = "<br>".join(f"{plain(reason.reason)} → {plain(reason.who)}" for reason in found.unmet)
        missing = missing or ("le journal en décide" if found.step.takes_back else "rien")
        rows.append(
            (
                _linked(found.step, partnership, form),
                ", ".join(role.label for role in found.step.by if role is not Role.CLOCK),
                due,
                missing,
            )
        )
    others = (
        ["Peuvent aussi être consignés, sans changer l’état :", "", *(f"- {recording}" for recording in recordings), ""]
        if recordings
        else []
    )
    if not rows:
        return ["Le dossier est terminé.", "", *others]
    heads = ("Étape", "Par", "Attendue le", "Ce qui manque, et qui peut y remédier")
    return ["## Ce qui peut venir ensuite", "", *table(heads, rows), "", *others]


def _linked(step: Step, partnership: Partnership, form: FormAddress) -> str:
    """The name of a step, as a link to its form where there is one."""
    address = form(step.trigger, partnership.reference, None)
    return link(step.label, address) if address else step.label


def _entitlement(due: Entitlement, cap: int) -> list[str]:
    if not due.lines:
        return []
    rows = [(str(line.trainee), str(line.rank), STATUSES[line.status], plain(line.reason), euros(line.unit)) for line in due.lines]
    more = [f"{len(rows) - TRAINEES_AT_MOST} autres."] if len(rows) > TRAINEES_AT_MOST else []
    title = f"## Droit à subvention : {euros(due.amount)}"
    heads = ("Stagiaire n°", "Rang", "Statut", "Pourquoi", "Montant")
    return [title, "", f"Plafond : {cap} stagiaires.", "", *table(heads, rows[:TRAINEES_AT_MOST]), *more, ""]


def _findings(findings: Sequence[DatedFinding]) -> list[str]:
    if not findings:
        return []
    rows = [
        (f"`{finding.code}`", plain(finding.reason, 600), wall_time(finding.opened_at)[:10], plain(finding.source)) for finding in findings
    ]
    return ["## Constats", "", *table(("Code", "Constat", "Depuis le", "Source"), rows), ""]


def _timeline(history: Sequence[HistoryLine]) -> list[str]:
    """The newest first, the same step many times in a row as one line. No motive, no free text: they stay in the ledger."""

    def same(line: HistoryLine) -> tuple[str, str, str, str, int | None]:
        return line.entry.trigger, line.entry.outcome, line.entry.actor, line.entry.effective_on, line.undone_by

    rows = [_row(list(lines)) for _, lines in groupby(reversed(history), same)]
    older = len(rows) - LINES_AT_MOST
    more = ["", f"Et {counted(older, 'ligne plus ancienne', 'lignes plus anciennes')} : jalon show."] if older > 0 else []
    heads = ("Entrée", "Date du fait", "Saisi le", "Étape", "Résultat", "Par")
    return ["## Chronologie", "", *table(heads, rows[:LINES_AT_MOST]), *more, ""]


def _row(lines: Sequence[HistoryLine]) -> list[str]:
    """One row for the same step many times in a row; the sentence of a refusal is in the run, and in `jalon show`."""
    newest, last, first = lines[0], lines[0].entry, lines[-1].entry
    several = len(lines) > 1
    return [
        f"{first.n} à {last.n}" if several else str(last.n),
        short_day(last.effective_on),
        wall_time(last.recorded_at),
        plain(last.label) + (f" × {len(lines)}" if several else ""),
        _outcome(newest),
        actor_label(last, plain),
    ]


def _outcome(line: HistoryLine) -> str:
    """« fait », « refusé (WRONG_STATE) », « fait, annulé par l’entrée 9 »."""
    codes = ", ".join(f"`{code}`" for code in line.codes)
    undoing = undoing_label(line)
    return f"{OUTCOMES[line.entry.outcome]}{f' ({codes})' if codes else ''}{f', {undoing}' if undoing else ''}"


def _undoable(reference: str, entries: Sequence[Entry], form: FormAddress) -> list[str]:
    """The newest entries that an undo may name, each with its form: the ledger says whether others rely on it."""
    rows = []
    for entry in candidates(entries)[:UNDOABLE_AT_MOST]:
        address = form(UNDOING.trigger, reference, entry_label(entry))
        title = f"Annuler l’entrée {entry.n}"
        rows.append((link(title, address) if address else title, plain(entry.label), plain(entry.actor), plain(taken_with(entry))))
    heads = ("Entrée", "Étape", "Faite par", "Ce qui est concerné")
    advice = (
        "Une erreur de saisie s’annule, avec un motif, si rien de ce qui a suivi ne s’appuie dessus ; les entrées plus anciennes aussi, "
        "par leur numéro."
    )
    return ["## Dernières entrées, et leur annulation", "", advice, "", *table(heads, rows), ""] if rows else []


def _proof(reference: str, last: HistoryLine) -> list[str]:
    return [
        "## Preuve",
        "",
        f"Tête de la chaîne, à l’entrée {last.entry.n} : `{last.digest}`",
        "",
        f"À vérifier par : `jalon verify {reference}`. {link('Tableau de bord', '/v2/artifacts/key/tableau-de-bord')}",
    ]
