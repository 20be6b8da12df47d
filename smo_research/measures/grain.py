"""The grain of every measure: one row an account and period."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

KEYS = ["account", "period"]


def beside(rows: ir.Table, more: ir.Table) -> ir.Table:
    """Put measures of the same grain beside each other; what `more` lacks is missing."""
    return rows.left_join(more, KEYS).drop(*(f"{name}_right" for name in KEYS))


def sum_of_past(rows: ir.Table, value: ir.Value, *, periods: int) -> ir.Value:
    """Sum a value over the periods before each row's, 0 where there were none.

    Of at most `periods` periods, so of at most as many rows before it: lags are several times
    faster than a sum over a frame. `rows` has account and period; no value is missing.
    """
    by_account = {"group_by": "account", "order_by": "period"}
    past = [
        ibis.ifelse(
            rows.period.lag(k).over(**by_account) >= rows.period - periods,
            value.lag(k).over(**by_account),
            0,
        )
        for k in range(1, periods + 1)
    ]
    # Ibis takes a sum for wider than the engine makes it; a cast says what it is.
    return sum(past[1:], past[0]).cast("int32")
