"""Outreach: whom an account approached, and how much of what it did was not an answer."""

from __future__ import annotations

import ibis.expr.types as ir
from ibis import _

from smo_research.measures.acts import Acts


def outreach(acts: Acts) -> ir.Table:
    """Count an account's acts that are no answers, and those that open an exchange.

    Returns
    -------
    One row an account and period with an own act: own_acts, other_acts (not answers) and
    cold_outreach (share of own acts that are the first between the two accounts, 0 to 1).
    """
    return acts.described.aggregate(
        by=["source", "period"],
        own_acts=_.count(),
        other_acts=(~_.is_answer).cast("int32").sum(),
        cold_outreach=_.opens_pair.cast("float64").mean(),
    ).rename(account="source")
