"""Cells of four people are not shown, those of five are."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from smo_research.report.small_cells import _curve, _rare_terms, masked


@pytest.mark.parametrize(("people", "kept"), [(4, False), (5, True)])
def test_an_arm_of_few_people_is_no_line(people, kept):
    contacts = pd.DataFrame(
        {
            "answered": [True] * people * 2,
            "contact_id": [f"a{k}" for k in range(people)] * 2,
            "back_days": [np.nan] * people * 2,
        }
    )
    curve = pd.DataFrame({"answered": True, "days": [0.0, 1.0], "back": 0.0})
    assert len(_curve(curve, contacts)) == (2 if kept else 0)


@pytest.mark.parametrize(("back", "days"), [(4, [0.0]), (5, [0.0, 1.0])])
def test_a_point_that_few_people_make_up_is_not_shown(back, days):
    later = [1.0] * back + [2.0] * (10 - back) + [np.nan] * 10
    people = [f"a{k}" for k in range(20)]
    contacts = pd.DataFrame({"answered": True, "contact_id": people, "back_days": later})
    curve = pd.DataFrame({"answered": True, "days": [0.0, 1.0, 2.0], "back": [0.0, 0.2, 0.5]})
    assert _curve(curve, contacts)["days"].tolist() == [*days, 2.0]


@pytest.mark.parametrize(("people", "rare"), [(4, True), (5, False)])
def test_a_flag_of_few_people_is_rare(people, rare):
    posts = pd.DataFrame(
        {
            "post_id": [str(k) for k in range(60)],
            "account_id": [f"a{k % 12}" for k in range(60)],
            "created_at": pd.date_range("2020-01-01", periods=60, tz="UTC"),
            "has_media": [k % 12 < people for k in range(60)],
            "reactions": 1,
        }
    )
    assert ("has_media" in _rare_terms(posts)) == rare


def test_so_few_are_not_counted_in_a_sentence():
    assert masked("4 accounts are needed") == "fewer than 5 accounts are needed"
    assert masked("5 accounts, 14 contacts") == "5 accounts, 14 contacts"
