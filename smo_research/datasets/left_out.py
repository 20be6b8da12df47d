"""What a reader of an export leaves out is told to who asks, with how many."""

from __future__ import annotations

from collections.abc import Callable

Leave = Callable[[str, int], None]


def unasked(what: str, number: int) -> None:
    """Take note of nothing; the default of readers.

    Parameters
    ----------
    what
        What was left out, as a plural.
    number
        How many; 0 is nothing.

    Examples
    --------
    >>> unasked("edges from an account to itself", 2)
    """
