"""What may be asked of the register."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from states.vocabulary import Role


class Verb(StrEnum):
    """What somebody asks of the register."""

    ADD = "add"
    GIVE = "give"
    TAKE = "take"
    ADDRESS = "address"
    INVITE = "invite"
    SUSPEND = "suspend"
    RESUME = "resume"
    LEAVE = "leave"
    AGREE = "agree"
    DECLINE = "decline"
    WITNESS = "witness"


class Wish(NamedTuple):
    """What is asked of the register, about whom. `answers` is the number of an entry that waits; `invitation` a sha256."""

    verb: Verb
    person: str
    roles: tuple[Role, ...] = ()
    mail: str | None = None
    shared_mail: bool = False  # the address is known to be that of somebody else too
    because: str | None = None
    answers: int | None = None
    invitation: str | None = None
    witness: str | None = None
    root: str | None = None
    night: str | None = None
