"""Reader of MathOverflow: who answered or commented on whose post."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from smo_research.datasets.edgelist import read_edgelist
from smo_research.tables import Tables

# The catalogue's order of files: answers, comments on questions, comments on answers.
KINDS = ("answer", "comment", "comment")


def read(paths: Sequence[Path], *, name: str) -> Tables:
    """Read the three layers into one log, ordered by time.

    `seq` is the position after a stable sort by time of the layers, one after the other. Acts
    toward oneself are kept, since the published figures count them; the panel removes them.
    """
    layers = [
        read_edgelist(path, format="snap", kind=kind)
        for path, kind in zip(paths, KINDS, strict=True)
    ]
    acts = pd.concat(layers).sort_values("created_at", kind="stable", ignore_index=True)
    return Tables(name, interactions=acts.assign(seq=np.arange(len(acts))))
