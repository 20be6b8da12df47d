"""Lasting audience growth: newcomers who came back, followers who stayed."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
from ibis import _

from smo_research.measures.acts import DAY, Acts, higher, keep, lower
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
    gap, horizon = (windows.gap or 0) * DAY, windows.horizon * DAY
    pairs = acts.table.aggregate(
        by=["pair", "upward"], first_at=_["at"].min(), last_at=_["at"].max()
    )
    pairs = keep(pairs, acts.backend)
    # Few are seen again as late as the gap, and only their acts need a second look.
    again = pairs.filter(_.last_at - _.first_at >= gap).join(acts.table, ["pair", "upward"])
    since = again["at"] - again.first_at
    back = again.filter((since >= gap) & (since <= horizon))
    back = back.select("pair", "upward", "first_at").distinct()

    def by_target(table: ir.Table, name: str) -> ir.Table:
        target = ibis.ifelse(table.upward, higher(table.pair), lower(table.pair))
        period = ((table.first_at - acts.start) // (windows.period * DAY)).cast("int32")
        return table.select(account=target, period=period).aggregate(by=KEYS, **{name: _.count()})

    rows = beside(by_target(pairs, "new_audience"), by_target(back, "lasting_audience"))
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
