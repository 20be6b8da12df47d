import numpy as np
import pandas as pd
import pytest

from smo_research.errors import DataError
from smo_research.evidence.dyads import dyad_matrices, dyadic_return
from smo_research.evidence.result import VOCABULARY

PREDICTORS = ["acted_before", "answered_before", "written_before", "shared_contacts"]


def log_of(rows):
    source, target, times = zip(*rows, strict=True)
    return pd.DataFrame(
        {
            "source_id": source,
            "target_id": target,
            "created_at": pd.to_datetime(times, utc=True, format="ISO8601"),
            "seq": range(len(rows)),
            "kind": "message",
        }
    )


SMALL = [
    ("a", "b", "2020-01-01"),
    ("b", "a", "2020-01-02"),  # an answer
    ("b", "a", "2020-01-03"),  # none: b's own act came before it
    ("b", "c", "2020-01-03"),
    ("c", "b", "2020-01-10"),  # an answer on the seventh day
    ("a", "a", "2020-01-10"),
    ("a", "c", "2020-01-11"),
    ("c", "a", "2020-01-18T00:00:01"),  # too late to be an answer
    ("d", "a", "2020-02-01"),  # the middle act, the eighth of fifteen
    ("a", "d", "2020-02-02"),
    ("a", "d", "2020-02-08"),
    ("a", "d", "2020-02-08T00:00:01"),
    ("a", "d", "2020-03-01"),
    ("b", "a", "2020-03-02"),
    ("e", "a", "2020-03-02"),
    ("a", "e", "2020-03-03"),
]


def test_four_accounts_by_eye():
    dyads = dyad_matrices(log_of(SMALL))
    assert dyads.account_ids.tolist() == ["a", "b", "c", "d"]
    assert dyads.split_at == pd.Timestamp("2020-02-01", tz="UTC")
    counts = {name: np.round(2**one - 1, 9).tolist() for name, one in dyads.predictors.items()}
    assert list(counts) == PREDICTORS
    assert counts == {
        "acted_before": [[0, 1, 1, 0], [2, 0, 1, 0], [1, 1, 0, 0], [1, 0, 0, 0]],
        "answered_before": [[0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0]],
        "written_before": [[0, 1, 1, 1], [1, 0, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0]],
        "shared_contacts": [[0, 1, 1, 0], [1, 0, 1, 1], [1, 1, 0, 1], [0, 1, 1, 0]],
    }
    later = np.zeros((4, 4))
    later[0, 3], later[1, 0] = np.log(3), np.log(2)
    np.testing.assert_allclose(dyads.outcome, later)


def test_only_the_most_active_are_kept_and_the_others_still_shared():
    dyads = dyad_matrices(log_of(SMALL), accounts=2)
    assert dyads.account_ids.tolist() == ["a", "b"]
    assert dyads.predictors["shared_contacts"].tolist() == [[0, 1], [1, 0]]
    assert dyads.outcome.shape == (2, 2)


def test_later_acts_change_no_predictor_and_no_choice():
    log = log_of(SMALL)
    later = log["created_at"] > pd.Timestamp("2020-02-01", tz="UTC")
    changed = log.assign(
        source_id=log["source_id"].where(~later, "d"),
        target_id=log["target_id"].where(~later, "z"),
    )
    before, after = dyad_matrices(log), dyad_matrices(changed)
    assert before.account_ids.tolist() == after.account_ids.tolist()
    for name in PREDICTORS:
        np.testing.assert_array_equal(before.predictors[name], after.predictors[name])
    assert after.outcome.max() == 0


def test_the_order_of_the_rows_does_not_matter_and_the_log_is_kept():
    log = log_of(SMALL)
    kept = log.copy(deep=True)
    forward, shuffled = dyad_matrices(log), dyad_matrices(log.sample(frac=1, random_state=1))
    pd.testing.assert_frame_equal(log, kept)
    np.testing.assert_array_equal(forward.outcome, shuffled.outcome)
    for name in PREDICTORS:
        np.testing.assert_array_equal(forward.predictors[name], shuffled.predictors[name])


@pytest.mark.data
def test_equal_to_counting_act_by_act(real):
    log = real("collegemsg").interactions
    log = log[log["source_id"] != log["target_id"]].sort_values(["created_at", "seq"])
    dyads = dyad_matrices(log, accounts=40)
    place = {name: number for number, name in enumerate(dyads.account_ids)}
    counts = {name: np.zeros((40, 40)) for name in [*PREDICTORS, "later"]}
    last, contacts, week = {}, {name: set() for name in place}, pd.Timedelta(days=7)
    for i, j, at in zip(log["source_id"], log["target_id"], log["created_at"], strict=True):
        pair = frozenset((i, j))
        before = last.get(pair)
        last[pair] = i, at
        if at <= dyads.split_at:
            for one, other in ((i, j), (j, i)):
                if one in contacts:
                    contacts[one].add(other)
        if i not in place or j not in place:
            continue
        row, column = place[i], place[j]
        if at > dyads.split_at:
            counts["later"][row, column] += at > dyads.split_at + week
            continue
        counts["acted_before"][row, column] += 1
        is_answer = before is not None and before[0] == j and at - before[1] <= week
        counts["answered_before" if is_answer else "written_before"][column, row] += 1
    for i, row in place.items():
        for j, column in place.items():
            counts["shared_contacts"][row, column] = len(contacts[i] & contacts[j]) * (i != j)
    assert (log["created_at"] <= dyads.split_at).mean() == pytest.approx(0.5, abs=0.001)
    assert all(one.sum() > 50 for one in counts.values())
    np.testing.assert_allclose(dyads.outcome, np.log1p(counts["later"]))
    for name in PREDICTORS:
        np.testing.assert_allclose(dyads.predictors[name], np.log2(1 + counts[name]))


@pytest.mark.data
def test_the_study_s_line_is_reproducible_and_stands_beside_h5(real):
    log = real("collegemsg").interactions
    options = {"dataset": "collegemsg", "accounts": 60, "n_permutations": 99}
    once, again = (dyadic_return(log, data_hashes={"f": "0"}, **options) for _ in range(2))
    pd.testing.assert_frame_equal(once.table, again.table, check_exact=True)
    assert list(once.table) == VOCABULARY
    assert once.table["term"].tolist() == ["intercept", *PREDICTORS]
    assert set(once.table["hypothesis"]) == {"H5"}
    assert set(once.table["model"]) == {"mrqap"}
    assert set(once.table["block"]) == {"network"}
    assert once.table["unit"].tolist() == ["ln acts", *["ln acts per doubling"] * 4]
    assert (once.data_hashes, once.seed, once.reason) == ({"f": "0"}, 1, "")
    assert "ln(1 + later acts) ~ acted_before" in once.summary()
    assert once.table["p_value"].iloc[1] == pytest.approx(0.01)


def crowd(n_accounts, n_acts, *, upward=False, seed=1):
    """A log of random acts, one an hour; `upward` ones go from lower to higher names only."""
    rng = np.random.default_rng(seed)
    source = rng.integers(n_accounts, size=n_acts)
    target = (source + rng.integers(1, n_accounts, size=n_acts)) % n_accounts
    if upward:
        source, target = np.minimum(source, target), np.maximum(source, target)
    at = pd.Timestamp("2020-01-01", tz="UTC") + pd.to_timedelta(np.arange(n_acts), unit="h")
    names = [[f"u{number:03d}" for number in side] for side in (source, target)]
    return log_of(list(zip(*names, at, strict=True)))


def test_a_log_without_structure_shows_none():
    result = dyadic_return(crowd(60, 3000), dataset="made up", n_permutations=199)
    rows = result.table.set_index("term")
    assert (rows.loc[PREDICTORS, "p_value"] > 0.01).all()
    assert (rows["n_obs"] == 60 * 59).all()


@pytest.mark.parametrize(
    ("log", "reason"),
    [
        (crowd(12, 2000), "12 accounts acted before the middle act; 20 are needed"),
        (crowd(40, 380), "dyads with a later act; 50 are needed"),
        (crowd(40, 1500, upward=True), "answered_before is the same for every pair"),
    ],
)
def test_too_little_is_an_object_with_a_reason(log, reason):
    result = dyadic_return(log, dataset="made up", n_permutations=9)
    assert reason in result.reason
    row = result.table.loc[0]
    assert row[:4].tolist() == ["H5", "made up", "mrqap", "network"]
    assert (len(result.table), row["reason"]) == (1, result.reason)
    assert f"Not tested: {result.reason}" in result.summary()


@pytest.mark.parametrize("accounts", [1, 2.5, True])
def test_a_number_of_accounts_that_is_none_is_refused(accounts):
    with pytest.raises(DataError, match="accounts must be a whole number from 2, but is"):
        dyad_matrices(log_of(SMALL), accounts=accounts)
