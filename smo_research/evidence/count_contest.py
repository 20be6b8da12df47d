"""Which predicts lasting newcomers better out of sample, conversation or tweaks? (H4, counts)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

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
from smo_research.evidence.count_losses import count_losses
from smo_research.evidence.effects import Estimate
from smo_research.evidence.few import seed_for
from smo_research.evidence.hypotheses import hypotheses
from smo_research.evidence.result import Result, untested
from smo_research.evidence.samples import (
    ADJUSTMENT,
    INBOUND_LABELS,
    TWEAKS,
    Sample,
    growth_sample,
    too_little,
    tweak_terms,
)
from smo_research.evidence.splits import DRAWS, Split, account_counts, time_split, trend_and_season
from smo_research.tables import Windows

OUTCOME = "lasting_audience"
BLOCKS = {
    "presence": ("post_volume",),
    "tweaks": TWEAKS,
    "conversation": ("answering", "past_answering"),
    "outreach": ("cold_outreach",),
}
FEWEST_IN_CLASS = 5


def count_contest(
    panel: pd.DataFrame,
    *,
    windows: Windows,
    dataset: str,
    answering: Estimate | None,
    data_hashes: Mapping[str, str] | None = None,
    seed: int = 1,
    draws: int = DRAWS,
) -> Result:
    """Let blocks of predictors compete for what they add to predicting lasting newcomers (H4).

    How often it finds a difference where both contribute the same is measured by `smo calibrate`
    ("bound-answering", "equal-strong", "equal-strong-100"). Where what predicts changes after
    training, its intervals may be a sixth too narrow.

    Parameters
    ----------
    panel, windows, dataset, data_hashes, seed, draws
        As in `contributions`.
    answering
        The effect that decided H3 there; its sign is a condition of H4.

    Returns
    -------
    Result
        The contributions, as the contest that decides H4; untested where fewer than two tweaks
        beyond timing are measured.
    """
    if reason := too_few_tweaks(_measured(panel, TWEAKS)):
        return untested("H4", dataset, hypotheses()["H4"].null, reason)
    about: dict[str, Any] = {"data_hashes": data_hashes, "seed": seed, "draws": draws}
    found = contributions(panel, windows=windows, dataset=dataset, **about)
    if found.reason:
        return found
    gain = found.effects["described", "total", FULL].estimate
    passes, notes = conditions(gain, answering)
    return replace(
        found,
        table=found.table.assign(model="contest"),
        effects={
            ("contest", block, term): effect for (_, block, term), effect in found.effects.items()
        },
        passes=passes,
        notes=notes,
    )


def contributions(
    panel: pd.DataFrame,
    *,
    windows: Windows,
    dataset: str,
    data_hashes: Mapping[str, str] | None = None,
    seed: int = 1,
    draws: int = DRAWS,
) -> Result:
    """Describe what presence, tweaks, conversation and outreach add out of sample, undecided.

    Poisson regression of lasting_audience on the rows of H3, over its adjustment set with time as
    trend and season. Fitted to the earlier rows, judged on the last 30 % by half the mean Poisson
    deviance, with one intercept recalibrated there. The contributions are exact Shapley values
    over all subsets of blocks, and the bootstrap draws accounts, with all their rows, and refits
    every subset (`count_losses`); its draws are recentred (`smo_research.evidence.tilts`).

    A column that is missing gets its mean, and an indicator in the same block; only that of
    past_answering, which is a matter of past_inbound and tenure, is in the adjustment set, so
    that conversation is not credited with having been heard before.

    Parameters
    ----------
    panel
        As `smo_research.panel` returns it; of tweaks, those that it has.
    windows
        Those of the panel.
    dataset
        Its name, for the table.
    data_hashes
        File name to sha256 of the raw data.
    seed, draws
        Of the bootstrap.

    Returns
    -------
    Result
        Of the model "described", in nats a row; untested where the log is too short, the outcome
        too rare in training or after it, or no tweak measured in training.

    Examples
    --------
    >>> import smo_research as smo
    >>> village = smo.scenario("conversation").turned(accounts=40, periods=30, newcomers=3, turns=0)
    >>> log = smo.simulate(village, seed=1).interactions
    >>> rows = smo.panel(log, windows=village.windows)
    >>> result = smo.contributions(rows, windows=village.windows, dataset="village", draws=20)
    >>> gain = result.table.set_index("term")["estimate"]
    >>> blocks = ["presence", "tweaks", "conversation", "outreach"]
    >>> bool(np.isclose(gain[blocks].sum(), gain["full model"]))  # the contributions add up
    True
    """
    null = hypotheses()["H4"].null
    sample = growth_sample(panel, "H3", windows=windows)
    try:
        sample, split = _spans(sample, windows)
        rows = sample.rows
        adjustment, base, blocks = _columns(rows, split[0])
        if "tweaks" not in blocks:
            raise FitError("no tweak is measured in training")
        names, number = np.unique(rows["account_id"], return_inverse=True)
        time = trend_and_season(rows["period"].to_numpy(), split[0], windows)
        rng = seed_for(seed, dataset, "H4")
        losses = count_losses(
            rows[OUTCOME].to_numpy(float),
            np.column_stack([base, time]),
            {block: columns.to_numpy(float) for block, columns in blocks.items()},
            split,
            number,
            account_counts(len(names), rng=rng, draws=draws),
        )
    except FitError as error:
        return untested("H4", dataset, null, str(error))
    found = contributions_of(losses, list(blocks))
    size = {"n_obs": len(rows), "n_accounts": len(names)}
    table, effects = contribution_rows(found, dataset=dataset, model="described", **size)
    shown = " ".join(f"[+ {block}: {', '.join(cols)}]" for block, cols in blocks.items())
    return Result(
        "H4",
        dataset,
        table,
        null,
        formula=f"{OUTCOME} ~ {' + '.join(adjustment)} + trend and season {shown}",
        effects=effects,
        left_out=sample.left_out,
        data_hashes=dict(data_hashes or {}),
        seed=seed,
        passes=False,
        notes=("described, without a verdict",),
    )


def _measured(panel: pd.DataFrame, names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in names if name in panel and panel[name].notna().any())


def _spans(sample: Sample, windows: Windows) -> tuple[Sample, Split]:
    """Keep the rows of training and of the test span, where both have enough outcomes.

    Raises
    ------
    FitError
        When one has not.
    """
    rows = sample.rows
    if rows.empty:
        raise FitError("nobody wrote to anybody in the periods of the panel")
    [(train, test)] = time_split(rows["period"].to_numpy(), windows=windows)
    for span, mask in {"in training": train, "in the test span": test}.items():
        if reason := too_little(rows[mask], OUTCOME):
            raise FitError(f"{span}, {reason}")
    used = train | test
    reason = "its outcome would reach into the test span"
    return sample.keep(pd.Series(used, index=rows.index), reason), (train[used], test[used])


def _columns(
    rows: pd.DataFrame, train: np.ndarray
) -> tuple[list[str], np.ndarray, dict[str, pd.DataFrame]]:
    """The adjustment set, without a constant or time, its columns, and those of each block."""
    for name in _measured(rows, tuple(name for names in BLOCKS.values() for name in names)):
        if f"{name}_known" not in rows:
            known = rows[name].astype(float)
            more = {f"{name}_known": known, f"{name}_missing": known.isna().astype(float)}
            rows = rows.assign(**more, **{name: known.fillna(known.mean())})
    seen = rows[train]
    terms = {block: tweak_terms(seen, _measured(rows, names)) for block, names in BLOCKS.items()}
    history = [name for name in terms["conversation"] if name.endswith("_missing")]
    terms["conversation"] = [name for name in terms["conversation"] if name not in history]
    held = [name for name in ADJUSTMENT if name in rows and name not in BLOCKS["presence"]]
    held += history
    base = np.column_stack([_classes(rows, train), rows[held].to_numpy(float)])
    blocks = {block: rows[names] for block, names in terms.items() if names}
    return ["C(inbound_class)", *held], base, blocks


def _classes(rows: pd.DataFrame, train: np.ndarray) -> np.ndarray:
    """Indicators of inbound classes, joined from the top until 5 accounts of each have an outcome.

    A class without an outcome in training has no finite coefficient.
    """
    positive = rows[train & (rows[OUTCOME] > 0).to_numpy()]
    accounts = positive.groupby("inbound_class")["account_id"].nunique()
    group, have, place = 0, 0, {}
    for label in reversed(INBOUND_LABELS):
        place[label] = group
        have += accounts.get(label, 0)
        if have >= FEWEST_IN_CLASS:
            group, have = group + 1, 0
    # What is left at the bottom joins the class above.
    code = rows["inbound_class"].map(place).to_numpy().clip(max=max(group - 1, 0))
    return (code[:, None] == np.arange(1, max(group, 1))).astype(float)
