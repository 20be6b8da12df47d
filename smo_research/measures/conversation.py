"""Conversation: who wrote, who was answered, how soon, by account and period."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
from ibis import _

from smo_research.measures.acts import ANSWER_WITHIN_DAYS, DAY, HOUR, Acts

LOOK_BACK = 3
PERSISTENCE_PERIODS = 4


def turns(acts: Acts) -> ir.Table:
    """Sum up each pair's exchange within a period by its changes of speaker.

    Returns
    -------
    One row a pair and period: opener (who acted first), responder, period, opened_at,
    responded_at and resumed_at (the openers' first act after that), changes (of speaker).
    """
    within = ibis.cumulative_window(group_by=["low", "high", "period"], order_by=["at", "seq"])
    changed = (_.before_period == _.period) & (_.before_source != _.source_id)
    run = acts.table.mutate(turn=changed.fill_null(False).cast("int32").sum().over(within))
    first_of = {
        name: ibis.ifelse(_.turn == turn, _["at"], None).min()
        for turn, name in enumerate(["opened_at", "responded_at", "resumed_at"])
    }
    return run.aggregate(
        by=["low", "high", "period"],
        opener=ibis.ifelse(_.turn == 0, _.source_id, None).max(),
        changes=_.turn.max(),
        **first_of,
    ).mutate(responder=ibis.ifelse(_.opener == _.low, _.high, _.low))


def conversation(acts: Acts) -> ir.Table:
    """Measure how an account dealt with those who wrote to it.

    Returns
    -------
    One row an account and period with any act: inbound and answered (accounts),
    answer_delay_hours (median; missing when none was answered), reciprocity (0 to 1),
    depth (changes of speaker per two-way pair, 0 where none), two_way (pairs).
    """
    pairs = turns(acts)
    responder = pairs.select(
        "period",
        "changes",
        account_id=_.responder,
        wrote_at=_.opened_at,
        answered_at=_.responded_at,
    )
    opener = pairs.select(
        "period",
        "changes",
        account_id=_.opener,
        wrote_at=_.responded_at,
        answered_at=_.resumed_at,
    )
    sides = responder.union(opener)
    delay = sides.answered_at - sides.wrote_at
    in_time = (delay <= ANSWER_WITHIN_DAYS * DAY).fill_null(False)
    sides = sides.mutate(
        in_time=in_time,
        delay_hours=ibis.ifelse(in_time, delay / HOUR, None),
        two_way=_.changes >= 1,
    )
    return sides.aggregate(
        by=["account_id", "period"],
        inbound=_.wrote_at.count(),
        answered=_.in_time.cast("int64").sum(),
        answer_delay_hours=_.delay_hours.median(),
        reciprocity=_.two_way.cast("float64").mean(),
        depth=ibis.ifelse(_.two_way, _.changes, None).mean().fill_null(0.0),
        two_way=_.two_way.cast("int64").sum(),
    )


def shrunken_share(answered: ir.Value, inbound: ir.Value, pooled: ir.Value) -> ir.Value:
    """(answered + 2 pooled) / (inbound + 2); missing where nobody wrote."""
    return ibis.ifelse(inbound > 0, (answered + 2 * pooled) / (inbound + 2), None)


def answering(rows: ir.Table) -> ir.Table:
    """Add the shrunken shares of those answered, now and in the past three periods.

    Parameters
    ----------
    rows
        One row an account and period with inbound, answered, tenure; rows that the panel leaves
        out at the end may be there, as only earlier periods are looked at.

    Returns
    -------
    The rows with pooled_answering (the data set's share over all earlier periods, 0.5 at first),
    answering, past_answering (missing with tenure under 3 or nobody writing), past_inbound.
    """
    by_period = rows.aggregate(
        by="period", sum_answered=_.answered.sum(), sum_inbound=_.inbound.sum()
    )
    earlier = ibis.window(order_by="period", preceding=(None, 1))
    pooled = by_period.select(
        "period",
        pooled_answering=(
            _.sum_answered.sum().over(earlier).cast("float64")
            / _.sum_inbound.sum().over(earlier).nullif(0)
        ).fill_null(0.5),
    )
    past = ibis.range_window(group_by="account_id", order_by="period", preceding=(LOOK_BACK, 1))
    rows = rows.left_join(pooled, "period").drop("period_right")
    rows = rows.mutate(
        past_inbound=_.inbound.sum().over(past).fill_null(0),
        past_answered=_.answered.sum().over(past).fill_null(0),
    )
    past_share = shrunken_share(_.past_answered, _.past_inbound, _.pooled_answering)
    return rows.mutate(
        answering=shrunken_share(_.answered, _.inbound, _.pooled_answering),
        past_answering=ibis.ifelse(_.tenure >= LOOK_BACK, past_share, None),
    ).drop("past_answered")


def persistence(rows: ir.Table) -> ir.Table:
    """Add the share of the last four periods, none before the first own act, with a two-way pair.

    `rows` has account_id, period, own_acts and two_way. Missing before the first own act.
    """
    whole = ibis.window(group_by="account_id")
    last = ibis.range_window(
        group_by="account_id", order_by="period", preceding=PERSISTENCE_PERIODS - 1, following=0
    )
    rows = rows.mutate(
        first_own=ibis.ifelse(_.own_acts > 0, _.period, None).min().over(whole),
        two_way_periods=(_.two_way > 0).cast("int64").sum().over(last),
    )
    # LEAST passes over a missing value, so the missing first act is made 0 periods first.
    since = ibis.least((rows.period - rows.first_own + 1).fill_null(0), PERSISTENCE_PERIODS)
    share = rows.two_way_periods.cast("float64") / since
    return rows.mutate(persistence=ibis.ifelse(since >= 1, share, None)).drop(
        "first_own", "two_way_periods"
    )
