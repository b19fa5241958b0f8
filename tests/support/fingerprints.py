"""What the law of a number says, as fingerprints: the shape of every fact and request, and the code that decides and writes.

`make fingerprints` writes those of a new law. Under a law that has fingerprints already they change only with --rewritten, for code
that somebody says was written otherwise and decides the same. Words for people are no law: strings with a space in them, titles and
docstrings are left out.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import json
import sys
import textwrap
from collections.abc import Iterable, Iterator
from datetime import date, timedelta, tzinfo
from decimal import Decimal
from functools import cache, partial
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from pydantic import BaseModel, BeforeValidator

from models.verify.redeciding import redecided
from states.dossier.proof import Proof
from states.engine.decide import decide
from states.engine.findings import standing
from states.grammar.case import Case
from states.grammar.guard import Guard
from states.grammar.request import Request
from states.journal import upcasting
from states.journal.kinds import KINDS
from states.journal.undoing import named
from states.lifecycle import GUARDS, ROWS, STEPS
from states.partnership import Partnership
from states.values.law import FIRST_LAW, LAW
from states.vocabulary import Role, State

KEPT = Path(__file__).parents[1] / "fingerprints"
WORDS = "..."
Seen = dict[tuple[str, str], str]  # the code of each thing of ours, by its module and its name there
Shapes = dict[str, dict[str, str]]  # of each fact or request, its fields and their types
OF_A_KIND = upcasting.DroppedKind | upcasting.RenamedKind
TABLE = (STEPS, ROWS, GUARDS)
COLUMNS = ("opens", "commits_money", "about_money", "asks_code", "takes_back", "reviews")
PARTS = ("facts", "requests", "steps", "code")
# What nearly everything else is made of, the first within the next: when one has changed, so has the code of all that uses it.
GROUND = {
    "the states (State)": State,
    "the roles (Role)": Role,
    "what a dossier is (Partnership)": Partnership,
    "what a rule sees (Case)": Case,
}
NAMED_AT_MOST = 10
WHAT_TO_DO = """The law has changed without its number. If it is meant to change:
  1. give LAW in states/values/law.py the next number;
  2. say in CHANGES of states/journal/upcasting.py, under that number, how what was written before is read:
     Added (with the value that the past has), Renamed, Reread or Dropped;
  3. write its fingerprints and its golden lives: make fingerprints; PYTHONPATH=. python tests/support/golden_lives.py.
If the code was only written otherwise and decides the same: python tests/support/fingerprints.py --rewritten,
and say so to who reviews it."""


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
            **{name: _digest(thing) for name, thing in GROUND.items()},
            "how every step is decided (decide)": _digest(decide),
            "what the facts themselves show (standing findings)": _digest(standing),
            "what may be taken back (named)": _digest(named),
            "how a code proves who acts (Proof)": _digest(Proof),
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
    leads = f"{' '.join(sorted(row.source))} > {row.dest or ('back' if row.takes_back else '=')}"
    asks = f"by {' '.join(row.by)}; asks {row.asks.__name__}; guards {' '.join(one.code for one in row.guards)}"
    columns = [*(["deliberates " + row.deliberates] if row.deliberates else []), *(name for name in COLUMNS if getattr(row, name))]
    return "; ".join([leads, asks, *columns])


def _digest(thing: Any) -> str:
    """The sha256 of the code of a function, class, rule or type, and of all of ours that it uses, wherever it stands."""
    seen: Seen = {}
    _close(thing, seen)
    return hashlib.sha256("\n".join(sorted(f"{name}={code}" for (_, name), code in seen.items())).encode()).hexdigest()


def _close(thing: Any, seen: Seen) -> None:
    """Note a thing and what it is made of: code by its source, what holds others by each of them."""
    if any(thing is one for one in TABLE):
        return  # every row and rule has fingerprints of its own
    thing = inspect.unwrap(thing) if callable(thing) else thing
    if isinstance(thing, FunctionType | type):
        _close_code(thing, seen)
    elif isinstance(thing, partial):
        _close_all((thing.func, *thing.args, *thing.keywords.values()), seen)
    elif isinstance(thing, Guard):
        _close_all((thing.objection, thing.weigh), seen)
    elif get_origin(thing) is Annotated:
        _close_all(get_args(thing), seen)
    elif isinstance(thing, dict):
        _close_all((*thing.keys(), *thing.values()), seen)
    elif isinstance(thing, tuple | frozenset):
        _close_all(thing, seen)
    elif isinstance(thing, BeforeValidator):
        _close(thing.func, seen)


def _close_all(things: Iterable[Any], seen: Seen) -> None:
    for one in things:
        _close(one, seen)


def _close_code(thing: Any, seen: Seen) -> None:
    module, name = thing.__module__, thing.__qualname__
    if not module.startswith("states."):
        return
    if name.endswith("<lambda>"):  # what its line says, whatever its number
        name = f"{name}: {' '.join(_lambdas(thing))}"
    if (module, name) in seen:
        return
    seen[module, name] = ""
    if "<lambda>" in name:
        return
    seen[module, name], used_here = _read(thing)
    for used in used_here:
        _close(used, seen)
        if _is_constant(used):
            seen[module, f"{name}: {_said(used)}"] = ""
    if isinstance(thing, type):
        _close_all((base for base in thing.__mro__[1:] if base is not BaseModel), seen)
        _close_all(_hints(thing), seen)


@cache  # most of the code is used by many steps and rules: it is read once
def _read(thing: FunctionType | type) -> tuple[str, tuple[Any, ...]]:
    """The code of a function or class without words for people, and what of ours it names."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(thing)))
    used = tuple(_used(_Plain().visit(tree), vars(sys.modules[thing.__module__])))
    return ast.unparse(ast.fix_missing_locations(tree)), used


def _lambdas(thing: FunctionType) -> list[str]:
    """The lambdas that stand where this one does; its own source would be a whole line."""
    at = thing.__code__.co_firstlineno
    return [ast.unparse(node) for node in _lambdas_of(thing.__module__) if node.lineno == at]


@cache
def _lambdas_of(module: str) -> list[ast.Lambda]:
    return [node for node in ast.walk(ast.parse(inspect.getsource(sys.modules[module]))) if isinstance(node, ast.Lambda)]


def _hints(kind: type[Any]) -> list[Any]:
    """The types of the fields of a class, with what validates them."""
    return list(get_type_hints(kind, include_extras=True).values()) if issubclass(kind, BaseModel) else []


def _is_constant(value: Any) -> bool:
    """Whether a value is law; a list would be something that is kept in memory, as a last answer."""
    if any(value is one for one in TABLE):
        return False
    return isinstance(value, int | str | tuple | frozenset | dict | Decimal | date | timedelta | tzinfo | Guard)


def _said(value: Any) -> str:
    """A constant without words for people, in one order."""
    if isinstance(value, Guard):
        return f"{value.code} {value.needs.name} {value.imported} {' '.join(value.reads)}"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_said(name)}: {_said(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, frozenset | tuple):
        inner = [_said(one) for one in value]
        return str(sorted(inner) if isinstance(value, frozenset) else inner)
    if isinstance(value, str) and " " in value:
        return WORDS
    return repr(value) if isinstance(value, int | str | Decimal | date | timedelta | tzinfo) else type(value).__name__


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


def told(found: list[str], at_most: int = NAMED_AT_MOST) -> str:
    """One difference a line, the likely cause first; of many, the first ones and how many more."""
    causes = [name for name in GROUND if name in found]
    words = [*causes, *(name for name in found if name not in causes)]
    lines = [f"Most of it because of {causes[0]}, which nearly everything uses."] if causes and len(found) > at_most else []
    lines += [f"  - {name}" for name in words[:at_most]]
    return "\n".join([*lines, *([f"  and {len(words) - at_most} more (--all names them)"] if len(words) > at_most else [])])


def unread(was: Shapes, now: Shapes, said: tuple[upcasting.Change, ...]) -> list[str]:
    """The fields whose past nobody says how to read, between one law and the next."""
    found = []
    for name in sorted(was.keys() | now.keys()):
        one, other = dict(was.get(name, {})), now.get(name, {})
        gone = next(
            (change for change in said if isinstance(change, upcasting.DroppedKind | upcasting.RenamedKind) and change.of == name), None
        )
        if name not in now:
            found += [] if gone else [name]
            continue
        for change in said:
            if isinstance(change, OF_A_KIND):
                continue
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
    found = changes(kept(LAW), fingerprint(), PARTS)
    for law in range(1, LAW):
        for part in ("facts", "requests"):
            missing = unread(kept(law)[part], kept(law + 1)[part], upcasting.CHANGES.get(law + 1, ()))
            found += [f"law {law + 1} does not say how the past of {name} is read" for name in missing]
    return found


def write(*, rewritten: bool, at_most: int = NAMED_AT_MOST) -> str | None:
    """Write the fingerprints of the law in force. Those that are there change only for code that somebody says was `rewritten`.

    Golden lives that come out otherwise refuse it; that they come out the same proves little, so a reviewer reads which fingerprints moved.
    """
    path, now = KEPT / f"law-{LAW}.json", fingerprint()
    if path.exists():
        found = changes(kept(LAW), now, PARTS)
        shapes = changes(kept(LAW), now, PARTS[:-1])
        if shapes or (found and not rewritten):
            return f"changed under law {LAW}:\n{told(found, at_most)}\n{WHAT_TO_DO}"
        otherwise = _decided_otherwise()
        if otherwise:
            return f"decides otherwise under law {LAW}: {otherwise}\n{WHAT_TO_DO}"
    elif LAW > FIRST_LAW:
        now["follows"] = hashlib.sha256((KEPT / f"law-{LAW - 1}.json").read_bytes()).hexdigest()
    if path.exists() and "follows" in kept(LAW):
        now["follows"] = kept(LAW)["follows"]
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(now, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return None


def _decided_otherwise() -> str | None:
    """The first entry of a golden life of this law that is decided otherwise now."""
    from golden_lives import golden

    lives = [life for life in golden() if life.law == LAW]
    return next((one.sentence for life in lives for one in redecided(life.reference, life.entries).anomalies), None)


def main() -> None:
    at_most = sys.maxsize if "--all" in sys.argv else NAMED_AT_MOST
    if "--check" in sys.argv:
        refused = f"{told(found, at_most)}\n{WHAT_TO_DO}" if (found := check()) else None
    else:
        refused = write(rewritten="--rewritten" in sys.argv, at_most=at_most)
    if refused:
        sys.exit(refused)


if __name__ == "__main__":
    main()
