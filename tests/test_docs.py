"""The documentation site: what it must have, and that it builds without a warning or a network."""

from __future__ import annotations

import doctest
import importlib.util
import inspect
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import smo_research as smo
from smo_research.evidence.hypotheses import contrast, hypotheses

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"


def pages():
    spec = importlib.util.spec_from_file_location("docs_pages", DOCS / "pages.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PAGES = pages()
MODULES = [one.name for one in pkgutil.walk_packages(smo.__path__, "smo_research.")]


def test_every_public_name_is_on_one_shelf():
    shelved = [name for title in PAGES.SHELVES for name in PAGES.shelf(title)]
    assert sorted(shelved) == sorted(smo.__all__)


def test_every_public_name_says_what_it_does():
    assert not [name for name in smo.__all__ if not PAGES.summary(name)]
    assert "| [`panel`](#smo_research.panel) | " in PAGES.api_page()


def test_every_public_name_has_an_example():
    docs = {name: inspect.getdoc(one) for name, one in PAGES.PUBLIC.items()}
    assert not [name for name, doc in docs.items() if "\nExamples\n--------\n>>> " not in doc]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_run(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_every_module_to_read_says_what_it_is():
    named = [name for modules in PAGES.WORTH_READING.values() for name in modules]
    assert len(set(named)) == len(named)
    for name in named:
        assert importlib.import_module(f"smo_research.{name}").__doc__, name


def test_the_hypotheses_are_those_of_the_file():
    page = PAGES.hypotheses_page()
    for one in hypotheses().values():
        assert f"| {one.id} | {one.claim} | {one.test} |" in page
        assert f"| {one.id} | {one.null} |" in page
    assert "ratios of 0.90 to 1.11" in page
    assert contrast("answering") == 0.25
    assert "| `answering` | +0.25 |" in page
    assert "| `answered` | no to yes |" in page


def test_prose_after_returns_is_no_type():
    assert PAGES.readable(["Returns", "-------", "One row", "an act.", "", "Raises"]) == [
        *["Returns", "-------", ":", "    One row", "    an act.", "", "Raises"]
    ]
    typed = ["Returns", "-------", "Result", "    With a table."]
    assert PAGES.readable(typed) == typed


def test_signs_of_the_markup_stay_signs():
    assert PAGES.readable(["of |t|, as `a | b`, or type_"]) == [
        r"of \|t\|, as `a | b`, or type\_",
    ]
    assert PAGES.readable([">>> {1} | {2}"]) == [">>> {1} | {2}"]


@pytest.mark.parametrize(
    ("html", "loaded"),
    [
        ('<script src="https://cdn.example/a.js">', ["//cdn.example/a.js"]),
        ('<link rel="stylesheet" href="//cdn.example/a.css">', ["//cdn.example/a.css"]),
        ('import a from "https://cdn.example/a.js"', ["//cdn.example/a.js"]),
        ("@import url(https://fonts.example/a)", ["//fonts.example/a"]),
        ('<a href="https://example.org">', []),
        ('<img src="_images/a.png"> see https://example.org', []),
    ],
)
def test_what_a_page_loads_from_elsewhere_is_seen(html, loaded):
    assert PAGES.foreign(html) == loaded


def test_pages_written_by_hand_link_to_pages_there_are():
    links = re.compile(r"^(?:.+ <)?(made/[\w/-]+|[a-z]+)>?$", re.MULTILINE)
    there = {path.relative_to(ROOT).with_suffix("").as_posix() for path in ROOT.rglob("*.md")}
    made = {f"made/modules/{PAGES.slug(title)}" for title in PAGES.WORTH_READING}
    made |= {"made/api", "made/hypotheses"}
    for path in DOCS.glob("*.md"):
        for toctree in re.findall(r"```\{toctree\}(.*?)```", path.read_text("utf-8"), re.DOTALL):
            for name in links.findall(toctree):
                copied = name.removeprefix("made/") in there
                assert copied or name in made or (DOCS / f"{name}.md").is_file(), name


@pytest.mark.slow
def test_the_site_builds_without_a_warning(tmp_path):
    if importlib.util.find_spec("sphinx") is None:
        pytest.skip("building the site needs `pip install -e '.[docs]'`, or `make docs`")
    options = ["-W", "--keep-going", "-q", "-D", "nb_execution_mode=off"]
    command = [sys.executable, "-m", "sphinx", *options, "-d", str(tmp_path / "doctrees")]
    done = subprocess.run(
        [*command, str(DOCS), str(tmp_path / "site")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    site = tmp_path / "site"
    written = "".join(path.read_text("utf-8") for path in site.glob("made/api/*.html"))
    assert not [name for name in smo.__all__ if f'id="smo_research.{name}"' not in written]
    for notebook in (ROOT / "notebooks").glob("*.ipynb"):
        assert (site / "made" / "notebooks" / f"{notebook.stem}.html").is_file()
