"""Dyad by dyad: does having been answered go with acting again? MRQAP beside H5."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from numbers import Integral

import numpy as np
import pandas as pd
from scipy import sparse

from smo_research.errors import DataError, FitError
from smo_research.evidence.hypotheses import rule
from smo_research.evidence.mrqap import INTERCEPT, mrqap
from smo_research.evidence.result import Result, evidence_row, untested
from smo_research.measures.acts import ANSWER_WITHIN_DAYS, DAY, PAIR, connect, number_acts
from smo_research.tables import Windows

ACCOUNTS = 170
HYPOTHESIS = "H5"
NULL = "which account is which says nothing of later acts, once the other predictors are known"


@dataclass(frozen=True, eq=False)
class Dyads:
    """Ordered pairs of the most active accounts, before and after the middle act of a log.

    Attributes
    ----------
    account_ids
        The n accounts, the most active first; row i and column i of each matrix are account i.
    split_at
        Time of the middle act (UTC).
    outcome
        n by n: ln(1 + acts of i toward j later), diagonal 0.
    predictors
        Name to n by n, each log2(1 + count) so that 1 is a doubling, diagonal 0.
    """

    account_ids: pd.Index
    split_at: pd.Timestamp
    outcome: np.ndarray
    predictors: dict[str, np.ndarray]


def dyad_matrices(interactions: pd.DataFrame, *, accounts: int = ACCOUNTS) -> Dyads:
    """Count what passed between the most active accounts, before and after the middle act.

    The log is split at its middle act, not at the middle of its time, which can leave one part
    all but empty. The seven days after it are left out: an act in them may still answer one
    before it. Accounts are chosen by what came before alone.

    Parameters
    ----------
    interactions
        The canonical table.
    accounts
        How many, by acts made and received up to the middle act (ties in order of account_id);
        fewer where fewer had any.

    Returns
    -------
    Dyads
        outcome: acts of i toward j from seven days after the middle act on. predictors, all up to
        the middle act: acted_before (acts of i toward j), answered_before (answers of j to i: acts
        toward i right after one of i's toward j between the two, at most 7 days old),
        written_before (j's other acts toward i), shared_contacts (accounts, of all in the log,
        that exchanged acts with both).

    Raises
    ------
    DataError
        When accounts is no whole number from 2, or no account acts toward another.

    Examples
    --------
    >>> days = ["2020-01-01", "2020-01-02", "2020-01-03", "2020-02-01"]
    >>> log = pd.DataFrame({"source_id": ["b", "a", "c", "b"], "target_id": ["a", "b", "a", "a"],
    ...                     "seq": range(4), "created_at": pd.to_datetime(days, utc=True)})
    >>> dyads = dyad_matrices(log)
    >>> dyads.account_ids.tolist(), dyads.predictors["answered_before"].tolist()
    (['a', 'b'], [[0.0, 0.0], [1.0, 0.0]])
    """
    if isinstance(accounts, bool) or not isinstance(accounts, Integral) or accounts < 2:
        raise DataError(f"accounts must be a whole number from 2, but is {accounts!r}.")
    # Periods play no part here.
    acts = number_acts(interactions, Windows(period=1, horizon=1), backend=connect())
    execute = acts.backend.execute
    log = execute(acts.table.select("source", "pair", "at", "is_answer"))
    log["target"] = log["pair"] // PAIR + log["pair"] % PAIR - log["source"]
    ids = execute(acts.accounts.order_by("account"))["account_id"]
    middle = int(np.partition(log["at"], (len(log) - 1) // 2)[(len(log) - 1) // 2])
    past = log[log["at"] <= middle]
    later = log[log["at"] > middle + ANSWER_WITHIN_DAYS * DAY]
    active = sum(np.bincount(past[side], minlength=len(ids)) for side in ("source", "target"))
    chosen = np.argsort(-active, kind="stable")[: min(accounts, np.count_nonzero(active))]
    is_answer = past["is_answer"].to_numpy(dtype=bool)
    counts = {
        "acted_before": _acts_between(past, chosen, len(ids)),
        "answered_before": _acts_between(past[is_answer], chosen, len(ids)).T,
        "written_before": _acts_between(past[~is_answer], chosen, len(ids)).T,
        "shared_contacts": _shared_contacts(past, chosen, len(ids)),
    }
    return Dyads(
        account_ids=pd.Index(ids.iloc[chosen], name="account_id"),
        split_at=pd.Timestamp(middle, unit="us", tz="UTC"),
        outcome=np.log1p(_acts_between(later, chosen, len(ids))),
        predictors={name: np.log2(1 + count) for name, count in counts.items()},
    )


def _acts_between(acts: pd.DataFrame, chosen: np.ndarray, n_accounts: int) -> np.ndarray:
    """Count acts from each chosen account (row) toward each (column)."""
    n = len(chosen)
    place = np.full(n_accounts, -1)
    place[chosen] = np.arange(n)
    source, target = place[acts["source"]], place[acts["target"]]
    both = (source >= 0) & (target >= 0)
    return np.bincount(source[both] * n + target[both], minlength=n * n).reshape(n, n)


def _shared_contacts(acts: pd.DataFrame, chosen: np.ndarray, n_accounts: int) -> np.ndarray:
    ends = np.concatenate([acts["source"], acts["target"]])
    others = np.concatenate([acts["target"], acts["source"]])
    shape = n_accounts, n_accounts
    exchanged = sparse.coo_array((np.ones(len(ends)), (ends, others)), shape=shape).tocsr()
    exchanged.data[:] = 1
    rows = exchanged[chosen]
    shared = (rows @ rows.T).toarray()
    np.fill_diagonal(shared, 0)
    return shared


def dyadic_return(
    interactions: pd.DataFrame,
    *,
    dataset: str,
    data_hashes: Mapping[str, str] | None = None,
    accounts: int = ACCOUNTS,
    n_permutations: int = 1000,
    seed: int = 1,
) -> Result:
    """Ask whether accounts act again toward those who answered them, dyad by dyad.

    MRQAP of later acts on the predictors of `dyad_matrices`. Described beside H5, it decides
    nothing: it speaks of the most active accounts alone, who are no sample of all; an account
    that left is a row of zeros; and an answer is part of an exchange that was going on for
    reasons of its own, which the other predictors hold only in part.

    Parameters
    ----------
    interactions
        The canonical table.
    dataset
        Its name, for the table.
    data_hashes
        File name to sha256 of the raw data.
    accounts, n_permutations, seed
        As in `dyad_matrices` and `mrqap`.

    Returns
    -------
    Result
        One row a term, model "mrqap", block "network": by how much ln(1 + later acts) is higher
        per doubling of 1 + the count. A reason in its place where there are too few accounts
        or later dyads (under 20 and 50), or a predictor is constant or repeats others.

    Examples
    --------
    >>> who = np.random.default_rng(1).integers(0, 25, (3000, 2))
    >>> log = pd.DataFrame(who, columns=["source_id", "target_id"]).astype(str)
    >>> times = pd.date_range("2020-01-01", periods=3000, freq="h", tz="UTC")
    >>> log = log.assign(created_at=times, seq=range(3000)).query("source_id != target_id")
    >>> result = dyadic_return(log, dataset="by chance", n_permutations=99)
    >>> bool(result.table.set_index("term")["p_value"]["answered_before"] > 0.05)
    True
    """
    dyads = dyad_matrices(interactions, accounts=accounts)
    try:
        reason = _too_few(dyads)
        if reason:
            raise FitError(reason)
        result = mrqap(
            dyads.outcome,
            dyads.predictors,
            n_permutations=n_permutations,
            seed=seed,
            dataset=dataset,
            hypothesis=HYPOTHESIS,
        )
    except FitError as error:
        row = evidence_row(
            hypothesis=HYPOTHESIS,
            dataset=dataset,
            model="mrqap",
            block="network",
            reason=str(error),
        )
        return replace(
            untested(HYPOTHESIS, dataset, NULL, str(error)),
            table=pd.DataFrame([row]),
            data_hashes=dict(data_hashes or {}),
        )
    later = (dyads.outcome > 0).any(axis=1).sum()
    per_doubling = result.table["term"] != INTERCEPT
    people = {
        ("mrqap", "network", name): int(min((x > 0).any(axis=1).sum(), later))
        for name, x in dyads.predictors.items()
    }
    return replace(
        result,
        people=people,
        table=result.table.assign(
            unit=np.where(per_doubling, "ln acts per doubling", "ln acts"),
        ),
        null_hypothesis=NULL,
        formula=result.formula.replace("y ~", "ln(1 + later acts) ~", 1),
        data_hashes=dict(data_hashes or {}),
    )


def _too_few(dyads: Dyads) -> str:
    """Say why there is too little to test; empty where there is enough."""
    n, later = len(dyads.account_ids), np.count_nonzero(dyads.outcome)
    if n < rule().fewest_accounts:
        return f"{n} accounts acted before the middle act; {rule().fewest_accounts} are needed"
    if later < rule().fewest_rows:
        return f"{later} dyads with a later act; {rule().fewest_rows} are needed"
    return ""
