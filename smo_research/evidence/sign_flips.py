"""A joint test of many specifications: flip the signs of what accounts add to their scores."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

FLIPS = 2_000
QUICK_FLIPS = 500
_AT_A_TIME = 250
STATISTICS = ("median t", "share significant", "mean z")


@dataclass(frozen=True)
class JointTest:
    """What all specifications say together, and how often chance says as much.

    Attributes
    ----------
    observed
        By statistic: the median of the score tests' t; the share of them that is significant in
        the direction in which more are, negative for that one; and their sum over the root of
        their number (Stouffer).
    p_values
        By statistic, two-sided, under the null that no specification has an effect.
    specifications, flips
        Their numbers.
    """

    observed: dict[str, float]
    p_values: dict[str, float]
    specifications: int
    flips: int


def joint_test(
    scores: np.ndarray,
    *,
    rng: np.random.Generator,
    spreads: np.ndarray | None = None,
    flips: int = FLIPS,
    level: float = 0.05,
) -> JointTest:
    """Test that a predictor does nothing in any of many specifications.

    Where it does nothing, what an account adds to a score is as likely to be as much below 0 as
    above. All that an account adds changes sign together, in all specifications at once, so
    that what they share stays.

    Parameters
    ----------
    scores
        Accounts by specifications: effective scores (`Absorbed.account_scores`), 0 where an
        account is not in a specification.
    rng
        Random numbers.
    spreads
        Standard error of each specification's sum of scores, where accounts are not independent
        (first contacts: a contact may write to several); by default the root of their squares,
        below which none goes. What was found is divided by it, what is drawn by the root.
    flips
        Number of draws.
    level
        Of a single specification's test, two-sided.

    References
    ----------
    Hemerik, Goeman, Finos (2020), Robust testing in generalized linear models by sign flipping
    score contributions, Journal of the Royal Statistical Society B 82, 841-864. Simonsohn,
    Simmons, Nelson (2020), Specification curve analysis, Nature Human Behaviour 4, 1208-1214.

    Examples
    --------
    >>> scores = np.random.default_rng(1).normal(0.5, 1, (100, 3))
    >>> joint_test(scores, rng=np.random.default_rng(2), flips=199).p_values
    {'median t': 0.005, 'share significant': 0.005, 'mean z': 0.005}
    """
    there = scores[(scores != 0).any(axis=1)]
    roots = np.sqrt((there**2).sum(axis=0))
    unit = there / roots
    widened = roots if spreads is None else np.maximum(spreads, roots)
    observed = _statistics((there.sum(axis=0) / widened)[None], level)
    drawn = []
    for first in range(0, flips, _AT_A_TIME):
        shape = (min(_AT_A_TIME, flips - first), len(unit))
        signs = 2.0 * rng.integers(0, 2, size=shape, dtype=np.int8) - 1
        drawn.append(_statistics(signs @ unit, level))
    reached = np.abs(np.vstack(drawn)) >= np.abs(observed) * (1 - 1e-12)
    p_values = (1 + reached.sum(axis=0)) / (1 + flips)
    return JointTest(
        dict(zip(STATISTICS, observed[0].tolist(), strict=True)),
        dict(zip(STATISTICS, p_values.tolist(), strict=True)),
        specifications=scores.shape[1],
        flips=flips,
    )


def _statistics(t: np.ndarray, level: float) -> np.ndarray:
    """The three statistics of each row of t's, draws by specifications."""
    cut = stats.norm.isf(level / 2)
    above, below = (t > cut).mean(axis=1), (t < -cut).mean(axis=1)
    share = np.where(above >= below, above, -below)
    return np.column_stack([np.median(t, axis=1), share, t.sum(axis=1) / np.sqrt(t.shape[1])])
