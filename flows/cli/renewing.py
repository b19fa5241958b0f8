"""`jalon renew`: next year's dossier, from this one's parties and terms."""

from __future__ import annotations

import re
from datetime import date

from models.answers import Invalid
from models.read.as_json import terms_as_json
from states.convention.facts import Terms
from states.partnership import Partnership
from states.values.plain import Json

KEPT = (
    *("rate", "cap", "department", "amount_mode", "dropout_policy", "quorum_rule", "quorum_verified", "proxies_count"),
    *("result_policy", "payee_cooling_days", "nature", "payment_days"),
)


def renewed(partnership: Partnership, reference: str | None = None) -> dict[str, Json]:
    """The dossier file of the next academic year, to be opened as a new dossier. Raises Invalid when it needs a reference."""
    terms, centre, university = partnership.terms_in_force, partnership.centre, partnership.university
    fields = terms_as_json(terms)
    holder, iban = partnership.payee
    return {
        "reference": reference or next_reference(partnership.reference, terms),
        "imported": False,
        "parties": {
            "cdg": {"name": centre.name, "siret": centre.siret, "department": centre.department, "calendar": centre.calendar},
            "university": {"name": university.name, "siret": university.siret, "payee": {"holder": holder, "iban": iban}},
        },
        "terms": {
            **{name: fields[name] for name in KEPT},
            "academic_year": _later(terms.academic_year),
            "year_starts_on": _a_year_later(terms.year_starts_on).isoformat(),
            "year_ends_on": _a_year_later(terms.year_ends_on).isoformat(),
            "fees": {"continuing": fields["fee_continuing"], "initial": fields["fee_initial"]},
        },
    }


def next_reference(reference: str, terms: Terms) -> str:
    """« ...-2025 » becomes « ...-2026 »: the first year of the academic year, where the reference ends with it."""
    first = terms.academic_year[:4]
    if not reference.endswith(first):
        raise Invalid(f"La référence {reference} ne finit pas par {first} : donnez celle du nouveau dossier avec --new-reference.")
    return f"{reference.removesuffix(first)}{int(first) + 1}"


def _later(academic_year: str) -> str:
    return re.sub(r"[0-9]{4}", lambda year: str(int(year[0]) + 1), academic_year)


def _a_year_later(day: date) -> date:
    return day.replace(year=day.year + 1, day=min(day.day, 28) if day.month == 2 else day.day)
