"""Write the matrices of the dyads of collegemsg, for R.

Run by hand from the checkout: python tests/reference/export_dyads.py FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from smo_research.datasets.load import load
from smo_research.evidence.dyads import dyad_matrices

SIZES = (60, 170)


def dyad_rows(accounts: int) -> pd.DataFrame:
    """One row an ordered pair, the diagonal too, target by target as R fills a matrix."""
    dyads = dyad_matrices(load("collegemsg").interactions, accounts=accounts)
    matrices = {"later": dyads.outcome, **dyads.predictors}
    return pd.DataFrame({name: np.ravel(one, order="F") for name, one in matrices.items()})


def main(folder: str) -> None:
    """Write one file a number of accounts, named collegemsg.dyads.accounts.csv."""
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    for accounts in SIZES:
        rows = dyad_rows(accounts)
        rows.to_csv(place / f"collegemsg.dyads.{accounts}.csv", index=False)


if __name__ == "__main__":
    main(sys.argv[1])
