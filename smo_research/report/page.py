"""The report: one HTML page that needs nothing but itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from typing import Any

import pandas as pd
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from smo_research.evidence.published import cell
from smo_research.report.answer import answer_paragraph
from smo_research.report.rows import require, require_verdicts
from smo_research.report.style import VERDICT_COLOURS
from smo_research.report.svg import inline_svg
from smo_research.report.words import (
    DASH,
    HOW_TESTED,
    JOINTLY,
    SHORT_NAMES,
    VERDICT_WORDS,
    effect,
    p_text,
    text,
)
from smo_research.simulation.sizes import calibrated, false_positives

__all__ = ["answer_paragraph", "render"]

TITLE = "Do tricks or conversation predict an audience that lasts?"
_NEEDED = [
    "hypothesis", "dataset", "estimate", "ci_low", "ci_high", "unit", "p_holm", "n_obs",
    "n_accounts", "verdict", "grade", "reason",
]  # fmt: skip
_EVIDENCE = [
    "hypothesis", "dataset", "model", "block", "term", "estimate", "ci_low", "ci_high", "unit",
    "p_value", "n_obs", "n_accounts",
]  # fmt: skip


def render(
    *,
    verdicts: pd.DataFrame,
    evidence: pd.DataFrame,
    figures: Mapping[str, tuple[str, str, str]],
    datasets: Sequence[Mapping[str, Any]],
    passed_over: Sequence[Mapping[str, Any]],
    answer: str,
    manifest: Mapping[str, Any],
    reproduction: Sequence[Mapping[str, Any]] = (),
) -> str:
    """Render the report as HTML without scripts, network or files beside it.

    Parameters
    ----------
    verdicts
        One row a hypothesis and data set (design, section 7). A column `detectable`, the
        smallest effect that the data could have shown, in the unit of the estimate, is
        printed with the limits.
    evidence
        The tidy evidence table, one row a term; it is printed at the end.
    figures
        By name: SVG text, what it shows for who cannot see it, and the caption.
    datasets
        One mapping a data set, with the keys name, title, licence, rows, cannot_say and
        citation; all but the name may be absent.
    passed_over
        One mapping a data set that was not used, with the keys name and reason.
    answer
        The answer, such as `answer_paragraph` composes it.
    manifest
        What the run can be repeated from, such as version, seed, hashes; mappings may nest.
    reproduction
        One mapping a published figure, with the keys dataset, quantity, published, measured,
        outcome, reason and source.

    Returns
    -------
    str
        The page. Everything in it that came from data is escaped.

    Raises
    ------
    DataError
        When a column is missing or a verdict is not one of the five.
    """
    require(verdicts, _NEEDED, "verdicts")
    require_verdicts(verdicts, "verdicts")
    require(evidence, _EVIDENCE, "evidence")
    template = files("smo_research.report").joinpath("template.html").read_text("utf-8")
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    shown = [_verdict(row) for row in _sorted(verdicts)]
    return environment.from_string(template).render(
        title=TITLE,
        answer=answer,
        claims=[(name, SHORT_NAMES[name], HOW_TESTED[name]) for name in SHORT_NAMES],
        datasets=[_dataset(row) for row in datasets],
        figures=[_figure(*item) for item in figures.items()],
        verdicts=shown,
        wrong=false_positives(calibrated()),
        jointly=JOINTLY,
        detectable=[row for row in shown if row["detectable"] not in ("", DASH)],
        evidence=[_estimate(row) for row in _sorted(evidence)],
        passed_over=passed_over,
        manifest=list(_flat(manifest)),
        colours=VERDICT_COLOURS,
        reproduction=[_figure_check(row) for row in reproduction],
    )


def _sorted(table: pd.DataFrame) -> list[dict[str, Any]]:
    rows = table.sort_values(["hypothesis", "dataset"], kind="stable").to_dict("records")
    return [{str(key): value for key, value in row.items()} for row in rows]


def _verdict(row: dict[str, Any]) -> dict[str, str]:
    verdict = text(row["verdict"]) or "untestable"
    missing = float("nan")
    return _estimate(row) | {
        "name": SHORT_NAMES.get(row["hypothesis"], ""),
        "p": p_text(row["p_holm"]),
        "verdict": verdict,
        "words": VERDICT_WORDS[verdict],
        "grade": text(row["grade"]) or DASH,
        "detectable": effect(row.get("detectable", missing), missing, missing, row["unit"]),
    }


def _estimate(row: dict[str, Any]) -> dict[str, str]:
    """Cells of a line of evidence, as they are printed."""
    return {
        "hypothesis": text(row["hypothesis"]),
        "dataset": text(row["dataset"]),
        "model": text(row.get("model")),
        "block": text(row.get("block")),
        "term": text(row.get("term")).replace("_", " "),
        "effect": effect(row["estimate"], row["ci_low"], row["ci_high"], row["unit"]),
        "p": p_text(row.get("p_value")),
        "reason": text(row.get("reason")),
        "n_obs": _whole(row["n_obs"]),
        "n_accounts": _whole(row["n_accounts"]),
    }


def _whole(number: object) -> str:
    return f"{int(text(number).split('.')[0]):,}" if text(number) not in ("", "0") else DASH


def _dataset(row: Mapping[str, Any]) -> dict[str, str]:
    rows = row.get("rows")
    return {
        "name": text(row["name"]),
        "title": text(row.get("title")),
        "licence": text(row.get("licence")) or DASH,
        "rows": f"{rows:,}" if isinstance(rows, int) else text(rows) or DASH,
        "cannot_say": text(row.get("cannot_say")) or DASH,
        "citation": text(row.get("citation")),
    }


def _figure_check(row: Mapping[str, Any]) -> dict[str, str]:
    numbers = {name: cell(row[name]) for name in ("published", "measured")}
    return {name: text(value) for name, value in row.items()} | numbers


def _figure(name: str, parts: tuple[str, str, str]) -> dict[str, Any]:
    svg, alt, caption = parts
    place = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")
    return {
        "id": f"figure-{place}",
        # Our own drawing, with the names in it escaped by matplotlib.
        "svg": Markup(inline_svg(svg, f"{place}-")),
        "alt": alt,
        "caption": caption,
    }


def _flat(manifest: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    """Yield the manifest as lines, nested keys joined by a slash."""
    for key, value in manifest.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{path}{key} / ")
        else:
            yield f"{path}{key}", text(value)
