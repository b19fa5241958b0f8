"""The facts of the keeping of a dossier: roles that are lent, papers, what somebody should know."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple


class Delegation(NamedTuple):
    """A role lent by one person to another, for a time."""

    number: int
    role: str
    giver: str
    holder: str
    starts_on: date
    ends_on: date


class Document(NamedTuple):
    """A paper of the dossier, known by the sha256 of its content."""

    number: int
    title: str
    sha256: str
    attached_on: date


class Finding(NamedTuple):
    """Something a person should know about the dossier; `subject` tells two findings of one code apart."""

    code: str
    subject: str
    severity: str
    reason: str
    source: str
