"""Bad input is told in French, field by field, and what was typed is never repeated."""

from __future__ import annotations

import copy
import re
from datetime import date
from decimal import Decimal
from typing import Any, get_args

import jsonschema
import pytest
import rfc8785
from drawing import draws
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError
from walks import IBAN, RIGHT, UNIVERSITY_SIRET, VOTE

from states.grammar.request import Request
from states.lifecycle import STEPS
from states.values.fields import DATE_PATTERN
from states.values.french import sentences

by_trigger = pytest.mark.parametrize("trigger", STEPS)


def right(trigger: str) -> dict[str, Any]:
    return copy.deepcopy({"reference": "ESSAI-1"} | RIGHT[trigger] if trigger == "open" else RIGHT[trigger])


def changed(trigger: str, path: str, value: object) -> dict[str, Any]:
    """The right request with one value changed; « signatories.0.name » goes into a list."""
    content = here = right(trigger)
    *groups, last = path.split(".")
    for part in groups:
        here = here[int(part)] if isinstance(here, list) else here[part]
    here[int(last) if isinstance(here, list) else last] = value
    return content


def read(trigger: str, content: Any) -> Request | tuple[str, ...]:
    """The request, or the sentences that a person reads instead."""
    model = STEPS[trigger].asks
    try:
        return model.model_validate(content)
    except ValidationError as fault:
        return sentences(model, fault)


def told(trigger: str, path: str, value: object) -> str:
    """The one sentence about one bad value."""
    answer = read(trigger, changed(trigger, path, value))
    assert isinstance(answer, tuple), f"accepted: {answer}"
    assert len(answer) == 1, answer
    return answer[0]


def in_french(answer: Request | tuple[str, ...]) -> bool:
    """Nothing is said in another language than French: pydantic's own sentences have these words."""
    if isinstance(answer, Request):
        return True
    english = re.compile(r"\b(Input|should|valid|Value error|expected|required)\b")
    return bool(answer) and all(one.strip(" .:") and one.endswith(".") and not english.search(one.split(" : ", 1)[-1]) for one in answer)


DATE = "une date s’écrit AAAA-MM-JJ"
MONEY = "un montant s’écrit en euros"
NEGATIVE, TOO_BIG = "un montant n’est pas négatif", "ce montant est trop grand"
PROXIES = [{"giver": f"Membre {number}", "holder": f"Membre {number - 17}"} for number in (18, 19)]
WHOLE = "un nombre entier est attendu"
SHA = "64 chiffres hexadécimaux"
INVISIBLE = "caractères invisibles"
BAD: list[tuple[str, str, object, str]] = [
    *(("approve", "held_on", value, "n’existe pas dans le calendrier") for value in ("2025-13-01", "2025-02-30", "2025-00-10")),
    *(("approve", "held_on", value, DATE) for value in ("20250101", 86400, "2025-10-09T09:00:00", "2025-10-09 09:00", True, None)),
    *(("approve", "held_on", value, DATE) for value in ("09/10/2025", "2025-1-9", "", ["2025-10-09"], 1e9)),
    ("approve", "held_on", "1899-12-31", "cette date est d’avant 1900 : jalon prend les dates de 1900 à 2099"),
    ("approve", "held_on", "2100-01-01", "cette date est d’après 2099"),
    *(("open", "terms.year_ends_on", value, DATE) for value in ("2026-8-31", 0, False)),
    *(("receive_invoice", "amount", value, MONEY) for value in ("2000.001", 2000.5, "1e3", "NaN", "Infinity", True, None)),
    *(("receive_invoice", "amount", value, MONEY) for value in ("", "€", "40,000.00", "2000.", ".50", "0x10", ["2000"])),
    *(("receive_invoice", "amount", value, MONEY) for value in (Decimal("NaN"), Decimal("0.001"))),
    *(("receive_invoice", "amount", value, NEGATIVE) for value in ("-1.00", -5, Decimal(-1))),
    *(("receive_invoice", "amount", value, TOO_BIG) for value in ("1000000000.00", 10**9)),
    ("open", "terms.rate", "deux mille", MONEY),
    ("act", "conditions.rate", 2e3, MONEY),
    ("approve", "seats", -33, "la valeur doit être au moins 1"),
    ("approve", "seats", 0, "la valeur doit être au moins 1"),
    ("approve", "seats", 501, "la valeur doit être au plus 500"),
    ("approve", "votes_for", -17, "la valeur doit être au moins 0"),
    *(("approve", "seats", value, WHOLE) for value in ("trente-trois", 33.5, [], {}, True)),
    *((trigger, path, True, WHOLE) for trigger, path in (("approve", "votes_for"), ("retain_trainee", "rank"))),
    ("approve", "proxies", None, "une liste est attendue"),
    *(("approve", "seats", value, "") for value in (float("inf"), float("nan"), "9" * 5000)),
    ("verify_residence", "trainee", 2**64, "la valeur doit être au plus 100000"),
    ("start_training", "hours", 5001, "la valeur doit être au plus 5000"),
    ("open", "terms.cap", 0, "la valeur doit être au moins 1"),
    ("open", "imported", "peut-être", "oui (true) ou non (false) est attendu"),
    ("approve", "present", "Dupont", "une liste est attendue"),
    ("approve", "present.0", 7, "un texte est attendu"),
    *(("approve", "present.16", value, "ce champ est vide") for value in ("", " ", "   ", "\u00a0 ")),
    ("sign", "signatories.1.party", "prefecture", "valeurs possibles : cdg, university"),
    ("sign", "points.5", "weather", "valeur inconnue"),
    ("open", "parties", [], "un groupe de champs est attendu"),
    ("open", "parties.university.payee", None, "un groupe de champs est attendu"),
    *(("attach", "title", value, INVISIBLE) for value in ("No\x00te", "\x1b[31mNote", "No\rte", "No\nte")),
    *(("attach", "title", value, INVISIBLE) for value in ("No\tte", "No\x7fte", "No\x85te", "No\u200bte", "No\u202ete", "No\u2028te")),
    ("attach", "title", "N" * 201, "ce texte est trop long (200 caractères au plus)"),
    ("terminate", "motive", "N" * 2001, "ce texte est trop long (2000 caractères au plus)"),
    ("attach", "title", "Not\ud800", "ce texte "),
    ("receive_invoice", "supplier_siret", "00000007500011", "ce numéro SIRET n’est pas valable"),
    ("receive_invoice", "supplier_siret", "0000000750001", "ce numéro SIRET n’est pas valable"),
    ("receive_invoice", "supplier_siret", 7500010, "ce numéro SIRET n’est pas valable"),
    ("receive_invoice", "iban", IBAN[:-1] + "8", "cet IBAN n’est pas valable"),
    ("open", "parties.university.payee.iban", "FR76", "cet IBAN n’est pas valable"),
    *(("attach", "sha256", value, SHA) for value in ("A" * 64, "0" * 63, "0" * 64 + "\n", "g" * 64, "")),
    *(("open", "reference", value, "majuscules, chiffres et tirets") for value in ("cdg62", "AB", "-ABC", "A" * 61, "A/../B", "É62")),
    ("open", "terms.academic_year", "1998", "une année universitaire, par exemple 2025-2026"),
    ("receive_invoice", "currency", "euro", "un code de devise"),
    *(("retain_trainee", "insee", value, "un code INSEE de commune") for value in ("6219", "621190", "2C004", "Béthune")),
    *(
        ("open", "terms.department", value, "un code de département : 01 à 95")
        for value in ("00", "20", "96", "62 ", "979", "Pas-de-Calais")
    ),
    # Other digits than those of a keyboard: such a commune would lie outside of every department.
    ("retain_trainee", "insee", "６2119", "un code INSEE de commune"),
    ("open", "terms.department", "6٢", "un code de département"),
    ("open", "terms.academic_year", "20٢٥-20٢٦", "une année universitaire"),
    ("receive_invoice", "amount", "٢٠٠٠", MONEY),
    ("receive_invoice", "supplier_siret", "０" + UNIVERSITY_SIRET[1:], "ce numéro SIRET n’est pas valable"),
]


@pytest.mark.parametrize(("trigger", "path", "value", "words"), BAD, ids=[f"{path}={ascii(value)[:24]}" for _, path, value, _ in BAD])
def test_a_bad_value_is_told_by_one_french_sentence_that_names_its_field(trigger: str, path: str, value: object, words: str) -> None:
    sentence = told(trigger, path, value)
    assert re.fullmatch(rf"[A-ZÀÉ].* \({re.escape(path)}\) : .+[.]", sentence), sentence
    assert words in sentence
    assert in_french((sentence,))


TYPED = [(trigger, path, value) for trigger, path, value, _ in BAD if isinstance(value, str) and len(value) > 3]


@pytest.mark.parametrize(("trigger", "path", "value"), TYPED, ids=[f"{path}={ascii(value)[:24]}" for _, path, value in TYPED])
def test_a_sentence_never_repeats_what_was_typed(trigger: str, path: str, value: str) -> None:
    assert value not in told(trigger, path, value)


PERSONAL = [
    (name, value)
    for name in STEPS["retain_trainee"].asks.model_fields
    for value in ("Dup\x00ont", ["Dupont"], {"Dupont": 1}, "Dupont" * 50)
]


@pytest.mark.parametrize(("name", "value"), PERSONAL, ids=[f"{name}={str(value)[:12]!a}" for name, value in PERSONAL])
def test_a_name_typed_in_any_field_of_a_trainee_is_never_repeated(name: str, value: object) -> None:
    assert "dupont" not in told("retain_trainee", name, value).lower()


@pytest.mark.parametrize(
    ("trigger", "changes", "sentence"),
    [
        ("approve", {"seats": 32}, "Il y a plus de membres présents et absents que de sièges."),
        ("approve", {"seats": 16, "absent": []}, "Il y a plus de membres présents et absents que de sièges."),
        ("approve", {"present": ["Aude", "Aude"]}, "Un membre présent est nommé deux fois."),
        ("approve", {"present": ["Aude", " Aude "]}, "Un membre présent est nommé deux fois."),
        ("approve", {"absent": VOTE["present"][:1]}, "Un membre est à la fois présent et absent."),
        ("approve", {"votes_for": 18}, "Il y a plus de voix que de membres présents et de pouvoirs."),
        ("approve", {"abstentions": 1}, "Il y a plus de voix que de membres présents et de pouvoirs."),
        ("act", {"proxies": PROXIES, "votes_for": 20}, "Il y a plus de voix que de membres présents et de pouvoirs."),
        ("start_training", {"ends_on": "2026-01-11"}, "La formation doit finir après avoir commencé."),
    ],
)
def test_values_that_contradict_each_other_are_told(trigger: str, changes: dict[str, Any], sentence: str) -> None:
    assert read(trigger, right(trigger) | changes) == (sentence,)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"academic_year": "2025-2027"}, "une année universitaire couvre deux années civiles qui se suivent"),
        ({"rate": "0.00"}, "le montant par stagiaire doit être supérieur à zéro"),
        ({"year_starts_on": "2025-09-01", "year_ends_on": "2025-09-01"}, "l’année universitaire doit finir après avoir commencé"),
    ],
)
def test_terms_that_make_no_convention_are_told(changes: dict[str, Any], fault: str) -> None:
    assert read("open", changed("open", "terms", RIGHT["open"]["terms"] | changes)) == (f"Conditions (terms) : {fault}.",)


def test_proxies_vote_beside_the_members_present() -> None:
    assert isinstance(read("approve", right("approve") | {"proxies": PROXIES, "votes_for": 19}), Request)


@by_trigger
def test_a_right_request_is_accepted(trigger: str) -> None:
    assert isinstance(read(trigger, right(trigger)), STEPS[trigger].asks)


@by_trigger
def test_an_unknown_field_is_refused_by_its_name(trigger: str) -> None:
    assert read(trigger, right(trigger) | {"couleur": "bleu"}) == ("« couleur » : ce champ n’existe pas.",)


@pytest.mark.parametrize("path", ["terms.couleur", "parties.cdg.couleur", "parties.university.payee.couleur"])
def test_an_unknown_field_inside_a_group_is_refused_too(path: str) -> None:
    assert f"({path}) : ce champ n’existe pas." in told("open", path, "bleu")


REQUIRED = [(trigger, name) for trigger, step in STEPS.items() for name, field in step.asks.model_fields.items() if field.is_required()]


@pytest.mark.parametrize(("trigger", "name"), REQUIRED)
def test_a_missing_field_is_told_by_its_french_title(trigger: str, name: str) -> None:
    content = {key: value for key, value in right(trigger).items() if key != name}
    assert read(trigger, content) == (f"{STEPS[trigger].asks.model_fields[name].title} ({name}) : ce champ est obligatoire.",)


def test_every_fault_is_told_at_once() -> None:
    answer = read("receive_invoice", {"number": 1, "amount": "beaucoup", "couleur": "bleu"})
    assert isinstance(answer, tuple)
    assert [one.split(" : ")[0].split("(")[-1].rstrip(")") for one in answer] == [
        "number", "issued_on", "amount", "supplier_siret", "document_sha256", "« couleur »",
    ]  # fmt: skip


@pytest.mark.parametrize("content", [None, [], "x", 3, True])
def test_something_that_is_no_group_of_fields_is_told(content: object) -> None:
    assert read("approve", content) == ("Un groupe de champs est attendu.",)


# What is accepted, and how it is kept.


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("40 000,00 €", "40000.00"), ("40\u202f000,00\u00a0€", "40000.00"), ("40000.00", "40000.00"), (40000, "40000.00"), ("0,5", "0.50")],
)
def test_an_amount_may_be_typed_as_the_french_write_it(typed: object, kept: str) -> None:
    answer = read("receive_invoice", changed("receive_invoice", "amount", typed))
    assert isinstance(answer, Request)
    assert answer.model_dump(mode="json")["amount"] == kept


@pytest.mark.parametrize(
    ("path", "typed", "kept"),
    [
        ("supplier_siret", "000 000 075 00010", UNIVERSITY_SIRET),
        ("iban", "fr76 3000 6000 0112 3456 7890 189", IBAN),
        ("iban", "FR76-3000-6000-0112-3456-7890-189", IBAN),
        ("number", "  F-2026-1 ", "F-2026-1"),
    ],
)
def test_spaces_and_hyphens_that_mean_nothing_are_not_kept(path: str, typed: str, kept: str) -> None:
    assert getattr(read("receive_invoice", changed("receive_invoice", path, typed)), path) == kept


# What a form is told.


def models(model: type[BaseModel]) -> list[type[BaseModel]]:
    inside = [one for field in model.model_fields.values() for one in kinds(field.annotation) if isinstance(one, type)]
    return [model, *(deeper for one in inside if issubclass(one, BaseModel) for deeper in models(one))]


def kinds(annotation: Any) -> list[Any]:
    return [annotation, *(deeper for one in get_args(annotation) for deeper in kinds(one))]


@by_trigger
def test_every_field_of_a_form_has_a_french_title(trigger: str) -> None:
    for model in models(STEPS[trigger].asks):
        for name, field in model.model_fields.items():
            assert field.title, (model, name)
            assert re.match("[A-ZÉ]", field.title)
            assert not set(re.findall("[a-z]+", field.title.lower())) & {"of", "the", "amount", "name", "number", "year", "held", "signed"}


@by_trigger
def test_the_schema_of_a_form_lets_nothing_unknown_in_and_accepts_what_is_right(trigger: str) -> None:
    schema = STEPS[trigger].asks.model_json_schema()
    objects = [schema, *schema.get("$defs", {}).values()]
    assert all(one["additionalProperties"] is False for one in objects)
    assert all("title" in one for group in objects for one in group["properties"].values())
    jsonschema.validate(right(trigger), schema)


@by_trigger
def test_every_date_of_a_form_has_the_pattern_and_the_format_of_a_date(trigger: str) -> None:
    schema = STEPS[trigger].asks.model_json_schema()
    groups = {model.__name__: schema["$defs"][model.__name__] for model in models(STEPS[trigger].asks)[1:]}
    for model in models(STEPS[trigger].asks):
        for name, field in model.model_fields.items():
            if date in kinds(field.annotation):
                shown = groups.get(model.__name__, schema)["properties"][name]
                asked = shown.get("anyOf", [shown])[0]
                assert (asked["type"], asked["format"], asked["pattern"]) == ("string", "date", DATE_PATTERN), (model, name)


# Anything at all.

TEXT = st.text(st.characters(), max_size=12) | st.sampled_from(
    ["2025-10-09", "2000.00", "62", "62119", IBAN, "FR76", "cdg", "true", "1e400"]
)
LEAF = st.none() | st.booleans() | st.integers() | st.floats() | TEXT
KEYS = TEXT | st.sampled_from(sorted({name for step in STEPS.values() for model in models(step.asks) for name in model.model_fields}))
JSON = st.recursive(LEAF, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=6), max_leaves=12)


@draws(300)
@given(trigger=st.sampled_from(list(STEPS)), content=st.dictionaries(KEYS, JSON, max_size=8))
def test_any_json_object_is_a_request_or_told_in_french(trigger: str, content: dict[str, Any]) -> None:
    assert in_french(read(trigger, content))


PLACES = [(trigger, name) for trigger in STEPS for name in STEPS[trigger].asks.model_fields]


@draws(300)
@given(place=st.sampled_from(PLACES), value=JSON | st.integers())
def test_any_value_in_any_field_is_told_in_french_or_can_be_written_in_the_journal(place: tuple[str, str], value: object) -> None:
    trigger, name = place
    answer = read(trigger, right(trigger) | {name: value})
    assert in_french(answer)
    assert not isinstance(answer, Request) or rfc8785.dumps(answer.model_dump(mode="json"))
