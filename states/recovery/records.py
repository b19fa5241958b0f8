"""What a recovery writes into the dossier."""

from __future__ import annotations

from states.grammar.case import Case
from states.partnership import Partnership, last_number
from states.payment.calculation import open_recoveries, overpaid, without
from states.payment.records import _name
from states.recovery.facts import Recovery
from states.values.french import euros


def recovery_ordered(case: Case) -> Partnership:
    """The trainee counts no more; what was paid too much is the sum to give back."""
    request, recoveries = case.request, case.partnership.recoveries
    order = Recovery(
        number=last_number(recoveries) + 1,
        trainee=request.trainee,
        amount=overpaid(without(case.partnership, request.trainee, case.effective_on)),
        motive=request.motive,
        order_number=request.order_number,
        ordered_on=case.effective_on,
        ordered_by=_name(case),
        ordered_for=case.on_behalf_of,
        **dict.fromkeys(Recovery._fields[Recovery._fields.index("recovered_on") :]),
    )
    excluded = without(case.partnership, request.trainee, case.effective_on)
    return excluded._replace(recoveries=(*recoveries, order))


def recovery_recorded(case: Case) -> Partnership:
    request, open_ones = case.request, open_recoveries(case.partnership)
    number = request.recovery or open_ones[0].number
    back = {"recovered_on": request.recovered_on, "recovered_by": _name(case), "accounting_reference": request.accounting_reference}
    found = tuple(recovery._replace(**back) if recovery.number == number else recovery for recovery in case.partnership.recoveries)
    return case.partnership._replace(recoveries=found)


def sum_to_recover(_before: Partnership, after: Partnership) -> tuple[str, ...]:
    """The sum that the facts give."""
    last = after.recoveries[-1]
    return (f"Somme à récupérer : {euros(last.amount)} (titre {last.order_number}).",)
