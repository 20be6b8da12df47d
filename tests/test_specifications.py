"""Specifications: what is varied, that each is fitted as it says, and what cannot be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from smo_research.datasets.catalog import dataset
from smo_research.evidence import alternatives
from smo_research.evidence.alternatives import (
    Contacts,
    Panels,
    alternative_contacts,
    alternative_panels,
    alternative_windows,
)
from smo_research.evidence.comeback import return_when_answered
from smo_research.evidence.lasting import lasting_growth
from smo_research.evidence.models import poisson
from smo_research.evidence.return_specifications import (
    leave_one_return_out,
    return_specifications,
    try_return_specifications,
)
from smo_research.evidence.returning import first_contacts
from smo_research.evidence.samples import ADJUSTMENT, growth_sample, numbered, tweak_terms
from smo_research.evidence.specification_fits import (
    leave_one_out,
    separated,
    try_specifications,
)
from smo_research.evidence.specifications import Specification, specifications
from smo_research.evidence.tried import read_choices, step_of, unit_of
from smo_research.measures.panel import panel
from smo_research.tables import Windows

WINDOWS = Windows(period=7, gap=7, horizon=14)
TERMS = [
    ("H2", "schedule_focus"),
    ("H2", "burstiness"),
    ("H3", "answering"),
    ("H7", "past_answering"),
]


def world(seed=0, *, accounts=120, periods=10, effect=0.0):
    """Rows of a panel with everything that is varied; `effect` of answering on lasting growth."""
    rng = np.random.default_rng(seed)
    n = accounts * periods
    account, period = np.repeat(np.arange(accounts), periods), np.tile(np.arange(periods), accounts)
    size = rng.normal(0, 0.5, accounts)[account]
    inbound = rng.poisson(3, n)
    answered = rng.binomial(inbound, 0.4)
    answering = (answered + 1) / (inbound + 2)
    past_inbound, past_answered = rng.poisson(6, n), rng.poisson(2, n)
    past = np.where(period < 3, np.nan, (past_answered + 1) / (past_inbound + 2))
    rate = np.exp(-0.5 + size + 0.1 * np.sin(period) + effect * answering)
    own_acts = rng.poisson(2, n)
    return pd.DataFrame(
        {
            "account_id": account,
            "period": period,
            "lasting_audience": rng.poisson(rate),
            "inbound": inbound,
            "answered": answered,
            "answering": np.where(inbound > 0, answering, np.nan),
            "past_answering": past,
            "pooled_answering": 0.5,
            "reciprocity": rng.uniform(size=n),
            "log_depth": rng.uniform(size=n),
            "persistence": np.where(own_acts > 0, rng.uniform(size=n), np.nan),
            "post_volume": rng.uniform(size=n),
            "schedule_focus": np.where(rng.uniform(size=n) < 0.3, np.nan, rng.normal(0, 0.3, n)),
            "burstiness": rng.normal(0, 0.3, n),
            "cold_outreach": np.where(own_acts > 0, rng.uniform(size=n), np.nan),
            "new_now": rng.poisson(1, n),
            "tenure": period,
            "past_inbound": past_inbound,
            "past_acts": rng.poisson(3, n),
            "own_acts": own_acts,
            "log_answered": np.log1p(answered),
            "log_past_answered": np.log1p(past_answered),
            "log_pagerank": rng.normal(size=n),
            "clustering": rng.uniform(size=n),
            "core_number": rng.poisson(2, n),
        }
    )


def made_posts(seed=0, *, number=3000, accounts=40, days=123):
    """Posts of the accounts of `log`, of one that nobody acts toward, from before the first act."""
    rng = np.random.default_rng(seed)
    days_after = np.append(0, rng.uniform(0, days, number - 1)) - 3
    at = pd.Timestamp("2020-01-01", tz="UTC") + pd.to_timedelta(days_after, unit="D")
    return pd.DataFrame(
        {
            "post_id": [str(place) for place in range(number)],
            "account_id": [f"u{i}" for i in rng.integers(0, accounts + 1, number)],
            "created_at": at.as_unit("us"),
            "hashtags": pd.array(rng.poisson(1, number), dtype="Int64"),
        }
    )


@pytest.fixture(scope="module")
def panels():
    """Two windows of which one has no panel."""
    rows = {WINDOWS: world(1, effect=0.8), replace(WINDOWS, horizon=28): "the log is too short"}
    return Panels(WINDOWS, rows, pd.Index([f"a{i}" for i in range(120)]))


def log(seed=0, *, acts=4000, accounts=40, days=120, threads=True):
    rng = np.random.default_rng(seed)
    source = rng.integers(0, accounts, acts)
    target = (source + rng.integers(1, accounts, acts)) % accounts
    at = pd.Timestamp("2020-01-01", tz="UTC") + pd.to_timedelta(
        np.sort(rng.uniform(0, days, acts)), unit="D"
    )
    rows = pd.DataFrame(
        {
            "source_id": [f"u{i}" for i in source],
            "target_id": [f"u{i}" for i in target],
            "created_at": at.as_unit("us"),
            "seq": range(acts),
            "kind": "reply",
            "post_id": rng.integers(0, 500, acts).astype(str),
        }
    )
    return rows if threads else rows.drop(columns="post_id")


def contacts(seed=0, *, accounts=60, each=20, effect=0.5):
    """First contacts of which the answered come back more often."""
    rng = np.random.default_rng(seed)
    n = accounts * each
    delay = np.where(rng.uniform(size=n) < 0.6, rng.exponential(60, n), np.nan)
    ready = rng.normal(0, 0.3, accounts).repeat(each)
    back = np.exp(-1.5 + ready + effect * (delay <= 48))
    return pd.DataFrame(
        {
            "account_id": np.arange(accounts).repeat(each),
            "contact_id": rng.integers(0, accounts, n),
            "answer_delay_hours": delay,
            "answered": delay <= 48,
            "returned": rng.uniform(size=n) < np.minimum(back, 1),
            "elsewhere": rng.uniform(size=n) < 0.5,
            "log_acts_j": np.log1p(rng.poisson(1, n)),
            "log_acts_i": np.log1p(rng.poisson(2, n)),
        }
    )


@pytest.fixture(scope="module")
def followed():
    rows = {
        (one, False): contacts(place)
        for place, one in enumerate(alternative_windows(WINDOWS, varied=("gap", "horizon")))
    }
    return Contacts(WINDOWS, False, rows, pd.Index([f"a{i:02}" for i in range(60)]))


@pytest.mark.parametrize("name", ["mathoverflow", "collegemsg"])
@pytest.mark.parametrize(("hypothesis", "term"), TERMS)
def test_at_least_a_hundred_specifications_differ(name, hypothesis, term):
    listed = specifications(hypothesis, term, alternative_windows(dataset(name).windows))
    blocks = {"; ".join(one.choices().values()) for one in listed}
    assert len(listed) == len(set(listed)) == len(blocks) >= 100
    assert listed[0] == Specification(hypothesis, dataset(name).windows, term)


def test_at_least_a_hundred_specifications_of_coming_back_differ(followed):
    listed = return_specifications(followed)
    assert len(listed) == len(set(listed)) == len({str(one.choices()) for one in listed}) >= 100
    assert listed[0].choices()["answered within"] == "2 days"


def test_answers_never_come_after_a_contact_may_be_back():
    short = Windows(period=7, gap=1, horizon=14)
    one = Contacts(short, False, {(short, False): "none"}, pd.Index([]))
    assert {asked.within for asked in return_specifications(one)} == {1.0, 0.5}


def test_windows_are_varied_one_length_at_a_time():
    found = alternative_windows(Windows(period=28, gap=28, horizon=168))
    lengths = [(one.period, one.gap, one.horizon) for one in found]
    assert lengths[0] == (28, 28, 168)
    assert sorted(lengths[1:]) == [
        (14, 28, 168),
        (28, 14, 168),
        (28, 28, 84),
        (28, 28, 336),
        (28, 56, 168),
        (56, 28, 168),
    ]
    # A gap of 28 days does not fit into a horizon of 20.
    tight = alternative_windows(Windows(period=7, gap=14, horizon=20))
    assert (7, 28, 20) not in [(one.period, one.gap, one.horizon) for one in tight]
    assert (7, 14, 10) not in [(one.period, one.gap, one.horizon) for one in tight]


@pytest.mark.parametrize(("hypothesis", "term"), [TERMS[0], *TERMS[2:]])
def test_the_first_is_the_model_that_decides(panels, hypothesis, term):
    listed = specifications(hypothesis, term, [WINDOWS])
    within = next(one for one in listed if one.model == "within")
    ours = dict(
        zip(("between", "within"), try_specifications(panels, [listed[0], within]), strict=True)
    )
    reference = lasting_growth(
        panels.rows[WINDOWS].assign(new_audience=lambda rows: rows["lasting_audience"]),
        hypothesis,
        windows=WINDOWS,
        dataset="made up",
    )
    for model, tried in ours.items():
        decides = reference.effects[model, "total", term]
        assert tried.effect.estimate == pytest.approx(decides.estimate, abs=1e-7)
        assert tried.effect.std_error == pytest.approx(decides.std_error, abs=1e-6)
        assert tried.effect.df == decides.df


def test_a_specification_is_the_model_that_it_says(panels):
    """Amount, rows with an own act, no presence, outreach and position held: by pyfixest."""
    one = Specification("H3", WINDOWS, "log_answered", "fewer", False, True, True)
    tried = try_specifications(panels, [one])[0]
    rows = growth_sample(panels.rows[WINDOWS], "H3", windows=WINDOWS).rows
    rows = rows[rows["own_acts"] > 0]
    held = [name for name in ADJUSTMENT if name != "post_volume"]
    held += [*tweak_terms(rows), "cold_outreach", "log_pagerank", "clustering", "core_number"]
    fit = poisson(rows, "lasting_audience", ["log_answered", *held], effects=["period"])
    decides = fit.effect("log_answered", np.log(2))
    assert tried.effect.estimate == pytest.approx(decides.estimate, abs=1e-7)
    assert tried.effect.std_error == pytest.approx(decides.std_error, abs=1e-6)
    assert (tried.n_obs, tried.n_accounts) == (fit.n_obs, fit.n_accounts)


def test_a_planted_effect_shows_and_scores_point_its_way(panels):
    tried = try_specifications(panels, specifications("H3", "answering", [WINDOWS]))
    shares = [one for one in tried if one.term == "answering"]
    assert all(one.effect.p_difference < 0.01 and one.scores.sum() > 0 for one in shares)
    assert all(len(one.scores) == 120 for one in tried if one.scores is not None)


def test_rows_without_the_described_measure_are_left_out(panels):
    one = Specification("H3", WINDOWS, "persistence")
    rows = panels.rows[WINDOWS]
    known = rows["persistence"].notna() & (rows["inbound"] > 0)
    assert try_specifications(panels, [one])[0].n_obs == known.sum()


def test_the_order_asked_changes_nothing(panels):
    listed = list(specifications("H7", "past_answering", [WINDOWS]))
    forth, back = try_specifications(panels, listed), try_specifications(panels, listed[::-1])
    assert [one.effect for one in forth] == [one.effect for one in back[::-1]]
    assert [one.block for one in forth] == [one.block for one in back[::-1]]


def test_what_cannot_be_fitted_says_why(panels):
    listed = specifications("H3", "answering", panels.rows)
    tried = try_specifications(panels, listed)
    short = [one for one, asked in zip(tried, listed, strict=True) if asked.windows != WINDOWS]
    assert short
    assert all(one.effect is None and one.reason == "the log is too short" for one in short)
    same = panels.rows[WINDOWS].assign(answering=0.5, log_answered=1.0)
    constant = Panels(WINDOWS, {WINDOWS: same}, panels.accounts)
    tried = try_specifications(constant, specifications("H3", "answering", [WINDOWS]))
    assert "answering varies within 0 accounts" in tried[0].reason
    assert tried[-1].effect is not None, "the described measures still vary"
    repeats = panels.rows[WINDOWS].assign(log_answered=lambda rows: rows["post_volume"])
    doubled = Panels(WINDOWS, {WINDOWS: repeats}, panels.accounts)
    one = Specification("H3", WINDOWS, "log_answered")
    assert "repeats" in try_specifications(doubled, [one])[0].reason


def test_the_account_that_matters_most_is_left_out(panels):
    rows = panels.rows[WINDOWS].copy()
    rows.loc[rows["account_id"] == 7, "lasting_audience"] += 60 * (
        rows.loc[rows["account_id"] == 7, "answering"].fillna(0) > 0.5
    )
    loud = Panels(WINDOWS, {WINDOWS: rows}, panels.accounts)
    one = Specification("H3", WINDOWS, "answering")
    found, without = leave_one_out(loud, one)
    assert found.account_id == without.without == "a7"
    with_it, exact = try_specifications(loud, [one, without])
    assert exact.n_accounts == with_it.n_accounts - 1
    assert exact.block.endswith("left out: account a7")
    quiet = Panels(WINDOWS, {WINDOWS: rows[rows["account_id"] != 7]}, panels.accounts)
    alone = try_specifications(quiet, [one])[0]
    assert exact.effect.estimate == pytest.approx(alone.effect.estimate, abs=1e-10)
    low, high = leave_one_out(panels, one)[0].low, leave_one_out(panels, one)[0].high
    assert low < try_specifications(panels, [one])[0].effect.estimate < high


def test_a_column_that_fits_rows_with_0_takes_them_along():
    y, x = np.array([0, 0, 2, 1]), np.array([[1.0, 0, 0, 0], [3, 1, 1, 2]]).T
    assert separated(y, x).tolist() == [True, False, False, False]
    assert not separated(y, np.array([[0.0, 2, 1, 1]]).T).any(), "0s on both sides tell nothing"


def test_past_numbers_are_sums_of_what_was_answered(monkeypatch):
    monkeypatch.setattr(alternatives, "alternative_windows", lambda windows: (windows,))
    asked = log(3, acts=2000)
    # Five accounts answer everybody at once, so that sums are not just about what is usual.
    eager = asked[asked["target_id"].isin([f"u{i}" for i in range(5)])]
    replies = eager.rename(columns={"source_id": "target_id", "target_id": "source_id"})
    replies = replies.assign(created_at=replies["created_at"] + pd.Timedelta(minutes=1))
    interactions = pd.concat([asked, replies]).sort_values("created_at", kind="stable")
    interactions = interactions.assign(seq=range(len(interactions)))
    rows = alternative_panels(interactions, windows=WINDOWS).rows[WINDOWS]
    plain = panel(interactions, windows=WINDOWS)
    answered = plain.set_index(["account_id", "period"])["answered"]
    for row, name in zip(rows.itertuples(), plain["account_id"], strict=True):
        assert row.log_answered == pytest.approx(np.log1p(row.answered))
        if row.past_answering == row.past_answering:
            past = sum(answered.get((name, row.period - lag), 0) for lag in (1, 2, 3))
            assert row.log_past_answered == pytest.approx(np.log1p(past))
    assert rows["log_past_answered"].notna().sum() > 100
    assert rows[["log_pagerank", "clustering", "core_number"]].notna().all(axis=None)


def test_with_posts_panels_have_them_and_the_first_is_what_decides(monkeypatch):
    monkeypatch.setattr(alternatives, "alternative_windows", lambda windows: (windows,))
    interactions, posts = log(5), made_posts(5)
    found = alternative_panels(interactions, posts, windows=WINDOWS)
    rows = panel(interactions, posts, windows=WINDOWS)
    numbered_rows = found.rows[WINDOWS]
    assert found.posts
    assert numbered_rows["posts"].tolist() == rows["posts"].tolist()
    listed = specifications("H2", "hashtag_rate", found.rows)
    tried = try_specifications(found, listed)
    result = lasting_growth(rows, "H2", windows=WINDOWS, dataset="made up")
    decides = result.effects["between", "total", "hashtag_rate"]
    assert tried[0].effect.estimate == pytest.approx(decides.estimate, abs=1e-7)
    assert tried[0].effect.std_error == pytest.approx(decides.std_error, abs=1e-6)
    assert tried[0].choices["rows"] == "with an own act or a post"
    assert all(one.effect for one in tried), "with the position held too"


def test_positions_are_of_the_periods_of_the_panel_and_least_for_those_who_only_post(monkeypatch):
    monkeypatch.setattr(alternatives, "alternative_windows", lambda windows: (windows,))
    interactions, posts = log(5, acts=300), made_posts(5)
    found = alternative_panels(interactions, posts, windows=WINDOWS)
    rows = found.rows[WINDOWS].assign(name=lambda one: found.accounts[one["account_id"]])
    start = pd.Timestamp("2019-12-29", tz="UTC")
    acted = interactions.assign(period=(interactions["created_at"] - start).dt.days // 7)
    ends = pd.concat(
        acted[[end, "period"]].set_axis(["name", "period"], axis=1)
        for end in ("source_id", "target_id")
    )
    in_graph = pd.MultiIndex.from_frame(rows[["name", "period"]]).isin(
        pd.MultiIndex.from_frame(ends)
    )
    assert 50 < in_graph.sum() < len(rows) - 50
    assert ((rows["core_number"] > 0) == in_graph).all()
    least = rows.groupby("period")["pagerank"].transform("min")
    assert (rows.loc[~in_graph, "pagerank"] == least[~in_graph]).all()
    assert rows[["log_pagerank", "clustering"]].notna().all(axis=None)


def test_only_accounts_under_study_have_rows_but_others_count_toward_them(monkeypatch):
    monkeypatch.setattr(alternatives, "alternative_windows", lambda windows, **_: (windows,))
    interactions, posts = log(5), made_posts(5)
    studied = pd.DataFrame({"account_id": [f"u{i}" for i in range(10)]})
    everybody = alternative_panels(interactions, posts, windows=WINDOWS)
    some = alternative_panels(interactions, posts, windows=WINDOWS, accounts=studied)
    assert sorted(some.accounts) == sorted(studied["account_id"])
    rows = everybody.rows[WINDOWS]
    kept = rows[everybody.accounts[rows["account_id"]].isin(studied["account_id"])]
    assert some.rows[WINDOWS]["inbound"].tolist() == kept["inbound"].tolist()
    contacts = alternative_contacts(interactions, windows=WINDOWS, accounts=studied)
    found = contacts.rows[WINDOWS, True]
    assert set(contacts.accounts[found["account_id"]]) == set(studied["account_id"])
    assert contacts.accounts[found["contact_id"]].nunique() == 40


def test_a_tweak_that_was_not_measured_says_so(panels):
    asked = specifications("H2", "media_share", panels.rows)
    said = {one.reason for one in try_specifications(panels, asked)}
    assert said == {"media_share is not measured", "the log is too short"}


def test_contacts_are_followed_to_any_post_where_posts_are_known():
    known = alternative_contacts(log(4), windows=WINDOWS)
    assert known.threads
    assert list(known.rows)[:2] == [(WINDOWS, True), (WINDOWS, False)]
    other, anywhere = (known.rows[WINDOWS, one]["returned"].sum() for one in (True, False))
    assert other < anywhere
    unknown = alternative_contacts(log(4, threads=False), windows=WINDOWS)
    assert next(iter(unknown.rows)) == (WINDOWS, False)
    names = unknown.accounts[unknown.rows[WINDOWS, False]["account_id"]]
    reference = first_contacts(log(4, threads=False), windows=WINDOWS)
    assert sorted(names) == sorted(reference["account_id"])


def test_the_first_of_coming_back_is_the_model_that_decides(followed):
    tried = try_return_specifications(followed, return_specifications(followed))
    reference = return_when_answered(followed.rows[WINDOWS, False], dataset="made up")
    decides = reference.effects["landmark", "total", "answered"]
    assert tried[0].effect.estimate == pytest.approx(decides.estimate, abs=1e-7)
    assert tried[0].effect.std_error == pytest.approx(decides.std_error, abs=1e-6)
    assert tried[0].effect.df == decides.df
    assert all(one.effect.estimate > 0 for one in tried if "held" in one.choices["activity"])


def test_a_later_answer_counts_where_there_is_longer_to_answer(followed):
    listed = return_specifications(followed)
    rows = followed.rows[WINDOWS, False]
    longer = next(one for one in listed if one.within == 2 and not one.activity)
    tried = try_return_specifications(followed, [longer])[0]
    rows = rows.assign(answered=(rows["answer_delay_hours"] <= 96).astype(int))
    fit = poisson(
        rows.astype({"returned": int}),
        "returned",
        ["answered"],
        effects=["account_id"],
        cluster=["account_id", "contact_id"],
    )
    assert tried.effect.estimate == pytest.approx(fit.coefficients["answered"], abs=1e-7)
    assert tried.effect.std_error == pytest.approx(fit.std_errors["answered"], abs=1e-6)


def test_new_and_active_contacts_are_parts_of_all(followed):
    listed = [one for one in return_specifications(followed) if one.windows == WINDOWS][:12]
    tried = dict(zip(listed, try_return_specifications(followed, listed), strict=True))
    sizes = {one.who: found.n_obs for one, found in tried.items() if one.fewest == 2}
    assert 0 < sizes["new"] < sizes["acted before"] < sizes["all"]


def test_leaving_an_account_out_of_those_coming_back(followed):
    one = return_specifications(followed)[0]
    found, without = leave_one_return_out(followed, one)
    all_of_them, exact = try_return_specifications(followed, [one, without])
    assert exact.n_accounts == all_of_them.n_accounts - 1
    assert found.low < all_of_them.effect.estimate < found.high
    near = min(abs(end - exact.effect.estimate) for end in (found.low, found.high))
    assert near < 0.1 * abs(exact.effect.estimate - all_of_them.effect.estimate)


def test_choices_can_be_read_from_the_table(panels):
    tried = try_specifications(panels, [Specification("H3", WINDOWS, "log_answered")])[0]
    row = tried.row(hypothesis="H3", dataset="made up")
    assert read_choices(row["block"]) == tried.choices
    assert row["model"] == "specification between"
    assert row["unit"] == unit_of("log_answered") == "ln ratio per doubling"
    assert (unit_of("answering"), step_of("persistence")) == ("ln ratio per +0.25", 0.25)


@pytest.mark.data
@pytest.mark.parametrize("name", ["collegemsg", "mathoverflow"])
def test_equals_pyfixest_on_real_rows(real, name):
    windows = dataset(name).windows
    rows = panel(real(name).interactions, windows=windows)
    ids = pd.Index(sorted(rows["account_id"].unique()))
    only = Panels(windows, {windows: numbered(rows)}, ids)
    tried = try_specifications(only, [Specification("H3", windows, "answering")])[0]
    sample = growth_sample(numbered(rows), "H3", windows=windows).rows
    terms = ["answering", *ADJUSTMENT, *tweak_terms(sample)]
    fit = poisson(sample, "lasting_audience", terms, effects=["period"])
    decides = fit.effect("answering", 0.25)
    assert tried.effect.estimate == pytest.approx(decides.estimate, abs=1e-7)
    assert tried.effect.std_error == pytest.approx(decides.std_error, abs=1e-6)
