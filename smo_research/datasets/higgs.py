"""Reader of the Higgs boson announcement on Twitter: who replied to and mentioned whom."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from smo_research.datasets.cells import refuser
from smo_research.datasets.edgelist import read_text
from smo_research.tables import Tables

# The catalogue's order of files.
KINDS = ("reply", "mention")
COLUMNS = ["source_id", "target_id", "weight"]


def read(paths: Sequence[Path], *, name: str) -> Tables:
    """Read both layers as weighted pairs; a row `a b n` says that a acted n times toward b.

    The same ids name the same people in both. Pairs of an account with itself are kept, since
    the published figures count them; what measures the graph leaves them out.

    Raises
    ------
    DataError
        Naming the file and the row, when a row is no such pair.
    """
    layers = [_read_layer(path, kind) for path, kind in zip(paths, KINDS, strict=True)]
    return Tables(name, edges=pd.concat(layers, ignore_index=True))


def _read_layer(path: Path, kind: str) -> pd.DataFrame:
    lines = pd.Series(read_text(path).decode().rstrip("\n").split("\n"))
    cells = lines.str.split()
    refuse = refuser(path, lambda row: row + 1)
    refuse(cells.str.len() != len(COLUMNS), lines, f"must be {' '.join(COLUMNS)}; download again")
    edges = pd.DataFrame(cells.tolist(), columns=COLUMNS)
    wrong = ~edges["weight"].str.fullmatch("[1-9][0-9]{0,8}")
    refuse(wrong, edges["weight"], "is no number of acts; download the file again")
    twice = edges.duplicated(["source_id", "target_id"])
    refuse(twice, lines, "is a pair that stands above already; download the file again")
    return edges.assign(weight=edges["weight"].astype("int64"), kind=kind)
