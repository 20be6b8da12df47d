"""The curve: its joint test holds its size, agreement by hand, and how it is shown."""

from __future__ import annotations

import math

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from smo_research.datasets.catalog import dataset
from smo_research.errors import DataError
from smo_research.evidence.absorbed import absorbed_poisson
from smo_research.evidence.alternatives import Panels, alternative_panels
from smo_research.evidence.curve import SpecificationCurve, specification_curve
from smo_research.evidence.effects import Effect
from smo_research.evidence.result import VOCABULARY
from smo_research.evidence.sign_flips import STATISTICS, joint_test
from smo_research.evidence.tried import LeftOut, Tried
from smo_research.report.specification_plot import specification_curve as picture
from smo_research.tables import Windows

WINDOWS = Windows(period=7, gap=7, horizon=14)


def scores_of_a_world(rng, *, accounts=40, periods=8, effect=0.0):
    """Scores of three specifications, by account and by row.

    Rows of an account are alike in their outcome and in what is to predict it. The
    specifications are the predictor, a coarse measure of it, and it beside a control.
    """
    n = accounts * periods
    account, period = np.repeat(np.arange(accounts), periods), np.tile(np.arange(periods), accounts)
    habit = rng.normal(0, 1, accounts)[account]
    x = habit + rng.normal(0, 0.5, n)
    control = rng.normal(size=n)
    rate = np.exp(0.5 + rng.normal(0, 0.6, accounts)[account] + 0.3 * control + effect * x)
    y = rng.poisson(rate)
    bare = absorbed_poisson(y, np.empty((n, 0)), period)
    held = absorbed_poisson(y, control[:, None], period)
    tries = [(bare, x), (bare, (x > 0).astype(float)), (held, x)]
    rows = np.column_stack([null.partial(values) * null.residuals for null, values in tries])
    return np.array([np.bincount(account, column) for column in rows.T]).T, rows


@pytest.fixture(scope="module")
def null_worlds():
    rng = np.random.default_rng(1)
    return [scores_of_a_world(rng) for _ in range(300)]


def rejections(worlds, rng):
    found = [joint_test(scores, rng=rng, flips=199).p_values for scores in worlds]
    return {name: np.mean([p[name] <= 0.05 for p in found]) for name in STATISTICS}


def test_the_joint_test_holds_its_size_where_rows_of_an_account_are_alike(null_worlds):
    rates = rejections([scores for scores, _ in null_worlds], np.random.default_rng(2))
    # 300 worlds at 5 %: 99.9 % of binomial counts lie between 0.013 and 0.097.
    low, high = stats.binom.ppf([0.0005, 0.9995], 300, 0.05) / 300
    assert low <= rates["median t"] <= high
    assert low <= rates["mean z"] <= high
    assert rates["share significant"] <= high, "ties at 0 and 1 make it cautious"


def test_flipping_rows_in_place_of_accounts_would_not(null_worlds):
    rates = rejections([rows for _, rows in null_worlds[:100]], np.random.default_rng(3))
    assert rates["mean z"] > 0.15


def test_the_joint_test_finds_a_planted_effect():
    rng = np.random.default_rng(4)
    for side in (1, -1):
        scores, _ = scores_of_a_world(rng, accounts=200, effect=0.3 * side)
        found = joint_test(scores, rng=rng, flips=499)
        assert found.p_values["median t"] == found.p_values["mean z"] == 1 / 500
        assert found.observed["share significant"] == side
        assert found.p_values["share significant"] <= 0.05


def test_the_statistics_by_hand():
    # t's of 3 / sqrt(3), -1 / sqrt(3) and 3 / sqrt(3): 1.73, -0.58, 1.73; none beyond 1.96.
    scores = np.array([[1.0, -1, 1], [1, 1, 1], [1, -1, 1]])
    found = joint_test(scores, rng=np.random.default_rng(1), flips=50)
    assert found.observed == pytest.approx(
        {"median t": math.sqrt(3), "share significant": 0, "mean z": 5 / 3}
    )
    assert found.p_values["share significant"] == 1.0
    # Five accounts that agree: t = sqrt(5) = 2.24. Of 32 sign patterns 2 are as far out.
    agreed = joint_test(np.ones((5, 1)), rng=np.random.default_rng(1), flips=20_000)
    assert agreed.observed == pytest.approx(
        {"median t": math.sqrt(5), "share significant": 1, "mean z": math.sqrt(5)}
    )
    assert agreed.p_values["median t"] == pytest.approx(2 / 32, abs=0.006)


def test_accounts_that_are_not_independent_widen_what_was_found():
    scores = np.ones((5, 1))
    wide, narrow = (
        joint_test(scores, rng=np.random.default_rng(1), flips=500, spreads=np.array([spread]))
        for spread in (5.0, 0.1)
    )
    assert wide.observed["median t"] == 1.0
    assert wide.p_values["median t"] > 0.3
    assert narrow.observed["median t"] == pytest.approx(math.sqrt(5)), "never below the root"


def test_accounts_without_a_row_change_nothing():
    scores = np.random.default_rng(5).normal(0.2, 1, (30, 4))
    with_others = np.vstack([scores[:10], np.zeros((7, 4)), scores[10:]])
    found = [
        joint_test(one, rng=np.random.default_rng(6), flips=300) for one in (scores, with_others)
    ]
    assert found[0] == found[1]


def curve(hypothesis="H3", *, effects=None, **more):
    """A curve of four specifications: large, small but certain, none, and one not fitted."""
    chosen = effects or [
        Effect(0.5, 0.1, 200),
        Effect(0.03, 0.01, 200),
        Effect(-0.02, 0.2, 200),
        None,
    ]
    rows = []
    for place, effect in enumerate(chosen):
        choices = {"gap": f"{7 + 7 * (place % 2)} days", "rows": ("all", "fewer")[place // 2 % 2]}
        reason = "" if effect else "too little"
        term = {"H2": "burstiness", "H5": "answered"}.get(hypothesis, "answering")
        one = Tried(choices, "between", term, effect, n_obs=900, n_accounts=201, reason=reason)
        rows.append(one.row(hypothesis=hypothesis, dataset="made up"))
    table = pd.DataFrame(rows)[VOCABULARY]
    return SpecificationCurve(
        hypothesis, "made up", table["term"][0], table, "nothing", effects=chosen, **more
    )


def test_agreement_by_hand():
    # 0.5 (0.1) and 0.03 (0.01) are above none, but 0.03 (0.01) is inside 0.105 for sure.
    shown = curve()
    assert shown.agreement("supported") == pytest.approx(1 / 3)
    assert shown.agreement("contradicted") == 0
    assert shown.agreement("negligible") == pytest.approx(1 / 3)
    assert shown.agreement("inconclusive") == pytest.approx(1 / 3)
    against = curve(effects=[Effect(-0.5, 0.1, 200), Effect(0.5, 0.1, 200)])
    assert against.agreement("contradicted") == against.agreement("supported") == 0.5


def test_agreement_on_tweaks_by_hand():
    # 0.5 (0.1) is outside 0.105: (0.5 - 0.105) / 0.1 is nearly four errors off.
    shown = curve("H2")
    assert shown.agreement("negligible") == pytest.approx(1 / 3)
    assert shown.agreement("contradicted", 1) == pytest.approx(1 / 3)
    assert shown.agreement("contradicted", -1) == 0
    assert shown.agreement("inconclusive") == pytest.approx(1 / 3)


def test_agreement_wants_a_verdict():
    with pytest.raises(DataError, match=r"said must be one of supported.*'yes'"):
        curve().agreement("yes")
    assert math.isnan(curve(effects=[None]).agreement("supported"))


def test_a_summary_says_what_came_out():
    joint = joint_test(np.ones((5, 1)), rng=np.random.default_rng(1), flips=100)
    said = curve(joint=joint, left_out=LeftOut("a3", 0.41, 0.62)).summary()
    assert "3 of 4 specifications fitted; median effect 0.030" in said
    assert "2 above none, 0 below; 1 shown to be negligible" in said
    assert "100 sign flips by account): median t 2.24, p = " in said
    assert "0.410 to 0.620; account a3 moves it most" in said
    assert curve(reason="too little").summary().endswith("Not tested: too little")


def test_a_curve_is_drawn_and_shown_in_a_notebook():
    shown = curve()
    ax = shown.plot()
    assert len(ax.lines[0].get_ydata()) == 3
    plt.close(ax.figure)
    html = shown._repr_html_()
    assert "<table" in html
    assert "specification between" in html
    assert "too little" in curve(reason="too little")._repr_html_()
    assert len(shown.hypotheses_sha256) == 64


def texts(figure):
    return [note.get_text() for ax in figure.axes for note in ax.texts]


def test_the_picture_shows_estimates_in_order_and_who_chose_what():
    figure = picture(curve().table)
    above, below = figure.axes
    drawn = above.collections[-1].get_offsets()
    assert drawn[:, 1].tolist() == [-0.02, 0.03, 0.5]
    assert above.get_title(loc="left").replace("\n", " ") == (
        "H3 on made up: 2 of 3 ways of asking find more lasting newcomers with more answering, "
        "0 fewer; 1 cannot tell"
    )
    # "7 days" was chosen by the large and the one without an effect, "14 days" by the small.
    assert [len(line.get_segments()) for line in below.collections] == [2, 1, 2, 1]
    assert "as it decides" in texts(figure)
    assert [one for one in texts(figure) if one.endswith("%")] == [
        "50 %",
        "100 %",
        "100 %",
        "0.0 %",
    ]
    assert [tick.get_text() for tick in above.get_yticklabels()][:1] == ["1"]
    plt.close(figure)


@pytest.mark.parametrize(
    ("hypothesis", "said"),
    [
        ("H2", "1 of 3 ways of asking show that what goes with burstiness is too small to matter"),
        ("H5", "2 of 3 ways of asking find answered people back more often, 0 less often"),
    ],
)
def test_the_picture_says_what_it_shows(hypothesis, said):
    figure = picture(curve(hypothesis).table)
    assert said in figure.axes[0].get_title(loc="left").replace("\n", " ")
    plt.close(figure)


def test_the_picture_wants_one_curve_with_estimates():
    table = curve().table
    with pytest.raises(DataError, match="one hypothesis, but holds H3, H2"):
        picture(pd.concat([table, curve("H2").table]))
    with pytest.raises(DataError, match="no estimate to draw"):
        picture(curve(effects=[None]).table)
    with pytest.raises(DataError, match="table must have the columns"):
        picture(table.drop(columns="block"))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"hypothesis": "H4"}, "hypothesis must be one of H2, H3, H5, H7, but is 'H4'"),
        ({"term": "burstiness"}, "term must be one of answering, but is 'burstiness'"),
        (
            {"panels": Panels(Windows(period=1, gap=1, horizon=9), {}, pd.Index([]))},
            "panels must be those of",
        ),
    ],
)
def test_what_has_no_curve_is_refused(wrong, message):
    asked = {"hypothesis": "H3", "windows": WINDOWS, "dataset": "made up"} | wrong
    with pytest.raises(DataError, match=message):
        specification_curve(pd.DataFrame(), **asked)


def test_a_question_that_cannot_be_asked_has_a_curve_with_the_reason():
    panels = Panels(WINDOWS, {WINDOWS: "the log is too short"}, pd.Index([]))
    found = specification_curve(
        pd.DataFrame(), "H3", windows=WINDOWS, dataset="made up", panels=panels
    )
    assert found.reason == "the log is too short"
    assert found.joint is None
    assert set(found.table["reason"]) == {"the log is too short"}


@pytest.mark.data
@pytest.mark.slow
def test_collegemsg_says_the_same_whatever_was_asked_before(real):
    interactions, windows = real("collegemsg").interactions, dataset("collegemsg").windows
    panels = alternative_panels(interactions, windows=windows)
    about = {"windows": windows, "dataset": "collegemsg", "panels": panels, "flips": 200}
    first = specification_curve(interactions, "H3", **about)
    for hypothesis in ("H7", "H5"):
        other = specification_curve(interactions, hypothesis, **about)
        assert len(other.fitted) >= 100
    again = specification_curve(interactions, "H3", **about)
    pd.testing.assert_frame_equal(first.table, again.table, check_exact=True)
    assert first.joint == again.joint
    assert len(first.fitted) >= 100
    assert first.left_out == again.left_out
