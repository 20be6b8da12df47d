"""Conversation: who wrote, who was answered, how soon, by account and period."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
from ibis import _

from smo_research.measures.acts import ANSWER_WITHIN_DAYS, DAY, HOUR, Acts, higher, keep, lower
from smo_research.measures.grain import KEYS, beside

LOOK_BACK = 3
PERSISTENCE_PERIODS = 4


def turns(acts: Acts) -> ir.Table:
    """Sum up each pair's exchange within a period by its changes of speaker.

    Returns
    -------
    One row each of the two accounts of a pair and period: account, period, changes (of
    speaker), wrote_at (when the other first wrote, missing where it did not), delay (from then to
    this account's first act after it, missing where there was none).
    """
    # The first change of speaker is the responder's, the second the opener's.
    turned = acts.described.changes_speaker
    upward = acts.described.upward
    pairs = acts.described.aggregate(
        by=["pair", "period"],
        upward_opened=(_.opens_period & _.upward).cast("int32").max() == 1,
        changes=turned.cast("int32").sum().cast("int32"),
        opened_at=_["at"].min(),
        low_at=ibis.ifelse(turned & upward, acts.described["at"], None).min(),
        high_at=ibis.ifelse(turned & ~upward, acts.described["at"], None).min(),
    )
    low_wrote_to = ibis.ifelse(pairs.upward_opened, pairs.high_at, pairs.opened_at)
    high_wrote_to = ibis.ifelse(pairs.upward_opened, pairs.opened_at, pairs.low_at)
    sides = [
        pairs.select(
            "period", "changes", account=account, wrote_at=wrote_at, delay=responded - wrote_at
        )
        for account, wrote_at, responded in (
            (lower(pairs.pair), low_wrote_to, pairs.low_at),
            (higher(pairs.pair), high_wrote_to, pairs.high_at),
        )
    ]
    return ibis.union(*sides)


def conversation(acts: Acts) -> ir.Table:
    """Measure how an account dealt with those who wrote to it.

    Returns
    -------
    One row an account and period with any act: inbound and answered (accounts),
    answer_delay_hours (median; missing when none was answered), reciprocity (0 to 1),
    depth (changes of speaker per two-way pair, 0 where none), two_way (pairs).
    """
    sides = keep(turns(acts), acts.backend)
    in_time = (sides.delay <= ANSWER_WITHIN_DAYS * DAY).fill_null(False)
    two_way = sides.changes >= 1
    summed = sides.aggregate(
        by=KEYS,
        inbound=_.wrote_at.count().cast("int32"),
        answered=in_time.cast("int32").sum().cast("int32"),
        pairs=_.count(),
        all_changes=_.changes.sum(),
        two_way=two_way.cast("int32").sum().cast("int32"),
    )
    # Engines sum whole numbers into wide types, which every later sort would carry along.
    summed = summed.select(
        *[*KEYS, "inbound", "answered", "two_way"],
        reciprocity=_.two_way.cast("float64") / _.pairs,
        depth=(_.all_changes.cast("float64") / _.two_way.nullif(0)).fill_null(0.0),
    )
    # Of whole numbers, so that every engine finds the same middle.
    delays = sides.filter(in_time).aggregate(by=KEYS, answer_delay_hours=_.delay.median() / HOUR)
    return beside(summed, delays)


def shrunken_share(answered: ir.Value, inbound: ir.Value, pooled: ir.Value) -> ir.Value:
    """(answered + 2 pooled) / (inbound + 2); missing where nobody wrote."""
    return ibis.ifelse(inbound > 0, (answered + 2 * pooled) / (inbound + 2), None)


def answering(rows: ir.Table, counted: ir.Table) -> ir.Table:
    """Add the shrunken shares of those answered, now and in the past three periods.

    Parameters
    ----------
    rows
        One row an account and period with inbound, answered, past_inbound, past_answered (sums
        over the past three periods) and tenure.
    counted
        One row an account and period with inbound and answered, for the data set's share.

    Returns
    -------
    The rows with pooled_answering (the data set's share over all earlier periods, 0.5 at first),
    answering, past_answering (missing with tenure under 3 or nobody writing).
    """
    by_period = counted.aggregate(
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
    rows = rows.left_join(pooled, "period").drop("period_right")
    past_share = shrunken_share(_.past_answered, _.past_inbound, _.pooled_answering)
    return rows.mutate(
        answering=shrunken_share(_.answered, _.inbound, _.pooled_answering),
        past_answering=ibis.ifelse(_.tenure >= LOOK_BACK, past_share, None),
    ).drop("past_answered")


def persistence(rows: ir.Table) -> ir.Table:
    """Add the share of the last four periods, none before the first own act, with a two-way pair.

    `rows` has account, period, two_way, past_two_way (how many of the three periods before had
    one) and first_own (period of the first own act ever). Missing before that act.
    """
    periods = (rows.two_way > 0).cast("int32") + rows.past_two_way
    # LEAST passes over a missing value, so a missing first act is made 0 periods first.
    since = ibis.least((rows.period - rows.first_own + 1).fill_null(0), PERSISTENCE_PERIODS)
    share = ibis.ifelse(since > 0, periods.cast("float64") / since.nullif(0), None)
    return rows.mutate(persistence=share).drop("first_own", "past_two_way")
