"""Could it be wrong? Checks that should show nothing where nothing is amiss."""

from __future__ import annotations

import math

import pandas as pd

from smo_research.evidence.samples import Sample, adjusted
from smo_research.tables import Windows

SHARES = ("answering", "past_answering")
LEAD = 2


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


def with_lead(sample: Sample, panel: pd.DataFrame, predictor: str) -> Sample:
    """Add the predictor's lead, its value in row t + 2 of the same account, as `lead_...`.

    Newcomers come in t + 1, so the lead is later than they are and cannot have brought them. A
    model with account effects assumes that newcomers do not change what the account does next;
    a lead that predicts them says that they do, and that the model's estimate is off. It is
    strict where the outcome runs on after t + 2 (growth over a horizon): what is done then may
    help as well, and bars the model too.

    Parameters
    ----------
    sample
        The rows of a test, with `account_id` and `period`.
    panel
        All rows of the panel, with the predictor as measured: what is missing is never filled in.
    predictor
        Its column.

    Returns
    -------
    Sample
        The rows whose lead is known.

    References
    ----------
    Wooldridge (2010), Econometric Analysis of Cross Section and Panel Data, 2nd ed., section
    10.7.1: a test of strict exogeneity.

    Examples
    --------
    >>> panel = pd.DataFrame({"account_id": "a", "period": range(4), "x": [0.1, 0.2, 0.3, 0.4]})
    >>> from smo_research.evidence.samples import whole
    >>> with_lead(whole(panel), panel, "x").rows["lead_x"].tolist()
    [0.3, 0.4]
    """
    later = panel[["account_id", "period", predictor]].assign(period=panel["period"] - LEAD)
    later = later.rename(columns={predictor: f"lead_{predictor}"})
    rows = sample.rows.merge(later, how="left", on=["account_id", "period"], validate="one_to_one")
    return Sample(rows, sample.left_out).keep(
        rows[f"lead_{predictor}"].notna(), f"{predictor} is not known {LEAD} periods later"
    )
