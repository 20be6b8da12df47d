"""Which predicts lasting growth better out of sample, conversation or tweaks? (H4)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
import pandas as pd

from smo_research.errors import FitError
from smo_research.evidence.effects import Estimate
from smo_research.evidence.few import seed_for
from smo_research.evidence.hypotheses import hypotheses, rule
from smo_research.evidence.result import Key, Result, effect_row, untested
from smo_research.tables import Windows

DRAWS = 1_000
TEST_SHARE = 0.3
FOLDS, REPEATS = 10, 10
RIDGE = 1e-8
YEAR_DAYS = 365.25
FEWEST_TWEAKS = 2
TIMING = ("schedule_focus", "burstiness", "cadence")
UNIT = "nats per row"
CONTRAST = "conversation minus tweaks"
Split = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True, eq=False)
class Drawn:
    """A quantity with its bootstrap draws; stands in for `Effect`."""

    estimate: float
    draws: np.ndarray = field(repr=False)

    @property
    def std_error(self) -> float:
        """Standard deviation of the draws."""
        return float(self.draws.std(ddof=1))

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Percentiles of the draws."""
        tail = (1 - level) / 2
        low, high = np.quantile(self.draws, [tail, 1 - tail])
        return float(low), float(high)

    @property
    def p_difference(self) -> float:
        """Two-sided p of zero: twice the smaller share of draws on one side of it."""
        below, above = (self.draws <= 0).sum(), (self.draws >= 0).sum()
        return float(min(1.0, 2 * (1 + min(below, above)) / (1 + len(self.draws))))

    def p_equivalence(self, bound: float) -> float:
        """Always 1: no band of negligible contributions is set."""
        return 1.0

    def p_minimal_effect(self, bound: float) -> float:
        """Always 1, for the same reason."""
        return 1.0

    @property
    def detectable(self) -> float:
        """The smallest difference found in 80 % of samples like this, by a 5 % test."""
        return 2.8 * self.std_error


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


def held_out_losses(
    y: np.ndarray,
    base: np.ndarray,
    blocks: Mapping[str, np.ndarray],
    splits: list[Split],
    weights: np.ndarray,
) -> dict[frozenset[str], np.ndarray]:
    """Loss of every subset of blocks over the base, for every draw of weights.

    Least squares, fitted in training with weights and one intercept recalibrated on the test
    rows; loss is squared error over twice the training variance of the base model: nats a row.

    Parameters
    ----------
    y
        n outcomes.
    base
        n by p adjustment set, without a constant.
    blocks
        Name to n by k columns.
    splits
        Pairs of masks, training and test.
    weights
        Draws by n.

    Returns
    -------
    dict
        Subset of names to one loss a draw.
    """
    subsets = [frozenset(c) for r in range(len(blocks) + 1) for c in combinations(blocks, r)]
    total = {subset: np.zeros(len(weights)) for subset in subsets}
    mass = np.zeros(len(weights))
    for train, test in splits:
        fit, hold = weights[:, train], weights[:, test]
        mass += hold.sum(axis=1)
        variance = None
        for subset in subsets:
            columns = np.column_stack([base, *(blocks[name] for name in sorted(subset))])
            centre, spread = columns[train].mean(axis=0), columns[train].std(axis=0)
            keep = spread > 1e-12
            x = (columns[:, keep] - centre[keep]) / spread[keep]
            x = np.column_stack([np.ones(len(x)), x])
            slopes, residual = _weighted_fit(x[train], y[train], fit)
            if variance is None:
                variance = (fit * residual**2).sum(axis=1) / fit.sum(axis=1)
            error = y[test] - slopes @ x[test].T
            share = hold.sum(axis=1, keepdims=True)
            shift = (hold * error).sum(axis=1, keepdims=True) / np.where(share > 0, share, 1)
            # With folds the test rows are too few for an intercept of their own.
            error = error - shift if len(splits) == 1 else error
            total[subset] += (hold * error**2).sum(axis=1) / (2 * variance)
    return {subset: loss / mass for subset, loss in total.items()}


def _weighted_fit(
    x: np.ndarray, y: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Weighted least squares of every draw at once: slopes (draws by p) and residuals."""
    width = x.shape[1]
    products = (x[:, :, None] * x[:, None, :]).reshape(len(x), -1)
    gram = (weights @ products).reshape(-1, width, width)
    gram += RIDGE * weights.sum(axis=1)[:, None, None] * np.eye(width)
    slopes = np.linalg.solve(gram, (weights @ (x * y[:, None]))[:, :, None])[:, :, 0]
    return slopes, y - slopes @ x.T


def shapley(
    losses: Mapping[frozenset[str], np.ndarray], players: list[str]
) -> dict[str, np.ndarray]:
    """Exact Shapley contributions to the fall in loss.

    References
    ----------
    Shapley (1953), A value for n-person games.

    Examples
    --------
    >>> one = {frozenset(): np.array([1.0]), frozenset("a"): np.array([0.4])}
    >>> shapley(one, ["a"])["a"]
    array([0.6])
    """
    n = len(players)
    shares = {}
    for player in players:
        others = [name for name in players if name != player]
        share = np.zeros_like(losses[frozenset()])
        for size in range(n):
            weight = math.factorial(size) * math.factorial(n - size - 1) / math.factorial(n)
            for subset in combinations(others, size):
                without = frozenset(subset)
                share = share + weight * (losses[without] - losses[without | {player}])
        shares[player] = share
    return shares


def contest(
    rows: pd.DataFrame,
    outcome: str,
    *,
    adjustment: list[str],
    blocks: Mapping[str, list[str]],
    dataset: str,
    answering: Estimate | None,
    windows: Windows | None = None,
    data_hashes: Mapping[str, str] | None = None,
    seed: int = 1,
    draws: int = DRAWS,
) -> Result:
    """Let blocks of predictors compete for what they add out of sample.

    Parameters
    ----------
    rows
        One row an account (and period), complete in all columns named.
    outcome
        A real outcome, such as lasting_growth.
    adjustment
        Columns that every model has.
    blocks
        Block name to its columns; needs "conversation" and "tweaks".
    dataset
        Its name, for the table.
    answering
        The effect that decided H3 there; its sign is a condition of H4.
    windows
        For rows over time; without them the rows are one cross-section and folds are drawn.
    data_hashes
        File name to sha256 of the raw data.
    seed, draws
        Of folds and of the bootstrap over accounts, which refits every subset.
    """
    null = hypotheses()["H4"].null
    beyond = [name for name in blocks["tweaks"] if name in rows and not name.startswith(TIMING)]
    beyond = [name for name in beyond if not name.endswith("_missing")]
    if len(beyond) < FEWEST_TWEAKS:
        return untested("H4", dataset, null, "fewer than two tweaks beyond timing are measured")
    if len(rows) < rule().fewest_rows:
        reason = f"{len(rows)} rows; at least {rule().fewest_rows} are needed"
        return untested("H4", dataset, null, reason)
    y = rows[outcome].to_numpy(float)
    accounts = rows["account_id"].to_numpy()
    rng = seed_for(seed, dataset, "H4")
    base = rows[adjustment].to_numpy(float)
    try:
        if windows is None:
            splits = account_folds(accounts, rng=rng)
        else:
            period = rows["period"].to_numpy()
            splits = time_split(period, windows=windows)
            base = np.column_stack([base, trend_and_season(period, splits[0][0], windows)])
    except FitError as error:
        return untested("H4", dataset, null, str(error))
    columns = {name: rows[cols].to_numpy(float) for name, cols in blocks.items()}
    names, number = np.unique(accounts, return_inverse=True)
    drawn = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=draws)
    weights = np.vstack([np.ones(len(y)), drawn[:, number]]).astype(float)
    empty = any((weights[:, mask].sum(axis=1) == 0).any() for pair in splits for mask in pair)
    if windows is not None and empty:
        return untested("H4", dataset, null, "too few accounts are seen in training and after it")
    losses = held_out_losses(y, base, columns, splits, weights)
    players = list(blocks)
    shares = shapley(losses, players)
    gain = losses[frozenset()] - losses[frozenset(players)]
    found: dict[str, np.ndarray] = {
        CONTRAST: shares["conversation"] - shares["tweaks"],
        "full model": gain,
        **shares,
    }
    used = splits[0][0] | splits[0][1]
    size = {"n_obs": int(used.sum()), "n_accounts": len(np.unique(accounts[used]))}
    label = {"hypothesis": "H4", "dataset": dataset, "model": "contest", "unit": UNIT}
    lines: list[dict] = []
    effects: dict[Key, Estimate] = {}
    for term, values in found.items():
        key: Key = ("contest", term if term in blocks else "total", term)
        effects[key] = Drawn(float(values[0]), values[1:])
        lines.append(effect_row(effects[key], **label, block=key[1], term=term, **size))
    positive = answering is not None and answering.interval()[0] > 0
    beats = float(gain[0]) > 0
    notes = [
        f"the full model {'beats' if beats else 'does not beat'} the adjustment set "
        f"({gain[0]:+.3f} {UNIT})",
        "" if positive else "answering itself is not positive with its interval off the null",
    ]
    return Result(
        "H4",
        dataset,
        pd.DataFrame(lines),
        null,
        formula=f"{outcome} ~ {' + '.join(adjustment)} [+ {'] [+ '.join(blocks)}]",
        effects=effects,
        data_hashes=dict(data_hashes or {}),
        seed=seed,
        passes=beats and positive,
        notes=tuple(note for note in notes if note),
    )
