"""The key of the secrets of one-time codes: a file of its own, outside every database and every backup."""

from __future__ import annotations

import base64
import os
import stat
from functools import cached_property
from pathlib import Path

from models.database.faults import Unreachable
from models.people.vault import KEY_BYTES, KeyedVault
from states.values.french import unreadable

CREDENTIAL = "jalon-codes-key"  # its name among the credentials of a systemd unit


def key_path(configured: Path | None, home: Path) -> Path:
    """Where the key is: the setting, a credential that systemd gives, or a file in the home."""
    given = os.environ.get("CREDENTIALS_DIRECTORY")
    if configured is not None:
        return configured
    return Path(given) / CREDENTIAL if given and (Path(given) / CREDENTIAL).exists() else home / "codes.key"


class FileVault:
    """A vault whose key is in a file, read when it is first needed and made when a first secret is sealed."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def seal(self, folded: str, secret: str) -> str:
        """See `Vault`. Raises Unreachable."""
        if not self.path.exists():
            _made(self.path)
        return self._vault.seal(folded, secret)

    def open(self, folded: str, sealed: str) -> str:
        """See `Vault`. Raises Unreachable."""
        return self._vault.open(folded, sealed)

    @cached_property
    def _vault(self) -> KeyedVault:
        return KeyedVault(_read(self.path))


def _made(path: Path) -> None:
    """A new key, for its owner only; who comes second keeps the key of who came first."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as file:
            file.write(base64.b64encode(os.urandom(KEY_BYTES)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        return
    except OSError as fault:
        raise Unreachable(f"La clé des codes ne peut pas être écrite dans {path} ({unreadable(fault)}).") from fault


def _read(path: Path) -> bytes:
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            content = file.read(1000)
    except OSError as fault:
        raise Unreachable(f"La clé des codes ne se lit pas dans {path} ({unreadable(fault)}) : remettez-la depuis sa copie.") from fault
    if stat.S_IMODE(mode) & (stat.S_IRWXG | stat.S_IRWXO):
        raise Unreachable(f"La clé des codes, {path}, est lisible par d’autres que son propriétaire. Lancez : chmod 600 {path}")
    try:
        key = base64.b64decode(content, validate=False)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise Unreachable(f"Le fichier {path} ne contient pas une clé des codes.")
    return key
