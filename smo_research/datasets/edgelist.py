"""Edge lists as they are published: SNAP, KONECT, and tables of interactions."""

from __future__ import annotations

import csv
import io
import re
import warnings
from functools import partial
from pathlib import Path
from typing import Literal, cast, get_args

import numpy as np
import pandas as pd

from smo_research.datasets.cells import Refuse, as_text, from_calendar, from_epoch, odd, refuser
from smo_research.datasets.left_out import Leave
from smo_research.datasets.text_files import csv_rows, read_frame, refuse_twice
from smo_research.datasets.text_files import read_text as read_text
from smo_research.errors import DataError
from smo_research.tables import KINDS, SCHEMAS, validate

Format = Literal["snap", "konect", "csv", "parquet"]
COLUMNS = {
    "snap": ["source", "target", "epoch_seconds"],
    "konect": ["source", "target", "weight", "epoch_seconds"],
}
# What is wrong in a log of one's own is told without quoting it.
_refuser = partial(refuser, quote=False)
COMMENT = {"snap": b"#", "konect": b"%"}
# What the first line of a konect log may say, and why there are then no acts in it.
NO_ACTS = {
    b"sym": "has edges without a direction, so that nobody can be told to have acted",
    b"bip": "joins accounts to things, and not to accounts",
}
NO_WEIGHT = "edges with a weight of 0 or below, which is distrust or the end of an edge"
NO_TIME = "edges with the time 0, which stands for an unknown one"
# Nothing timed is as old: a log with later times has them since 1970.
LONG_AGO = 631_152_000
# More than this does not fit into the memory of a usual machine; a bomb claims far more.
MOST_CELLS = 1 << 31
# Doubles tell whole numbers apart up to this.
MOST_SEQ = 1 << 53
REQUIRED = ["source_id", "target_id", "created_at"]


def format_of(path: Path) -> Format:
    """Tell the format of a log by the ending of its name.

    Raises
    ------
    DataError
        When the ending does not tell.
    """
    ending = path.name.removesuffix(".gz").rpartition(".")[2].lower()
    if ending not in ("csv", "parquet"):
        raise DataError(f"{path}: name its format with --format {', '.join(get_args(Format))}.")
    return cast("Format", ending)


def read_edgelist(
    path: str | Path, *, format: Format, kind: str = "message", leave: Leave | None = None
) -> pd.DataFrame:
    r"""Read a log of acts into the canonical table of interactions.

    Parameters
    ----------
    path
        The file; one that ends in .gz is decompressed.
    format
        "snap": `source target epoch_seconds`, a line that starts with # is a comment. "konect":
        `source target weight epoch_seconds`, a line that starts with % is one; the weight must be
        above 0 and is not used, edges must have a direction, and join accounts. "csv" and
        "parquet": columns source_id, target_id, created_at, and if wanted seq, kind, post_id; a
        time without a zone is UTC.
    kind
        Kind of every act, where the file does not say.
    leave
        Is told how many rows of a konect log are left out, as they have no time or no weight above
        0; by default the first of them is an error.

    Returns
    -------
    pandas.DataFrame
        One row an act, in the order of the file; `seq` is the position in it unless given. Ids
        are kept exactly as written, and so are acts toward oneself.

    Raises
    ------
    DataError
        Naming the file, the row (line of the file; row of a Parquet file) and the remedy.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> log = pathlib.Path(tempfile.mkdtemp(), "log.txt")
    >>> _ = log.write_text("# from to when\n007 8 1082040961\n")
    >>> read_edgelist(log, format="snap")[["source_id", "target_id", "kind"]].values.tolist()
    [['007', '8', 'message']]
    """
    path = Path(path)
    if kind not in KINDS:
        raise DataError(f"kind must be one of {', '.join(KINDS)}, but is {kind!r}.")
    if format in COLUMNS:
        log = _read_edges(path, format, kind, leave)
    elif format == "csv":
        log = _read_csv(path, kind)
    elif format == "parquet":
        log = _interactions(read_parquet(path), path, _refuser(path, lambda row: row + 1), kind)
    else:
        raise DataError(f"format must be snap, konect, csv or parquet, but is {format!r}.")
    return validate(log, "interactions", source=path.name)


def _read_edges(path: Path, format: str, kind: str, leave: Leave | None) -> pd.DataFrame:
    data, comment, columns = read_text(path), COMMENT[format], COLUMNS[format]
    for sign, why in NO_ACTS.items() if format == "konect" else ():
        if re.match(rb"\s*%\s*" + sign + rb"\b", data):
            raise DataError(f"{path.name} {why}; give one that begins with % asym.")
    lines = re.sub(rb"(?m)^[ \t]*" + comment + rb".*\n?", b"", data)
    if not lines.strip():
        raise DataError(f"{path.name} has comments only; give it at least one row.")
    refuse = _refuser(path, lambda row: _line_of(row, data, comment))
    needs = f"each row of a {format} log has {len(columns)}: {' '.join(columns)}"
    if b"," in lines.split(b"\n", 1)[0]:
        needs += (
            "; a file with commas is a CSV: write the names of its columns on top, and which is "
            "which in smo.toml"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            edges = pd.read_csv(
                io.BytesIO(lines),
                sep=r"\s+",
                names=[*columns, "too_many"],
                index_col=False,
                dtype=str,
                na_filter=False,
                quoting=csv.QUOTE_NONE,
            )
    except (pd.errors.ParserError, pd.errors.ParserWarning) as error:
        rows = pd.Series([line for line in lines.decode().split("\n") if line.strip(" \t")])
        refuse(rows.str.split().str.len() > len(columns), rows, f"has too many columns; {needs}")
        raise DataError(f"{path.name} is not a {format} log ({error}); {needs}.") from None
    refuse(edges["too_many"] != "", edges["too_many"], f"is one column too many; {needs}")
    seconds = edges["epoch_seconds"]
    refuse(seconds == "", seconds, f"leaves the row too short; {needs}")
    if format == "konect":
        kept = _acts(edges, refuse, leave)
        # Rows are still told by their place in the file.
        refuse = _refuser(path, lambda row: _line_of(int(np.flatnonzero(kept)[row]), data, comment))
        edges, seconds = edges[kept].reset_index(drop=True), seconds[kept].reset_index(drop=True)
    return pd.DataFrame(
        {
            "source_id": edges["source"],
            "target_id": edges["target"],
            "created_at": from_epoch(seconds, refuse),
            "seq": np.arange(len(edges)),
            "kind": kind,
        }
    )


def _acts(edges: pd.DataFrame, refuse: Refuse, leave: Leave | None) -> np.ndarray:
    """Tell which rows of a konect log are acts; of the others, one is an error or all are told."""
    weight = pd.to_numeric(edges["weight"], errors="coerce")
    seconds = pd.to_numeric(edges["epoch_seconds"], errors="coerce")
    untimed = (seconds == 0) & bool(seconds.max() > LONG_AGO)
    if leave is None or weight.isna().any():
        refuse(~(weight > 0), edges["weight"], "is no weight of an act; drop the row")
        refuse(untimed, edges["epoch_seconds"], "stands for no time in KONECT; drop the row")
        return np.ones(len(edges), dtype=bool)
    leave(NO_WEIGHT, int((weight <= 0).sum()))
    leave(NO_TIME, int((untimed & (weight > 0)).sum()))
    kept: np.ndarray = ((weight > 0) & ~untimed).to_numpy(dtype=bool)
    if not kept.any():
        refuse(~kept, edges["weight"], "is no weight of an act, and no other row is one")
    return kept


def _read_csv(path: Path, kind: str) -> pd.DataFrame:
    log, data = read_frame(path)
    log = log.fillna("")
    return _interactions(log, path, _refuser(path, lambda row: _starts(data)[row + 1]), kind)


def _starts(data: bytes) -> list[int]:
    return [line for line, _, _ in csv_rows(data)]


def read_parquet(path: Path) -> pd.DataFrame:
    """Return the table of a Parquet file, its rows numbered from 0.

    Raises
    ------
    DataError
        When the file is absent, is not whole Parquet, or would fill the memory; when two columns
        have one name.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        # Through a buffer, since pyarrow reads columns out of the names of folders.
        data = io.BytesIO(path.read_bytes())
        told = pq.read_metadata(data)
        names = pd.Series(told.schema.to_arrow_schema().names, dtype=object)
        cells = told.num_rows * max(told.num_columns, 1)
        frame = pd.DataFrame()
        if cells <= MOST_CELLS and names.is_unique:
            frame = pd.read_parquet(data).reset_index(drop=True)
            for text in frame.select_dtypes("str"):
                pa.array(frame[text]).validate(full=True)
    except OSError as error:
        # What has no number is no word of the system but one of pyarrow.
        if error.errno is None:
            raise DataError(f"{path.name} is not whole Parquet; write it anew.") from None
        raise DataError(
            f"{path} cannot be read ({error.strerror}); correct or replace it."
        ) from None
    except Exception as error:
        # Damage in what pandas notes beside the columns may come out as any error.
        said = str(error).partition("\n")[0]
        raise DataError(f"{path.name} is not whole Parquet ({said}); write it anew.") from None
    if cells > MOST_CELLS:
        raise DataError(f"{path.name} says it has {cells:,} cells; give at most {MOST_CELLS:,}.")
    refuse_twice(path, pd.Series(names))
    return frame


def _interactions(log: pd.DataFrame, path: Path, refuse: Refuse, kind: str) -> pd.DataFrame:
    absent = [column for column in REQUIRED if column not in log]
    if absent:
        raise DataError(
            f"{path.name} has no column {', '.join(absent)}; an interactions table needs "
            f"{', '.join(REQUIRED)}."
        )
    for column in set(log) & set(SCHEMAS["interactions"].to_schema().columns):
        refuse(odd(log[column]), log[column], f"is no single value; write {column} as text")
    log = log.assign(created_at=from_calendar(log["created_at"], refuse))
    for column in ("source_id", "target_id"):
        log[column] = as_text(log[column], refuse)
        refuse(log[column].isna(), log[column], f"is no {column}; give one or drop the row")
    if "seq" not in log:
        log["seq"] = np.arange(len(log))
    untold = np.full(len(log), log["seq"].dtype.kind in "mMb")
    refuse(untold, log["seq"], "is no number; number the rows 0, 1, 2, ..., each once")
    seq = pd.to_numeric(log["seq"], errors="coerce").astype("float64")
    wrong = ~((seq >= 0) & (seq <= MOST_SEQ)) | (seq % 1 != 0) | seq.duplicated()
    refuse(wrong, log["seq"], "is no seq; number the rows 0, 1, 2, ..., each once")
    log["seq"] = seq.astype("int64")
    if "kind" not in log:
        log["kind"] = kind
    refuse(~log["kind"].isin(KINDS), log["kind"], f"is no kind; choose of {', '.join(KINDS)}")
    if "post_id" in log:
        log["post_id"] = as_text(log["post_id"], refuse)
    return log


def _line_of(row: int, data: bytes, comment: bytes) -> int:
    # Other white space than these makes a row.
    lines = (line.strip(b" \t") for line in data.split(b"\n"))
    numbers = [n for n, line in enumerate(lines, 1) if line and not line.startswith(comment)]
    return numbers[row]
