"""The clock that an entry is written by: never far behind the entries before it, and never behind in silence."""

from __future__ import annotations

from datetime import datetime, timedelta

from models.ledger.attempt import Attempt, moment
from models.ledger.reading import parsed
from states.grammar.guard import Reason, Refused
from states.journal.entry import Entry
from states.values.french import counted
from states.values.law import HOUSE

TOLERANCE = timedelta(minutes=2)  # processes that wait for each other, machines that agree on the time to a second or so


def newest_of(content: str) -> str:
    """The newest instant of a journal, from its last entry; empty when that is none, which `verify` will say."""
    try:
        entry = parsed(content)
        return newest_at(entry, "") if datetime.fromisoformat(entry.recorded_at).tzinfo is not None else ""
    except ValueError:
        return ""


def newest_at(entry: Entry, before: str) -> str:
    """The newest instant of a journal up to `entry`, whose entries before had `before`: an entry written behind it says so."""
    return max(before, entry.recorded_at, entry.newest_before or "")


def behind(attempt: Attempt, newest: str, tolerance: timedelta) -> Refused | None:
    """The refusal of an attempt whose instant is further behind the newest entry than is tolerated.

    It is no entry of the journal, which would bear the same instant: the key serves again once the clock is right.
    """
    if attempt.instant >= newest or datetime.fromisoformat(newest) - attempt.at <= tolerance:
        return None
    sentence = (
        f"L’horloge de cette machine dit que nous sommes {moment(attempt.instant)}, et la dernière entrée du dossier a été écrite "
        f"{moment(newest)} : elle a reculé de plus de {_spelt(tolerance)}, rien n’est enregistré."
    )
    return Refused(attempt.trigger, (Reason("CLOCK_BEHIND", sentence, "l’exploitant, en remettant la machine à l’heure", str(HOUSE)),))


def _spelt(length: timedelta) -> str:
    seconds = round(length.total_seconds())
    return counted(seconds, "seconde", "secondes") if seconds % 60 else counted(seconds // 60, "minute", "minutes")
