"""One small picture a data set: what was measured, as it lies in the canonical tables."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.ticker import FuncFormatter

from smo_research.report.style import BAND, CONVERSATION, INK, NEUTRAL, QUIET, TWEAK, look
from smo_research.report.words import count, percent, wrap
from smo_research.tables import Tables

# Kinds and slices are neither tweaks nor conversation, so they take neither of those colours.
_SHADES = (INK, "#8e4585", "#117a65", "#9a9a9a")
_SIZE = (7.2, 2.3)
_GROWTH = (0.8, 30.0)
_SHORTEST_YEARS = 0.5
_OFTEN = {"once": 1, "twice": 2, "3 to 5": 5, "6 to 10": 10, "more": np.inf}


@look()
def over_time(
    table: pd.DataFrame,
    noun: str,
    *,
    by: str | None = None,
    days: int = 28,
    uncollected: tuple[str, str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw how many rows a table has in each stretch of days, from first to last.

    Parameters
    ----------
    table
        With `created_at`.
    noun
        What a row is, such as "message".
    by
        Column whose values get a line each.
    days
        Length of a stretch; the last, which is cut short, is left out.
    uncollected
        First and last day of a time that nobody collected: no line is drawn there.
    """
    ax = _axes(ax)
    place = (table["created_at"] - table["created_at"].min()).dt.days // days
    places = range(int(place.max()))
    starts = table["created_at"].min() + pd.to_timedelta(np.arange(len(places)) * days, unit="D")
    known = np.full(len(starts), True)
    if uncollected:
        hole = [pd.Timestamp(day, tz="UTC") for day in uncollected]
        known = (starts + pd.Timedelta(days=days) <= hole[0]) | (starts > hole[1])
        _shaded(ax, hole, "not collected")
    groups = [("", table)] if by is None else list(table.groupby(by))
    for shade, (name, rows) in zip(_SHADES, groups, strict=False):
        counts = place[rows.index].value_counts().reindex(places, fill_value=0).where(known)
        ax.plot(starts, counts, color=shade, drawstyle="steps-post", lw=1.4)
        _label(ax, str(name), starts[-1], counts.iloc[-1], shade)
    locator = AutoDateLocator(maxticks=9)
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(ConciseDateFormatter(locator, show_offset=False))
    first, last = table["created_at"].min(), table["created_at"].max()
    ax.set(ylim=(0, None), ylabel=f"{noun}s\nin {days} days")
    return _finish(ax, f"{count(len(table), noun)}, {first:%Y-%m} to {last:%Y-%m}", thousands="y")


@look()
def seen_how_often(log: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw in how many acts the accounts of a log are seen: a sample sees most of them once.

    Parameters
    ----------
    log
        Interactions.
    """
    ax = _axes(ax)
    acts = log["source_id"].value_counts()
    classes = pd.cut(acts, [0, *_OFTEN.values()], labels=list(_OFTEN))
    shares = classes.value_counts(normalize=True, sort=False)
    ax.bar(shares.index, shares, color=NEUTRAL, width=0.7)
    for place, share in enumerate(shares):
        ax.annotate(percent(share), (place, share), (0, 3), textcoords="offset points", ha="center")
    ax.set(yticks=[], xlabel="acts of the account in the data", ylim=(0, 1.15 * shares.max()))
    ax.spines["left"].set_visible(False)
    return _finish(ax, f"{percent(shares['once'])} of {len(acts):,} accounts act once only")


@look()
def received(edges: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw how the acts are shared out over the accounts that receive them, from the top down.

    Parameters
    ----------
    edges
        Pairs with target_id, kind and weight (number of acts).
    """
    ax = _axes(ax)
    for shade, (kind, rows) in zip(_SHADES, edges.groupby("kind"), strict=False):
        acts = rows.groupby("target_id")["weight"].sum().sort_values(ascending=False)
        ranks = np.arange(1, len(acts) + 1)
        ax.plot(ranks, acts.cumsum() / acts.sum(), color=shade)
        _label(ax, str(kind), ranks[-1], 1, shade, down=13 * _SHADES.index(shade))
    ax.set(xscale="log", ylim=(0, 1.02), xlabel="accounts, from the one that receives most (log)")
    ax.set_ylabel("share of acts\nreceived")
    ax.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:.0f} %"))
    top = edges.groupby("target_id")["weight"].sum().nlargest(100).sum() / edges["weight"].sum()
    return _finish(ax, f"100 accounts receive {percent(top)} of all acts", thousands="x")


@look()
def follower_lines(
    followers: pd.DataFrame, *, posts: pd.DataFrame | None = None, ax: Axes | None = None
) -> Axes:
    """Draw each account's followers relative to its first count; shade the time that has posts.

    Parameters
    ----------
    followers
        With account_id, observed_at, followers.
    posts
        With created_at.
    """
    ax = _axes(ax)
    start, end = followers["observed_at"].min(), followers["observed_at"].max()
    if posts is not None:
        _shaded(ax, [start, posts["created_at"].max()], "tweets known")
    ends = {}
    for name, rows in followers.sort_values("observed_at").groupby("account_id"):
        ratio = rows["followers"].astype(float) / float(rows["followers"].iloc[0])
        ax.plot(rows["observed_at"], ratio, color=NEUTRAL, lw=0.9, alpha=0.7)
        ends[name] = ratio.iloc[-1]
    top = max(ends, key=lambda name: ends[name])
    _label(ax, str(top), end, ends[top], INK)
    locator = AutoDateLocator(maxticks=9)
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(ConciseDateFormatter(locator, show_offset=False))
    ax.set(yscale="log", ylabel="followers, times the\nfirst count (log)", xlim=(start, end))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.yaxis.set_minor_formatter(lambda *_: "")
    return _finish(ax, f"Followers of {count(len(ends), 'account')} over time")


@look()
def growth_by_sample(
    followers: pd.DataFrame, accounts: pd.DataFrame, *, ax: Axes | None = None
) -> Axes:
    """Draw how fast accounts grew over the time they were watched, by the slice they came in.

    Parameters
    ----------
    followers
        With account_id, observed_at, followers.
    accounts
        With account_id, sample.
    """
    ax = _axes(ax)
    ordered = followers[followers["followers"] > 0].sort_values("observed_at")
    ends = ordered.groupby("account_id").agg(
        first=("followers", "first"), last=("followers", "last"),
        start=("observed_at", "min"), end=("observed_at", "max"),
    )  # fmt: skip
    years = (ends["end"] - ends["start"]).dt.days / 365.25
    ratio = ends["last"].astype(float) / ends["first"].astype(float)
    yearly = (ratio ** (1 / years))[years >= _SHORTEST_YEARS].clip(*_GROWTH)
    sample = accounts.set_index("account_id")["sample"].reindex(yearly.index)
    bins = np.geomspace(*_GROWTH, 45).tolist()
    for shade, (name, rows) in zip(_SHADES, yearly.groupby(sample), strict=False):
        ax.hist(rows, bins=bins, histtype="step", color=shade, lw=1.6)
        line = (1, 0.95 - 0.14 * _SHADES.index(shade))
        ax.annotate(f"{name}: {len(rows):,}", line, xycoords="axes fraction", color=shade,
                    ha="right", va="top", size=9, weight="bold")  # fmt: skip
    ax.set(xscale="log", xticks=[1, 2, 5, 10, 20], ylabel="channels")
    ax.set_xlabel(f"followers a year later, times those before (log; {_GROWTH[1]:g} is or more)")
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.xaxis.set_minor_formatter(lambda *_: "")
    return _finish(ax, "Chosen on growth: yearly growth in the two slices")


@look()
def counter_by(posts: pd.DataFrame, column: str, counter: str, *, ax: Axes | None = None) -> Axes:
    """Draw the spread of a counter of posts, by a property of the post.

    Parameters
    ----------
    posts
        Posts with both columns; rows without either are left out.
    column
        The property, such as post_type.
    counter
        Such as reactions.
    """
    ax = _axes(ax)
    known = posts[posts[column].notna() & posts[counter].notna()]
    groups = {str(name): rows[counter].astype(float) for name, rows in known.groupby(column)}
    groups = dict(sorted(groups.items(), key=lambda pair: pair[1].median()))
    lowest = min(values.quantile(0.25) for values in groups.values())
    for place, values in enumerate(groups.values()):
        low, middle, high = values.quantile([0.25, 0.5, 0.75])
        ax.plot([low, high], [place, place], color=TWEAK, lw=5, alpha=0.35, solid_capstyle="butt")
        ax.plot(middle, place, "o", color=TWEAK)
        ax.annotate(f"{middle:,.0f}", (middle, place), (0, 6), textcoords="offset points",
                    ha="center", size=9)  # fmt: skip
    names = [f"{name} ({len(values):,})" for name, values in groups.items()]
    ax.set_yticks(range(len(names)), names)
    ax.set(ylim=(-0.6, len(names) - 0.2), xscale="symlog")
    ax.set_xlim(left=lowest / 2 if lowest > 2 else 0)
    ax.set_xlabel(f"{counter} of a post: median and middle half (log)")
    return _finish(
        ax, f"{counter.capitalize()} by {column.replace('_', ' ')}, not adjusted for anything",
        thousands="x",
    )  # fmt: skip


@look()
def audience_by_replies(tables: Tables, *, ax: Axes | None = None) -> Axes:
    """Draw followers per day of an account's age by the share of its posts that are replies.

    Parameters
    ----------
    tables
        With accounts (created_at), posts (is_reply) and one count of followers an account.
    """
    ax = _axes(ax)
    accounts, posts, followers = tables.accounts, tables.posts, tables.followers
    if accounts is None or posts is None or followers is None:
        raise ValueError(f"{tables.name} must have accounts, posts and followers.")
    replies = posts.groupby("account_id")["is_reply"].mean().astype(float)
    last = followers.set_index("account_id")
    age = (last["observed_at"] - accounts.set_index("account_id")["created_at"]).dt.days
    daily = (last["followers"].astype(float) / age).reindex(replies.index)
    ax.plot(replies, daily, "o", color=CONVERSATION, alpha=0.75, mew=0)
    ax.set(yscale="log", xlabel="share of its posts that are replies", xlim=(0, None))
    ax.set_ylabel("followers per\nday of age (log)")
    ax.xaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:.0f} %"))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    return _finish(ax, f"{count(len(replies), 'account')} in one look, each a dot")


def _shaded(ax: Axes, stretch: list[pd.Timestamp], words: str) -> None:
    """Shade a stretch of time, and say why."""
    ax.axvspan(*stretch, color=BAND, lw=0, zorder=0)
    ax.annotate(words, (stretch[0], 1), (4, -4), xycoords=("data", "axes fraction"),
                textcoords="offset points", va="top", color=QUIET, size=9)  # fmt: skip


def _axes(ax: Axes | None) -> Axes:
    return ax if ax is not None else plt.subplots(figsize=_SIZE)[1]


def _label(ax: Axes, name: str, x: object, y: object, colour: str, *, down: float = 0) -> None:
    ax.annotate(name, (x, y), (6, -down), textcoords="offset points", va="center", color=colour,
                size=9, weight="bold", annotation_clip=False)  # type: ignore  # fmt: skip


def _finish(ax: Axes, title: str, *, thousands: str = "") -> Axes:
    for letter in thousands:
        axis = ax.xaxis if letter == "x" else ax.yaxis
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    ax.set_title(wrap(title, 80), fontsize=10.5, pad=8)
    return ax
