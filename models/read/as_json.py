"""What programs read, as JSON values: euros as text with two decimals, dates as ISO text."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from states.board.facts import Act
from states.convention.facts import Terms
from states.grammar.guard import Reason
from states.partnership import Fact
from states.payment.calculation import Entitlement
from states.values.plain import Json


def terms_as_json(terms: Terms) -> dict[str, Json]:
    """The terms, without the number of their version."""
    return {name: value for name, value in fact_as_json(terms).items() if name != "number"}


def entitlement_as_json(due: Entitlement) -> dict[str, Json]:
    """The calculation: `eligible, subsidised, amount, lines[{trainee, rank, counted, status, reason, unit}]`."""
    lines: list[Json] = [
        {
            "trainee": line.trainee,
            "rank": line.rank,
            "counted": line.counted,
            "status": line.status,
            "reason": line.reason,
            "unit": format(line.unit, ".2f"),
        }
        for line in due.lines
    ]
    return {**sum_as_json(due), "lines": lines}


def sum_as_json(due: Entitlement) -> dict[str, Json]:
    """How many are eligible and subsidised, and the sum."""
    return {"eligible": due.eligible, "subsidised": due.subsidised, "amount": format(due.amount, ".2f")}


def fact_as_json(fact: Fact) -> dict[str, Json]:
    """A fact; an act with the day from which it can be carried out."""
    fields = {name: _plain(value) for name, value in fact._asdict().items()}
    return {**fields, "executory_on": _plain(fact.executory_on)} if isinstance(fact, Act) else fields


def _plain(value: Decimal | date | Json) -> Json:
    if isinstance(value, Decimal):
        return format(value, ".2f")
    return value.isoformat() if isinstance(value, date) else value


def reason_as_json(reason: Reason) -> dict[str, Json]:
    """A reason; how much it weighs is said by where it stands."""
    return {"code": reason.code, "reason": reason.reason, "who": reason.who, "source": reason.source}
