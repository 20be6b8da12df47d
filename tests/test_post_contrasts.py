"""Tweaks of posts: the raw ratio, and the one with all else held."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from smo_research.errors import FitError
from smo_research.evidence.post_contrasts import post_contrasts
from smo_research.evidence.posts import post_engagement
from smo_research.report.post_contrasts import raw_and_held


def posts(seed=1, *, accounts=60, each=60, link=0.0, sizes=1.0):
    """Posts whose truth is known: larger accounts link more, and draw more with or without."""
    rng = np.random.default_rng(seed)
    account = np.repeat(np.arange(accounts), each)
    size = rng.normal(0, 1, accounts)[account]
    links = rng.uniform(size=len(account)) < 1 / (1 + np.exp(-sizes * size))
    start = pd.Timestamp("2020-01-01", tz="UTC")
    hours = pd.to_timedelta(rng.integers(0, 24 * 300, len(account)), unit="h")
    return pd.DataFrame(
        {
            "account_id": [f"a{i}" for i in account],
            "created_at": start + hours,
            "links": links.astype(int),
            "reactions": rng.poisson(np.exp(2 + size + link * links)),
        }
    )


def by_model(table):
    return table.set_index(["model", "term"])


def test_a_ratio_one_can_check_by_eye():
    table = posts()
    table["reactions"] = 200 + 400 * table["links"] + np.arange(len(table)) % 2
    found = by_model(post_contrasts(table, dataset="d"))["estimate"]
    assert np.exp(found["nothing held", "has_link"]) == pytest.approx(3, rel=0.01)
    assert np.exp(found["posts", "has_link"]) == pytest.approx(3, rel=0.01)


def test_the_raw_ratio_is_confounded_and_the_other_is_not():
    found = by_model(post_contrasts(posts(link=0.2), dataset="d"))
    raw, held = found.loc[("nothing held", "has_link")], found.loc[("posts", "has_link")]
    assert raw["ci_low"] > 0.2
    assert abs(held["estimate"] - 0.2) < 3 * held["std_error"]
    assert held["std_error"] < 0.05


def test_held_are_the_numbers_of_the_test():
    table = posts(link=0.3).assign(has_media=lambda rows: rows["reactions"] % 3 == 0)
    test = by_model(post_engagement(table, dataset="d").table).loc["posts"]
    held = by_model(post_contrasts(table, dataset="d")).loc["posts"]
    tweaks = ["has_link", "has_media"]
    for name in ("estimate", "std_error", "n_obs", "n_accounts"):
        expected = test.loc[tweaks, name].astype(float)
        np.testing.assert_allclose(held.loc[tweaks, name].astype(float), expected, rtol=1e-6)


def test_a_type_is_set_against_the_commonest_one():
    table = posts()
    table["post_type"] = np.resize(["Photo", "Photo", "Photo", "Link", "Video"], len(table))
    means = table["post_type"].map({"Photo": 1000, "Link": 500, "Video": 2000})
    table["reactions"] = means + np.arange(len(table)) % 2
    found = by_model(post_contrasts(table, dataset="d"))["estimate"]
    assert np.exp(found["nothing held", "type_video"]) == pytest.approx(2, rel=0.01)
    assert np.exp(found["nothing held", "type_link"]) == pytest.approx(0.5, rel=0.01)


def test_what_is_known_of_few_posts_is_told():
    table = posts()
    table["is_paid"] = pd.array(np.resize([True, False, None, None], len(table)), "boolean")
    found = by_model(post_contrasts(table, dataset="d"))
    assert found.loc[("posts", "is_paid"), "measured"] == pytest.approx(0.5)
    assert found.loc[("nothing held", "is_paid"), "n_obs"] == len(table) / 2
    assert found.loc[("posts", "is_paid"), "n_obs"] > len(table) / 2


def test_nothing_to_compare_is_refused():
    with pytest.raises(FitError, match="no tweak"):
        post_contrasts(posts().assign(links=1), dataset="d")


def test_the_figure_has_both_and_warns_of_few_clusters():
    table = pd.concat(
        [
            post_contrasts(posts(link=0.3), dataset="many"),
            post_contrasts(posts(2, accounts=8), dataset="few"),
        ]
    )
    ax = raw_and_held(table)
    words = [text.get_text() for text in ax.texts]
    assert "many (60 accounts)" in words
    assert "few (8 accounts; so few that intervals are too narrow)" in words
    hollow = [line for line in ax.lines if line.get_markerfacecolor() == "white"]
    assert len(hollow) == 2
    assert "1 go with more" in ax.get_title(loc="left").replace("\n", " ")
    plt.close(ax.figure)
