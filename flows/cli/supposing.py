"""`jalon entitlement`: the calculation, trainee by trainee, as the facts are or as they would be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from typing import get_args

from pydantic import TypeAdapter, ValidationError

from flows.cli.screen import Page
from flows.home import Home
from flows.ports.clock import now
from flows.wording import table
from models.answers import Invalid
from models.read.as_json import entitlement_as_json
from states.convention.facts import Terms
from states.convention.requests import AmountMode, DropoutPolicy
from states.grammar.deadlines import paris_day
from states.partnership import Partnership
from states.payment.calculation import ELIGIBLE, ceiling, entitlement, in_force
from states.trainees.facts import Trainee
from states.values.fields import Day, Euros
from states.values.french import counted, day, euros

MOST = 10_000


def entitled(home: Home, reference: str, *, on: str | None = None, suppositions: Sequence[str] = ()) -> Page:
    """The breakdown in the order used, and the sum. With suppositions (« cap=22 »), nothing is written. Raises Invalid."""
    moment = _day(on) if on else paris_day(now())
    real = home.views.partnership(reference)
    supposed = real
    for text in suppositions:
        supposed = _supposed(supposed, text, moment)
    terms = in_force(supposed, moment)[-1]
    if terms.amount_mode == "capped_at_fee" and None in (terms.fee_continuing, terms.fee_initial):
        raise Invalid("Pour plafonner au tarif de l’université, il faut ses deux tarifs : ajoutez fee_continuing=... et fee_initial=...")
    due = entitlement(supposed, moment)
    lines = [f"{reference} : droit à subvention au {day(moment)}{' (supposition : rien n’est enregistré)' if suppositions else ''}", ""]
    rows = ([str(line.rank), f"n° {line.trainee}", "oui" if line.counted else "non", euros(line.unit), line.reason] for line in due.lines)
    lines += table(("Rang", "Stagiaire", "Compté", "Montant", "Pourquoi"), rows) if due.lines else ["Aucun stagiaire retenu."]
    eligible = counted(sum(line.status in ELIGIBLE for line in due.lines), "éligible", "éligibles")
    lines += ["", f"{euros(due.amount)} : {counted(due.subsidised, 'stagiaire subventionné', 'stagiaires subventionnés')} sur {eligible}"]
    lines[-1] += f", plafond {euros(ceiling(supposed, moment))}."
    answer = entitlement_as_json(due)
    if suppositions:
        now_due = entitlement(real, moment)
        lines.append(f"Avec les faits du dossier : {euros(now_due.amount)}.")
        answer |= {"supposed": list(suppositions), "without_supposition": entitlement_as_json(now_due)["amount"]}
    return Page(lines, answer)


def _supposed(partnership: Partnership, text: str, on: date) -> Partnership:
    name, equals, value = text.partition("=")
    change = SUPPOSITIONS.get(name.strip())
    if not equals or change is None:
        raise Invalid(
            f"« {text[:60]} » n’est pas une supposition ; écrivez par exemple cap=22. Noms possibles : {', '.join(SUPPOSITIONS)}."
        )
    return change(partnership, value.strip(), on)


def _terms(name: str, read: Callable[[str], object]) -> Callable[[Partnership, str, date], Partnership]:
    """Every version of the terms in force with another value."""

    def change(partnership: Partnership, value: str, on: date) -> Partnership:
        supposed: Callable[..., Terms] = Terms._replace
        versions = tuple(supposed(terms, **{name: read(value)}) for terms in in_force(partnership, on))
        return partnership._replace(terms=versions)

    return change


def _trainees(partnership: Partnership, value: str, on: date) -> Partnership:
    """So many trainees in all, or (« +3 ») so many more: residents of the department, after all the others by rank."""
    terms, trainees = partnership.terms_in_force, partnership.trainees
    more = _whole(value.removeprefix("+")) - (0 if value.startswith("+") else len(trainees))
    if more < 0:
        there = counted(len(trainees), "stagiaire", "stagiaires")
        raise Invalid(f"Le dossier a déjà {there} : trainees={_whole(value)} en suppose moins ; trainees=+{_whole(value)} en ajoute.")
    number = max((trainee.number for trainee in trainees), default=0)
    rank = max((trainee.rank for trainee in trainees), default=0)
    insee = f"{terms.department}999"[:5]
    blank = Trainee(0, 0, "continuing", insee, insee, on, on, "", "other", *(None,) * 6, "")
    extra = (blank._replace(number=number + one, rank=rank + one) for one in range(1, more + 1))
    return partnership._replace(trainees=(*trainees, *extra))


def _whole(value: str) -> int:
    if not value.isascii() or not value.isdigit() or not 0 <= int(value) <= MOST:
        raise Invalid(f"« {value[:20]} » : un nombre entier entre 0 et {MOST} est attendu.")
    return int(value)


def _cap(value: str) -> int:
    if _whole(value) == 0:
        raise Invalid("Le nombre maximal de stagiaires est au moins 1.")
    return _whole(value)


def _euros(value: str) -> Decimal:
    try:
        return TypeAdapter(Euros).validate_python(value)
    except ValidationError:
        raise Invalid(f"« {value[:20]} » n’est pas un montant en euros.") from None


def _day(value: str) -> date:
    try:
        return TypeAdapter(Day).validate_python(value)
    except ValidationError as fault:
        said = fault.errors()[0]["msg"]
        raise Invalid(f"{said[0].upper()}{said[1:]}.") from None


def _one_of(*values: str) -> Callable[[str], str]:
    def read(value: str) -> str:
        if value not in values:
            raise Invalid(f"« {value[:20]} » : valeurs possibles : {', '.join(values)}.")
        return value

    return read


SUPPOSITIONS: dict[str, Callable[[Partnership, str, date], Partnership]] = {
    "trainees": _trainees,
    "cap": _terms("cap", _cap),
    "rate": _terms("rate", _euros),
    "amount_mode": _terms("amount_mode", _one_of(*get_args(AmountMode))),
    "dropout_policy": _terms("dropout_policy", _one_of(*get_args(DropoutPolicy))),
    "fee_continuing": _terms("fee_continuing", _euros),
    "fee_initial": _terms("fee_initial", _euros),
}
