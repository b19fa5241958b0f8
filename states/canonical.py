"""One spelling for every JSON value (RFC 8785), and its digest: what the chain of the journal is made of."""

from __future__ import annotations

import hashlib
import json
from typing import Any

_ENCODE = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")).encode


def canonical(value: Any) -> bytes:
    """The RFC 8785 bytes of a value made of dicts, lists, strings, integers, booleans and None.

    Keys are ASCII here and floats never occur, so that the standard library's sorted output is the RFC's;
    a test holds it against a library that implements the whole of it.
    """
    return _ENCODE(value).encode()


def digest(entry: bytes) -> str:
    """The sha256 of a canonical entry, as 64 hexadecimal digits."""
    return hashlib.sha256(entry).hexdigest()


GENESIS = "0" * 64
