"""What databases raise, as one French sentence: nothing of a driver reaches a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

if TYPE_CHECKING:
    from models.database.dialect import Dialect


class Unreachable(Exception):
    """Something outside does not answer. Asking again later may work; the message is a French sentence."""


class OtherSchema(Unreachable):
    """The database is of an earlier schema, or of a later one; the message says what to do."""


class Damaged(Exception):
    """Something that was kept is no longer as it was kept: a proof that does not hold. The message is a French sentence."""


class Occupied(Exception):
    """The place where something is to be put is not empty. The message is a French sentence."""


def unreadable_address() -> Unreachable:
    """What to say of an address that leads to no database."""
    return Unreachable(
        "L’adresse JALON_DATABASE_URL n’est pas lisible : écrivez sqlite:////chemin/jalon.db ou postgresql+psycopg://utilisateur@serveur/base."
    )


def empty_database() -> Unreachable:
    """What to say of a database without any table."""
    return Unreachable("La base est vide : lancez d’abord « jalon init-db ».")


def cause_of(fault: BaseException) -> BaseException:
    """What the driver raised, under what SQLAlchemy made of it."""
    return fault.orig if isinstance(fault, DBAPIError) and fault.orig is not None else fault


def raise_in_french(fault: BaseException, dialect: Dialect) -> None:
    """Raise Unreachable in place of what a driver raised; come back when `fault` is something else.

    A violated constraint passes: it is the caller's to read.
    """
    cause = cause_of(fault)
    if dialect.violated(cause):
        return
    sentence = dialect.sentence(cause)
    if sentence is None and isinstance(fault, SQLAlchemyError | OSError):
        sentence = no_answer(cause)
    if sentence is not None:
        raise Unreachable(sentence) from fault


def no_answer(cause: BaseException) -> str:
    """What to say when nothing better is known than what kind of fault it was."""
    return f"La base ne répond pas ({type(cause).__name__})."
