"""Each step as a run on a real Prefect server: it asks, the ledger answers, no name passes through Prefect.

The story is told once, by this same file in a process of its own, because Prefect reads its settings when it is imported.
"""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from enlisting import enlist
from walks import PEOPLE, RIGHT

from flows.server import credential, server
from states.grammar.step import Step
from states.lifecycle import ROWS, STEPS
from states.vocabulary import Role

NAME, GIVEN, BORN = "Vandekerckhove", "Hildegarde", "1987-06-05"
TRAINEE = RIGHT["retain_trainee"] | {"family_name": NAME, "given_name": GIVEN, "born_on": BORN}
TYPED = "valeur-tapée"
REFERENT = Role.UNIVERSITY_REFERENT
PATHS = ("../secret.json", "absent.json", "lien.json", "secret", "/etc/passwd", ".cache.json")
LATE = "UPDATE outbox SET sent_at = NULL, due_at = '2025-01-01T00:00:00.000000Z' WHERE kind = ? AND partnership_id = ?"


async def story(folder: Path) -> dict[str, Any]:  # noqa: PLR0915 - a story is one long line of events
    """Everything that the tests read: the end of each run, by name."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.objects import State
    from prefect.flow_engine import run_flow
    from prefect.states import Scheduled

    from flows.checks import checks
    from flows.deliver import deliver
    from flows.home import Home
    from flows.settings import settings
    from flows.steps import flow_named

    home = Home(settings(), create=True)
    for role, person in PEOPLE.items():
        if role is not REFERENT:
            enlist(home.store, person, f"{person.lower()}@essai.example", [role])
    ends: dict[str, dict[str, str]] = {}

    def note(name: str, state: State[Any]) -> State[Any]:
        ends[name] = {"type": state.type.value, "name": state.name or "", "message": state.message or ""}
        return state

    async def run(name: str, trigger: str, person: str, reference: str = "ESSAI-1", **given: Any) -> State[Any]:
        parameters = {"person": person, **given} if trigger == "open" else {"reference": reference, "person": person, **given}
        return note(name, await flow_named(trigger)(**parameters, return_state=True))

    def drop(name: str, content: Any) -> str:
        home.settings.inbox.mkdir(exist_ok=True)
        (home.settings.inbox / name).write_text(json.dumps(content))
        return name

    def letters() -> dict[str, str]:
        return {path.name: path.read_bytes().decode() for path in sorted(home.settings.mail_dir.glob("*.eml"))}

    for reference in ("ESSAI-1", "ESSAI-2"):
        await run(f"open {reference}", "open", "Tania", request={"reference": reference, **RIGHT["open"]})
    await run("refused", "approve", "Tania", request=RIGHT["approve"] | {"present": ["A"], "votes_for": 0, "votes_against": 1})
    await run("invalid", "approve", "Bruno", request={"held_on": TYPED, "seats": TYPED})
    await run("extra", "approve", "Bruno", request=RIGHT["approve"] | {TYPED: TYPED})
    await run("nobody", "approve", "Personne", request=RIGHT["approve"])
    await run("absent", "approve", "Bruno", "ESSAI-9", request=RIGHT["approve"])
    os.environ["JALON_DATABASE_URL"] = f"postgresql+psycopg://jalon@127.0.0.1:{server.free_port()}/jalon"
    await run("unreachable", "approve", "Bruno", request=RIGHT["approve"])
    del os.environ["JALON_DATABASE_URL"]
    state = await run("approved", "approve", "Bruno", request=RIGHT["approve"])
    async with get_client() as client:
        first = state.state_details.flow_run_id
        assert first is not None
        await client.set_flow_run_state(first, Scheduled(), force=True)
        once_more = await client.read_flow_run(first)
        parameters = {"reference": "ESSAI-1", "person": "Bruno", "request": RIGHT["approve"]}
        note("again", await run_flow(flow_named("approve"), flow_run=once_more, parameters=parameters, return_type="state"))
    await run("conflict", "approve", "Bruno", request=RIGHT["approve"])
    await run("transmitted", "transmit_act", "Bruno", request=RIGHT["transmit_act"])
    await run("published", "publish_act", "Bruno", request=RIGHT["publish_act"])
    await run("signed", "sign", "Tania", request=RIGHT["sign"])

    (folder / "secret.json").write_text(json.dumps(TRAINEE))
    drop("stagiaire.json", TRAINEE)
    (home.settings.inbox / "lien.json").symlink_to(folder / "secret.json")
    for path in PATHS:
        await run(f"path {path}", "retain_trainee", "Tania", file=path)
    await run("retained", "retain_trainee", "Tania", file="stagiaire.json")
    await run("retained twice", "retain_trainee", "Tania", file=drop("double.json", TRAINEE))
    await run("incomplete", "retain_trainee", "Tania", file=drop("incomplet.json", TRAINEE | {"rank": NAME}))
    inbox = sorted(path.name for path in home.settings.inbox.iterdir())

    note("delivered", await deliver(return_state=True))
    sent = letters()
    note("delivered again", await deliver(return_state=True))
    sent_again = letters()
    with closing(sqlite3.connect(home.settings.home / "jalon.db", isolation_level=None)) as database:
        database.execute(LATE, ("tell", 1))
        await deliver(return_state=True)
        sent_twice = letters()
        database.execute("UPDATE partnerships SET state = 'paid' WHERE reference = 'ESSAI-2'")
        database.execute(LATE, ("check", 2))
    note("delivered broken", await deliver(return_state=True))
    note("tampered", await checks("ESSAI-2", return_state=True))
    note("sound", await checks("ESSAI-1", return_state=True))
    async with get_client() as client:
        names = {flow.id: flow.name for flow in await client.read_flows()}
        runs = [[names[one.flow_id], one.state.name if one.state else ""] for one in await client.read_flow_runs()]
        logs = [log.message for log in await client.read_logs()]
    with closing(sqlite3.connect(home.settings.home / "jalon.db")) as database:
        outbox = database.execute("SELECT key, kind, role, sent_at, dead_at, fault FROM outbox ORDER BY id").fetchall()
    forms = {
        name: [one.name, one.description, json.dumps(one.parameters.model_dump(), ensure_ascii=False)]
        for name, one in ((name, flow_named(name)) for name in STEPS)
    }
    return {
        "ends": ends,
        "first": f"prefect:{first}",
        "history": [line.entry.fields() | {"digest": line.digest} for line in home.views.history("ESSAI-1")],
        "faults": home.verifier.verify("ESSAI-1").faults,
        "inbox": inbox,
        "letters": [sent, sent_again, sent_twice],
        "outbox": outbox,
        "flows": forms,
        "runs": runs,
        "logs": logs,
    }


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory, prefect_cache: Path) -> dict[str, Any]:
    """What the story tells, and every byte that Prefect has kept of it."""
    folder = tmp_path_factory.mktemp("flows")
    with server.running(folder / "prefect", template=prefect_cache) as port:
        env = server.environment(folder / "prefect", port)
        env |= {
            "JALON_HOME": str(folder / "jalon"),
            "JALON_CODES": "money",
            "PREFECT_LOGGING_LEVEL": "DEBUG",
            "PREFECT_LOGGING_TO_API_ENABLED": "true",
        }
        env["PYTHONPATH"] = os.pathsep.join(sys.path)
        env.pop("JALON_DATABASE_URL", None)
        ended = subprocess.run(
            [sys.executable, __file__, folder], env=env, capture_output=True, text=True, timeout=180, check=False, cwd=folder
        )
        assert ended.returncode == 0, ended.stderr[-3000:]
        kept = b"".join(path.read_bytes() for path in (folder / "prefect").rglob("*") if path.is_file())
    return json.loads(ended.stdout.splitlines()[-1]) | {"kept": kept, "said": ended.stdout + ended.stderr}


def end(told: dict[str, Any], name: str) -> str:
    """How a run ended, and its message."""
    return f"{told['ends'][name]['type']} {told['ends'][name]['name']}: {told['ends'][name]['message']}"


def mails(told: dict[str, Any]) -> dict[str, EmailMessage]:
    """The letters by the key of what they tell, as a mail program reads them."""
    read = {name: message_from_bytes(text.encode(), policy=policy.default) for name, text in told["letters"][0].items()}
    return {name.rsplit(".", 2)[0]: mail for name, mail in read.items()}


def test_there_is_one_flow_for_each_row_of_the_table(told: dict[str, Any]) -> None:
    assert list(told["flows"]) == list(STEPS)
    assert [name for name, _, _ in told["flows"].values()] == list(STEPS)


def test_a_flow_is_described_by_the_label_of_its_row(told: dict[str, Any]) -> None:
    assert [name for name, described, _ in told["flows"].values() if not described.startswith(STEPS[name].label)] == []


@pytest.mark.parametrize("step", [step for step in ROWS if not step.asks.personal], ids=lambda step: step.trigger)
def test_the_form_of_a_flow_has_the_french_titles_of_its_request(told: dict[str, Any], step: Step) -> None:
    _, _, form = told["flows"][step.trigger]
    titles = [field.title or name for name, field in step.asks.model_fields.items()]
    assert [title for title in titles if f'"title": "{title}"' not in form] == []


def test_the_form_of_a_step_with_names_asks_for_a_file_of_the_inbox_only(told: dict[str, Any]) -> None:
    _, _, form = told["flows"]["retain_trainee"]
    assert list(json.loads(form)["properties"]) == ["reference", "person", "code", "file"]


def test_nothing_english_is_shown_with_a_flow(told: dict[str, Any]) -> None:
    """A docstring is for whoever reads the code; pydantic and Prefect would show it on the screen."""
    english = {name: json.dumps(step.asks.__doc__, ensure_ascii=False)[1:-1] for name, step in STEPS.items()}
    assert [name for name, described, form in told["flows"].values() if english[name] in described + form] == []


def test_accepted_runs_end_as_completed_and_move_the_ledger(told: dict[str, Any]) -> None:
    assert end(told, "open ESSAI-1") == "COMPLETED Completed: ESSAI-1 est « proposé » (version 1)."
    assert end(told, "approved") == "COMPLETED Completed: ESSAI-1 est « approuvé » (version 2)."
    moved = [(one["trigger"], one["to"], one["via"][:8]) for one in told["history"] if one["outcome"] == "done"]
    expected = [("open", "proposed"), ("approve", "approved"), ("transmit_act", "approved"), ("publish_act", "approved")]
    expected += [("sign", "signed"), ("retain_trainee", "signed")]
    assert moved == [(*step, "prefect") for step in expected]
    assert told["faults"] == []


def test_a_refused_run_ends_with_every_reason(told: dict[str, Any]) -> None:
    said = end(told, "refused")
    assert said.startswith("FAILED Refused: ")
    assert all(f"{code} : " in said for code in ("WRONG_ROLE", "NO_QUORUM", "NOT_ADOPTED"))


def test_a_bad_request_ends_as_invalid_without_the_values_typed(told: dict[str, Any]) -> None:
    assert end(told, "invalid").startswith("FAILED Invalid: Date de la séance (held_on) : une date s’écrit AAAA-MM-JJ")
    assert "Nombre de sièges en exercice (seats) : un nombre entier est attendu." in end(told, "invalid")
    assert TYPED not in end(told, "invalid")


def test_an_unknown_field_ends_as_invalid(told: dict[str, Any]) -> None:
    assert end(told, "extra") == f"FAILED Invalid: « {TYPED} » : ce champ n’existe pas."


def test_an_unknown_person_or_dossier_ends_as_invalid(told: dict[str, Any]) -> None:
    assert end(told, "nobody").startswith("FAILED Invalid: Le nom « Personne » n’est pas au registre des personnes")
    assert end(told, "absent") == "FAILED Invalid: Aucun dossier ne porte la référence ESSAI-9."


def test_a_database_that_does_not_answer_ends_as_unreachable(told: dict[str, Any]) -> None:
    assert end(told, "unreachable").startswith("FAILED Unreachable: La base PostgreSQL ne répond pas")


def test_a_second_approval_ends_as_a_conflict_that_names_the_first(told: dict[str, Any]) -> None:
    assert end(told, "conflict").startswith("FAILED Conflict: « Approuver le partenariat » a déjà été fait par Bruno le ")


def test_a_run_started_again_gets_the_first_answer(told: dict[str, Any]) -> None:
    assert told["ends"]["again"] == told["ends"]["approved"]
    assert [one["outcome"] for one in told["history"] if one["key"] == told["first"]] == ["done"]


def test_no_run_shows_a_traceback(told: dict[str, Any]) -> None:
    assert told["logs"]
    assert not [text for text in (*told["logs"], told["said"], *(end(told, name) for name in told["ends"])) if "Traceback" in text]


def test_a_name_is_read_from_the_inbox_and_the_file_goes_only_when_it_is_accepted(told: dict[str, Any]) -> None:
    assert end(told, "retained") == "COMPLETED Completed: ESSAI-1 est « signé » (version 6)."
    assert end(told, "retained twice").startswith("FAILED Refused: TRAINEE_ALREADY_RETAINED")
    assert end(told, "incomplete") == "FAILED Invalid: Rang de sélection (rank) : un nombre entier est attendu."
    assert told["inbox"] == ["double.json", "incomplet.json", "lien.json"]


@pytest.mark.parametrize("path", PATHS)
def test_only_a_plain_file_of_the_inbox_is_read(told: dict[str, Any], path: str) -> None:
    assert end(told, f"path {path}").startswith("FAILED Invalid: Le ")


@pytest.mark.parametrize("word", [NAME, GIVEN, BORN])
def test_no_name_of_a_trainee_is_kept_by_prefect_or_sent_by_mail(told: dict[str, Any], word: str) -> None:
    assert b"stagiaire.json" in told["kept"]  # the run is there; what its file held is not
    assert word.encode() not in told["kept"]
    assert word not in "".join(told["letters"][0].values()) + "".join(told["logs"]) + told["said"]


def test_each_letter_reaches_only_holders_of_the_role_that_is_told(told: dict[str, Any]) -> None:
    done = [one for one in told["history"] if one["outcome"] == "done"]
    told_to = {f"ESSAI-1.{one['n']}.tell.{role}" for one in done for role in STEPS[one["trigger"]].tells}
    found = mails(told)
    assert {key for key in found if key.startswith("ESSAI-1.")} == {key for key in told_to if not key.endswith(REFERENT)}
    for key, mail in found.items():
        assert mail["To"] == f"{PEOPLE[Role(key.rsplit('.')[-1])].lower()}@essai.example"


def test_a_letter_is_french_and_holds_the_head_of_the_chain(told: dict[str, Any]) -> None:
    approved = next(one for one in told["history"] if one["key"] == told["first"])
    mail = mails(told)[f"ESSAI-1.{approved['n']}.tell.training_officer"]
    body = mail.get_content()
    assert mail["Subject"] == "[ESSAI-1] Approuver le partenariat : étape faite"
    assert "Le dossier ESSAI-1 est passé de l’état « proposé » à l’état « approuvé »." in body
    assert "Étape : Approuver le partenariat, en date du " in body
    assert f"Empreinte du journal à l’entrée {approved['n']} : {approved['digest']}" in body
    assert mail.get_content_charset() == "utf-8"


def test_delivering_again_changes_nothing(told: dict[str, Any]) -> None:
    assert told["letters"][0]
    assert end(told, "delivered again") == "COMPLETED Completed: 0 courrier envoyé, 0 dossier contrôlé. 1 envoi attend un nouvel essai."
    assert told["letters"][1] == told["letters"][0]


def test_a_letter_sent_twice_is_the_same_letter(told: dict[str, Any]) -> None:
    """Same Message-ID, so that a mail program shows it once, and the same words."""
    first, second = ({name: mail["Message-ID"] for name, mail in mails({"letters": [sent]}).items()} for sent in told["letters"][1:])
    assert first == second
    assert len(set(first.values())) == len(first)


def test_a_step_is_checked_by_a_run_of_its_own(told: dict[str, Any]) -> None:
    assert ["checks", "Completed"] in told["runs"]
    assert end(told, "sound").startswith(f"COMPLETED Completed: {len(told['history'])} entrées vérifiées ; droit à subvention 0,00")
    assert {sent is not None for key, kind, _, sent, _, _ in told["outbox"] if kind == "check" and key.startswith("ESSAI-1")} == {True}


def test_a_dossier_that_was_tampered_with_fails_its_check_for_good(told: dict[str, Any]) -> None:
    said = end(told, "tampered")
    assert said == "FAILED Broken: Les données du dossier (l’état) ne sont pas celles que le journal a enregistrées."
    assert ["checks", "Broken"] in told["runs"]
    dead = [(key, fault) for key, _, _, _, dead_at, fault in told["outbox"] if dead_at]
    assert dead == [("ESSAI-2.1.check", said.removeprefix("FAILED Broken: "))]
    assert end(told, "delivered broken").startswith(
        "COMPLETED Completed: 0 courrier envoyé, 1 dossier contrôlé. 1 envoi attend un nouvel essai. 1 envoi abandonné attend une personne."
    )


def test_a_role_that_nobody_holds_keeps_its_letter_waiting(told: dict[str, Any]) -> None:
    ((sent_at, fault),) = [(sent, fault) for _, _, role, sent, _, fault in told["outbox"] if role == REFERENT]
    assert (sent_at, fault) == (None, "Personne n’a le rôle référent de l’université au registre.")


if __name__ == "__main__":
    credential.speak_as_jalon()
    print("\n" + json.dumps(asyncio.run(story(Path(sys.argv[1])))))
