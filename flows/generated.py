"""Writes, or with --check compares, the files that are computed from the table."""

from __future__ import annotations

import sys
from pathlib import Path

import yaml

from states.overview.table import deployments, lifecycle_page, mermaid

ROOT = Path(__file__).resolve().parents[1]
MARK, END = "<!-- lifecycle: begin -->", "<!-- lifecycle: end -->"
HEAD = "# Computed from states/lifecycle.py by `make generate`: not to be edited by hand.\n"


def files() -> dict[Path, str]:
    """Every generated file and what it should hold."""
    readme = ROOT / "README.md"
    before, _, rest = readme.read_text().partition(MARK)
    _, _, after = rest.partition(END)
    return {
        ROOT / "docs" / "lifecycle.md": lifecycle_page(),
        ROOT / "prefect.yaml": HEAD + yaml.safe_dump(deployments(), allow_unicode=True, sort_keys=False, width=120),
        readme: f"{before}{MARK}\n```mermaid\n{mermaid()}\n```\n{END}{after}",
    }


def main() -> int:
    """Exit code 1 when --check finds a file that differs."""
    stale = [path for path, content in files().items() if not path.exists() or path.read_text() != content]
    if "--check" in sys.argv:
        for path in stale:
            print(f"{path.relative_to(ROOT)} is not what the table says: run `make generate`.", file=sys.stderr)
        return bool(stale)
    for path in stale:
        path.write_text(files()[path])
        print(f"wrote {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
