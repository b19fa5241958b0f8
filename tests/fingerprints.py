"""What the law of a number says, as fingerprints: the shape of every fact and request, and the code that decides and writes.

`make fingerprints` writes those of a new law. Under a law that has fingerprints already, it accepts code that was only written
otherwise: no shape may differ, and the golden lives must come out as they did. Words for people are no law: strings with a space in
them, titles and docstrings are left out.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import json
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, get_type_hints

from pydantic import BaseModel

from models.redeciding import redecided
from states import upcasting
from states.decide import decide
from states.facts import Partnership
from states.findings import standing
from states.guard import Guard
from states.kinds import KINDS
from states.law import LAW
from states.lifecycle import GUARDS, ROWS
from states.requests import Request

KEPT = Path(__file__).parent / "fingerprints"
WORDS = "..."
Shapes = dict[str, dict[str, str]]  # of each fact or request, its fields and their types
WHAT_TO_DO = """The law has changed without its number. If it is meant to change:
  1. give LAW in states/law.py the next number;
  2. say in CHANGES of states/upcasting.py, under that number, how what was written before is read: Added (with the value that the past
     has), Renamed, Reread or Dropped;
  3. write its fingerprints and its golden lives: make fingerprints; PYTHONPATH=. python tests/golden_lives.py.
If the code was only written otherwise and decides the same, make fingerprints says so and takes it."""


def fingerprint() -> dict[str, Any]:
    """Everything about the law in force: the shapes of facts and requests, and a digest of the code of each record, request and rule."""
    return {
        "facts": {name: _fields(kind) for name, kind in KINDS.items()} | {"dossier": {"imported": "bool", "entered_on": "date | None"}},
        "requests": {row.asks.__name__: _schema(row.asks) for row in ROWS},
        "steps": {row.trigger: _row(row) for row in ROWS},
        "code": {
            **{f"what {row.trigger} writes ({row.records.__name__})": _digest(row.records) for row in ROWS},
            **{f"what {row.asks.__name__} accepts": _digest(row.asks) for row in ROWS},
            **{f"what {code} demands ({rule.objection.__name__})": _digest(rule) for code, rule in GUARDS.items()},
            "what a dossier says of itself (Partnership)": _digest(Partnership),
            "how every step is decided (decide)": _digest(decide),
            "what the facts themselves show (standing findings)": _digest(standing),
        },
    }


def _fields(kind: type[Any]) -> dict[str, str]:
    return {
        name: str(hint).replace("datetime.", "").replace("decimal.", "").removeprefix("<class '").removesuffix("'>")
        for name, hint in get_type_hints(kind).items()
    }


def _schema(asks: type[Request]) -> dict[str, str]:
    """Each field of a request as JSON Schema says it, without words for people."""
    schema = asks.model_json_schema()
    required = schema.get("required", [])
    return {
        name: json.dumps({"required": name in required, **_plain(field, schema.get("$defs", {}))}, sort_keys=True, ensure_ascii=False)
        for name, field in schema["properties"].items()
    }


def _plain(node: Any, groups: dict[str, Any]) -> Any:
    if isinstance(node, list):
        return [_plain(one, groups) for one in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        node = groups[node["$ref"].rpartition("/")[2]] | {name: value for name, value in node.items() if name != "$ref"}
    return {name: _plain(value, groups) for name, value in node.items() if name not in ("title", "description") or isinstance(value, dict)}


def _row(row: Any) -> str:
    leads = f"{' '.join(sorted(row.source))} > {row.dest or ('back' if row.back else '=')}"
    return f"{leads}; by {' '.join(row.by)}; asks {row.asks.__name__}; guards {' '.join(one.code for one in row.guards)}"


def _digest(thing: Any) -> str:
    """The sha256 of the code of a function, class or rule, and of all of ours that it uses."""
    seen: dict[str, str] = {}
    _close(thing, seen)
    return hashlib.sha256("\n".join(f"{name}={seen[name]}" for name in sorted(seen)).encode()).hexdigest()


def _close(thing: Any, seen: dict[str, str]) -> None:
    if isinstance(thing, Guard):
        seen[f"weight of {thing.code}"] = repr((thing.needs.name, thing.imported, thing.reads))
        for part in (thing.objection, thing.weigh):
            if part is not None:
                _close(part, seen)
        return
    if isinstance(thing, FunctionType | type):
        _close_code(thing, seen)


def _close_code(thing: Any, seen: dict[str, str]) -> None:
    name = f"{thing.__module__}.{thing.__qualname__}"
    if name in seen or not thing.__module__.startswith("states."):
        return
    tree = ast.parse(textwrap.dedent(inspect.getsource(thing)))
    namespace = vars(sys.modules[thing.__module__])
    used_here = list(_used(_Plain().visit(tree), namespace))
    seen[name] = ast.unparse(ast.fix_missing_locations(tree))
    for used in used_here:
        _close(used, seen)
        if isinstance(used, _CONSTANT):
            seen[f"{name}: {_said(used)}"] = ""
    if isinstance(thing, type):
        for base in thing.__mro__[1:]:
            if base is not BaseModel:
                _close(base, seen)


_CONSTANT = (int, str, tuple, frozenset, dict)  # a list would be something that is kept in memory, as a last answer


def _said(value: Any) -> str:
    """A constant without words for people, in one order."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_said(name)}: {_said(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, frozenset | list | tuple):
        inner = [_said(one) for one in value]
        return str(sorted(inner) if isinstance(value, frozenset) else inner)
    if isinstance(value, str) and not hasattr(value, "value"):
        return WORDS if " " in value else value
    return getattr(value, "code", None) or (repr(value) if isinstance(value, int | str) else type(value).__name__)


def _used(tree: ast.AST, namespace: dict[str, Any]) -> Iterator[Any]:
    """What of ours a tree names: globals of its module, and attributes of modules that it has imported."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in namespace and not isinstance(namespace[node.id], ModuleType):
            yield namespace[node.id]
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and isinstance(namespace.get(node.value.id), ModuleType):
            yield getattr(namespace[node.value.id], node.attr, None)


class _Plain(ast.NodeTransformer):
    """A tree without docstrings, annotations of functions and words for people."""

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        return ast.Constant(WORDS) if isinstance(node.value, str) and " " in node.value else node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        return ast.Constant(WORDS)

    def visit_keyword(self, node: ast.keyword) -> ast.AST | None:
        return None if node.arg in ("title", "description") else self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        for argument in (*node.args.args, *node.args.kwonlyargs, *node.args.posonlyargs):
            argument.annotation = None
        return self._undocumented(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        return self._undocumented(node)

    def _undocumented(self, node: Any) -> ast.AST:
        first = node.body[0]
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
            node.body = node.body[1:] or [ast.Pass()]
        return self.generic_visit(node)


def kept(law: int) -> dict[str, Any]:
    """The fingerprints that were written under a law."""
    found: dict[str, Any] = json.loads((KEPT / f"law-{law}.json").read_text(encoding="utf-8"))
    return found


def changes(was: dict[str, Any], now: dict[str, Any], parts: tuple[str, ...]) -> list[str]:
    """What differs between two fingerprints, one phrase each."""
    found = []
    for part in parts:
        for name in sorted(was[part].keys() | now[part].keys()):
            one, other = was[part].get(name), now[part].get(name)
            if one == other:
                continue
            if isinstance(one, dict) and isinstance(other, dict):
                fields = [field for field in sorted(one.keys() | other.keys()) if one.get(field) != other.get(field)]
                found.append(f"{part.removesuffix('s')} {name}: {', '.join(fields)}")
            else:
                found.append(name if part == "code" else f"{part.removesuffix('s')} {name}")
    return found


def unread(was: Shapes, now: Shapes, said: tuple[upcasting.Change, ...]) -> list[str]:
    """The fields whose past nobody says how to read, between one law and the next."""
    found = []
    for name in sorted(was.keys() | now.keys()):
        one, other = dict(was.get(name, {})), now.get(name, {})
        if name not in now:
            continue  # a kind that is gone is read no more
        for change in said:
            if change.of == name and "." in change.field:  # inside a group, whose whole shape is one string here
                group = change.field.partition(".")[0]
                one[group] = other.get(group, "")
            elif change.of == name:
                _follow(change, one, other)
        found += [f"{name}.{field}" for field in sorted(one.keys() | other.keys()) if one.get(field) != other.get(field) and name in was]
    return found


def _follow(change: upcasting.Change, one: dict[str, str], other: dict[str, str]) -> None:
    if isinstance(change, upcasting.Added):
        one.setdefault(change.field, other.get(change.field, ""))
    elif isinstance(change, upcasting.Renamed) and change.field in one:
        one[change.to] = one.pop(change.field)
    elif isinstance(change, upcasting.Reread) and change.field in one:
        one[change.field] = other.get(change.field, "")
    elif isinstance(change, upcasting.Dropped):
        one.pop(change.field, None)


def check() -> list[str]:
    """What has changed under the number of the law in force, or since the one before without being said; nothing when all is well."""
    if not (KEPT / f"law-{LAW}.json").exists():
        return [f"law {LAW} has no fingerprints yet: make fingerprints"]
    found = changes(kept(LAW), fingerprint(), ("facts", "requests", "steps", "code"))
    for law in range(1, LAW):
        for part in ("facts", "requests"):
            missing = unread(kept(law)[part], kept(law + 1)[part], upcasting.CHANGES.get(law + 1, ()))
            found += [f"law {law + 1} does not say how the past of {name} is read" for name in missing]
    return found


def write() -> str | None:
    """Write the fingerprints of the law in force; why not, when they are there and the law itself has changed."""
    path, now = KEPT / f"law-{LAW}.json", fingerprint()
    if path.exists():
        shapes = changes(kept(LAW), now, ("facts", "requests", "steps"))
        if shapes:
            return f"changed under law {LAW}: {'; '.join(shapes)}.\n{WHAT_TO_DO}"
        from golden_lives import golden

        lives = [life for life in golden() if life.law == LAW]
        found = [one.sentence for life in lives for one in redecided(life.reference, life.entries).anomalies]
        if found:
            return f"decides otherwise under law {LAW}: {found[0]}\n{WHAT_TO_DO}"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(now, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return None


def main() -> None:
    refused = ("\n".join([*found, WHAT_TO_DO]) if (found := check()) else None) if "--check" in sys.argv else write()
    if refused:
        sys.exit(refused)


if __name__ == "__main__":
    main()
