"""The rows a test uses and the one adjustment set, with a table of what was left out and why."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from smo_research.evidence.hypotheses import contrast, rule
from smo_research.tables import Windows

TWEAKS = (
    "schedule_focus",
    "burstiness",
    "hashtag_rate",
    "link_rate",
    "media_share",
    "paid_share",
    "automated_share",
)
INBOUND_CLASSES = [-1, 0, 1, 2, 3, 5, 8, 12, 19, np.inf]
INBOUND_LABELS = ["0", "1", "2", "3", "4-5", "6-8", "9-12", "13-19", "20+"]
ADJUSTMENT = (
    "C(inbound_class)",
    "log_new_now",
    "log_tenure",
    "log_past_inbound",
    "log_past_acts",
    "post_volume",
)


@dataclass(frozen=True, eq=False)
class Sample:
    """Rows for a model, and what was left out: reason, rows, accounts."""

    rows: pd.DataFrame
    left_out: pd.DataFrame

    def keep(self, wanted: pd.Series, reason: str) -> Sample:
        """Leave out the rows that are not wanted, with the reason."""
        out = self.rows[~wanted]
        if out.empty:
            return self
        gone = set(out["account_id"]) - set(self.rows.loc[wanted, "account_id"])
        line = pd.DataFrame([{"reason": reason, "rows": len(out), "accounts": len(gone)}])
        left_out = line if self.left_out.empty else pd.concat([self.left_out, line])
        return Sample(self.rows[wanted], left_out.reset_index(drop=True))


def numbered(rows: pd.DataFrame, columns: tuple[str, ...] = ("account_id",)) -> pd.DataFrame:
    """Give ids numbers in place of names; models and groups take them far faster."""
    return rows.assign(**{name: pd.factorize(rows[name])[0] for name in columns})


def whole(rows: pd.DataFrame) -> Sample:
    """All rows, nothing left out yet."""
    return Sample(rows, pd.DataFrame(columns=["reason", "rows", "accounts"]))


def under_study(
    rows: pd.DataFrame, interactions: pd.DataFrame, accounts: pd.DataFrame | None
) -> pd.DataFrame:
    """Leave out the rows of accounts that are there only as somebody's audience.

    Where a data set lists accounts and others act in its log, those listed are under study; what
    the others do still counts toward them.

    Parameters
    ----------
    rows
        With account_id: a panel, or first contacts.
    interactions, accounts
        The canonical tables.

    Examples
    --------
    >>> log = pd.DataFrame({"source_id": ["fan", "a"], "target_id": ["a", "fan"]})
    >>> rows = pd.DataFrame({"account_id": ["a", "fan"]})
    >>> under_study(rows, log, pd.DataFrame({"account_id": ["a"]}))["account_id"].tolist()
    ['a']
    """
    if accounts is None or interactions["source_id"].isin(accounts["account_id"]).all():
        return rows
    return rows[rows["account_id"].isin(accounts["account_id"])].reset_index(drop=True)


def known_column(term: str) -> str:
    """The column that says where a term was measured, not filled in."""
    return f"{term}_known" if term in TWEAKS else term


def growth_sample(panel: pd.DataFrame, hypothesis: str, *, windows: Windows) -> Sample:
    """Choose the rows of H2, H3 or H7 and add the adjustment columns.

    Parameters
    ----------
    panel
        As `smo_research.panel` returns it.
    hypothesis
        "H2" (rows with an own act, or, where posts are known, with a post; nobody writing takes
        the formula's own value), "H3" (rows with somebody writing) or "H7" (those, with
        past_answering known).
    windows
        gap and period; where the log does not start with the platform, the first
        ceil(gap / period) + 1 periods are left out.
    """
    sample = whole(panel)
    if not windows.from_launch:
        first = math.ceil((windows.gap or 0) / windows.period) + 1
        sample = sample.keep(panel["period"] >= first, "the log starts after the platform did")
    if hypothesis == "H2" and "posts" in panel:
        active = (sample.rows["own_acts"] > 0) | (sample.rows["posts"] > 0)
        sample = sample.keep(active, "neither an own act nor a post in the period")
    elif hypothesis == "H2":
        sample = sample.keep(sample.rows["own_acts"] > 0, "no own act in the period")
    else:
        sample = sample.keep(sample.rows["inbound"] > 0, "nobody wrote in the period")
    if hypothesis == "H7":
        sample = sample.keep(
            sample.rows["past_answering"].notna(), "nobody wrote in the past three periods"
        )
    return Sample(adjusted(sample.rows), sample.left_out)


def adjusted(rows: pd.DataFrame) -> pd.DataFrame:
    """Add the adjustment columns of design section 5 to rows of a panel."""
    rows = rows.assign(
        answering=rows["answering"].fillna(rows["pooled_answering"]),
        inbound_class=pd.cut(rows["inbound"], INBOUND_CLASSES, labels=INBOUND_LABELS).astype(str),
        **{
            f"log_{name}": np.log1p(rows[name].astype(float))
            for name in ("new_now", "tenure", "past_inbound", "past_acts")
        },
    )
    for name in (one for one in TWEAKS if one in rows):
        missing = rows[name].isna()
        rows[f"{name}_missing"] = missing.astype(float)
        rows[f"{name}_known"] = rows[name]
        rows[name] = rows[name].fillna(rows[name].mean())
    return rows


def tweak_terms(
    rows: pd.DataFrame, tweaks: tuple[str, ...] = TWEAKS, *, fewest: int | None = None
) -> list[str]:
    """The tweaks that can be held fixed, with an indicator for each pattern of missing values.

    One that is known in fewer rows than `fewest` (by default the rule's 50) is not among them:
    its slope would be anything.
    """
    known = rows.notna().sum()
    fewest = rule().fewest_rows if fewest is None else fewest
    measured = [name for name in tweaks if known.get(f"{name}_known", 0) >= fewest]
    indicators: list[str] = []
    for name in measured:
        column = rows[f"{name}_missing"]
        if column.nunique() > 1 and not any(column.equals(rows[one]) for one in indicators):
            indicators.append(f"{name}_missing")
    return measured + indicators


def without_effects(sample: Sample, outcome: str, effects: list[str]) -> Sample:
    """Drop what an effect would fit perfectly, until nothing changes.

    Groups whose outcome is 0 throughout, then, with two effects, groups of one row.
    """
    while True:
        before = len(sample.rows)
        for effect in effects:
            positive = sample.rows.groupby(effect)[outcome].transform("sum") > 0
            sample = sample.keep(positive, f"{_plural(effect)} whose outcome is 0 throughout")
        if len(effects) > 1:
            for effect in effects:
                size = sample.rows.groupby(effect)[outcome].transform("size")
                sample = sample.keep(size > 1, f"{_plural(effect)} with a single row")
        if len(sample.rows) == before:
            return _merged(sample)


def _plural(effect: str) -> str:
    return effect.removesuffix("_id") + "s"


def _merged(sample: Sample) -> Sample:
    left_out = sample.left_out.groupby("reason", sort=False, as_index=False).sum()
    return Sample(sample.rows, left_out)


def too_little(
    rows: pd.DataFrame,
    outcome: str,
    *,
    fewest_rows: int | None = None,
    fewest_accounts: int | None = None,
) -> str:
    """Say why a count outcome is too rare to test, or nothing; by default as the rule says."""
    fewest_rows = rule().fewest_rows if fewest_rows is None else fewest_rows
    fewest_accounts = rule().fewest_accounts if fewest_accounts is None else fewest_accounts
    positive = rows[rows[outcome] > 0]
    accounts = positive["account_id"].nunique()
    if len(positive) < fewest_rows:
        return f"{len(positive)} rows have an outcome above 0; at least {fewest_rows} are needed"
    if accounts < fewest_accounts:
        return f"{accounts} accounts have an outcome above 0; at least {fewest_accounts} are needed"
    return ""


def hardly_varies(rows: pd.DataFrame, predictor: str, *, fewest_accounts: int) -> str:
    """Say that the predictor varies within too few accounts to be tested, or nothing."""
    accounts = int((rows.groupby("account_id")[predictor].nunique() > 1).sum())
    if accounts < fewest_accounts:
        return (
            f"{predictor} varies within {accounts} accounts; at least {fewest_accounts} are needed"
        )
    return ""


def too_wide(values: pd.Series, term: str) -> str:
    """Say that a term's contrast is wider than its 1st to 99th percentile, or nothing."""
    low, high = values.quantile([0.01, 0.99])
    step = contrast(term)
    if high - low < step:
        return (
            f"the contrast of {step} in {term} is wider than its 1st to 99th percentile "
            f"({low:.2f} to {high:.2f})"
        )
    return ""


def out_of_reach(rows: pd.DataFrame, known: str, term: str) -> str:
    """Say why a term's contrast cannot be shown in these rows, or nothing.

    `known` is the column that says where the term was measured, not filled in.
    """
    number, fewest = int(rows[known].notna().sum()), rule().fewest_rows
    if number < fewest:
        return f"{term} is known in {number} rows; at least {fewest} are needed"
    reason = hardly_varies(rows, known, fewest_accounts=rule().fewest_accounts)
    return reason.replace(known, term) if reason else too_wide(rows[known], term)
