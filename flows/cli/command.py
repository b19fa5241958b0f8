"""`jalon`, the command line. It never imports Prefect by itself, and reads a dossier without loading the forms."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Sequence

from flows.cli import reading, screen
from flows.cli.soundness import assert_sound
from flows.home import Home, close_all
from flows.settings import settings
from models.answers import Invalid
from models.database.faults import Unreachable
from models.database.store import writable
from states.values.french import unreadable
from states.vocabulary import UnsoundTable


def run(words: Sequence[str]) -> int:
    """Run one command; the exit code: 0 done, 2 usage, 3 refused, 4 conflict, 5 unreachable, 1 a fault of jalon itself.

    Raises KeyboardInterrupt, and UnsoundTable when the law itself cannot be loaded.
    """
    as_json = "--json" in words
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # a terminal of another encoding shows « ? »
    try:
        code = _answered(words, as_json=as_json)
        sys.stdout.flush()  # here, where a full disk can still be told
    except SystemExit as end:  # the help of cyclopts, when nobody reads it to its end
        code = end.code if isinstance(end.code, int) and not isinstance(end.__context__, BrokenPipeError) else screen.DONE
        _print_to_nowhere()
    except BrokenPipeError:
        code = screen.DONE
        _print_to_nowhere()
    except OSError as fault:
        _print_to_nowhere()
        code = screen.show(screen.unreachable(f"La réponse ne peut pas être écrite ({unreadable(fault)})."), as_json=False)
    except UnsoundTable:
        raise
    except Exception as fault:  # noqa: BLE001 - a traceback on a person's screen is a defect; it goes to a file
        code = screen.show(screen.unexpected(fault, _noted(fault)), as_json=as_json)
    finally:
        close_all()
    return code


def _print_to_nowhere() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _answered(words: Sequence[str], *, as_json: bool) -> int:
    try:
        _assert_readable(words)
        quick = _quick([word for word in words if word != "--json"], as_json=as_json)
        if quick is not None:
            assert_sound(settings().home)
            return screen.show(quick(Home(settings())), as_json=as_json)
        from flows.cli.commands import run_app  # cyclopts and the forms

        return run_app(words)
    except Invalid as fault:
        return screen.show(screen.invalid(fault.sentences), as_json=as_json)
    except Unreachable as fault:
        return screen.show(screen.unreachable(str(fault)), as_json=as_json)


def _assert_readable(words: Sequence[str]) -> None:
    if not all(map(writable, words)):
        raise Invalid("La commande contient des caractères illisibles : elle doit être écrite en UTF-8.")


def _noted(fault: Exception) -> str:
    """Where the traceback was written, for whoever mends jalon."""
    folder = settings().home
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Where, not what: the message of a driver may quote a row, and a row may hold a name.
        (folder / "fault.log").write_text(f"{type(fault).__name__}\n{''.join(traceback.format_tb(fault.__traceback__))}")
    except OSError:
        return "(le détail n’a pas pu être écrit)"
    return str(folder / "fault.log")


def _quick(words: list[str], *, as_json: bool) -> Callable[[Home], screen.Page] | None:
    """What is read most often, without the 0.1 s that the full command line takes to start. Same answers: a test compares."""
    match words:
        case ["show", reference] if not reference.startswith("-"):
            return lambda home: reading.show(home, reference)
        case ["list"]:
            return lambda home: reading.list_(home, as_json=as_json)
    return None
