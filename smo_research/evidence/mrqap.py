"""Regression on dyads: MRQAP, whose p-values come from permuting accounts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from numbers import Integral

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.linalg import qr, solve_triangular

from smo_research.errors import DataError, FitError
from smo_research.evidence.few import seed_for
from smo_research.evidence.result import Result, evidence_row

INTERCEPT = "intercept"
LEVEL = 0.05
# Dyads a step: what a step gathers should stay in the processor's cache.
DYADS_PER_STEP = 2**17
# A predictor of which the others leave less than this share (of its length) repeats them.
REPEATS = 1e-7
# Permuted t this near to the observed one are ties, apart by rounding only.
TIE = 1e-9


@dataclass(frozen=True, eq=False)
class LeastSquares:
    """Least squares over the m ordered pairs of n accounts; the diagonal is 0 throughout.

    Attributes
    ----------
    basis
        k by n*n, rows orthonormal: of the constant (first) and the k - 1 predictors.
    residual
        n*n, of y.
    directions
        k by k, in coordinates of the basis: row i is the part of term i that is orthogonal to
        all others, at length 1.
    lengths
        k, of these parts before.
    along
        k, y along the directions.
    df
        m - k.
    """

    basis: np.ndarray
    residual: np.ndarray
    directions: np.ndarray
    lengths: np.ndarray
    along: np.ndarray
    df: int

    @property
    def estimates(self) -> np.ndarray:
        """Coefficients, the intercept first."""
        return self.along / self.lengths

    @property
    def std_errors(self) -> np.ndarray:
        """Classical errors, which take dyads to be independent of each other."""
        return np.sqrt(self.residual @ self.residual / self.df) / self.lengths


def mrqap(
    y: ArrayLike,
    x: Mapping[str, ArrayLike],
    *,
    n_permutations: int = 1000,
    seed: int,
    dataset: str = "matrices as given",
    hypothesis: str = "MRQAP",
) -> Result:
    """Regress what happens between accounts on what was between them, dyad by dyad.

    Least squares over the ordered pairs of accounts. Dyads that share an account are not
    independent, so p comes from permutations with double semi-partialling: each term's residual
    on the other terms is permuted, rows and columns together, y is regressed on it and the
    others, and p = (1 + number of permutations with |t| as large) / (1 + n_permutations). So p
    is never 0; sna::netlm(nullhyp = "qapspp") in R leaves out both ones.

    Parameters
    ----------
    y
        n by n: entry (i, j) is what account i did toward j. The diagonal is ignored.
    x
        Name to n by n predictor, in the same order of accounts.
    n_permutations
        Of the accounts, the same ones for every term.
    seed
        Of the permutations.
    dataset, hypothesis
        For the table.

    Returns
    -------
    Result
        One row a term, the intercept first. estimate: units of y per unit of the predictor.
        std_error is the classical one, so that estimate / std_error is the statistic whose
        permutations give p; alone it is too small where accounts differ. The 95 % interval is
        the estimate ± std_error times the value that 5 % of the permuted |t| reach: it leaves out
        0 where p is at most 0.05, is without end under 19 permutations, and away from 0 assumes
        that t spreads as it does without an effect.

    Raises
    ------
    DataError
        When a matrix is not square, not of y's size, or has a missing or infinite entry off the
        diagonal; when there are fewer accounts than 3 + the predictors; when there is no
        predictor, or one is called intercept; when n_permutations is no whole number from 1.
    FitError
        When y or a predictor is constant, a predictor repeats others, or the fit is perfect.

    Notes
    -----
    A permuted residual stays in the span of the permuted basis. So each permutation costs one
    gather and k (k - 1) inner products, from which t of all k terms follow (Frisch-Waugh).

    References
    ----------
    Dekker, Krackhardt, Snijders (2007), Sensitivity of MRQAP tests to collinearity and
    autocorrelation conditions, Psychometrika 72, 563-581.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> wrote = rng.poisson(1, size=(20, 20))
    >>> answered = 0.5 * wrote + rng.normal(size=(20, 20))
    >>> result = mrqap(answered, {"wrote": wrote}, n_permutations=199, seed=1)
    >>> result.table[["term", "n_obs", "p_value"]].values.tolist()[1]
    ['wrote', 380, 0.005]
    """
    if (
        isinstance(n_permutations, bool)
        or not isinstance(n_permutations, Integral)
        or n_permutations < 1
    ):
        raise DataError(f"n_permutations must be a whole number from 1, but is {n_permutations!r}.")
    if not x or INTERCEPT in x:
        raise DataError(
            f"x must hold at least one predictor, and none named '{INTERCEPT}'; "
            f"it holds {', '.join(map(repr, x)) or 'none'}."
        )
    outcome = _matrix("y", y)
    n = len(outcome)
    if n < 3 + len(x):
        raise DataError(
            f"y must have at least {3 + len(x)} accounts for {len(x)} predictors (3 more), but "
            f"has {n}."
        )
    fit = _fit(outcome, x)
    t = fit.estimates / fit.std_errors
    permuted = np.concatenate([*_permuted_t(fit, n, n_permutations, seed_for(seed, "mrqap"))])
    p_values = (1 + (permuted >= np.abs(t) * (1 - TIE)).sum(axis=0)) / (1 + n_permutations)
    reach = _critical(permuted) * fit.std_errors
    rows = [
        evidence_row(
            hypothesis=hypothesis,
            dataset=dataset,
            model="mrqap",
            block="network",
            term=term,
            estimate=estimate,
            std_error=error,
            ci_low=estimate - margin,
            ci_high=estimate + margin,
            p_value=p,
            unit="y" if term == INTERCEPT else f"y per unit of {term}",
            n_obs=n * (n - 1),
            n_accounts=n,
        )
        for term, estimate, error, margin, p in zip(
            [INTERCEPT, *x], fit.estimates, fit.std_errors, reach, p_values, strict=True
        )
    ]
    return Result(
        hypothesis,
        dataset,
        pd.DataFrame(rows),
        null_hypothesis="which account is which says nothing of y, once the other terms are known",
        formula=(
            f"y ~ {' + '.join(x)}, least squares over ordered pairs; p from {n_permutations:,} "
            "permutations, double semi-partialling"
        ),
        seed=seed,
    )


def _matrix(name: str, given: ArrayLike, n: int | None = None) -> np.ndarray:
    """Take a square matrix as floats of our own, with 0 on the diagonal."""
    try:
        values = np.array(given, dtype=float)
    except (TypeError, ValueError):
        raise DataError(f"{name} must be a matrix of numbers.") from None
    if values.ndim != 2 or values.shape[0] != values.shape[1] or (n or len(values)) != len(values):
        wanted = "square" if n is None else f"{n} by {n}, as y is"
        shape = " by ".join(map(str, values.shape)) or "one number"
        raise DataError(f"{name} must be {wanted}, but is {shape}.")
    np.fill_diagonal(values, 0)
    bad = ~np.isfinite(values)
    if bad.any():
        row, column = np.argwhere(bad)[0]
        raise DataError(
            f"{name} is missing or infinite in {bad.sum()} entries off the diagonal, the first in "
            f"row {row}, column {column} (from 0); give numbers, or leave these accounts out."
        )
    return values


def _fit(outcome: np.ndarray, x: Mapping[str, ArrayLike]) -> LeastSquares:
    n = len(outcome)
    apart = ~np.eye(n, dtype=bool)
    matrices = np.empty((1 + len(x), n, n))
    matrices[0] = apart
    for place, (name, given) in enumerate(x.items(), 1):
        matrices[place] = _matrix(f"x['{name}']", given, n)
    for name, values in [("y", outcome), *zip(x, matrices[1:], strict=True)]:
        if np.ptp(values[apart]) == 0:
            raise FitError(f"{name} is the same for every pair of accounts")
    terms = matrices.reshape(-1, n * n)
    scale = np.linalg.norm(terms, axis=1)
    terms /= scale[:, None]
    # In place: a copy of all dyads and terms would be most of the memory.
    columns, triangle = qr(terms.T, mode="economic", overwrite_a=True, check_finite=False)
    basis = columns.T
    left = np.abs(np.diag(triangle))
    if left.min() < REPEATS:
        name = [INTERCEPT, *x][int(np.flatnonzero(left < REPEATS)[0])]
        raise FitError(f"{name} repeats the intercept or the predictors before it")
    y = outcome.ravel()
    scores = basis @ y
    residual = y - scores @ basis
    if residual @ residual <= 1e-24 * (y @ y):
        raise FitError("the predictors give y without any error")
    inverse = solve_triangular(triangle, np.eye(len(scale)))
    lengths = 1 / np.linalg.norm(inverse, axis=1)
    directions = inverse * lengths[:, None]
    return LeastSquares(
        basis=basis,
        residual=residual,
        directions=directions,
        lengths=lengths * scale,
        along=directions @ scores,
        df=n * (n - 1) - len(scale),
    )


def _permuted_t(
    fit: LeastSquares, n: int, n_permutations: int, rng: np.random.Generator
) -> Iterator[np.ndarray]:
    """Give |t| of each term (columns) in each permutation (rows), some permutations at a time."""
    k = len(fit.along)
    step = max(1, DYADS_PER_STEP // n**2)
    for begin in range(0, n_permutations, step):
        count = min(step, n_permutations - begin)
        order = rng.permuted(np.tile(np.arange(n), (count, 1)), axis=1)
        overlap, missed = _products(fit.basis[1:], fit.residual, order)
        # The constant is its own permutation, and orthogonal to all else.
        whole = np.zeros((count, k, k))
        whole[:, 0, 0] = 1
        whole[:, 1:, 1:] = overlap
        yield _absolute_t(fit, whole, np.pad(missed, ((0, 0), (1, 0))))


def _products(
    slopes: np.ndarray, residual: np.ndarray, order: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Multiply the permuted slopes (p by n*n) with the slopes and with the residual.

    Returns (b, p, p) and (b, p) for the b permutations in the rows of `order`.
    """
    p, (count, n) = len(slopes), order.shape
    overlap, missed = np.zeros((p * count, p)), np.zeros(p * count)
    rows = max(1, DYADS_PER_STEP // (count * n))
    for begin in range(0, n, rows):
        places = order[:, begin : begin + rows, None] * n + order[:, None, :]
        permuted = slopes.take(places.reshape(count, -1), axis=1).reshape(p * count, -1)
        here = slice(begin * n, (begin + rows) * n)
        overlap += permuted @ slopes[:, here].T
        missed += permuted @ residual[here]
    return overlap.reshape(p, count, p).swapaxes(0, 1), missed.reshape(p, count).T


def _absolute_t(fit: LeastSquares, overlap: np.ndarray, missed: np.ndarray) -> np.ndarray:
    """|t| of each term's permuted direction beside the other terms.

    `overlap` (b, k, k) holds the products of the permuted basis with the basis, `missed` (b, k)
    those with the residual of y. Where a permuted direction repeats the others, |t| is infinite:
    such a permutation counts against the term.
    """
    seen = fit.directions @ overlap
    own = np.einsum("bik,ik->bi", seen, fit.directions)
    free = 1 - np.einsum("bik,bik->bi", seen, seen) + own**2
    aligned = missed @ fit.directions.T + own * fit.along
    total = fit.residual @ fit.residual + fit.along**2
    with np.errstate(divide="ignore", invalid="ignore"):
        explained = aligned**2 / free
        t = np.sqrt(explained * fit.df / np.maximum(total - explained, 0))
    return np.where(free > REPEATS**2, t, np.inf)


def _critical(permuted: np.ndarray) -> np.ndarray:
    """The |t| above which p is at most the level; infinite where none would be."""
    allowed = int(LEVEL * (1 + len(permuted)) * (1 + 1e-12)) - 1
    if allowed < 0:
        return np.full(permuted.shape[1], np.inf)
    return np.partition(permuted, len(permuted) - 1 - allowed, axis=0)[len(permuted) - 1 - allowed]
