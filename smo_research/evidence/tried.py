"""One way of asking a question, and what it said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from smo_research.evidence.effects import Effect
from smo_research.evidence.hypotheses import contrast
from smo_research.evidence.result import effect_row, evidence_row

AMOUNT = "log_"


@dataclass(frozen=True, eq=False)
class Tried:
    """A specification that was tried.

    Attributes
    ----------
    choices
        What was chosen, by what was to choose; both in plain words without colon or semicolon.
    model
        "between", "within" or "landmark".
    term
        The predictor.
    effect
        Per contrast; none where it could not be fitted.
    scores
        What each account adds to the effective score of the term under its null, by the
        account's number; 0 where it has no row.
    spread
        The standard error of the scores' sum, where it is not the root of their squares.
    n_people
        How many people the smallest group has that it compares, where it compares people (H5).
    reason
        Why it could not be fitted.
    """

    choices: Mapping[str, str]
    model: str
    term: str
    effect: Effect | None = None
    n_obs: int = 0
    n_accounts: int = 0
    n_people: int | None = None
    scores: np.ndarray | None = None
    spread: float | None = None
    reason: str = ""

    @property
    def block(self) -> str:
        """The choices in one line, to be read back by `read_choices`."""
        return "; ".join(f"{name}: {value}" for name, value in self.choices.items())

    def row(self, **values: Any) -> dict[str, Any]:
        """The row of the vocabulary."""
        said = values | {
            "model": f"specification {self.model}",
            "block": self.block,
            "term": self.term,
            "unit": unit_of(self.term),
            "n_obs": self.n_obs,
            "n_accounts": self.n_accounts,
            "reason": self.reason,
        }
        return evidence_row(**said) if self.effect is None else effect_row(self.effect, **said)


@dataclass(frozen=True)
class LeftOut:
    """What one account does to the deciding estimate.

    Attributes
    ----------
    account_id
        The account whose removal moves it most, of all.
    low, high
        Range of the estimates, each without one account, after one Newton step.
    """

    account_id: str
    low: float
    high: float


def read_choices(block: str) -> dict[str, str]:
    """Read the choices of a specification from its line in a table.

    Examples
    --------
    >>> read_choices("gap: 28 days; rows: all")
    {'gap': '28 days', 'rows': 'all'}
    """
    return dict(part.split(": ", 1) for part in block.split("; "))


def days(number: float) -> str:
    """A length of time in words.

    Examples
    --------
    >>> days(1), days(3.5)
    ('1 day', '3.5 days')
    """
    return f"{number:g} day" if number == 1 else f"{number:g} days"


def step_of(term: str) -> float:
    """The contrast of a predictor: that of answering for shares, of volume for ln amounts.

    Examples
    --------
    >>> step_of("reciprocity"), round(step_of("log_answered"), 2), step_of("answered")
    (0.25, 0.69, 1.0)
    """
    if term == "answered":
        return contrast(term)
    return contrast("post_volume" if term.startswith(AMOUNT) else "answering")


def unit_of(term: str) -> str:
    """What the effect of a predictor is stated per."""
    if term == "answered":
        return "ln ratio if answered"
    return (
        "ln ratio per doubling" if term.startswith(AMOUNT) else f"ln ratio per +{step_of(term):g}"
    )
