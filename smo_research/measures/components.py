"""How a network grows together: its largest pieces as the log runs."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import sparse

from smo_research.errors import DataError


def components_over_time(interactions: pd.DataFrame, *, days: int = 7) -> pd.DataFrame:
    """Follow the largest components of the graph of all acts so far.

    Parameters
    ----------
    interactions
        The canonical table; acts toward oneself are left out.
    days
        Between two looks.

    Returns
    -------
    pandas.DataFrame
        One row a look, the last at the end of the log: at (UTC), accounts (that acted or were
        acted toward so far), weak and strong: the share of them, 0 to 1, in the largest weakly
        connected component (joined by acts in whatever direction) and in the largest strongly
        connected one (each reaches each along the direction of acts).

    Raises
    ------
    DataError
        When days is under 1, or no account acts toward another.

    Examples
    --------
    >>> log = pd.DataFrame({"source_id": ["a", "b", "c"], "target_id": ["b", "a", "b"],
    ...                     "created_at": pd.to_datetime(["2020-01-01", "2020-01-02", "2020-01-09"],
    ...                                                  utc=True)})
    >>> components_over_time(log)[["accounts", "weak", "strong"]].round(2).values.tolist()
    [[2.0, 1.0, 1.0], [3.0, 1.0, 0.67]]
    """
    if days < 1:
        raise DataError(f"days must be a whole number from 1, but is {days!r}.")
    log = interactions[interactions["source_id"] != interactions["target_id"]]
    if log.empty:
        raise DataError("The log holds no act between two different accounts; nothing to measure.")
    log = log.sort_values("created_at", kind="stable")
    ends = pd.factorize(pd.concat([log["source_id"], log["target_id"]]))[0]
    source, target = np.split(ends, 2)
    first, last = log["created_at"].iloc[[0, -1]]
    looks = pd.date_range(first, last, freq=pd.Timedelta(days=days), inclusive="neither")
    looks = looks.append(pd.DatetimeIndex([last]))
    until = np.searchsorted(log["created_at"], looks, side="right")
    rows = [_largest(source[:acts], target[:acts]) for acts in until]
    return pd.DataFrame(rows, columns=["accounts", "weak", "strong"]).assign(at=looks)[
        ["at", "accounts", "weak", "strong"]
    ]


def _largest(source: np.ndarray, target: np.ndarray) -> tuple[int, float, float]:
    codes, known = pd.factorize(np.concatenate([source, target]))
    accounts = len(known)
    ends = codes[: len(source)], codes[len(source) :]
    acts = sparse.coo_array((np.ones(len(source)), ends), shape=(accounts, accounts)).tocsr()
    shares: list[float] = []
    for kind in ("weak", "strong"):
        part = sparse.csgraph.connected_components(acts, connection=kind)[1]
        shares.append(float(np.bincount(part).max() / accounts))
    return accounts, shares[0], shares[1]
