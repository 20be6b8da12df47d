"""The one estimator: Poisson regression with effects, clustered errors, t(clusters - 1)."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from smo_research.errors import FitError
from smo_research.evidence.effects import Effect

ROUNDS = 100


@dataclass(frozen=True, eq=False)
class Fit:
    """A fitted model: coefficients and errors by term, on the scale of ln rates."""

    formula: str
    coefficients: pd.Series
    std_errors: pd.Series
    df: float
    n_obs: int
    n_accounts: int
    model: Any = field(repr=False)

    @property
    def rows(self) -> pd.DataFrame:
        """The rows that were used; those the model fits perfectly with 0 are not among them."""
        return self.model._data

    @property
    def means(self) -> np.ndarray:
        """Fitted means of the rows used."""
        return np.asarray(self.model.predict(type="response"), dtype=float)

    @property
    def covariance(self) -> pd.DataFrame:
        """Clustered covariance of the coefficients."""
        names = list(self.coefficients.index)
        return pd.DataFrame(self.model._vcov, index=names, columns=names)

    def predict(self, rows: pd.DataFrame) -> np.ndarray:
        """Means of other rows; missing where an effect was not estimated."""
        return np.asarray(self.model.predict(newdata=rows, type="response"), dtype=float)

    def effect(self, term: str, step: float = 1.0) -> Effect:
        """Effect of a step in one term."""
        return Effect(
            float(self.coefficients[term]) * step,
            float(self.std_errors[term]) * abs(step),
            self.df,
        )


def poisson(
    rows: pd.DataFrame,
    outcome: str,
    terms: list[str],
    *,
    effects: list[str],
    cluster: str | list[str] = "account_id",
    exposure: str | None = None,
) -> Fit:
    """Fit a Poisson regression with group effects and errors clustered by account.

    Parameters
    ----------
    rows
        One row an observation, complete in the terms.
    outcome
        A count, or 0 and 1.
    terms
        Right-hand side, in the formula language (Wilkinson), the one in question first.
    effects
        Columns that get an effect each level.
    cluster
        One column, or two for two-way clustered errors.
    exposure
        A positive column; the rate per unit of it is modelled.

    Returns
    -------
    Fit
        Errors are CRV1 (equal to R's `vcovCL(type = "HC1", cadjust = TRUE)`), degrees of freedom
        the smallest number of clusters less one.

    Raises
    ------
    FitError
        When the model has no finite solution in these rows, saying why: the outcome never
        varies, there are fewer than two clusters, or the first term repeats others or is
        separated (no row above 0 is left to compare once rows that the model fits perfectly
        with 0 are dropped; Correia, Guimarães, Zylkin 2019, arXiv:1903.01633). Or when the
        search for such rows, or the fit, did not end.
    """
    import pyfixest
    from pyfixest.demeaners import MapDemeaner

    clusters = [cluster] if isinstance(cluster, str) else cluster
    if rows.empty or rows[outcome].sum() == 0:
        raise FitError(f"{outcome} is 0 in all {len(rows)} rows")
    if rows[outcome].nunique() == 1:
        raise FitError(f"{outcome} is the same in all {len(rows)} rows")
    for name in clusters:
        if rows[name].nunique() < 2:
            raise FitError(f"{name} is the same in all {len(rows)} rows; errors need two clusters")
    by = " + ".join(effects)
    shown = f"{outcome} ~ {' + '.join(terms)} | {by}" + (
        f", exposure {exposure}" if exposure else ""
    )
    # Of terms that repeat each other the last is dropped, so the one in question goes last.
    formula = f"{outcome} ~ {' + '.join(reversed(terms))} | {by}"
    data, options = rows, {}
    if exposure:
        data = rows.assign(log_exposure=np.log(rows[exposure].astype(float)))
        options = {"offset": "log_exposure"}
    try:
        with warnings.catch_warnings(record=True) as said:
            # Its search for separation divides by errors of 0 where an auxiliary fit is perfect.
            warnings.simplefilter("ignore")
            warnings.simplefilter("always", UserWarning)
            fit = pyfixest.fepois(
                formula,
                data,
                vcov={"CRV1": " + ".join(clusters)},
                separation_check=["fe", "ir"],
                iwls_maxiter=ROUNDS,
                # So close that the order of the effects, which differs by run, does not show.
                iwls_tol=1e-12,
                demeaner=MapDemeaner(fixef_tol=1e-13),
                **options,
            )
    except (RuntimeError, ValueError, ZeroDivisionError, np.linalg.LinAlgError) as error:
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise FitError(f"{shown} has no finite solution: {first}") from None
    if any("maximum number of iterations" in str(one.message) for one in said):
        raise FitError(f"{shown}: the search for rows that the model fits perfectly did not end")
    if not fit.convergence:
        raise FitError(f"{shown} did not converge in {ROUNDS} rounds")
    # Clustered two ways by few, a variance may come out below 0, which is told below.
    with np.errstate(invalid="ignore"):
        coefficients, errors = fit.coef(), fit.se()
    if terms[0] in fit._collin_vars:
        raise FitError(f"{shown} has no finite solution: {terms[0]} is separated or repeats others")
    if not (np.isfinite(coefficients).all() and np.isfinite(errors).all()):
        raise FitError(f"{shown} has no finite solution: a term is separated or repeats others")
    used = fit._data
    return Fit(
        formula=shown,
        coefficients=coefficients,
        std_errors=errors,
        df=min(used[name].nunique() for name in clusters) - 1,
        n_obs=len(used),
        n_accounts=int(used[clusters[0]].nunique()),
        model=fit,
    )
