"""Is a figure made anew the committed one? Its numbers, then its pixels, with a tolerance."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib.image
import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype

# Solvers stop at their own tolerance, which is far below it; what is printed is far above.
RELATIVE, ABSOLUTE = 1e-6, 1e-10
# Root mean square over all pixels, of 255: a label one pixel off in one place passes.
PIXELS = 1.0


def read_numbers(path: Path) -> pd.DataFrame:
    """Read the numbers of a figure as they were written: only an empty cell is missing."""
    return pd.read_csv(path, keep_default_na=False, na_values=[""])


def numbers_differ(made: pd.DataFrame, kept: pd.DataFrame, *, keys: Sequence[str]) -> str:
    """Say where two tables differ, in part of a sentence; empty where they do not.

    Parameters
    ----------
    made, kept
        The numbers made anew, and the committed ones.
    keys
        The columns that name a row. They must be the same exactly, as must all else but numbers,
        which may differ by a millionth of their size.

    Returns
    -------
    str
        The first difference, with its row and column.

    Examples
    --------
    >>> one = pd.DataFrame({"dataset": ["a"], "back": [0.25]})
    >>> numbers_differ(one, one.assign(back=0.5), keys=["dataset"])
    'row a, column back: 0.25 made anew, 0.5 committed'
    >>> numbers_differ(one, one.assign(back=0.25 + 1e-9), keys=["dataset"])
    ''
    """
    if list(made) != list(kept):
        return f"columns {', '.join(made)} made anew, {', '.join(kept)} committed"
    here, there = (_names(table, keys) for table in (made, kept))
    if here != there:
        for names, others, where in ((here, there, "made anew"), (there, here, "committed")):
            if only := [name for name in names if name not in set(others)]:
                return f"row {only[0]} is there only as {where}"
        return "the rows stand in another order, or twice"
    for column in made:
        differs = _differs(made[column], kept[column])
        if differs.any():
            place = int(np.flatnonzero(differs)[0])
            new, old = (_shown(table[column].iloc[place]) for table in (made, kept))
            return f"row {here[place]}, column {column}: {new} made anew, {old} committed"
    return ""


def pixels_differ(made: Path, kept: Path) -> str:
    """Say how far two pictures are apart, in part of a sentence; empty within the tolerance.

    Parameters
    ----------
    made, kept
        PNG files.
    """
    one, other = (matplotlib.image.imread(path)[..., :3] for path in (made, kept))
    if one.shape != other.shape:
        new, old = (f"{shown.shape[1]} x {shown.shape[0]}" for shown in (one, other))
        return f"the picture has {new} pixels made anew, {old} committed"
    apart = 255 * float(np.sqrt(np.mean((one - other) ** 2)))
    if apart <= PIXELS:
        return ""
    return f"the pictures are {apart:.2f} of 255 apart (root mean square; at most {PIXELS:g})"


def _names(table: pd.DataFrame, keys: Sequence[str]) -> list[str]:
    parts = [table[key].map(_shown) for key in keys]
    return [", ".join(row) for row in zip(*parts, strict=True)]


def _shown(value: object) -> str:
    return "nothing" if pd.isna(value) else str(value)  # type: ignore[call-overload]


def _differs(made: pd.Series, kept: pd.Series) -> np.ndarray:
    if all(is_numeric_dtype(one) and not is_bool_dtype(one) for one in (made, kept)):
        here, there = (one.to_numpy("float64", na_value=np.nan) for one in (made, kept))
        return ~np.isclose(here, there, rtol=RELATIVE, atol=ABSOLUTE, equal_nan=True)
    return (made.map(_shown) != kept.map(_shown)).to_numpy()
