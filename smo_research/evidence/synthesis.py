"""The data sets together: the mean of an effect over sets with one outcome and one contrast."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from smo_research.errors import DataError, FitError
from smo_research.evidence.effects import Effect, Estimate
from smo_research.evidence.random_effects import RandomEffects, random_effects
from smo_research.evidence.result import Key, Result, effect_row, evidence_row
from smo_research.evidence.verdicts import TIMING, deciding

POOLED = "pooled"
MEAN, PREDICTION, HETEROGENEITY = "random effects", "prediction interval", "heterogeneity"
ALL, UNEXPLORED = "all sets", "without exploratory sets"


def pool(results: Iterable[Result], *, exploratory: Collection[str]) -> list[Result]:
    """Pool what decides in each data set over the sets, where outcome and contrast are the same.

    A mean is given from 3 sets, a prediction interval from 5. Where some of the sets are
    exploratory, all is given a second time without them. Of tests that several terms decide
    together (H1, H2) every term is pooled: the ones that verdicts name were chosen for their p.
    Not pooled are H2 where only timing is measured, types of post, which each set compares with
    a type of its own, and the contest, whose nats depend on the outcome.

    Parameters
    ----------
    results
        One a hypothesis and data set; those without a deciding effect are passed over. Their order
        does not matter.
    exploratory
        Names of the data sets that were looked at before the hypotheses were written down.

    Returns
    -------
    list of Result
        One a hypothesis and outcome, of the data set "pooled". By term and block the table has the
        models "random effects", "prediction interval" and "heterogeneity" (by unit: Q with its p,
        tau^2, I^2), or one row that says why there is no mean. None of these gets a verdict.

    Raises
    ------
    DataError
        When a data set comes twice for one hypothesis and outcome.
    """
    groups: dict[tuple[str, str, str], list[Result]] = {}
    for result in results:
        model, _ = deciding(result)
        if model:
            outcome = result.formula.partition("~")[0].strip()
            groups.setdefault((result.hypothesis, model, outcome), []).append(result)
    return [
        _pool_outcome(hypothesis, outcome, members, exploratory)
        for (hypothesis, _, outcome), members in sorted(groups.items(), key=lambda pair: pair[0])
    ]


@dataclass(frozen=True)
class _Member:
    """One effect in one data set, with what its row of the table says."""

    dataset: str
    effect: Estimate
    unit: str
    n_obs: int
    n_accounts: int
    reason: str


def _pool_outcome(
    hypothesis: str, outcome: str, results: list[Result], exploratory: Collection[str]
) -> Result:
    """Pool the terms of one hypothesis on one outcome."""
    results = sorted(results, key=lambda result: result.dataset)
    names = [result.dataset for result in results]
    if len(set(names)) < len(names):
        raise DataError(f"results must have each data set once for {hypothesis}, but came {names}.")
    terms: dict[tuple[str, str], list[_Member]] = {}
    for result in results:
        for term, member in _members(result).items():
            terms.setdefault((term, member.unit), []).append(member)
    rows: list[dict] = []
    effects: dict[Key, Effect] = {}
    notes: list[str] = []
    for (term, unit), members in sorted(terms.items()):
        kept = [member for member in members if member.dataset not in exploratory]
        blocks = {ALL: members} | ({UNEXPLORED: kept} if len(kept) < len(members) else {})
        for block, chosen in blocks.items():
            about = {"hypothesis": hypothesis, "dataset": POOLED, "block": block, "term": term}
            found, pooled = _pool_term(chosen, unit, about)
            rows += found
            if pooled is not None:
                effects[MEAN, block, term] = pooled.mean
                names = [
                    one.dataset + (f" left out, {one.reason}" if one.reason else "")
                    for one in chosen
                ]
                notes.append(f"{term}, {block}: {', '.join(names)}")
    return Result(
        hypothesis,
        POOLED,
        pd.DataFrame(rows),
        f"over data sets, the mean effect on {outcome} is none",
        formula=f"{outcome}: effect in a set = mean + set + error; REML, Hartung-Knapp (q >= 1)",
        effects=effects,
        data_hashes={
            f"{result.dataset}/{file}": digest
            for result in results
            for file, digest in result.data_hashes.items()
        },
        notes=tuple(notes),
        reason="" if effects else "; ".join(dict.fromkeys(row["reason"] for row in rows)),
    )


def _members(result: Result) -> dict[str, _Member]:
    """The deciding effects of a result by term, each with why it may not be pooled."""
    model, found = deciding(result)
    table = result.table
    rows = table[(table["model"] == model) & (table["block"] == "total")].set_index("term")
    members = {}
    for term, effect in found.items():
        row = rows.loc[term]
        members[term] = _Member(
            dataset=result.dataset,
            effect=effect,
            unit=str(row["unit"]),
            n_obs=int(row["n_obs"]),
            n_accounts=int(row["n_accounts"]),
            reason=_not_alike(result.hypothesis, model, term, set(found))
            or ("" if math.isfinite(effect.std_error) else "its error is not known"),
        )
    return members


def _not_alike(hypothesis: str, model: str, term: str, terms: set[str]) -> str:
    """Why an effect is not the same as those of other data sets, if it is not."""
    if model == "contest":
        return "nats per row depend on the outcome, which differs between sets"
    if term.startswith("type_"):
        return "each set compares with a type of its own"
    return "schedule only" if hypothesis == "H2" and terms <= TIMING else ""


def _pool_term(
    members: list[_Member], unit: str, about: dict[str, Any]
) -> tuple[list[dict], RandomEffects | None]:
    """Rows of one term and block, and the numbers behind them."""
    alike = [member for member in members if not member.reason]
    others = [member for member in members if member.reason]
    try:
        pooled = random_effects(
            [member.effect.estimate for member in alike],
            [member.effect.std_error for member in alike],
        )
    except FitError as error:
        told = [str(error)] if alike or not others else []
        for reason in dict.fromkeys(member.reason for member in others):
            names = ", ".join(member.dataset for member in others if member.reason == reason)
            told.append(f"not pooled, {reason}: {names}")
        return [evidence_row(**about, model=MEAN, unit=unit, reason="; ".join(told))], None
    about = about | {
        "n_obs": sum(member.n_obs for member in alike),
        "n_accounts": sum(member.n_accounts for member in alike),
    }
    ends: dict[str, Any]
    try:
        low, high = pooled.prediction()
        ends = {"ci_low": low, "ci_high": high}
    except FitError as error:
        ends = {"reason": str(error)}
    differ = about | {"model": HETEROGENEITY}
    low, high = pooled.tau2_low, pooled.tau2_high
    return [
        effect_row(pooled.mean, **about, model=MEAN, unit=unit),
        evidence_row(**about, model=PREDICTION, unit=unit, **ends),
        evidence_row(**differ, unit="Q", estimate=pooled.q, p_value=pooled.p_q),
        evidence_row(**differ, unit="tau^2", estimate=pooled.tau2, ci_low=low, ci_high=high),
        evidence_row(
            **differ,
            unit="I^2 (share)",
            estimate=pooled.i2,
            ci_low=pooled.share_of(low),
            ci_high=pooled.share_of(high),
        ),
    ], pooled
