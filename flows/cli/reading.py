"""The commands that only read: show, why, list."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from flows.cli.screen import Page
from flows.home import Home
from flows.ports.clock import now
from flows.wording import (
    INVOICES,
    OUTCOMES,
    STATUSES,
    actor_label,
    delegation,
    is_proven,
    short_day,
    state_label,
    table,
    undoing_label,
    wall_time,
)
from models.answers import Invalid
from models.read.dossier import Dossier
from models.read.history import HistoryLine
from states.grammar.case import Actor
from states.grammar.deadlines import paris_day
from states.invoices.facts import Invoice
from states.journal.entry import Entry
from states.partnership import Partnership
from states.payment.facts import PayeeChange, Settlement
from states.values.french import counted, day, euros
from states.vocabulary import Role

LISTED_AT_MOST, ASKED_AT_MOST = 100, 10_000  # dossiers in a list, and those that somebody may ask for at once


def _findings(dossier: Dossier) -> list[str]:
    """What stands, since when and by which law; then what stood once."""
    lines = ["", "Constats"] if dossier.findings else []
    lines += [
        f"  - {finding.reason} ({finding.code}, depuis le {wall_time(finding.opened_at)[:10]} ; source : {finding.source})"
        for finding in dossier.findings
    ]
    lines += ["", "Constats levés"] if dossier.resolved else []
    for finding in dossier.resolved:
        first, last = wall_time(finding.opened_at)[:10], wall_time(finding.resolved_at or finding.opened_at)[:10]
        lines.append(f"  - {finding.reason} ({finding.code}, du {first} au {last})")
    return lines


def show(home: Home, reference: str) -> Page:
    """A dossier whole."""
    dossier = home.views.dossier(reference, on=paris_day(now()))
    partnership, terms, due = dossier.partnership, dossier.terms, dossier.due
    conditions = f"{euros(terms.rate)} par stagiaire, {terms.cap} au plus, résidant dans le {terms.department}"
    eligible = counted(due.eligible, "éligible", "éligibles")
    of_them = f"{counted(due.subsidised, 'stagiaire subventionné', 'stagiaires subventionnés')} sur {eligible}"
    lines = [
        f"{reference} : « {partnership.state.label} » (version {partnership.version})",
        f"  Parties : {partnership.centre.name} et {partnership.university.name} ; à payer à {' '.join(filter(None, partnership.payee))}",
        f"  Conditions : {conditions}, année {terms.academic_year}",
        f"  Droit à subvention : {euros(due.amount)} ({of_them})",
        *_findings(dossier),
    ]
    if len(partnership.terms) > 1:
        from flows.cli.deliberations import amendments  # pydantic: only for who reads of an amendment

        lines += amendments(partnership)
    lines += money(partnership)
    if due.lines:
        statuses = ([str(line.trainee), STATUSES[line.status], line.reason] for line in due.lines)
        lines += ["", *table(("N°", "Statut", "Pourquoi"), statuses)]
    return Page([*lines, "", *timeline(dossier.history)], dossier.as_json())


def trainees(home: Home, reference: str) -> Page:
    """Who the trainees are and where they live: for the officer who looks after them."""
    from flows.ports.communes import find  # 35,000 communes: only here

    people = home.views.people(reference)
    rows = []
    for person in people:
        trainee = person.trainee
        name = f"{person.family_name} {person.given_name}" if person.family_name else "(nom effacé)"
        commune = next((found.name for found in find(trainee.insee)), "?")
        seen = f"vérifiée le {short_day(trainee.verified_on.isoformat())}" if trainee.verified_on else "à vérifier"
        rows.append([str(trainee.number), str(trainee.rank), name, f"{commune} ({trainee.insee})", seen])
    lines = table(("N°", "Rang", "Nom", "Commune", "Résidence"), rows) if rows else ["Aucun stagiaire retenu."]
    return Page(lines, {"trainees": [person.as_json() for person in people]})


def money(partnership: Partnership) -> list[str]:
    """The invoices and how far the money has come, one line each."""
    lines = []
    for invoice in partnership.invoices:
        status = _invoice_status(partnership, invoice)
        lines.append(f"  Facture {invoice.invoice_number} du {day(invoice.issued_on)} : {euros(invoice.amount)} ({status})")
    for settlement in partnership.settlements:
        lines += _settled(settlement)
    for recovery in partnership.recoveries:
        back = f"rentré le {day(recovery.recovered_on)}" if recovery.recovered_on else "pas encore rentré"
        lines.append(
            f"  À récupérer : {euros(recovery.amount)} pour le stagiaire n° {recovery.trainee} (titre {recovery.order_number}), {back}"
        )
    lines += [
        f"  Autre compte proposé le {day(change.proposed_on)} par {change.proposed_by} : {change.iban}, {_outcome_of(change)}"
        for change in partnership.payee_changes
    ]
    return ["", "Facture et paiement", *lines] if lines else []


def _settled(settlement: Settlement) -> Iterator[str]:
    yield f"  Liquidé : {euros(settlement.settled)} le {day(settlement.certified_on)}, par {settlement.certified_by}"
    if settlement.ordered is not None and settlement.ordered_on is not None:
        papers = f"mandat {settlement.order_number}, bordereau {settlement.slip_number}, exercice {settlement.fiscal_year}"
        yield f"  Mandaté : {euros(settlement.ordered)} le {day(settlement.ordered_on)}, par {settlement.ordered_by} ({papers})"
    if settlement.paid is not None and settlement.paid_on is not None:
        paper = f"référence {settlement.accounting_reference}"
        yield f"  Payé : {euros(settlement.paid)} le {day(settlement.paid_on)}, par {settlement.paid_by} ({paper})"


def _invoice_status(partnership: Partnership, invoice: Invoice) -> str:
    settled = next((settlement for settlement in partnership.settlements if settlement.invoice == invoice.number), None)
    return "payée" if settled is not None and settled.paid is not None else INVOICES[invoice.status]


def _outcome_of(change: PayeeChange) -> str:
    if change.confirmed_on is not None:
        return f"confirmé le {day(change.confirmed_on)} par {change.confirmed_by}"
    return "écarté" if change.rejected_on is not None else "en attente"


def timeline(history: list[HistoryLine]) -> list[str]:
    """The journal of a dossier, one line for each attempt."""
    return table(
        ("N°", "Date", "Saisi le", "Étape", "État", "Par", "Résultat"),
        (
            [
                str(line.entry.n),
                short_day(line.entry.effective_on),
                wall_time(line.entry.recorded_at),
                line.entry.label,
                state_label(line.entry.dest),
                _actor(line.entry),
                _outcome(line),
            ]
            for line in history
        ),
    )


def _outcome(line: HistoryLine) -> str:
    """« fait », « refusé : DUPLICATE », « fait : pièce manquante », « fait : annulé par l’entrée 9 »."""
    late = f"saisi {counted(line.days_late, 'jour', 'jours')} après" if line.days_late else ""
    why_so = " ; ".join(filter(None, (undoing_label(line), ", ".join(line.codes) or line.motive, late)))
    return f"{OUTCOMES[line.entry.outcome]}{f' : {why_so}' if why_so else ''}"


def _actor(entry: Entry) -> str:
    """Who did it in which role; of somebody whose attempt came to nothing, and who has several, none decided."""
    return f"{entry.actor}{delegation(entry)}" if "," in entry.role and is_proven(entry) else actor_label(entry)


def _waiting(home: Home, actor: Actor | None, partnership: Partnership) -> list[str]:
    """From when the roles of a person serve where money moves, those that were given lately."""
    from states.dossier.proof import first_day
    from states.lifecycle import MONEY_ROLES

    if actor is None or not actor.since:
        return []
    days = {role: first_day(since, partnership, home.settings.waits) for role, since in actor.since if role in MONEY_ROLES}
    late = {role: first for role, first in days.items() if first > paris_day(now())}
    return [f"  Le rôle {role.label} de {actor.name} sert pour l’argent à partir du {day(first)}." for role, first in late.items()]


def why(home: Home, reference: str, trigger: str | None = None, person: str | None = None) -> Page:
    """What may come next and what is missing for it; with a person, what is missing for that person."""
    actor = home.register.actor(person) if person else None
    found = home.views.why(reference, at=now(), trigger=trigger, actor=actor)
    lines = [f"{reference} est « {found.partnership.state.label} ».", *_waiting(home, actor, found.partnership)]
    if found.due.lines:
        lines.append(f"Droit à subvention : {euros(found.due.amount)} ; détail : jalon entitlement {reference}.")
        lines += [f"  Stagiaire n° {line.trainee}, non compté : {line.reason}." for line in found.due.lines if not line.counted]
    if not found.steps:
        lines.append("  Rien ne reste à faire.")
    recordings = [step for step in found.steps if step.step.is_recording and trigger is None]
    for step, due_on, unmet in [step for step in found.steps if step not in recordings]:
        by = ", ".join(role.label for role in step.by if role is not Role.CLOCK)
        lines += ["", f"{step.label} ({step.trigger}) : {by or 'horloge'}{_expected(due_on)}"]
        lines += [f"  - {miss.reason} ({miss.code} ; peut y remédier : {miss.who} ; source : {miss.source})" for miss in unmet]
        if not unmet:
            lines.append("  Rien ne manque au dossier ; la demande elle-même sera jugée.")
    possible = [step.trigger for step, _, unmet in recordings if not unmet and not step.of_the_house]
    if possible:
        lines += ["", f"Peuvent aussi être consignés, sans changer l’état : {', '.join(possible)}."]
    return Page(lines, found.as_json())


def _expected(due_on: date | None) -> str:
    """« , attendu le 30/11/2025 (dépassé de 12 jours) »: a target of the house, not a legal deadline."""
    if due_on is None:
        return ""
    late = (paris_day(now()) - due_on).days
    passed = f" (dépassé de {counted(late, 'jour', 'jours')})" if late > 0 else ""
    return f", attendu le {short_day(due_on.isoformat())}{passed}"


def list_(home: Home, *, after: str = "", most: int | None = None, as_json: bool = False) -> Page:
    """At most so many dossiers after a reference; what is left, and how to see it. Raises Invalid.

    A person who does not say how many is shown the first; a program is given all, as a list. One that says how many is told beside
    the list what is left.
    """
    if most is not None and not 1 <= most <= ASKED_AT_MOST:
        raise Invalid(f"--most : un nombre entre 1 et {ASKED_AT_MOST}.")
    if as_json and most is None:
        return Page([], [line._asdict() for part in home.views.all_dossiers(after=after) for line in part.dossiers])
    found = home.views.dossiers(most or LISTED_AT_MOST, after=after)
    rows = ([line.reference, state_label(line.state), short_day(line.since) if line.since else ""] for line in found.dossiers)
    lines = (
        list(table(("Référence", "État", "Depuis le"), rows)) if found.dossiers else [f"Aucun dossier{f' après {after}' if after else ''}."]
    )
    if found.left:
        left = counted(found.left, "autre dossier", "autres dossiers")
        command = f"jalon list --after {found.dossiers[-1].reference}{f' --most {most}' if most is not None else ''}"
        lines += ["", f"Et {'plus de ' if found.at_least else ''}{left}, sur {found.in_all} en tout ; la suite : {command}"]
    return Page(lines, [line._asdict() for line in found.dossiers], beside=f"{lines[-1]} --json" if found.left else "")
