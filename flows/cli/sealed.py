"""What `jalon doctor` says of the seals, and of the clock by which everything is dated."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from flows.cli.proving import house_faults
from flows.server.symptoms import FAIL, OK, WARN, Symptom
from flows.wording import short_day, wall_time
from models.ledger.attempt import instant
from states.grammar.deadlines import PARIS, paris_day
from states.values.french import counted

if TYPE_CHECKING:
    from flows.home import Home
    from models.verify.auditing import Auditor
    from models.verify.nights import Nights

LATE_AFTER = timedelta(days=3)  # a night that fails is alerted by itself; a house that is down for a weekend is not ill


def on_the_seals(home: Home, auditor: Auditor, known: dict[str, str], at: datetime) -> Iterator[Symptom]:
    """The house, its seals and the clock, once every dossier was audited; `known` are the newest instants of what is dated."""
    faults = house_faults(home, auditor)
    if faults:
        more = f" Et {counted(len(faults) - 1, 'autre point', 'autres points')}." if len(faults) > 1 else ""
        yield Symptom("Maison", FAIL, f"{faults[0]}{more}", "Lancez : jalon verify, et prévenez l’exploitant.")
    yield _seals(auditor.nights, paris_day(at))
    yield _clock({**known, "le dernier sceau": auditor.nights.newest}, at)


def _seals(nights: Nights, today: date) -> Symptom:
    if nights.last is None:
        return Symptom("Sceaux", OK, "Aucune nuit n’est scellée encore.")
    sentence = f"{counted(nights.many, 'nuit scellée', 'nuits scellées')}, la dernière le {short_day(nights.last.night)}."
    if today - date.fromisoformat(nights.last.night) > LATE_AFTER:
        return Symptom("Sceaux", WARN, sentence, "La ronde de la nuit ne passe plus : lancez jalon up, et voyez ses exécutions.")
    return Symptom("Sceaux", OK, sentence)


def _clock(known: dict[str, str], at: datetime) -> Symptom:
    """The clock beside the newest instants that are known (ISO in UTC; empty where there is none)."""
    what, newest = max(known.items(), key=lambda one: one[1])
    if not newest:
        return Symptom("Horloge", OK, f"{at.astimezone(PARIS):%d/%m/%Y %H:%M} ; le journal est vide.")
    if newest > instant(at):
        return Symptom("Horloge", FAIL, f"Elle retarde sur {what} ({wall_time(newest)}).", "Remettez la machine à l’heure avant d’agir.")
    return Symptom("Horloge", OK, f"Elle suit {what} ({wall_time(newest)}).")
