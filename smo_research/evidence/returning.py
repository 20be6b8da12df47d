"""Do people who are answered come back? First contacts, a landmark, a risk ratio (H5)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from smo_research.errors import DataError
from smo_research.tables import Windows

DAY = 86_400_000_000
ACTIVE_DAYS = 28
SHORT_GAP_DAYS = 14


def landmark_days(windows: Windows) -> int:
    """How long an account has to answer before its contact is watched: 7 days, 2 for short gaps."""
    return 2 if (windows.gap or 0) < SHORT_GAP_DAYS else 7


def first_contacts(interactions: pd.DataFrame, *, windows: Windows) -> pd.DataFrame:
    """Follow each account's first ever act toward another that did not act toward it before.

    Parameters
    ----------
    interactions
        The canonical table; where it has post_id, a contact is back only on another post.
    windows
        gap and horizon, in days.

    Returns
    -------
    pandas.DataFrame
        One row a first contact, in the order of the log: account_id (who was contacted),
        contact_id (who made it), first_at (UTC), answered (by the landmark),
        answer_delay_hours (missing when never answered), returned and elsewhere (whether the
        contact acted toward the account, or toward others, between landmark + gap and the
        horizon), back_days (from the landmark to that return), log_acts_j and log_acts_i
        (ln(1 + acts) of contact and account in the 28 days before).

    Raises
    ------
    DataError
        When the windows leave no time between landmark + gap and the horizon, or no account
        acts toward another.

    Examples
    --------
    >>> days = ["2020-01-01", "2020-01-02", "2020-01-20", "2020-02-20"]
    >>> log = pd.DataFrame({"source_id": ["b", "a", "b", "c"], "target_id": ["a", "b", "a", "a"],
    ...                     "seq": range(4), "created_at": pd.to_datetime(days, utc=True)})
    >>> found = first_contacts(log, windows=Windows(period=7, gap=7, horizon=28))
    >>> found[["account_id", "contact_id", "answered", "returned"]].values.tolist()
    [['a', 'b', True, True]]
    """
    if windows.gap is None:
        raise DataError("First contacts need a gap; give Windows(gap=...) in days.")
    landmark = landmark_days(windows)
    opens, closes = (landmark + windows.gap) * DAY, windows.horizon * DAY
    if opens > closes:
        raise DataError(
            f"landmark + gap ({landmark} + {windows.gap} days) must not pass the horizon "
            f"({windows.horizon} days); choose a shorter gap or a longer horizon."
        )
    log = interactions[interactions["source_id"] != interactions["target_id"]]
    if log.empty:
        raise DataError("The log has no act between two different accounts.")
    log = log.sort_values(["created_at", "seq"], ignore_index=True)
    at = log["created_at"].dt.as_unit("us").astype("int64").to_numpy()
    ids, names = pd.factorize(pd.concat([log["source_id"], log["target_id"]]))
    source, target = np.split(ids.astype("int64"), 2)
    n = len(log)
    counter = _Counter(source, at)

    pair, first = _first_of_group(source * len(names) + target)
    back_pair = pd.Index(source[first] * len(names) + target[first])
    reply = back_pair.get_indexer(target[first] * len(names) + source[first])
    replied_first = np.where(reply >= 0, first[reply], n)

    since = at - at[first][pair]
    returning = (since >= opens) & (since <= closes)
    toward = returning.copy()
    if "post_id" in log and log["post_id"].notna().any():
        thread = pd.factorize(log["post_id"])[0]
        toward &= (thread != thread[first][pair]) | (thread < 0)
    acts_toward = np.bincount(pair[returning], minlength=len(first))
    back_at = np.full(len(first), np.iinfo("int64").max)
    np.minimum.at(back_at, pair[toward], since[toward])

    begun = at[first]
    delay = np.append(at, np.iinfo("int64").max)[replied_first] - begun
    acts_out = counter.between(source[first], begun + opens, begun + closes)
    frame = pd.DataFrame(
        {
            "account_id": names[target[first]],
            "contact_id": names[source[first]],
            "first_at": log["created_at"].array[first],
            "answered": delay <= landmark * DAY,
            "answer_delay_hours": np.where(replied_first < n, delay / 3.6e9, np.nan),
            "returned": back_at <= closes,
            "elsewhere": acts_out > acts_toward,
            "back_days": np.where(back_at <= closes, back_at / DAY - landmark, np.nan),
            "log_acts_j": np.log1p(counter.before(source[first], first, begun)),
            "log_acts_i": np.log1p(counter.before(target[first], first, begun)),
        }
    )
    subjects = (replied_first > first) & (begun + closes <= at[-1])
    order = np.argsort(first[subjects], kind="stable")
    return frame[subjects].iloc[order].reset_index(drop=True)


def _first_of_group(key: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Number the groups and say at which row each is first seen."""
    group = pd.factorize(key)[0]
    return group, np.unique(group, return_index=True)[1]


def fewest_people(people: pd.Series, *flags: pd.Series | np.ndarray) -> int:
    """Count the people behind the smallest group that flags make, of those that are there.

    Parameters
    ----------
    people
        Who each row is of.
    flags
        What the rows are compared by, such as answered and returned.

    Examples
    --------
    >>> fewest_people(pd.Series(["zoe", "zoe", "amy"]), np.array([1, 1, 0]))
    1
    """
    return int(people.groupby([np.asarray(flag) for flag in flags]).nunique().min())


class _Counter:
    """Counts of an account's own acts in stretches of an ordered log."""

    def __init__(self, source: np.ndarray, at: np.ndarray) -> None:
        self._at = at
        self._width = len(at) + 1
        self._keys = np.sort(source * self._width + np.arange(len(at)))

    def _up_to(self, account: np.ndarray, row: np.ndarray) -> np.ndarray:
        return np.searchsorted(self._keys, account * self._width + row)

    def between(self, account: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        """Acts at times from low to high, both ends counted."""
        first = np.searchsorted(self._at, low, side="left")
        last = np.searchsorted(self._at, high, side="right")
        return self._up_to(account, last) - self._up_to(account, first)

    def before(self, account: np.ndarray, row: np.ndarray, at: np.ndarray) -> np.ndarray:
        """Acts before a row of the log, in the 28 days up to its time."""
        first = np.searchsorted(self._at, at - ACTIVE_DAYS * DAY, side="left")
        return self._up_to(account, row) - self._up_to(account, first)
