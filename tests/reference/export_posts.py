"""Write the rows of H1 on facebook-live and of the german-libraries snapshot, for R.

Run by hand from the checkout: python tests/reference/export_posts.py FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

from smo_research.datasets.load import load
from smo_research.evidence.crosssection import snapshot
from smo_research.evidence.posts import EFFECTS, post_rows
from smo_research.evidence.samples import without_effects


def main(folder: str) -> None:
    """Write one file a model, named data set.hypothesis.model.csv."""
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    posts = post_rows(load("facebook-live").posts)
    rows = without_effects(posts, "engagement", EFFECTS).rows
    rows.to_csv(place / "facebook-live.h1.posts.csv", index=False)
    accounts = snapshot(load("german-libraries")).dropna()
    accounts.to_csv(place / "german-libraries.h3.snapshot.csv", index=False)


if __name__ == "__main__":
    main(sys.argv[1])
