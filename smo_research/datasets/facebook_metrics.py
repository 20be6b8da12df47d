"""Reader of the posts of a cosmetics brand's Facebook page in 2014."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from smo_research.datasets.cells import refuser
from smo_research.datasets.csv_cells import AGAIN
from smo_research.datasets.edgelist import read_text
from smo_research.errors import DataError
from smo_research.tables import Tables

YEAR = 2014
COUNTS = {
    "like": "reactions",
    "comment": "replies",
    "share": "shares",
    "Lifetime Post Total Impressions": "impressions",
}
RANGES = {"Post Month": (1, 12), "Post Weekday": (1, 7), "Post Hour": (0, 23)}


def read(paths: Sequence[Path], *, name: str) -> Tables:
    """Read the posts of the one page, which is an organisation with the id "page".

    Only month, weekday and hour were published. `created_at` is a stand-in: the first day of that
    month in 2014 on that weekday, at that hour, taken as UTC. So the order within a month, and
    lengths of time, mean nothing. Weekday 1 is Sunday: the rows run back through the year, and so
    read each month's posts fit into it, in eleven months up to its last day (the year's last post
    is on Wednesday 31 December). With Monday as 1, none would reach the last two days of its
    month, and those of April and July would not fit. `post_id` is the row of the file, from 1.
    """
    (path,) = paths
    rows = raw(path)
    refuse = refuser(path, lambda row: row + 2)
    for column, (lowest, highest) in RANGES.items():
        wrong = ~rows[column].between(lowest, highest)
        refuse(wrong, rows[column], f"is no {column}; {AGAIN}")
    posts = pd.DataFrame(
        {
            "post_id": np.arange(1, len(rows) + 1).astype(str),
            "account_id": "page",
            "created_at": _stand_in(rows),
            "post_type": rows["Type"],
            "is_paid": rows["Paid"].astype("boolean"),
            **{new: rows[old].astype("Int64") for old, new in COUNTS.items()},
        }
    )
    return Tables(
        name,
        accounts=pd.DataFrame({"account_id": ["page"], "platform": "Facebook"}),
        posts=posts.sort_values("created_at", kind="stable", ignore_index=True),
    )


def raw(path: Path) -> pd.DataFrame:
    """Return the published table, whose cells are parted by commas or, at UCI, by semicolons.

    Raises
    ------
    DataError
        When the file is not that table.
    """
    data = read_text(path)
    sep = ";" if b";" in data.partition(b"\n")[0] else ","
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            rows = pd.read_csv(io.BytesIO(data), sep=sep, index_col=False)
    except (pd.errors.ParserError, pd.errors.ParserWarning) as error:
        raise DataError(f"{path.name} is no whole table ({str(error).strip()}); {AGAIN}.") from None
    absent = [column for column in ["Type", "Paid", *RANGES, *COUNTS] if column not in rows]
    if absent:
        raise DataError(f"{path.name} has no column {', '.join(absent)}; {AGAIN}.")
    refuse = refuser(path, lambda row: row + 2)
    for column in ["Paid", *RANGES, *COUNTS]:
        numbers = pd.to_numeric(rows[column], errors="coerce")
        wrong = rows[column].notna() & ~((numbers >= 0) & (numbers % 1 == 0))
        refuse(wrong, rows[column], f"is no whole number; {AGAIN}")
    return rows


def _stand_in(rows: pd.DataFrame) -> pd.Series:
    first = pd.to_datetime(
        {"year": YEAR, "month": rows["Post Month"], "day": 1}, utc=True
    ).dt.as_unit("us")
    # pandas counts weekdays from Monday, 0; the file from Sunday, 1.
    days = (rows["Post Weekday"] - 2 - first.dt.day_of_week) % 7
    return first + pd.to_timedelta(days * 24 + rows["Post Hour"], unit="h")
