"""Nothing but the table knows a step by its name: what others want to know of it is a column of its row."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from states.lifecycle import STEPS
from states.overview.table import deployments

ROOT = Path(__file__).parents[2]
SOURCES = sorted(path for ring in ("states", "models", "flows") for path in (ROOT / ring).rglob("*.py"))
# Where names of steps are looked at all the same, and why.
BY_NAME = {
    "states/journal/standing.py": "two names of before the first law, which will not change",
    "models/database/migrations/reader_0003.py": "the law of an earlier schema, frozen with it",
    "flows/demo/play.py": "a story of steps",
    "flows/demo/story.py": "a story of steps",
    "flows/bench/playing.py": "the same story, for dossiers of other references",
}


def compared(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """The names of steps, with their lines, that are compared, matched, or looked up by: as they are, or by a constant of the file."""
    constants = dict(_constants(tree))
    for node in ast.walk(tree):
        for part in _looked_at(node):
            for one in ast.walk(part):
                word = one.value if isinstance(one, ast.Constant) else constants.get(one.id) if isinstance(one, ast.Name) else None
                if isinstance(word, str) and word in STEPS:
                    yield one.lineno, word


def _looked_at(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Compare):
        yield from (node.left, *node.comparators)
    elif isinstance(node, ast.MatchValue):
        yield node.value
    elif isinstance(node, ast.Dict):
        yield from (key for key in node.keys if key is not None)
    elif isinstance(node, ast.Subscript):
        yield node.slice
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("get", "startswith"):
        yield from node.args


def _constants(tree: ast.Module) -> Iterator[tuple[str, object]]:
    for node in tree.body:
        if isinstance(node, ast.Assign):
            targets = node.targets[0].elts if isinstance(node.targets[0], ast.Tuple) else node.targets
            values = node.value.elts if isinstance(node.value, ast.Tuple) and len(targets) > 1 else [node.value]
            for target, value in zip(targets, values, strict=False):
                if isinstance(target, ast.Name) and isinstance(value, ast.Constant):
                    yield target.id, value.value


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_other_file_compares_the_name_of_a_step(path: Path) -> None:
    """An exception that is no longer one is taken off the list."""
    name = str(path.relative_to(ROOT))
    found = [] if name == "states/lifecycle.py" else list(compared(ast.parse(path.read_text(encoding="utf-8"))))
    assert bool(found) == (name in BY_NAME), found


@pytest.mark.parametrize(
    "code",
    [
        'if row.trigger == "settle": pass',
        'if row.trigger in ("settle", "pay"): pass',
        'PAY = "pay"\nif row.trigger != PAY: pass',
        'match row.trigger:\n    case "pay" | "settle": pass',
        'LABELS = {"pay": "Payer"}',
        'STEPS["pay"]',
        'LABELS.get("pay")',
    ],
)
def test_a_name_is_found_however_it_is_looked_at(code: str) -> None:
    assert list(compared(ast.parse(code)))


def test_what_operators_hear_of_is_what_is_about_money() -> None:
    """A lent role asks for a code too, and moves none."""
    watched = {one["name"] for one in deployments()["deployments"] if "argent" in one["tags"]}
    assert watched == {row.trigger for row in STEPS.values() if row.about_money}
    assert {row.trigger for row in STEPS.values() if row.asks_code} - watched == {"delegate"}
