"""Everything that lives behind one set of settings: the database opened once, and what reads and writes it."""

from __future__ import annotations

import sys
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from flows.ports.clock import now
from flows.ports.keys import FileVault
from flows.ports.terminal import say
from flows.settings import Settings
from models.database.store import Store, Upgraded, Upgrading
from models.tables import SCHEMA

if TYPE_CHECKING:
    from models.dashboard import Dashboard
    from models.ledger.ledger import Ledger
    from models.once import Marks
    from models.outbox import Outbox
    from models.people.register import Register
    from models.read.views import Views
    from models.verify.auditing import Auditor
    from models.verify.proof import Verifier


OPENED: list[Store] = []


def close_all() -> None:
    """Close every database that this process has opened."""
    while OPENED:
        OPENED.pop().close()


def upgraded_told(upgraded: Upgraded) -> str:
    """What became of a database of before, in French."""
    copied = f" ; une copie d’avant est dans {upgraded.copy}" if upgraded.copy else ""
    return f"La base a été reprise, du schéma {upgraded.schema} au schéma {SCHEMA}{copied}. Vérifiez : jalon verify"


class Home:
    """One database and its doors. What a command does not use is not imported. Raises Unreachable."""

    def __init__(self, settings: Settings, *, create: bool = False, upgrade: bool = True, agreed: bool = False) -> None:
        """`upgrade`: bring a database of before forward; `agreed`: a copy of it was made, where jalon cannot make one."""
        self.settings = settings
        self.vault = FileVault(settings.codes_key)
        upgrading = Upgrading(now(), agreed, self.vault.seal) if upgrade else None
        self.store = Store(settings.database_url, create=create, upgrading=upgrading)
        if self.store.upgraded is not None:
            say(upgraded_told(self.store.upgraded), sys.stderr)
        OPENED.append(self.store)

    @cached_property
    def ledger(self) -> Ledger:
        from flows.ports.gazetteer import communes
        from models.ledger.ledger import Ledger

        settings = self.settings
        return Ledger(self.store, gazetteer=communes, vault=self.vault, waits=settings.waits, clock_tolerance=settings.clock_tolerance)

    @cached_property
    def register(self) -> Register:
        from models.people.register import Register

        return Register(self.store, self.vault)

    @cached_property
    def dashboard(self) -> Dashboard:
        from models.dashboard import Dashboard

        return Dashboard(self.store)

    @cached_property
    def marks(self) -> Marks:
        from models.once import Marks

        return Marks(self.store)

    @cached_property
    def outbox(self) -> Outbox:
        from models.outbox import Outbox

        return Outbox(self.store)

    @cached_property
    def views(self) -> Views:
        from models.read.views import Views

        return Views(self.store, waits=self.settings.waits)

    @cached_property
    def verifier(self) -> Verifier:
        from models.verify.proof import Verifier

        return Verifier(self.store)

    def auditor(self) -> Auditor:
        """What proves the dossiers against the seals and the letters that are in the folders now. Raises Unreachable."""
        from flows.ports import mail, seals
        from models.verify.auditing import Auditor
        from models.verify.nights import Nights

        return Auditor(self.store, Nights(seals.read_all(seals.folder_of(self.settings.home))), mail.kept(self.settings.mail_dir))


@lru_cache(maxsize=4)
def shared_home(settings: Settings) -> Home:
    """The same home for every flow run of a process."""
    return Home(settings)
