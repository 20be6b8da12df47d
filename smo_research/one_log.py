"""The panel and the graph of one log of acts, of the catalogue or of one's own, as a file."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from smo_research.errors import DataError
from smo_research.output import check_ending, place_file, write_table

if TYPE_CHECKING:
    from smo_research.datasets.edgelist import Format
    from smo_research.tables import Windows

NAME_OR_FILE = (
    "Give either the name of a data set, or --interactions FILE and, if need be, --format."
)


def write_panel(
    name: str | None,
    output: Path,
    *,
    interactions: Path | None,
    posts: Path | None,
    format: str | None,
    keep_ids: bool,
    days: dict[str, int | None],
    engine: str,
    mirror: Path | None,
) -> str:
    """Write the panel of a log, and say how long it is.

    Parameters
    ----------
    name, interactions, posts, format, mirror
        A data set, or files of one's own and their format.
    output
        A .parquet or .csv file.
    keep_ids
        Whether ids of one's own files stay as written.
    days
        period, gap and horizon; None for the one by default.
    engine
        As in `measures.acts.connect`.
    """
    from ibis.expr.types import Table

    from smo_research.datasets.load import interactions_of
    from smo_research.datasets.own import open_log, read_posts
    from smo_research.datasets.pseudonyms import under_pseudonyms
    from smo_research.measures.acts import connect
    from smo_research.measures.panel import panel as build_panel
    from smo_research.measures.panel import panel_table

    check_ending(output)
    base, log_format = _windows(name, interactions, posts, format)
    given: dict[str, Any] = {key: one for key, one in days.items() if one is not None}
    windows = replace(base, **given)
    made = None if posts is None else read_posts(posts)
    backend = connect(engine, progress=sys.stderr.isatty())
    try:
        if interactions is not None:
            log = open_log(interactions, backend, format=cast("Format", log_format))
            if not keep_ids:
                log, made = under_pseudonyms(log, made, backend)
        else:
            log = interactions_of(str(name), mirror)
        if isinstance(log, Table) and output.suffix == ".parquet":
            table = panel_table(log, made, windows=windows, backend=backend)
            place_file(output, lambda part: backend.to_parquet(table, part))
            written = backend.read_parquet(str(output))
            rows, accounts = backend.execute(
                written.aggregate(rows=written.count(), accounts=written.account_id.nunique())
            ).iloc[0]
        else:
            frame = build_panel(log, made, windows=windows, backend=backend)
            write_table(frame, output)
            rows, accounts = len(frame), frame["account_id"].nunique()
    except DataError as error:
        raise DataError(f"{interactions or name}: {error}") from None
    return f"{output}: {rows:,} rows, {accounts:,} accounts"


def _windows(
    name: str | None, interactions: Path | None, posts: Path | None, format: str | None
) -> tuple[Windows, str | None]:
    """Give the windows by default, and for a file of one's own its format."""
    from smo_research.datasets.catalog import dataset
    from smo_research.datasets.edgelist import format_of
    from smo_research.tables import Windows

    if interactions is not None and name is None:
        return Windows(period=7, gap=7, horizon=42), format or format_of(interactions)
    if name is None or (interactions, posts, format) != (None, None, None):
        raise DataError(NAME_OR_FILE)
    base = dataset(name).windows
    if base is None:
        raise DataError(f"{name} has no interactions with times, so it has no panel.")
    return base, None


def write_graph(
    name: str | None,
    output: Path,
    *,
    interactions: Path | None,
    format: str | None,
    keep_ids: bool,
    mirror: Path | None,
) -> str:
    """Write the graph measures of a log, and say how many accounts and pairs it has.

    Parameters
    ----------
    name, output, interactions, format, keep_ids, mirror
        As in `write_panel`.
    """
    from smo_research.datasets.edgelist import format_of, read_edgelist
    from smo_research.datasets.load import load
    from smo_research.datasets.pseudonyms import under_pseudonyms
    from smo_research.measures.graph import edges
    from smo_research.measures.position import graph_measures

    check_ending(output)
    if interactions is not None and name is None:
        log_format = cast("Format", format) if format else format_of(interactions)
        log = read_edgelist(interactions, format=log_format)
        pairs = edges(log if keep_ids else under_pseudonyms(log)[0])
    elif name is not None and interactions is None and format is None:
        tables = load(name, mirror=mirror)
        if tables.interactions is not None:
            pairs = edges(tables.interactions)
        elif tables.edges is not None:
            pairs = tables.edges
        else:
            raise DataError(f"{name} has neither interactions nor edges, so it has no graph.")
    else:
        raise DataError(NAME_OR_FILE)
    try:
        nodes = graph_measures(pairs)
    except DataError as error:
        raise DataError(f"{interactions or name}: {error}") from None
    write_table(nodes, output)
    return f"{output}: {len(nodes):,} accounts, {nodes['out_degree'].sum():,} pairs"
