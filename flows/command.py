"""`jalon`, the command line. It never imports Prefect by itself, and reads a dossier without loading the forms."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from flows import reading, screen
from flows.home import Home
from flows.settings import settings
from models.answers import Invalid
from models.store import Unreachable

INTERRUPTED = 130


def main() -> None:
    """The console script."""
    sys.exit(run(sys.argv[1:]))


def run(words: Sequence[str]) -> int:
    """Run one command; the exit code: 0 done, 2 usage, 3 refused, 4 conflict, 5 unreachable."""
    as_json = "--json" in words
    try:
        quick = _quick([word for word in words if word != "--json"])
        if quick is not None:
            return screen.show(quick(Home(settings())), as_json=as_json)
        from flows.commands import run_app  # cyclopts and the forms

        return run_app(words)
    except Invalid as fault:
        return screen.show(screen.invalid(fault.sentences), as_json=as_json)
    except Unreachable as fault:
        return screen.show(screen.unreachable(str(fault)), as_json=as_json)
    except BrokenPipeError:
        sys.stderr.close()  # the reader of a pipe has gone, as with `| head`
        return screen.DONE
    except KeyboardInterrupt:
        print("\nInterrompu.", file=sys.stderr)
        return INTERRUPTED


def _quick(words: list[str]) -> Callable[[Home], screen.Page] | None:
    """What is read most often, without the 0.1 s that the full command line takes to start. Same answers: a test compares."""
    match words:
        case ["show", reference] if not reference.startswith("-"):
            return lambda home: reading.show(home, reference)
        case ["list"]:
            return reading.list_
    return None
