"""The picture of the house: the rooms of the three rings and who stands on whom, read off the imports."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

RINGS = {"flows": "flows: acts", "models": "models: remembers", "states": "states: decides"}
FACTS = "facts"  # values that belong to a room and that every room may hold: no wall stands before them
Graph = dict[str, set[str]]


def picture(root: Path) -> str:
    """A mermaid flowchart of the rooms under `root`. An arrow that others already imply is left out."""
    lines = ["flowchart TB"]
    for ring, title in RINGS.items():
        graph = _reduced(_rooms(root, ring))
        lines += [f'    subgraph {ring}["{title}"]', *(f"        {_node(ring, room)}" for room in sorted(graph))]
        lines += [f"        {ring}.{room} --> {ring}.{below}" for room in sorted(graph) for below in sorted(graph[room])]
        lines.append("    end")
    lines += [f"    {above} ==> {below}" for above, below in zip(list(RINGS), list(RINGS)[1:], strict=False)]
    return "\n".join(lines)


def _node(ring: str, room: str) -> str:
    return f'{ring}.{room}["{room}"]'


def _rooms(root: Path, ring: str) -> Graph:
    """For each room of a ring, the rooms of the same ring that it imports."""
    graph: Graph = {}
    for path in sorted((root / ring).rglob("*.py")):
        room = path.relative_to(root / ring).parts[0].removesuffix(".py")
        if room != "__init__":
            below = graph.setdefault(room, set())
            below |= {name for name in _imported(ast.parse(path.read_text(encoding="utf-8")), ring) if name != room}
    return graph


def _imported(tree: ast.AST, ring: str) -> Iterator[str]:
    """The rooms of `ring` that a module imports, but for their facts."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            modules = [node.module] if "." in node.module else [f"{node.module}.{name.name}" for name in node.names]
            for module in modules:
                first, _, rest = module.partition(".")
                if first == ring and rest and not rest.endswith(f".{FACTS}"):
                    yield rest.split(".")[0]


def _reduced(graph: Graph) -> Graph:
    """The graph without each arrow that a longer way implies; rooms that stand on each other keep theirs."""
    reach = {room: _reached(graph, room) for room in graph}
    return {
        room: {other for other in graph[room] if not any(other in reach[way] and room not in reach[way] for way in graph[room] - {other})}
        for room in graph
    }


def _reached(graph: Graph, room: str) -> set[str]:
    found, todo = set[str](), [room]
    while todo:
        fresh = graph.get(todo.pop(), set()) - found
        found |= fresh
        todo += fresh
    return found
