"""The file of a backup: a ZIP that ends with its manifest. What is read from it is what was written, or Damaged says which part is not."""

from __future__ import annotations

import hashlib
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple

from models.answers import Invalid
from models.backup.manifest import LARGEST, MANIFEST, Manifest, Member, read, shown, written
from models.database.faults import Damaged, Unreachable
from states.values.french import unreadable

CHUNK = 1024 * 1024
BEGINS = b"PK\x03\x04"
REGULAR = 0o100600  # a file of its owner alone, in the upper half of what a ZIP says of a member
WRITTEN = (1980, 1, 1, 0, 0, 0)  # the first day that a ZIP can say; the manifest says when
# What zipfile raises for a file that is not as it should be: its documentation names the first; flipping each byte of a real backup
# (tests/backup/test_damage.py) met the others, as for an unknown compression, a password, a length that leads out of the file.
ODD_ZIP = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, struct.error, OverflowError, IndexError)


class Writing:
    """A backup while it is written."""

    def __init__(self, file: IO[bytes]) -> None:
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED)
        self.members: dict[str, Member] = {}

    def add(self, name: str, chunks: Iterable[bytes]) -> None:
        """Add one file, however big: it is never whole in memory."""
        size, sha256 = 0, hashlib.sha256()
        with self._zip.open(_member(name), "w", force_zip64=True) as member:
            for chunk in chunks:
                size += len(chunk)
                sha256.update(chunk)
                member.write(chunk)
        self.members[name] = Member(size, sha256.hexdigest())

    def abandon(self) -> None:
        """Write nothing more: without this, a ZIP that is forgotten would still write its end, and look whole."""
        self._zip.fp = None

    def finish(self, manifest: Manifest) -> str:
        """Write the manifest, after all else; its sha256."""
        content = written(manifest)
        if len(content) > LARGEST:
            raise Unreachable("Les fichiers sont trop nombreux pour une sauvegarde : rangez ailleurs les courriers des années passées.")
        self._zip.writestr(_member(MANIFEST), content, zipfile.ZIP_DEFLATED)
        self._zip.close()
        return hashlib.sha256(content).hexdigest()


def _member(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, WRITTEN)
    info.compress_type, info.create_system, info.external_attr = zipfile.ZIP_DEFLATED, 3, REGULAR << 16
    return info


class Reading(NamedTuple):
    """A backup of which the manifest is read, and whose list of files is the manifest's."""

    manifest: Manifest
    digest: str  # the sha256 of the manifest
    archive: zipfile.ZipFile

    def chunks(self, name: str) -> Iterator[bytes]:
        """The content of a file, compared with the manifest as it goes. Raises Damaged, after the last chunk at the latest."""
        promised, sha256, left = self.manifest.members[name], hashlib.sha256(), self.manifest.members[name].size
        for chunk in _unpacked(self.archive, name):
            left -= len(chunk)
            if left < 0:
                break
            sha256.update(chunk)
            yield chunk
        if left != 0 or sha256.hexdigest() != promised.sha256:
            raise _changed(name)


@contextmanager
def opened(path: Path) -> Iterator[Reading]:
    """Open a backup. Raises Invalid when it is none, Damaged when it is not whole, Unreachable when the disk does not give it."""
    try:
        file = path.open("rb")
    except OSError as fault:
        raise Invalid(f"La sauvegarde {path} ne se lit pas ({unreadable(fault)}).") from fault
    with file:
        archive = _archive(path, file)
        infos = _listed(archive)
        if MANIFEST not in infos:
            raise Damaged(f"La sauvegarde est abîmée : {MANIFEST} y manque.")
        if infos[MANIFEST].file_size > LARGEST:
            raise Damaged(f"La sauvegarde est abîmée : {MANIFEST} est trop grand.")
        content = b"".join(_unpacked(archive, MANIFEST))
        manifest = read(content)
        _compare(infos, manifest)
        yield Reading(manifest, hashlib.sha256(content).hexdigest(), archive)


def _archive(path: Path, file: IO[bytes]) -> zipfile.ZipFile:
    try:
        begins = file.read(len(BEGINS))
        if begins != BEGINS[: len(begins)]:
            raise Invalid(f"Le fichier {path} n’est pas une sauvegarde de jalon.")
        return zipfile.ZipFile(file)
    except OSError as fault:
        raise Unreachable(f"La sauvegarde {path} ne se lit pas ({unreadable(fault)}).") from fault
    except ODD_ZIP:
        raise Damaged(f"La sauvegarde {path} est coupée ou abîmée : sa fin n’y est pas.") from None


def _listed(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """What a ZIP lists, by name. Raises Damaged for what jalon never writes."""
    infos: dict[str, zipfile.ZipInfo] = {}
    for info in archive.infolist():
        if info.orig_filename in infos:
            raise Damaged(f"La sauvegarde est abîmée : {shown(info.orig_filename)} y est deux fois.")
        ours = (info.compress_type, info.external_attr, info.flag_bits & 1) == (zipfile.ZIP_DEFLATED, REGULAR << 16, 0)
        if not ours or info.orig_filename != info.filename or info.header_offset < 0:
            raise Damaged(f"La sauvegarde contient ce que jalon n’écrit jamais : {shown(info.orig_filename)} n’est pas un simple fichier.")
        infos[info.orig_filename] = info
    return infos


def _compare(infos: dict[str, zipfile.ZipInfo], manifest: Manifest) -> None:
    """Raises Damaged unless a ZIP lists the files of its manifest, of the sizes that it says."""
    for name in sorted(infos.keys() - manifest.members.keys() - {MANIFEST}):
        raise Damaged(f"La sauvegarde contient un fichier que {MANIFEST} ne connaît pas : {shown(name)}.")
    for name in sorted(manifest.members):
        if name not in infos:
            raise Damaged(f"La sauvegarde n’est pas entière : {shown(name)} y manque.")
        if infos[name].file_size != manifest.members[name].size:
            raise _changed(name)


def _unpacked(archive: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    try:
        with archive.open(name) as member:
            while chunk := member.read(CHUNK):
                yield chunk
    except OSError as fault:
        raise Unreachable(f"La sauvegarde ne se lit pas ({unreadable(fault)}).") from fault
    except ODD_ZIP:
        raise _changed(name) from None


def _changed(name: str) -> Damaged:
    return Damaged(f"La sauvegarde est abîmée : {shown(name)} n’est plus le fichier que {MANIFEST} décrit.")
