"""Write the exact rows that models are fitted on, for the R scripts beside this file.

Run by hand from the checkout: python tests/reference/export_rows.py FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd

from smo_research.datasets.catalog import dataset
from smo_research.datasets.load import load
from smo_research.evidence.comeback import OUTCOMES, comparable
from smo_research.evidence.lasting import EFFECTS
from smo_research.evidence.returning import first_contacts
from smo_research.evidence.samples import growth_sample, whole, without_effects
from smo_research.measures.panel import panel
from smo_research.tables import Tables, Windows

DATASETS = ("collegemsg", "mathoverflow")


def return_rows(tables: Tables, windows: Windows, model: str) -> pd.DataFrame:
    """Rows of H5: `model` is "landmark" or "negative control"."""
    contacts = first_contacts(tables.interactions, windows=windows)
    flags = dict.fromkeys(["answered", "returned", "elsewhere"], int)
    return comparable(whole(contacts.astype(flags)), OUTCOMES[model]).rows


def answering_rows(tables: Tables, windows: Windows, model: str) -> pd.DataFrame:
    """Rows of H3's total effect: `model` is "between" or "within"."""
    rows = panel(tables.interactions, windows=windows)
    sample = growth_sample(rows, "H3", windows=windows)
    return without_effects(sample, "lasting_audience", EFFECTS[model]).rows


def main(folder: str) -> None:
    """Write one file a data set and model, named data set.hypothesis.model.csv."""
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    for name in DATASETS:
        tables, windows = load(name), dataset(name).windows
        for model in OUTCOMES:
            rows = return_rows(tables, windows, model)
            rows.to_csv(place / f"{name}.h5.{model.replace(' ', '_')}.csv", index=False)
        for model in EFFECTS:
            rows = answering_rows(tables, windows, model)
            rows.to_csv(place / f"{name}.h3.{model}.csv", index=False)


if __name__ == "__main__":
    main(sys.argv[1])
