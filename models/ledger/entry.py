"""The one canonical entry that tells of an attempt in the journal."""

from __future__ import annotations

from typing import NamedTuple, cast

from models.answers import Conflict
from models.ledger.attempt import Attempt, name_of
from models.ledger.chain import canonical
from models.ledger.dossiers import Loaded
from states.dossier.proof import lately_given
from states.dossier.requests import Undoing
from states.engine.decide import Decision
from states.grammar.case import Actor, Lookups
from states.grammar.deadlines import paris_day
from states.grammar.guard import Refused
from states.journal.entry import CONFLICT, DONE, REFUSED, ConflictFields, Entry, Facts, ReasonFields
from states.lifecycle import STEPS
from states.register.facts import folded
from states.trainees.identity import keyed
from states.trainees.requests import ResidenceVerified, TraineeRetained, TraineesRetained
from states.values.law import LAW
from states.values.plain import Json

UNTOLD = (*TraineeRetained.personal, "commune")  # a commune is kept by its code: what was typed may be a whole address


def input_digest(pepper: str, attempt: Attempt) -> str:
    """What tells two inputs apart under one key. Keyed by the dossier's secret: a name in it cannot be guessed back."""
    question = [attempt.reference, attempt.trigger, folded(name_of(attempt.actor)), attempt.expected_version, attempt.payload]
    return keyed(pepper, canonical(question))


class Decided(NamedTuple):
    """What an attempt came to: the verdict, what was looked up for it, and what it changed (see `states.journal.fold`; None: nothing)."""

    verdict: Decision | Refused | Conflict
    lookups: Lookups
    facts: Facts | None


def entry_of(attempt: Attempt, loaded: Loaded, actor: Actor, decided: Decided, digested: str) -> Entry:
    """The entry of an attempt, whose input has the digest `digested`; `law` is the number of the law that decided."""
    before, verdict = loaded.partnership, decided.verdict
    done = verdict if isinstance(verdict, Decision) else None
    after = done.after if done else before
    reasons = done.warnings if done else verdict.reasons if isinstance(verdict, Refused) else ()
    recent = lately_given(STEPS[attempt.trigger], actor, attempt.at)
    entry = Entry(
        law=LAW,
        reference=attempt.reference,
        n=loaded.n + 1,
        prev=loaded.head,
        key=attempt.key,
        trigger=attempt.trigger,
        label=STEPS[attempt.trigger].label,
        source=before.state.value,
        dest=after.state.value,
        version=after.version,
        outcome=DONE if done else REFUSED if isinstance(verdict, Refused) else CONFLICT,
        actor=actor.name,
        role=done.role.value if done else ",".join(sorted(actor.roles)),
        effective_on=(done.effective_on if done else attempt.request.effective_on(paris_day(attempt.at))).isoformat(),
        recorded_at=attempt.instant,
        via=attempt.via,
        request=_public(attempt, done),
        reasons=[cast("ReasonFields", reason._asdict()) for reason in reasons],
        # What deciding again needs besides the dossier.
        proof=attempt.proof.value if attempt.proof else None,
        register=attempt.register,
        since={role.value: since for role, since in recent} or None,
        waits=decided.lookups.waits if recent else None,
        registered={name: sorted(roles) for name, roles in decided.lookups.registered} if decided.lookups.registered else None,
        objection=attempt.objection or None,
        asked=digested if attempt.request.personal or isinstance(attempt.request, ResidenceVerified) else None,
        newest_before=loaded.newest if attempt.instant < loaded.newest else None,
        conflict=ConflictFields(sentence=verdict.sentence, who=verdict.who, when=verdict.when) if isinstance(verdict, Conflict) else None,
    )
    return entry if done is None else _of_a_step(entry, attempt, actor, done, decided.facts)


def _of_a_step(entry: Entry, attempt: Attempt, actor: Actor, done: Decision, facts: Facts | None) -> Entry:
    """The entry of a step that was done: what it changed, and every role of the actor where `role` is not the only one."""
    roles = ",".join(sorted(actor.roles))
    return entry._replace(
        facts=facts,
        roles=roles if roles != done.role else None,
        on_behalf_of=done.on_behalf_of or None,
        notes=list(done.notes) or None,
        undoes=attempt.request.entry if isinstance(attempt.request, Undoing) else None,
    )


def _public(attempt: Attempt, done: Decision | None) -> dict[str, Json]:
    """The request as the chain keeps it: instead of a trainee's personal data, the number and the commitment that stand for it."""
    payload = attempt.payload
    if isinstance(attempt.request, ResidenceVerified) and attempt.communes and len(attempt.communes[0]) == 1:
        return {**payload, "commune": None, "insee": attempt.communes[0][0].insee}  # a name could mean another commune one day
    if isinstance(attempt.request, ResidenceVerified):
        return {**payload, "commune": None}
    if not attempt.request.personal:
        return payload
    if isinstance(attempt.request, TraineesRetained):
        people = [_unnamed(cast("dict[str, Json]", trainee)) for trainee in cast("list[Json]", payload["trainees"])]
        return {
            **payload,
            "trainees": [trainee | stand_in for trainee, stand_in in zip(people, _stand_ins(done), strict=True)] if done else [],
        }
    return _unnamed(payload) | (_stand_ins(done)[0] if done else {})


def _unnamed(trainee: dict[str, Json]) -> dict[str, Json]:
    return {name: value for name, value in trainee.items() if name not in UNTOLD}


def _stand_ins(done: Decision) -> list[dict[str, Json]]:
    """What stands for each person: the number, the commune that was found, the commitment."""
    trainees = [done.after.trainee(identity.trainee) for identity in done.identities]
    return [
        {"number": trainee.number, "insee": trainee.insee, "commitment": trainee.commitment} for trainee in trainees if trainee is not None
    ]
