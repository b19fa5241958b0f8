"""Whatever is typed, read or broken: French sentences, the right exit code, no traceback, and nothing changed."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from forks import jalon
from walks import PEOPLE, RIGHT, SHA, Walk

from models.database.store import Store, sqlite_url
from states.vocabulary import State

pytestmark = pytest.mark.long

JALON = Path(sys.executable).parent / "jalon"
# Programs that lame the one they become: root obeys the rights of files; no file grows beyond 4096 bytes.
WITHOUT_PRIVILEGE = """
import ctypes, os, sys
for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
    ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP
os.execv(sys.argv[1], sys.argv[1:])
"""
WITHOUT_SPACE = """
import os, resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
os.execv(sys.argv[1], sys.argv[1:])
"""
VOTE = ["--on", "2025-10-09", "--seats", "3", "--present", "A", "B", "--votes-for", "2", "--votes-against", "0"]
APPROVE = ["approve", "ESSAI-1", *VOTE, "--as", "Bruno"]
INVOICE = ["receive_invoice", "ESSAI-1", "--number", "F1", "--issued-on", "2026-06-15", "--supplier-siret", "00000007500010"]
INVOICE += ["--document-sha256", SHA, "--as", "Farida"]
NAMED = "Montant de la facture, en euros (amount) : "
AMOUNT = f"{NAMED}un montant s’écrit en euros, avec deux décimales au plus, par exemple « 40000.00 »."
DAY = "une date s’écrit AAAA-MM-JJ, par exemple 2026-05-29."
FINGERPRINT = "une empreinte sha256 (64 chiffres hexadécimaux en minuscules)."

# What is typed, and every sentence that answers: exit code 2.
TYPED: dict[str, tuple[list[str], list[str]]] = {
    "an unknown reference": (["show", "INCONNU"], ["Aucun dossier ne porte la référence INCONNU."]),
    "a step on an unknown reference": (["close", "INCONNU", "--as", "Tania"], ["Aucun dossier ne porte la référence INCONNU."]),
    "an unknown command": (["signer"], ["La commande « signer » n’existe pas ; « jalon --help » les donne toutes."]),
    "an unknown step to ask why": (["why", "ESSAI-1", "signer"], ["L’étape « signer » n’existe pas."]),
    "an unknown option": ([*APPROVE, "--quorum", "3"], ["L’option --quorum n’existe pas pour cette commande ; voyez « --help »."]),
    "a word too many": ([*APPROVE, "--chair", "A", "trop"], ["« trop » est de trop ; voyez « --help »."]),
    "an option without its value": ([*APPROVE, "--chair"], ["Il manque une valeur à l’option --chair ; voyez « --help »."]),
    "an option given twice": ([*APPROVE, "--on", "2025-10-09"], ["L’option --on est donnée deux fois ; voyez « --help »."]),
    "a version that is no number": (
        [*APPROVE, "--if-version", "un"],
        ["--if-version : « un » n’est pas un nombre entier ; voyez « --help »."],
    ),
    "nobody who acts": (["close", "ESSAI-1"], ["Il manque --as ; voyez « --help »."]),
    "an unknown person": (
        [*APPROVE[:-1], "Personne"],
        ["Le nom « Personne » n’est pas au registre des personnes : vérifiez-le (jalon people list)."],
    ),
    "a malformed date": (["approve", "ESSAI-1", "--on", "09/10/2025", "--as", "Bruno"], [f"Date de la séance (held_on) : {DAY}"]),
    "a date that does not exist": (
        ["approve", "ESSAI-1", "--on", "2025-02-30", "--as", "Bruno"],
        ["Date de la séance (held_on) : cette date n’existe pas dans le calendrier."],
    ),
    "a missing field": (["approve", "ESSAI-1", "--as", "Bruno"], ["Date de la séance (held_on) : ce champ est obligatoire."]),
    "two missing fields": (
        ["present_result", "ESSAI-1", "--as", "Farida"],
        [
            "Date de présentation (presented_on) : ce champ est obligatoire.",
            "Empreinte sha256 du résultat d’exploitation (document_sha256) : ce champ est obligatoire.",
        ],
    ),
    "an amount with three decimals": ([*INVOICE, "--amount", "2000.005"], [AMOUNT]),
    "an amount that is no number": ([*INVOICE, "--amount", "NaN"], [AMOUNT]),
    "a negative amount": ([*INVOICE, "--amount=-1.00"], [f"{NAMED}un montant n’est pas négatif."]),
    "negative seats": ([*APPROVE, "--seats=-3"], ["L’option --seats est donnée deux fois ; voyez « --help »."]),
    "fewer than no seats": (
        ["approve", "ESSAI-1", "--on", "2025-10-09", "--seats", "-3", "--as", "Bruno"],
        ["Nombre de sièges en exercice (seats) : la valeur doit être au moins 1."],
    ),
    "more present than seats": (
        ["approve", "ESSAI-1", "--on", "2025-10-09", "--seats", "1", "--present", "A", "B", "--as", "Bruno"],
        ["Il y a plus de membres présents et absents que de sièges."],
    ),
    "a signatory that is no object": (
        ["sign", "ESSAI-1", "--signatories", "R. Dupont", "--as", "Tania"],
        ["--signatories s’écrit « clé=valeur;clé=valeur » ou en JSON."],
    ),
    "a fingerprint that is none": (
        ["attach", "ESSAI-1", "--title", "Note", "--sha256", "abc", "--as", "Tania"],
        [f"Empreinte sha256 du document (sha256) : la forme attendue est {FINGERPRINT}"],
    ),
    "an unknown role": (
        ["people", "add", "Zoé", "--role", "king", "--mail", "zoe@essai.example", "--as", "Olga"],
        [f"Le rôle « king » n’existe pas ; rôles : {', '.join(PEOPLE)}."],
    ),
    "a bad address": (
        ["people", "add", "Zoé", "--role", "auditor", "--mail", "zoé", "--as", "Olga"],
        ["L’adresse de courriel n’est pas valable."],
    ),
}
# What a file of a request holds, and what is said about it.
WRITTEN: dict[str, tuple[bytes, str]] = {
    "malformed JSON": (b'{"held_on": ', "n’est pas du JSON lisible : ligne 1, colonne 13."),
    "an empty file": (b"", "n’est pas du JSON lisible : ligne 1, colonne 1."),
    "JSON that is a list": (b"[]", "doit contenir un objet JSON, entre accolades."),
    "a file that is not UTF-8": ('{"chair": "Zoé"}'.encode("latin-1"), "n’est pas écrit en UTF-8."),
    "deeply nested JSON": (b"[" * 100_000, "n’est pas du JSON lisible : trop de niveaux."),
    "a number of 5,000 digits": (b'{"seats": ' + b"9" * 5000 + b"}", "n’est pas du JSON lisible"),
}


class Said(NamedTuple):
    """How a command ended and what it said."""

    code: int
    out: str
    err: str


class House:
    """A home with everybody at the register and one proposed dossier, and the real command line on it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.path = home / "jalon.db"

    def __call__(self, *words: str | bytes, through: str = "", **environment: str) -> Said:
        env = {name: value for name, value in os.environ.items() if name not in ("JALON_DATABASE_URL", "PYTHONUNBUFFERED")}
        env |= {"JALON_HOME": str(self.home), **environment}
        text = [word for word in words if isinstance(word, str)]
        if through or len(text) < len(words):
            command = [sys.executable, "-c", through, JALON, *words] if through else [JALON, *words]
            ended = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)
        else:
            ended = jalon(*text, cwd=Path.cwd(), env=env)
        assert "Traceback" not in ended.stdout + ended.stderr, ended.stderr
        return Said(ended.returncode, ended.stdout, ended.stderr)

    def dump(self) -> list[str]:
        """Every row of the database."""
        with closing(sqlite3.connect(self.path)) as database:
            return list(database.iterdump())


@pytest.fixture(scope="module")
def proposed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with one proposed dossier."""
    path = tmp_path_factory.mktemp("proposed") / "jalon.db"
    store = Store(sqlite_url(path), create=True)
    Walk(store).until(State.PROPOSED)
    store.close()
    return path


@pytest.fixture
def house(proposed: Path, tmp_path: Path) -> House:
    (tmp_path / "home").mkdir()
    shutil.copy(proposed, tmp_path / "home")
    return House(tmp_path / "home")


@pytest.fixture
def on_this_process(house: House, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """The same command line without a process of its own: what it raises, the test sees."""
    from flows.cli.command import run

    monkeypatch.setenv("JALON_HOME", str(house.home))
    monkeypatch.delenv("JALON_DATABASE_URL", raising=False)
    return lambda *words: Said(run(list(words)), *capsys.readouterr())


@pytest.mark.parametrize(("words", "sentences"), TYPED.values(), ids=TYPED)
def test_what_is_typed_wrong_gives_one_sentence_for_each_reason(
    on_this_process: Callable[..., Said], house: House, words: list[str], sentences: list[str]
) -> None:
    before = house.dump()
    assert on_this_process(*words) == Said(2, "", "".join(f"{one}\n" for one in sentences))
    code, out, _ = on_this_process(*words, "--json")
    assert (code, json.loads(out)) == (2, {"invalid": {"reasons": sentences}})
    assert house.dump() == before


@pytest.mark.parametrize(("content", "sentence"), WRITTEN.values(), ids=WRITTEN)
def test_an_unreadable_request_is_told_by_its_file(
    on_this_process: Callable[..., Said], house: House, tmp_path: Path, content: bytes, sentence: str
) -> None:
    before = house.dump()
    (tmp_path / "demande.json").write_bytes(content)
    code, out, err = on_this_process("approve", "ESSAI-1", "--request", str(tmp_path / "demande.json"), "--as", "Bruno")
    assert (code, out) == (2, "")
    assert err.startswith(f"{tmp_path / 'demande.json'} {sentence}"), err
    assert house.dump() == before


@pytest.mark.parametrize("name", ["absent.json", "."])
def test_a_file_that_is_missing_or_a_folder_is_told_in_french(on_this_process: Callable[..., Said], tmp_path: Path, name: str) -> None:
    code, _, err = on_this_process("open", str(tmp_path / name), "--as", "Tania")
    assert code == 2
    assert err.startswith(f"Le fichier {tmp_path / name} ne peut pas être lu")
    assert "No such file" not in err
    assert "Is a directory" not in err


def test_a_dossier_file_tells_every_field_that_is_wrong(on_this_process: Callable[..., Said], tmp_path: Path) -> None:
    dossier: dict[str, Any] = json.loads(json.dumps({"reference": "essai 2", **RIGHT["open"]}))
    dossier["parties"]["cdg"]["siret"] = "12345678901234"
    dossier["terms"] |= {"rate": 2000.5, "cap": 0, "bonus": True}
    (tmp_path / "dossier.json").write_text(json.dumps(dossier))
    err = on_this_process("open", str(tmp_path / "dossier.json"), "--as", "Tania").err
    named = ["(reference)", "(parties.cdg.siret)", "(terms.rate)", "(terms.cap)", "(terms.bonus)"]
    assert [line[line.index("(") : line.index(")") + 1] for line in err.splitlines()] == named
    assert "12345678901234" not in err


def test_an_amount_is_read_with_the_no_break_spaces_of_french_typography(on_this_process: Callable[..., Said]) -> None:
    """As it is pasted from a letter or a spreadsheet; the step itself is refused, because the training has not ended."""
    assert on_this_process(*INVOICE, "--amount", "2\u202f000,00\u00a0€").code == 3


def test_the_wrong_role_is_refused_and_changes_only_the_journal(house: House, on_this_process: Callable[..., Said]) -> None:
    before = [line for line in house.dump() if '"journal"' not in line and '"partnerships"' not in line]
    code, out, err = on_this_process(*APPROVE[:-1], "Tania")
    assert (code, out) == (3, "")
    assert (
        "« Approuver le partenariat » revient au rôle « secrétariat du conseil » ; Tania est au registre comme responsable formation."
        in err
    )
    assert [line for line in house.dump() if '"journal"' not in line and '"partnerships"' not in line] == before
    assert json.loads(on_this_process("show", "ESSAI-1", "--json").out)["version"] == 1


def test_words_that_are_not_text_are_told_so(house: House) -> None:
    before = house.dump()
    for words in (["show", b"\xff"], ["show", b"\xff", "--json"], [*APPROVE[:-1], b"\xff"]):
        assert house(*words).code == 2
    assert house.dump() == before


OPEN = ["open", "docs/examples/dossier.json", "--as", "Bruno"]


@pytest.mark.parametrize("words", [["list"], ["show", "ESSAI-1"], ["people", "list"], ["verify"], APPROVE, OPEN], ids=" ".join)
def test_a_missing_database_is_told_with_the_way_to_make_one(house: House, words: list[str]) -> None:
    house.path.unlink()
    said = house(*words)
    assert (said.code, said.out) == (5, "")
    assert said.err == f"La base {house.path} n’existe pas encore : commencez par « jalon people first ».\n"
    assert not house.path.exists()


@pytest.mark.parametrize("words", [["list"], ["people", "list"], APPROVE, ["init-db"]], ids=" ".join)
def test_a_file_of_random_bytes_is_told_and_left_as_it_is(house: House, words: list[str]) -> None:
    noise = secrets.token_bytes(8192)
    house.path.write_bytes(noise)
    assert house(*words) == Said(5, "", "Le fichier de la base n’est pas une base de données lisible.\n")
    assert house.path.read_bytes() == noise


@pytest.mark.parametrize("words", [["list"], APPROVE, ["init-db"]], ids=" ".join)
def test_a_database_of_a_newer_schema_is_left_alone(house: House, words: list[str]) -> None:
    with closing(sqlite3.connect(house.path)) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    before = house.dump()
    said = house(*words)
    assert (said.code, said.out) == (5, "")
    assert said.err.startswith("La base est d’un schéma plus récent (9999) que ce jalon (")
    assert house.dump() == before


def test_a_read_only_folder_is_told(house: House) -> None:
    before = house.dump()
    house.path.chmod(0o444)
    house.home.chmod(0o555)
    try:
        said = house(*APPROVE, through=WITHOUT_PRIVILEGE)
    finally:
        house.home.chmod(0o755)
    assert said == Said(5, "", "La base est en lecture seule : rien n’a été enregistré.\n")
    assert house.dump() == before


def test_a_home_that_cannot_be_made_is_told(house: House) -> None:
    house.home.chmod(0o555)
    words = ("people", "first", "Zoé", "--mail", "zoe@essai.example")
    try:
        said = house(*words, through=WITHOUT_PRIVILEGE, JALON_HOME=str(house.home / "neuf"))
    finally:
        house.home.chmod(0o755)
    assert (said.code, said.out) == (5, "")
    assert "PermissionError" not in said.err


def test_a_disk_that_takes_no_more_is_told_and_nothing_is_half_written(house: House) -> None:
    before = house.dump()
    said = house(*APPROVE, through=WITHOUT_SPACE)
    assert (said.code, said.out) == (5, "")
    assert said.err.endswith("rien n’a été enregistré.\n")
    assert house.dump() == before


def test_a_locked_database_is_told(house: House) -> None:
    with closing(sqlite3.connect(house.path, isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode = WAL")
        other.execute("BEGIN EXCLUSIVE")
        said = house(*APPROVE, "--key", "mine")
    busy = "La base est occupée par un autre programme : réessayez dans un instant."
    assert said == Said(5, "", f"{busy} Pour redemander sans risque de doublon, ajoutez : --key mine\n")
    assert json.loads(house("show", "ESSAI-1", "--json").out)["version"] == 1


def test_a_postgresql_that_is_not_there_is_told(house: House) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening: nobody answers
        said = house("list", JALON_DATABASE_URL=f"postgresql+psycopg://jalon@127.0.0.1:{taken.getsockname()[1]}/jalon")
    assert (said.code, said.out) == (5, "")
    assert said.err == "La base PostgreSQL ne répond pas : vérifiez qu’elle est démarrée et l’adresse JALON_DATABASE_URL.\n"


@pytest.mark.parametrize("address", ["n’importe quoi", "postgresql://h:port/x", "mysql://u@127.0.0.1:1/x", "gopher://x"])
def test_an_address_that_is_none_is_told(house: House, address: str) -> None:
    said = house("list", JALON_DATABASE_URL=address)
    assert (said.code, said.out) == (5, "")
    assert "JALON_DATABASE_URL" in said.err


@pytest.mark.parametrize("words", ["list", "show ESSAI-1", "why ESSAI-1", "--help"])
def test_a_reader_of_a_pipe_who_leaves_is_no_fault(house: House, words: str) -> None:
    script = f'set -o pipefail; (sleep 0.2; exec "{JALON}" {words}) | head -0'
    env = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"} | {"JALON_HOME": str(house.home)}
    ended = subprocess.run(["bash", "-c", script], env=env, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_an_answer_that_cannot_be_written_is_told(house: House) -> None:
    env = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"} | {"JALON_HOME": str(house.home)}
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run([JALON, "list"], env=env, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert ended.returncode == 5
    assert "Error" not in ended.stderr
