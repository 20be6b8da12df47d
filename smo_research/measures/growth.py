"""Lasting audience growth: newcomers who came back, followers who stayed."""

from __future__ import annotations

import ibis.expr.types as ir
from ibis import _

from smo_research.measures.acts import DAY, Acts

FRESH_DAYS = 7


def newcomers(acts: Acts) -> ir.Table:
    """Count the accounts whose first ever act toward an account falls in a period.

    Returns
    -------
    One row an account and period with a newcomer: new_audience, and lasting_audience, those
    of them who act again at least `gap` and at most `horizon` days after that first act.
    """
    windows = acts.windows
    since = _["at"] - _.first_at
    came_back = (since >= (windows.gap or 0) * DAY) & (since <= windows.horizon * DAY)
    pairs = acts.table.aggregate(
        by=["source_id", "target_id"],
        period=_.period.min(),
        lasting=came_back.cast("int64").max(),
    )
    return pairs.aggregate(
        by=["target_id", "period"], new_audience=_.count(), lasting_audience=_.lasting.sum()
    ).rename(account_id="target_id")


def followers_at(counts: ir.Table, moments: ir.Table, *, name: str) -> ir.Table:
    """Find the last count of followers before a moment, at most 7 days old.

    Parameters
    ----------
    counts
        One row an observation: account_id, at (microseconds), followers.
    moments
        One row an account, period and moment: account_id, period, moment (microseconds).
    name
        Of the column that holds ln followers.

    Returns
    -------
    One row an account and period that has such a count (above 0).
    """
    seen = moments.join(
        counts.filter(_.followers > 0),
        [
            moments.account_id == counts.account_id,
            counts["at"] < moments.moment,
            counts["at"] >= moments.moment - FRESH_DAYS * DAY,
        ],
    )
    last = seen.aggregate(by=["account_id", "period"], count=_.followers.argmax(_["at"]))
    return last.select("account_id", "period", **{name: _["count"].cast("float64").ln()})
