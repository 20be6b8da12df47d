"""What a log looks like from outside, so that a simulated one can be set beside a real one."""

from __future__ import annotations

import numpy as np
import pandas as pd

POINTS = 60
LONGEST_GAP_HOURS = 2_000
COLUMNS = ["log", "measure", "x", "y"]
ACTIVITY, GAPS, RETENTION, RECIPROCITY = (
    "accounts with at least so many acts",
    "gaps between acts up to so many hours",
    "first contacts that act again after so many days",
    "pairs that act both ways",
)


def marginals(interactions: pd.DataFrame, *, log: str, days: int = 100) -> pd.DataFrame:
    """Describe a log by how active its accounts are, how they talk, and who comes back.

    Parameters
    ----------
    interactions
        The canonical table.
    log
        Its name, for the table.
    days
        How far after a first contact to look.

    Returns
    -------
    pandas.DataFrame
        log, measure, x and y: shares (0 to 1) of accounts that act, by their number of acts (x);
        of gaps between acts of one account, by hours; of pairs, one way, whose source acts again
        more than so many days after its first act, among those first seen early enough; and of
        such pairs with an act the other way (x is 0).

    Examples
    --------
    >>> days = pd.to_datetime(["2020-01-01", "2020-01-02", "2020-01-05"], utc=True)
    >>> tiny = pd.DataFrame({"source_id": ["a", "b", "a"], "target_id": ["b", "a", "b"],
    ...                      "seq": range(3), "created_at": days})
    >>> found = marginals(tiny, log="tiny", days=2)
    >>> float(found.loc[found.measure == RECIPROCITY, "y"].iloc[0])
    1.0
    """
    acts = interactions[interactions["source_id"] != interactions["target_id"]]
    acts = acts.sort_values(["created_at", "seq"])
    parts = [_activity(acts), _gaps(acts), _retention(acts, days), _reciprocity(acts)]
    return pd.concat(parts, ignore_index=True).assign(log=log)[COLUMNS]


def _part(measure: str, x: np.ndarray, y: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame({"measure": measure, "x": x.astype(float), "y": y})


def _activity(acts: pd.DataFrame) -> pd.DataFrame:
    number = np.sort(acts["source_id"].value_counts().to_numpy())
    x = np.unique(np.geomspace(1, max(number.max(), 2), POINTS).astype(int))
    return _part(ACTIVITY, x, 1 - np.searchsorted(number, x) / len(number))


def _gaps(acts: pd.DataFrame) -> pd.DataFrame:
    gaps = acts.groupby("source_id")["created_at"].diff().dropna().dt.total_seconds() / 3600
    x = np.geomspace(1 / 60, LONGEST_GAP_HOURS, POINTS)
    return _part(GAPS, x, np.searchsorted(np.sort(gaps), x, side="right") / max(len(gaps), 1))


def _retention(acts: pd.DataFrame, days: int) -> pd.DataFrame:
    pairs = acts.groupby(["source_id", "target_id"])["created_at"].agg(["min", "max"])
    early = pairs[pairs["min"] + pd.Timedelta(days=days) <= acts["created_at"].max()]
    stayed = np.sort((early["max"] - early["min"]).dt.total_seconds() / 86_400)
    x = np.geomspace(0.1, days, POINTS)
    return _part(RETENTION, x, 1 - np.searchsorted(stayed, x, side="right") / max(len(stayed), 1))


def _reciprocity(acts: pd.DataFrame) -> pd.DataFrame:
    pairs = acts.groupby(["source_id", "target_id"]).size().index
    both = pairs.isin(pairs.swaplevel())
    return _part(RECIPROCITY, np.zeros(1), np.array([both.mean()]))
