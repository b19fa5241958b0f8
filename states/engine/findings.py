"""What a person should know about a dossier as it stands: the warnings of its steps and what the facts themselves show."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import combinations
from typing import NamedTuple

from states.board.facts import Matter
from states.board.rules import QUORUM_RULES
from states.convention.rules import signature_objection
from states.dossier.facts import Finding
from states.grammar.case import Case
from states.grammar.guard import Guard, Needs, Reason
from states.lifecycle import GUARDS
from states.partnership import Partnership
from states.payment.calculation import department_of, entitlement, own_terms
from states.values.french import day, euros
from states.values.law import CONVENTION, EXECUTORY, QUORUM_DECREE, SIGNING
from states.vocabulary import Severity


def rates_exceed_fees(partnership: Partnership) -> Iterator[Finding]:
    """Under the flat rate, a subsidised trainee may cost more than the university's own fee (resolution of 9 December 2025)."""
    versions = partnership.terms
    if all(terms.amount_mode != "flat" or not (terms.fee_continuing or terms.fee_initial) for terms in versions):
        return
    counted = {line.trainee for line in entitlement(partnership).lines if line.counted}
    for trainee in partnership.trainees:
        terms = own_terms(versions, trainee)
        fee = terms.fee(trainee.fee_regime) if terms.amount_mode == "flat" else None
        if trainee.number in counted and fee is not None and terms.rate > fee:
            yield Finding(
                "RATE_EXCEEDS_FEE",
                str(trainee.number),
                Severity.WARN,
                f"Stagiaire n° {trainee.number} : le forfait de {euros(terms.rate)} dépasse le tarif de l’université ({euros(fee)}).",
                str(CONVENTION),
            )


def remainder_is_unclaimed(partnership: Partnership) -> Iterator[Finding]:
    """An invoice below the entitlement is paid at its amount; the rest stays unclaimed."""
    settlement = partnership.settlement
    if settlement is not None and settlement.settled < settlement.entitlement:
        rest = euros(settlement.entitlement - settlement.settled)
        reason = f"La facture est inférieure au droit à subvention : {rest} ne sont pas réclamés."
        yield Finding("UNCLAIMED", "", Severity.WARN, reason, str(CONVENTION))


def quorum_text_is_unread(partnership: Partnership) -> Iterator[Finding]:
    """The quorum was judged by a rule whose text nobody has read: the board's settings say when somebody has."""
    terms = partnership.terms_in_force
    judged = [act for act in partnership.acts if act.present is not None]
    if judged and not terms.quorum_verified:
        name = QUORUM_RULES[terms.quorum_rule][0]
        reason = f"Le quorum est jugé selon une règle dont le texte n’a pas été vérifié ({name})."
        yield Finding("QUORUM_RULE_UNVERIFIED", "", Severity.WARN, reason, str(QUORUM_DECREE))


def acts_lack_transmission(partnership: Partnership) -> Iterator[Finding]:
    """In a dossier imported with its past, an act of which neither transmission nor publication is known."""
    if not partnership.imported:
        return
    for act in partnership.acts:
        lacks = ["transmission au préfet"] if act.transmitted_on is None else []
        lacks += ["publication"] if act.published_on is None else []
        if lacks and act.matter is not Matter.REJECTION:
            what = (
                f"sa {lacks[0]} n’est pas consignée"
                if len(lacks) == 1
                else "ni sa transmission au préfet ni sa publication ne sont consignées"
            )
            reason = f"Délibération du {day(act.held_on)} : {what}, on ne sait donc pas si elle est exécutoire."
            yield Finding("TRANSMISSION_UNKNOWN", str(act.number), Severity.WARN, reason, str(EXECUTORY))


def trainees_have_moved(partnership: Partnership) -> Iterator[Finding]:
    """A trainee seen elsewhere after the selection: the reference date decides, so nothing is excluded."""
    for trainee in partnership.trainees:
        if trainee.moved_to is not None and trainee.moved_on is not None:
            reason = (
                f"Stagiaire n° {trainee.number} : une résidence à {trainee.moved_to} a été constatée le {day(trainee.moved_on)} ; "
                f"celle du jour de la sélection ({trainee.insee}) reste retenue."
            )
            yield Finding("MOVED_AFTER_SELECTION", str(trainee.number), Severity.WARN, reason, str(CONVENTION))


def residences_differ(partnership: Partnership) -> Iterator[Finding]:
    """The commune that was verified lies in another department than the one declared at the selection: is it that of that day?"""
    for trainee in partnership.trainees:
        if trainee.verified_on is None or trainee.insee == trainee.declared_insee:
            continue
        if department_of(trainee.insee) != department_of(trainee.declared_insee):
            reason = (
                f"Stagiaire n° {trainee.number} : la commune vérifiée ({trainee.insee}) n’est pas dans le département de celle déclarée "
                f"à la sélection ({trainee.declared_insee})."
            )
            yield Finding("RESIDENCE_DIFFERS", str(trainee.number), Severity.WARN, reason, str(CONVENTION))


def amendments_precede_their_acts(partnership: Partnership) -> Iterator[Finding]:
    """An amendment is signed with its own deliberation, which may not have been executory yet."""
    acts = [act for act in partnership.acts if act.matter is Matter.AMENDMENT]
    for act, signature in zip(acts, partnership.signatures[1:], strict=False):
        if act.executory_on is None or act.executory_on > signature.signed_on:
            reason = (
                f"Avenant signé le {day(signature.signed_on)} : la délibération du {day(act.held_on)} qui l’autorise "
                "n’est pas exécutoire à cette date."
            )
            yield Finding("AMENDED_BEFORE_EXECUTORY", str(act.number), Severity.WARN, reason, str(SIGNING))


def signature_precedes_its_act(partnership: Partnership) -> Iterator[Finding]:
    """The convention was signed before the act that authorises it was executory, as the dates stand now."""
    if not partnership.signatures:
        return
    sentence = signature_objection(partnership, partnership.signatures[0].signed_on)
    if sentence is not None:
        yield Finding("SIGNED_BEFORE_EXECUTORY", "sign", Severity.WARN, sentence, str(SIGNING))


class Standing(NamedTuple):
    """A finding that the facts themselves show: its code, the collections it depends on, and how it is found."""

    code: str
    reads: tuple[str, ...]
    find: Callable[[Partnership], Iterator[Finding]]


STANDING = (
    Standing("SIGNED_BEFORE_EXECUTORY", ("acts", "signatures"), signature_precedes_its_act),
    Standing("RATE_EXCEEDS_FEE", ("trainees", "terms", "trainings"), rates_exceed_fees),
    Standing("UNCLAIMED", ("settlements",), remainder_is_unclaimed),
    Standing("QUORUM_RULE_UNVERIFIED", ("acts", "terms"), quorum_text_is_unread),
    Standing("TRANSMISSION_UNKNOWN", ("acts",), acts_lack_transmission),
    Standing("MOVED_AFTER_SELECTION", ("trainees",), trainees_have_moved),
    Standing("RESIDENCE_DIFFERS", ("trainees",), residences_differ),
    Standing("AMENDED_BEFORE_EXECUTORY", ("acts", "signatures"), amendments_precede_their_acts),
)
STANDING_CODES = frozenset(rule.code for rule in STANDING)
READ = tuple(dict.fromkeys(name for rule in STANDING for name in rule.reads))
COLLECTIONS = tuple(name for name in Partnership._field_defaults if name not in ("findings", "identity_digests"))


def watched(rules: Iterable[Guard]) -> tuple[tuple[int, str], ...]:
    """Where each collection stands in a Partnership on which a finding depends: those of the facts, and the warnings of `rules`.

    A rule about the dossier that may warn and names no collection depends on all of them.
    """
    warning = [rule for rule in rules if rule.needs is Needs.DOSSIER and _may_warn(rule) and rule.code not in STANDING_CODES]
    names = dict.fromkeys((*READ, *(name for rule in warning for name in rule.reads or COLLECTIONS)))
    return tuple((Partnership._fields.index(name), name) for name in names)


def _may_warn(rule: Guard) -> bool:
    """Whether a dossier may pass a rule with a warning: by its terms, or because it was imported with its past."""
    return rule.weigh is not None or rule.imported is Severity.WARN


WATCHED = watched(GUARDS.values())  # looked at in every step


class Recheck(NamedTuple):
    """What a step that changed some collections leaves to look at: the codes whose facts have not changed, the rules to ask again."""

    untouched: frozenset[str]
    again: tuple[Standing, ...]


def _after_changes(changed: frozenset[str]) -> Recheck:
    again = tuple(rule for rule in STANDING if not changed.isdisjoint(rule.reads))
    return Recheck(STANDING_CODES - {rule.code for rule in again}, again)


# For each set of those collections that a step may change; what only warnings depend on would double their number each time.
AFTER = {changed: _after_changes(changed) for size in range(len(READ) + 1) for changed in map(frozenset, combinations(READ, size))}


def of_warning(reason: Reason, trigger: str) -> Finding:
    """The finding that a warning leaves behind."""
    return Finding(reason.code, trigger, reason.severity, reason.reason, reason.source)


def after(case: Case, partnership: Partnership, warnings: tuple[Reason, ...]) -> tuple[Finding, ...]:
    """All findings of `partnership` once the step of `case` is done.

    What depends on facts that the step has not touched is kept as it is; a review of the findings looks at everything again.
    """
    before = case.partnership
    again = case.step.reviews
    changed = frozenset([name for place, name in WATCHED if again or before[place] is not partnership[place]])
    if not changed and not warnings and before.findings is partnership.findings:
        return before.findings
    left = {}
    for finding in partnership.findings:
        if finding.code not in STANDING_CODES and (still := _still(finding, case, partnership, changed)):
            left[finding.code, finding.subject] = still
    for reason in warnings:
        if reason.code not in STANDING_CODES:
            left[reason.code, case.step.trigger] = of_warning(reason, case.step.trigger)
    untouched, again_found = AFTER[changed.intersection(READ)]
    still_there = [finding for finding in before.findings if finding.code in untouched]
    return (*left.values(), *still_there, *[finding for rule in again_found for finding in rule.find(partnership)])


def standing(partnership: Partnership) -> tuple[Finding, ...]:
    """The findings that the facts themselves show, whatever the path that led to them."""
    return tuple(finding for rule in STANDING for finding in rule.find(partnership))


def _still(finding: Finding, case: Case, partnership: Partnership, changed: frozenset[str]) -> Finding | None:
    """A warning about the dossier goes with its cause, and says how things stand now; one about a past request stays."""
    rule = GUARDS.get(finding.code)
    if rule is None:
        return None  # a rule that this version of jalon no longer has
    if rule.needs is not Needs.DOSSIER or (rule.reads and changed.isdisjoint(rule.reads)):
        return finding
    reason = rule.judge(case._replace(partnership=partnership, computed={}))
    return finding._replace(reason=reason.reason) if reason else None
