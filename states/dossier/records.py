"""What the keeping of a dossier writes into it."""

from __future__ import annotations

from datetime import date

from states.convention.facts import Party, Terms
from states.convention.requests import TermsAsked
from states.dossier.facts import Delegation, Document
from states.grammar.case import Case
from states.partnership import Partnership, last_number


def dossier(case: Case) -> Partnership:
    cdg, university = case.request.parties.cdg, case.request.parties.university
    parties = (
        Party(1, "cdg", cdg.name, cdg.siret, cdg.department, cdg.calendar, None, None),
        Party(
            2, "university", university.name, university.siret, None, None, university.payee.holder, university.payee.iban
        ),
    )  # fmt: skip
    return case.partnership._replace(imported=case.request.imported, parties=parties, terms=(_terms(case.request.terms),))


def _terms(terms: TermsAsked) -> Terms:
    first_year = int(terms.academic_year[:4])
    return Terms(
        number=1,
        academic_year=terms.academic_year,
        year_starts_on=terms.year_starts_on or date(first_year, 9, 1),
        year_ends_on=terms.year_ends_on or date(first_year + 1, 8, 31),
        rate=terms.rate,
        cap=terms.cap,
        department=terms.department,
        amount_mode=terms.amount_mode,
        fee_continuing=terms.fees.continuing,
        fee_initial=terms.fees.initial,
        quorum_rule=terms.quorum_rule,
        result_policy=terms.result_policy,
        takes_effect_on=terms.year_starts_on or date(first_year, 9, 1),
        dropout_policy=terms.dropout_policy,
        proxies_count=terms.proxies_count,
        quorum_verified=terms.quorum_verified,
        payee_cooling_days=terms.payee_cooling_days,
        nature=terms.nature,
        payment_days=terms.payment_days,
    )


def attachment(case: Case) -> Partnership:
    documents = case.partnership.documents
    paper = Document(last_number(documents) + 1, case.request.title, case.request.sha256, case.effective_on)
    return case.partnership._replace(documents=(*documents, paper))


def delegation(case: Case) -> Partnership:
    request, given = case.request, case.partnership.delegations
    giver = case.actor.name if case.actor else ""
    lent = Delegation(last_number(given) + 1, request.role, giver, request.to, request.starts_on, request.ends_on)
    return case.partnership._replace(delegations=(*given, lent))


def undone(case: Case) -> Partnership:
    """The dossier without the entry that is taken back, as `lookups.past` tells it from the journal."""
    past, now = case.lookups.past, case.partnership
    assert past is not None, "a rule has refused to undo what the journal does not have"
    assert past.without is not None, "a rule has refused to undo what others rely on"
    numbers = {trainee.number for trainee in past.without.trainees}
    digests = tuple(pair for pair in now.identity_digests if pair[0] in numbers)
    return past.without._replace(version=now.version, pepper=now.pepper, identity_digests=digests)
