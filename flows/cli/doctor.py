"""`jalon doctor`: looks at everything that jalon stands on and says, one line each, what holds and what to do about the rest.

It changes nothing, and works when there is no server, no database or neither.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import sqlite3
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path

from flows.cli.screen import DONE, UNEXPECTED, Page
from flows.home import Home
from flows.ports.clock import now
from flows.server.health import on_prefect
from flows.server.symptoms import FAIL, OK, WARN, Check
from flows.settings import Settings
from flows.wording import wall_time
from models.database.dialect import Promises
from models.database.faults import OtherSchema, Unreachable
from models.tables import SCHEMA
from states.grammar.deadlines import PARIS
from states.values.french import counted, listed
from states.vocabulary import Role

SIGNS = {OK: "✓", WARN: "!", FAIL: "✗"}
GIGABYTE = 10**9
OVERDUE_AFTER = timedelta(minutes=5)
OFFSETS = (timedelta(hours=1), timedelta(hours=2))  # of Paris in January and in July


def examined(kept: Settings) -> Page:
    """The page of all checks; its exit code is 0 when none has failed."""
    checks = [*_on_the_machine(kept), *_on_the_ledger(kept), *on_prefect(kept)]
    failed = sum(one.level == FAIL for one in checks)
    warned = sum(one.level == WARN for one in checks)
    lines = [line for one in checks for line in _lines(one)]
    lines.append(_verdict(failed, warned))
    return Page(lines, {"checks": [one._asdict() for one in checks]}, UNEXPECTED if failed else DONE)


def _lines(one: Check) -> list[str]:
    return [f"{SIGNS[one.level]} {one.name} : {one.message}", *([f"    → {one.todo}"] if one.todo else [])]


def _verdict(failed: int, warned: int) -> str:
    if not failed and not warned:
        return "Tout va bien."
    told = [counted(failed, "point à corriger", "points à corriger")] * bool(failed)
    told += [counted(warned, "point à surveiller", "points à surveiller")] * bool(warned)
    return f"{' ; '.join(told)}."


def _on_the_machine(kept: Settings) -> Iterator[Check]:
    told = f"jalon {version('jalon')}, Python {platform.python_version()}, Prefect {version('prefect')}"
    yield Check("Versions", OK, f"{told}, SQLite {sqlite3.sqlite_version}, schéma {SCHEMA}.")
    offsets = tuple(PARIS.utcoffset(datetime(2026, month, 1, tzinfo=UTC).replace(tzinfo=None)) for month in (1, 7))
    if offsets == OFFSETS:
        yield Check("Fuseau", OK, f"Europe/Paris est connu ; il y est {now().astimezone(PARIS):%H:%M}.")
    else:
        yield Check("Fuseau", FAIL, "Les données de fuseau de cette machine sont fausses.", "Réinstallez le paquet tzdata.")
    yield _disk(_existing(kept.home))
    yield _mail(kept.mail_dir)
    yield _inbox(kept.inbox)


def _existing(path: Path) -> Path:
    """The path, or the nearest folder above it that exists."""
    return next(one for one in (path, *path.absolute().parents) if _is_there(one))


def _is_there(path: Path) -> bool:
    """Whether we can see it; below a folder that we may not enter, we cannot."""
    try:
        return path.exists()
    except OSError:
        return False


def _disk(folder: Path) -> Check:
    free = shutil.disk_usage(folder).free
    told = f"{free / GIGABYTE:.1f} Go libres pour {folder}.".replace(".", ",", 1)
    return Check("Disque", OK, told) if free >= GIGABYTE else Check("Disque", WARN, told, "Libérez de la place : il en faut 1 Go.")


def _mail(folder: Path) -> Check:
    if os.access(_existing(folder), os.W_OK | os.X_OK):
        return Check("Courrier", OK, f"Les courriers s’écrivent dans {folder}.")
    return Check("Courrier", FAIL, f"Le dossier {folder} n’accepte pas d’écriture.", "Corrigez ses droits ou JALON_MAIL_DIR.")


def _inbox(folder: Path) -> Check:
    name = "Corbeille d’arrivée"
    if not _is_there(folder):
        return Check(name, OK, f"Le dossier {folder} n’existe pas encore : aucune demande nominative n’attend.")
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return Check(name, FAIL, f"Le dossier {folder} n’est pas accessible.", "Corrigez ses droits ou JALON_INBOX.")
    if stat.S_IMODE(folder.stat().st_mode) & stat.S_IRWXO:
        return Check(name, WARN, f"Le dossier {folder} est ouvert à tous ; il reçoit des noms.", f"Lancez : chmod o-rwx {folder}")
    return Check(name, OK, f"Le dossier {folder} n’est ouvert qu’à ceux qui en ont besoin.")


def _on_the_ledger(kept: Settings) -> Iterator[Check]:
    try:
        home = Home(kept, upgrade=False)  # it changes nothing
        promises = _promises(home)
    except OtherSchema as fault:
        yield Check("Base", FAIL, str(fault), "")
        return
    except Unreachable as fault:
        yield Check("Base", FAIL, str(fault), "La première fois : jalon people add, puis jalon up.")
        return
    yield Check("Base", OK, promises.settings)
    if promises.faults:
        yield Check("Intégrité", FAIL, f"Le fichier est abîmé : {promises.faults[0]}.", "Restaurez une sauvegarde.")
        return
    try:
        yield from _on_the_dossiers(home)
    except Unreachable as fault:
        yield Check("Dossiers", FAIL, str(fault), "Voyez la base.")


def _promises(home: Home) -> Promises:
    with home.store.transaction(write=False) as cursor:
        return home.store.dialect.promises(cursor)


def _on_the_dossiers(home: Home) -> Iterator[Check]:
    verified = home.verifier.verify_all()
    broken = [one.reference for one in verified if one.faults]
    if broken:
        yield Check("Dossiers", FAIL, f"Le journal ne tient pas pour {listed(broken)}.", "Lancez : jalon verify, et prévenez l’exploitant.")
    else:
        entries = counted(sum(one.entries for one in verified), "entrée", "entrées")
        yield Check("Dossiers", OK, f"{counted(len(verified), 'dossier vérifié', 'dossiers vérifiés')}, {entries}.")
        yield _clock(home)
    if not home.register.holding(Role.OPERATOR):
        told = "Personne n’a le rôle d’exploitant (operator) : les alertes ne partent à personne."
        yield Check("Exploitants", WARN, told, "Lancez : jalon people add NOM --role operator --mail ADRESSE")
    blocked = home.register.blocked()
    if blocked:
        told = f"Trop de codes faux pour {listed(blocked)} : aucun autre code ne sera accepté."
        yield Check("Codes", WARN, told, "Devant la personne, lancez : jalon people enrol NOM")
    dead, waiting = home.outbox.dead(), home.outbox.waiting()
    told = counted(waiting, "envoi attend", "envois attendent")
    if dead:
        given_up, ((reference, key, fault), *_) = counted(dead, "envoi abandonné", "envois abandonnés"), home.outbox.given_up()
        yield Check("Boîte d’envoi", WARN, f"{given_up}, {told}.", f"Par exemple {key} ({reference}) : {fault}")
    elif late := home.outbox.overdue(now() - OVERDUE_AFTER):
        told = f"{counted(late, 'envoi attend', 'envois attendent')} depuis plus de cinq minutes."
        yield Check("Boîte d’envoi", WARN, told, "Lancez : jalon deliver, ou jalon up")
    else:
        yield Check("Boîte d’envoi", OK, f"Aucun envoi abandonné, {told}.")


def _clock(home: Home) -> Check:
    with home.store.transaction(write=False) as cursor:
        cursor.execute("SELECT entry FROM journal WHERE id = (SELECT max(id) FROM journal)")
        row = cursor.fetchone()
    if row is None:
        return Check("Horloge", OK, f"{now().astimezone(PARIS):%d/%m/%Y %H:%M} ; le journal est vide.")
    newest: str = json.loads(row[0])["recorded_at"]
    if datetime.fromisoformat(newest) > now():
        return Check("Horloge", FAIL, f"Elle retarde sur le journal ({wall_time(newest)}).", "Remettez la machine à l’heure avant d’agir.")
    return Check("Horloge", OK, f"Elle suit la dernière entrée du journal ({wall_time(newest)}).")
