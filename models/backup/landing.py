"""A backup put where it can be proved: unpacked, opened, brought to the schema of this jalon, and verified whole."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from sqlalchemy.engine import URL

from models.answers import Invalid
from models.backup.archive import Reading
from models.backup.manifest import LEDGERS, SHA256, Manifest, shown
from models.backup.taking import SEALS, contents_of
from models.backup.witnesses import Chains, chains_of, faults_of, held, read_seal
from models.database.dialect import Dialect
from models.database.faults import Damaged, OtherSchema, Unreachable, raise_in_french
from models.database.snapshots import Landing
from models.database.store import Store, Upgrading
from models.tables import SCHEMA
from models.verify.proof import Verifier

FIRST_SCHEMA = "0006"  # of the first jalon that made backups


class Landed(NamedTuple):
    """A backup that was put somewhere: the database, what does not hold of it, and its chains."""

    landing: Landing
    faults: tuple[str, ...]
    chains: Chains


def assert_known(manifest: Manifest) -> None:
    """Raises OtherSchema when this jalon cannot open such a database."""
    if manifest.schema > SCHEMA:
        raise OtherSchema(
            f"La sauvegarde est d’un schéma plus récent ({manifest.schema}) que ce jalon ({SCHEMA}) : installez la version à jour."
        )
    if manifest.schema < FIRST_SCHEMA:
        raise OtherSchema(f"La sauvegarde est d’un schéma ({manifest.schema}) que jalon n’a jamais sauvegardé.")


def unpack(reading: Reading, folder: Path) -> None:
    """Write every file of a backup below `folder`, for its owner alone. Raises Damaged, and OSError when it cannot be written."""
    for name in reading.manifest.members:
        path = folder / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as file:
            for chunk in reading.chunks(name):
                file.write(chunk)


@contextmanager
def landed(dialect: Dialect, url: URL, manifest: Manifest, folder: Path, *, at: datetime) -> Iterator[Landed]:
    """The database of a backup whose files lie in `folder`, proved; gone again when the block ends, unless it was published.

    Raises Damaged, Occupied, Unreachable.
    """
    try:
        with dialect.landed(url, folder, manifest.schema) as landing:
            store = Store(landing.url, upgrading=Upgrading(at, agreed=True))
            try:
                faults = (*landing.faults, *_faults(store, manifest))
                chains = chains_of(store)
                faults += tuple(_seal_faults(manifest, folder, chains))
            finally:
                store.close()
            _clear(folder, manifest)
            yield Landed(landing, faults, chains)
    except (Damaged, Unreachable, OSError):
        raise
    except Exception as fault:
        raise_in_french(fault, dialect)
        raise


def _clear(folder: Path, manifest: Manifest) -> None:
    """Take away what the home of a ledger does not have: what the database was made of, and the copy that an upgrade has put beside it."""
    for name in manifest.members:
        if LEDGERS[manifest.database].fullmatch(name):
            (folder / name).unlink(missing_ok=True)
    for path in folder.glob("*.schema-*"):
        path.unlink()
    if (folder / "ledger").is_dir():
        (folder / "ledger").rmdir()


def _faults(store: Store, manifest: Manifest) -> Iterator[str]:
    """What does not hold of the ledger itself, of the register, and of the documents that lie beside."""
    with store.transaction(write=False) as cursor:
        found = contents_of(cursor)
    if manifest.schema == SCHEMA and found != manifest.contents:
        yield "Le registre ne contient pas ce que le manifeste de la sauvegarde annonce."
    verifier = Verifier(store)
    for proof in (*verifier.verify_all(), verifier.verify_register()):
        yield from (f"{proof.reference} : {fault}" for fault in proof.faults)
    for name in manifest.within("documents"):
        told = re.match(r"[0-9a-f]{64}(?![0-9a-f])", Path(name).name)
        if told is not None and SHA256.fullmatch(told[0]) and told[0] != manifest.members[name].sha256:
            yield f"Le document {shown(name)} n’est plus celui dont il porte l’empreinte."


def _seal_faults(manifest: Manifest, folder: Path, chains: Chains) -> Iterator[str]:
    for name in manifest.within(SEALS):
        try:
            found = held(read_seal((folder / name).read_bytes()), chains)
        except Invalid:
            yield f"Le sceau {shown(name)} de la sauvegarde ne se lit pas."
            continue
        yield from faults_of(name, found)
