"""The panel: one row per account and period, the one place where past meets future."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import ibis
import ibis.expr.types as ir
import pandas as pd
from ibis import _

from smo_research.errors import DataError
from smo_research.measures.acts import DAY, Acts, as_table, connect, epoch_us, keep, number_acts
from smo_research.measures.conversation import (
    LOOK_BACK,
    PERSISTENCE_PERIODS,
    answering,
    conversation,
    persistence,
)
from smo_research.measures.grain import KEYS, beside, sum_of_past
from smo_research.measures.growth import followers_at, newcomers
from smo_research.measures.outreach import outreach
from smo_research.measures.posting import cadence, made_posts, past_replying, posting, replying
from smo_research.measures.tweaks import POST_TWEAKS, post_tweaks, timing
from smo_research.tables import Windows

OUTCOMES = ["new_audience", "lasting_audience"]
COUNTS = ["own_acts", "other_acts", "inbound", "answered", "two_way", "new_now"]
WHOLE_NUMBERS = [
    *[*OUTCOMES, "inbound", "answered", "new_now"],
    *["tenure", "past_inbound", "past_acts", "own_acts"],
]
COLUMNS = [
    *["account_id", "period"],
    "period_start",
    *OUTCOMES,
    *["inbound", "answered", "answer_delay_hours", "answering", "past_answering"],
    *["reciprocity", "depth", "persistence"],
    "post_volume",
    *["schedule_focus", "burstiness"],
    "cold_outreach",
    *["new_now", "tenure", "past_inbound", "past_acts"],
    *["own_acts", "pooled_answering"],
]
OF_POSTS = ["posts", *POST_TWEAKS]


def panel(
    interactions: pd.DataFrame | ir.Table,
    posts: pd.DataFrame | ir.Table | None = None,
    *,
    windows: Windows,
    backend: ibis.BaseBackend | None = None,
) -> pd.DataFrame:
    """Build the panel of a log of interactions.

    Predictors use only acts and posts before the end of a period, outcomes only acts after it.

    Parameters
    ----------
    interactions
        The canonical table `interactions`.
    posts
        The canonical table `posts`, where the data set has one. Then volume counts posts, and
        schedule_focus and burstiness are of the times of posts, since a post is what gets
        scheduled; without it both are of the account's own acts.
    windows
        period, gap and horizon, in days.
    backend
        An Ibis engine; by default an embedded DuckDB.

    Returns
    -------
    pandas.DataFrame
        One row an account and period in which it acted, was acted toward or posted, ordered by
        both. Shares are 0 to 1, volumes ln(1 + n), delays hours, tenure periods. With posts it
        has their number, `posts`, and the measures of `post_tweaks` as far as the posts tell.

    Raises
    ------
    DataError
        When the windows have no gap, or the log is shorter than two periods and the horizon.

    Examples
    --------
    >>> import pandas as pd
    >>> days = ["2020-01-01", "2020-01-02", "2020-01-03", "2020-01-08", "2020-01-31"]
    >>> log = pd.DataFrame({"source_id": ["b", "a", "c", "c", "c"],
    ...                     "target_id": ["a", "b", "b", "a", "a"], "seq": range(5),
    ...                     "created_at": pd.to_datetime(days, utc=True), "kind": "message"})
    >>> rows = panel(log, windows=Windows(period=7, gap=7, horizon=14))
    >>> rows.loc[rows.account_id == "a", ["period", "inbound", "answered", "new_audience"]].values
    array([[0, 1, 1, 1]])
    """
    backend = backend or connect()
    return _framed(panel_table(interactions, posts, windows=windows, backend=backend), backend)


def panels(
    interactions: pd.DataFrame | ir.Table,
    posts: pd.DataFrame | ir.Table | None = None,
    *,
    windows: Sequence[Windows],
    backend: ibis.BaseBackend | None = None,
) -> dict[Windows, pd.DataFrame | str]:
    """Build the panels of a log under several windows; what is known is computed once a period.

    Parameters
    ----------
    interactions, posts, backend
        As in `panel`.
    windows
        Several, each with a gap.

    Returns
    -------
    dict
        By windows, in their order: as `panel` returns it, or why the log is too short for it.
    """
    backend = backend or connect()
    built: dict[Windows, pd.DataFrame | str] = {}
    for period in dict.fromkeys(one.period for one in windows):
        alike = [one for one in windows if one.period == period]
        most = min(alike, key=lambda one: one.horizon)
        acts = number_acts(interactions, most, posts=posts, backend=backend)
        known = None
        if not _too_short(acts):
            known = keep(predictors(acts, keep(newcomers(acts), backend)), backend)
        for one in alike:
            its = replace(acts, windows=one)
            reason = _too_short(its)
            if known is None or reason:
                built[one] = reason
                continue
            rows = known.filter(_.period <= its.last_period)
            built[one] = _framed(_joined(its, rows, keep(newcomers(its), backend)), backend)
    return {one: built[one] for one in windows}


def _framed(table: ir.Table, backend: ibis.BaseBackend) -> pd.DataFrame:
    frame = backend.execute(table)
    start = pd.DatetimeIndex(frame["period_start"]).tz_localize("UTC").as_unit("us")
    return frame.assign(period_start=start)


def panel_table(
    interactions: pd.DataFrame | ir.Table,
    posts: pd.DataFrame | ir.Table | None = None,
    *,
    windows: Windows,
    backend: ibis.BaseBackend,
) -> ir.Table:
    """Build the same panel as a table of the engine, for logs too large for a frame.

    Parameters, errors and rows are those of `panel`, but for period_start, which is UTC without
    saying so; write the table with `backend.to_parquet`.
    """
    if windows.gap is None:
        raise DataError("A panel of interactions needs a gap; give Windows(gap=...) in days.")
    acts = number_acts(interactions, windows, posts=posts, backend=backend)
    if reason := _too_short(acts):
        raise DataError(reason)
    new = keep(newcomers(acts), backend)
    return _joined(acts, predictors(acts, new), new)


def _too_short(acts: Acts) -> str:
    """Say that the log has no period whose outcomes are wholly inside it, or nothing."""
    if acts.last_period >= 0:
        return ""
    return (
        f"The log spans {(acts.end - acts.start) / DAY:.1f} days, less than two periods and the "
        f"horizon (2 x {acts.windows.period} + {acts.windows.horizon} days); choose a shorter "
        "period or horizon."
    )


def _joined(acts: Acts, known: ir.Table, new: ir.Table) -> ir.Table:
    """Where past meets future: what is known of an account, and what the period after brings."""
    rows = beside(known, outcomes(new))
    rows = rows.mutate(**{name: _[name].fill_null(0) for name in OUTCOMES})
    rows = rows.inner_join(acts.accounts, "account")
    begins = acts.start // 1_000_000 + rows.period.cast("int64") * acts.windows.period * 86_400
    rows = rows.mutate(period_start=begins.as_timestamp("s"))
    # Accounts are numbered in the order of their ids.
    of_posts = [name for name in OF_POSTS if name in rows.columns]
    whole = WHOLE_NUMBERS + [name for name in of_posts if name == "posts"]
    rows = rows.order_by(KEYS).select(*COLUMNS, *of_posts)
    return rows.mutate(**{name: _[name].cast("int64") for name in whole})


def predictors(acts: Acts, new: ir.Table) -> ir.Table:
    """Everything known of an account at the end of a period, from acts and posts up to then."""
    new_now = new.select(*KEYS, new_now=_.new_audience)
    rows = keep(conversation(acts), acts.backend)
    acted = keep(outreach(acts), acts.backend)
    measures, counts = [acted, new_now], COUNTS
    if acts.posts is None:
        own = acts.described.select("period", "at", account=_.source)
        when = timing(own, acted, acts.backend)
    else:
        own = made_posts(acts, acts.posts)
        made = keep(posting(own), acts.backend)
        when = timing(own, made.rename(own_acts="posts"), acts.backend)
        rows = beside(rows.select(*KEYS).union(made.select(*KEYS), distinct=True), rows)
        rows = rows.mutate(depth=_.depth.fill_null(0.0))
        measures, counts = [*measures, made], [*COUNTS, "posts"]
    for measure in (*measures, when):
        rows = beside(rows, measure)
    rows = rows.mutate(**{name: _[name].fill_null(0).cast("int32") for name in counts})
    counted = rows = keep(rows, acts.backend)
    volume = rows.other_acts if acts.posts is None else rows.posts
    firsts = rows.aggregate(
        by="account",
        first_seen=_.period.min(),
        first_own=ibis.ifelse(_.own_acts > 0, _.period, None).min(),
    )
    rows = rows.join(firsts, "account")
    rows = rows.mutate(
        tenure=(_.period - _.first_seen).cast("int32"),
        post_volume=(volume + 1).cast("float64").ln(),
        past_acts=sum_of_past(rows, rows.other_acts, periods=LOOK_BACK),
        past_inbound=sum_of_past(rows, rows.inbound, periods=LOOK_BACK),
        past_answered=sum_of_past(rows, rows.answered, periods=LOOK_BACK),
        past_two_way=sum_of_past(
            rows, (rows.two_way > 0).cast("int32"), periods=PERSISTENCE_PERIODS - 1
        ),
    )
    return persistence(answering(rows.drop("first_seen"), counted))


def outcomes(new: ir.Table) -> ir.Table:
    """What the period after brings: its newcomers, and those of them who last."""
    return new.mutate(period=_.period - 1)


def follower_panel(
    followers: pd.DataFrame,
    posts: pd.DataFrame | None = None,
    *,
    windows: Windows,
    backend: ibis.BaseBackend | None = None,
) -> pd.DataFrame:
    """Build the panel of accounts whose followers were counted.

    Parameters
    ----------
    followers
        The canonical table `followers`.
    posts
        The canonical table `posts`, where the data set has one; else volume and cadence come
        from `posts_total`.
    windows
        period and horizon, in days.
    backend
        An Ibis engine; by default an embedded DuckDB.

    Returns
    -------
    pandas.DataFrame
        One row an account and period in which it posted or was counted, ordered by both.
        growth and lasting_growth are differences of ln followers, to the end of the next period
        and to `horizon` days after that; missing where no count is at most 7 days old.

    Raises
    ------
    DataError
        When the observations span less than two periods and the horizon.

    Examples
    --------
    >>> import pandas as pd
    >>> counts = pd.DataFrame({"account_id": "a", "followers": range(100, 112),
    ...     "observed_at": pd.date_range("2020-01-01", periods=12, freq="W", tz="UTC")})
    >>> rows = follower_panel(counts, windows=Windows(period=7, horizon=28))
    >>> rows.growth.round(4).tolist()[:2]
    [0.01, 0.0099]
    """
    backend = backend or connect()
    counts = as_table(followers, "observed_at").rename(account="account_id")
    counts = keep(counts.mutate(at=epoch_us(counts.observed_at, backend)), backend)
    made = None
    if posts is not None:
        made = as_table(posts, "created_at").rename(account="account_id")
        made = keep(made.mutate(at=epoch_us(made.created_at, backend)), backend)
    moments = [table["at"] for table in (counts, made) if table is not None]
    first = min(int(at.min().execute()) for at in moments)
    last = max(int(at.max().execute()) for at in moments)
    start = first // DAY * DAY
    step = windows.period * DAY
    last_period = (last - start - windows.horizon * DAY) // step - 2
    if last_period < 0:
        raise DataError(
            f"The counts span {(last - first) / DAY:.1f} days, less than two periods and the "
            f"horizon (2 x {windows.period} + {windows.horizon} days); choose shorter ones."
        )

    def in_period(table: ir.Table) -> ir.Table:
        return table.mutate(period=((_["at"] - start) // step).cast("int32"))

    rows = in_period(counts).select(*KEYS)
    if made is not None:
        made = in_period(made)
        rows = rows.union(made.select(*KEYS))
    rows = rows.distinct()
    if made is not None:
        counted = made.aggregate(by=KEYS, own_acts=_.count())
        when = timing(made.select(*KEYS, "at"), counted, backend)
        for measure in (replying(made), counted, when, post_tweaks(made)):
            rows = beside(rows, measure)
        rows = rows.mutate(posts=_.posts.fill_null(0), post_volume=(_.posts.fill_null(0) + 1).ln())
    elif "posts_total" in counts.columns:
        rows = beside(rows, cadence(counts, start=start, period_days=windows.period))
        rows = rows.mutate(
            posts=_.posts_rise, replies_made=ibis.null("int64"), post_volume=(_.posts_rise + 1).ln()
        ).drop("posts_rise")
    else:
        rows = rows.mutate(posts=ibis.literal(0), replies_made=ibis.null("int64"))
    whole = ibis.window(group_by="account")
    rows = past_replying(rows.mutate(tenure=_.period - _.period.min().over(whole)))
    rows = keep(rows, backend)
    ends = {"now": 1, "next": 2, "later": 2}
    for name, periods in ends.items():
        later = windows.horizon * DAY if name == "later" else 0
        at = rows.select(*KEYS, moment=(_.period + periods).cast("int64") * step + start + later)
        rows = beside(rows, followers_at(counts, at, name=f"ln_{name}"))
    rows = rows.mutate(growth=_.ln_next - _.ln_now, lasting_growth=_.ln_later - _.ln_now)
    rows = rows.drop("ln_now", "ln_next", "ln_later").filter(_.period <= last_period)
    frame = backend.execute(rows.order_by(KEYS))
    begins = start // 1000 + frame["period"].astype("int64") * windows.period * 86_400_000
    moments = pd.to_datetime(begins, unit="ms", utc=True).dt.as_unit("us")
    return frame.rename(columns={"account": "account_id"}).assign(period_start=moments)
