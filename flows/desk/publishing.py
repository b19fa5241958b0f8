"""What the desk in Prefect shows: pages as artifacts, steps as events, and forms that offer the dossiers in the right state."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import ArtifactCreate, DeploymentUpdate
from prefect.client.schemas.filters import WorkPoolFilter, WorkPoolFilterName
from prefect.client.schemas.responses import DeploymentResponse
from prefect.context import FlowRunContext

from flows.desk.dashboard_page import KEY, dashboard, list_key, list_page, listed_line, page_key
from flows.desk.dossier_page import FormAddress, page
from flows.desk.forms import OFFERED_AT_MOST, acting, offering
from flows.desk.markdown import shown
from flows.home import Home
from flows.ports.clock import now
from models.answers import Invalid
from models.dashboard import PageSeal
from models.outbox import Parcel
from states.grammar.deadlines import paris_day
from states.grammar.step import Step
from states.lifecycle import ROWS
from states.overview.outlook import Outlook, outlook
from states.values.plain import Json, legible, legible_in
from states.vocabulary import State

OURS = WorkPoolFilter(name=WorkPoolFilterName(any_=["jalon"]))
LISTED_AT_MOST = 500  # dossiers in one table
EVENT = "jalon."
CHECKED = "jalon.checked"
RESOURCE = "jalon.partnership."
SLICE, AT_ONCE = 100, 4  # dossiers drawn together, and pages under way to Prefect


class Drawn(NamedTuple):
    """The page of a dossier as markdown, what it is remembered by, and the line of the dashboard that goes with it."""

    page: PageSeal
    text: str
    line: Outlook


class Desk:
    """The desk of one database on one Prefect server; what it shows can always be computed again from the ledger."""

    def __init__(self, home: Home, client: PrefectClient) -> None:
        self._home = home
        self._client = client
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._deployments: dict[str, DeploymentResponse] | None = None

    async def deployments(self) -> dict[str, DeploymentResponse]:
        """The deployments of jalon by name, read once."""
        if self._deployments is None:
            found = await self._client.read_deployments(work_pool_filter=OURS, limit=200)
            self._deployments = {deployment.name: deployment for deployment in found if (deployment.entrypoint or "").startswith("flows.")}
        return self._deployments

    async def show(self, references: Sequence[str]) -> list[str]:
        """Publish the pages of dossiers that say something new, and keep their lines of the dashboard; those that cannot be read.

        Raises Unreachable.
        """
        form, illegible = await self._form(), []
        while references:
            drawn, left = self._drawn(references, form)
            illegible += left
            published = self._home.dashboard.published(drawn)
            new = [drawing for reference, drawing in drawn.items() if published.get(reference) != drawing.page.sha256]
            await asyncio.gather(*(self._artifact(page_key(drawing.page.reference), drawing.text) for drawing in new))
            self._home.dashboard.keep((drawing.line, drawing.page.version) for drawing in drawn.values())
            references = self._home.dashboard.publish(
                drawing.page for drawing in new
            )  # those that moved on: the older page may be the last
        return illegible

    async def catch_up(self) -> int:
        """Show the dossiers that somebody has moved without showing it, as `jalon deliver` does; how many."""
        after, found = "", 0
        while references := self._home.dashboard.behind(after, SLICE):
            found += len(references) - len(await self.show(references))
            after = references[-1]
        return found

    def _drawn(self, references: Iterable[str], form: FormAddress) -> tuple[dict[str, Drawn], list[str]]:
        """The pages of dossiers as they are now; the dossiers that somebody has damaged."""
        drawn, illegible = {}, []
        for reference in references:
            at = now()
            try:
                text, partnership = page(self._home, reference, at=at, form=form)
            except Invalid:  # the nightly verification says why
                illegible.append(reference)
                continue
            at_version = PageSeal(reference, partnership.version, hashlib.sha256(text.encode()).hexdigest())
            drawn[reference] = Drawn(at_version, text, outlook(partnership, at))
        return drawn, illegible

    async def _form(self) -> FormAddress:
        """Where the form of a step is, asked by its trigger and a reference."""
        deployments = await self.deployments()

        def address(trigger: str, reference: str, entry: str | None) -> str | None:
            deployment = deployments.get(trigger)
            parameters = quote(json.dumps({"reference": reference, **({"request": {"entry": entry}} if entry else {})}))
            return f"/v2/deployments/deployment/{deployment.id}/run?parameters={parameters}" if deployment else None

        return address

    async def show_dashboard(self, *, at: datetime) -> None:
        """Publish the dashboard."""
        await self._artifact(KEY, dashboard(self._home, at=at))

    async def show_lists(self, *, again: bool = False) -> None:
        """Publish all dossiers as pages that link to each, and as tables that the interface searches; `again`: even what is not new."""
        after, place = "", 1
        while lines := self._home.dashboard.after(after, LISTED_AT_MOST):
            key, rows = list_key(place), json.dumps([legible_in(listed_line(outlook)) for outlook in lines], ensure_ascii=False)
            digest = hashlib.sha256(f"{paris_day(now())} {rows}".encode()).hexdigest()  # what is late changes with the day
            mark = self._home.marks.last(key)
            if again or mark is None or mark.message != digest:
                text = list_page(lines, list_key(place + 1) if len(lines) == LISTED_AT_MOST else None, at=now())
                await self._client.create_artifact(ArtifactCreate(key=key, type="table", description=shown(text), data=rows))
                self._home.marks.set(key, digest, now=now())
            after, place = lines[-1].reference, place + 1

    async def announce(self, parcels: Sequence[Parcel], *, checked: bool) -> None:
        """Tell Prefect of steps, each under an id of its own: a second telling is the same event.

        `checked` says that the checks were made already; otherwise the last event starts them.
        """
        last = len(parcels) - 1
        events = [legible_in(event(parcel, checked=checked or place < last)) for place, parcel in enumerate(parcels)]
        if events:
            answer = await self._client.request("POST", "/events", json=events)
            answer.raise_for_status()

    async def offer(self, states: Iterable[State] | None = None) -> None:
        """Let the forms offer people, and the dossiers in the right state: those of the steps that `states` touch, or of all."""
        deployments, people = await self.deployments(), self._home.register.everyone()
        for row in ROWS:
            deployment = deployments.get(row.trigger)
            if deployment is None or (states is not None and not _concerns(row, states)):
                continue
            proved = self._home.settings.codes == "every" or row.asks_code
            # What cannot be read as it is written cannot be chosen either.
            named = [person for person in people if legible(person.name, keep="") == person.name]
            offered = {"reference": self._choices(row), "person": acting(row, named)}
            schema = offering(deployment.parameter_openapi_schema or {}, proved=proved, **offered)
            if schema != deployment.parameter_openapi_schema:
                await self._client.update_deployment(deployment.id, DeploymentUpdate(parameter_openapi_schema=schema))
                deployment.parameter_openapi_schema = schema

    def _choices(self, row: Step) -> list[str] | None:
        """The dossiers of a form, or None when there are none, or too many to choose from."""
        found: list[str] = []
        for state in row.source if not row.anywhere else ():
            found += self._home.dashboard.in_state(state, OFFERED_AT_MOST + 1)
        found = [reference for reference in found if legible(reference, keep="") == reference]
        return sorted(found) if 0 < len(found) <= OFFERED_AT_MOST else None

    async def _artifact(self, key: str, text: str) -> None:
        """A page is the description of an artifact: that is what the address of its key draws, with the older ones below it."""
        text = shown(text)
        run = FlowRunContext.get()
        run_id = run.flow_run.id if run is not None and run.flow_run is not None else None
        async with self._gate:
            await self._client.create_artifact(ArtifactCreate(key=key, type="markdown", description=text, data=text, flow_run_id=run_id))


def _concerns(row: Step, states: Iterable[State]) -> bool:
    """Whether a dossier that has passed through `states` comes into the form of a step, or leaves it."""
    return not row.anywhere and not set(states).isdisjoint(row.source)


def event(parcel: Parcel, *, checked: bool) -> dict[str, Json]:
    """A step as an event of Prefect. It names nobody: who did what stands in the ledger."""
    entry = parcel.entry
    return {
        "id": str(uuid5(NAMESPACE_URL, f"jalon:{parcel.key}:{parcel.digest}")),
        "occurred": now().isoformat(),
        "event": f"{EVENT}{entry.trigger}",
        "resource": {
            "prefect.resource.id": f"{RESOURCE}{parcel.reference}",
            "prefect.resource.name": parcel.reference,
            "jalon.state": entry.dest,
            CHECKED: "yes" if checked else "no",
        },
        "related": [],
        "payload": {
            "n": entry.n,
            "version": entry.version,
            "from": entry.source,
            "to": entry.dest,
            "recorded_at": entry.recorded_at,
            "digest": parcel.digest,
        },
    }
