"""What `jalon restore` does and says: nothing is in its place before all of it is proved, and what is newer than it is told."""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import NamedTuple

from sqlalchemy.engine import URL

from flows.cli.saving import PERSONAL, as_json, described
from flows.cli.screen import DONE, REFUSED, Page
from flows.ports.clock import now
from flows.ports.workplaces import assert_room, beside, keep
from flows.settings import Settings
from flows.wording import wall_time
from models.answers import Invalid
from models.backup.archive import Reading, opened
from models.backup.landing import Landed, assert_known, landed, unpack
from models.backup.manifest import Manifest
from models.backup.witnesses import Held, Seal, held, read_seal
from models.database.dialect import Dialect
from models.database.faults import Damaged, Occupied, Unreachable
from models.database.known import known
from states.values.french import counted, day, unreadable

NAMED_AT_MOST = 5
FAULTS_AT_MOST = 20
LARGEST_SEAL = 256 * 1024 * 1024
STOPPED = "Rien n’a été restauré."


class Wanted(NamedTuple):
    """What was asked: the backup, the folder, files of seals, the digest that was promised, whether to go on despite faults."""

    file: str
    into: str
    seals: tuple[str, ...]
    digest: str | None
    despite: bool


class Witness(NamedTuple):
    """A seal from outside the backup; `given`: somebody has named it, so that it must be of the same ledger."""

    name: str
    seal: Seal
    given: bool


def restored(configured: Settings, wanted: Wanted) -> Page:
    """Restore a backup. Raises Invalid, Unreachable."""
    into = Path(wanted.into).absolute()
    _assert_free(into)
    witnesses = [_witness(Path(path)) for path in wanted.seals]
    try:
        with opened(Path(wanted.file)) as reading:
            _assert_promised(wanted, reading)
            return _restored(configured, wanted, reading, into, [*witnesses, *_later(configured.home / "seals", into, reading.manifest)])
    except Damaged as fault:
        return refused([str(fault)])
    except Occupied as fault:
        raise Invalid(str(fault)) from fault
    except OSError as fault:
        raise Unreachable(f"La restauration ne peut pas s’écrire à côté de {into} ({unreadable(fault)}). {STOPPED}") from fault


def _restored(configured: Settings, wanted: Wanted, reading: Reading, into: Path, witnesses: list[Witness]) -> Page:
    manifest = reading.manifest
    assert_known(manifest)
    url, dialect = _place(configured, manifest)
    dialect.assert_empty(url)
    with beside(into) as work:
        whole = work / "whole"
        whole.mkdir(mode=0o700)
        assert_room(work, manifest.size)
        unpack(reading, whole)
        with landed(dialect, url, manifest, whole, at=now()) as found:
            told = [(witness, held(witness.seal, found.chains)) for witness in witnesses]
            faults = [*found.faults, *(fault for witness, one in told for fault in _against(witness, one))]
            if faults and not wanted.despite:
                return refused(faults)
            _put(found, whole, into)
    return _page(configured, reading, into, faults, told)


def _assert_promised(wanted: Wanted, reading: Reading) -> None:
    if wanted.digest is not None and wanted.digest.strip().lower() != reading.digest:
        raise Damaged(f"L’empreinte de la sauvegarde est {reading.digest} : ce n’est pas celle que vous donnez.")


def _assert_free(into: Path) -> None:
    """Raises Invalid unless a folder is empty, or could be made."""
    try:
        if into.is_symlink() or (into.exists() and not into.is_dir()):
            raise Invalid(f"{into} n’est pas un dossier.")
        if into.exists() and any(into.iterdir()):
            raise Invalid(f"Le dossier {into} n’est pas vide : une restauration va dans un dossier vide ou nouveau.")
        if not into.parent.is_dir():
            raise Invalid(f"Le dossier {into.parent} n’existe pas.")
    except OSError as fault:
        raise Unreachable(f"Le dossier {into} ne se lit pas ({unreadable(fault)}).") from fault


def _place(configured: Settings, manifest: Manifest) -> tuple[URL, Dialect]:
    """Where the database goes, and what speaks to it. Raises Invalid when the setting is not a database of the same kind."""
    if manifest.database == "sqlite":
        return known("sqlite:///jalon.db")  # in the folder of the restore, wherever that lies
    url, dialect = known(configured.database_url)
    if url.get_backend_name() != manifest.database:
        raise Invalid(
            "Cette sauvegarde est celle d’une base PostgreSQL : donnez dans JALON_DATABASE_URL l’adresse d’une base PostgreSQL vide."
        )
    return url, dialect


def _put(found: Landed, whole: Path, into: Path) -> None:
    """Put the folder into its place, then let the database be found: until then, whoever comes finds an empty one."""
    os.sync()  # every file, however many letters there are
    whole.rename(into)
    try:
        found.landing.publish()
    except BaseException:
        with suppress(OSError):
            into.rename(whole)
        raise
    keep(into.parent)


def _witness(path: Path) -> Witness:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_SEAL)
    except OSError as fault:
        raise Invalid(f"Le sceau {path} ne se lit pas ({unreadable(fault)}).") from fault
    try:
        return Witness(path.name, read_seal(content), given=True)
    except Invalid:
        raise Invalid(f"Le fichier {path} n’est pas un sceau de jalon.") from None


def _later(folder: Path, into: Path, manifest: Manifest) -> list[Witness]:
    """The seals that the present home has from later nights, as far as they can be read: nobody has asked for them."""
    found = []
    if folder.is_dir() and folder.parent != into:
        for path in sorted(folder.glob("*.json")):
            if path.name > manifest.seal:
                with suppress(Invalid):
                    found.append(_witness(path)._replace(given=False))
    return found


def _against(witness: Witness, found: Held) -> list[str]:
    """What a seal says against the backup, as French sentences; that of another ledger counts only when somebody has given it."""
    if found.of_another:
        return [
            f"Le sceau {witness.name} est celui d’un autre registre : rien de ce qu’il scelle n’est dans cette sauvegarde."
        ] * witness.given
    if not found.against:
        return []
    return [f"Le sceau {witness.name} contredit la sauvegarde : l’histoire y est autre pour {_named(found.against)}."]


def _newer(manifest: Manifest, told: list[tuple[Witness, Held]]) -> list[str]:
    """What the latest night knows and the backup does not."""
    lines: list[str] = []
    others = [witness.name for witness, found in told if found.of_another and not witness.given]
    if others:
        lines.append(f"  Laissés de côté, car d’un autre registre : {_named(others)}.")
    ahead = _ahead(told)
    if ahead:
        latest = max(ahead, key=lambda found: found.day)
        lines.append(
            f"  Cette sauvegarde s’arrête au {wall_time(manifest.contents.until or manifest.taken_at)} ; le sceau du {_day(latest.day)} "
            f"connaît {_more(latest)} de plus : {_named(sorted(latest.newer))}."
        )
        lines.append("  Cherchez une sauvegarde plus récente, ou refaites ces étapes.")
        if not any(found.agrees for _, found in told):
            lines.append("  Aucun sceau ne prouve que c’est le même registre : tous en savent plus que la sauvegarde.")
    return lines


def _ahead(told: list[tuple[Witness, Held]]) -> list[Held]:
    """The seals of the same ledger that know more than the backup."""
    return [found for _, found in told if found.newer and not found.of_another]


def _more(found: Held) -> str:
    """« 1 dossier et 3 entrées »."""
    entries = sum(many for name, many in found.newer.items() if name not in found.unknown)
    dossiers = [counted(len(found.unknown), "dossier", "dossiers")] * bool(found.unknown)
    return " et ".join([*dossiers, *([counted(entries, "entrée", "entrées")] * bool(entries))])


def _day(text: str) -> str:
    try:
        return day(date.fromisoformat(text))
    except ValueError:
        return text


def _named(names: list[str] | tuple[str, ...]) -> str:
    more = f" et {len(names) - NAMED_AT_MOST} autres" if len(names) > NAMED_AT_MOST else ""
    return f"{', '.join(names[:NAMED_AT_MOST])}{more}"


def refused(faults: list[str]) -> Page:
    """The page of a backup that is not put into place."""
    more = len(faults) - FAULTS_AT_MOST
    lines = [STOPPED, *(f"  - {fault}" for fault in faults[:FAULTS_AT_MOST])]
    lines += [f"  et {counted(more, 'autre', 'autres')}"] if more > 0 else []
    return Page(lines, {"refused": {"faults": faults}}, REFUSED)


def _page(configured: Settings, reading: Reading, into: Path, faults: list[str], told: list[tuple[Witness, Held]]) -> Page:
    manifest = reading.manifest
    proved = "mais des preuves ne tiennent pas" if faults else "tout a été vérifié : chaque fichier, chaque chaîne, chaque sceau"
    agreeing = [witness.name for witness, found in told if found.agrees and not found.against]
    agreed = counted(len(agreeing), "sceau gardé ailleurs s’accorde", "sceaux gardés ailleurs s’accordent")
    lines = [
        f"La sauvegarde du {wall_time(manifest.taken_at)} est restaurée dans {into} ; {proved}.",
        *(f"  - {fault}" for fault in faults[:FAULTS_AT_MOST]),
        *described(manifest),
        f"  Empreinte : {reading.digest}",
        *[f"  {agreed} avec elle."] * bool(agreeing),
        *_newer(manifest, told),
        *_next(configured, manifest, into),
    ]
    newer = [{"day": found.day, "newer": dict(found.newer)} for found in _ahead(told)]
    fields = {"into": str(into), **as_json(manifest, reading.digest), "faults": faults, "agreeing": agreeing, "newer": newer}
    return Page(lines, {"restored": fields}, REFUSED if faults else DONE)


def _next(configured: Settings, manifest: Manifest, into: Path) -> list[str]:
    """What is left to do for whoever wants to go on with it."""
    elsewhere = manifest.database == "sqlite" and known(configured.database_url)[0].get_backend_name() != "sqlite"
    return [
        f"  Pour vous en servir : export JALON_HOME={into}",
        *["  Et retirez JALON_DATABASE_URL : la base est dans ce dossier."] * elsewhere,
        f"  Remettez la clé des codes dans {into / 'codes.key'} (chmod 600) : elle n’est dans aucune sauvegarde.",
        "  Sans elle, personne ne peut prouver qui il est : gardez-en une copie, loin des sauvegardes.",
        "  Relisez jalon people list : qui a été suspendu, ou a perdu un rôle depuis cette sauvegarde, l’a retrouvé.",
        f"  {PERSONAL}",
    ]
