"""A Parquet log that is read by the engine, and what stops a command in the middle leaves."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

from smo_research import cli
from smo_research.datasets.edgelist import read_edgelist
from smo_research.datasets.scan import scan_parquet
from smo_research.measures.acts import connect
from smo_research.measures.panel import panel
from smo_research.tables import Windows

WINDOWS = Windows(period=7, gap=7, horizon=42)


def log_of(acts, accounts=40, days=200):
    rng = np.random.default_rng(1)
    at = pd.Timestamp("2020-01-01", tz="UTC") + pd.to_timedelta(
        np.sort(rng.integers(0, days * 86_400, acts)), unit="s"
    )
    ends = np.char.add("u", rng.integers(0, accounts, (2, acts)).astype(str))
    return pd.DataFrame(
        {
            "source_id": pd.array(ends[0], dtype="str"),
            "target_id": pd.array(ends[1], dtype="str"),
            "created_at": at.as_unit("us"),
            "seq": np.arange(acts),
            "kind": "message",
        }
    )


def test_a_canonical_file_gives_the_panel_of_the_reader(tmp_path):
    path = tmp_path / "log.parquet"
    log_of(3_000).to_parquet(path, index=False)
    backend = connect()
    scanned = scan_parquet(path, backend)
    assert scanned is not None
    here = panel(scanned, windows=WINDOWS, backend=backend)
    there = panel(read_edgelist(path, format="parquet"), windows=WINDOWS)
    assert here["lasting_audience"].sum() > 0
    pd.testing.assert_frame_equal(here, there)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("source_id", ""),
        ("target_id", None),
        ("seq", 1),
        ("seq", -1),
        ("kind", "shout"),
        ("created_at", pd.Timestamp("1969-12-31", tz="UTC")),
        ("created_at", pd.Timestamp("2200-01-01", tz="UTC")),
    ],
)
def test_a_wrong_value_is_left_to_the_reader(column, value, tmp_path):
    log = log_of(20)
    log[column] = log[column].astype(object)
    log.loc[4, column] = value
    if column == "created_at":
        log[column] = pd.to_datetime(log[column], utc=True)
    log.to_parquet(tmp_path / "log.parquet", index=False)
    assert scan_parquet(tmp_path / "log.parquet", connect()) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda log: log.drop(columns="seq"),
        lambda log: log.assign(mood="good"),
        lambda log: log.assign(source_id=np.arange(len(log))),
        lambda log: log.assign(created_at=log["created_at"].dt.tz_localize(None)),
        lambda log: log.iloc[:0],
    ],
)
def test_another_shape_is_left_to_the_reader(change, tmp_path):
    change(log_of(20)).to_parquet(tmp_path / "log.parquet", index=False)
    assert scan_parquet(tmp_path / "log.parquet", connect()) is None


def test_no_parquet_is_left_to_the_reader(tmp_path):
    (tmp_path / "log.parquet").write_text("source_id,target_id\n")
    assert scan_parquet(tmp_path / "log.parquet", connect()) is None


def test_a_command_that_is_stopped_says_so(monkeypatch, capsys, tmp_path):
    def stop(*arguments, **options):
        raise KeyboardInterrupt

    log_of(3_000).to_parquet(tmp_path / "log.parquet", index=False)
    monkeypatch.setattr("smo_research.measures.panel.panel_table", stop)
    words = ["smo", "panel", "--interactions", str(tmp_path / "log.parquet")]
    monkeypatch.setattr(sys, "argv", [*words, "-o", str(tmp_path / "panel.parquet")])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == 130
    assert capsys.readouterr().err == "smo: stopped; nothing half-written is left\n"
    assert [path.name for path in tmp_path.iterdir()] == ["log.parquet"]


@pytest.mark.slow
def test_ctrl_c_leaves_nothing_half_written(tmp_path):
    log_of(2_000_000, accounts=100_000).to_parquet(tmp_path / "log.parquet", index=False)
    call = [sys.executable, "-c", "from smo_research.cli import main; main()", "panel"]
    running = subprocess.Popen(
        [*call, "--interactions", "log.parquet"], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    )
    time.sleep(4)
    running.send_signal(signal.SIGINT)
    _, told = running.communicate(timeout=60)
    assert running.returncode == 130, told
    assert "stopped; nothing half-written is left" in told
    assert [path.name for path in tmp_path.iterdir()] == ["log.parquet"]
