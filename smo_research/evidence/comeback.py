"""Coming back when answered: risk ratio, negative control, the curve behind them (H5)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy import stats

from smo_research.errors import FitError
from smo_research.evidence.hypotheses import contrast, hypotheses, rule
from smo_research.evidence.models import poisson
from smo_research.evidence.result import Key, Result, effect_row, evidence_row, untested
from smo_research.evidence.returning import fewest_people, landmark_days
from smo_research.evidence.samples import (
    Sample,
    hardly_varies,
    numbered,
    too_little,
    whole,
    without_effects,
)
from smo_research.tables import Windows

TERMS = ["answered", "log_acts_j", "log_acts_i"]
CURVE_POINTS = 60
CURVE = ["dataset", "answered", "days", "back", "ci_low", "ci_high", "n_contacts"]
OUTCOMES = {"landmark": "returned", "negative control": "elsewhere"}


def return_when_answered(
    contacts: pd.DataFrame,
    *,
    dataset: str,
    data_hashes: Mapping[str, str] | None = None,
) -> Result:
    """Compare answered with unanswered first contacts of the same account.

    Poisson regression of `returned` (a risk ratio) with an effect per account, on answered and
    the recent activity of both, errors clustered by account and by contact; beside it the same
    with `elsewhere` as outcome, a negative control that should show nothing.

    It leans toward answering where contacts differ in how keen they are, the keen write again at
    once, and so are answered more; the negative control does not show that. It leans a little
    against answering where accounts are there for a few periods and what they answered before
    makes contacts stay, for an account is compared with itself. `smo calibrate` measures both
    ("keen", "lingering").

    Parameters
    ----------
    contacts
        As `first_contacts` returns them.
    dataset
        Its name, for the table.
    data_hashes
        File name to sha256 of the raw data.

    Returns
    -------
    Result
        Effects are ln risk ratios, answered against not.

    Examples
    --------
    >>> import smo_research as smo
    >>> village = smo.scenario("conversation").turned(accounts=60, periods=20, turns=0.3)
    >>> log = smo.simulate(village, seed=1).interactions
    >>> contacts = smo.first_contacts(log, windows=village.windows)
    >>> result = smo.return_when_answered(contacts, dataset="village")
    >>> low, high = result.effects["landmark", "total", "answered"].interval()
    >>> bool(low < village.answered_on_return < high)
    True
    """
    claim = hypotheses()["H5"]
    rows = numbered(contacts, ("account_id", "contact_id"))
    rows = rows.astype(dict.fromkeys(["answered", "returned", "elsewhere"], int))
    reason = too_little(rows, "returned") or hardly_varies(
        rows, "answered", fewest_accounts=rule().fewest_accounts
    )
    if reason:
        return untested("H5", dataset, claim.null, reason)
    lines, effects, people, formula, left_out = [], {}, {}, "", pd.DataFrame()
    for model, outcome in OUTCOMES.items():
        sample = comparable(whole(rows), outcome)
        here = {
            "hypothesis": "H5",
            "dataset": dataset,
            "model": model,
            "block": "total",
            "term": "answered",
            "unit": "ln ratio if answered",
        }
        try:
            reason = too_little(sample.rows, outcome)
            if reason:
                raise FitError(reason)
            fit = poisson(
                sample.rows,
                outcome,
                TERMS,
                effects=["account_id"],
                cluster=["account_id", "contact_id"],
            )
        except FitError as error:
            if model == "landmark":
                return untested("H5", dataset, claim.null, str(error))
            lines.append(evidence_row(**here, reason=str(error)))
            continue
        key: Key = (model, "total", "answered")
        effects[key] = fit.effect("answered", contrast("answered"))
        groups = sample.rows["answered"], sample.rows[outcome]
        people[key] = fewest_people(sample.rows["contact_id"], *groups)
        lines.append(effect_row(effects[key], **here, n_obs=fit.n_obs, n_accounts=fit.n_accounts))
        if model == "landmark":
            formula, left_out = fit.formula, sample.left_out
    return Result(
        "H5",
        dataset,
        pd.DataFrame(lines),
        claim.null,
        formula=formula,
        effects=effects,
        people=people,
        left_out=left_out,
        data_hashes=dict(data_hashes or {}),
    )


def comparable(sample: Sample, outcome: str) -> Sample:
    """Leave out accounts that cannot be compared with themselves."""
    sample = without_effects(sample, outcome, ["account_id"])
    size = sample.rows.groupby("account_id")[outcome].transform("size")
    return sample.keep(size > 1, "accounts with a single first contact")


def return_curve_table(contacts: pd.DataFrame, *, windows: Windows, dataset: str) -> pd.DataFrame:
    """Share of answered and unanswered first contacts who are back, by days since the landmark.

    Parameters
    ----------
    contacts
        As `first_contacts` returns them.
    windows
        Those they were built with.
    dataset
        Its name, for the table.

    Returns
    -------
    pandas.DataFrame
        dataset, answered, days (since the landmark), back (share, 0 to 1), ci_low and ci_high
        (95 %, errors clustered by account), n_contacts. Acts before landmark + gap do not count.
        No rows where there are no contacts.

    Examples
    --------
    >>> import smo_research as smo
    >>> village = smo.scenario("conversation").turned(accounts=60, periods=20, turns=0.3)
    >>> log = smo.simulate(village, seed=1).interactions
    >>> contacts = smo.first_contacts(log, windows=village.windows)
    >>> rows = smo.return_curve_table(contacts, windows=village.windows, dataset="village")
    >>> rows.groupby("answered")["back"].max().round(2).to_dict()
    {False: 0.01, True: 0.23}
    """
    if contacts.empty:
        return pd.DataFrame(columns=CURVE)
    days = np.linspace(windows.gap or 0, windows.horizon - landmark_days(windows), CURVE_POINTS)
    parts = []
    for answered, group in contacts.groupby("answered"):
        account = pd.factorize(group["account_id"])[0]
        back_days = group["back_days"].fillna(np.inf).to_numpy()
        back = back_days[:, None] <= days[None, :]
        share = back.mean(axis=0)
        sums = np.zeros((account.max() + 1, len(days)))
        np.add.at(sums, account, back - share)
        clusters = len(sums)
        error = np.sqrt((sums**2).sum(axis=0) * clusters / max(clusters - 1, 1)) / len(group)
        reach = stats.t.ppf(0.975, max(clusters - 1, 1)) * error
        parts.append(
            pd.DataFrame(
                {
                    "dataset": dataset,
                    "answered": bool(answered),
                    "days": days,
                    "back": share,
                    "ci_low": np.clip(share - reach, 0, 1),
                    "ci_high": np.clip(share + reach, 0, 1),
                    "n_contacts": len(group),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)
