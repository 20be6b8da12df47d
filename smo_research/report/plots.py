"""The figures: a tidy table in, Axes out. Nothing here shows or saves."""

from __future__ import annotations

import math

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes

from smo_research.report.curves import return_curve, return_curves
from smo_research.report.grid import testability
from smo_research.report.intervals import BOUNDS, Line, draw
from smo_research.report.rows import PARTS, deciding, require, require_verdicts, totals
from smo_research.report.style import colour_of, look
from smo_research.report.words import (
    JOINTLY,
    SHORT_NAMES,
    VERDICT_WORDS,
    count,
    is_ratio,
    text,
    wrap,
)

__all__ = ["forest", "parts", "return_curve", "return_curves", "testability"]

_NEEDED = [
    "hypothesis", "dataset", "model", "block", "term", "estimate", "ci_low", "ci_high", "unit",
    "verdict", "grade", "reason",
]  # fmt: skip
_PART_MARKERS = {"total": ("o", True), "discovery": ("o", False), "retention": ("s", False)}
_TITLE_WIDTH = 78
_MOST_TERMS = 12


@look()
def forest(
    evidence: pd.DataFrame, *, ax: Axes | None = None, bounds: tuple[float, float] = BOUNDS
) -> Axes:
    """Draw the estimates that decide, one line a data set and term, by hypothesis.

    Parameters
    ----------
    evidence
        A tidy evidence table (design, section 7). Where `unit` starts with "ln ratio" the
        estimate is drawn as exp(estimate) on a log axis; anything else as it is. Checks and
        the parts of an effect are left out.
    ax
        Axes to draw on; new ones by default.
    bounds
        Smallest ratios of interest; effects between them are negligible, and the band between
        them is shaded.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    DataError
        When a column is missing or a verdict is not one of the five.

    Examples
    --------
    >>> import smo_research as smo
    >>> village = smo.scenario("conversation").turned(accounts=60, periods=20, turns=0.3)
    >>> log = smo.simulate(village, seed=1).interactions
    >>> contacts = smo.first_contacts(log, windows=village.windows)
    >>> result = smo.return_when_answered(contacts, dataset="village")
    >>> from matplotlib.figure import Figure
    >>> ax = smo.forest(result.table, ax=Figure().subplots())
    >>> ax.get_xlabel().splitlines()[0]
    'ratio with 95 % interval, log scale; 1 = no effect'
    """
    require(evidence, _NEEDED, "evidence")
    require_verdicts(evidence, "evidence")
    rows = _without_shares(totals(evidence))
    lines: list[Line] = []
    for hypothesis, group in rows.groupby("hypothesis", sort=True):
        name = SHORT_NAMES.get(str(hypothesis), "")
        head = f"{hypothesis}  {name}".strip()
        lines.append(Line(head + (f" ({JOINTLY})" if hypothesis == "H1" else ""), header=True))
        tested = group[group["estimate"].notna()]
        drawn = _clearest(tested) if len(tested) > _MOST_TERMS else tested
        for _, of_dataset in drawn.groupby("dataset", sort=True):
            shown = _verdict_words(of_dataset.iloc[0])
            for row in of_dataset.to_dict("records"):
                lines.append(_line(row, f"{row['dataset']}: {_plain(row['term'])}", shown))
                shown = ""
        lines += _left_out(len(tested) - len(drawn))
        lines += _untested(group[group["estimate"].isna()], set(tested["dataset"]))
        lines += _overlapping_only(evidence[evidence["hypothesis"] == hypothesis], group)
    return _finish(ax, lines, bounds, _forest_title(rows, bounds))


@look()
def parts(
    evidence: pd.DataFrame, *, ax: Axes | None = None, bounds: tuple[float, float] = BOUNDS
) -> Axes:
    """Draw each effect on lasting growth beside its parts, discovery and retention (H2, H3).

    Parameters
    ----------
    evidence
        A tidy evidence table whose `block` says "total", "discovery" or "retention".
    ax
        Axes to draw on; new ones by default.
    bounds
        Smallest ratios of interest.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    DataError
        When a column is missing.
    """
    require(evidence, _NEEDED, "evidence")
    rows = deciding(evidence[evidence["hypothesis"].isin(["H2", "H3"])])
    rows = rows[rows["block"].isin(PARTS) & rows["estimate"].notna()]
    lines: list[Line] = []
    carriers: list[str] = []
    for (hypothesis, dataset, term), group in rows.groupby(["hypothesis", "dataset", "term"]):
        by_part = {row["block"]: row for row in group.to_dict("records")}
        if not set(PARTS) <= set(by_part):
            continue
        lines.append(Line(f"{hypothesis}  {dataset}: {_plain(term)}", header=True))
        lines += [_line(by_part[part], part, "") for part in PARTS]
        if by_part["total"]["ci_low"] > 0 or by_part["total"]["ci_high"] < 0:
            carriers.append(max(PARTS[1:], key=lambda part: abs(by_part[part]["estimate"])))
    return _finish(ax, lines, bounds, _parts_title(lines, carriers))


def _finish(ax: Axes | None, lines: list[Line], bounds: tuple[float, float], title: str) -> Axes:
    if ax is None:
        ax = _room_for(sum(line.height for line in lines))
    if not lines:
        ax.set_title(title)
        ax.set_axis_off()
        return ax
    draw(ax, lines, bounds)
    ax.set_title(wrap(title, _TITLE_WIDTH))
    return ax


def _room_for(height: float) -> Axes:
    """Axes with room for the labels left of it and the numbers right of it."""
    inches = 0.27 * max(height, 2)
    figure, ax = plt.subplots(figsize=(9.4, inches + 1.6))
    below, above = 0.6 / (inches + 1.6), 1.0 / (inches + 1.6)
    figure.subplots_adjust(left=0.29, right=0.66, bottom=below, top=1 - above)
    return ax


def _line(row: dict, label: str, verdict: str) -> Line:
    block = text(row["block"])
    marker, filled = _PART_MARKERS.get(block, ("o", True))
    return Line(
        label=label,
        estimate=float(row["estimate"]),
        ci_low=float(row["ci_low"]),
        ci_high=float(row["ci_high"]),
        unit=text(row["unit"]),
        colour=colour_of(row["hypothesis"], block),
        marker=marker,
        filled=filled,
        verdict=verdict,
    )


def _without_shares(rows: pd.DataFrame) -> pd.DataFrame:
    """Leave the contest (H4) its margin alone, which decides and comes first."""
    shares = (rows["hypothesis"] == "H4") & rows.duplicated(["hypothesis", "dataset"])
    return rows[~shares]


def _overlapping_only(evidence: pd.DataFrame, shown: pd.DataFrame) -> list[Line]:
    """A line for data sets that were tried, but on windows that overlap alone."""
    tried = evidence.loc[evidence["model"] == "overlapping windows", "dataset"]
    names = sorted(set(tried) - set(shown["dataset"]))
    note = "cannot tell: too few outcome windows that do not overlap"
    return [Line(", ".join(names), note=note)] if names else []


def _clearest(tested: pd.DataFrame) -> pd.DataFrame:
    """Terms whose interval leaves out no effect; of a data set without one, the nearest to it."""
    off = (tested["ci_low"] > 0) | (tested["ci_high"] < 0)
    nearness = tested["estimate"].abs() / (tested["ci_high"] - tested["ci_low"])
    nearest = nearness.groupby(tested["dataset"]).idxmax()
    none = ~tested["dataset"].isin(tested.loc[off, "dataset"])
    return tested[off | (none & tested.index.isin(nearest))]


def _left_out(number: int) -> list[Line]:
    note = (
        f"{count(number, 'more term')} with intervals that include no effect; each verdict is on "
        "all terms of a data set together"
    )
    return [Line("not drawn", note=note)] if number else []


def _untested(rows: pd.DataFrame, tested: set[str]) -> list[Line]:
    """Lines of what has no estimate, those with the same reason together.

    A row without a reason beside estimates of its data set is a joint test: nothing to draw.
    """
    reasons: dict[str, list[str]] = {}
    for row in rows.to_dict("records"):
        term, reason = text(row["term"]), text(row["reason"])
        if row["dataset"] in tested and not reason:
            continue
        # The verdict is the pair's; beside other terms, this one alone could not be tested.
        verdict = "untestable" if row["dataset"] in tested else text(row["verdict"])
        words = VERDICT_WORDS.get(verdict, "no estimate")
        told = reason.removeprefix(f"{term}: ").replace(term, _plain(term)) if term else reason
        names = reasons.setdefault(": ".join(filter(None, [words, told])), [])
        name = ": ".join(filter(None, [row["dataset"], _plain(term)]))
        names += [name] if name not in names else []
    return [Line(", ".join(names), note=note) for note, names in reasons.items()]


def _verdict_words(row: pd.Series) -> str:
    words = VERDICT_WORDS.get(text(row["verdict"]), "")
    return f"{words} ({text(row['grade'])})" if words and text(row["grade"]) else words


def _plain(term: object) -> str:
    """Name of a term in words; that an amount enters as a logarithm is said by its contrast."""
    return text(term).removeprefix("log_").replace("_", " ")


def _parts_title(lines: list[Line], carriers: list[str]) -> str:
    if not lines:
        return "No effect came with its two parts, discovery and retention"
    if not carriers:
        return "No effect differs from none, so neither who comes nor who stays carries one"
    found = carriers.count("discovery")
    return (
        f"Who comes or who stays? Of {count(len(carriers), 'effect')} that differ from none, "
        f"discovery is the larger part of {found} and retention of {len(carriers) - found}"
    )


def _forest_title(rows: pd.DataFrame, bounds: tuple[float, float]) -> str:
    tested = rows[rows["estimate"].notna()]
    if tested.empty:
        return "These data sets cannot tell: there is no estimate to show"
    off = (tested["ci_low"] > 0) | (tested["ci_high"] < 0)
    ratio = tested["unit"].map(is_ratio)
    low, high = (math.log(bound) for bound in bounds)
    small = ratio & (tested["ci_low"] > low) & (tested["ci_high"] < high)
    return (
        f"Of {count(len(tested), 'estimate')}, {int((off & ~small).sum())} differ from no effect, "
        f"{int(small.sum())} lie wholly in the range too small to matter, "
        f"and {int((~off & ~small).sum())} leave it open"
    )
