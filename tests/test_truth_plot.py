"""What tests and counters show of a simulated world, drawn."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from smo_research.errors import DataError
from smo_research.report.counters import around_purchase, response_by_tricks
from smo_research.report.truth_plot import truth_plot

DAY = pd.Timestamp("2020-01-06", tz="UTC")


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def line(test, term, estimate, truth, *, reach=0.1, **more):
    ends = {"ci_low": estimate - reach, "ci_high": estimate + reach}
    return {"test": test, "term": term, "estimate": estimate, "truth": truth, **ends, **more}


def asked(*lines):
    columns = ["test", "term", "estimate", "ci_low", "ci_high", "truth", "verdict", "reason"]
    return pd.DataFrame(lines, columns=columns)


def words(ax):
    return [one.get_text() for one in ax.texts]


def test_the_truth_is_where_it_was_planted_and_a_miss_is_hollow():
    ax = truth_plot(asked(line("H3", "answering", 0.2, 0.25), line("H5", "answered", 0.5, 0.9)))
    diamonds = [float(one.get_xdata()[0]) for one in ax.lines if one.get_marker() == "D"]
    assert diamonds == pytest.approx(np.exp([0.25, 0.9]))
    faces = [one.get_markerfacecolor() for one in ax.lines if one.get_marker() == "o"]
    assert faces[0] != "white"
    assert faces[1] == "white"
    assert ax.get_title(loc="left") == "1 of 2 intervals hold the planted effect, 1 misses it"
    low, high = ax.get_xlim()
    assert low < 1 < np.exp(0.9) < high


def test_verdict_and_prediction_stand_beside_the_claim():
    table = asked(line("H3", "answering", 0.2, 0.2), {"test": "H3 verdict", "verdict": "supported"})
    ax = truth_plot(table, expected={"H3": "negligible"})
    assert {"test: supported", "you: negligible"} <= set(words(ax))
    assert "planted 1.22" in words(ax)


def test_a_test_that_could_not_be_run_says_why():
    ax = truth_plot(asked(line("H3", "answering", 0.2, 0.2), {"test": "H7", "reason": "too few"}))
    assert "not tested: too few" in words(ax)


def test_no_estimate_at_all_is_refused_with_the_reasons():
    with pytest.raises(DataError, match="too few"):
        truth_plot(asked({"test": "H7", "reason": "too few"}))
    with pytest.raises(DataError, match="lacks truth"):
        truth_plot(asked().drop(columns="truth"))


def posts(**columns):
    base = {"account_id": "a", "created_at": DAY, "hashtags": 0, "links": 0, "has_media": False}
    base |= {"is_automated": False, "is_paid": False, "replies": 0, "shares": 0, "reactions": 0}
    return pd.DataFrame(base | columns)


def test_responses_are_counted_by_how_many_tricks_are_in_a_post():
    table = posts(account_id=["a", "b", "a", "b"], hashtags=[0, 0, 2, 1], has_media=[0, 0, 1, 1],
                  reactions=[2, 4, 12, 12])  # fmt: skip
    ax = response_by_tricks(table)
    drawn = ax.containers[0].lines[0]
    assert drawn.get_xdata().tolist() == [0, 2]
    assert drawn.get_ydata().tolist() == [3, 12]
    assert ax.get_title(loc="left").startswith("A post with 2 tricks draws 4.0 times")


def bought_once(jump):
    """Thirty accounts over 30 weeks; the first 20 buy in week 10, and all is gone a week later."""
    ids = [f"a{number}" for number in range(30)]
    weeks = pd.MultiIndex.from_product([ids, range(30)]).to_frame(index=False, name=["id", "week"])
    extra = (weeks["week"] == 10) & weeks["id"].isin(ids[:20])
    counts = pd.DataFrame(
        {
            "account_id": weeks["id"],
            "observed_at": DAY + pd.to_timedelta(7 * weeks["week"] + 6, unit="D"),
            "followers": np.where(extra, round(100 * jump), 100),
        }
    )
    when = DAY + pd.to_timedelta([0] * 30 + [73] * 20, unit="D")
    return counts, posts(
        account_id=ids + ids[:20], created_at=when, is_paid=[False] * 30 + [True] * 20
    )


def test_followers_are_lined_up_at_the_purchase():
    ax = around_purchase(*bought_once(1.3), period=7)
    first, others = (one for one in ax.lines if len(one.get_xdata()) > 2)
    at = dict(zip(first.get_xdata(), first.get_ydata(), strict=True))
    assert at[0] == pytest.approx(30)
    assert at[-1] == at[1] == at[12] == pytest.approx(0)
    assert others.get_ydata() == pytest.approx(0)
    assert ax.get_title(loc="left") == "A purchase adds 30 %; 12 periods later nothing is left"


def test_too_few_purchases_are_refused():
    counts, made = bought_once(1.3)
    with pytest.raises(DataError, match="20 purchases"):
        around_purchase(counts, made[made["account_id"] != "a0"], period=7)
