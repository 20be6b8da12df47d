"""Few accounts: the wild cluster bootstrap-t, null imposed, Webb's weights."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from scipy import stats

from smo_research.errors import FitError

WEBB = np.array([-np.sqrt(1.5), -1.0, -np.sqrt(0.5), np.sqrt(0.5), 1.0, np.sqrt(1.5)])
DRAWS = 9_999
QUICK_DRAWS = 999
FEW = 50


def seed_for(seed: int, *names: str) -> np.random.Generator:
    """Random numbers that depend on what is tested, not on what was tested before."""
    return np.random.default_rng([seed, *(zlib.crc32(name.encode()) for name in names)])


@dataclass(frozen=True, eq=False)
class WildBootstrap:
    """A least-squares coefficient whose p-values and interval come from the wild bootstrap.

    Stands in for `Effect` where accounts are few.

    Attributes
    ----------
    estimate, std_error
        Least squares, errors clustered (CRV1), per step.
    df
        Clusters less one.
    step
        What one unit of `estimate` is, in units of the regressor.
    """

    estimate: float
    std_error: float
    df: float
    step: float
    _numerator: tuple[np.ndarray, np.ndarray] = field(repr=False)
    _scores: tuple[np.ndarray, np.ndarray] = field(repr=False)
    _scale: float = field(repr=False)

    def _draws(self, null: float) -> np.ndarray:
        """T of every draw in a world where the effect is `null`."""
        at = null / self.step
        numerator = self._numerator[0] - at * self._numerator[1]
        scores = self._scores[0] - at * self._scores[1]
        spread = np.sqrt(self._scale * np.einsum("bg,bg->b", scores, scores))
        return numerator / spread

    def _t(self, null: float) -> float:
        return (self.estimate - null) / self.std_error

    def p_of(self, null: float) -> float:
        """Two-sided p of an effect equal to `null`."""
        t = abs(self._t(null)) * (1 - 1e-12)
        draws = self._draws(null)
        return float((1 + (np.abs(draws) >= t).sum()) / (1 + len(draws)))

    def _p_below(self, null: float) -> float:
        """One-sided p of an effect at or above `null`, against one below."""
        draws = self._draws(null)
        return float((1 + (draws <= self._t(null)).sum()) / (1 + len(draws)))

    def _p_above(self, null: float) -> float:
        draws = self._draws(null)
        return float((1 + (draws >= self._t(null)).sum()) / (1 + len(draws)))

    @property
    def p_difference(self) -> float:
        """Two-sided p of no effect."""
        return self.p_of(0.0)

    def p_equivalence(self, bound: float) -> float:
        """P of an effect at or beyond -bound or bound."""
        return max(self._p_below(bound), self._p_above(-bound))

    def p_minimal_effect(self, bound: float) -> float:
        """P of an effect inside the band, taken at its nearer edge."""
        far = self._p_above(bound) if self.estimate > 0 else self._p_below(-bound)
        return min(1.0, far)

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """All values that a two-sided test at 1 - level does not reject."""
        return self._interval if level == 0.95 else self._invert(level)

    @cached_property
    def _interval(self) -> tuple[float, float]:
        return self._invert(0.95)

    def _invert(self, level: float) -> tuple[float, float]:
        return self._edge(-1, 1 - level), self._edge(+1, 1 - level)

    def _edge(self, side: int, alpha: float) -> float:
        inside, reach = self.estimate, 2 * self.std_error
        outside = inside + side * reach
        for _ in range(20):
            if self.p_of(outside) < alpha:
                break
            inside, reach = outside, 2 * reach
            outside = inside + side * reach
        else:
            return side * np.inf
        for _ in range(40):
            middle = (inside + outside) / 2
            inside, outside = (inside, middle) if self.p_of(middle) < alpha else (middle, outside)
        return float((inside + outside) / 2)

    @property
    def detectable(self) -> float:
        """The smallest effect that a two-sided 5 % test finds in 80 % of samples like this."""
        return float((stats.t.ppf(0.975, self.df) + stats.t.ppf(0.8, self.df)) * self.std_error)


def wild_bootstrap(
    y: np.ndarray,
    x: np.ndarray,
    controls: np.ndarray,
    clusters: np.ndarray,
    *,
    rng: np.random.Generator,
    step: float = 1.0,
    nested: int = 0,
    draws: int = DRAWS,
) -> WildBootstrap:
    """Wild cluster bootstrap-t of the coefficient of x in least squares of y on x and controls.

    Residuals are those under the null; all draws share their weights, so that the p-value is a
    smooth function of the null and the interval is its inversion.

    Parameters
    ----------
    y, x
        n values.
    controls
        n by p, with a constant or effects as dummies; columns may repeat each other.
    clusters
        n labels.
    rng
        Random numbers.
    step
        The effect is stated for this step in x.
    nested
        How many of the controls' parameters are effects of the clusters themselves; like pyfixest,
        the error does not count them. No p depends on it.
    draws
        Number of bootstrap draws.

    Raises
    ------
    FitError
        When x repeats the controls, or there are fewer than 5 clusters.

    References
    ----------
    Cameron, Gelbach, Miller (2008), Bootstrap-based improvements for inference with clustered
    errors, Review of Economics and Statistics 90; Webb (2023), Reworking wild bootstrap-based
    inference for clustered errors, Canadian Journal of Economics 56.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> g = np.repeat(np.arange(20), 10)
    >>> x = rng.normal(size=200)
    >>> y = 0.5 * x + rng.normal(size=20)[g] + rng.normal(size=200)
    >>> effect = wild_bootstrap(y, x, np.ones((200, 1)), g, rng=rng)
    >>> effect.interval()[0] < 0.5 < effect.interval()[1]
    True
    """
    group, number = np.unique(clusters, return_inverse=True)
    if len(group) < 5:
        raise FitError(f"{len(group)} clusters; the wild bootstrap needs at least 5")
    basis, rank = _orthonormal(controls)
    y_rest, x_rest = (v - basis @ (basis.T @ v) for v in (y, x))
    power = x_rest @ x_rest
    if power < 1e-10 * max(x @ x, 1e-300):
        raise FitError("the predictor repeats the controls")
    slope = x_rest @ y_rest / power

    members = [np.flatnonzero(number == place) for place in range(len(group))]

    def by_cluster(left: np.ndarray, right: np.ndarray) -> np.ndarray:
        return np.array([left[rows].T @ right[rows] for rows in members])

    power_of = by_cluster(x_rest, x_rest)
    leverage = by_cluster(x_rest, basis)
    free = max(len(y) - (rank + 1 - nested), 1)
    size = len(group) / (len(group) - 1) * (len(y) - 1) / free
    error = np.sqrt(size * (by_cluster(x_rest, y_rest - slope * x_rest) ** 2).sum()) / power
    if not error > 0:
        raise FitError("the residuals leave no error to estimate")

    weights = WEBB[rng.integers(0, len(WEBB), size=(draws, len(group)))]
    numerators, scores = [], []
    for rest in (y_rest, x_rest):
        cross = by_cluster(x_rest, rest)
        linear = np.diag(cross) - leverage @ by_cluster(rest, basis).T
        linear -= np.outer(power_of / power, cross)
        numerators.append(weights @ cross)
        scores.append(weights @ linear.T)
    return WildBootstrap(
        estimate=float(slope * step),
        std_error=float(error * abs(step)),
        df=len(group) - 1,
        step=step,
        _numerator=(numerators[0], numerators[1]),
        _scores=(scores[0], scores[1]),
        _scale=size,
    )


def _orthonormal(controls: np.ndarray) -> tuple[np.ndarray, int]:
    """An orthonormal basis of the columns, and its rank."""
    scale = np.linalg.norm(controls, axis=0)
    columns = controls[:, scale > 0] / scale[scale > 0]
    # Tall and narrow: the small Gram matrix is far quicker than a decomposition of the columns.
    values, vectors = np.linalg.eigh(columns.T @ columns)
    kept = values > 1e-10 * values.max(initial=0)
    basis = columns @ (vectors[:, kept] / np.sqrt(values[kept]))
    # A second round removes what rounding left (Cholesky QR, twice).
    basis = np.linalg.solve(np.linalg.cholesky(basis.T @ basis), basis.T).T
    return basis, int(kept.sum())


def joint_p(
    y: np.ndarray,
    x: np.ndarray,
    controls: np.ndarray,
    clusters: np.ndarray,
    *,
    rng: np.random.Generator,
    draws: int = DRAWS,
) -> float:
    """P of no effect of all columns of x together, by the wild cluster bootstrap.

    Parameters
    ----------
    y
        n values.
    x
        n by k, k below the number of clusters.
    controls, clusters, rng, draws
        As in `wild_bootstrap`.

    Raises
    ------
    FitError
        When there are not more clusters than columns, or x repeats the controls.
    """
    group, number = np.unique(clusters, return_inverse=True)
    size, width = len(group), x.shape[1]
    if size <= width:
        raise FitError(f"{width} terms together need more than {size} clusters")
    basis, _ = _orthonormal(controls)
    y_rest = y - basis @ (basis.T @ y)
    x_rest = x - basis @ (basis.T @ x)
    if np.linalg.matrix_rank(x_rest) < width:
        raise FitError("the terms repeat each other or the controls")

    members = [np.flatnonzero(number == place) for place in range(size)]

    def by_cluster(left: np.ndarray, right: np.ndarray) -> np.ndarray:
        return np.array([left[rows].T @ right[rows] for rows in members])

    cross = by_cluster(x_rest, y_rest)
    power_of = by_cluster(x_rest, x_rest)
    power = np.linalg.inv(power_of.sum(axis=0))
    leverage = by_cluster(x_rest, basis)
    basis_of = by_cluster(y_rest, basis)
    # Scores of cluster h as a linear map of the weights: h by term by weight.
    linear = np.einsum("hk,hg->hkg", cross, np.eye(size))
    linear -= np.einsum("hkp,gp->hkg", leverage, basis_of)
    linear -= np.einsum("hkl,lm,gm->hkg", power_of, power, cross)

    def statistic(weights: np.ndarray) -> np.ndarray:
        total = weights @ cross
        scores = np.einsum("hkg,bg->bhk", linear, weights)
        spread = np.einsum("bhk,bhl->bkl", scores, scores)
        return np.einsum("bk,bk->b", total, np.linalg.solve(spread, total[:, :, None])[:, :, 0])

    weights = WEBB[rng.integers(0, len(WEBB), size=(draws, size))]
    observed = statistic(np.ones((1, size)))[0]
    parts = np.array_split(weights, max(1, draws * size * width // 2_000_000))
    drawn = np.concatenate([statistic(part) for part in parts])
    return float((1 + (drawn >= observed * (1 - 1e-12)).sum()) / (1 + draws))
