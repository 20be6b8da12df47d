"""Write the intervals of the time-varying Cox model of H5, for R.

Run by hand from the checkout: python tests/reference/export_cox.py FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from smo_research.datasets.catalog import dataset
from smo_research.datasets.load import load
from smo_research.evidence.exposure import SINCE_THE_ANSWER, follow
from smo_research.evidence.return_models import CONTROLS, since_rows
from smo_research.evidence.returning import first_contacts

DATASETS = ("collegemsg", "mathoverflow")


def main(folder: str) -> None:
    """Write one file a data set, named data set.hypothesis.model.csv."""
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    for name in DATASETS:
        log, windows = load(name).interactions, dataset(name).windows
        contacts = first_contacts(log, windows=windows)
        rows, stretches, _ = since_rows(contacts, follow(log, contacts), windows=windows)
        # Only their order matters, and R's coxph goes astray where times are many and large.
        ends = np.unique(rows[["start_days", "stop_days"]])
        for end in ("start", "stop"):
            rows[end] = np.searchsorted(ends, rows[f"{end}_days"])
        assert stretches == list(SINCE_THE_ANSWER)
        columns = ["account_id", "start", "stop", "acted_again", *SINCE_THE_ANSWER, *CONTROLS]
        rows[columns].to_csv(place / f"{name}.h5.cox.csv", index=False)


if __name__ == "__main__":
    main(sys.argv[1])
