"""Does presence without interaction help? Volume, and volume times answering (H6)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from smo_research.errors import FitError
from smo_research.evidence.effects import Effect, Estimate
from smo_research.evidence.few import DRAWS, seed_for
from smo_research.evidence.follower_samples import (
    follower_sample,
    measured_tweaks,
    outcome_bound,
)
from smo_research.evidence.followers import EFFECTS, UNIT, least_squares
from smo_research.evidence.hypotheses import contrast, hypotheses, rule
from smo_research.evidence.models import Fit, poisson
from smo_research.evidence.result import Key, Result, effect_row, untested
from smo_research.evidence.samples import (
    ADJUSTMENT,
    growth_sample,
    numbered,
    out_of_reach,
    too_little,
    tweak_terms,
    without_effects,
)
from smo_research.tables import Windows

FEWEST_SILENT = 0.05
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
VOLUME, TOGETHER = "post_volume", "volume_times_replies"


def presence_alone(
    panel: pd.DataFrame,
    *,
    windows: Windows,
    dataset: str,
    data_hashes: Mapping[str, str] | None = None,
    seed: int = 1,
    draws: int = DRAWS,
) -> Result:
    """Test whether volume does nothing where nobody is answered, and more where people are (H6).

    The model of `follower_growth` (between) with post_volume times reply_share: A is the effect
    of a doubling of volume at a reply share of 0, B how much it rises with +0.25 in the share.
    Described beside them: the effect of a doubling at other shares.

    Parameters
    ----------
    panel, windows, dataset, data_hashes, seed, draws
        As in `follower_growth`.
    """
    null = hypotheses()["H6"].null
    sample = follower_sample(panel, ("reply_share",), windows=windows)
    rows = sample.rows
    if len(rows) < rule().fewest_rows:
        reason = f"{len(rows)} rows have an outcome; at least {rule().fewest_rows} are needed"
        return untested("H6", dataset, null, reason)
    if reason := _unfit(rows, "reply_share", "reply_share"):
        return untested("H6", dataset, null, reason)

    def effect(term: str, share: float) -> Estimate:
        """Of a step in the term where volume counts from this share; exact at that share."""
        centred = rows.assign(**{TOGETHER: rows[VOLUME] * (rows["reply_share"] - share)})
        others = [name for name in (VOLUME, TOGETHER) if name != term]
        return least_squares(
            centred,
            "lasting_growth",
            term,
            [*others, "reply_share", "log_tenure", "log_past_acts", *measured_tweaks(rows)],
            effects=EFFECTS["between"],
            step=contrast(VOLUME) * (contrast("reply_share") if term == TOGETHER else 1),
            rng=seed_for(seed, dataset, "H6", term),
            draws=draws,
        )

    try:
        found = _laid_out(
            {share: effect(VOLUME, share) for share in SHARES}, effect(TOGETHER, SHARES[0])
        )
    except FitError as error:
        return untested("H6", dataset, null, str(error))
    size = {"n_obs": len(rows), "n_accounts": rows["account_id"].nunique()}
    return Result(
        "H6",
        dataset,
        _table(found, dataset, f"{UNIT} doubling", size),
        null,
        formula="lasting_growth ~ post_volume * reply_share + ... | period",
        effects=found,
        left_out=sample.left_out,
        data_hashes=dict(data_hashes or {}),
        seed=seed,
        bound=outcome_bound(rows, "lasting_growth", EFFECTS["within"]),
    )


def presence_counts(
    panel: pd.DataFrame,
    *,
    windows: Windows,
    dataset: str,
    data_hashes: Mapping[str, str] | None = None,
) -> Result:
    """Test H6 where newcomers were counted and posts are apart from acts.

    Poisson regression of lasting_audience with period effects, errors clustered by account, on
    post_volume times the raw share answered (answered / inbound), over the adjustment set of H3:
    A is the effect of a doubling of volume at a share of 0, B how much it rises with +0.25 in
    the share. Described beside them: the effect of a doubling at other shares.

    Parameters
    ----------
    panel
        As `smo_research.panel` returns it; post_volume must count posts, for where it counts
        acts toward others it is itself interaction.
    windows, dataset, data_hashes
        As in `lasting_growth`.
    """
    null = hypotheses()["H6"].null
    outcome = "lasting_audience"
    sample = growth_sample(numbered(panel), "H3", windows=windows)
    if reason := too_little(sample.rows, outcome):
        return untested("H6", dataset, null, reason)
    sample = without_effects(sample, outcome, EFFECTS["between"])
    share = sample.rows["answered"] / sample.rows["inbound"]
    rows = sample.rows.assign(
        answer_share=share, **{TOGETHER: sample.rows[VOLUME] * share.astype(float)}
    )
    if reason := _unfit(rows, "answer_share", "answering"):
        return untested("H6", dataset, null, reason)
    held = [name for name in ADJUSTMENT if name != VOLUME]
    terms = [VOLUME, TOGETHER, "answer_share", *held, *tweak_terms(rows)]
    try:
        fit = poisson(rows, outcome, terms, effects=EFFECTS["between"])
        if TOGETHER not in fit.coefficients:
            raise FitError("volume times answering repeats other terms")
    except FitError as error:
        return untested("H6", dataset, null, str(error))
    doubling = contrast(VOLUME)
    found = _laid_out(
        {share: _combined(fit, {VOLUME: doubling, TOGETHER: doubling * share}) for share in SHARES},
        _combined(fit, {TOGETHER: doubling * contrast("answering")}),
    )
    size = {"n_obs": fit.n_obs, "n_accounts": fit.n_accounts}
    return Result(
        "H6",
        dataset,
        _table(found, dataset, "ln ratio per doubling", size),
        null,
        formula=fit.formula,
        effects=found,
        left_out=sample.left_out,
        data_hashes=dict(data_hashes or {}),
    )


def _unfit(rows: pd.DataFrame, share: str, contrast_of: str) -> str:
    """Say why volume and the share answered cannot be told apart in these rows, or nothing."""
    nobody = float((rows[share] == 0).mean())
    if nobody < FEWEST_SILENT:
        return f"in {nobody:.1%} of the rows nobody was answered; at least 5 % are needed"
    for known, term in ((VOLUME, VOLUME), (share, contrast_of)):
        if reason := out_of_reach(rows, known, term):
            return reason
    return ""


def _combined(fit: Fit, weights: Mapping[str, float]) -> Effect:
    """Effect of steps in several terms at once, from their covariance."""
    names, steps = list(weights), np.array(list(weights.values()))
    variance = steps @ fit.covariance.loc[names, names].to_numpy() @ steps
    return Effect(float(fit.coefficients[names] @ steps), float(np.sqrt(variance)), fit.df)


def _laid_out(at_share: Mapping[float, Estimate], together: Estimate) -> dict[Key, Estimate]:
    """A, B, and the effect of a doubling of volume at each share."""
    described: dict[Key, Estimate] = {
        ("described", f"at share {share:g}", VOLUME): effect for share, effect in at_share.items()
    }
    return {
        ("between", "total", VOLUME): at_share[0.0],
        ("between", "total", TOGETHER): together,
        **described,
    }


def _table(
    found: Mapping[Key, Estimate], dataset: str, unit: str, size: dict[str, Any]
) -> pd.DataFrame:
    label = {"hypothesis": "H6", "dataset": dataset} | size
    return pd.DataFrame(
        [
            effect_row(
                effect,
                **label,
                model=model,
                block=block,
                term=term,
                unit=unit + (" and +0.25" if term == TOGETHER else ""),
            )
            for (model, block, term), effect in found.items()
        ]
    )
