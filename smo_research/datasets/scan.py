"""A Parquet log that the engine reads for itself, for logs larger than memory."""

from __future__ import annotations

from pathlib import Path

import ibis
import ibis.expr.types as ir
import pandas as pd
from ibis import _

from smo_research.datasets.cells import BREAKS
from smo_research.tables import EARLIEST, KINDS, SCHEMAS

INTERRUPTED = "Query interrupted"
# DuckDB would take a name with one of these as many files.
GLOB = "*?["
_NEEDED = {"source_id": "string", "target_id": "string", "created_at": "timestamp", "seq": "int64"}


def scan_parquet(path: Path, backend: ibis.BaseBackend) -> ir.Table | None:
    """Open a Parquet file of the canonical table `interactions` without reading it into memory.

    Parameters
    ----------
    path
        The file.
    backend
        The engine that reads it.

    Returns
    -------
    ibis Table or None
        None where the file is not exactly the canonical table: another type, an empty or
        unknown value, a column too few or too many. `read_edgelist` then repairs what it may
        and names the row of what it may not.
    """
    if set(GLOB) & set(str(path)):
        return None
    try:
        return _sound(backend.read_parquet(str(path), hive_partitioning=False), backend)
    except Exception as error:
        if str(error) == INTERRUPTED:
            raise
        # Each engine has errors of its own, and the reader says in words what is wrong.
        return None


def _sound(log: ir.Table, backend: ibis.BaseBackend) -> ir.Table | None:
    types = {name: str(dtype).removeprefix("!") for name, dtype in log.schema().items()}
    known = set(types) <= set(SCHEMAS["interactions"].to_schema().columns)
    typed = all(types.get(name, "").startswith(kind) for name, kind in _NEEDED.items())
    if not known or not typed or "UTC" not in types["created_at"]:
        return None
    ids = [_.source_id, _.target_id]
    sound = ibis.and_(*(one.length() > 0 for one in ids), _.seq >= 0)
    sound &= ibis.and_(*(~one.re_search(BREAKS) for one in ids))
    sound &= _.created_at.between(EARLIEST, pd.Timestamp.now(tz="UTC"))
    if "kind" in types:
        sound &= _.kind.isin(KINDS)
    counts = log.aggregate(
        rows=_.count(),
        sound=sound.fill_null(False).cast("int64").sum(),
        places=_.seq.nunique(),
    )
    rows, good, places = backend.execute(counts).iloc[0]
    return log if rows and rows == good == places else None
