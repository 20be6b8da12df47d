"""Reader of the posts of Facebook Live sellers in Thailand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from smo_research.datasets.csv_cells import AGAIN, counts, read_cells, times
from smo_research.datasets.pseudonyms import pseudonyms
from smo_research.tables import Tables

TIME = "%m/%d/%Y %H:%M"
COUNTS = {"num_reactions": "reactions", "num_comments": "replies", "num_shares": "shares"}


def read(paths: Sequence[Path], *, name: str) -> Tables:
    """Read pages and posts; both get serial names, since the published ids are the platform's.

    The page is the part of `status_id` before "_". A post that is published in several rows is
    kept once. 53 rows repeat another: 51 in every cell, 2 but for the time; then the earlier
    time stays, since a page's ids grow with time and the earlier fits them better.

    Times were published month first and to the minute, without a zone, and are taken as UTC.
    They are probably 5 hours behind it: the columns are those of a known scraper that subtracts
    5 hours, and then the few posts between 12 and 18 o'clock are of Bangkok's night.
    """
    (path,) = paths
    cells, refuse = read_cells(path, ["status_id", "status_type", "status_published", *COUNTS])
    ids = cells["status_id"].str.extract(r"^(\d+)_\d+$")[0]
    refuse(ids.isna(), cells["status_id"], f"is no id of a page's post; {AGAIN}")
    rows = pd.DataFrame(
        {
            "post_id": pseudonyms(cells["status_id"]).str.replace("a", "p"),
            "account_id": pseudonyms(ids),
            "created_at": times(cells["status_published"], refuse, format=TIME),
            "post_type": cells["status_type"],
            **{new: counts(cells[old], refuse) for old, new in COUNTS.items()},
        }
    )
    posts = rows.sort_values("created_at", kind="stable").drop_duplicates("post_id")
    accounts = pd.DataFrame({"account_id": rows["account_id"].unique(), "platform": "Facebook"})
    return Tables(name, accounts=accounts, posts=posts.reset_index(drop=True))
