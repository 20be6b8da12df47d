"""What moves in a notebook works without a network, and leaves a picture where it cannot move."""

from __future__ import annotations

import re
import sys
from base64 import b64decode

import matplotlib.pyplot as plt
import networkx as nx
import pandas as pd
import pytest
from matplotlib.figure import Figure

from smo_research.errors import DataError
from smo_research.report.controls import knobs, sliders
from smo_research.report.interactive import as_png, css_width, draggable, sortable
from smo_research.tables import Windows

PNG = b"\x89PNG"
WIDGET = "application/vnd.jupyter.widget-view+json"
TABLE = pd.DataFrame({"account_id": ["a", "b"], "answered": [3, 1]})
WEEK = Windows(period=7, gap=7, horizon=42)


def missing(monkeypatch, name):
    monkeypatch.setitem(sys.modules, name, None)


def picture(**numbers):
    """A figure as wide as the sum of its numbers says."""
    return Figure(figsize=(sum(numbers.values()), 1))


def test_a_sortable_table_brings_its_own_script(capsys):
    html = sortable(TABLE)._repr_html_()
    assert "await window._itables" in html
    assert not re.findall(r"""(?:src=|href=|from )["']http[^"']*\.(?:js|css)""", html)
    assert "answered" in html
    assert "text_in_header_can_be_selected" not in html, "only the arrows would sort"
    assert repr(sortable(TABLE)) == repr(TABLE)


def test_a_table_shows_its_index_where_that_has_something_to_say():
    named = TABLE.set_index("account_id")
    assert "account_id" in sortable(named).html
    assert sortable(TABLE).html.count("<th>") == 2
    assert sortable(TABLE[TABLE["answered"] > 1]).html.count("<th>") == 2


def test_without_itables_the_table_is_shown_as_it_is(monkeypatch):
    missing(monkeypatch, "itables")
    assert sortable(TABLE) is TABLE


def test_a_page_has_at_least_one_row():
    with pytest.raises(DataError, match="rows must be"):
        sortable(TABLE, rows=0)


def test_a_graph_is_a_widget_and_a_picture():
    graph = nx.Graph([("a", "b"), ("b", "c")])
    groups = {"a": "left", "b": "left", "c": "right"}
    shown = draggable(graph, groups=groups, sizes={"a": 1, "b": 2, "c": 0})
    data, about = shown._repr_mimebundle_()
    assert {WIDGET, "image/png", "text/plain"} == set(data)
    assert b64decode(data["image/png"]).startswith(PNG)
    assert about["image/png"]["width"] == css_width(shown.png)
    assert data["text/plain"] == "A graph of 3 nodes and 2 edges."


def test_small_groups_are_one_in_the_widget():
    graph = nx.empty_graph(12)
    groups = {node: f"group {node // 2}" for node in graph}
    held = {
        about["group"] for _, about in draggable(graph, groups=groups).widget.graph.nodes.data()
    }
    assert held == {*(f"group {place}" for place in range(5)), "others"}


@pytest.mark.parametrize("way", ["still", "missing"])
def test_where_no_widget_can_be_drawn_the_picture_is_left(monkeypatch, way):
    if way == "missing":
        missing(monkeypatch, "ipysigma")
    shown = draggable(nx.path_graph(3), still=way == "still")
    assert shown.widget is None
    assert set(shown._repr_mimebundle_()[0]) == {"image/png", "text/plain"}


def test_the_same_graph_gives_the_same_picture():
    graph = nx.gnm_random_graph(20, 40, seed=1)
    assert draggable(graph, still=True).png == draggable(graph, still=True).png


def test_a_slider_redraws_the_figure():
    shown = knobs(picture, width=(1, 9, 2))
    slider, note, image = shown.widget.children
    assert image.value == shown.png == as_png(picture(width=2))
    slider.value = 4
    assert image.value == as_png(picture(width=4))
    assert (note.value, image.width) == ("", str(css_width(image.value)))


def test_numbers_of_each_kind_get_their_control():
    shown = knobs(
        lambda days, share, world: picture(days=days, share=share),
        days=(1, 9, 2),
        share=(0.0, 1.0, 0.5, 0.1),
        world=["none", "planted"],
    )
    kinds = [type(one).__name__ for one in shown.widget.children[:3]]
    assert kinds == ["IntSlider", "FloatSlider", "Dropdown"]
    assert shown.words == "A figure with controls: days 2, share 0.5, world none."


def test_numbers_that_cannot_be_used_leave_the_figure_and_say_why():
    def draw(days):
        if days > 5:
            raise DataError("the log is <too> short")
        if days == 5:
            raise RuntimeError("a mistake of ours")
        return picture(days=days)

    shown = knobs(draw, days=(1, 9, 2))
    slider, note, image = shown.widget.children
    slider.value = 7
    assert (image.value, "the log is &lt;too&gt; short" in note.value) == (shown.png, True)
    with pytest.raises(RuntimeError):
        slider.value = 5
    assert "could not be drawn" in note.value
    slider.value = 3
    assert (image.value, note.value) == (as_png(picture(days=3)), "")


def test_without_ipywidgets_there_is_the_picture(monkeypatch):
    missing(monkeypatch, "ipywidgets")
    assert knobs(picture, width=(1, 9, 2)).widget is None


@pytest.mark.parametrize("given", [(1, 9), (1, 9, 10), [], 3, (1, 9, 2, 1, 1)])
def test_a_range_of_another_form_is_named(given):
    with pytest.raises(DataError, match="width must be"):
        knobs(picture, width=given)


def test_sliders_hand_on_the_windows():
    asked = []

    def draw(windows):
        asked.append(windows)
        return picture(width=windows.horizon / 10)

    shown = sliders(draw, windows=Windows(period=7, gap=7, horizon=42, from_launch=False))
    period, gap, horizon, note, _ = shown.widget.children
    horizon.value = 28
    assert asked[-1] == Windows(period=7, gap=7, horizon=28, from_launch=False)
    horizon.value, gap.value = 20, 21
    assert "gap must not be longer than horizon" in note.value
    gap.value, period.value = 14, 14
    assert asked[-1] == Windows(period=14, gap=14, horizon=20, from_launch=False)


def test_sliders_need_a_gap():
    with pytest.raises(DataError, match="windows must have a gap"):
        sliders(lambda windows: picture(width=1), windows=Windows(period=7, horizon=42))


def test_a_picture_closes_its_figure():
    ax = plt.subplots(figsize=(3, 2))[1]
    assert as_png(ax).startswith(PNG)
    assert not plt.fignum_exists(ax.get_figure().number)
