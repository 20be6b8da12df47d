"""Serial pseudonyms for ids that name people."""

from __future__ import annotations

import pandas as pd


def pseudonyms(ids: pd.Series) -> pd.Series:
    """Name accounts by their order of first appearance: "a1", "a2" and so on.

    They say nothing of the original, need no key, and come out the same on every machine.

    Parameters
    ----------
    ids
        Ids as published, text or integers, in the order of the file. It is not changed.

    Returns
    -------
    pandas.Series
        Text with the same index; a missing id stays missing.

    Examples
    --------
    >>> pseudonyms(pd.Series(["zoe", "amy", "zoe"])).tolist()
    ['a1', 'a2', 'a1']
    """
    codes, _ = pd.factorize(ids)
    names = "a" + pd.Series(codes + 1, index=ids.index).astype(str)
    return names.mask(codes < 0)
