"""The register of people: who may act, in which roles, and where mail reaches them."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from sqlalchemy import bindparam, delete, insert, literal_column, null, select, update

from models import tables
from models.answers import Invalid
from models.database.constraints import violated
from models.database.store import Store
from models.database.vocabulary import learnt
from models.people.codes import FAILURES_AT_MOST
from states.grammar.case import Actor
from states.vocabulary import Role

CLOCK = Actor("horloge", frozenset({Role.CLOCK}))  # jalon itself; nobody can take the name
P, R = tables.people.c, tables.people_roles.c


class Person(NamedTuple):
    """A person of the register."""

    name: str
    mail: str
    roles: tuple[Role, ...]


@lru_cache(maxsize=1024)
def folded(name: str) -> str:
    """One spelling of a name, so that case, accents and spaces make no second person."""
    decomposed = unicodedata.normalize("NFKD", " ".join(name.split()).casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def unknown_person(name: str) -> Invalid:
    """What to say of a name that the register does not have."""
    return Invalid(f"Le nom « {name[:80]} » n’est pas au registre des personnes : vérifiez-le (jalon people list).")


class Register:
    """The register on one database."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._add = store.compile(
            insert(tables.people).values(name="", folded="", mail="", secret="", code_failures=0).returning(P.id)
        )  # fmt: skip
        self._grant = store.compile(insert(tables.people_roles).values(person_id=0, role=""))
        self._which = store.compile(select(P.id).where(P.folded == bindparam("folded")))
        self._readdress = store.compile(update(tables.people).where(P.folded == bindparam("folded_")).values(mail=bindparam("mail")))
        self._revoke = store.compile(delete(tables.people_roles).where(R.person_id == bindparam("person_id_")))
        self._enrol = store.compile(
            update(tables.people)
            .where(P.folded == bindparam("folded_"))
            .values(secret=bindparam("secret"), code_period=null(), code_failures=literal_column("0"))
        )
        people = select(P.name, P.mail, R.role).join(tables.people_roles, R.person_id == P.id).order_by(P.name, R.role)
        self._all, self._one = store.compile(people), store.compile(people.where(P.folded == bindparam("folded")))
        holders = tables.people_roles.alias("holders").c
        holding = select(holders.person_id).where(holders.role == bindparam("role"))
        self._holding = store.compile(people.where(P.id.in_(holding)))
        # The second condition is that of the index: few people have a failure at all.
        refused = (P.code_failures >= bindparam("most"), P.code_failures > literal_column("0"))
        self._blocked = store.compile(select(P.name).where(*refused))

    def add(self, name: str, mail: str, roles: Sequence[Role], secret: str | None = None) -> Person:
        """Add a person, with the secret of the one-time codes.

        Raises Invalid when the name is taken, reserved or empty, or a role is the clock's.
        """
        clean = " ".join(name.split())
        if not roles or Role.CLOCK in roles:
            raise Invalid("Une personne a au moins un rôle, et jamais celui de l’horloge.")
        if not clean or folded(clean) == CLOCK.name:
            raise Invalid(f"Le nom « {clean} » ne peut pas être celui d’une personne.")
        person = Person(clean, mail, tuple(dict.fromkeys(roles)))
        try:
            with self._store.transaction() as cursor:
                cursor.execute(self._add, {"name": clean, "folded": folded(clean), "mail": mail, "secret": secret, "code_failures": 0})
                id_ = cursor.fetchone()[0]
                for role in person.roles:
                    cursor.execute(self._grant, {"person_id": id_, "role": role.value})
        except Exception as fault:
            constraint = violated(self._store, fault)
            if learnt(self._store, constraint):
                return self.add(name, mail, roles, secret)
            if constraint != "uq_people_name":
                raise
            raise Invalid(f"{clean} est déjà au registre ; pour changer ses rôles ou son adresse : jalon people change.") from fault
        return person

    def change(self, name: str, *, mail: str | None = None, roles: Sequence[Role] | None = None) -> Person:
        """Give a person another address or other roles; what was done before stays as it was. Raises Invalid."""
        if roles is not None and (not roles or Role.CLOCK in roles):
            raise Invalid("Une personne a au moins un rôle, et jamais celui de l’horloge.")
        person = self.person(name)
        try:
            with self._store.transaction() as cursor:
                if mail is not None:
                    cursor.execute(self._readdress, {"folded_": folded(person.name), "mail": mail})
                if roles is not None:
                    cursor.execute(self._which, {"folded": folded(person.name)})
                    id_ = cursor.fetchone()[0]
                    cursor.execute(self._revoke, {"person_id_": id_})
                    for role in dict.fromkeys(roles):
                        cursor.execute(self._grant, {"person_id": id_, "role": role.value})
        except Exception as fault:
            if learnt(self._store, violated(self._store, fault)):
                return self.change(name, mail=mail, roles=roles)
            raise
        return self.person(name)

    def enrol(self, name: str, secret: str) -> Person:
        """Give a person a new secret; the codes of the old one are worth nothing from now on. Raises Invalid."""
        person = self.person(name)
        with self._store.transaction() as cursor:
            cursor.execute(self._enrol, {"folded_": folded(person.name), "secret": secret})
        return person

    def blocked(self) -> tuple[str, ...]:
        """Those whose codes are refused until they are given a new secret: too many of theirs were wrong."""
        with self._store.transaction(write=False) as cursor:
            cursor.execute(self._blocked, {"most": FAILURES_AT_MOST})
            return tuple(sorted(row[0] for row in cursor.fetchall()))

    def person(self, name: str) -> Person:
        """Somebody by name. Raises Invalid when the register does not have the name."""
        found = self._people(self._one, folded=folded(name))
        if not found:
            raise unknown_person(name)
        return found[0]

    def everyone(self) -> tuple[Person, ...]:
        """All people, by name."""
        return self._people(self._all)

    def _people(self, statement: str, **parameters: str) -> tuple[Person, ...]:
        with self._store.transaction(write=False) as cursor:
            cursor.execute(statement, parameters)
            rows = cursor.fetchall()
        found: dict[str, tuple[str, list[Role]]] = {}
        for name, mail, role in rows:
            found.setdefault(name, (mail, []))[1].append(Role(role))
        return tuple(Person(name, mail, tuple(roles)) for name, (mail, roles) in found.items())

    def actor(self, name: str) -> Actor:
        """A person as the rules see one. Raises Invalid when the name is not in the register."""
        found = self.person(name)
        return Actor(found.name, frozenset(found.roles))

    def holding(self, role: Role) -> tuple[Person, ...]:
        """Everybody who holds `role`."""
        return self._people(self._holding, role=role.value)
