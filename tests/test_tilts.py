"""Recentred draws: what is taken off, what is left in, and draws that are far off."""

from __future__ import annotations

import numpy as np
import pytest

from smo_research.evidence.tilts import CHANCE, recentred, tilts_of


def drawn(seed=1, draws=4_000):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(3, draws + 1))


def test_a_tilt_within_chance_is_taken_off():
    loss, tilt, chance = drawn()
    found = recentred(loss + tilt, tilt, chance * np.sqrt(1 / CHANCE) * 1.1)
    assert found.std() == pytest.approx(1, abs=0.05)


def test_a_tilt_far_beyond_chance_is_left_in():
    loss, tilt, chance = drawn()
    found = recentred(loss + 3 * tilt, 3 * tilt, 0.1 * chance)
    assert found.std() == pytest.approx(np.sqrt(1 + 9), abs=0.1)


def test_between_them_a_share_is_left_in():
    loss, tilt, chance = drawn()
    # Three times the quartiles of chance: 1 - 2/9 of the tilt stays.
    found = recentred(loss + 3 * tilt, 3 * tilt, chance)
    assert found.std() == pytest.approx(np.sqrt(1 + (3 * (1 - CHANCE / 9)) ** 2), abs=0.1)


def test_the_middle_is_the_sample_and_far_draws_do_not_move_it():
    loss, tilt, chance = drawn()
    usual = recentred(loss + tilt + 5, tilt, chance)
    loss[1:4], tilt[5:8], chance[9:12] = 1e6, 1e6, 1e6
    far = recentred(loss + tilt + 5, tilt, chance)
    for draws in (usual, far):
        assert np.median(draws) == pytest.approx(loss[0] + tilt[0] + 5)
    within = [0.05, 0.25, 0.75, 0.95]
    np.testing.assert_allclose(np.quantile(far, within), np.quantile(usual, within), atol=0.02)


def test_what_adds_nothing_has_no_tilt():
    none = np.zeros(50)
    assert recentred(none, none, none).tolist() == [0.0] * 49


def test_of_the_sample_alone_there_are_no_draws():
    tilts = tilts_of(np.zeros((1, 3)), np.ones((1, 3)))
    assert tilts.tolist() == [[0.0], [0.0]]


def test_chance_takes_the_slope_of_another_draw():
    rng = np.random.default_rng(2)
    moves, slopes = rng.normal(size=(2, 6, 4))
    tilt, chance = tilts_of(moves, slopes)
    np.testing.assert_allclose(tilt, [move @ slopes[0] for move in moves])
    others = [slopes[5], *slopes[1:5]]
    wanted = [move @ (other - slopes[0]) for move, other in zip(moves[1:], others, strict=True)]
    np.testing.assert_allclose(chance, [0, *wanted])
