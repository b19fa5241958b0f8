"""An undo names its entry: a recording is taken back at any time, unless something that came later changed or relied on it."""

from __future__ import annotations

import itertools
import json
import os
import pty
import re
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from taking_back import DRAWN, OMAR, codes, facts, holds, onward, undo
from walks import PEOPLE, RIGHT, Walk, role_for
from witness import child, dump, fresh, journal, sql

from flows.cli.command import run
from flows.home import Home
from flows.intake.undoing import WRITTEN, entry_label, entry_meant
from flows.settings import settings as settings_of
from models.answers import Answer, Conflict, Done, Invalid
from models.database.store import Store, sqlite_url
from states.grammar.guard import Refused
from states.lifecycle import STEPS
from states.partnership import Partnership
from states.vocabulary import State

references = itertools.count(1)
TANIA = PEOPLE[role_for("attach")]


def trained(store: Store, reference: str = "ESSAI-1") -> Walk:
    """A dossier in training, with three trainees."""
    walk = Walk(store, reference).until(State.IN_TRAINING)
    walk.do("retain_trainees")
    return walk


def reason(answer: Answer) -> str:
    assert isinstance(answer, Refused), answer
    return answer.reasons[0].reason


def test_the_dropout_of_the_wrong_trainee_is_taken_back_with_a_committee_recorded_since(store: Store) -> None:
    walk = trained(store)
    before = fresh(walk).partnership
    n = walk.do("record_dropout", trainee=2).n
    walk.do("hold_committee")
    done = undo(walk, actor=TANIA, entry=n)
    after = fresh(walk).partnership
    assert after.trainees == before.trainees
    assert len(after.committees) == 1
    assert done.notes == (f"Est annulé : « Consigner un abandon », entrée {n} du journal, par Tania.",)
    assert json.loads(journal(store, walk.reference)[-1][1])["undoes"] == n
    holds(walk)


def test_a_publication_on_the_wrong_act_is_taken_back_and_the_right_one_recorded(store: Store) -> None:
    walk = Walk(store).until(State.SIGNED)
    walk.do("act")
    n = walk.do("publish_act", act=2, published_on="2025-12-20", address="https://cdg.example/faux").n
    walk.do("attach")
    walk.do("transmit_act", act=2, transmitted_on="2025-12-12")
    walk.do("undo", actor="Bruno", entry=n)
    walk.do("publish_act", act=2, published_on="2025-12-16")
    assert str(fresh(walk).partnership.acts[1].published_on) == "2025-12-16"
    holds(walk)


def test_a_residence_is_taken_back_with_the_dropout_of_the_same_trainee_recorded_since(store: Store) -> None:
    walk = trained(store)
    n = walk.do("verify_residence", trainee=2, insee="62041").n
    walk.do("record_dropout", trainee=2)
    undo(walk, entry=n)
    two = fresh(walk).partnership.trainee(2)
    assert (two.verified_on, two.left_on is not None) == (None, True)
    holds(walk)


def test_a_gap_that_an_undo_leaves_is_not_filled_again(store: Store) -> None:
    walk = Walk(store).until(State.APPROVED)
    first = walk.do("attach", title="Première").n
    walk.do("attach", title="Deuxième")
    undo(walk, entry=first)
    walk.do("attach", title="Troisième")
    assert [(one.number, one.title) for one in fresh(walk).partnership.documents] == [(2, "Deuxième"), (3, "Troisième")]
    holds(walk)


def test_a_trainee_retained_by_mistake_goes_with_the_name_whoever_was_retained_since(store: Store) -> None:
    walk = Walk(store).until(State.APPROVED)
    n = walk.do("retain_trainee").n
    walk.do("retain_trainees")
    undo(walk, entry=n)
    assert [one.number for one in fresh(walk).partnership.trainees] == [2, 3]
    assert sql(store, "SELECT trainee FROM identities ORDER BY trainee") == [(2,), (3,)]
    walk.do("retain_trainee")
    holds(walk)


# What stands in the way: the step, what is recorded after it, and how each obstacle is named.
OBSTACLES: dict[str, tuple[State, str, list[tuple[str, dict[str, Any]]], list[str]]] = {
    "the same fields were changed": (
        State.IN_TRAINING,
        "record_dropout",
        [("hold_committee", {}), ("record_dropout", {"left_on": "2026-03-02"})],
        ["(« Consigner un abandon », par Tania) a changé les mêmes données"],
    ),
    "the money was counted with it": (
        State.TRAINED,
        "record_dropout",
        [("attach", {}), ("receive_invoice", {"amount": "500.00"}), ("settle", {})],
        ["(« Certifier le service fait et liquider », par Farida) s’appuie sur elle"],
    ),
    "a rule asked for it": (
        State.APPROVED,
        "retain_trainee",
        [("sign", {}), ("act", {}), ("start_training", {})],
        ["(« Ouvrir la formation », par Tania) s’appuie sur elle"],
    ),
    "a fact that it made was changed": (
        State.ACTED,
        "retain_trainees",
        [("verify_residence", {"trainee": 2, "insee": "62041"}), ("correct_trainee", {"trainee": 3, "rank": 9}), ("attach", {})],
        [
            "(« Vérifier la résidence d’un stagiaire », par Tania) a changé les mêmes données",
            "(« Corriger le rang ou le régime d’un stagiaire », par Tania) a changé les mêmes données",
        ],
    ),
    "the dossier moved on": (
        State.PROPOSED,
        "approve",
        [("transmit_act", {}), ("publish_act", {}), ("sign", {})],
        [
            "(« Consigner la transmission au préfet », par Bruno) a changé les mêmes données",
            "(« Consigner la publication », par Bruno) a changé les mêmes données",
            "(« Signer la convention », par Tania) a fait avancer le dossier depuis",
        ],
    ),
    "a role was lent by it": (
        State.ACTED,
        "delegate",
        [("retain_trainee", {"actor": "Bruno", "given_name": "Zora"}), ("attach", {})],
        ["(« Retenir un stagiaire », par Bruno) s’appuie sur elle"],
    ),
    "a later recording is not possible without the step": (
        State.ACTED,
        "start_training",
        [("retain_trainee", {"given_name": "Zora"}), ("complete_training", {})],
        ["(« Constater la fin de la formation », par Tania) a fait avancer le dossier depuis"],
    ),
}


@pytest.mark.parametrize("case", OBSTACLES)
def test_what_stands_in_the_way_is_named_entry_by_entry(store: Store, case: str) -> None:
    state, trigger, later, expected = OBSTACLES[case]
    policy = RIGHT["open"]["terms"] | {"dropout_policy": "prorata"}
    walk = Walk(store).until(state, terms=policy, **({"imported": True} if case.startswith("the dossier") else {}))
    before = walk.do(trigger).n
    numbers = [walk.do(step, **how).n for step, how in later]
    kept = facts(fresh(walk).partnership)
    answer = walk.ask("undo", actor=OMAR, entry=before)
    assert codes(answer) == ["STILL_RELIED_ON"]
    for words in expected:
        assert words in reason(answer)
    assert [f"l’entrée {n} " in reason(answer) for n in numbers].count(True) == len(expected)
    assert facts(fresh(walk).partnership) == kept
    holds(walk)


def test_a_later_batch_whose_numbers_have_one_more_digit_does_not_stand_in_the_way(store: Store) -> None:
    """In an entry « 10 » stands before « 9 »; the effect is the same."""
    walk = Walk(store).until(State.APPROVED)
    numbers = [walk.do("retain_trainee", given_name=f"Zoé {number}", rank=number).n for number in range(1, 9)]
    walk.do("retain_trainees")
    undo(walk, entry=numbers[-1])
    assert [one.number for one in fresh(walk).partnership.trainees] == [1, 2, 3, 4, 5, 6, 7, 9, 10]
    holds(walk)


@pytest.mark.parametrize("again", ["stands", "taken back"])
def test_a_warning_stays_as_long_as_a_later_step_that_stands_has_raised_it_too(store: Store, again: str) -> None:
    walk = Walk(store).until(State.SIGNED, imported=True)
    first, second = (walk.do("amend", deliberation={"held_on": "2026-02-10"}, changes={"cap": cap}).n for cap in (22, 30))
    if again == "taken back":
        undo(walk, entry=second)
    undo(walk, entry=first)
    found = {(one.code, one.subject) for one in fresh(walk).partnership.findings}
    assert (("ROLL_CALL_UNKNOWN", "amend") in found) == (again == "stands")
    holds(walk)


def test_a_trunk_step_is_taken_back_with_the_recordings_that_do_not_need_it(store: Store) -> None:
    walk = Walk(store).until(State.SIGNED)
    n = fresh(walk).n
    walk.do("attach", title="Annexe")
    undo(walk, entry=n)
    after = fresh(walk).partnership
    assert (after.state, after.signatures, len(after.documents)) == (State.APPROVED, (), 1)
    holds(walk)


NOTHING: dict[str, tuple[int, str]] = {
    "the opening": (1, "l’entrée 1 est l’ouverture du dossier, elle ne s’annule pas"),
    "a refused entry": (5, "l’entrée 5 a été refusée, elle n’a rien changé"),
    "an entry without effect": (6, "l’entrée 6 est restée sans effet, elle n’a rien changé"),
    "a review by jalon": (7, "l’entrée 7 est une revue faite par jalon, elle n’est l’étape de personne"),
    "an undo": (9, "l’entrée 9 est une annulation, elle ne s’annule pas : l’étape se refait"),
    "an entry that there is not": (99, "le journal de ESSAI-1 n’a pas d’entrée 99, il en compte 9"),
    "an entry of another dossier": (10, "le journal de ESSAI-1 n’a pas d’entrée 10, il en compte 9"),
}


@pytest.mark.parametrize("case", NOTHING)
def test_what_is_nobodys_step_is_not_taken_back_and_says_why(store: Store, case: str) -> None:
    other = Walk(store, "ESSAI-2").until(State.SIGNED)
    assert [other.do("attach").n for _ in range(5)][-1] == 10  # which is an entry of the other dossier
    walk = Walk(store).until(State.APPROVED)
    walk.ask("retain_trainee", born_on="2025-12-20")
    walk.ask("approve")
    walk.do("review_findings")
    walk.do("attach")
    undo(walk)
    entry, sentence = NOTHING[case]
    kept = facts(fresh(walk).partnership), dump(store)["outbox"]
    answer = walk.ask("undo", actor=OMAR, entry=entry)
    assert codes(answer) == ["NOTHING_TO_UNDO"]
    assert reason(answer) == f"Il n’y a rien à annuler là : {sentence}."
    assert (facts(fresh(walk).partnership), dump(store)["outbox"]) == kept
    holds(walk)


def test_who_comes_second_learns_who_has_taken_the_entry_back(store: Store) -> None:
    walk = Walk(store).until(State.APPROVED)
    n = walk.do("attach").n
    walk.do("undo", actor=TANIA, entry=n)
    answer = walk.ask("undo", actor=OMAR, entry=n)
    assert isinstance(answer, Conflict)
    assert answer.who == TANIA
    assert answer.sentence.startswith(f"L’entrée {n} (« Joindre un document ») a déjà été annulée par Tania le 23 novembre 2026 à ")
    holds(walk)


@pytest.mark.parametrize("entry", [None, 0, -1, "la dernière", 1.5, True])
def test_no_request_to_undo_is_read_without_the_number_of_an_entry(entry: Any) -> None:
    content = {"motive": "Erreur"} | ({} if entry is None else {"entry": entry})
    with pytest.raises(ValidationError):
        STEPS["undo"].asks.model_validate(content)


# At every door.


@pytest.fixture
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A dossier behind the command line: signed, with two papers, one of which was taken back."""
    monkeypatch.setenv("JALON_HOME", str(tmp_path))
    monkeypatch.delenv("JALON_DATABASE_URL", raising=False)
    home = Home(settings_of({"JALON_HOME": str(tmp_path)}), create=True)
    walk = Walk(home.store).until(State.SIGNED)
    walk.do("attach", title="Annexe")
    walk.do("attach", title="Autre annexe")
    undo(walk, actor=TANIA)
    home.store.close()
    return home


def test_the_command_line_asks_for_the_entry_and_shows_what_each_would_take_back(at_home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["undo", "ESSAI-1", "--as", "Tania", "--motive", "Erreur"]) == 2
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "Dites quelle entrée annuler, avec --entry et son numéro :"
    lines = {line.split()[0]: line for line in said[3:]}
    assert set(lines) == {"2", "3", "4", "5", "6"}
    assert lines["6"].endswith("document n° 1")
    assert lines["5"].endswith("signature n° 1 ; le dossier redevient «\u00a0approuvé\u00a0»")
    assert "pas maintenant : l’entrée 3 (« Consigner la transmission au préfet ») a changé les mêmes données" in lines["2"]
    assert run(["undo", "ESSAI-1", "--as", "Tania", "--motive", "Erreur", "--entry", "6", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["done"]["notes"] == ["Est annulé : « Joindre un document », entrée 6 du journal, par Tania."]


UNDO = [sys.executable, "-m", "flows", "undo", "ESSAI-1", "--as", "Tania", "--motive", "Erreur"]


@pytest.mark.parametrize(("typed", "code", "said"), [("6", 0, "Consigné."), ("demain", 2, "Ce n’est pas un numéro d’entrée")])
def test_somebody_at_a_terminal_is_asked_which(at_home: Home, typed: str, code: int, said: str) -> None:
    end, terminal = pty.openpty()
    process = Popen(UNDO, stdin=terminal, stdout=PIPE, stderr=PIPE, text=True)
    os.write(end, f"{typed}\n".encode())
    out, err = process.communicate(timeout=60)
    os.close(end)
    os.close(terminal)
    assert "Numéro de l’entrée à annuler : " in out
    assert "6       01/01/2026  Joindre un document" in err
    assert process.returncode == code
    assert said in out + err


def test_an_interruption_at_the_question_is_told_and_takes_nothing_back(at_home: Home) -> None:
    end, terminal = pty.openpty()
    process = Popen(UNDO, stdin=terminal, stdout=PIPE, stderr=PIPE, text=True, start_new_session=True)
    assert process.stdout is not None
    while not process.stdout.read(1):
        pass  # the question is there
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    os.close(end)
    os.close(terminal)
    assert process.returncode == 130
    assert err.endswith("\nInterrompu.\n")
    home = Home(at_home.settings)
    assert [line.entry.n for line in home.views.history("ESSAI-1")][-1] == 8
    home.store.close()


STARTING = """
import builtins, os, signal
real = builtins.__import__
def loading(name, *rest, **named):
    if name == "flows.cli.command":
        os.kill(os.getpid(), signal.SIGINT)
    return real(name, *rest, **named)
builtins.__import__ = loading
from flows.__main__ import main
main()
"""


def test_an_interruption_while_jalon_starts_is_told_in_a_word() -> None:
    starting = child(STARTING)
    assert starting.communicate(timeout=60) == ("", "\nInterrompu.\n")
    assert starting.returncode == 130


def test_a_form_shows_what_would_be_taken_back_and_takes_nothing_else(at_home: Home) -> None:
    """The page fills in « 6 : Joindre un document, ... »; a number or a reference changed since is no longer what is shown."""
    home = Home(at_home.settings)
    shown = {line.entry.n: entry_label(line.entry) for line in home.views.history("ESSAI-1")}
    assert shown[6] == "6 : Joindre un document, par Tania (document n° 1)"
    assert shown[5] == "5 : Signer la convention, par Tania (signature n° 1 ; le dossier redevient «\u00a0approuvé\u00a0»)"
    assert all(re.match(WRITTEN, words) for words in shown.values())
    for written in (shown[6], "6"):
        assert entry_meant(home, "ESSAI-1", {"motive": "x", "entry": written}) == {"motive": "x", "entry": 6}
    for other in ({"motive": "x", "entry": 6}, {"motive": "x"}, {"entry": "le dernier"}, [], None, "6"):
        assert entry_meant(home, "ESSAI-1", other) == other
    for written in (shown[6].replace("6", "5", 1), shown[6].replace("Tania", "Omar"), shown[6].replace("6", "99", 1)):
        with pytest.raises(Invalid, match="n’est pas celle que le formulaire montre"):
            entry_meant(home, "ESSAI-1", {"motive": "x", "entry": written})
    home.store.close()


# Simultaneous undos.

RACE = """
import sys
from walks import Walk
from models.database.store import Store
store = Store(sys.argv[1])
print("ready", flush=True)
for line in sys.stdin:
    reference, entry, key = line.split()
    answer = Walk(store, reference).ask("undo", actor="Omar", entry=int(entry), key=key)
    print(type(answer).__name__, getattr(answer, "n", answer.sentence if hasattr(answer, "sentence") else ""), flush=True)
"""


@pytest.mark.endurance
def test_of_many_simultaneous_undos_of_one_entry_one_is_done_and_the_others_learn_who_did_it(store: Store) -> None:
    """8 and 32 processes, with the same key and with different ones; the entries before it stay."""
    url = store.url.render_as_string(hide_password=False)
    with ExitStack() as stack:
        racers = [stack.enter_context(child(RACE, url)) for _ in range(32)]
        assert [racer.stdout.readline() for racer in racers] == ["ready\n"] * 32
        for many, same in itertools.product((8, 32), (False, True)):
            walk = Walk(store, f"ESSAI-{next(references)}").until(State.APPROVED)
            walk.do("attach")
            n = walk.do("attach").n
            for number, racer in enumerate(racers[:many]):
                key = f"{walk.reference}-{'same' if same else number}"
                racer.stdin.write(f"{walk.reference} {n} {key}\n")
                racer.stdin.flush()
            answers = [racer.stdout.readline().split(maxsplit=1) for racer in racers[:many]]
            done = [rest.strip() for kind, rest in answers if kind == "Done"]
            if same:
                assert done == [str(n + 1)] * many  # one answer, given to all
            else:
                assert len(done) == 1
                assert all("a déjà été annulée par Omar" in rest for kind, rest in answers if kind == "Conflict")
                assert [kind for kind, _ in answers].count("Conflict") == many - 1
            kept = fresh(walk).partnership
            assert [one.number for one in kept.documents] == [1]
            undoes = [entry for _, entry, _ in journal(store, walk.reference) if '"undoes"' in entry]
            assert len(undoes) == 1
            holds(walk)


# Next to an independent model: the same life, lived without the step.


def lived(store: Store, reference: str, steps: list[tuple[str, dict[str, Any]]]) -> tuple[Walk, list[Answer]]:
    """A dossier in which these steps were asked, one after the other."""
    walk = Walk(store, reference)
    walk.do("open", terms=RIGHT["open"]["terms"] | {"dropout_policy": "full", "payee_cooling_days": 0})
    return walk, [walk.ask(trigger, **how) for trigger, how in steps]


def alike_in(name: str, partnership: Partnership, fact: Any) -> dict[str, Any]:
    """The fields of a fact that are told otherwise to compare two lives."""
    places = {act.number: place for place, act in enumerate(partnership.acts)}
    return {"commitment": ""} if name == "trainees" else {"act": places[fact.act]} if name == "appeals" else {}


def alike(partnership: Partnership) -> dict[str, Any]:
    """What two lives have in common, whatever the numbers of their facts; findings are those of the facts."""
    told = {}
    for name, value in partnership._asdict().items():
        if name in ("reference", "version", "pepper", "identity_digests", "findings"):
            continue
        several = isinstance(value, tuple) and value and hasattr(value[0], "number")
        told[name] = [one._replace(number=0, **alike_in(name, partnership, one)) for one in value] if several else value
    return told


@pytest.fixture
def elsewhere(tmp_path: Path, sqlite_blank: Path) -> Iterator[Store]:
    """Another database: an invoice is received once in one."""
    shutil.copyfile(sqlite_blank, tmp_path / "elsewhere.db")
    store = Store(sqlite_url(tmp_path / "elsewhere.db"))
    yield store
    store.close()


@settings(max_examples=60)
@given(steps=st.lists(st.sampled_from(DRAWN), min_size=8, max_size=26), choice=st.integers(0, 1000))
def test_what_is_left_after_an_undo_is_the_life_without_the_step(sqlite: Store, elsewhere: Store, steps: list[str], choice: int) -> None:
    walk = Walk(sqlite, f"ESSAI-{next(references)}")
    walk.do("open", terms=RIGHT["open"]["terms"] | {"dropout_policy": "full", "payee_cooling_days": 0})
    done: list[tuple[int, str, dict[str, Any]]] = []
    for place, drawn in enumerate(steps):
        partnership = fresh(walk).partnership
        trigger = onward(partnership) if drawn == "onward" else drawn
        if trigger in ("undo", "review_findings") or partnership.state is State.ORDERED:
            continue
        how = asked(walk, trigger, partnership, place)
        answer = walk.ask(trigger, **how)
        if isinstance(answer, Done):
            done.append((answer.n, trigger, how))
    if not done:
        return
    n, trigger, _ = done[choice % len(done)]
    answer = walk.ask("undo", actor=OMAR, entry=n)
    event(type(answer).__name__)
    holds(walk)
    if not isinstance(answer, Done):
        assert set(codes(answer)) <= {"STILL_RELIED_ON", "MONEY_MOVED"}
        return
    event(f"{trigger}, {len(done) - [one[0] for one in done].index(n) - 1} steps later")
    # A deliberation that was taken back leaves a gap in the numbers, which the other life does not have.
    acts = {act.number: place for place, act in enumerate(fresh(walk).partnership.acts, start=1)}
    left = [(step, how | ({"act": acts[how["act"]]} if "act" in how else {})) for one, step, how in done if one != n]
    other, answers = lived(elsewhere, f"ESSAI-{next(references)}", left)
    assert all(isinstance(one, Done) for one in answers)
    assert alike(fresh(other).partnership) == alike(fresh(walk).partnership)


def asked(walk: Walk, trigger: str, partnership: Partnership, place: int) -> dict[str, Any]:
    """The request of one step, with nothing in it that depends on what another life holds."""
    how: dict[str, Any] = {}
    if trigger in ("transmit_act", "publish_act", "record_appeal"):
        how["act"] = partnership.acts[-1].number if partnership.acts else 1
    if trigger == "retain_trainee":
        how |= {"given_name": f"Zoé {place}", "number": 100 + place, "rank": place + 1}
    if trigger == "retain_trainees":
        people = RIGHT["retain_trainees"]["trainees"]
        how["trainees"] = [one | {"given_name": f"Alix {place}", "number": 1000 + 2 * place + at} for at, one in enumerate(people)]
    if trigger in ("verify_residence", "record_dropout", "correct_trainee", "exclude_trainee") and partnership.trainees:
        how["trainee"] = partnership.trainees[place % len(partnership.trainees)].number
    if trigger == "receive_invoice":
        how |= {"number": f"{walk.reference}-{place}", "document_sha256": f"{walk.reference}{place}".encode().hex().ljust(64, "0")}
    return how
