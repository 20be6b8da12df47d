"""Tables for a notebook to show: words begin at the left, numbers end at the right."""

from __future__ import annotations

from functools import partial

import pandas as pd
from pandas.api.types import is_bool_dtype, is_integer_dtype, is_numeric_dtype
from pandas.io.formats.style import Styler

_LEFT = "text-align: left"
_P_VALUES = ("p", "p_value", "p_holm", "p_equivalence")
_HEADS = ("th.row_heading", "th.index_name", "th.blank")


def legible(table: pd.DataFrame | pd.Series, *, digits: int = 3) -> Styler:
    """Show a table as a reader wants it.

    Parameters
    ----------
    table
        Any; it is not changed. Numbers of rows, which say nothing, are not shown; labels of rows
        are.
    digits
        Decimals of what is no whole number.

    Returns
    -------
    pandas.io.formats.style.Styler
        Words and their headings begin at the left; yes and no instead of True and False; nothing
        where a value is missing. No p-value is rounded to 0.

    Examples
    --------
    >>> found = pd.DataFrame({"model": ["within"], "p": [0.0123456], "loud": [True]})
    >>> text = legible(found).to_string(delimiter=" | ")
    >>> text.splitlines()
    ['model | p | loud', 'within | 0.012 | yes']
    """
    frame = table.to_frame() if isinstance(table, pd.Series) else table
    frame = frame.infer_objects()
    for name in frame:
        if is_bool_dtype(frame[name]):
            frame[name] = frame[name].map({True: "yes", False: "no"})
    unnamed = not any(frame.index.names) and is_integer_dtype(frame.index)
    if unnamed or not frame.index.is_unique:
        frame = frame.reset_index(drop=unnamed)
    words = [place for place, name in enumerate(frame) if not is_numeric_dtype(frame[name])]
    left = [*_HEADS, *(f"{cell}.col{place}" for place in words for cell in ("th", "td"))]
    shown = frame.style.format(precision=digits, na_rep="")
    tests = [name for name in frame if name in _P_VALUES]
    shown = shown.format(partial(_p_value, digits=digits), subset=tests, na_rep="")
    if unnamed:
        shown = shown.hide(axis="index")
    return shown.set_table_styles([{"selector": one, "props": _LEFT} for one in left])


def _p_value(p: float, *, digits: int) -> str:
    least = 10.0**-digits
    return f"< {least:.{digits}f}" if 0 <= p < least / 2 else f"{p:.{digits}f}"
