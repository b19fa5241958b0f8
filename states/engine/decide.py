"""The one decision: what a step would change, or every reason why it is refused. Pure: the same question, the same answer."""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple

from states.dossier.delegation import lent_roles
from states.engine import findings
from states.engine.machine import destination
from states.grammar.case import Actor, Case, Lookups, Newcomer
from states.grammar.deadlines import due_on, paris_day
from states.grammar.effects import Effect, following
from states.grammar.guard import Needs, Reason, Refused
from states.grammar.request import Request
from states.grammar.step import Step
from states.lifecycle import OF_EVERY_STEP, ROWS, STEPS, steps_from
from states.partnership import Partnership
from states.trainees.facts import Identity
from states.trainees.identity import commitment, person_digest, spread
from states.trainees.records import identities
from states.trainees.requests import TraineeRetained, selected
from states.values.french import alternatives, listed
from states.values.law import HOUSE
from states.vocabulary import Role, Severity, State

NO_LOOKUPS = Lookups()
EFFECTS = {roles: following(roles) for roles in ((), *(row.tells for row in ROWS))}  # the same ones for every step of a row


class Decision(NamedTuple):
    """The dossier after the step, in which role it was done, what it leaves to do, and what it lets pass with a warning.

    `on_behalf_of` has delegated the role; `notes` are French sentences that tell what changed.
    """

    step: Step
    role: Role
    on_behalf_of: str | None
    after: Partnership
    effective_on: date
    warnings: tuple[Reason, ...]
    effects: tuple[Effect, ...]
    identities: tuple[Identity, ...]
    notes: tuple[str, ...]


class Next(NamedTuple):
    """A step that the table allows now, and what is still missing for it."""

    step: Step
    due_on: date | None
    unmet: tuple[Reason, ...]


def decide(
    partnership: Partnership, trigger: str, request: Request, *, actor: Actor, at: datetime, lookups: Lookups = NO_LOOKUPS
) -> Decision | Refused:
    """Decide `trigger` on `partnership`. `at` is the aware instant of the recording, `lookups` what was looked up beforehand.

    Raises KeyError for a trigger that is not in the table.
    """
    step, today = STEPS[trigger], paris_day(at)
    role, on_behalf_of = _role(step, partnership, actor, today, lookups)
    case = _case(partnership, step, request, actor, today, lookups, on_behalf_of)
    arrival = destination(partnership.state, trigger)
    reasons: list[Reason] = []
    if arrival is None:
        reasons.append(_wrong_place(case))
    if role is None:
        reasons.append(_wrong_role(step, actor))
    if arrival is not None:
        reasons += [reason for guard in (*OF_EVERY_STEP, *step.guards) if (reason := guard.judge(case))]
    blocking = tuple([reason for reason in reasons if reason.severity is Severity.BLOCK])
    if blocking or arrival is None or role is None:
        return Refused(trigger, blocking)
    return _decision(case, step, arrival, role, tuple(reasons))


def _role(step: Step, partnership: Partnership, actor: Actor, on: date, lookups: Lookups) -> tuple[Role | None, str | None]:
    """The role in which the actor may do the step, and who has lent it. A delegation holds on the days on which somebody acts."""
    own = step.role_of(actor.roles)
    if own is not None or not partnership.delegations:
        return own, None
    return next(((role, giver) for role, giver in lent_roles(partnership, actor, on, lookups) if role in step.by), (None, None))


def _decision(case: Case, step: Step, arrival: State, role: Role, warnings: tuple[Reason, ...]) -> Decision:
    facts = step.records(case)
    if step.takes_back:
        arrival, entered_on = facts.state, facts.entered_on
    else:
        entered_on = facts.entered_on if step.is_recording else case.effective_on
    after = facts._replace(state=arrival, version=facts.version + 1, entered_on=entered_on, findings=findings.after(case, facts, warnings))
    tells, notes = step.tells, step.notes(case.partnership, after) if step.notes else ()
    if step.takes_back and case.lookups.past is not None:
        undone = STEPS.get(case.lookups.past.trigger)
        tells = undone.tells if undone is not None else ()
        notes = (f"Est annulé : « {case.lookups.past.label} », entrée {case.lookups.past.n} du journal, par {case.lookups.past.actor}.",)
    return Decision(step, role, case.on_behalf_of, after, case.effective_on, warnings, EFFECTS[tells], identities(case), notes)


def why_not(
    partnership: Partnership,
    step: Step,
    *,
    at: datetime,
    actor: Actor | None = None,
    request: Request | None = None,
    lookups: Lookups = NO_LOOKUPS,
) -> tuple[Reason, ...]:
    """What is missing for `step` now: every guard that can be judged with what is known, the role when `actor` is given."""
    case = _case(partnership, step, request, actor, paris_day(at), lookups)
    visible = {Needs.DOSSIER}
    visible |= {Needs.REQUEST} if request is not None else set()
    visible |= {Needs.ACTOR} if actor is not None else set()
    reasons = []
    possible = destination(partnership.state, step.trigger) is not None
    if not possible:
        reasons.append(_wrong_place(case))
    if actor is not None and _role(step, partnership, actor, case.today, lookups)[0] is None:
        reasons.append(_wrong_role(step, actor))
    if not possible:
        return tuple(reasons)
    reasons += [reason for guard in step.guards if guard.needs in visible and (reason := guard.judge(case))]
    return tuple(reason for reason in reasons if reason.severity is Severity.BLOCK)


def next_steps(partnership: Partnership, *, at: datetime, actor: Actor | None = None, lookups: Lookups = NO_LOOKUPS) -> tuple[Next, ...]:
    """Every step that the table allows from here, with its deadline and what is missing for it."""
    return tuple(
        Next(step, due_on(step.within, partnership), why_not(partnership, step, at=at, actor=actor, lookups=lookups))
        for step in steps_from(partnership.state)
    )


def _case(
    partnership: Partnership,
    step: Step,
    request: Request | None,
    actor: Actor | None,
    today: date,
    lookups: Lookups,
    on_behalf_of: str | None = None,
) -> Case:
    effective_on = request.effective_on(today) if request is not None else today
    newcomers = _newcomers(partnership, request, lookups)
    return Case(partnership, step, request, actor, effective_on, today, {}, newcomers, lookups, on_behalf_of)


def _newcomers(partnership: Partnership, request: Request | None, lookups: Lookups) -> tuple[Newcomer, ...]:
    """What the rules may know of the people whom a request names; one secret salt is spread over all of them."""
    if request is None or not request.personal:
        return ()
    if lookups.newcomers is not None:
        return lookups.newcomers
    return tuple(_person(partnership, trainee, spread(lookups.salt, place)) for place, trainee in enumerate(selected(request)))


def _person(partnership: Partnership, trainee: TraineeRetained, salt: str) -> Newcomer:
    names = (trainee.family_name, trainee.given_name, trainee.born_on)
    return Newcomer(person_digest(partnership.pepper, *names), commitment(salt, *names), salt)


def _wrong_place(case: Case) -> Reason:
    step = case.step
    if step.opens:
        sentence = f"Le dossier {case.partnership.reference} est déjà ouvert."
    else:
        places = alternatives([f"« {state.label} »" for state in step.source])
        sentence = f"« {step.label} » se fait depuis l’état {places} ; le dossier est « {case.partnership.state.label} »."
    # Who can clear it is whoever may take the dossier further from where it is.
    movers = dict.fromkeys(role for step in steps_from(case.partnership.state) if step.dest for role in step.by)
    who = listed([role.label for role in movers if role is not Role.CLOCK]) or "personne : le dossier est terminé"
    return Reason("WRONG_STATE", sentence, who, str(HOUSE))


def _wrong_role(step: Step, actor: Actor) -> Reason:
    roles = [role.label for role in step.by if role is not Role.CLOCK] or [Role.CLOCK.label]
    held = listed(sorted(role.label for role in actor.roles))
    needed = alternatives([f"« {label} »" for label in roles])
    sentence = f"« {step.label} » revient au rôle {needed} ; {actor.name} est au registre comme {held}."
    return Reason("WRONG_ROLE", sentence, alternatives(roles), str(HOUSE))
