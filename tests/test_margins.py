"""The margin of conversation over tweaks, and the smallest that a contest would have found."""

from __future__ import annotations

import pandas as pd
import pytest

from smo_research.errors import DataError
from smo_research.evidence.contributions import CONTRAST
from smo_research.report.margins import detectable_margins, margins


def row(dataset, estimate, low, high, *, model="contest", term=CONTRAST):
    return {
        "hypothesis": "H4",
        "dataset": dataset,
        "model": model,
        "term": term,
        "estimate": estimate,
        "ci_low": low,
        "ci_high": high,
        "n_obs": 60,
    }


TABLE = pd.DataFrame(
    [
        row("one", 0.5, 0.1, 0.9),
        row("two", 0.001, -0.002, 0.003, model="described"),
        row("two", 0.1, 0.0, 0.2, term="tweaks"),
        row("three", None, None, None),
    ]
)


def words(ax):
    return "\n".join(text.get_text() for text in ax.texts)


def test_only_margins_with_an_estimate_are_listed():
    found = detectable_margins(TABLE)
    assert found["dataset"].tolist() == ["one", "two"]
    # 2.8 standard errors, of which the interval spans 3.92.
    assert found["detectable"].tolist() == pytest.approx([2.8 / 3.92 * 0.8, 2.8 / 3.92 * 0.005])


def test_each_contest_has_its_own_unit_and_its_numbers():
    ax = margins(TABLE)
    assert ax.get_title(loc="left").startswith("Of 2 contests 1 tells")
    assert "0.50 [0.10, 0.90] nats a row\nwould find 0.57 or more" in words(ax)
    assert "[\N{MINUS SIGN}2.00, 3.00] thousandths of a nat a row" in words(ax)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["one", "two\n(described only)"]
    points = [line.get_xdata()[0] for line in ax.lines if line.get_marker() == "o"]
    assert points == pytest.approx([0.5 / 0.5714, 0.001 / 0.003571], rel=1e-3)


def test_none_to_draw_is_an_error():
    with pytest.raises(DataError, match="must hold a contest with an estimate"):
        margins(TABLE[TABLE["dataset"] == "three"])
    with pytest.raises(DataError, match="lacks n_obs"):
        margins(TABLE.drop(columns="n_obs"))
