"""The French words of jalon that belong to no row of the table and to no rule: amounts, dates, errors of a form."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError
    from pydantic_core import ErrorDetails

MONTHS = (
    "janvier", "février", "mars", "avril", "mai", "juin",
    "juillet", "août", "septembre", "octobre", "novembre", "décembre",
)  # fmt: skip


def euros(amount: Decimal) -> str:
    """`40000.00` as « 40 000,00 € », with no-break spaces."""
    return f"{amount:,.2f}".replace(",", "\u202f").replace(".", ",") + "\u00a0€"


def day(value: date) -> str:
    """`2025-12-09` as « 9 décembre 2025 » (« 1er » for the first of a month)."""
    return f"{'1er' if value.day == 1 else value.day} {MONTHS[value.month - 1]} {value.year}"


def counted(number: int, singular: str, several: str) -> str:
    """« 1 stagiaire », « 2 stagiaires »; in French, zero is singular."""
    return f"{number} {singular if number < 2 else several}"


def listed(words: Sequence[str]) -> str:
    """« a », « a et b », « a, b et c »."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} et {words[-1]}" if words else ""


def alternatives(words: Sequence[str]) -> str:
    """« a », « a ou b », « a, b ou c »."""
    return " ou ".join(filter(None, (", ".join(words[:-1]), words[-1])))


DISKS = {
    errno.EROFS: "le disque est en lecture seule",
    errno.ENOSPC: "le disque est plein",
    errno.EDQUOT: "le disque est plein pour cet utilisateur",
    errno.EFBIG: "le fichier dépasse la taille permise",
}


def unreadable(fault: OSError) -> str:
    """Why a file cannot be read or written."""
    kinds = (
        (FileNotFoundError, "le chemin n’existe pas"),
        (PermissionError, "les droits manquent"),
        (IsADirectoryError, "c’est un dossier"),
        ((NotADirectoryError, FileExistsError), "une partie du chemin est un fichier"),
    )
    if fault.errno in DISKS:
        return DISKS[fault.errno]
    return next((words for kind, words in kinds if isinstance(fault, kind)), "le disque ne répond pas")


SENTENCES = {
    "missing": "ce champ est obligatoire",
    "extra_forbidden": "ce champ n’existe pas",
    "int_parsing": "un nombre entier est attendu",
    "int_from_float": "un nombre entier est attendu",
    "int_type": "un nombre entier est attendu",
    "bool_parsing": "oui (true) ou non (false) est attendu",
    "bool_type": "oui (true) ou non (false) est attendu",
    "string_type": "un texte est attendu",
    "string_unicode": "ce texte n’est pas lisible (codage incorrect)",
    "string_too_short": "ce champ est vide",
    "string_too_long": "ce texte est trop long ({max_length} caractères au plus)",
    "string_pattern_mismatch": "la forme attendue est {form}",
    "greater_than_equal": "la valeur doit être au moins {ge}",
    "less_than_equal": "la valeur doit être au plus {le}",
    "literal_error": "valeur inconnue ; valeurs possibles : {expected}",
    "tuple_type": "une liste est attendue",
    "model_type": "un groupe de champs est attendu",
    "model_attributes_type": "un groupe de champs est attendu",
    "json_invalid": "ce n’est pas du JSON lisible",
}
TOLD_AT_MOST = 50  # faults of one request
FORMS = {
    "^[0-9a-f]{64}$": "une empreinte sha256 (64 chiffres hexadécimaux en minuscules)",
    "^[A-Z]{3}$": "un code de devise de trois lettres, par exemple EUR",
    "^(0[1-9]|1[0-9]|2[1-9AB]|[3-8][0-9]|9[0-5]|97[1-8]|98[6-8])$": (
        "un code de département : 01 à 95 (2A ou 2B en Corse), 971 à 978 ou 986 à 988, par exemple 62"
    ),
    "^20[0-9]{2}-20[0-9]{2}$": "une année universitaire, par exemple 2025-2026",
    "^([0-9]{2}|2[AB])[0-9]{3}$": "un code INSEE de commune, par exemple 62119",
    "^[A-Z0-9][A-Z0-9-]{2,59}$": "majuscules, chiffres et tirets (3 à 60 signes), par exemple CDG62-ARTOIS-DUSGM-2025",
}


def sentences(model: type[BaseModel], error: ValidationError) -> tuple[str, ...]:
    """One French sentence for each fault of a request, each naming the field; never the value that was typed. The first ones, of many."""
    items = error.errors(include_url=False, include_input=False)
    more = len(items) - TOLD_AT_MOST
    rest = (f"Et {counted(more, 'autre erreur', 'autres erreurs')}.",) if more > 0 else ()
    return (*(_sentence(model, item) for item in items[:TOLD_AT_MOST]), *rest)


def _sentence(model: type[BaseModel], item: ErrorDetails) -> str:
    fault = _fault(item)
    return f"{_named(model, item['loc'])} : {fault}." if item["loc"] else f"{fault[0].upper()}{fault[1:]}."


def _fault(item: ErrorDetails) -> str:
    context = dict(item.get("ctx") or {})
    if item["type"].startswith("jalon_"):
        return str(item["msg"])
    if "pattern" in context:
        context["form"] = FORMS.get(context["pattern"], "différente : relisez ce champ")
    if "expected" in context:
        context["expected"] = context["expected"].replace(" or ", ", ").replace("'", "")
    return SENTENCES.get(item["type"], "cette valeur n’est pas acceptée").format(**context)


def _named(model: type[BaseModel], path: Sequence[int | str]) -> str:
    """« Conditions validées › Montant par stagiaire (conditions.rate) »."""
    titles: list[str] = []
    here: object = model
    for part in path:
        field = getattr(here, "model_fields", {}).get(part)
        if field is not None:
            titles.append(field.title or str(part))
            here = _model_inside(field.annotation)
        elif isinstance(part, int):
            titles.append(f"n° {part + 1}")
    # A key is typed by a person too: what cannot be printed is not repeated.
    dotted = "".join(letter if letter.isprintable() else "?" for letter in ".".join(str(part) for part in path))
    return f"{' › '.join(titles)} ({dotted})" if titles else f"« {dotted[:60]} »"


def _model_inside(annotation: object) -> object:
    if hasattr(annotation, "model_fields"):
        return annotation
    return next((found for arg in getattr(annotation, "__args__", ()) if (found := _model_inside(arg))), None)
