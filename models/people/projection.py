"""The rows that the register's journal adds up to: what a step looks at, without reading the journal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from sqlalchemy import bindparam, delete, insert, literal_column, null, select, update

from models import tables
from models.database.store import Cursor, Store
from states.register.facts import Member, Standing
from states.register.fold import House

P, R = tables.people.c, tables.people_roles.c


class Sealed(NamedTuple):
    """The secret of somebody's codes, and the period whose code has served already (None: none)."""

    secret: str
    period: int | None


class Projection:
    """The rows of one database."""

    def __init__(self, store: Store) -> None:
        new = insert(tables.people).values(name="", folded="", mail="", standing="", code_failures=0)
        self._add = store.compile(new.returning(P.id))
        self._which = store.compile(select(P.id).where(P.folded == bindparam("folded")))
        moved = update(tables.people).where(P.id == bindparam("id_")).values(mail=bindparam("mail"), standing=bindparam("standing"))
        self._move = store.compile(moved)
        self._revoke = store.compile(delete(tables.people_roles).where(R.person_id == bindparam("person_id_")))
        self._grant = store.compile(insert(tables.people_roles).values(person_id=0, role="", since=""))
        codes: dict[str, object] = {"secret": bindparam("secret"), "code_period": bindparam("period"), "code_failures": literal_column("0")}
        self._seal = store.compile(update(tables.people).where(P.folded == bindparam("folded_")).values(**codes, code_failed_at=null()))
        rows = select(P.name, P.folded, P.mail, P.standing, R.role, R.since, P.secret.is_not(None)).select_from(
            tables.people.outerjoin(tables.people_roles, R.person_id == P.id)
        )
        self._rows = store.compile(rows.order_by(P.name, R.role))

    def write(self, cursor: Cursor, house: House, folded: set[str], secrets: Mapping[str, Sealed]) -> None:
        """Write the rows of these people as the journal adds up now, and these sealed secrets; whoever has left has none."""
        for name in sorted(folded):
            member = house.members[name]
            self._member(cursor, name, member)
            if member.standing is Standing.LEFT:
                cursor.execute(self._seal, {"folded_": name, "secret": None, "period": None})
        for name, (secret, period) in secrets.items():
            cursor.execute(self._seal, {"folded_": name, "secret": secret, "period": period})

    def _member(self, cursor: Cursor, name: str, member: Member) -> None:
        cursor.execute(self._which, {"folded": name})
        row = cursor.fetchone()
        fields = {"mail": member.mail, "standing": member.standing.value}
        if row is None:
            cursor.execute(self._add, {"name": member.name, "folded": name, "code_failures": 0, **fields})
            row = cursor.fetchone()
        else:
            cursor.execute(self._move, {"id_": row[0], **fields})
        cursor.execute(self._revoke, {"person_id_": row[0]})
        for role in sorted(member.held):
            cursor.execute(self._grant, {"person_id": row[0], "role": role.value, "since": member.roles[role]})

    def faults(self, cursor: Cursor, house: House) -> Iterator[str]:
        """What the rows say otherwise than the journal, a French sentence for each person."""
        cursor.execute(self._rows)
        found: dict[str, tuple[str, str, str, bool, dict[str, str]]] = {}
        for name, folded, mail, standing, role, since, enrolled in cursor.fetchall():
            roles = found.setdefault(folded, (name, mail, standing, bool(enrolled), {}))[4]
            if role is not None:
                roles[role] = since
        for folded in sorted(found.keys() | house.members.keys()):
            member = house.members.get(folded)
            row = found.get(folded)
            if member is None or row is None:
                who = member.name if member else row[0] if row else folded
                yield f"Registre : {who} {'n’est plus dans la table' if member else 'est dans la table sans que le journal en parle'}."
                continue
            held = {role.value: member.roles[role] for role in member.held}
            pairs = (("le nom", row[0], member.name), ("l’adresse", row[1], member.mail), ("la présence", row[2], member.standing.value),
                     ("l’enrôlement", row[3], member.enrolled), ("les rôles", row[4], held))  # fmt: skip
            for label, written, said in pairs:
                if written != said:
                    yield f"Registre : pour {label} de {member.name}, la table dit autre chose que le journal."
