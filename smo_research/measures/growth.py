"""Lasting audience growth: newcomers who came back, followers who stayed."""

from __future__ import annotations

import ibis.expr.types as ir
from ibis import _

from smo_research.measures.acts import DAY, Acts
from smo_research.measures.grain import KEYS, beside

FRESH_DAYS = 7


def newcomers(acts: Acts) -> ir.Table:
    """Count the accounts whose first ever act toward an account falls in a period.

    Returns
    -------
    One row an account and period with a newcomer: new_audience, and lasting_audience, those
    of them who act again at least `gap` and at most `horizon` days after that first act.
    """
    windows = acts.windows
    new = acts.table.filter(_.is_first).aggregate(by=["target", "period"], new_audience=_.count())
    since = acts.table["at"] - acts.table.first_at
    came_back = (since >= (windows.gap or 0) * DAY) & (since <= windows.horizon * DAY)
    back = acts.table.filter(came_back).select("source", "target", "first_at").distinct()
    first_period = (back.first_at - acts.start) // (windows.period * DAY)
    lasting = back.mutate(period=first_period.cast("int32")).aggregate(
        by=["target", "period"], lasting_audience=_.count()
    )
    rows = beside(new.rename(account="target"), lasting.rename(account="target"))
    return rows.mutate(lasting_audience=_.lasting_audience.fill_null(0))


def followers_at(counts: ir.Table, moments: ir.Table, *, name: str) -> ir.Table:
    """Find the last count of followers before a moment, at most 7 days old.

    Parameters
    ----------
    counts
        One row an observation: account, at (microseconds), followers.
    moments
        One row an account, period and moment: account, period, moment (microseconds).
    name
        Of the column that holds ln followers.

    Returns
    -------
    One row an account and period that has such a count (above 0).
    """
    seen = moments.join(
        counts.filter(_.followers > 0),
        [
            moments.account == counts.account,
            counts["at"] < moments.moment,
            counts["at"] >= moments.moment - FRESH_DAYS * DAY,
        ],
    )
    last = seen.aggregate(by=KEYS, count=_.followers.argmax(_["at"]))
    return last.select(*KEYS, **{name: _["count"].cast("float64").ln()})
