"""The columns of a sheet of trainees: their headers, how their cells are read, and an empty sheet that asks for them."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, NamedTuple

from models.answers import Invalid
from states.trainees.identity import plain
from states.values.french import unreadable

LINES_WITH_RULES = 2000
DATE_FORM = "une date s’écrit JJ/MM/AAAA, par exemple 12/03/1987"
FORMULA = "cette cellule contient une formule : remplacez-la par sa valeur"
ERROR = "cette cellule affiche une erreur de calcul : écrivez la valeur"
MARKS = {"formula": FORMULA, "error": ERROR}
ERROR_TEXT = re.compile(r"#[A-ZÉ0-9/]+[!?]?|Err\s?:\s?[0-9]+")
REGIMES = {
    **dict.fromkeys(("fc", "continue", "formationcontinue"), "continuing"),
    **dict.fromkeys(("fi", "initiale", "formationinitiale"), "initial"),
}


class Wrong(Exception):
    """A cell that cannot be taken; it never repeats what the cell holds."""


def _text(value: object) -> str:
    """A text, or a number as people write it: 62400.0 is « 62400 »."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value.strip() if isinstance(value, str) else str(value)


def _name(value: object) -> object:
    if isinstance(value, str) and (value.lstrip()[0] in "=+-@" or not plain(value)):
        raise Wrong("un nom commence par une lettre")
    return value.strip(" \u00a0\u202f") if isinstance(value, str) else value


def _day(value: object) -> date:
    """A day as a date cell, or as 12/03/1987, 12-03-1987, 12.03.1987 or 1987-03-12."""
    if type(value) is date:
        return value
    if isinstance(value, time):
        raise Wrong("une date sans heure est attendue")
    if not isinstance(value, str):
        raise Wrong("ce nombre n’est pas une date : donnez à la cellule le format Date, ou écrivez JJ/MM/AAAA")
    text = value.strip()
    if re.fullmatch(r"[0-9]{1,2}[/.-][0-9]{1,2}[/.-][0-9]{2}", text):
        raise Wrong("l’année s’écrit avec quatre chiffres, par exemple 12/03/1987")
    if french := re.fullmatch(r"([0-9]{1,2})([/.-])([0-9]{1,2})\2([0-9]{4})", text):
        year, month, day = french[4], french[3], french[1]
    elif iso := re.fullmatch(r"([0-9]{4})-([0-9]{2})-([0-9]{2})", text):
        year, month, day = iso.groups()
    else:
        raise Wrong(DATE_FORM)
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        raise Wrong("cette date n’existe pas dans le calendrier") from None


def _whole(value: object) -> int:
    text = "" if isinstance(value, bool) else _text(value)
    if not re.fullmatch(r"-?[0-9]{1,9}([.,]0+)?", text):
        raise Wrong("un nombre entier est attendu")
    return int(re.split("[.,]", text)[0])


def _regime(value: object) -> str:
    regime = REGIMES.get(plain(value)) if isinstance(value, str) else None
    if regime is None:
        raise Wrong("le régime est « formation continue » ou « formation initiale »")
    return regime


def _insee(value: object) -> str:
    # A number has lost the zero of the first nine departments.
    text = _text(value).removesuffix(".0").upper().zfill(5)
    if not re.fullmatch("([0-9]{2}|2[AB])[0-9]{3}", text):
        raise Wrong("un code INSEE a cinq signes, par exemple 62119 pour Béthune")
    return text


def _postcode(value: object) -> str:
    text = _text(value).removesuffix(".0").replace(" ", "").zfill(5)
    if not re.fullmatch("[0-9]{5}", text):
        raise Wrong("un code postal a cinq chiffres")
    return text


def _commune(value: object) -> str:
    text = _text(value)
    # A postcode here would be taken for the INSEE code of another commune.
    if not isinstance(value, str) or re.fullmatch("[0-9][0-9ABab]?[0-9 .]*", text):
        raise Wrong("le nom d’une commune est attendu ; son code INSEE se met dans la colonne « Code INSEE »")
    return text


class Column(NamedTuple):
    """One column: `words` are its headers as `plain` reads them, `reads` raises Wrong."""

    field: str
    header: str
    words: tuple[str, ...]
    reads: Callable[[object], object]
    asks: str


COLUMNS = (
    Column(
        "family_name", "Nom de famille", ("nom", "nomdefamille", "nomdenaissance"), _name,
        "Obligatoire. Le nom de famille, avec ses accents.",
    ),
    Column(
        "given_name", "Prénom", ("prenom", "prenoms"), _name,
        "Obligatoire. Le prénom usuel suffit.",
    ),
    Column(
        "born_on", "Date de naissance", ("datedenaissance", "nele", "neele", "naissance"), _day,
        "Obligatoire. JJ/MM/AAAA, avec quatre chiffres pour l’année.",
    ),
    Column(
        "rank", "Rang", ("rang", "rangdeselection", "classement", "rangdeclassement"), _whole,
        "Obligatoire. Le rang de sélection : 1, 2, 3…",
    ),
    Column(
        "fee_regime", "Régime", ("regime", "regimedeformation", "regimefcfi", "regimefcoufi"), _regime,
        "« formation continue » (FC) ou « formation initiale » (FI). Vide : formation continue.",
    ),
    Column(
        "commune", "Commune", ("commune", "communederesidence", "nomdelacommune"), _commune,
        "Le nom de la commune de résidence. Inutile si le code INSEE est donné.",
    ),
    Column(
        "insee", "Code INSEE", ("insee", "codeinsee", "codeinseedelacommune", "codecommune"), _insee,
        "Cinq signes, par exemple 62119 pour Béthune. Nécessaire quand plusieurs communes portent le même nom ; il décide toujours.",
    ),
    Column(
        "postcode", "Code postal", ("codepostal", "cp"), _postcode,
        "Facultatif. Il ne décide jamais de la commune : plusieurs communes partagent le même.",
    ),
    Column(
        "retained_on", "Retenu(e) le", ("retenuele", "retenule", "datedeselection", "dateselection"), _day,
        "Obligatoire. La date à laquelle le stagiaire a été retenu, JJ/MM/AAAA.",
    ),
    Column(
        "number", "Numéro", ("numero", "n", "no", "num", "numerodustagiaire"), _whole,
        "Facultatif. Le numéro du stagiaire dans le dossier ; jalon l’attribue si la cellule est vide.",
    ),
)  # fmt: skip
BY_WORD = {word: column for column in COLUMNS for word in column.words}
BY_FIELD = {column.field: column for column in COLUMNS}


def cell(column: Column, value: object, mark: str = "") -> object:
    """What a cell that is not empty says in this column; `mark` is what its value does not tell. Raises Wrong."""
    mark = MARKS.get(mark, mark)
    if isinstance(value, str) and value.lstrip().startswith("="):
        mark = FORMULA
    elif isinstance(value, str) and ERROR_TEXT.fullmatch(value.strip()):
        mark = ERROR
    if mark:
        raise Wrong(mark)
    return column.reads(value)


def write_template(path: Path) -> None:
    """An empty sheet with its headers and rules, as XLSX. Raises Invalid; a file that exists is never written over."""
    if path.suffix.lower() != ".xlsx":
        raise Invalid("Le modèle est un classeur XLSX : donnez-lui un nom en « .xlsx ».")
    content = _template()
    try:
        with path.open("xb") as file:
            file.write(content)
    except FileExistsError:
        raise Invalid("Le modèle n’a pas été écrit : un fichier de ce nom existe déjà.") from None
    except OSError as fault:
        raise Invalid(f"Le modèle n’a pas été écrit : {unreadable(fault)}.") from None


def _template() -> bytes:
    import xlsxwriter  # type: ignore[import-untyped]

    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True}) as workbook:
        workbook.set_properties({"title": "Stagiaires retenus", "created": datetime(2026, 1, 1)})  # noqa: DTZ001  # the same bytes every day
        header = workbook.add_format({"bold": True, "bg_color": "#DDE6F0", "border": 1})
        kinds = {"day": workbook.add_format({"num_format": "dd/mm/yyyy"}), "text": workbook.add_format({"num_format": "@"})}
        sheet = workbook.add_worksheet("Stagiaires")
        sheet.freeze_panes(1, 0)
        for place, column in enumerate(COLUMNS):
            kind = "day" if column.reads is _day else "text" if column.field in {"insee", "postcode", "commune"} else None
            sheet.set_column(place, place, max(14, len(column.header) + 4), kinds.get(kind or ""))
            sheet.write_string(0, place, column.header, header)
            if rule := _rule(column):
                sheet.data_validation(1, place, LINES_WITH_RULES, place, rule)
        _explain(workbook.add_worksheet("Mode d'emploi"), header, workbook.add_format({"text_wrap": True, "valign": "top"}))
    return target.getvalue()


def _rule(column: Column) -> dict[str, object] | None:
    """What the spreadsheet program refuses while the person types."""
    titles = {"error_title": column.header, "input_title": column.header, "input_message": column.asks[:255]}
    if column.field == "fee_regime":
        return {
            "validate": "list",
            "source": ["formation continue", "formation initiale"],
            **titles,
            "error_message": "Choisissez dans la liste.",
        }
    if column.reads is _day:
        between = {"criteria": "between", "minimum": date(1900, 1, 2), "maximum": date(2100, 12, 31)}
        return {"validate": "date", **between, **titles, "error_message": "Une date est attendue : JJ/MM/AAAA."}
    if column.reads is _whole:
        return {"validate": "integer", "criteria": ">=", "value": 1, **titles, "error_message": "Un nombre entier est attendu : 1, 2, 3…"}
    return None


def _explain(sheet: Any, header: Any, body: Any) -> None:
    lines = [(column.header, column.asks) for column in COLUMNS]
    lines += [
        ("Comment faire", "Une ligne par stagiaire, sous les en-têtes de la feuille « Stagiaires ». Ni formules ni cellules fusionnées."),
        ("Ordre des colonnes", "Il est libre, et les colonnes que jalon ne connaît pas sont laissées de côté."),
        ("En cas d’erreur", "jalon donne toutes les lignes à corriger en une fois et n’enregistre rien tant qu’il en reste une."),
    ]
    sheet.set_column(0, 0, 22)
    sheet.set_column(1, 1, 90, body)
    sheet.write_string(0, 0, "Colonne", header)
    sheet.write_string(0, 1, "Ce qu’elle demande", header)
    for place, (name, sentence) in enumerate(lines, start=1):
        sheet.write_string(place, 0, name, body)
        sheet.write_string(place, 1, sentence, body)
