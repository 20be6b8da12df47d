"""An effect with its error: intervals, p-values against no effect and against a band, Holm."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy import stats


class Estimate(Protocol):
    """What a verdict needs to know of an estimate, however its error was found."""

    @property
    def estimate(self) -> float: ...  # noqa: D102
    @property
    def std_error(self) -> float: ...  # noqa: D102
    @property
    def p_difference(self) -> float: ...  # noqa: D102
    @property
    def detectable(self) -> float: ...  # noqa: D102
    def interval(self, level: float = 0.95) -> tuple[float, float]: ...  # noqa: D102
    def p_equivalence(self, bound: float) -> float: ...  # noqa: D102
    def p_minimal_effect(self, bound: float) -> float: ...  # noqa: D102


def loudness(check: Estimate | None, bound: float, level: float = 0.05) -> str:
    """Say what a check that should show nothing shows: quiet, loud or uninformative.

    Quiet when the 90 % interval lies inside the bounds, loud when the 95 % interval leaves out
    none; a check that is both is quiet.

    Examples
    --------
    >>> loudness(Effect(0.4, 0.1, 100), bound=0.1), loudness(None, bound=0.1)
    ('loud', 'uninformative')
    """
    if check is None or math.isnan(check.estimate):
        return "uninformative"
    if check.p_equivalence(bound) < level:
        return "quiet"
    return "loud" if check.p_difference < level else "uninformative"


@dataclass(frozen=True)
class Effect:
    """An estimate with its standard error and degrees of freedom of t.

    Examples
    --------
    >>> effect = Effect(0.02, 0.04, 100)
    >>> round(effect.p_difference, 3), round(effect.p_equivalence(0.105), 3)
    (0.618, 0.018)
    """

    estimate: float
    std_error: float
    df: float

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Two-sided interval."""
        reach = float(stats.t.ppf((1 + level) / 2, self.df)) * self.std_error
        return self.estimate - reach, self.estimate + reach

    @property
    def p_difference(self) -> float:
        """Two-sided p of no effect."""
        return float(2 * stats.t.sf(abs(self.estimate) / self.std_error, self.df))

    def p_equivalence(self, bound: float) -> float:
        """P of an effect at or beyond -bound or bound: two one-sided tests.

        References
        ----------
        Schuirmann (1987), A comparison of the two one-sided tests procedure and the power
        approach, Journal of Pharmacokinetics and Biopharmaceutics 15, 657-680.
        """
        return float(stats.t.sf((bound - abs(self.estimate)) / self.std_error, self.df))

    def p_minimal_effect(self, bound: float) -> float:
        """P of an effect inside the band, taken at its edge, where it is hardest to reject.

        References
        ----------
        Murphy, Myors (1999), Testing the hypothesis that treatments have negligible effects:
        minimum-effect tests in the general linear model, Journal of Applied Psychology 84.
        """
        far = abs(self.estimate)
        p = stats.t.sf((far - bound) / self.std_error, self.df) + stats.t.sf(
            (far + bound) / self.std_error, self.df
        )
        return float(min(1.0, p))

    @property
    def detectable(self) -> float:
        """The smallest effect that a two-sided 5 % test finds in 80 % of samples like this."""
        return float((stats.t.ppf(0.975, self.df) + stats.t.ppf(0.8, self.df)) * self.std_error)


def holm(p_values: dict[str, float], *, family: int) -> dict[str, float]:
    """Holm-adjust p-values within a family of fixed size; those not run count with p = 1.

    Parameters
    ----------
    p_values
        By name; missing (NaN) counts as 1.
    family
        How many tests the family has, at least the number given.

    Raises
    ------
    ValueError
        When the family is smaller than the number of p-values.

    Examples
    --------
    >>> holm({"a": 0.01, "b": 0.04}, family=3)
    {'a': 0.03, 'b': 0.08}
    """
    if family < len(p_values):
        raise ValueError(f"family must be at least {len(p_values)}, but is {family}")
    names = list(p_values)
    values = np.nan_to_num(np.array([p_values[name] for name in names], dtype=float), nan=1.0)
    order = np.argsort(values, kind="stable")
    scaled = values[order] * (family - np.arange(len(values)))
    adjusted = np.minimum(1.0, np.maximum.accumulate(scaled))
    return {names[i]: float(adjusted[rank]) for rank, i in enumerate(order)}
