"""DuckDB and Spark give the same panel. Spark has an environment of its own: `make test-spark`."""

from __future__ import annotations

import numpy as np
import pytest

from smo_research.datasets.catalog import dataset
from smo_research.errors import DataError
from smo_research.measures.acts import connect
from smo_research.measures.panel import panel

COUNTED = [
    *["period", "new_audience", "lasting_audience", "inbound", "answered", "answer_delay_hours"],
    *["new_now", "tenure", "past_inbound", "past_acts", "own_acts"],
]


@pytest.mark.spark
@pytest.mark.slow
@pytest.mark.parametrize("name", ["collegemsg", "mathoverflow"])
def test_spark_agrees_with_duckdb(name, real, tmp_path):
    pytest.importorskip("pyspark", reason="PySpark is not installed here: run `make test-spark`")
    log, windows = real(name).interactions, dataset(name).windows
    log.to_parquet(tmp_path / "log.parquet")
    spark = connect("spark")
    here = panel(log, windows=windows)
    there = panel(spark.read_parquet(tmp_path / "log.parquet"), windows=windows, backend=spark)
    order = ["account_id", "period"]
    here, there = (rows.sort_values(order, ignore_index=True) for rows in (here, there))
    assert list(here.columns) == list(there.columns)
    assert here["account_id"].tolist() == there["account_id"].tolist()
    for column in COUNTED:
        np.testing.assert_array_equal(
            here[column].to_numpy(float), there[column].to_numpy(float), err_msg=column
        )
    for column in set(here.columns) - {*COUNTED, "account_id", "period_start"}:
        np.testing.assert_allclose(
            there[column].to_numpy(float),
            here[column].to_numpy(float),
            rtol=1e-12,
            atol=1e-15,
            err_msg=column,
        )


def test_an_unknown_engine_is_named():
    with pytest.raises(DataError, match="no engine 'abacus'; the known ones are duckdb and spark"):
        connect("abacus")
