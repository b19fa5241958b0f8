"""What a person may ask of the server by the form of a step: this step, on these fields, now. Nothing of how it is run."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from states.lifecycle import STEPS
from states.values.french import listed

LATEST = timedelta(days=1)
NAME_AT_MOST = 200
DEEP_AT_MOST = 30  # levels of what is asked
FIELDS = frozenset({"parameters", "name", "state", "tags", "enforce_parameter_schema"})
OF_A_STATE = frozenset({"type", "name", "message", "state_details"})
QUEUE = "default"
TEMPLATE = "__prefect_kind"  # Prefect would compute the value from a template, or read a variable
JOB = "job_variables"
SOURCE = "source:"  # the tag by which a run knows from where it was asked for; nobody but the gate gives it


def job_variables_in(value: object, deep: int = 0) -> bool:
    """Whether something that is sent says, at any level, how a run is to be run."""
    if deep > DEEP_AT_MOST:
        return True
    if isinstance(value, Mapping):
        return bool(value.get(JOB)) or any(job_variables_in(item, deep + 1) for item in value.values())
    return isinstance(value, list) and any(job_variables_in(item, deep + 1) for item in value)


def asked(content: object, *, tags: Collection[str], now: datetime) -> dict[str, object] | str:
    """What may go on to Prefect of a question for a run, without its empty fields; a sentence when it holds anything else.

    `tags` are those of its deployment.
    """
    if not isinstance(content, Mapping):
        return "Une demande est un objet JSON."
    given = {str(name): value for name, value in content.items() if not _says_nothing(name, value)}
    if foreign := sorted(given.keys() - FIELDS):
        named = listed([f"« {name[:40]} »" for name in foreign[:5]])
        return f"Une demande ne dit pas comment elle est exécutée : {named} n’est pas accepté."
    if objection := _of_its_fields(given, tags) or _of_its_state(given.get("state") or {}, now):
        return objection
    return given


def _says_nothing(name: object, value: object) -> bool:
    """Whether a field is as an untouched form sends it: empty, nought retries, the one queue that there is."""
    if name in ("enforce_parameter_schema", "parameters"):
        return False
    if isinstance(value, Mapping):
        return not any(value.values())
    return not value or (name, value) == ("work_queue_name", QUEUE)


def _of_its_fields(given: Mapping[str, object], tags: Collection[str]) -> str | None:
    name, its_tags = given.get("name", ""), given.get("tags", [])
    if not isinstance(name, str) or len(name) > NAME_AT_MOST or not name.isprintable():
        return f"Le nom d’une exécution est un texte de {NAME_AT_MOST} signes au plus."
    if not isinstance(its_tags, list) or not all(isinstance(tag, str) and tag in tags for tag in its_tags):
        return "Une demande ne porte que les étiquettes de son formulaire."
    if _is_computed(given.get("parameters", {})):
        return "Les champs d’un formulaire sont des valeurs : rien n’y est calculé."
    return None


def _is_computed(value: object, deep: int = 0) -> bool:
    if deep > DEEP_AT_MOST:
        return True
    if isinstance(value, Mapping):
        if value.get(TEMPLATE) == "json" and value.keys() == {TEMPLATE, "value"} and isinstance(value["value"], str):
            return False  # what somebody typed as JSON, which the server reads and nothing else
        return TEMPLATE in value or any(_is_computed(item, deep + 1) for item in value.values())
    return isinstance(value, list) and any(_is_computed(item, deep + 1) for item in value)


def _of_its_state(state: object, now: datetime) -> str | None:
    if not isinstance(state, Mapping) or state.keys() - OF_A_STATE or state.get("type", "SCHEDULED") != "SCHEDULED":
        return "Une demande attend d’être exécutée : elle n’a pas d’autre état."
    details = {name: value for name, value in (state.get("state_details") or {}).items() if value} if _is_details(state) else None
    if details is None or details.keys() - {"scheduled_time"}:
        return "L’état d’une demande ne dit que son heure."
    if "scheduled_time" in details and not _is_soon(details["scheduled_time"], now):
        return "Une demande s’exécute dans la journée : son heure est à moins de 24 heures."
    return None


def _is_details(state: Mapping[str, object]) -> bool:
    return isinstance(state.get("state_details") or {}, Mapping)


def _is_soon(text: object, now: datetime) -> bool:
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError:
        return False
    return at.tzinfo is not None and at - now <= LATEST


def is_step(deployment: str) -> bool:
    """Whether a deployment is a step of the table, which everybody may ask for; the rounds start by the clock."""
    return deployment in STEPS
