"""The forest plot of record: what is drawn for hand-made tables, and what is said."""

from __future__ import annotations

import math
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import Polygon, Rectangle

from smo_research.errors import DataError
from smo_research.evidence.effects import Effect
from smo_research.evidence.result import Result, effect_row, evidence_row
from smo_research.evidence.synthesis import pool
from smo_research.report.pooled import pooled_forest
from smo_research.report.style import BAND, CONVERSATION
from smo_research.report.words import MINUS

EXPLORATORY = ("mathoverflow", "collegemsg")
TWO = {"mathoverflow": 0.42, "collegemsg": 0.13}
FOUR = TWO | {"delab-twitter": 0.07, "delab-reddit": 0.10}
SEVEN = FOUR | {"five": 0.2, "six": 0.5, "seven": -0.1}
NONE = pd.DataFrame([evidence_row()]).iloc[:0]


@pytest.fixture(autouse=True)
def closed():
    """Close what a test drew."""
    yield
    plt.close("all")


def answered(values, error=0.1, unit="ln ratio if answered"):
    """Results of H5, one a data set, and their evidence table."""
    results = []
    for name, value in values.items():
        effect = Effect(value, error, 200)
        label = {"hypothesis": "H5", "dataset": name, "block": "total", "term": "answered"}
        rows = [
            effect_row(effect, **label, model="landmark", unit=unit, n_obs=9, n_accounts=1_201),
            effect_row(effect, **label, model="negative control", unit=unit),
        ]
        effects = {("landmark", "total", "answered"): effect}
        about = {"formula": "returned ~ answered", "effects": effects}
        results.append(Result("H5", name, pd.DataFrame(rows), "none", **about))
    return results, pd.concat([one.table for one in results], ignore_index=True)


def drawn(values, *, exploratory=EXPLORATORY, width=9.4, **options):
    results, evidence = answered(values, **options)
    found = [one.table for one in pool(results, exploratory=exploratory)]
    return pooled_forest(evidence, pd.concat(found), exploratory=exploratory, width=width)


def said(ax):
    """All words of the figure, in lines."""
    words = [note.get_text() for note in ax.texts]
    return [text for text in [*words, ax.get_xlabel(), ax.get_title(loc="left")] if text]


def markers(ax, kind="o"):
    return [line for line in ax.get_lines() if line.get_marker() == kind]


def diamonds(ax):
    return [patch for patch in ax.patches if isinstance(patch, Polygon)]


def test_every_set_has_a_point_at_its_ratio_and_a_mean_has_a_diamond():
    ax = drawn(FOUR)
    by_name = sorted(FOUR)
    at = [float(np.ravel(mark.get_xdata())[0]) for mark in markers(ax)]
    assert at == pytest.approx([math.exp(FOUR[name]) for name in by_name])
    rows = [float(np.ravel(mark.get_ydata())[0]) for mark in markers(ax)]
    assert rows == sorted(rows)
    (diamond,) = diamonds(ax)
    results, _ = answered(FOUR)
    (pooled,) = pool(results, exploratory=())
    mean = pooled.table.iloc[0]
    low, middle, high = np.exp(mean[["ci_low", "estimate", "ci_high"]].to_list())
    assert diamond.get_xy()[:4, 0].tolist() == pytest.approx([low, middle, high, middle])
    assert to_hex(diamond.get_facecolor()) == CONVERSATION
    assert ax.get_xscale() == "log"


def test_the_words_name_sets_ratios_and_accounts():
    words = said(drawn(FOUR))
    for text in (
        "H5  people who are answered come back: ratio if answered",
        "mathoverflow (exploratory)",
        "delab-reddit",
        "1.52 [1.25, 1.85]",
        "1,201 accounts",
        "mean of all sets",
        "a prediction interval needs 5 sets; here 4",
        "without exploratory sets, a mean needs 3 sets; here 2",
    ):
        assert text in words
    assert words[-1] == (
        "Of 1 effect measured in two or more data sets, 1 is in enough for a\n"
        "mean, and no mean differs from no effect"
    )


def test_exploratory_sets_are_hollow():
    faces = [mark.get_markerfacecolor() for mark in markers(drawn(FOUR))]
    assert faces == ["white", CONVERSATION, CONVERSATION, "white"]
    assert "hollow" in said(drawn(FOUR))[-2]
    assert "hollow" not in said(drawn(FOUR, exploratory=()))[-2]


def test_two_sets_have_the_reason_once_and_no_diamond():
    ax = drawn(TWO)
    assert not diamonds(ax)
    assert [text for text in said(ax) if "a mean needs" in text] == ["a mean needs 3 sets; here 2"]
    assert said(ax)[-1].replace("\n", " ").endswith("data sets, none is in enough for a mean")


def test_a_mean_off_no_effect_is_told_in_the_title():
    title = said(drawn(dict.fromkeys(SEVEN, 0.3)))[-1]
    assert title.replace("\n", " ").endswith("and 1 mean differs from no effect")


def test_seven_sets_have_prediction_intervals_and_two_diamonds():
    ax = drawn(SEVEN)
    assert len(diamonds(ax)) == 2
    results, _ = answered(SEVEN)
    (pooled,) = pool(results, exploratory=EXPLORATORY)
    rows = pooled.table[pooled.table["model"] == "prediction interval"]
    thin = [line.get_xdata() for line in ax.get_lines() if line.get_linewidth() == 0.9]
    np.testing.assert_allclose(thin, np.exp(rows[["ci_low", "ci_high"]].to_numpy(float)))
    assert said(ax).count("one more set") == 2
    assert "mean without exploratory sets" in said(ax)


def test_the_band_lies_behind_ratios_alone():
    bands = [patch for patch in drawn(FOUR).patches if isinstance(patch, Rectangle)]
    assert {(band.get_x(), band.get_x() + band.get_width()) for band in bands} == {(0.9, 1 / 0.9)}
    assert to_hex(bands[0].get_facecolor()) == BAND
    other = drawn(FOUR, unit="ln followers per +0.25")
    assert not [patch for patch in other.patches if isinstance(patch, Rectangle)]
    assert f"0.13 [{MINUS}0.0672, 0.327]" in said(other)
    assert "not shaded: differences of logarithms" in other.get_xlabel()


def test_an_interval_beyond_the_axis_gets_an_arrow():
    ax = drawn({"mathoverflow": 0.1, "collegemsg": 0.1}, error=3.0)
    assert len(markers(ax, "<")) == len(markers(ax, ">")) == 2
    assert ax.get_xlim() == pytest.approx((0.1, 10))


def test_what_one_set_alone_measures_is_counted():
    results, evidence = answered(FOUR)
    odd = {"hypothesis": "H3", "term": "answering"}
    table = pd.concat([one.table for one in pool(results, exploratory=())])
    alone = evidence_row(**odd, model="random effects", block="all sets", reason="here 1")
    alone = table.iloc[[0]].assign(**alone | {"unit": "ln ratio if answered"})
    one = evidence.iloc[[0]].assign(**odd)
    ax = pooled_forest(pd.concat([evidence, one]), pd.concat([table, alone]))
    assert "1 more effect is measured in one data set only" in said(ax)


@pytest.mark.parametrize("values", [{}, {"mathoverflow": 0.4}])
def test_with_nothing_to_pool_the_title_says_so(values):
    _, evidence = answered(values) if values else ([], NONE)
    ax = pooled_forest(evidence, NONE)
    assert said(ax)[-1].startswith("No effect is measured in more than one data set")
    assert not ax.axison


def test_at_column_width_words_stand_above_the_intervals_and_fit():
    values = SEVEN | {"a-data-set-of-a-very-long-name-that-must-break": 0.2}
    ax = drawn(values, width=3.5)
    figure = ax.figure
    figure.canvas.draw()
    room = figure.bbox
    boxes = [text.get_window_extent() for text in ax.texts if text.get_text()]
    assert all(room.x0 <= box.x0 and box.x1 <= room.x1 for box in boxes)
    boxes = sorted(boxes, key=lambda box: -box.y1)
    assert all(above.y0 >= below.y1 - 1 for above, below in pairwise(boxes))
    assert any("mathoverflow (exploratory)  1.52 [1.25, 1.85]" in text for text in said(ax))


def test_wide_words_do_not_meet():
    ax = drawn(SEVEN)
    ax.figure.canvas.draw()
    boxes = [text.get_window_extent() for text in ax.texts if text.get_text()]
    met = [(a, b) for n, a in enumerate(boxes) for b in boxes[n + 1 :] if a.overlaps(b)]
    assert not met


def test_axes_that_are_given_are_used():
    _, ax = plt.subplots(figsize=(3.5, 4))
    results, evidence = answered(FOUR)
    table = pd.concat([one.table for one in pool(results, exploratory=())])
    assert pooled_forest(evidence, table, ax=ax) is ax
    assert len(diamonds(ax)) == 1


def test_tables_are_not_changed_and_columns_are_asked_for():
    results, evidence = answered(FOUR)
    table = pd.concat([one.table for one in pool(results, exploratory=())])
    before = evidence.copy(), table.copy()
    pooled_forest(evidence, table)
    pd.testing.assert_frame_equal(evidence, before[0])
    pd.testing.assert_frame_equal(table, before[1])
    with pytest.raises(DataError, match="pooled must have the columns"):
        pooled_forest(evidence, table.drop(columns="reason"))
    with pytest.raises(DataError, match="evidence must have the columns"):
        pooled_forest(evidence.drop(columns="unit"), table)
