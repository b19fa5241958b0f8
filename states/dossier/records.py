"""What the keeping of a dossier writes into it."""

from __future__ import annotations

from datetime import date

from states.convention.facts import Party, Terms
from states.convention.requests import TermsAsked
from states.dossier.facts import Delegation, Document
from states.grammar.case import Case
from states.partnership import Partnership, last_number


def nothing(case: Case) -> Partnership:
    return case.partnership


def dossier(case: Case) -> Partnership:
    cdg, university = case.request.parties.cdg, case.request.parties.university
    parties = (
        Party(1, "cdg", cdg.name, cdg.siret, cdg.department, cdg.calendar, None, None),
        Party(
            2, "university", university.name, university.siret, None, None, university.payee.holder, university.payee.iban
        ),
    )  # fmt: skip
    return case.partnership._replace(imported=case.request.imported, parties=parties, terms=(_terms(case.request.terms),))


def _terms(asked: TermsAsked) -> Terms:
    first_year = int(asked.academic_year[:4])
    return Terms(
        number=1,
        academic_year=asked.academic_year,
        year_starts_on=asked.year_starts_on or date(first_year, 9, 1),
        year_ends_on=asked.year_ends_on or date(first_year + 1, 8, 31),
        rate=asked.rate,
        cap=asked.cap,
        department=asked.department,
        amount_mode=asked.amount_mode,
        fee_continuing=asked.fees.continuing,
        fee_initial=asked.fees.initial,
        quorum_rule=asked.quorum_rule,
        result_policy=asked.result_policy,
        takes_effect_on=asked.year_starts_on or date(first_year, 9, 1),
        dropout_policy=asked.dropout_policy,
        proxies_count=asked.proxies_count,
        quorum_verified=asked.quorum_verified,
        payee_cooling_days=asked.payee_cooling_days,
        nature=asked.nature,
        payment_days=asked.payment_days,
    )


def attachment(case: Case) -> Partnership:
    documents = case.partnership.documents
    paper = Document(last_number(documents) + 1, case.request.title, case.request.sha256, case.effective_on)
    return case.partnership._replace(documents=(*documents, paper))


def delegation(case: Case) -> Partnership:
    asked, given = case.request, case.partnership.delegations
    giver = case.actor.name if case.actor else ""
    lent = Delegation(last_number(given) + 1, asked.role, giver, asked.to, asked.starts_on, asked.ends_on)
    return case.partnership._replace(delegations=(*given, lent))


def undone(case: Case) -> Partnership:
    """The dossier without the entry that is taken back, as `lookups.past` tells it from the journal."""
    past, now = case.lookups.past, case.partnership
    assert past is not None, "a rule has refused to undo what the journal does not have"
    assert past.without is not None, "a rule has refused to undo what others rely on"
    kept = {one.number for one in past.without.trainees}
    digests = tuple(one for one in now.identity_digests if one[0] in kept)
    return past.without._replace(version=now.version, pepper=now.pepper, identity_digests=digests)
