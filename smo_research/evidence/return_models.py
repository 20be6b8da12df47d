"""H5 from every side: what decides, the codings that mislead, the time since the answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from smo_research.errors import FitError
from smo_research.evidence.comeback import TERMS, comparable, return_when_answered
from smo_research.evidence.cox import cox
from smo_research.evidence.effects import Estimate
from smo_research.evidence.exposure import (
    SINCE_THE_ANSWER,
    by_delay,
    follow,
    intervals,
    naive_codings,
)
from smo_research.evidence.hypotheses import rule
from smo_research.evidence.models import poisson
from smo_research.evidence.result import Key, Result, effect_row, evidence_row
from smo_research.evidence.returning import fewest_people, first_contacts
from smo_research.evidence.samples import hardly_varies, numbered, too_little, whole
from smo_research.tables import Windows

CONTROLS = TERMS[1:]
# Model: exposure, outcome, block. Without a landmark the two cannot share one outcome.
NAIVE = {
    "naive: ever answered": ("ever_answered", "returned", "back weeks later"),
    "naive: answered before returning": ("answered_before", "back", "back at any time"),
}
COX = {"model": "time-varying Cox", "block": "since the answer"}
DELAY = {"model": "landmark", "block": "by delay"}
# Lines, effects, and the people whom each compares.
Fitted = tuple[list[dict[str, Any]], dict[Key, Estimate], dict[Key, int]]


def return_models(
    interactions: pd.DataFrame,
    *,
    windows: Windows,
    dataset: str,
    contacts: pd.DataFrame | None = None,
    data_hashes: Mapping[str, str] | None = None,
) -> Result:
    """Set what decides on H5 beside what misleads, and beside what it is made of.

    What decides, and its negative control, are those of `return_when_answered`. For teaching,
    on the same first contacts in the same Poisson regression, two naive codings of "answered",
    biased in opposite directions where answering does nothing. *Ever answered*, at any time up
    to the horizon: who comes back is answered then. *Answered before returning*: who is back at
    once had no time to be answered. Then a Cox model of the next act, stratified by account and
    split by time since the answer: the first day is mostly the same conversation going on.
    Last, the landmark model by how soon the answer came.

    Parameters
    ----------
    interactions
        The canonical table.
    windows
        gap and horizon, in days.
    dataset
        Its name, for the table.
    contacts
        As `first_contacts` returns them, where they are at hand.
    data_hashes
        File name to sha256 of the raw data.

    Returns
    -------
    Result
        Only block "total" of model "landmark" decides. The others: "back weeks later" and "back
        at any time" (naive), "since the answer" (ln hazard ratios against not answered yet,
        n_obs counts contacts), "by delay" (ln risk ratios against not answered, and the trend).

    Raises
    ------
    DataError
        When the windows leave no time, or the contacts are not from the table.

    Examples
    --------
    >>> import smo_research as smo
    >>> null = smo.scenario("null").turned(accounts=60, periods=20)
    >>> log = smo.simulate(null, seed=1).interactions
    >>> table = smo.return_models(log, windows=null.windows, dataset="null").table
    >>> found = table.drop_duplicates("model").set_index("model")["ci_low"] > 0
    >>> found[["landmark", "naive: ever answered"]].tolist()  # nothing was planted
    [False, True]
    """
    if contacts is None:
        contacts = first_contacts(interactions, windows=windows)
    decides = return_when_answered(contacts, dataset=dataset, data_hashes=data_hashes)
    if decides.reason:
        return decides
    rows = numbered(contacts, ("account_id", "contact_id"))
    rows = rows.astype(dict.fromkeys(["answered", "returned", "elsewhere"], int))
    times = follow(interactions, contacts)
    about = {"hypothesis": "H5", "dataset": dataset}
    lines: list[dict[str, Any]] = []
    effects, people = dict(decides.effects), dict(decides.people)
    for more, found, who in (
        _naive(rows, times, windows, about),
        _since_the_answer(rows, times, windows, about),
        _by_delay(rows, windows, about),
    ):
        lines += more
        effects |= found
        people |= who
    table = pd.concat([decides.table, pd.DataFrame(lines)], ignore_index=True)
    return replace(decides, table=table, effects=effects, people=people)


def _naive(
    rows: pd.DataFrame, times: pd.DataFrame, windows: Windows, about: dict[str, str]
) -> Fitted:
    """The codings that look ahead: each a risk ratio as in the landmark model."""
    rows = rows.join(naive_codings(times, windows=windows))
    lines: list[dict[str, Any]] = []
    effects: dict[Key, Estimate] = {}
    people: dict[Key, int] = {}
    for model, (exposure, outcome, block) in NAIVE.items():
        coded = rows.assign(answered=rows[exposure])
        here = about | {"model": model, "block": block}
        more, found, who = _risk_ratios(coded, outcome, ["answered"], here)
        lines += more
        effects |= found
        people |= who
    return lines, effects, people


def _by_delay(rows: pd.DataFrame, windows: Windows, about: dict[str, str]) -> Fitted:
    """The landmark model with `answered` split by delay, and the trend among the answered."""
    about = about | DELAY
    classes = by_delay(rows, windows=windows)
    hours = rows["answer_delay_hours"].where(rows["answered"] == 1, 0.0)
    rows = rows.join(classes).assign(answer_delay=np.log2(1 + hours))
    lines, effects, people = _risk_ratios(rows, "returned", list(classes), about)
    both, found, who = _risk_ratios(rows, "returned", ["answer_delay", "answered"], about)
    trend: Key = (about["model"], about["block"], "answer_delay")
    if trend in found:
        effects[trend] = found[trend]
        both[0]["unit"] = "ln ratio per doubling of 1 + hours"
        people[trend] = who[trend]
    return [*lines, both[0]], effects, people


def _risk_ratios(
    rows: pd.DataFrame, outcome: str, terms: list[str], about: dict[str, str]
) -> Fitted:
    """Poisson with account effects: one row a term, with why where it has no number."""
    sample = comparable(whole(rows), outcome).rows
    fewest = rule().fewest_accounts
    reasons = {term: hardly_varies(sample, term, fewest_accounts=fewest) for term in terms}
    # The fit is refused where its first term is separated, so the commonest goes first.
    order = sorted(terms, key=lambda term: (reasons[term] != "", -(sample[term] > 0).sum()))
    try:
        reason = too_little(sample, outcome) or reasons[order[0]]
        if reason:
            raise FitError(reason)
        fit = poisson(
            sample,
            outcome,
            [*order, *CONTROLS],
            effects=["account_id"],
            cluster=["account_id", "contact_id"],
        )
    except FitError as error:
        return [evidence_row(**about, term=term, reason=str(error)) for term in terms], {}, {}
    counts = {"n_obs": fit.n_obs, "n_accounts": fit.n_accounts}
    lines: list[dict[str, Any]] = []
    effects: dict[Key, Estimate] = {}
    people: dict[Key, int] = {}
    for term in terms:
        lost = "" if term in fit.coefficients else f"{term} is separated or repeats others"
        reason = reasons[term] or lost
        if reason:
            lines.append(evidence_row(**about, term=term, reason=reason))
            continue
        key = about["model"], about["block"], term
        effects[key] = fit.effect(term)
        people[key] = fewest_people(sample["contact_id"], sample[term] > 0, sample[outcome])
        lines.append(
            effect_row(effects[key], **about, term=term, unit="ln ratio if answered", **counts)
        )
    return lines, effects, people


def _since_the_answer(
    rows: pd.DataFrame, times: pd.DataFrame, windows: Windows, about: dict[str, str]
) -> Fitted:
    """Cox regression of the next act, by time since the answer, stratified by account."""
    about = about | COX
    cut, stretches, reasons = since_rows(rows, times, windows=windows)
    accounts = cut["account_id"]
    varies = cut.groupby("account_id")[CONTROLS].nunique().gt(1).any()
    try:
        reason = too_little(cut, "acted_again")
        if reason:
            raise FitError(reason)
        fit = cox(
            cut["start_days"],
            cut["stop_days"],
            cut["acted_again"],
            cut[[*stretches, *varies.index[varies]]],
            strata=accounts,
            cluster=accounts,
        )
    except FitError as error:
        why = str(error)
        return [evidence_row(**about, term=term, reason=why) for term in SINCE_THE_ANSWER], {}, {}
    counts = {
        "n_obs": len(cut.drop_duplicates(["account_id", "contact_id"])),
        "n_accounts": accounts.nunique(),
    }
    lines: list[dict[str, Any]] = []
    effects: dict[Key, Estimate] = {}
    people: dict[Key, int] = {}
    for term in SINCE_THE_ANSWER:
        if term in reasons:
            lines.append(evidence_row(**about, term=term, reason=reasons[term]))
            continue
        key = about["model"], about["block"], term
        effects[key] = fit.effect(term)
        people[key] = fewest_people(cut["contact_id"], cut[term], cut["acted_again"])
        lines.append(effect_row(effects[key], **about, term=term, unit="ln hazard ratio", **counts))
    return lines, effects, people


def since_rows(
    rows: pd.DataFrame, times: pd.DataFrame, *, windows: Windows
) -> tuple[pd.DataFrame, list[str], dict[str, str]]:
    """Intervals for the Cox model, the stretches it tells of, and why not of the others.

    Parameters
    ----------
    rows
        First contacts.
    times
        What `follow` says of them.
    windows
        For the horizon.

    Returns
    -------
    tuple
        Intervals of accounts that can be compared with themselves; names of the stretches of
        time since the answer; by name, why a stretch has no number. Where nobody acts again its
        hazard ratio is 0, and without its intervals the others come out the same.
    """
    acts = rows.assign(acts=(times["again_days"] <= windows.horizon).astype(int))
    kept = comparable(whole(acts), "acts").rows
    cut = intervals(kept, times.loc[kept.index], windows=windows)
    reasons = {}
    for name in SINCE_THE_ANSWER:
        inside = cut[name] == 1
        if not cut.loc[inside, "acted_again"].any():
            reasons[name] = f"none of {int(inside.sum())} contacts acts again in this stretch"
            cut = cut[~inside]
    return cut, [name for name in SINCE_THE_ANSWER if name not in reasons], reasons
