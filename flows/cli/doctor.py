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

from flows.cli.saving import MARK as BACKUP
from flows.cli.screen import DONE, UNEXPECTED, Page
from flows.cli.sealed import on_the_seals
from flows.home import Home
from flows.ports.clock import now
from flows.server.health import on_prefect
from flows.server.symptoms import FAIL, OK, WARN, Symptom
from flows.settings import Settings
from flows.wording import wall_time
from models.database.dialect import Promises
from models.database.faults import OtherSchema, Unreachable
from models.people.codes import FLOOD
from models.tables import SCHEMA
from models.verify.leaves import register_newest
from states.grammar.deadlines import PARIS
from states.values.french import counted, listed
from states.vocabulary import Role

SIGNS = {OK: "✓", WARN: "!", FAIL: "✗"}
GIGABYTE = 10**9
OVERDUE_AFTER = timedelta(minutes=5)
OFFSETS = (timedelta(hours=1), timedelta(hours=2))  # of Paris in January and in July


def examined(configured: Settings) -> Page:
    """The page of all checks; its exit code is 0 when none has failed."""
    checks = [*_on_the_machine(configured), *_on_the_ledger(configured), *on_prefect(configured)]
    failed = sum(symptom.level == FAIL for symptom in checks)
    warned = sum(symptom.level == WARN for symptom in checks)
    lines = [line for symptom in checks for line in _lines(symptom)]
    lines.append(_verdict(failed, warned))
    return Page(lines, {"checks": [symptom._asdict() for symptom in checks]}, UNEXPECTED if failed else DONE)


def _lines(symptom: Symptom) -> list[str]:
    return [f"{SIGNS[symptom.level]} {symptom.name} : {symptom.message}", *([f"    → {symptom.todo}"] if symptom.todo else [])]


def _verdict(failed: int, warned: int) -> str:
    if not failed and not warned:
        return "Tout va bien."
    parts = [counted(failed, "point à corriger", "points à corriger")] * bool(failed)
    parts += [counted(warned, "point à surveiller", "points à surveiller")] * bool(warned)
    return f"{' ; '.join(parts)}."


def _on_the_machine(configured: Settings) -> Iterator[Symptom]:
    versions = f"jalon {version('jalon')}, Python {platform.python_version()}, Prefect {version('prefect')}"
    yield Symptom("Versions", OK, f"{versions}, SQLite {sqlite3.sqlite_version}, schéma {SCHEMA}.")
    offsets = tuple(PARIS.utcoffset(datetime(2026, month, 1, tzinfo=UTC).replace(tzinfo=None)) for month in (1, 7))
    if offsets == OFFSETS:
        yield Symptom("Fuseau", OK, f"Europe/Paris est connu ; il y est {now().astimezone(PARIS):%H:%M}.")
    else:
        yield Symptom("Fuseau", FAIL, "Les données de fuseau de cette machine sont fausses.", "Réinstallez le paquet tzdata.")
    yield _disk(_existing(configured.home))
    yield _mail(configured.mail_dir)
    yield _inbox(configured.inbox)
    yield _modes(configured)


def _existing(path: Path) -> Path:
    """The path, or the nearest folder above it that exists."""
    return next(parent for parent in (path, *path.absolute().parents) if _is_there(parent))


def _is_there(path: Path) -> bool:
    """Whether we can see it; below a folder that we may not enter, we cannot."""
    try:
        return path.exists()
    except OSError:
        return False


def _disk(folder: Path) -> Symptom:
    free = shutil.disk_usage(folder).free
    space = f"{free / GIGABYTE:.1f} Go libres pour {folder}.".replace(".", ",", 1)
    return Symptom("Disque", OK, space) if free >= GIGABYTE else Symptom("Disque", WARN, space, "Libérez de la place : il en faut 1 Go.")


def _mail(folder: Path) -> Symptom:
    if os.access(_existing(folder), os.W_OK | os.X_OK):
        return Symptom("Courrier", OK, f"Les courriers s’écrivent dans {folder}.")
    return Symptom("Courrier", FAIL, f"Le dossier {folder} n’accepte pas d’écriture.", "Corrigez ses droits ou JALON_MAIL_DIR.")


def _inbox(folder: Path) -> Symptom:
    name = "Corbeille d’arrivée"
    if not _is_there(folder):
        return Symptom(name, OK, f"Le dossier {folder} n’existe pas encore : aucune demande nominative n’attend.")
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return Symptom(name, FAIL, f"Le dossier {folder} n’est pas accessible.", "Corrigez ses droits ou JALON_INBOX.")
    if stat.S_IMODE(folder.stat().st_mode) & stat.S_IRWXO:
        return Symptom(name, WARN, f"Le dossier {folder} est ouvert à tous ; il reçoit des noms.", f"Lancez : chmod o-rwx {folder}")
    return Symptom(name, OK, f"Le dossier {folder} n’est ouvert qu’à ceux qui en ont besoin.")


def _modes(configured: Settings) -> Symptom:
    """The home, and what in it makes somebody act, are for their owner only."""
    home = configured.home
    private = (home, home / "jalon.db", home / "prefect", home / "desk.json", configured.codes_key, configured.mail_dir)
    seen = [path for path in private if _is_there(path) and stat.S_IMODE(path.stat().st_mode) & stat.S_IRWXO]
    if not seen:
        return Symptom("Droits", OK, "Rien de ce qui fait agir n’est ouvert à d’autres comptes.")
    paths = listed([str(path) for path in seen])
    return Symptom("Droits", WARN, f"D’autres comptes peuvent ouvrir {paths}.", f"Lancez : chmod -R go-rwx {' '.join(map(str, seen))}")


def _on_the_ledger(configured: Settings) -> Iterator[Symptom]:
    try:
        home = Home(configured, upgrade=False)  # it changes nothing
        promises = _promises(home)
    except OtherSchema as fault:
        yield Symptom("Base", FAIL, str(fault), "")
        return
    except Unreachable as fault:
        yield Symptom("Base", FAIL, str(fault), "La première fois : jalon people first, puis jalon up.")
        return
    yield Symptom("Base", OK, promises.settings)
    if promises.faults:
        yield Symptom("Intégrité", FAIL, f"Le fichier est abîmé : {promises.faults[0]}.", "Restaurez une sauvegarde.")
        return
    try:
        yield from _on_the_dossiers(home)
    except Unreachable as fault:
        yield Symptom("Dossiers", FAIL, str(fault), "Voyez la base.")


def _promises(home: Home) -> Promises:
    with home.store.transaction(write=False) as cursor:
        return home.store.dialect.promises(cursor)


def _on_the_dossiers(home: Home) -> Iterator[Symptom]:
    auditor = home.auditor()
    newest, entries, many, broken = "", 0, 0, []
    for audit in auditor.all():
        newest = newest if audit.proof.faults else max(newest, audit.proof.newest)
        entries, many = entries + audit.proof.entries, many + 1
        broken += [audit.proof.reference] if audit.faults else []
    if broken:
        yield Symptom(
            "Dossiers", FAIL, f"Le journal ne tient pas pour {listed(broken)}.", "Lancez : jalon verify, et prévenez l’exploitant."
        )
    else:
        yield Symptom("Dossiers", OK, f"{counted(many, 'dossier vérifié', 'dossiers vérifiés')}, {counted(entries, 'entrée', 'entrées')}.")
    with home.store.transaction(write=False) as cursor:
        known = {"la dernière entrée d’un journal": newest, "le registre des personnes": register_newest(home.store, cursor)}
    yield from on_the_seals(home, auditor, known, now())
    if many:
        yield _backup(home)
    yield from _on_the_people(home)


def _on_the_people(home: Home) -> Iterator[Symptom]:
    """Whether codes can be judged at all, who is missing, who is blocked, and the letters that reach nobody."""
    try:
        home.register.assert_opens()
    except Unreachable as locked:
        yield Symptom("Clé des codes", FAIL, str(locked), "Personne ne peut prouver qui il est : remettez la clé depuis sa copie.")
    if not home.register.holding(Role.OPERATOR):
        sentence = "Personne n’a le rôle d’exploitant (operator) : les alertes ne partent à personne."
        yield Symptom("Exploitants", WARN, sentence, "Lancez : jalon people change NOM --role operator --as EXPLOITANT")
    mistaken = [name for name, _ in home.register.mistaken(FLOOD)]
    if mistaken:
        sentence = f"Beaucoup de codes faux à la suite pour {listed(mistaken)} : quelqu’un essaie peut-être d’agir à sa place."
        yield Symptom("Codes", WARN, sentence, "Prévenez la personne ; si son téléphone est perdu : jalon people invite NOM")
    dead, waiting = home.outbox.dead(), home.outbox.waiting()
    sentence = counted(waiting, "envoi attend", "envois attendent")
    if dead:
        given_up, ((reference, key, fault), *_) = counted(dead, "envoi abandonné", "envois abandonnés"), home.outbox.given_up()
        yield Symptom("Boîte d’envoi", WARN, f"{given_up}, {sentence}.", f"Par exemple {key} ({reference}) : {fault}")
    elif late := home.outbox.overdue(now() - OVERDUE_AFTER):
        sentence = f"{counted(late, 'envoi attend', 'envois attendent')} depuis plus de cinq minutes."
        yield Symptom("Boîte d’envoi", WARN, sentence, "Lancez : jalon deliver, ou jalon up")
    else:
        yield Symptom("Boîte d’envoi", OK, f"Aucun envoi abandonné, {sentence}.")


def _backup(home: Home) -> Symptom:
    """A ledger that was never saved is given as many days as one whose backup grows old."""
    last = home.marks.last(BACKUP)
    since = last.done_at if last is not None else _first_recorded(home)
    days = (now() - datetime.fromisoformat(since)).days if since else 0
    told = "Aucune n’a encore été faite." if last is None else f"La dernière est du {wall_time(last.done_at)} ({last.message})."
    if days <= home.settings.backup_days:
        return Symptom("Sauvegarde", OK, told)
    todo = "Lancez : jalon backup -o FICHIER, et rangez le fichier ailleurs que sur cette machine."
    return Symptom("Sauvegarde", WARN, f"{told} Cela fait {counted(days, 'jour', 'jours')}.", todo)


def _first_recorded(home: Home) -> str | None:
    """When the first entry of all journals was written."""
    with home.store.transaction(write=False) as cursor:
        cursor.execute("SELECT entry FROM journal WHERE id = (SELECT min(id) FROM journal)")
        row = cursor.fetchone()
    return None if row is None else str(json.loads(row[0])["recorded_at"])
