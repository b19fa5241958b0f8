"""The journal cannot be changed, and a database changed behind its back no longer verifies."""

import sqlite3
from collections.abc import Callable

import pytest
from forging import entries_of, rechain
from sqlalchemy.exc import DBAPIError
from walks import OTHER_IBAN, Walk
from witness import drop_triggers, dump, journal, sql

from models.database.store import Store
from models.ledger.chain import digest
from models.verify.proof import Verification, Verifier
from states.grammar.guard import Refused
from states.vocabulary import State

COLUMNS = '(id, partnership_id, n, "key", input_digest, entry, digest)'
ROW = """'x', 'x', '{"law": 1}', '""" + "0" * 64 + "'"
ON_BOTH = (
    "UPDATE journal SET entry = '{}' WHERE n = 2",
    "UPDATE journal SET id = id + 100",
    "DELETE FROM journal WHERE n = 2",
    "DELETE FROM journal",
    "DELETE FROM partnerships",
    f"INSERT INTO journal {COLUMNS} VALUES (1, 1, 99, {ROW}) ON CONFLICT (id) DO UPDATE SET entry = '{{}}'",
    f"INSERT INTO journal {COLUMNS} VALUES (99, 1, 1, {ROW}) ON CONFLICT (partnership_id, n) DO UPDATE SET entry = '{{}}'",
)
CHANGES = {
    "sqlite": (
        *ON_BOTH,
        f"INSERT OR REPLACE INTO journal {COLUMNS} VALUES (1, 1, 99, {ROW})",
        f"INSERT OR REPLACE INTO journal {COLUMNS} VALUES (99, 1, 1, {ROW})",
        f"REPLACE INTO journal {COLUMNS} SELECT 99, 1, 99, \"key\", 'x', entry, digest FROM journal WHERE n = 1",
        "UPDATE OR REPLACE journal SET n = 1 WHERE n = 2",
    ),
    "postgresql": (
        *ON_BOTH,
        "TRUNCATE journal",
        "TRUNCATE partnerships CASCADE",
        "MERGE INTO journal j USING journal k ON j.id = k.id WHEN MATCHED THEN UPDATE SET entry = '{}'",
    ),
}


def test_the_database_itself_refuses_every_change_of_the_journal(store: Store) -> None:
    Walk(store).until(State.SIGNED)
    before = dump(store)
    for change in CHANGES[store.url.get_backend_name()]:
        with pytest.raises(DBAPIError, match=r"append-only|FOREIGN KEY|violates foreign key"):
            sql(store, change)
        assert dump(store) == before, change


def test_a_connection_without_any_of_our_settings_cannot_replace_an_entry_either(sqlite: Store) -> None:
    """SQLite fires no delete trigger for INSERT OR REPLACE unless a connection asks for it: ours do, others do not."""
    Walk(sqlite).until(State.SIGNED)
    before = dump(sqlite)
    stranger = sqlite3.connect(sqlite.url.database)
    for change in CHANGES["sqlite"]:
        if "partnerships" not in change:
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                stranger.execute(change)
    stranger.close()
    assert dump(sqlite) == before


def test_an_entry_that_somebody_appends_by_hand_is_seen(store: Store) -> None:
    Walk(store).until(State.SIGNED)
    sql(store, f"INSERT INTO journal {COLUMNS} SELECT 99, partnership_id, 6, 'x', 'x', entry, digest FROM journal WHERE n = 3")
    assert in_french(verify(store).faults)


# --- What somebody with every right on the database may do, once the triggers are gone. The dossier is PAID. ---


def put(store: Store, n: int, entry: str, *, rehash: bool) -> None:
    sealed = digest(entry.encode()) if rehash else None
    sql(store, "UPDATE journal SET entry = :e, digest = COALESCE(:d, digest) WHERE n = :n", e=entry, d=sealed, n=n)


def edit(store: Store) -> None:
    put(store, 4, journal(store, "ESSAI-1")[3][1].replace("Bruno", "Aude"), rehash=False)


def edit_and_rehash(store: Store) -> None:
    put(store, 4, journal(store, "ESSAI-1")[3][1].replace("Bruno", "Aude"), rehash=True)


def edit_the_last_and_rehash_and_move_the_head(store: Store) -> None:
    n, entry, _ = journal(store, "ESSAI-1")[-1]
    forged = entry.replace("2026-07-10", "2026-07-09")
    put(store, n, forged, rehash=True)
    sql(store, "UPDATE partnerships SET head = :head", head=digest(forged.encode()))


def edit_one_and_rechain_all(store: Store) -> None:
    told = entries_of(store)
    told[8]["facts"]["trainees"]["1"]["rank"] = 7
    rechain(store, told)


def delete_one(store: Store) -> None:
    sql(store, "DELETE FROM journal WHERE n = 5")


def delete_and_renumber(store: Store) -> None:
    delete_one(store)
    for n in range(6, 18):
        sql(store, "UPDATE journal SET n = :n - 1 WHERE n = :n", n=n)


def delete_and_rechain_all(store: Store) -> None:
    told = entries_of(store)
    del told[9]  # the residence was never verified
    rechain(store, told)


def cut_the_tail(store: Store) -> None:
    sql(store, "DELETE FROM journal WHERE n = 17")


def cut_the_tail_and_move_the_head(store: Store) -> None:
    cut_the_tail(store)
    sql(store, "UPDATE partnerships SET n = 16, version = 16, head = (SELECT digest FROM journal WHERE n = 16)")


def cut_the_tail_and_move_head_and_state(store: Store) -> None:
    cut_the_tail_and_move_the_head(store)
    sql(store, "UPDATE partnerships SET state = 'ordered', entered_on = '2026-06-30'")


def swap_two(store: Store) -> None:
    for old, new in ((2, 99), (3, 2), (99, 3)):
        sql(store, "UPDATE journal SET n = :new WHERE n = :old", new=new, old=old)


def empty_the_journal(store: Store) -> None:
    sql(store, "DELETE FROM journal")


def change_a_key(store: Store) -> None:
    sql(store, "UPDATE journal SET \"key\" = 'another' WHERE n = 3")


def replace_by_no_json(store: Store) -> None:
    put(store, 4, "garbage", rehash=True)


def replace_by_an_empty_object(store: Store) -> None:
    put(store, 4, "{}", rehash=True)


def lead_to_no_state(store: Store) -> None:
    put(store, 6, journal(store, "ESSAI-1")[5][1].replace('"to":"acted"', '"to":"nowhere"'), rehash=True)


ON_THE_JOURNAL: list[Callable[[Store], None]] = [
    edit, edit_and_rehash, edit_the_last_and_rehash_and_move_the_head, edit_one_and_rechain_all, delete_one, delete_and_renumber,
    delete_and_rechain_all, cut_the_tail, cut_the_tail_and_move_the_head, cut_the_tail_and_move_head_and_state, swap_two,
    empty_the_journal, change_a_key, replace_by_no_json, replace_by_an_empty_object, lead_to_no_state,
]  # fmt: skip


def verify(store: Store) -> Verification:
    return Verifier(store).verify("ESSAI-1")


def in_french(faults: tuple[str, ...]) -> bool:
    return bool(faults) and all(fault.endswith(".") and "\n" not in fault for fault in faults)


@pytest.mark.parametrize("tamper", ON_THE_JOURNAL, ids=lambda one: one.__name__.replace("_", " "))
def test_a_journal_changed_behind_the_ledger_is_seen(store: Store, tamper: Callable[[Store], None]) -> None:
    Walk(store).until(State.PAID)
    drop_triggers(store)
    assert verify(store).faults == ()
    tamper(store)
    assert in_french(verify(store).faults)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE settlements SET paid_cents = paid_cents - 1",
        "UPDATE settlements SET settled_cents = ordered_cents, invoiced_cents = invoiced_cents + 1",
        "UPDATE settlements SET paid_by = 'Olga'",
        f"UPDATE parties SET payee_iban = '{OTHER_IBAN}' WHERE side = 'university'",
        "UPDATE identities SET family_name = 'Martine'",
        "UPDATE identities SET born_on = '1990-05-05'",
        "UPDATE identities SET trainee = 2",
        "UPDATE partnerships SET state = 'closed'",
        "UPDATE partnerships SET entered_on = '2026-07-09'",
        "UPDATE partnerships SET version = version - 1",
        "UPDATE partnerships SET imported = 1",
        "UPDATE terms SET cap = 21",
        "UPDATE trainees SET insee = '59350'",
        "DELETE FROM trainees",
        "UPDATE acts SET votes_for = 16 WHERE number = 1",
        "UPDATE trainees SET retained_on = 'abcd-ef-gh'",
        "UPDATE acts SET present = 'no list' WHERE number = 1",
        f"UPDATE invoices SET document_sha256 = '{'f' * 64}'",
        "INSERT INTO committees VALUES (1, 1, '2026-03-10', 'x')",
    ],
)
def test_facts_changed_behind_the_ledger_are_seen(store: Store, change: str) -> None:
    Walk(store).until(State.PAID)
    sql(store, change)
    assert in_french(verify(store).faults)


def test_one_changed_dossier_leaves_the_others_verified(store: Store) -> None:
    Walk(store).until(State.SIGNED)
    Walk(store, "ESSAI-2").until(State.SIGNED)
    sql(store, "UPDATE acts SET votes_for = 1 WHERE partnership_id = 1")
    assert [bool(one.faults) for one in Verifier(store).verify_all()] == [True, False]


NAMED = {"family_name": "Zébulonnière", "given_name": "Philomène", "born_on": "1971-02-03"}


def test_the_chain_holds_when_the_names_of_a_trainee_are_erased(store: Store) -> None:
    walk = Walk(store).until(State.SIGNED)
    walk.do("retain_trainee", **NAMED)
    sql(store, "DELETE FROM identities")
    assert verify(store).faults == ()
    walk.do("verify_residence", trainee=1)
    assert verify(store).faults == ()


def test_no_table_but_identities_holds_the_name_or_the_birth_of_a_trainee(store: Store) -> None:
    """Whatever became of the request: done, refused, asked again, or asked under a key that was taken."""
    walk = Walk(store).until(State.SIGNED)
    walk.do("retain_trainee", key="once", **NAMED)
    walk.ask("retain_trainee", key="once", **NAMED)
    assert isinstance(walk.ask("retain_trainee", **NAMED), Refused)
    assert isinstance(walk.ask("retain_trainee", retained_on="1960-01-01", **NAMED), Refused)
    walk.ask("retain_trainee", key="once", **{**NAMED, "given_name": "Philomena"})
    walk.ask("retain_trainee", seen=1, **NAMED)
    rows = dump(store)
    assert "Zébulonnière" in repr(rows.pop("identities"))
    everything = repr(rows).casefold()
    for secret in ("bulonni", "philom", "1971-02-03"):
        assert secret not in everything
