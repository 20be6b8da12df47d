"""The log of acts in its one total order, with what came before each act."""

from __future__ import annotations

from dataclasses import dataclass

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


@ibis.udf.scalar.builtin(name="epoch_us")
def epoch_us(moment: dt.Timestamp(timezone="UTC")) -> dt.int64:  # type: ignore
    """Microseconds since 1970, whatever the time zone of the session."""


@dataclass(frozen=True, eq=False)
class Acts:
    """The acts of a log, numbered; times are whole microseconds since 1970.

    Attributes
    ----------
    table
        One row an act between two accounts: source_id, target_id, at, seq, period, the pair
        (low, high), the act before it between the two (before_source, before_at, before_period),
        `is_answer`, `opens_pair` (first between the two), `first_at` (source's first act ever
        toward target).
    start
        Midnight UTC of the day of the first act.
    end
        The last act.
    """

    table: ir.Table
    start: int
    end: int
    windows: Windows

    @property
    def last_period(self) -> int:
        """The last period whose outcomes are wholly inside the log; below 0 when none is."""
        span = self.end - self.start - self.windows.horizon * DAY
        return span // (self.windows.period * DAY) - 2


def connect() -> ibis.BaseBackend:
    """Open an embedded DuckDB that lives in memory and spills to disk."""
    return ibis.duckdb.connect()


def as_table(data: pd.DataFrame | ir.Table, moment: str) -> ir.Table:
    """Take a frame, with its times in whole microseconds, or a table as it is."""
    if not isinstance(data, pd.DataFrame):
        return data
    return ibis.memtable(data.assign(**{moment: data[moment].dt.as_unit("us")}))


def keep(table: ir.Table, backend: ibis.BaseBackend) -> ir.Table:
    """Compute a table once; it stays in the engine until its connection closes."""
    return backend.create_table(ibis.util.gen_name("smo"), table, temp=True)


def number_acts(
    interactions: pd.DataFrame | ir.Table, windows: Windows, *, backend: ibis.BaseBackend
) -> Acts:
    """Put the acts in order and look back once from each.

    Acts toward oneself are left out. The order is (created_at, seq).

    Parameters
    ----------
    interactions
        The canonical table `interactions`, as a frame or as a table of `backend`.
    windows
        Lengths of time of the study.
    backend
        The engine that computes; the numbered acts stay in it as a temporary table.

    Raises
    ------
    DataError
        When no act between two different accounts is left.
    """
    log = as_table(interactions, "created_at")
    log = log.filter(_.source_id != _.target_id).select(
        "source_id", "target_id", "seq", at=epoch_us(_.created_at)
    )
    first, last = backend.execute(log.aggregate(first=_["at"].min(), last=_["at"].max())).iloc[0]
    if pd.isna(first):
        raise DataError("The log holds no act between two different accounts; nothing to measure.")
    start = int(first) // DAY * DAY
    acts = log.mutate(
        period=((_["at"] - start) // (windows.period * DAY)).cast("int32"),
        low=ibis.least(_.source_id, _.target_id),
        high=ibis.greatest(_.source_id, _.target_id),
    )
    pair = ibis.window(group_by=["low", "high"], order_by=["at", "seq"])
    whole_pair = ibis.window(group_by=["low", "high"])
    acts = acts.mutate(
        before_source=_.source_id.lag().over(pair),
        before_at=_["at"].lag().over(pair),
        before_period=_.period.lag().over(pair),
        first_by_low=ibis.ifelse(_.source_id == _.low, _["at"], None).min().over(whole_pair),
        first_by_high=ibis.ifelse(_.source_id == _.high, _["at"], None).min().over(whole_pair),
    )
    acts = acts.select(
        *["source_id", "target_id", "at", "seq", "period", "low", "high"],
        *["before_source", "before_period"],
        is_answer=(
            (_.before_source == _.target_id) & (_["at"] - _.before_at <= ANSWER_WITHIN_DAYS * DAY)
        ).fill_null(False),
        opens_pair=_.before_at.isnull(),
        first_at=ibis.ifelse(_.source_id == _.low, _.first_by_low, _.first_by_high),
    )
    return Acts(keep(acts, backend), start, int(last), windows)
