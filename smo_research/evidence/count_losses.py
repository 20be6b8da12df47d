"""Held-out losses of Poisson regressions, for every team of blocks and every bootstrap draw."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy import sparse
from scipy.special import xlogy

from smo_research.errors import FitError
from smo_research.evidence.shapley import teams
from smo_research.evidence.tilts import tilts_of

# In ln; only draws in which a column nearly separates the outcomes go that far.
LONGEST = 10.0
RIDGE = 1e-10
REPEATED = 1e-11
SETTLED = 1e-9
MOST_ROUNDS = 60
CHUNK = 100
STEPS = 2
FLAT = 1e-12


def count_losses(
    y: np.ndarray,
    base: np.ndarray,
    blocks: Mapping[str, np.ndarray],
    split: tuple[np.ndarray, np.ndarray],
    number: np.ndarray,
    counts: np.ndarray,
    *,
    steps: int = STEPS,
) -> dict[frozenset[str], np.ndarray]:
    """Half the mean Poisson deviance of held-out rows, with every subset of blocks over the base.

    Each subset is fitted once to all training rows. The refit of a draw, in which account a counts
    c_a times, starts there: one Newton step, b + H^-1 g, with the gradient g and the information
    H of the draw, then more steps with the gradient at the new place and the same H. One
    intercept is recalibrated on the test rows of the draw, in closed form.

    Parameters
    ----------
    y
        n counts.
    base
        n by p adjustment set, without a constant.
    blocks
        Name to n by k columns.
    split
        Two masks, training and test.
    number
        n numbers of accounts, from 0.
    counts
        Draws by accounts: how often each account was drawn.
    steps
        Steps from the fit to all rows toward the refit of a draw.

    Returns
    -------
    dict
        Subset of names to 3 by draws: losses, and what `tilts_of` makes of them, in nats a row.

    Raises
    ------
    FitError
        When a regression has no finite solution in training.
    """
    return {
        team: _loss_of(
            y, np.column_stack([base, *(blocks[name] for name in sorted(team))]),
            split, number, counts, steps,
        )
        for team in teams(blocks)
    }  # fmt: skip


def fit_counts(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Coefficients of a Poisson regression of y on x, by iterated weighted least squares.

    Raises
    ------
    FitError
        When there is no finite solution, as where a column separates rows with outcome 0.

    Examples
    --------
    >>> fit_counts(np.ones((4, 1)), np.array([1.0, 2.0, 3.0, 2.0])).round(4)
    array([0.6931])
    """
    means = (y + y.mean()) / 2
    with np.errstate(all="ignore"):
        eta = np.log(means)
        for _ in range(MOST_ROUNDS):
            before = eta
            target = x.T @ (means * eta + y - means)
            # Columns that repeat each other share what they predict.
            beta = np.linalg.lstsq((x * means[:, None]).T @ x, target, rcond=REPEATED)[0]
            eta = x @ beta
            means = np.exp(eta)
            if not np.isfinite(means).all():
                break
            if np.abs(eta - before).max() < SETTLED:
                return beta
    raise FitError("a Poisson regression has no finite solution in training")


def _solve(information: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Solve with a trace of a ridge, for draws in which columns come to repeat each other."""
    scale = np.trace(information, axis1=-2, axis2=-1)[..., None, None] / information.shape[-1]
    held = information + RIDGE * scale * np.eye(information.shape[-1])
    return np.linalg.solve(held, right[..., None])[..., 0]


def _short(step: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Shorten a draw's step where it would move the mean of a row by more than a factor."""
    farthest = np.abs(step @ x.T).max(axis=1)
    return step * np.minimum(1, LONGEST / np.maximum(farthest, LONGEST))[:, None]


def _loss_of(
    y: np.ndarray,
    columns: np.ndarray,
    split: tuple[np.ndarray, np.ndarray],
    number: np.ndarray,
    counts: np.ndarray,
    steps: int,
) -> np.ndarray:
    """Losses of one design, one a draw."""
    train, test = split
    centre, spread = columns[train].mean(axis=0), columns[train].std(axis=0)
    kept = spread > FLAT
    x = np.ones((len(y), 1 + kept.sum()))
    x[:, 1:] = (columns[:, kept] - centre[kept]) / spread[kept]
    beta = fit_counts(x[train], y[train])
    fitting = _Span(x[train], y[train], number[train])
    holding = _Span(x[test], y[test], number[test])
    means = np.exp(fitting.x @ beta)
    gradients = fitting.by_account(fitting.x * (fitting.y - means)[:, None])
    pieces = _information(fitting, means)
    events_of = holding.by_account(np.column_stack([holding.y, xlogy(holding.y, holding.y)]))
    losses, moves, leans = [], [], []
    for start in range(0, len(counts), CHUNK):
        drawn = counts[start : start + CHUNK].astype(float)
        ours, theirs = drawn[:, fitting.accounts], drawn[:, holding.accounts]
        information = _square(ours @ pieces, x.shape[1])
        slopes = beta + _short(_solve(information, ours @ gradients), x)
        for _ in range(steps - 1):
            expected = ours[:, fitting.number] * np.exp(slopes @ fitting.x.T)
            newton = _solve(information, ours @ fitting.sums - expected @ fitting.x)
            slopes = slopes + _short(newton, x)
        ahead = theirs[:, holding.number] * np.exp(slopes @ holding.x.T)
        expected = ahead.sum(axis=1)
        events, best = (theirs @ events_of).T
        rows = theirs @ holding.sizes
        reached = ((theirs @ holding.sums) * slopes).sum(axis=1)
        # With the intercept recalibrated the means add up to the events, so both drop out.
        missed = best - reached - xlogy(events, events / expected)
        losses.append(missed / rows)
        foreseen = (ahead @ holding.x) * (events / expected)[:, None]
        leans.append((foreseen - theirs @ holding.sums) / rows[:, None])
        moves.append(slopes - beta)
    tilts = tilts_of(np.concatenate(moves), np.concatenate(leans))
    return np.vstack([np.concatenate(losses), tilts])


class _Span:
    """The rows of training or of the test, with their accounts."""

    def __init__(self, x: np.ndarray, y: np.ndarray, number: np.ndarray) -> None:
        self.x, self.y = x, y
        self.accounts, self.number = np.unique(number, return_inverse=True)
        at = (np.ones(len(y)), (self.number, np.arange(len(y))))
        self._adding = sparse.csr_array(at, shape=(len(self.accounts), len(y)))
        self.sums = self.by_account(x * y[:, None])
        self.sizes = np.bincount(self.number).astype(float)

    def by_account(self, values: np.ndarray) -> np.ndarray:
        """Sums over the rows of each account."""
        return self._adding @ values


def _information(span: _Span, means: np.ndarray) -> np.ndarray:
    """Accounts by p(p+1)/2: the upper triangle of each account's information."""
    weighted = span.x * means[:, None]
    width = span.x.shape[1]
    return np.hstack([span.by_account(weighted[:, [k]] * span.x[:, k:]) for k in range(width)])


def _square(triangles: np.ndarray, width: int) -> np.ndarray:
    """Draws by p by p, from the upper triangles."""
    full = np.empty((len(triangles), width, width))
    rows, columns = np.triu_indices(width)
    full[:, rows, columns] = full[:, columns, rows] = triangles
    return full
