"""The operators' desk as a person sees and uses it: a real server, a real worker, a real browser."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from browser import Desk
from offices import Office
from playwright.sync_api import Request, Response
from walks import RIGHT, SHA, Walk, fresh_code

from flows.server import server
from models.database.faults import Unreachable
from models.people.register import Register
from models.read.views import Views
from models.verify.proof import Verifier
from states.values.choices import POINT_LABELS
from states.vocabulary import State

pytestmark = pytest.mark.needs_chromium

SHOTS = Path(__file__).resolve().parents[2] / "build" / "screenshots"
BUSY, FRESH, WAITING, PROPOSED = "ESSAI-1", "ESSAI-2", "ESSAI-3", "ESSAI-4"
NAME = "Vandekerckhove"
PARTIES = [
    {"Partie": "centre de gestion", "Nom": "R. Dupont", "Qualité": "Président"},
    {"Partie": "université", "Nom": "A. Durand", "Qualité": "Présidente"},
]
SIGNED = {
    "Signataires": PARTIES,
    "Points que la convention contient": [*POINT_LABELS.values()],
    "Empreinte sha256 de la convention signée": SHA,
}


Measure = Callable[[str, object], None]


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, prefect_cache: Path) -> Iterator[Office]:
    """A dossier that may be signed, another in training, one whose deliberation is not executory yet, and a new one."""
    office = Office(tmp_path_factory.mktemp("office"))
    store = office.store(create=True)
    Walk(store, BUSY).until(State.IN_TRAINING)
    Walk(store, FRESH).until(State.APPROVED)
    Walk(store, PROPOSED).do("open")
    waiting = Walk(store, WAITING)
    waiting.do("open")
    waiting.do("approve")
    store.close()
    office.begin(prefect_cache)
    try:
        office.run("up", "--port", str(server.free_port()))
        yield office
    finally:
        office.run("down")


@pytest.fixture(scope="module")
def window(office: Office) -> Iterator[Desk]:
    SHOTS.mkdir(parents=True, exist_ok=True)
    with Desk(office.address, SHOTS) as window:
        yield window


@pytest.fixture(scope="module")
def deployments(office: Office) -> dict[str, str]:
    return {one["name"]: one["id"] for one in office.ask("/deployments/filter", {})}


def test_the_dashboard_shows_where_the_dossiers_stand_and_links_to_each(window: Desk) -> None:
    text = window.open_page("tableau-de-bord")
    window.screenshot(SHOTS / "tableau-de-bord.png")
    for told in ("Tableau de bord des partenariats", "4 dossiers", "Argent", "En retard", "Dernières rondes", "Santé"):
        assert told in text
    assert f"Dossiers, de {BUSY} à {PROPOSED}" in window.open_page("dossiers")
    window.open_page("tableau-de-bord")
    window.page.get_by_role("link", name=FRESH).first.click()
    window.page.wait_for_url(f"**/dossier-{FRESH.lower()}")


def test_the_page_of_a_dossier_shows_past_present_and_future_and_what_is_missing(window: Desk, office: Office) -> None:
    text = window.open_page(f"dossier-{FRESH.lower()}")
    window.screenshot(SHOTS / "dossier-approuve.png")
    (diagram,) = window.diagrams()
    assert diagram.split()[:3] == ["proposé", "approuvé", "signé"]
    why = json.loads(office.run("why", FRESH, "--json"))
    assert why["next"][0]["trigger"] == "sign"
    assert "Signer la convention" in text
    waiting = window.open_page(f"dossier-{WAITING.lower()}")
    (reason,) = [one["reason"] for step in json.loads(office.run("why", WAITING, "--json"))["next"] for one in step["unmet"]]
    assert reason in waiting


def test_the_interface_speaks_to_its_own_server_only(window: Desk, office: Office) -> None:
    """Prefect's pages ask an analytics host whatever the settings say."""
    asked: list[str] = []

    def heard(request: Request) -> None:
        asked.append(request.url)

    window.page.on("request", heard)
    for page in ("/v2/events", f"/v2/artifacts/key/dossier-{FRESH.lower()}", "/v2/runs"):
        window.page.goto(page)
        window.text()
    window.page.remove_listener("request", heard)
    assert len(asked) > len(("events", "dossier", "runs"))
    assert [url for url in asked if not url.startswith((f"{office.address}/", "data:", "blob:"))] == []


def test_what_people_read_in_the_interface_is_open_to_them(window: Desk, deployments: dict[str, str]) -> None:
    """Nothing that these pages ask of the server is refused."""
    refused: list[tuple[int, str]] = []

    def heard(answer: Response) -> None:
        if answer.status >= 400:
            refused.append((answer.status, answer.url))

    window.page.on("response", heard)
    for page in ("dashboard", "runs", "flows", "deployments", f"deployments/deployment/{deployments['sign']}", "work-pools", "automations"):
        window.page.goto(f"/v2/{page}")
        window.text()
    window.page.remove_listener("response", heard)
    assert sorted({url.partition("/api")[2] for _, url in refused}) == []


def test_an_operator_proves_it_on_a_page_and_may_then_pause_a_round(window: Desk, deployments: dict[str, str]) -> None:
    asking = "([id, act]) => fetch(`/api/deployments/${id}/${act}_deployment`, {method: 'POST'}).then(answer => answer.status)"
    assert window.page.evaluate(asking, [deployments["refresh"], "pause"]) == 403
    window.page.goto("/jalon/exploitant")
    window.page.get_by_label("Nom au registre").fill("Olga")
    window.page.get_by_label("Code à usage unique").fill(fresh_code("Olga"))
    window.page.get_by_role("button", name="Prouver").click()
    window.page.get_by_text("Olga, vous êtes exploitant").wait_for()
    assert "jalon_exploitant" not in window.page.evaluate("document.cookie")  # no script reads it
    window.page.goto("/v2/deployments")
    window.text()
    assert [window.page.evaluate(asking, [deployments["refresh"], act]) for act in ("pause", "resume")] == [200, 200]
    window.page.goto("/jalon/exploitant")
    window.page.get_by_role("button", name="Ne plus l’être").click()
    window.page.get_by_role("button", name="Prouver").wait_for()
    window.page.goto("/v2/deployments")
    assert window.page.evaluate(asking, [deployments["refresh"], "pause"]) == 403


def filled(window: Desk, *, signed_on: str, code: str) -> str:
    """Fill the form `sign` as the officer who came from the page of the dossier, and submit it; the id of the run."""
    window.open_page(f"dossier-{FRESH.lower()}")
    window.page.get_by_role("link", name="Signer la convention").click()
    window.page.locator("form fieldset").first.wait_for()
    window.fill("Personne du registre qui agit", "Tania")
    window.fill("Code à usage unique", code)
    window.fill("Demande", {"Date de signature": signed_on, **SIGNED})
    window.screenshot(SHOTS / "formulaire.png")
    return window.submit()


def test_a_form_refuses_a_wrong_date_and_a_used_code_in_french_and_then_signs(
    window: Desk, office: Office, deployments: dict[str, str]
) -> None:
    first = fresh_code("Tania")
    early = filled(window, signed_on="2025-10-01", code=first)
    assert window.wait_until_finished(early) == "Refused"
    told = "SIGNED_BEFORE_APPROVAL : La signature du 1er octobre 2025 précède l’approbation du 9 octobre 2025. → "
    assert told in window.run_page(early)
    assert told in window.run_log(early)
    window.screenshot(SHOTS / "refus.png")
    again = office.ask(f"/flow_runs/{early}")["parameters"]  # what the form has sent, the date put right
    again["request"]["signed_on"] = "2025-11-18"
    used = office.ask(f"/deployments/{deployments['sign']}/create_flow_run", {"parameters": again})["id"]
    assert window.wait_until_finished(used) == "Refused"
    assert "Ce code a déjà servi" in window.run_page(used)
    signed = filled(window, signed_on="2025-11-18", code=fresh_code("Tania"))
    assert window.wait_until_finished(signed) == "Completed"
    assert f"{FRESH} est « signé »" in window.run_page(signed)
    assert f"{FRESH} : signé" in window.open_page(f"dossier-{FRESH.lower()}")
    window.screenshot(SHOTS / "dossier-signe.png")
    assert [line.entry.outcome for line in Views(office.store()).history(FRESH)][-3:] == ["refused", "refused", "done"]


def test_a_deliberation_is_entered_by_its_form_and_what_is_left_empty_is_left_out(
    window: Desk, office: Office, deployments: dict[str, str]
) -> None:
    window.open_form(deployments["approve"], {"reference": PROPOSED})
    window.fill("Personne du registre qui agit", "Bruno")
    window.fill("Code à usage unique", fresh_code("Bruno"))
    roll = {"Nombre de sièges en exercice": 3, "Membres présents": ["A. Petit", "B. Roy"], "Membres absents ou excusés": ["C. Lam"]}
    votes = {"Voix pour": 2, "Voix contre": 0, "Abstentions": 0}
    window.fill("Demande", {"Date de la séance": "2025-10-09", "Nature": "délibération de principe", **roll, **votes})
    run = window.submit()
    assert window.wait_until_finished(run) == "Completed", window.run_page(run)
    (act,) = Views(office.store()).partnership(PROPOSED).acts
    assert (act.kind, act.votes_for, act.chair) == ("principle", 2, None)


def until(found: Any, seconds: float = 30) -> Any:
    """The first answer that is something, asked again and again."""
    limit = time.monotonic() + seconds
    while not (told := found()):
        assert time.monotonic() < limit
        time.sleep(0.3)
    return told


def test_the_event_of_a_step_starts_its_checks_once(office: Office, record_property: Measure) -> None:
    """Twice the same event, as a server that has started again may send it."""

    def checked() -> list[dict[str, Any]]:
        named = {"flows": {"name": {"any_": ["checks"]}}, "flow_runs": {"state": {"type": {"any_": ["COMPLETED"]}}}}
        return [one for one in office.ask("/flow_runs/filter", named) if one["parameters"]["reference"] == FRESH]

    until(checked)
    (run,) = [one for one in checked() if "entrées vérifiées" in one["state"]["message"]]
    asked = office.ask("/events/filter", {"filter": {"event": {"prefix": ["jalon.sign"]}}})["events"]
    (event,) = [one for one in asked if one["resource"]["prefect.resource.name"] == FRESH]
    assert (event["event"], event["id"]) == ("jalon.sign", run["parameters"]["event"])
    seconds = _moment(run["created"]) - _moment(event["received"])
    record_property("measured", f"From the event of a step to its follow-up run: {seconds:.2f} s")
    office.ask(f"/deployments/{run['deployment_id']}/create_flow_run", {"parameters": run["parameters"]})
    messages = until(lambda: (found := [one["state"]["message"] for one in checked()])[1:] and found)
    assert "Déjà contrôlé pour cet événement." in messages


def _moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def test_a_form_offers_people_and_the_dossiers_in_the_right_state(office: Office) -> None:
    forms = {one["name"]: one["parameter_openapi_schema"]["properties"] for one in office.ask("/deployments/filter", {})}
    assert forms["act"]["reference"]["enum"] == [FRESH]
    assert forms["sign"]["reference"]["enum"] == [WAITING, PROPOSED]
    assert "enum" not in forms["settle"]["reference"]
    assert forms["complete_training"]["reference"]["enum"] == [BUSY]
    assert forms["sign"]["person"]["enum"][0] == "Tania"
    assert set(forms["sign"]["person"]["enum"]) == {one.name for one in Register(office.store()).everyone()}


def test_from_a_click_to_a_completed_run(window: Desk, deployments: dict[str, str], record_property: Measure) -> None:
    """Measured and printed, not judged: the machine's speed is no fact about jalon."""
    window.open_form(deployments["attach"], {"reference": BUSY, "person": "Farida", "code": fresh_code("Farida")})
    window.fill("Demande", {"Intitulé du document": "Pièce", "Empreinte sha256 du document": SHA})
    run = window.submit()
    clicked = time.monotonic()
    assert window.wait_until_finished(run) == "Completed", window.run_page(run)
    record_property("measured", f"From click to completed run: {time.monotonic() - clicked:.1f} s")


def test_a_slip_is_taken_back_by_a_form_that_shows_what_it_takes_back(window: Desk, office: Office) -> None:
    """From the page of the dossier: the form comes with the entry written out, and what is submitted is that entry."""
    n = Views(office.store()).history(BUSY)[-1].entry.n
    window.open_page(f"dossier-{BUSY.lower()}")
    window.page.get_by_role("link", name=f"Annuler l’entrée {n}").click()
    window.page.locator("form fieldset").first.wait_for()
    shown = window.form.field("Demande").field("Numéro de l’entrée du journal à annuler").own("textarea")
    assert shown.input_value() == f"{n} : Joindre un document, par Farida (document n° 1)"
    window.fill("Personne du registre qui agit", "Omar")
    window.fill("Code à usage unique", fresh_code("Omar"))
    window.fill("Demande", {"Motif": "Mauvais document"})
    window.screenshot(SHOTS / "annulation.png")
    run = window.submit()
    assert window.wait_until_finished(run) == "Completed", window.run_page(run)
    assert f"fait, annulé par l’entrée {n + 1}" in window.open_page(f"dossier-{BUSY.lower()}")


# Each is a process of its own: `make test` has one that the ledger answers and one that the engine does, `make endurance` all.
# What is answered to each of the others, tests/desk/test_steps.py asks without a server.
AROUND: dict[str, tuple[dict[str, Any], str]] = {
    "no code": ({"reference": BUSY, "person": "Bruno", "request": {"title": "x", "sha256": SHA}}, "Refused"),
    "unknown field": (
        {"reference": BUSY, "person": "Bruno", "code": "000000", "zzz\n": 1, "request": {"title": "x", "sha256": SHA}},
        "Invalid",
    ),
}
ALSO_AROUND: dict[str, tuple[dict[str, Any], str]] = {
    "poisoned": ({"reference": BUSY, "person": ["Bruno"], "code": {"x": 1}, "request": "<script>"}, "Invalid"),
    "unknown key": (
        {"reference": BUSY, "person": "Bruno", "code": "000000", "request": {"title": "x", "sha256": SHA, "clé": 1}},
        "Invalid",
    ),
    "nobody": ({"reference": BUSY, "request": {"title": "x", "sha256": SHA}}, "Invalid"),
    "no such dossier": (
        {"reference": "ABSENT-1", "person": "Bruno", "code": "000000", "request": {"title": "x", "sha256": SHA}},
        "Invalid",
    ),
    "a long title": (
        {"reference": BUSY, "person": "Bruno", "code": "000000", "request": {"title": "y" * 100_000, "sha256": SHA}},
        "Invalid",
    ),
}


@pytest.mark.parametrize("case", [*AROUND, *(pytest.param(case, marks=pytest.mark.endurance) for case in ALSO_AROUND)])
def test_a_run_that_walks_around_the_form_changes_nothing(office: Office, case: str) -> None:
    body, ends = (AROUND | ALSO_AROUND)[case]
    deployment = next(one for one in office.ask("/deployments/filter", {}) if one["name"] == "attach")
    before = Views(office.store()).partnership(BUSY).version
    asked = {
        "flow_id": deployment["flow_id"], "deployment_id": deployment["id"], "parameters": body, "state": {"type": "SCHEDULED"},
        "work_queue_name": "default", "work_pool_name": "jalon",
    }  # fmt: skip
    run = office.ask("/flow_runs/", asked)
    found = lambda: (told := office.ask(f"/flow_runs/{run['id']}"))["state"]["type"] in ("COMPLETED", "FAILED", "CRASHED") and told  # noqa: E731
    told = until(found, 60)
    assert told["state"]["name"] == ends, told["state"]
    assert "Traceback" not in (told["state"]["message"] or "")
    assert Views(office.store()).partnership(BUSY).version == before


@pytest.mark.endurance  # the same request as those above, by the browser
def test_a_form_whose_check_was_switched_off_changes_nothing_either(window: Desk, office: Office, deployments: dict[str, str]) -> None:
    before = Views(office.store()).partnership(BUSY).version
    window.open_form(deployments["attach"], {"reference": "ABSENT-1", "person": "Personne", "code": "000000"})
    window.fill_json("Demande", {"title": "Pièce", "sha256": SHA, "clé": "<script>alert(1)</script>"})
    window.enforce(schema=False)
    run = window.submit()
    assert window.wait_until_finished(run) == "Invalid"
    assert "« clé » : ce champ n’existe pas." in window.run_page(run)
    assert Views(office.store()).partnership(BUSY).version == before


def test_a_run_that_fails_or_crashes_writes_to_the_operators(office: Office, deployments: dict[str, str]) -> None:
    """The states are set as a worker sets them for a process that died."""
    later = {"type": "SCHEDULED", "state_details": {"scheduled_time": "2099-01-01T00:00:00Z"}}
    asked = {"parameters": {"reference": BUSY}, "state": later}
    runs = [office.ask(f"/deployments/{deployments['checks']}/create_flow_run", asked) for _ in range(2)]
    for run, state in zip(runs, ("Failed", "Crashed"), strict=True):
        ended = {"type": state.upper(), "name": state, "message": "Le processus a fini."}
        office.ask(f"/flow_runs/{run['id']}/set_state", {"state": ended, "force": True})
    for run, told in zip(runs, ("échec", "interruption"), strict=True):
        (path,) = until(lambda run=run: list((office.home / "mail").glob(f"alert.{run['id']}.*.eml")), 60)
        letter = message_from_bytes(path.read_bytes(), policy=policy.default)
        assert (letter["To"], letter["Subject"]) == ("olga@essai.example", f"[jalon] checks ({run['name']}) : {told}")
        assert "Le processus a fini." in letter.get_content()


def test_a_refused_step_about_money_writes_to_the_operators(office: Office, deployments: dict[str, str]) -> None:
    asked = {"parameters": {"reference": BUSY, "person": "Farida", "code": "000000", "request": {"certified_on": "2026-07-01"}}}
    run = office.ask(f"/deployments/{deployments['settle']}/create_flow_run", asked)
    (letter,) = until(lambda: list((office.home / "mail").glob(f"alert.{run['id']}.*.eml")), 60)
    told = message_from_bytes(letter.read_bytes(), policy=policy.default)
    assert (told["To"], told["Subject"]) == ("olga@essai.example", f"[jalon] Certifier le service fait et liquider {BUSY} : refus")
    assert "WRONG_STATE : « Certifier le service fait et liquider » se fait depuis l’état « facturé »" in told.get_content()


def test_the_schedule_starts_the_round_of_each_minute(office: Office) -> None:
    named = {"flows": {"name": {"any_": ["deliver"]}}, "flow_runs": {"state": {"type": {"any_": ["COMPLETED"]}}}}
    run, *_ = until(lambda: office.ask("/flow_runs/filter", named), 90)
    assert run["auto_scheduled"]


def test_a_megabyte_of_motive_is_refused_at_the_door(office: Office, deployments: dict[str, str]) -> None:
    request = {"motive": "m" * 1_000_000}
    with pytest.raises(Unreachable, match="code 422"):
        office.ask(
            f"/deployments/{deployments['undo']}/create_flow_run",
            {"parameters": {"reference": BUSY, "person": "Tania", "request": request}},
        )


def test_nothing_of_a_trainee_is_left_in_prefect(office: Office) -> None:
    """A name goes through the inbox; then every table of Prefect's database is searched for it."""
    store = office.store()
    inbox = office.home / "inbox"
    inbox.mkdir(mode=0o700, exist_ok=True)
    (inbox / "stagiaire.json").write_text(json.dumps(RIGHT["retain_trainee"] | {"family_name": NAME, "rank": 9}))
    deployment = next(one for one in office.ask("/deployments/filter", {}) if one["name"] == "retain_trainee")
    asked = {"reference": FRESH, "person": "Tania", "code": fresh_code("Tania"), "file": "stagiaire.json"}
    run = office.ask(f"/deployments/{deployment['id']}/create_flow_run", {"parameters": asked})
    told = until(lambda: (one := office.ask(f"/flow_runs/{run['id']}"))["state"]["type"] in ("COMPLETED", "FAILED") and one, 60)
    assert told["state"]["name"] == "Completed", told["state"]
    assert Verifier(store).verify(FRESH).faults == ()
    kept = b"".join(path.read_bytes() for path in (office.home / "prefect").rglob("*") if path.is_file())
    with closing(sqlite3.connect(office.home / "prefect" / "prefect.db")) as database:
        kept += "\n".join(database.iterdump()).encode()
    assert FRESH.encode() in kept
    assert NAME.encode() not in kept
