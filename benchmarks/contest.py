"""How long the contest of blocks takes on mathoverflow: every subset refitted in every draw.

python benchmarks/contest.py               # 1,000 draws, as the study does
python benchmarks/contest.py --draws 99
"""

from __future__ import annotations

import argparse
import os

# Before NumPy is imported: one thread, so that seconds are those of one processor.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import datetime
import platform
import resource
import sys
import time

from smo_research.datasets.catalog import dataset
from smo_research.datasets.load import load
from smo_research.evidence.count_contest import contributions
from smo_research.evidence.splits import DRAWS
from smo_research.measures.panel import panel

NAME = "mathoverflow"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=DRAWS)
    args = parser.parse_args()
    windows = dataset(NAME).windows
    rows = panel(load(NAME).interactions, windows=windows)
    began, processor = time.perf_counter(), time.process_time()
    result = contributions(rows, windows=windows, dataset=NAME, draws=args.draws)
    seconds, processor = time.perf_counter() - began, time.process_time() - processor
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
    columns = ["block", "term", "estimate", "ci_low", "ci_high", "p_value", "n_obs", "n_accounts"]
    print(result.table[columns].to_string(index=False, float_format="{:.3g}".format))
    print(
        f"\n{args.draws:,} draws: {seconds:.1f} seconds, {processor:.1f} of the processor; peak "
        f"memory {peak:,.0f} MB. {datetime.date.today()}; {platform.system()} "
        f"{platform.machine()}, one thread; Python {platform.python_version()}."
    )


if __name__ == "__main__":
    main()
