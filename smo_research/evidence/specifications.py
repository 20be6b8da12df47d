"""Other ways of asking what predicts lasting growth: what is varied."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

import pandas as pd

from smo_research.evidence.alternatives import VARIED
from smo_research.evidence.samples import ADJUSTMENT, TWEAKS, tweak_terms
from smo_research.evidence.tried import days
from smo_research.tables import Windows

PREDICTORS = {
    "H3": ("answering", "log_answered"),
    "H7": ("past_answering", "log_past_answered"),
}
DESCRIBED = {"H3": ("reciprocity", "log_depth", "persistence"), "H7": ("persistence",)}
WORDS = {
    "answering": "share answered",
    "log_answered": "number answered",
    "past_answering": "past share answered",
    "log_past_answered": "past number answered",
    "log_depth": "depth",
}
WIDE, NARROW = "all", "fewer"
ROWS = {
    ("H2", WIDE): "with an own act",
    ("H2", NARROW): "with the tweak measured",
    ("H3", WIDE): "with somebody writing",
    ("H3", NARROW): "with an own act too",
    ("H7", WIDE): "with a past",
    ("H7", NARROW): "with an own act too",
}
OUTREACH = ("cold_outreach", "cold_outreach_missing")
POSITION = ("log_pagerank", "clustering", "core_number")
WITH_POSTS = {("H2", WIDE): "with an own act or a post"}
COMPARED = {"between": "accounts with each other", "within": "accounts with themselves"}


@dataclass(frozen=True)
class Specification:
    """One way of asking what predicts lasting growth; the defaults are what decides.

    Attributes
    ----------
    hypothesis
        "H2", "H3" or "H7".
    windows
        Those of the panel.
    predictor
        Its column.
    rows
        "all" that the hypothesis asks for, or "fewer": those with an own act too (H3, H7), those
        in which the tweak was measured (H2).
    presence, outreach, position
        Whether post_volume, cold_outreach, and the place in the graph are held.
    model
        "between" or "within".
    without
        An account that is left out.
    posts
        Whether posts are known.
    """

    hypothesis: str
    windows: Windows
    predictor: str
    rows: str = WIDE
    presence: bool = True
    outreach: bool = False
    position: bool = False
    model: str = "between"
    without: str = ""
    posts: bool = False

    def choices(self) -> dict[str, str]:
        """What was chosen, in plain words."""
        rows = ROWS | (WITH_POSTS if self.posts else {})
        lengths = {name: days(getattr(self.windows, name)) for name in VARIED}
        held = {
            name: "held" if getattr(self, name) else "not held"
            for name in ("presence", "outreach", "position")
        }
        said = lengths | {
            "predictor": WORDS.get(self.predictor, self.predictor.replace("_", " ")),
            "rows": rows[self.hypothesis, self.rows],
            **held,
            "compared": COMPARED[self.model],
        }
        return said | ({"left out": f"account {self.without}"} if self.without else {})

    def controls(self, rows: pd.DataFrame) -> tuple[str, ...]:
        """The columns held beside the predictor and the classes of inbound, as in `lasting`."""
        adjustment = [name for name in ADJUSTMENT if not name.startswith("C(")]
        if not self.presence:
            adjustment.remove("post_volume")
        if self.hypothesis == "H2":
            tweaks = [name for name in tweak_terms(rows, (self.predictor,)) if name not in TWEAKS]
            held = ["answering", *tweaks]
        else:
            now = "log_answered" if self.predictor.startswith("log_past") else "answering"
            held = [*([now] if self.hypothesis == "H7" else []), *tweak_terms(rows)]
        added = [*(OUTREACH * self.outreach), *(POSITION * self.position)]
        return (*adjustment, *held, *added)


def specifications(
    hypothesis: str, term: str, windows: Iterable[Windows]
) -> tuple[Specification, ...]:
    """List the specifications of a hypothesis, the deciding one first.

    All combinations of windows, share or amount (a tweak has none), rows, and whether presence,
    outreach and position are held; and, under each of the windows with all else as it decides,
    accounts compared with themselves, and the described measures as predictors.

    Parameters
    ----------
    hypothesis
        "H2", "H3" or "H7".
    term
        Its deciding predictor.
    windows
        As `alternative_windows` lists them.

    Examples
    --------
    >>> len(specifications("H3", "answering", [Windows(period=7, gap=7, horizon=42)]))
    37
    """
    windows = tuple(windows)
    predictors = PREDICTORS.get(hypothesis, (term,))
    either, neither = (True, False), (False, True)
    crossed = product(windows, predictors, (WIDE, NARROW), either, neither, neither)
    within = product(windows, predictors)
    described = product(windows, DESCRIBED.get(hypothesis, ()))
    return (
        *(Specification(hypothesis, *choice) for choice in crossed),
        *(Specification(hypothesis, *choice, model="within") for choice in within),
        *(Specification(hypothesis, *choice) for choice in described),
    )
