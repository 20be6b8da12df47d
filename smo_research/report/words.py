"""Numbers and hypotheses in plain words, the same on figures and on the page."""

from __future__ import annotations

import math
import textwrap
from typing import Any

import pandas as pd

from smo_research.report.style import VERDICT_COLOURS

VERDICTS = tuple(VERDICT_COLOURS)

DASH, MINUS = "\N{EN DASH}", "\N{MINUS SIGN}"

SHORT_NAMES = {
    "H1": "tricks raise the counters",
    "H2": "tricks do not last",
    "H3": "conversation builds an audience that lasts",
    "H4": "conversation matters more than tricks",
    "H5": "people who are answered come back",
    "H6": "presence alone does not help",
    "H7": "it is ongoing, not a one-off",
}

# Of H1: the interval beside its verdict is that of one tweak, and may hold no effect.
JOINTLY = "all tweaks of a data set decide together"

HOW_TESTED = {
    "H1": "The tweaks of a post (hashtags, links, media, timing, paid reach) predict its "
    "engagement, also for posts the model has not seen. All tweaks decide together; the one that "
    "stands out most is shown, and its own interval may hold no effect.",
    "H2": "Each measured tweak on lasting audience growth, alone: is every effect too small to "
    "matter?",
    "H3": "Accounts that answer more of the people who write to them later gain more newcomers "
    "who are still there weeks later.",
    "H4": "Conversation predicts lasting growth out of sample better than the tweaks do.",
    "H5": "Of the people who write to an account for the first time, those who were answered are "
    "more often back weeks later than those who were not, at the same account.",
    "H6": "Posting more predicts no lasting growth where nobody is answered, and some where "
    "people are.",
    "H7": "Having answered in the past periods predicts lasting growth beyond answering now.",
}

# What a verdict says, and whether it speaks for the essay. H2 claims that nothing is there,
# so for it "negligible" is the essay's way; for the others it is against it.
FINDINGS = {
    ("H1", "supported"): ("the tricks of a post, taken together, predict its counters", True),
    ("H1", "negligible"): ("the tricks of a post hardly predict its counters", False),
    ("H2", "supported"): ("no measured trick predicts lasting growth by more than a trifle", True),
    ("H2", "negligible"): ("no measured trick predicts lasting growth by more than a trifle", True),
    ("H2", "contradicted"): ("some trick does predict lasting growth", False),
    ("H3", "supported"): ("accounts that answer more later gain more lasting newcomers", True),
    ("H3", "negligible"): (
        "answering is associated with hardly any difference in lasting newcomers",
        False,
    ),
    ("H3", "contradicted"): ("accounts that answer more later gain fewer lasting newcomers", False),
    ("H4", "supported"): ("conversation predicts lasting growth better than tricks do", True),
    ("H4", "negligible"): ("neither predicts lasting growth better by more than a trifle", False),
    ("H4", "contradicted"): ("tricks predict lasting growth better than conversation does", False),
    ("H5", "supported"): (
        "people who were answered are more often back weeks later than those who were not",
        True,
    ),
    ("H5", "negligible"): (
        "people who were answered are back weeks later hardly more or less often than those who "
        "were not",
        False,
    ),
    ("H5", "contradicted"): (
        "people who were answered are less often back weeks later than those who were not",
        False,
    ),
    ("H6", "supported"): (
        "posting more predicts lasting growth where people are answered and not where nobody is",
        True,
    ),
    ("H6", "negligible"): (
        "posting more hardly predicts lasting growth, whether people are answered or not",
        False,
    ),
    ("H6", "contradicted"): (
        "posting more predicts lasting growth, or loss, even where nobody is answered",
        False,
    ),
    ("H7", "supported"): (
        "having answered in the past predicts lasting growth beyond answering now",
        True,
    ),
    ("H7", "negligible"): (
        "having answered in the past adds hardly anything to answering now",
        False,
    ),
    ("H7", "contradicted"): (
        "having answered in the past predicts less lasting growth, answering now held equal",
        False,
    ),
}

VERDICT_WORDS = {
    "supported": "supported",
    "contradicted": "contradicted",
    "negligible": "negligible",
    "inconclusive": "inconclusive",
    "untestable": "cannot tell",
}


def is_ratio(unit: object) -> bool:
    """Whether an estimate in this unit is the logarithm of a ratio."""
    return isinstance(unit, str) and unit.startswith("ln ratio")


def text(value: Any) -> str:
    """Text of a cell of a table; empty where it is missing."""
    return "" if pd.isna(value) else str(value)


def effect(estimate: float, ci_low: float, ci_high: float, unit: object = "") -> str:
    """Estimate and its interval as a reader wants them: ratios for ln ratios.

    Parameters
    ----------
    estimate, ci_low, ci_high
        As in an evidence table; ln ratios where `unit` starts with "ln ratio".
    unit
        The unit column.

    Returns
    -------
    str
        Such as "1.22 [1.11, 1.35] per +0.25"; a dash where there is no estimate.

    Examples
    --------
    >>> effect(0.2, 0.1, 0.3, "ln ratio per +0.25")
    '1.22 [1.11, 1.35] per +0.25'
    >>> effect(0.0123, float("nan"), float("nan"), "nats per row")
    '0.0123 nats per row'
    """
    values = [math.nan if pd.isna(value) else value for value in (estimate, ci_low, ci_high)]
    if not math.isfinite(values[0]):
        return DASH
    per = text(unit).removeprefix("ln ratio").strip() if is_ratio(unit) else text(unit)
    if is_ratio(unit):
        values = [_exp(value) for value in values]
    if any(math.isnan(value) for value in values[1:]):
        return f"{_number(values[0], values[0], ratio=is_ratio(unit))} {per}".strip()
    width = values[2] - values[1]
    middle, low, high = (_number(value, width, ratio=is_ratio(unit)) for value in values)
    return f"{middle} [{low}, {high}] {per}".strip()


def _exp(value: float) -> float:
    return math.inf if value > 700 else math.exp(value)


def _number(value: float, width: float, *, ratio: bool) -> str:
    if math.isinf(value):
        return "∞" if value > 0 else f"{MINUS}∞"
    if not ratio or value >= 100:
        return f"{value:.3g}".replace("-", MINUS)
    return f"{value:.{3 if width < 0.05 else 2}f}"


def p_text(p_value: float | None) -> str:
    """P-value in three decimals; a dash where it is missing."""
    if p_value is None or pd.isna(p_value):
        return DASH
    return "< 0.001" if p_value < 0.001 else f"{p_value:.3f}"


def percent(share: float) -> str:
    """Share as a percentage: one decimal under 10 %, else none."""
    return f"{100 * share:.{1 if share < 0.0995 else 0}f} %"


def count(number: int, noun: str) -> str:
    """Count with its noun in the right number: "1 data set", "2 data sets"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def listing(names: list[str]) -> str:
    """Join names as a sentence does: "a", "a and b", "a, b and c"."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def wrap(sentence: str, width: int, *, lines: int | None = None) -> str:
    """Break a text into lines of at most `width`, and end it with "…" after `lines` of them."""
    return "\n".join(textwrap.wrap(sentence, width, max_lines=lines, placeholder=" …"))
