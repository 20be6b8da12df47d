"""The calibration: rates by hand, resuming, and a small one from end to end."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from smo_research.errors import DataError
from smo_research.simulation import calibration
from smo_research.simulation.calibration import Cell, run_cells, summarise
from smo_research.simulation.cells import cells, fewer
from smo_research.simulation.planner import needed, plan, power_of
from smo_research.simulation.simulated import simulate
from smo_research.simulation.sizes import NULLS, calibrated, false_positives, powers, sizes
from smo_research.simulation.trials import COLUMNS, TRIALS, Observed, ask, observe
from smo_research.simulation.worlds import World

TINY = World(accounts=80, periods=14, newcomers=3.0, retention=0.3)


def told(estimates, truth=0.0, error=0.1, test="H3"):
    estimates = np.asarray(estimates, dtype=float)
    return pd.DataFrame(
        {
            "cell": "one",
            "world": range(len(estimates)),
            "test": test,
            "term": "answering",
            "estimate": estimates,
            "std_error": error,
            "ci_low": estimates - 0.2,
            "ci_high": estimates + 0.2,
            "p_difference": np.where(np.abs(estimates) > 0.2, 0.01, 0.5),
            "p_equivalence": np.where(np.abs(estimates) < 0.05, 0.01, 0.5),
            "truth": truth,
            "verdict": None,
            "reason": None,
        }
    )


def test_rates_by_hand():
    found = summarise(told([0.0, 0.3, -0.1, 0.04]), [])
    one = found.iloc[0]
    assert one[["rejects", "equivalent", "covers"]].tolist() == [0.25, 0.5, 0.75]
    assert one["bias"] == pytest.approx(0.06)
    assert one["bias_error"] == pytest.approx(np.std([0.0, 0.3, -0.1, 0.04], ddof=1) / 2)


def test_interval_of_a_rate_is_that_of_r():
    """R 4.2: binom.test(50, 1000)$conf.int, binom.test(0, 20)$conf.int."""
    rate, low, high = calibration._rate("x", pd.Series([True] * 50 + [False] * 950)).values()
    assert (rate, round(low, 7), round(high, 7)) == (0.05, 0.0373354, 0.0653905)
    assert tuple(calibration._rate("x", pd.Series([False] * 20)).values())[2] == pytest.approx(
        0.1684335
    )


def test_worlds_without_a_number_are_counted_apart():
    rows = told([0.0, 0.1])
    rows.loc[1, ["estimate", "reason"]] = [np.nan, "too few"]
    one = summarise(rows, []).iloc[0]
    assert (one["worlds"], one["not_run"], one["rejects"]) == (2, 1, 0.0)


def test_right_verdicts():
    rows = told([0.0, 0.1, 0.2], test="H3 verdict").assign(
        verdict=["supported", "negligible", "inconclusive"], estimate=np.nan
    )
    cell = Cell("one", TINY, ("verdicts",), 3, right=(("H3 verdict", "negligible|inconclusive"),))
    assert summarise(rows, [cell]).iloc[0]["right"] == pytest.approx(2 / 3)


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    folder = tmp_path_factory.mktemp("worlds")
    kinds = [Cell("tiny", TINY, ("H3", "H5"), 12)]
    return kinds, folder, run_cells(kinds, folder=folder)


def test_a_stopped_run_goes_on_from_where_it_was(done, monkeypatch):
    kinds, folder, first = done
    paths = sorted(folder.iterdir())
    assert len(paths) == 2
    before = paths[0].stat().st_mtime_ns
    paths[1].unlink()
    again = run_cells(kinds, folder=folder)
    assert paths[0].stat().st_mtime_ns == before
    pd.testing.assert_frame_equal(first, again)


def test_more_worlds_add_to_those_that_are_there(done):
    _, folder, first = done
    fewer_worlds = [Cell("tiny", TINY, ("H3", "H5"), 5)]
    kept = run_cells(fewer_worlds, folder=folder)
    assert kept["world"].max() == 4
    pd.testing.assert_frame_equal(
        kept.reset_index(drop=True), first[first["world"] < 5].reset_index(drop=True)
    )


def test_other_code_is_another_run(monkeypatch):
    cell = Cell("tiny", TINY, ("H3",), 1)
    mark = calibration._mark(cell)
    monkeypatch.setattr(calibration, "_code", lambda: 1)
    assert calibration._mark(cell) != mark


def test_two_cells_of_one_name_are_refused(tmp_path):
    with pytest.raises(DataError, match="name of its own"):
        run_cells([Cell("a", TINY, (), 1)] * 2, folder=tmp_path)


def test_a_small_calibration_holds_its_size(done):
    """Twelve worlds without an effect: the mean is near none, and not every test rejects."""
    table = summarise(done[2], done[0]).set_index("test")
    for test in ("H3", "H5"):
        assert abs(table.loc[test, "bias"]) < 4 * table.loc[test, "bias_error"]
        assert table.loc[test, "rejects"] <= 0.34
        assert table.loc[test, "not_run"] == 0


def test_panels_made_together_are_those_made_alone():
    worlds = [simulate(TINY, seed=seed) for seed in (1, 2)]
    alone = Observed(worlds[1]).panel
    beside = observe(worlds)[1].panel
    assert len(alone) == len(beside)
    # The prior that answering is shrunk toward is that of both.
    same = [name for name in alone if name not in ("account_id", "answering", "past_answering",
                                                   "pooled_answering")]  # fmt: skip
    pd.testing.assert_frame_equal(alone[same], beside[same])
    assert (alone["answering"] - beside["answering"]).abs().max() < 0.1


@pytest.mark.parametrize("name", [name for name in TRIALS if name != "verdicts"])
def test_every_trial_says_something_of_a_world(name):
    world = TINY.turned(
        accounts=150, periods=26, posts=3.0, posts_show_replies=name.endswith("ers")
    )
    said = ask(Observed(simulate(world, seed=1)), [name])
    assert list(said) == COLUMNS
    assert said[["estimate", "p_difference", "p_equivalence"]].notna().any(axis=1).all()


def test_every_null_is_asked_in_its_cell():
    kinds = {cell.name: cell for cell in cells()}
    for cell, test, *_ in NULLS:
        asked = {name.split()[0] for name in kinds[cell].trials}
        assert test[:2] in asked
    assert {cell.worlds for cell in fewer(7)} == {7}


def test_sizes_of_the_committed_table_hold():
    short = sizes(calibrated())
    assert {"H1", "H2", "H3", "H4", "H5", "H6", "H7"} == set(short["hypothesis"])
    assert (short["holds"] != "no").all()
    assert (short["low"] <= short["rate"]).all()
    assert (short["rate"] <= short["high"]).all()


def test_powers_of_the_committed_table_rise():
    found = powers(calibrated())
    for _, mine in found.groupby("label"):
        assert mine.sort_values("accounts")["rate"].is_monotonic_increasing


def test_power_by_hand():
    """Of 2.8 standard errors: 80 %; of none: the size."""
    errors, many = pd.Series([1.0]), pd.Series([10_000])
    assert power_of(2.8016, errors, many)[0] == pytest.approx(0.8, abs=1e-3)
    assert power_of(0.0, errors, many)[0] == pytest.approx(0.05, abs=1e-6)


def test_a_plan_gives_back_the_error_of_its_pilot():
    world = World(accounts=300, periods=26, newcomers=3.0, retention=0.3)
    observed = Observed(simulate(world, seed=1))
    known = observed.lasting("H3").table.iloc[0]
    last = observed.panel["period"].max() + 1
    planned = plan(
        observed.panel, "H3", windows=world.windows, ratio=1.2,
        accounts=[known["n_accounts"], 4 * known["n_accounts"]], periods=[last],
    )  # fmt: skip
    assert planned["std_error"].iloc[0] == pytest.approx(known["std_error"], rel=0.1)
    assert planned["std_error"].iloc[1] == pytest.approx(planned["std_error"].iloc[0] / 2)
    assert planned["power"].is_monotonic_increasing
    assert needed(planned.assign(enough=[False, True]))["accounts"].tolist() == [
        4 * known["n_accounts"]
    ]


def test_a_plan_for_no_effect_is_refused():
    with pytest.raises(DataError, match="ratio must be"):
        plan(pd.DataFrame(), "H3", windows=TINY.windows, ratio=1.0)


def test_false_positives_are_said_beside_each_verdict():
    said = false_positives(calibrated())
    assert set(said) == {"H1", "H2", "H3", "H4", "H5", "H6", "H7"}
    talent = calibrated().query("cell == 'talent' and test == 'H3'").iloc[0]
    assert f"in {100 * talent['rejects']:.0f} % of {talent['worlds']} worlds" in said["H3"]
    nulls = calibrated().query("cell == 'null' and test == 'H1'").iloc[0]
    assert f"{nulls['worlds']:,} simulated worlds" in said["H1"]
