"""Tweaks: how an account timed what it did, and what it put into its posts."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from ibis import _
from scipy import stats

from smo_research.measures.acts import DAY, HOUR, keep
from smo_research.measures.grain import KEYS, beside

FEWEST_ACTS = 10
HOURS = 24
WHOLE = "decimal(19, 0)"
EXACT = "decimal(38, 14)"
POST_TWEAKS = {
    "hashtag_rate": "hashtags",
    "link_rate": "links",
    "media_share": "has_media",
    "paid_share": "is_paid",
    "automated_share": "is_automated",
}


def expected_hour_entropy(n: np.ndarray) -> np.ndarray:
    """Mean entropy, in nats, of the hours of n acts that fall at random over the 24 hours.

    E_n[H] = ln n - (24 / n) sum_k P(Bin(n, 1/24) = k) k ln k, exact.

    Parameters
    ----------
    n
        Numbers of acts, whole, from 1.

    Examples
    --------
    >>> expected_hour_entropy(np.array([1, 2])).round(4).tolist()
    [0.0, 0.6643]
    """
    n = np.asarray(n)
    return np.array([_expected_hour_entropy(int(size)) for size in n], dtype=float)


def _expected_hour_entropy(n: int) -> float:
    spread = 12 * np.sqrt(n * (1 / HOURS) * (1 - 1 / HOURS)) + 60
    k = np.arange(max(2, int(n / HOURS - spread)), min(n, int(n / HOURS + spread)) + 1)
    terms = stats.binom.pmf(k, n, 1 / HOURS) * k * np.log(k)
    return float(np.log(n) - HOURS / n * terms.sum())


def timing(own: ir.Table, counted: ir.Table, backend: ibis.BaseBackend) -> ir.Table:
    """Describe when an account acted.

    Parameters
    ----------
    own
        One row an own act (or post): account, period, at (microseconds).
    counted
        One row an account and period with an own act: own_acts, their number.
    backend
        The engine that holds them.

    Returns
    -------
    One row an account and period with at least 10 own acts: schedule_focus and burstiness.

    References
    ----------
    Burstiness: Kim and Jo (2016), Measuring burstiness for finite event sequences,
    Physical Review E 94, 032311.
    """
    # Only accounts with enough acts have gaps and hours worth a sort.
    many = keep(counted.select(*KEYS, "own_acts").filter(_.own_acts >= FEWEST_ACTS), backend)
    enough = own.semi_join(many, KEYS)
    since = enough["at"] - enough["at"].lag().over(ibis.window(group_by=KEYS, order_by="at"))
    # Whole numbers sum to the same in any order, and the engine's order differs by run.
    gaps = enough.mutate(gap=since.cast(WHOLE)).aggregate(
        by=KEYS,
        n=_.count(),
        gaps=_.gap.count(),
        gap_sum=_.gap.sum(),
        gap_squares=(_.gap * _.gap).sum(),
    )
    gap_sum, number = gaps.gap_sum.cast(WHOLE), gaps.gaps.cast(WHOLE)
    spread = number * gaps.gap_squares - gap_sum * gap_sum
    gaps = gaps.mutate(
        gap_mean=gap_sum.cast("float64") / gaps.gaps.nullif(0),
        gap_sd=spread.cast("float64").sqrt() / gaps.gaps.nullif(0),
    )
    gaps = gaps.select(*KEYS, burstiness=burstiness(_.gap_mean, _.gap_sd, _.n))
    return keep(beside(gaps, schedule_focus(enough, expected_entropies(many))), backend)


def burstiness(gap_mean: ir.Value, gap_sd: ir.Value, n: ir.Value) -> ir.Value:
    """Kim and Jo's burstiness for n acts, -1 (regular) to 1 (bursty), missing where all at once."""
    r = gap_sd / gap_mean.nullif(0)
    up, down = (n + 1).cast("float64").sqrt(), (n - 1).cast("float64").sqrt()
    return (up * r - down) / ((up - 2) * r + down)


def expected_entropies(counted: ir.Table) -> ir.Table:
    """Tabulate `expected_hour_entropy` for the numbers of acts that occur: n, expected."""
    sizes = counted.select("own_acts").distinct().execute()["own_acts"].sort_values().to_numpy()
    return ibis.memtable(
        pd.DataFrame({"n": sizes.astype("int64"), "expected": expected_hour_entropy(sizes)})
    )


def schedule_focus(own: ir.Table, at_random: ir.Table) -> ir.Table:
    """How much the UTC hours of own acts are more concentrated than hours at random would be.

    (E_n[H] - H) / ln 24.
    """
    hours = own.mutate(hour=_["at"] % DAY // HOUR).aggregate(by=[*KEYS, "hour"], n=_.count())
    k = hours.n.cast("float64")
    entropy = hours.mutate(weight=(k * k.ln()).cast(EXACT)).aggregate(
        by=KEYS, n=_.n.sum(), weight=_.weight.sum().cast("float64")
    )
    joined = entropy.join(at_random, "n")
    observed = joined.n.cast("float64").ln() - joined.weight / joined.n
    return joined.select(*KEYS, schedule_focus=(joined.expected - observed) / float(np.log(HOURS)))


def post_tweaks(posts: ir.Table) -> ir.Table:
    """Rates of what can be put into a post, by account and period.

    Parameters
    ----------
    posts
        One row a post: account, period and any of hashtags, links, has_media, is_paid,
        is_automated; what is not known of a post is left out of its mean.

    Returns
    -------
    hashtag_rate and link_rate (per post), media_share, paid_share, automated_share (0 to 1),
    as far as the posts tell.
    """
    means = {
        measure: posts[column].cast("float64").mean()
        for measure, column in POST_TWEAKS.items()
        if column in posts.columns
    }
    return posts.aggregate(by=KEYS, **means)
