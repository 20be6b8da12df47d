"""Options that several commands share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

MOST_DAYS = 36_525
CORES = min(os.cpu_count() or 1, 4)

Mirror = Annotated[
    Path | None,
    typer.Option(
        help="Folder with the published files, one sub-folder a data set.",
        show_default="SMO_MIRROR",
    ),
]
Workers = Annotated[
    int, typer.Option(min=1, help="Data sets tested side by side; the numbers are the same.")
]
Results = Annotated[Path, typer.Option("-o", "--output", help="Folder for the results.")]
Tables = Annotated[Path, typer.Option("-o", "--output", help="A new or empty folder for it.")]
OwnFolder = Annotated[Path | None, typer.Option(help="A folder of tables of one's own.")]
LogFile = Annotated[Path | None, typer.Option(help="A file of timed acts of one's own.")]
PostsFile = Annotated[Path | None, typer.Option(help="The posts beside it: .csv or .parquet.")]
KeepIds = Annotated[
    bool, typer.Option("--keep-ids", help="As written: of organisations, public figures, or a1.")
]
LogFormat = Annotated[
    str | None, typer.Option(help="snap, konect, csv or parquet; by default by the ending.")
]
Days = Annotated[
    int | None, typer.Option(max=MOST_DAYS, help="Days; 7, 7 and 42 for a file of one's own.")
]
