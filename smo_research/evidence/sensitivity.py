"""How strong would an unmeasured confounder have to be? E-values and robustness values."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from scipy import stats

from smo_research.errors import DataError
from smo_research.evidence.effects import Estimate
from smo_research.evidence.result import evidence_row

MODEL = "sensitivity"
E_VALUE, ROBUSTNESS_VALUE = "E-value", "robustness value"


@dataclass(frozen=True)
class Confounder:
    """The weakest unmeasured confounder that would explain an effect away.

    Attributes
    ----------
    measure
        "E-value", a ratio of 1 or more, or "robustness value", a share from 0 to 1.
    strength
        What it takes to bring the estimate to no effect.
    strength_at_limit
        What it takes to bring the 95 % interval to no effect; 1 (E-value) or 0 (robustness
        value) where the interval already holds it.
    unit
        What `strength` is.
    sentence
        The same in plain words.
    """

    measure: str
    strength: float
    strength_at_limit: float
    unit: str
    sentence: str

    def row(self, **labels: Any) -> dict[str, Any]:
        """Say it in a row of the vocabulary; `ci_low` is what it takes for the interval.

        Parameters
        ----------
        labels
            Such as hypothesis, dataset, term, n_obs and n_accounts.
        """
        return evidence_row(
            model=MODEL,
            block=self.measure,
            estimate=self.strength,
            ci_low=self.strength_at_limit,
            unit=self.unit,
            **labels,
        )


def e_value(ratio: float) -> float:
    """Ratio by which a confounder must go with both sides to explain a ratio away: R + √(R(R - 1)).

    Parameters
    ----------
    ratio
        Of risks or of rates; below 1 its inverse is taken.

    Raises
    ------
    DataError
        When it is not above 0.

    References
    ----------
    VanderWeele, Ding (2017), Sensitivity analysis in observational research: introducing the
    E-value, Annals of Internal Medicine 167.

    Examples
    --------
    >>> round(e_value(3.9), 2), round(e_value(0.8), 2), e_value(1.0)
    (7.26, 1.81, 1.0)
    """
    if not ratio > 0:
        raise DataError(f"ratio must be above 0, but is {ratio}.")
    ratio = max(ratio, 1 / ratio)
    return ratio + math.sqrt(ratio * (ratio - 1))


def robustness_value(t: float, df: float, *, q: float = 1.0, alpha: float | None = None) -> float:
    """Share of what is left of predictor and outcome that a confounder must explain in both.

    Parameters
    ----------
    t
        Of the coefficient, by least squares.
    df
        Residual degrees of freedom of the regression.
    q
        Share of the estimate that is to be explained away.
    alpha
        Bring the estimate not to (1 - q) of itself, but to where a test at this level no longer
        tells it from that.

    Returns
    -------
    float
        Partial R^2, 0 to 1.

    Raises
    ------
    DataError
        When df is not above 1, q not above 0, or alpha not between 0 and 1.

    References
    ----------
    Cinelli, Hazlett (2020), Making sense of sensitivity: extending omitted variable bias,
    JRSS B 82, equations 18 and 19; and their package sensemakr for an f so large that the
    confounder need not explain as much of the outcome.

    Examples
    --------
    >>> round(robustness_value(4.18445, 783), 4)
    0.1388
    >>> round(robustness_value(4.18445, 783, alpha=0.05), 4)
    0.0763
    """
    if not (df > 1 and q > 0 and (alpha is None or 0 < alpha < 1)):
        raise DataError(
            "df must be above 1, q above 0 and alpha between 0 and 1 or None, but came "
            f"df = {df}, q = {q}, alpha = {alpha}."
        )
    f = q * abs(t) / math.sqrt(df)
    critical = 0.0
    if alpha is not None:
        critical = float(stats.t.isf(alpha / 2, df - 1)) / math.sqrt(df - 1)
    left = f - critical
    if left <= 0:
        return 0.0
    if f * critical > 1:
        return (f**2 - critical**2) / (1 + f**2)
    return (math.sqrt(left**4 + 4 * left**2) - left**2) / 2


def unmeasured(
    effect: Estimate,
    *,
    unit: str,
    predictor: str,
    outcome: str,
    residual_df: float | None = None,
) -> Confounder | None:
    """Say how strong an unmeasured confounder would have to be to explain an effect away.

    Ratios get an E-value: how the confounder differs between two levels of the predictor one
    contrast apart, and what it does to the outcome, both as ratios. Differences by least squares
    get a robustness value; its t is the effect's own, so that with clustered errors, which are
    larger, it errs toward fragile.

    Parameters
    ----------
    effect
        What decides, on the scale of `unit`.
    unit
        As in the tables, with the contrast: "ln ratio per +0.25", "ln followers per +0.25".
    predictor, outcome
        In words, for the sentence.
    residual_df
        Rows less parameters of a least-squares model. The effect's own degrees of freedom will
        not do where errors are clustered: they count the clusters.

    Returns
    -------
    Confounder or None
        None where the unit is not a difference of logarithms, such as nats.

    Raises
    ------
    DataError
        When `residual_df` is missing for a difference by least squares.

    Examples
    --------
    >>> from smo_research.evidence.effects import Effect
    >>> found = unmeasured(
    ...     Effect(0.135, 0.045, 19_976),
    ...     unit="ln ratio per +0.25",
    ...     predictor="answering",
    ...     outcome="lasting growth",
    ... )
    >>> round(found.strength, 2), round(found.strength_at_limit, 2)
    (1.55, 1.27)
    """
    low, high = effect.interval()
    nearest = 0.0 if low <= 0 <= high else min(low, high, key=abs)
    step = unit.partition(" per ")[2]
    contrast = f"per {step} of {predictor}" if step else unit.removeprefix("ln ratio").strip()
    if unit.startswith("ln ratio"):
        ratio = math.exp(effect.estimate)
        strength, at_limit = e_value(ratio), e_value(math.exp(nearest))
        told = (
            f"To explain away the ratio of {ratio:.2f} {contrast}, an unmeasured confounder would "
            f"have to be associated with both {predictor} and {outcome} by a ratio of at least "
            f"{strength:.2f} each, beyond all that is adjusted for"
        )
        enough = f"{at_limit:.2f} each" if nearest else ""
        measure, scale = E_VALUE, "ratio"
    elif unit.startswith("ln"):
        if residual_df is None:
            raise DataError(f"residual_df must be given for a difference in {unit}.")
        t = effect.estimate / effect.std_error
        strength = robustness_value(t, residual_df)
        at_limit = robustness_value(t, residual_df, alpha=0.05) if nearest else 0.0
        told = (
            f"To explain away the effect {contrast}, an unmeasured confounder would have to "
            f"explain at least {100 * strength:.1f} % of what is left of both {predictor} and "
            f"{outcome} after all that is adjusted for"
        )
        enough = f"{100 * at_limit:.1f} %" if nearest else ""
        measure, scale = ROBUSTNESS_VALUE, "partial R^2 (share)"
    else:
        return None
    end = (
        f"; {enough} would bring its interval to no effect."
        if enough
        else "; its interval includes no effect as it is."
    )
    return Confounder(measure, strength, at_limit, scale, told + end)
