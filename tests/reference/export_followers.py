"""Write rows with follower counts, for R to fit least squares with account and period effects.

Run by hand from the checkout: python tests/reference/export_followers.py FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd

from smo_research.datasets.catalog import dataset
from smo_research.datasets.load import load
from smo_research.evidence.follower_samples import follower_rows, prepared
from smo_research.measures.panel import follower_panel

TERMS = {"candidates-2020": "reply_share", "youtube-entertainment": "cadence"}
CONTROLS = ["log_past_acts", "post_volume"]
ACCOUNTS = 150


def within_rows(name: str) -> pd.DataFrame:
    """Complete rows, those of the first accounts, each in two periods or more."""
    tables = load(name)
    rows = follower_panel(tables.followers, tables.posts, windows=dataset(name).windows)
    rows = prepared(follower_rows(rows, (TERMS[name],)).rows)
    rows = rows[["account_id", "period", "lasting_growth", TERMS[name], *CONTROLS]].dropna()
    rows = rows.assign(account_id=pd.factorize(rows["account_id"])[0])
    rows = rows[rows["account_id"] < ACCOUNTS]
    return rows[rows.groupby("account_id")["period"].transform("size") > 1]


def main(folder: str) -> None:
    """Write one file a data set, named data set.followers.csv."""
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    for name in TERMS:
        within_rows(name).to_csv(place / f"{name}.followers.csv", index=False)


if __name__ == "__main__":
    main(sys.argv[1])
