"""A fast Poisson regression with one absorbed effect, and what each cluster adds to a score."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from smo_research.errors import FitError
from smo_research.evidence.effects import Effect
from smo_research.evidence.groups import Groups

MOST_STEPS = 60
# Twice what a step promises to add to the ln likelihood.
CONVERGED = 1e-18
# Below this, steps with the last curvature are cheaper, as long as each promises far less.
NEAR, FAR_LESS = 1e-2, 0.1
REPEATED = 1e-9
SEPARATED = 1e-10
VANISHED = 1e-250
# Of errors clustered both ways: by one, by the other, less what both count.
SIGNS = (1, 1, -1)
REPEATS = "the term repeats the others, or the effect"


@dataclass(frozen=True, eq=False)
class Absorbed:
    """A fitted Poisson regression whose group effect was absorbed.

    Attributes
    ----------
    coefficients
        p values, on the scale of ln rates; missing for a column that was left out.
    means
        n fitted means.
    kept
        Which of the p columns are in the model: those that do not repeat earlier ones.
    """

    coefficients: np.ndarray
    means: np.ndarray
    kept: np.ndarray
    _y: np.ndarray = field(repr=False)
    _x: np.ndarray = field(repr=False)
    _groups: Groups = field(repr=False)
    _offset: np.ndarray | None = field(repr=False)
    _information: np.ndarray = field(repr=False)

    @cached_property
    def _bread(self) -> np.ndarray:
        return np.linalg.inv(self._information)

    @cached_property
    def residuals(self) -> np.ndarray:
        """Outcomes less fitted means, n values."""
        return self._y - self.means

    @cached_property
    def design(self) -> np.ndarray:
        """The n by p columns in the model, less their means by group, weighted by fitted means."""
        return np.column_stack([self._demeaned(column) for column in self._x.T])

    @cached_property
    def _weights(self) -> np.ndarray:
        """Sum of the fitted means by group."""
        return self._groups.sums(self.means)

    def _demeaned(self, values: np.ndarray) -> np.ndarray:
        return (
            values - (self._groups.sums(self.means * values) / self._weights)[self._groups.labels]
        )

    def _place(self, column: int) -> int:
        column = range(len(self.kept))[column]
        if not self.kept[column]:
            raise FitError(REPEATS)
        return int(self.kept[:column].sum())

    def influence(self, column: int) -> np.ndarray:
        """How far a unit of each residual moves a coefficient, n values."""
        return self._demeaned(self._x @ self._bread[:, self._place(column)])

    def covariance(self, *clusters: np.ndarray) -> np.ndarray:
        """Clustered covariance (CRV1) of the columns in the model.

        Parameters
        ----------
        clusters
            n whole numbers from 0; two of them for errors clustered both ways.

        Returns
        -------
        numpy.ndarray
            p by p. The factor is pyfixest's, G / (G - 1) x (n - 1) / (n - k), G the smallest
            number of clusters; k counts the groups unless each lies within one cluster.
        """
        by = [Groups(labels) for labels in clusters]
        sums = [one.sums(self.design @ self._bread * self.residuals[:, None]) for one in _ways(by)]
        meat = sum(sign * one.T @ one for sign, one in zip(SIGNS, sums, strict=False))
        return np.asarray(meat) * self._factor(by)

    def effect(self, column: int, *clusters: np.ndarray, step: float = 1.0) -> Effect:
        """Effect of a step in a column, with its clustered error.

        Raises
        ------
        FitError
            When the column was left out, or the residuals leave no error to estimate.
        """
        by = [Groups(labels) for labels in clusters]
        moved = self.influence(column) * self.residuals
        squares = [(one.sums(moved) ** 2).sum() for one in _ways(by)]
        power = sum(sign * one for sign, one in zip(SIGNS, squares, strict=False))
        if not power > 0:
            raise FitError("the residuals leave no error to estimate")
        error = abs(step) * float(np.sqrt(power * self._factor(by)))
        df = min(one.count for one in by) - 1
        return Effect(float(self.coefficients[column] * step), error, df)

    def _factor(self, clusters: list[Groups]) -> float:
        size, n = min(one.count for one in clusters), len(self._y)
        nested = any(self._groups.within(one) for one in clusters)
        k = self._x.shape[1] + (1 if nested else self._groups.count)
        return size / (size - 1) * (n - 1) / (n - k)

    def without_each(self, column: int, clusters: np.ndarray) -> np.ndarray:
        """About what a coefficient would be without each cluster, one value a cluster.

        One Newton step from the fit to all rows, the other columns' part in it held; close where
        a cluster holds little of what tells the coefficient.
        """
        place = self._place(column)
        influence = self.influence(column)
        moved = np.bincount(clusters, influence * self.residuals)
        own = np.bincount(clusters, self.means * influence**2) / self._bread[place, place]
        return self.coefficients[column] - moved / np.maximum(1 - own, REPEATED)

    def partial(self, values: np.ndarray) -> np.ndarray:
        """A new column, freed of the model's columns and effect with its weights, n values.

        Raises
        ------
        FitError
            When nothing is left of it.
        """
        rest = self._demeaned(values)
        rest = self._demeaned(rest - self._x @ (self._bread @ (self._x.T @ (self.means * rest))))
        spread = self.means @ (values - self.means @ values / self.means.sum()) ** 2
        if not self.means @ rest**2 > REPEATED * spread:
            raise FitError(REPEATS)
        return rest

    def with_column(self, values: np.ndarray) -> Absorbed:
        """Fit the model with one more column, starting from this one.

        Raises
        ------
        FitError
            When the column repeats the others, or as in `absorbed_poisson`.
        """
        self.partial(values)
        n, p = self._x.shape
        x = np.empty((n, p + 1), order="F")
        x[:, :p], x[:, p] = self._x, values - values.mean()
        information = np.empty((p + 1, p + 1))
        information[:p, :p] = self._information
        rest = self.means * self._demeaned(x[:, p])
        information[p, :] = information[:, p] = x.T @ rest
        start = np.append(self.coefficients[self.kept], 0.0)
        kept = np.append(self.kept, True)
        return _settle(self._y, x, kept, self._groups, self._offset, start, information)

    def account_scores(self, column: int, clusters: np.ndarray) -> np.ndarray:
        """What each cluster adds to the effective score of a column under its null.

        The model without the column is fitted; with its weights the column is freed of the other
        columns and of the effect; the sums of that times the residuals, by cluster, are the
        contributions. Where the null holds, flipping the sign of any of them changes nothing.

        Returns
        -------
        numpy.ndarray
            One value a cluster, by its number.

        Raises
        ------
        FitError
            When the column was left out.

        References
        ----------
        Hemerik, Goeman, Finos (2020), Robust testing in generalized linear models by sign
        flipping score contributions, Journal of the Royal Statistical Society B 82, 841-864.

        Examples
        --------
        >>> y, x = np.array([1, 2, 3, 2, 6, 2, 1]), np.array([[0, 0, 0, 0, 1, 1, 1]]).T
        >>> fit = absorbed_poisson(y, x, np.zeros(7, int))
        >>> fit.account_scores(0, np.arange(7)).sum().round(4)  # 9 - 3 x 17 / 7
        np.float64(1.7143)
        """
        place = self._place(column)
        others = np.delete(self._x, place, axis=1)
        start = np.delete(self.coefficients[self.kept], place)
        labels = self._groups.labels
        null = absorbed_poisson(self._y, others, labels, offset=self._offset, start=start)
        return np.bincount(clusters, null.partial(self._x[:, place]) * null.residuals)


def absorbed_poisson(
    y: np.ndarray,
    x: np.ndarray,
    groups: np.ndarray,
    *,
    offset: np.ndarray | None = None,
    start: np.ndarray | None = None,
) -> Absorbed:
    """Fit a Poisson regression with one group effect, by Newton's method on the others.

    Given the other coefficients the effect of a group is known: it makes the group's means sum
    to its outcomes. What is left has as many unknowns as there are columns.

    Parameters
    ----------
    y
        n counts.
    x
        n by p, no constant. A column that repeats earlier ones is left out, so the term in
        question goes last. Columns in Fortran order are read fastest.
    groups
        n whole numbers from 0.
    offset
        n values, added to the ln rate.
    start
        p coefficients to start from; those of a neighbouring model save steps.

    Raises
    ------
    FitError
        When a group's outcomes are all 0, when columns fit rows perfectly with 0 (separation),
        or when the steps do not settle.

    Examples
    --------
    >>> y, x = np.array([1, 2, 10, 20]), np.array([[0.0], [1.0], [0.0], [1.0]])
    >>> np.exp(absorbed_poisson(y, x, np.array([0, 0, 1, 1])).coefficients).round(6)
    array([2.])
    """
    y, by = np.asarray(y, dtype=float), Groups(groups)
    if (by.sums(y)[groups] == 0).any():
        raise FitError("a group's outcomes are all 0; leave it out")
    x = x - x.mean(axis=0)
    beta = np.zeros(x.shape[1]) if start is None else np.array(start, dtype=float)
    means, height = _means(x @ beta, offset, y, by)
    if not np.isfinite(height):
        beta = np.zeros(x.shape[1])
        means, height = _means(x @ beta, offset, y, by)
    information = _information(x, means, by)
    kept = _independent(information, means @ x**2)
    if not kept.all():
        x, beta, information = x[:, kept], beta[kept], information[np.ix_(kept, kept)]
    return _settle(y, x, kept, by, offset, beta, information)


def _settle(
    y: np.ndarray,
    x: np.ndarray,
    kept: np.ndarray,
    groups: Groups,
    offset: np.ndarray | None,
    beta: np.ndarray,
    information: np.ndarray,
) -> Absorbed:
    """Take Newton's steps from coefficients and the information there."""
    means, height = _means(x @ beta, offset, y, groups)
    before = np.inf
    for _ in range(MOST_STEPS):
        slope = x.T @ (y - means)
        try:
            step = np.linalg.solve(information, slope)
        except np.linalg.LinAlgError:
            _refuse_separated(means, y)
            raise FitError("the fit does not settle: its information is singular") from None
        promised = slope @ step
        if not np.isfinite(promised):
            raise FitError("the fit does not settle: its information is singular")
        means, reached = _means(x @ (beta + step), offset, y, groups)
        while not reached >= height - 1e-9 * abs(height):
            step = step / 2
            means, reached = _means(x @ (beta + step), offset, y, groups)
        beta, height = beta + step, reached
        if promised < CONVERGED:
            break
        if promised > min(NEAR, FAR_LESS * before):
            information = _information(x, means, groups)
        before = promised
    else:
        raise FitError(f"the fit does not settle in {MOST_STEPS} steps")
    _refuse_separated(means, y)
    coefficients = np.full(len(kept), np.nan)
    coefficients[kept] = beta
    information = _information(x, means, groups)
    return Absorbed(coefficients, means, kept, y, x, groups, offset, information)


def _refuse_separated(means: np.ndarray, y: np.ndarray) -> None:
    if means[y == 0].min(initial=np.inf) < SEPARATED * y.mean():
        raise FitError("the columns fit some rows perfectly with 0 (separation)")


def _means(
    ln_rate: np.ndarray, offset: np.ndarray | None, y: np.ndarray, groups: Groups
) -> tuple[np.ndarray, float]:
    """Means with the effect that suits them; ln likelihood, -inf where a group's rates vanish."""
    ln_rate = ln_rate if offset is None else ln_rate + offset
    ln_rate = ln_rate - ln_rate.max()
    rate = np.exp(ln_rate)
    total = groups.sums(y)
    sums = np.where(total > 0, groups.sums(rate), 1.0)
    if not (sums > VANISHED).all():
        return rate, -np.inf
    return rate * (total / sums)[groups.labels], float(y @ ln_rate - total @ np.log(sums))


def _information(x: np.ndarray, means: np.ndarray, groups: Groups) -> np.ndarray:
    weighted = x * means[:, None]
    total = groups.sums(means)
    there = total > 0
    sums = groups.sums(weighted)[there]
    return x.T @ weighted - sums.T @ (sums / total[there, None])


def _independent(information: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Find the columns not made of earlier ones: Cholesky's method, passing over the others."""
    scale = 1 / np.sqrt(np.where(spread > 0, spread, 1.0))
    left = information * scale[:, None] * scale
    kept = np.zeros(len(left), dtype=bool)
    for place in range(len(left)):
        if left[place, place] > REPEATED:
            kept[place] = True
            left = left - np.outer(left[:, place], left[place]) / left[place, place]
    return kept


def _ways(clusters: list[Groups]) -> list[Groups]:
    """Clusters in the order of `SIGNS`."""
    return clusters if len(clusters) == 1 else [*clusters, clusters[0].crossed(clusters[1])]
