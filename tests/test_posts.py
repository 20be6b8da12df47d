"""Tweaks of posts: truth by hand, planted truth, size under the null, what cannot be tested."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from smo_research.evidence import posts as posts_module
from smo_research.evidence.few import WildBootstrap
from smo_research.evidence.posts import (
    EFFECTS,
    JOINT,
    _predicted,
    out_of_sample_gain,
    poisson_loss,
    post_engagement,
    post_rows,
)
from smo_research.evidence.result import VOCABULARY

FOLDER = Path(__file__).with_name("reference")
START = pd.Timestamp("2020-01-06", tz="UTC")


def page_set(seed=0, *, pages=12, posts=120, media=0.0, paid=0.0, spread=0.5, days=300):
    """Posts of pages; media and paid add to the ln of engagement, pages and posts differ."""
    rng = np.random.default_rng(seed)
    page = np.repeat(np.arange(pages), posts)
    n = len(page)
    habit = rng.uniform(0.3, 0.7, pages)[page]
    has_media, is_paid = rng.uniform(size=n) < habit, rng.uniform(size=n) < 0.3
    size = rng.normal(0, 1, pages)[page]
    mean = np.exp(2 + size + media * has_media + paid * is_paid + rng.normal(0, spread, n))
    hours = rng.integers(0, 24 * days, n)
    return pd.DataFrame(
        {
            "post_id": [str(place) for place in range(n)],
            "account_id": [f"page {number}" for number in page],
            "created_at": (START + pd.to_timedelta(hours, unit="h")).as_unit("us"),
            "has_media": pd.array(has_media, dtype="boolean"),
            "is_paid": pd.array(is_paid, dtype="boolean"),
            "reactions": pd.array(rng.poisson(mean), dtype="Int64"),
            "shares": pd.array(rng.poisson(mean / 10), dtype="Int64"),
        }
    )


def fitted(rows, draws=199, **options):
    return post_engagement(rows, dataset="planted", draws=draws, **options)


def gain_of(result):
    return result.table.query("model == 'out of sample'")["estimate"].item()


def test_two_flags_by_hand(monkeypatch):
    """With nothing else, the effect of a flag is the ln ratio of the two means."""
    monkeypatch.setattr(posts_module, "EFFECTS", ["account_id"])
    rows = page_set(1, pages=6, posts=100).assign(is_paid=pd.NA)
    flag = np.arange(600) % 2 == 0
    count = np.where(flag, 6, 2) + np.arange(600) % 3 - 1
    rows = rows.assign(
        has_media=pd.array(flag, dtype="boolean"), shares=0, reactions=pd.array(count, "Int64")
    ).drop(columns="is_paid")
    effect = fitted(rows).effects["posts", "total", "has_media"]
    ratio = count[flag].mean() / count[~flag].mean()
    assert effect.estimate == pytest.approx(np.log(ratio), rel=1e-6)


def test_rows_by_eye():
    posts = pd.DataFrame(
        {
            "post_id": list("abcd"),
            "account_id": ["x", "x", "y", "y"],
            "created_at": pd.to_datetime(
                ["2020-01-31T23:30Z", "2020-02-01T00:00Z", "2020-02-02T05:00Z", "2020-02-03T06:00Z"]
            ),
            "post_type": ["photo", "Link", "photo", None],
            "hashtags": pd.array([0, 3, None, 1], dtype="Int64"),
            "links": pd.array([None] * 4, dtype="Int64"),
            "mentions": pd.array([0, 2, 0, 0], dtype="Int64"),
            "is_reply": pd.array([True, False, None, False], dtype="boolean"),
            "title_words": pd.array([0, 1, 3, 7], dtype="Int64"),
            "reactions": pd.array([1, 2, 3, None], dtype="Int64"),
            "replies": pd.array([None] * 4, dtype="Int64"),
            "shares": pd.array([10, 20, 30, 40], dtype="Int64"),
        }
    )
    before = posts.copy()
    sample = post_rows(posts)
    rows = sample.rows
    assert rows["engagement"].tolist() == [11.0, 22.0, 33.0], "what is never counted counts not"
    assert sample.left_out.to_numpy().tolist() == [["its counts are hidden", 1, 0]]
    assert rows["month"].tolist() == ["2020-01", "2020-02", "2020-02"]
    assert rows["weekday"].tolist() == ["4", "5", "6"]
    assert rows["hour"].tolist() == ["23", "0", "5"]
    assert rows["has_hashtag"].fillna(-1).tolist() == [0.0, 1.0, -1.0]
    assert rows["is_reply"].fillna(-1).tolist() == [1.0, 0.0, -1.0]
    assert rows["has_mention"].tolist() == [0.0, 1.0, 0.0]
    assert rows["log_title_words"].tolist() == pytest.approx(np.log([1, 2, 4]))
    assert rows["type_link"].tolist() == [0.0, 1.0, 0.0]
    assert not {"has_link", "type_photo", "type_none", "has_media"} & set(rows)
    pd.testing.assert_frame_equal(posts, before)


def test_where_all_have_hashtags_their_number_counts():
    rows = page_set(2).assign(hashtags=pd.array([1, 3] * 720, dtype="Int64"))
    found = post_rows(rows).rows
    assert "has_hashtag" not in found
    assert found["log_hashtags"].head(2).tolist() == pytest.approx(np.log([2, 4]))


def test_planted_effects_are_recovered():
    result = fitted(page_set(3, pages=15, posts=200, media=0.7, paid=-0.4), draws=999)
    for term, truth in (("has_media", 0.7), ("is_paid", -0.4)):
        effect = result.effects["posts", "total", term]
        assert isinstance(effect, WildBootstrap)
        assert abs(effect.estimate - truth) < 3 * effect.std_error
        assert effect.std_error < 0.1
        low, high = effect.interval()
        assert low < effect.estimate < high
        assert low * high > 0
    assert result.joint_p < 0.01
    assert gain_of(result) > 0.3
    assert result.passes
    assert result.notes[0].startswith("these pages only; ")
    assert "more with has media, less with is paid" in result.notes[0]
    assert list(result.table) == VOCABULARY


def test_noise_gains_nothing():
    results = [fitted(page_set(seed, posts=60), draws=9) for seed in range(6)]
    gains = [gain_of(result) for result in results]
    assert np.mean(gains) < 0.05
    assert min(gains) < 0
    for gain, result in zip(gains, results, strict=True):
        assert result.passes == (gain > 0)
        assert ("no better" in result.notes[0]) == (gain <= 0)


@pytest.mark.slow
def test_size_of_the_joint_test_under_the_null(monkeypatch):
    """P of 100 worlds without effects is uniform and rejects 5 %, by a 99.9 % interval."""
    monkeypatch.setattr(posts_module, "EFFECTS", ["account_id"])
    monkeypatch.setattr(posts_module, "out_of_sample_gain", lambda *rest, **options: 0.0)
    p_values = [
        fitted(page_set(seed, pages=10, posts=40, days=60), draws=99).joint_p for seed in range(100)
    ]
    low, high = stats.binom.interval(0.999, 100, 0.05)
    assert low <= sum(p <= 0.05 for p in p_values) <= high
    assert stats.kstest(p_values, "uniform").pvalue > 0.001


def test_few_and_many_clusters_agree_roughly(monkeypatch):
    rows = page_set(4, pages=48, posts=60, media=0.1, paid=0.05)
    few = fitted(rows, draws=999)
    monkeypatch.setattr(posts_module, "FEW", 10)
    many = fitted(rows, draws=999)
    for term in ("has_media", "is_paid"):
        one, other = (result.effects["posts", "total", term] for result in (few, many))
        assert one.estimate == pytest.approx(other.estimate, rel=1e-4)
        assert one.std_error == pytest.approx(other.std_error, rel=1e-3)
        assert one.p_difference == pytest.approx(other.p_difference, abs=0.05)
        np.testing.assert_allclose(one.interval(), other.interval(), atol=one.std_error)
    assert few.joint_p == pytest.approx(many.joint_p, abs=0.05)


def test_missing_flags_get_their_mean_and_an_indicator():
    rows = page_set(5, media=0.5, paid=0.3)
    hidden = np.random.default_rng(1).uniform(size=len(rows)) < 0.2
    result = fitted(rows.assign(is_paid=rows["is_paid"].mask(hidden)))
    assert "is_paid_missing" in result.formula
    assert ("posts", "total", "is_paid_missing") not in result.effects
    assert result.table["n_obs"].max() == len(rows)
    effect = result.effects["posts", "total", "is_paid"]
    assert abs(effect.estimate - 0.3) < 3 * effect.std_error


def test_missing_controls_lose_no_posts():
    rows = page_set(6, media=0.5)
    mentions = pd.array(np.random.default_rng(2).integers(0, 2, len(rows)), dtype="Int64")
    mentions[np.arange(len(rows)) % 5 == 0] = pd.NA
    result = fitted(rows.assign(mentions=mentions))
    assert "has_mention + has_mention_missing |" in result.formula
    assert np.isfinite(gain_of(result))
    total = result.table.query("term == 'has_media'")["n_obs"].item()
    assert total == len(rows)


def test_replies_that_are_all_the_mentions_there_are_count_once():
    """As in most archives: each reply names somebody, and no other post does."""
    posts = page_set(media=0.4)
    replies = np.arange(len(posts)) % 3 == 0
    one = posts.assign(is_reply=pd.array(replies, dtype="boolean"))
    both = one.assign(mentions=pd.array(replies.astype(int), dtype="Int64"))
    pd.testing.assert_frame_equal(fitted(both).table, fitted(one).table)
    assert fitted(both).table["estimate"].notna().any()


def test_hidden_counts_are_left_out_with_a_reason():
    rows = page_set(7)
    rows = rows.assign(shares=rows["shares"].mask(np.arange(len(rows)) % 10 == 0))
    result = fitted(rows)
    assert result.left_out.iloc[0].tolist() == ["its counts are hidden", 144, 0]
    assert result.table["n_obs"].max() + result.left_out["rows"].sum() == len(rows)


def test_a_flag_that_hardly_varies_is_named_and_left_out():
    rows = page_set(8)
    rare = pd.array(np.arange(len(rows)) < 5, dtype="boolean")
    result = fitted(rows.assign(is_paid=rare))
    said = result.table.query("term == 'is_paid'")["reason"].item()
    assert said == "is_paid: its contrast is wider than its 1st to 99th percentile"
    assert set(key[2] for key in result.effects) == {"has_media"}
    neither = fitted(rows.assign(is_paid=rare, has_media=rare))
    assert "has_media: its contrast is wider" in neither.reason
    assert "is_paid: its contrast is wider" in neither.reason
    assert not neither.effects


def test_too_few_posts_say_so():
    assert "49 posts have counts" in fitted(page_set(9).head(49)).reason
    silent = page_set(9).assign(reactions=0, shares=0)
    assert "at least 50 above 0 are needed" in fitted(silent).reason
    uncounted = page_set(9).drop(columns=["reactions", "shares"])
    assert "0 posts have counts" in fitted(uncounted).reason


def test_one_page_is_clustered_by_month():
    result = fitted(page_set(10, pages=1, posts=900, media=0.6))
    effect = result.effects["posts", "total", "has_media"]
    assert effect.df == 10 - 1, "300 days from 6 January fall in ten months"
    assert result.formula.endswith("| month + weekday + hour")
    assert (result.table["n_accounts"] == 1).all()
    assert abs(effect.estimate - 0.6) < 4 * effect.std_error


def test_twenty_pages_are_more_than_these_pages_only():
    assert "these pages only" in fitted(page_set(11, pages=19, posts=40), draws=9).notes[0]
    assert "these pages only" not in fitted(page_set(11, pages=20, posts=40), draws=9).notes[0]


def test_inputs_are_not_changed():
    rows = page_set(12)
    rows = rows.assign(is_paid=rows["is_paid"].mask(np.arange(len(rows)) % 9 == 0))
    before = rows.copy()
    fitted(rows, draws=9)
    pd.testing.assert_frame_equal(rows, before)


def test_same_seed_same_numbers():
    rows = page_set(13, media=0.1)
    one, two, other = (fitted(rows, seed=seed) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(one.table, two.table)
    assert one.table["p_value"].tolist() != other.table["p_value"].tolist()


def test_answers_that_drew_nothing_leave_the_posts_to_be_compared():
    posts = page_set(pages=1, posts=600)
    answers = posts.head(200).assign(
        post_id=lambda t: "r" + t["post_id"].astype(str), reactions=0, shares=0
    )
    both = pd.concat(
        [posts.assign(is_reply=False, mentions=0), answers.assign(is_reply=True, mentions=1)],
        ignore_index=True,
    )
    found = fitted(both)
    assert found.reason == ""
    left = found.left_out.set_index("reason")["rows"]
    assert left["posts of a kind that drew nothing throughout (is reply)"] == 200
    alone = fitted(posts)
    key = ("posts", "total", "has_media")
    assert found.effects[key].estimate == pytest.approx(alone.effects[key].estimate, abs=1e-9)


def test_poisson_loss_by_hand():
    y, means = np.array([0.0, 3.0, 5.0]), np.array([2.0, 3.0, 4.0])
    by_hand = (2.0 + 0.0 + (5 * np.log(5 / 4) - 1)) / 3
    assert poisson_loss(y, means) == pytest.approx(by_hand)
    dense = sm.GLM(y, np.ones((3, 1)), family=sm.families.Poisson()).fit()
    assert poisson_loss(y, dense.fittedvalues) == pytest.approx(dense.deviance / 6)


def dense_fit(train, test, terms):
    """The same means from a generalised linear model with a dummy a level."""

    def design(rows):
        parts = [np.ones((len(rows), 1)), rows[terms].to_numpy(float)]
        for name in EFFECTS:
            levels = sorted(set(train[name]))[1:]
            parts.append((rows[name].to_numpy()[:, None] == np.array(levels)).astype(float))
        return np.column_stack(parts)

    fit = sm.GLM(train["engagement"], design(train), family=sm.families.Poisson())
    solved = fit.fit(tol=1e-12, maxiter=200)
    return solved.params[1 : 1 + len(terms)], np.exp(design(test) @ solved.params)


def test_later_means_equal_a_dense_model():
    rows = post_rows(page_set(14, pages=5, posts=200, media=0.4)).rows.sort_values("created_at")
    train = rows.iloc[:700]
    test = rows.iloc[700:].assign(month=train["month"].iloc[-1])
    slopes, expected = dense_fit(train, test, ["has_media", "is_paid"])
    slopes = pd.Series(np.asarray(slopes), index=["has_media", "is_paid"])
    np.testing.assert_allclose(_predicted(train, test, slopes, EFFECTS), expected, rtol=1e-5)


def test_the_gain_equals_dense_models():
    rows = post_rows(page_set(15, pages=5, posts=200, media=0.4)).rows
    gain = out_of_sample_gain(rows, ["has_media", "is_paid"], [], EFFECTS)
    rows = rows.sort_values("created_at", kind="stable")
    train = rows.iloc[:700]
    test = rows.iloc[700:].assign(month=train["month"].iloc[-1])
    losses = []
    for terms in (["has_media", "is_paid"], []):
        _, means = dense_fit(train, test, terms)
        y = test["engagement"].to_numpy()
        losses.append(poisson_loss(y, means * y.sum() / means.sum()))
    assert gain == pytest.approx(losses[1] - losses[0], rel=1e-3)


def test_the_gain_looks_at_later_posts_only_to_judge():
    """A flag that turns its sign after training must lose."""
    rows = page_set(16, media=0.0, spread=0.1).sort_values("created_at", ignore_index=True)
    flag = rows["has_media"].to_numpy(bool)
    late = np.arange(len(rows)) >= int(0.7 * len(rows))
    factor = np.where(flag, np.where(late, 0.4, 2.5), 1.0)
    counts = np.round(rows["reactions"].to_numpy(float) * factor)
    assert gain_of(fitted(rows.assign(reactions=pd.array(counts, dtype="Int64")), draws=9)) < -0.1


@pytest.mark.data
def test_a_cosmetics_page(real):
    posts = real("facebook-metrics").posts
    result = post_engagement(posts, dataset="facebook-metrics", draws=499)
    assert result.left_out.iloc[0].tolist() == ["its counts are hidden", 4, 0]
    found = {term: effect.estimate for (_, _, term), effect in result.effects.items()}
    assert set(found) == {"is_paid", "type_link", "type_status", "type_video"}
    assert found["type_status"] > found["type_link"], "photo is what types are compared with"
    assert found["type_status"] > 0 > found["type_link"]
    assert "is_paid_missing" in result.formula
    assert result.notes[0].startswith("these pages only")


def reference(name):
    return pd.read_csv(FOLDER / f"{name}.csv", comment="#").set_index("term")


@pytest.mark.data
def test_nine_pages_equal_glm(real):
    """R, h1_posts.R.

    glm(engagement ~ type_status + type_video + factor(account_id) + factor(month) +
    factor(weekday) + factor(hour), poisson), vcovCL(type = "HC0", cadjust = TRUE); ours also has
    (n - 1) / (n - k), k the parameters without the effects of accounts.
    """
    expected = reference("h1_posts")
    result = post_engagement(real("facebook-live").posts, dataset="facebook-live", draws=499)
    n, k = (expected[name].iloc[0] for name in ("n_obs", "parameters"))
    for term, row in expected.iterrows():
        effect = result.effects["posts", "total", term]
        assert effect.estimate == pytest.approx(row["estimate"], abs=1e-5)
        error = row["error_by_account"] * np.sqrt((n - 1) / (n - k))
        assert effect.std_error == pytest.approx(error, rel=1e-3)
    row = result.table.query(f"term == '{JOINT}' and model == 'posts'")
    assert row["n_obs"].item() == n
    assert row["p_value"].item() == result.joint_p
