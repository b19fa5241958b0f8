"""Journals hold facts: each dossier of before is verified once, by the reader of its time, and its facts are carried over whole.

Nothing that was written is touched. The entry `carry_over` follows the last entry of each dossier; from there on, a dossier is what
its entries add up to. What no longer held at that moment is said in the entry, so that it goes on being said.
"""

import json
from datetime import datetime
from hashlib import blake2b, sha256
from typing import Any

import orjson
import sqlalchemy as sa
from alembic import context, op

from models.database.faults import Unreachable
from models.database.migrations.reader_0003 import GOES_WITH_ITS_CAUSE, STANDING, WARNINGS, Illegible, Json, Tree, paris_day, read

revision = "0004"
down_revision = "0003"

LISTS = frozenset({"present", "absent", "excused", "alternates", "proxies", "points", "lines"})
TRUTHS = frozenset({"reconvened", "proxies_count", "quorum_verified"})
FACT_OF = {
    "dossier": "la date ou l’origine de l’état",
    "parties": "les parties",
    "terms": "les conditions",
    "acts": "les délibérations",
    "signatures": "les signatures",
    "trainings": "la formation",
    "committees": "les comités",
    "trainees": "les stagiaires",
    "invoices": "les factures",
    "settlements": "la liquidation, le mandat et le paiement",
    "documents": "les documents",
    "appeals": "les recours",
    "recoveries": "les récupérations",
    "payee_changes": "les changements de compte",
    "delegations": "les délégations",
}
COLLECTIONS = tuple(name for name in FACT_OF if name != "dossier")
# An entry without the number of a law comes from a jalon of before that still runs: it must not write here any more.
NUMBERED = {
    "sqlite": (
        """CREATE TRIGGER journal_entries_have_a_law BEFORE INSERT ON journal WHEN instr(NEW.entry, '"law":') = 0
        BEGIN SELECT RAISE(ABORT, 'this database was upgraded: start the new jalon'); END""",
    ),
    "postgresql": (
        """CREATE FUNCTION journal_entries_have_a_law() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'this database was upgraded: start the new jalon'; END $$""",
        """CREATE TRIGGER journal_entries_have_a_law BEFORE INSERT ON journal FOR EACH ROW
        WHEN (position('"law":' in NEW.entry) = 0) EXECUTE FUNCTION journal_entries_have_a_law()""",
    ),
}


def upgrade() -> None:
    connection = op.get_bind()
    at: datetime = context.config.attributes["at"]
    rows = connection.exec_driver_sql("SELECT id, reference, imported, state, version, n, head, entered_on, pepper FROM partnerships")
    for id_, *row in rows.fetchall():
        _carry_over(connection, id_, row, at)
    for statement in NUMBERED[connection.dialect.name]:
        op.execute(statement)


def _carry_over(connection: Any, id_: int, row: Any, at: datetime) -> None:
    reference, imported, state, version, n, head, entered_on, pepper = row
    asked = sa.text("SELECT n, entry, digest FROM journal WHERE partnership_id = :id ORDER BY n")
    rows = [tuple(found) for found in connection.execute(asked, {"id": id_})]
    entries = [_parsed(entry) for _, entry, _ in rows]
    if any(entry is not None and "law" in entry for entry in entries):
        raise Unreachable(
            f"La base est à moitié reprise : le dossier {reference} l’est déjà, et elle se dit encore du schéma 0003. Rien n’a changé : "
            "restaurez la première copie qui porte ce schéma."
        )
    once = ({"imported": True} if imported else {}) | ({"entered_on": entered_on} if entered_on else {})
    kept = {"dossier": once, **{name: _rows(connection, name, id_) for name in COLLECTIONS}}
    findings = _findings(connection, id_)
    facts, place, faults = _compared(entries, kept, (state, version), findings)
    if not rows or (n, head) != (rows[-1][0], rows[-1][2]):
        faults.append("À la reprise, la tête du journal n’était pas celle que le dossier retenait.")
    following = max([n, *(number for number, *_ in rows)]) + 1  # a number that somebody has changed must not be taken twice
    told = {**{name: values for name, values in facts.items() if values}, "findings": findings}
    _append(connection, id_, pepper, _entry(row, following, place, told, faults, at))


def _append(connection: Any, id_: int, pepper: str, entry: Json) -> None:
    """Write the entry, and move the head of the dossier to it."""
    told = orjson.dumps(entry, option=orjson.OPT_SORT_KEYS)
    n, seal = entry["n"], sha256(told).hexdigest()
    values = {
        "id": id_,
        "n": n,
        "key": entry["key"],
        "input_digest": _keyed(pepper, told),
        "entry": told.decode(),
        "digest": seal,
    }
    insert = (
        'INSERT INTO journal (partnership_id, n, "key", input_digest, entry, digest) VALUES (:id, :n, :key, :input_digest, :entry, :digest)'
    )
    connection.execute(sa.text(insert), values)
    connection.execute(sa.text("UPDATE partnerships SET n = :n, head = :digest WHERE id = :id"), values)


def _keyed(pepper: str, told: bytes) -> str:
    try:
        return blake2b(told, digest_size=32, key=bytes.fromhex(pepper)).hexdigest()
    except ValueError:  # a secret that somebody has damaged
        return blake2b(told, digest_size=32).hexdigest()


def _parsed(entry: str) -> Json | None:
    """An entry as JSON values; None when it is none."""
    try:
        told = json.loads(entry)
    except ValueError:
        return None
    return told if isinstance(told, dict) else None


def _compared(entries: list[Json | None], kept: Tree, place: tuple[str, int], findings: Json) -> tuple[Tree, tuple[str, int], list[str]]:
    """The facts that the journal tells of, its state and version, and what the rows hold otherwise; the rows where it cannot be read."""
    try:
        _, told, state, version = read(entries)
    except Illegible as fault:
        return kept, place, [f"Le journal d’avant la reprise ne se relit pas ({fault})."]
    warnings = told.pop(WARNINGS, {})
    faults = [] if (state, version) == place else ["À la reprise, l’état ou la version du dossier n’étaient pas ceux du journal."]
    differing = [FACT_OF[name] for name in ("dossier", *COLLECTIONS) if told.get(name, {}) != kept.get(name, {})]
    if differing:
        faults.append(f"À la reprise, des données n’étaient pas celles du journal : {', '.join(differing)}.")
    if not _are_explained(findings, warnings):
        faults.append("À la reprise, des constats n’étaient pas ceux du journal.")
    return told, (state, version), faults


def _are_explained(findings: Json, warnings: Json) -> bool:
    """Whether the findings that a step left behind are those that the journal tells of."""
    left = {key: values for key, values in findings.items() if key.partition(" ")[0] not in STANDING}
    return left.keys() <= warnings.keys() and all(
        left.get(key) == values for key, values in warnings.items() if key.partition(" ")[0] not in GOES_WITH_ITS_CAUSE
    )


def _rows(connection: Any, name: str, id_: int) -> dict[str, Json]:
    """The facts of a collection as the rows hold them, in the shape of a journal."""
    found = connection.execute(sa.text(f"SELECT * FROM {name} WHERE partnership_id = :id"), {"id": id_})  # noqa: S608 - a name of ours
    return {str(row["number"]): dict(_fields(row)) for row in found.mappings()}


def _fields(row: Any) -> Any:
    for name, value in row.items():
        if value is None or name in ("partnership_id", "number"):
            continue
        if name.endswith("_cents"):
            yield name.removesuffix("_cents"), f"{value // 100}.{value % 100:02}"
        else:
            yield name, _list(value) if name in LISTS else bool(value) if name in TRUTHS else value


def _list(value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError:  # damaged: it will not be what the journal tells
        return value


def _findings(connection: Any, id_: int) -> dict[str, Json]:
    asked = "SELECT code, subject, severity, reason, source FROM findings WHERE partnership_id = :id AND resolved_at IS NULL"
    found = connection.execute(sa.text(asked), {"id": id_})
    return {
        f"{row.code} {row.subject}".rstrip(): {"severity": row.severity, "reason": row.reason, "source": row.source} for row in found
    }  # fmt: skip


def _entry(row: Any, n: int, place: tuple[str, int], facts: Tree, faults: list[str], at: datetime) -> Json:
    reference, _, _, _, _, head, _, _ = row
    state, version = place
    recorded_at = f"{at.isoformat(timespec='microseconds')[:26]}Z"
    return {
        "law": 1,
        "reference": reference,
        "n": n,
        "prev": head,
        "key": f"jalon:carry_over:{head}",
        "trigger": "carry_over",
        "label": "Reprendre le journal d’avant",
        "from": state,
        "to": state,
        "version": version,
        "outcome": "carried",
        "actor": "horloge",
        "role": "clock",
        "effective_on": paris_day(recorded_at),
        "recorded_at": recorded_at,
        "via": "upgrade",
        "request": {"schema": "0003"},
        "reasons": [],
        "facts": facts,
        **({"faults": faults} if faults else {}),
    }
