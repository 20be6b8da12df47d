"""The panel: one row per account and period, the one place where past meets future."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
import pandas as pd
from ibis import _

from smo_research.errors import DataError
from smo_research.measures.acts import Acts, connect, number_acts
from smo_research.measures.conversation import LOOK_BACK, answering, conversation, persistence
from smo_research.measures.growth import newcomers
from smo_research.measures.tweaks import own_acts
from smo_research.tables import Windows

KEYS = ["account_id", "period"]
OUTCOMES = ["new_audience", "lasting_audience"]
COUNTS = ["own_acts", "other_acts", "inbound", "answered", "two_way", "new_now"]
COLUMNS = [
    *KEYS,
    "period_start",
    *OUTCOMES,
    *["inbound", "answered", "answer_delay_hours", "answering", "past_answering"],
    *["reciprocity", "depth", "persistence"],
    "post_volume",
    *["schedule_focus", "burstiness"],
    "cold_outreach",
    *["new_now", "tenure", "past_inbound", "past_acts"],
    *["own_acts", "pooled_answering"],
]


def panel(
    interactions: pd.DataFrame | ir.Table,
    *,
    windows: Windows,
    backend: ibis.BaseBackend | None = None,
) -> pd.DataFrame:
    """Build the panel of a log of interactions.

    Predictors use only acts before the end of a period, outcomes only acts after it.

    Parameters
    ----------
    interactions
        The canonical table `interactions`.
    windows
        period, gap and horizon, in days.
    backend
        An Ibis engine; by default an embedded DuckDB.

    Returns
    -------
    pandas.DataFrame
        One row an account and period in which it acted or was acted toward, ordered by both.
        Shares are 0 to 1, volumes ln(1 + n), delays hours, tenure periods.

    Raises
    ------
    DataError
        When the windows have no gap, or the log is shorter than two periods and the horizon.

    Examples
    --------
    >>> import pandas as pd
    >>> days = ["2020-01-01", "2020-01-02", "2020-01-03", "2020-01-08", "2020-01-31"]
    >>> log = pd.DataFrame({"source_id": ["b", "a", "c", "c", "c"],
    ...                     "target_id": ["a", "b", "b", "a", "a"], "seq": range(5),
    ...                     "created_at": pd.to_datetime(days, utc=True), "kind": "message"})
    >>> rows = panel(log, windows=Windows(period=7, gap=7, horizon=14))
    >>> rows.loc[rows.account_id == "a", ["period", "inbound", "answered", "new_audience"]].values
    array([[0, 1, 1, 1]])
    """
    if windows.gap is None:
        raise DataError("A panel of interactions needs a gap; give Windows(gap=...) in days.")
    backend = backend or connect()
    acts = number_acts(interactions, windows, backend=backend)
    if acts.last_period < 0:
        raise DataError(
            f"The log spans {(acts.end - acts.start) / 86_400_000_000:.1f} days, less than two "
            f"periods and the horizon (2 x {windows.period} + {windows.horizon} days); "
            "choose a shorter period or horizon."
        )
    rows = predictors(acts).left_join(outcomes(acts), KEYS)
    rows = rows.drop("account_id_right", "period_right")
    rows = rows.mutate(**{name: _[name].fill_null(0) for name in OUTCOMES})
    rows = rows.filter(_.period <= acts.last_period)
    frame = rows.order_by(KEYS).execute()
    starts = acts.start // 1000 + frame["period"].astype("int64") * windows.period * 86_400_000
    frame["period_start"] = pd.to_datetime(starts, unit="ms", utc=True).dt.as_unit("us")
    return frame[COLUMNS]


def predictors(acts: Acts) -> ir.Table:
    """Everything known of an account at the end of a period, from acts up to then."""
    newcomers_now = newcomers(acts).select(*KEYS, new_now=_.new_audience)
    rows = conversation(acts).left_join(own_acts(acts), KEYS)
    rows = rows.drop("account_id_right", "period_right").left_join(newcomers_now, KEYS)
    rows = rows.drop("account_id_right", "period_right")
    rows = rows.mutate(**{name: _[name].fill_null(0) for name in COUNTS})
    whole = ibis.window(group_by="account_id")
    past = ibis.range_window(group_by="account_id", order_by="period", preceding=(LOOK_BACK, 1))
    rows = rows.mutate(
        tenure=_.period - _.period.min().over(whole),
        past_acts=_.other_acts.sum().over(past).fill_null(0),
        post_volume=(_.other_acts + 1).cast("float64").ln(),
    )
    return persistence(answering(rows))


def outcomes(acts: Acts) -> ir.Table:
    """What the period after brings: its newcomers, and those of them who last."""
    return newcomers(acts).mutate(period=_.period - 1)
