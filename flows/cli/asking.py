"""The commands that ask for a step: one for each row of the table, with options made from what the row asks."""

from __future__ import annotations

import inspect
import json
import sys
import uuid
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from getpass import getpass, getuser
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from cyclopts import Parameter
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from flows.cli.choosing import entry_chosen
from flows.cli.screen import Page, of_answer, show
from flows.home import Home
from flows.intake.undoing import took_a_code
from flows.ports.clock import now
from flows.ports.files import fingerprint, standard_input, taken
from flows.ports.inbox import AT_MOST, bounded, parsed
from models.answers import Answer, Invalid
from models.database.faults import Unreachable
from models.people.codes import Shown
from states.grammar.guard import Refused
from states.grammar.request import Request
from states.grammar.step import Step
from states.lifecycle import OPENING, STEPS
from states.trainees.requests import residences_of
from states.values.french import sentences
from states.values.plain import legible

Fixed = inspect.Parameter.KEYWORD_ONLY
PERSON = Annotated[str, Parameter(name="--as", metavar="NOM", help="Qui agit : un nom du registre des personnes")]
KEY = Annotated[
    str | None, Parameter(name="--key", metavar="CLÉ", help="Clé d’idempotence : la même clé deux fois donne la première réponse")
]
SEEN = Annotated[
    int | None, Parameter(name="--if-version", metavar="NOMBRE", help="Ne faire l’étape que si le dossier en est encore à cette version")
]
CODE = Annotated[
    str | None,
    Parameter(
        name="--code",
        metavar="CODE",
        help="Code à usage unique de la personne : demandé pour ce qui touche à l’argent, et pour prêter un rôle",
    ),
]
JSON = Annotated[bool, Parameter(name="--json", negative="", show_default=False, help="Répondre en JSON")]
DAY = Annotated[str | None, Parameter(name="--on", metavar="DATE", help="Date du fait (AAAA-MM-JJ), si la demande ne la donne pas")]
DOSSIER = Annotated[str, Parameter(allow_leading_hyphen=True, help="Fichier JSON du dossier, ou - pour l’entrée standard")]
FILE = Annotated[
    str | None,
    Parameter(
        name="--request", metavar="FICHIER", allow_leading_hyphen=True, help="Fichier JSON de la demande, ou - pour l’entrée standard"
    ),
]

METAVARS = {date: "DATE", int: "NOMBRE", Decimal: "MONTANT"}


class Option:
    """One option of a command: where its value goes in the request, and how it is shown."""

    def __init__(self, path: tuple[str, ...], field: FieldInfo, *, in_required: bool = True) -> None:
        self.path = path
        # What may stay empty in a request, as the motive, is what a rule demands: so that its absence is in the journal.
        self.required = in_required and (field.is_required() or field.default == "")
        self.name = "_".join(path)
        self.flag = "--" + "-".join(path).replace("_", "-")
        kind = _bare(field.annotation)
        self.many = get_origin(kind) is tuple
        self.model = get_args(kind)[0] if self.many and _is_model(get_args(kind)[0]) else None
        self.metavar = METAVARS.get(get_args(kind)[0] if self.many else kind, "TEXTE")
        self.help = ". ".join(text for text in (field.title, field.description, self._choices(kind), "Obligatoire" * self.required) if text)

    @property
    def annotation(self) -> object:
        parameter = Parameter(name=self.flag, metavar=self.metavar, help=self.help, negative="", consume_multiple=self.many)
        return Annotated[list[str] | None if self.many else str | None, parameter]

    def value(self, given: str | list[str]) -> object:
        """What the request gets: @FILE gives the fingerprint of a file, « cle=valeur;... » becomes an object."""
        if self.model is not None:
            return [_object(text, self.flag) for text in given]
        if isinstance(given, str) and self.name.endswith("sha256") and given.startswith("@"):
            return fingerprint(Path(given[1:]), called=f"Le fichier {given[1:]}")
        return given

    def _choices(self, kind: Any) -> str:
        inner = get_args(kind)[0] if self.many else kind
        if self.model is not None:
            return "S’écrit « " + ";".join(f"{name}=..." for name in self.model.model_fields) + " »"
        if get_origin(inner) is Literal:
            return "Valeurs : " + ", ".join(map(str, get_args(inner)))
        return "Une empreinte, ou @FICHIER pour la calculer" if self.name.endswith("sha256") else ""


def options_of(model: type[BaseModel], path: tuple[str, ...] = (), *, in_required: bool = True) -> list[Option]:
    """The options of a request; a group of fields gives one option for each of its fields."""
    found: list[Option] = []
    for name, field in model.model_fields.items():
        kind, inside = _bare(field.annotation), in_required and field.is_required()
        if _is_model(kind):
            found += options_of(kind, (*path, name), in_required=inside)
        else:
            found.append(Option((*path, name), field, in_required=in_required))
    return found


def command_of(step: Step, home: Callable[[], Home]) -> Callable[..., int]:
    """The command of one step, ready for the command line."""
    options = options_of(step.asks)

    def run(reference: str, **given: Any) -> int:
        content = request_file(given.get("request"))
        for option in options:
            if given.get(option.name) is not None:
                _put(content, option.path, option.value(given[option.name]))
        if step.takes_back and content.get("entry") is None:
            content["entry"] = entry_chosen(home(), reference, given["person"])
        request = read_request(step, content, on=given.get("on"))
        proved = step.asks_code or (step.takes_back and took_a_code(home(), reference, request))
        code = prompted(given.get("code"), given["person"]) if proved else given.get("code")
        fields = {"person": given["person"], "key": given.get("key"), "seen": given.get("seen")}
        page = ask(home(), step, reference, request, **fields, code=code, proved=proved)
        return show(page, as_json=given.get("as_json", False))

    run.__name__ = step.trigger
    run.__doc__ = f"{step.label}."
    run.__signature__ = _signature(options)  # type: ignore[attr-defined]
    return run


def open_command(home: Callable[[], Home]) -> Callable[..., int]:
    """`jalon open FILE`: the dossier file is the whole request."""

    def run(file: DOSSIER, *, person: PERSON, key: KEY = None, as_json: JSON = False) -> int:
        request = read_request(OPENING, request_file(file))
        reference = request.reference  # type: ignore[attr-defined]
        return show(ask(home(), OPENING, reference, request, person=person, key=key, seen=None), as_json=as_json)

    run.__doc__ = "Ouvrir un dossier, décrit par un fichier JSON (- pour l’entrée standard)."
    return run


def source() -> str:
    """Where a code that is typed here comes from."""
    return f"terminal:{getuser()}"


def prompted(code: str | None, person: str) -> str | None:
    """The code that was given, or that somebody at a terminal types now, unseen."""
    if code is None and sys.stdin.isatty():
        return getpass(legible(f"Code à usage unique pour {person} : ", keep=""))
    return code


def ask(
    home: Home,
    step: Step,
    reference: str,
    request: Request,
    *,
    person: str,
    key: str | None,
    seen: int | None,
    code: str | None = None,
    proved: bool = False,
) -> Page:
    """Put the request to the ledger; with the one-time code where the person must be `proved`, or where one is given."""
    shown = Shown(code, now(), source()) if proved or code is not None else None
    key = key if key is not None else f"cli:{uuid.uuid4()}"
    try:
        answer = home.ledger.fire(
            reference, step.trigger, request, actor=person, at=now(), key=key, via="jalon", expected_version=seen, shown=shown
        )
    except Unreachable as fault:
        # The answer may be lost after the commit: with the same key, asking again cannot do the step twice.
        raise Unreachable(f"{fault} Pour redemander sans risque de doublon, ajoutez : --key {key}") from fault
    return _proposing(of_answer(answer), request, answer)


def _proposing(page: Page, request: Request, answer: Answer) -> Page:
    """What a name that no commune has may have meant: for the eyes of who typed it, and never in the journal."""
    if not isinstance(answer, Refused) or all(reason.code != "COMMUNE_UNKNOWN" for reason in answer.reasons):
        return page
    from flows.ports.communes import proposal  # 35,000 communes: only here

    found = [meant for text in residences_of(request)[:1] if (meant := proposal(text))]
    return page._replace(lines=[*page.lines, *[f"  {meant[0].upper()}{meant[1:]}" for meant in found]])


def read_request(step: Step, content: Mapping[str, object], *, on: str | None = None) -> Request:
    """The request of a step. `on` gives its legal date where the content does not. Raises Invalid."""
    dated_by = step.asks.dated_by
    if on is not None:
        if content.get(dated_by) not in (None, on):
            raise Invalid(f"La date --on {on} contredit celle de la demande ({dated_by}).")
        content = {**content, dated_by: on}
    bounded(content)
    try:
        return step.asks.model_validate(content)
    except ValidationError as fault:
        raise Invalid(*sentences(step.asks, fault)) from None


def _signature(options: list[Option]) -> inspect.Signature:
    fixed = {
        "person": (PERSON, inspect.Parameter.empty),
        "request": (FILE, None),
        "on": (DAY, None),
        "key": (KEY, None),
        "seen": (SEEN, None),
        "code": (CODE, None),
    }
    return inspect.Signature(
        [
            inspect.Parameter(
                "reference", inspect.Parameter.POSITIONAL_ONLY, annotation=Annotated[str, Parameter(help="Référence du dossier")]
            ),
            *(inspect.Parameter(name, Fixed, annotation=kind, default=default) for name, (kind, default) in fixed.items()),
            inspect.Parameter("as_json", Fixed, annotation=JSON, default=False),
            *(inspect.Parameter(option.name, Fixed, annotation=option.annotation, default=None) for option in options),
        ],
        return_annotation=int,
    )


def request_file(name: str | None) -> dict[str, object]:
    if name is None:
        return {}
    if name == "-":
        return parsed(standard_input(AT_MOST), "L’entrée standard")
    return parsed(taken(Path(name), AT_MOST, called=f"Le fichier {name}"), name)


def _object(text: str, flag: str) -> dict[str, object]:
    if text.lstrip().startswith("{"):
        return parsed(text.encode(), flag)
    parts = [part.partition("=") for part in text.split(";")]
    if not all(equals for _, equals, _ in parts):
        raise Invalid(f"{flag} s’écrit « clé=valeur;clé=valeur » ou en JSON.")
    return {name.strip(): value.strip() for name, _, value in parts}


def _put(content: dict[str, object], path: tuple[str, ...], value: object) -> None:
    *groups, last = path
    for group in groups:
        inner = content.setdefault(group, {})
        if not isinstance(inner, dict):
            raise Invalid(f"« {group} » doit contenir un groupe de champs.")
        content = inner
    content[last] = value


def _bare(annotation: Any) -> Any:
    """The type itself, without `Annotated` and without `| None`."""
    if get_origin(annotation) is Annotated:
        return _bare(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return _bare(next(part for part in get_args(annotation) if part is not type(None)))
    return annotation


def _is_model(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def schema_of(trigger: str) -> Page:
    """The JSON Schema of what a step asks."""
    step = STEPS.get(trigger)
    if step is None:
        raise Invalid(f"L’étape « {trigger} » n’existe pas. Étapes : {', '.join(STEPS)}.")
    schema = step.asks.model_json_schema()
    return Page([json.dumps(schema, ensure_ascii=False, indent=2)], schema)
