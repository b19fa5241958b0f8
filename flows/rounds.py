"""The rounds that the clock starts. Each is keyed by its own day: doubled or late, it does nothing twice."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Sequence
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import quote

from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State as RunState
from prefect.runtime import flow_run

from flows.deliver import SKIPPED
from flows.desk.ends import completed, failed
from flows.desk.publishing import SLICE, Desk
from flows.home import Home, shared_home
from flows.mail.reminders import reminder
from flows.night import sealed
from flows.ports import mail
from flows.ports.clock import now
from flows.ports.locks import held
from flows.server import server, sizes
from flows.server.routes import PURGE, SIZES
from flows.settings import settings
from models.answers import Invalid
from models.database.faults import Unreachable
from models.once import Mark
from states.grammar.deadlines import SOON, paris_day
from states.overview.outlook import outlook
from states.values.calendars import is_working_day
from states.values.french import counted, day

PURGE_SECONDS = 600
AT_OPENING = 50  # pages; publishing one takes Prefect about twenty milliseconds
FORGOTTEN_AFTER = timedelta(days=60)  # Prefect keeps events for a week, and no round comes two months late
NAMED_AT_MOST = 5  # dossiers, or anomalies, in the message of a run
CALENDAR = "metropole"  # of the desk itself; the delays of a dossier follow the calendar of its own centre


@flow(name="daily", description="Ronde du matin, les jours ouvrés : rappelle à chacun les échéances passées ou proches.")
async def daily() -> RunState[None]:
    """Write to everybody whose dossiers are late or soon due: one letter a day, at most."""
    return await _once("daily", paris_day(now()), _daily)


@flow(name="nightly", description="Chaque nuit : vérifie chaque dossier, et scelle les têtes de toutes les chaînes.")
async def nightly() -> RunState[None]:
    """Verify every dossier, decide every entry again, write the seal of the day, and send it to the auditors.

    A broken dossier ends the run as `Broken`; an entry that comes out otherwise under the law of its number, as `Anomaly`.
    """
    return await _once("nightly", paris_day(now()), _nightly)


@flow(name="refresh", description="Recalcule le tableau de bord et la page de chaque dossier depuis le registre.")
async def refresh() -> RunState[None]:
    """Compute the desk again, and publish the pages that say something new."""
    home = shared_home(settings())
    try:
        with held(home.settings.home / "refresh.lock") as alone:
            if not alone:
                return completed("Un autre recalcul est en cours.", name=SKIPPED)
            message = await refresh_desk(home)
            home.marks.set("refresh", message, now=now())
    except Unreachable as fault:
        return failed("Unreachable", str(fault))
    return completed(message)


@flow(name="purge", description="Chaque nuit : efface de Prefect les exécutions finies, journaux, événements et versions de pages anciens.")
async def purge() -> RunState[None]:
    """Delete what Prefect keeps for longer than the setting, and write down what it takes. Nothing of the ledger is touched."""
    configured = settings()
    days = counted(configured.prefect_days, "jour", "jours")
    try:
        before = (now() - timedelta(days=configured.prefect_days)).isoformat()
        gone = server.ask(os.environ, f"{PURGE}?before={quote(before)}", {}, seconds=PURGE_SECONDS, of_api=False)
        sizes.written(Path(os.environ["PREFECT_HOME"]), server.ask(os.environ, SIZES, of_api=False), now())
    except Unreachable as fault:
        return failed("Unreachable", str(fault))
    told = f"{counted(gone['runs'], 'exécution effacée', 'exécutions effacées')}, {counted(gone['logs'], 'ligne', 'lignes')} de journal"
    told += f", {counted(gone['events'], 'événement', 'événements')}, {counted(gone['artifacts'], 'version', 'versions')} de pages"
    return completed(f"Plus de {days} : {told}.")


async def refresh_desk(home: Home) -> str:
    """Show every dossier and the dashboard as the ledger says; what was done, in French. Raises Unreachable."""
    after, shown, left = "", 0, []
    async with get_client() as client:
        desk = Desk(home, client)
        while references := home.dashboard.references(after, SLICE):
            left += await desk.show(references)
            after, shown = references[-1], shown + len(references)
        await desk.offer()
        await desk.show_lists()
        await desk.show_dashboard(at=now())
    illegible = f" {counted(len(left), 'dossier est illisible', 'dossiers sont illisibles')} : {', '.join(left[:5])}." if left else ""
    return f"{counted(shown, 'dossier recalculé', 'dossiers recalculés')}.{illegible}"


async def open_desk(home: Home) -> None:
    """What has to be there when the desk opens: the forms, the dashboard, and the pages, unless they are so many that a run makes them."""
    home.dashboard.forget_pages()
    async with get_client() as client:
        desk = Desk(home, client)
        after, read = "", 0
        while references := home.dashboard.references(after, SLICE):
            keep_lines(home, references)
            after, read = references[-1], read + len(references)
        if read > AT_OPENING:
            await desk.offer()
            await desk.show_dashboard(at=now())
            refreshing = (await desk.deployments())["refresh"]
            await client.create_flow_run_from_deployment(refreshing.id)
        await desk.show_lists(again=True)
    if read <= AT_OPENING:
        await refresh_desk(home)


def keep_lines(home: Home, references: Sequence[str]) -> None:
    """Compute the lines of these dossiers again; one whose rows cannot be read keeps its old line."""
    lines = []
    for reference in references:
        try:
            partnership = home.views.partnership(reference)
        except Invalid:
            continue
        lines.append((outlook(partnership, now()), partnership.version))
    home.dashboard.keep(lines)


async def _once(name: str, today: date, work: Callable[[Home, date], Awaitable[tuple[str, str | None]]]) -> RunState[None]:
    """Do the work of a day once; a mark that could not be honoured is given back. The work says what it did, and how it failed if so."""
    home = shared_home(settings())
    key = today.isoformat()
    try:
        if not home.marks.take(name, key, now=now(), by=flow_run.id or ""):
            earlier = home.marks.last(name) or Mark(key, "", "")
            return completed(f"Déjà fait pour le {day(today)}. {earlier.message}".strip())
        try:
            message, broken = await work(home, today)
        except BaseException:
            home.marks.drop(name, key)
            raise
        home.marks.tell(name, key, message, now=now())
    except Unreachable as fault:
        return failed("Unreachable", str(fault))
    return failed(broken, message) if broken else completed(message)


async def _daily(home: Home, today: date) -> tuple[str, str | None]:
    if not is_working_day(today, CALENDAR):
        return f"Le {day(today)} n’est pas un jour ouvré.", None
    pressing = home.dashboard.all_due(today + SOON)
    letters = 0
    for person in home.register.everyone():
        theirs = [outlook for outlook in pressing if not set(outlook.by).isdisjoint(person.roles)]
        if theirs:
            mail.write(reminder(person, theirs, today, now()), folder=home.settings.mail_dir, sender=home.settings.mail_from)
            letters += 1
    return f"{counted(len(pressing), 'échéance', 'échéances')}, {counted(letters, 'rappel envoyé', 'rappels envoyés')}.", None


async def _nightly(home: Home, today: date) -> tuple[str, str | None]:
    home.marks.purge(before=now() - FORGOTTEN_AFTER)
    return sealed(home, today, now())
