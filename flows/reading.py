"""The commands that only read: show, why, list, verify."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from flows.home import Home
from flows.screen import REFUSED, Page, role_label, short_day, state_label, table, wall_time
from states.french import euros

OUTCOMES = {"done": "fait", "refused": "refusé", "conflict": "trop tard"}


def show(home: Home, reference: str) -> Page:
    """A dossier whole."""
    told = home.views.show(reference)
    terms, due = told["terms"], told["entitlement"]
    conditions = f"{euros(Decimal(terms['rate']))} par stagiaire, {terms['cap']} au plus, résidant dans le {terms['department']}"
    counted = f"{due['subsidised']} stagiaires subventionnés sur {due['eligible']} éligibles"
    lines = [
        f"{reference} : « {state_label(told['state'])} » (version {told['version']})",
        f"  Conditions : {conditions}, année {terms['academic_year']}",
        f"  Droit à subvention : {euros(Decimal(due['amount']))} ({counted})",
    ]
    if told["findings"]:
        lines += ["", "Constats"]
        lines += [f"  - {one['reason']} ({one['code']})" for one in told["findings"]]
    if told["trainees"]:
        lines += [
            "",
            *table(("N°", "Statut", "Pourquoi"), ([str(one["number"]), one["status"], one["reason"]] for one in told["trainees"])),
        ]
    return Page([*lines, "", *timeline(told["history"])], told)


def timeline(history: list[dict[str, Any]]) -> list[str]:
    """The journal of a dossier, one line for each attempt."""
    return table(
        ("Entrée", "Date", "Saisi le", "Étape", "Résultat", "État", "Par"),
        (
            [
                str(one["n"]),
                short_day(one["effective_on"]),
                wall_time(one["recorded_at"]),
                one["trigger"],
                OUTCOMES[one["outcome"]],
                state_label(one["to"]),
                f"{one['actor']} ({role_label(one['role'])})" if "," not in one["role"] else one["actor"],
            ]
            for one in history
        ),
    )


def why(home: Home, reference: str, trigger: str | None = None, person: str | None = None) -> Page:
    """What may come next and what is missing for it; with a person, what is missing for that person."""
    from flows.ports.clock import now

    actor = home.register.actor(person) if person else None
    told = home.views.why(reference, at=now(), trigger=trigger, actor=actor)
    lines = [f"{reference} est « {state_label(told['state'])} »."]
    if not told["next"]:
        lines.append("  Rien ne reste à faire.")
    for step in told["next"]:
        by = ", ".join(role_label(role) for role in step["by"] if role != "clock")
        due = f", au plus tard le {short_day(step['due_on'])}" if step["due_on"] else ""
        lines += ["", f"{step['label']} ({step['trigger']}) : {by or 'horloge'}{due}"]
        lines += [f"  - {one['reason']} ({one['code']} ; peut y remédier : {one['who']})" for one in step["unmet"]]
        if not step["unmet"]:
            lines.append("  Rien ne manque au dossier ; la demande elle-même sera jugée quand elle sera faite.")
    return Page(lines, told)


def list_(home: Home) -> Page:
    """Every dossier."""
    told = home.views.dossiers()
    if not told:
        return Page(["Aucun dossier."], told)
    rows = ([one["reference"], state_label(one["state"]), short_day(one["since"]) if one["since"] else ""] for one in told)
    return Page(table(("Référence", "État", "Depuis le"), rows), told)


def verify(home: Home, reference: str | None = None) -> Page:
    """The proof: chain, walk, row and facts of one dossier, or of all."""
    found = (home.verifier.verify(reference),) if reference else home.verifier.verify_all()
    lines = []
    for one in found:
        if one.faults:
            lines += [f"{one.reference} : LE JOURNAL NE TIENT PAS.", *(f"  - {fault}" for fault in one.faults)]
        else:
            lines.append(f"{one.reference} : {one.entries} entrées vérifiées, tête {one.head}.")
    told = [{"reference": one.reference, "entries": one.entries, "head": one.head, "faults": list(one.faults)} for one in found]
    code = REFUSED if any(one.faults for one in found) else 0
    return Page(lines or ["Aucun dossier à vérifier."], told[0] if reference else told, code)
