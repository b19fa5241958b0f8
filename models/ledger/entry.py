"""The one canonical entry that tells of an attempt in the journal."""

from __future__ import annotations

from typing import Any, NamedTuple

from models.answers import Conflict
from models.ledger.attempt import Attempt, name_of
from models.ledger.chain import canonical
from models.ledger.dossiers import Loaded
from models.people.register import folded
from states.dossier.requests import Undoing
from states.engine.decide import Decision
from states.grammar.case import Actor, Known
from states.grammar.deadlines import paris_day
from states.grammar.guard import Refused
from states.journal.fold import Facts
from states.lifecycle import STEPS
from states.trainees.identity import keyed
from states.trainees.requests import ResidenceVerified, TraineeRetained, TraineesRetained
from states.values.law import LAW

UNTOLD = (*TraineeRetained.personal, "commune")  # a commune is kept by its code: what was typed may be a whole address


def input_digest(pepper: str, attempt: Attempt) -> str:
    """What tells two inputs apart under one key. Keyed by the dossier's secret: a name in it cannot be guessed back."""
    told = canonical([attempt.reference, attempt.trigger, folded(name_of(attempt.actor)), attempt.expected_version, attempt.asked])
    return keyed(pepper, told)


class Decided(NamedTuple):
    """What an attempt came to: the verdict, what was known for it, and what it changed (see `states.journal.fold`; None: nothing)."""

    verdict: Decision | Refused | Conflict
    known: Known
    facts: Facts | None


def entry_of(attempt: Attempt, loaded: Loaded, actor: Actor, decided: Decided) -> dict[str, Any]:
    """The entry of an attempt; `law` is the number of the law that decided."""
    before, verdict = loaded.partnership, decided.verdict
    done = verdict if isinstance(verdict, Decision) else None
    after = done.after if done else before
    reasons = done.warnings if done else verdict.reasons if isinstance(verdict, Refused) else ()
    return {
        "law": LAW,
        "reference": attempt.reference,
        "n": loaded.n + 1,
        "prev": loaded.head,
        "key": attempt.key,
        "trigger": attempt.trigger,
        "label": STEPS[attempt.trigger].label,
        "from": before.state.value,
        "to": after.state.value,
        "version": after.version,
        "outcome": "done" if done else "refused" if isinstance(verdict, Refused) else "conflict",
        "actor": actor.name,
        "role": done.role.value if done else ",".join(sorted(actor.roles)),
        "effective_on": (done.effective_on if done else attempt.request.effective_on(paris_day(attempt.at))).isoformat(),
        "recorded_at": attempt.instant,
        "via": attempt.via,
        "request": _public(attempt, done),
        "reasons": [reason._asdict() for reason in reasons],
        **_besides(attempt, actor, decided),
    }


def _besides(attempt: Attempt, actor: Actor, decided: Decided) -> dict[str, Any]:
    """What only some entries say, and what deciding again needs besides the dossier.

    Every role of the actor (`role` alone where it is the only one), those of other people (`registered`), what became of the code
    (`proof`), the constraint by which the database refused (`objection`).
    """
    verdict, known = decided.verdict, decided.known
    told: dict[str, Any] = {"proof": attempt.proof.value} if attempt.proof else {}
    if known.registered:
        told["registered"] = {name: sorted(held) for name, held in known.registered}
    if attempt.objection:
        told["objection"] = attempt.objection
    if isinstance(verdict, Conflict):
        told["conflict"] = {"sentence": verdict.sentence, "who": verdict.who, "when": verdict.when}
    if not isinstance(verdict, Decision):
        return told
    told["facts"], roles = decided.facts, ",".join(sorted(actor.roles))
    if roles != verdict.role:
        told["roles"] = roles
    if verdict.on_behalf_of:
        told["on_behalf_of"] = verdict.on_behalf_of
    if verdict.notes:
        told["notes"] = list(verdict.notes)
    if type(attempt.request) is Undoing:
        told["undoes"] = attempt.request.entry
    return told


def _public(attempt: Attempt, done: Decision | None) -> dict[str, Any]:
    """The request as the chain keeps it: instead of a trainee's personal data, the number and the commitment that stand for it."""
    asked = attempt.asked
    if type(attempt.request) is ResidenceVerified and attempt.places and len(attempt.places[0]) == 1:
        return {**asked, "commune": None, "insee": attempt.places[0][0].insee}  # a name could mean another commune one day
    if type(attempt.request) is ResidenceVerified:
        return {**asked, "commune": None}
    if not attempt.request.personal:
        return asked
    if type(attempt.request) is TraineesRetained:
        people = [_unnamed(one) for one in asked["trainees"]]
        return {**asked, "trainees": [one | kept for one, kept in zip(people, _kept(done), strict=True)] if done else []}
    return _unnamed(asked) | (_kept(done)[0] if done else {})


def _unnamed(asked: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in asked.items() if name not in UNTOLD}


def _kept(done: Decision) -> list[dict[str, Any]]:
    """What stands for each person: the number, the commune that was found, the commitment."""
    named = [done.after.trainee(identity.trainee) for identity in done.identities]
    return [{"number": one.number, "insee": one.insee, "commitment": one.commitment} for one in named if one is not None]
