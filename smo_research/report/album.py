"""The album of figures of record: each with its numbers, and a manifest of what made them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from smo_research.errors import DataError
from smo_research.report.compare import read_numbers
from smo_research.report.save import save_figure, to_csv
from smo_research.tables import Tables

MANIFEST = "manifest.json"
KINDS = ("csv", "svg", "png")
_SHADES = 256
_HEAD = """# Figures of record

The figures that this project shows to the world. `smo figures` makes them all from the published
files, this page and `manifest.json` too: per figure what made it, the data sets with the hashes of
their files, seed, versions, and the hashes of what is here. `smo figures --verify` makes them
elsewhere and compares, numbers first. Do not edit anything here by hand.

Each figure is an SVG and a PNG, legible when printed 180 mm wide, and beside them stand its numbers
as a CSV: what is drawn and nothing else, sums over five people or more. None of the data is here.
Everything shown is an association in what people happened to do, not an experiment.
"""


class Sources(Protocol):
    """What figures are made from: the study of the data sets at hand, and their tables."""

    @property
    def study(self) -> Any:
        """The study in its full form (`smo_research.study.Study`), run once for all figures."""

    @property
    def absent(self) -> dict[str, str]:
        """Data set to the reason why it cannot be had."""

    @property
    def tell(self) -> Callable[[str], None]:
        """Is told in one line what is being done."""

    def tables(self, name: str) -> Tables:
        """Give the canonical tables of a data set."""

    def made_from(self, names: Iterable[str]) -> dict[str, Any]:
        """Say for the manifest what a figure of these data sets is made from."""


@dataclass(frozen=True, eq=False)
class Record:
    """A figure of record.

    Attributes
    ----------
    name
        Of its files, without an ending.
    title, caption
        What it is, and what a reader must know to read it.
    datasets
        The data sets that it needs; none where everything is simulated.
    numbers
        Makes its tidy numbers from the sources.
    plot
        Draws them. It is given the numbers as they were written, so that nothing is drawn that
        is not in the file.
    keys
        The columns that name a row.
    seed
        Of the random numbers; None where none are used.
    """

    name: str
    title: str
    caption: str
    datasets: tuple[str, ...]
    numbers: Callable[[Sources], pd.DataFrame]
    plot: Callable[[pd.DataFrame], Figure | Axes]
    keys: tuple[str, ...]
    seed: int | None = None


def save(record: Record, numbers: pd.DataFrame, folder: Path, *, about: dict[str, Any]) -> dict:
    """Write the numbers of a figure, and its pictures.

    Parameters
    ----------
    record, numbers
        The figure and what it shows.
    folder
        Where to.
    about
        What else made it: data (data set to file to hash), versions, hypotheses_sha256.

    Returns
    -------
    dict
        Its entry in the manifest.
    """
    files = {kind: folder / f"{record.name}.{kind}" for kind in KINDS}
    to_csv(numbers, files["csv"])
    provenance = {
        "figure": record.name,
        "hypotheses": about["hypotheses_sha256"],
        "numbers": hash_of(files["csv"]),
        "smo_research": about["versions"]["smo_research"],
    }
    drawn = record.plot(read_numbers(files["csv"]))
    figure = drawn if isinstance(drawn, Figure) else drawn.get_figure(root=True)
    save_figure(drawn, folder / record.name, provenance=provenance)
    plt.close(figure)
    _lighten(files["png"])
    return {
        "title": record.title,
        "caption": record.caption,
        "numbers": _called(record.numbers),
        "plot": _called(record.plot),
        "seed": record.seed,
        **about,
        "sha256": {kind: hash_of(path) for kind, path in files.items()},
    }


def hash_of(path: Path) -> str:
    """Return the sha256 of a file."""
    return sha256(path.read_bytes()).hexdigest()


def write_contents(entries: dict[str, dict], folder: Path) -> None:
    """Write the manifest, and the page that shows every figure in it."""
    text = json.dumps({"figures": entries}, indent=2, sort_keys=True, ensure_ascii=False)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")
    page = [_HEAD, *(_section(name, entry) for name, entry in entries.items())]
    (folder / "README.md").write_text("\n".join(page), encoding="utf-8")


def read_manifest(folder: Path) -> dict[str, dict]:
    """Read the entries of the manifest, by figure.

    Raises
    ------
    DataError
        When there is no manifest, or the file is not one.
    """
    path = folder / MANIFEST
    try:
        return dict(json.loads(path.read_text(encoding="utf-8"))["figures"])
    except FileNotFoundError:
        raise DataError(f"{path}: there is no manifest; run smo figures first.") from None
    except (ValueError, KeyError, TypeError):
        raise DataError(f"{path}: is no manifest of figures; run smo figures anew.") from None


def _section(name: str, entry: dict) -> str:
    data = ", ".join(entry["data"]) or "simulated"
    return (
        f"## {entry['title']}\n\n![{entry['title']}]({name}.png)\n\n{entry['caption']}\n\n"
        f"Files: [{name}.svg]({name}.svg), [{name}.csv]({name}.csv). Data: {data}.\n"
    )


def _lighten(path: Path) -> None:
    """Save a PNG with a palette: a third of its size, and no shade seen to change."""
    with Image.open(path) as picture:
        notes = PngInfo()
        for key, value in picture.info.items():
            if isinstance(value, str):
                notes.add_text(str(key), value)
        few = picture.convert("RGB").quantize(
            _SHADES, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE
        )
        few.save(path, format="png", optimize=True, pnginfo=notes, dpi=picture.info["dpi"])


def _called(function: Callable[..., object]) -> str:
    """Name a function as one would import it, with what it was given."""
    if isinstance(function, partial):
        given = ", ".join(f"{name}={value!r}" for name, value in function.keywords.items())
        return f"{_called(function.func)}({given})"
    return f"{function.__module__}.{function.__qualname__}"
