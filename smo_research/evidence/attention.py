"""How fast a counter stops, and whether what spreads on one platform spreads on another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from smo_research.errors import DataError

SHARES = (0.5, 0.9)
REPLICATES = 2000
FEWEST_ITEMS = 10


def attention_curve(counters: pd.DataFrame, *, whole: bool = True) -> pd.DataFrame:
    """Give the share of its final count that an item has after each reading, per platform.

    An item's final count is its count at the platform's last reading time; items without one,
    or with 0, have no share. The final count is final within the time of observation only.

    Parameters
    ----------
    counters
        The canonical table.
    whole
        Only items that have every reading, so that each hour speaks of the same items. Otherwise
        each item from its first reading on: more items, but others at every hour.

    Returns
    -------
    pandas.DataFrame
        One row a platform and reading time: platform, hours_since, mean, median, p10, p90
        (shares over items, 0 to 1), n_items; a time at which no item was read is no row.

    Raises
    ------
    DataError
        When an item has two counts at one time.

    Examples
    --------
    >>> counters = pd.DataFrame({"item_id": ["a", "a", "b", "b"], "platform": "Facebook",
    ...                          "hours_since": [1.0, 2.0] * 2, "count": [1, 4, 3, 4]})
    >>> attention_curve(counters)[["hours_since", "mean"]].values.tolist()
    [[1.0, 0.5], [2.0, 1.0]]
    """
    parts = [
        _curve(platform, hours, counts, whole) for platform, _, hours, counts in _wide(counters)
    ]
    return pd.concat(parts, ignore_index=True)


def hours_to_reach(curve: pd.DataFrame, *, shares: Sequence[float] = SHARES) -> pd.DataFrame:
    """Give the first reading time at which the curve is at each share, per platform.

    Parameters
    ----------
    curve
        As `attention_curve` returns it.
    shares
        Shares of the final count, above 0 and up to 1.

    Returns
    -------
    pandas.DataFrame
        One row a platform and share: platform, share, hours_mean (of the mean over items),
        hours_median (of the median item; by then at least half of the items are there), n_items
        (at the last reading).
    """
    rows = []
    for platform, group in curve.groupby("platform", sort=False):
        group = group.sort_values("hours_since")
        for share in shares:
            hours = {
                f"hours_{which}": group.loc[group[which] >= share - 1e-12, "hours_since"].min()
                for which in ("mean", "median")
            }
            n_items = group["n_items"].iloc[-1]
            rows.append({"platform": platform, "share": share, **hours, "n_items": n_items})
    return pd.DataFrame(rows)


def carries_over(
    counters: pd.DataFrame, *, replicates: int = REPLICATES, seed: int = 0
) -> pd.DataFrame:
    """Correlate the final counts of the same items on each pair of platforms.

    Spearman's rank correlation over the items that have a final count on both, ties at their
    middle rank, with a 95 % percentile interval from a bootstrap that draws items.

    Parameters
    ----------
    counters
        The canonical table.
    replicates
        Bootstrap samples.
    seed
        Of the random numbers.

    Returns
    -------
    pandas.DataFrame
        One row a pair: platform, other, n_items, above_zero, above_zero_other, above_zero_both
        (shares of these items with a final count above 0), spearman, ci_low, ci_high, and the
        reason where the correlation is missing.

    Raises
    ------
    DataError
        When there is only one platform, or an item has two counts at one time.

    Examples
    --------
    >>> rows = pd.DataFrame({"item_id": [f"i{k}" for k in range(20)], "hours_since": 48.0})
    >>> one = rows.assign(platform="Facebook", count=range(20))
    >>> other = rows.assign(platform="LinkedIn", count=range(100, 300, 10))
    >>> found = carries_over(pd.concat([one, other]))
    >>> found[["platform", "other", "spearman"]].round(6).values.tolist()
    [['Facebook', 'LinkedIn', 1.0]]
    """
    finals = {
        platform: pd.Series(counts[:, -1], index=items).dropna()
        for platform, items, _, counts in _wide(counters)
    }
    if len(finals) < 2:
        raise DataError(
            f"counters must hold at least two platforms, but hold {', '.join(finals)} only."
        )
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        [
            {"platform": one, "other": other, **_pair(finals[one], finals[other], replicates, rng)}
            for one, other in combinations(finals, 2)
        ]
    )


def _wide(
    counters: pd.DataFrame,
) -> Iterator[tuple[str, pd.Index, np.ndarray, np.ndarray]]:
    """Give for each platform its items, its reading times, and the counts of items by times."""
    for platform, rows in counters.groupby("platform", sort=False):
        item, items = pd.factorize(rows["item_id"])
        time, hours = pd.factorize(rows["hours_since"].to_numpy(), sort=True)
        counts = np.full((len(items), len(hours)), np.nan)
        counts[item, time] = rows["count"].to_numpy("float64", na_value=np.nan)
        if np.bincount(item * len(hours) + time).max() > 1:
            raise DataError(
                f"counters: an item on {platform} has two counts at one time; keep one."
            )
        yield str(platform), pd.Index(items), hours, counts


def _curve(platform: str, hours: np.ndarray, counts: np.ndarray, whole: bool) -> pd.DataFrame:
    counts = counts[counts[:, -1] > 0]
    if whole:
        counts = counts[~np.isnan(counts).any(axis=1)]
    shares = counts / counts[:, -1:]
    read = ~np.isnan(shares).all(axis=0) if len(shares) else np.zeros(len(hours), dtype=bool)
    shares = shares[:, read]
    p10, median, p90 = (
        np.nanquantile(shares, [0.1, 0.5, 0.9], axis=0) if read.any() else np.empty((3, 0))
    )
    return pd.DataFrame(
        {
            "platform": platform,
            "hours_since": hours[read],
            "mean": np.nanmean(shares, axis=0) if read.any() else np.empty(0),
            "median": median,
            "p10": p10,
            "p90": p90,
            "n_items": (~np.isnan(shares)).sum(axis=0),
        }
    )


def _pair(
    one: pd.Series, other: pd.Series, replicates: int, rng: np.random.Generator
) -> dict[str, object]:
    both = pd.concat([one, other], axis=1, join="inner", keys=["x", "y"])
    above = both > 0
    row: dict[str, object] = {
        "n_items": len(both),
        "above_zero": above["x"].mean(),
        "above_zero_other": above["y"].mean(),
        "above_zero_both": above.all(axis=1).mean(),
        **dict.fromkeys(("spearman", "ci_low", "ci_high"), np.nan),
        "reason": "",
    }
    if len(both) < FEWEST_ITEMS:
        return row | {"reason": f"under {FEWEST_ITEMS} items are on both"}
    if (both.nunique() < 2).any():
        return row | {"reason": "every item has the same count on one of them"}
    # Items with the same two counts are alike: to draw items is to draw from these cells.
    cells = both.value_counts(sort=False)
    x, y = (pd.factorize(cells.index.get_level_values(name), sort=True)[0] for name in both)
    drawn = rng.multinomial(len(both), cells.to_numpy() / len(both), size=replicates)
    low, high = np.nanquantile(_spearman(drawn, x, y), [0.025, 0.975])
    spearman = _spearman(cells.to_numpy()[None], x, y)[0]
    return row | {"spearman": spearman, "ci_low": low, "ci_high": high}


def _spearman(weights: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Correlate the ranks of two codes, one sample of weighted cells (rows of `weights`) a time."""
    middle = weights.sum(axis=1, keepdims=True) / 2
    (own_x, rank_x), (own_y, rank_y) = (_ranks(weights, codes) for codes in (x, y))
    covariance = (weights * (rank_x[:, x] - middle) * (rank_y[:, y] - middle)).sum(axis=1)
    spread = (own_x * (rank_x - middle) ** 2).sum(axis=1) * (own_y * (rank_y - middle) ** 2).sum(
        axis=1
    )
    correlation = np.full(len(weights), np.nan)
    return np.divide(covariance, np.sqrt(spread), out=correlation, where=spread > 0)


def _ranks(weights: np.ndarray, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give the weight of each code and its middle rank, less one half."""
    order = np.argsort(codes, kind="stable")
    starts = np.flatnonzero(np.diff(codes[order], prepend=-1))
    own = np.add.reduceat(weights[:, order].astype("float64"), starts, axis=1)
    return own, own.cumsum(axis=1) - own / 2
