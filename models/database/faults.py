"""What databases raise, as one French sentence: nothing of a driver reaches a person."""

from __future__ import annotations

import sqlite3
from types import TracebackType

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

DRIVER_FAULTS = (SQLAlchemyError, sqlite3.Error, OSError)


class Unreachable(Exception):
    """Something outside does not answer. Asking again later may work; the message is a French sentence."""


class OtherSchema(Unreachable):
    """The database is of an earlier schema, or of a later one; the message says what to do."""


class _FrenchFaults:
    """Turns what drivers raise into Unreachable; integrity errors pass, they are the caller's to read.

    A class without state, like `_Transaction`: around every step, generators would cost a tenth of it.
    """

    def __enter__(self) -> None:
        return

    def __exit__(self, _kind: type[BaseException] | None, fault: BaseException | None, _trace: TracebackType | None) -> None:
        if fault is not None:
            raise_in_french(fault)


SQLITE_FAULTS = (
    ("not a database", "Le fichier de la base n’est pas une base de données lisible."),
    ("malformed", "Le fichier de la base est abîmé : restaurez une sauvegarde."),
    ("readonly", "La base est en lecture seule : rien n’a été enregistré."),
    ("unable to open", "La base ne peut pas être ouverte : vérifiez le chemin et les droits."),
    ("locked", "La base est occupée par un autre programme : réessayez dans un instant."),
    ("disk is full", "Le disque est plein : rien n’a été enregistré."),
    ("disk I/O error", "Le disque ne répond pas correctement : rien n’a été enregistré."),
    ("no such table", "La base n’a pas les tables de jalon."),
)


def raise_in_french(fault: BaseException) -> None:
    """Raise Unreachable in place of what a driver raised; come back when `fault` is something else."""
    if isinstance(fault, DRIVER_FAULTS) or type(fault).__module__.startswith("psycopg"):
        told = _translated(fault)
        if told is not fault:
            raise told from fault


def _translated(fault: BaseException) -> BaseException:
    cause = fault.orig if isinstance(fault, DBAPIError) and fault.orig is not None else fault
    if type(cause).__name__ in ("IntegrityError", "UniqueViolation", "CheckViolation", "ForeignKeyViolation", "NotNullViolation"):
        return fault
    message = str(cause)
    for sign, sentence in SQLITE_FAULTS:
        if sign in message:
            return Unreachable(sentence)
    if type(cause).__module__.startswith("psycopg"):
        return Unreachable("La base PostgreSQL ne répond pas : vérifiez qu’elle est démarrée et l’adresse JALON_DATABASE_URL.")
    return Unreachable(f"La base ne répond pas ({type(cause).__name__}).")


FRENCH_FAULTS = _FrenchFaults()
