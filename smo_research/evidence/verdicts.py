"""From results to verdicts: Holm over the declared family, the rule, the grade, the words."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from smo_research.evidence.effects import Effect, holm
from smo_research.evidence.hypotheses import grade, hypotheses, rule, tweaks_verdict, verdict
from smo_research.evidence.result import NUMBERS, VOCABULARY, Result, evidence_row

MAIN = {"H5": ("landmark", "total")}
CHECK = {"H5": ("negative control", "total")}
SPECIFICATIONS = "specification curve not run"


@dataclass(frozen=True)
class Decision:
    """What decides on one hypothesis in one data set, before the family is known."""

    term: str
    effect: Effect
    p: float
    p_equivalence: float
    p_minimal_effect: float


def deciding(result: Result) -> dict[str, Effect]:
    """Find the effects that a verdict rests on, by term: none where no model had a solution."""
    place = MAIN.get(result.hypothesis, ("between", "total"))
    return {term: effect for (*at, term), effect in result.effects.items() if tuple(at) == place}


def _why_undecided(result: Result) -> str:
    """Say why a result has no deciding effect."""
    place = MAIN.get(result.hypothesis, ("between", "total"))
    there = [(row.model, row.block) in (place, ("", "")) for row in result.table.itertuples()]
    return result.reason or "; ".join(dict.fromkeys(result.table.loc[there, "reason"]))


def decision(result: Result) -> Decision:
    """Find the deciding effect of a result.

    H2 is decided by its worst tweak: the one with the largest equivalence p, or, where some
    tweak is outside the bounds, by that one.
    """
    found = deciding(result)
    bound = rule().bound
    if result.hypothesis != "H2":
        term, effect = next(iter(found.items()))
        return Decision(term, effect, effect.p_difference, effect.p_equivalence(bound), math.nan)
    minimal = holm(
        {term: effect.p_minimal_effect(bound) for term, effect in found.items()},
        family=len(found),
    )
    equivalence = {term: effect.p_equivalence(bound) for term, effect in found.items()}
    outside = min(minimal, key=lambda term: minimal[term])
    worst = max(equivalence, key=lambda term: equivalence[term])
    term = outside if minimal[outside] < rule().level else worst
    return Decision(term, found[term], equivalence[worst], equivalence[worst], minimal[outside])


def judge(
    results: Iterable[Result],
    *,
    declared: Mapping[str, Iterable[str]],
    untestable: Mapping[tuple[str, str], str],
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
            if not deciding(result)
        ]
        tested = {result.dataset: result for result in ours if deciding(result)}
        if tested:
            family = len(set(declared.get(hypothesis, ())) | set(tested))
            rows += _judge_family(hypothesis, tested, family)
    table = pd.DataFrame(rows)
    table["detectable"] = table.get("detectable", pd.Series(math.nan, index=table.index))
    table[NUMBERS] = table[NUMBERS].astype(float)
    return table.sort_values(["hypothesis", "dataset"], ignore_index=True)[
        [*VOCABULARY, "detectable"]
    ]


def _judge_family(hypothesis: str, tested: dict[str, Result], family: int) -> list[dict]:
    decisions = {name: decision(result) for name, result in tested.items()}
    adjusted = {
        kind: holm({name: getattr(d, kind) for name, d in decisions.items()}, family=family)
        for kind in ("p", "p_equivalence", "p_minimal_effect")
    }
    rows = []
    for name, chosen in decisions.items():
        if hypothesis == "H2":
            outcome = tweaks_verdict(
                p_equivalence=adjusted["p_equivalence"][name],
                p_minimal_effect=adjusted["p_minimal_effect"][name],
                level=rule().level,
            )
        else:
            outcome = verdict(
                estimate=chosen.effect.estimate,
                p_difference=adjusted["p"][name],
                p_equivalence=adjusted["p_equivalence"][name],
                equivalence_unadjusted=chosen.p_equivalence,
                level=rule().level,
            )
        rows.append(_verdict_row(tested[name], chosen, outcome, adjusted, name))
    return rows


def _verdict_row(
    result: Result, chosen: Decision, outcome: str, adjusted: dict[str, dict[str, float]], name: str
) -> dict:
    decided_by = "p_equivalence" if outcome == "negligible" else "p"
    if outcome == "contradicted" and result.hypothesis == "H2":
        decided_by = "p_minimal_effect"
    low, high = chosen.effect.interval()
    model, block = MAIN.get(result.hypothesis, ("between", "total"))
    row = result.table.query("model == @model and block == @block and term == @chosen.term").iloc[0]
    mark, why = _grade(result, chosen, outcome)
    return evidence_row(
        hypothesis=result.hypothesis,
        dataset=result.dataset,
        model=model,
        block=block,
        term=chosen.term,
        estimate=chosen.effect.estimate,
        std_error=chosen.effect.std_error,
        ci_low=low,
        ci_high=high,
        p_value=getattr(chosen, decided_by),
        p_holm=adjusted[decided_by][name],
        unit=row["unit"],
        n_obs=row["n_obs"],
        n_accounts=row["n_accounts"],
        verdict=outcome,
        grade=mark,
        reason="; ".join(
            part for part in [_scope(result), carried_by(result, chosen), *why] if part
        ),
    ) | {"detectable": chosen.effect.detectable}


def _grade(result: Result, chosen: Decision, outcome: str) -> tuple[str, list[str]]:
    """Grade a verdict by the checks, and say what each check showed."""
    bound = rule().bound
    if result.hypothesis == "H5":
        control = result.effects.get((*CHECK["H5"], chosen.term))
        heard = control.loudness(bound) if control else "uninformative"
        agrees, quiet = heard == "quiet", False
        why = [f"the negative control is {heard}"]
    else:
        within = result.effects.get(("within", "total", chosen.term))
        placebo = result.effects.get(("placebo", "total", chosen.term))
        heard = placebo.loudness(bound) if placebo else "uninformative"
        agrees, quiet = _agrees(chosen, within, outcome), heard == "quiet"
        found = (
            "could not be fitted" if within is None else "agrees" if agrees else "does not agree"
        )
        why = [f"the within model {found}", f"the placebo is {heard}"]
    if outcome in ("inconclusive", "untestable"):
        return "", why
    why.append(SPECIFICATIONS)
    return grade(within_agrees=agrees, placebo_quiet=quiet, specifications_agree=False), why


def _agrees(chosen: Decision, within: Effect | None, outcome: str) -> bool:
    """Whether the within model alone would say the same."""
    if within is None:
        return False
    level = rule().level
    if outcome == "negligible":
        return within.p_equivalence(rule().bound) < level
    same_side = within.estimate * chosen.effect.estimate > 0
    return same_side and within.p_difference < level


def _scope(result: Result) -> str:
    return "schedule only" if result.hypothesis == "H2" else ""


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
