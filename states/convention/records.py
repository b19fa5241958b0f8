"""What a signature and an amendment write into the dossier."""

from __future__ import annotations

from states.board.records import with_act
from states.convention.facts import Signature, Terms
from states.grammar.case import Case
from states.partnership import Partnership, last_number


def signature(case: Case) -> Partnership:
    request, signatures = case.request, case.partnership.signatures
    signed = {signatory.party: signatory for signatory in request.signatories}
    new = Signature(
        number=last_number(signatures) + 1,
        signed_on=request.signed_on,
        document_sha256=request.document_sha256,
        cdg_name=signed["cdg"].name,
        cdg_title=signed["cdg"].title,
        university_name=signed["university"].name,
        university_title=signed["university"].title,
        points=request.points,
    )
    return case.partnership._replace(signatures=(*signatures, new))


def amendment(case: Case) -> Partnership:
    """The terms copied with what the amendment changes; the terms, the act and the signature before it stay as they are."""
    partnership = signature(case._replace(partnership=with_act(case, case.request.deliberation)))
    return partnership._replace(terms=(*partnership.terms, amended(case)))


def amended(case: Case) -> Terms:
    """The terms as the amendment would have them."""
    amended_terms, terms = case.request.changes, case.partnership.terms_in_force
    changes = {name: value for name, value in amended_terms if name != "fees" and value is not None}
    changes |= {f"fee_{regime}": fee for regime, fee in amended_terms.fees if fee is not None}
    return terms._replace(number=terms.number + 1, takes_effect_on=case.request.takes_effect_on, **changes)
