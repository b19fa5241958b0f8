"""The operators' dashboard: how many dossiers stand where, what waits for whom and since when, the money, the rounds, the health."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from flows.desk.markdown import bars, link, picture, plain, table
from flows.home import Home
from flows.wording import due_label, wall_time
from models.ledger.codec import euros as from_cents
from models.ledger.tallies import Total
from models.people.codes import FLOOD
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


def listed_line(outlook: Outlook) -> dict[str, str]:
    """A dossier in a table, which shows text only."""
    step, by = _expected(outlook)
    return {
        "Dossier": outlook.reference,
        "État": outlook.state.label,
        "Depuis le": outlook.entered_on.isoformat() if outlook.entered_on else "",
        "Étape attendue": step,
        "Par": by,
        "Avant le": outlook.due_on.isoformat() if outlook.due_on else "",
        "Bloqué par": outlook.blocked or "",
    }


def list_page(lines: Sequence[Outlook], following: str | None, *, at: datetime) -> str:
    """A slice of all dossiers, each linked to its page; `following` is the key of the next slice."""
    rows = [[one_link(outlook), outlook.state.label, *_expected(outlook), due_label(outlook.due_on, paris_day(at))] for outlook in lines]
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


def dashboard(home: Home, *, at: datetime) -> str:
    """The dashboard as markdown. Raises Unreachable."""
    today = paris_day(at)
    totals = home.dashboard.totals(today, today + SOON)
    late = [outlook for outlook in home.dashboard.due(LATE_AT_MOST) if age(outlook.due_on, today) is Age.LATE]
    coming = list(home.dashboard.due(COMING_AT_MOST, since=today))
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


def _headline(totals: Iterable[Total], at: datetime) -> str:
    totals = list(totals)
    late, soon = sum(total.late for total in totals), sum(total.soon for total in totals)
    parts = [
        counted(sum(total.dossiers for total in totals), "dossier", "dossiers"),
        f"**{late} en retard**",
        f"{soon} à faire sous sept jours",
    ]
    return f"{', '.join(parts)}. État du {wall_time(at.isoformat())}."


def _drawing(totals: Iterable[Total]) -> str:
    rows = [
        (total.state.label, tuple(zip((total.late, total.soon, total.dossiers - total.late - total.soon), COLOURS, strict=True)))
        for total in totals
    ]
    return bars(rows, unit="")


def _money(totals: Iterable[Total]) -> list[str]:
    totals = list(totals)
    sums = [
        ("Engagé (plafond des conventions en cours)", sum(total.engaged_cents for total in totals)),
        ("Mandaté", sum(total.ordered_cents for total in totals)),
        ("Payé", sum(total.paid_cents for total in totals)),
    ]
    return ["## Argent", "", *table(("", "Montant"), [(label, f"**{euros(from_cents(value))}**") for label, value in sums]), ""]


def _waiting(title: str, lines: list[Outlook], at: datetime, nothing: str) -> list[str]:
    if not lines:
        return [title, "", nothing, ""]
    return [
        title,
        "",
        *table(("Dossier", "État", "Étape attendue", "Par", "Avant le", "Bloqué par"), [_row(outlook, at) for outlook in lines]),
        "",
    ]


def one_link(outlook: Outlook) -> str:
    """The reference of a dossier, linked to its page."""
    return link(outlook.reference, page_address(outlook.reference))


def _expected(outlook: Outlook) -> tuple[str, str]:
    """The step that a dossier waits for, and who does it."""
    return STEPS[outlook.step].label if outlook.step in STEPS else "", ", ".join(role.label for role in outlook.by)


def _row(outlook: Outlook, at: datetime) -> list[str]:
    days = days_in_state(outlook.entered_on, at)
    return [
        one_link(outlook),
        f"{outlook.state.label}, {counted(days, 'jour', 'jours')}",
        *_expected(outlook),
        due_label(outlook.due_on, paris_day(at)),
        plain(outlook.blocked) if outlook.blocked else "",
    ]


def _rounds(home: Home) -> list[str]:
    done = [(label, mark) for name, label in ROUNDS.items() if (mark := home.marks.last(name)) is not None]
    rows = [(label, wall_time(mark.done_at), plain(mark.message)) for label, mark in done]
    return [
        "## Dernières rondes",
        "",
        *(table(("Ronde", "Quand", "Ce qu’elle a fait"), rows) if rows else ["Aucune ronde n’a encore eu lieu."]),
        "",
    ]


def _health(home: Home) -> list[str]:
    """What is not as it should be: letters that wait or were given up, people whose codes are refused."""
    rows = [("⚠️", plain(held.reference), plain(held.key), plain(held.fault)) for held in home.outbox.held()]
    rows += [("❌", plain(reference), plain(key), plain(fault)) for reference, key, fault in home.outbox.given_up()]
    waiting = counted(home.outbox.waiting(), "envoi en attente", "envois en attente")
    sentence = f"{waiting}, {counted(home.outbox.dead(), 'envoi abandonné', 'envois abandonnés')}."
    mistaken = [name for name, _ in home.register.mistaken(FLOOD)]
    sentence += f" Trop de codes faux à la suite, à surveiller : {plain(listed(mistaken))}." if mistaken else ""
    return ["## Santé", "", sentence, "", *(table(("", "Dossier", "Envoi", "Pourquoi"), rows) if rows else [])]
