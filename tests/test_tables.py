import re

import pandas as pd
import pytest

from smo_research import errors
from smo_research.errors import DataError, SmoError
from smo_research.problems import MAX_PROBLEMS_SHOWN
from smo_research.tables import KINDS, SCHEMAS, Tables, Windows, validate

DAYS = pd.to_datetime(["2020-01-01", "2020-01-02"], utc=True)


def interactions(**columns):
    log = {
        "source_id": ["ann", "bob"],
        "target_id": ["bob", "ann"],
        "created_at": DAYS,
        "seq": [0, 1],
        "kind": ["message", "answer"],
    }
    return pd.DataFrame(log | columns)


def posts(**columns):
    return pd.DataFrame(
        {"post_id": ["p", "q"], "account_id": ["ann", "ann"], "created_at": DAYS} | columns
    )


def followers(**columns):
    return pd.DataFrame(
        {"account_id": ["ann", "ann"], "observed_at": DAYS, "followers": [10, 12]} | columns
    )


def problems(frame, table):
    with pytest.raises(DataError) as caught:
        validate(frame, table, source="log.csv")
    return str(caught.value).split("\n")


@pytest.mark.parametrize(
    ("table", "frame", "column", "shown"),
    [
        ("interactions", interactions(kind=["message", "poke"]), "kind", "a text of 4 characters"),
        ("interactions", interactions(source_id=["ann", ""]), "source_id", "''"),
        ("interactions", interactions(source_id=["ann", None]), "source_id", "a missing value"),
        ("interactions", interactions(seq=[0, -1]), "seq", "-1"),
        ("interactions", interactions(seq=[3, 0.5]), "seq", "0.5"),
        ("interactions", interactions(seq=[0, None]), "seq", "a missing value"),
        ("interactions", interactions(seq=[0, float("inf")]), "seq", "inf"),
        (
            "interactions",
            interactions(created_at=["2020-01-01", "soon"]),
            "created_at",
            "a text of 4 characters",
        ),
        (
            "interactions",
            interactions(created_at=[DAYS[0], pd.NaT]),
            "created_at",
            "a missing value",
        ),
        (
            "interactions",
            interactions(created_at=pd.to_datetime(["2020-01-01", "1960-01-01"], utc=True)),
            "created_at",
            "1960-01-01 00:00:00+00:00",
        ),
        ("interactions", interactions(post_id=[None, 7.0]), "post_id", "7.0"),
        ("posts", posts(hashtags=[None, 1.5]), "hashtags", "1.5"),
        ("posts", posts(hashtags=["1", "2.5"]), "hashtags", "'2.5'"),
        ("posts", posts(reactions=[None, -2]), "reactions", "-2"),
        ("posts", posts(has_media=[1, 2]), "has_media", "2"),
        ("followers", followers(followers=["10", "many"]), "followers", "a text of 4 characters"),
    ],
)
def test_a_problem_names_source_row_column_value_and_remedy(table, frame, column, shown):
    (problem,) = problems(frame, table)
    assert problem.startswith(f"log.csv, row 2, column '{column}': {shown} is not allowed (")
    assert problem.endswith("); correct the value or drop the row.")


def test_the_row_is_counted_in_the_table_and_not_taken_from_its_index():
    (problem,) = problems(interactions(seq=[0, -1]).set_index(pd.Index([70, 80])), "interactions")
    assert "row 2" in problem


def test_a_time_in_the_future_is_refused():
    late = pd.to_datetime(["2020-01-01", "2190-01-01"], utc=True)
    for table, frame, column in [
        ("interactions", interactions(created_at=late), "created_at"),
        ("followers", followers(observed_at=late), "observed_at"),
    ]:
        (problem,) = problems(frame, table)
        assert problem.startswith(f"log.csv, row 2, column '{column}': 2190-01-01 00:00:00+00:00")
        assert "future (1 such rows)" in problem
        assert "give times in UTC" in problem


def test_seconds_since_1970_are_not_read_as_microseconds():
    found = problems(interactions(created_at=[1577836800, 1577923200]), "interactions")
    assert len(found) == 2
    assert "row 1, column 'created_at': a number of 10 digits is not allowed (time" in found[0]


def test_times_in_two_forms_are_one_problem():
    mixed = ["2020-01-01T00:00:00+02:00", "2020-01-01 00:00"]
    (problem,) = problems(interactions(created_at=mixed), "interactions")
    assert problem.startswith("log.csv, column 'created_at': some values are not allowed")
    assert "one form" in problem


@pytest.mark.parametrize(
    ("table", "frame", "column"),
    [
        ("interactions", interactions(seq=[3, 3]), "seq"),
        ("posts", posts(post_id=["p", "p"]), "post_id"),
        (
            "accounts",
            pd.DataFrame({"account_id": ["a", "a"], "platform": ["x", "x"]}),
            "account_id",
        ),
    ],
)
def test_a_repeated_key_is_refused_in_every_row_that_has_it(table, frame, column):
    found = problems(frame, table)
    assert [f"row {row}, column '{column}'" in text for row, text in enumerate(found, 1)] == [
        True,
        True,
    ]


def test_every_missing_column_is_named_with_the_columns_there_should_be():
    found = problems(interactions().drop(columns=["kind", "seq"]), "interactions")
    assert len(found) == 2
    assert {"'seq'", "'kind'"} == {re.findall(r"'\w+'", text)[1] for text in found}
    assert all("its columns are source_id, target_id, created_at, seq, kind" in t for t in found)


def test_every_unknown_column_is_named_with_the_remedy():
    found = problems(interactions(colour=["red", "blue"], mood=["", ""]), "interactions")
    assert found == [
        "log.csv: the table 'interactions' knows no column 'colour'; drop it.",
        "log.csv: the table 'interactions' knows no column 'mood'; drop it.",
    ]


def test_an_empty_table_is_refused():
    assert problems(interactions().iloc[:0], "interactions") == [
        "log.csv: the table 'interactions' has no rows; give it at least one."
    ]


def test_all_problems_come_at_once():
    found = problems(interactions(seq=[0.5, -1], kind=["message", "poke"]), "interactions")
    assert sorted(re.search(r"row \d, column '\w+'", text)[0] for text in found) == [
        "row 1, column 'seq'",
        "row 2, column 'kind'",
        "row 2, column 'seq'",
    ]


@pytest.mark.parametrize("rows", [20, 21, 50])
def test_at_most_20_problems_are_shown_and_the_rest_are_counted(rows):
    assert MAX_PROBLEMS_SHOWN == 20
    log = pd.DataFrame(
        {
            "source_id": "ann",
            "target_id": "bob",
            "created_at": DAYS[0],
            "seq": range(rows),
            "kind": "poke",
        }
    )
    shown, rest = (found := problems(log, "interactions"))[:20], found[20:]
    assert [f"row {row}," in text for row, text in enumerate(shown, 1)] == [True] * 20
    assert rest == ([] if rows == 20 else [f"... and {rows - 20} more problems."])


def test_validate_does_not_change_its_input():
    log = interactions(
        source_id=[1, 2],
        created_at=["2020-01-01", "2020-01-02"],
        seq=["0", "1"],
    ).set_index(pd.Index([70, 80]))
    before = log.copy(deep=True)
    valid = validate(log, "interactions", source="log.csv")
    pd.testing.assert_frame_equal(log, before)
    valid.loc[0, "kind"] = "reply"
    pd.testing.assert_frame_equal(log, before)


def test_ids_become_text_times_utc_microseconds_and_seq_a_number():
    log = interactions(
        source_id=[1, 2],
        created_at=pd.to_datetime(["2020-01-01 01:00", "2020-01-02 01:00"]).tz_localize(
            "Europe/Berlin"
        ),
        seq=["0", "1"],
        post_id=["p", None],
    )
    valid = validate(log, "interactions", source="log.csv")
    assert valid.dtypes.astype(str).to_dict() == {
        "source_id": "str",
        "target_id": "str",
        "created_at": "datetime64[us, UTC]",
        "seq": "int64",
        "kind": "str",
        "post_id": "str",
    }
    assert valid["source_id"].tolist() == ["1", "2"]
    assert valid["created_at"].tolist() == DAYS.tolist()
    assert valid["post_id"].isna().tolist() == [False, True]


def test_a_hidden_count_or_flag_is_missing_and_not_zero():
    frame = posts(hashtags=[1, None], has_media=[True, None], post_type=["photo", None])
    valid = validate(frame, "posts", source="posts.csv")
    assert valid.dtypes.astype(str)[["hashtags", "has_media"]].tolist() == ["Int64", "boolean"]
    assert valid[["hashtags", "has_media", "post_type"]].isna().all(axis=1).tolist() == [
        False,
        True,
    ]
    counted = validate(followers(followers=[10, None]), "followers", source="followers.csv")
    assert counted["followers"].isna().tolist() == [False, True]


def test_optional_columns_may_be_absent_but_not_the_others():
    for table, schema in SCHEMAS.items():
        columns = schema.to_schema().columns
        needed = {name for name, column in columns.items() if column.required}
        found = problems(pd.DataFrame({"nothing": [1]}), table)
        assert {re.search(r"no column '(\w+)'", text)[1] for text in found} == needed


def test_every_column_is_described():
    for schema in SCHEMAS.values():
        assert all(column.description for column in schema.to_schema().columns.values())


def test_every_kind_of_act_is_allowed():
    log = pd.DataFrame(
        {
            "source_id": "ann",
            "target_id": "bob",
            "created_at": DAYS[0],
            "seq": range(len(KINDS)),
            "kind": KINDS,
        }
    )
    assert validate(log, "interactions", source="log.csv")["kind"].tolist() == list(KINDS)


@pytest.mark.parametrize("name", ["period", "horizon", "gap"])
@pytest.mark.parametrize("value", [0, -7, 7.5, float("nan"), float("inf"), True, "7", "x"])
def test_windows_refuse_what_is_not_a_whole_number_of_days(name, value):
    given = {"period": 7, "horizon": 42, "gap": 7, name: value}
    with pytest.raises(DataError, match=rf"^{name} must be a whole number of days from 1"):
        Windows(**given)


@pytest.mark.parametrize("name", ["period", "horizon"])
def test_only_the_gap_may_be_absent(name):
    assert Windows(period=7, horizon=56, gap=None).gap is None
    with pytest.raises(DataError, match=f"^{name} must be"):
        Windows(**{"period": 7, "horizon": 42, name: None})


def test_the_gap_may_be_as_long_as_the_horizon_but_not_longer():
    assert Windows(period=7, horizon=42, gap=42).gap == 42
    with pytest.raises(DataError, match=r"gap must not be longer than horizon, but 43 > 42 days"):
        Windows(period=7, horizon=42, gap=43)


def test_tables_that_a_data_set_does_not_have_are_none():
    tables = Tables(name="world", posts=posts())
    assert (tables.accounts, tables.interactions, tables.followers) == (None, None, None)
    with pytest.raises(AttributeError):
        tables.name = "other"


def test_every_error_of_our_own_is_an_smo_error():
    own = [value for value in vars(errors).values() if isinstance(value, type)]
    assert len(own) == 4
    assert all(issubclass(error, SmoError) for error in own)
