"""Logs of any size with heavy-tailed activity, for the benchmarks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

DAYS = 730
CHUNK = 5_000_000
ACTS_PER_ACCOUNT = 16
TAIL = 1.1
MET_BEFORE = 0.75


def write_log(path: Path, acts: int, *, seed: int = 1) -> None:
    """Write a canonical table `interactions` as Parquet, in order of time.

    Accounts act and are acted toward in proportion to a Pareto weight; some acts are between two
    who met before in the same chunk, as often one way as the other. The amounts are chosen so that
    the log resembles mathoverflow: there the busiest hundredth of those who act does 47 % of the
    acts, and there are 0.58 directed pairs and 0.28 rows of a panel (28 days) an act; here, at a
    million acts, 50 %, 0.59 and 0.44.
    """
    rng = np.random.default_rng(seed)
    accounts = max(acts // ACTS_PER_ACCOUNT, 50)
    weight = rng.pareto(TAIL, accounts) + 1
    edges = np.cumsum(weight) / weight.sum()
    writer = None
    done = 0
    while done < acts:
        n = min(CHUNK, acts - done)
        source = np.searchsorted(edges, rng.random(n))
        target = np.searchsorted(edges, rng.random(n))
        again = np.flatnonzero(rng.random(n) < MET_BEFORE)
        again = again[again > 0]
        earlier = again - 1 - (rng.pareto(1.0, len(again)) * 50).astype(np.int64) % again
        ends = np.stack([source[earlier], target[earlier]])
        source[again], target[again] = np.where(rng.random(len(again)) < 0.5, ends, ends[::-1])
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
