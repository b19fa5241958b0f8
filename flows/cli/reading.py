"""The commands that only read: show, why, list, verify."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from flows.cli.screen import REFUSED, Page
from flows.home import Home
from flows.ports.clock import now
from flows.wording import INVOICES, OUTCOMES, STATUSES, role_label, short_day, state_label, table, wall_time
from models.answers import Invalid
from models.read.views import days_late
from states.grammar.deadlines import paris_day
from states.invoices.facts import Invoice
from states.journal.standing import undone
from states.partnership import Partnership
from states.payment.facts import PayeeChange
from states.values.french import counted, day, euros

if TYPE_CHECKING:
    from models.verify.proof import Verification

LISTED_AT_MOST, ASKED_AT_MOST = 100, 10_000  # dossiers in a list, and those that somebody may ask for at once


def _findings(told: dict[str, Any]) -> list[str]:
    """What stands, since when and by which law; then what stood once."""
    lines = ["", "Constats"] if told["findings"] else []
    lines += [
        f"  - {one['reason']} ({one['code']}, depuis le {wall_time(one['opened_at'])[:10]} ; source : {one['source']})"
        for one in told["findings"]
    ]
    gone = [(one, wall_time(one["opened_at"])[:10], wall_time(one["resolved_at"])[:10]) for one in told["resolved_findings"]]
    lines += ["", "Constats levés"] if gone else []
    return [*lines, *(f"  - {one['reason']} ({one['code']}, du {first} au {last})" for one, first, last in gone)]


def show(home: Home, reference: str) -> Page:
    """A dossier whole."""
    told, partnership, history = home.views.page(reference, on=paris_day(now()))
    terms, due = told["terms"], told["entitlement"]
    conditions = f"{euros(Decimal(terms['rate']))} par stagiaire, {terms['cap']} au plus, résidant dans le {terms['department']}"
    eligible = counted(due["eligible"], "éligible", "éligibles")
    of_them = f"{counted(due['subsidised'], 'stagiaire subventionné', 'stagiaires subventionnés')} sur {eligible}"
    lines = [
        f"{reference} : « {state_label(told['state'])} » (version {told['version']})",
        f"  Conditions : {conditions}, année {terms['academic_year']}",
        f"  Droit à subvention : {euros(Decimal(due['amount']))} ({of_them})",
    ]
    lines[1:1] = [
        f"  Parties : {partnership.centre.name} et {partnership.university.name} ; à payer à {' '.join(filter(None, partnership.payee))}"
    ]
    lines += _findings(told)
    if len(partnership.terms) > 1:
        from flows.cli.deliberations import amendments  # pydantic: only for who reads of an amendment

        lines += amendments(partnership)
    lines += money(partnership)
    if told["trainees"]:
        statuses = ([str(one["number"]), STATUSES[one["status"]], one["reason"]] for one in told["trainees"])
        lines += ["", *table(("N°", "Statut", "Pourquoi"), statuses)]
    return Page([*lines, "", *timeline(history)], told)


def trainees(home: Home, reference: str) -> Page:
    """Who the trainees are and where they live: for the officer who looks after them."""
    from flows.ports.communes import find  # 35,000 communes: only here

    told = home.views.people(reference)
    rows = []
    for one in told:
        commune = next((place.name for place in find(one["insee"])), "?")
        seen = f"vérifiée le {short_day(one['verified_on'])}" if one["verified_on"] else "à vérifier"
        name = f"{one['family_name']} {one['given_name']}" if one["family_name"] else "(nom effacé)"
        rows.append([str(one["number"]), str(one["rank"]), name, f"{commune} ({one['insee']})", seen])
    return Page(table(("N°", "Rang", "Nom", "Commune", "Résidence"), rows) if rows else ["Aucun stagiaire retenu."], {"trainees": told})


def money(partnership: Partnership) -> list[str]:
    """The invoices and how far the money has come, one line each."""
    lines = [
        f"  Facture {one.invoice_number} du {day(one.issued_on)} : {euros(one.amount)} ({_invoice_status(partnership, one)})"
        for one in partnership.invoices
    ]
    for one in partnership.settlements:
        lines.append(f"  Liquidé : {euros(one.settled)} le {day(one.certified_on)}, par {one.certified_by}")
        if one.ordered is not None and one.ordered_on is not None:
            papers = f"mandat {one.order_number}, bordereau {one.slip_number}, exercice {one.fiscal_year}"
            lines.append(f"  Mandaté : {euros(one.ordered)} le {day(one.ordered_on)}, par {one.ordered_by} ({papers})")
        if one.paid is not None and one.paid_on is not None:
            lines.append(f"  Payé : {euros(one.paid)} le {day(one.paid_on)}, par {one.paid_by} (référence {one.accounting_reference})")
    for recovery in partnership.recoveries:
        back = f"rentré le {day(recovery.recovered_on)}" if recovery.recovered_on else "pas encore rentré"
        lines.append(
            f"  À récupérer : {euros(recovery.amount)} pour le stagiaire n° {recovery.trainee} (titre {recovery.order_number}), {back}"
        )
    lines += [
        f"  Autre compte proposé le {day(one.proposed_on)} par {one.proposed_by} : {one.iban}, {_outcome_of(one)}"
        for one in partnership.payee_changes
    ]
    return ["", "Facture et paiement", *lines] if lines else []


def _invoice_status(partnership: Partnership, invoice: Invoice) -> str:
    settled = next((one for one in partnership.settlements if one.invoice == invoice.number), None)
    return "payée" if settled is not None and settled.paid is not None else INVOICES[invoice.status]


def _outcome_of(change: PayeeChange) -> str:
    if change.confirmed_on is not None:
        return f"confirmé le {day(change.confirmed_on)} par {change.confirmed_by}"
    return "écarté" if change.rejected_on is not None else "en attente"


def timeline(history: list[dict[str, Any]]) -> list[str]:
    """The journal of a dossier, one line for each attempt."""
    gone = undone(history)
    return table(
        ("N°", "Date", "Saisi le", "Étape", "État", "Par", "Résultat"),
        (
            [
                str(one["n"]),
                short_day(one["effective_on"]),
                wall_time(one["recorded_at"]),
                one["label"],
                state_label(one["to"]),
                actor_label(one),
                _outcome(one, gone.get(one["n"])),
            ]
            for one in history
        ),
    )


def actor_label(told: dict[str, Any]) -> str:
    """« Claude Girard (comptable public) », with the name of who has delegated the role."""
    role = f" ({role_label(told['role'])})" if "," not in told["role"] else ""
    lent = f", par délégation de {told['on_behalf_of']}" if told.get("on_behalf_of") else ""
    return f"{told['actor']}{role}{lent}"


def _outcome(told: dict[str, Any], undoing: dict[str, Any] | None) -> str:
    """« fait », « refusé : DUPLICATE », « fait : pièce manquante », « fait : annulé par l’entrée 9 »."""
    codes = [reason["code"] for reason in told["reasons"]] if told["outcome"] == "refused" else []
    motive = str(told["request"].get("motive") or "")
    late = days_late(told)
    back = f"annulé par l’entrée {undoing['n']}" if undoing else ""
    notes = [back, ", ".join(codes) or motive.replace("\n", " "), f"saisi {counted(late, 'jour', 'jours')} après" if late else ""]
    why_so = " ; ".join(note for note in notes if note)
    return f"{OUTCOMES[told['outcome']]} : {why_so}" if why_so else OUTCOMES[told["outcome"]]


def why(home: Home, reference: str, trigger: str | None = None, person: str | None = None) -> Page:
    """What may come next and what is missing for it; with a person, what is missing for that person."""
    from states.lifecycle import STEPS  # the forms: not for `show`

    actor = home.register.actor(person) if person else None
    told = home.views.why(reference, at=now(), trigger=trigger, actor=actor)
    lines = [f"{reference} est « {state_label(told['state'])} »."]
    if told["entitlement"]["lines"]:
        due, lines_of = told["entitlement"], told["entitlement"]["lines"]
        lines.append(f"Droit à subvention : {euros(Decimal(due['amount']))} ; détail : jalon entitlement {reference}.")
        lines += [f"  Stagiaire n° {one['trainee']}, non compté : {one['reason']}." for one in lines_of if not one["counted"]]
    if not told["next"]:
        lines.append("  Rien ne reste à faire.")
    recordings = [step for step in told["next"] if STEPS[step["trigger"]].is_recording and trigger is None]
    for step in told["next"]:
        if step in recordings:
            continue
        by = ", ".join(role_label(role) for role in step["by"] if role != "clock")
        lines += ["", f"{step['label']} ({step['trigger']}) : {by or 'horloge'}{_expected(step['due_on'])}"]
        lines += [
            f"  - {one['reason']} ({one['code']} ; peut y remédier : {one['who']} ; source : {one['source']})" for one in step["unmet"]
        ]
        if not step["unmet"]:
            lines.append("  Rien ne manque au dossier ; la demande elle-même sera jugée.")
    possible = [step["trigger"] for step in recordings if not step["unmet"] and not STEPS[step["trigger"]].of_the_house]
    if possible:
        lines += ["", f"Peuvent aussi être consignés, sans changer l’état : {', '.join(possible)}."]
    return Page(lines, told)


def _expected(due_on: str | None) -> str:
    """« , attendu le 30/11/2025 (dépassé de 12 jours) »: a target of the house, not a legal deadline."""
    if due_on is None:
        return ""
    late = (paris_day(now()) - date.fromisoformat(due_on)).days
    passed = f" (dépassé de {counted(late, 'jour', 'jours')})" if late > 0 else ""
    return f", attendu le {short_day(due_on)}{passed}"


def list_(home: Home, *, after: str = "", most: int | None = None, as_json: bool = False) -> Page:
    """At most so many dossiers after a reference; what is left, and how to see it. Raises Invalid.

    A person who does not say how many is shown the first; a program is given all, as a list.
    """
    if most is not None and not 1 <= most <= ASKED_AT_MOST:
        raise Invalid(f"--most : un nombre entre 1 et {ASKED_AT_MOST}.")
    if as_json and most is None:
        return Page([], [dossier for part in home.views.all_dossiers(after=after) for dossier in part.dossiers])
    found = home.views.dossiers(most or LISTED_AT_MOST, after=after)
    rows = ([one["reference"], state_label(one["state"]), short_day(one["since"]) if one["since"] else ""] for one in found.dossiers)
    lines = (
        list(table(("Référence", "État", "Depuis le"), rows)) if found.dossiers else [f"Aucun dossier{f' après {after}' if after else ''}."]
    )
    if found.left:
        left = counted(found.left, "autre dossier", "autres dossiers")
        command = f"jalon list --after {found.dossiers[-1]['reference']}{f' --most {most}' if most is not None else ''}"
        lines += ["", f"Et {'plus de ' if found.at_least else ''}{left}, sur {found.in_all} en tout ; la suite : {command}"]
    return Page(lines, found.dossiers)


def witnessed(home: Home, reference: str, head: str, *, law: bool = False) -> Page:
    """Whether the journal still has the entry whose digest a letter carries: what that letter proves."""
    proof = verify(home, reference, law=law)
    entry = next((one for one in home.views.history(reference) if one["digest"] == head.strip().lower()), None)
    if entry is None:
        line = "Cette empreinte n’est celle d’aucune entrée du journal : il a été réécrit depuis, ou l’empreinte est mal recopiée."
        return Page([line, *proof.lines], {**proof.told, "witness": None}, REFUSED)
    told = {name: entry[name] for name in ("n", "label", "actor", "recorded_at")}
    line = (
        f"Cette empreinte est celle de l’entrée {entry['n']} : {entry['label']}, par {entry['actor']}, {wall_time(entry['recorded_at'])}."
    )
    return Page([line, *proof.lines], {**proof.told, "witness": told}, proof.code)


def verify(home: Home, reference: str | None = None, *, law: bool = False) -> Page:
    """The proof of one dossier, or of all: the chain, and the facts that it adds up to; with `law`, every decision made again."""
    lines, found, code = [], [], 0
    for one in [reference] if reference else home.verifier.references():
        proof, entries = home.verifier.proved(one)
        told: dict[str, Any] = {"reference": one, "entries": proof.entries, "head": proof.head, "faults": list(proof.faults)}
        lines += _proved(proof)
        if law and not proof.faults:
            again = _again(one, entries)
            told["law"], code = again.told, max(code, again.code)
            lines += again.lines
        code = REFUSED if proof.faults else code
        found.append(told)
    return Page(lines or ["Aucun dossier à vérifier."], found[0] if reference else found, code)


def _proved(proof: Verification) -> list[str]:
    if proof.faults:
        return [f"{proof.reference} : LE JOURNAL NE TIENT PAS : prévenez l’exploitant.", *(f"  - {fault}" for fault in proof.faults)]
    return [f"{proof.reference} : tout se tient ({counted(proof.entries, 'entrée vérifiée', 'entrées vérifiées')}, tête {proof.head})."]


def _again(reference: str, entries: list[dict[str, Any]]) -> Page:
    """What comes of deciding every entry again: another question than whether the journal holds."""
    from models.verify.redeciding import redecided  # the rules and the forms

    found = redecided(reference, entries)
    lines = [f"  {counted(found.again, 'entrée décidée à nouveau', 'entrées décidées à nouveau')} sous la loi de leur numéro : "]
    lines[0] += "rien ne sort autrement." if not found.anomalies else f"{counted(len(found.anomalies), 'anomalie', 'anomalies')}."
    lines += [f"  - {one.sentence}" for one in found.anomalies]
    lines += [
        f"  {counted(many, 'entrée n’a pas été décidée', 'entrées n’ont pas été décidées')} à nouveau : {why}." for why, many in found.left
    ]
    told = {
        "decided_again": found.again,
        "anomalies": [one._asdict() for one in found.anomalies],
        "not_decided_again": [{"reason": why, "entries": many} for why, many in found.left],
    }
    return Page(lines, told, REFUSED if found.anomalies else 0)
