"""How a command ends when something is wrong: one message, and never a word out of the data."""

from __future__ import annotations

import contextlib
import os
import sys
import traceback
from collections.abc import Iterator

from smo_research.errors import SmoError

WRONG, STOPPED = 2, 130
HALTED = "smo: stopped; nothing half-written is left"
REFUSED = "the system refused to read or write ({}); make room, or name another place."
UNFORESEEN = (
    "smo: an error that nobody foresaw ({}). What it says is not shown, for it may quote your "
    "data; the lines above are code only, so send them with a report."
)


@contextlib.contextmanager
def leaving() -> Iterator[None]:
    """Turn what goes wrong inside into a message and an exit status.

    An error of ours is its message and status 2, Ctrl-C status 130. Any other shows where it came
    about and of what kind it is; its own words may hold a name or a text, and stay unsaid.
    """
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    try:
        yield
    except SmoError as error:
        print(f"smo: {error}", file=sys.stderr)
        sys.exit(WRONG)
    except SystemExit as end:
        # How typer leaves after Ctrl-C.
        if end.code == STOPPED:
            print(HALTED, file=sys.stderr)
        raise
    except OSError as error:
        print(f"smo: {REFUSED.format(error.strerror or type(error).__name__)}", file=sys.stderr)
        sys.exit(WRONG)
    except Exception as error:
        # What DuckDB makes of Ctrl-C in the middle of a query.
        if isinstance(error, RuntimeError) and str(error) == "Query interrupted":
            print(HALTED, file=sys.stderr)
            sys.exit(STOPPED)
        print(*traceback.format_tb(error.__traceback__), sep="", file=sys.stderr)
        print(UNFORESEEN.format(type(error).__name__), file=sys.stderr)
        sys.exit(1)
