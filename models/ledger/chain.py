"""One spelling for every JSON value (RFC 8785), and its digest: what the chain of the journal is made of."""

from __future__ import annotations

import hashlib

import orjson

GENESIS = "0" * 64  # what the first entry of a chain follows


def canonical(value: object) -> bytes:
    """The RFC 8785 bytes of a value made of dicts, lists, strings, integers, booleans and None.

    Keys are ASCII here and floats never occur, so that orjson's sorted output is the RFC's; a test holds it
    against a library that implements the whole of it.
    """
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def digest(entry: bytes) -> str:
    """The sha256 of a canonical entry, as 64 hexadecimal digits."""
    return hashlib.sha256(entry).hexdigest()
