"""One door for files: a regular file, opened once, bounded, never followed out of its folder; whatever it is, one sentence, and soon."""

from __future__ import annotations

import hashlib
import io
import json
import os
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from forks import jalon
from terminal import REFERENCE

from flows.ports import files, inbox
from models.answers import Invalid

CALLED = "Le fichier"
FOLDER = f"{CALLED} ne peut pas être lu (c’est un dossier ou un appareil)."
LINK = f"{CALLED} ne peut pas être lu (c’est un lien hors de son dossier : donnez le fichier lui-même)."
CHANGING = f"{CALLED} ne peut pas être lu (il change pendant la lecture : réessayez une fois qu’il est complet)."


def told(path: Path, at_most: int = 1000) -> str:
    """The one sentence that a path gives, at once."""
    began, before = time.monotonic(), len([*Path("/dev/fd").iterdir()])
    with pytest.raises(Invalid) as refused:
        files.taken(path, at_most)
    assert time.monotonic() - began < 1
    assert len([*Path("/dev/fd").iterdir()]) == before
    (sentence,) = refused.value.sentences
    return sentence


# What a path can lead to.


def fifo(path: Path) -> None:
    os.mkfifo(path)


def holes(path: Path) -> None:
    path.touch()
    os.truncate(path, 10**12)


def a_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(os.path.relpath(path))


MADE: dict[str, tuple[Callable[[Path], object], str]] = {
    "a folder": (Path.mkdir, FOLDER),
    "a pipe that nobody writes into": (fifo, FOLDER),
    "a socket": (a_socket, FOLDER),
    "a link to /dev/zero": (lambda path: path.symlink_to("/dev/zero"), LINK),
    "a link out of the folder": (lambda path: path.symlink_to("/etc/passwd"), LINK),
    "a link that climbs": (lambda path: path.symlink_to("../secret"), LINK),
    "a link to the folder": (lambda path: path.symlink_to("."), LINK),
    "a link to itself": (lambda path: path.symlink_to(path.name), LINK),
    "a link to nothing": (lambda path: path.symlink_to("absent"), f"{CALLED} ne peut pas être lu (le chemin n’existe pas)."),
    "nothing": (lambda _: None, f"{CALLED} ne peut pas être lu (le chemin n’existe pas)."),
    "a file that is too big": (lambda path: path.write_bytes(bytes(2_000_000)), f"{CALLED} est trop gros : 1 Mo au plus."),
    "a file of holes": (holes, f"{CALLED} est trop gros : 1 Mo au plus."),
}


@pytest.mark.parametrize("kind", MADE)
def test_what_is_no_regular_file_is_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.chdir(tmp_path)
    made, sentence = MADE[kind]
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "folder").mkdir()
    path = tmp_path / "folder" / "named"
    made(path)
    assert told(path, 1_000_000) == sentence


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/full", "/dev/null", "/dev/tty", "/", ".", "..", ""])
def test_devices_and_folders_of_the_system_are_told(path: str) -> None:
    assert told(Path(path)) == FOLDER


@pytest.mark.parametrize("path", [*filter(os.path.exists, ("/proc/self/environ", "/proc/self/maps"))])  # where a system has such files
def test_a_file_that_says_to_be_empty_and_is_not_is_told(path: str) -> None:
    assert told(Path(path), 10_000_000) == CHANGING


def test_a_name_that_is_none_is_told() -> None:
    assert told(Path("a\0b")) == "Le nom du fichier n’est pas lisible."
    assert told(Path("a" * 5000)).startswith(f"{CALLED} ne peut pas être lu")


def test_a_file_that_may_not_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root obeys no rights, so what opens is told to refuse."""
    (tmp_path / "closed").write_text("{}")
    real = os.open

    def refusing(path: str, *words: object, **more: object) -> int:
        if path == "closed":
            raise PermissionError(13, "Permission denied")
        return real(path, *words, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", refusing)
    assert told(tmp_path / "closed") == f"{CALLED} ne peut pas être lu (les droits manquent)."


def test_a_file_is_read_whole_and_so_is_one_of_no_bytes(tmp_path: Path) -> None:
    content = os.urandom(3_000_000)
    (tmp_path / "big").write_bytes(content)
    (tmp_path / "empty").touch()
    assert files.taken(tmp_path / "big", len(content)) == content
    assert files.taken(tmp_path / "empty", 10) == b""
    assert told(tmp_path / "big", len(content) - 1) == f"{CALLED} est trop gros : 2 Mo au plus."


def test_a_link_inside_its_folder_is_followed_and_so_are_those_on_the_way(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").write_bytes(b"here")
    (tmp_path / "folder" / "link").symlink_to("file")
    (tmp_path / "way").symlink_to("folder")
    assert files.taken(tmp_path / "way" / "link", 10) == b"here"


# What changes meanwhile.


@pytest.fixture
def during(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Something happens between the look at an open file and its reading."""

    def when(happens: Callable[[], object]) -> None:
        real, todo = os.fstat, [happens]

        def looked(descriptor: int) -> os.stat_result:
            found = real(descriptor)
            if todo:
                todo.pop()()
            return found

        monkeypatch.setattr(os, "fstat", looked)

    return when


def test_a_file_that_is_exchanged_is_the_one_that_was_opened(tmp_path: Path, during: Callable[[Callable[[], object]], None]) -> None:
    path, other = tmp_path / "file", tmp_path / "other"
    path.write_bytes(b"mine")
    other.write_bytes(b"evil")
    during(lambda: other.replace(path))
    assert files.taken(path, 10) == b"mine"
    assert path.read_bytes() == b"evil"


def test_a_file_that_is_exchanged_for_a_link_before_it_is_opened_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, real = tmp_path / "file", os.open
    path.write_bytes(b"mine")

    def exchanged(name: str, *words: object, **more: object) -> int:
        if name == "file":
            path.unlink()
            path.symlink_to("/etc/passwd")
        return real(name, *words, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", exchanged)
    assert told(path) == LINK


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda path: path.write_bytes(b"longer than before"), CHANGING),
        (lambda path: path.write_bytes(b""), CHANGING),
        (lambda path: os.truncate(path, 10**9), f"{CALLED} est trop gros : 0 Mo au plus."),
    ],
)
def test_a_file_that_grows_or_shrinks_is_told(
    tmp_path: Path, during: Callable[[Callable[[], object]], None], change: Callable[[Path], object], sentence: str
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"before")
    during(lambda: change(path))
    assert told(path) == sentence


# Documents, of which only a fingerprint is kept.


def test_a_fingerprint_is_that_of_the_bytes_and_an_empty_or_endless_document_has_none(tmp_path: Path) -> None:
    document = tmp_path / "acte.pdf"
    document.write_bytes(bytes(20_000_000))
    assert files.fingerprint(document, called="L’acte") == hashlib.sha256(bytes(20_000_000)).hexdigest()
    for content, sentence in ((b"", "L’acte est vide."), (bytes(30_000_001), "L’acte est trop gros : 30 Mo au plus.")):
        document.write_bytes(content)
        with pytest.raises(Invalid) as refused:
            files.fingerprint(document, called="L’acte")
        assert refused.value.sentences == (sentence,)


@pytest.mark.parametrize("kind", ["a pipe that nobody writes into", "a link out of the folder", "a folder", "nothing"])
def test_a_document_of_the_inbox_that_is_none_is_told_without_its_name(tmp_path: Path, kind: str) -> None:
    MADE[kind][0](tmp_path / "Durand.pdf")
    with pytest.raises(Invalid) as refused:
        inbox.fingerprinted(tmp_path, {"document_sha256": "@Durand.pdf"})
    assert refused.value.sentences == (inbox.NOT_THERE,)


@pytest.mark.parametrize("kind", ["a pipe that nobody writes into", "a link out of the folder", "a folder", "nothing"])
def test_a_request_of_the_inbox_that_is_no_file_is_told(tmp_path: Path, kind: str) -> None:
    MADE[kind][0](tmp_path / "demande.json")
    with pytest.raises(Invalid) as refused:
        inbox.read(tmp_path, "demande.json")
    assert refused.value.sentences[0].startswith("Le fichier demande.json de la corbeille d’arrivée ne peut pas être lu (")


# At the command line: each word that names a file.

DOORS = {
    "open": lambda path: ["open", path, "--as", "Tania"],
    "--request": lambda path: ["approve", REFERENCE, "--request", path, "--as", "Bruno"],
    "@file": lambda path: ["attach", REFERENCE, "--title", "Note", "--sha256", f"@{path}", "--as", "Tania"],
    "sheet": lambda path: ["import", "trainees", REFERENCE, path, "--as", "Tania"],
}


NO_FILES = [kind for kind in MADE if kind.startswith("a ") and "socket" not in kind and "big" not in kind]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A house with one person and one dossier."""
    from walks import Walk

    from models.database.store import Store, sqlite_url
    from states.vocabulary import State

    folder = tmp_path_factory.mktemp("home")
    store = Store(sqlite_url(folder / "jalon.db"), create=True)
    Walk(store).until(State.PROPOSED)
    store.close()
    return folder


@pytest.fixture
def environment(home: Path) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "JALON_DATABASE_URL"} | {"JALON_HOME": str(home)}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    "kind", ["/dev/zero", "/dev/full", *(kind for kind in MADE if kind.startswith("a ") and "socket" not in kind and "big" not in kind)]
)
def test_every_door_tells_what_is_no_file(tmp_path: Path, environment: dict[str, str], door: str, kind: str) -> None:
    path = Path(kind)
    if kind in MADE:
        path = tmp_path / "named"
        MADE[kind][0](path)
    began = time.monotonic()
    ended = jalon(*DOORS[door](str(path)), cwd=Path.cwd(), env=environment)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert len(ended.stderr.splitlines()) == 1
    assert ended.stderr.startswith("Le fichier ")
    assert time.monotonic() - began < 10


def standard(environment: dict[str, str], words: list[str], **given: object) -> tuple[int, str]:
    command = [sys.executable, "-m", "flows", *words]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=False, **given)  # type: ignore[call-overload]
    assert "Traceback" not in ended.stderr
    return ended.returncode, ended.stderr


@pytest.mark.parametrize("words", [DOORS["open"]("-"), DOORS["--request"]("-")], ids=["open", "--request"])
def test_standard_input_is_bounded_too(tmp_path: Path, environment: dict[str, str], words: list[str]) -> None:
    with Path("/dev/zero").open("rb") as zeros:
        assert standard(environment, words, stdin=zeros) == (2, "L’entrée standard est trop longue : 1 Mo au plus.\n")
    assert standard(environment, words, stdin=subprocess.DEVNULL)[1].startswith("L’entrée standard n’est pas du JSON lisible")
    with (tmp_path / "written").open("w") as writing:
        code, said = standard(environment, words, stdin=writing)
    assert (code, said.startswith("L’entrée standard ne peut pas être lue")) == (2, True)


def test_a_pipe_is_a_fair_standard_input(environment: dict[str, str]) -> None:
    code, said = standard(environment, DOORS["--request"]("-"), input=json.dumps({"held_on": "2025-10-09"}))
    assert code in {0, 3}, said


def test_a_closed_standard_input_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(Invalid, match="L’entrée standard est fermée"):
        files.standard_input(10)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"12345678901")))
    with pytest.raises(Invalid, match="trop longue"):
        files.standard_input(10)


# JSON that is parsed where it is read: as much as may come, in no time and little memory.


HEAVY: dict[str, str] = {
    "levels of lists": "[" * 1_000_000,
    "levels of objects": '{"a":' * 200_000,
    "levels that end": '{"a":' + "[" * 499_990 + "]" * 499_990 + "}",
    "a number of a million digits": '{"a":' + "9" * 999_990 + "}",
    "a fraction of a million digits": '{"a":0.' + "9" * 999_990 + "}",
    "an exponent": '{"a":' + "1e9999," * 1 + '"b":1}',
    "many numbers": '{"a":[' + "123456789012345678901234567890," * 32_000 + "1]}",
    "a power": '{"a":[' + "1e300," * 160_000 + "1]}",
    "empty objects": '{"trainees":[' + "{}," * 330_000 + "{}]}",
    "empty lists": '{"trainees":[' + "[]," * 330_000 + "[]]}",
    "keys": "{" + ",".join(f'"{n}":0' for n in range(100_000)) + "}",
    "the same key": "{" + '"a":0,' * 160_000 + '"a":0}',
    "escapes": '{"a":"' + "\\ud83d\\ude00" * 80_000 + '"}',
    "lone surrogates": '{"a":"' + "\\ud83d" * 160_000 + '"}',
    "letters of four bytes": '{"a":"' + "\U0001f600" * 240_000 + '"}',
    "NaN": '{"a":[' + "NaN," * 240_000 + "1]}",
    "blanks": "{" + " " * 999_990 + "}",
}


@pytest.mark.parametrize("kind", HEAVY)
def test_json_of_one_megabyte_is_parsed_or_refused_in_no_time(kind: str) -> None:
    content = HEAVY[kind].encode()
    assert len(content) <= inbox.AT_MOST
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    with suppress(Invalid):
        inbox.bounded(inbox.parsed(content, "demande.json"))
    assert time.process_time() - began < 1.5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 150_000


UNFIT = {
    "NaN": ('{"seats": NaN}', "n’est pas du JSON lisible : un nombre est trop long, ou n’en est pas un."),
    "infinity": ('{"seats": -Infinity}', "n’est pas du JSON lisible : un nombre est trop long, ou n’en est pas un."),
    "too big a power": ('{"seats": 1e400}', "n’est pas du JSON lisible : un nombre est trop long, ou n’en est pas un."),
    "a number of 41 digits": ('{"seats": ' + "9" * 41 + "}", "n’est pas du JSON lisible : un nombre est trop long, ou n’en est pas un."),
    "the same key twice": ('{"seats": 1, "seats": 2}', "donne deux fois le même champ."),
    "the same key twice, below": ('{"a": [{"seats": 1, "seats": 1}]}', "donne deux fois le même champ."),
    "two values": ("{}{}", "n’est pas du JSON lisible : ligne 1, colonne 3."),
    "a NUL": ('{"a": "\0"}', "n’est pas du JSON lisible : ligne 1, colonne 8."),
}


@pytest.mark.parametrize(("content", "sentence"), UNFIT.values(), ids=UNFIT)
def test_json_that_is_none_is_told(content: str, sentence: str) -> None:
    with pytest.raises(Invalid) as refused:
        inbox.parsed(content.encode(), "demande.json")
    assert refused.value.sentences == (f"demande.json {sentence}",)


def deep(levels: int) -> object:
    value: object = 1
    for _ in range(levels):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    ("request_", "sentence"),
    [
        (deep(21), "La demande a trop de niveaux."), (deep(900), "La demande a trop de niveaux."),
        ({"trainees": [{}] * 12_001}, "La demande est trop longue."), ({"a": [1] * 120_001}, "La demande est trop longue."),
    ],
)  # fmt: skip
def test_a_request_that_would_take_all_there_is_to_judge_is_refused_first(request_: object, sentence: str) -> None:
    with pytest.raises(Invalid) as refused:
        inbox.bounded(request_)
    assert refused.value.sentences == (sentence,)


def test_the_longest_request_that_a_step_takes_passes() -> None:
    fields = dict.fromkeys(("family_name", "given_name", "born_on", "rank", "fee_regime", "insee", "retained_on", "number"), "x")
    inbox.bounded({"trainees": [fields] * 10_000, "file_sha256": "0" * 64})
    inbox.bounded(deep(20))


def test_of_many_faults_the_first_are_told_and_the_others_counted(tmp_path: Path, environment: dict[str, str]) -> None:
    path = tmp_path / "demande.json"
    path.write_text(json.dumps({"trainees": [{}] * 10_000}))
    began = time.monotonic()
    ended = jalon("retain_trainees", REFERENCE, "--request", str(path), "--as", "Tania", cwd=Path.cwd(), env=environment)
    assert ended.returncode == 2
    assert len(ended.stderr.splitlines()) == 51
    assert ended.stderr.splitlines()[-1].startswith("Et ")
    assert time.monotonic() - began < 15
