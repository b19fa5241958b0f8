"""The environment, read once into frozen settings. Without pydantic: `jalon show` starts in the time that this saves."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from flows.ports.keys import key_path
from models.answers import Invalid
from models.database.store import sqlite_url

DAYS_AT_MOST, BACKUP_DAYS_AT_MOST = 30, 365
PROJECT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Settings:
    """Where jalon keeps its things.

    `JALON_HOME`: the folder of everything that follows (default: `var/jalon` in the project).
    `JALON_DATABASE_URL`: the ledger (default: SQLite in that folder; `postgresql+psycopg://...` works as well).
    `JALON_MAIL_DIR`: where mail is written; `JALON_MAIL_FROM`: in whose name.
    `JALON_INBOX`: where requests with personal data wait, so that they never pass through Prefect.
    `JALON_CODES`: which flow runs ask for a one-time code: `every` one (default), or only those that move `money`, for runs
    that no form has started, as those of the demo.
    `JALON_CODES_KEY`: the file with the key of the codes' secrets (default: `codes.key` in the home, or systemd's credential).
    `JALON_WAITING_DAYS`: working days before a role that was given, or newly enrolled, moves money (default: 1).
    `JALON_BACKUP_DAYS`: days after which `jalon doctor` warns that the last backup is old (default: 7).
    `JALON_DESK`: set where a desk listens (`jalon up` sets it): the events of steps then start the checks.
    """

    home: Path
    database_url: str
    mail_dir: Path
    mail_from: str
    inbox: Path
    codes: str
    desk: bool
    codes_key: Path
    waits: int
    backup_days: int


def settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings of an environment."""
    home = Path(environment.get("JALON_HOME") or PROJECT / "var" / "jalon").resolve()
    return Settings(
        home=home,
        database_url=environment.get("JALON_DATABASE_URL") or sqlite_url(home / "jalon.db"),
        mail_dir=Path(environment.get("JALON_MAIL_DIR") or home / "mail"),
        mail_from=environment.get("JALON_MAIL_FROM") or "jalon@localhost",
        inbox=Path(environment.get("JALON_INBOX") or home / "inbox"),
        codes="money" if environment.get("JALON_CODES") == "money" else "every",
        desk=bool(environment.get("JALON_DESK")),
        codes_key=key_path(Path(key) if (key := environment.get("JALON_CODES_KEY")) else None, home),
        waits=_days(environment, "JALON_WAITING_DAYS", "1", DAYS_AT_MOST, "jours ouvrés"),
        backup_days=_days(environment, "JALON_BACKUP_DAYS", "7", BACKUP_DAYS_AT_MOST, "jours"),
    )


def _days(environment: Mapping[str, str], name: str, default: str, most: int, unit: str) -> int:
    text = environment.get(name) or default
    if not (text.isascii() and text.isdigit() and int(text) <= most):
        raise Invalid(f"{name} est un nombre de {unit}, de 0 à {most}.")
    return int(text)
