"""The one estimator: Poisson regression with effects, clustered errors, t(clusters - 1)."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd

from smo_research.errors import FitError
from smo_research.evidence.effects import Effect


@dataclass(frozen=True, eq=False)
class Fit:
    """A fitted model: coefficients and errors by term, on the scale of ln rates."""

    formula: str
    coefficients: pd.Series
    std_errors: pd.Series
    df: float
    n_obs: int
    n_accounts: int

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
        Right-hand side, in the formula language (Wilkinson).
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
        When the model has no finite solution in these rows, saying why.
    """
    import pyfixest

    clusters = [cluster] if isinstance(cluster, str) else cluster
    if rows.empty or rows[outcome].sum() == 0:
        raise FitError(f"{outcome} is 0 in all {len(rows)} rows")
    if rows[outcome].nunique() == 1:
        raise FitError(f"{outcome} is the same in all {len(rows)} rows")
    formula = f"{outcome} ~ {' + '.join(terms)} | {' + '.join(effects)}"
    shown = formula + (f", exposure {exposure}" if exposure else "")
    data, options = rows, {}
    if exposure:
        data = rows.assign(log_exposure=np.log(rows[exposure].astype(float)))
        options = {"offset": "log_exposure"}
    try:
        with warnings.catch_warnings():
            # Rows that effects fit perfectly are dropped, and said, before; terms that repeat
            # others are looked for below.
            warnings.simplefilter("ignore", UserWarning)
            fit = pyfixest.fepois(
                formula,
                data,
                vcov={"CRV1": " + ".join(clusters)},
                separation_check=["fe"],
                iwls_maxiter=100,
                **options,
            )
    except (RuntimeError, ValueError, ZeroDivisionError, np.linalg.LinAlgError) as error:
        raise FitError(f"{shown} has no finite solution: {str(error).splitlines()[0]}") from None
    coefficients, errors = fit.coef(), fit.se()
    if not (np.isfinite(coefficients).all() and np.isfinite(errors).all()):
        raise FitError(f"{shown} has no finite solution: a term is separated or repeats others")
    return Fit(
        formula=shown,
        coefficients=coefficients,
        std_errors=errors,
        df=min(rows[name].nunique() for name in clusters) - 1,
        n_obs=int(fit._N),
        n_accounts=int(rows[clusters[0]].nunique()),
    )
