"""The negative binomial beside the Poisson: does allowing for overdispersion say the same?"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy import optimize, special

from smo_research.errors import FitError
from smo_research.evidence.effects import Effect
from smo_research.evidence.models import Fit, poisson

ROUNDS = 200
SETTLED = 1e-10
SMALLEST, LARGEST = 1e-6, 1e6
NOT_OVERDISPERSED = "no overdispersion: the negative binomial is the Poisson"


@dataclass(frozen=True, eq=False)
class NegativeBinomialFit:
    """A fitted negative binomial: coefficients and errors by term, on the scale of ln rates.

    Attributes
    ----------
    dispersion
        alpha of the variance mu + alpha mu^2; R's `theta` is 1 / alpha.
    means
        Fitted means of the rows used, in their order.
    log_likelihood
        At the maximum.
    """

    formula: str
    coefficients: pd.Series
    std_errors: pd.Series
    df: float
    n_obs: int
    n_accounts: int
    dispersion: float
    log_likelihood: float
    means: np.ndarray = field(repr=False)

    def effect(self, term: str, step: float = 1.0) -> Effect:
        """Effect of a step in one term."""
        return Effect(
            float(self.coefficients[term]) * step,
            float(self.std_errors[term]) * abs(step),
            self.df,
        )


def negative_binomial(
    rows: pd.DataFrame,
    outcome: str,
    terms: list[str],
    *,
    effect: str,
    cluster: str = "account_id",
    start: Fit | None = None,
) -> NegativeBinomialFit:
    """Fit a negative binomial regression (NB2) with a group effect, errors clustered.

    ln mu = terms + effect, variance mu + alpha mu^2, all by maximum likelihood: iteratively
    reweighted least squares for the coefficients, with weights mu / (1 + alpha mu) and the effect
    absorbed by weighted means, in turn with a search in one dimension for alpha.

    Parameters
    ----------
    rows
        One row an observation, complete in the terms.
    outcome
        A count.
    terms
        Right-hand side, in the formula language (Wilkinson), the one in question first.
    effect
        The column that gets an effect each level.
    cluster
        Errors are clustered by it.
    start
        The Poisson fit of the same model, where it is at hand: its rows, terms and means.

    Returns
    -------
    NegativeBinomialFit
        Errors are CRV1 with alpha held, as R's `vcovCL(type = "HC1", cadjust = TRUE)` of a
        `glm.nb`; degrees of freedom the clusters less one.

    Raises
    ------
    FitError
        When the Poisson of the same model has no finite solution, saying why; when there is no
        overdispersion; or when the fit does not settle.

    References
    ----------
    Lawless (1987), Negative binomial and mixed Poisson regression, Canadian Journal of
    Statistics 15, 209-225; Venables, Ripley (2002), Modern Applied Statistics with S, section 7.4
    (`glm.nb`).

    Examples
    --------
    >>> flag = np.tile([0.0, 1.0], 4)
    >>> rows = pd.DataFrame({"x": flag, "y": [0, 0, 9, 30, 1, 2, 2, 0], "period": 0})
    >>> fit = negative_binomial(rows.assign(account_id=range(8)), "y", ["x"], effect="period")
    >>> round(fit.coefficients["x"], 4), round(np.log(32 / 12), 4)
    (np.float64(0.9808), np.float64(0.9808))
    """
    start = start or poisson(rows, outcome, terms, effects=[effect], cluster=cluster)
    used = start.rows.sort_values(effect, kind="stable")
    y = used[outcome].to_numpy(float)
    groups = _Groups(pd.factorize(used[effect])[0])
    design = _design(used, terms)[list(start.coefficients.index)].to_numpy(float)
    means = pd.Series(start.means, start.rows.index)[used.index].to_numpy()
    counts = _Counts(y)
    alpha, beta = 0.0, np.zeros(design.shape[1])
    for _ in range(ROUNDS):
        last = beta, np.log(alpha) if alpha else np.inf
        alpha = counts.best_dispersion(means)
        weights = means / (1 + alpha * means)
        working = np.log(means) + (y - means) / means
        x, z = groups.demeaned(design, weights), groups.demeaned(working, weights)
        information = x.T @ (weights[:, None] * x)
        beta = np.linalg.solve(information, x.T @ (weights * z))
        means = np.exp(working - z + x @ beta)
        if not np.isfinite(means).all():
            break
        if max(np.abs(beta - last[0]).max(), abs(np.log(alpha) - last[1])) < SETTLED:
            break
    else:
        raise FitError(f"{start.formula}: the negative binomial does not settle in {ROUNDS} rounds")
    if not (np.isfinite(means).all() and (means > 0).all()):
        raise FitError(f"{start.formula}: the negative binomial has no finite solution")
    scores = x * ((y - means) / (1 + alpha * means))[:, None]
    covariance = _clustered(scores, information, used[cluster], design.shape[1] + groups.number)
    names = start.coefficients.index
    unsorted = pd.Series(means, used.index)[start.rows.index].to_numpy()
    return NegativeBinomialFit(
        formula=f"{start.formula}, negative binomial",
        coefficients=pd.Series(beta, names),
        std_errors=pd.Series(np.sqrt(np.diag(covariance)), names),
        df=start.df,
        n_obs=start.n_obs,
        n_accounts=start.n_accounts,
        dispersion=float(alpha),
        log_likelihood=counts.log_likelihood(alpha, means),
        means=unsorted,
    )


def _design(rows: pd.DataFrame, terms: list[str]) -> pd.DataFrame:
    import formulaic

    # All classes get a column: that of reference may have left with the rows it fitted with 0.
    matrix = formulaic.model_matrix(f"0 + {' + '.join(reversed(terms))}", rows)
    return matrix.rename(columns=lambda name: name.replace("[", "[T."))


class _Groups:
    """Rows that come group by group."""

    def __init__(self, group: np.ndarray) -> None:
        self.starts = np.flatnonzero(np.diff(group, prepend=-1))
        self.sizes = np.diff(self.starts, append=len(group))
        self.number = len(self.starts)

    def demeaned(self, values: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Values less the weighted mean of their group."""
        weighted = (values.T * weights).T
        sums = np.add.reduceat(weighted, self.starts, axis=0)
        means = (sums.T / np.add.reduceat(weights, self.starts)).T
        return values - np.repeat(means, self.sizes, axis=0)


class _Counts:
    """The part of the likelihood that the dispersion enters, for outcomes y.

    ln L = sum over i of [ sum over j < y_i of ln(1 + alpha j) ] + y_i ln mu_i
    - (y_i + 1 / alpha) ln(1 + alpha mu_i) - ln y_i!
    """

    def __init__(self, y: np.ndarray) -> None:
        self.y = y
        self.steps = np.arange(int(y.max()), dtype=float)
        self.above = len(y) - np.cumsum(np.bincount(y.astype(int)))[:-1]

    def log_likelihood(self, alpha: float, means: np.ndarray) -> float:
        rising = self.above @ np.log1p(alpha * self.steps)
        falling = (self.y + 1 / alpha) * np.log1p(alpha * means)
        rest = self.y * np.log(means) - falling - special.gammaln(self.y + 1)
        return float(rising + rest.sum())

    def slope(self, log_alpha: float, means: np.ndarray) -> float:
        """Of the ln likelihood in ln alpha."""
        alpha = np.exp(log_alpha)
        rising = self.above @ (alpha * self.steps / (1 + alpha * self.steps))
        falling = (1 + alpha * self.y) * means / (1 + alpha * means)
        return float(rising + (np.log1p(alpha * means) / alpha - falling).sum())

    def best_dispersion(self, means: np.ndarray) -> float:
        """The dispersion of the highest likelihood at these means."""
        low, high = np.log(SMALLEST), np.log(LARGEST)
        if self.slope(low, means) <= 0:
            raise FitError(NOT_OVERDISPERSED)
        if self.slope(high, means) >= 0:
            raise FitError("the dispersion of the negative binomial has no finite solution")
        return float(np.exp(optimize.brentq(self.slope, low, high, args=(means,), xtol=1e-12)))


def _clustered(
    scores: np.ndarray, information: np.ndarray, clusters: pd.Series, parameters: int
) -> np.ndarray:
    """CRV1 with the factor G / (G - 1) times (n - 1) / (n - k)."""
    sums = pd.DataFrame(scores).groupby(clusters.to_numpy()).sum().to_numpy()
    bread = np.linalg.inv(information)
    n, number = len(scores), len(sums)
    factor = number / (number - 1) * (n - 1) / (n - parameters)
    return factor * bread @ (sums.T @ sums) @ bread
