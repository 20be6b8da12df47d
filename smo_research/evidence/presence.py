"""Does presence without interaction help? Volume, and volume times answering (H6)."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from smo_research.errors import FitError
from smo_research.evidence.effects import Estimate
from smo_research.evidence.few import DRAWS, seed_for
from smo_research.evidence.follower_samples import (
    follower_sample,
    measured_tweaks,
    outcome_bound,
)
from smo_research.evidence.followers import EFFECTS, UNIT, least_squares
from smo_research.evidence.hypotheses import contrast, hypotheses, rule
from smo_research.evidence.result import Key, Result, effect_row, untested
from smo_research.evidence.samples import out_of_reach
from smo_research.tables import Windows

FEWEST_SILENT = 0.05


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
    nobody = float((rows["reply_share"] == 0).mean())
    if nobody < FEWEST_SILENT:
        reason = f"in {nobody:.1%} of the rows nobody was answered; at least 5 % are needed"
        return untested("H6", dataset, null, reason)
    for term in ("post_volume", "reply_share"):
        if reason := out_of_reach(rows, term, term):
            return untested("H6", dataset, null, reason)
    rows = rows.assign(volume_times_replies=rows["post_volume"] * rows["reply_share"])
    steps = {
        "post_volume": contrast("post_volume"),
        "volume_times_replies": contrast("post_volume") * contrast("reply_share"),
    }
    size = {"n_obs": len(rows), "n_accounts": rows["account_id"].nunique()}
    lines: list[dict] = []
    effects: dict[Key, Estimate] = {}
    for term, step in steps.items():
        others = [name for name in steps if name != term]
        held = [*others, "reply_share", "log_tenure", "log_past_acts", *measured_tweaks(rows)]
        try:
            effect = least_squares(
                rows,
                "lasting_growth",
                term,
                held,
                effects=EFFECTS["between"],
                step=step,
                rng=seed_for(seed, dataset, "H6", term),
                draws=draws,
            )
        except FitError as error:
            return untested("H6", dataset, null, str(error))
        effects["between", "total", term] = effect
        label = {"hypothesis": "H6", "dataset": dataset, "model": "between", "block": "total"}
        unit = f"{UNIT} doubling" + (" and +0.25" if others == ["post_volume"] else "")
        lines.append(effect_row(effect, **label, term=term, unit=unit, **size))
    return Result(
        "H6",
        dataset,
        pd.DataFrame(lines),
        null,
        formula="lasting_growth ~ post_volume * reply_share + ... | period",
        effects=effects,
        left_out=sample.left_out,
        data_hashes=dict(data_hashes or {}),
        seed=seed,
        bound=outcome_bound(rows, "lasting_growth", EFFECTS["within"]),
    )
