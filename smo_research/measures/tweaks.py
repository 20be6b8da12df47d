"""Tweaks and outreach: how an account timed its own acts and whom it approached."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from ibis import _
from scipy import stats

from smo_research.measures.acts import DAY, HOUR, Acts

FEWEST_ACTS = 10
HOURS = 24


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


def own_acts(acts: Acts) -> ir.Table:
    """Describe the timing and the reach of an account's own acts.

    Returns
    -------
    One row an account and period with an own act: own_acts and other_acts (those that are not
    answers), cold_outreach (share that are the first between the two, 0 to 1), schedule_focus
    and burstiness (missing under 10 acts).

    References
    ----------
    Burstiness: Kim and Jo (2016), Measuring burstiness for finite event sequences,
    Physical Review E 94, 032311.
    """
    by_account = ibis.window(group_by=["source_id", "period"], order_by=["at", "seq"])
    own = acts.table.select("source_id", "period", "at", "seq", "is_answer", "opens_pair")
    own = own.mutate(gap=(_["at"] - _["at"].lag().over(by_account)) / HOUR)
    counted = own.aggregate(
        by=["source_id", "period"],
        own_acts=_.count(),
        answers=_.is_answer.cast("int64").sum(),
        cold_outreach=_.opens_pair.cast("float64").mean(),
        gap_mean=_.gap.mean(),
        gap_sd=_.gap.std(how="pop"),
    )
    return (
        counted.left_join(schedule_focus(acts), ["source_id", "period"])
        .drop("source_id_right", "period_right")
        .select(
            "period",
            "own_acts",
            "cold_outreach",
            "schedule_focus",
            account_id=_.source_id,
            other_acts=_.own_acts - _.answers,
            burstiness=burstiness(_.gap_mean, _.gap_sd, _.own_acts),
        )
    )


def burstiness(gap_mean: ir.Value, gap_sd: ir.Value, n: ir.Value) -> ir.Value:
    """Kim and Jo's burstiness for n acts, -1 (regular) to 1 (bursty)."""
    r = gap_sd / gap_mean.nullif(0)
    up, down = (n + 1).cast("float64").sqrt(), (n - 1).cast("float64").sqrt()
    value = (up * r - down) / ((up - 2) * r + down)
    return ibis.ifelse(n >= FEWEST_ACTS, value, None)


def schedule_focus(acts: Acts) -> ir.Table:
    """How much the UTC hours of own acts are more concentrated than hours at random would be.

    (E_n[H] - H) / ln 24, for accounts and periods with at least 10 acts.
    """
    hours = acts.table.mutate(hour=_["at"] % DAY // HOUR).aggregate(
        by=["source_id", "period", "hour"], n=_.count()
    )
    k = hours.n.cast("float64")
    entropy = hours.mutate(weight=k * k.ln()).aggregate(
        by=["source_id", "period"], n=_.n.sum(), weight=_.weight.sum()
    )
    entropy = entropy.filter(_.n >= FEWEST_ACTS)
    sizes = entropy.select("n").distinct().execute().n.sort_values().to_numpy()
    at_random = ibis.memtable(
        pd.DataFrame({"n": sizes.astype("int64"), "expected": expected_hour_entropy(sizes)})
    )
    joined = entropy.join(at_random, "n")
    observed = joined.n.cast("float64").ln() - joined.weight / joined.n
    return joined.select(
        "source_id", "period", schedule_focus=(joined.expected - observed) / float(np.log(HOURS))
    )
