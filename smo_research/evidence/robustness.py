"""Could it be wrong? Checks that should show nothing where nothing is amiss."""

from __future__ import annotations

import math

import pandas as pd

from smo_research.evidence.samples import adjusted
from smo_research.tables import Windows

SHARES = ("answering", "past_answering")


def placebo_lag(windows: Windows) -> int:
    """The first lag, in periods, at which an earlier outcome and the predictors do not overlap.

    Examples
    --------
    >>> placebo_lag(Windows(period=7, gap=7, horizon=42))
    11
    """
    return 2 + math.ceil(windows.horizon / windows.period) + 3


def placebo_rows(
    rows: pd.DataFrame, panel: pd.DataFrame, *, windows: Windows, predictor: str
) -> pd.DataFrame:
    """Set a predictor against an outcome that was over before it: that of row t - k.

    Its own value at t - k is held beside it: an account that answers now mostly answered then,
    and without it a true effect would make its own placebo loud.

    Parameters
    ----------
    rows
        The rows of a test, with its predictor.
    panel
        All rows of the panel, for the earlier outcomes and the histories before them.
    windows
        Those of the panel.
    predictor
        The column that is taken from row t; all others come from row t - k, its own earlier
        value as `earlier_...`.

    Returns
    -------
    pandas.DataFrame
        One row an account and period t for which row t - k exists, keyed by t.
    """
    earlier = adjusted(panel.assign(period=panel["period"] + placebo_lag(windows)))
    own = earlier[predictor]
    own = own.fillna(earlier["pooled_answering"] if predictor in SHARES else own.mean())
    earlier[f"earlier_{predictor}"] = own
    taken = [name for name in rows.columns if name.startswith(predictor)]
    return rows[["account_id", "period", *taken]].merge(
        earlier.drop(columns=taken), on=["account_id", "period"], validate="one_to_one"
    )
