"""`jalon` begins here: Ctrl-C is answered by a word at any time, also while the parts of jalon are still being loaded."""

from __future__ import annotations

import sys

UNSOUND, INTERRUPTED = 1, 130


def main() -> None:
    """The console script."""
    try:
        from flows.cli.command import run

        code = run(sys.argv[1:])
    except Exception as fault:
        if type(fault).__name__ != "UnsoundTable":  # its module may be what could not be loaded
            raise
        from states.values.plain import legible  # it stands on nothing

        print(legible(f"jalon ne démarre pas. {fault}"), file=sys.stderr)
        code = UNSOUND
    except KeyboardInterrupt:
        print("\nInterrompu.", file=sys.stderr)
        code = INTERRUPTED
    sys.exit(code)


if __name__ == "__main__":
    main()
