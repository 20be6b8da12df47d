"""First contacts: by eye, and against plain Python."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smo_research.errors import DataError
from smo_research.evidence.comeback import return_curve_table, return_when_answered
from smo_research.evidence.returning import first_contacts, landmark_days
from smo_research.tables import Windows

WINDOWS = Windows(period=7, gap=3, horizon=10)  # landmark 2, so back from day 5 to day 10
START = pd.Timestamp("2020-03-01", tz="UTC")
TICK = 1 / 86_400_000_000  # a microsecond, in days
END = ("x", "y", 40)


def make_log(acts, posts=None):
    """Acts as (source, target, days since START), in the order of the log."""
    source, target, days = zip(*acts, strict=True)
    micros = [round(day * 86_400_000_000) for day in days]
    log = pd.DataFrame(
        {
            "source_id": list(source),
            "target_id": list(target),
            "created_at": START + pd.to_timedelta(micros, unit="us"),
            "seq": range(len(acts)),
            "kind": "message",
        }
    ).assign(created_at=lambda frame: frame["created_at"].dt.as_unit("us"))
    return log if posts is None else log.assign(post_id=pd.array(posts, dtype="str"))


def contact(acts, posts=None, who="a"):
    """The one first contact of `who` by j, or None."""
    log = make_log([*acts, END], None if posts is None else [*posts, "end"])
    rows = first_contacts(log, windows=WINDOWS)
    rows = rows[(rows["account_id"] == who) & (rows["contact_id"] == "j")]
    assert len(rows) <= 1
    return None if rows.empty else rows.iloc[0]


def test_landmark_is_two_days_for_short_gaps():
    days = [landmark_days(Windows(period=7, gap=gap, horizon=99)) for gap in (1, 13, 14, 28)]
    assert days == [2, 2, 7, 7]


def test_one_contact_by_eye():
    row = contact([("j", "a", 1), ("a", "j", 1.5), ("j", "a", 8)])
    assert row["first_at"] == START + pd.Timedelta(days=1)
    assert (row["answered"], row["returned"], row["elsewhere"]) == (True, True, False)
    assert row["answer_delay_hours"] == 12
    assert row["back_days"] == 5, "7 days after the first act, 5 after the landmark"
    assert (row["log_acts_j"], row["log_acts_i"]) == (0, 0)


@pytest.mark.parametrize(
    ("delay", "answered"), [(0, True), (2, True), (2 + TICK, False), (30, False)]
)
def test_answered_by_the_landmark_inclusive(delay, answered):
    row = contact([("j", "a", 1), ("a", "j", 1 + delay)])
    assert row["answered"] == answered
    assert row["answer_delay_hours"] == pytest.approx(24 * delay)


def test_never_answered():
    row = contact([("j", "a", 1), ("a", "k", 1.5)])
    assert not row["answered"]
    assert math.isnan(row["answer_delay_hours"])


def test_an_act_of_the_account_before_excludes():
    acts = [("a", "j", 0), ("j", "a", 1)]
    assert contact(acts) is None
    rows = first_contacts(make_log([*acts, END]), windows=WINDOWS)
    assert rows[["account_id", "contact_id"]].to_numpy().tolist() == [["j", "a"]]


def test_the_order_of_the_log_decides_ties():
    assert contact([("a", "j", 1), ("j", "a", 1)]) is None
    assert contact([("j", "a", 1), ("a", "j", 1)])["answered"]


def test_seq_and_not_the_row_decides_ties():
    log = make_log([("a", "j", 1), ("j", "a", 1), END])
    later = log.assign(seq=[1, 0, 2])
    rows = first_contacts(later, windows=WINDOWS)
    assert rows[["account_id", "contact_id"]].to_numpy().tolist() == [["a", "j"]]


@pytest.mark.parametrize(("end", "kept"), [(11, True), (11 - TICK, False)])
def test_a_horizon_past_the_end_excludes(end, kept):
    log = make_log([("j", "a", 1), ("x", "y", end)])
    rows = first_contacts(log, windows=WINDOWS)
    assert len(rows) == kept


@pytest.mark.parametrize(
    ("after", "returned"),
    [(5 - TICK, False), (5, True), (7, True), (10, True), (10 + TICK, False)],
)
def test_both_ends_of_the_window_count(after, returned):
    row = contact([("j", "a", 1), ("j", "a", 1 + after)])
    assert row["returned"] == returned
    if returned:
        assert row["back_days"] == pytest.approx(after - 2)
    else:
        assert math.isnan(row["back_days"])


def test_acts_in_between_neither_count_nor_remove():
    row = contact([("j", "a", 1), ("j", "a", 2), ("j", "a", 4), ("j", "a", 9)])
    assert row["returned"]
    assert row["back_days"] == 6
    assert not contact([("j", "a", 1), ("j", "a", 2), ("j", "a", 4)])["returned"]


@pytest.mark.parametrize(
    ("posts", "returned"),
    [(["p", "p"], False), (["p", "q"], True), (["p", None], True), ([None, "q"], True)],
)
def test_coming_back_is_on_another_post_where_posts_are_known(posts, returned):
    row = contact([("j", "a", 1), ("j", "a", 8)], posts)
    assert row["returned"] == returned
    assert not row["elsewhere"], "the same thread is not elsewhere"


def test_posts_that_are_never_known_do_not_count():
    log = make_log([("j", "a", 1), ("j", "a", 8), END], [None, None, None])
    assert first_contacts(log, windows=WINDOWS)["returned"].tolist() == [True]


@pytest.mark.parametrize(
    ("after", "elsewhere"),
    [(4.9, False), (5, True), (10, True), (10 + TICK, False)],
)
def test_elsewhere_is_an_act_toward_others_in_the_window(after, elsewhere):
    row = contact([("j", "a", 1), ("j", "b", 1 + after)])
    assert (row["returned"], row["elsewhere"]) == (False, elsewhere)


def test_acts_toward_the_account_are_not_elsewhere():
    row = contact([("j", "a", 1), ("j", "a", 7), ("j", "a", 8)])
    assert (row["returned"], row["elsewhere"]) == (True, False)


def test_recent_acts_are_those_of_28_days():
    acts = [
        ("j", "b", 0 - TICK),
        ("j", "b", 0),  # 28 days before: counts
        ("j", "c", 20),
        ("a", "c", 27),
        ("j", "c", 28),  # at the same time, earlier in the log: counts
        ("j", "a", 28),
        ("a", "d", 28),  # later in the log: does not
        ("x", "y", 60),
    ]
    rows = first_contacts(make_log(acts), windows=WINDOWS)
    row = rows[(rows["account_id"] == "a")].iloc[0]
    assert math.expm1(row["log_acts_j"]) == pytest.approx(3)
    assert math.expm1(row["log_acts_i"]) == pytest.approx(1)


def test_acts_toward_oneself_leave_no_trace():
    log = make_log([("j", "a", 1), ("a", "j", 2), ("j", "a", 8), END])
    with_self = pd.concat([log, log.assign(target_id=log["source_id"], seq=log["seq"] + 4)])
    pd.testing.assert_frame_equal(
        first_contacts(log, windows=WINDOWS), first_contacts(with_self, windows=WINDOWS)
    )


def test_input_is_not_changed_and_its_order_does_not_matter():
    log = make_log([("j", "a", 1), ("a", "j", 2), ("k", "a", 2), ("j", "a", 8), END])
    before = log.copy()
    rows = first_contacts(log, windows=WINDOWS)
    pd.testing.assert_frame_equal(log, before)
    pd.testing.assert_frame_equal(rows, first_contacts(log.iloc[::-1], windows=WINDOWS))


def test_windows_that_leave_no_time_are_refused():
    log = make_log([("j", "a", 1), END])
    with pytest.raises(DataError, match="must not pass the horizon"):
        first_contacts(log, windows=Windows(period=7, gap=9, horizon=10))
    with pytest.raises(DataError, match="need a gap"):
        first_contacts(log, windows=Windows(period=7, gap=None, horizon=10))


def test_only_acts_toward_oneself_says_so():
    with pytest.raises(DataError, match="no act between two different accounts"):
        first_contacts(make_log([("a", "a", 1)]), windows=WINDOWS)


def plain(log, *, gap, landmark, horizon):
    """First contacts as the design says them, act by act."""
    day = pd.Timedelta(days=1)
    acts = sorted(
        (act for act in log.itertuples() if act.source_id != act.target_id),
        key=lambda act: (act.created_at, act.seq),
    )
    has_posts = "post_id" in log and log["post_id"].notna().any()
    found, seen = [], set()
    for position, first in enumerate(acts):
        j, i, t = first.source_id, first.target_id, first.created_at
        pair, back = (j, i), (i, j)
        is_first = pair not in seen
        seen.add(pair)
        if not is_first or back in seen or t + horizon * day > acts[-1].created_at:
            continue
        earlier = [act for act in acts[:position] if act.created_at >= t - 28 * day]
        replies = [
            act.created_at for act in acts[position:] if (act.source_id, act.target_id) == back
        ]
        opens, closes = t + (landmark + gap) * day, t + horizon * day
        window = [act for act in acts if act.source_id == j and opens <= act.created_at <= closes]
        returns = [
            act.created_at
            for act in window
            if act.target_id == i
            and not (has_posts and pd.notna(act.post_id) and act.post_id == first.post_id)
        ]
        found.append(
            {
                "account_id": i,
                "contact_id": j,
                "first_at": t,
                "answered": bool(replies) and replies[0] <= t + landmark * day,
                "answer_delay_hours": (replies[0] - t) / (day / 24) if replies else math.nan,
                "returned": bool(returns),
                "elsewhere": any(act.target_id != i for act in window),
                "back_days": (min(returns) - t) / day - landmark if returns else math.nan,
                "log_acts_j": math.log1p(sum(act.source_id == j for act in earlier)),
                "log_acts_i": math.log1p(sum(act.source_id == i for act in earlier)),
            }
        )
    return pd.DataFrame(found)


def assert_same(fast, slow):
    if slow.empty:
        assert fast.empty
        return
    assert list(fast) == list(slow)
    for name in fast:
        if fast[name].dtype == float:
            np.testing.assert_allclose(fast[name], slow[name], rtol=1e-9, err_msg=name)
        else:
            assert fast[name].tolist() == slow[name].tolist(), name


accounts = st.sampled_from(["a", "b", "c", "d", "007", "7"])
threads = st.sampled_from(["p", "q", "r", None])
acts = st.tuples(accounts, accounts, st.integers(0, 100).map(lambda half: half / 2), threads)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(acts, min_size=1, max_size=40), st.booleans())
def test_equals_plain_python(some, with_posts):
    posts = [act[3] for act in some]
    log = make_log([*[act[:3] for act in some], END], [*posts, "end"] if with_posts else None)
    fast = first_contacts(log, windows=WINDOWS)
    assert_same(fast, plain(log, gap=3, landmark=2, horizon=10))


@pytest.mark.data
def test_equals_plain_python_on_real_messages(real):
    log = real("collegemsg").interactions.head(3_000)
    fast = first_contacts(log, windows=Windows(period=7, gap=1, horizon=5))
    assert len(fast) > 100
    assert fast["answered"].sum() > 20
    assert fast["returned"].sum() > 5
    assert_same(fast, plain(log, gap=1, landmark=2, horizon=5))


def contacts_of(accounts=60, each=12, ratio=1.5, seed=0):
    """First contacts whose answered ones come back `ratio` times as often, in every account."""
    rng = np.random.default_rng(seed)
    n = accounts * each
    own = np.repeat(rng.uniform(0.05, 0.4, accounts), each)
    # Accounts that are answered more are also returned to more: only within is the ratio seen.
    answered = rng.uniform(size=n) < np.repeat(rng.uniform(0.2, 0.8, accounts), each)
    returned = rng.uniform(size=n) < own * np.where(answered, ratio, 1.0)
    return pd.DataFrame(
        {
            "account_id": np.repeat([f"i{k}" for k in range(accounts)], each),
            "contact_id": [f"j{k % 97}" for k in range(n)],
            "answered": answered,
            "returned": returned,
            "elsewhere": rng.uniform(size=n) < 0.5,
            "back_days": np.where(returned, rng.uniform(3, 8, n), np.nan),
            "log_acts_j": rng.normal(size=n),
            "log_acts_i": rng.normal(size=n),
        }
    )


def test_a_planted_risk_ratio_is_recovered():
    result = return_when_answered(contacts_of(accounts=300, ratio=1.5), dataset="planted")
    effect = result.effects["landmark", "total", "answered"]
    assert abs(effect.estimate - math.log(1.5)) < 3 * effect.std_error
    assert effect.std_error < 0.1
    control = result.effects["negative control", "total", "answered"]
    assert abs(control.estimate) < 3 * control.std_error
    assert result.left_out["rows"].sum() == 3_600 - result.table["n_obs"].iloc[0]


@pytest.mark.parametrize(
    ("contacts", "reason"),
    [
        (contacts_of().head(0), "0 rows have an outcome above 0; at least 50 are needed"),
        (contacts_of(accounts=10, each=60), "10 accounts have an outcome above 0"),
        (contacts_of().assign(returned=False), "0 rows have an outcome above 0"),
        (contacts_of().assign(answered=True), "answered varies within 0 accounts"),
    ],
)
def test_return_that_cannot_be_tested_says_why(contacts, reason):
    result = return_when_answered(contacts, dataset="small")
    assert reason in result.reason
    assert result.effects == {}
    assert result.table["estimate"].isna().all()


def test_nobody_answered_ever_comes_back_is_refused_and_not_a_number():
    contacts = contacts_of(ratio=0.0)
    result = return_when_answered(contacts, dataset="separated")
    assert "answered is separated" in result.reason
    assert result.table["estimate"].isna().all()


def test_curve_ends_at_the_raw_share_and_never_falls():
    contacts = contacts_of()
    curve = return_curve_table(contacts, windows=WINDOWS, dataset="planted")
    raw = contacts.groupby("answered")["returned"].mean()
    for answered, rows in curve.groupby("answered"):
        assert rows["back"].iloc[-1] == raw[answered]
        assert rows["back"].is_monotonic_increasing
        assert (rows["days"].iloc[0], rows["days"].iloc[-1]) == (3, 8)
        assert rows["ci_low"].between(0, rows["back"]).all()
        assert rows["ci_high"].between(rows["back"], 1).all()
        assert (rows["n_contacts"] == (contacts["answered"] == answered).sum()).all()


def test_curve_of_nobody_is_empty():
    full = return_curve_table(contacts_of(), windows=WINDOWS, dataset="a")
    empty = return_curve_table(contacts_of().head(0), windows=WINDOWS, dataset="a")
    assert empty.empty
    assert list(empty) == list(full)


def test_curve_by_eye():
    # Of four unanswered, back 3 and 5.5 days after the landmark, on its last day, and never.
    contacts = pd.DataFrame(
        {"account_id": list("abcd"), "answered": False, "back_days": [3, 5.5, 8, np.nan]}
    )
    curve = return_curve_table(contacts, windows=WINDOWS, dataset="a")
    steps = curve.drop_duplicates("back")
    assert steps["back"].tolist() == [0.25, 0.5, 0.75]
    assert steps["days"].tolist() == pytest.approx([3, 5.5, 8], abs=5 / 59)


@pytest.mark.data
def test_curve_of_real_messages(real):
    windows = Windows(period=7, gap=7, horizon=42)
    contacts = first_contacts(real("collegemsg").interactions, windows=windows)
    curve = return_curve_table(contacts, windows=windows, dataset="collegemsg")
    ends = curve.groupby("answered")["back"].last()
    raw = contacts.groupby("answered")["returned"].mean()
    assert ends.tolist() == raw.tolist()


def test_curve_errors_are_those_of_clustered_means():
    """statsmodels OLS on a constant, cov_type="cluster"."""
    import statsmodels.api as sm
    from scipy import stats

    contacts = contacts_of()
    curve = return_curve_table(contacts, windows=WINDOWS, dataset="planted")
    last = curve[curve["answered"]].iloc[-1]
    rows = contacts[contacts["answered"]]
    groups = pd.factorize(rows["account_id"])[0]
    fit = sm.OLS(rows["returned"].astype(float), np.ones(len(rows))).fit(
        cov_type="cluster", cov_kwds={"groups": groups}
    )
    reach = stats.t.ppf(0.975, groups.max()) * fit.bse.iloc[0]
    assert last["ci_high"] - last["back"] == pytest.approx(reach, rel=1e-3)
