"""Reader of the news items' share counters: how a count grows in its first two days."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from smo_research.datasets.cells import refuser
from smo_research.datasets.edgelist import read_text
from smo_research.errors import DataError
from smo_research.tables import Tables

# The catalogue's order of files.
PLATFORMS = ("Facebook", "Google+", "LinkedIn")
MINUTES = 20
NO_DATA = -1


def read(paths: Sequence[Path], *, name: str) -> Tables:
    """Read the three wide files into one long table of counters.

    Slice k of a file (TS1, TS2, ...) is the reading 20·k minutes after publication. A reading
    of -1 means no data and is no row: an item that was found late starts late, and one that was
    never read is absent.

    Raises
    ------
    DataError
        Naming the file and the row, when a file is not the table that was published.
    """
    parts = [_read_file(path, platform) for path, platform in zip(paths, PLATFORMS, strict=True)]
    return Tables(name, counters=pd.concat(parts, ignore_index=True))


def _read_file(path: Path, platform: str) -> pd.DataFrame:
    wide = _read_wide(path)
    refuse = refuser(path, lambda row: row + 2)
    items, counts = wide["IDLink"], wide.iloc[:, 1:].to_numpy()
    refuse(items == "", items, "is no item; download the file again")
    refuse(items.duplicated(), items, "is there twice; download the file again")
    lowest = pd.Series(counts.min(axis=1)).astype("str")
    refuse((counts < NO_DATA).any(axis=1), lowest, "is no count; download the file again")
    item, slice_ = np.nonzero(counts != NO_DATA)
    return pd.DataFrame(
        {
            "item_id": items.take(item).array,
            "platform": pd.Series([platform]).take(np.zeros(len(item), dtype=int)).array,
            "hours_since": (slice_ + 1) * MINUTES / 60,
            "count": counts[item, slice_],
        }
    )


def _read_wide(path: Path) -> pd.DataFrame:
    data = read_text(path)
    header = list(pd.read_csv(io.BytesIO(data), nrows=0))
    slices = [f"TS{k}" for k in range(1, len(header))]
    if not slices or header != ["IDLink", *slices]:
        raise DataError(
            f"{path.name}: the columns must be IDLink, TS1, TS2, ... in this order; download it "
            "again."
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            types = {"IDLink": "str"} | dict.fromkeys(slices, "int64")
            return pd.read_csv(io.BytesIO(data), index_col=False, dtype=types)
    except (ValueError, pd.errors.ParserWarning):
        row = _wrong_row(data, len(header))
        raise DataError(
            f"{path.name}, row {row} must have an item and {len(slices)} whole numbers; download "
            "the file again."
        ) from None


def _wrong_row(data: bytes, width: int) -> int:
    rows = data.decode().rstrip("\n").split("\n")
    cells = (row.replace('"', "").split(",") for row in rows[1:])
    whole = (
        len(row) == width and all(cell.strip().removeprefix("-").isdigit() for cell in row[1:])
        for row in cells
    )
    return next((n for n, right in enumerate(whole, 2) if not right), len(rows))
