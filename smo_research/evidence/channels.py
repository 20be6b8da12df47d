"""Channels chosen on their growth: described within channel and file, never judged."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import numpy as np
import pandas as pd

from smo_research.evidence.effects import Effect
from smo_research.evidence.hypotheses import contrast, hypotheses
from smo_research.evidence.result import Result, effect_row

OUTCOMES = {"growth now": "growth", "total": "lasting_growth"}
TERMS = {"H2": "cadence", "H6": "post_volume"}
MODEL = "described, within channel"


def describe_channels(
    panel: pd.DataFrame,
    accounts: pd.DataFrame,
    *,
    dataset: str,
    untestable: Mapping[str, str],
    data_hashes: Mapping[str, str] | None = None,
) -> list[Result]:
    """Describe how a channel grows in periods when it posts more, or more regularly, than usual.

    Least squares of growth now and of growth that lasts, with an effect a channel and one a
    period of each published file, errors clustered by channel. No verdict: the channels were
    chosen on their growth.

    Parameters
    ----------
    panel
        As `follower_panel` returns it, without posts.
    accounts
        The canonical table, with `sample`, the file a channel was published in.
    dataset
        Its name, for the table.
    untestable
        By hypothesis, why there is no verdict.
    data_hashes
        File name to sha256 of the raw data.
    """
    import pyfixest

    rows = panel.merge(accounts[["account_id", "sample"]], on="account_id")
    rows = rows.dropna(subset=["cadence", "post_volume", *OUTCOMES.values()])
    rows = rows.assign(
        account_id=pd.factorize(rows["account_id"])[0],
        file_period=rows["sample"].astype(str) + " " + rows["period"].astype(str),
        log_past_acts=np.log1p(rows["past_acts"].astype(float)),
    )
    fits = {}
    for block, outcome in OUTCOMES.items():
        with warnings.catch_warnings():
            # Channels with a single period are dropped, which changes no estimate; the
            # deprecations are pyfixest's own.
            warnings.simplefilter("ignore", UserWarning)
            warnings.simplefilter("ignore", DeprecationWarning)
            fits[block] = pyfixest.feols(
                f"{outcome} ~ cadence + post_volume + log_past_acts | account_id + file_period",
                rows,
                vcov={"CRV1": "account_id"},
                # So close that the order of the effects, which differs by run, does not show.
                fixef_tol=1e-13,
            )
    results = []
    for hypothesis, term in TERMS.items():
        lines = []
        step = contrast(term)
        for block, fit in fits.items():
            used = fit._data
            channels = used["account_id"].nunique()
            effect = Effect(
                float(fit.coef()[term]) * step, float(fit.se()[term]) * step, channels - 1
            )
            lines.append(
                effect_row(
                    effect,
                    hypothesis=hypothesis,
                    dataset=dataset,
                    model=MODEL,
                    block=block,
                    term=term,
                    unit="ln followers per "
                    + ("doubling" if term == "post_volume" else f"+{step:g}"),
                    n_obs=len(used),
                    n_accounts=channels,
                )
            )
        results.append(
            Result(
                hypothesis,
                dataset,
                pd.DataFrame(lines),
                hypotheses()[hypothesis].null,
                formula="growth ~ cadence + post_volume + log_past_acts | channel + file by period",
                data_hashes=dict(data_hashes or {}),
                reason=untestable[hypothesis],
            )
        )
    return results
