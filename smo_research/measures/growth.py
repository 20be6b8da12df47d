"""Lasting audience growth: newcomers of a period, and those of them who came back."""

from __future__ import annotations

import ibis.expr.types as ir
from ibis import _

from smo_research.measures.acts import DAY, Acts


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
