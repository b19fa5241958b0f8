"""The pages of the desk: what they say is what the ledger says, and nobody can write markup into them."""

from __future__ import annotations

import asyncio
import base64
import html
import os
import re
from collections.abc import Awaitable, Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prefect.client.schemas.actions import ArtifactCreate
from walks import AT, RIGHT, Walk

from flows.desk import dashboard_page as board_page
from flows.desk import dossier_page, publishing
from flows.desk.dashboard_page import dashboard, page_key
from flows.desk.markdown import bars, plain
from flows.desk.publishing import Desk
from flows.home import Home
from flows.settings import settings
from models.answers import Invalid
from models.dashboard import Dashboard, PageSeal
from models.database.store import Store
from models.people.codes import FLOOD, Shown
from states.grammar.deadlines import Age, age
from states.overview.outlook import Outlook, outlook
from states.vocabulary import Role, State

EVIL = "<script>alert(1)</script> [ici](javascript:x) ![](http://x.example) | `a` **b**"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(settings({**os.environ, "JALON_HOME": str(tmp_path)}), create=True)
    yield home
    home.store.close()


def address(trigger: str, reference: str, entry: str | None) -> str:
    return f"/form/{trigger}/{reference}{f'/{entry.split()[0]}' if entry else ''}"


def shown(home: Home, reference: str = "ESSAI-1") -> str:
    return dossier_page.page(home, reference, at=AT, form=address)[0]


def kept(home: Home, walk: Walk) -> None:
    partnership = home.views.partnership(walk.reference)
    home.dashboard.keep([(outlook(partnership, AT), partnership.version)])


@given(st.text())
def test_no_text_becomes_markup(text: str) -> None:
    told = plain(text)
    assert "\n" not in told
    assert re.search(r"[\\`*_{}\[\]()!|~<>@]|https?:|www\.", re.sub(r"&#\d+;", "", told)) is None
    assert re.search(r"://|www\.|\w@", html.unescape(told), re.IGNORECASE) is None  # what the interface makes links of, once it has read it


def test_the_page_says_what_is_missing_in_the_words_of_why(home: Home) -> None:
    walk = Walk(home.store)
    walk.do("open")
    walk.do("approve")
    (missing,) = [reason for step in home.views.why("ESSAI-1", at=AT).steps for reason in step.unmet]
    assert missing.code == "SIGNED_BEFORE_EXECUTORY"
    (row,) = [one for one in shown(home).splitlines() if "[Signer la convention](/form/sign/ESSAI-1)" in one]
    assert f"{plain(missing.reason)} → {plain(missing.who)}" in row


@pytest.mark.parametrize("table", ["parties", "terms", "journal"])
def test_a_dossier_that_cannot_be_read_is_one_sentence(home: Home, table: str) -> None:
    Walk(home.store).until(State.SIGNED)
    with home.store.transaction() as cursor:
        cursor.execute("DROP TRIGGER journal_is_never_deleted")
        cursor.execute(f"DELETE FROM {table}")
    with pytest.raises(Invalid, match="Le dossier ESSAI-1 est illisible : lancez « jalon verify ESSAI-1 »"):
        shown(home)


def test_the_diagram_colours_the_past_the_present_and_what_may_come(home: Home) -> None:
    Walk(home.store).until(State.SIGNED)
    lines = [line.strip() for line in shown(home).splitlines()]
    classes = {line.split()[1]: line.split()[2] for line in lines if line.startswith("class ")}
    assert classes == {"proposed": "past", "approved": "past", "signed": "present", "acted": "possible", "terminated": "possible"}
    assert "signed --> acted" in lines


def test_an_undone_step_is_no_past(home: Home) -> None:
    walk = Walk(home.store).until(State.SIGNED)
    walk.do("undo", actor="Tania")
    assert "class signed possible" in shown(home)
    assert "# ESSAI-1 : approuvé" in shown(home)


def test_a_page_links_each_entry_that_may_be_taken_back_to_its_form(home: Home) -> None:
    walk = Walk(home.store).until(State.SIGNED)
    walk.do("attach", title="Annexe")
    walk.do("attach", title="Autre")
    walk.do("undo", actor="Tania")
    section = shown(home).split("## Dernières entrées, et leur annulation")[1].split("## Preuve")[0]
    assert "[Annuler l’entrée 6](/form/undo/ESSAI-1/6) | Joindre un document | Tania | document n° 1" in section
    assert "[Annuler l’entrée 5](/form/undo/ESSAI-1/5) | Signer la convention | Tania | signature n° 1 ; le dossier redevient" in section
    assert "l’entrée 7" not in section
    assert "l’entrée 1]" not in section
    assert "fait, annulé par l’entrée 8" in shown(home)


def test_once_a_payment_was_ordered_only_recordings_are_offered_to_be_taken_back(home: Home) -> None:
    walk = Walk(home.store).until(State.ORDERED)
    walk.do("attach")
    section = shown(home).split("## Dernières entrées, et leur annulation")[1].split("## Preuve")[0]
    assert "Joindre un document" in section
    assert "Mandater" not in section
    assert "Recevoir la facture" not in section


def test_names_and_motives_are_shown_harmlessly_or_not_at_all(home: Home) -> None:
    parties = {side: dict(party) for side, party in RIGHT["open"]["parties"].items()}
    parties["cdg"]["name"] = EVIL
    walk = Walk(home.store)
    walk.do("open", parties=parties)
    walk.do("approve")
    walk.do("terminate", motive=f"{EVIL} m-o-t-i-f")
    page = shown(home)
    assert "<script" not in page
    assert "javascript:" not in page
    assert "m-o-t-i-f" not in page
    assert page.count("```") == 2


def test_no_page_names_a_trainee(home: Home) -> None:
    walk = Walk(home.store).until(State.PAID)
    kept(home, walk)
    for page in (shown(home), dashboard(home, at=AT)):
        for name in (RIGHT["retain_trainee"][field] for field in ("family_name", "given_name", "born_on")):
            assert name not in page


def test_the_board_counts_dossiers_and_money_and_sorts_what_is_late(home: Home) -> None:
    for number, state in enumerate((State.PROPOSED, State.APPROVED, State.APPROVED, State.PAID), start=1):
        kept(home, Walk(home.store, f"ESSAI-{number}").until(state))
    page = dashboard(home, at=AT)
    assert page.startswith("# Tableau de bord des partenariats\n\n4 dossiers, **4 en retard**, 0 à faire sous sept jours.")
    assert "| Payé | **2\u202f000,00\u00a0€** |" in page.replace("\xa0€", "\u00a0€")
    late = [line for line in page.splitlines() if "| 🔴\u00a0" in line]
    assert [re.findall(r"ESSAI-\d", line)[0] for line in late][:1] == ["ESSAI-1"]
    assert "(/v2/artifacts/key/dossier-essai-1)" in late[0]
    svg = base64.b64decode(re.findall(r"base64,([^)]+)", page)[0]).decode()
    assert svg.count("<rect") == 1 + 3 * 3
    assert "approuvé" in svg


def test_people_whose_codes_are_refused_are_named_on_the_board(home: Home) -> None:
    Walk(home.store)
    assert "Trop de codes faux" not in dashboard(home, at=AT)
    for _ in range(FLOOD):
        home.ledger.use_up("Bruno", Shown("000000", AT))
    assert "Trop de codes faux à la suite, à surveiller : Bruno." in dashboard(home, at=AT)


@pytest.mark.parametrize(
    ("due", "pressing"), [(None, Age.CALM), (-1, Age.LATE), (0, Age.SOON), (7, Age.SOON), (8, Age.CALM)]
)  # fmt: skip
def test_a_deadline_is_late_the_day_after_and_soon_for_a_week(due: int | None, pressing: Age) -> None:
    today = date(2026, 11, 24)
    assert age(None if due is None else today + timedelta(days=due), today) is pressing


def line(reference: str, **changes: Any) -> Outlook:
    told: dict[str, Any] = {
        "reference": reference, "state": State.APPROVED, "entered_on": date(2026, 1, 1), "step": "sign", "by": (Role.TRAINING_OFFICER,),
        "due_on": date(2026, 2, 1), "blocked": None, "findings": 0, "engaged": Decimal(40000), "ordered": Decimal(0), "paid": Decimal(0),
    }  # fmt: skip
    return Outlook(**(told | changes))


def test_an_older_line_never_replaces_a_newer_one(store: Store) -> None:
    walk = Walk(store)
    walk.do("open")
    lines = Dashboard(store)
    lines.keep([(line("ESSAI-1", paid=Decimal("2.00")), 5)])
    lines.keep([(line("ESSAI-1"), 4)])
    lines.keep([(line("ABSENT"), 1)])
    assert [(one.reference, one.paid) for one in lines.due(10)] == [("ESSAI-1", Decimal("2.00"))]


def test_a_dossier_that_moved_without_being_shown_is_behind(store: Store) -> None:
    walks = [Walk(store, f"ESSAI-{number}") for number in (1, 2, 3)]
    for walk in walks:
        walk.do("open")
    lines = Dashboard(store)
    lines.keep([(line("ESSAI-1"), 1), (line("ESSAI-3"), 1)])
    walks[2].do("approve")
    assert lines.behind("", 10) == ["ESSAI-2", "ESSAI-3"]
    assert (lines.behind("", 1), lines.behind("ESSAI-2", 1)) == (["ESSAI-2"], ["ESSAI-3"])


def test_a_published_page_is_remembered_until_its_text_changes(store: Store) -> None:
    Walk(store).do("open")
    lines = Dashboard(store)
    lines.keep([(line("ESSAI-1"), 1)])
    assert lines.published(["ESSAI-1"]) == {}
    assert lines.publish([PageSeal("ESSAI-1", 1, "a" * 64), PageSeal("ABSENT", 1, "b" * 64)]) == []
    lines.keep([(line("ESSAI-1"), 2)])
    assert lines.published(["ABSENT", "ESSAI-1"]) == {"ESSAI-1": "a" * 64}


class Interrupted:
    """Prefect, to which the first page comes late: meanwhile somebody else does a step and publishes it."""

    def __init__(self, meanwhile: Callable[[], Awaitable[object]]) -> None:
        self._meanwhile: Callable[[], Awaitable[object]] | None = meanwhile
        self.pages: list[str] = []

    async def read_deployments(self, **_: object) -> list[object]:
        return []

    async def create_artifact(self, artifact: ArtifactCreate) -> None:
        meanwhile, self._meanwhile = self._meanwhile, None
        if meanwhile is not None:
            await meanwhile()
        self.pages.append(str(artifact.description))


def test_the_page_on_top_is_the_newest_even_when_two_steps_cross(home: Home) -> None:
    walk = Walk(home.store).until(State.APPROVED)

    async def meanwhile() -> None:
        walk.do("sign")
        await Desk(home, client).show(["ESSAI-1"])

    client: Any = Interrupted(meanwhile)
    asyncio.run(Desk(home, client).show(["ESSAI-1"]))
    assert [page.splitlines()[0] for page in client.pages] == ["# ESSAI-1 : signé", "# ESSAI-1 : approuvé", "# ESSAI-1 : signé"]
    asyncio.run(Desk(home, client).show(["ESSAI-1"]))
    assert len(client.pages) == 3


def test_a_board_of_a_hundred_thousand_dossiers_still_answers(home: Home) -> None:
    with home.store.transaction() as cursor:
        cursor.execute(
            "INSERT INTO partnerships (id, reference, imported, state, version, n, head, entered_on, pepper, due_on) "
            "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 100000) "
            "SELECT i, 'D-' || printf('%06d', i), 0, 'approved', 1, 1, 'h', '2026-01-01', 'p', "
            "date('2026-06-01', '+' || (i % 400) || ' days') FROM c"
        )
        cursor.execute(
            "INSERT INTO outlooks SELECT id, 1, state, entered_on, 'sign', '[\"training_officer\"]', due_on, NULL, 0, 4000000, 0, 0, NULL "
            "FROM partnerships"
        )
    page = dashboard(home, at=AT)
    assert "100000 dossiers" in page
    assert len(page) < 20_000
    assert page.count("](/v2/artifacts/key/dossier-d-") == board_page.LATE_AT_MOST + board_page.COMING_AT_MOST


def test_a_table_of_dossiers_is_text_and_goes_on_in_slices(store: Store) -> None:
    lines = Dashboard(store)
    for number in (1, 2, 3):
        Walk(store, f"ESSAI-{number}").do("open")
        lines.keep([(line(f"ESSAI-{number}"), 1)])
    first = lines.after("", 2)
    assert [one.reference for one in (*first, *lines.after(first[-1].reference, 2))] == ["ESSAI-1", "ESSAI-2", "ESSAI-3"]
    assert board_page.listed_line(first[0]) == {
        "Dossier": "ESSAI-1", "État": "approuvé", "Depuis le": "2026-01-01", "Étape attendue": "Signer la convention",
        "Par": "responsable formation", "Avant le": "2026-02-01", "Bloqué par": "",
    }  # fmt: skip
    assert [board_page.list_key(place) for place in (1, 2)] == ["dossiers", "dossiers-2"]


def test_the_page_of_all_dossiers_links_to_each(store: Store) -> None:
    told = board_page.list_page([line("ESSAI-1"), line("ESSAI-2", due_on=None)], "dossiers-2", at=AT)
    assert "# Dossiers, de ESSAI-1 à ESSAI-2\n" in told
    assert (
        "| [ESSAI-1](/v2/artifacts/key/dossier-essai-1) | approuvé | Signer la convention | responsable formation | 🔴\u00a001/02/2026 "
        in told
    )
    assert "[Suite](/v2/artifacts/key/dossiers-2)" in told


def test_the_page_of_all_dossiers_is_published_again_when_it_says_something_new(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    kept(home, Walk(home.store).until(State.APPROVED))

    async def nothing() -> None:
        return

    client: Any = Interrupted(nothing)
    for day, pages in ((AT, 1), (AT, 1), (AT + timedelta(days=1), 2)):  # what is late changes with the day
        monkeypatch.setattr(publishing, "now", lambda day=day: day)
        asyncio.run(Desk(home, client).show_lists())
        assert len(client.pages) == pages


def test_the_key_of_a_page_is_in_small_letters() -> None:
    assert page_key("CDG62-ARTOIS") == "dossier-cdg62-artois"


def test_a_drawing_without_rows_is_still_a_drawing() -> None:
    assert bars([], unit="").startswith("<svg")
