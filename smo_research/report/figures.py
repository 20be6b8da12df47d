"""The figures of a study: each drawn, saved, and handed on with its words."""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from smo_research.datasets.catalog import catalog
from smo_research.datasets.catalog import testability as declared
from smo_research.report.attention import attention as draw_attention
from smo_research.report.contest_plot import contest_bars
from smo_research.report.curves import return_curves
from smo_research.report.grid import testability
from smo_research.report.plots import forest, parts
from smo_research.report.pooled import pooled_forest
from smo_research.report.return_models import return_models
from smo_research.report.save import save_figure
from smo_research.report.specification_plot import specification_curve

_PAIR = ("hypothesis", "dataset")
WORDS = {
    "forest": (
        "Forest plot of the effect that decides on each hypothesis in each data set.",
        "The effect that decides, per data set, with its 95 % interval. On H1 all tweaks decide "
        "together, so it can be supported beside intervals that hold no effect. The grey band "
        "holds effects too small to matter: ratios of 0.90 to 1.11 per stated contrast.",
    ),
    "return_curves": (
        "Share of answered and unanswered first contacts who are back, by days.",
        "People who wrote to an account for the first time, by whether it answered before the "
        "landmark. Raw shares with 95 % intervals clustered by account; not the test, which "
        "compares contacts of the same account.",
    ),
    "pooled": (
        "Forest plot of each effect that several data sets measure, with their mean.",
        "The same outcome and contrast in each data set, and taken together: random effects, "
        "REML, Hartung-Knapp. Hollow: looked at before the hypotheses were written down. With "
        "sets this few and this unequal even that interval holds the truth less often than 95 "
        "in 100 times (in simulated worlds 88 to 100).",
    ),
    "return_models": (
        "Ratios for being answered, by model: naive codings, the one that decides, its control, "
        "time since the answer and delay of the answer.",
        "The same first contacts, asked in different ways. The two naive codings mislead in "
        "opposite directions; the landmark decides; the negative control should show nothing. "
        "Time since the answer: hazard ratios; where the first day stands out, it is mostly the "
        "same conversation going on.",
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
    "contest": (
        "What each block of predictors adds out of sample, with its interval.",
        "Shapley contributions to the prediction of rows that were held out; negative where a "
        "block makes it worse. 95 % intervals from a bootstrap over accounts.",
    ),
    "specifications": (
        "Estimates of one effect under every specification, in order, above the choices made.",
        "The same question asked in other ways: other windows, predictors, rows and controls. "
        "The deciding specification is marked.",
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
    pooled: pd.DataFrame,
    specifications: pd.DataFrame,
    *,
    folder: Path,
    provenance: dict[str, str],
) -> dict[str, tuple[str, str, str]]:
    """Draw and save the figures of a study.

    Parameters
    ----------
    evidence, verdicts, curves, attention, pooled, specifications
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
    if len(pooled):
        exploratory = [entry.name for entry in catalog().values() if entry.exploratory]
        drawn["pooled"] = pooled_forest(evidence, pooled, exploratory=exploratory)
    if len(curves):
        drawn["return_curves"] = return_curves(curves)
    if (evidence["model"] == "landmark").any():
        drawn["return_models"] = return_models(evidence[evidence["hypothesis"] == "H5"])
    if evidence["block"].isin(["discovery", "retention"]).any():
        drawn["parts"] = parts(evidence[evidence["hypothesis"].isin(["H2", "H3"])])
    if len(attention):
        drawn["attention"] = draw_attention(attention)
    contests = evidence[(evidence["model"] == "contest") & evidence["estimate"].notna()]
    for dataset, rows in contests.groupby("dataset"):
        drawn[f"contest_{dataset}"] = contest_bars(rows)
    clear = verdicts[~verdicts["verdict"].isin(["inconclusive", "untestable"])]
    for row in clear.itertuples():
        # H2 has a curve for each tweak; elsewhere other predictors are among the specifications.
        same = (*_PAIR, "term") if row.hypothesis == "H2" else _PAIR
        of_pair = [specifications[name] == getattr(row, name) for name in same]
        tried = specifications[np.logical_and.reduce(of_pair)]
        if tried["estimate"].notna().any():
            name = f"specifications_{row.hypothesis}_{row.dataset}"
            drawn[name] = specification_curve(tried)
    drawn["testability"] = testability(verdicts, declared=declared())
    figures = {}
    for name, picture in drawn.items():
        svg, _ = save_figure(picture, folder / name, provenance=provenance)
        words = WORDS[name if name in WORDS else name.split("_")[0]]
        figures[name] = (svg.read_text(encoding="utf-8"), *words)
        figure = picture if isinstance(picture, Figure) else picture.get_figure(root=True)
        plt.close(figure)
    return figures
