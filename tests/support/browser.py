"""Prefect's V2 interface as a person drives it, with the system's chromium: pages to read, forms to fill, runs to follow.

A form is filled by the labels it shows: the `title` of a field, or the name of a parameter of the flow when it has none.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import wraps
from pathlib import Path
from typing import Any, NamedTuple, Self, TypeVar, cast
from urllib.parse import quote

from playwright.sync_api import Error, Locator, Response, expect, sync_playwright
from playwright.sync_api import TimeoutError as Late

SECONDS = 60  # the longest wait for a page or a widget, where others use the machine too
TABS = {type(None): "None", bool: "bool", int: "int", float: "float", str: "str", list: "list", dict: "dict"}
ARGUMENTS = [
    "--no-sandbox",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # the page would call an analytics host
    *("--disable-gpu", "--disable-software-rasterizer"),  # to imitate a graphics card takes as long as all the pages
]
FINAL = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}
Act = TypeVar("Act", bound=Callable[..., Any])


class Stuck(AssertionError):
    """The interface did not do what a person expects; says what was tried, and where the screenshot is."""


class NotAccepted(Exception):
    """The server refused a form. Its `args`: the status (0: the form did not ask), the answer, what is then red beside the fields."""


def watched(act: Act) -> Act:
    """What a person does on the desk; when it fails, the failure tells what was tried and where the screenshot is."""

    @wraps(act)
    def watching(desk: Desk, *asked: Any, **how: Any) -> Any:
        try:
            return act(desk, *asked, **how)
        except (Error, AssertionError) as fault:
            raise Stuck(f"{act.__name__}{asked}: {fault}\nscreenshot: {desk.screenshot()}") from fault

    return cast("Act", watching)


class Place(NamedTuple):
    """A part of a form. Each field has a fieldset: how many are around (`depth`) tells what is here from what is in a field inside."""

    within: Locator
    depth: int

    def own(self, what: str) -> Locator:
        return self.within.locator(f"xpath=.//{what}[count(ancestor::fieldset)={self.depth}]")

    def field(self, label: str) -> Place:
        """The field under a label; one that may be left out says (Optional)."""
        written = " or ".join(f'normalize-space()="{words}"' for words in (label, f"{label} (Optional)"))
        fieldset = "xpath=ancestor::div[contains(@class, 'group')][1]/fieldset"
        return Place(self.own(f"label[{written}]").locator(fieldset), self.depth + 1)


class Desk:
    """One chromium window on the interface at `base` (http://127.0.0.1:port)."""

    def __init__(self, base: str, shots: Path | None = None) -> None:
        self.base = base
        self.shots = shots or Path(tempfile.mkdtemp(prefix="desk-"))

    def __enter__(self) -> Self:
        with ExitStack() as opened:
            chromium = opened.enter_context(sync_playwright()).chromium
            launched = opened.enter_context(chromium.launch(executable_path=shutil.which("chromium") or "chromium", args=ARGUMENTS))
            self.page = launched.new_page(
                base_url=self.base, viewport={"width": 1300, "height": 1000}, timezone_id="Europe/Paris", reduced_motion="reduce"
            )
            self.page.set_default_timeout(SECONDS * 1000)
            self.form = Place(self.page.locator("form"), 0)
            self._opened = opened.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def screenshot(self, path: Path | None = None) -> Path:
        self.page.screenshot(path=(path := path or self.shots / f"{time.time_ns()}.png"), full_page=True)
        return path

    @watched
    def open_page(self, key: str, *, latest: bool = False) -> str:
        """The page of an artifact by its key: its last *description*, drawn. `latest`: and a click on the last version: its *data*."""
        self.page.goto(f"/v2/artifacts/key/{quote(key)}")
        self.page.get_by_text(f"Created {key}").wait_for()
        if latest:
            self.page.locator("a[href*='/artifacts/artifact/']").first.click()
            self.page.get_by_role("tab", name="Raw").wait_for()
        return self.text()

    def text(self) -> str:
        """What this page says, once its data has come and its diagrams are drawn."""
        self.page.wait_for_load_state("networkidle")
        expect(self.page.locator("[data-slot='skeleton']")).to_have_count(0, timeout=SECONDS * 1000)
        return self.page.locator("body").inner_text()

    def diagrams(self) -> list[str]:  # the states of each mermaid diagram drawn on this page, as "a b c"
        return [" ".join(one.locator(".nodeLabel").all_text_contents()) for one in self.page.locator("svg[id^='mermaid']").all()]

    @watched
    def run_page(self, run_id: str) -> str:
        """The page of a flow run, open on its details: the name of its state, and the message of that state."""
        self.page.goto(f"/v2/runs/flow-run/{run_id}?tab=Details")
        self.page.get_by_text("Flow Run ID").wait_for()
        return self.text()

    @watched
    def run_log(self, run_id: str) -> str:
        """The page of a flow run as it opens: on its log."""
        self.page.goto(f"/v2/runs/flow-run/{run_id}")
        self.page.get_by_role("tab", name="Logs").wait_for()
        return self.text()

    @watched
    def wait_until_finished(self, run_id: str, seconds: float = 60) -> str:
        """The name of the final state of a run ("Completed", "Refused"...)."""
        self.page.goto("about:blank")  # an open page of a run asks its server all the time
        limit = time.monotonic() + seconds
        while (state := self.page.request.get(f"/api/flow_runs/{run_id}").json()["state"])["type"] not in FINAL:
            assert time.monotonic() < limit, f"still {state['name']} after {seconds} seconds"
            self.page.wait_for_timeout(250)  # between two questions
        return str(state["name"])

    @watched
    def open_form(self, deployment_id: str, parameters: dict[str, Any] | None = None) -> None:
        """The form of a deployment ("Custom run"), filled beforehand with `parameters`, as a link can do."""
        filled = f"?parameters={quote(json.dumps(parameters))}" if parameters else ""
        self.page.goto(f"/v2/deployments/deployment/{deployment_id}/run{filled}")
        self.page.locator("form fieldset").first.wait_for()

    @watched
    def fill(self, label: str, value: Any) -> None:
        """Fill the field under `label`, as a person does. In `value`, a dict is a group of fields and a list adds items."""
        self._put(self.form.field(label), value)

    @watched
    def fill_json(self, label: str, content: Any) -> None:
        """Fill the field under `label` through the JSON editor that its menu offers."""
        within = self.form.field(label).within
        within.locator("xpath=..").get_by_role("button", name="Open menu").first.click()
        self.page.get_by_role("menuitem", name="Use JSON Input").click()
        within.locator(".cm-content").click()
        self.page.keyboard.press("ControlOrMeta+a")
        self.page.keyboard.insert_text(json.dumps(content, ensure_ascii=False))  # typed, each bracket would close itself

    @watched
    def enforce(self, *, schema: bool) -> None:
        """Turn on or off the switch below a form that has the server check what it is given."""
        self.page.get_by_role("switch", name="Enforce Parameter Schema").set_checked(schema)

    @watched
    def submit(self) -> str:
        """Click on Submit; the id of the flow run. Raises NotAccepted when the server refuses, or when the form asks it nothing."""
        status, answer = 0, None
        for _ in range(4):
            try:
                with self.page.expect_request("**/create_flow_run", timeout=5000) as asked:
                    self.page.get_by_role("button", name="Submit", exact=True).click()
                answer = cast("Response", asked.value.response())
            except Late:  # after a refusal, the first click only checks the form again
                continue
            if answer.ok:
                return str(answer.json()["id"])
            status = answer.status
            break
        shown = "\n".join(self.page.locator("form .text-destructive").all_inner_texts())
        raise NotAccepted(status, answer.text() if answer else "", shown)

    def _leave_popup(self) -> None:
        self.page.keyboard.press("Escape")
        self.page.locator("[data-slot='popover-content']").wait_for(state="detached")

    def _put(self, place: Place, value: Any) -> None:  # noqa: C901 - one branch for each widget
        """Fill a place: one of several types, a group of fields, a select, a list, or a single widget."""
        place.within.locator("textarea, input, button, p").first.wait_for()
        tabs, day, select = map(place.own, ("div[@role='tablist']", "button[@aria-haspopup='dialog']", "button[@aria-haspopup='listbox']"))
        if tabs.count():
            names, name = tabs.get_by_role("tab").all_inner_texts(), TABS.get(type(value), "")
            tabs.get_by_role("tab", name=name if name in names else names[0], exact=True).click()
            if value is not None:
                shown = place.own("div[@role='tabpanel' and @data-state='active']").locator("fieldset").first
                self._put(Place(shown, place.depth + 1), value)
        elif isinstance(value, dict):
            for label, inner in value.items():
                self._put(place.field(label), inner)
        elif select.count():
            select.click()
            for one in value if isinstance(value, list) else [value]:
                self.page.get_by_role("option", name=str(one), exact=True).click()
            self._leave_popup()
        elif isinstance(value, list):
            items = place.own("div[contains(@class, 'grid-cols-[auto_1fr_auto]')]")
            for inner in value:
                already = items.count()
                place.own("button[normalize-space()='Add item']").click()
                self._put(Place(items.nth(already), place.depth), inner)
        elif isinstance(value, bool):
            place.own("button[@role='switch']").set_checked(value)
        elif day.count():
            day.click()
            self.page.get_by_label("Date (yyyy-MM-dd)").fill(str(value))
            self._leave_popup()
            expect(day).not_to_have_text("Pick a date")
        else:
            place.own("*[self::textarea or self::input]").fill(str(value))
