"""The committed figures of record, to show and to compare with what is made anew."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import pandas as pd

from smo_research.datasets.fetch import CHECKOUT
from smo_research.datasets.load import load
from smo_research.errors import DataError
from smo_research.report.album import KINDS, MANIFEST, Record, hash_of, read_manifest, save
from smo_research.report.compare import numbers_differ, pixels_differ, read_numbers
from smo_research.report.save import to_csv
from smo_research.report.words import count, listing
from smo_research.tables import Tables

FOLDER = "figures"
_ROWS_SHOWN = 8


def committed(folder: str | Path | None = None) -> Path:
    """Find the folder of the figures of record.

    Parameters
    ----------
    folder
        Where they are; by default `figures` of the checkout that the package runs from, else of
        the current folder or one above it.

    Raises
    ------
    DataError
        When there is no manifest of figures in any of them.
    """
    here = Path.cwd()
    homes = [CHECKOUT, here, *here.parents]
    places = [Path(folder)] if folder else [home / FOLDER for home in homes]
    for place in places:
        if (place / MANIFEST).is_file():
            return place
    raise DataError(
        f"There is no {MANIFEST} of the figures of record in {folder or 'a folder ' + FOLDER}; "
        "`smo figures` makes them."
    )


@dataclass(frozen=True, eq=False)
class Exhibit:
    """A committed figure of record; a notebook shows it with its caption and numbers.

    Attributes
    ----------
    name, title, caption
        As in the manifest.
    numbers
        What it shows, as committed.
    made
        Its entry in the manifest: data (data set to file to hash), numbers and plot (the
        functions that made it), seed, versions, sha256 of its files.
    picture
        The bytes of its PNG.
    """

    name: str
    title: str
    caption: str
    numbers: pd.DataFrame
    made: dict[str, Any] = field(repr=False)
    picture: bytes = field(repr=False)

    def origin(self) -> str:
        """Say in a sentence what it was made from."""
        data = listing(list(self.made["data"])) or "nothing but simulated worlds"
        seed = self.made["seed"]
        drawn = "no random numbers" if seed is None else f"random numbers from seed {seed}"
        return f"Made from {data}, with {drawn}, by {self.made['numbers']} and {self.made['plot']}."

    def _repr_html_(self) -> str:
        shown = self.numbers.to_html(
            index=False, na_rep="", max_rows=_ROWS_SHOWN, float_format="{:.4g}".format, border=0
        )
        source = f"data:image/png;base64,{b64encode(self.picture).decode('ascii')}"
        return (
            f'<figure><img src="{source}" alt="{escape(self.title)}" style="max-width: 860px; '
            f'width: 100%"><figcaption>{escape(self.caption)}</figcaption></figure>'
            f"<p><small>{escape(self.origin())}</small></p>"
            f"<details><summary>{escape(count(len(self.numbers), 'row'))} of numbers</summary>"
            f"{shown}</details>"
        )


def exhibit(name: str, *, folder: str | Path | None = None) -> Exhibit:
    """Give a committed figure of record.

    Parameters
    ----------
    name
        As in the manifest, such as "contest".
    folder
        As in `committed`.

    Raises
    ------
    DataError
        When there is no such figure.

    Examples
    --------
    >>> exhibit("contest").numbers["unit"].unique().tolist()
    ['nats per row']
    """
    place = committed(folder)
    entries = read_manifest(place)
    if name not in entries:
        raise DataError(
            f"There is no figure of record '{name}'; there are {listing(sorted(entries))}."
        )
    made = entries[name]
    numbers = read_numbers(place / f"{name}.csv")
    picture = (place / f"{name}.png").read_bytes()
    return Exhibit(name, made["title"], made["caption"], numbers, made, picture)


def contents(folder: str | Path | None = None) -> pd.DataFrame:
    """List the committed figures of record, and whether each is as the manifest says.

    Parameters
    ----------
    folder
        As in `committed`.

    Returns
    -------
    pandas.DataFrame
        One row a figure, named in the index: title, data, rows (of its numbers), seed (missing
        where no random numbers are used), as_listed (whether every file has the hash that the
        manifest names).
    """
    place = committed(folder)
    lines = {
        name: {
            "title": entry["title"],
            "data": ", ".join(entry["data"]) or "simulated",
            "rows": len(read_numbers(place / f"{name}.csv")),
            "seed": entry["seed"],
            "as_listed": all(
                hash_of(place / f"{name}.{kind}") == entry["sha256"][kind] for kind in KINDS
            ),
        }
        for name, entry in read_manifest(place).items()
    }
    table = pd.DataFrame.from_dict(lines, orient="index").astype({"seed": "Int64"})
    return table.rename_axis("figure")


@dataclass(frozen=True, eq=False)
class Given:
    """Sources of a figure of which only what is given of the study is at hand.

    Attributes
    ----------
    study
        Has the tables that were given.
    load
        Gives the canonical tables of a data set.
    """

    study: Any
    load: Callable[[str], Tables] = field(default=load, repr=False)
    absent: dict[str, str] = field(default_factory=dict)
    tell: Callable[[str], None] = field(default=lambda line: None, repr=False)

    def tables(self, name: str) -> Tables:
        """The canonical tables of a data set."""
        return self.load(name)

    def made_from(self, names: Any) -> dict[str, Any]:
        """Nothing is said of where it came from: what is made so is compared and not kept."""
        return {}


def given(**tables: pd.DataFrame) -> Given:
    """Let a figure of record be made from tables at hand, without the whole study.

    Parameters
    ----------
    tables
        Attributes of `smo_research.study.Study` that its numbers ask for, such as attention.
    """
    return Given(SimpleNamespace(**tables))


def as_written(numbers: pd.DataFrame) -> pd.DataFrame:
    """Round numbers made anew as a figure's file does, so that they can be set beside it.

    Examples
    --------
    >>> as_written(pd.DataFrame({"hours_since": [1 / 3]}))["hours_since"].tolist()
    [0.33333333]
    """
    with TemporaryDirectory() as passing:
        path = Path(passing) / "numbers.csv"
        to_csv(numbers, path)
        return read_numbers(path)


def compared(record: Record, made: pd.DataFrame, *, folder: str | Path | None = None) -> str:
    """Say whether numbers made anew, and the picture drawn of them, are the committed ones.

    Parameters
    ----------
    record
        The figure.
    made
        Its numbers.
    folder
        As in `committed`.

    Returns
    -------
    str
        The first difference, with its row and column; else that there is none.
    """
    kept = exhibit(record.name, folder=folder)
    if differs := numbers_differ(as_written(made), kept.numbers, keys=record.keys):
        return f"{record.name}: {differs}."
    with TemporaryDirectory() as passing:
        part = Path(passing)
        about = {key: kept.made[key] for key in ("hypotheses_sha256", "versions")}
        save(record, made, part, about=about)
        picture = f"{record.name}.png"
        differs = pixels_differ(part / picture, committed(folder) / picture)
    return f"{record.name}: {differs or 'the same numbers, the same picture'}."
