"""Posting: how much, what was put in, how social and how regular."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
from ibis import _

from smo_research.measures.acts import DAY, Acts, keep
from smo_research.measures.conversation import LOOK_BACK
from smo_research.measures.grain import KEYS, beside
from smo_research.measures.tweaks import POST_TWEAKS, post_tweaks


def made_posts(acts: Acts, posts: ir.Table) -> ir.Table:
    """The posts of the periods that the panel describes: account, period, at, what was put in."""
    told = [name for name in POST_TWEAKS.values() if name in posts.columns]
    described = posts.filter(_.period <= acts.last_period)
    return keep(described.select(*KEYS, "at", *told), acts.backend)


def posting(posts: ir.Table) -> ir.Table:
    """Count posts and what was put into them.

    Parameters
    ----------
    posts
        As `made_posts` returns them.

    Returns
    -------
    One row an account and period with a post: posts, and the measures of `post_tweaks`.
    """
    counts = posts.aggregate(by=KEYS, posts=_.count().cast("int32"))
    return beside(counts, post_tweaks(posts))


def replying(posts: ir.Table) -> ir.Table:
    """Count posts and the share of them that are replies.

    Parameters
    ----------
    posts
        One row a post: account, period, is_reply (absent or missing where unknown).

    Returns
    -------
    One row an account and period with a post: posts, replies_made, reply_share (0 to 1).
    """
    known = "is_reply" in posts.columns
    reply = posts.is_reply.cast("int64") if known else ibis.null("int64")
    return posts.mutate(reply=reply).aggregate(
        by=KEYS,
        posts=_.count(),
        replies_made=_.reply.sum(),
        reply_share=_.reply.cast("float64").mean(),
    )


def past_replying(rows: ir.Table) -> ir.Table:
    """Add the share of replies in the past three periods, and the posts made in them.

    `rows` has account, period, posts, replies_made, tenure. The share is missing with no
    post there or tenure under 3.
    """
    past = ibis.range_window(group_by="account", order_by="period", preceding=(LOOK_BACK, 1))
    rows = rows.mutate(
        past_acts=_.posts.sum().over(past).fill_null(0),
        past_replies=_.replies_made.sum().over(past),
    )
    share = rows.past_replies.cast("float64") / rows.past_acts.nullif(0)
    return rows.mutate(past_reply_share=ibis.ifelse(rows.tenure >= LOOK_BACK, share, None)).drop(
        "past_replies"
    )


def cadence(counts: ir.Table, *, start: int, period_days: int) -> ir.Table:
    """Regularity and volume from a running total of posts.

    Parameters
    ----------
    counts
        One row an observation: account, at (microseconds), posts_total.
    start, period_days
        Of the panel.

    Returns
    -------
    One row an account and period: cadence (share of its observed weeks with a new post, 0 to 1)
    and posts_rise (new posts over those weeks). A week is observed when the one before it is.
    """
    by_account = ibis.window(group_by="account", order_by="at")
    weekly = counts.filter(_.posts_total.notnull()).mutate(
        rise=_.posts_total - _.posts_total.lag().over(by_account),
        since=_["at"] - _["at"].lag().over(by_account),
        period=((_["at"] - start) // (period_days * DAY)).cast("int32"),
    )
    weekly = weekly.filter((_.since <= 7 * DAY) & (_.rise >= 0))
    return weekly.aggregate(
        by=KEYS,
        cadence=(_.rise > 0).cast("float64").mean(),
        posts_rise=_.rise.sum(),
    )
