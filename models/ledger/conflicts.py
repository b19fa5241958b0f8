"""What the ledger answers instead of doing a step: the key has served, somebody was first, the database refuses."""

from __future__ import annotations

import hmac

from models.answers import Answer, Conflict, answer_of
from models.database.constraints import RULES, SENTENCES
from models.ledger.attempt import Attempt, moment
from models.ledger.entry import input_digest
from models.ledger.reading import parsed
from states.grammar.case import Past
from states.grammar.guard import WHOEVER_ENTERS, Reason, Refused
from states.journal.entry import Entry
from states.journal.upcasting import request_as_read
from states.lifecycle import GUARDS, STEPS
from states.partnership import Partnership
from states.values.law import HOUSE
from states.vocabulary import State


def again(attempt: Attempt, state: State, pepper: str, first_input: str, content: str, head: str) -> Answer:
    """The key was used before: the first answer again, or Conflict when the input is another one."""
    first = parsed(content)
    if hmac.compare_digest(first_input, input_digest(pepper, attempt)):
        return answer_of(first, head)
    sentence = f"Cette clé a déjà servi à une autre demande, par {first.actor} {moment(first.recorded_at)}."
    return Conflict(attempt.reference, attempt.trigger, sentence, first.actor, first.recorded_at, state)


def overtaken(attempt: Attempt, won: Entry, state: State) -> Conflict:
    """Somebody did this step, or another, before: who and when."""
    sentence = f"« {won.label} » a déjà été fait par {won.actor} {moment(won.recorded_at)}."
    return Conflict(attempt.reference, attempt.trigger, sentence, won.actor, won.recorded_at, state)


def taken_back(attempt: Attempt, past: Past, state: State) -> Conflict:
    """Somebody has taken the named entry back before: who and when."""
    who, when = past.taken_back or ("", attempt.instant)
    sentence = f"L’entrée {past.n} (« {past.label} ») a déjà été annulée par {who} {moment(when)}."
    return Conflict(attempt.reference, attempt.trigger, sentence, who, when, state)


def too_late(attempt: Attempt, refused: Refused, won: Entry | None, state: State) -> Refused | Conflict:
    """The same step done before is a conflict; another one is the reason why this step is no longer possible: both say who and when.

    A dossier that is there was opened, whichever step has moved it since: that one is not the reason.
    """
    if won is None:
        return refused
    if won.trigger == attempt.trigger:
        lost = overtaken(attempt, won, state)
        return lost._replace(sentence=lost.sentence + _differing(attempt, won)) if STEPS[attempt.trigger].opens else lost
    if STEPS[attempt.trigger].opens:
        return refused
    first, *others = refused.reasons
    by = f" Il l’est depuis « {won.label} », par {won.actor} {moment(won.recorded_at)}."
    return refused._replace(reasons=(first._replace(reason=first.reason + by), *others))


def _differing(attempt: Attempt, won: Entry) -> str:
    """That a dossier was opened by another file than the one that is given now: its terms are not the ones asked for."""
    if won.law is None or request_as_read(type(attempt.request).__name__, won.request, won.law) == attempt.payload:
        return ""
    return " Votre fichier en diffère, et rien n’en est repris : une autre convention demande une autre référence."


def wrong_version(attempt: Attempt, partnership: Partnership) -> Conflict:
    """The dossier is not, or no longer, at the version that the caller saw."""
    sentence = f"Le dossier en est à la version {partnership.version} ; la demande en attendait une autre ({attempt.expected_version})."
    return Conflict(attempt.reference, attempt.trigger, sentence, "", attempt.instant, partnership.state)


def objection(attempt: Attempt, constraint: str) -> Refused:
    """What the database refused, told as the rule that it repeats."""
    sentence = SENTENCES.get(constraint, f"La base refuse cette écriture ({constraint}).")
    rule = GUARDS.get(RULES.get(constraint, ""))
    code, who = (rule.code, rule.who) if rule else (constraint.upper(), WHOEVER_ENTERS)
    return Refused(attempt.trigger, (Reason(code, sentence, who, str(rule.source if rule else HOUSE)),))
