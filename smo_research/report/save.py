"""Saving of figures and tables: the same bytes every time, all of a folder or nothing."""

from __future__ import annotations

import os
from pathlib import Path

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from smo_research.output import safe_cells

DPI = 200


def save_figure(
    fig_or_ax: Figure | Axes, path_without_suffix: str | Path, *, provenance: dict[str, str]
) -> list[Path]:
    """Save a figure as SVG and as PNG.

    The files carry neither date nor program version, so that the same figure gives the same
    bytes; each is written beside its place and then moved there.

    Parameters
    ----------
    fig_or_ax
        The figure, or any Axes on it.
    path_without_suffix
        Where to save it; ".svg" and ".png" are added. Missing folders are made.
    provenance
        What the figure was made from, such as hashes, version and seed. Goes into the metadata:
        in SVG as lines "key: value" of the description, in PNG as text chunks.

    Returns
    -------
    list of pathlib.Path
        The SVG, then the PNG.
    """
    figure = fig_or_ax if isinstance(fig_or_ax, Figure) else fig_or_ax.get_figure(root=True)
    if figure is None:
        raise ValueError("fig_or_ax must be a Figure or Axes on one, but these Axes were removed.")
    path = Path(path_without_suffix)
    path.parent.mkdir(parents=True, exist_ok=True)
    described = "\n".join(f"{key}: {value}" for key, value in sorted(provenance.items()))
    metadata = {
        "svg": {"Date": None, "Creator": None, "Description": described},
        "png": {"Software": None, **dict(sorted(provenance.items()))},
    }
    return [_save(figure, path, kind, metadata[kind]) for kind in ("svg", "png")]


def _save(figure: Figure, path: Path, kind: str, metadata: dict[str, str | None]) -> Path:
    final = path.parent / f"{path.name}.{kind}"
    half_done = path.parent / f".{path.name}.{os.getpid()}.{kind}"
    try:
        with mpl.rc_context({"svg.hashsalt": "smo_research", "svg.fonttype": "path"}):
            figure.savefig(half_done, format=kind, dpi=DPI, bbox_inches="tight", metadata=metadata)
        os.replace(half_done, final)
    finally:
        half_done.unlink(missing_ok=True)
    return final


def to_csv(table: pd.DataFrame, path: Path) -> None:
    """Write a table to 8 digits: the solver's last ones depend on the run."""
    safe_cells(table).to_csv(path, index=False, float_format="%.8g", lineterminator="\n")
