"""Time-varying Cox regression with strata: the partial likelihood in cumulative sums."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from smo_research.errors import DataError, FitError
from smo_research.evidence.effects import Effect
from smo_research.evidence.risk_sets import RiskSets

MOST_STEPS = 50
MOST_HALVINGS = 30
CLOSE = 1e-9
SLACK = 1e-11
VANISHED = 1e-8


@dataclass(frozen=True, eq=False)
class CoxFit:
    """A fitted Cox model: coefficients are ln hazard ratios.

    Attributes
    ----------
    coefficients
        By term.
    covariance, robust_covariance
        From the information; from the score residuals summed by cluster.
    log_likelihood
        Partial, by Breslow's approximation.
    n_obs, n_events, n_clusters
        Intervals, events and clusters given.
    """

    coefficients: pd.Series
    covariance: pd.DataFrame
    robust_covariance: pd.DataFrame
    log_likelihood: float
    n_obs: int
    n_events: int
    n_clusters: int

    @property
    def std_errors(self) -> pd.Series:
        """Robust errors by term."""
        names = self.coefficients.index
        return pd.Series(np.sqrt(np.diag(self.robust_covariance)), index=names)

    def effect(self, term: str, step: float = 1.0) -> Effect:
        """Effect of a step in one term, with its robust error and t(clusters - 1)."""
        return Effect(
            float(self.coefficients[term]) * step,
            float(self.std_errors[term]) * abs(step),
            self.n_clusters - 1,
        )


def cox(
    start: ArrayLike,
    stop: ArrayLike,
    event: ArrayLike,
    x: pd.DataFrame | np.ndarray,
    *,
    strata: ArrayLike,
    cluster: ArrayLike,
) -> CoxFit:
    """Fit a Cox model to intervals (start, stop], with a baseline hazard per stratum.

    At each time of events in a stratum, those at risk are its intervals with start < time <=
    stop; ties by Breslow. Equal to R's `coxph(Surv(start, stop, event) ~ x + strata(strata),
    ties = "breslow", cluster = cluster)`.

    Parameters
    ----------
    start, stop
        n times in one unit, start before stop.
    event
        n values: 1 or True where the interval ends with the event.
    x
        n by p; the columns of a frame name the terms.
    strata, cluster
        n labels each.

    Returns
    -------
    CoxFit

    Raises
    ------
    DataError
        When lengths differ, a value is missing, an interval has no length, or event is neither
        0 nor 1.
    FitError
        When there is no event, there are fewer than two clusters, a term does not vary among
        those at risk or repeats others, the likelihood rises without end (separation), or the
        steps do not converge.

    References
    ----------
    Andersen, Gill (1982), Cox's regression model for counting processes, Annals of Statistics
    10; Breslow (1974), Covariance analysis of censored survival data, Biometrics 30; Lin, Wei
    (1989), The robust inference for the Cox proportional hazards model, JASA 84.

    Examples
    --------
    >>> fit = cox([0, 0, 0], [1, 2, 3], [1, 1, 0], np.array([[1], [0], [1]]),
    ...           strata=[0, 0, 0], cluster=[0, 1, 2])
    >>> round(float(np.exp(fit.coefficients[0])), 4)  # the square root of a half
    0.7071
    """
    frame = pd.DataFrame(x)
    names = frame.columns
    begins, ends = np.asarray(start, dtype=float), np.asarray(stop, dtype=float)
    happened = np.asarray(event)
    stratum, group = pd.factorize(np.asarray(strata))[0], pd.factorize(np.asarray(cluster))[0]
    columns = frame.to_numpy(dtype=float)
    _require_sound(begins, ends, happened, columns, stratum, group)
    happened = happened.astype(bool)
    clusters = int(group.max()) + 1 if len(group) else 0
    if not happened.any():
        raise FitError(f"none of {len(happened)} intervals ends with the event")
    if clusters < 2:
        raise FitError("cluster is the same in all intervals; errors need two clusters")

    spread = columns.std(axis=0)
    constant = spread <= 1e-12 * np.abs(columns).max(axis=0)
    if constant.any():
        raise FitError(f"{names[constant.argmax()]} is the same in all intervals")
    scaled = (columns - columns.mean(axis=0)) / spread
    risk = RiskSets(begins, ends, happened, scaled, stratum=stratum)
    beta, log_likelihood, information = _climb(risk, list(map(str, names)))

    inverse = np.linalg.inv(information)
    scores = _by_group(risk.score_residuals(beta), group, clusters)
    robust = inverse @ (scores.T @ scores) @ inverse
    scale = np.outer(spread, spread)
    return CoxFit(
        coefficients=pd.Series(beta / spread, index=names),
        covariance=pd.DataFrame(inverse / scale, index=names, columns=names),
        robust_covariance=pd.DataFrame(robust / scale, index=names, columns=names),
        log_likelihood=log_likelihood,
        n_obs=len(happened),
        n_events=int(happened.sum()),
        n_clusters=clusters,
    )


def _require_sound(
    start: np.ndarray,
    stop: np.ndarray,
    event: np.ndarray,
    x: np.ndarray,
    stratum: np.ndarray,
    group: np.ndarray,
) -> None:
    lengths = {len(values) for values in (start, stop, event, x, stratum, group)}
    if len(lengths) > 1:
        raise DataError(
            "start, stop, event, x, strata and cluster must have one length, "
            f"but have {', '.join(map(str, sorted(lengths)))}."
        )
    whole = np.isfinite(start) & np.isfinite(stop) & np.isfinite(x).all(axis=1)
    whole &= (stratum >= 0) & (group >= 0)
    if not whole.all():
        raise DataError(f"Row {int((~whole).argmax())} has a missing or infinite value.")
    if not (stop > start).all():
        row = int((stop <= start).argmax())
        raise DataError(f"stop must be after start, but row {row} is ({start[row]}, {stop[row]}].")
    if not np.isin(event, (0, 1)).all():
        raise DataError("event must be 0 or 1 (or a bool) in every row.")


def _climb(risk: RiskSets, names: list[str]) -> tuple[np.ndarray, float, np.ndarray]:
    """Newton's steps, halved where the likelihood would fall."""
    beta = np.zeros(len(names))
    height = risk.likelihood(beta)
    known = None
    for _ in range(MOST_STEPS):
        score, information = risk.derivatives(beta)
        known = np.diag(information) if known is None else known
        _require_known(information, known, risk.n_events, names)
        step = np.linalg.solve(information, score)
        close = np.abs(step).max() < CLOSE
        for _ in range(MOST_HALVINGS):
            reached = risk.likelihood(beta + step)
            if reached >= height - SLACK * (1 + abs(height)):
                break
            step = step / 2
        else:
            break
        beta, height = beta + step, reached
        if close:
            return beta, height, risk.derivatives(beta)[1]
    raise FitError(f"the Cox model did not converge in {MOST_STEPS} steps")


def _require_known(
    information: np.ndarray, at_first: np.ndarray, n_events: int, names: list[str]
) -> None:
    """Refuse what the events say nothing about, at once or in the limit."""
    if not (at_first > VANISHED * n_events).all():
        blank = names[int(at_first.argmin())]
        raise FitError(f"{blank} does not vary among those at risk when something happens")
    now = np.diag(information)
    left = now / at_first
    if not (left > VANISHED).all():
        raise FitError(f"{names[int(left.argmin())]} is separated: no finite solution")
    scale = np.sqrt(now)
    if np.linalg.eigvalsh(information / np.outer(scale, scale))[0] < VANISHED:
        raise FitError(f"the terms {', '.join(names)} repeat each other: no finite solution")


def _by_group(values: np.ndarray, group: np.ndarray, groups: int) -> np.ndarray:
    """Sums of rows by group, groups by p."""
    return np.column_stack([np.bincount(group, column, minlength=groups) for column in values.T])
