"""The one decision: what a step would change, or every reason why it is refused. Pure: the same question, the same answer."""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple

from states import findings, records
from states.delays import due_on, paris_day
from states.effects import Check, Effect, Tell
from states.facts import Actor, Identity, Partnership, Role, Severity, State
from states.french import listed
from states.guard import HOUSE, Case, Needs, Person, Reason, Refused
from states.identity import commitment, person_digest
from states.lifecycle import OF_EVERY_STEP, STEPS, Step, steps_from
from states.requests import Request, TraineeRetained
from states.walk import destination


class Decision(NamedTuple):
    """The dossier after the step, in which role it was done, what it leaves to do, and what it lets pass with a warning."""

    step: Step
    role: Role
    after: Partnership
    effective_on: date
    warnings: tuple[Reason, ...]
    effects: tuple[Effect, ...]
    identity: Identity | None


class Next(NamedTuple):
    """A step that the table allows now, and what is still missing for it."""

    step: Step
    due_on: date | None
    unmet: tuple[Reason, ...]


def decide(partnership: Partnership, trigger: str, request: Request, *, actor: Actor, at: datetime, salt: str = "") -> Decision | Refused:
    """Decide `trigger` on `partnership`. `at` is the aware instant of the recording, `salt` fresh hexadecimal for a new name.

    Raises KeyError for a trigger that is not in the table.
    """
    step = STEPS[trigger]
    case = _case(partnership, step, request, actor, at, salt)
    arrival = destination(partnership.state, trigger)
    role = next((role for role in step.by if role in actor.roles), None)
    reasons: list[Reason] = []
    if arrival is None:
        reasons.append(_wrong_place(case))
    if role is None:
        reasons.append(_wrong_role(step, actor))
    if arrival is not None:
        reasons += [reason for one in (*OF_EVERY_STEP, *step.guards) if (reason := one.judge(case))]
    blocking = tuple(reason for reason in reasons if reason.severity is Severity.BLOCK)
    if blocking or arrival is None or role is None:
        return Refused(trigger, blocking)
    return _decision(case, step, arrival, role, tuple(reasons))


def _decision(case: Case, step: Step, arrival: State, role: Role, warnings: tuple[Reason, ...]) -> Decision:
    facts = step.records(case)
    after = facts._replace(
        state=arrival,
        version=facts.version + 1,
        entered_on=facts.entered_on if step.is_recording else case.effective_on,
        findings=findings.after(case, facts, warnings),
    )
    effects: tuple[Effect, ...] = (*(Tell(role) for role in step.tells), Check())
    return Decision(step, role, after, case.effective_on, warnings, effects, records.identity(case))


def why_not(
    partnership: Partnership, step: Step, *, at: datetime, actor: Actor | None = None, request: Request | None = None
) -> tuple[Reason, ...]:
    """What is missing for `step` now: every guard that can be judged with what is known, the role when `actor` is given."""
    case = _case(partnership, step, request, actor, at)
    known = {Needs.DOSSIER}
    known |= {Needs.REQUEST} if request is not None else set()
    known |= {Needs.ACTOR} if actor is not None else set()
    reasons = []
    possible = destination(partnership.state, step.trigger) is not None
    if not possible:
        reasons.append(_wrong_place(case))
    if actor is not None and actor.roles.isdisjoint(step.by):
        reasons.append(_wrong_role(step, actor))
    if not possible:
        return tuple(reasons)
    reasons += [reason for one in step.guards if one.needs in known and (reason := one.judge(case))]
    return tuple(reason for reason in reasons if reason.severity is Severity.BLOCK)


def next_steps(partnership: Partnership, *, at: datetime, actor: Actor | None = None) -> tuple[Next, ...]:
    """Every step that the table allows from here, with its deadline and what is missing for it."""
    return tuple(
        Next(step, due_on(step.within, partnership), why_not(partnership, step, at=at, actor=actor))
        for step in steps_from(partnership.state)
    )


def _case(partnership: Partnership, step: Step, request: Request | None, actor: Actor | None, at: datetime, salt: str = "") -> Case:
    today = paris_day(at)
    effective_on = request.effective_on(today) if request is not None else today
    person = None
    if isinstance(request, TraineeRetained):
        names = (request.family_name, request.given_name, request.born_on)
        person = Person(person_digest(partnership.pepper, *names), commitment(salt, *names), salt)
    return Case(partnership, step.trigger, request, actor, effective_on, today, person)


def _wrong_place(case: Case) -> Reason:
    step = STEPS[case.trigger]
    if step.trigger == "open":
        sentence = f"Le dossier {case.partnership.reference} est déjà ouvert."
    else:
        places = f"« {' » ou « '.join(state.label for state in step.source)} »"
        sentence = f"« {step.label} » se fait depuis l’état {places} ; le dossier est « {case.partnership.state.label} »."
    # Who can clear it is whoever may take the dossier further from where it is.
    movers = dict.fromkeys(role for one in steps_from(case.partnership.state) if not one.is_recording for role in one.by)
    who = listed([role.label for role in movers if role is not Role.CLOCK]) or "personne : le dossier est terminé"
    return Reason("WRONG_STATE", sentence, who, str(HOUSE))


def _wrong_role(step: Step, actor: Actor) -> Reason:
    needed = " ou ".join(one.label for one in step.by if one is not Role.CLOCK) or Role.CLOCK.label
    held = listed(sorted(one.label for one in actor.roles))
    sentence = f"« {step.label} » revient au rôle « {needed} » ; {actor.name} est au registre comme {held}."
    return Reason("WRONG_ROLE", sentence, needed, str(HOUSE))
