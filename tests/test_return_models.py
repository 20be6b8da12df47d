"""H5 beside what misleads: by eye, against plain Python, where answering does nothing."""

from __future__ import annotations

import math
from functools import cache

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smo_research.datasets.catalog import dataset
from smo_research.errors import DataError
from smo_research.evidence.comeback import return_when_answered
from smo_research.evidence.exposure import (
    SINCE_THE_ANSWER,
    by_delay,
    follow,
    intervals,
    naive_codings,
)
from smo_research.evidence.result import VOCABULARY, untested
from smo_research.evidence.return_models import NAIVE, return_models, since_rows
from smo_research.evidence.returning import first_contacts
from smo_research.evidence.verdicts import deciding, judge
from smo_research.report import return_models as picture
from smo_research.tables import Windows

WINDOWS = Windows(period=7, gap=3, horizon=40)
START = pd.Timestamp("2020-03-01", tz="UTC")
TICK = 1 / 86_400_000_000
EVER, BEFORE = NAIVE
ANSWERED, OUTCOME = "answered", "back weeks later"


def make_log(acts, posts=None):
    """Acts as (source, target, days since START), in the order of the log."""
    source, target, days = zip(*acts, strict=True)
    micros = pd.to_timedelta([round(day * 86_400_000_000) for day in days], unit="us")
    log = pd.DataFrame(
        {
            "source_id": list(source),
            "target_id": list(target),
            "created_at": (START + micros).as_unit("us"),
            "seq": range(len(acts)),
            "kind": "message",
        }
    )
    return log if posts is None else log.assign(post_id=pd.array(posts, dtype="str"))


def one(acts, posts=None):
    """The first contact of a by j, and what became of it."""
    log = make_log([*acts, ("x", "y", 90)], None if posts is None else [*posts, "end"])
    contacts = first_contacts(log, windows=WINDOWS)
    contacts = contacts[contacts["account_id"] == "a"].reset_index(drop=True)
    return contacts, follow(log, contacts)


J = ("j", "a")
A = ("a", "j")


@pytest.mark.parametrize(
    ("acts", "answer", "again", "back"),
    [
        ([(*J, 1)], None, None, None),
        ([(*J, 1), (*A, 3), (*J, 3.5)], 2, 2.5, None),
        ([(*J, 1), (*A, 3), (*J, 4)], 2, 3, None),
        ([(*J, 1), (*A, 3), (*J, 4 + TICK)], 2, 3 + TICK, 3 + TICK),
        ([(*J, 1), (*A, 3), (*J, 3.5), (*J, 9)], 2, 2.5, 8),
        ([(*J, 1), (*J, 1.25), (*A, 3)], 2, 0.25, 0.25),
        ([(*J, 1), (*A, 3), (*A, 8.5), (*J, 9), (*J, 20)], 2, 8, 19),
    ],
)
def test_when_by_eye(acts, answer, again, back):
    times = one(acts)[1].iloc[0].to_dict()
    expected = {"answer_days": answer, "again_days": again, "back_days": back}
    for name, value in expected.items():
        assert times[name] == pytest.approx(math.nan if value is None else value, nan_ok=True)


def test_acts_at_one_clock_time_are_a_microsecond_apart_in_the_order_of_the_log():
    times = one([(*J, 1), (*J, 1), (*A, 1), (*J, 1)])[1].iloc[0]
    assert times["again_days"] == pytest.approx(TICK, rel=1e-9)
    assert times["answer_days"] == pytest.approx(2 * TICK, rel=1e-9)


def test_coming_back_is_on_another_post_where_posts_are_known():
    times = one([(*J, 1), (*J, 5), (*J, 8)], ["p", "p", "q"])[1].iloc[0]
    assert (times["again_days"], times["back_days"]) == (7, 7)
    assert one([(*J, 1), (*J, 5)], ["p", None])[1]["again_days"].tolist() == [4]


def plain(log, contacts):
    """What `follow` says, act by act."""
    day = pd.Timedelta(days=1)
    acts = sorted(log.itertuples(), key=lambda act: (act.created_at, act.seq))
    has_posts = "post_id" in log and log["post_id"].notna().any()
    found = []
    for contact in contacts.itertuples():
        pair = {contact.account_id, contact.contact_id}
        here = [act for act in acts if {act.source_id, act.target_id} == pair]
        first, answered_at, row = here[0], None, [math.nan] * 3
        for act in here[1:]:
            days = (act.created_at - first.created_at) / day
            if act.source_id == contact.account_id:
                row[0] = days if answered_at is None else row[0]
                answered_at = act.created_at
                continue
            if has_posts and pd.notna(act.post_id) and act.post_id == first.post_id:
                continue
            row[1] = days if math.isnan(row[1]) else row[1]
            if answered_at is None or act.created_at - answered_at > day:
                row[2] = days if math.isnan(row[2]) else row[2]
        found.append(row)
    return np.array(found)


accounts = st.sampled_from(["a", "b", "c", "007", "7"])
acts = st.tuples(
    accounts, accounts, st.integers(0, 80).map(lambda half: half / 2), st.sampled_from("pqr")
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(acts, min_size=2, max_size=40), st.booleans())
def test_following_equals_plain_python(some, with_posts):
    posts = [*(act[3] for act in some), "end"] if with_posts else None
    log = make_log([*(act[:3] for act in some), ("x", "y", 90)], posts)
    before = log.copy()
    contacts = first_contacts(log, windows=WINDOWS)
    found = follow(log, contacts)
    pd.testing.assert_frame_equal(log, before)
    np.testing.assert_allclose(found, plain(log, contacts).reshape(-1, 3), atol=1e-9)
    pd.testing.assert_frame_equal(found, follow(log.iloc[::-1], contacts))


def test_following_says_the_same_of_the_answer_as_the_contact_does():
    contacts, times = one([(*J, 1), (*A, 3.25)])
    assert times["answer_days"][0] * 24 == contacts["answer_delay_hours"][0]


def test_a_contact_from_another_log_is_refused():
    contacts = one([(*J, 1)])[0]
    with pytest.raises(DataError, match="j never acts toward a there"):
        follow(make_log([("b", "c", 1)]), contacts)


def made(**days):
    """Times as `follow` returns them."""
    names = ["answer_days", "again_days", "back_days"]
    return pd.DataFrame({name: days.get(name, [np.nan]) for name in names}, dtype=float)


@pytest.mark.parametrize(
    ("answer", "back", "coded"),
    [
        (2, 5, (1, 1, 1)),
        (5, 2, (1, 0, 1)),
        (2, None, (1, 1, 0)),
        (2, 41, (1, 1, 0)),
        (40, None, (1, 1, 0)),
        (41, None, (0, 0, 0)),
        (41, 50, (0, 0, 0)),
        (None, 40, (0, 0, 1)),
        (None, None, (0, 0, 0)),
    ],
)
def test_naive_codings_by_eye(answer, back, coded):
    times = made(answer_days=[answer], back_days=[back])
    found = naive_codings(times, windows=WINDOWS)
    assert list(found) == ["ever_answered", "answered_before", "back"]
    assert tuple(found.iloc[0]) == coded


@pytest.mark.parametrize(
    ("answer", "again", "cut"),
    [
        (None, None, [(0, 40, 0, 0)]),
        (None, 6, [(0, 6, 0, 1)]),
        (None, 41, [(0, 40, 0, 0)]),
        (2, 2.5, [(0, 2, 0, 0), (2, 2.5, 1, 1)]),
        (2, 3, [(0, 2, 0, 0), (2, 3, 1, 1)]),
        (2, 40, [(0, 2, 0, 0), (2, 3, 1, 0), (3, 9, 2, 0), (9, 30, 3, 0), (30, 40, 4, 1)]),
        (2, None, [(0, 2, 0, 0), (2, 3, 1, 0), (3, 9, 2, 0), (9, 30, 3, 0), (30, 40, 4, 0)]),
        (6, 4, [(0, 4, 0, 1)]),
        (41, None, [(0, 40, 0, 0)]),
    ],
)
def test_intervals_by_eye(answer, again, cut):
    contacts = pd.DataFrame({"account_id": ["a"], "contact_id": ["j"]})
    times = made(answer_days=[answer], again_days=[again])
    found = intervals(contacts, times, windows=WINDOWS)
    stretch = found[list(SINCE_THE_ANSWER)].to_numpy() @ [1, 2, 3, 4]
    rows = zip(found["start_days"], found["stop_days"], stretch, found["acted_again"], strict=True)
    assert list(rows) == cut


@pytest.mark.parametrize(
    ("gap", "classes"),
    [
        (28, {"under_1_hour": [0, 0.9], "1_24_hours": [1, 23], "1_3_days": [24, 48],
              "3_7_days": [72, 168]}),
        (7, {"under_1_hour": [0, 0.9], "1_24_hours": [1, 23], "1_2_days": [24, 48]}),
    ],
)  # fmt: skip
def test_delays_by_eye(gap, classes):
    hours = [0, 0.9, 1, 23, 24, 48, 72, 168, 300, np.nan]
    contacts = pd.DataFrame({"answer_delay_hours": hours})
    answered = contacts["answer_delay_hours"] <= (168 if gap == 28 else 48)
    found = by_delay(
        contacts.assign(answered=answered), windows=Windows(period=28, gap=gap, horizon=168)
    )
    inside = {name: [hours[row] for row in np.flatnonzero(found[name])] for name in found}
    assert inside == {f"answered_{name}": ends for name, ends in classes.items()}
    assert (found.sum(axis=1) == answered).all(), "each answer by the landmark is in one class"


def null_world(seed, *, accounts=150, each=70, span=300, later=100):
    """First contacts that come back on their own, whether or not they are answered.

    Each account answers any fresh act with its own chance, half of the answers over half a day
    later, and an answer is replied to in 2 of 5 cases within hours: the same conversation.
    """
    rng = np.random.default_rng(seed)
    n = accounts * each
    account, who = np.repeat(np.arange(accounts), each), np.arange(n) % (n // 3)
    returns = rng.poisson(0.6 * rng.lognormal(-0.125, 0.5, accounts)[account])
    contact = np.concatenate([np.arange(n), np.repeat(np.arange(n), returns)])
    at = rng.uniform(0, span, n)[contact]
    at[n:] += rng.lognormal(np.log(5), 1.8, len(at) - n)
    chance, acts = rng.uniform(0.15, 0.6, accounts)[account], [(contact, at, False)]
    for by_account, delay in [(True, 0.6), (False, 0.1), (True, 0.1), (False, 0.1)]:
        goes_on = rng.uniform(size=len(contact)) < chance[contact]
        contact = contact[goes_on]
        at = at[goes_on] + rng.lognormal(np.log(delay), 1.3, len(contact))
        acts.append((contact, at, by_account))
        chance = np.full(n, 0.4)
    contact = np.concatenate([act[0] for act in acts])
    at = np.concatenate([act[1] for act in acts])
    by_account = np.repeat([act[2] for act in acts], [len(act[0]) for act in acts])
    sides = [
        np.char.add("i", account[contact].astype(str)),
        np.char.add("j", who[contact].astype(str)),
    ]
    log = pd.DataFrame(
        {
            "source_id": np.where(by_account, *sides),
            "target_id": np.where(by_account, *sides[::-1]),
            "created_at": (START + pd.to_timedelta(np.round(at * 86_400), unit="s")).as_unit("us"),
        }
    )
    log = log[at < span + later].sort_values("created_at", kind="stable", ignore_index=True)
    return log.assign(seq=log.index, kind="message")


NULL = Windows(period=28, gap=14, horizon=84)


@cache
def of_null_world(seed):
    return return_models(null_world(seed), windows=NULL, dataset="null", data_hashes={"f": "0"})


@cache
def in_null_worlds(worlds=3):
    """All effects of the null worlds, by (model, block, term)."""
    found = [of_null_world(seed).effects for seed in range(worlds)]
    keys = set.intersection(*(set(effects) for effects in found))
    return {key: [effects[key] for effects in found] for key in keys}


def pooled(effects):
    """Mean of several estimates, and its distance from 0 in errors."""
    mean = np.mean([effect.estimate for effect in effects])
    error = np.sqrt(np.sum([effect.std_error**2 for effect in effects])) / len(effects)
    return mean, mean / error


def test_naive_codings_are_biased_in_opposite_directions_where_the_landmark_is_not():
    null = in_null_worlds()
    ever = pooled(null[EVER, OUTCOME, ANSWERED])
    before = pooled(null[BEFORE, "back at any time", ANSWERED])
    landmark = pooled(null["landmark", "total", ANSWERED])
    assert ever[0] > 0.4
    assert ever[1] > 8
    assert before[0] < -0.3
    assert before[1] < -8
    assert abs(landmark[1]) < 2.5
    assert abs(landmark[0]) < 0.15


def test_the_first_day_since_the_answer_is_the_same_conversation():
    null = in_null_worlds()
    by_time = [pooled(null["time-varying Cox", "since the answer", name])
               for name in SINCE_THE_ANSWER]  # fmt: skip
    assert by_time[0][0] > 1.5
    assert by_time[0][0] > 5 * abs(by_time[1][0])
    assert all(abs(z) < 3 for _, z in by_time[2:])


def test_delays_show_nothing_in_a_null_world():
    null = in_null_worlds()
    found = {key: pooled(effects) for key, effects in null.items() if key[1] == "by delay"}
    assert len(found) == 5
    assert all(abs(z) < 3 for _, z in found.values())


def test_one_result_has_it_all_and_the_landmark_decides_as_before():
    log, result = null_world(0), of_null_world(0)
    contacts = first_contacts(log, windows=NULL)
    alone = return_when_answered(contacts, dataset="null", data_hashes={"f": "0"})
    assert list(result.table) == VOCABULARY
    assert deciding(result) == deciding(alone)
    pd.testing.assert_frame_equal(result.table.iloc[: len(alone.table)], alone.table)
    assert alone.effects.items() <= result.effects.items()
    assert (result.formula, result.data_hashes) == (alone.formula, {"f": "0"})
    given = return_models(log, windows=NULL, dataset="null", contacts=contacts)
    pd.testing.assert_frame_equal(given.table, result.table)
    blocks = result.table.groupby(["model", "block"], sort=False).size()
    assert blocks.to_dict() == {
        ("landmark", "total"): 1,
        ("negative control", "total"): 1,
        (EVER, OUTCOME): 1,
        (BEFORE, "back at any time"): 1,
        ("time-varying Cox", "since the answer"): 4,
        ("landmark", "by delay"): 5,
    }
    kept = result.table[result.table["estimate"].notna()]
    assert set(zip(kept["model"], kept["block"], kept["term"], strict=True)) == set(result.effects)
    verdicts = [judge([one], declared={}, untestable={}) for one in (alone, result)]
    pd.testing.assert_frame_equal(*verdicts)


def test_what_cannot_be_told_has_a_reason_and_the_rest_a_number():
    log = null_world(1, accounts=60)
    contacts = first_contacts(log, windows=NULL)
    times = follow(log, contacts)
    late = times["again_days"] - times["answer_days"] > 28
    gone = set(zip(contacts["contact_id"][late], contacts["account_id"][late], strict=True))
    pairs = pd.Series(list(zip(log["source_id"], log["target_id"], strict=True)))
    first = pairs.duplicated()
    log = log[~(pairs.isin(gone) & first)]
    cut, stretches, _ = since_rows(contacts, follow(log, contacts), windows=NULL)
    assert not cut["answered_28_days_on"].any()
    assert stretches == list(SINCE_THE_ANSWER[:3])
    result = return_models(log, windows=NULL, dataset="null")
    rows = result.table[result.table["model"] == "time-varying Cox"].set_index("term")
    assert "acts again in this stretch" in rows.loc["answered_28_days_on", "reason"]
    assert rows["estimate"].notna().tolist() == [True, True, True, False]
    assert rows["std_error"].dropna().lt(1).all()


def test_too_few_contacts_are_one_row_with_a_reason():
    result = return_models(null_world(2, accounts=5), windows=NULL, dataset="few")
    assert len(result.table) == 1
    assert "at least" in result.reason


@pytest.mark.data
def test_all_can_be_told_of_real_messages(real):
    windows = dataset("collegemsg").windows
    log = real("collegemsg").interactions
    result = return_models(log, windows=windows, dataset="collegemsg")
    assert result.table["estimate"].notna().all()
    ratio = {key: math.exp(effect.estimate) for key, effect in result.effects.items()}
    assert ratio[BEFORE, "back at any time", ANSWERED] < 0.6
    assert ratio["landmark", "total", ANSWERED] < 1.3
    assert ratio[EVER, OUTCOME, ANSWERED] > 3
    day, week = (ratio["time-varying Cox", "since the answer", n] for n in SINCE_THE_ANSWER[:2])
    assert day > 4 * week


def evidence():
    return of_null_world(0).table


def words(ax):
    return [text.get_text() for text in ax.texts]


def test_the_picture_has_a_line_a_model_under_the_header_of_its_group():
    ax = plt.subplots()[1]
    assert picture.return_models(evidence(), ax=ax) is ax
    said = words(ax)
    order = [
        *["Misleading: codings that look ahead", "ever answered", "answered before returning"],
        *["What decides: answered by the landmark", "back weeks later"],
        *["What should show nothing", "acting toward others weeks later"],
        *["Time since the answer (hazard of the next act)", "first day", "day 1 to 7"],
        *["day 7 to 28", "after day 28", "By how soon the answer came", "under 1 hour"],
        *["1 to 24 hours", "1 to 3 days", "3 to 7 days", "each doubling of the wait"],
    ]
    places = [said.index(line) for line in order]
    assert places == sorted(places)
    naive = evidence().set_index("model").loc[EVER, "estimate"]
    assert f"{math.exp(naive):.2f} [" in said[said.index("ever answered") + 1]


def test_the_title_says_what_decides_and_what_the_others_would_have_said():
    title = " ".join(picture.return_models(evidence()).get_title("left").split())
    ratios = np.exp(evidence()["estimate"])
    assert title.startswith("null: whether answered first contacts are back weeks later more often")
    assert title.endswith(f"careless codings say {ratios[2]:.2f} and {ratios[3]:.2f}")
    sure = evidence().assign(ci_low=evidence()["estimate"] - 0.001)
    sure.loc[0, ["estimate", "ci_low", "ci_high"]] = np.log([1.5, 1.4, 1.6])
    assert "are back weeks later 1.50 times" in picture.return_models(sure).get_title("left")


def test_several_data_sets_are_a_panel_each():
    nothing = untested("H5", "other", "null", "3 rows have an outcome above 0").table
    both = pd.concat([evidence(), nothing])
    ax = picture.return_models(both)
    first, second = (one for one in ax.figure.axes if one.axison)
    assert ax is first
    assert first.get_title("left").startswith("null")
    assert second.get_title("left").startswith("other: cannot tell")
    assert any("3 rows have an outcome above 0" in said for said in words(second))
    with pytest.raises(DataError, match="ax takes one data set, but evidence holds null, other"):
        picture.return_models(both, ax=plt.subplots()[1])


def test_a_line_without_an_estimate_says_why():
    rows = evidence().copy()
    last = rows["term"] == "answered_3_7_days"
    rows.loc[last, ["estimate", "ci_low", "ci_high"]] = np.nan
    rows.loc[last, "reason"] = "answered_3_7_days varies within 2 accounts; at least 20 are needed"
    said = " ".join(" ".join(words(picture.return_models(rows))).split())
    assert "no estimate: an answer then varies within 2 accounts" in said


def test_a_table_without_h5_is_refused():
    with pytest.raises(DataError, match="must hold rows of H5"):
        picture.return_models(evidence().assign(hypothesis="H3"))
    with pytest.raises(DataError, match="lacks reason"):
        picture.return_models(evidence().drop(columns="reason"))
