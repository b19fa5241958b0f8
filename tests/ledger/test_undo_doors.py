"""At every door an undo names its entry: the command line, a terminal, a form; Ctrl-C at the question takes nothing back."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import sys
from contextlib import suppress
from pathlib import Path
from subprocess import PIPE, Popen, TimeoutExpired

import pytest
from taking_back import undo
from walks import PEOPLE, Walk, role_for
from witness import child

from flows.cli.command import run
from flows.home import Home
from flows.intake.undoing import WRITTEN, entry_label, entry_meant
from flows.settings import settings as settings_of
from models.answers import Invalid
from states.vocabulary import State

TANIA = PEOPLE[role_for("attach")]


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
    assert "pas maintenant. L’entrée 3 (« Consigner la transmission au préfet ») a changé les mêmes données" in lines["2"]
    assert run(["undo", "ESSAI-1", "--as", "Tania", "--motive", "Erreur", "--entry", "6", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["done"]["notes"] == ["Est annulé : « Joindre un document », entrée 6 du journal, par Tania."]


UNDO = [sys.executable, "-m", "flows", "undo", "ESSAI-1", "--as", "Tania", "--motive", "Erreur"]


@pytest.mark.parametrize(("typed", "code", "said"), [("6", 0, "Consigné."), ("demain", 2, "Ce n’est pas un numéro d’entrée")])
@pytest.mark.long
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


def interrupted(process: Popen[str]) -> tuple[str, str]:
    """What is said after Ctrl-C. Who presses it just before the answer is waited for presses it again."""
    for _ in range(30):
        process.send_signal(signal.SIGINT)
        with suppress(TimeoutExpired):
            return process.communicate(timeout=2)
    process.kill()
    return process.communicate()


@pytest.mark.long
def test_an_interruption_at_the_question_is_told_and_takes_nothing_back(at_home: Home) -> None:
    end, terminal = pty.openpty()
    process = Popen(UNDO, stdin=terminal, stdout=PIPE, stderr=PIPE, text=True, start_new_session=True)
    assert process.stdout is not None
    while not process.stdout.read(1):
        pass  # the question is there
    _, err = interrupted(process)
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
