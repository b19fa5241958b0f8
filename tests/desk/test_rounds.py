"""The rounds of the clock: what they write, to whom, and once for each day however often they come."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from enlisting import reroled
from walks import AT, Walk
from witness import sql, unguarded

from flows import rounds
from flows.deliver import deliver
from flows.desk.automations import FAILED
from flows.home import Home, shared_home
from flows.ports.locks import held
from flows.settings import settings
from models.database.faults import Unreachable
from models.database.store import Store
from models.ledger.chain import canonical, digest
from models.once import Marks
from models.verify.seals import read
from states.overview.outlook import outlook
from states.vocabulary import Role, State

TUESDAY, WEDNESDAY = datetime(2026, 11, 24, 6, 0, tzinfo=UTC), datetime(2026, 11, 25, 6, 0, tzinfo=UTC)
SATURDAY, CHRISTMAS = datetime(2026, 11, 28, 6, 0, tzinfo=UTC), datetime(2026, 12, 25, 6, 0, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """A home with a dossier whose signature is late, and another that is over."""
    monkeypatch.setenv("JALON_HOME", str(tmp_path))
    monkeypatch.delenv("JALON_DATABASE_URL", raising=False)
    Home(settings(), create=True).store.close()
    home = shared_home(settings())
    for reference, state in (("ESSAI-1", State.APPROVED), ("ESSAI-2", State.CLOSED)):
        Walk(home.store, reference).until(state)
        partnership = home.views.partnership(reference)
        home.dashboard.keep([(outlook(partnership, AT), partnership.version)])
    yield home
    home.store.close()
    shared_home.cache_clear()


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The state in which a round ends at an instant."""

    def run(flow: Any, at: datetime) -> tuple[str, str]:
        monkeypatch.setattr(rounds, "now", lambda: at)
        state = asyncio.run(flow.fn())
        return state.name, state.message

    return run


def letters(home: Home) -> list[Any]:
    found = sorted(home.settings.mail_dir.glob("*.eml")) if home.settings.mail_dir.exists() else []
    return [message_from_bytes(path.read_bytes(), policy=policy.default) for path in found]


def test_the_round_of_the_morning_reminds_each_of_what_is_theirs_once_a_day(home: Home, said: Any) -> None:
    assert said(rounds.daily, TUESDAY) == ("Completed", "1 échéance, 1 rappel envoyé.")
    (letter,) = letters(home)
    assert letter["To"] == "tania@essai.example"
    assert letter["Subject"] == "[jalon] 1 échéance passée, 0 proche"
    body = letter.get_content()
    assert "  - ESSAI-1, signer la convention : attendu le 8 décembre 2025, 351 jours de retard" in body
    assert "ESSAI-2" not in body
    assert said(rounds.daily, TUESDAY) == ("Completed", "Déjà fait pour le 24 novembre 2026. 1 échéance, 1 rappel envoyé.")
    assert len(letters(home)) == 1
    said(rounds.daily, WEDNESDAY)
    assert len(letters(home)) == 2


@pytest.mark.parametrize("day", [SATURDAY, CHRISTMAS])
def test_nobody_is_reminded_on_a_day_off(home: Home, said: Any, day: datetime) -> None:
    assert said(rounds.daily, day)[1].endswith("n’est pas un jour ouvré.")
    assert letters(home) == []


def test_the_night_verifies_and_seals_the_head_of_every_chain(home: Home, said: Any) -> None:
    name, message = said(rounds.nightly, TUESDAY)
    content = (home.settings.home / "seals" / "2026-11-24.json").read_bytes()
    seal = read(content)
    assert (name, message.startswith("2 dossiers vérifiés, ")) == ("Completed", True)
    assert seal.root[:16] in message
    assert [(one["reference"], one["head"]) for one in seal.leaves.values() if one["kind"] == "dossier"] == [
        (one, home.views.history(one)[-1].digest) for one in ("ESSAI-1", "ESSAI-2")
    ]
    (letter,) = letters(home)
    assert (letter["To"], seal.root in letter.get_body().get_content()) == ("aude@essai.example", True)
    assert [part.get_payload(decode=True) for part in letter.iter_attachments()] == [content]


def test_a_night_that_finds_a_dossier_tampered_with_ends_as_broken(home: Home, said: Any) -> None:
    sql(home.store, "UPDATE partnerships SET state = 'paid' WHERE reference = 'ESSAI-1'")
    name, message = said(rounds.nightly, TUESDAY)
    assert name == "Broken"
    assert "ESSAI-1 : " in message


def test_a_night_that_would_decide_otherwise_tells_an_anomaly_and_seals_all_the_same(home: Home, said: Any) -> None:
    """The journal holds, so it is never called broken; the operators are alerted, as of every failed round."""
    ((entry,),) = sql(home.store, "SELECT entry FROM journal WHERE partnership_id = 1 ORDER BY n DESC LIMIT 1")
    told = json.loads(entry)
    reroled(home.store, told["actor"], [Role.AUDITOR])  # the register agrees that this was somebody without the role
    forged = canonical(told | {"role": "auditor", "register": len(home.register.entries())}).decode()
    values = {"e": forged, "d": digest(forged.encode()), "n": told["n"]}
    with unguarded(home.store):
        sql(home.store, "UPDATE journal SET entry = :e, digest = :d WHERE partnership_id = 1 AND n = :n", **values)
    sql(home.store, "UPDATE partnerships SET head = :d WHERE id = 1", d=values["d"])
    name, message = said(rounds.nightly, TUESDAY)
    assert name == "Anomaly"
    assert f"ESSAI-1 : Entrée {told['n']} (« {told['label']} ») : anomalie." in message
    assert "WRONG_ROLE" in message
    assert (home.settings.home / "seals" / "2026-11-24.json").exists()
    assert name in FAILED


def test_a_round_that_could_not_be_made_is_made_by_the_next(home: Home, said: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = home.settings.mail_dir
    folder.parent.mkdir(exist_ok=True)
    folder.write_text("a file in the place of the folder")
    assert said(rounds.daily, TUESDAY)[0] == "Unreachable"
    folder.unlink()
    assert said(rounds.daily, TUESDAY) == ("Completed", "1 échéance, 1 rappel envoyé.")


def test_a_round_that_finds_another_at_work_leaves_it_alone(home: Home, said: Any) -> None:
    for flow, told in ((rounds.refresh, "Un autre recalcul est en cours."), (deliver, "Une autre distribution est en cours.")):
        with held(home.settings.home / f"{flow.name}.lock"):
            assert said(flow, TUESDAY) == ("Skipped", told)


def test_a_lock_needs_no_folder_before_and_says_why_it_cannot_be(tmp_path: Path) -> None:
    with held(tmp_path / "new" / "x.lock") as alone:
        assert alone
    (tmp_path / "file").write_text("")
    with pytest.raises(Unreachable, match=r"Le verrou .* ne peut pas être posé"), held(tmp_path / "file" / "x.lock"):
        pass


def test_a_mark_is_taken_once(store: Store) -> None:
    marks = Marks(store)
    assert marks.take("daily", "2026-11-24", now=TUESDAY)
    assert not marks.take("daily", "2026-11-24", now=TUESDAY + timedelta(minutes=59))
    assert marks.take("daily", "2026-11-24", now=WEDNESDAY)  # nobody said what came of it: whoever took it has died
    assert marks.take("daily", "2026-11-25", now=WEDNESDAY)
    marks.tell("daily", "2026-11-25", "fait", now=WEDNESDAY)
    last = marks.last("daily")
    assert last is not None
    assert (last.key, last.message) == ("2026-11-25", "fait")
    assert not marks.take("daily", "2026-11-25", now=SATURDAY)
    marks.drop("daily", "2026-11-24")
    assert marks.take("daily", "2026-11-24", now=WEDNESDAY)


def test_a_run_that_was_started_again_takes_its_own_mark_again(store: Store) -> None:
    marks = Marks(store)
    assert marks.take("daily", "2026-11-24", now=TUESDAY, by="run-1")
    assert not marks.take("daily", "2026-11-24", now=TUESDAY, by="run-2")
    assert marks.take("daily", "2026-11-24", now=TUESDAY, by="run-1")
    last = marks.last("daily")
    assert last is not None
    assert last.message == ""
    marks.tell("daily", "2026-11-24", "fait", now=TUESDAY)
    assert not marks.take("daily", "2026-11-24", now=TUESDAY, by="run-1")


def test_the_night_forgets_old_marks_but_not_what_was_done_last(home: Home, said: Any) -> None:
    home.marks.set("deliver", "fait", now=TUESDAY - timedelta(days=90))
    for days in (61, 59):
        home.marks.take("checks", f"{days}", now=TUESDAY - timedelta(days=days))
    said(rounds.nightly, TUESDAY)
    assert sql(home.store, "SELECT name, key FROM marks ORDER BY name") == [("checks", "59"), ("deliver", ""), ("nightly", "2026-11-24")]
