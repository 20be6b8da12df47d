"""Make small clustered data sets and what the package wildboottest says of them.

Run by hand from the checkout, with wildboottest installed:
python tests/reference/wild_bootstrap.py tests/reference
"""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import statsmodels.api as sm
from wildboottest.wildboottest import wildboottest

DRAWS = 99_999
DIGITS = 6


def world(name: str, *, sizes: list[int], effect: float, seed: int) -> pd.DataFrame:
    """Rows of clusters of unequal size, with errors that rows of a cluster share."""
    rng = np.random.default_rng(seed)
    cluster = np.repeat(np.arange(len(sizes)), sizes)
    n = len(cluster)
    control = rng.normal(size=n)
    x = rng.normal(size=len(sizes))[cluster] + 0.5 * control + rng.normal(size=n)
    scale = rng.uniform(0.5, 2, len(sizes))[cluster]
    shared = rng.normal(size=len(sizes))[cluster]
    y = 1 + effect * x + 0.3 * control + shared + scale * rng.normal(size=n)
    rows = {"dataset": name, "cluster": cluster, "season": np.arange(n) % 4, "y": y, "x": x}
    return pd.DataFrame(rows | {"control": control}).round(DIGITS)


WORLDS = {
    "no effect": world("no effect", sizes=[6, 8, 10, 12, 5, 9, 7, 11], effect=0.0, seed=1),
    "effect": world("effect", sizes=[4, 6, 20, 8, 5, 7, 9, 6, 12, 5, 6, 8], effect=0.35, seed=2),
    "dummies": world("dummies", sizes=[10] * 9, effect=0.25, seed=3),
}


def design_of(name: str, rows: pd.DataFrame) -> pd.DataFrame:
    """Full rank: a constant and the control, or the effects of cluster and season without one."""
    design = rows[["x", "control"]].assign(constant=1.0)
    if name == "dummies":
        for column in ("cluster", "season"):
            dummies = pd.get_dummies(rows[column], prefix=column, drop_first=True, dtype=float)
            design = design.join(dummies)
    return design


def main(folder: str) -> None:
    """Write the rows, and one line a data set."""
    lines = []
    for name, rows in WORLDS.items():
        design = design_of(name, rows)
        options = {"param": "x", "weights_type": "webb", "impose_null": True}
        fit = wildboottest(
            sm.OLS(rows["y"], design),
            B=DRAWS,
            cluster=rows["cluster"],
            bootstrap_type="11",
            seed=1,
            parallel=False,
            show=False,
            **options,
        )
        t, p = (float(np.ravel(fit[column])[0]) for column in ("statistic", "p-value"))
        lines.append({"dataset": name, "t": t, "p": p, "draws": DRAWS})
    place = Path(folder)
    packages = ", ".join(f"{one} {version(one)}" for one in ("wildboottest", "statsmodels"))
    text = pd.DataFrame(lines).to_csv(index=False, float_format="%.8g")
    (place / "wild_bootstrap.csv").write_text(f"# {packages}\n{text}")
    pd.concat(WORLDS.values()).to_csv(place / "wild_bootstrap_rows.csv", index=False)


if __name__ == "__main__":
    main(sys.argv[1])
