"""The look of every figure: one colour for tweaks, one for conversation, grey for the rest."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl

# Okabe & Ito (2008): told apart with any common colour vision, and in grey print.
TWEAK = "#d55e00"
CONVERSATION = "#0072b2"
NEUTRAL = "#5f5f5f"
QUIET = "#767676"
BAND = "#e9e9e9"
INK = "#1a1a1a"

HYPOTHESIS_COLOURS = {
    "H1": TWEAK,
    "H2": TWEAK,
    "H3": CONVERSATION,
    "H4": NEUTRAL,
    "H5": CONVERSATION,
    "H6": NEUTRAL,
    "H7": CONVERSATION,
}

# Background of a verdict, and ink that reads on it. Not the two colours above: those mean
# what was measured, these what came of it.
VERDICT_COLOURS = {
    "supported": ("#1b7f5c", "#ffffff"),
    "contradicted": ("#7b2d5b", "#ffffff"),
    "negligible": ("#f0dc82", INK),
    "inconclusive": ("#d5d8dc", INK),
    "untestable": ("#ffffff", QUIET),
}

_LOOK: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 12,
    "axes.labelsize": 10,
    "axes.labelcolor": INK,
    "axes.edgecolor": "#9a9a9a",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": True,
    "xtick.labelsize": 9.5,
    "ytick.labelsize": 9.5,
    "xtick.color": INK,
    "ytick.color": INK,
    "text.color": INK,
    "lines.linewidth": 1.8,
    "figure.facecolor": "white",
    "axes.facecolor": "white",
}


@contextmanager
def look() -> Iterator[None]:
    """Draw in the project's look; a context manager, and a decorator of plot functions.

    Examples
    --------
    >>> with look():
    ...     mpl.rcParams["axes.spines.top"]
    False
    """
    with mpl.rc_context(_LOOK):
        yield
        interactive = mpl.is_interactive()
    # The first figure in a notebook loads a backend that turns this on; the context would undo it,
    # and no later figure would be shown.
    mpl.interactive(interactive)


def colour_of(hypothesis: str, block: str = "") -> str:
    """Colour of an estimate: that of what it measures, tweaks or conversation, else grey.

    Parameters
    ----------
    hypothesis
        H1 to H7.
    block
        Block of the estimate; "tweaks" and "conversation" go before the hypothesis.

    Examples
    --------
    >>> colour_of("H2") == colour_of("H4", "tweaks") == TWEAK
    True
    """
    named = {"tweaks": TWEAK, "conversation": CONVERSATION}
    return named.get(block) or HYPOTHESIS_COLOURS.get(hypothesis, NEUTRAL)
