"""The command line, from the vote to the money: every step, every option, every shape of answer."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from enlisting import enlist
from pydantic import BaseModel
from terminal import PAST, REFERENCE, Said
from walks import LATER, PEOPLE, WAYS, Walk, right_code, role_for

from flows.cli.command import run
from flows.cli.commands import run_app
from models.database.store import Store, sqlite_url
from models.read.dossier import SHOWN
from states.grammar.step import Step
from states.lifecycle import ROWS, STEPS
from states.overview.table import mermaid
from states.values.french import euros
from states.vocabulary import Role, State

JALON = Path(sys.executable).parent / "jalon"
LATER_PAST: dict[str, dict[str, Any]] = json.loads(json.dumps(LATER).replace("2025", "2024"))
DOSSIER = {"reference": REFERENCE, **PAST["open"]}
HISTORY = ["n", "trigger", "from", "to", "outcome", "actor", "role", "effective_on", "recorded_at", "days_late", "hash"]
REASON = ["code", "reason", "who", "source"]
Jalon = Callable[..., Said]


@pytest.fixture(scope="module")
def register(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database where everybody is at the register."""
    path = tmp_path_factory.mktemp("register") / "jalon.db"
    store = Store(sqlite_url(path), create=True)
    Walk(store)
    store.close()
    return path


@pytest.fixture
def jalon(register: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Jalon:
    """The command line on a home without dossiers, with a dossier file in it."""
    monkeypatch.setenv("JALON_HOME", str(tmp_path))
    monkeypatch.delenv("JALON_DATABASE_URL", raising=False)
    shutil.copy(register, tmp_path)
    (tmp_path / "dossier.json").write_text(json.dumps(DOSSIER))

    def say(*words: str, door: Callable[[Any], int] = run) -> Said:
        code = door(list(words))
        return Said(code, *capsys.readouterr())

    return say


@pytest.fixture
def opened(jalon: Jalon, tmp_path: Path) -> Jalon:
    """The same, with a proposed dossier."""
    assert jalon("open", str(tmp_path / "dossier.json"), "--as", "Tania").code == 0
    return jalon


@pytest.fixture
def piped(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], None]:
    """What the standard input holds."""
    return lambda content: monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(json.dumps(content).encode())))


def options(content: dict[str, Any], *path: str) -> Iterator[str]:
    """A request as the options of its command."""
    for name, value in content.items():
        flag = "--" + "-".join((*path, name)).replace("_", "-")
        if isinstance(value, dict):
            yield from options(value, *path, name)
        elif isinstance(value, list):
            for one in value:
                yield from (flag, ";".join(f"{key}={text}" for key, text in one.items()) if isinstance(one, dict) else one)
        else:
            yield from (flag, str(value))


def asked(trigger: str, **changes: Any) -> list[str]:
    """The right command for a step, as options only; a change of None takes the field away."""
    content = {name: value for name, value in (PAST[trigger] | changes).items() if value is not None}
    who = PEOPLE[role_for(trigger)]
    code = ["--code", right_code(who)] if STEPS[trigger].asks_code else []
    return [trigger, REFERENCE, *options(content), "--as", who, *code]


def asked_until(state: State) -> Iterator[list[str]]:
    """The commands of the shortest way of an open dossier into `state`."""
    way = WAYS[state]
    for place, trigger in enumerate(way[1:], start=1):
        yield asked(trigger, **(LATER_PAST.get(trigger, {}) if "act" in way[:place] else {}))


def fields(model: type[BaseModel]) -> Iterator[str]:
    """The flags that a request should have, read from its JSON Schema."""
    schema = model.model_json_schema()

    def walk(properties: dict[str, Any], *path: str) -> Iterator[str]:
        for name, told in properties.items():
            group = schema.get("$defs", {}).get(told.get("$ref", "").rpartition("/")[2])
            yield from walk(group["properties"], *path, name) if group else ["--" + "-".join((*path, name)).replace("_", "-")]

    return walk(schema["properties"])


def test_a_finding_whose_cause_is_gone_is_shown_as_gone(jalon: Jalon, tmp_path: Path) -> None:
    (tmp_path / "past.json").write_text(json.dumps(DOSSIER | {"imported": True}))
    assert jalon("open", str(tmp_path / "past.json"), "--as", "Tania").code == 0
    assert jalon(*asked("approve")).code == 0
    assert "(TRANSMISSION_UNKNOWN, depuis le " in jalon("show", REFERENCE).out
    for trigger in ("transmit_act", "publish_act"):
        assert jalon(*asked(trigger)).code == 0
    standing, gone = jalon("show", REFERENCE).out.split("Constats levés")
    assert ("TRANSMISSION_UNKNOWN" in standing, "(TRANSMISSION_UNKNOWN, du " in gone) == (False, True)


def test_the_acts_show_the_session_the_vote_and_the_appeals(opened: Jalon) -> None:
    for words in (*asked_until(State.APPROVED), asked("record_appeal")):
        assert opened(*words).code == 0
    out = opened("acts", REFERENCE).out
    assert "Séance : 17 présents, 16 absents ou excusés pour 33 sièges ; 17 pour, 0 contre, 0 abstention" in out
    assert "Exécutoire : depuis le 14 octobre 2024" in out
    assert "Recours d’un tiers du 20 décembre 2024, sans réponse" in out
    assert [one["by"] for one in opened("acts", REFERENCE, "--json").told["appeals"]] == ["third_party"]


def test_the_acts_show_who_came_and_went_and_the_votes_on_the_other_items(opened: Jalon, tmp_path: Path) -> None:
    names = [f"Membre {number}" for number in range(1, 20)]
    agenda = [{"number": number, "title": f"Point {number}", "votes_for": votes} for number, votes in ((1, 18), (2, 17))]
    session = {
        "held_on": "2024-10-11", "seats": 33, "present": names[:18], "absent": names[18:], "item": 2, "agenda": agenda,
        "movements": [{"name": "Membre 3", "moves": "leaves", "before_item": 2}],
    }  # fmt: skip
    (tmp_path / "session.json").write_text(json.dumps(session))
    assert opened("approve", REFERENCE, "--as", "Bruno", "--request", str(tmp_path / "session.json")).code == 0
    out = opened("acts", REFERENCE).out
    assert "  En séance : départ de Membre 3 avant le point n° 2" in out
    assert "  Point n° 1, Point 1 : 18 pour, 0 contre, 0 abstention\n" in out
    assert "  Point n° 2, Point 2 : 17 pour, 0 contre, 0 abstention (cette délibération)\n" in out
    (act,) = opened("acts", REFERENCE, "--json").told["acts"]
    assert ([one["number"] for one in act["agenda"]], act["movements"][0]["name"]) == ([1, 2], "Membre 3")


def test_a_commune_written_badly_is_refused_with_the_names_that_come_near(opened: Jalon) -> None:
    for words in asked_until(State.APPROVED):
        assert opened(*words).code == 0
    words = asked("retain_trainee")
    place = words.index("--insee")
    said = opened(*words[:place], "--commune", "Bethunne", *words[place + 2 :])
    assert (said.code, "Bethunne" in said.err) == (3, False)
    assert said.err.splitlines()[-1].startswith("  Vouliez-vous dire Béthune (62119)")


def test_a_letter_proves_which_entry_it_witnessed(opened: Jalon) -> None:
    head = opened("show", REFERENCE, "--json").told["history"][0]["hash"]
    assert opened("verify", REFERENCE, "--digest", head).out.startswith(
        "Cette empreinte est celle de l’entrée 1 : Ouvrir le dossier, par Tania, "
    )
    said = opened("verify", REFERENCE, "--digest", "f" * 64, "--json")
    assert (said.code, said.told["witness"]) == (3, None)


def test_open_answers_with_the_step_and_its_place_in_the_chain(jalon: Jalon, tmp_path: Path) -> None:
    done = jalon("open", str(tmp_path / "dossier.json"), "--as", "Tania", "--json").told["done"]
    assert (done["reference"], done["from"], done["to"], done["n"], done["version"]) == (REFERENCE, "unopened", "proposed", 1, 1)
    assert (done["actor"], done["role"], done["effective_on"], done["warnings"]) == ("Tania", "training_officer", "2024-10-01", [])
    assert done["hash"] == jalon("verify", REFERENCE, "--json").told["head"]


@pytest.mark.parametrize("step", ROWS, ids=lambda step: step.trigger)
def test_each_row_of_the_table_has_a_command_under_its_label(step: Step, jalon: Jalon) -> None:
    said = jalon(step.trigger, "--help")
    assert said.code == 0
    assert step.trigger in jalon("--help").out
    if step.trigger != "open":
        assert f"{step.label}." in said.out


@pytest.mark.parametrize("step", [step for step in ROWS if step.trigger != "open"], ids=lambda step: step.trigger)
def test_each_field_of_a_request_has_an_option(step: Step, jalon: Jalon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    helped = jalon(step.trigger, "--help").out.split()
    assert [flag for flag in fields(step.asks) if flag not in helped] == []


def test_a_whole_life_goes_through_the_command_line_alone(jalon: Jalon, tmp_path: Path) -> None:
    assert jalon("open", str(tmp_path / "dossier.json"), "--as", "Tania").code == 0
    for words in asked_until(State.CLOSED):
        said = jalon(*words)
        assert said.code == 0, said.err
    told = jalon("show", REFERENCE, "--json").told
    assert (told["state"], told["version"]) == ("closed", len(WAYS[State.CLOSED]))
    assert [line["trigger"] for line in told["history"]] == WAYS[State.CLOSED]
    assert jalon("verify", REFERENCE, "--json").told["faults"] == []
    assert "Rien ne reste à faire." not in jalon("why", REFERENCE).out  # papers can still be attached
    assert jalon("list").out.splitlines()[-1].split() == [REFERENCE, "clos", "15/07/2025"]


def test_groups_lists_and_objects_of_a_request_are_written_as_options(opened: Jalon) -> None:
    """`--conditions-rate`, a repeated `--present`, `--signatories "party=cdg;name=...;title=..."`."""
    for words in asked_until(State.ACTED):
        assert opened(*words).code == 0
    written = asked("act")
    assert "--conditions-rate" in written
    assert written.count("--present") == 17
    assert "party=cdg;name=R. Dupont;title=Président" in asked("sign")


def test_one_flag_takes_several_values(opened: Jalon) -> None:
    words = ("approve", REFERENCE, "--on", "2024-10-09", "--seats", "3", "--votes-for", "2", "--votes-against", "0", "--as", "Bruno")
    assert opened(*words, "--present", "A", "B", "--absent", "C").code == 0


def test_a_fingerprint_is_computed_from_a_file(opened: Jalon, tmp_path: Path) -> None:
    (tmp_path / "note.pdf").write_bytes(b"une note")
    words = ("--title", "Note", "--sha256", f"@{tmp_path / 'note.pdf'}", "--on", "2024-10-02", "--as", "Tania")
    assert opened("attach", REFERENCE, *words).code == 0
    with closing(sqlite3.connect(tmp_path / "jalon.db")) as database:
        ((kept,),) = database.execute("SELECT sha256 FROM documents")
    assert kept == hashlib.sha256(b"une note").hexdigest()


def test_a_request_is_read_from_a_file_and_completed_by_options(opened: Jalon, tmp_path: Path) -> None:
    (tmp_path / "vote.json").write_text(json.dumps(PAST["approve"] | {"votes_for": 0}))
    words = ("approve", REFERENCE, "--request", str(tmp_path / "vote.json"), "--as", "Bruno", "--json")
    assert opened(*words).told["refused"]["reasons"][0]["code"] == "NOT_ADOPTED"
    assert opened(*words, "--votes-for", "17").code == 0


def test_a_request_is_read_from_the_standard_input(opened: Jalon, piped: Callable[[Any], None]) -> None:
    piped(PAST["approve"])
    said = opened("approve", REFERENCE, "--request", "-", "--as", "Bruno")
    assert said.code == 0, said.err


def test_a_dossier_is_opened_from_the_standard_input(jalon: Jalon, piped: Callable[[Any], None]) -> None:
    piped(DOSSIER)
    said = jalon("open", "-", "--as", "Tania")
    assert said.code == 0, said.err


def test_on_gives_the_date_of_the_fact(opened: Jalon) -> None:
    said = opened(*asked("approve", held_on=None), "--on", "2024-10-10", "--json")
    assert said.told["done"]["effective_on"] == "2024-10-10"


def test_on_may_not_contradict_the_request(opened: Jalon) -> None:
    said = opened(*asked("approve"), "--on", "2024-10-10")
    assert (said.code, said.err) == (2, "La date --on 2024-10-10 contredit celle de la demande (held_on).\n")


def test_the_same_key_gives_the_first_answer_again(opened: Jalon) -> None:
    first = opened(*asked("approve"), "--key", "une-clé", "--json")
    assert opened(*asked("approve"), "--key", "une-clé", "--json") == first
    assert len(opened("show", REFERENCE, "--json").told["history"]) == 2


def test_a_key_does_not_serve_two_requests(opened: Jalon) -> None:
    assert opened(*asked("approve"), "--key", "une-clé").code == 0
    said = opened(*asked("approve", votes_for=16), "--key", "une-clé", "--json")
    assert said.code == 4
    assert list(said.told["conflict"]) == ["trigger", "reason", "who", "when", "state"]


def test_a_dossier_that_has_moved_on_answers_who_was_first(opened: Jalon) -> None:
    assert opened(*asked("approve"), "--if-version", "1").code == 0
    said = opened(*asked("sign"), "--if-version", "1")
    assert said.code == 4
    assert said.err.startswith("Rien n’est fait. « Approuver le partenariat » a déjà été fait par Bruno le ")


def test_a_step_that_is_no_longer_possible_says_who_moved_the_dossier_and_when(opened: Jalon) -> None:
    assert opened(*asked("approve")).code == 0
    said = opened(*asked("reject"))
    assert said.code == 3
    assert "Il l’est depuis « Approuver le partenariat », par Bruno le " in said.err


def test_a_trigger_may_be_written_with_hyphens(opened: Jalon) -> None:
    said = opened("receive-invoice", *asked("receive_invoice")[1:], "--json")
    assert said.told["refused"]["trigger"] == "receive_invoice"


def test_nobody_acts_under_the_name_of_the_clock(opened: Jalon) -> None:
    said = opened("review_findings", REFERENCE, "--as", "horloge")
    assert said.code == 2, said.out


def test_a_refusal_gives_every_reason_with_who_can_clear_it_and_its_source(opened: Jalon) -> None:
    said = opened(*asked("approve", votes_for=0, votes_against=1, present=["Membre 1"])[:-1], "Tania", "--json")
    assert said.code == 3
    assert [list(reason) for reason in said.told["refused"]["reasons"]] == [REASON] * 3
    assert [reason["code"] for reason in said.told["refused"]["reasons"]] == ["WRONG_ROLE", "NO_QUORUM", "NOT_ADOPTED"]
    assert list(said.told) == ["refused"]
    assert list(said.told["refused"]) == ["trigger", "reasons"]


def test_a_refusal_is_told_to_a_person_on_the_error_stream(opened: Jalon) -> None:
    said = opened(*asked("approve", present=["Membre 1"], votes_for=1))
    assert (said.code, said.out) == (3, "")
    assert "Le quorum n’est pas atteint : 1 présent pour 33 sièges, il en faut 17" in said.err
    assert "(NO_QUORUM ; peut y remédier : secrétariat du conseil ; source : Décret n° 85-643" in said.err


def test_show_has_the_promised_shape(opened: Jalon) -> None:
    for words in asked_until(State.IN_TRAINING):
        assert opened(*words).code == 0
    told = opened("show", REFERENCE, "--json").told
    promised = ["reference", "state", "version", "terms", "entitlement", "findings", "trainees", "history"]
    assert [name for name in told if name in promised] == promised
    assert set(told) - set(promised) == {"resolved_findings", *SHOWN}
    assert told["entitlement"] == {"eligible": 1, "subsidised": 1, "amount": "2000.00"}
    (trainee,) = told["trainees"]
    assert list(trainee) == ["number", "status", "reason"]
    assert (trainee["number"], trainee["status"]) == (1, "COUNTED")
    assert told["terms"]["rate"] == "2000.00"
    assert told["findings"] == []
    assert {tuple(line) for line in told["history"]} == {tuple(HISTORY)}
    assert f"Droit à subvention : {euros(Decimal(2000))}" in opened("show", REFERENCE).out


def test_a_finding_of_an_imported_dossier_has_code_severity_and_reason(jalon: Jalon, tmp_path: Path) -> None:
    (tmp_path / "repris.json").write_text(json.dumps(DOSSIER | {"imported": True}))
    assert jalon("open", str(tmp_path / "repris.json"), "--as", "Tania").code == 0
    assert jalon("approve", REFERENCE, "--on", "2024-10-09", "--as", "Bruno").code == 0
    findings = jalon("show", REFERENCE, "--json").told["findings"]
    assert {tuple(one) for one in findings} == {("code", "severity", "reason", "source", "subject", "opened_at", "resolved_at")}
    assert [(one["code"], one["severity"]) for one in findings] == [("ROLL_CALL_UNKNOWN", "warn"), ("TRANSMISSION_UNKNOWN", "warn")]


def test_why_has_the_promised_shape(opened: Jalon) -> None:
    told = opened("why", REFERENCE, "--json").told
    assert list(told) == ["state", "entitlement", "next"]
    assert [list(step) for step in told["next"]] == [["trigger", "label", "by", "due_on", "unmet"]] * len(told["next"])
    approve = told["next"][0]
    assert (approve["trigger"], approve["label"], approve["by"]) == ("approve", "Approuver le partenariat", ["board_secretary"])
    assert (approve["due_on"], approve["unmet"]) == ("2024-11-30", [])


def test_why_tells_what_a_step_still_needs(opened: Jalon) -> None:
    for words in asked_until(State.ACTED):
        assert words[0] in ("retain_trainee", "verify_residence") or opened(*words).code == 0
    (step,) = opened("why", REFERENCE, "start_training", "--as", "Bruno", "--json").told["next"]
    assert [list(reason) for reason in step["unmet"]] == [REASON] * 2
    assert [reason["code"] for reason in step["unmet"]] == ["WRONG_ROLE", "NO_TRAINEE"]
    assert (
        "Aucun stagiaire n’est encore retenu. (NO_TRAINEE ; peut y remédier : responsable formation ; source : "
        in opened("why", REFERENCE).out
    )


@pytest.mark.parametrize("words", [["show", REFERENCE], ["show", REFERENCE, "--json"], ["list"], ["list", "--json"]], ids=" ".join)
def test_the_quick_path_says_what_the_whole_command_line_says(opened: Jalon, words: list[str]) -> None:
    assert opened(*asked("approve")).code == 0
    assert opened(*words) == opened(*words, door=run_app)


def test_the_help_of_an_undo_marks_what_is_obligatory(jalon: Jalon) -> None:
    """The motive too, which a rule demands: that somebody gave none is in the journal."""
    shown = " ".join(jalon("undo", "--help").out.replace("│", " ").split())
    options = shown[shown.index("--motive") :]
    assert options.split("--entry")[0].rstrip().endswith("Obligatoire")
    assert options.split("--entry")[1].split("--decided-on")[0].rstrip().endswith("Obligatoire")
    assert "Obligatoire" not in options.split("--decided-on")[1]


def test_a_long_list_goes_on_where_its_last_line_says(opened: Jalon, tmp_path: Path) -> None:
    content = json.loads((tmp_path / "dossier.json").read_text(encoding="utf-8"))
    for number in range(1, 5):
        (tmp_path / "autre.json").write_text(json.dumps(content | {"reference": f"SUITE-{number}"}), encoding="utf-8")
        assert opened("open", str(tmp_path / "autre.json"), "--as", "Tania").code == 0
    seen: list[str] = []
    words = ["list", "--most", "2"]
    for left in ("3 autres dossiers", "1 autre dossier", None):
        lines = opened(*words).out.splitlines()
        seen += [line["reference"] for line in opened(*words, "--json").told]
        if left is not None:
            assert lines[-1] == f"Et {left}, sur 5 en tout ; la suite : jalon list --after {seen[-1]} --most 2"
            words = lines[-1].split("jalon ")[1].split()
    assert "la suite" not in lines[-1]
    assert seen == sorted([REFERENCE, *(f"SUITE-{number}" for number in range(1, 5))])
    assert [line["reference"] for line in opened("list", "--json").told] == seen
    assert "SUITE" not in opened("list", "--after", "SUITE-4").out.splitlines()[0].replace("après SUITE-4", "")
    for most in ("0", "10001"):
        said = opened("list", "--most", most)
        assert (said.code, said.err) == (2, "--most : un nombre entre 1 et 10000.\n")


def test_diagram_is_the_lifecycle_of_the_table(jalon: Jalon) -> None:
    assert jalon("diagram").out == mermaid() + "\n"
    assert jalon("diagram", "--json").told == {"mermaid": mermaid()}


@pytest.mark.parametrize("trigger", STEPS)
def test_schema_is_that_of_the_request(jalon: Jalon, trigger: str) -> None:
    assert jalon("schema", trigger).told == STEPS[trigger].asks.model_json_schema()


def test_init_db_makes_a_database_and_leaves_a_good_one_alone(jalon: Jalon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JALON_HOME", str(tmp_path / "neuf"))
    assert jalon("init-db", "--json").told == {"database": f"sqlite:///{tmp_path / 'neuf' / 'jalon.db'}"}
    assert jalon("init-db").code == 0
    assert jalon("list").out == "Aucun dossier.\n"


@pytest.mark.parametrize("words", [["list"], ["why", REFERENCE], ["people", "list"], ["verify"]], ids=" ".join)
def test_a_command_leaves_no_database_open(opened: Jalon, tmp_path: Path, words: list[str]) -> None:
    assert opened(*words).code == 0
    assert [one.name for one in Path("/proc/self/fd").iterdir() if one.is_symlink() and tmp_path in one.readlink().parents] == []


@pytest.mark.long
def test_the_installed_script_opens_shows_and_verifies(tmp_path: Path) -> None:
    (tmp_path / "dossier.json").write_text(json.dumps(DOSSIER))
    env = {**os.environ, "JALON_HOME": str(tmp_path / "home")}

    def script(*words: str) -> str:
        return subprocess.run([JALON, *words], env=env, cwd=tmp_path, check=True, capture_output=True, text=True, timeout=60).stdout

    script("init-db")
    with closing(Store(sqlite_url(tmp_path / "home" / "jalon.db"))) as store:
        enlist(store, "Tania", "tania@essai.example", [Role.TRAINING_OFFICER])
    assert "Fait. ESSAI-1 est « proposé »" in script("open", "dossier.json", "--as", "Tania")
    assert json.loads(script("show", REFERENCE, "--json"))["state"] == "proposed"
    assert script("verify").startswith("ESSAI-1 : tout se tient (1 entrée vérifiée")


def test_a_list_is_read_part_by_part_and_nothing_is_left_out_without_a_word(jalon: Jalon, tmp_path: Path) -> None:
    with closing(Store(sqlite_url(tmp_path / "jalon.db"))) as store:
        references = [Walk(store, f"ESSAI-{number}").until(State.PROPOSED).reference for number in range(1, 5)]
    assert [one["reference"] for one in jalon("list", "--json").told] == references
    part = jalon("list", "--json", "--most", "3")
    assert [one["reference"] for one in part.told] == references[:3]
    assert part.err == "Et 1 autre dossier, sur 4 en tout ; la suite : jalon list --after ESSAI-3 --most 3 --json\n"
    assert jalon("list", "--json").err == jalon("list", "--json", "--most", "4").err == ""
    shown = jalon("list", "--most", "2").out.splitlines()
    assert [line.split()[0] for line in shown[2:4]] == references[:2]
    assert shown[-1] == "Et 2 autres dossiers, sur 4 en tout ; la suite : jalon list --after ESSAI-2 --most 2"
    assert [line.split()[0] for line in jalon("list", "--after", "ESSAI-2", "--most", "2").out.splitlines()[2:]] == references[2:]
    assert jalon("list", "--after", "ESSAI-4").out == "Aucun dossier après ESSAI-4.\n"
    assert jalon("list", "--most", "0").err == "--most : un nombre entre 1 et 10000.\n"


def test_verify_speaks_of_the_house_and_answers_programs_too(opened: Jalon) -> None:
    told = opened("verify", "--json").told
    assert ([one["reference"] for one in told["dossiers"]], told["house"], told["seals"]["nights"]) == ([REFERENCE], [], 0)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--path", "x"], "Avec --path, il faut la référence du dossier."),
        (["--digest", "f" * 64], "Avec --digest, il faut la référence du dossier."),
        (["--seal", "absent.eml"], "Le fichier absent.eml ne peut pas être lu (le chemin n’existe pas)."),
        ([REFERENCE, "--path", "x"], f"Aucun sceau qui tienne ne porte {REFERENCE} : la ronde de la nuit le scellera."),
        (["JAMAIS-1"], "Aucun dossier ne porte la référence JAMAIS-1."),
    ],
)
def test_verify_asked_badly_is_one_sentence(opened: Jalon, words: list[str], sentence: str) -> None:
    said = opened("verify", *words)
    assert (said.code, said.err) == (2, f"{sentence}\n")
