"""The report: figures from tidy tables, the same bytes when saved, a page that stands alone."""

from __future__ import annotations

import math
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from smo_research.datasets.catalog import catalog
from smo_research.errors import DataError, FetchError
from smo_research.report import cards, plots, style, words
from smo_research.report import data_pictures as pictures
from smo_research.report.page import answer_paragraph, render
from smo_research.report.save import save_figure
from smo_research.report.svg import inline_svg
from smo_research.tables import Tables

NAN = float("nan")
SHARE = "ln ratio per +0.25"


def _row(hypothesis, dataset, term, estimate=NAN, error=NAN, *, unit=SHARE, **others):
    low, high = estimate - 1.96 * error, estimate + 1.96 * error
    missing = math.isnan(estimate)
    return {
        "hypothesis": hypothesis,
        "dataset": dataset,
        "model": "between",
        "block": "total",
        "term": term,
        "estimate": estimate,
        "std_error": error,
        "ci_low": low,
        "ci_high": high,
        "p_value": NAN if missing else 0.01,
        "p_holm": NAN if missing else 0.03,
        "unit": unit,
        "n_obs": NAN if missing else 41_210.0,
        "n_accounts": NAN if missing else 3_120.0,
        "verdict": "untestable" if missing else "inconclusive",
        "grade": None if missing else "C",
        "reason": None,
        **others,
    }


EVIDENCE = """
hypothesis|dataset         |model           |block    |term          |estimate|error|unit                       |verdict     |grade
H1        |german-libraries|between         |total    |hashtag_rate  | 0.110  |0.030|ln ratio per doubling      |supported   |C
H1        |german-libraries|between         |total    |link_rate     |-0.210  |0.040|ln ratio per doubling      |supported   |C
H1        |candidates-2020 |between         |total    |has_media     | 0.420  |0.050|ln ratio with it           |supported   |B
H2        |mathoverflow    |between         |total    |schedule_focus| 0.012  |0.021|ln ratio per +0.25         |negligible  |A
H2        |mathoverflow    |between         |discovery|schedule_focus| 0.030  |0.021|ln ratio per +0.25         |negligible  |A
H2        |mathoverflow    |between         |retention|schedule_focus|-0.020  |0.021|ln ratio per +0.25         |negligible  |A
H2        |mathoverflow    |between         |total    |burstiness    |-0.041  |0.024|ln ratio per +0.25         |negligible  |A
H2        |mathoverflow    |between         |discovery|burstiness    |-0.050  |0.024|ln ratio per +0.25         |negligible  |A
H2        |mathoverflow    |between         |retention|burstiness    | 0.010  |0.024|ln ratio per +0.25         |negligible  |A
H2        |collegemsg      |between         |total    |schedule_focus|-0.180  |0.140|ln ratio per +0.25         |inconclusive|
H2        |collegemsg      |between         |discovery|schedule_focus|-0.120  |0.140|ln ratio per +0.25         |inconclusive|
H2        |collegemsg      |between         |retention|schedule_focus|-0.060  |0.140|ln ratio per +0.25         |inconclusive|
H2        |candidates-2020 |between         |total    |hashtag_rate  | 0.004  |0.019|ln followers per doubling  |inconclusive|
H3        |mathoverflow    |between         |total    |answering     | 0.131  |0.022|ln ratio per +0.25         |supported   |B
H3        |mathoverflow    |between         |discovery|answering     | 0.050  |0.022|ln ratio per +0.25         |supported   |B
H3        |mathoverflow    |between         |retention|answering     | 0.080  |0.022|ln ratio per +0.25         |supported   |B
H3        |mathoverflow    |within          |total    |answering     | 0.050  |0.030|ln ratio per +0.25         |supported   |B
H3        |mathoverflow    |placebo         |total    |answering     | 0.010  |0.020|ln ratio per +0.25         |supported   |B
H3        |collegemsg      |between         |total    |answering     | 0.262  |0.061|ln ratio per +0.25         |supported   |A
H3        |collegemsg      |between         |discovery|answering     | 0.210  |0.061|ln ratio per +0.25         |supported   |A
H3        |collegemsg      |between         |retention|answering     | 0.050  |0.061|ln ratio per +0.25         |supported   |A
H4        |mathoverflow    |contest         |total    |margin        | 0.0123 |0.004|nats per row               |supported   |B
H5        |mathoverflow    |landmark        |total    |answered      | 0.241  |0.040|ln ratio if answered       |supported   |A
H5        |mathoverflow    |negative control|total    |answered      | 0.020  |0.040|ln ratio if answered       |supported   |A
H5        |collegemsg      |landmark        |total    |answered      | 0.950  |0.210|ln ratio if answered       |supported   |C
H5        |delab-reddit    |landmark        |total    |answered      |-0.090  |0.130|ln ratio if answered       |inconclusive|
H5        |delab-twitter   |landmark        |total    |answered      | 0.400  |1.900|ln ratio if answered       |inconclusive|
H7        |mathoverflow    |between         |total    |past_answering| 0.030  |0.020|ln ratio per +0.25         |negligible  |B
H7        |collegemsg      |between         |total    |past_answering|-0.170  |0.060|ln ratio per +0.25         |contradicted|C
"""  # noqa: E501
UNTESTABLE = {
    ("H1", "mathoverflow"): "no table of posts, so no tweak beyond timing can be measured",
    ("H1", "collegemsg"): "no table of posts, so no tweak beyond timing can be measured",
    ("H3", "delab-reddit"): "a sample of conversation trees: later audiences are not in it",
    ("H3", "delab-twitter"): "a sample of conversation trees: later audiences are not in it",
    ("H3", "candidates-2020"): "under 20 accounts with an outcome above 0 (12)",
    ("H4", "collegemsg"): "fewer than two tweaks beyond timing",
    ("H6", "mathoverflow"): "volume is itself interaction: no posts apart from acts",
}


def fake_evidence() -> pd.DataFrame:
    """Evidence as a real run gives it: ratios, other units, checks, parts, untestable rows."""
    lines = [[cell.strip() for cell in line.split("|")] for line in EVIDENCE.strip().split("\n")]
    tested = [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]
    rows = []
    for row in tested:
        estimate, error = float(row.pop("estimate")), float(row.pop("error"))
        rows.append(_row(estimate=estimate, error=error, **row))
    rows += [_row(*pair, "", reason=reason) for pair, reason in UNTESTABLE.items()]
    return pd.DataFrame(rows)


def fake_verdicts() -> pd.DataFrame:
    evidence = fake_evidence()
    rows = evidence[
        (evidence["block"] == "total")
        & ~evidence["model"].isin(["within", "placebo", "negative control"])
    ]
    table = rows.drop_duplicates(["hypothesis", "dataset"]).reset_index(drop=True)
    return table.assign(detectable=table["std_error"] * 2.8)


def fake_curves() -> pd.DataFrame:
    days = np.arange(0, 141, 7)
    speeds = {
        "collegemsg": (0.30, 0.12),
        "delab-reddit": (0.062, 0.058),
        "mathoverflow": (0.34, 0.26),
    }
    frames = []
    for name, shares in speeds.items():
        for answered, share in zip((True, False), shares, strict=True):
            back = share * (1 - np.exp(-days / 40))
            error = 0.06 * share if name != "delab-reddit" else 0.2 * share
            frames.append(
                pd.DataFrame(
                    {
                        "dataset": name,
                        "answered": answered,
                        "days": days,
                        "back": back,
                        "ci_low": np.clip(back - error, 0, 1),
                        "ci_high": back + error,
                        "n_contacts": 5210 if answered else 14870,
                    }
                )
            )
    return pd.concat(frames, ignore_index=True)


def _verdicts(*rows) -> pd.DataFrame:
    return pd.DataFrame(
        [
            _row(hypothesis, dataset, "", estimate, error, verdict=verdict, reason=reason)
            for hypothesis, dataset, verdict, estimate, error, reason in rows
        ]
    )


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def _texts(ax: Axes) -> list[str]:
    return [item.get_text() for item in ax.texts]


FIGURES = {
    "forest": (plots.forest, fake_evidence),
    "parts": (plots.parts, fake_evidence),
    "return_curve": (plots.return_curve, lambda: fake_curves().query("dataset == 'collegemsg'")),
    "testability": (plots.testability, fake_verdicts),
}


@pytest.mark.parametrize("name", FIGURES)
def test_a_plot_returns_the_axes_it_was_given_and_leaves_its_table_alone(name):
    plot, table = FIGURES[name]
    given = table()
    before = given.copy(deep=True)
    ax = plt.subplots()[1]
    assert plot(given, ax=ax) is ax
    assert isinstance(plot(given), Axes)
    pd.testing.assert_frame_equal(given, before)


@pytest.mark.parametrize("name", FIGURES)
def test_a_plot_of_an_empty_table_says_so_and_does_not_fail(name):
    plot, table = FIGURES[name]
    assert isinstance(plot(table().head(0)), Axes)


@pytest.mark.parametrize("name", FIGURES)
def test_a_missing_column_is_named(name):
    plot, table = FIGURES[name]
    with pytest.raises(DataError, match="lacks dataset"):
        plot(table().drop(columns="dataset"))


def test_plots_leave_the_look_of_other_figures_alone():
    with plt.rc_context({"font.size": 7, "axes.spines.top": True}):
        plots.forest(fake_evidence())
        assert plt.rcParams["font.size"] == 7
        assert plt.rcParams["axes.spines.top"]


def test_the_look_keeps_the_interactive_mode_that_a_first_figure_turns_on():
    try:
        with style.look():
            plt.ion()
        assert plt.isinteractive()
    finally:
        plt.ioff()


def test_forest_shows_ratios_with_their_interval_and_verdict():
    evidence = pd.DataFrame(
        [_row("H3", "letters", "answering", math.log(1.5), 0.1, verdict="supported", grade="A")]
    )
    ax = plots.forest(evidence)
    assert ax.get_xscale() == "log"
    assert "1.50 [1.23, 1.82] per +0.25" in _texts(ax)
    assert "supported (A)" in _texts(ax)
    point = next(line for line in ax.lines if line.get_marker() == "o")
    assert point.get_xdata()[0] == pytest.approx(1.5)


def test_forest_gives_tweaks_one_colour_and_conversation_another():
    ax = plots.forest(fake_evidence().query("hypothesis in ['H2', 'H3'] and unit == @SHARE"))
    colours = [to_hex(line.get_color()) for line in ax.lines if line.get_marker() == "o"]
    assert colours == [style.TWEAK] * 3 + [style.CONVERSATION] * 2


def test_forest_leaves_out_checks_and_parts():
    ax = plots.forest(fake_evidence().query("hypothesis == 'H3' and dataset == 'mathoverflow'"))
    assert sum(line.get_marker() == "o" for line in ax.lines) == 1


def test_forest_takes_a_table_whose_index_repeats():
    evidence = fake_evidence()
    repeated = pd.concat([evidence.iloc[:10], evidence.iloc[10:].reset_index(drop=True)])
    assert _texts(plots.forest(repeated)) == _texts(plots.forest(evidence))


def test_forest_lists_the_untestable_with_their_reason_once():
    ax = plots.forest(fake_evidence().query("hypothesis == 'H3'"))
    assert "delab-reddit, delab-twitter" in _texts(ax)
    notes = [
        note.replace("\n", " ") for note in _texts(ax) if note.startswith("cannot tell: a sample")
    ]
    assert len(notes) == 1
    assert notes[0].endswith("are not in it")


def test_forest_lists_a_term_that_could_not_be_tested_beside_those_that_were():
    evidence = fake_evidence().query("hypothesis == 'H2' and dataset == 'mathoverflow'")
    narrow = _row("H2", "mathoverflow", "hashtag_rate", model="", reason="hardly varies")
    ax = plots.forest(pd.concat([evidence, pd.DataFrame([narrow])]))
    assert sum(line.get_marker() == "o" for line in ax.lines) == 2
    assert "mathoverflow: hashtag rate" in _texts(ax)
    assert "cannot tell: hardly varies" in _texts(ax)


def test_forest_of_many_terms_draws_the_clear_ones_and_says_so():
    clear = [_row("H1", "a", f"has_{i}", 0.5, 0.05) for i in range(6)]
    vague = [_row("H1", name, f"is_{i}", 0.1 * i, 0.5) for name in "ab" for i in (1, 2, 3, 4)]
    drawn = _texts(plots.forest(pd.DataFrame(clear + vague)))
    assert {f"a: has {i}" for i in range(6)} <= set(drawn)
    assert [label for label in drawn if ": is " in label] == ["b: is 4"]
    assert any("7 more terms" in label for label in drawn)


def test_forest_draws_no_joint_test_and_tells_a_term_from_its_data_set():
    evidence = pd.DataFrame(
        [
            _row("H1", "a", "log_words", 0.5, 0.05, verdict="supported"),
            _row("H1", "a", "all tweaks together", verdict="supported"),
            _row("H1", "a", "type_link", verdict="supported", reason="type_link: it hardly varies"),
        ]
    )
    drawn = _texts(plots.forest(evidence))
    assert "a: words" in drawn
    assert "cannot tell: it hardly varies" in drawn
    assert "a: all tweaks together" not in drawn
    assert "H1  tricks raise the counters (all tweaks of a data set decide together)" in drawn


def test_forest_names_data_sets_tried_on_overlapping_windows_alone():
    overlapping = _row("H3", "b", "reply_share", 0.1, 0.2, model="overlapping windows")
    evidence = pd.DataFrame([_row("H3", "a", "answering", 0.1, 0.2), overlapping])
    assert "cannot tell: too few outcome windows that do not overlap" in _texts(
        plots.forest(evidence)
    )


def test_forest_of_the_contest_draws_its_margin_alone():
    rows = [_row("H4", "a", term, 0.1, 0.2, unit="nats") for term in ("margin", "full model")]
    ax = plots.forest(pd.DataFrame(rows))
    assert sum(line.get_marker() == "o" for line in ax.lines) == 1


def test_a_difference_of_logarithms_is_drawn_on_the_log_axis_as_long_as_its_ratio():
    rows = [
        _row("H3", "a", "answering", 0.2, 0.1),
        _row("H3", "b", "reply_share", 0.2, 0.1, unit="ln followers per +0.25"),
    ]
    ax = plots.forest(pd.DataFrame(rows))
    points = [line.get_xdata()[0] for line in ax.lines if line.get_marker() == "o"]
    assert points == pytest.approx([math.exp(0.2)] * 2)


def test_forest_of_another_unit_is_not_exponentiated():
    ax = plots.forest(fake_evidence().query("hypothesis == 'H4'"))
    assert ax.get_xscale() == "linear"
    assert ax.get_xlabel().startswith("nats per row")
    point = next(line for line in ax.lines if line.get_marker() == "o")
    assert point.get_xdata()[0] == pytest.approx(0.0123)


def test_forest_marks_an_interval_that_leaves_the_axis():
    evidence = pd.DataFrame([_row("H5", "tiny", "answered", 1.0, 40.0)])
    markers = {line.get_marker() for line in plots.forest(evidence).lines}
    assert {"<", ">"} <= markers


@pytest.mark.parametrize(
    ("estimate", "error", "expected"),
    [
        (0.5, 0.1, "1 differ from no effect, 0 lie wholly"),
        (0.01, 0.02, "0 differ from no effect, 1 lie wholly"),
        (0.05, 0.5, "and 1 leave it open"),
        (NAN, NAN, "cannot tell"),
    ],
)
def test_forest_title_follows_the_data(estimate, error, expected):
    title = plots.forest(pd.DataFrame([_row("H3", "a", "answering", estimate, error)])).get_title(
        "left"
    )
    assert expected in title.replace("\n", " ")


def test_parts_puts_total_discovery_and_retention_side_by_side():
    ax = plots.parts(fake_evidence().query("hypothesis == 'H3'"))
    labels = [text for text in _texts(ax) if text in ("total", "discovery", "retention")]
    assert labels == ["total", "discovery", "retention"] * 2
    assert "discovery is the larger part of 1 and retention of 1" in ax.get_title("left").replace(
        "\n", " "
    )


@pytest.mark.parametrize(("flip", "expected"), [(False, "more often"), (True, "less often")])
def test_return_curve_title_follows_the_data(flip, expected):
    table = fake_curves().query("dataset == 'collegemsg'")
    ax = plots.return_curve(table.assign(answered=table["answered"] != flip))
    assert expected in ax.get_title("left").replace("\n", " ")


@pytest.mark.parametrize("scale", [1, 0.1, 0.03, 0.01])
def test_return_curve_ticks_differ_from_one_another(scale):
    table = fake_curves().query("dataset == 'mathoverflow'")
    shares = ["back", "ci_low", "ci_high"]
    ax = plots.return_curve(table.assign(**{name: table[name] * scale for name in shares}))
    ax.figure.draw_without_rendering()
    ticks = [label.get_text() for label in ax.get_yticklabels()]
    assert len(set(ticks)) == len(ticks)


def test_return_curve_draws_one_data_set_only():
    with pytest.raises(DataError, match="one data set"):
        plots.return_curve(fake_curves())


def test_return_curves_has_a_panel_a_data_set_and_counts_them():
    figure = plots.return_curves(fake_curves())
    assert isinstance(figure, Figure)
    assert sum(bool(ax.get_title("left")) for ax in figure.axes) == 3
    assert "more often in 2 of 3 data sets" in figure.get_suptitle()


def test_return_curve_labels_do_not_touch():
    ax = plots.return_curve(fake_curves().query("dataset == 'delab-reddit'"))
    ax.figure.draw_without_rendering()
    first, second = (item.get_window_extent() for item in ax.texts)
    assert not first.overlaps(second)


def test_testability_writes_the_verdict_into_each_cell():
    ax = plots.testability(
        _verdicts(
            ("H3", "a", "supported", 0.2, 0.05, None), ("H5", "b", "untestable", NAN, NAN, "no")
        )
    )
    assert _texts(ax).count("supported") == 1
    assert _texts(ax).count(words.DASH) == 1
    assert _texts(ax).count("not run") == 2


def test_testability_tells_what_was_tried_from_what_cannot_be():
    verdicts = _verdicts(
        ("H2", "a", "untestable", NAN, NAN, "49 rows"), ("H2", "b", "untestable", NAN, NAN, "no")
    )
    declared = pd.DataFrame(
        {"dataset": ["a", "b"], "hypothesis": ["H2", "H2"], "testable": [True, False]}
    )
    ax = plots.testability(verdicts, declared=declared)
    assert _texts(ax) == ["tried, too little", words.DASH]
    assert "too few rows" in ax.get_xlabel()
    assert "too few rows" not in plots.testability(verdicts).get_xlabel()


def test_testability_gives_no_ratio_where_several_terms_decide():
    verdicts = _verdicts(
        ("H1", "a", "supported", 0.2, 0.05, None), ("H3", "a", "supported", 0.2, 0.05, None)
    )
    assert _texts(plots.testability(verdicts.assign(grade="B"))) == [
        *("supported", "grade B", "supported", "ratio 1.22 (B)")
    ]


def test_testability_puts_data_sets_that_tell_more_first():
    verdicts = _verdicts(
        ("H3", "a", "untestable", NAN, NAN, "no"), ("H3", "b", "inconclusive", 0.2, 0.5, None)
    )
    ax = plots.testability(verdicts)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["b", "a"]


def test_an_unknown_verdict_is_refused():
    with pytest.raises(DataError, match="proven"):
        plots.testability(_verdicts(("H3", "a", "proven", 0.2, 0.05, None)))


def test_figures_are_saved_twice_with_the_same_bytes(tmp_path):
    provenance = {"version": "0.1.0", "data": "sha256:ab", "note": "ü — seed 7"}
    saved = []
    for folder in ("a", "b"):
        ax = plots.forest(fake_evidence())
        saved.append(save_figure(ax, tmp_path / folder / "h2.forest", provenance=provenance))
    again = save_figure(ax.figure, tmp_path / "a" / "h2.forest", provenance=provenance)
    assert [path.name for path in again] == ["h2.forest.svg", "h2.forest.png"]
    for first, second in zip(*saved, strict=True):
        assert first.read_bytes() == second.read_bytes()
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == [
        "h2.forest.png",
        "h2.forest.svg",
    ]


def test_saved_figures_carry_their_provenance_and_no_date(tmp_path):
    svg, png = save_figure(plots.forest(fake_evidence()), tmp_path / "f", provenance={"seed": "7"})
    assert "seed: 7" in svg.read_text()
    assert "<dc:date>" not in svg.read_text()
    assert b"seed\x007" in png.read_bytes()
    ElementTree.fromstring(svg.read_text())


def test_a_failed_save_leaves_the_old_file(tmp_path, monkeypatch):
    ax = plt.subplots()[1]
    old = save_figure(ax, tmp_path / "f", provenance={})[0].read_bytes()

    def fail(*_args, **_options):
        raise OSError("disk full")

    monkeypatch.setattr(Figure, "savefig", fail)
    with pytest.raises(OSError, match="disk full"):
        save_figure(ax, tmp_path / "f", provenance={})
    assert (tmp_path / "f.svg").read_bytes() == old
    assert len(list(tmp_path.iterdir())) == 2


class _Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.ids, self.loaded, self.pointers = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value)
            if name in ("src", "href", "xlink:href", "srcset"):
                (self.pointers if value.startswith("#") else self.loaded).append(value)
            self.pointers += re.findall(r"url\((#[^)]+)\)", value or "")


def fake_page(tmp_path) -> str:
    drawn = {
        "testability": (
            plots.testability(fake_verdicts()),
            "Grid of verdicts.",
            "What each data set can say.",
        ),
        "forest": (
            plots.forest(fake_evidence()),
            "Forest of estimates.",
            "Every estimate that decides.",
        ),
        "parts": (plots.parts(fake_evidence()), "Parts of effects.", "Who comes, and who stays."),
        "return curves": (
            plots.return_curves(fake_curves()),
            "Curves of return.",
            "First contacts that are back, by whether they were answered.",
        ),
    }
    figures = {
        name: (
            save_figure(ax, tmp_path / name, provenance={"seed": "7"})[0].read_text(),
            alt,
            caption,
        )
        for name, (ax, alt, caption) in drawn.items()
    }
    return render(
        verdicts=fake_verdicts(),
        evidence=fake_evidence(),
        figures=figures,
        datasets=[
            {
                "name": "mathoverflow",
                "title": "Questions, answers and comments",
                "licence": "CC BY-SA 4.0",
                "rows": 506_550,
                "cannot_say": "Anything on hashtags, links or media: it has no posts.",
                "citation": "Paranjape, Benson & Leskovec 2017",
            },
            {
                "name": "collegemsg",
                "licence": "not stated",
                "rows": 59_835,
                "cannot_say": "Anything after the platform's first 193 days.",
            },
            {
                "name": "delab-reddit",
                "licence": "CC BY 4.0",
                "rows": 12_411,
                "cannot_say": "Growth: it is a sample of trees.",
            },
        ],
        passed_over=[
            {
                "name": "german-libraries",
                "reason": "could not be downloaded: the server did not answer",
            }
        ],
        answer=answer_paragraph(fake_verdicts()),
        manifest={
            "version": "0.1.0",
            "seed": 7,
            "hypotheses": "sha256:" + "ab" * 32,
            "data": {"collegemsg": "cd" * 32, "mathoverflow": "ef" * 32},
        },
    )


def test_page_stands_alone(tmp_path):
    page = _Page()
    page.feed(fake_page(tmp_path))
    assert page.loaded == []
    assert not {"script", "link", "img", "iframe", "object"} & set(page.tags)
    assert page.tags.count("svg") == 4
    assert len(page.ids) == len(set(page.ids))
    assert {pointer[1:] for pointer in page.pointers} <= set(page.ids)


def test_page_names_figures_for_those_who_cannot_see_them(tmp_path):
    page = fake_page(tmp_path)
    assert page.count('role="img" aria-label="') == 4
    assert page.count("<th scope=") > 20


def test_page_escapes_everything_that_came_from_data():
    bad = '<script>alert("x")</script>'
    verdicts = _verdicts(("H3", bad, "untestable", NAN, NAN, bad))
    page = render(
        verdicts=verdicts,
        evidence=verdicts.assign(term=bad, model=bad),
        figures={bad: ('<svg width="9"></svg>', bad + '"', bad)},
        datasets=[{"name": bad, "title": bad, "licence": bad, "cannot_say": bad, "citation": bad}],
        passed_over=[{"name": bad, "reason": bad}],
        answer=answer_paragraph(verdicts),
        manifest={bad: bad},
    )
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_page_shows_published_figures_beside_those_found_here():
    columns = ["dataset", "quantity", "published", "measured", "outcome", "reason", "source"]
    rows = [
        ["tiny", "acts", 12_345, 12_345, "exact", "", "nobody"],
        ["tiny", "losses, %", 8.9, 8.837, "not reproducible", "counted <otherwise>", "nobody"],
        ["tiny", "error, %", 27, None, "not reproducible", "", "a paper"],
    ]
    about = {"verdicts": fake_verdicts(), "evidence": fake_evidence(), "figures": {}}
    about |= {"datasets": [], "passed_over": [], "answer": "", "manifest": {}}
    page = render(**about, reproduction=[dict(zip(columns, row, strict=True)) for row in rows])
    assert "Do the tables match what was published?" in page
    assert page.count('<td class="number">12,345</td>') == 2
    assert "counted &lt;otherwise&gt;" in page
    assert page.count("Unexplained:") == 1
    counts = '<tr><th scope="row">tiny</th>' + "".join(
        f'<td class="number">{count}</td>' for count in (1, 0, 2)
    )
    assert counts in page
    assert "Do the tables match" not in render(**about)


def test_page_prints_the_smallest_effect_that_could_be_found(tmp_path):
    assert "Smallest detectable effect" in fake_page(tmp_path)
    bare = fake_verdicts().drop(columns="detectable")
    page = render(
        verdicts=bare,
        evidence=fake_evidence(),
        figures={},
        datasets=[],
        passed_over=[],
        answer="",
        manifest={},
    )
    assert "Smallest detectable effect" not in page


def test_svg_ids_and_their_references_get_the_prefix():
    svg = '<svg><script>1</script><path id="p"/><use xlink:href="#p" clip-path="url(#p)"/></svg>'
    assert inline_svg(svg, "f-") == (
        '<svg aria-hidden="true"><path id="f-p"/>'
        '<use xlink:href="#f-p" clip-path="url(#f-p)"/></svg>'
    )
    with pytest.raises(ValueError, match="no <svg> element"):
        inline_svg("nothing", "f-")


UP = (math.log(1.25), 0.03, None)
NOWHERE = (0.0, 0.02, None)
DOWN = (math.log(0.8), 0.03, None)
UNKNOWN = (NAN, NAN, "no posts")


@pytest.mark.parametrize(
    ("rows", "says", "never_says"),
    [
        pytest.param(
            [("H3", "a", "supported", *UP), ("H2", "a", "negligible", *NOWHERE)],
            [
                "Yes, by the one clear result",
                "Accounts that answer more later gain more",
                "1.25 [1.18, 1.33] per +0.25",
            ],
            ["against the essay", "causes"],
            id="for the essay",
        ),
        pytest.param(
            [
                ("H3", "a", "contradicted", *DOWN),
                ("H3", "b", "negligible", *NOWHERE),
                ("H2", "a", "contradicted", *UP),
            ],
            [
                "No: 0 of 2 clear results say so",
                "fewer lasting newcomers, against the essay",
                "Some trick does predict lasting growth, against the essay",
                "0.80 [",
            ],
            ["Yes"],
            id="against the essay",
        ),
        pytest.param(
            [
                ("H3", "a", "supported", *UP),
                ("H5", "a", "contradicted", *DOWN),
                ("H3", "b", "inconclusive", *NOWHERE),
            ],
            [
                "Mixed: 1 of 2 clear results say so, of the lowest grade (1 more cannot tell)",
                "1 inconclusive (H3)",
            ],
            ["Yes", "No:"],
            id="mixed",
        ),
        pytest.param(
            [("H3", "a", "untestable", *UNKNOWN), ("H5", "b", "untestable", *UNKNOWN)],
            ["This data cannot tell", "0 came out inconclusive and 2 could not be run", "no posts"],
            ["Yes", "No,", "supported"],
            id="all untestable",
        ),
        pytest.param(
            [("H3", "a", "inconclusive", *NOWHERE), ("H4", "b", "untestable", *UNKNOWN)],
            ["This data cannot tell", "1 came out inconclusive and 1 could not be run"],
            ["Yes"],
            id="nothing clear",
        ),
        pytest.param(
            [
                ("H1", "a", "supported", NAN, NAN, None),
                ("H3", "a", "inconclusive", *NOWHERE),
                ("H4", "a", "untestable", *UNKNOWN),
            ],
            [
                "This data cannot tell: 1 test, no clear result",
                "in 1 data set (a)",
                "The data leave open H3",
                "None of these data sets can test H4",
            ],
            ["nan", "Yes"],
            id="only counters",
        ),
    ],
)
def test_the_answer_says_what_the_verdicts_say(rows, says, never_says):
    answer = answer_paragraph(_verdicts(*rows))
    for phrase in says:
        assert phrase in answer
    for phrase in never_says:
        assert phrase not in answer
    assert "\n" not in answer


def test_the_answer_to_no_test_at_all():
    assert answer_paragraph(fake_verdicts().head(0)) == "This data cannot tell: no test was run."


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (
            (math.log(1.004), math.log(0.99), math.log(1.01), SHARE),
            "1.004 [0.990, 1.010] per +0.25",
        ),
        ((-0.5, -1.0, 0.0, "SD"), f"{words.MINUS}0.5 [{words.MINUS}1, 0] SD"),
        ((0.2, NAN, NAN, SHARE), "1.22 per +0.25"),
        ((NAN, NAN, NAN, SHARE), words.DASH),
        ((1.0, -900.0, 900.0, SHARE), "2.72 [0.00, ∞] per +0.25"),
    ],
)
def test_effects_in_words(arguments, expected):
    assert words.effect(*arguments) == expected


def _days(*days) -> pd.Series:
    return pd.Series(pd.to_datetime([f"2020-{day}" for day in days], utc=True))


LOG = pd.DataFrame(
    {
        "source_id": ["a", "a", "b"],
        "target_id": ["b", "c", "a"],
        "kind": ["reply", "reply", "mention"],
        "weight": [3, 1, 2],
        "created_at": _days("01-01", "01-09", "01-23"),
    }
)
POSTS = pd.DataFrame(
    {
        "account_id": ["a", "b"],
        "created_at": _days("01-01", "01-20"),
        "post_type": ["photo", "video"],
        "reactions": [3, 30],
        "is_reply": [True, False],
    }
)
ACCOUNTS = pd.DataFrame(
    {
        "account_id": ["a", "b"],
        "created_at": _days("01-01", "01-02"),
        "sample": ["first", "second"],
    }
)
FOLLOWERS = pd.DataFrame(
    {
        "account_id": ["a", "a", "b", "b"],
        "observed_at": _days("02-01", "11-01", "02-01", "11-01"),
        "followers": [10, 20, 10, 80],
    }
)
ONCE = FOLLOWERS.drop_duplicates("account_id", keep="last")
PICTURES = {
    "over_time": (pictures.over_time, (LOG, "act"), "3 acts, 2020-01 to 2020-01"),
    "seen_how_often": (pictures.seen_how_often, (LOG,), "50 % of 2 accounts act once only"),
    "received": (pictures.received, (LOG,), "100 accounts receive 100 % of all acts"),
    "follower_lines": (pictures.follower_lines, (FOLLOWERS,), "Followers of 2 accounts over time"),
    "growth_by_sample": (pictures.growth_by_sample, (FOLLOWERS, ACCOUNTS), "Chosen on growth"),
    "counter_by": (
        pictures.counter_by,
        (POSTS, "post_type", "reactions"),
        "Reactions by post type",
    ),
    "audience_by_replies": (
        pictures.audience_by_replies,
        (Tables("mine", accounts=ACCOUNTS, posts=POSTS, followers=ONCE),),
        "2 accounts in one look",
    ),
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_of_data_says_what_is_there_and_takes_axes(name):
    plot, given, title = PICTURES[name]
    options = {"days": 7} if name == "over_time" else {}
    ax = plt.subplots()[1]
    assert plot(*given, **options, ax=ax) is ax
    assert ax.get_title("left").startswith(title)
    assert isinstance(plot(*given, **options), Axes)


def test_rows_over_time_are_counted_in_whole_stretches_of_days():
    (line,) = pictures.over_time(LOG, "act", days=7).lines
    assert line.get_ydata().tolist() == [1, 1, 0]


def test_no_line_is_drawn_where_nobody_collected():
    second = LOG["created_at"].min() + pd.Timedelta(days=8)
    ax = pictures.over_time(LOG, "act", days=7, uncollected=(f"{second:%F}", f"{second:%F}"))
    (line,) = ax.lines
    assert np.isnan(line.get_ydata()).tolist() == [False, True, False]
    assert [text.get_text() for text in ax.texts] == ["not collected", ""]


def test_a_card_is_read_from_the_catalogue_and_counts_the_rows(monkeypatch):
    monkeypatch.setattr(cards, "load", lambda name: Tables(name, posts=POSTS))
    drawn = []
    entry = catalog()["lobsters"]
    card = cards.show(entry, lambda tables: drawn.append(tables.posts))._repr_markdown_()
    assert len(drawn) == 1
    for words_of_it in (entry.title, entry.licence, entry.citation, entry.limits, "2 posts"):
        assert words_of_it in card


def test_a_data_set_that_cannot_be_had_is_told_in_a_line(monkeypatch, capsys):
    def fail(name):
        raise FetchError("no network")

    monkeypatch.setattr(cards, "load", fail)
    card = cards.show(catalog()["higgs"], lambda tables: pytest.fail("drawn"))._repr_markdown_()
    assert "`smo fetch higgs` says what was tried" in card
    assert cards.at_hand(["higgs", "lobsters"]) == []
    assert capsys.readouterr().out.startswith("Cannot be had here: higgs, lobsters;")
