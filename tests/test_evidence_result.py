"""Results: one vocabulary, frozen, shown whether tested or not."""

from __future__ import annotations

import math
from dataclasses import FrozenInstanceError, replace

import matplotlib
import numpy as np
import pandas as pd
import pytest

from smo_research.evidence.drawing import kind, row_labels
from smo_research.evidence.effects import Effect
from smo_research.evidence.hypotheses import hypotheses_hash
from smo_research.evidence.result import VOCABULARY, Result, effect_row, evidence_row, untested

matplotlib.use("Agg")

HALF = Effect(0.5, 0.1, 50)
ABOUT = {"hypothesis": "H3", "dataset": "a <set>", "term": "answering", "block": "total"}


@pytest.fixture(autouse=True)
def close_figures():
    import matplotlib.pyplot as plt

    yield
    plt.close("all")


def shown_result():
    rows = [
        effect_row(HALF, **ABOUT, model="between", unit="ln ratio", n_obs=90, n_accounts=51),
        evidence_row(**ABOUT, model="within", reason="too <few> rows"),
    ]
    return Result(
        "H3",
        "a <set>",
        pd.DataFrame(rows),
        "answering <predicts> nothing",
        formula="y ~ answering + a<b | period",
        effects={("between", "total", "answering"): HALF},
        left_out=pd.DataFrame({"reason": ["nobody <b>wrote"], "rows": [7], "accounts": [2]}),
        data_hashes={"a<b.csv": "0123456789abcdef"},
        seed=3,
    )


def test_table_has_the_vocabulary():
    assert list(shown_result().table) == VOCABULARY
    result = untested("H3", "a", "null", "too few rows")
    assert list(result.table) == VOCABULARY
    assert result.table["reason"].tolist() == ["too few rows"]
    assert result.table[["estimate", "p_value"]].isna().all(axis=None)
    assert result.effects == {}


def test_effect_row_shows_the_effect():
    row = effect_row(HALF, **ABOUT)
    assert (row["estimate"], row["std_error"], row["p_value"]) == (0.5, 0.1, HALF.p_difference)
    assert (row["ci_low"], row["ci_high"]) == HALF.interval()


def test_words_outside_the_vocabulary_are_refused():
    with pytest.raises(TypeError, match="not in the vocabulary: p_val"):
        evidence_row(p_val=0.1)


def test_result_is_frozen():
    with pytest.raises(FrozenInstanceError):
        shown_result().reason = "other"


def test_results_do_not_share_what_they_hold():
    one, two = (Result("H3", name, pd.DataFrame(), "null") for name in "ab")
    one.effects["between", "total", "answering"] = HALF
    assert two.effects == {}


def test_summary_of_a_tested_result():
    said = shown_result().summary()
    assert "H3 on a <set>. Null: answering <predicts> nothing" in said
    assert "y ~ answering + a<b | period" in said
    assert "between, total, answering: 0.500 [0.299, 0.701] ln ratio" in said
    assert "90 rows, 51 accounts" in said
    assert "left out: 7 rows and 2 accounts (nobody <b>wrote)" in said
    assert "seed 3" in said
    assert "data: a<b.csv 0123456789ab\n" in said
    assert f"hypotheses file: {hypotheses_hash()[:12]}" in said


def test_summary_says_once_what_models_leave_out_alike():
    rows = [
        ["between", "total", "x", "nobody wrote", 7, 2],
        ["between", "total", "z", "nobody wrote", 7, 2],
        ["negative binomial", "total", "x", "nobody wrote", 7, 2],
        ["within", "total", "x", "nobody wrote", 7, 2],
        ["within", "total", "x", "accounts with a single row", 5, 0],
    ]
    columns = ["model", "block", "term", "reason", "rows", "accounts"]
    said = replace(shown_result(), left_out=pd.DataFrame(rows, columns=columns)).summary()
    assert [line.strip() for line in said.splitlines() if "left out" in line] == [
        "left out of between total, negative binomial total: 7 rows and 2 accounts (nobody wrote)",
        "left out of within total: 7 rows and 2 accounts (nobody wrote); "
        "5 rows (accounts with a single row)",
    ]


def test_summary_says_why_a_model_has_no_number():
    said = shown_result().summary()
    assert "within, total, answering: not tested, too <few> rows" in said
    assert "nan" not in said


def test_summary_of_an_untested_result():
    said = untested("H3", "a", "null", "too few rows").summary()
    assert said.splitlines()[:2] == ["H3 on a. Null: null", "Not tested: too few rows"]
    assert len(said.splitlines()) == 3


def test_summary_of_what_is_described_and_not_judged():
    row = effect_row(HALF, **ABOUT, model="described", unit="ln ratio", n_obs=9, n_accounts=5)
    result = Result("H3", "a", pd.DataFrame([row]), "null", reason="chosen on growth")
    said = result.summary()
    assert "No verdict: chosen on growth" in said
    assert "described, total, answering: 0.500" in said
    assert "<td>described</td>" in result._repr_html_()


def test_a_row_with_a_p_value_alone_shows_it():
    row = evidence_row(hypothesis="H1", dataset="a", model="posts", term="all", p_value=0.04)
    result = Result("H1", "a", pd.DataFrame([row]), "null")
    assert "posts, all: p = 0.04" in result.summary()
    assert "nan" not in result.summary()


def test_a_result_carries_the_hash_of_the_hypotheses():
    assert shown_result().hypotheses_sha256 == hypotheses_hash()
    assert untested("H3", "a", "null", "too few rows").hypotheses_sha256 == hypotheses_hash()


def test_html_is_escaped():
    shown = shown_result()._repr_html_()
    assert "answering &lt;predicts&gt; nothing" in shown
    assert "a &lt;set&gt;" in shown
    assert "too &lt;few&gt; rows" in shown
    assert "nobody &lt;b&gt;wrote" in shown
    assert "a&lt;b.csv 0123456789ab" in shown
    for raw in ("<set>", "<predicts>", "<few>", "<b>", "a<b"):
        assert raw not in shown
    shown = untested("H3", "a", "null", "too <few> rows")._repr_html_()
    assert "Not tested: too &lt;few&gt; rows" in shown
    assert "<few>" not in shown


def test_html_shows_what_a_result_carries():
    shown = shown_result()._repr_html_()
    assert shown.count("<table") == 2
    assert "<code>y ~ answering + a&lt;b | period</code>" in shown
    assert "seed 3" in shown
    assert hypotheses_hash()[:12] in shown
    assert "NaN" not in shown
    assert "nan" not in shown


def test_plot_of_a_tested_result():
    ax = shown_result().plot()
    assert [label.get_text() for label in ax.get_yticklabels()] == ["between, total, answering"]
    assert ax.get_xlabel() == "ratio\n95 % interval; shaded: too small to matter"
    row = shown_result().table.iloc[0]
    numbers = [f"{math.exp(row[name]):.2f}" for name in ("estimate", "ci_low", "ci_high")]
    assert [text.get_text() for text in ax.texts] == ["{} [{}, {}]".format(*numbers)]
    assert ax.get_title(loc="left") == "H3 on a <set>"


def test_an_axis_of_ratios_is_marked_in_ratios():
    ax = shown_result().plot()
    for place, label in zip(ax.get_xticks(), ax.get_xticklabels(), strict=True):
        assert math.exp(place) == pytest.approx(float(label.get_text()), rel=1e-3)
    assert len(ax.get_xticks()) >= 3
    wide = effect_row(Effect(0.0, 2.0, 50), **ABOUT, model="between", unit="ln ratio per +0.25")
    ax = Result("H3", "a", pd.DataFrame([wide]), "null").plot()
    assert {"0.1", "1", "10"} <= {label.get_text() for label in ax.get_xticklabels()}
    assert ax.get_xlabel().splitlines()[0] == "ratio per +0.25"


def test_plot_of_an_untested_result_says_why():
    ax = untested("H3", "a", "null", "too few rows").plot()
    assert ax.get_title(loc="left") == "H3 on a"
    assert [text.get_text() for text in ax.texts] == ["Not tested: too few rows"]
    only_rows = pd.DataFrame([evidence_row(**ABOUT, model="within", reason="separated")])
    ax = Result("H3", "a", only_rows, "null").plot()
    assert [text.get_text() for text in ax.texts] == ["Not tested: separated"]


def test_plot_of_what_is_described_says_that_there_is_no_verdict():
    row = effect_row(HALF, **ABOUT, model="described", unit="ln followers per +0.25")
    ax = Result("H3", "a", pd.DataFrame([row]), "null", reason="chosen on growth").plot()
    assert ax.get_title(loc="left") == "H3 on a\nNo verdict: chosen on growth"
    assert ax.get_xlabel().splitlines()[0] == "ln followers per +0.25"
    assert not ax.patches, "no band of negligible effects where nothing is judged"


def test_plot_keeps_to_one_kind_of_unit():
    rows = [
        effect_row(HALF, **ABOUT, model="posts", unit="ln ratio if so"),
        effect_row(HALF, **ABOUT | {"term": "x"}, model="posts", unit="ln ratio per doubling"),
        effect_row(Effect(530, 9, 50), **ABOUT, model="out of sample", unit="nats per post"),
        evidence_row(**ABOUT, model="posts", p_value=0.1),
    ]
    ax = Result("H1", "a", pd.DataFrame(rows), "null").plot()
    assert [label.get_text() for label in ax.get_yticklabels()] == ["x", "answering"]
    assert ax.get_title(loc="left") == "H1 on a: posts, total"
    assert ax.get_xlabel().splitlines()[0] == "ratio if so / ratio per doubling"
    nats = Result("H4", "a", pd.DataFrame(rows[2:3]), "null").plot()
    assert nats.get_xlabel() == "nats per post\n95 % interval"
    assert not nats.patches, "the bound is of ratios"


def test_plot_of_intervals_without_end_or_point():
    rows = pd.DataFrame([effect_row(HALF, **ABOUT, model=name, unit="ln ratio") for name in "ab"])
    rows.loc[0, ["ci_low", "ci_high"]] = [-np.inf, np.inf]
    rows.loc[1, "estimate"] = np.nan
    ax = Result("H3", "a", rows, "null").plot()
    drawn = [segment for lines in ax.collections for segment in lines.get_segments()]
    assert len(drawn) == 2
    assert np.isfinite(drawn).all()
    ax.figure.canvas.draw()


def test_names_with_a_dollar_are_not_read_as_mathematics():
    row = effect_row(HALF, **ABOUT | {"term": "$a_{$"}, model="between", unit="ln $ per x")
    ax = Result("H3", "$b$ $", pd.DataFrame([row]), "null").plot()
    ax.figure.canvas.draw()


def test_labels_say_what_differs():
    rows = pd.DataFrame({"model": ["between", "within"], "block": "total", "term": "answering"})
    assert row_labels(rows) == (["between", "within"], "total, answering")
    assert row_labels(rows.head(1)) == (["between, total, answering"], "")


@pytest.mark.parametrize(
    ("unit", "said"),
    [
        ("ln ratio per +0.25", "ln ratio"),
        ("ln ratio", "ln ratio"),
        ("nats per row", "nats"),
        ("y", "y"),
        ("y per unit of x", "y"),
    ],
)
def test_kind_of_unit(unit, said):
    assert kind(unit) == said


def test_plot_draws_where_it_is_told():
    import matplotlib.pyplot as plt

    _, ax = plt.subplots()
    assert shown_result().plot(ax=ax) is ax
