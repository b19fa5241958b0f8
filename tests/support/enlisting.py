"""People put into a register as an upgrade would: there, in any roles, with nobody to ask. Only tests have this door."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from models.database.store import Store
from models.people.projection import Sealed
from models.people.register import Register, folded, instant
from models.people.vault import KEY_BYTES, KeyedVault, Vault
from states.register.facts import Deed, RegisterEntry
from states.vocabulary import Role

KEY = b"k" * KEY_BYTES  # of every database of the tests: see tests/conftest.py
TEST_VAULT = KeyedVault(KEY)
LONG_AGO = datetime(2020, 1, 2, 8, 0, tzinfo=UTC)


class Enlisted(NamedTuple):
    """Somebody to be put there; with the secret of their codes, if any."""

    name: str
    mail: str
    roles: Iterable[Role]
    secret: str | None = None


def enlist(store: Store, name: str, mail: str, roles: Iterable[Role], secret: str | None = None, *, vault: Vault = TEST_VAULT) -> None:
    """Put somebody into the register."""
    enlist_all(store, [Enlisted(name, mail, roles, secret)], vault=vault)


def enlist_all(store: Store, people: Iterable[Enlisted], *, vault: Vault = TEST_VAULT) -> None:
    """Put people into the register."""
    blank, secrets = RegisterEntry(0, "", Deed.CARRIED, "", "horloge", instant(LONG_AGO), "test"), {}
    entries = []
    for name, mail, roles, secret in people:
        held = dict.fromkeys(sorted(role.value for role in roles), "")
        entries.append(blank._replace(person=name, mail=mail, roles=held, enrolled=secret is not None))
        if secret is not None:
            secrets[folded(name)] = Sealed(secret, None)
    Register(store, vault)._written(lambda *_: entries, secrets)


def reroled(store: Store, name: str, roles: Iterable[Role], *, at: datetime = LONG_AGO) -> None:
    """Leave somebody with just these roles, held since an instant."""
    register, wanted = Register(store), set(roles)
    held = set(register.person(name).roles)
    blank = RegisterEntry(0, "", "", register.person(name).name, "horloge", instant(at), "test")
    taken = [blank._replace(deed=Deed.ROLE_TAKEN, role=role.value) for role in sorted(held - wanted)]
    given = [blank._replace(deed=Deed.ROLE_GIVEN, role=role.value) for role in sorted(wanted - held)]
    register._written(lambda *_: [*taken, *given], {})


def opened_secrets(table: str, rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """The rows of a table, those of people with their secrets as they were before they were sealed."""
    if table != "people":
        return rows
    return [(*row[:4], row[4] and TEST_VAULT.open(row[2], row[4]), *row[5:]) for row in rows]
