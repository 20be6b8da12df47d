"""Conversation: who wrote, who was answered, how soon, by account and period."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
from ibis import _

from smo_research.measures.acts import ANSWER_WITHIN_DAYS, DAY, HOUR, PAIR, Acts
from smo_research.measures.grain import KEYS, beside

LOOK_BACK = 3
PERSISTENCE_PERIODS = 4


def turns(acts: Acts) -> ir.Table:
    """Sum up each pair's exchange within a period by its changes of speaker.

    Returns
    -------
    One row a pair and period: opener (who acted first), responder, period, opened_at,
    responded_at and resumed_at (the opener's first act after that), changes (of speaker).
    """
    # The first change of speaker is the responder's, the second the opener's.
    turned = acts.table.changes_speaker
    upward = acts.table.source < acts.table.target
    pairs = acts.table.aggregate(
        by=["pair", "period"],
        opener=ibis.ifelse(_.opens_period, _.source, None).max(),
        changes=turned.cast("int32").sum(),
        opened_at=_["at"].min(),
        low_at=ibis.ifelse(turned & upward, acts.table["at"], None).min(),
        high_at=ibis.ifelse(turned & ~upward, acts.table["at"], None).min(),
    )
    low, high = (pairs.pair // PAIR).cast("int32"), (pairs.pair % PAIR).cast("int32")
    low_opened = pairs.opener == low
    return pairs.select(
        "period",
        "opener",
        "changes",
        "opened_at",
        responder=ibis.ifelse(low_opened, high, low),
        responded_at=ibis.ifelse(low_opened, pairs.high_at, pairs.low_at),
        resumed_at=ibis.ifelse(low_opened, pairs.low_at, pairs.high_at),
    )


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
        account=_.responder,
        wrote_at=_.opened_at,
        delay=_.responded_at - _.opened_at,
    )
    opener = pairs.select(
        "period",
        "changes",
        account=_.opener,
        wrote_at=_.responded_at,
        delay=_.resumed_at - _.responded_at,
    )
    sides = responder.union(opener)
    in_time = (sides.delay <= ANSWER_WITHIN_DAYS * DAY).fill_null(False)
    two_way = sides.changes >= 1
    summed = sides.aggregate(
        by=KEYS,
        inbound=_.wrote_at.count(),
        answered=in_time.cast("int64").sum(),
        reciprocity=two_way.cast("float64").mean(),
        all_changes=sides.changes.sum(),
        two_way=two_way.cast("int64").sum(),
    )
    summed = summed.mutate(
        depth=(_.all_changes.cast("float64") / _.two_way.nullif(0)).fill_null(0.0)
    ).drop("all_changes")
    delays = sides.filter(in_time).aggregate(by=KEYS, answer_delay_hours=(_.delay / HOUR).median())
    return beside(summed, delays)


def shrunken_share(answered: ir.Value, inbound: ir.Value, pooled: ir.Value) -> ir.Value:
    """(answered + 2 pooled) / (inbound + 2); missing where nobody wrote."""
    return ibis.ifelse(inbound > 0, (answered + 2 * pooled) / (inbound + 2), None)


def answering(rows: ir.Table, talk: ir.Table) -> ir.Table:
    """Add the shrunken shares of those answered, now and in the past three periods.

    Parameters
    ----------
    rows
        One row an account and period with inbound, answered, tenure; rows that the panel leaves
        out at the end may be there, as only earlier periods are looked at.
    talk
        As `conversation` returns it, for the data set's share.

    Returns
    -------
    The rows with pooled_answering (the data set's share over all earlier periods, 0.5 at first),
    answering, past_answering (missing with tenure under 3 or nobody writing), past_inbound.
    """
    by_period = talk.aggregate(
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
    past = ibis.range_window(group_by="account", order_by="period", preceding=(LOOK_BACK, 1))
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

    `rows` has account, period, own_acts and two_way. Missing before the first own act.
    """
    by_account = {"group_by": "account", "order_by": "period"}
    recent = ibis.range_window(preceding=PERSISTENCE_PERIODS - 1, following=0, **by_account)
    rows = rows.mutate(
        first_own=ibis.ifelse(_.own_acts > 0, _.period, None)
        .min()
        .over(ibis.cumulative_window(**by_account)),
        two_way_periods=(_.two_way > 0).cast("int64").sum().over(recent),
    )
    # LEAST passes over a missing value, so the missing first act is made 0 periods first.
    since = ibis.least((rows.period - rows.first_own + 1).fill_null(0), PERSISTENCE_PERIODS)
    share = rows.two_way_periods.cast("float64") / since.nullif(0)
    return rows.mutate(persistence=share).drop("first_own", "two_way_periods")
