"""What a flow of a step does around the ledger, without a server: what was typed may be anything, and what is done stays done."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from prefect.client.schemas.objects import FlowRun
from walks import RIGHT, Walk, right_code

from flows import steps
from flows.engine import objections
from flows.home import Home, shared_home
from flows.ports.clock import now
from flows.settings import settings
from flows.steps import flow_named, use_up_code
from models.answers import Invalid
from states.dossier.proof import person_is_proved
from states.lifecycle import STEPS


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """A proposed dossier, and flows that ask everybody for a code."""
    monkeypatch.setenv("JALON_HOME", str(tmp_path))
    monkeypatch.delenv("JALON_DATABASE_URL", raising=False)
    monkeypatch.delenv("JALON_DESK", raising=False)
    Home(settings(), create=True).store.close()
    home = shared_home(settings())
    Walk(home.store).do("open")
    yield home
    home.store.close()
    shared_home.cache_clear()


def test_a_run_that_names_no_entry_to_take_back_is_told_so_and_nothing_is_done(home: Home) -> None:
    """Prefect's own check can be walked around; the ledger is never asked for « the last one »."""
    with pytest.raises(Invalid, match=r"Numéro de l’entrée du journal à annuler \(entry\) : ce champ est obligatoire"):
        steps.translate(STEPS["undo"], {"motive": "Erreur"})
    form = flow_named("undo").parameters.model_dump()
    asked = form["definitions"]["Undoing"]
    assert "entry" in asked["required"]


def ended(code: Any, *, request: Any = RIGHT["approve"], done: Any = lambda _: None) -> tuple[str, str]:
    state = asyncio.run(steps.fire(STEPS["approve"], steps.Form("ESSAI-1", "Bruno", code), lambda _: request, done))
    return state.name or "", state.message or ""


def test_a_file_that_cannot_be_taken_away_does_not_make_a_step_that_is_done_fail(home: Home) -> None:
    def busy(_: Home) -> None:
        raise PermissionError

    assert ended(right_code("Bruno"), done=busy) == ("Completed", "ESSAI-1 est « approuvé » (version 2).")


@pytest.mark.parametrize("code", [None, 123456, {"a": 1}, "\ud800", "1" * 500, "１２３４５６"])
def test_a_code_that_is_no_code_is_refused_without_a_traceback(home: Home, code: Any) -> None:
    name, message = ended(code)
    assert (name, message) == (
        "Refused",
        f"PERSON_UNPROVED : Il manque le code à usage unique (Bruno). → {person_is_proved.who}",
    )


def test_a_code_beside_a_request_that_cannot_be_read_serves_no_second_time(home: Home) -> None:
    code = right_code("Bruno")
    assert ended(code, request={"held_on": "hier"})[0] == "Invalid"
    name, message = ended(code)
    assert (name, "Ce code a déjà servi" in message) == ("Refused", True)
    assert home.views.partnership("ESSAI-1").version == 1


def test_a_document_of_the_inbox_stands_for_its_fingerprint(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JALON_CODES", "money")
    inbox = home.settings.inbox
    inbox.mkdir()
    (inbox / "convention-1.pdf").write_bytes(b"%PDF")

    def attached(document: str) -> tuple[str, str]:
        request = {"title": "Pièce", "sha256": document}
        state = asyncio.run(flow_named("attach").fn(reference="ESSAI-1", person="Bruno", request=request))
        return state.name or "", state.message or ""

    assert attached("@absent.pdf") == (
        "Invalid",
        "Le document que la demande nomme après @ n’est pas dans la corbeille d’arrivée, ou ne se lit pas.",
    )
    (inbox / "link.pdf").symlink_to("/etc/passwd")
    assert attached("@link.pdf")[0] == "Invalid"
    assert attached("@../jalon.db")[0] == "Invalid"
    (inbox / "closed.pdf").mkdir()
    assert attached("@closed.pdf")[0] == "Invalid"
    assert attached("@convention-1.pdf")[0] == "Completed"
    assert home.views.partnership("ESSAI-1").documents[-1].sha256 == hashlib.sha256(b"%PDF").hexdigest()


def test_a_request_of_very_many_levels_is_one_sentence(home: Home) -> None:
    deep: Any = []
    for _ in range(5000):
        deep = [deep]
    state = asyncio.run(flow_named("approve").fn(reference="ESSAI-1", person="Bruno", code="000000", request={"present": deep}))
    assert (state.name, state.message) == ("Invalid", "La demande a trop de niveaux.")
    assert home.views.partnership("ESSAI-1").version == 1


def test_a_run_with_fields_of_no_form_is_told_so_and_its_code_is_used_up(home: Home) -> None:
    code = right_code("Bruno")
    given = {"reference": "ESSAI-1", "person": "Bruno", "code": code, "clé\n": 1}
    assert sorted(objections("approve", given)) == ["Demande (request) : ce champ est obligatoire.", "« clé? » : ce champ n’existe pas."]
    assert [*objections("approve", {"reference": "ESSAI-1", "person": "Bruno", "request": {}})] == []
    assert [*objections("daily", {"day": "2026-02-31"})] == ["« day » : ce champ n’existe pas."]
    use_up_code("approve", FlowRun(flow_id=uuid4(), parameters=given, created=now()))
    assert "Ce code a déjà servi" in ended(code)[1]


@pytest.mark.parametrize(("reference", "person"), [("ESSAI-1", {"a": 1}), ("ESSAI-1", None), ({"a": 1}, "Bruno"), ([], "Bruno")])
def test_a_person_or_a_reference_that_is_no_text_is_one_sentence(home: Home, reference: Any, person: Any) -> None:
    state = asyncio.run(flow_named("approve").fn(reference=reference, person=person, code="000000", request=RIGHT["approve"]))
    assert (state.name, state.message) == ("Invalid", "La référence du dossier et le nom de la personne sont des textes.")


def test_an_unexpected_fault_is_told_by_its_kind_alone(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise RuntimeError("Failing row contains (Vandekerckhove)")

    monkeypatch.setattr(type(home.ledger), "fire", fails)
    assert ended(right_code("Bruno")) == ("Fault", "Erreur inattendue de jalon (RuntimeError).")
