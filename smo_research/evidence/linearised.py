"""A Poisson model made linear at its solution, for errors where accounts are few."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from smo_research.evidence.few import DRAWS, WildBootstrap, wild_bootstrap
from smo_research.evidence.models import Fit


def linearised(
    fit: Fit, outcome: str, terms: Sequence[str], others: Sequence[str], effects: Sequence[str]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Make a Poisson model linear at its solution, so that least squares can stand in for it.

    Parameters
    ----------
    fit
        As `poisson` returns it.
    outcome, terms, others, effects
        What it was fitted to: the columns in question and held fixed, C(...) a classed one, and
        those with an effect each level.

    Returns
    -------
    tuple
        Outcome (n), columns in question (n by terms) and held fixed (n by p), weighted.
    """
    rows, means = fit.rows, fit.means
    offset = rows["log_exposure"].to_numpy(float) if "log_exposure" in rows else 0.0
    working = np.log(means) - offset + (rows[outcome].to_numpy(float) - means) / means
    held = [np.ones((len(rows), 1))]
    for name in [*others, *effects]:
        column = rows[name.removeprefix("C(").removesuffix(")")]
        classed = name.startswith("C(") or name in effects
        held.append(
            pd.get_dummies(column.astype(str)).to_numpy(float)
            if classed
            else column.to_numpy(float)[:, None]
        )
    root = np.sqrt(means)
    x = rows[list(terms)].to_numpy(float)
    return working * root, x * root[:, None], np.hstack(held) * root[:, None]


def of_fit(
    fit: Fit,
    outcome: str,
    term: str,
    others: Sequence[str],
    effects: Sequence[str],
    *,
    rng: np.random.Generator,
    step: float = 1.0,
    draws: int = DRAWS,
) -> WildBootstrap:
    """The wild bootstrap of a Poisson model made linear at its solution.

    Parameters
    ----------
    fit
        As `poisson` returns it, errors clustered by account.
    outcome, term, others, effects
        As in `linearised`, with one term.
    rng, step, draws
        As in `wild_bootstrap`.
    """
    y, x, held = linearised(fit, outcome, [term], others, effects)
    labels = fit.rows["account_id"].to_numpy()
    return wild_bootstrap(
        y,
        x[:, 0],
        held,
        labels,
        rng=rng,
        step=step,
        nested=len(np.unique(labels)) - 1 if "account_id" in effects else 0,
        draws=draws,
    )
