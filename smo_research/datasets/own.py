"""Files of one's own: a log of acts, and the posts beside it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd

from smo_research.datasets.edgelist import Format, read_edgelist, read_parquet
from smo_research.datasets.left_out import Leave, unasked
from smo_research.datasets.misfits import misfits
from smo_research.datasets.pseudonyms import under_pseudonyms
from smo_research.datasets.scan import scan_parquet
from smo_research.datasets.text_files import read_frame
from smo_research.datasets.typed import typed
from smo_research.errors import DataError
from smo_research.problems import Problem, told
from smo_research.tables import TableName, Tables, checked


def open_log(path: Path, backend: ibis.BaseBackend, *, format: Format) -> pd.DataFrame | ir.Table:
    """Open a log: a sound Parquet file as a table of DuckDB, any other as a frame.

    Parameters
    ----------
    path
        The file.
    backend
        The engine that is to read it.
    format
        As in `read_edgelist`, which says what is wrong with a file.
    """
    log = None
    if format == "parquet" and backend.name == "duckdb":
        log = scan_parquet(path, backend)
    return read_edgelist(path, format=format) if log is None else log


def read_snap(path: str | Path, *, kind: str = "message", leave: Leave = unasked) -> Tables:
    r"""Read a timed edge list of SNAP, its people named a1, a2 and so on.

    Parameters
    ----------
    path, kind
        As in `read_edgelist`.
    leave
        Is told how many acts of an account toward itself are left out.

    Returns
    -------
    Tables
        `interactions`.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> log = pathlib.Path(tempfile.mkdtemp(), "log.txt")
    >>> _ = log.write_text("zoe amy 1082040961\n")
    >>> read_snap(log).interactions[["source_id", "target_id"]].values.tolist()
    [['a1', 'a2']]
    """
    return _log(Path(path), "snap", kind, leave)


def read_konect(path: str | Path, *, kind: str = "message", leave: Leave = unasked) -> Tables:
    r"""Read a timed edge list of KONECT, its people named a1, a2 and so on.

    Parameters
    ----------
    path, kind, leave
        As in `read_snap`.

    Returns
    -------
    Tables
        `interactions`.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> log = pathlib.Path(tempfile.mkdtemp(), "out.log")
    >>> _ = log.write_text("% sym\nzoe amy 1 1082040961\n")
    >>> read_konect(log).interactions[["source_id", "target_id"]].values.tolist()
    [['a1', 'a2']]
    """
    return _log(Path(path), "konect", kind, leave)


def _log(path: Path, format: Format, kind: str, leave: Leave) -> Tables:
    log = read_edgelist(path, format=format, kind=kind)
    to_itself = log["source_id"] == log["target_id"]
    if to_itself.all():
        raise DataError(f"{path.name} has no act between two accounts; give a log with one.")
    leave("acts of an account toward itself", int(to_itself.sum()))
    named, _ = under_pseudonyms(log[~to_itself].reset_index(drop=True))
    return Tables("edge-list", interactions=named)


def read_posts(path: str | Path) -> pd.DataFrame:
    r"""Read the canonical table of posts from a CSV or a Parquet file.

    Parameters
    ----------
    path
        The file, with columns of the table `posts`: post_id, account_id, created_at at least. In
        a CSV file a flag is true, false, 1 or 0, an empty cell is missing, a time without a zone
        is UTC, and ids are kept exactly as written.

    Returns
    -------
    pandas.DataFrame
        One row a post, in the order of the file.

    Raises
    ------
    DataError
        Naming the file, the row (from 1, the header not counted) and the remedy.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp(), "posts.csv")
    >>> _ = file.write_text("post_id,account_id,created_at,is_paid\n1,007,2020-01-01,false\n")
    >>> read_posts(file)[["account_id", "is_paid"]].values.tolist()
    [['007', False]]
    """
    path = Path(path)
    ending = path.name.removesuffix(".gz").rpartition(".")[2].lower()
    if ending not in ("csv", "parquet"):
        raise DataError(f"{path}: must be a .csv or a .parquet file of posts; write it as one.")
    posts, problems = read_table(path, "posts")
    if problems:
        raise DataError(told(problems))
    return posts


def read_table(
    path: Path, table: TableName, said: Mapping[str, Any] | None = None
) -> tuple[pd.DataFrame, list[Problem]]:
    """Read one canonical table, and list all that is wrong in it.

    Parameters
    ----------
    path
        A CSV or a Parquet file.
    table
        Which table it is.
    said
        What smo.toml says of it: separator, columns (the table's name to the file's), and values
        that are the same in every row.

    Returns
    -------
    tuple
        The table, interactions without `seq` in order of time and then of the file; and the
        problems. With problems the table is not to be used.
    """
    said = said or {}
    try:
        if path.suffix == ".parquet":
            frame = read_parquet(path)
        else:
            frame, _ = read_frame(path, separator=str(said.get("separator", ",")), missing=("",))
    except DataError as error:
        text = str(error).removeprefix(path.name).removeprefix(", ").removeprefix(" ")
        wrong, _, remedy = text.rstrip(".").partition("; ")
        return pd.DataFrame(), [Problem(path.name, None, None, wrong, remedy or "correct it")]
    if columns := said.get("columns"):
        absent = [name for name in columns.values() if name not in frame]
        if absent:
            wrong, remedy = f"there is no column '{absent[0]}'", "correct the mapping in smo.toml"
            return frame, [Problem(path.name, None, None, wrong, remedy)]
        frame = pd.DataFrame({name: frame[column] for name, column in columns.items()})
    frame = frame.assign(**said.get("values", {})).reset_index(drop=True)
    placed = table == "interactions" and "seq" not in frame
    if placed:
        frame = frame.assign(seq=range(len(frame)))
    if problems := misfits(frame, table, source=path.name):
        return frame, problems
    frame, problems = typed(frame, table, source=path.name)
    known = {(one.row, one.column) for one in problems}
    frame, more = checked(frame, table, source=path.name)
    problems += [one for one in more if (one.row, one.column) not in known]
    if placed and not problems:
        order = frame["created_at"].argsort(kind="stable")
        frame = frame.iloc[order].reset_index(drop=True).assign(seq=range(len(frame)))
    return frame, problems
