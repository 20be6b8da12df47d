"""From the naive estimate to one that can be defended: each rung a line (H2, H3, H7)."""

from __future__ import annotations

import math

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes

from smo_research.errors import DataError
from smo_research.evidence.effects import Effect, loudness
from smo_research.evidence.hypotheses import rule
from smo_research.report.intervals import BOUNDS, Line, draw
from smo_research.report.rows import require
from smo_research.report.style import NEUTRAL, colour_of, look
from smo_research.report.words import count, text, wrap

_NEEDED = [
    *["hypothesis", "dataset", "model", "block", "term"],
    *["estimate", "std_error", "ci_low", "ci_high", "unit", "n_accounts", "reason"],
]
_DECIDES = ("between", "total")
_LABELS = {
    ("nothing held", "total"): "nothing held (naive)",
    ("same period", "total"): "in the same period",
    _DECIDES: "among like accounts",
    ("between", "discovery"): "who comes (discovery)",
    ("between", "retention"): "who stays (retention)",
    ("within", "total"): "the same account, other periods",
    ("placebo", "total"): "newcomers of long before",
    ("lead", "total"): "the same, done only afterwards",
}
_CHECKS = ("placebo", "lead")
_MARKERS = {"retention": "s"}
_TITLE_WIDTH = 100
_MOST_FINDINGS = 2
_INCHES_A_LINE = 0.27


@look()
def rung_by_rung(
    evidence: pd.DataFrame, *, ax: Axes | None = None, bounds: tuple[float, float] = BOUNDS
) -> Axes:
    """Draw an estimate as more is held, its two parts, and the checks that should show nothing.

    Parameters
    ----------
    evidence
        As `growth_rungs` of the evidence gives it, of one hypothesis and any data sets and terms.
    ax
        Axes to draw on; new ones by default.
    bounds
        Smallest ratios of interest, shaded.

    Returns
    -------
    matplotlib.axes.Axes
        Filled: what decides. Grey: the naive rungs, and the checks, at whose right is said
        whether they are quiet, loud or uninformative.

    Raises
    ------
    DataError
        When a column is missing, or there is not one hypothesis.
    """
    require(evidence, _NEEDED, "evidence")
    names = list(evidence["hypothesis"].unique())
    if len(names) != 1:
        came = ", ".join(map(str, names)) or "none"
        raise DataError(f"evidence must hold one hypothesis, but holds {came}.")
    lines: list[Line] = []
    found = []
    for (dataset, term), rows in evidence.groupby(["dataset", "term"], sort=False):
        name = f"{dataset}: {text(term).replace('_', ' ')}"
        lines.append(Line(name, header=True))
        lines += _lines(rows)
        found.append(_finding(name.replace(":", ","), rows))
    if ax is None:
        inches = _INCHES_A_LINE * max(sum(line.height for line in lines), 2)
        height = inches + 1.9
        figure, ax = plt.subplots(figsize=(9.2, height))
        below, above = 0.75 / height, 0.85 / height
        figure.subplots_adjust(left=0.29, right=0.66, bottom=below, top=1 - above)
    draw(ax, lines, bounds)
    ax.set_title("\n".join(_shortened(found, evidence)), x=-0.78, fontsize=11)
    return ax


def _lines(rows: pd.DataFrame) -> list[Line]:
    """The rungs of one term, the checks below them."""
    by_rung = {(row["model"], row["block"]): row for row in rows.to_dict("records")}
    if not set(_LABELS) & set(by_rung):
        return [Line("not tested", note=text(rows["reason"].iloc[0]))]
    return [_line(by_rung[rung], label, rung) for rung, label in _LABELS.items() if rung in by_rung]


def _line(row: dict, label: str, rung: tuple[str, str]) -> Line:
    plain = rung[0] in (*_CHECKS, "nothing held", "same period")
    said = "decides" if rung == _DECIDES else ""
    if rung[0] in _CHECKS and math.isfinite(row["estimate"]):
        check = Effect(row["estimate"], row["std_error"], row["n_accounts"] - 1)
        said = f"check: {loudness(check, rule().bound)}"
    return Line(
        label=label,
        estimate=float(row["estimate"]),
        ci_low=float(row["ci_low"]),
        ci_high=float(row["ci_high"]),
        unit="ln ratio",
        colour=NEUTRAL if plain else colour_of(row["hypothesis"]),
        marker=_MARKERS.get(rung[1], "o"),
        filled=rung == _DECIDES or rung[0] in _CHECKS,
        verdict=said,
        note=f"no estimate: {text(row['reason'])}",
    )


def _finding(name: str, rows: pd.DataFrame) -> str:
    """The naive ratio and the one that decides, in a line."""
    totals = rows[rows["block"] == "total"].set_index("model")
    if not {"nothing held", "between"} <= set(totals["estimate"].dropna().index):
        return f"{name}: this data cannot tell"
    naive, decides = (math.exp(totals.loc[one, "estimate"]) for one in ("nothing held", "between"))
    side = "interval off 1" if _off(totals.loc["between"]) else "interval includes 1"
    return f"{name}: {naive:.2f} times naively, {decides:.2f} among like accounts ({side})"


def _off(row: pd.Series) -> bool:
    return bool(row["ci_low"] > 0 or row["ci_high"] < 0)


def _shortened(found: list[str], evidence: pd.DataFrame) -> list[str]:
    """A line each, or of many one line on all."""
    if len(found) <= _MOST_FINDINGS:
        return [wrap(one, _TITLE_WIDTH) for one in found]
    decides = evidence[(evidence["model"] == "between") & (evidence["block"] == "total")]
    off = int(decides.apply(_off, axis=1).sum())
    said = f"Of {count(len(found), 'effect')}, {off} differ from none among like accounts"
    return [said]
