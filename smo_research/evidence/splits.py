"""Rows to fit and rows to judge by: in time, over accounts, and drawn anew by account."""

from __future__ import annotations

import math

import numpy as np

from smo_research.errors import FitError
from smo_research.tables import Windows

DRAWS = 1_000
TEST_SHARE = 0.3
FOLDS, REPEATS = 10, 10
YEAR_DAYS = 365.25
Split = tuple[np.ndarray, np.ndarray]


def time_split(period: np.ndarray, *, windows: Windows) -> list[Split]:
    """Hold out the last 30 % of rows; training ends where its outcomes do not reach into them.

    Raises
    ------
    FitError
        When no training rows are left.
    """
    start = int(np.quantile(period, 1 - TEST_SHARE, method="higher"))
    ends = start - 1 - (1 + math.ceil(windows.horizon / windows.period))
    train, test = period <= ends, period >= start
    if not train.any():
        raise FitError("the log is too short to hold out rows whose outcomes training cannot see")
    return [(train, test)]


def trend_and_season(period: np.ndarray, train: np.ndarray, windows: Windows) -> np.ndarray:
    """Time as a trend and, where training covers a year, a yearly wave."""
    days = period * windows.period
    if np.ptp(days[train]) < YEAR_DAYS:
        return period[:, None].astype(float)
    angle = 2 * np.pi * days / YEAR_DAYS
    return np.column_stack([period, np.sin(angle), np.cos(angle)])


def account_folds(accounts: np.ndarray, *, rng: np.random.Generator) -> list[Split]:
    """Repeated folds over accounts, for one cross-section."""
    names, number = np.unique(accounts, return_inverse=True)
    splits = []
    for _ in range(REPEATS):
        fold = rng.permutation(len(names)) % FOLDS
        splits += [(fold[number] != k, fold[number] == k) for k in range(FOLDS)]
    return splits


def account_counts(accounts: int, *, rng: np.random.Generator, draws: int) -> np.ndarray:
    """How often each account is drawn, draws by accounts, after a first line of ones."""
    drawn = rng.multinomial(accounts, np.full(accounts, 1 / accounts), size=draws)
    return np.vstack([np.ones(accounts, dtype=int), drawn])
