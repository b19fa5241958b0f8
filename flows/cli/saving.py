"""What `jalon backup` does and says: one file, in its place whole or not at all, for its owner alone."""

from __future__ import annotations

import os
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

from flows.cli.screen import Page
from flows.home import Home
from flows.ports.clock import now
from flows.ports.workplaces import assert_room, beside, keep, megabytes
from flows.settings import Settings
from flows.wording import wall_time
from models.answers import Invalid
from models.backup.manifest import Contents, Manifest
from models.backup.taking import SEALS, Folder, Taken, files, take
from models.database.faults import Unreachable
from states.values.french import counted, unreadable

MARK = "backup"  # under which the ledger remembers its last backup
PERSONAL = "Les noms des stagiaires et les adresses y sont en clair : gardez-la comme le registre lui-même, ou chiffrez-la."


def folders(configured: Settings) -> tuple[Folder, ...]:
    """What a backup takes besides the ledger."""
    return (
        Folder(SEALS, configured.home / "seals"),
        Folder("mail", configured.mail_dir),
        Folder("documents", configured.home / "documents"),
    )


def saved(configured: Settings, output: str) -> Page:
    """Take a backup. Raises Invalid, Unreachable."""
    path = Path(output).absolute()
    if path.exists() or path.is_symlink():
        raise Invalid(f"Le fichier {path} existe déjà : une sauvegarde n’en remplace jamais une autre.")
    if not path.parent.is_dir():
        raise Invalid(f"Le dossier {path.parent} n’existe pas.")
    _assert_key_apart(configured)
    home = Home(configured, upgrade=False)  # what is saved is what is there
    try:
        taken = _taken(home, path)
        size = path.stat().st_size
    except OSError as fault:
        raise Unreachable(f"La sauvegarde ne peut pas être écrite dans {path.parent} ({unreadable(fault)}) : rien n’y reste.") from fault
    return _page(path, size, taken, _marked(home, taken), configured.codes_key)


def _assert_key_apart(configured: Settings) -> None:
    """Raises Invalid when the key of the codes lies in a folder that a backup takes."""
    key = configured.codes_key.resolve()
    for folder in folders(configured):
        if key.is_relative_to(folder.path.resolve()):
            raise Invalid(f"La clé des codes est dans {folder.path}, qu’une sauvegarde prend : mettez-la ailleurs (JALON_CODES_KEY).")


def _taken(home: Home, path: Path) -> Taken:
    taken_folders = folders(home.settings)
    _assert_room(home, path.parent, taken_folders)
    with beside(path) as work:
        part = work / "whole"
        with os.fdopen(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b") as file:
            taken = take(home.store, taken_folders, file, work, at=now(), jalon=version("jalon"))
            file.flush()
            os.fsync(file.fileno())
        _put(part, path)
    keep(path.parent)
    return taken


def _put(part: Path, path: Path) -> None:
    """Give the finished file its name, unless somebody else has taken it meanwhile."""
    try:
        path.hardlink_to(part)
    except FileExistsError:
        raise Invalid(f"Le fichier {path} existe déjà : une sauvegarde n’en remplace jamais une autre.") from None
    except OSError:  # a disk without links, as that of most USB keys
        if path.exists():
            raise
        part.rename(path)


def _assert_room(home: Home, folder: Path, taken: tuple[Folder, ...]) -> None:
    """Room for all of it as it lies: packed it takes less, but a snapshot may lie beside it meanwhile."""
    with home.store.transaction(write=False) as cursor:
        wanted = home.store.dialect.weight(cursor)
    wanted += sum(path.stat().st_size for one in taken for _, path in files(one))
    assert_room(folder, wanted)


def _marked(home: Home, taken: Taken) -> list[str]:
    """Remember the backup in the ledger; what to say when that cannot be done."""
    message = f"{held(taken.manifest.contents)} ; empreinte {taken.digest[:16]}…"
    with suppress(Unreachable):
        home.marks.set(MARK, message, now=now())
        return []
    return ["  La base n’a pas pu noter cette sauvegarde : « jalon doctor » croira la précédente la dernière."]


def held(contents: Contents) -> str:
    """« 3 dossiers, 41 entrées du journal »."""
    dossiers = counted(contents.dossiers, "dossier", "dossiers")
    return f"{dossiers}, {counted(contents.entries, 'entrée du journal', 'entrées du journal')}"


def described(manifest: Manifest) -> list[str]:
    """What a backup holds, in two lines."""
    until = f", jusqu’au {wall_time(manifest.contents.until)}" if manifest.contents.until else ""
    people = counted(manifest.contents.register_entries, "entrée du registre des personnes", "entrées du registre des personnes")
    beside_it = (
        counted(len(manifest.within("seals")), "sceau", "sceaux"),
        counted(len(manifest.within("mail")), "courrier", "courriers"),
        counted(len(manifest.within("documents")), "document", "documents"),
    )
    return [f"  {held(manifest.contents)}{until} ; {people}.", f"  {', '.join(beside_it)}."]


def as_json(manifest: Manifest, digest: str) -> dict[str, object]:
    """What a program reads of a backup."""
    fields = manifest._asdict() | {"contents": manifest.contents._asdict(), "members": len(manifest.members)}
    return {**fields, "digest": digest}


def _page(path: Path, size: int, taken: Taken, notes: list[str], key: Path) -> Page:
    lines = [
        f"La sauvegarde est faite : {path} ({megabytes(size)}).",
        *described(taken.manifest),
        f"  Gardez ailleurs cette empreinte, elle dira que rien n’y a changé : {taken.digest}",
        f"  {PERSONAL}",
        f"  La clé des codes ({key}) n’y est pas, ni les invitations : gardez la clé à part, jamais avec la sauvegarde.",
        *notes,
    ]
    return Page(lines, {"backup": {"file": str(path), "size": size, **as_json(taken.manifest, taken.digest)}})
