"""A log with posts: which hypotheses are asked of it, and whose rows they are asked of."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from smo_research.datasets.catalog import dataset
from smo_research.evidence import ladder, lasting
from smo_research.evidence.result import untested
from smo_research.evidence.returning import first_contacts
from smo_research.measures.panel import panel
from smo_research.tables import Tables, Windows

WINDOWS = Windows(period=7, gap=7, horizon=28)
START = pd.Timestamp("2021-01-04", tz="UTC")


def moments(days):
    return (START + pd.to_timedelta(pd.Series(days), unit="D")).dt.as_unit("us")


def world(seed=0, *, accounts=60, fans=3000, days=200, acts=10_000, number=5000):
    """Fans who mostly act toward one account each and are answered by some; posts with hashtags."""
    rng = np.random.default_rng(seed)
    size = rng.dirichlet(np.full(accounts, 1.5))
    fan, favourite = rng.integers(0, fans, acts), rng.choice(accounts, fans, p=size)
    account = np.where(
        rng.uniform(size=acts) < 0.7, favourite[fan], rng.choice(accounts, acts, p=size)
    )
    asked = pd.DataFrame(
        {"source_id": fan, "target_id": account, "day": rng.uniform(0, days, acts)}
    )
    asked = asked.assign(
        source_id="fan" + asked["source_id"].astype(str),
        target_id="a" + asked["target_id"].astype(str),
    )
    answered = asked[rng.uniform(size=acts) < rng.uniform(size=accounts)[account]]
    answered = answered.rename(columns={"source_id": "target_id", "target_id": "source_id"})
    log = pd.concat([asked, answered.assign(day=answered["day"] + 0.3)])
    log = log.sort_values("day", ignore_index=True)
    log = log.assign(created_at=moments(log["day"]), seq=range(len(log)), kind="reply")
    author = rng.choice(accounts, number, p=size)
    posts = pd.DataFrame(
        {
            "post_id": [str(place) for place in range(number)],
            "account_id": [f"a{i}" for i in author],
            "created_at": moments(rng.uniform(0, days, number)),
            "hashtags": pd.array(rng.poisson(1, number), dtype="Int64"),
            "has_media": pd.array(rng.uniform(size=number) < 0.4, dtype="boolean"),
        }
    )
    listed = pd.DataFrame({"account_id": [f"a{i}" for i in range(accounts)]})
    return Tables("made-up", interactions=log.drop(columns="day"), posts=posts, accounts=listed)


@pytest.fixture
def ask(monkeypatch):
    """Study some tables with the slow checks left out; gives results and what went into them."""
    monkeypatch.setattr(lasting, "PARTS", {"total": lasting.PARTS["total"]})
    monkeypatch.setattr(lasting, "CHECKS", {})
    monkeypatch.setattr(lasting, "EFFECTS", {"between": ["period"]})
    monkeypatch.setattr(ladder, "dyadic_return", lambda *_, **options: None)
    given = {}

    def returning(log, *, contacts, **options):
        given["contacts"] = contacts
        return untested("H5", "made-up", "", "not asked here")

    def curves(log, results, **options):
        given["curves"] = options
        return {}

    monkeypatch.setattr(ladder, "return_models", returning)
    monkeypatch.setattr(ladder, "curves_of", curves)

    def study(tables, *testable):
        entry = dataclasses.replace(
            dataset("collegemsg"), name="made-up", windows=WINDOWS, testable=testable
        )
        done = ladder.study_dataset(entry, tables, hashes={}, quick=True)
        return {result.hypothesis: result for result in done.results}, given

    return study


def test_a_log_with_posts_has_what_needs_posts(ask):
    tables = world()
    results, given = ask(tables, "H2", "H3", "H4", "H6")
    assert list(results) == ["H2", "H3", "H4", "H6"]
    assert not any(result.reason for result in results.values())
    assert {"hashtag_rate", "media_share"} <= {term for _, _, term in results["H2"].effects}
    assert ("contest", "total", "conversation minus tweaks") in results["H4"].effects
    assert "hashtag_rate, media_share" in results["H4"].formula
    assert results["H6"].formula.startswith("lasting_audience ~ post_volume")
    assert given["curves"]["posts"] is tables.posts
    assert given["curves"]["accounts"] is tables.accounts


def test_only_those_listed_are_under_study_and_fans_are_contacts_still(ask):
    tables = world()
    results, given = ask(tables, "H3", "H5")
    rows = panel(tables.interactions, tables.posts, windows=WINDOWS)
    fans = rows["account_id"].str.startswith("fan")
    assert results["H3"].table["n_obs"].item() == (rows["inbound"][~fans] > 0).sum()
    assert (rows["inbound"][fans] > 0).any()
    contacts = given["contacts"]
    assert contacts["account_id"].str.startswith("a").all()
    assert contacts["contact_id"].str.startswith("fan").all()
    everybody = first_contacts(tables.interactions, windows=WINDOWS)
    mine = everybody[everybody["account_id"].str.startswith("a")].reset_index(drop=True)
    pd.testing.assert_frame_equal(contacts, mine)


def test_without_posts_or_a_list_nothing_is_left_out(ask):
    tables = dataclasses.replace(world(), posts=None, accounts=None)
    results, given = ask(tables, "H3", "H5")
    rows = panel(tables.interactions, windows=WINDOWS)
    used = results["H3"].table["n_obs"].item() + results["H3"].left_out["rows"].sum()
    assert used == len(rows)
    everybody = first_contacts(tables.interactions, windows=WINDOWS)
    pd.testing.assert_frame_equal(given["contacts"], everybody)
