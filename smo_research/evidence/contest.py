"""Which predicts lasting growth better out of sample, conversation or tweaks? (H4)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from smo_research.errors import FitError
from smo_research.evidence.contributions import (
    FULL,
    conditions,
    contribution_rows,
    contributions_of,
    too_few_tweaks,
)
from smo_research.evidence.effects import Estimate
from smo_research.evidence.few import seed_for
from smo_research.evidence.hypotheses import hypotheses, rule
from smo_research.evidence.result import Result, untested
from smo_research.evidence.shapley import teams
from smo_research.evidence.splits import (
    DRAWS,
    Split,
    account_counts,
    account_folds,
    time_split,
    trend_and_season,
)
from smo_research.evidence.tilts import tilts_of
from smo_research.tables import Windows

RIDGE = 1e-8


def held_out_losses(
    y: np.ndarray,
    base: np.ndarray,
    blocks: Mapping[str, np.ndarray],
    splits: list[Split],
    weights: np.ndarray,
) -> dict[frozenset[str], np.ndarray]:
    """Loss of every subset of blocks over the base, for every draw of weights.

    Least squares, fitted in training with weights and one intercept recalibrated on the test
    rows; loss is squared error over twice the training variance of the base model: nats a row.

    Parameters
    ----------
    y
        n outcomes.
    base
        n by p adjustment set, without a constant.
    blocks
        Name to n by k columns.
    splits
        Pairs of masks, training and test.
    weights
        Draws by n; the first line is the sample's own, of ones.

    Returns
    -------
    dict
        Subset of names to 3 by draws: losses, and what `tilts_of` makes of them.
    """
    total = {subset: np.zeros((3, len(weights))) for subset in teams(blocks)}
    mass = sum(weights[:, test].sum(axis=1) for _, test in splits)
    for train, test in splits:
        fit, hold = weights[:, train], weights[:, test]
        variance = None
        for subset in total:
            columns = np.column_stack([base, *(blocks[name] for name in sorted(subset))])
            centre, spread = columns[train].mean(axis=0), columns[train].std(axis=0)
            keep = spread > 1e-12
            x = (columns[:, keep] - centre[keep]) / spread[keep]
            x = np.column_stack([np.ones(len(x)), x])
            slopes, residual = _weighted_fit(x[train], y[train], fit)
            if variance is None:
                variance = (fit * residual**2).sum(axis=1) / fit.sum(axis=1)
            error = y[test] - slopes @ x[test].T
            share = hold.sum(axis=1, keepdims=True)
            shift = (hold * error).sum(axis=1, keepdims=True) / np.where(share > 0, share, 1)
            # With folds the test rows are too few for an intercept of their own.
            error = error - shift if len(splits) == 1 else error
            scale = variance * mass
            total[subset][0] += (hold * error**2).sum(axis=1) / (2 * scale)
            lean = -((hold * error) @ x[test]) / scale[:, None]
            total[subset][1:] += tilts_of(slopes - slopes[0], lean)
    return total


def _weighted_fit(
    x: np.ndarray, y: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Weighted least squares of every draw at once: slopes (draws by p) and residuals."""
    width = x.shape[1]
    products = (x[:, :, None] * x[:, None, :]).reshape(len(x), -1)
    gram = (weights @ products).reshape(-1, width, width)
    gram += RIDGE * weights.sum(axis=1)[:, None, None] * np.eye(width)
    slopes = np.linalg.solve(gram, (weights @ (x * y[:, None]))[:, :, None])[:, :, 0]
    return slopes, y - slopes @ x.T


def contest(
    rows: pd.DataFrame,
    outcome: str,
    *,
    adjustment: list[str],
    blocks: Mapping[str, list[str]],
    dataset: str,
    answering: Estimate | None,
    windows: Windows | None = None,
    data_hashes: Mapping[str, str] | None = None,
    seed: int = 1,
    draws: int = DRAWS,
) -> Result:
    """Let blocks of predictors compete for what they add out of sample.

    In one cross-section its intervals are too wide, for the folds share their rows.

    Parameters
    ----------
    rows
        One row an account (and period), complete in all columns named.
    outcome
        A real outcome, such as lasting_growth.
    adjustment
        Columns that every model has.
    blocks
        Block name to its columns; needs "conversation" and "tweaks".
    dataset
        Its name, for the table.
    answering
        The effect that decided H3 there; its sign is a condition of H4.
    windows
        For rows over time; without them the rows are one cross-section and folds are drawn.
    data_hashes
        File name to sha256 of the raw data.
    seed, draws
        Of folds and of the bootstrap over accounts, which refits every subset.
    """
    null = hypotheses()["H4"].null
    if reason := too_few_tweaks([name for name in blocks["tweaks"] if name in rows]):
        return untested("H4", dataset, null, reason)
    if len(rows) < rule().fewest_rows:
        reason = f"{len(rows)} rows; at least {rule().fewest_rows} are needed"
        return untested("H4", dataset, null, reason)
    y = rows[outcome].to_numpy(float)
    accounts = rows["account_id"].to_numpy()
    rng = seed_for(seed, dataset, "H4")
    base = rows[adjustment].to_numpy(float)
    try:
        if windows is None:
            splits = account_folds(accounts, rng=rng)
        else:
            period = rows["period"].to_numpy()
            splits = time_split(period, windows=windows)
            base = np.column_stack([base, trend_and_season(period, splits[0][0], windows)])
    except FitError as error:
        return untested("H4", dataset, null, str(error))
    columns = {name: rows[cols].to_numpy(float) for name, cols in blocks.items()}
    names, number = np.unique(accounts, return_inverse=True)
    counts = account_counts(len(names), rng=rng, draws=draws)
    weights = counts[:, number].astype(float)
    empty = any((weights[:, mask].sum(axis=1) == 0).any() for pair in splits for mask in pair)
    if windows is not None and empty:
        return untested("H4", dataset, null, "too few accounts are seen in training and after it")
    losses = held_out_losses(y, base, columns, splits, weights)
    found = contributions_of(losses, list(blocks))
    used = splits[0][0] | splits[0][1]
    size = {"n_obs": int(used.sum()), "n_accounts": len(np.unique(accounts[used]))}
    table, effects = contribution_rows(found, dataset=dataset, model="contest", **size)
    passes, notes = conditions(found[FULL].estimate, answering)
    return Result(
        "H4",
        dataset,
        table,
        null,
        formula=f"{outcome} ~ {' + '.join(adjustment)} [+ {'] [+ '.join(blocks)}]",
        effects=effects,
        data_hashes=dict(data_hashes or {}),
        seed=seed,
        passes=passes,
        notes=notes,
    )
