"""The canonical tables: their schemas, units and validation."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from typing import Any, Literal, TypeAlias

import pandas as pd
import pandera.pandas as pa
from pandera.typing.pandas import Series

from smo_research.errors import DataError
from smo_research.problems import Problem, shown, told

KINDS = (
    "answer",
    "comment",
    "reply",
    "mention",
    "share",
    "reaction",
    "message",
    "follow",
    "unfollow",
)
MOST_DAYS = 36_525
# Rules of which the name says too little.
WHY = {
    "not_nullable": "is not allowed (it must have one)",
    "field_uniqueness": "is there more than once",
}
EARLIEST = pd.Timestamp("1970-01-01", tz="UTC")

UtcTime: TypeAlias = pd.DatetimeTZDtype
TableName = Literal["accounts", "posts", "interactions", "followers", "edges", "counters"]


def _not_future(times: pd.Series) -> pd.Series:
    return times <= pd.Timestamp.now(tz="UTC") + pd.Timedelta(days=1)


def _id(description: str, **options: Any) -> Any:
    return pa.Field(str_length={"min_value": 1}, description=description, **options)


def _count(description: str) -> Any:
    return pa.Field(ge=0, nullable=True, description=description)


def _flag(description: str) -> Any:
    return pa.Field(nullable=True, description=description)


def _time(description: str, **options: Any) -> Any:
    return pa.Field(
        dtype_kwargs={"unit": "us", "tz": "UTC"}, ge=EARLIEST, description=description, **options
    )


class _Table(pa.DataFrameModel):
    class Config:
        strict = True
        coerce = True


class Accounts(_Table):
    """One row is an account."""

    account_id: Series[str] = _id("account", unique=True)
    platform: Series[str] = _id("platform the account is on")
    created_at: Series[UtcTime] | None = _time("when the account was opened, UTC", nullable=True)
    follow_back: Series[float] | None = pa.Field(
        ge=0, le=1, nullable=True, description="share of its followers that it follows, 0 to 1"
    )
    sample: Series[str] | None = pa.Field(
        nullable=True, description="part of the published sample it came from"
    )


class Posts(_Table):
    """One row is a post."""

    post_id: Series[str] = _id("post", unique=True)
    account_id: Series[str] = _id("account that posted")
    created_at: Series[UtcTime] = _time("when it was posted, UTC")
    post_type: Series[str] | None = pa.Field(
        nullable=True, description="type, as the platform names it"
    )
    hashtags: Series[pd.Int64Dtype] | None = _count("number of hashtags")
    links: Series[pd.Int64Dtype] | None = _count("number of links")
    mentions: Series[pd.Int64Dtype] | None = _count("number of accounts mentioned")
    has_media: Series[pd.BooleanDtype] | None = _flag("carries a picture or a video")
    is_reply: Series[pd.BooleanDtype] | None = _flag("is a reply to a post")
    is_paid: Series[pd.BooleanDtype] | None = _flag("reach was paid for")
    is_automated: Series[pd.BooleanDtype] | None = _flag("posted by a scheduler or a cross-poster")
    title_words: Series[pd.Int64Dtype] | None = _count("number of words in the title")
    client: Series[str] | None = pa.Field(nullable=True, description="program it was posted with")
    reactions: Series[pd.Int64Dtype] | None = _count("number of reactions; hidden is missing")
    replies: Series[pd.Int64Dtype] | None = _count("number of replies; hidden is missing")
    shares: Series[pd.Int64Dtype] | None = _count("number of shares; hidden is missing")
    impressions: Series[pd.Int64Dtype] | None = _count("times shown; hidden is missing")


class Interactions(_Table):
    """One row is one act of one account toward another."""

    source_id: Series[str] = _id("account that acts")
    target_id: Series[str] = _id("account that is acted toward")
    created_at: Series[UtcTime] = _time("when, UTC")
    seq: Series[int] = pa.Field(ge=0, unique=True, description="position in the log, from 0")
    kind: Series[str] = pa.Field(isin=KINDS, description="kind of act")
    post_id: Series[str] | None = pa.Field(
        nullable=True, description="thread or post it belongs to"
    )


class Followers(_Table):
    """One row is a count of an account's followers."""

    account_id: Series[str] = _id("account")
    observed_at: Series[UtcTime] = _time("when it was counted, UTC")
    followers: Series[pd.Int64Dtype] = _count("number of followers")
    posts_total: Series[pd.Int64Dtype] | None = _count("posts ever made")
    views_total: Series[pd.Int64Dtype] | None = _count("views ever had")


class Edges(_Table):
    """One row is a pair of accounts, summed over a log whose times are not published."""

    source_id: Series[str] = _id("account that acts")
    target_id: Series[str] = _id("account that is acted toward")
    kind: Series[str] = pa.Field(isin=KINDS, description="kind of act")
    weight: Series[int] = pa.Field(ge=1, description="number of acts")


class Counters(_Table):
    """One row is a reading of the public counter of an item on a platform."""

    item_id: Series[str] = _id("item, the same on every platform")
    platform: Series[str] = _id("platform the counter is on")
    hours_since: Series[float] = pa.Field(ge=0, description="hours since the item was published")
    count: Series[pd.Int64Dtype] = _count("shares so far; no data is missing")


SCHEMAS: dict[str, type[_Table]] = {
    "accounts": Accounts,
    "posts": Posts,
    "interactions": Interactions,
    "followers": Followers,
    "edges": Edges,
    "counters": Counters,
}


@dataclass(frozen=True, eq=False)
class Tables:
    """The canonical tables that one data set brings; one it does not have is None.

    Examples
    --------
    >>> import smo_research as smo
    >>> world = smo.simulate(smo.scenario("null").turned(accounts=20, periods=12), seed=1)
    >>> world.tables.edges is None, "created_at" in world.tables.posts
    (True, True)
    """

    name: str
    accounts: pd.DataFrame | None = None
    posts: pd.DataFrame | None = None
    interactions: pd.DataFrame | None = None
    followers: pd.DataFrame | None = None
    edges: pd.DataFrame | None = None
    counters: pd.DataFrame | None = None


@dataclass(frozen=True)
class Windows:
    """Lengths of time of a study, in days.

    Attributes
    ----------
    period
        Length of a panel period.
    horizon
        How long after its first act a newcomer may come back and still count as lasting.
    gap
        How long after its first act a newcomer must come back to count as lasting; None where
        the outcome is a count of followers.
    from_launch
        Whether the log starts with the platform, so that "first ever" means what it says.

    Examples
    --------
    >>> Windows(period=7, gap=7, horizon=42).from_launch
    True
    >>> Windows(period=7, gap=60, horizon=42)
    Traceback (most recent call last):
        ...
    smo_research.errors.DataError: gap must not be longer than horizon, but 60 > 42 days.
    """

    period: int
    horizon: int
    gap: int | None = None
    from_launch: bool = True

    def __post_init__(self) -> None:
        for name in ("period", "horizon", "gap"):
            value = getattr(self, name)
            if name == "gap" and value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
                raise DataError(f"{name} must be a whole number of days from 1, but is {value!r}.")
            if int(value) > MOST_DAYS:
                raise DataError(f"{name} must be at most {MOST_DAYS:,} days, but is {value:,}.")
        if not isinstance(self.from_launch, bool):
            raise DataError(f"from_launch must be true or false, but is {self.from_launch!r}.")
        if self.gap is not None and self.gap > self.horizon:
            raise DataError(
                f"gap must not be longer than horizon, but {self.gap} > {self.horizon} days."
            )


def validate(frame: pd.DataFrame, table: TableName, *, source: str) -> pd.DataFrame:
    """Check a canonical table and give its columns their types.

    Parameters
    ----------
    frame
        The table, one row as the schema of `table` says. It is not changed.
    table
        Which of the canonical tables it is.
    source
        The file it came from, for the message.

    Returns
    -------
    pandas.DataFrame
        The same rows with the schema's types: ids `str`, times UTC in microseconds.

    Raises
    ------
    DataError
        Naming file, row, column and remedy of each problem, at most 20 of them. A value that its
        type would change is a problem too: 0.5 as a count, a number as a time, 7.0 as an id.

    Examples
    --------
    >>> import pandas as pd
    >>> log = pd.DataFrame({"source_id": ["a"], "target_id": ["b"], "seq": [0],
    ...                     "created_at": pd.to_datetime(["2020-01-01"], utc=True),
    ...                     "kind": ["message"]})
    >>> validate(log, "interactions", source="log.csv").kind.tolist()
    ['message']
    """
    valid, problems = checked(frame, table, source=source)
    if problems:
        raise DataError(told(problems))
    return valid


def checked(
    frame: pd.DataFrame, table: TableName, *, source: str
) -> tuple[pd.DataFrame, list[Problem]]:
    """Do as `validate`, but hand over the problems; without any, the table is the valid one.

    Parameters
    ----------
    frame, table, source
        As in `validate`.
    """
    if frame.empty:
        empty = f"the table '{table}' has no rows"
        return frame, [Problem(source, None, None, empty, "give it at least one")]
    frame = frame.reset_index(drop=True)
    failures = _lossy(frame, table)
    try:
        valid = SCHEMAS[table].validate(frame, lazy=True)
    except pa.errors.SchemaErrors as error:
        failures = [*failures, error.failure_cases]
    if failures:
        return frame, _problems(pd.concat(failures, ignore_index=True), table, source)
    time = "observed_at" if table == "followers" else "created_at"
    if time in valid:
        late = valid.index[~_not_future(valid[time]) & valid[time].notna()]
        if len(late):
            wrong = f"{valid[time][late[0]]} lies in the future ({len(late)} such rows)"
            remedy = "give times in UTC that have passed"
            return valid, [Problem(source, int(late[0]) + 1, time, wrong, remedy)]
    return valid, []


def _lossy(frame: pd.DataFrame, table: TableName) -> list[pd.DataFrame]:
    """List the values that giving a column its type would change without a word."""
    found = []
    for name, column in SCHEMAS[table].to_schema().columns.items():
        if name not in frame:
            continue
        values, kind = frame[name], str(column.dtype)
        if kind in ("int64", "Int64"):
            numbers = pd.to_numeric(values, errors="coerce").astype(float)
            bad, check = numbers.notna() & (numbers % 1 != 0), "whole number"
        elif kind.startswith("datetime64") and pd.api.types.is_numeric_dtype(values):
            bad, check = values.notna(), "time, not a number"
        elif kind.startswith("str") and pd.api.types.is_float_dtype(values):
            bad, check = values.notna(), "text, not a decimal number"
        else:
            continue
        if bad.any():
            case = {
                "column": name,
                "check": check,
                "failure_case": values[bad],
                "index": bad[bad].index,
            }
            found.append(pd.DataFrame(case).astype(object))
    return found


def _problems(failures: pd.DataFrame, table: str, source: str) -> list[Problem]:
    """Turn pandera's table of failures into problems, one a cell."""
    absent = failures["check"] == "column_in_dataframe"
    failures = failures[absent] if absent.any() else failures
    by_column = failures["index"].isna() & failures["column"].isin(
        SCHEMAS[table].to_schema().columns
    )
    cells = failures[~by_column].drop_duplicates(["column", "index", "failure_case"])
    rest = failures[by_column & ~failures["column"].isin(cells["column"])].drop_duplicates("column")
    return [_problem(case, table, source) for case in pd.concat([cells, rest]).itertuples()]


def _problem(case: Any, table: str, source: str) -> Problem:
    columns = ", ".join(SCHEMAS[table].to_schema().columns)
    if case.check == "column_in_dataframe":
        wrong = f"the table '{table}' has no column '{case.failure_case}'"
        return Problem(source, None, None, wrong, f"its columns are {columns}")
    if case.check == "column_in_schema":
        wrong = f"the table '{table}' knows no column '{case.failure_case}'"
        return Problem(source, None, None, wrong, "drop it")
    if pd.isna(case.index):
        wrong = f"some values are not allowed ({case.check})"
        return Problem(source, None, case.column, wrong, "write all of them in one form")
    why = WHY.get(case.check, f"is not allowed ({case.check})")
    wrong = f"{shown(case.failure_case)} {why}"
    return Problem(
        source, int(case.index) + 1, case.column, wrong, "correct the value or drop the row"
    )
