"""What predicts lasting follower growth, where followers were counted (H2, H3, H7)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from smo_research.errors import FitError
from smo_research.evidence.effects import Effect, Estimate
from smo_research.evidence.few import DRAWS, FEW, seed_for, wild_bootstrap
from smo_research.evidence.follower_samples import (
    TWEAKS,
    apart,
    follower_rows,
    follower_sample,
    measured_tweaks,
    outcome_bound,
    prepared,
)
from smo_research.evidence.hypotheses import contrast, hypotheses, rule
from smo_research.evidence.result import Key, Result, effect_row, evidence_row, untested
from smo_research.evidence.robustness import placebo_lag, with_lead
from smo_research.evidence.samples import Sample, out_of_reach, whole
from smo_research.tables import Windows

TERMS = {"H2": TWEAKS, "H3": ("reply_share",), "H7": ("past_reply_share",)}
ADJUSTMENT = ("log_tenure", "log_past_acts", "post_volume")
OUTCOMES = {"total": "lasting_growth", "growth now": "growth"}
EFFECTS = {"between": ["period"], "within": ["account_id", "period"]}
CHECKS = {"placebo": "between", "lead": "within"}
NOT_COUNTED = "no fresh count of followers"
NO_ERROR = 1e-9
UNIT = "ln followers per"
DETECTABLE_T = 2.9


def least_squares(
    rows: pd.DataFrame,
    outcome: str,
    term: str,
    controls: list[str],
    *,
    effects: list[str],
    step: float,
    rng: np.random.Generator,
    draws: int = DRAWS,
) -> Estimate:
    """Fit least squares with group effects, errors clustered by account.

    Under 50 accounts the p-values and the interval are those of the wild cluster bootstrap.

    Parameters
    ----------
    rows
        Complete in all columns named.
    outcome, term, controls
        Columns.
    effects
        Columns that get an effect each level; none is a plain constant.
    step
        The effect is stated for this step in the term.
    rng
        Random numbers of the bootstrap.
    draws
        Its number of draws.

    Raises
    ------
    FitError
        When there is too little to fit: too few rows or accounts, an outcome that is the same in
        all rows or that the effects explain, or a term that repeats the controls.
    """
    if rows[outcome].nunique() == 1:
        raise FitError(f"{outcome} is the same in all {len(rows)} rows")
    dummies = [pd.get_dummies(rows[name].astype(str)).to_numpy(float) for name in effects]
    design = np.column_stack([np.ones(len(rows)), rows[controls].to_numpy(float), *dummies])
    y, x = rows[outcome].to_numpy(float), rows[term].to_numpy(float)
    if len(rows) <= np.linalg.matrix_rank(design) + 1:
        raise FitError(f"{len(rows)} rows are too few for the model")
    clusters = rows["account_id"].to_numpy()
    accounts = len(np.unique(clusters))
    nested = accounts - 1 if "account_id" in effects else 0
    fit = wild_bootstrap(y, x, design, clusters, rng=rng, step=step, nested=nested, draws=draws)
    # What rounding leaves of an outcome that the effects explain would pass for an error.
    if fit.std_error * np.std(x) < NO_ERROR * abs(step) * np.std(y):
        raise FitError(f"the model explains {outcome} in full; the residuals leave no error")
    if accounts < FEW:
        return fit
    return Effect(fit.estimate, fit.std_error, fit.df)


def follower_growth(
    panel: pd.DataFrame,
    hypothesis: str,
    *,
    windows: Windows,
    dataset: str,
    data_hashes: Mapping[str, str] | None = None,
    seed: int = 1,
    draws: int = DRAWS,
) -> Result:
    """Test what predicts the growth of followers that lasts.

    Least squares of lasting_growth (ln followers) on rows whose outcome windows do not overlap,
    with period effects (between) and account and period effects (within), errors clustered by
    account, by wild bootstrap under 50 accounts; beside it growth now, a placebo, and the
    predictor's lead in the within model.

    Parameters
    ----------
    panel
        As `follower_panel` returns it.
    hypothesis
        "H2", "H3" or "H7".
    windows
        Those of the panel.
    dataset
        Its name, for the table.
    data_hashes
        File name to sha256 of the raw data.
    seed, draws
        Of the bootstrap.
    """
    null = hypotheses()[hypothesis].null
    about: dict[str, Any] = {"data_hashes": dict(data_hashes or {}), "seed": seed}
    wanted = tuple(name for name in TERMS[hypothesis] if name in panel)
    if not wanted:
        return untested(hypothesis, dataset, null, "the tables do not have the predictor")
    sample = follower_sample(panel, wanted, windows=windows)
    rows = sample.rows
    if len(rows) < rule().fewest_rows:
        reason = (
            f"{len(rows)} rows have outcome windows that do not overlap; at least "
            f"{rule().fewest_rows} are needed"
        )
        lines = _overlapping(panel, hypothesis, wanted, dataset, windows, seed, draws)
        if not lines:
            return untested(hypothesis, dataset, null, reason)
        smallest = min(DETECTABLE_T * line["std_error"] for line in lines)
        reason += f"; with overlapping windows it could have found {smallest:.2g} {UNIT} contrast"
        table = pd.DataFrame(lines)
        return Result(hypothesis, dataset, table, null, reason=reason, **about)
    lines = []
    effects: dict[Key, Estimate] = {}
    left_out: list[pd.DataFrame] = []
    reasons = []
    for term in wanted:
        known = f"{term}_known" if f"{term}_known" in rows else term
        reason = out_of_reach(rows, known, term)
        if reason:
            reasons.append(reason)
            row = {"hypothesis": hypothesis, "dataset": dataset, "term": term, "reason": reason}
            lines.append(evidence_row(**row))
            continue
        more, found, gone = _test_term(
            sample, panel, hypothesis, term, dataset, windows, seed, draws
        )
        lines += more
        effects |= found
        left_out += gone
    if not effects:
        return untested(hypothesis, dataset, null, "; ".join(reasons))
    bound = outcome_bound(rows, "lasting_growth", EFFECTS["within"])
    controls = _controls(rows, hypothesis, wanted[0])
    return Result(
        hypothesis,
        dataset,
        pd.DataFrame(lines),
        null,
        formula=f"lasting_growth ~ {' + '.join([wanted[0], *controls])} | period",
        effects=effects,
        left_out=pd.concat(left_out, ignore_index=True),
        bound=bound,
        notes=(
            f"effects within {bound:.4f} ln followers (0.10 SD) are negligible",
            *(f"not judged: {reason}" for reason in reasons),
        ),
        **about,
    )


def _overlapping(
    panel: pd.DataFrame,
    hypothesis: str,
    terms: tuple[str, ...],
    dataset: str,
    windows: Windows,
    seed: int,
    draws: int,
) -> list[dict]:
    """Describe, without deciding, what all rows show whose windows overlap."""
    rows = follower_rows(panel, terms).rows
    if len(rows) < rule().fewest_rows:
        return []
    rows = prepared(rows)
    lines = []
    for term in terms:
        known = f"{term}_known" if f"{term}_known" in rows else term
        if out_of_reach(rows, known, term):
            continue
        step = contrast(term)
        try:
            effect = least_squares(
                rows,
                "lasting_growth",
                term,
                _controls(rows, hypothesis, term),
                effects=EFFECTS["between"],
                step=step,
                rng=seed_for(seed, dataset, hypothesis, term, "overlapping"),
                draws=draws,
            )
        except FitError:
            continue
        label = {"hypothesis": hypothesis, "dataset": dataset, "term": term, "block": "total"}
        label |= {"model": "overlapping windows", "unit": f"{UNIT} +{step:g}"}
        size = {"n_obs": len(rows), "n_accounts": rows["account_id"].nunique()}
        lines.append(effect_row(effect, **label, **size))
    return lines


def _controls(rows: pd.DataFrame, hypothesis: str, term: str) -> list[str]:
    adjustment = [name for name in ADJUSTMENT if name in rows and rows[name].notna().all()]
    if hypothesis == "H2":
        social = (
            ["reply_share"] if "reply_share" in rows and rows["reply_share"].notna().all() else []
        )
        own = (
            [f"{term}_missing"] if rows.get(f"{term}_missing", pd.Series([0])).nunique() > 1 else []
        )
        return adjustment + social + own
    held = ["reply_share"] if hypothesis == "H7" else []
    return adjustment + held + measured_tweaks(rows)


def _test_term(
    sample: Sample,
    panel: pd.DataFrame,
    hypothesis: str,
    term: str,
    dataset: str,
    windows: Windows,
    seed: int,
    draws: int,
) -> tuple[list[dict], dict[Key, Estimate], list[pd.DataFrame]]:
    step = contrast(term)
    label = {"hypothesis": hypothesis, "dataset": dataset, "term": term}
    label["unit"] = f"{UNIT} +{step:g}"
    plans = [
        (model, block, sample, outcome, term)
        for model in EFFECTS
        for block, outcome in OUTCOMES.items()
    ]
    lagged = whole(follower_placebo(panel, sample.rows, term, windows=windows))
    led = with_lead(sample, panel, term)
    plans.append(("placebo", "total", lagged, "lasting_growth", term))
    plans.append(("lead", "total", led, "lasting_growth", f"lead_{term}"))
    lines, effects, left_out = [], {}, []
    for model, block, rows, outcome, tested in plans:
        here = label | {"model": model, "block": block}
        kept = rows.keep(rows.rows[outcome].notna(), NOT_COUNTED) if len(rows.rows) else rows
        usable = kept.rows
        try:
            if len(usable) < rule().fewest_rows:
                raise FitError(f"{len(usable)} rows; at least {rule().fewest_rows} are needed")
            held = [term] if tested != term else []
            effect = least_squares(
                usable,
                outcome,
                tested,
                [*held, *_controls(usable, hypothesis, term), *_earlier(usable, term)],
                effects=EFFECTS[CHECKS.get(model, model)],
                step=step,
                rng=seed_for(seed, dataset, hypothesis, term, model, block),
                draws=draws,
            )
        except FitError as error:
            lines.append(evidence_row(**here, reason=str(error)))
            continue
        effects[model, block, term] = effect
        size = {"n_obs": len(usable), "n_accounts": usable["account_id"].nunique()}
        lines.append(effect_row(effect, **here, **size))
        if model != "placebo":
            place = {"model": model, "block": block, "term": term}
            left_out.append(kept.left_out.assign(**place)[[*place, *kept.left_out]])
    return lines, effects, left_out


def _earlier(rows: pd.DataFrame, term: str) -> list[str]:
    return [f"earlier_{term}"] if f"earlier_{term}" in rows else []


def follower_placebo(
    panel: pd.DataFrame, rows: pd.DataFrame, predictor: str, *, windows: Windows
) -> pd.DataFrame:
    """Set a predictor at t against the growth of row t - k, which was over before it.

    The predictor's own value at t - k stays beside it, as in `placebo_rows`.
    """
    earlier = prepared(panel.assign(period=panel["period"] + placebo_lag(windows)))
    earlier = earlier.rename(columns={predictor: f"earlier_{predictor}"})
    now = prepared(panel[panel["posts"].fillna(0) > 0])[["account_id", "period", predictor]]
    both = now.merge(earlier, on=["account_id", "period"], validate="one_to_one")
    needed = ["lasting_growth", predictor, f"earlier_{predictor}"]
    both = both.dropna(subset=[*needed, *(["reply_share"] if "reply_share" in both else [])])
    return apart(both, windows) if len(both) else both
