"""The contest on follower counts: teams by hand, and the same numbers as the study's."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from smo_research.errors import FitError
from smo_research.evidence.contributions import CONTRAST, FULL
from smo_research.evidence.head_to_head import GAINS, contenders, head_to_head, team_gains
from smo_research.simulation.simulated import simulate
from smo_research.simulation.worlds import World
from smo_research.tables import Tables, Windows

WINDOWS = Windows(period=7, horizon=14)
BLOCKS = ["presence", "tweaks", "conversation"]


@pytest.fixture(scope="module")
def tables():
    world = World(accounts=40, periods=30, posts=6.0, posts_show_replies=True)
    return simulate(world, seed=1).tables


@pytest.fixture(scope="module")
def teams(tables):
    return team_gains(tables, dataset="simulated", windows=WINDOWS)


def gain(teams, column, *there):
    mask = (teams[BLOCKS] == [name in there for name in BLOCKS]).all(axis=1)
    return teams.loc[mask, column].item()


def test_every_team_is_there_the_smallest_first(teams):
    assert len(teams.drop_duplicates(BLOCKS)) == 8
    assert teams[BLOCKS].sum(axis=1).is_monotonic_increasing
    assert teams.loc[0, list(GAINS)].tolist() == [0, 0]


def test_where_fitted_a_larger_team_never_gains_less(teams):
    column = "gain_where_fitted"
    alone, two = gain(teams, column, "presence"), gain(teams, column, "presence", "tweaks")
    assert 0 <= alone <= two <= gain(teams, column, *BLOCKS)


def test_the_contributions_are_the_shapley_values_of_the_teams(tables, teams):
    found = head_to_head(tables, dataset="simulated", windows=WINDOWS, draws=9)
    shares = found.table.set_index("term")["estimate"]
    held = teams.set_index(BLOCKS)["gain_held_out"]
    adds = held.xs(True, level="conversation") - held.xs(False, level="conversation")
    by_hand = (
        2 * adds[False, False] + adds[True, False] + adds[False, True] + 2 * adds[True, True]
    ) / 6
    assert shares["conversation"] == pytest.approx(by_hand)
    assert shares[FULL] == pytest.approx(held[True, True, True])
    assert shares[CONTRAST] == pytest.approx(shares["conversation"] - shares["tweaks"])


def test_over_time_needs_counts_of_followers(tables):
    without = Tables("x", tables.accounts, tables.posts, None, None)
    with pytest.raises(FitError, match="needs counts of followers"):
        contenders(without, windows=WINDOWS)


def test_inputs_stay_as_they_are(tables):
    before = tables.followers.copy()
    contenders(tables, windows=WINDOWS)
    pd.testing.assert_frame_equal(tables.followers, before)


@pytest.mark.data
def test_the_contests_are_those_of_the_figure_of_record(real):
    from smo_research.datasets.catalog import dataset
    from smo_research.report.exhibits import exhibit

    kept = exhibit("contest").numbers.set_index(["dataset", "term"])["estimate"]
    for name in ("candidates-2020", "german-libraries"):
        windows = dataset(name).windows
        found = head_to_head(real(name), dataset=name, windows=windows, draws=9).table
        assert np.allclose(found["estimate"], kept[name].loc[found["term"]], rtol=1e-6)
