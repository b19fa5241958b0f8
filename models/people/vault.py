"""The secrets of one-time codes, sealed with a key that no database holds: a copied database makes nobody act."""

from __future__ import annotations

import base64
import os
from typing import Protocol

from models.database.faults import Unreachable

KEY_BYTES = 32
NONCE_BYTES = 12
SEALED = "1"  # how a sealed secret begins, so that another way of sealing can follow one day


class Vault(Protocol):
    """Seals the secret of a person, known by the folded name, and opens it for that person only."""

    def seal(self, folded: str, secret: str) -> str: ...
    def open(self, folded: str, sealed: str) -> str: ...


class KeyedVault:
    """AES-256-GCM (NIST SP 800-38D), bound to the person: a sealed secret moved to another line does not open."""

    def __init__(self, key: bytes) -> None:
        """`key`: 32 random bytes."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # takes 20 ms to import: only where a code is judged

        self._cipher = AESGCM(key)

    def seal(self, folded: str, secret: str) -> str:
        """The text to store."""
        nonce = os.urandom(NONCE_BYTES)
        return f"{SEALED}:{base64.b64encode(nonce + self._cipher.encrypt(nonce, secret.encode(), folded.encode())).decode()}"

    def open(self, folded: str, sealed: str) -> str:
        """The secret. Raises Unreachable when it was sealed with another key, for somebody else, or not at all."""
        from cryptography.exceptions import InvalidTag

        try:
            version, _, text = sealed.partition(":")
            content = base64.b64decode(text, validate=True) if version == SEALED else b""
            return self._cipher.decrypt(content[:NONCE_BYTES], content[NONCE_BYTES:], folded.encode()).decode()
        except (InvalidTag, ValueError):
            raise Unreachable(
                "Le secret des codes de cette personne ne s’ouvre pas : la clé des codes n’est pas celle de cette base, "
                "ou quelqu’un a écrit dans le registre. Remettez la clé depuis sa copie."
            ) from None


class NoVault:
    """For a ledger without a key, as in an exercise: secrets lie as they are, and a real vault opens none of them."""

    def seal(self, folded: str, secret: str) -> str:  # noqa: ARG002
        return secret

    def open(self, folded: str, sealed: str) -> str:  # noqa: ARG002
        return sealed


NO_VAULT = NoVault()
