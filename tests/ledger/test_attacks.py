"""What keeps the arithmetic of a chain right while the story is false is named all the same: by the seals, the letters, the rows beside."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from attacks import NIGHTS, at_instant, cut, deleted, delivered, house, morning, night, opened, rewritten, sealed_house, told, verified
from walks import Walk
from witness import sql, unguarded

from flows.home import Home
from flows.ports import seals
from models.answers import Invalid
from models.database.faults import Unreachable
from models.ledger.chain import canonical, digest


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a house that was sealed on two nights, and that holds."""
    folder = tmp_path_factory.mktemp("kept")
    home = sealed_house(folder)
    assert verified(home).code == 0, verified(home).lines
    home.store.close()
    return folder


@pytest.fixture(params=["sqlite", "postgresql"])
def home(request: pytest.FixtureRequest, tmp_path: Path, kept: Path) -> Iterator[Home]:
    """A house whose letters went, sealed on two nights, with a step more on the second day."""
    if request.param == "postgresql":
        home = sealed_house(tmp_path, request.getfixturevalue("distant").url.render_as_string(hide_password=False))
    else:
        home = opened(shutil.copytree(kept, tmp_path / "house"))
    yield home
    home.store.close()


FIRST, SECOND = "Sceau de la nuit du 23 novembre 2026", "Sceau de la nuit du 24 novembre 2026"


def edited(place: int, **fields: Any) -> Callable[[Home], None]:
    """An entry changed, and the whole chain written again."""

    def attack(home: Home) -> None:
        rewritten(home.store, "ESSAI-1", lambda entries: entries[place - 1].update(fields))

    return attack


def paid_less(home: Home) -> None:
    def change(entries: list[dict[str, Any]]) -> None:
        entries[-1]["facts"]["settlements"]["1"]["paid"] = "1999.00"
        entries[-1]["request"]["amount"] = "1999.00"

    rewritten(home.store, "ESSAI-1", change)
    sql(home.store, "UPDATE settlements SET paid_cents = 199900")
    sql(home.store, "UPDATE partnerships SET paid_cents = 199900 WHERE reference = 'ESSAI-1'")


def tail_cut(home: Home) -> None:
    cut(home.store, "ESSAI-1", 1)
    sql(home.store, "UPDATE settlements SET paid_cents = NULL, paid_on = NULL, paid_by = NULL, accounting_reference = NULL")
    sql(home.store, "UPDATE partnerships SET state = 'ordered', entered_on = '2026-06-30', paid_cents = 0 WHERE reference = 'ESSAI-1'")


def dossier_deleted(home: Home) -> None:
    deleted(home.store, "ESSAI-1")
    for letter in home.settings.mail_dir.glob("ESSAI-1.*"):
        letter.unlink()


def swapped(home: Home) -> None:
    def other(reference: str) -> Callable[[list[dict[str, Any]]], None]:
        return lambda entries: [entry.update(reference=reference) for entry in entries]

    sql(home.store, "UPDATE partnerships SET reference = 'X' WHERE reference = 'ESSAI-1'")
    sql(home.store, "UPDATE partnerships SET reference = 'ESSAI-1' WHERE reference = 'ESSAI-2'")
    sql(home.store, "UPDATE partnerships SET reference = 'ESSAI-2' WHERE reference = 'X'")
    for reference in ("ESSAI-1", "ESSAI-2"):
        rewritten(home.store, reference, other(reference))


def renamed(home: Home) -> None:
    sql(home.store, "UPDATE partnerships SET reference = 'AUTRE-1' WHERE reference = 'ESSAI-1'")
    rewritten(home.store, "AUTRE-1", lambda entries: [entry.update(reference="AUTRE-1") for entry in entries])


def reordered(home: Home) -> None:
    """The residence is verified before the trainee is retained: two recordings change places."""
    rewritten(home.store, "ESSAI-1", lambda entries: entries.insert(2, entries.pop(3)))


def inserted(home: Home) -> None:
    rewritten(home.store, "ESSAI-1", lambda entries: entries.insert(3, entries[2] | {"key": "new"}))


def beginning_rewritten_end_kept(home: Home) -> None:
    rewritten(home.store, "ESSAI-2", lambda entries: entries[1].update(actor="Aude"))


ON_THE_CHAIN: list[tuple[str, Callable[[Home], None], tuple[str, ...]]] = [
    ("edit and rehash", edited(4, actor="Aude"), (f"{FIRST} : une des entrées 1 à 17 de ESSAI-1 a été réécrite depuis",)),
    ("another key", edited(5, key="other"), (f"{FIRST} : une des entrées 1 à 17 de ESSAI-1 a été réécrite depuis",)),
    ("another way in", edited(5, via="telephone"), (f"{FIRST} : une des entrées 1 à 17 de ESSAI-1 a été réécrite depuis",)),
    ("another instant", edited(1, recorded_at="2026-11-23T08:00:00.000000Z"), (f"{FIRST} : une des entrées 1 à 17 de ESSAI-1",)),
    ("paid less", paid_less, (f"{FIRST} : une des entrées 1 à 17 de ESSAI-1 a été réécrite depuis",)),
    ("tail cut", tail_cut, (f"{FIRST} : le journal de ESSAI-1 y compte 17 entrées, il n’en a plus que 16", "Le courrier ESSAI-1.17.tell.")),
    ("dossier deleted", dossier_deleted, (f"{FIRST} : le dossier ESSAI-1 y a 17 entrées, et il n’est plus dans la base.",)),
    ("two dossiers swapped", swapped, (f"{FIRST} : le journal de ESSAI-1", f"{FIRST} : une des entrées 1 à 5 de ESSAI-2")),
    ("a dossier renamed", renamed, (f"{FIRST} : le dossier ESSAI-1 y a 17 entrées, et il n’est plus dans la base.",)),
    ("entries reordered", reordered, (f"{FIRST} : une des entrées 1 à 17 de ESSAI-1 a été réécrite",)),
    ("an entry inserted", inserted, (f"{FIRST} : une des entrées 1 à 17 de ESSAI-1 a été réécrite",)),
    ("an early entry rewritten", beginning_rewritten_end_kept, (f"{FIRST} : une des entrées 1 à 5 de ESSAI-2 a été réécrite",)),
]


@pytest.mark.parametrize(("attack", "said"), [row[1:] for row in ON_THE_CHAIN], ids=[row[0] for row in ON_THE_CHAIN])
def test_a_chain_that_was_written_again_is_not_the_one_that_was_sealed(
    home: Home, attack: Callable[[Home], None], said: tuple[str, ...]
) -> None:
    attack(home)
    page = verified(home)
    assert page.code == 3
    assert [one for one in said if one not in told(page)] == [], page.lines


def test_a_dossier_that_is_gone_is_told_by_its_name_alone_too(home: Home) -> None:
    dossier_deleted(home)
    page = verified(home, "ESSAI-1")
    assert (page.code, "il n’est plus dans la base" in told(page)) == (3, True)
    with pytest.raises(Invalid):
        verified(home, "JAMAIS-1")


def test_the_next_night_says_it_too_and_does_not_seal_what_does_not_hold(home: Home) -> None:
    sealed = home.auditor().nights.leaf("dossier ESSAI-1")
    paid_less(home)
    message, failed = night(home, NIGHTS[2])
    assert (failed, f"ESSAI-1 : {FIRST}" in message) == ("Broken", True)
    assert home.auditor().nights.leaf("dossier ESSAI-1") == sealed | {"holds": False}
    assert f"{FIRST} : une des entrées 1 à 17 de ESSAI-1" in told(verified(home))


def test_yesterday_s_file_put_back_lacks_what_was_sealed_and_what_letters_tell(tmp_path: Path) -> None:
    home = house(tmp_path)
    delivered(home)
    night(home, NIGHTS[0])
    home.store.close()
    for file in tmp_path.glob("jalon.db*"):
        shutil.copyfile(file, tmp_path / f"kept-{file.name}")
    Walk(home.store, "ESSAI-2").do("act", at=morning(NIGHTS[0]))
    delivered(home, morning(NIGHTS[0]))
    home.store.close()
    for number, sealed in enumerate((False, True)):  # before the next night the letters alone know
        if sealed:
            night(home, NIGHTS[1])
            home.store.close()
        now = {file.name: file.read_bytes() for file in tmp_path.glob("jalon.db*")}
        for file in tmp_path.glob("jalon.db*"):
            file.unlink()
        for file in tmp_path.glob("kept-*"):
            shutil.copyfile(file, tmp_path / file.name.removeprefix("kept-"))
        page = verified(home)
        assert page.code == 3
        assert "Le courrier ESSAI-2.6.tell." in told(page)
        assert "le journal de ESSAI-2 n’a que 5 entrées : la fin a été ôtée, ou une copie d’avant remise en place." in told(page)
        assert (f"{SECOND} : le journal de ESSAI-2 y compte 6 entrées, il n’en a plus que 5" in told(page)) == bool(number)
        home.store.close()
        for file in tmp_path.glob("jalon.db*"):
            file.unlink()
        for name, content in now.items():
            (tmp_path / name).write_bytes(content)
    home.store.close()


# Between two nights, the letters alone stand outside.
def test_a_chain_written_again_before_any_night_is_not_the_one_that_the_letters_carry(tmp_path: Path) -> None:
    home = house(tmp_path)
    delivered(home)
    edited(17, actor="Aude")(home)
    assert "L’envoi ESSAI-1.17.tell.finance_officer porte une autre empreinte que celle du journal" in told(verified(home))
    home.store.close()


OTHER_INPUT = "UPDATE journal SET input_digest = :d WHERE n = 3 AND partnership_id = 1"
BESIDE: dict[str, tuple[str, str]] = {
    "UPDATE outbox SET role = 'auditor' WHERE key = 'ESSAI-1.17.tell.finance_officer'": (
        "L’envoi ESSAI-1.17.tell.finance_officer n’a plus le dossier, l’entrée ou le rôle que le journal a ordonnés.",
        "redirected",
    ),
    "UPDATE outbox SET partnership_id = 2 WHERE key = 'ESSAI-1.17.tell.finance_officer'": (
        "L’envoi ESSAI-1.17.tell.finance_officer n’a plus le dossier, l’entrée ou le rôle que le journal a ordonnés.",
        "given to another dossier",
    ),
    "UPDATE outbox SET key = 'x' WHERE key = 'ESSAI-1.17.tell.finance_officer'": (
        "L’envoi ESSAI-1.17.tell.finance_officer n’est plus dans la boîte d’envoi.",
        "renamed",
    ),
    "DELETE FROM outbox WHERE key = 'ESSAI-1.17.tell.finance_officer'": (
        "L’envoi ESSAI-1.17.tell.finance_officer n’est plus dans la boîte d’envoi.",
        "deleted",
    ),
    "DELETE FROM outbox WHERE key = 'ESSAI-1.17.check'": ("L’envoi ESSAI-1.17.check n’est plus dans la boîte d’envoi.", "check deleted"),
    "INSERT INTO outbox (partnership_id, n, key, kind, role, attempts, due_at) VALUES (1, 17, 'ESSAI-1.17.tell.auditor', 'tell', 'auditor',"
    " 0, '2026-11-23T09:00:00.000000Z')": ("L’envoi ESSAI-1.17.tell.auditor n’est ordonné par aucune entrée du journal.", "forged"),
    "INSERT INTO outbox (partnership_id, n, key, kind, role, attempts, due_at, sent_at) VALUES (1, 17, 'ESSAI-1.17.tell.auditor', 'tell',"
    " 'auditor', 1, '2026-11-23T09:00:00.000000Z', '2026-11-23T09:00:00.000000Z')": (
        "L’envoi ESSAI-1.17.tell.auditor n’est ordonné par aucune entrée du journal.",
        "forged and sent",
    ),
    "UPDATE outbox SET sent_at = '2026-11-23T10:00:00.000000Z' WHERE key = 'ESSAI-1.17.tell.finance_officer'": (
        f"{SECOND} : ce qui était remis alors n’est plus marqué de même dans la boîte d’envoi.",
        "sent at another instant",
    ),
    "UPDATE outbox SET sent_at = NULL, due_at = '2099-01-01' WHERE key = 'ESSAI-1.17.tell.finance_officer'": (
        f"{SECOND} : ce qui était remis alors n’est plus marqué de même dans la boîte d’envoi.",
        "to be sent again",
    ),
    "UPDATE outbox SET attempts = 0 WHERE key = 'ESSAI-1.17.tell.finance_officer'": (
        "L’envoi ESSAI-1.17.tell.finance_officer se dit remis sans avoir pu l’être",
        "sent by nobody",
    ),
    "UPDATE partnerships SET last_change = 3 WHERE id = 1": ("Le dossier ne retient pas les entrées qui l’ont changé", "last change"),
    "UPDATE partnerships SET paid_cents = 0 WHERE id = 1": (
        "Ce que le tableau de bord compte du dossier n’est pas ce que ses faits disent : le payé.",
        "what the board counts",
    ),
    "UPDATE tallies SET dossiers = dossiers + 1 WHERE state = 'paid'": ("Les compteurs du tableau de bord ne sont pas ceux", "counters"),
    "INSERT INTO vocabulary VALUES ('state', 'paid_twice')": ("La base admet l’état « paid_twice », que jalon ne connaît pas.", "words"),
    "INSERT INTO findings (partnership_id, code, subject, severity, reason, source, opened_at, resolved_at) VALUES (1, 'OLD', '', 'warn',"
    " 'x', 'x', '2025-01-01T00:00:00.000000Z', '2025-01-02T00:00:00.000000Z')": (
        "Des constats ne portent pas les dates que le journal leur donne, ou n’ont jamais été ouverts (OLD).",
        "a finding of the past",
    ),
    "UPDATE partnerships SET pepper = reverse_ WHERE id = 1": (
        "ou le secret du dossier, n’est plus celle de ce qui a été demandé.",
        "secret",
    ),
    "UPDATE outbox SET sent_at = NULL, due_at = '2026-11-27T09:00:00.000000Z' WHERE key = 'ESSAI-1.17.check'": (
        "L’envoi ESSAI-1.17.check attend jusqu’au 2026-11-27 : jalon ne remet jamais un envoi si tard.",
        "put off",
    ),
    "DROP INDEX ix_outbox_dead": ("La base n’a plus l’index ix_outbox_dead, que le schéma", "an index dropped"),
    "INSERT INTO marks VALUES ('nightly', '2026-11-27', '2026-11-25T00:00:00.000000Z', 'fait')": (
        "La ronde de la nuit du 2026-11-27 se dit faite d’avance : elle ne scellerait rien.",
        "a night done ahead",
    ),
}


@pytest.mark.parametrize(
    ("change", "said"), [(change, said) for change, (said, _) in BESIDE.items()], ids=[one for _, one in BESIDE.values()]
)
def test_what_stands_beside_the_chain_is_compared_with_it(home: Home, change: str, said: str) -> None:
    sql(home.store, change.replace("reverse_", f"'{'7' * 64}'"))
    page = verified(home)
    assert (page.code, said in told(page)) == (3, True), page.lines


@pytest.mark.parametrize("n", [3, 9, 10], ids=["whole request", "a trainee", "a residence"])
def test_a_stored_input_digest_that_was_changed_is_told(home: Home, n: int) -> None:
    with unguarded(home.store):
        sql(home.store, "UPDATE journal SET input_digest = :d WHERE n = :n AND partnership_id = 1", d="0" * 64, n=n)
    page = verified(home, "ESSAI-1")
    said = f"L’empreinte de la demande de l’entrée {n} du journal, ou le secret du dossier, n’est plus celle de ce qui a été demandé."
    assert (page.code, said in told(page)) == (3, True), page.lines


def test_a_letter_that_was_never_written_is_told_until_a_night_has_said_so(home: Home) -> None:
    """Marked as sent by hand, so that nobody hears of the step."""
    Walk(home.store, "ESSAI-2").do("act", at=morning(NIGHTS[1]))
    sql(home.store, "UPDATE outbox SET attempts = 1, sent_at = '2026-11-24T22:00:00.000000Z' WHERE sent_at IS NULL")
    said = "L’envoi ESSAI-2.7.tell.training_officer est marqué remis, et aucun courrier n’a été écrit."
    assert said in told(verified(home))
    message, failed = night(home, NIGHTS[2])
    assert (said in message, failed) == (True, "Broken")
    assert said not in told(verified(home))  # a letter that somebody has deleted since is no fault for ever


def test_roles_or_addresses_changed_in_the_table_are_told(home: Home) -> None:
    for change, said in (
        ("UPDATE people SET mail = 'x@example.org' WHERE name = 'Aude'", "Registre : pour l’adresse de Aude, la table dit autre chose"),
        (
            "UPDATE people_roles SET role = 'operator' WHERE role = 'training_officer'",
            "Registre : pour les rôles de Tania, la table dit autre chose",
        ),
    ):
        sql(home.store, change)
        assert said in told(verified(home))


def test_a_register_written_again_is_not_the_one_that_was_sealed(home: Home) -> None:
    """Somebody takes the last entry away, with its rows, and writes another one: the chain holds, and the seal does not."""
    with unguarded(home.store):
        ((n, before),) = sql(home.store, "SELECT id, entry FROM register_journal WHERE id = (SELECT max(id) FROM register_journal)")
        entry = canonical(json.loads(before) | {"mail": "x@example.org"}).decode()
        values = {"e": entry, "d": digest(entry.encode()), "n": n}
        sql(home.store, "UPDATE register_journal SET entry = :e, digest = :d WHERE id = :n", **values)
        sql(home.store, "UPDATE people SET mail = 'x@example.org' WHERE name = :p", p=json.loads(before)["person"])
    assert home.verifier.verify_register().faults == ()
    assert f"Registre : l’entrée {n} du journal des personnes n’y est plus, ou y est autrement" in told(verified(home))


def test_a_trigger_that_was_dropped_disabled_or_emptied_is_told(home: Home) -> None:
    sqlite = home.store.url.get_backend_name() == "sqlite"
    name = "journal_is_never_updated" if sqlite else "journal_is_never_changed"
    sql(home.store, f"DROP TRIGGER {name}" if sqlite else f"ALTER TABLE journal DISABLE TRIGGER {name}")
    page = verified(home)
    said = f"La base n’a plus le déclencheur {name}" if sqlite else f"Dans la base, le déclencheur {name} n’a plus le texte"
    assert (page.code, said in told(page)) == (3, True)
    if sqlite:
        sql(home.store, f"CREATE TRIGGER {name} BEFORE UPDATE ON journal BEGIN SELECT 1; END")
    else:
        sql(home.store, "CREATE OR REPLACE FUNCTION journal_is_append_only() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'")
    assert "n’a plus le texte que jalon lui donne." in told(verified(home))


def test_a_board_that_shows_another_story_is_told(home: Home) -> None:
    from flows.rounds import keep_lines

    keep_lines(home, ["ESSAI-1", "ESSAI-2"])
    assert verified(home).code == 0
    sql(home.store, "UPDATE outlooks SET paid_cents = 1 WHERE state = 'paid'")
    assert "Le tableau de bord ne montre pas ce que dit le dossier : ESSAI-1." in told(verified(home))


# --- The seals themselves ---


def change_a_leaf(folder: Path) -> None:
    path = folder / "2026-11-23.json"
    path.chmod(0o600)
    path.write_text(path.read_text().replace('"n":17', '"n":16'))


def rename_a_night(folder: Path) -> None:
    (folder / "2026-11-24.json").rename(folder / "2026-11-22.json")


def date_it_later(folder: Path) -> None:
    (folder / "2026-11-24.json").rename(folder / "2027-01-01.json")


def put_another_in_its_place(folder: Path) -> None:
    (folder / "2026-11-23.json").write_text('{"day":"2026-11-23","heads":[]}')


def spoil(folder: Path) -> None:
    (folder / "2026-11-24.json").write_bytes(b"\xff")


ON_THE_SEALS: list[tuple[Callable[[Path], object], str]] = [
    (change_a_leaf, f"{FIRST} : ses feuilles ne donnent pas sa racine, il a été changé."),
    (lambda folder: (folder / "2026-11-23.json").unlink(), f"{SECOND} : celui de la nuit d’avant (2026-11-23) n’est plus dans le dossier"),
    (lambda folder: (folder / "2026-11-24.json").unlink(), f"{SECOND} : la ronde dit l’avoir fait, et il n’est plus dans le dossier"),
    (shutil.rmtree, f"{FIRST} : la ronde dit l’avoir fait, et il n’est plus dans le dossier des sceaux."),
    (rename_a_night, f"{SECOND} : son fichier porte un autre nom, 2026-11-22.json."),
    (date_it_later, f"{SECOND} : son fichier porte un autre nom, 2027-01-01.json."),
    (put_another_in_its_place, f"{SECOND} : il suit un autre sceau du 2026-11-23 que celui du dossier, qui a été refait depuis."),
    (spoil, "Sceau 2026-11-24.json : ce fichier n’est pas un sceau de jalon, ou il a été changé."),
]


@pytest.mark.parametrize(("attack", "said"), ON_THE_SEALS)
def test_a_seal_that_was_taken_away_or_changed_is_told(home: Home, attack: Callable[[Path], object], said: str) -> None:
    attack(seals.folder_of(home.settings.home))
    page = verified(home)
    assert (page.code, said in told(page)) == (3, True), page.lines


def test_the_letters_know_the_seals_when_the_round_has_forgotten_them(home: Home) -> None:
    shutil.rmtree(seals.folder_of(home.settings.home))
    sql(home.store, "DELETE FROM marks")
    assert "Le courrier seal.2026-11-24 porte un sceau qui n’est plus dans le dossier des sceaux." in told(verified(home))


def test_a_night_made_again_to_suit_is_another_than_the_one_that_was_told(home: Home) -> None:
    paid_less(home)
    shutil.rmtree(seals.folder_of(home.settings.home))
    sql(home.store, "DELETE FROM marks")
    with at_instant(morning(NIGHTS[1])):
        night(home, NIGHTS[1])
    for letter in home.settings.mail_dir.glob("ESSAI-1.*"):  # the letters of the dossier would tell as well
        letter.unlink()
    assert "Le courrier seal.2026-11-23 porte un sceau qui n’est plus dans le dossier des sceaux." in told(verified(home))


def test_a_clock_set_back_seals_no_night_before_one_that_is_sealed(home: Home) -> None:
    from datetime import timedelta

    from flows.night import sealed

    message, failed = sealed(home, NIGHTS[0] - timedelta(days=1), morning(NIGHTS[0]) - timedelta(days=1))
    assert failed == "Broken"
    assert "L’horloge dit 22/11/2026 23:00, et le dernier sceau est du 24/11/2026 23:00 : rien n’est scellé." in message
    assert not (seals.folder_of(home.settings.home) / "2026-11-22.json").exists()


@pytest.mark.parametrize("version", ["0003", "0004", "9999", None])
def test_a_schema_that_says_another_number_is_one_sentence_and_loses_nothing(tmp_path: Path, kept: Path, version: str | None) -> None:
    home = opened(shutil.copytree(kept, tmp_path / "house"))
    before = home.views.history("ESSAI-1")
    ((number,),) = sql(home.store, "SELECT version_num FROM alembic_version")
    sql(
        home.store,
        "UPDATE alembic_version SET version_num = :v" if version else "DELETE FROM alembic_version",
        **({"v": version} if version else {}),
    )
    home.store.close()
    with pytest.raises(Unreachable, match=r"^La base .+\.$"):
        opened(home.settings.home)
    undo = "UPDATE alembic_version SET version_num = :v" if version else "INSERT INTO alembic_version VALUES (:v)"
    sql(home.store, undo, v=number)
    assert home.views.history("ESSAI-1") == before
    home.store.close()
