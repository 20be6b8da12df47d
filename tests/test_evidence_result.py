"""Results: one vocabulary, frozen, shown whether tested or not."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import matplotlib
import pandas as pd
import pytest

from smo_research.evidence.effects import Effect
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
        formula="y ~ answering | period",
        effects={("between", "total", "answering"): HALF},
        left_out=pd.DataFrame({"reason": ["nobody wrote"], "rows": [7], "accounts": [2]}),
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
    assert "y ~ answering | period" in said
    assert "between, total, answering: 0.500 [0.299, 0.701] ln ratio" in said
    assert "90 rows, 51 accounts" in said
    assert "left out: 7 rows, nobody wrote" in said


def test_summary_says_why_a_model_has_no_number():
    said = shown_result().summary()
    assert "within, total, answering: not tested, too <few> rows" in said
    assert "nan" not in said


def test_summary_of_an_untested_result():
    said = untested("H3", "a", "null", "too few rows").summary()
    assert said == "H3 on a. Null: null\nNot tested: too few rows"


def test_html_is_escaped():
    shown = shown_result()._repr_html_()
    assert "answering &lt;predicts&gt; nothing" in shown
    assert "<table" in shown
    shown = untested("H3", "a", "null", "too <few> rows")._repr_html_()
    assert "Not tested: too &lt;few&gt; rows" in shown


def test_plot_of_a_tested_result():
    ax = shown_result().plot()
    assert [label.get_text() for label in ax.get_yticklabels()] == ["between, total, answering"]
    assert ax.get_xlabel() == "ln ratio"
    assert ax.get_title(loc="left") == "H3 on a <set>"


def test_plot_of_an_untested_result_says_why():
    ax = untested("H3", "a", "null", "too few rows").plot()
    assert ax.get_title(loc="left") == "too few rows"
    assert not ax.get_yticklabels()


def test_plot_draws_where_it_is_told():
    import matplotlib.pyplot as plt

    _, ax = plt.subplots()
    assert shown_result().plot(ax=ax) is ax
