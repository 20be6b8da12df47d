"""The figures of a study: each drawn, saved, and handed on with its words."""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from smo_research.datasets.catalog import testability as declared
from smo_research.report.attention import attention as draw_attention
from smo_research.report.curves import return_curves
from smo_research.report.grid import testability
from smo_research.report.plots import forest, parts
from smo_research.report.save import save_figure

WORDS = {
    "forest": (
        "Forest plot of the effect that decides on each hypothesis in each data set.",
        "The effect that decides, per data set, with its 95 % interval. The grey band holds "
        "effects too small to matter: ratios of 0.90 to 1.11 per stated contrast.",
    ),
    "return_curves": (
        "Share of answered and unanswered first contacts who are back, by days.",
        "People who wrote to an account for the first time, by whether it answered before the "
        "landmark. Raw shares with 95 % intervals clustered by account; not the test, which "
        "compares contacts of the same account.",
    ),
    "parts": (
        "Each effect on lasting growth beside its two parts, discovery and retention.",
        "Lasting growth has two parts: newcomers found (discovery) and newcomers kept "
        "(retention). The total decides; the parts say what carries it.",
    ),
    "attention": (
        "Share of its final count that an item's public counter reached, by hour and platform.",
        "How soon a counter stops: items of news, not accounts. It shows attention, not an "
        "audience.",
    ),
    "testability": (
        "Grid of hypotheses by data sets with the verdict in each cell.",
        "What each data set can and cannot say.",
    ),
}


def draw(
    evidence: pd.DataFrame,
    verdicts: pd.DataFrame,
    curves: pd.DataFrame,
    attention: pd.DataFrame,
    *,
    folder: Path,
    provenance: dict[str, str],
) -> dict[str, tuple[str, str, str]]:
    """Draw and save the figures of a study.

    Parameters
    ----------
    evidence, verdicts, curves, attention
        As `Study` has them.
    folder
        Where to save each figure as SVG and PNG.
    provenance
        What they were made from, for the files' metadata.

    Returns
    -------
    dict
        Figure name to its SVG, its description and its caption; a figure without data is absent.
    """
    drawn: dict[str, Figure | Axes] = {}
    if evidence["estimate"].notna().any():
        drawn["forest"] = forest(evidence)
    if len(curves):
        drawn["return_curves"] = return_curves(curves)
    if evidence["block"].isin(["discovery", "retention"]).any():
        drawn["parts"] = parts(evidence[evidence["hypothesis"].isin(["H2", "H3"])])
    if len(attention):
        drawn["attention"] = draw_attention(attention)
    drawn["testability"] = testability(verdicts, declared=declared())
    figures = {}
    for name, picture in drawn.items():
        svg, _ = save_figure(picture, folder / name, provenance=provenance)
        figures[name] = (svg.read_text(encoding="utf-8"), *WORDS[name])
        figure = picture if isinstance(picture, Figure) else picture.get_figure(root=True)
        plt.close(figure)
    return figures
