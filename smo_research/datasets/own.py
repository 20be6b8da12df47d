"""Files of one's own: a log of acts, and the posts beside it."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import ibis
import ibis.expr.types as ir
import pandas as pd

from smo_research.datasets.edgelist import Format, read_edgelist, read_parquet
from smo_research.datasets.left_out import Leave, unasked
from smo_research.datasets.mapping import reworded, timed
from smo_research.datasets.misfits import misfits
from smo_research.datasets.pseudonyms import under_pseudonyms
from smo_research.datasets.scan import scan_parquet
from smo_research.datasets.text_files import read_frame, read_text, uneven
from smo_research.datasets.typed import typed
from smo_research.errors import DataError
from smo_research.problems import Problem, told
from smo_research.tables import SCHEMAS, TableName, Tables, checked

Problems: TypeAlias = list[Problem]
# Columns that are often the same in every row.
SAME = ("kind", "platform")


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
        Is told what is left out, and how many: acts of an account toward itself, and in KONECT
        edges without a time or with a weight that is not above 0.

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
    >>> _ = log.write_text("% asym\nzoe amy 1 1082040961\n")
    >>> read_konect(log).interactions[["source_id", "target_id"]].values.tolist()
    [['a1', 'a2']]
    """
    return _log(Path(path), "konect", kind, leave)


def _log(path: Path, format: Format, kind: str, leave: Leave) -> Tables:
    log = read_edgelist(path, format=format, kind=kind, leave=leave)
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
) -> tuple[pd.DataFrame, Problems]:
    """Read one canonical table, and list all that is wrong in it.

    Parameters
    ----------
    path
        A CSV or a Parquet file.
    table
        Which table it is.
    said
        What smo.toml says of it: separator, encoding, times (their form), columns (the table's
        name to the file's), words (the file's to the table's), and values that are the same in
        every row.

    Returns
    -------
    tuple
        The table, interactions without `seq` in order of time and then of the file; and the
        problems. With problems the table is not to be used.
    """
    said = said or {}
    separator, encoding = str(said.get("separator", ",")), said.get("encoding")
    try:
        if path.suffix == ".parquet":
            frame = read_parquet(path)
        else:
            frame, _ = read_frame(path, separator=separator, missing=("",), encoding=encoding)
    except DataError as error:
        return pd.DataFrame(), _unread(path, table, separator, encoding, str(error))
    columns = said.get("columns") or {str(name): name for name in frame}
    problems = _misnamed([str(name) for name in frame], table, said, path.name)
    known = SCHEMAS[table].to_schema().columns
    there = {name: frame[one] for name, one in columns.items() if one in frame and name in known}
    frame = pd.DataFrame(there, index=frame.index).assign(**said.get("values", {}))
    frame, more = _checked(frame.reset_index(drop=True), table, said, path.name)
    # Told by the names that the file has.
    more = [replace(one, column=columns.get(str(one.column), one.column)) for one in more]
    return frame, problems + more


def _unread(
    path: Path, table: TableName, separator: str, encoding: str | None, error: str
) -> Problems:
    """Say why a file is no table; of rows with too many or too few cells, all of them."""
    with contextlib.suppress(DataError):
        data = b"" if path.suffix == ".parquet" else read_text(path, encoding=encoding)
        if found := uneven(data, separator) or uneven(data, separator, broken=True):
            return [
                Problem(path.name, row or None, None, wrong if row else f"line 1 {wrong}", remedy)
                for row, _, wrong, remedy in found
            ]
    text = error.removeprefix(path.name).removeprefix(", ").removeprefix(" ")
    wrong, _, remedy = text.rstrip(".").partition("; ")
    if "UTF-8" in text:
        remedy = (
            'save it as CSV UTF-8, or say how it is written: encoding = "cp1252" (of Windows), or '
            f'"utf-16", under [table.{table}] in smo.toml'
        )
    # What cannot be cut into rows has lines only.
    wrong = re.sub(r"^row (\d+)", r"line \1 (the header counted)", wrong)
    return [Problem(path.name, None, None, wrong, remedy or "correct it")]


def _misnamed(
    names: Sequence[str], table: TableName, said: Mapping[str, Any], source: str
) -> Problems:
    """List the columns that are not there, or not known, and how smo.toml would name them."""
    columns, known = said.get("columns", {}), SCHEMAS[table].to_schema().columns
    given = {*(columns or names), *said.get("values", {}), "seq"}
    lacking = [name for name, one in known.items() if one.required and name not in given]
    absent = [name for name in columns.values() if name not in names]
    between = [one for one in ";\t|," if len(names) == 1 and one in names[0]]
    if (lacking or absent) and between:
        sign = json.dumps(between[0])
        wrong = f"the first line has no column '{[*absent, *lacking][0]}', but {sign} in it"
        remedy = f"write separator = {sign} under [table.{table}] in smo.toml"
        return [Problem(source, None, None, wrong, remedy)]
    place = f"under [table.{table}.columns] in smo.toml"
    problems = [
        (f"there is no column '{name}'", f"write the name that the first line has {place}")
        for name in absent
    ]
    for name in lacking:
        remedy = f'write {name} = "its name in the file", and so for all to be read, {place}'
        if name in SAME:
            remedy += f", or what is the same in every row under [table.{table}.values]"
        problems.append((f"the table '{table}' has no column '{name}'", remedy))
    for name in names if not columns else ():
        if name not in known:
            wrong = f"the table '{table}' knows no column '{name}'"
            problems.append((wrong, f"drop it, or name those to be read {place}"))
    return [Problem(source, None, None, wrong, remedy) for wrong, remedy in problems]


def _checked(
    frame: pd.DataFrame, table: TableName, said: Mapping[str, Any], source: str
) -> tuple[pd.DataFrame, Problems]:
    known = SCHEMAS[table].to_schema().columns
    placed = table == "interactions" and "seq" not in frame
    if placed:
        frame = frame.assign(seq=range(len(frame)))
    if words := said.get("words"):
        frame = reworded(frame, words)
    problems = misfits(frame, table, source=source)
    if problems and source.endswith(".parquet"):
        # Of what has another type the cells cannot be looked at.
        return frame, problems
    if times := said.get("times"):
        frame, more = timed(frame, times, source=source)
        problems += more
    frame, more = typed(frame, table, source=source)
    problems += more
    if any(one.required and name not in frame for name, one in known.items()):
        return frame, problems
    told_of = {(one.row, one.column) for one in problems}
    frame, more = checked(frame, table, source=source)
    problems += [one for one in more if (one.row, one.column) not in told_of]
    if placed and not problems:
        order = frame["created_at"].argsort(kind="stable")
        frame = frame.iloc[order].reset_index(drop=True).assign(seq=range(len(frame)))
    return frame, problems
