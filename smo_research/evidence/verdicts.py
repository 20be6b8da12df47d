"""From results to verdicts: Holm over the declared family, the rule, the grade, the words."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import pandas as pd

from smo_research.evidence.effects import Estimate, holm, loudness
from smo_research.evidence.few import WildBootstrap
from smo_research.evidence.hypotheses import (
    alone,
    grade,
    hypotheses,
    rule,
    tweaks_verdict,
    verdict,
)
from smo_research.evidence.result import NUMBERS, VOCABULARY, Result, evidence_row

if TYPE_CHECKING:
    from smo_research.evidence.curve import SpecificationCurve

# By hypothesis, data set and term.
Curves: TypeAlias = Mapping[tuple[str, str, str], "SpecificationCurve"]
MODELS = ("between", "landmark", "cross-section", "contest", "posts")
TIMING = {"schedule_focus", "burstiness", "cadence"}
NO_CURVE = "there is no specification curve"


@dataclass(frozen=True)
class Decision:
    """What decides on one hypothesis in one data set, before the family is known."""

    model: str
    term: str
    effect: Estimate
    p: float
    p_equivalence: float
    p_minimal_effect: float


def deciding(result: Result) -> tuple[str, dict[str, Estimate]]:
    """Find the model that decides and its effects by term: none where it has no solution."""
    for model in () if result.reason else MODELS:
        found = {
            term: effect
            for (name, block, term), effect in result.effects.items()
            if (name, block) == (model, "total")
        }
        if found:
            return model, found
    return "", {}


def _why_undecided(result: Result) -> str:
    """Say why a result has no deciding effect."""
    there = result.table["model"].isin(["", *MODELS]) & result.table["block"].isin(["", "total"])
    return result.reason or "; ".join(dict.fromkeys(result.table.loc[there, "reason"]))


def decision(result: Result) -> Decision:
    """Find what decides on a result.

    H1 is decided by its tweaks together, H2 by its worst tweak (the one with the largest
    equivalence p, or, where some tweak is outside the bounds, that one), H6 by volume where
    nobody is answered and its interaction with answering, the others by their one term.
    """
    model, found = deciding(result)
    bound = result.bound
    term, effect = next(iter(found.items()))
    equivalence = {name: one.p_equivalence(bound) for name, one in found.items()}
    worst = max(equivalence, key=lambda name: equivalence[name])
    if result.hypothesis == "H1":
        p = 1.0 if result.joint_p is None else result.joint_p
        largest = min(found, key=lambda name: found[name].p_difference)
        return Decision(model, largest, found[largest], p, equivalence[worst], math.nan)
    if result.hypothesis == "H6":
        beside = found["volume_times_replies"]
        p = max(equivalence[term], beside.p_difference if beside.estimate > 0 else 1.0)
        return Decision(model, term, effect, p, 1.0, effect.p_minimal_effect(bound))
    if result.hypothesis != "H2":
        return Decision(model, term, effect, effect.p_difference, equivalence[term], math.nan)
    minimal = holm(
        {name: one.p_minimal_effect(bound) for name, one in found.items()}, family=len(found)
    )
    outside = min(minimal, key=lambda name: minimal[name])
    chosen = outside if minimal[outside] < rule().level else worst
    return Decision(
        model, chosen, found[chosen], equivalence[worst], equivalence[worst], minimal[outside]
    )


def judge(
    results: Iterable[Result],
    *,
    declared: Mapping[str, Iterable[str]],
    untestable: Mapping[tuple[str, str], str],
    curves: Curves | None = None,
) -> pd.DataFrame:
    """Give every (hypothesis, data set) pair its verdict.

    Parameters
    ----------
    results
        One a hypothesis and data set that was run.
    declared
        By hypothesis, the data sets that the catalogue declares testable for it: the family of
        Holm's adjustment, whether they were run or not.
    untestable
        By (hypothesis, data set), why it was not tested.
    curves
        Specification curves, for the grade; without one a grade is B at most.

    Returns
    -------
    pandas.DataFrame
        One row a pair, in the vocabulary, with `detectable`: the smallest effect, on the
        scale of `estimate`, that this data would have found in 80 of 100 samples.
    """
    results = list(results)
    rows = [
        evidence_row(hypothesis=h, dataset=d, verdict="untestable", reason=reason)
        for (h, d), reason in untestable.items()
    ]
    for hypothesis in hypotheses():
        ours = [result for result in results if result.hypothesis == hypothesis]
        rows += [
            evidence_row(
                hypothesis=hypothesis,
                dataset=result.dataset,
                verdict="untestable",
                reason=_why_undecided(result),
            )
            for result in ours
            if not deciding(result)[1]
        ]
        tested = {result.dataset: result for result in ours if deciding(result)[1]}
        if tested:
            family = len(set(declared.get(hypothesis, ())) | set(tested))
            rows += _judge_family(hypothesis, tested, family, curves or {})
    table = pd.DataFrame(rows)
    table["detectable"] = table.get("detectable", pd.Series(math.nan, index=table.index))
    table[NUMBERS] = table[NUMBERS].astype(float)
    return table.sort_values(["hypothesis", "dataset"], ignore_index=True)[
        [*VOCABULARY, "detectable"]
    ]


def _judge_family(
    hypothesis: str, tested: dict[str, Result], family: int, curves: Curves
) -> list[dict]:
    decisions = {name: decision(result) for name, result in tested.items()}
    adjusted = {
        kind: holm({name: getattr(d, kind) for name, d in decisions.items()}, family=family)
        for kind in ("p", "p_equivalence", "p_minimal_effect")
    }
    rows = []
    for name, chosen in decisions.items():
        own = {kind: values[name] for kind, values in adjusted.items()}
        outcome, decided_by = _outcome(tested[name], chosen, own)
        curve = curves.get((hypothesis, name, chosen.term))
        mark, why = _grade(tested[name], chosen, outcome, curve)
        row = _verdict_row(tested[name], chosen, outcome, decided_by, own[decided_by], why)
        rows.append(row | {"grade": mark})
    return rows


def _outcome(result: Result, chosen: Decision, adjusted: dict[str, float]) -> tuple[str, str]:
    """The verdict, and the p-value that decided it."""
    level = rule().level
    if result.hypothesis in ("H2", "H6"):
        said = tweaks_verdict(
            p_equivalence=adjusted["p"],
            p_minimal_effect=adjusted["p_minimal_effect"],
            level=level,
        )
        if said == "contradicted":
            return said, "p_minimal_effect"
        shown = said == "negligible" and result.hypothesis == "H6"
        return ("supported" if shown else said), "p"
    outcome = verdict(
        estimate=chosen.effect.estimate,
        p_difference=adjusted["p"],
        p_equivalence=adjusted["p_equivalence"],
        equivalence_unadjusted=chosen.p_equivalence,
        level=level,
    )
    if outcome == "negligible":
        return outcome, "p_equivalence"
    if result.hypothesis == "H1" and outcome == "contradicted":
        outcome = "supported"
    if outcome == "supported" and not result.passes:
        outcome = "inconclusive"
    return outcome, "p"


def _verdict_row(
    result: Result, chosen: Decision, outcome: str, decided_by: str, p_holm: float, why: list[str]
) -> dict:
    low, high = chosen.effect.interval()
    of_term = (result.table["model"] == chosen.model) & (result.table["term"] == chosen.term)
    row = result.table[of_term & (result.table["block"] == "total")].iloc[0]
    said = [*result.notes, _scope(result), carried_by(result, chosen), *why]
    return evidence_row(
        hypothesis=result.hypothesis,
        dataset=result.dataset,
        model=chosen.model,
        block="total",
        term=chosen.term,
        estimate=chosen.effect.estimate,
        std_error=chosen.effect.std_error,
        ci_low=low,
        ci_high=high,
        p_value=getattr(chosen, decided_by),
        p_holm=p_holm,
        unit=row["unit"],
        n_obs=row["n_obs"],
        n_accounts=row["n_accounts"],
        verdict=outcome,
        reason="; ".join(part for part in said if part),
    ) | {"detectable": chosen.effect.detectable}


def _grade(
    result: Result, chosen: Decision, outcome: str, curve: SpecificationCurve | None
) -> tuple[str, list[str]]:
    """Grade a verdict by the checks, and say what each check showed."""
    agrees, quiet, why = False, False, []
    checks = {
        name: result.effects.get((name, "total", chosen.term))
        for name in ("within", "lead", "placebo", "negative control")
    }
    if chosen.model == "between" and result.hypothesis != "H6":
        agrees, said = _within_agrees(result, chosen, outcome, checks["within"], checks["lead"])
        why.append(said)
    for name in ("placebo", "negative control"):
        check = checks[name]
        if check is None:
            continue
        heard = loudness(check, result.bound)
        why.append(f"the {name} is {heard}")
        if name == "placebo":
            quiet = heard == "quiet"
        else:
            agrees = heard == "quiet"
    same = curve.agreement(outcome, sign=chosen.effect.estimate) if curve else math.nan
    if curve and not math.isnan(same):
        why.append(f"{same:.0%} of {len(curve.fitted)} specifications say the same")
    else:
        why.append(NO_CURVE)
    if outcome == "inconclusive":
        return "", why
    few = isinstance(chosen.effect, WildBootstrap) or chosen.model == "cross-section"
    mark = grade(
        within_agrees=agrees,
        placebo_quiet=quiet,
        specifications_agree=curve is not None
        and len(curve.fitted) >= rule().fewest_specifications
        and same >= rule().specifications_agree,
    )
    return "C" if few else mark, why


def _within_agrees(
    result: Result,
    chosen: Decision,
    outcome: str,
    within: Estimate | None,
    lead: Estimate | None,
) -> tuple[bool, str]:
    """Whether the within model says the same, and may be asked: its lead must predict nothing."""
    if within is None:
        return False, "the within model was not fitted"
    if lead is not None and lead.p_difference < rule().level:
        return False, "the within model is barred, since the predictor's lead predicts too"
    agrees = alone(result.hypothesis, within, bound=result.bound) == outcome
    agrees &= result.hypothesis != "H2" or within.estimate * chosen.effect.estimate > 0
    return agrees, f"the within model {'agrees' if agrees else 'does not agree'}"


def _scope(result: Result) -> str:
    terms = {term for _, _, term in result.effects}
    return "schedule only" if result.hypothesis == "H2" and terms <= TIMING else ""


def carried_by(result: Result, chosen: Decision) -> str:
    """Say which part carries the total: discovery (coming) or retention (lasting)."""
    parts = {
        block: result.effects[("between", block, chosen.term)]
        for block in ("discovery", "retention")
        if ("between", block, chosen.term) in result.effects
    }
    clear = [name for name, effect in parts.items() if effect.p_difference < rule().level]
    if not parts:
        return ""
    if len(clear) == 1:
        return f"{clear[0]} carries it (ratio {math.exp(parts[clear[0]].estimate):.2f})"
    return "both parts carry it" if clear else "neither part alone differs from none"
