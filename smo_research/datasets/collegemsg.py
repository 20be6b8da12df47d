"""Reader of CollegeMsg: private messages of an online community."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from smo_research.datasets.cells import refuser
from smo_research.datasets.edgelist import read_edgelist, read_text
from smo_research.errors import DataError
from smo_research.tables import Tables


def read(paths: Sequence[Path], *, name: str) -> Tables:
    """Read the log from either of its sources; both give the same table.

    One source has seconds, the other (.csv.gz) minutes only, so times are floored to the minute
    and `seq`, the position in the log, decides within one.
    """
    (path,) = paths
    if path.name.endswith(".csv.gz"):
        messages = _read_minutes(path)
    else:
        messages = read_edgelist(path, format="snap")
        messages["created_at"] = messages["created_at"].dt.floor("min")
    return Tables(name, interactions=messages)


def _read_minutes(path: Path) -> pd.DataFrame:
    log = pd.read_csv(io.BytesIO(read_text(path)), dtype=str, na_filter=False)
    if list(log) != ["Source", "Target", "Timestamp"]:
        raise DataError(
            f"{path.name}: the columns are {', '.join(log)}, but must be Source, Target, "
            "Timestamp; download it again."
        )
    times = pd.to_datetime(log["Timestamp"], format="%m/%d/%y %I:%M %p", utc=True, errors="coerce")
    refuse = refuser(path, lambda row: row + 2)
    refuse(times.isna(), log["Timestamp"], "is no month/day/year time; download the file again")
    return pd.DataFrame(
        {
            "source_id": log["Source"],
            "target_id": log["Target"],
            "created_at": times,
            "seq": np.arange(len(log)),
            "kind": "message",
        }
    )
