"""How many newcomers are back, and when: what a gap and a horizon make of "lasting"."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from smo_research.errors import DataError

DAY = pd.Timedelta(days=1)
RETENTION = ["dataset", "gap", "days", "back", "ci_low", "ci_high", "n_newcomers"]


def retention_table(
    interactions: pd.DataFrame,
    *,
    horizon: int,
    gaps: Sequence[int] = (1, 7, 14),
    dataset: str,
) -> pd.DataFrame:
    """Follow newcomers: the share of them who acted again, by days since their first act.

    A newcomer is an account with its first ever act toward another. It is back, under a gap, at
    the first act toward that account at least so many days later. Newcomers whose horizon is not
    over when the log ends are left out: they would count as lost for want of time.

    Parameters
    ----------
    interactions
        The canonical table.
    horizon
        Days that newcomers are followed.
    gaps
        Days that must have passed for an act to count.
    dataset
        Its name, for the table.

    Returns
    -------
    pandas.DataFrame
        One row a gap and day from the gap to the horizon: dataset, gap, days (since the first
        act), back (share, 0 to 1), ci_low and ci_high (95 %, errors clustered by the account that
        was acted toward), n_newcomers.

    Raises
    ------
    DataError
        When a gap is not from 1 to the horizon, or no newcomer can be followed so long.

    Examples
    --------
    >>> days = ["2020-01-01", "2020-01-03", "2020-01-10", "2020-02-01"]
    >>> log = pd.DataFrame({"source_id": ["b", "c", "b", "c"], "target_id": ["a", "a", "a", "b"],
    ...                     "seq": range(4), "created_at": pd.to_datetime(days, utc=True)})
    >>> found = retention_table(log, horizon=14, gaps=[7], dataset="mine")
    >>> found.loc[found["days"].isin([8, 9]), ["days", "back"]].values.tolist()
    [[8.0, 0.0], [9.0, 0.5]]
    """
    odd = [gap for gap in gaps if not 1 <= gap <= horizon]
    if odd or not len(gaps):
        raise DataError(f"gaps must be from 1 to the horizon ({horizon} days), but are {[*gaps]}.")
    log = interactions[interactions["source_id"] != interactions["target_id"]]
    log = log.sort_values(["created_at", "seq"])
    first = log.groupby(["source_id", "target_id"])["created_at"].transform("first")
    followed = first + horizon * DAY <= log["created_at"].max()
    if not followed.any():
        raise DataError(
            f"No newcomer can be followed for {horizon} days before the log ends; "
            "choose a shorter horizon."
        )
    log = log.assign(since=(log["created_at"] - first) / DAY)[followed]
    newcomers = log.groupby(["target_id", "source_id"])
    parts = []
    for gap in gaps:
        late = log["since"].where(log["since"] >= gap)
        back_days = late.groupby([log["target_id"], log["source_id"]]).min()
        days = np.arange(gap, horizon + 1)
        back = back_days.fillna(np.inf).to_numpy()[:, None] <= days[None, :]
        clusters = pd.factorize(back_days.index.get_level_values("target_id"))[0]
        share, reach = _share(back, clusters)
        parts.append(
            pd.DataFrame(
                {
                    "dataset": dataset,
                    "gap": gap,
                    "days": days,
                    "back": share,
                    "ci_low": np.clip(share - reach, 0, 1),
                    "ci_high": np.clip(share + reach, 0, 1),
                    "n_newcomers": newcomers.ngroups,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def _share(back: np.ndarray, clusters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean of each column, and how far its 95 % interval reaches, clustered."""
    share = back.mean(axis=0)
    many = clusters.max() + 1
    sums = np.zeros((many, back.shape[1]))
    np.add.at(sums, clusters, back - share)
    error = np.sqrt((sums**2).sum(axis=0) * many / max(many - 1, 1)) / len(back)
    return share, stats.t.ppf(0.975, max(many - 1, 1)) * error
