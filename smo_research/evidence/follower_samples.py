"""The rows of panels with follower counts, and what the models adjust for."""

from __future__ import annotations

import numpy as np
import pandas as pd

from smo_research.evidence.hypotheses import rule
from smo_research.evidence.samples import Sample, whole
from smo_research.tables import Windows

TWEAKS = (
    "hashtag_rate",
    "link_rate",
    "media_share",
    "paid_share",
    "automated_share",
    "schedule_focus",
    "burstiness",
    "cadence",
)


def apart(rows: pd.DataFrame, windows: Windows) -> pd.DataFrame:
    """Keep rows whose outcome windows do not overlap: of all such choices, the one with most rows.

    The choice counts rows and does not look at outcomes; of equals the earliest is taken.
    """
    stride = 1 + -(-windows.horizon // windows.period)
    place = rows["period"] % stride
    sizes = place.value_counts().sort_index()
    return rows[place == sizes.idxmax()]


def follower_sample(panel: pd.DataFrame, terms: tuple[str, ...], *, windows: Windows) -> Sample:
    """Choose the rows with an outcome and posts, and add the adjustment columns."""
    sample = follower_rows(panel, terms)
    if sample.rows.empty:
        return sample
    kept = apart(sample.rows, windows)
    sample = sample.keep(
        pd.Series(sample.rows.index.isin(kept.index), index=sample.rows.index),
        "its outcome window overlaps another's",
    )
    return Sample(prepared(sample.rows), sample.left_out)


def follower_rows(panel: pd.DataFrame, terms: tuple[str, ...]) -> Sample:
    """Choose the rows with an outcome, posts and every term that is not a tweak."""
    sample = whole(panel)
    sample = sample.keep(panel["lasting_growth"].notna(), "no fresh count of followers")
    sample = sample.keep(sample.rows["posts"].fillna(0) > 0, "no post in the period")
    for term in terms:
        if term not in TWEAKS:
            sample = sample.keep(sample.rows[term].notna(), f"{term} is not known")
    return sample


def prepared(rows: pd.DataFrame) -> pd.DataFrame:
    """Add the adjustment columns; a tweak that is missing gets its mean and an indicator."""
    rows = rows.assign(
        log_tenure=np.log1p(rows["tenure"].astype(float)),
        log_past_acts=np.log1p(rows["past_acts"].astype(float)),
    )
    for name in TWEAKS:
        if name in rows and rows[name].notna().any():
            rows[f"{name}_known"] = rows[name]
            rows[f"{name}_missing"] = rows[name].isna().astype(float)
            rows[name] = rows[name].fillna(rows[name].mean())
    return rows


def measured_tweaks(rows: pd.DataFrame) -> list[str]:
    """The tweaks that vary in these rows, with an indicator for each pattern of missing values."""
    names = [name for name in TWEAKS if f"{name}_known" in rows and rows[name].nunique() > 1]
    missing = rows[[f"{name}_missing" for name in names]].T.drop_duplicates().T
    return names + [name for name in missing if missing[name].nunique() > 1]


def outcome_bound(rows: pd.DataFrame, outcome: str, effects: list[str]) -> float:
    """0.10 SD of the outcome after account and period effects: the smallest effect of interest."""
    dummies = [pd.get_dummies(rows[name].astype(str)).to_numpy(float) for name in effects]
    design = np.column_stack([np.ones(len(rows)), *dummies])
    y = rows[outcome].to_numpy(float)
    rest = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
    free = len(y) - np.linalg.matrix_rank(design)
    return rule().smallest_sd * float(np.sqrt(rest @ rest / max(free, 1)))
