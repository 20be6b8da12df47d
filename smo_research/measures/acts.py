"""The log of acts in its one total order, with what came before each act; posts beside it."""

from __future__ import annotations

import tempfile
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir
import pandas as pd
from ibis import _

from smo_research.errors import DataError
from smo_research.tables import Windows

HOUR = 3_600_000_000
DAY = 24 * HOUR
ANSWER_WITHIN_DAYS = 7
PAIR = 2**31


@ibis.udf.scalar.builtin(name="epoch_us")
def _epoch_us(moment: dt.Timestamp(timezone="UTC")) -> dt.int64:  # type: ignore
    """DuckDB's name for it."""


@ibis.udf.scalar.builtin(name="unix_micros")
def _unix_micros(moment: dt.Timestamp(timezone="UTC")) -> dt.int64:  # type: ignore
    """Spark's name for it."""


def epoch_us(moment: ir.Value, backend: ibis.BaseBackend) -> ir.Value:
    """Microseconds since 1970, whatever the time zone of the session."""
    return (_unix_micros if backend.name == "pyspark" else _epoch_us)(moment)


@dataclass(frozen=True, eq=False)
class Acts:
    """The acts of a log, numbered, and its posts; times are whole microseconds since 1970.

    Attributes
    ----------
    table
        One row an act between two accounts: source (a number of `accounts`), pair (the two,
        whichever way), upward (whether source has the lower number of the two), at, period;
        `is_answer`, `opens_pair` (first between the two), `opens_period` (the pair's first in
        its period), `changes_speaker` (the pair's act before it in the period was the other's).
    accounts
        One row an account: account_id and its number, account.
    start
        Midnight UTC of the day of the first act or post.
    end
        The last act or post.
    posts
        One row a post, where posts are known: account, at, period, and what the table says of it.
    """

    table: ir.Table
    accounts: ir.Table
    start: int
    end: int
    windows: Windows
    backend: ibis.BaseBackend
    posts: ir.Table | None = None

    @property
    def last_period(self) -> int:
        """The last period whose outcomes are wholly inside the log; below 0 when none is."""
        span = self.end - self.start - self.windows.horizon * DAY
        return span // (self.windows.period * DAY) - 2

    @property
    def described(self) -> ir.Table:
        """The acts of the periods that the panel describes; later ones are outcomes only."""
        return self.table.filter(_.period <= self.last_period)


def connect(engine: str = "duckdb", *, progress: bool = False) -> ibis.BaseBackend:
    """Open the engine that computes the panel.

    Parameters
    ----------
    engine
        "duckdb": embedded, spilling to disk beyond a quarter of the machine's memory; or "spark":
        the Spark session of this process, a local one where none is configured.
    progress
        Whether DuckDB draws a bar for what takes over two seconds.

    Raises
    ------
    DataError
        When there is no such engine, or PySpark is not installed.
    """
    if engine == "spark":
        return _connect_spark()
    if engine != "duckdb":
        raise DataError(f"There is no engine '{engine}'; the known ones are duckdb and spark.")
    spill = Path(tempfile.gettempdir()) / f"smo_research-{uuid.uuid4().hex}"
    # Every order that matters is asked for; keeping the rest costs time and memory.
    backend = ibis.duckdb.connect(
        memory_limit="25%", temp_directory=str(spill), preserve_insertion_order=False
    )
    # Said either way: in a notebook DuckDB would draw one by itself.
    backend.raw_sql(f"SET enable_progress_bar = {str(progress).lower()}")
    return backend


def _connect_spark() -> ibis.BaseBackend:
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        raise DataError(
            "The engine spark needs PySpark; install the extra: pip install 'smo_research[spark]'."
        ) from None
    session = SparkSession.builder.config("spark.sql.session.timeZone", "UTC").getOrCreate()
    return ibis.pyspark.connect(session)


def as_table(data: pd.DataFrame | ir.Table, moment: str) -> ir.Table:
    """Take a frame, with its times in whole microseconds, or a table as it is."""
    if not isinstance(data, pd.DataFrame):
        return data
    return ibis.memtable(data.assign(**{moment: data[moment].dt.as_unit("us")}))


def keep(table: ir.Table, backend: ibis.BaseBackend) -> ir.Table:
    """Compute a table once; it stays in the engine until its connection closes."""
    name = ibis.util.gen_name("smo")
    if backend.name != "pyspark":
        return backend.create_table(name, table, temp=True)
    view = backend.create_view(name, table)
    backend.raw_sql(f"CACHE TABLE {name}")
    return view


def number_acts(
    interactions: pd.DataFrame | ir.Table,
    windows: Windows,
    *,
    posts: pd.DataFrame | ir.Table | None = None,
    backend: ibis.BaseBackend,
) -> Acts:
    """Put the acts in order and look back once from each.

    Acts toward oneself are left out. The order is (created_at, seq).

    Parameters
    ----------
    interactions
        The canonical table `interactions`, as a frame or as a table of `backend`.
    windows
        Lengths of time of the study.
    posts
        The canonical table `posts`, where the data set has one, likewise.
    backend
        The engine that computes; the numbered acts stay in it as a temporary table.

    Raises
    ------
    DataError
        When no act between two different accounts is left.
    """
    log = as_table(interactions, "created_at")
    log = log.filter(_.source_id != _.target_id)
    log = log.select("source_id", "target_id", "seq", at=epoch_us(log.created_at, backend))
    first, last = _span(log, backend)
    if pd.isna(first):
        raise DataError("The log holds no act between two different accounts; nothing to measure.")
    known = [log.select(account_id=_.source_id), log.select(account_id=_.target_id)]
    made = None
    if posts is not None:
        made = as_table(posts, "created_at")
        made = made.mutate(at=epoch_us(made.created_at, backend))
        spans = pd.DataFrame([(first, last), _span(made, backend)], columns=["first", "last"])
        first, last = spans["first"].min(), spans["last"].max()
        known.append(made.select("account_id"))
    start = int(first) // DAY * DAY
    ids = ibis.union(*known, distinct=True)
    # Numbers in the ids' place: everything after sorts and joins on them.
    accounts = keep(
        ids.mutate(account=ibis.row_number().over(order_by="account_id").cast("int32")), backend
    )
    sources = accounts.rename(source_id="account_id", source="account")
    targets = accounts.rename(target_id="account_id", target="account")
    ends = log.inner_join(sources, "source_id").inner_join(targets, "target_id")
    low, high = ibis.least(ends.source, ends.target), ibis.greatest(ends.source, ends.target)
    numbered = ends.select(
        "at", "seq", pair=low.cast("int64") * PAIR + high, upward=ends.source < ends.target
    )
    acts = keep(_looking_back(numbered, start, windows), backend)
    if made is not None:
        made = made.inner_join(accounts, "account_id").mutate(
            period=_period(_["at"], start, windows)
        )
    return Acts(acts, accounts, start, int(last), windows, backend, made)


def _span(table: ir.Table, backend: ibis.BaseBackend) -> tuple[Any, Any]:
    """First and last moment; missing where there is no row."""
    span = table.aggregate(first=_["at"].min(), last=_["at"].max())
    return tuple(backend.execute(span).iloc[0])


def _period(moment: ir.Value, start: int, windows: Windows) -> ir.Value:
    return ((moment - start) // (windows.period * DAY)).cast("int32")


def lower(pair: ir.Value) -> ir.Value:
    """The lower number of a pair of accounts."""
    return (pair // PAIR).cast("int32")


def higher(pair: ir.Value) -> ir.Value:
    """The higher number of a pair of accounts."""
    return (pair % PAIR).cast("int32")


def _looking_back(numbered: ir.Table, start: int, windows: Windows) -> ir.Table:
    """Say of each act what the pair's act before it was; one sort serves all."""
    order = {"group_by": "pair", "order_by": ["at", "seq"]}
    acts = numbered.mutate(
        before_upward=_.upward.lag().over(**order), before_at=_["at"].lag().over(**order)
    )
    period = _period(acts["at"], start, windows)
    same_period = (_period(acts.before_at, start, windows) == period).fill_null(False)
    other_spoke = (acts.before_upward != acts.upward).fill_null(False)
    recent = (acts["at"] - acts.before_at <= ANSWER_WITHIN_DAYS * DAY).fill_null(False)
    return acts.select(
        *["pair", "upward", "at"],
        source=ibis.ifelse(acts.upward, lower(acts.pair), higher(acts.pair)),
        period=period,
        is_answer=other_spoke & recent,
        opens_pair=acts.before_at.isnull(),
        opens_period=~same_period,
        changes_speaker=same_period & other_spoke,
    )
