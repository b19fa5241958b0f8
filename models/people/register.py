"""The register of people: who may act, in which roles, and where mail reaches them. Its journal says how that came about."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from datetime import UTC, datetime
from typing import NamedTuple

from sqlalchemy import bindparam, insert, literal_column, null, select

from models import tables
from models.answers import Invalid
from models.database.constraints import violated
from models.database.faults import Unreachable
from models.database.store import Cursor, Store
from models.database.vocabulary import learnt
from models.people.codes import TOLD_FROM, Failures, Shown, period_of, whose
from models.people.enrolments import Enrolments
from models.people.invitations import invitation_digest, invited
from models.people.projection import Projection, Sealed
from models.people.reading import Journal, digest_of
from models.people.vault import NO_VAULT, Vault
from states.dossier.delegation import APART
from states.dossier.proof import Proof
from states.grammar.case import Actor
from states.grammar.guard import Refused
from states.register.facts import Deed, RegisterEntry, Standing, folded
from states.register.fold import House
from states.register.names import odd_letters, passes_for, written
from states.register.records import Draft
from states.register.requests import Wish
from states.register.rules import RESERVED, decide
from states.vocabulary import Role

__all__ = ["CLOCK", "Changed", "Founder", "Person", "Register", "folded", "unknown_person"]

CLOCK = Actor(RESERVED, frozenset({Role.CLOCK}))  # jalon itself; nobody can take the name
P, R = tables.people.c, tables.people_roles.c
FIRST_WINS = frozenset({"pk_register_journal", "uq_code_sources_source"})
TRIES = 5
HAS_SOMEBODY = "Le registre a déjà un exploitant, qui ajoute les autres (jalon people add NOM --as EXPLOITANT)."


class Person(NamedTuple):
    """A person of the register, with the roles in which they may act now."""

    name: str
    mail: str
    roles: tuple[Role, ...]
    standing: Standing = Standing.PRESENT
    since: tuple[tuple[Role, str], ...] = ()  # the roles of which it is known (ISO instant in UTC)


class Founder(NamedTuple):
    """Somebody who is in the register from the beginning, with the secret of their codes, if any."""

    name: str
    mail: str
    roles: tuple[Role, ...]
    secret: str | None = None
    period: int | None = None  # whose code has served


class Asked(NamedTuple):
    """Who asks for a change, when, by which way, and what their code proved."""

    actor: str
    at: datetime
    via: str
    proof: Proof | None


class Changed(NamedTuple):
    """What was written: the entries, and the register after them."""

    entries: tuple[RegisterEntry, ...]
    house: House


def unknown_person(name: str) -> Invalid:
    """What to say of a name that the register does not have."""
    return Invalid(f"Le nom « {name[:80]} » n’est pas au registre des personnes : vérifiez-le (jalon people list).")


class Register:
    """The register on one database; `vault` seals the secrets of codes."""

    def __init__(self, store: Store, vault: Vault = NO_VAULT) -> None:
        self._store = store
        self._vault = vault
        self._journal = Journal(store)
        self._enrolments = Enrolments(store)
        self._projection = Projection(store)
        self._append = store.compile(insert(tables.register_journal).values(id=0, entry="", digest=""))
        self._lock_codes = store.lock(whose(bindparam("folded")))
        held = tables.people.outerjoin(tables.people_roles, R.person_id == P.id)
        people = select(P.name, P.mail, P.standing, R.role, R.since).select_from(held).order_by(P.name, R.role)
        self._all, self._one = store.compile(people), store.compile(people.where(P.folded == bindparam("folded")))
        holders = tables.people_roles.alias("holders").c
        holding = select(holders.person_id).where(holders.role == bindparam("role"))
        self._holding = store.compile(people.where(P.id.in_(holding)))
        some = select(P.folded, P.secret).where(P.secret.is_not(null())).order_by(P.id)
        self._sealed = store.compile(some.limit(literal_column("1")).offset(literal_column("0")))
        # The second condition is that of the index: few people have a failure at all.
        refused = (P.code_failures >= bindparam("most"), P.code_failures > literal_column("0"))
        self._refused = store.compile(select(P.name, P.code_failures, P.code_failed_at).where(*refused))

    def found(self, people: Sequence[Founder], *, at: datetime, via: str = "") -> Changed:
        """Write the first people into a register that has nobody: they have nobody to ask. Raises Invalid.

        A register of before codes were asked for may have people and no operator with codes: then one more may begin it again.
        """
        if reasons := tuple(_founding_reasons(people)):
            raise Invalid(*reasons)

        def entries(_cursor: Cursor, house: House) -> list[RegisterEntry]:
            if house.members and (len(people) > 1 or any(member.enrolled for member in house.holding(Role.OPERATOR))):
                raise Invalid(HAS_SOMEBODY)
            for person in people:
                if other := passes_for(person.name, [member.name for member in house.members.values()]):
                    raise Invalid(f"{other} est déjà au registre, sans codes d’exploitant : inscrivez quelqu’un d’autre, qui l’invitera.")
            return [_founding(person, at, via) for person in people]

        secrets = {folded(person.name): Sealed(person.secret, person.period) for person in people if person.secret is not None}
        return self._written(entries, secrets)

    def change(self, wishes: Sequence[Wish], *, actor: str, at: datetime, via: str = "", shown: Shown | None = None) -> Changed | Refused:
        """Do all that `actor` wishes, at an aware instant, or nothing; `shown` is their code, for a caller who must ask for one.

        Raises Invalid for an actor whom the register does not have, Unreachable when its journal does not hold.
        """
        refused: list[Refused] = []

        def entries(cursor: Cursor, house: House) -> list[RegisterEntry]:
            member = house.member(actor)
            if member is None:
                raise unknown_person(actor)
            proof = self._enrolments.judged(cursor, folded(actor), shown, now=at, vault=self._vault) if shown is not None else None
            asked = Asked(member.name, at, via, proof)
            found = _decided(house, wishes, asked)
            refused[:] = [found] if isinstance(found, Refused) else []
            return [] if isinstance(found, Refused) else found

        changed = self._written(entries, {}, codes_of=folded(actor) if shown is not None else None)
        return refused[0] if refused else changed

    def enrol(self, invitation: str, secret: str, code: str, *, at: datetime, via: str = "") -> Changed:
        """Enrol the person whom an invitation names, with a secret that only they have seen, once a first code of it is right.

        Raises Invalid when the invitation is none, has served or is too late, or the code is not right.
        """
        digest = invitation_digest(invitation)
        name, period = invited(self.house(), digest, at).name, period_of(secret, code, at)
        if period is None:
            raise Invalid("Ce premier code n’est pas celui de ce secret : recommencez, l’invitation n’a pas servi.")

        def entries(_cursor: Cursor, house: House) -> list[RegisterEntry]:
            invited(house, digest, at)
            return [RegisterEntry(0, "", Deed.ENROLLED, name, name, instant(at), via, proof=Proof.RIGHT)]

        return self._written(entries, {folded(name): Sealed(secret, period)})

    def _written(
        self, entries_of: Callable[[Cursor, House], list[RegisterEntry]], secrets: Mapping[str, Sealed], *, codes_of: str | None = None
    ) -> Changed:
        """What was written, in one transaction; begun again when somebody else was first."""
        locks = self._lock_codes if codes_of is not None else ()
        for _ in range(TRIES):
            try:
                with self._store.transaction(locks=locks, parameters={"folded": codes_of}) as cursor:
                    house = self._journal.house(cursor)
                    entries = [self._appended(cursor, house, entry) for entry in entries_of(cursor, house)]
                    if secrets:
                        self._assert_opens(cursor)  # else what is sealed now and what was before would need two keys
                    sealed = {name: given._replace(secret=self._vault.seal(name, given.secret)) for name, given in secrets.items()}
                    self._projection.write(cursor, house, {folded(entry.person) for entry in entries}, sealed)
            except Exception as fault:
                constraint = violated(self._store, fault)
                if constraint not in FIRST_WINS and not learnt(self._store, constraint):
                    raise
            else:
                return Changed(tuple(entries), house)
        raise Unreachable("Le registre des personnes change trop vite : réessayez dans un instant.")

    def _appended(self, cursor: Cursor, house: House, entry: RegisterEntry) -> RegisterEntry:
        entry = entry._replace(n=house.n + 1, prev=house.head)
        content, digest = digest_of(entry)
        cursor.execute(self._append, {"id": entry.n, "entry": content, "digest": digest})
        house.add(entry, digest)
        return entry

    def assert_opens(self) -> None:
        """Raises Unreachable when the key at hand is not the one that sealed what the register has."""
        with self._store.transaction(write=False) as cursor:
            self._assert_opens(cursor)

    def _assert_opens(self, cursor: Cursor) -> None:
        cursor.execute(self._sealed)
        row = cursor.fetchone()
        if row is not None:
            self._vault.open(row[0], row[1])

    def house(self) -> House:
        """The register as its journal adds up. Raises Unreachable when that does not hold."""
        with self._store.transaction(write=False) as cursor:
            return self._journal.house(cursor)

    def entries(self) -> list[RegisterEntry]:
        """The journal, from the first entry on. Raises Unreachable when it does not hold."""
        with self._store.transaction(write=False) as cursor:
            return [entry for entry, _ in self._journal.read(cursor)]

    def mistaken(self, most: int = TOLD_FROM) -> tuple[tuple[str, Failures], ...]:
        """Those for whom so many wrong codes were given since the last right one."""
        with self._store.transaction(write=False) as cursor:
            cursor.execute(self._refused, {"most": most})
            return tuple(sorted((name, Failures(count, at)) for name, count, at in cursor.fetchall()))

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
        found: dict[str, tuple[str, str, dict[Role, str]]] = {}
        for name, mail, standing, role, since in rows:
            roles = found.setdefault(name, (mail, standing, {}))[2]
            if role is not None:
                roles[Role(role)] = since
        return tuple(
            Person(name, mail, tuple(roles), Standing(standing), tuple((role, since) for role, since in roles.items() if since))
            for name, (mail, standing, roles) in found.items()
        )

    def actor(self, name: str) -> Actor:
        """A person as the rules see one. Raises Invalid when the name is not in the register."""
        found = self.person(name)
        return Actor(found.name, frozenset(found.roles), found.since)

    def holding(self, role: Role) -> tuple[Person, ...]:
        """Everybody who may act in `role`."""
        return self._people(self._holding, role=role.value)


def instant(at: datetime) -> str:
    """An aware instant as ISO text in UTC, microseconds included, so that text order is time order."""
    return f"{at.astimezone(UTC).isoformat(timespec='microseconds')[:26]}Z"


def _founding(person: Founder, at: datetime, via: str) -> RegisterEntry:
    roles = dict.fromkeys(sorted(role.value for role in person.roles), "")
    name = written(person.name)
    entry = RegisterEntry(0, "", Deed.FOUNDED, name, name, instant(at), via, mail=person.mail, roles=roles)
    return entry._replace(enrolled=person.secret is not None)


def _founding_reasons(people: Sequence[Founder]) -> Iterator[str]:
    """Why these cannot be the first people."""
    for place, person in enumerate(people):
        odd, earlier = odd_letters(person.name), [other.name for other in people[:place]]
        if odd or not any(letter.isalpha() for letter in person.name) or folded(person.name) == RESERVED:
            yield f"« {person.name} » ne peut pas être le nom d’une personne."
        if passes_for(person.name, earlier):
            yield f"{person.name} est déjà au registre."
        if not person.roles or Role.CLOCK in person.roles:
            yield "Une personne a au moins un rôle, et jamais celui de l’horloge."
        if frozenset(person.roles) >= APART:
            yield f"{person.name} ne peut pas à la fois mandater et payer."


def _decided(house: House, wishes: Sequence[Wish], asked: Asked) -> list[RegisterEntry] | Refused:
    """The entries that all wishes leave, each decided on the register as the one before leaves it; or every reason against them."""
    after, entries, reasons = deepcopy(house), [], []
    acting = house.members[folded(asked.actor)].held  # as they stood: who gives a role up may do so together with other things
    for wish in wishes:
        clean = wish._replace(person=written(wish.person))
        found = decide(after, clean, asked.actor, at=asked.at, proof=asked.proof, acting=acting)
        if isinstance(found, Refused):
            reasons += [reason for reason in found.reasons if reason not in reasons]
            continue
        for draft in found:
            entry = _entry(draft, asked)
            after.add(entry._replace(n=after.n + 1), "")
            entries.append(entry)
    return Refused(wishes[0].verb, tuple(reasons)) if reasons else entries


def _entry(draft: Draft, asked: Asked) -> RegisterEntry:
    """A draft as an entry that has no place in the chain yet."""
    given = {name: value for name, value in draft._asdict().items() if name not in ("deed", "person")}
    return RegisterEntry(0, "", draft.deed, draft.person, asked.actor, instant(asked.at), asked.via, proof=asked.proof, **given)
