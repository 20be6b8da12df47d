"""One question under many windows: does the answer move with gap and horizon?"""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from smo_research.errors import DataError
from smo_research.evidence.alternatives import Contacts, Panels
from smo_research.evidence.hypotheses import hypotheses
from smo_research.evidence.result import VOCABULARY
from smo_research.evidence.return_specifications import (
    ReturnSpecification,
    try_return_specifications,
)
from smo_research.evidence.returning import first_contacts
from smo_research.evidence.specification_fits import try_specifications
from smo_research.evidence.specifications import Specification
from smo_research.evidence.tried import Tried
from smo_research.measures.panel import panel
from smo_research.tables import Windows

ASKED = ("H3", "H5", "H7")
LENGTHS = ["period", "gap", "horizon"]


def across_windows(
    interactions: pd.DataFrame,
    hypothesis: str,
    *,
    windows: Windows,
    horizons: Sequence[int],
    gaps: Sequence[int] = (),
    dataset: str,
    panels: MutableMapping[int, pd.DataFrame] | None = None,
) -> pd.DataFrame:
    """Estimate the deciding effect of a hypothesis under each gap and horizon.

    All else is as it decides: the model, rows and adjustment of `lasting_growth` (H3, H7) or
    `return_when_answered` (H5).

    Parameters
    ----------
    interactions
        The canonical table.
    hypothesis
        "H3", "H5" or "H7".
    windows
        The data set's own; its period stays.
    horizons
        In days.
    gaps
        In days; by default that of the windows. One longer than a horizon is passed over there.
    dataset
        Its name, for the table.
    panels
        Filled with what was built for the period and used again, so that a caller who asks of
        one log many times need not wait each time; H5 needs none.

    Returns
    -------
    pandas.DataFrame
        One row a gap and horizon: period, gap, horizon (days), then the columns of `VOCABULARY`;
        estimates in ln ratios with 95 % intervals. Where the log is too short, or a model cannot
        be fitted, the reason stands instead.

    Raises
    ------
    DataError
        When the hypothesis is another one, or there is no gap or horizon.

    Examples
    --------
    >>> import smo_research as smo
    >>> village = smo.scenario("conversation").turned(accounts=60, periods=20, turns=0.3)
    >>> log = smo.simulate(village, seed=1).interactions
    >>> found = smo.across_windows(log, "H5", windows=village.windows, horizons=[28, 42],
    ...                            dataset="village")
    >>> found["horizon"].tolist(), (found["ci_low"] > 0).tolist()
    ([28, 42], [True, True])
    """
    if hypothesis not in ASKED:
        raise DataError(f"hypothesis must be one of {', '.join(ASKED)}, but is {hypothesis!r}.")
    wanted = gaps or ([windows.gap] if windows.gap else [])
    if not wanted or not horizons:
        raise DataError("across_windows needs at least one gap and one horizon, in days.")
    asked = [
        replace(windows, gap=gap, horizon=horizon)
        for gap in wanted
        for horizon in horizons
        if gap <= horizon
    ]
    if hypothesis == "H5":
        tried = _return(interactions, asked)
    else:
        tried = _growth(interactions, hypothesis, asked, {} if panels is None else panels)
    rows = [one.row(hypothesis=hypothesis, dataset=dataset) for one in tried]
    lengths = [[getattr(one, name) for name in LENGTHS] for one in asked]
    table = pd.DataFrame(rows, columns=VOCABULARY)
    return pd.concat([pd.DataFrame(lengths, columns=LENGTHS), table], axis=1)


def _growth(
    log: pd.DataFrame,
    hypothesis: str,
    asked: list[Windows],
    panels: MutableMapping[int, pd.DataFrame],
) -> list[Tried]:
    log = log[log["source_id"] != log["target_id"]].sort_values(["created_at", "seq"])
    accounts = pd.Index(np.unique(log[["source_id", "target_id"]].to_numpy(dtype=str)))
    rows: dict[Windows, pd.DataFrame | str] = {}
    for one in asked:
        try:
            if one.period not in panels:
                # What is known at the end of a period hangs on neither gap nor horizon.
                panels[one.period] = panel(log, windows=replace(one, gap=1, horizon=1))
            built = _with_outcome(panels[one.period], log, one)
        except DataError as error:
            rows[one] = str(error)
            continue
        rows[one] = built.assign(account_id=accounts.get_indexer(built["account_id"]))
    term = hypotheses()[hypothesis].terms[0]
    shared = Panels(asked[0], rows, accounts)
    return try_specifications(shared, [Specification(hypothesis, one, term) for one in asked])


def _with_outcome(rows: pd.DataFrame, log: pd.DataFrame, windows: Windows) -> pd.DataFrame:
    """The rows that can be followed to the horizon, with the newcomers who last."""
    gap, horizon = pd.Timedelta(days=windows.gap or 0), pd.Timedelta(days=windows.horizon)
    period = pd.Timedelta(days=windows.period)
    start, end = log["created_at"].iloc[0].normalize(), log["created_at"].iloc[-1]
    last_period = (end - horizon - start) // period - 2
    if last_period < 0:
        raise DataError(
            f"The log spans {(end - start) / pd.Timedelta(days=1):.1f} days, less than two periods "
            f"and the horizon (2 x {windows.period} + {windows.horizon} days); choose a shorter "
            "period or horizon."
        )
    first = log.groupby(["source_id", "target_id"])["created_at"].transform("first")
    since = log["created_at"] - first
    lasts = log[since.between(gap, horizon)].drop_duplicates(["source_id", "target_id"])
    came = (first[lasts.index] - start) // period - 1
    lasting = lasts.groupby([lasts["target_id"], came]).size().rename("lasting_audience")
    lasting.index.names = ["account_id", "period"]
    kept = rows[rows["period"] <= last_period].drop(columns="lasting_audience")
    found = kept.merge(lasting.reset_index(), on=["account_id", "period"], how="left")
    return found.assign(lasting_audience=found["lasting_audience"].fillna(0).astype("int64"))


def _return(log: pd.DataFrame, asked: list[Windows]) -> list[Tried]:
    threads = bool("post_id" in log and log["post_id"].notna().any())
    accounts = pd.Index(np.unique(log[["source_id", "target_id"]].to_numpy(dtype=str)))
    rows: dict[tuple[Windows, bool], pd.DataFrame | str] = {}
    for one in asked:
        try:
            built = first_contacts(log, windows=one)
        except DataError as error:
            rows[one, threads] = str(error)
            continue
        ids = {name: accounts.get_indexer(built[name]) for name in ("account_id", "contact_id")}
        rows[one, threads] = built.assign(**ids).sort_values("account_id", kind="stable")
    contacts = Contacts(asked[0], threads, rows, accounts)
    specified = [ReturnSpecification(one, another_post=threads) for one in asked]
    return try_return_specifications(contacts, specified)
