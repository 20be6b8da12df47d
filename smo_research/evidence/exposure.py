"""When was a first contact answered, and when was it back? Codings of one word, "answered" (H5)."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd

from smo_research.errors import DataError
from smo_research.evidence.returning import DAY, landmark_days
from smo_research.tables import Windows

SAME_CONVERSATION_DAYS = 1
SINCE_DAYS = (0.0, 1.0, 7.0, 28.0, np.inf)
SINCE_THE_ANSWER = (
    "answered_0_1_days",
    "answered_1_7_days",
    "answered_7_28_days",
    "answered_28_days_on",
)
DELAY_HOURS = (0, 1, 24, 72, 168)
NEVER = np.iinfo("int64").max


def follow(interactions: pd.DataFrame, contacts: pd.DataFrame) -> pd.DataFrame:
    """Say when each first contact was answered, acted again, and came back.

    Acts at the same clock time are set a microsecond apart, in the order of the log.

    Parameters
    ----------
    interactions
        The canonical table.
    contacts
        As `first_contacts` returns them, from the same table.

    Returns
    -------
    pandas.DataFrame
        One row a contact, on the index of `contacts`, in days since its first act, missing where
        it never happened: answer_days (the account's first act toward it), again_days (its next
        act toward the account, on another post where posts are known), back_days (the first of
        those acts that is not the same conversation going on: more than a day after the
        account's last act toward it, or with none before).

    Raises
    ------
    DataError
        When a contact is not in the table.

    Examples
    --------
    >>> days = ["2020-01-01", "2020-01-02", "2020-01-20", "2020-02-20"]
    >>> log = pd.DataFrame({"source_id": ["b", "a", "b", "c"], "target_id": ["a", "b", "a", "a"],
    ...                     "seq": range(4), "created_at": pd.to_datetime(days, utc=True)})
    >>> import smo_research as smo
    >>> windows = smo.Windows(period=7, gap=7, horizon=28)
    >>> smo.follow(log, smo.first_contacts(log, windows=windows)).to_dict("records")
    [{'answer_days': 1.0, 'again_days': 19.0, 'back_days': 19.0}]
    """
    acts = _acts_between(interactions, contacts)
    contact, at = acts["contact"].to_numpy(), acts["at"].to_numpy()
    begins = np.append(True, contact[1:] != contact[:-1])
    first = np.maximum.accumulate(np.where(begins, np.arange(len(acts)), 0))
    number = np.arange(len(acts)) - first
    since = at - at[first]
    apart = pd.Series(since - number).groupby(contact).cummax().to_numpy() + number

    by_account = acts["by_account"].to_numpy()
    last_answer = np.maximum.accumulate(np.where(by_account, np.arange(len(acts)), -1))
    quiet = np.where(last_answer >= first, at - at[last_answer], NEVER)
    again = ~by_account & (number > 0)
    if "post_id" in acts and acts["post_id"].notna().any():
        post = pd.factorize(acts["post_id"])[0]
        again &= (post != post[first]) | (post < 0)
    wanted = {
        "answer_days": by_account,
        "again_days": again,
        "back_days": again & (quiet > SAME_CONVERSATION_DAYS * DAY),
    }
    frame = pd.DataFrame(np.nan, index=contacts.index, columns=list(wanted))
    for name, mask in wanted.items():
        who, where = np.unique(contact[mask], return_index=True)
        days = np.full(len(contacts), np.nan)
        days[who] = apart[mask][where] / DAY
        frame[name] = days
    return frame


def _acts_between(interactions: pd.DataFrame, contacts: pd.DataFrame) -> pd.DataFrame:
    """Acts between each contact and its account, by contact and in the order of the log."""
    log = interactions.sort_values(["created_at", "seq"], ignore_index=True)
    ids, names = pd.factorize(pd.concat([log["source_id"], log["target_id"]]))
    source, target = np.split(ids.astype("int64"), 2)
    who, account = (
        pd.Index(names).get_indexer(contacts[name]) for name in ("contact_id", "account_id")
    )
    width = len(names)
    toward = pd.Index(who * width + account).get_indexer(source * width + target)
    answer = pd.Index(account * width + who).get_indexer(source * width + target)
    contact = np.where(toward >= 0, toward, answer)
    found = np.zeros(len(contacts), dtype=bool)
    found[toward[toward >= 0]] = True
    if not found.all():
        row = contacts.iloc[int((~found).argmin())]
        raise DataError(
            f"contacts must come from interactions, but {row['contact_id']} never acts toward "
            f"{row['account_id']} there."
        )
    acts = log.assign(
        contact=contact,
        by_account=answer >= 0,
        at=log["created_at"].dt.as_unit("us").astype("int64"),
    )
    return acts[contact >= 0].sort_values("contact", kind="stable", ignore_index=True)


def naive_codings(times: pd.DataFrame, *, windows: Windows) -> pd.DataFrame:
    """Code "answered" as one should not: with what happens after it.

    Parameters
    ----------
    times
        As `follow` returns them.
    windows
        For the horizon.

    Returns
    -------
    pandas.DataFrame
        0 or 1, on the index of `times`: ever_answered (at any time up to the horizon; who comes
        back is answered then, so it is biased up), answered_before (answered up to the horizon
        and before being back; who is back at once had no time to be answered, so it is biased
        down), back (at any time up to the horizon, the same conversation left out).
    """
    back = times["back_days"] <= windows.horizon
    ever = times["answer_days"] <= windows.horizon
    before = ever & ~(times["back_days"] <= times["answer_days"])
    frame = pd.DataFrame({"ever_answered": ever, "answered_before": before, "back": back})
    return frame.astype(int)


def intervals(contacts: pd.DataFrame, times: pd.DataFrame, *, windows: Windows) -> pd.DataFrame:
    """Cut each contact's time until it acts again, or the horizon, where it is answered.

    Parameters
    ----------
    contacts
        As `first_contacts` returns them.
    times
        What `follow` says of them.
    windows
        For the horizon.

    Returns
    -------
    pandas.DataFrame
        One row an interval (start_days, stop_days] since the first act, with the columns of
        `contacts`, acted_again (1 where the interval ends with it) and one column, 0 or 1, for
        each stretch of time since the answer; all are 0 until it.
    """
    end = np.minimum(times["again_days"].fillna(np.inf), windows.horizon).to_numpy()
    answer = times["answer_days"].fillna(np.inf).to_numpy()
    edges = np.minimum(answer[:, None] + np.array(SINCE_DAYS), end[:, None])
    start = np.column_stack([np.zeros(len(end)), edges[:, :-1]])
    row, stretch = np.nonzero(edges > start)
    stop = edges[row, stretch]
    cut = contacts.iloc[row].assign(
        start_days=start[row, stretch],
        stop_days=stop,
        acted_again=(stop == times["again_days"].to_numpy()[row]).astype(int),
        **{name: (stretch == k).astype(int) for k, name in enumerate(SINCE_THE_ANSWER, start=1)},
    )
    return cut.reset_index(drop=True)


def by_delay(contacts: pd.DataFrame, *, windows: Windows) -> pd.DataFrame:
    """Split `answered` by how soon the answer came, as far as the landmark reaches.

    Parameters
    ----------
    contacts
        As `first_contacts` returns them.
    windows
        Those they were built with.

    Returns
    -------
    pandas.DataFrame
        0 or 1, on the index of `contacts`, one column a class of delay (under 1 hour, 1 to 24
        hours, 1 to 3 days, 3 to 7 days, cut off at the landmark).
    """
    reach = 24 * landmark_days(windows)
    edges = sorted({min(hours, reach) for hours in DELAY_HOURS})
    delay = contacts["answer_delay_hours"].where(contacts["answered"].astype(bool))
    classes = {}
    for low, high in itertools.pairwise(edges):
        inside = (delay >= low) & ((delay < high) | ((high == reach) & (delay == high)))
        classes[_delay_name(low, high)] = inside.astype(int)
    return pd.DataFrame(classes, index=contacts.index)


def _delay_name(low: int, high: int) -> str:
    if low == 0:
        return f"answered_under_{high}_hour"
    unit, size = ("hours", 1) if high <= 24 else ("days", 24)
    return f"answered_{low // size}_{high // size}_{unit}"
