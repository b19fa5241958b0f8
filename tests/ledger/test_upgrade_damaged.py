"""What did not hold before an upgrade, or was damaged, is accused after it, dossier by dossier; a half upgrade is refused."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from forging import entries_of, rechain
from old_databases import changed, old_file, opened, rows_of
from sqlalchemy.exc import DBAPIError
from walks import OTHER_IBAN, Walk
from witness import drop_triggers, dump, sql

from models.database.faults import Unreachable
from models.database.store import Store
from models.ledger.chain import canonical, digest
from models.tables import SCHEMA
from models.verify.proof import Verifier
from models.verify.redeciding import redecided
from states.vocabulary import State

# Steps of whoever has every right on the database of before: each was seen then, and goes on being said.

pytestmark = pytest.mark.long  # databases of before
TAMPERED = {
    "UPDATE settlements SET paid_cents = paid_cents - 1": "la liquidation, le mandat et le paiement",
    f"UPDATE parties SET payee_iban = '{OTHER_IBAN}' WHERE side = 'university'": "les parties",
    "DELETE FROM committees": "les comités",
    "UPDATE terms SET cap = cap + 1": "les conditions",
    "UPDATE trainees SET insee = '59350' WHERE number = 1": "les stagiaires",
    "UPDATE partnerships SET entered_on = '2026-01-01'": "la date ou l’origine de l’état",
    "UPDATE partnerships SET imported = 1 - imported": "la date ou l’origine de l’état",
    "UPDATE partnerships SET state = 'closed'": "l’état ou la version",
    "UPDATE findings SET code = 'NO_QUORUM' WHERE code = 'ROLL_CALL_UNKNOWN'": "des constats",
    "INSERT INTO documents VALUES (1, 9, 'Faux', 'x', '2026-01-01')": "les documents",
}


@pytest.mark.parametrize("change", TAMPERED)
def test_what_did_not_hold_before_the_upgrade_does_not_hold_after_it(old: str, change: str) -> None:
    changed(old, change)
    store = opened(old)
    faults = [fault for one in Verifier(store).verify_all() for fault in one.faults]
    assert any(fault.startswith("À la reprise") and TAMPERED[change] in fault for fault in faults)
    assert len(faults) > sum(fault.startswith("À la reprise") for fault in faults) or "findings" in change
    store.close()


def test_facts_carried_over_that_the_entries_before_do_not_tell_are_an_anomaly(old: str) -> None:
    """Somebody with every right writes other facts into that entry, and into the rows, and hashes all again: only the reader knows."""
    store = opened(old)
    drop_triggers(store)
    (id_,), *_ = sql(store, "SELECT id FROM partnerships WHERE reference = 'CDG-REJET-2025'")
    ((entry,),) = sql(store, "SELECT entry FROM journal WHERE partnership_id = :id ORDER BY n DESC LIMIT 1", id=id_)
    forged = canonical(json.loads(entry.replace('"cap":20', '"cap":21'))).decode()
    sealed = digest(forged.encode())
    sql(store, "UPDATE journal SET entry = :e, digest = :d WHERE partnership_id = :id AND n = 4", e=forged, d=sealed, id=id_)
    sql(store, "UPDATE partnerships SET head = :d WHERE id = :id", d=sealed, id=id_)
    sql(store, "UPDATE terms SET cap = 21 WHERE partnership_id = :id", id=id_)
    proof, entries = Verifier(store).proved("CDG-REJET-2025")
    assert proof.faults == ()
    (one,) = redecided("CDG-REJET-2025", entries).anomalies
    assert one.sentence.startswith("Entrée 4 (« Reprendre le journal d’avant ») : anomalie. Le journal dit : repris tel quel")
    store.close()


def without_triggers(url: str) -> None:
    """What keeps the journal of before append-only is taken away."""
    sqlite = url.startswith("sqlite")
    changed(url, "DROP TRIGGER journal_is_never_updated" if sqlite else "DROP TRIGGER journal_is_never_changed ON journal")


def edited(url: str, old_words: str, new_words: str) -> None:
    """Edit the entries of a database of before; nothing is hashed again."""
    without_triggers(url)
    changed(url, "UPDATE journal SET entry = replace(entry, :old, :new)", old=old_words, new=new_words)


def test_a_journal_of_before_that_was_edited_is_carried_over_and_stays_accused(old: str) -> None:
    edited(old, '"pay"', '"pai"')
    store = opened(old)
    broken = {one.reference: one.faults for one in Verifier(store).verify_all() if one.faults}
    assert "CDG62-ARTOIS-DUSGM-2025" in broken
    assert broken["CDG62-ARTOIS-DUSGM-2025"] == ("Entrée 63 du journal : son empreinte ne correspond pas à son contenu.",)
    carried = sql(store, "SELECT entry FROM journal WHERE entry LIKE '%carry_over%' AND entry LIKE '%CDG62-ARTOIS%'")
    assert json.loads(carried[0][0])["faults"] == ["Le journal d’avant la reprise ne se relit pas (entrée 64)."]
    store.close()


def test_a_jalon_of_before_that_still_runs_can_write_no_entry_any_more(old: str) -> None:
    store = opened(old)
    before = dump(store)
    with pytest.raises(DBAPIError, match="start the new jalon"):
        sql(
            store,
            'INSERT INTO journal (partnership_id, n, "key", input_digest, entry, digest)'
            " SELECT partnership_id, n + 1, 'another', input_digest, '{}', digest FROM journal WHERE id = 1",
        )
    assert dump(store) == before
    store.close()


# What somebody may have damaged in one dossier; the others are brought forward all the same.
DAMAGED = {
    "an entry that is no JSON": "UPDATE journal SET entry = '{\"n\":' WHERE id = 3",
    "an entry that is no object": "UPDATE journal SET entry = '[]' WHERE id = 3",
    "an entry without an outcome": "UPDATE journal SET entry = '{}' WHERE id = 3",
    "a request of another shape": 'UPDATE journal SET entry = replace(entry, \'"request":{\', \'"request":[],"was":{\') WHERE id = 2',
    "a list that is no JSON": "UPDATE acts SET present = 'personne' WHERE partnership_id = 1",
    "a secret that is none": "UPDATE partnerships SET pepper = 'poivre' WHERE id = 1",
    "a number of entries": "UPDATE partnerships SET n = n - 1 WHERE id = 1",
    "a head": "UPDATE partnerships SET head = 'x' WHERE id = 1",
}


@pytest.mark.parametrize("case", DAMAGED)
def test_a_damaged_dossier_is_accused_and_stops_no_other(old: str, case: str) -> None:
    without_triggers(old)
    changed(old, DAMAGED[case].replace(":", r"\:"))
    store = opened(old)
    ((reference,),) = sql(store, "SELECT reference FROM partnerships WHERE id = 1")
    broken = {one.reference: one.faults for one in Verifier(store).verify_all() if one.faults}
    assert set(broken) == {reference}
    assert all(fault.endswith(".") and "\n" not in fault for fault in broken[reference])
    store.close()


def test_a_half_upgraded_database_is_refused_or_accused_in_words(old: str) -> None:
    store = opened(old)
    sql(store, "UPDATE alembic_version SET version_num = '0003'")
    store.close()
    before = rows_of(old)
    with pytest.raises(Unreachable, match=r"^La base est à moitié reprise : le dossier \S+ l’est déjà.*Rien n’a changé"):
        opened(old)
    assert rows_of(old) == before


def test_a_database_that_only_says_to_be_upgraded_is_accused_dossier_by_dossier(tmp_path: Path) -> None:
    url = old_file(tmp_path)
    with closing(sqlite3.connect(tmp_path / "jalon.db")) as database:
        database.execute("UPDATE alembic_version SET version_num = ?", (SCHEMA,))
        database.execute("CREATE TABLE register_journal (id INTEGER PRIMARY KEY, entry TEXT, digest TEXT)")
        database.commit()
    store = Store(url)
    for one in Verifier(store).verify_all():
        assert one.faults == (
            "Le journal date d’avant cette version de jalon et n’a pas été repris : la base est à moitié reprise, restaurez sa copie.",
        )
    store.close()


def test_a_carried_entry_is_accepted_once_and_only_after_entries_of_before(store: Store) -> None:
    """Else whoever reaches the database could begin a dossier anew."""
    walk = Walk(store).until(State.SIGNED)
    drop_triggers(store)
    told = entries_of(store)
    rechain(store, [*told[:-1], told[-1] | {"outcome": "carried", "to": told[-1]["from"]}])
    sql(store, "UPDATE partnerships SET state = :s", s=told[-1]["from"])
    (fault,) = Verifier(store).verify(walk.reference).faults
    assert "jalon n’écrit jamais une telle entrée à cet endroit" in fault
