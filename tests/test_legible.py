"""Tables for a notebook: what stands left, what is not shown, what stays as it was."""

from __future__ import annotations

import re

import pandas as pd

from smo_research.report.legible import legible

FOUND = pd.DataFrame({"model": ["within", None], "p": [0.04, None], "loud": [True, False]})


def left(html: str) -> set[str]:
    """What the style of a table puts to the left: th or td with a class."""
    (rules,) = re.findall(r"<style.*?>(.*?)</style>", html, re.DOTALL)
    selectors = re.findall(r"#\S+ ([\w.]+) \{\s*text-align: left;\s*\}", rules)
    assert selectors
    return set(selectors)


def test_words_and_their_headings_begin_at_the_left_and_numbers_do_not():
    places = {one for one in left(legible(FOUND).to_html()) if "col" in one}
    assert places == {"th.col0", "td.col0", "th.col2", "td.col2"}


def test_numbers_in_a_column_of_any_kind_end_at_the_right():
    places = left(legible(pd.DataFrame({"published": [63.6]}, dtype=object)).to_html())
    assert not {one for one in places if "col" in one}


def test_numbers_of_rows_are_not_shown_and_labels_are():
    labels = 'class="row_heading'
    assert labels not in legible(FOUND).to_html()
    assert labels not in legible(FOUND[FOUND["loud"]]).to_html()
    assert labels in legible(FOUND.set_axis(["a", "b"])).to_html()
    assert labels in legible(FOUND.rename_axis("week")).to_html()


def test_rows_put_together_of_several_tables_are_shown_all():
    twice = pd.concat([FOUND, FOUND])
    assert legible(twice).to_html().count("<tr>") == 5


def test_nothing_stands_where_a_value_is_missing():
    text = legible(FOUND, digits=1).to_string(delimiter="|")
    assert text.splitlines() == ["model|p|loud", "within|< 0.1|yes", "||no"]


def test_no_p_value_is_rounded_to_nothing():
    table = pd.DataFrame({"p_value": [0.0004, 0.0006, 0.2], "estimate": [0.0004, 0.0, 1.0]})
    lines = legible(table).to_string(delimiter="|").splitlines()
    assert lines[1:] == ["< 0.001|0.000", "0.001|0.000", "0.200|1.000"]


def test_the_table_is_not_changed():
    before = FOUND.copy()
    legible(FOUND)
    pd.testing.assert_frame_equal(FOUND, before)


def test_a_series_is_a_column():
    text = legible(pd.Series({"a": 1.25}, name="ratio"), digits=1).to_string(delimiter="|")
    assert text.splitlines()[0].endswith("|ratio")
    assert text.splitlines()[-1] == "a|1.2"
