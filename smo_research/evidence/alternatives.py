"""The panels and first contacts of a data set under other windows, built once for all."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias, TypeVar

import numpy as np
import pandas as pd

from smo_research.errors import DataError
from smo_research.evidence.returning import first_contacts
from smo_research.evidence.samples import under_study
from smo_research.measures.panel import panels
from smo_research.measures.position import positions_by_period
from smo_research.tables import Windows

VARIED = ("period", "gap", "horizon")
Key = TypeVar("Key", bound=Hashable)
Rows: TypeAlias = pd.DataFrame | str


@dataclass(frozen=True, eq=False)
class Panels:
    """Panels by windows.

    Attributes
    ----------
    windows
        The data set's own; the first of all.
    rows
        A panel by windows, with account_id as numbers that all share; or the reason why the
        log is too short for it.
    accounts
        The account_id behind each number.
    posts
        Whether posts are known.
    """

    windows: Windows
    rows: Mapping[Windows, pd.DataFrame | str]
    accounts: pd.Index
    posts: bool = False


@dataclass(frozen=True, eq=False)
class Contacts:
    """First contacts by windows, and by whether to be back takes another post.

    Attributes
    ----------
    windows
        The data set's own; the first of all.
    threads
        Whether posts are known.
    rows
        As `first_contacts` returns them, with account_id and contact_id as numbers that all
        share, in their order; or the reason why there are none.
    accounts
        The account_id behind each number.
    """

    windows: Windows
    threads: bool
    rows: Mapping[tuple[Windows, bool], pd.DataFrame | str]
    accounts: pd.Index


def alternative_windows(
    windows: Windows, *, varied: tuple[str, ...] = VARIED
) -> tuple[Windows, ...]:
    """The windows themselves, then with one length at a time halved (rounded up) and doubled.

    Examples
    --------
    >>> for one in alternative_windows(Windows(period=7, gap=7, horizon=42)):
    ...     print(one.period, one.gap, one.horizon)
    7 7 42
    4 7 42
    14 7 42
    7 4 42
    7 14 42
    7 7 21
    7 7 84
    """
    found = [windows]
    for name in varied:
        days = getattr(windows, name)
        for other in (-(-days // 2), 2 * days):
            lengths = {"gap": windows.gap or 0, "horizon": windows.horizon, name: other}
            if lengths["gap"] <= lengths["horizon"]:
                found.append(replace(windows, **{name: other}))
    return tuple(dict.fromkeys(found))


def alternative_panels(
    interactions: pd.DataFrame,
    posts: pd.DataFrame | None = None,
    *,
    windows: Windows,
    accounts: pd.DataFrame | None = None,
) -> Panels:
    """Build the panel of a log under each of `alternative_windows`, with what is varied in them.

    Parameters
    ----------
    interactions, posts
        The canonical tables; posts where the data set has them.
    windows
        The data set's own.
    accounts
        The canonical table, where it has one: those under study (`under_study`).

    Returns
    -------
    Panels
        Beside the columns of `smo_research.panel`: log_answered, log_past_answered and
        log_depth (ln(1 + n)), and the position in the graph of the period's acts
        (log_pagerank, clustering, core_number).
    """
    positions: dict[int, pd.DataFrame] = {}
    built = panels(interactions, posts, windows=alternative_windows(windows))
    for one, rows in built.items():
        if isinstance(rows, str):
            continue
        if one.period not in positions:
            start = (rows["period_start"] - rows["period"] * pd.Timedelta(days=one.period)).iloc[0]
            positions[one.period] = positions_by_period(interactions, windows=one, start=start)
        kept = under_study(rows, interactions, accounts)
        built[one] = _with_alternatives(kept, positions[one.period])
    known = _accounts(built.values(), ["account_id"])
    numbered = _numbered(built, known, ["account_id"])
    return Panels(windows, numbered, known, posts=posts is not None)


def alternative_contacts(
    interactions: pd.DataFrame, *, windows: Windows, accounts: pd.DataFrame | None = None
) -> Contacts:
    """Follow the first contacts of a log under each of its windows but for the period.

    Parameters
    ----------
    interactions
        The canonical table.
    windows
        The data set's own.
    accounts
        The canonical table, where it has one: those under study (`under_study`).

    Returns
    -------
    Contacts
        Under each of them twice where posts are known: back on another post, or on any.
    """
    threads = bool("post_id" in interactions and interactions["post_id"].notna().any())
    built: dict[tuple[Windows, bool], pd.DataFrame | str] = {}
    for one in alternative_windows(windows, varied=("gap", "horizon")):
        for another in (True, False) if threads else (False,):
            log = interactions if another else interactions.drop(columns="post_id", errors="ignore")
            try:
                contacts = first_contacts(log, windows=one)
                built[one, another] = under_study(contacts, log, accounts)
            except DataError as error:
                built[one, another] = str(error)
    ids = ["account_id", "contact_id"]
    known = _accounts(built.values(), ids)
    rows = _numbered(built, known, ids)
    # In the order of the accounts, which are summed over, everything goes faster.
    ordered = {
        one: found if isinstance(found, str) else found.sort_values("account_id", kind="stable")
        for one, found in rows.items()
    }
    return Contacts(windows, threads, ordered, known)


def _accounts(built: Iterable[pd.DataFrame | str], ids: list[str]) -> pd.Index:
    """All accounts in some tables, in the order of their ids."""
    known = [rows[name].unique() for rows in built if not isinstance(rows, str) for name in ids]
    return pd.Index(np.unique(np.concatenate([np.asarray(part, dtype=str) for part in known])))


def _numbered(built: Mapping[Key, Rows], accounts: pd.Index, ids: list[str]) -> dict[Key, Rows]:
    return {
        one: rows
        if isinstance(rows, str)
        else rows.assign(**{name: accounts.get_indexer(rows[name]) for name in ids})
        for one, rows in built.items()
    }


def _with_alternatives(rows: pd.DataFrame, positions: pd.DataFrame) -> pd.DataFrame:
    # The shrunken share, solved for the number that it was made from.
    inbound, pooled = rows["past_inbound"], rows["pooled_answering"]
    past_answered = rows["past_answering"] * (inbound + 2) - 2 * pooled
    rows = rows.assign(
        log_answered=np.log1p(rows["answered"].astype(float)),
        log_past_answered=np.log1p(past_answered.round()),
        log_depth=np.log1p(rows["depth"].astype(float)),
    )
    rows = rows.merge(positions, on=["account_id", "period"], how="left", validate="one_to_one")
    # Who only posted has the rank of those whom nobody acted toward, the least of its period.
    least = rows.groupby("period")["pagerank"].transform("min").fillna(rows["pagerank"].min())
    rows = rows.fillna({"pagerank": least, "clustering": 0.0, "core_number": 0})
    return rows.assign(log_pagerank=np.log(rows["pagerank"]))
