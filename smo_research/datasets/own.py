"""Files of one's own: a log of acts, and the posts beside it."""

from __future__ import annotations

import io
from pathlib import Path

import ibis
import ibis.expr.types as ir
import pandas as pd

from smo_research.datasets.cells import Refuse, from_calendar, refuser
from smo_research.datasets.edgelist import Format, read_edgelist, read_parquet, read_text
from smo_research.datasets.scan import scan_parquet
from smo_research.errors import DataError
from smo_research.tables import SCHEMAS, validate

FLAGS = {"true": True, "1": True, "false": False, "0": False}


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
    refuse = refuser(path, lambda row: row + 1)
    ending = path.name.removesuffix(".gz").rpartition(".")[2].lower()
    if ending == "csv":
        posts = _typed(_csv_cells(path), refuse)
    elif ending == "parquet":
        posts = read_parquet(path)
    else:
        raise DataError(f"{path}: must be a .csv or a .parquet file of posts; write it as one.")
    if "created_at" in posts and len(posts):
        posts = posts.assign(created_at=from_calendar(posts["created_at"], refuse))
    return validate(posts, "posts", source=path.name)


def _csv_cells(path: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(
            io.BytesIO(read_text(path)), dtype=str, keep_default_na=False, na_values=[""]
        )
    except pd.errors.ParserError as error:
        said = str(error).strip()
        raise DataError(f"{path.name} is not csv ({said}); correct or export it anew.") from None


def _typed(cells: pd.DataFrame, refuse: Refuse) -> pd.DataFrame:
    """Turn text into the flags and counts that it stands for; `validate` checks the rest."""
    columns = SCHEMAS["posts"].to_schema().columns
    typed = {}
    for name in (one for one in cells if one in columns):
        text, kind = cells[name], str(columns[name].dtype)
        if kind == "boolean":
            flags = text.str.lower().map(FLAGS)
            refuse(text.notna() & flags.isna(), text, f"is no {name}; write true, false or nothing")
            typed[name] = flags.astype("boolean")
        elif kind == "Int64":
            numbers = text.str.fullmatch("[0-9]{1,18}", na=False)
            refuse(text.notna() & ~numbers, text, f"is no {name}; write a whole number or nothing")
            typed[name] = pd.to_numeric(text).astype("Int64")
    return cells.assign(**typed)
