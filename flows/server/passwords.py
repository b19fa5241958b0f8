"""The password of the desk, judged before Prefect hears of the question: who gives a wrong one waits longer each time."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import ip_address, ip_network
from math import ceil
from typing import NamedTuple

LONGEST = 60.0  # seconds between two tries
FORGOTTEN = 3600.0  # seconds after the last wrong one
ADDRESSES_AT_MOST = 1000
WRONG = "Le nom ou le mot de passe n’est pas celui du bureau de jalon."
TOO_SOON = "Trop d’essais faux depuis cette adresse : attendez {seconds} s avant de recommencer."


class Refusal(NamedTuple):
    """Why somebody is not let in; `wait` in seconds before another try is heard, 0 when there is nothing to wait for."""

    status: int
    sentence: str
    wait: int = 0


class Failures(NamedTuple):
    """What is remembered of an address: how many tries were wrong in a row, when the last was, and a digest of it."""

    many: int
    at: float
    last: bytes

    @property
    def heard_again(self) -> float:
        """When the next try from there is judged."""
        return self.at + min(2.0 ** (self.many - 1), LONGEST)


class Tries:
    """Wrong tries by address, so that guessing slows down; the memory is bounded, and the right answer clears it."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failures: OrderedDict[str, Failures] = OrderedDict()

    def too_soon(self, address: str, given: bytes, wrong: str) -> Refusal | None:
        """Why what an address gives is not judged now. The same wrong answer again, as an open page sends it, is no new try."""
        before, at = self._before(address), self._clock()
        if before is None:
            return None
        if hmac.compare_digest(before.last, hashlib.sha256(given).digest()):
            return Refusal(401, wrong)
        wait = ceil(before.heard_again - at)
        return Refusal(429, TOO_SOON.format(seconds=wait), wait) if at < before.heard_again else None

    def judged(self, address: str, given: bytes, *, right: bool, wrong: str) -> Refusal | None:
        """Remember whether what an address gave was right; why it is refused, if it is."""
        before = self._before(address)
        if right:
            self._failures.pop(_place(address), None)
            return None
        many = min(before.many if before else 0, 60) + 1
        self._remember(_place(address), Failures(many, self._clock(), hashlib.sha256(given).digest()))
        return Refusal(401, wrong)

    def _before(self, address: str) -> Failures | None:
        found = self._failures.get(_place(address))
        return found if found is not None and self._clock() - found.at <= FORGOTTEN else None

    def _remember(self, place: str, failures: Failures) -> None:
        self._failures.pop(place, None)
        self._failures[place] = failures
        while len(self._failures) > ADDRESSES_AT_MOST:
            self._failures.popitem(last=False)


def _place(address: str) -> str:
    """Who is counted as one: an address, or the network that one house has of IPv6."""
    try:
        known = ip_address(address)
    except ValueError:
        return address
    return str(ip_network((known, 64), strict=False)) if known.version == 6 else str(known)


def refused(tries: Tries, address: str, authorization: str, password: str) -> Refusal | None:
    """Why a question with this header is not let in by « nom:mot de passe »; None when it is. Nothing given is no try."""
    if not authorization:
        return Refusal(401, "Le bureau de jalon demande un nom et un mot de passe.")
    scheme, _, encoded = authorization.partition(" ")
    try:
        given = base64.b64decode(encoded.strip(), validate=True) if scheme.lower() == "basic" else b""
    except (binascii.Error, ValueError):
        given = b""
    return tries.too_soon(address, given, WRONG) or tries.judged(
        address, given, right=hmac.compare_digest(given, password.encode()), wrong=WRONG
    )
