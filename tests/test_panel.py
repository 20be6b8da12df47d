"""The panel: truth by eye, against brute force, and proof that it does not look ahead."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from brute_force import brute_force_panel
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from smo_research.errors import DataError
from smo_research.measures.acts import connect
from smo_research.measures.panel import COLUMNS, OF_POSTS, OUTCOMES, panel, panel_table, panels
from smo_research.measures.tweaks import POST_TWEAKS, expected_hour_entropy
from smo_research.tables import Windows

SMALL = Windows(period=3, gap=2, horizon=6)
START = pd.Timestamp("2020-01-01", tz="UTC")
QUICK = settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    # Shrinking takes minutes: a panel takes a third of a second.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)


def make_log(acts):
    """Acts as (source, target, hours since START), in the order of the log."""
    source, target, hours = zip(*acts, strict=True)
    return pd.DataFrame(
        {
            "source_id": list(source),
            "target_id": list(target),
            "created_at": START + pd.to_timedelta(hours, unit="h"),
            "seq": range(len(acts)),
            "kind": "message",
        }
    ).assign(created_at=lambda log: log["created_at"].dt.as_unit("us"))


def make_posts(made):
    """Posts as (account, hours since START, number); the number decides what is in the post."""
    posts = pd.DataFrame(made, columns=["account_id", "hours", "n"])
    n = posts["n"]
    flags = {"has_media": 5, "is_paid": 4, "is_automated": 2}
    return pd.DataFrame(
        {
            "post_id": posts.index.astype("str"),
            "account_id": posts["account_id"].astype("str"),
            "created_at": (START + pd.to_timedelta(posts["hours"], unit="h")).dt.as_unit("us"),
            "hashtags": (n % 4).astype("Int64"),
            "links": (n % 2).astype("Int64").mask(n % 7 == 0),
            **{name: (n % every == 0).astype("boolean") for name, every in flags.items()},
        }
    ).assign(is_paid=lambda table: table["is_paid"].mask(n % 5 == 0))


def assert_same(fast, brute):
    fast = fast.set_index(["account_id", "period"])
    brute = brute.set_index(["account_id", "period"])
    assert fast.index.tolist() == brute.index.tolist()
    for column in brute.columns:
        np.testing.assert_allclose(
            fast[column].to_numpy(float, na_value=np.nan),
            brute[column].to_numpy(float, na_value=np.nan),
            rtol=1e-9,
            atol=1e-12,
            err_msg=column,
        )


accounts = st.sampled_from(["a", "b", "c", "d", "007", "7"])
acts = st.tuples(accounts, accounts, st.integers(0, 24 * 30).map(lambda h: h / 2))
logs = st.lists(acts, min_size=2, max_size=60).map(
    lambda some: make_log([*some, ("a", "b", 0), ("b", "a", 24 * 15)])
)
# Some accounts only post, some posts come before the first act, and one account posts often.
posting = st.tuples(
    st.sampled_from(["a", "b", "007", "poster"]),
    st.integers(-2 * 24, 24 * 60).map(lambda h: h / 2),
    st.integers(0, 139),
)
busy = st.lists(st.integers(0, 6 * 24), max_size=30).map(
    lambda halves: [("a", half / 2, half) for half in halves]
)
posts_made = st.tuples(st.lists(posting, min_size=1, max_size=40), busy).map(
    lambda parts: make_posts([*parts[0], *parts[1]])
)


def test_two_accounts_by_eye():
    # b writes to a in period 0 and is answered after 12 hours; c comes in period 1 and is back
    # 3 days later, d comes in period 1 and is not.
    log = make_log(
        [
            ("b", "a", 1),
            ("a", "b", 13),
            ("c", "a", 24 * 3 + 1),
            ("d", "a", 24 * 4),
            ("c", "a", 24 * 6 + 1),
            ("x", "y", 24 * 13),
        ]
    )
    rows = panel(log, windows=SMALL)
    row = rows[(rows.account_id == "a") & (rows.period == 0)].iloc[0]
    assert (row.inbound, row.answered, row.answer_delay_hours) == (1, 1, 12.0)
    assert row.answering == (1 + 2 * 0.5) / (1 + 2)
    assert (row.new_audience, row.lasting_audience) == (2, 1)
    assert (row.depth, row.reciprocity, row.persistence) == (1.0, 1.0, 1.0)
    assert row.post_volume == 0.0, "a's only act is an answer"
    b = rows[(rows.account_id == "b") & (rows.period == 0)].iloc[0]
    assert (b.inbound, b.answered, b.cold_outreach) == (1, 0, 1.0)
    assert b.post_volume == pytest.approx(np.log(2))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(logs)
def test_equals_brute_force(log):
    if (log.source_id == log.target_id).all():
        return
    fast = panel(log, windows=SMALL)
    assert_same(fast, brute_force_panel(log, period=3, gap=2, horizon=6))


def test_a_post_is_a_presence_by_eye():
    # a posts twice in period 0 and answers b; z only posts, once in period 0 and once in 1; d
    # posts a day before anybody acts, which moves the start of period 0.
    log = make_log([("b", "a", 1), ("a", "b", 13), ("c", "a", 24 * 3), ("x", "y", 24 * 16)])
    posts = make_posts([("a", 2, 3), ("a", 5, 8), ("z", 0, 1), ("z", 24 * 3, 1), ("d", -1, 6)])
    rows = panel(log, posts, windows=SMALL)
    assert list(rows) == [*COLUMNS, *OF_POSTS]
    assert rows["period_start"].min() == START - pd.Timedelta(days=1)
    rows = rows.set_index(["account_id", "period"])
    a = rows.loc["a", 0]
    assert (a.posts, a.own_acts, a.inbound, a.answered) == (2, 1, 1, 1)
    assert a.post_volume == pytest.approx(np.log(3)), "of posts, not of acts"
    assert (a.hashtag_rate, a.link_rate, a.automated_share) == (1.5, 0.5, 0.5)
    assert a.paid_share == 0.5
    assert rows.loc["b", 0].posts == 0
    assert rows.loc["b", 0].post_volume == 0
    assert rows.loc["b", 0][[*POST_TWEAKS]].isna().all()
    assert rows.loc["b", 0].own_acts == 1
    later = rows.loc["z", 1]
    assert later[["inbound", "own_acts", "answered", "new_now", "past_acts", "depth"]].sum() == 0
    assert later[["answering", "reciprocity", "cold_outreach", "persistence"]].isna().all()
    assert later.tenure == 1, "since its first post"
    assert later.pooled_answering == 0.5


@QUICK
@given(logs, posts_made)
def test_equals_brute_force_with_posts(log, posts):
    if (log.source_id == log.target_id).all():
        return
    fast = panel(log, posts, windows=SMALL)
    assert_same(fast, brute_force_panel(log, posts, period=3, gap=2, horizon=6))


@QUICK
@given(logs, posts_made, st.lists(acts, max_size=30), posts_made, st.integers(0, 3))
def test_predictors_do_not_look_ahead_at_posts(log, posts, other_acts, other_posts, t):
    """Whatever is done or posted after the end of t, the predictors up to t stay, bit for bit."""
    posts = pd.concat([make_posts([("d", -24, 1)]), posts])
    end = 24 * 3 * (t + 1) - 24
    moment = START + pd.Timedelta(hours=end)
    past = log[log["created_at"] < moment]
    posted = posts[posts["created_at"] < moment]
    later = make_log([*[(i, j, end + hours) for i, j, hours in other_acts], ("e", "f", 24 * 60)])
    shift = pd.Timedelta(hours=end + 24)
    futures = (
        (make_log([("a", "b", end), ("x", "y", 24 * 40)]), make_posts([("a", end, 5)])),
        (later, other_posts.assign(created_at=other_posts["created_at"] + shift)),
    )
    whole = (
        panel(
            pd.concat([past, more]).assign(seq=lambda rows: range(len(rows))),
            pd.concat([posted, more_posts]),
            windows=SMALL,
        )
        for more, more_posts in futures
    )
    one, two = (rows[rows["period"] <= t].drop(columns=OUTCOMES) for rows in whole)
    assert one["posts"].sum() == len(posted)
    pd.testing.assert_frame_equal(
        one.reset_index(drop=True), two.reset_index(drop=True), check_exact=True
    )


def test_posts_without_flags_add_only_their_number():
    log = make_log([("b", "a", 1), ("x", "y", 24 * 13)])
    plain = make_posts([("a", 2, 3)])[["post_id", "account_id", "created_at"]]
    assert list(panel(log, plain, windows=SMALL)) == [*COLUMNS, "posts"]
    assert list(panel(log, windows=SMALL)) == COLUMNS


def test_posts_may_be_a_table_of_the_engine():
    log = make_log([("b", "a", 1), ("x", "y", 24 * 13)])
    posts = make_posts([("a", 2, 3)])
    backend = connect()
    tables = [backend.create_table(f"t{n}", one) for n, one in enumerate((log, posts))]
    rows = backend.execute(panel_table(*tables, windows=SMALL, backend=backend))
    pd.testing.assert_frame_equal(
        rows.drop(columns="period_start"),
        panel(log, posts, windows=SMALL).drop(columns="period_start"),
    )


@pytest.mark.parametrize("with_posts", [False, True])
def test_panels_under_several_windows_are_those_of_each(with_posts):
    rng = np.random.default_rng(5)
    names = [f"u{n}" for n in range(12)]
    ends, hours = rng.choice(names, (2, 900)), np.sort(rng.integers(0, 24 * 60, 900))
    log = make_log(list(zip(*ends, hours, strict=True)))
    made = zip(rng.choice(names, 400), rng.integers(0, 24 * 60, 400), range(400), strict=True)
    posts = make_posts(list(made)) if with_posts else None
    asked = [SMALL, Windows(period=6, gap=2, horizon=6), Windows(period=3, gap=1, horizon=12)]
    asked += [Windows(period=3, gap=2, horizon=20), Windows(period=3, gap=2, horizon=90)]
    built = panels(log, posts, windows=asked)
    assert list(built) == asked
    for one in asked[:-1]:
        pd.testing.assert_frame_equal(built[one], panel(log, posts, windows=one), check_exact=True)
    with pytest.raises(DataError) as refused:
        panel(log, posts, windows=asked[-1])
    assert built[asked[-1]] == str(refused.value)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(logs, st.lists(acts, max_size=30), st.integers(0, 3))
def test_predictors_do_not_look_ahead(log, other_future, t):
    """Whatever happens after the end of t, the predictors of t and before stay, bit for bit."""
    end = 24 * 3 * (t + 1)
    past = log[log["created_at"] < START + pd.Timedelta(hours=end)]
    first, second = (
        pd.concat([past, future]).assign(seq=lambda rows: range(len(rows)))
        for future in (
            make_log([("a", "b", end), ("x", "y", 24 * 40)]),
            make_log([*[(i, j, end + hours) for i, j, hours in other_future], ("e", "f", 24 * 60)]),
        )
    )
    one, two = (
        rows[rows["period"] <= t].drop(columns=OUTCOMES)
        for rows in (panel(each, windows=SMALL) for each in (first, second))
    )
    assert one["period"].max() == past_period(past)
    pd.testing.assert_frame_equal(
        one.reset_index(drop=True), two.reset_index(drop=True), check_exact=True
    )


def past_period(past):
    others = past[past["source_id"] != past["target_id"]]
    return (others["created_at"].max() - START) // pd.Timedelta(days=3)


def test_equals_brute_force_on_real_messages(real):
    log = real("collegemsg").interactions.head(5_000)
    fast = panel(log, windows=Windows(period=1, gap=1, horizon=2))
    brute = brute_force_panel(log, period=1, gap=1, horizon=2)
    assert len(fast) > 300
    assert fast["schedule_focus"].notna().sum() > 50
    assert fast["lasting_audience"].sum() > 50
    assert_same(fast, brute)


def test_expected_entropy_is_that_of_random_hours():
    rng = np.random.default_rng(1)
    for n in (10, 240, 5_000):
        counts = rng.multinomial(n, np.full(24, 1 / 24), size=4_000)
        shares = np.where(counts > 0, counts, 1) / n
        entropy = -(counts / n * np.log(shares)).sum(axis=1)
        error = entropy.std() / np.sqrt(len(entropy))
        assert abs(entropy.mean() - expected_hour_entropy(np.array([n]))[0]) < 4 * error


def test_order_of_the_log_decides_ties():
    ask_first = make_log([("b", "a", 1), ("a", "b", 1), ("x", "y", 24 * 13)])
    answer_first = make_log([("a", "b", 1), ("b", "a", 1), ("x", "y", 24 * 13)])
    answered = [
        panel(log, windows=SMALL).query("account_id == 'a'")["answered"].item()
        for log in (ask_first, answer_first)
    ]
    assert answered == [1, 0]


def test_acts_toward_oneself_leave_no_trace():
    log = make_log([("b", "a", 1), ("a", "b", 2), ("x", "y", 24 * 13)])
    with_self = pd.concat([log, log.assign(target_id=log.source_id, seq=log.seq + 3)])
    pd.testing.assert_frame_equal(panel(log, windows=SMALL), panel(with_self, windows=SMALL))


def test_input_is_not_changed():
    log = make_log([("b", "a", 1), ("x", "y", 24 * 13)])
    posts = make_posts([("a", 2, 3)])
    before, posts_before = log.copy(), posts.copy()
    panel(log, posts, windows=SMALL)
    pd.testing.assert_frame_equal(log, before)
    pd.testing.assert_frame_equal(posts, posts_before)


def test_too_short_a_log_says_so():
    with pytest.raises(DataError, match="choose a shorter period or horizon"):
        panel(make_log([("b", "a", 1), ("a", "b", 2)]), windows=SMALL)


def test_only_acts_toward_oneself_says_so():
    with pytest.raises(DataError, match="no act between two different accounts"):
        panel(make_log([("b", "b", 1)]), windows=SMALL)
