"""Simulated worlds: their tables, their knobs, and that what is planted is what is there."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pandas as pd
import pytest

from smo_research.errors import DataError
from smo_research.evidence.comeback import return_when_answered
from smo_research.evidence.returning import first_contacts
from smo_research.evidence.samples import under_study
from smo_research.measures.panel import panel
from smo_research.simulation import economy
from smo_research.simulation.audience import Audience, next_prime, rank_within
from smo_research.simulation.scenarios import SCENARIOS, scenario
from smo_research.simulation.simulated import simulate, write
from smo_research.simulation.truth import planted
from smo_research.simulation.worlds import World, read_knobs
from smo_research.tables import validate

SMALL = World(accounts=60, periods=14)
TABLES = ("accounts", "posts", "interactions", "followers")


@pytest.fixture(scope="module")
def small():
    return simulate(SMALL, seed=3)


def hashes(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write(SMALL, tmp_path / name, seed=seed)
    assert hashes(tmp_path / "a") == hashes(tmp_path / "b")
    assert not set(hashes(tmp_path / "a").values()) & set(hashes(tmp_path / "c").values()) - {
        hashes(tmp_path / "a")["accounts.parquet"]
    }


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_scenario_gives_valid_canonical_tables(name):
    done = simulate(scenario(name).turned(accounts=30, periods=10), seed=1)
    for table in TABLES:
        frame = getattr(done, table)
        checked = validate(frame, table, source=table)
        pd.testing.assert_frame_equal(checked[frame.columns], frame, check_dtype=False)


def test_truth_file_says_what_was_planted(tmp_path):
    write(SMALL, tmp_path, seed=3)
    truth = json.loads((tmp_path / "truth.json").read_text())
    assert truth["seed"] == 3
    assert truth["world"]["accounts"] == 60
    assert truth["world"]["ceiling"] is None
    assert {row["hypothesis"] for row in truth["planted"]} == {"H1", "H2", "H3", "H5", "H6", "H7"}


def test_files_hold_the_tables_of_simulate(tmp_path, small):
    write(SMALL, tmp_path, seed=3)
    for table in TABLES:
        read = pd.read_parquet(tmp_path / f"{table}.parquet")
        expected = getattr(small, table)
        pd.testing.assert_frame_equal(read[list(expected)], expected, check_dtype=False)


def test_nothing_half_written_where_the_folder_is_a_file(tmp_path):
    (tmp_path / "taken").write_text("mine")
    with pytest.raises(Exception, match="cannot be written"):
        write(SMALL, tmp_path / "taken")
    assert (tmp_path / "taken").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def test_no_member_is_new_to_an_account_twice():
    rng = np.random.default_rng(1)
    audience = Audience(5, homophily=0.5, rng=rng)
    pairs = []
    for _ in range(20):
        account, member = audience.first_contacts(rng.integers(0, 5, 60), rng)
        pairs += list(zip(account.tolist(), member.tolist(), strict=True))
    assert len(pairs) == len(set(pairs)) == 1_200
    assert max(member for _, member in pairs) < audience.members


def test_an_audience_that_is_used_up_sends_nobody():
    rng = np.random.default_rng(1)
    audience = Audience(1, homophily=0.0, rng=rng)
    account, member = audience.first_contacts(np.zeros(20_000, dtype=int), rng)
    assert len(account) == len(set(member.tolist())) == audience.members < 20_000


def test_full_homophily_keeps_to_ones_group():
    rng = np.random.default_rng(1)
    audience = Audience(2, homophily=1.0, rng=rng)
    account, member = audience.first_contacts(np.repeat([0, 1], 100), rng)
    half = audience.firsts[3]
    assert ((member < half) == (account == 0)).all()


def test_ranks_and_primes_by_eye():
    assert rank_within(np.array([], dtype=int)).tolist() == []
    assert rank_within(np.array([2, 1, 2, 2, 1])).tolist() == [0, 0, 1, 2, 1]
    assert [next_prime(n) for n in (1, 2, 4, 90, 97)] == [2, 2, 5, 97, 97]


def test_the_simulator_measures_what_the_panel_measures(monkeypatch):
    """The planted effects rest on inbound and answered as the design defines them."""
    seen = []
    measure = economy._Economy._seen

    def kept(self, acts, posted):
        seen.append(measure(self, acts, posted))
        return seen[-1]

    monkeypatch.setattr(economy._Economy, "_seen", kept)
    done = simulate(SMALL, seed=5)
    rows = panel(done.interactions, done.posts, windows=SMALL.windows)
    names = dict(zip(done.accounts["account_id"], range(60), strict=True))
    rows = rows[rows["account_id"].isin(names)]
    place = rows["account_id"].map(names).to_numpy(), rows["period"].to_numpy()
    for name in ("inbound", "answered", "posts"):
        table = np.stack([getattr(one, name) for one in seen], axis=1)
        assert (table[place] == rows[name].to_numpy()).all(), name
        assert table[:, : rows["period"].max() + 1].sum() == rows[name].sum()
    last = rows[rows["posts"] > 0]
    tweaks = np.stack([one.tweaks for one in seen], axis=2)
    mine = tweaks[last["account_id"].map(names), 1, last["period"]]
    np.testing.assert_allclose(mine + 0.5, last["link_rate"], atol=1e-12)


def newcomers(world, seed=1):
    done = simulate(world, seed=seed)
    rows = panel(done.interactions, done.posts, windows=world.windows)
    return rows[rows["account_id"].isin(done.accounts["account_id"])]


def test_a_ceiling_is_a_ceiling():
    done = simulate(SMALL.turned(ceiling=10, outreach=0.0, newcomers=10.0), seed=1)
    reached = done.interactions.query("source_id > 'm'").groupby("target_id").source_id.nunique()
    free = simulate(SMALL.turned(outreach=0.0, newcomers=10.0), seed=1)
    assert reached.mean() < 20 < free.interactions.groupby("target_id").source_id.nunique().max()


def test_bought_followers_leave():
    done = simulate(SMALL.turned(bought=0.1, periods=40), seed=1)
    change = (
        done.followers.assign(ln=np.log(done.followers["followers"].astype(float)))
        .pivot(index="observed_at", columns="account_id", values="ln")
        .diff()
    )
    jumps = change > 0.15
    after = change.shift(-1).to_numpy()[jumps.to_numpy()]
    assert jumps.sum().sum() > 20
    assert np.nanmean(after) < -0.02


def test_lost_days_are_lost_everywhere():
    done = simulate(SMALL.turned(missing_days=0.3), seed=1)
    days = done.interactions["created_at"].dt.floor("D").nunique()
    assert days <= round(14 * 7 * 0.7)


def test_talent_raises_posts_and_newcomers_alike():
    with_talent = newcomers(SMALL.turned(accounts=300, talent=1.5, posts_follow_standing=1.0))
    mean = with_talent.groupby("account_id")[["posts", "new_audience"]].mean()
    none = newcomers(
        SMALL.turned(accounts=300, talent=0.0, posts_follow_standing=0.0, activity_tail=50.0)
    )
    plain = none.groupby("account_id")[["posts", "new_audience"]].mean()
    assert mean.corr().iloc[0, 1] > 0.5 > abs(plain.corr().iloc[0, 1])


def test_being_answered_comes_back_as_planted():
    """One world, four standard errors: the calibration tells of bias, this of gross mistakes."""
    world = World(newcomers=4.0, habit=0.0, answered_on_return=0.6)
    done = simulate(world, seed=2)
    contacts = first_contacts(done.interactions, windows=world.windows)
    contacts = under_study(contacts, done.interactions, done.accounts)
    found = return_when_answered(contacts, dataset="simulated")
    effect = found.effects["landmark", "total", "answered"]
    assert abs(effect.estimate - 0.6) < 4 * effect.std_error
    assert effect.std_error < 0.05


def test_planted_lists_every_effect():
    world = World(
        tweaks_on_discovery=0.1,
        tweaks_on_retention=0.2,
        answering_on_discovery=0.3,
        answering_on_retention=0.4,
        past_answering_on_retention=0.5,
        answered_on_return=0.6,
        volume_on_discovery=0.7,
        volume_with_answering=0.8,
        tweaks_on_engagement=0.9,
    )
    effects = planted(world).set_index(["hypothesis", "term"])["effect"]
    assert effects["H2", "link_rate"] == pytest.approx(0.3)
    assert effects["H3", "answering"] == pytest.approx(0.7)
    assert effects["H5", "answered"] == 0.6
    assert effects["H6", "post_volume"] == 0.7
    assert effects["H6", "volume_times_replies"] == 0.8
    assert effects["H7", "past_answering"] == 0.5
    assert effects["H1", "each flag"] == 0.9
    assert (planted(World())["effect"] == 0).all()


@pytest.mark.parametrize(
    ("knobs", "said"),
    [
        ({"accounts": 0}, "accounts must be at least 1"),
        ({"retention": 1.2}, "retention must be from 0 to 1"),
        ({"newcomers": -1.0}, "newcomers must be 0 or more"),
        ({"turns": 1.0}, "turns must be"),
        ({"talent_on_answering": 2.0}, "talent_on_answering must be from -1 to 1"),
        ({"charm": 1.0}, "There is no knob 'charm'"),
    ],
)
def test_a_knob_out_of_range_is_named(knobs, said):
    with pytest.raises(DataError, match=said):
        World().turned(**knobs)


def test_unknown_scenarios_and_unreadable_knobs_are_named():
    with pytest.raises(DataError, match="no scenario 'essay'"):
        scenario("essay")
    with pytest.raises(DataError, match="--set takes a knob and a number"):
        read_knobs(["talent=much"])
    assert read_knobs(["accounts=5", "talent=1"]) == {"accounts": 5, "talent": 1.0}
