"""What counters show: what posts draw by the tricks in them, and followers around a purchase."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from scipy import stats

from smo_research.errors import DataError
from smo_research.report.rows import require
from smo_research.report.style import NEUTRAL, TWEAK, look
from smo_research.report.words import count, wrap

_TRICKS = ["hashtags", "links", "has_media", "is_automated"]
_RESPONSES = ["reactions", "replies", "shares"]
_TITLE_WIDTH = 62
_FEWEST = 20
_BEFORE, _AFTER = 4, 12


@look()
def response_by_tricks(posts: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the mean response of posts by how many tricks are in them.

    Parameters
    ----------
    posts
        The canonical table, with hashtags, links, has_media and is_automated.
    ax
        Axes to draw on; new ones by default.

    Returns
    -------
    matplotlib.axes.Axes
        Means of reactions, replies and shares together, with 95 % intervals clustered by account.
        A raw comparison: nothing is held.

    Raises
    ------
    DataError
        When a column is missing.
    """
    require(posts, ["account_id", *_TRICKS, *_RESPONSES], "posts")
    tricks = sum((posts[name].astype("float64") > 0).astype(int) for name in _TRICKS)
    response = posts[_RESPONSES].astype("float64").sum(axis=1)
    grouped = response.groupby(tricks)
    means, sizes = grouped.mean(), grouped.size()
    excess = (response - tricks.map(means)).groupby([tricks, posts["account_id"]]).sum()
    error = np.sqrt((excess**2).groupby(level=0).sum()) / sizes
    reach = error * stats.t.ppf(0.975, max(posts["account_id"].nunique() - 1, 1))
    if ax is None:
        _, ax = plt.subplots(figsize=(6.2, 3.6))
    ax.errorbar(means.index, means, yerr=reach, fmt="o-", color=TWEAK, capsize=0, ms=7)
    for number, mean in means.items():
        ax.annotate(f"{mean:.0f}", (number, mean), (9, -11), textcoords="offset points", size=9.5)
    ax.set(xticks=means.index, ylim=(0, None), xlim=(-0.3, means.index.max() + 0.5))
    ax.set_xlabel("tricks in a post (hashtag, link, picture, automation); raw means, 95 % interval")
    ax.set_ylabel("reactions, replies and shares")
    most, times = means.index.max(), means.iloc[-1] / means.iloc[0]
    said = f"A post with {most} tricks draws {times:.1f} times what one with none draws"
    ax.set_title(wrap(said, _TITLE_WIDTH), fontsize=11)
    return ax


@look()
def around_purchase(
    followers: pd.DataFrame, posts: pd.DataFrame, *, period: int, ax: Axes | None = None
) -> Axes:
    """Draw follower counts before and after followers were bought.

    Parameters
    ----------
    followers, posts
        The canonical tables; a period with a paid post (is_paid) is one of a purchase.
    period
        Length of a period, in days; counts are those at its end.
    ax
        Axes to draw on; new ones by default.

    Returns
    -------
    matplotlib.axes.Axes
        Mean change of the count since before the purchase, in percent; grey: accounts that bought
        nothing in such a stretch of time. Purchases with another within 12 periods are left out.

    Raises
    ------
    DataError
        When a column is missing, or fewer than 20 purchases can be followed.
    """
    require(followers, ["account_id", "observed_at", "followers"], "followers")
    require(posts, ["account_id", "created_at", "is_paid"], "posts")
    begins = posts["created_at"].min().normalize()
    number = (followers["observed_at"] - begins) // pd.Timedelta(days=period)
    counts = followers.assign(period=number).pivot(
        index="period", columns="account_id", values="followers"
    )
    ln = np.log(counts.astype("float64").clip(lower=1))
    when = (posts["created_at"] - begins) // pd.Timedelta(days=period)
    paid = posts["is_paid"].fillna(False).astype(bool).groupby([when, posts["account_id"]]).any()
    bought = paid.unstack(fill_value=False).reindex_like(ln).fillna(False).astype(bool)
    # Only purchases that can be followed throughout, so that all points are of the same ones, and
    # that stand alone, so that no other one shows.
    around = [bought.shift(lag, fill_value=False) for lag in range(-_AFTER, _AFTER + 1) if lag]
    clear = ln.shift(_BEFORE).notna() & ln.shift(-_AFTER).notna() & ~np.logical_or.reduce(around)
    followed = int((bought & clear).sum(axis=None))
    if followed < _FEWEST:
        raise DataError(
            f"posts must hold {_FEWEST} purchases that can be followed for {_AFTER} periods, "
            f"but hold {followed}."
        )
    lags = range(-_BEFORE, _AFTER + 1)
    change = {lag: ln.shift(-lag) - ln.shift(1) for lag in lags}
    if ax is None:
        _, ax = plt.subplots(figsize=(6.8, 3.6))
    lines = {}
    for mask, colour, name in (
        (bought & clear, TWEAK, "bought"),
        (~bought & clear, NEUTRAL, "not"),
    ):
        of_each = np.array([change[lag].to_numpy()[mask] for lag in lags])
        middle = np.nanmean(of_each, axis=1)
        lines[name] = _percent(middle)
        ax.plot(list(lags), lines[name], "-", color=colour)
        if name == "bought":
            reach = 1.96 * stats.sem(of_each, axis=1)
            ends = (_percent(middle - reach), _percent(middle + reach))
            ax.fill_between(list(lags), *ends, color=colour, alpha=0.18, lw=0)
    ax.axvline(0, color="#8a8a8a", lw=1, zorder=1)
    ax.set_xlabel("periods since the purchase; shaded: 95 % interval of the mean")
    ax.set_ylabel("followers, % since before")
    jump, left = (lines["bought"][at] - lines["not"][at] for at in (_BEFORE, -1))
    shown: dict[str, Any] = {"textcoords": "offset points", "size": 9.5}
    words = f"bought followers: mean of {count(followed, 'purchase')}"
    ax.annotate(words, (0, lines["bought"][_BEFORE]), (9, -2), va="center", color=TWEAK, **shown)
    ax.annotate("bought none, in the same periods", (3, lines["not"][_BEFORE + 3]), (8, -8),
                va="top", color=NEUTRAL, **shown)  # fmt: skip
    ax.set_title(wrap(_finding(jump, left), _TITLE_WIDTH), fontsize=11)
    return ax


def _percent(change: np.ndarray) -> np.ndarray:
    """A change of logarithms in percent."""
    return 100 * np.expm1(change)


def _finding(jump: float, left: float) -> str:
    rest = f"{left:.0f} % are left" if left >= 0.5 else "nothing is left"
    return f"A purchase adds {jump:.0f} %; {_AFTER} periods later {rest}"
