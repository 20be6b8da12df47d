"""The figures of record at the size of a page: words large enough, panels below each other."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from smo_research.datasets.catalog import dataset
from smo_research.report.attention import attention
from smo_research.report.calibration import calibration_plot
from smo_research.report.contest_plot import contest_bars
from smo_research.report.curves import return_curve
from smo_research.report.grid import testability
from smo_research.report.horizons import across_horizons
from smo_research.report.plots import forest
from smo_research.report.record_numbers import POWERS, SIZES
from smo_research.report.return_models import return_models
from smo_research.report.rows import require
from smo_research.report.specification_plot import specification_curve
from smo_research.report.style import look

# Strokes; a vector file of more is slow to open.
_DENSE = 60
_LINE = 0.27


@look()
def verdict_grid(table: pd.DataFrame) -> Axes:
    """Draw which data set can test what, with the verdict in each cell.

    Parameters
    ----------
    table
        A verdicts table whose column `testable` says what the catalogue declares.
    """
    require(table, ["dataset", "hypothesis", "testable"], "table")
    height = 2.2 + 0.45 * table["dataset"].nunique()
    ax = plt.subplots(figsize=(9.6, height))[1]
    declared = table[["dataset", "hypothesis", "testable"]]
    ax = testability(table.drop(columns="testable"), declared=declared, ax=ax)
    ax.tick_params(axis="x", labelsize=8)
    return _titled_from(ax, -0.21)


@look()
def verdict_forest(table: pd.DataFrame) -> Axes:
    """Draw the effect that decides, one line a hypothesis and data set, with its grade.

    Parameters
    ----------
    table
        A verdicts table of the pairs that were tried.
    """
    require(table, ["hypothesis", "dataset"], "table")
    height = 2.2 + _LINE * (len(table) + 1.25 * table["hypothesis"].nunique())
    figure, ax = plt.subplots(figsize=(9.4, height))
    figure.subplots_adjust(left=0.3, right=0.62, bottom=0.7 / height, top=1 - 1.0 / height)
    return _titled_from(forest(table, ax=ax), -0.72)


@look()
def curves(table: pd.DataFrame) -> Figure:
    """Draw the share of first contacts who are back, a panel a data set.

    Parameters
    ----------
    table
        As for `return_curve`, of one or more data sets.
    """
    return _stacked(return_curve, table, size=(6.2, 2.8), apart=1.45)


@look()
def codings(table: pd.DataFrame) -> Figure:
    """Draw the naive codings of "answered" beside the one that decides, a panel a data set.

    Parameters
    ----------
    table
        As for `return_models`, of one or more data sets.
    """
    return _stacked(return_models, table, size=(4.4, 2.1), apart=1.5)


@look()
def contests(table: pd.DataFrame) -> Figure:
    """Draw what each block of predictors adds out of sample, a panel a data set.

    Parameters
    ----------
    table
        As for `contest_bars`, of one or more data sets.
    """
    return _stacked(contest_bars, table, size=(5.2, 1.5), apart=1.4)


@look()
def specifications(table: pd.DataFrame) -> Figure:
    """Draw a specification curve whose hundreds of strokes are pixels in a vector file too.

    Parameters
    ----------
    table
        As for `specification_curve`.
    """
    figure = specification_curve(table)
    for ax in figure.axes:
        strokes = sum(len(each.get_paths()) for each in ax.collections)
        for each in ax.collections:
            each.set_rasterized(strokes > _DENSE)
    return figure


@look()
def horizons(table: pd.DataFrame) -> Figure:
    """Draw how an effect moves with gap and horizon, a panel a hypothesis.

    Parameters
    ----------
    table
        As for `across_horizons`, of one data set of the catalogue.
    """
    require(table, ["dataset", "hypothesis"], "table")
    plot = partial(across_horizons, windows=dataset(table["dataset"].iloc[0]).windows)
    return _stacked(plot, table, by="hypothesis", size=(5.6, 2.7), apart=1.3)


def attention_curves(table: pd.DataFrame) -> Figure:
    """Draw how fast counters stop, with the 95 % interval of each mean shaded.

    Parameters
    ----------
    table
        As for `attention`, with ci_low and ci_high.
    """
    require(table, ["ci_low", "ci_high"], "table")
    return attention(table)


def calibration(table: pd.DataFrame) -> Figure:
    """Draw how often each test is wrong, above how often it finds what is there.

    Parameters
    ----------
    table
        As `smo_research.report.record_numbers.calibration_numbers` gives it.
    """
    require(table, ["worlds_of"], "table")
    wrong, found = (table[table["worlds_of"] == name] for name in (SIZES, POWERS))
    return calibration_plot(wrong, found)


def _stacked(
    plot: Callable[..., Axes],
    table: pd.DataFrame,
    *,
    by: str = "dataset",
    size: tuple[float, float],
    apart: float,
) -> Figure:
    """One panel a value of a column below the other, each of a size and so many inches apart."""
    require(table, [by], "table")
    groups = list(table.groupby(by, sort=False))
    width, height = size
    whole = height * len(groups) + apart * (len(groups) - 1)
    figure, grid = plt.subplots(len(groups), 1, figsize=(width, whole), squeeze=False)
    figure.subplots_adjust(left=0, right=1, bottom=0, top=1, hspace=apart / height)
    for (_, rows), ax in zip(groups, grid.flat, strict=True):
        plot(rows, ax=ax)
    return figure


def _titled_from(ax: Axes, x: float) -> Axes:
    """Begin the title left of the axes, where the labels of their lines begin."""
    ax.set_title(ax.get_title(loc="left"), x=x)
    return ax
