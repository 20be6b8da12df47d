"""What a workshop hands out: notebooks without solutions, worlds, data that may be passed on."""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from string import Template, ascii_uppercase
from typing import Any

import numpy as np

from smo_research.datasets.catalog import Dataset, catalog
from smo_research.datasets.fetch import CHECKOUT, cache_dir, fetch
from smo_research.errors import DataError, FetchError, SmoError
from smo_research.output import check_folder
from smo_research.simulation.scenarios import SCENARIOS
from smo_research.simulation.simulated import write as write_world

EMPTY = "# Your code here"
STUDENTS, INSTRUCTOR = "smo_workshop", "smo_workshop_instructor"
WORLD = {"accounts": 200, "periods": 26}
SEED = 11
# The terms under which each kind of licence lets a copy be handed on, unchanged.
TERMS = {
    "CC BY 4.0": "Creative Commons Attribution 4.0, https://creativecommons.org/licenses/by/4.0/",
    "CC BY-SA": "Creative Commons Attribution-ShareAlike, in the version under which each post "
    "was written (2.5 or 3.0), https://creativecommons.org/licenses/by-sa/3.0/; whatever is made "
    "from it must be passed on under the same terms",
}
WITHHELD = {
    "delab-twitter": "its files hold account ids of people, which become pseudonyms only on "
    "reading, so each has to fetch it from the publisher",
    "delab-reddit": "its files hold account ids of people, which become pseudonyms only on "
    "reading, so each has to fetch it from the publisher",
}
_EPOCH = (1980, 1, 1, 0, 0, 0)
_EVERY = re.compile(r"smo\.reproduce\(\s*\)")
_QUOTED = re.compile(r"""["']([\w-]+)["']""")


def student_copy(notebook: dict[str, Any]) -> dict[str, Any]:
    """Take the solutions out of a notebook.

    Parameters
    ----------
    notebook
        As its JSON has it; it is not changed.

    Returns
    -------
    dict
        Code cells tagged "solution" become one empty cell an exercise; markdown cells tagged so
        go. All else is kept.

    Examples
    --------
    >>> cell = {"cell_type": "code", "metadata": {"tags": ["solution"]}, "source": "6 * 7"}
    >>> student_copy({"cells": [cell]})["cells"][0]["source"]
    '# Your code here'
    """
    kept: list[dict[str, Any]] = []
    for cell in notebook["cells"]:
        if not is_tagged(cell, "solution"):
            kept.append(cell)
        elif cell["cell_type"] == "code" and not (kept and is_tagged(kept[-1], "yours")):
            blank: dict[str, Any] = {"source": EMPTY, "outputs": [], "execution_count": None}
            kept.append(cell | blank | {"metadata": {"tags": ["yours"]}})
    return {**notebook, "cells": kept}


def is_tagged(cell: dict[str, Any], tag: str) -> bool:
    """Say whether a cell of a notebook has a tag."""
    return tag in cell.get("metadata", {}).get("tags", [])


def why_not(entry: Dataset) -> str:
    """Say why a data set may not be passed on; empty where it may.

    Only a licence that is known to allow it counts: no word means no.

    Examples
    --------
    >>> from smo_research.datasets.catalog import dataset
    >>> why_not(dataset("facebook-metrics"))
    ''
    >>> why_not(dataset("collegemsg"))
    'its licence (none stated; citation asked for) does not say that it may be passed on'
    """
    if entry.name in WITHHELD:
        return WITHHELD[entry.name]
    if entry.licence.startswith(tuple(TERMS)):
        return ""
    return f"its licence ({entry.licence}) does not say that it may be passed on"


def make(folder: Path, *, with_wheel: bool = True, tell: Callable[[str], None] = print) -> None:
    """Make two zips, one for those who learn and one for who teaches.

    Parameters
    ----------
    folder
        Where they go, beside the same unpacked; what an earlier run left there is replaced.
    with_wheel
        Whether to build the package for them to install.
    tell
        Takes a line for each thing done or left out.

    Raises
    ------
    DataError
        When the package does not run from a checkout, which has the notebooks.
    SmoError
        When the wheel cannot be built.
    """
    notebooks = CHECKOUT / "notebooks"
    if not (notebooks / "workshop").is_dir():
        raise DataError("The workshop is made from a checkout of the project; this is none.")
    check_folder(folder)
    with tempfile.TemporaryDirectory() as temporary:
        students, instructor = Path(temporary, STUDENTS), Path(temporary, INSTRUCTOR)
        instructor.mkdir()
        copies = sorted(notebooks.glob("[0-9][0-9]_*.ipynb"))
        _copy_notebooks(copies, students / "notebooks", instructor / "solutions")
        left_out = _copy_data(students / "data", tell)
        _make_worlds(students / "worlds", instructor / "worlds")
        wheel = _build_wheel(students).name if with_wheel else "smo_research"
        shutil.copy2(notebooks / "workshop" / "start.py", students)
        shutil.copy2(CHECKOUT / "LICENSE", students)
        # Notebooks 07 to 09 show them.
        shutil.copytree(CHECKOUT / "figures", students / "figures")
        shutil.copy2(notebooks / "workshop" / "instructor_guide.md", instructor)
        readme = Template((notebooks / "workshop" / "README.md").read_text(encoding="utf-8"))
        words = readme.substitute(
            notebooks=_notebook_lines(copies, left_out),
            left_out=_bullets(left_out),
            worlds=", ".join(path.name for path in sorted((students / "worlds").iterdir())),
            wheel=wheel,
        )
        (students / "README.md").write_text(words, encoding="utf-8")
        folder.mkdir(parents=True, exist_ok=True)
        for part in (students, instructor):
            shutil.rmtree(folder / part.name, ignore_errors=True)
            shutil.copytree(part, folder / part.name)
            zipped = _pack(part, folder / f"{part.name}.zip")
            tell(f"{zipped} ({zipped.stat().st_size / 2**20:.1f} MiB)")


def needs(notebook: dict[str, Any]) -> list[str]:
    """List the data sets whose names stand in the code of a notebook."""
    code = "\n".join(
        "".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"
    )
    quoted = set(_QUOTED.findall(code))
    return [name for name in catalog() if name in quoted or _EVERY.search(code)]


def _copy_notebooks(copies: list[Path], without: Path, complete: Path) -> None:
    without.mkdir(parents=True)
    complete.mkdir(parents=True)
    for path in copies:
        shutil.copy2(path, complete)
        copy = student_copy(json.loads(path.read_text(encoding="utf-8")))
        words = json.dumps(copy, indent=1, ensure_ascii=False) + "\n"
        (without / path.name).write_text(words, encoding="utf-8")


def _copy_data(folder: Path, tell: Callable[[str], None]) -> dict[str, str]:
    """Copy the published files that may be passed on, and say why the others are not there."""
    left_out, passed_on = {}, []
    for name, entry in catalog().items():
        reason = why_not(entry)
        try:
            paths = [] if reason else fetch(name)
        except FetchError as error:
            tell(f"without {name}: {error}")
            reason = "it could not be had when this was made"
        if reason:
            left_out[name] = reason
            continue
        for path in paths:
            target = folder / path.relative_to(cache_dir())
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
        passed_on.append(_attribution(entry))
    folder.mkdir(parents=True, exist_ok=True)
    head = "# Where the data here come from\n\nEach file is as its publisher has it; none was "
    head += "changed. Whoever passes them on must pass on this page too.\n\n"
    (folder / "ATTRIBUTION.md").write_text(head + "\n".join(passed_on), encoding="utf-8")
    return left_out


def _attribution(entry: Dataset) -> str:
    terms = next(words for licence, words in TERMS.items() if entry.licence.startswith(licence))
    lines = [
        f"## {entry.name}\n",
        f"{entry.title}.\n",
        f"- By: {entry.citation}",
        f"- From: <{entry.homepage}>",
        f"- How it was made: {entry.collected}",
        f"- Licence: {entry.licence}. {terms}",
    ]
    return "\n".join(lines) + "\n"


def _make_worlds(without: Path, complete: Path) -> None:
    """Every scenario as canonical tables under a letter; which is which is told elsewhere."""
    names = np.random.default_rng(SEED).permutation(list(SCENARIOS)).tolist()
    complete.mkdir(parents=True)
    key = []
    for letter, name in zip(ascii_uppercase, names, strict=False):
        write_world(SCENARIOS[name].turned(**WORLD), without / letter, seed=SEED)
        (without / letter / "truth.json").rename(complete / f"{letter}.json")
        key.append(f"| {letter} | {name} |")
    table = "\n".join(["# Which world is which\n", "| folder | scenario |", "|---|---|", *key])
    (complete / "key.md").write_text(table + "\n", encoding="utf-8")


def _build_wheel(folder: Path) -> Path:
    """Build from a copy, so that no earlier build of the checkout gets into it."""
    with tempfile.TemporaryDirectory() as temporary:
        sources = Path(temporary)
        for name in ("pyproject.toml", "README.md", "LICENSE"):
            shutil.copy2(CHECKOUT / name, sources)
        passing = shutil.ignore_patterns("__pycache__")
        shutil.copytree(CHECKOUT / "smo_research", sources / "smo_research", ignore=passing)
        command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--quiet"]
        command += ["--disable-pip-version-check", "-w", str(folder), str(sources)]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = list(folder.glob("*.whl"))
    if run.returncode or not wheels:
        said = [line for line in run.stderr.splitlines() if line.strip()] or ["pip said nothing"]
        raise SmoError(
            f"The wheel could not be built ({said[-1].strip()}); building needs setuptools, "
            "which pip fetches, so try again with a network."
        )
    return wheels[0]


def _notebook_lines(copies: list[Path], left_out: dict[str, str]) -> str:
    """A row a notebook: what it needs, and whether all of that is here."""
    rows = []
    for path in copies:
        wanted = needs(json.loads(path.read_text(encoding="utf-8")))
        missing = [name for name in wanted if name in left_out]
        runs = "yes" if not missing else f"after fetching {', '.join(missing)}"
        rows.append(f"| `{path.name}` | {', '.join(wanted) or 'no data'} | {runs} |")
    return "\n".join(rows)


def _bullets(reasons: dict[str, str]) -> str:
    return "\n".join(f"- **{name}**: {reason}." for name, reason in reasons.items())


def _pack(folder: Path, target: Path) -> Path:
    """Zip a folder in a fixed order and with a fixed date: the same files, the same bytes."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            inside = zipfile.ZipInfo(path.relative_to(folder.parent).as_posix(), _EPOCH)
            inside.compress_type, inside.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(inside, path.read_bytes())
    return target


def main() -> None:
    """Make the zips; `python -m smo_research.workshop -o DIR`."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("-o", "--output", type=Path, default=Path("build/workshop"))
    try:
        make(options.parse_args().output)
    except SmoError as error:
        print(f"smo: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
