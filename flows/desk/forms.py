"""The run forms of Prefect as people fill them: French titles, plain fields, choices in words, the dossiers and people to choose from.

What is given in words is told back as codes by `states.values.choices`; an empty field is left out, so nothing has to be called None.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flows.intake.undoing import WRITTEN
from flows.ports import inbox
from models.people.register import Person
from states.dossier.requests import Undoing
from states.grammar.step import Step
from states.values.choices import LABELS
from states.values.fields import SHA256_PATTERN

HINTS = {
    "code": {
        "description": "Les six chiffres que votre application affiche maintenant ; un code sert une fois",
        "pattern": "^[0-9]{3} ?[0-9]{3}$",
    }
}
DOCUMENT_HINT = "64 caractères (0 à 9, a à f), ou @ et le nom d’un fichier de la corbeille d’arrivée, sans nom de stagiaire"
ENTRY_TITLE = Undoing.model_fields["entry"].title
ENTRY_HINT = "Son numéro ; depuis la page du dossier, ce qui serait annulé est écrit après"
OFFERED_AT_MOST = 100  # dossiers, or people, in one form; with more, the reference or the name is typed
# What the form writes above its fields: Prefect itself writes the names of parameters.
TITLES = {
    "reference": "Référence du dossier",
    "person": "Personne du registre qui agit",
    "code": "Code à usage unique",
    "request": "Demande",
    "file": "Fichier déposé dans la corbeille d’arrivée",
}


def acting(row: Step, people: Sequence[Person]) -> list[str] | None:
    """Who may be chosen in a form: first those whose own role it takes, then those to whom it may be lent; None when too many."""
    ordered = sorted(people, key=lambda person: (set(row.by).isdisjoint(person.roles), person.name))
    return [person.name for person in ordered] if 0 < len(ordered) <= OFFERED_AT_MOST else None


def offering(schema: dict[str, object], *, proved: bool, **offered: list[str] | None) -> dict[str, object]:
    """The schema of a form, where each field of `offered` is one of these, or any text when there is None; `proved`: by a code."""
    plain: dict[str, Any] = _plain(schema)
    properties = {
        name: {**field, "title": TITLES.get(name, name), **HINTS.get(name, {})} for name, field in plain.get("properties", {}).items()
    }
    for name in offered.keys() & properties.keys():
        properties[name].pop("enum", None)
        properties[name] |= {"enum": offered[name]} if offered[name] else {}
    required = [name for name in properties if (name in plain.get("required", ()) and name != "code") or (name == "code" and proved)]
    return {**plain, "properties": properties, "required": required}


def _plain(node: Any) -> Any:
    """A schema, or a part of one, without the choice between a type and None, and with choices in words."""
    if isinstance(node, list):
        return [_plain(item) for item in node]
    if not isinstance(node, dict):
        return node
    types = [kind for kind in node.get("anyOf", ()) if kind.get("type") != "null"]
    if len(types) == 1:
        node = types[0] | {name: value for name, value in node.items() if name != "anyOf"}
    if node.get("title") == ENTRY_TITLE:
        node = {"title": ENTRY_TITLE, "description": ENTRY_HINT, "type": "string", "pattern": WRITTEN}
    if node.get("pattern") == SHA256_PATTERN:
        node = node | {"pattern": f"^([0-9a-f]{{64}}|{inbox.DOCUMENT})$", "description": DOCUMENT_HINT}
    shown = {name: _plain(value) for name, value in node.items() if (name, value) != ("default", None)}
    if "enum" in shown and isinstance(shown["enum"], list):
        shown["enum"] = [LABELS.get(code, code) for code in shown["enum"]]
        shown |= {"default": LABELS.get(shown["default"], shown["default"])} if "default" in shown else {}
    return shown
