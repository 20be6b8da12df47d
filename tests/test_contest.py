"""The contest of blocks: shares by hand, refits, embargo, planted and empty worlds."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pandas as pd
import pytest

from smo_research.errors import FitError
from smo_research.evidence.contest import contest, held_out_losses
from smo_research.evidence.contributions import CONTRAST, Drawn
from smo_research.evidence.effects import Effect
from smo_research.evidence.shapley import shapley
from smo_research.evidence.splits import account_folds, time_split
from smo_research.tables import Windows

WINDOWS = Windows(period=7, horizon=14)
POSITIVE = Effect(0.3, 0.05, 50)
BLOCKS = {"presence": ["volume"], "tweaks": ["tags", "links"], "conversation": ["replies"]}
PLAYERS = list(BLOCKS)


def world(seed=0, *, accounts=40, periods=24, replies=0.0, tags=0.0, volume=0.0):
    rng = np.random.default_rng(seed)
    n = accounts * periods
    names = ("replies", "tags", "links", "volume", "tenure")
    rows = pd.DataFrame({name: rng.normal(size=n) for name in names})
    growth = replies * rows["replies"] + tags * rows["tags"] + volume * rows["volume"]
    return rows.assign(
        account_id=np.repeat([f"a{k}" for k in range(accounts)], periods),
        period=np.tile(np.arange(periods), accounts),
        growth=growth + 0.2 * rows["tenure"] + rng.normal(size=n),
    )


def run(rows, *, windows=WINDOWS, answering=POSITIVE, draws=99, **options):
    return contest(
        rows,
        "growth",
        adjustment=["tenure"],
        blocks=BLOCKS,
        dataset="planted",
        answering=answering,
        windows=windows,
        draws=draws,
        **options,
    )


def random_losses(seed, draws=3):
    rng = np.random.default_rng(seed)
    subsets = [frozenset(p for k, p in enumerate(PLAYERS) if code >> k & 1) for code in range(8)]
    return {subset: rng.uniform(0.5, 1.5, draws) for subset in subsets}


def estimates(result):
    return result.table.set_index("term")["estimate"]


def test_shares_equal_the_mean_over_orders():
    for seed in range(5):
        losses = random_losses(seed)
        shares = shapley(losses, PLAYERS)
        for player in PLAYERS:
            falls = []
            for order in permutations(PLAYERS):
                before = frozenset(order[: order.index(player)])
                falls.append(losses[before] - losses[before | {player}])
            np.testing.assert_allclose(shares[player], np.mean(falls, axis=0), atol=1e-14)


def test_shares_sum_to_the_gain_of_the_full_model():
    losses = random_losses(7)
    gain = losses[frozenset()] - losses[frozenset(PLAYERS)]
    np.testing.assert_allclose(sum(shapley(losses, PLAYERS).values()), gain, atol=1e-14)
    found = estimates(run(world(1, replies=0.3, tags=0.2)))
    assert found[PLAYERS].sum() == pytest.approx(found["full model"], abs=1e-12)
    assert found[CONTRAST] == pytest.approx(found["conversation"] - found["tweaks"], abs=1e-12)


def test_equal_blocks_get_equal_shares():
    rows = world(2, replies=0.5)
    rows = rows.assign(tags=rows["replies"], links=rows["replies"])
    found = estimates(run(rows))
    assert found["conversation"] == pytest.approx(found["tweaks"], abs=1e-6)
    assert found["conversation"] > 0.02
    assert found[CONTRAST] == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(("period", "horizon"), [(7, 14), (7, 15), (28, 7), (7, 56), (1, 1)])
def test_no_outcome_of_training_reaches_the_test_span(period, horizon):
    at = np.tile(np.arange(60), 5)
    [(train, test)] = time_split(at, windows=Windows(period=period, horizon=horizon))
    last_outcome_ends = (at[train].max() + 2) * period + horizon
    test_begins = at[test].min() * period
    assert last_outcome_ends <= test_begins
    assert test_begins - last_outcome_ends < period, "no row is left out without need"
    assert at[test].min() == 42
    assert test.mean() == pytest.approx(0.3)
    assert at[test].max() == 59


def test_too_short_a_log_says_so():
    with pytest.raises(FitError, match="the log is too short to hold out rows"):
        time_split(np.arange(5), windows=Windows(period=7, horizon=56))
    result = run(world(3, periods=5), windows=Windows(period=7, horizon=56))
    assert result.reason.startswith("the log is too short to hold out rows")
    assert not result.effects


def test_accounts_that_leave_early_cannot_be_held_out():
    rows = world(3)
    late = rows["account_id"].isin(["a0", "a1"]) & (rows["period"] >= 12)
    stays = late | (rows["period"] == 3)
    assert run(rows[stays]).reason == "too few accounts are seen in training and after it"


def test_folds_hold_each_account_out_once_a_round():
    names = np.repeat([f"a{k}" for k in range(23)], 2)
    splits = account_folds(names, rng=np.random.default_rng(1))
    assert len(splits) == 100
    for train, test in splits:
        assert (train != test).all()
        assert not set(names[train]) & set(names[test])
    for place in range(10):
        held = sum(test.astype(int) for _, test in splits[10 * place : 10 * place + 10])
        assert (held == 1).all()


def fitted_loss(y, columns, base, train, test, counts, *, recalibrated=True):
    """The loss by repeating rows as often as they were drawn, and least squares on them.

    With how the sample's own loss changes toward the draw's refit, by halves, and the test rows.
    """
    everything = np.column_stack([np.ones(len(y)), base, columns])

    def fit(x, times):
        rows = np.repeat(np.flatnonzero(train), times[train])
        return np.linalg.lstsq(x[rows], y[rows], rcond=None)[0], rows

    def loss_at(slopes, times):
        simple = np.column_stack([np.ones(len(y)), base])
        of_base, rows = fit(simple, times)
        variance = np.mean((y - simple @ of_base)[rows] ** 2)
        held = np.repeat(np.flatnonzero(test), times[test])
        error = y[held] - everything[held] @ slopes
        error = error - error.mean() if recalibrated else error
        return np.sum(error**2) / (2 * variance), len(held)

    once = np.ones(len(y), dtype=int)
    fitted, slopes = fit(everything, once)[0], fit(everything, counts)[0]
    middle = [fitted + sign * (slopes - fitted) / 2 for sign in (1, -1)]
    # Squared error is a parabola, so its slope is that of any chord about the middle.
    rise = loss_at(middle[0], once)[0] - loss_at(middle[1], once)[0]
    loss, held = loss_at(slopes, counts)
    return loss, rise, held


def parts_of(rows):
    blocks = {name: rows[columns].to_numpy(float) for name, columns in BLOCKS.items()}
    return rows["growth"].to_numpy(), rows[["tenure", "period"]].to_numpy(float), blocks


def test_every_draw_equals_a_refit_on_repeated_rows():
    rows = world(4, accounts=12, replies=0.3)
    y, base, blocks = parts_of(rows)
    splits = time_split(rows["period"].to_numpy(), windows=WINDOWS)
    number = pd.factorize(rows["account_id"])[0]
    drawn = np.random.default_rng(1).multinomial(12, np.full(12, 1 / 12), size=4)[:, number]
    weights = np.vstack([np.ones(len(y), dtype=int), drawn])
    losses = held_out_losses(y, base, blocks, splits, weights.astype(float))
    assert len(losses) == 8
    [(train, test)] = splits
    for subset, found in losses.items():
        columns = np.column_stack([np.empty((len(y), 0)), *(blocks[name] for name in subset)])
        for place, counts in enumerate(weights):
            loss, rise, held = fitted_loss(y, columns, base, train, test, counts)
            assert found[0, place] == pytest.approx(loss / held, rel=1e-5)
            assert found[1, place] == pytest.approx(rise / test.sum(), rel=1e-4, abs=1e-9)


def test_folds_are_judged_without_an_intercept_of_their_own():
    rows = world(5, accounts=30, periods=1, replies=0.3)
    y, base, blocks = parts_of(rows)
    splits = account_folds(rows["account_id"].to_numpy(), rng=np.random.default_rng(1))
    counts = np.random.default_rng(2).multinomial(30, np.full(30, 1 / 30))
    weights = np.vstack([np.ones(30), counts])
    found = held_out_losses(y, base[:, :1], blocks, splits, weights)
    for subset in (frozenset(), frozenset({"conversation"}), frozenset(PLAYERS)):
        columns = np.column_stack([np.empty((len(y), 0)), *(blocks[name] for name in subset)])
        parts = [
            fitted_loss(y, columns, base[:, :1], *split, counts, recalibrated=False)
            for split in splits
        ]
        loss, rise, held = np.sum(parts, axis=0)
        assert held == 10 * 30
        assert found[subset][0, 1] == pytest.approx(loss / held, rel=1e-5)
        assert found[subset][1, 1] == pytest.approx(rise / held, rel=1e-4)


def test_the_loss_by_hand():
    # Training: mean 1 and variance 1, nothing else to go by. Test: 4 and 8, recalibrated to 6.
    y = np.array([0.0, 2.0, 0.0, 2.0, 4.0, 8.0])
    train = np.arange(6) < 4
    losses = held_out_losses(y, np.zeros((6, 1)), {}, [(train, ~train)], np.ones((1, 6)))
    assert losses[frozenset()][0] == pytest.approx([(4 + 4) / (2 * 2 * 1)])


def test_weights_of_one_are_the_point_estimate():
    rows = world(6, replies=0.3)
    y, base, blocks = parts_of(rows)
    splits = time_split(rows["period"].to_numpy(), windows=WINDOWS)
    losses = held_out_losses(y, base, blocks, splits, np.ones((2, len(y))))
    shares = shapley(losses, PLAYERS)
    found = estimates(run(rows))
    for name in PLAYERS:
        assert shares[name][0] == pytest.approx([found[name]] * 2, abs=1e-12)


@pytest.mark.parametrize("windows", [WINDOWS, None])
def test_conversation_wins_where_it_was_planted(windows):
    rows = world(7, replies=0.6) if windows else world(7, accounts=300, periods=1, replies=0.6)
    result = run(rows, windows=windows)
    effect = result.effects["contest", "total", CONTRAST]
    assert effect.interval()[0] > 0
    assert effect.p_difference < 0.05
    # Squared error falls from 1.36 to 1; half of that, over 1.36.
    assert effect.estimate == pytest.approx(0.36 / 1.36 / 2, abs=0.05)
    assert result.passes
    assert result.notes[0].startswith("the full model beats")


def test_tweaks_win_where_they_were_planted():
    effect = run(world(8, tags=0.6)).effects["contest", "total", CONTRAST]
    assert effect.interval()[1] < 0


def test_the_interval_of_nothing_covers_none():
    covered = 0
    for seed in range(20):
        low, high = run(world(100 + seed)).effects["contest", "total", CONTRAST].interval()
        covered += low <= 0 <= high
    assert covered >= 16


@pytest.mark.parametrize("answering", [None, Effect(0.1, 0.2, 50), Effect(-0.3, 0.05, 50)])
def test_winning_is_not_enough_without_answering(answering):
    result = run(world(7, replies=0.6), answering=answering)
    assert not result.passes
    assert result.notes[1] == "answering itself is not positive with its interval off the null"


def test_a_full_model_that_loses_does_not_pass():
    rows = world(9, accounts=8, periods=12)
    result = run(rows)
    gain = estimates(result)["full model"]
    assert gain < 0
    assert not result.passes
    assert result.notes[0].startswith("the full model does not beat the adjustment set (-")


def test_folds_do_not_lean_toward_the_smaller_block():
    """Refits overfit the larger block once more, which draws in a cross-section would show."""
    margins = [
        run(world(500 + seed, accounts=60, periods=1), windows=None).effects[
            "contest", "total", CONTRAST
        ]
        for seed in range(40)
    ]
    middles = [np.median(margin.draws) - margin.estimate for margin in margins]
    assert np.allclose(middles, 0)
    assert sum(margin.interval()[0] > 0 for margin in margins) <= 3
    error = np.mean([margin.std_error for margin in margins])
    assert error > np.std([margin.estimate for margin in margins]), "too wide, as it is said"


def test_draws_by_hand():
    drawn = Drawn(1.0, np.array([-1.0, 0.5, 1.0, 2.0]))
    # Zero lies two thirds of the way from the first to the second of four: 2/9 below it.
    assert drawn.p_difference == pytest.approx(4 / 9)
    assert drawn.interval(1 - 4 / 9)[0] == pytest.approx(0)
    assert Drawn(1.0, np.array([1.0, 2.0, 3.0])).p_difference == 2 / 4
    assert Drawn(0.0, np.zeros(3)).p_difference == 1
    # Quantiles 0.025 and 0.975 are 0.075 of a gap from the ends: -0.8875 and 1.925.
    assert drawn.std_error == pytest.approx((1.925 + 0.8875) / 3.919928)
    assert drawn.interval(0.5) == (pytest.approx(0.125), pytest.approx(1.25))
    assert (drawn.p_equivalence(9.0), drawn.p_minimal_effect(9.0)) == (1.0, 1.0)


def test_p_is_under_5_percent_where_the_interval_is_off_zero():
    rng = np.random.default_rng(3)
    for middle in np.linspace(-3, 3, 200):
        drawn = Drawn(middle, middle + rng.normal(size=199))
        low, high = drawn.interval()
        assert (drawn.p_difference < 0.05) == (low > 0 or high < 0)


def test_same_seed_same_numbers():
    rows = world(10, replies=0.2)
    pd.testing.assert_frame_equal(run(rows).table, run(rows).table)
    before = rows.copy()
    other = run(rows, seed=2).table
    assert (other["ci_low"] != run(rows).table["ci_low"]).any()
    pd.testing.assert_frame_equal(rows, before)
