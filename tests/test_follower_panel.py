"""The panel of follower counts: by eye, by brute force, and proof that it never looks ahead."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from brute_force import brute_force_follower_panel
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from smo_research.errors import DataError
from smo_research.measures.panel import follower_panel
from smo_research.tables import Windows

SMALL = Windows(period=3, horizon=6)
LABELS = ["account_id", "period_start"]
START = pd.Timestamp("2020-01-01", tz="UTC")
FLAGS = {"is_reply": 3, "has_media": 5, "is_paid": 4, "is_automated": 2}
QUICK = settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    # Shrinking takes minutes: a panel takes a quarter of a second.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)


def moments(hours):
    times = START + pd.to_timedelta(pd.Series(list(hours), dtype=float), unit="h")
    return times.dt.as_unit("us")


def make_counts(observed):
    """Counts from (account, hours, followers, posts_total); one a moment."""
    once = {(account, hours): rest for account, hours, *rest in observed}
    return pd.DataFrame(
        {
            "account_id": [account for account, _ in once],
            "observed_at": moments(hours for _, hours in once),
            "followers": pd.array([one[0] for one in once.values()], dtype="Int64"),
            "posts_total": pd.array([one[1] for one in once.values()], dtype="Int64"),
        }
    ).astype({"account_id": "str"})


def make_posts(made):
    """Posts from (account, hours, number); the number decides what is in the post."""
    numbers = [number for _, _, number in made]
    posts = pd.DataFrame(
        {
            "post_id": [str(place) for place in range(len(made))],
            "account_id": [account for account, _, _ in made],
            "created_at": moments(hours for _, hours, _ in made),
            "hashtags": pd.array([number % 4 for number in numbers], dtype="Int64"),
            "links": pd.array([number % 2 if number % 7 else None for number in numbers], "Int64"),
        }
    )
    for name, every in FLAGS.items():
        posts[name] = pd.array([number % every == 0 for number in numbers], dtype="boolean")
    posts["is_paid"] = posts["is_paid"].where([number % 5 > 0 for number in numbers], pd.NA)
    return posts


def assert_same(fast, brute):
    fast, brute = (rows.set_index(["account_id", "period"]) for rows in (fast, brute))
    assert fast.index.tolist() == brute.index.tolist()
    for column in brute.columns:
        np.testing.assert_allclose(
            fast[column].to_numpy(float, na_value=np.nan),
            brute[column].to_numpy(float, na_value=np.nan),
            rtol=1e-9,
            atol=1e-12,
            err_msg=column,
        )


names = st.sampled_from(["a", "b", "007", "7"])
times = st.one_of(st.integers(0, 2 * 40), st.integers(0, 2 * 6)).map(lambda n: 12 * n)
observed = st.tuples(
    names,
    times,
    st.one_of(st.none(), st.integers(0, 60)),
    st.one_of(st.none(), st.integers(0, 9), st.integers(0, 9)),
)
posted = st.tuples(
    st.sampled_from(["a", "b", "c"]),
    st.one_of(st.integers(0, 24 * 30), st.integers(0, 24 * 2)),
    st.integers(0, 50),
)
ENDS = [("a", 0, 10, 1), ("b", 24 * 40, 20, 3)]
many_counts = st.lists(observed, max_size=80).map(lambda some: make_counts([*some, *ENDS]))
many_posts = st.lists(posted, min_size=1, max_size=60).map(make_posts)


@QUICK
@given(many_counts, many_posts)
def test_equals_brute_force_with_posts(counts, posts):
    counts = counts.drop(columns="posts_total")
    fast = follower_panel(counts, posts, windows=SMALL)
    assert_same(fast, brute_force_follower_panel(counts, posts, period=3, horizon=6))
    assert "cadence" not in fast


@QUICK
@given(many_counts)
def test_equals_brute_force_with_totals(counts):
    fast = follower_panel(counts, windows=SMALL)
    assert_same(fast, brute_force_follower_panel(counts, period=3, horizon=6))
    assert fast["past_reply_share"].isna().all()


def test_brute_force_meets_timing_and_past_shares():
    """Enough posts for what random small logs rarely show."""
    rng = np.random.default_rng(1)
    made = [("ab"[int(rng.integers(2))], float(h), int(rng.integers(50))) for h in range(24 * 30)]
    counts = make_counts([("ab"[day % 2], 24 * day + 7, 100 + day, day) for day in range(40)])
    counts, posts = counts.drop(columns="posts_total"), make_posts(made)
    fast = follower_panel(counts, posts, windows=SMALL)
    assert fast[["schedule_focus", "burstiness", "past_reply_share"]].notna().sum().min() > 10
    assert_same(fast, brute_force_follower_panel(counts, posts, period=3, horizon=6))


@QUICK
@given(
    many_counts,
    many_posts,
    st.lists(observed, max_size=20),
    st.lists(posted, max_size=20),
    st.integers(0, 4),
    st.booleans(),
)
def test_predictors_do_not_look_ahead(counts, posts, more_counts, more_posts, t, has_posts):
    """Whatever happens from the end of t on, the predictors of t and before stay, bit for bit."""
    end = 24 * 3 * (t + 1)
    cut = START + pd.Timedelta(hours=end)
    past_counts, past_posts = counts[counts["observed_at"] < cut], posts[posts["created_at"] < cut]
    last = ("z", 24 * 90, 5, 5)
    futures = [
        (make_counts([("a", end, 1, 99), last]), make_posts([("a", end, 1)])),
        (
            make_counts([*[(i, end + h, *rest) for i, h, *rest in more_counts], last]),
            make_posts([*[(i, end + h, k) for i, h, k in more_posts], ("c", end, 2)]),
        ),
    ]
    one, two = (
        follower_panel(
            pd.concat([past_counts, later_counts]),
            pd.concat([past_posts, later_posts]) if has_posts else None,
            windows=SMALL,
        )
        .loc[lambda rows: rows["period"] <= t]
        .drop(columns=["growth", "lasting_growth"])
        # A column that is missing throughout may come as objects.
        .pipe(lambda rows: rows.astype(dict.fromkeys(rows.columns.drop(LABELS), float)))
        .reset_index(drop=True)
        for later_counts, later_posts in futures
    )
    assert len(one) > 0
    pd.testing.assert_frame_equal(one, two, check_exact=True)


@QUICK
@given(many_counts, st.lists(posted, max_size=20))
def test_outcomes_come_from_counts_alone(counts, more):
    posts = make_posts([("a", 0, 1), *[(i, h, k) for i, h, k in more]])
    keys, outcomes = ["account_id", "period"], ["growth", "lasting_growth"]
    alone = follower_panel(counts, windows=SMALL).set_index(keys)[outcomes]
    beside = follower_panel(counts, posts, windows=SMALL).set_index(keys)[outcomes]
    pd.testing.assert_frame_equal(alone, beside.loc[alone.index], check_exact=True)


def weekly(days, followers):
    return make_counts([("a", 24 * day, n, 0) for day, n in zip(days, followers, strict=True)])


def test_one_account_by_eye():
    # Weeks from Wednesday, 2020-01-01: counted at 0:00 of days 6, 13, 20, 27, 34.
    counts = weekly([0, 6, 13, 20, 27, 34], [90, 100, 110, 121, 200, 400])
    rows = follower_panel(counts, windows=Windows(period=7, horizon=14))
    assert rows["period"].tolist() == [0]
    assert rows["period_start"].tolist() == [START]
    assert rows["growth"].tolist() == [pytest.approx(np.log(110 / 100))]
    assert rows["lasting_growth"].tolist() == [pytest.approx(np.log(200 / 100))]


def test_a_count_at_the_end_of_a_period_belongs_to_the_next():
    counts = weekly([0, 7, 13, 28], [100, 150, 110, 200])
    row = follower_panel(counts, windows=Windows(period=7, horizon=7)).iloc[0]
    assert row["growth"] == pytest.approx(np.log(110 / 100)), "F(0) is 100: 150 came at its end"
    rows = follower_panel(counts, windows=Windows(period=7, horizon=7))
    assert rows["period"].tolist() == [0, 1]


def test_a_count_is_fresh_for_seven_days_inclusive():
    windows = Windows(period=7, horizon=7)
    for hours, fresh in [(0, True), (-1 / 3600, False)]:
        # Period 0 starts at midnight; the end of period 1 is 24 * 14 hours later.
        counts = make_counts(
            [
                ("a", 24 * 6, 100, 0),
                ("a", 24 * 7 + hours, 110, 0),
                ("z", 0, 1, 0),
                ("z", 24 * 30, 1, 0),
            ]
        )
        row = follower_panel(counts, windows=windows).query("account_id == 'a'").iloc[0]
        assert pd.notna(row["growth"]) == fresh


def test_hidden_and_zero_counts_are_no_counts():
    seen = [(0, 90), (6, 100), (12, 110), (13, None), (13.5, 0), (30, 9)]
    counts = make_counts([("a", 24 * day, followers, 0) for day, followers in seen])
    row = follower_panel(counts, windows=Windows(period=7, horizon=7)).iloc[0]
    assert row["growth"] == pytest.approx(np.log(1.1))


def test_past_shares_wait_for_three_periods():
    posts = make_posts([("a", 24 * day + hour, day) for day in range(40) for hour in (1, 2)])
    counts = weekly(range(0, 60, 2), range(100, 130))
    rows = follower_panel(counts, posts, windows=SMALL).set_index("tenure")
    assert rows.loc[:2, "past_reply_share"].isna().all()
    assert rows.loc[3:10, "past_reply_share"].notna().all()
    # Of the days 0 to 8, the posts of days 0, 3 and 6 are replies.
    assert rows.loc[3, "past_reply_share"] == pytest.approx(1 / 3)
    assert rows.loc[[0, 1, 2, 3, 4], "past_acts"].tolist() == [0, 6, 12, 18, 18]


def test_cadence_by_eye():
    totals = [(0, 5), (7, 7), (14, 7), (21, 6), (28, 9), (36, 12)]
    counts = make_counts([*[("a", 24 * d, 50, n) for d, n in totals], ("a", 24 * 70, 50, 12)])
    rows = follower_panel(counts, windows=Windows(period=28, horizon=7)).set_index("period")
    # Weeks that end in period 0: +2, 0, and a fall, which is left out. Period 1: +3, then 8 days.
    assert rows.loc[0, ["cadence", "posts"]].tolist() == [0.5, 2]
    assert rows.loc[0, "post_volume"] == pytest.approx(np.log(3))
    assert rows.index.tolist() == [0]


def test_inputs_are_not_changed():
    counts, posts = weekly(range(0, 40, 2), range(100, 120)), make_posts([("a", 1, 1)])
    before = counts.copy(), posts.copy()
    follower_panel(counts, posts, windows=SMALL)
    pd.testing.assert_frame_equal(counts, before[0])
    pd.testing.assert_frame_equal(posts, before[1])


def test_too_short_a_time_says_so():
    with pytest.raises(DataError, match=r"11\.0 days, less than two periods and the horizon"):
        follower_panel(weekly([0, 11], [1, 2]), windows=SMALL)
    assert len(follower_panel(weekly([0, 12], [1, 2]), windows=SMALL)) == 1
