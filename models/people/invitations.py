"""Invitations to draw one's own secret: a text that serves once, for 72 hours, and of which nothing but a digest is kept."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime

from models.answers import Invalid
from states.register.facts import Member
from states.register.fold import House

LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # none that is taken for another
LENGTH, GROUP = 20, 4  # 100 bits, as « ABCD-EFGH-... »


def new_invitation() -> str:
    """A fresh invitation, as its letter shows it."""
    drawn = "".join(secrets.choice(LETTERS) for _ in range(LENGTH))
    return "-".join(drawn[place : place + GROUP] for place in range(0, LENGTH, GROUP))


def invitation_digest(invitation: str) -> str:
    """What the register keeps of an invitation, however it was typed."""
    typed = "".join(letter for letter in invitation.upper() if letter.isalnum())
    return hashlib.sha256(typed.encode()).hexdigest()


def invited(house: House, digest: str, at: datetime) -> Member:
    """Whom an invitation names at an aware instant. Raises Invalid when it is none, has served, was replaced, or is too late."""
    member = next((member for member in house.members.values() if member.invitation == digest), None)
    if member is None:
        raise Invalid("Cette invitation n’est pas, ou n’est plus, valable : elle sert une fois. Demandez-en une autre à l’exploitant.")
    if at >= datetime.fromisoformat(member.until):
        raise Invalid("Cette invitation a plus de 72 heures : demandez-en une autre à l’exploitant.")
    return member
