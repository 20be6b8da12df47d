"""MRQAP beside sna::netlm in R, on the same matrices in one run.

    python benchmarks/mrqap.py [--accounts 170] [--predictors 3] [--permutations 1000]

Both get the same made-up matrices, with effects of the accounts, and start from them in memory;
each is a process of its own. It is said how many seconds of one processor each took, how far
coefficients, t and p are apart, and the ratio. R needs the package sna.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

REPEATS = 3
SNA = """
suppressPackageStartupMessages(library(sna))
args <- commandArgs(trailingOnly = TRUE)
n <- as.integer(args[2])
p <- as.integer(args[3])
values <- readBin(file.path(args[1], "matrices.bin"), "double", n = (p + 1) * n^2)
all <- aperm(array(values, c(n, n, p + 1)), c(3, 2, 1))
set.seed(1)
reps <- as.integer(args[4])
took <- system.time(
  fit <- netlm(all[1, , ], all[-1, , , drop = FALSE], nullhyp = "qapspp", reps = reps)
)
write.csv(
  data.frame(estimate = fit$coefficients, t = fit$tstat, p = fit$pgreqabs),
  file.path(args[1], "sna.csv"), row.names = FALSE
)
cat(took[["user.self"]] + took[["sys.self"]])
"""


def matrices(accounts: int, predictors: int) -> np.ndarray:
    """Make y (first) and the predictors; rows and columns have effects of their own."""
    rng = np.random.default_rng(1)
    shape = (predictors + 1, accounts)
    values = rng.normal(size=(*shape, accounts))
    values += rng.normal(size=shape)[:, :, None] + rng.normal(size=shape)[:, None, :]
    values[0] += 0.05 * values[1]
    return values


def run_ours(folder: Path, accounts: int, permutations: int) -> None:
    """Time ours and write what it found."""
    from smo_research.evidence.mrqap import mrqap

    values = np.fromfile(folder / "matrices.bin").reshape(-1, accounts, accounts)
    x = {f"x{place}": one for place, one in enumerate(values[1:], 1)}
    taken = []
    while len(taken) < REPEATS and sum(taken) < 10:
        began = time.process_time()
        result = mrqap(values[0], x, n_permutations=permutations, seed=1)
        taken.append(time.process_time() - began)
    table = result.table.assign(t=result.table["estimate"] / result.table["std_error"])
    table.to_csv(folder / "ours.csv", index=False)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    print(json.dumps({"seconds": min(taken), "peak_gib": peak}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--accounts", type=int, default=170)
    parser.add_argument("--predictors", type=int, default=3)
    parser.add_argument("--permutations", type=int, default=1000)
    parser.add_argument("--without-sna", action="store_true", help="time ours alone")
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.folder:
        run_ours(asked.folder, asked.accounts, asked.permutations)
        return
    os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
    problem = [str(asked.accounts), str(asked.predictors), str(asked.permutations)]
    print("{} accounts, {} predictors, {} permutations".format(*problem))
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        matrices(asked.accounts, asked.predictors).tofile(folder / "matrices.bin")
        command = [sys.executable, __file__, *sys.argv[1:], "--folder", place]
        told = json.loads(run(command))
        print(f"ours: {told['seconds']:.2f} s, {told['peak_gib']:.2f} GiB at most")
        if asked.without_sna:
            return
        (folder / "sna.R").write_text(SNA)
        seconds = float(run(["Rscript", str(folder / "sna.R"), place, *problem]))
        print(f"sna::netlm: {seconds:.1f} s")
        compare(folder)
        print(f"ratio: {seconds / told['seconds']:.0f}")


def run(command: list[str]) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def compare(folder: Path) -> None:
    """Stop where the two do not agree."""
    import pandas as pd

    ours, theirs = (pd.read_csv(folder / f"{name}.csv") for name in ("ours", "sna"))
    for name in ("estimate", "t"):
        apart = (ours[name] - theirs[name]).abs().max()
        print(f"{name}: at most {apart:.1e} apart")
        if apart > 1e-8:
            raise SystemExit(f"{name} differs")
    print(f"p: at most {(ours['p_value'] - theirs['p']).abs().max():.3f} apart")


if __name__ == "__main__":
    main()
