"""One Prefect flow for each step of the table, made from the table: translate, fire, answer.

A run asks, it never writes a state itself. It is never retried by Prefect; started again, it gives the same key
(the id of the run), so the ledger gives the first answer again. No personal data passes through parameters:
a step that needs a name takes it from a file of the inbox.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import cache
from typing import Annotated, NamedTuple

from prefect import Flow, flow
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.objects import State as RunState
from prefect.context import FlowRunContext
from prefect.runtime import flow_run
from pydantic import Field, ValidationError

from flows.deliver import follow_step, log_answer
from flows.desk.ends import completed, failed
from flows.desk.forms import TITLES
from flows.home import Home, shared_home
from flows.intake.undoing import entry_meant
from flows.ports import inbox
from flows.ports.clock import now
from flows.settings import settings
from models.answers import Answer, Conflict, Done, Invalid
from models.database.faults import Unreachable
from models.people.codes import Shown
from states.grammar.guard import Reason, Refused
from states.grammar.request import Request
from states.grammar.step import Step
from states.lifecycle import STEPS
from states.values.french import sentences

CODE_AT_MOST = 20
SOURCE = "source:"  # the tag that the gate gives a run (see `flows.server.asking`)
REFERENCE = re.compile(r"[A-Z0-9][A-Z0-9-]{2,59}")
Reference = Annotated[str, Field(title=TITLES["reference"])]
PersonName = Annotated[str, Field(title=TITLES["person"])]
Code = Annotated[
    str | None,
    Field(
        title=TITLES["code"],
        max_length=CODE_AT_MOST,
    ),
]
InboxFile = Annotated[str, Field(title=TITLES["file"], json_schema_extra={"pattern": inbox.FILE_NAME})]


def sentence_of(reason: Reason) -> str:
    """A reason as one line: its code, the sentence, who can clear it."""
    return f"{reason.code} : {reason.reason} → {reason.who}"


def answered(answer: Answer) -> RunState[None]:
    """The final state of a run: an answer is never a traceback."""
    if isinstance(answer, Refused):
        return failed("Refused", "\n".join(sentence_of(reason) for reason in answer.reasons))
    if isinstance(answer, Conflict):
        return failed("Conflict", answer.sentence)
    warnings = "".join(f" À savoir : {warning.reason}" for warning in answer.warnings)
    return completed(f"{answer.reference} est « {answer.state.label} » (version {answer.version}).{warnings}")


def translate(step: Step, payload: object) -> Request:
    """The request of a step, from whatever a form, a file or an API call gave. Raises Invalid, never naming the values."""
    if isinstance(payload, step.asks):
        return payload
    inbox.bounded(payload)
    try:
        return step.asks.model_validate(payload)
    except ValidationError as fault:
        raise Invalid(*sentences(step.asks, fault)) from None


# What a run of a step calls: it is awaited, and answers with the state in which it ends.
StepFlow = Flow[..., Coroutine[object, object, RunState[None]]]


class Form(NamedTuple):
    """What a form holds besides the request: on which dossier, who says to be acting, and the one-time code that proves it."""

    reference: str | None
    person: str
    code: str | None


async def fire(step: Step, form: Form, payload_of: Callable[[Home], object], done: Callable[[Home], None]) -> RunState[None]:
    """Ask the ledger and answer as a run ends, in its log too. `payload_of` reads the request, `done` tidies up after an accepted one."""
    state = await _fire(step, form, payload_of, done)
    await log_answer(state, flow_run.id)
    return state


async def _fire(step: Step, form: Form, payload_of: Callable[[Home], object], done: Callable[[Home], None]) -> RunState[None]:
    try:
        home = shared_home(settings())
        answer = _answer(home, step, form, payload_of)
        if isinstance(answer, Done):
            with suppress(OSError):  # a file that stays in the inbox does no harm: the step is done
                done(home)
        await follow_step(home, answer, form.reference)
    except Invalid as fault:
        return failed("Invalid", " ".join(fault.sentences))
    except Unreachable as fault:
        return failed("Unreachable", str(fault))
    except Exception as fault:  # noqa: BLE001 - what a driver says of a fault may quote a row: its kind must do
        return failed("Fault", f"Erreur inattendue de jalon ({type(fault).__name__}).")
    return answered(answer)


def _answer(home: Home, step: Step, form: Form, payload_of: Callable[[Home], object]) -> Answer:
    if not isinstance(form.person, str) or not isinstance(form.reference, str | None):
        raise Invalid("La référence du dossier et le nom de la personne sont des textes.")
    key, shown = f"prefect:{flow_run.id}", _shown(home, step, form.code)
    earlier = home.ledger.answered(key, form.reference, step.trigger, form.person)
    if earlier is not None:
        return earlier  # this run was started again; its file may be gone from the inbox
    try:
        request = translate(step, payload_of(home))
        reference = form.reference or str(getattr(request, "reference", ""))
        return home.ledger.fire(
            reference, step.trigger, request, actor=form.person, at=now(), key=key, via="prefect", shown=shown
        )  # fmt: skip
    except Invalid:
        _use_up(home, form, shown)
        raise


def _shown(home: Home, step: Step, code: str | None) -> Shown | None:
    """The code as it was when the run was created: a worker may take the run a minute later, when the code has passed."""
    if not (step.asks_code or step.takes_back or home.settings.codes == "every" or code):
        return None
    run = FlowRunContext.get()
    return _as_shown(code, run.flow_run if run is not None else None)


def _as_shown(code: object, run: FlowRun | None) -> Shown:
    """A code, or none when it cannot be one: a form that was walked around may hold anything."""
    legible = code if isinstance(code, str) and code.isascii() and len(code) <= CODE_AT_MOST else None
    source = next((tag.removeprefix(SOURCE) for tag in run.tags if tag.startswith(SOURCE)), "") if run is not None else ""
    return Shown(legible, (run.created if run is not None else None) or now(), f"form:{source}" if source else "")


def _use_up(home: Home, form: Form, shown: Shown | None) -> None:
    """A code in a run that asked nothing of the ledger is used up all the same: it stays in Prefect, where others may read it."""
    if shown is not None and shown.code is not None and isinstance(form.person, str):
        with suppress(Invalid, Unreachable):
            home.ledger.use_up(form.person, shown)


def use_up_code(trigger: str, run: FlowRun) -> None:
    """Use up the code of a run that cannot even be called."""
    person, code = run.parameters.get("person"), run.parameters.get("code")
    if trigger in STEPS and isinstance(person, str):
        with suppress(Invalid, Unreachable):
            _use_up(shared_home(settings()), Form(None, person, code), _as_shown(code, run))


def _run_name() -> str:
    """« sign CDG00-EXEMPLE-2025 »; what was typed in place of a reference is not repeated."""
    parameters = flow_run.parameters
    request = parameters.get("request")
    reference = parameters.get("reference") or (request.get("reference") if isinstance(request, dict) else None)
    suffix = reference if isinstance(reference, str) and REFERENCE.fullmatch(reference) else ""
    return f"{flow_run.flow_name or ''} {suffix}".strip()


def _asking(step: Step) -> tuple[Callable[..., Coroutine[object, object, RunState[None]]], dict[str, object]]:
    """What a run of the step calls, and the fields of its form; names come from a file of the inbox."""

    async def from_form(*, reference: str, person: str, code: str | None = None, request: object) -> RunState[None]:
        return await fire(
            step, Form(reference, person, code), lambda home: inbox.fingerprinted(home.settings.inbox, request), lambda _: None
        )

    async def from_page(*, reference: str, person: str, code: str | None = None, request: object) -> RunState[None]:
        return await fire(step, Form(reference, person, code), lambda home: entry_meant(home, reference, request), lambda _: None)

    async def from_file(*, person: str, code: str | None = None, request: object) -> RunState[None]:
        return await fire(step, Form(None, person, code), lambda home: inbox.fingerprinted(home.settings.inbox, request), lambda _: None)

    async def from_inbox(*, reference: str, person: str, code: str | None = None, file: str) -> RunState[None]:
        form = Form(reference, person, code)
        return await fire(
            step, form, lambda home: inbox.read(home.settings.inbox, file), lambda home: inbox.drop(home.settings.inbox, file)
        )

    if step.opens:
        return from_file, {"person": PersonName, "request": step.asks}
    if step.asks.personal:
        return from_inbox, {"reference": Reference, "person": PersonName, "file": InboxFile}
    return from_page if step.takes_back else from_form, {"reference": Reference, "person": PersonName, "request": step.asks}


def flow_of(step: Step) -> StepFlow:
    """The flow of one step. Its parameters are the form; they are checked here again, because Prefect's own check can be skipped."""
    run, asks = _asking(step)
    run.__annotations__ = {**asks, "code": Code, "return": object}
    run.__name__ = run.__qualname__ = step.trigger
    made: StepFlow = flow(
        name=step.trigger,
        flow_run_name=_run_name,
        description=f"{step.label}. Par : {', '.join(role.label for role in step.by)}.",
        validate_parameters=False,
        retries=0,
        persist_result=False,
    )(run)
    return made


@cache
def flow_named(trigger: str) -> StepFlow:
    """The flow of a step, made when it is first asked for: making all of them takes half a second. Raises KeyError."""
    return flow_of(STEPS[trigger])


def __getattr__(name: str) -> StepFlow:
    """prefect.yaml names each flow as an attribute of this module: flows.steps.sign."""
    if name not in STEPS:
        raise AttributeError(name)
    return flow_named(name)
