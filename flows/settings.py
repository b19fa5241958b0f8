"""The environment, read once into frozen settings. Without pydantic: `jalon show` starts in the time that this saves."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from flows.ports.keys import key_path
from models.answers import Invalid
from models.database.store import sqlite_url

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
    `JALON_PREFECT_DAYS`: how many days Prefect's own rows are kept (finished runs, logs, events, older versions of pages; default 30).
    `JALON_CLOCK_TOLERANCE`: how many seconds behind the newest entry of a dossier the next one may be written (default: 120).
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
    clock_tolerance: timedelta
    backup_days: int
    prefect_days: int = 30


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
        waits=_days(environment, "JALON_WAITING_DAYS", usual=1, least=0, most=30),
        prefect_days=_days(environment, "JALON_PREFECT_DAYS", usual=30, least=1, most=3650),
        backup_days=_days(environment, "JALON_BACKUP_DAYS", usual=7, least=0, most=365),
        clock_tolerance=timedelta(seconds=_seconds(environment.get("JALON_CLOCK_TOLERANCE"))),
    )


def _days(environment: Mapping[str, str], name: str, *, usual: int, least: int, most: int) -> int:
    """A number of days. Raises Invalid for anything else: a slip must neither lose runs nor shorten a delay without a word."""
    text = environment.get(name) or str(usual)
    if not (text.isascii() and text.isdigit() and least <= int(text[:6]) <= most):
        raise Invalid(f"{name} est un nombre de jours, de {least} à {most}.")
    return int(text)


def _seconds(text: str | None) -> int:
    """A number of seconds; what is none leaves the default, which is the stricter one."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else 120
