"""What a workshop hands out: no solutions, no data that may not be passed on, no network."""

from __future__ import annotations

import ast
import builtins
import hashlib
import json
import zipfile
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpecManager
from nbclient import NotebookClient

from smo_research import workshop
from smo_research.datasets.catalog import catalog
from smo_research.datasets.fetch import cache_dir
from smo_research.errors import DataError, FetchError
from smo_research.report import exhibits
from smo_research.simulation.worlds import World
from smo_research.workshop import EMPTY, INSTRUCTOR, STUDENTS, is_tagged, needs, student_copy

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
WORKSHOP = ROOT / "notebooks/11_workshop_build_a_world.ipynb"
PASSED_ON = {
    "mathoverflow",
    "youtube-entertainment",
    "news-attention",
    "german-libraries",
    "facebook-metrics",
    "facebook-live",
}
CLOSED = "http://127.0.0.1:9"

each = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


class OwnKernel(AsyncKernelManager):
    """Runs on the interpreter of the tests, whatever kernels the machine has installed."""

    def __init__(self, **options: object) -> None:
        super().__init__(**options, kernel_spec_manager=KernelSpecManager(kernel_dirs=[]))


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def text(cell):
    return "".join(cell["source"])


def cell(kind, source, *tags):
    return {"cell_type": kind, "metadata": {"tags": list(tags)}, "source": source}


def test_a_copy_keeps_all_but_the_solutions():
    notebook = {
        "cells": [
            cell("markdown", "**1.** Add them.", "exercise"),
            cell("code", "1 + 2", "solution"),
            cell("code", "3 + 4", "solution"),
            cell("markdown", "It is seven.", "solution"),
            cell("code", "print()"),
        ]
    }
    before = json.dumps(notebook)
    assert [text(one) for one in student_copy(notebook)["cells"]] == [
        "**1.** Add them.",
        EMPTY,
        "print()",
    ]
    assert json.dumps(notebook) == before


@each
def test_a_student_copy_holds_no_solution(path):
    notebook = read(path)
    copy = student_copy(notebook)
    nbformat.validate(nbformat.from_dict(copy))
    assert not [one for one in copy["cells"] if is_tagged(one, "solution")]
    held = {text(one) for one in copy["cells"]}
    assert not held & {text(one) for one in notebook["cells"] if is_tagged(one, "solution")}
    others = [one for one in notebook["cells"] if not is_tagged(one, "solution")]
    assert [one for one in copy["cells"] if text(one) != EMPTY] == others


@each
def test_every_exercise_has_a_solution(path):
    kinds = [
        "exercise"
        if is_tagged(one, "exercise")
        else "solution"
        if is_tagged(one, "solution")
        else "other"
        for one in read(path)["cells"]
    ]
    for place, kind in enumerate(kinds):
        if kind == "exercise":
            assert kinds[place + 1 : place + 2] == ["solution"], read(path)["cells"][place]
        if kind == "solution":
            assert kinds[place - 1] in ("exercise", "solution")


def test_the_workshop_has_both_traps_in_steps():
    words = "\n".join(text(one) for one in read(WORKSHOP)["cells"] if is_tagged(one, "exercise"))
    assert words.count("in three steps (guided)") == 2
    assert words.count("Step three") == 2


def names(source):
    """Names that a cell binds, and those that it needs from before."""
    bound, used = set(), set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Name):
            (used if isinstance(node.ctx, ast.Load) else bound).add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.arg)):
            bound.add(node.name if isinstance(node, ast.FunctionDef) else node.arg)
        elif isinstance(node, ast.alias):
            bound.add((node.asname or node.name).split(".")[0])
    return bound, used - bound


@each
def test_nothing_later_needs_what_a_solution_made(path):
    known = {*dir(builtins), "display"}
    for one in student_copy(read(path))["cells"]:
        if one["cell_type"] == "code":
            bound, used = names(text(one))
            assert used <= known, f"{used - known} in: {text(one)}"
            known |= bound


def test_only_what_is_known_to_allow_it_is_passed_on():
    assert {name for name, entry in catalog().items() if not workshop.why_not(entry)} == PASSED_ON


@pytest.fixture
def small(empty_cache, monkeypatch):
    """Small worlds, and files for every data set of the catalogue."""

    def pretend(name):
        paths = [cache_dir() / "raw" / name / one[0].path for one in catalog()[name].sources]
        for path in paths:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{name}: {path.name}")
        return paths

    monkeypatch.setattr(workshop, "fetch", pretend)
    monkeypatch.setattr(workshop, "WORLD", {"accounts": 20, "periods": 12})
    monkeypatch.setattr(workshop, "SCENARIOS", {"null": World(), "talent": World(talent=1.0)})
    return pretend


def inside(folder, name):
    with zipfile.ZipFile(folder / f"{name}.zip") as archive:
        return {path.removeprefix(f"{name}/"): archive.read(path) for path in archive.namelist()}


def test_the_zip_holds_nothing_that_its_licence_forbids(small, tmp_path):
    told = []
    workshop.make(tmp_path / "out", with_wheel=False, tell=told.append)
    files = inside(tmp_path / "out", STUDENTS)
    expected = {
        f"data/raw/{name}/{one[0].path}" for name in PASSED_ON for one in catalog()[name].sources
    }
    assert {name for name in files if name.startswith("data/raw/")} == expected
    page, readme = (files[name].decode() for name in ("data/ATTRIBUTION.md", "README.md"))
    for name, entry in catalog().items():
        if name in PASSED_ON:
            assert all(part in page for part in (entry.citation, entry.licence, entry.homepage))
        else:
            assert f"- **{name}**: " in readme
            assert entry.citation not in page
    assert "$" not in readme
    assert len(told) == 2


def test_students_get_neither_solutions_nor_truth(small, tmp_path):
    workshop.make(tmp_path, with_wheel=False, tell=lambda line: None)
    files, instructor = inside(tmp_path, STUDENTS), inside(tmp_path, INSTRUCTOR)
    assert not [name for name in files if "truth" in name or "key" in name or "guide" in name]
    for path in NOTEBOOKS:
        solutions = [text(one) for one in read(path)["cells"] if is_tagged(one, "solution")]
        copy = json.loads(files[f"notebooks/{path.name}"])
        assert not {text(one) for one in copy["cells"]} & set(solutions)
        assert json.loads(instructor[f"solutions/{path.name}"]) == read(path)
    assert {"instructor_guide.md", "worlds/key.md", "worlds/A.json"} <= set(instructor)
    world = json.loads(instructor["worlds/A.json"])["world"]
    accounts = pd.read_parquet(tmp_path / STUDENTS / "worlds/A/accounts.parquet")
    assert len(accounts) == world["accounts"]


def test_the_notebooks_find_the_figures_of_record_in_the_zip(small, tmp_path, monkeypatch):
    workshop.make(tmp_path / "out", with_wheel=False, tell=lambda line: None)
    # As installed from the wheel, and not from a checkout.
    monkeypatch.setattr(exhibits, "CHECKOUT", tmp_path)
    monkeypatch.chdir(tmp_path / "out" / STUDENTS / "notebooks")
    assert exhibits.contents()["as_listed"].all()
    assert exhibits.exhibit("contest").picture.startswith(b"\x89PNG")


def test_the_same_zip_each_time(small, tmp_path):
    hashes = set()
    for name in ("first", "second"):
        workshop.make(tmp_path / name, with_wheel=False, tell=lambda line: None)
        data = (tmp_path / name / f"{STUDENTS}.zip").read_bytes()
        hashes.add(hashlib.sha256(data).hexdigest())
    assert len(hashes) == 1


def test_what_cannot_be_had_is_said(small, tmp_path, monkeypatch):
    def broken(name):
        if name == "facebook-live":
            raise FetchError("no network in this test")
        return small(name)

    monkeypatch.setattr(workshop, "fetch", broken)
    told = []
    workshop.make(tmp_path, with_wheel=False, tell=told.append)
    files = inside(tmp_path, STUDENTS)
    assert "- **facebook-live**: it could not be had" in files["README.md"].decode()
    assert told[0] == "without facebook-live: no network in this test"


def test_outside_of_a_checkout_it_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(workshop, "CHECKOUT", tmp_path)
    with pytest.raises(DataError, match="from a checkout"):
        workshop.make(tmp_path / "out")


def test_what_a_notebook_needs_is_read_off_its_code():
    code = [cell("code", 'smo.load("higgs")'), cell("markdown", '"lobsters"')]
    assert needs({"cells": code}) == ["higgs"]
    assert needs({"cells": [cell("code", "smo.reproduce()")]}) == list(catalog())
    assert needs(read(WORKSHOP)) == []


@pytest.mark.slow
def test_the_student_copy_of_the_workshop_runs_without_a_network(tmp_path, monkeypatch):
    for name, value in {
        "HTTP_PROXY": CLOSED,
        "HTTPS_PROXY": CLOSED,
        "PIP_NO_INDEX": "1",
        "SMO_CACHE": str(tmp_path / "empty"),
        "IPYTHONDIR": str(tmp_path / "ipython"),
        "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime"),
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("SMO_MIRROR", raising=False)
    monkeypatch.delenv("MPLBACKEND", raising=False)
    notebook = nbformat.reads(json.dumps(student_copy(read(WORKSHOP))), as_version=4)
    client = NotebookClient(
        notebook,
        timeout=180,
        kernel_manager_class=OwnKernel,
        resources={"metadata": {"path": str(tmp_path)}},
    )
    client.execute()
    outputs = [one for cell in notebook.cells for one in cell.get("outputs", [])]
    assert not [one.text for one in outputs if one.get("name") == "stderr"]
    assert sum("image/png" in one.get("data", {}) for one in outputs) >= 4
