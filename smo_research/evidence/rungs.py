"""From the naive estimate to the one that decides, rung by rung (H2, H3, H7)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from smo_research.errors import FitError
from smo_research.evidence.absorbed import absorbed_poisson
from smo_research.evidence.effects import Effect
from smo_research.evidence.hypotheses import contrast, hypotheses
from smo_research.evidence.lasting import PARTS
from smo_research.evidence.result import Key, Result, effect_row, evidence_row, untested
from smo_research.evidence.robustness import placebo_rows, with_lead
from smo_research.evidence.samples import (
    Sample,
    growth_sample,
    known_column,
    numbered,
    out_of_reach,
    too_little,
    without_effects,
)
from smo_research.evidence.specification_fits import separated
from smo_research.evidence.specifications import Specification
from smo_research.tables import Windows

NAIVE, SAME_PERIOD = "nothing held", "same period"
CLASSES = "inbound_class"


@dataclass(frozen=True, eq=False)
class Rung:
    """A model: its rows, the effects in it, what is held, and whose coefficient is shown."""

    model: str
    block: str
    sample: Sample
    effects: tuple[str, ...]
    held: tuple[str, ...]
    tested: str


def growth_rungs(panel: pd.DataFrame, hypothesis: str, *, windows: Windows, dataset: str) -> Result:
    """Show how an estimate moves from the naive one to those of `lasting_growth`.

    For looking: the same Poisson regressions on the same rows, faster, before them two in which
    little is held, and no negative binomial. *Nothing held*: the predictor alone, where it was
    measured. *Same period*: with period effects. *Between* and *within*, with their parts,
    *placebo* and *lead*: as in `lasting_growth`, whose numbers they are.

    Parameters
    ----------
    panel
        As `smo_research.panel` returns it.
    hypothesis
        "H2", "H3" or "H7".
    windows
        Those of the panel.
    dataset
        Its name, for the table.

    Returns
    -------
    Result
        In `table` one row a rung and term, in ln rate ratios per stated contrast; its further
        column `measured` is the share (0 to 1) of the rows used in which the predictor was
        measured, and not filled in. A rung that cannot be fitted is a row with the reason.

    Examples
    --------
    >>> rows = pd.DataFrame({"account_id": ["a"], "period": [0], "inbound": 1, "answering": 0.5,
    ...     "pooled_answering": 0.5, "new_now": 0, "tenure": 0, "past_inbound": 0, "past_acts": 0,
    ...     "lasting_audience": 0, "schedule_focus": None, "burstiness": None})
    >>> windows = Windows(period=7, gap=7, horizon=42)
    >>> growth_rungs(rows, "H3", windows=windows, dataset="tiny").reason
    '0 rows have an outcome above 0; at least 50 are needed'
    """
    claim = hypotheses()[hypothesis]
    panel = numbered(panel)
    sample = growth_sample(panel, hypothesis, windows=windows)
    reason = too_little(sample.rows, "lasting_audience")
    if reason:
        return untested(hypothesis, dataset, claim.null, reason)
    lines: list[dict[str, Any]] = []
    effects: dict[Key, Effect] = {}
    left_out: list[pd.DataFrame] = []
    for term in claim.terms:
        known = known_column(term)
        if known not in sample.rows or sample.rows[known].isna().all():
            continue
        step = contrast(term)
        about = {"hypothesis": hypothesis, "dataset": dataset, "term": term}
        if reason := out_of_reach(sample.rows, known, term):
            lines.append(evidence_row(**about, reason=reason))
            continue
        controls = Specification(hypothesis, windows, term).controls(sample.rows)
        for rung in _rungs(sample, term, controls, panel, windows):
            here = about | {"model": rung.model, "block": rung.block}
            here |= {"unit": f"ln ratio per +{step:g}"}
            try:
                # The matrices are narrow: threads would mostly wait for each other.
                with threadpool_limits(1, user_api="blas"):
                    effect, used = _fit(rung, step)
            except FitError as error:
                lines.append(evidence_row(**here, reason=str(error)) | {"measured": np.nan})
                continue
            effects[rung.model, rung.block, term] = effect
            counts = {"n_obs": len(used.rows), "n_accounts": used.rows["account_id"].nunique()}
            measured = float(used.rows[known].notna().mean())
            lines.append(effect_row(effect, **here, **counts) | {"measured": measured})
            if rung.block == "total" and rung.model in ("between", "within"):
                left_out.append(used.left_out.assign(model=rung.model, term=term))
    if not effects:
        why = "; ".join(dict.fromkeys(line["reason"] for line in lines)) or "not measured"
        return untested(hypothesis, dataset, claim.null, why)
    return replace(
        untested(hypothesis, dataset, claim.null, ""),
        table=pd.DataFrame(lines),
        effects=effects,
        left_out=pd.concat(left_out, ignore_index=True) if left_out else pd.DataFrame(),
    )


def _rungs(
    sample: Sample, term: str, controls: tuple[str, ...], panel: pd.DataFrame, windows: Windows
) -> Iterator[Rung]:
    adjusted = (*controls, CLASSES)
    known = sample.rows[known_column(term)].notna()
    as_measured = sample.keep(known, f"{term} was not measured")
    yield Rung(NAIVE, "total", as_measured, (), (), term)
    yield Rung(SAME_PERIOD, "total", as_measured, ("period",), (), term)
    for block in PARTS:
        yield Rung("between", block, sample, ("period",), adjusted, term)
    for block in PARTS:
        yield Rung("within", block, sample, ("account_id", "period"), adjusted, term)
    earlier = placebo_rows(sample.rows, panel, windows=windows, predictor=term)
    before = Sample(earlier, sample.left_out)
    yield Rung("placebo", "total", before, ("period",), (*adjusted, f"earlier_{term}"), term)
    later = with_lead(sample, panel, term)
    held = (*adjusted, term)
    yield Rung("lead", "total", later, ("account_id", "period"), held, f"lead_{term}")


def _fit(rung: Rung, step: float) -> tuple[Effect, Sample]:
    """Fit a rung, and say on which rows."""
    part, sample = PARTS[rung.block], rung.sample
    if part.exposure:
        sample = sample.keep(sample.rows[part.exposure] > 0, "no newcomer to retain")
    sample = without_effects(sample, part.outcome, list(rung.effects))
    if reason := too_little(sample.rows, part.outcome):
        raise FitError(reason)
    # Rows in the order of the effect are summed fastest.
    rows = sample.rows.sort_values(list(rung.effects[:1]) or ["period"], kind="stable")
    x = _columns(rows, [*rung.effects[1:], *rung.held], rung.tested)
    apart = separated(rows[part.outcome].to_numpy(float), x)
    kept = Sample(rows, sample.left_out).keep(
        pd.Series(~apart, rows.index), "the model fits them perfectly"
    )
    rows, x = kept.rows, x[~apart]
    groups = codes(rows[rung.effects[0]]) if rung.effects else np.zeros(len(rows), int)
    offset = np.log(rows[part.exposure].to_numpy(float)) if part.exposure else None
    fit = absorbed_poisson(rows[part.outcome].to_numpy(float), x, groups, offset=offset)
    return fit.effect(-1, codes(rows["account_id"]), step=step), kept


def _columns(rows: pd.DataFrame, held: list[str], tested: str) -> np.ndarray:
    """What is held, classes as flags, and last the column whose effect is shown."""
    parts = [
        pd.get_dummies(rows[name], dtype=float).iloc[:, 1:] if name in (CLASSES, "period")
        else rows[[name]].astype(float)
        for name in held
    ]  # fmt: skip
    columns = [part.to_numpy() for part in parts]
    return np.asfortranarray(np.column_stack([*columns, rows[tested].to_numpy(float)]))


def codes(column: pd.Series) -> np.ndarray:
    """Number the values of a column in their order."""
    return np.unique(column.to_numpy(), return_inverse=True)[1]
