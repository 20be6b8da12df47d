"""Serial pseudonyms for ids that name people."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    import ibis
    import ibis.expr.types as ir

ENDS = ["source_id", "target_id"]


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


def under_pseudonyms(
    log: pd.DataFrame | ir.Table,
    posts: pd.DataFrame | None = None,
    backend: ibis.BaseBackend | None = None,
) -> tuple[pd.DataFrame | ir.Table, pd.DataFrame | None]:
    """Name the accounts of a log and of the posts beside it, the same in both.

    Parameters
    ----------
    log
        The canonical table `interactions`, or one that the engine is to read.
    posts
        The canonical table; who is in no act is numbered after all others.
    backend
        The engine, for a log that it reads.

    Returns
    -------
    tuple
        Both with pseudonyms in the order of `seq`, of an act who acts first; inputs stay.

    Examples
    --------
    >>> log = pd.DataFrame({"source_id": ["zoe", "bo"], "target_id": ["amy", "zoe"], "seq": [1, 0]})
    >>> under_pseudonyms(log)[0][["source_id", "target_id"]].values.tolist()
    [['a2', 'a3'], ['a1', 'a2']]
    """
    if isinstance(log, pd.DataFrame):
        ends = log.sort_values("seq", kind="stable")[ENDS].to_numpy(dtype=object).ravel()
    else:
        ends = _first_seen(log, backend)
    more = [] if posts is None else posts["account_id"]
    ids = pd.Series([*ends, *more], dtype=object).drop_duplicates()
    names = pd.Series(pseudonyms(ids).to_numpy(), index=ids.to_numpy())
    if posts is not None:
        posts = posts.assign(account_id=posts["account_id"].map(names).astype("str"))
    if isinstance(log, pd.DataFrame):
        return log.assign(**{end: log[end].map(names).astype("str") for end in ENDS}), posts
    return _renamed(log, names), posts


def _first_seen(log: ir.Table, backend: ibis.BaseBackend | None) -> list[str]:
    """Ids of a log that the engine reads, by first appearance."""
    sides = [log.select(id=log[end], place=2 * log["seq"] + side) for side, end in enumerate(ENDS)]
    both = sides[0].union(sides[1])
    found = both.group_by("id").aggregate(place=both["place"].min()).order_by("place")
    return found.execute()["id"].tolist() if backend is None else backend.execute(found)["id"]


def _renamed(log: ir.Table, names: pd.Series) -> ir.Table:
    import ibis

    columns = log.columns
    for end in ENDS:
        known = ibis.memtable(pd.DataFrame({f"{end}_known": names.index, f"{end}_new": names}))
        log = log.join(known, log[end] == known[f"{end}_known"])
        log = log.drop(end, f"{end}_known").rename({end: f"{end}_new"})
    return log.select(columns)
