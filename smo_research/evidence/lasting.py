"""Do tweaks, answering, past answering predict lasting newcomers? (H2, H3, H7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from smo_research.errors import FitError
from smo_research.evidence.effects import Effect
from smo_research.evidence.hypotheses import contrast, hypotheses, rule
from smo_research.evidence.models import Fit, poisson
from smo_research.evidence.result import Key, Result, effect_row, evidence_row, untested
from smo_research.evidence.robustness import placebo_rows
from smo_research.evidence.samples import (
    ADJUSTMENT,
    TWEAKS,
    Sample,
    growth_sample,
    numbered,
    out_of_reach,
    too_little,
    tweak_terms,
    whole,
    without_effects,
)
from smo_research.tables import Windows

EFFECTS = {"between": ["period"], "within": ["account_id", "period"]}


@dataclass(frozen=True)
class Part:
    """A part of lasting growth: its outcome, per unit of what."""

    outcome: str
    exposure: str | None = None


PARTS = {
    "total": Part("lasting_audience"),
    "discovery": Part("new_audience"),
    "retention": Part("lasting_audience", exposure="new_audience"),
}


def lasting_growth(
    panel: pd.DataFrame,
    hypothesis: str,
    *,
    windows: Windows,
    dataset: str,
    data_hashes: Mapping[str, str] | None = None,
) -> Result:
    """Test what predicts the newcomers who last.

    Poisson regression of lasting_audience on the predictor and the adjustment set, with period
    effects (between) and with account and period effects (within), errors clustered by account;
    the same for its two parts, discovery (new_audience) and retention (lasting per newcomer);
    and a placebo, the outcome of an earlier row.

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
    data_hashes
        File name to sha256 of the raw data.

    Returns
    -------
    Result
        Effects in ln rate ratios per stated contrast; a model that cannot be fitted is a row
        with the reason.
    """
    claim = hypotheses()[hypothesis]
    panel = numbered(panel)
    sample = growth_sample(panel, hypothesis, windows=windows)
    limits = {
        "fewest_rows": rule().fewest_rows,
        "fewest_accounts": rule().fewest_accounts,
    }
    reason = too_little(sample.rows, "lasting_audience", **limits)
    if reason:
        return untested(hypothesis, dataset, claim.null, reason)

    terms = [name for name in claim.terms if sample.rows[_known(name)].notna().any()]
    tables: list[pd.DataFrame] = []
    effects: dict[Key, Effect] = {}
    formulas: dict[str, str] = {}
    reasons: list[str] = []
    for term in terms:
        reason = out_of_reach(sample.rows, _known(term), term)
        if reason:
            reasons.append(reason)
            row = evidence_row(hypothesis=hypothesis, dataset=dataset, term=term, reason=reason)
            tables.append(pd.DataFrame([row]))
            continue
        table, found, formula = _test_term(sample, hypothesis, term, dataset, panel, windows)
        tables.append(table)
        effects |= found
        formulas[term] = formula
    if not effects:
        return untested(hypothesis, dataset, claim.null, "; ".join(reasons) or "not measured")
    fitted = without_effects(sample, "lasting_audience", EFFECTS["between"])
    return Result(
        hypothesis=hypothesis,
        dataset=dataset,
        table=pd.concat(tables, ignore_index=True),
        null_hypothesis=claim.null,
        formula="\n".join(dict.fromkeys(formulas.values())),
        effects=effects,
        left_out=fitted.left_out,
        notes=tuple(f"not judged: {reason}" for reason in reasons),
        data_hashes=dict(data_hashes or {}),
    )


def _known(term: str) -> str:
    """The column that says where a term was measured, not filled in."""
    return f"{term}_known" if term in TWEAKS else term


def _right_hand_side(rows: pd.DataFrame, hypothesis: str, term: str) -> list[str]:
    if hypothesis == "H2":
        return [*tweak_terms(rows, (term,)), "answering", *ADJUSTMENT]
    held = ["answering"] if hypothesis == "H7" else []
    return [term, *held, *ADJUSTMENT, *tweak_terms(rows)]


def _test_term(
    sample: Sample,
    hypothesis: str,
    term: str,
    dataset: str,
    panel: pd.DataFrame,
    windows: Windows,
) -> tuple[pd.DataFrame, dict[Key, Effect], str]:
    """Fit every model of one term: models by parts, and the placebo."""
    step = contrast(term)
    label = {
        "hypothesis": hypothesis,
        "dataset": dataset,
        "term": term,
        "unit": f"ln ratio per +{step:g}",
    }
    lines, effects, formula = [], {}, ""
    plans = [(model, block, sample, part) for model in EFFECTS for block, part in PARTS.items()]
    lagged = whole(placebo_rows(sample.rows, panel, windows=windows, predictor=term))
    plans.append(("placebo", "total", lagged, PARTS["total"]))
    for model, block, rows, part in plans:
        here = label | {"model": model, "block": block}
        try:
            fit = _fit(rows, part, hypothesis, term, EFFECTS.get(model, EFFECTS["between"]))
        except FitError as error:
            lines.append(evidence_row(**here, reason=str(error)))
            continue
        effect = fit.effect(term, step)
        effects[model, block, term] = effect
        lines.append(effect_row(effect, **here, n_obs=fit.n_obs, n_accounts=fit.n_accounts))
        if (model, block) == ("between", "total"):
            formula = fit.formula
    return pd.DataFrame(lines), effects, formula


def _fit(sample: Sample, part: Part, hypothesis: str, term: str, by: list[str]) -> Fit:
    if part.exposure:
        sample = sample.keep(sample.rows[part.exposure] > 0, "no newcomer to retain")
    sample = without_effects(sample, part.outcome, by)
    reason = too_little(
        sample.rows,
        part.outcome,
        fewest_rows=rule().fewest_rows,
        fewest_accounts=rule().fewest_accounts,
    )
    if reason:
        raise FitError(reason)
    terms = _right_hand_side(sample.rows, hypothesis, term)
    terms += [name for name in (f"earlier_{term}",) if name in sample.rows]
    return poisson(
        sample.rows,
        part.outcome,
        terms,
        effects=by,
        exposure=part.exposure,
    )
