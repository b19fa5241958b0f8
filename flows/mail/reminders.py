"""The letters that no step has caused: what is due, the seal of the night, a run that went wrong."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from flows.ports.mail import Letter
from models.people.register import Person
from states.grammar.deadlines import Age, age
from states.lifecycle import STEPS
from states.overview.outlook import Outlook
from states.values.french import counted, day

LINES_AT_MOST = 50
ATTACHED_AT_MOST = 1_000_000  # bytes; a bigger seal stays in the folder, and its root goes alone
STATES = {  # of Prefect's runs, those of which people are told
    "Failed": "échec",
    "Crashed": "interruption",
    "TimedOut": "délai dépassé",
    "Refused": "refus",
    "Broken": "contrôle en échec",
    "Anomaly": "décision à revoir",
    "Unreachable": "service injoignable",
    "Fault": "erreur de jalon",
}
END = ("", "Message automatique de jalon.", "")


def reminder(person: Person, lines: Sequence[Outlook], today: date, at: datetime) -> Letter:
    """What is late or soon due and up to `person`, the most pressing first."""
    late = sum(age(outlook.due_on, today) is Age.LATE for outlook in lines)
    listing = [f"  - {outlook.reference}, {_expectation(outlook, today)}" for outlook in lines[:LINES_AT_MOST]]
    more = [f"  et {len(lines) - LINES_AT_MOST} autres, au tableau de bord."] if len(lines) > LINES_AT_MOST else []
    body = [
        f"Bonjour {person.name},",
        "",
        f"Ce qui vous revient et dont l’échéance est passée ou proche, au {day(today)} :",
        *listing,
        *more,
        "",
        "Ce qui manque pour une étape se lit avec : jalon why suivi de la référence",
        *END,
    ]
    subject = (
        f"[jalon] {counted(late, 'échéance passée', 'échéances passées')}, {len(lines) - late} proche{'s' if len(lines) - late > 1 else ''}"
    )
    return Letter(f"daily.{today.isoformat()}", person.name, person.mail, subject, "\n".join(body), at)


def _expectation(outlook: Outlook, today: date) -> str:
    label, due = STEPS[outlook.step].label.lower() if outlook.step in STEPS else "", outlook.due_on or today
    late = (today - due).days
    overdue = f", {counted(late, 'jour', 'jours')} de retard" if late > 0 else ""
    return f"{label} : attendu le {day(due)}{overdue}{f' ; manque : {outlook.blocked}' if outlook.blocked else ''}"


def seal_letter(person: Person, today: date, seal: tuple[str, bytes], dossiers: int, at: datetime) -> Letter:
    """The seal of the night, its root and its file: with it, an auditor proves later that no journal was rewritten before that day."""
    root, content = seal
    name = f"{today.isoformat()}.json"
    joined = len(content) <= ATTACHED_AT_MOST
    body = [
        f"Bonjour {person.name},",
        "",
        f"Sceau du {day(today)}, sur les chaînes de {counted(dossiers, 'dossier', 'dossiers')} :",
        root,
        "",
        f"C’est la racine de l’arbre de Merkle du fichier seals/{name} de jalon{', joint à ce message' if joined else ''}.",
        "Gardez ce message hors de jalon : il prouve, plus tard, que rien de ce qui précède n’a été réécrit",
        "(jalon verify --seal suivi de ce message, enregistré dans un fichier).",
        *END,
    ]
    subject, attached = f"[jalon] Sceau du {day(today)}", (f"sceau-{name}", content) if joined else None
    return Letter(f"seal.{today.isoformat()}", person.name, person.mail, subject, "\n".join(body), at, attached)


def alert_letter(person: Person, run_id: str, name: str, state: str, message: str, at: datetime) -> Letter:
    """A run that failed or crashed, or a step about money that was refused; `state` is the name of its state in Prefect."""
    state = STATES.get(state, state)
    body = [
        f"Bonjour {person.name},",
        "",
        f"L’exécution « {name} » de jalon s’est terminée ainsi : {state}.",
        *([message] if message else []),
        "",
        f"Le détail est dans l’interface, à la page /v2/runs/flow-run/{run_id}",
        "Rien n’a été changé par cette exécution, sauf ce que le journal du dossier dit.",
        *END,
    ]
    return Letter(f"alert.{run_id}", person.name, person.mail, f"[jalon] {' '.join(name.split())} : {state}", "\n".join(body), at)
