"""Plays scenes on the running server: each one a run of its step's own flow, then what the outbox holds is delivered."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from prefect.client.schemas.objects import State as RunState
from rich.console import Console

from flows import steps
from flows.deliver import deliver
from flows.demo import story
from flows.home import Home
from flows.intake.trainees import content_of, lines_of, read_for
from flows.ports.clock import now
from models.people.codes import PERIOD, code_at
from states.lifecycle import STEPS
from states.values.french import counted
from states.vocabulary import Role


class Play:
    """One performance; `as_told` stays true while every run ends as the story says."""

    def __init__(self, home: Home, console: Console) -> None:
        self._home = home
        self._console = console
        self.as_told = True
        self._used: dict[str, int] = {}

    async def scenes(self, scenes: Iterable[story.Scene]) -> None:
        """Play one scene after the other, with its letters and checks."""
        for scene in scenes:
            state = await self._run(scene.trigger, scene.role, request=scene.request)
            self._tell(scene, state)
            await deliver(return_state=True)

    def findings(self) -> None:
        """What the dossier shows of its own history."""
        self._console.print("  Constats que cette histoire laisse :")
        for finding in self._home.views.dossier(story.REFERENCE).findings:
            self._console.print(f"      {finding.code} : {finding.reason} Source : {finding.source}.", markup=False)

    async def imported(self, files: Iterable[Path]) -> None:
        """Import spreadsheets one after the other: bad lines are told, a good file goes through the inbox as one run."""
        for path in files:
            sheet = read_for(self._home, story.REFERENCE, path)
            self._console.print(
                f"  {path.name} : {counted(len(sheet.rows), 'bonne ligne', 'bonnes lignes')}, {len(sheet.faults)} à corriger"
            )
            if sheet.faults:
                self._console.print("\n".join(f"      {line.strip()}" for line in lines_of(sheet.faults)), markup=False)
                self._console.print("      Rien n’est importé : tout ou rien.")
                continue
            (file,) = inbox_files(self._home.settings.inbox, [content_of(sheet)])
            state = await self._run("retain_trainees", Role.TRAINING_OFFICER, file=file)
            self.as_told &= state.is_completed()
            self._console.print(f"  [green]✓[/] {STEPS['retain_trainees'].label} ({story.PEOPLE[Role.TRAINING_OFFICER]})")
            await deliver(return_state=True)

    async def many(self, trigger: str, requests: Sequence[Mapping[str, object]]) -> None:
        """Play many requests of one step."""
        await self._all(trigger, [{"request": request} for request in requests])

    async def _all(self, trigger: str, requests: Sequence[Mapping[str, object]]) -> None:
        label = STEPS[trigger].label
        with self._console.status(label) as status:
            for place, parameters in enumerate(requests, start=1):
                state = await self._run(trigger, Role.TRAINING_OFFICER, **parameters)
                self.as_told &= state.is_completed()
                status.update(f"{label} {place}/{len(requests)}")
            await deliver(return_state=True)
        self._console.print(f"  [green]✓[/] {label} × {len(requests)} ({story.PEOPLE[Role.TRAINING_OFFICER]})")

    async def _run(self, trigger: str, role: Role, **parameters: object) -> RunState[None]:
        run: Callable[..., Awaitable[RunState[None]]] = steps.flow_named(trigger).with_options(flow_run_name=f"{trigger}-{story.REFERENCE}")
        if not STEPS[trigger].opens:
            parameters["reference"] = story.REFERENCE
        if STEPS[trigger].asks_code:
            parameters["code"] = self._code(story.PEOPLE[role])
        state: RunState[None] = await run(person=story.PEOPLE[role], **parameters, return_state=True)
        return state

    def _code(self, person: str) -> str:
        """The next code of a person: each serves once, and those of the period before and after are right as well."""
        period = max(int(now().timestamp()) // PERIOD - 1, self._used.get(person, 0) + 1)
        self._used[person] = period
        return code_at(story.secret_of(person), datetime.fromtimestamp(period * PERIOD, UTC))

    def _tell(self, scene: story.Scene, state: RunState[None]) -> None:
        label, who = STEPS[scene.trigger].label, story.PEOPLE[scene.role]
        remark = f" : {scene.remark}" if scene.remark else ""
        message = state.message or ""
        if scene.refused:
            self.as_told &= state.name == "Refused" and all(code in message for code in scene.refused)
            mark = "[yellow]refusé[/]"
        else:
            self.as_told &= state.is_completed()
            mark = "[green]✓[/]" if state.is_completed() else "[red]échec[/]"
        self._console.print(f"  {mark} {label}{remark} ({who})")
        if not state.is_completed() or "À savoir" in message:
            for line in message.splitlines():
                self._console.print(f"      {line}", markup=False)


def inbox_files(folder: Path, requests: Iterable[Mapping[str, object]]) -> list[str]:
    """Drop requests that hold names into the inbox; the names of the files."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    names = []
    for place, request in enumerate(requests, start=1):
        name = f"demande-{place:02}.json"
        (folder / name).write_text(json.dumps(request, ensure_ascii=False))
        names.append(name)
    return names
