"""Load a data set as canonical tables, read once and then kept as Parquet."""

from __future__ import annotations

import hashlib
import importlib
import io
import json
import os
import shutil
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import pandas as pd

from smo_research import tables as schemas
from smo_research.datasets.catalog import dataset
from smo_research.datasets.fetch import cache_dir, fetch
from smo_research.datasets.sources import sha256_of
from smo_research.errors import DataError
from smo_research.output import HEX, sweep
from smo_research.tables import TableName, Tables, validate

TABLES: tuple[TableName, ...] = get_args(TableName)
HASHES = "hashes.json"


def load(name: str, *, mirror: str | Path | None = None) -> Tables:
    """Fetch, read and validate a data set.

    The tables are kept in the cache; they are read anew from the published files when those, the
    reading code or the kept copy have changed.

    Parameters
    ----------
    name
        A data set of the catalogue.
    mirror
        Folder to take the published files from, as in `fetch`.

    Returns
    -------
    Tables
        The canonical tables that it has.

    Raises
    ------
    DataError, FetchError
        When there is no such data set, or its files cannot be had or read.

    Examples
    --------
    >>> import smo_research as smo
    >>> len(smo.load("collegemsg").interactions)  # doctest: +SKIP
    59835
    >>> smo.load("no-such-set")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    smo_research.errors.DataError: There is no data set 'no-such-set'; the known ones are ...
    """
    paths = fetch(name, mirror=mirror)
    folder = cache_dir() / "tables" / name / _key(paths)
    kept = _read_kept(name, folder)
    if kept is not None:
        return kept
    tables = read(name, paths)
    _keep(tables, folder)
    return tables


def read(name: str, paths: Sequence[Path]) -> Tables:
    """Read the published files of a data set and validate its tables.

    Parameters
    ----------
    name
        A data set of the catalogue; its entry names the reader.
    paths
        The files, in the order of the catalogue.
    """
    reader = importlib.import_module(f"smo_research.datasets.{dataset(name).reader}")
    tables = reader.read(paths, name=name)
    valid = {
        table: validate(getattr(tables, table), table, source=paths[0].name)
        for table in TABLES
        if getattr(tables, table) is not None
    }
    return Tables(name, **valid)


def data_hashes(name: str) -> dict[str, str]:
    """Return the sha256 of each published file that `load` reads, fetching it if need be."""
    folder = cache_dir() / "raw" / name
    return {path.relative_to(folder).as_posix(): sha256_of(path) for path in fetch(name)}


def _key(paths: Sequence[Path]) -> str:
    """Name the kept copy after all that it depends on: the files and the code that reads them."""
    code = [*sorted(Path(__file__).parent.glob("*.py")), Path(schemas.__file__)]
    hashes = "".join(sha256_of(path) for path in [*paths, *code])
    return hashlib.sha256(hashes.encode()).hexdigest()[:16]


def _read_kept(name: str, folder: Path) -> Tables | None:
    """Return the kept tables, or None where they are absent or not as they were written."""
    tables: dict[str, pd.DataFrame] = {}
    try:
        hashes = json.loads((folder / HASHES).read_bytes())
        for table, expected in hashes.items():
            data = (folder / f"{table}.parquet").read_bytes()
            if hashlib.sha256(data).hexdigest() != expected:
                return None
            tables[table] = pd.read_parquet(io.BytesIO(data))
        return Tables(name, **tables)
    except (OSError, ValueError, TypeError, AttributeError):
        return None


def _keep(tables: Tables, folder: Path) -> None:
    part = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}")
    sweep(folder.parent, rf"\.[0-9a-f]{{16}}\.{HEX}")
    try:
        part.mkdir(parents=True)
        hashes = {}
        for table in TABLES:
            frame = getattr(tables, table)
            if frame is not None:
                frame.to_parquet(part / f"{table}.parquet")
                hashes[table] = sha256_of(part / f"{table}.parquet")
        (part / HASHES).write_text(json.dumps(hashes), encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(part, folder)
    except OSError:
        # Another process kept the same tables first, or there is no room: reading works without.
        shutil.rmtree(part, ignore_errors=True)


def interactions_of(name: str, mirror: str | Path | None) -> pd.DataFrame:
    """Load the log of a data set.

    Raises
    ------
    DataError
        When the data set has none.
    """
    log = load(name, mirror=mirror).interactions
    if log is None:
        raise DataError(f"{name} has no interactions, so it has no panel.")
    return log
