"""The night: every dossier is audited, and what its chains came to is sealed. Needs no Prefect."""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple

from flows.home import Home
from flows.mail.reminders import seal_letter
from flows.ports import mail, seals
from models.ledger.attempt import instant
from models.verify.auditing import Audit, Auditor
from models.verify.house import night_faults
from models.verify.leaves import house_leaves, register_faults
from models.verify.nights import Nights
from models.verify.redeciding import redecided
from models.verify.seals import DOSSIER
from states.grammar.deadlines import PARIS
from states.values.french import counted
from states.vocabulary import Role

NAMED_AT_MOST = 5  # dossiers, or anomalies, in the message of a run


class Night(NamedTuple):
    """What a night has found: the audit of each dossier, how many decisions were made again and how many not, what came out otherwise."""

    audits: list[Audit]
    again: int
    left: int
    anomalies: list[str]


def verified(auditor: Auditor) -> Night:
    """Audit every dossier and decide each entry again under the law of its number; an anomaly is no broken journal. Raises Unreachable."""
    audits, again, left, anomalies = [], 0, 0, []
    for audit in auditor.all():
        audits.append(audit._replace(entries=[]))  # of a house of many, nobody holds every journal at once
        if not audit.proof.faults:
            found = redecided(audit.proof.reference, audit.entries)
            again += found.again
            left += sum(many for _, many in found.left)
            anomalies += [f"{audit.proof.reference} : {anomaly.sentence}" for anomaly in found.anomalies]
    return Night(audits, again, left, anomalies)


def sealed(home: Home, today: date, at: datetime) -> tuple[str, str | None]:
    """Audit, seal and write to the auditors: what was done, and how it failed if so, in French. Raises Unreachable.

    A night that is sealed stays as it is: whoever comes again sends the same seal. What does not hold is sealed as it last held.
    """
    auditor = home.auditor()
    night = verified(auditor)
    house = [
        *register_faults(home.store, auditor.nights),
        *auditor.house.faults(auditor.nights, at),
        *auditor.nights.faults,
        *night_faults(auditor.nights, today),
        *auditor.loose,
    ]
    house += auditor.post.seal_faults(auditor.nights) if auditor.post is not None else []
    late = _behind(auditor.nights, at)
    if not late:
        _seal(home, auditor, night, (today, at))
    broken = [f"{audit.proof.reference} : {' '.join(audit.faults)}" for audit in night.audits if audit.faults]
    root = _root_of(home, today)
    if root is not None:
        _write_to_auditors(home, today, at, (root, len(night.audits)))
    said = _said(night, root)
    named = [*late, *broken[:NAMED_AT_MOST], *house[:NAMED_AT_MOST], *night.anomalies[:NAMED_AT_MOST]]
    more = len(late) + len(broken) + len(house) + len(night.anomalies) - len(named)
    rest = [f"Et {counted(more, 'autre', 'autres')} : jalon verify --law."] if more else []
    failed = "Broken" if broken or house or late else "Anomaly" if night.anomalies else None
    return " ".join([said, *named, *rest]), failed


def _behind(nights: Nights, at: datetime) -> list[str]:
    """A clock that was set back seals nothing: the night would stand before one that is sealed already."""
    if instant(at) >= nights.newest:
        return []
    newest = datetime.fromisoformat(nights.newest).astimezone(PARIS)
    return [f"L’horloge dit {at.astimezone(PARIS):%d/%m/%Y %H:%M}, et le dernier sceau est du {newest:%d/%m/%Y %H:%M} : rien n’est scellé."]


def _seal(home: Home, auditor: Auditor, night: Night, when: tuple[date, datetime]) -> None:
    """Seal the night unless it is sealed."""
    (today, at), nights = when, auditor.nights
    if today.isoformat() not in nights.roots.values():
        leaves = [audit.leaf(nights.leaf(f"{DOSSIER} {audit.proof.reference}")) for audit in night.audits]
        content, _ = nights.next(today.isoformat(), instant(at), [*house_leaves(home.store), *leaves])
        seals.write(seals.folder_of(home.settings.home), today.isoformat(), content)


def _root_of(home: Home, today: date) -> str | None:
    """The root of the seal that the folder has of a night, whoever made it; None when it has none that can be read."""
    found = Nights(seals.read_all(seals.folder_of(home.settings.home))).roots
    return next((root for root, night in found.items() if night == today.isoformat()), None)


def _write_to_auditors(home: Home, today: date, at: datetime, seal: tuple[str, int]) -> None:
    root, dossiers = seal
    content = seals.read_one(seals.folder_of(home.settings.home), today.isoformat())
    for person in home.register.holding(Role.AUDITOR):
        letter = seal_letter(person, today, (root, content), dossiers, at)
        mail.write(letter, folder=home.settings.mail_dir, sender=home.settings.mail_from)


def _said(night: Night, root: str | None) -> str:
    entries = counted(sum(audit.proof.entries for audit in night.audits), "entrée", "entrées")
    again = counted(night.again, "décision refaite", "décisions refaites")
    left = f", {counted(night.left, 'entrée seulement additionnée', 'entrées seulement additionnées')}" if night.left else ""
    seal = f" Sceau : {root[:16]}…" if root else ""
    return f"{counted(len(night.audits), 'dossier vérifié', 'dossiers vérifiés')}, {entries}, {again}{left}.{seal}"
