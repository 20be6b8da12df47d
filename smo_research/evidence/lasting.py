"""Do tweaks, answering, past answering predict lasting newcomers? (H2, H3, H7)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import pandas as pd

from smo_research.errors import FitError
from smo_research.evidence.effects import Estimate
from smo_research.evidence.few import DRAWS, FEW, seed_for
from smo_research.evidence.hypotheses import contrast, hypotheses, rule
from smo_research.evidence.linearised import of_fit
from smo_research.evidence.models import Fit, poisson
from smo_research.evidence.negative_binomial import NegativeBinomialFit, negative_binomial
from smo_research.evidence.result import Key, Result, effect_row, evidence_row, untested
from smo_research.evidence.robustness import placebo_lag, placebo_rows, with_lead
from smo_research.evidence.samples import (
    ADJUSTMENT,
    Sample,
    growth_sample,
    known_column,
    numbered,
    out_of_reach,
    too_little,
    tweak_terms,
    without_effects,
)
from smo_research.tables import Windows

EFFECTS = {"between": ["period"], "within": ["account_id", "period"]}
CHECKS = {"negative binomial": "between", "placebo": "between", "lead": "within"}


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
    only: Collection[tuple[str, str]] | None = None,
    seed: int = 1,
    draws: int = DRAWS,
) -> Result:
    """Test what predicts the newcomers who last.

    Poisson regression of lasting_audience on the predictor and the adjustment set, with period
    effects (between) and with account and period effects (within), errors clustered by account;
    the same for its two parts, discovery (new_audience) and retention (lasting per newcomer);
    and three checks of the total: the between model as negative binomial, a placebo (the outcome
    of an earlier row), and the predictor's lead in the within model.

    What is held fixed includes how many write now and have lately. So an effect through being
    discovered that an account has had all along is partly held fixed too, and effects of steady
    habits lean toward none; past answering (H7) leans below none where answering draws newcomers,
    and a little where it does not, for how many of those who wrote in the past were newcomers is
    not held fixed (if it is, nothing of that is left). So an effect of it at the bound may pass
    for negligible. `smo calibrate` measures all this ("steady-tricks", "steady-answering",
    "drawing-answers", "bound-past").

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
    only
        Fit these models of these parts alone, as ("between", "total"), which decides.
    seed, draws
        Of the wild bootstrap, which stands in for the clustered errors under 50 accounts.

    Returns
    -------
    Result
        Effects in ln rate ratios per stated contrast; a model that cannot be fitted is a row
        with the reason. `left_out` says for each model which rows it did not use.

    Examples
    --------
    >>> import smo_research as smo
    >>> village = smo.scenario("conversation").turned(accounts=60, periods=30, turns=0.3)
    >>> rows = smo.panel(smo.simulate(village, seed=1).interactions, windows=village.windows)
    >>> result = smo.lasting_growth(rows, "H3", windows=village.windows, dataset="village",
    ...                             only=[("between", "total")])
    >>> low, high = result.table[["ci_low", "ci_high"]].iloc[0]
    >>> bool(low < village.answering_on_discovery < high)
    True
    """
    claim = hypotheses()[hypothesis]
    panel = numbered(panel)
    sample = growth_sample(panel, hypothesis, windows=windows)
    reason = too_little(sample.rows, "lasting_audience")
    if reason:
        return untested(hypothesis, dataset, claim.null, reason)

    known = sample.rows.columns[sample.rows.notna().any()]
    terms = [name for name in claim.terms if known_column(name) in known]
    tables: list[pd.DataFrame] = []
    effects: dict[Key, Estimate] = {}
    formulas: dict[str, str] = {}
    left_out: list[pd.DataFrame] = []
    reasons: list[str] = []
    unfitted: list[str] = []
    for term in terms:
        reason = out_of_reach(sample.rows, known_column(term), term)
        if reason:
            reasons.append(reason)
            row = evidence_row(hypothesis=hypothesis, dataset=dataset, term=term, reason=reason)
            tables.append(pd.DataFrame([row]))
            continue
        tested = _test_term(sample, hypothesis, term, dataset, panel, windows, only, (seed, draws))
        tables.append(tested.table)
        left_out += tested.left_out
        unfitted += tested.reasons
        effects |= tested.effects
        formulas[term] = tested.formula
    if not effects:
        reason = "; ".join(dict.fromkeys([*reasons, *unfitted])) or "not measured"
        return untested(hypothesis, dataset, claim.null, reason)
    return Result(
        hypothesis=hypothesis,
        dataset=dataset,
        table=pd.concat(tables, ignore_index=True),
        null_hypothesis=claim.null,
        formula="\n".join(dict.fromkeys(formulas.values())),
        effects=effects,
        left_out=pd.concat(left_out, ignore_index=True),
        notes=tuple(f"not judged: {reason}" for reason in reasons),
        data_hashes=dict(data_hashes or {}),
    )


def _right_hand_side(rows: pd.DataFrame, hypothesis: str, term: str) -> list[str]:
    if hypothesis == "H2":
        return [*tweak_terms(rows, (term,)), "answering", *ADJUSTMENT]
    held = ["answering"] if hypothesis == "H7" else []
    return [term, *held, *ADJUSTMENT, *tweak_terms(rows)]


@dataclass(frozen=True, eq=False)
class Plan:
    """A model of a part: on which rows, and the column whose effect is shown."""

    model: str
    block: str
    sample: Sample
    tested: str
    beside: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Findings:
    """What all models say of one term."""

    table: pd.DataFrame
    effects: dict[Key, Estimate]
    formula: str
    left_out: list[pd.DataFrame]
    reasons: list[str]


def _plans(sample: Sample, term: str, panel: pd.DataFrame, windows: Windows) -> list[Plan]:
    plans = [Plan(model, block, sample, term) for model in EFFECTS for block in PARTS]
    lagged = placebo_rows(sample.rows, panel, windows=windows, predictor=term)
    known = pd.MultiIndex.from_frame(lagged[["account_id", "period"]])
    has_earlier = pd.MultiIndex.from_frame(sample.rows[["account_id", "period"]]).isin(known)
    kept = sample.keep(
        pd.Series(has_earlier, sample.rows.index), f"no row {placebo_lag(windows)} periods before"
    )
    checks = {
        "negative binomial": (sample, term, ()),
        "placebo": (Sample(lagged, kept.left_out), term, (f"earlier_{term}",)),
        "lead": (with_lead(sample, panel, term), f"lead_{term}", ()),
    }
    return plans + [Plan(name, "total", *checks[name]) for name in CHECKS]


def _test_term(
    sample: Sample,
    hypothesis: str,
    term: str,
    dataset: str,
    panel: pd.DataFrame,
    windows: Windows,
    only: Collection[tuple[str, str]] | None,
    drawn: tuple[int, int],
) -> Findings:
    """Fit every model of one term: models by parts, and the checks."""
    step = contrast(term)
    label = {
        "hypothesis": hypothesis,
        "dataset": dataset,
        "term": term,
        "unit": f"ln ratio per +{step:g}",
    }
    lines, left_out = [], []
    reasons: list[str] = []
    effects: dict[Key, Estimate] = {}
    deciding: Fit | None = None
    for plan in _plans(sample, term, panel, windows):
        if only is not None and (plan.model, plan.block) not in only:
            continue
        here = label | {"model": plan.model, "block": plan.block}
        try:
            fit, used = _fit(plan, hypothesis, term, start=deciding)
            effect = _effect(fit, plan, hypothesis, term, dataset, drawn)
        except FitError as error:
            lines.append(evidence_row(**here, reason=str(error)))
            reasons.append(str(error))
            continue
        effects[plan.model, plan.block, term] = effect
        lines.append(effect_row(effect, **here, n_obs=fit.n_obs, n_accounts=fit.n_accounts))
        place = {"model": plan.model, "block": plan.block, "term": term}
        left_out.append(_left_out(used, fit).assign(**place)[[*place, *used.left_out]])
        if isinstance(fit, Fit) and (plan.model, plan.block) == ("between", "total"):
            deciding = fit
    formula = deciding.formula if deciding else ""
    return Findings(pd.DataFrame(lines), effects, formula, left_out, reasons)


def _fit(
    plan: Plan, hypothesis: str, term: str, *, start: Fit | None
) -> tuple[Fit | NegativeBinomialFit, Sample]:
    """Fit a model, and say on which rows."""
    sample, part = plan.sample, PARTS[plan.block]
    by = EFFECTS[CHECKS.get(plan.model, plan.model)]
    if part.exposure:
        sample = sample.keep(sample.rows[part.exposure] > 0, "no newcomer to retain")
    sample = without_effects(sample, part.outcome, by)
    rows = sample.rows
    reason = too_little(rows, part.outcome)
    if reason:
        raise FitError(reason)
    terms = _terms(rows, plan, hypothesis, term)
    if term not in terms:
        raise FitError(f"{term} is known in under {rule().fewest_rows} rows of this model")
    if plan.model == "negative binomial":
        return negative_binomial(rows, part.outcome, terms, effect=by[0], start=start), sample
    return poisson(rows, part.outcome, terms, effects=by, exposure=part.exposure), sample


def _terms(rows: pd.DataFrame, plan: Plan, hypothesis: str, term: str) -> list[str]:
    lead = [plan.tested] if plan.tested != term else []
    return [*lead, *_right_hand_side(rows, hypothesis, term), *plan.beside]


def _effect(
    fit: Fit | NegativeBinomialFit,
    plan: Plan,
    hypothesis: str,
    term: str,
    dataset: str,
    drawn: tuple[int, int],
) -> Estimate:
    """The effect of a contrast; with few accounts its error is the wild bootstrap's."""
    step = contrast(term)
    if fit.n_accounts >= FEW or not isinstance(fit, Fit):
        return fit.effect(plan.tested, step)
    others = [one for one in _terms(fit.rows, plan, hypothesis, term) if one != plan.tested]
    seed, draws = drawn
    return of_fit(
        fit,
        PARTS[plan.block].outcome,
        plan.tested,
        others,
        EFFECTS[CHECKS.get(plan.model, plan.model)],
        rng=seed_for(seed, dataset, hypothesis, term, plan.model, plan.block),
        step=step,
        draws=draws,
    )


def _left_out(sample: Sample, fit: Fit | NegativeBinomialFit) -> pd.DataFrame:
    """What was left out before a fit, and in it."""
    rows = len(sample.rows) - fit.n_obs
    if not rows:
        return sample.left_out
    accounts = sample.rows["account_id"].nunique() - fit.n_accounts
    line = {"reason": "the model fits them perfectly", "rows": rows, "accounts": accounts}
    return pd.DataFrame([*sample.left_out.to_dict("records"), line])
