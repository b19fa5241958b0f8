"""The operators' dashboard: how many dossiers stand where, what waits for whom and since when, the money, the rounds, the health."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from flows.desk.markdown import bars, link, picture, plain, table
from flows.home import Home
from flows.wording import due_told, wall_time
from models.dashboard import Totals
from models.ledger.codec import euros as from_cents
from states.grammar.deadlines import SOON, Age, age, paris_day
from states.lifecycle import STEPS
from states.overview.outlook import Outlook, days_in_state
from states.values.french import counted, euros, listed

KEY = "tableau-de-bord"
LATE_AT_MOST, COMING_AT_MOST = 20, 10
COLOURS = ("#dc2626", "#f59e0b", "#2563eb")  # late, soon, calm
ROUNDS = {"deliver": "distribution", "daily": "ronde du matin", "nightly": "scellé de la nuit", "refresh": "tableau recalculé"}


def page_address(reference: str) -> str:
    """Where the page of a dossier is, inside the interface."""
    return f"/v2/artifacts/key/{page_key(reference)}"


def page_key(reference: str) -> str:
    """The key of the page of a dossier: an artifact's key is in small letters."""
    return f"dossier-{reference.lower()}"


def list_key(place: int) -> str:
    """The key of a table of dossiers: `dossiers`, `dossiers-2`..."""
    return "dossiers" if place == 1 else f"dossiers-{place}"


def listed_line(one: Outlook) -> dict[str, str]:
    """A dossier in a table, which shows text only."""
    step, by = _expected(one)
    return {
        "Dossier": one.reference,
        "État": one.state.label,
        "Depuis le": one.entered_on.isoformat() if one.entered_on else "",
        "Étape attendue": step,
        "Par": by,
        "Avant le": one.due_on.isoformat() if one.due_on else "",
        "Bloqué par": one.blocked or "",
    }


def list_page(lines: Sequence[Outlook], following: str | None, *, at: datetime) -> str:
    """A slice of all dossiers, each linked to its page; `following` is the key of the next slice."""
    rows = [[one_link(one), one.state.label, *_expected(one), due_told(one.due_on, paris_day(at))] for one in lines]
    return "\n".join(
        [
            f"# Dossiers, de {lines[0].reference} à {lines[-1].reference}",
            "",
            f"État du {wall_time(at.isoformat())}. Pour chercher et trier, ouvrez la version la plus récente, sous ce tableau.",
            "",
            *([link("Suite", f"/v2/artifacts/key/{following}"), ""] if following else []),
            *table(("Dossier", "État", "Étape attendue", "Par", "Avant le"), rows),
            "",
            link("Tableau de bord", f"/v2/artifacts/key/{KEY}"),
        ]
    )


def board(home: Home, *, at: datetime) -> str:
    """The dashboard as markdown. Raises Unreachable."""
    today = paris_day(at)
    totals = home.board.totals(today, today + SOON)
    late = [one for one in home.board.due(LATE_AT_MOST) if age(one.due_on, today) is Age.LATE]
    coming = list(home.board.due(COMING_AT_MOST, since=today))
    lines = [
        "# Tableau de bord des partenariats",
        "",
        _headline(totals, at),
        "",
        picture(_drawing(totals), "Dossiers par état") if totals else "Aucun dossier n’est ouvert.",
        "",
        "Rouge : une échéance est passée. Jaune : une échéance dans les sept jours. Bleu : rien ne presse.",
        "",
        link("Tous les dossiers", f"/v2/artifacts/key/{list_key(1)}"),
        "",
        *_money(totals),
        *_waiting("## En retard", late, at, "Rien n’est en retard."),
        *_waiting("## Prochaines échéances", coming, at, "Aucune échéance n’approche."),
        *_rounds(home),
        *_health(home),
    ]
    return "\n".join(lines)


def _headline(totals: Iterable[Totals], at: datetime) -> str:
    totals = list(totals)
    late, soon = sum(one.late for one in totals), sum(one.soon for one in totals)
    told = [counted(sum(one.dossiers for one in totals), "dossier", "dossiers"), f"**{late} en retard**", f"{soon} à faire sous sept jours"]
    return f"{', '.join(told)}. État du {wall_time(at.isoformat())}."


def _drawing(totals: Iterable[Totals]) -> str:
    rows = [(one.state.label, tuple(zip((one.late, one.soon, one.dossiers - one.late - one.soon), COLOURS, strict=True))) for one in totals]
    return bars(rows, unit="")


def _money(totals: Iterable[Totals]) -> list[str]:
    totals = list(totals)
    sums = [
        ("Engagé (plafond des conventions en cours)", sum(one.engaged_cents for one in totals)),
        ("Mandaté", sum(one.ordered_cents for one in totals)),
        ("Payé", sum(one.paid_cents for one in totals)),
    ]
    return ["## Argent", "", *table(("", "Montant"), [(label, f"**{euros(from_cents(value))}**") for label, value in sums]), ""]


def _waiting(title: str, lines: list[Outlook], at: datetime, nothing: str) -> list[str]:
    if not lines:
        return [title, "", nothing, ""]
    return [
        title,
        "",
        *table(("Dossier", "État", "Étape attendue", "Par", "Avant le", "Bloqué par"), [_row(one, at) for one in lines]),
        "",
    ]


def one_link(one: Outlook) -> str:
    """The reference of a dossier, linked to its page."""
    return link(one.reference, page_address(one.reference))


def _expected(one: Outlook) -> tuple[str, str]:
    """The step that a dossier waits for, and who does it."""
    return STEPS[one.step].label if one.step in STEPS else "", ", ".join(role.label for role in one.by)


def _row(one: Outlook, at: datetime) -> list[str]:
    days = days_in_state(one.entered_on, at)
    return [
        one_link(one),
        f"{one.state.label}, {counted(days, 'jour', 'jours')}",
        *_expected(one),
        due_told(one.due_on, paris_day(at)),
        plain(one.blocked) if one.blocked else "",
    ]


def _rounds(home: Home) -> list[str]:
    done = [(label, mark) for name, label in ROUNDS.items() if (mark := home.marks.last(name)) is not None]
    rows = [(label, wall_time(mark.done_at), plain(mark.told)) for label, mark in done]
    return [
        "## Dernières rondes",
        "",
        *(table(("Ronde", "Quand", "Ce qu’elle a fait"), rows) if rows else ["Aucune ronde n’a encore eu lieu."]),
        "",
    ]


def _health(home: Home) -> list[str]:
    """What is not as it should be: letters that wait or were given up, people whose codes are refused."""
    rows = [("⚠️", plain(one.reference), plain(one.key), plain(one.fault)) for one in home.outbox.held()]
    rows += [("❌", plain(reference), plain(key), plain(fault)) for reference, key, fault in home.outbox.given_up()]
    waiting = counted(home.outbox.waiting(), "envoi en attente", "envois en attente")
    told = f"{waiting}, {counted(home.outbox.dead(), 'envoi abandonné', 'envois abandonnés')}."
    blocked = home.register.blocked()
    told += f" Trop de codes faux, à réenrôler (jalon people enrol) : {plain(listed(blocked))}." if blocked else ""
    return ["## Santé", "", told, "", *(table(("", "Dossier", "Envoi", "Pourquoi"), rows) if rows else [])]
