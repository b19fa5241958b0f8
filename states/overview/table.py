"""The views of the table: diagram, documentation, deployments. Nothing is written twice; a test compares what is committed."""

from __future__ import annotations

from typing import TypedDict

from states.grammar.guard import Guard
from states.grammar.step import Step
from states.lifecycle import GUARDS, OF_EVERY_STEP, ROWS
from states.values.french import listed
from states.values.law import FIGURES
from states.vocabulary import Role, Severity, State

SEVERITIES = {Severity.BLOCK: "bloque", Severity.WARN: "alerte", Severity.IGNORE: "rien"}


def mermaid() -> str:
    """The lifecycle as a mermaid state diagram; recordings, which move nothing, are left out."""
    lines = ["stateDiagram-v2"]
    lines += [f"    {state.value} : {state.label}" for state in State if state is not State.UNOPENED]
    for row in ROWS:
        if row.dest is not None:
            for source in row.source:
                start = "[*]" if source is State.UNOPENED else source.value
                lines.append(f"    {start} --> {row.dest.value} : {row.trigger}")
    lines += [f"    {state.value} --> [*]" for state in State if state.is_final]
    return "\n".join(lines)


def lifecycle_page() -> str:
    """docs/lifecycle.md, whole."""
    return "\n".join(
        [
            "# Le cycle de vie d’un partenariat",
            "",
            "<!-- Page calculée depuis states/lifecycle.py par « make generate » : ne pas la modifier à la main. -->",
            "",
            "```mermaid",
            mermaid(),
            "```",
            "",
            "## Étapes",
            "",
            *_table([row for row in ROWS if not row.is_recording]),
            "",
            "## Faits consignés (l’état ne change pas)",
            "",
            *_table([row for row in ROWS if row.is_recording]),
            "",
            "## Règles",
            "",
            f"Toutes les étapes demandent aussi : {listed([guard.code for guard in OF_EVERY_STEP])}.",
            "",
            "| Code | Ce que la règle exige | Nouveau dossier | Dossier repris | Qui peut y remédier | Source |",
            "|---|---|---|---|---|---|",
            *(_rule(guard) for guard in GUARDS.values()),
            "",
            "## Chiffres de droit",
            "",
            "| Valeur | Ce qu’elle compte | Source |",
            "|---|---|---|",
            *(f"| {figure.value} | {figure.meaning} | {figure.source} |" for figure in FIGURES),
            "",
        ]
    )


def _table(rows: list[Step]) -> list[str]:
    return [
        "| Étape | Libellé | De | Vers | Par | Demande | Refusée si | Prévient | Délai visé |",
        "|---|---|---|---|---|---|---|---|---|",
        *(_row(row) for row in rows),
    ]


def _row(row: Step) -> str:
    cells = (
        f"`{row.trigger}`",
        row.label,
        "tout état" if row.anywhere else ", ".join(state.label for state in row.source),
        row.dest.label if row.dest else "",
        ", ".join(role.label for role in row.by),
        row.asks.__name__,
        ", ".join(guard.code for guard in row.guards),
        ", ".join(role.label for role in row.tells),
        row.within.label if row.within else "",
    )
    return f"| {' | '.join(cells)} |"


def _rule(guard: Guard) -> str:
    if guard.weigh is not None:
        new = imported = "selon la convention"
    else:
        new, imported = SEVERITIES[Severity.BLOCK], SEVERITIES[guard.imported]
    return f"| {guard.code} | {guard.summary} | {new} | {imported} | {guard.who} | {guard.source} |"


ROUNDS = (
    ("deliver", "flows.deliver.deliver", "Distribue la boîte d’envoi, chaque minute", "* * * * *"),
    ("daily", "flows.rounds.daily", "Rappelle les échéances, les jours ouvrés à 7 heures", "0 7 * * 1-5"),
    ("refresh", "flows.rounds.refresh", "Recalcule le tableau de bord et les pages, toutes les dix minutes", "*/10 * * * *"),
    ("nightly", "flows.rounds.nightly", "Vérifie chaque dossier et scelle les chaînes, chaque nuit", "30 4 * * *"),
    ("purge", "flows.rounds.purge", "Efface ce que Prefect garde depuis trop longtemps, chaque nuit", "30 3 * * *"),
)
# What events and automations start.
FOLLOWING = (
    ("checks", "flows.checks.checks", "Contrôle un dossier : chaîne, données, droit à subvention, constats", "controle"),
    ("alert", "flows.alert.alert", "Écrit aux exploitants ce qui a échoué", "alerte"),
)
DASHBOARD = "[Tableau de bord](/v2/artifacts/key/tableau-de-bord)"


class Schedule(TypedDict):
    """When a round runs."""

    cron: str
    timezone: str
    active: bool


class Deployment(TypedDict):
    """A flow that Prefect may run: an entry of prefect.yaml."""

    name: str
    entrypoint: str
    description: str
    tags: list[str]
    work_pool: dict[str, str]
    schedules: list[Schedule]


class Manifest(TypedDict):
    """The whole of prefect.yaml."""

    name: str
    pull: list[str]
    deployments: list[Deployment]


def deployments() -> Manifest:
    """prefect.yaml, as plain values: one deployment for each step, what follows a step, and the scheduled rounds."""
    manual = [
        _deployment(
            row.trigger,
            f"flows.steps.{row.trigger}",
            f"{row.label}. Par : {', '.join(role.label for role in row.by)}. {DASHBOARD}",
            _tags(row),
        )
        for row in ROWS
    ]
    following = [_deployment(name, entrypoint, f"{description}.", [tag]) for name, entrypoint, description, tag in FOLLOWING]
    rounds: list[Deployment] = [
        {
            **_deployment(name, entrypoint, f"{description}.", ["ronde"]),
            "schedules": [{"cron": cron, "timezone": "Europe/Paris", "active": True}],
        }
        for name, entrypoint, description, cron in ROUNDS
    ]
    return {"name": "jalon", "pull": [], "deployments": [*manual, *following, *rounds]}


def _deployment(name: str, entrypoint: str, description: str, tags: list[str]) -> Deployment:
    return {
        "name": name,
        "entrypoint": entrypoint,
        "description": description,
        "tags": tags,
        "work_pool": {"name": "jalon"},
        "schedules": [],
    }


def _tags(row: Step) -> list[str]:
    """Manual, who may, from where, and whether it moves money: what an operator filters by, and an automation watches."""
    roles = [role.value for role in row.by if role is not Role.CLOCK]
    states = [f"etat:{state.value}" for state in row.source] if not row.anywhere else ["etat:tous"]
    return ["manuel", *roles, *states, *(["argent"] if row.about_money else [])]
