"""Logs of any size with heavy-tailed activity, for the benchmarks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

DAYS = 730
CHUNK = 5_000_000
ACTS_PER_ACCOUNT = 20


def write_log(path: Path, acts: int, *, seed: int = 1) -> None:
    """Write a canonical table `interactions` as Parquet, in order of time.

    Accounts act and are acted toward in proportion to a Pareto weight (exponent 1.5); three acts
    in ten go back along an earlier pair of the same chunk, so that there are exchanges.
    """
    rng = np.random.default_rng(seed)
    accounts = max(acts // ACTS_PER_ACCOUNT, 50)
    weight = rng.pareto(1.5, accounts) + 1
    edges = np.cumsum(weight) / weight.sum()
    writer = None
    done = 0
    while done < acts:
        n = min(CHUNK, acts - done)
        source = np.searchsorted(edges, rng.random(n))
        target = np.searchsorted(edges, rng.random(n))
        back = np.flatnonzero(rng.random(n) < 0.3)
        back = back[back > 0]
        partner = back - 1 - (rng.pareto(1.0, len(back)) * 50).astype(np.int64) % back
        source[back], target[back] = target[partner], source[partner]
        share = (done + np.sort(rng.random(n)) * n) / acts
        at = 1_262_304_000_000_000 + (share * DAYS * 86_400e6).astype(np.int64)
        table = pa.table(
            {
                "source_id": pa.array(np.char.add("u", source.astype(str))),
                "target_id": pa.array(np.char.add("u", target.astype(str))),
                "created_at": pa.array(at, pa.timestamp("us", tz="UTC")),
                "seq": pa.array(np.arange(done, done + n)),
                "kind": pa.array(np.full(n, "message")).dictionary_encode(),
            }
        )
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
        done += n
    if writer:
        writer.close()
