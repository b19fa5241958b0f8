"""Writes, or with --check compares, what is computed: from the table, and the picture of the house from the imports."""

from __future__ import annotations

import sys
from pathlib import Path

import yaml

from flows.rooms import picture
from states.overview.table import deployments, lifecycle_page, mermaid

ROOT = Path(__file__).resolve().parents[1]
HEAD = "# Computed from states/lifecycle.py by `make generate`: not to be edited by hand.\n"


def files() -> dict[Path, str]:
    """Every generated file and what it should hold."""
    readme, architecture = ROOT / "README.md", ROOT / "docs" / "architecture.md"
    return {
        ROOT / "docs" / "lifecycle.md": lifecycle_page(),
        ROOT / "prefect.yaml": HEAD + yaml.safe_dump(deployments(), allow_unicode=True, sort_keys=False, width=120),
        readme: _with(readme.read_text(), "lifecycle", mermaid()),
        architecture: _with(architecture.read_text(), "rooms", picture(ROOT)),
    }


def _with(page: str, name: str, diagram: str) -> str:
    """A page with the diagram between the marks of that name."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, _, rest = page.partition(begin)
    _, _, after = rest.partition(end)
    return f"{before}{begin}\n```mermaid\n{diagram}\n```\n{end}{after}"


def main() -> int:
    """Exit code 1 when --check finds a file that differs."""
    stale = [path for path, content in files().items() if not path.exists() or path.read_text() != content]
    if "--check" in sys.argv:
        for path in stale:
            print(f"{path.relative_to(ROOT)} is not what the table and the imports say: run `make generate`.", file=sys.stderr)
        return bool(stale)
    for path in stale:
        path.write_text(files()[path])
        print(f"wrote {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
