import ast
import re
import sys
import tomllib
from pathlib import Path

import ibis
import pyarrow as pa
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
ENVIRONMENT = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))

# What conda-forge calls otherwise.
CONDA_NAMES = {
    "duckdb": "python-duckdb",
    "ibis-framework": "ibis-duckdb",
    "igraph": "python-igraph",
    "matplotlib": "matplotlib-base",
}
CONDA_ONLY = {"python", "pip"}
# What conda-forge does not have.
FROM_PIP = {"pyfixest", "ipysigma", "atproto"}
# Distributions whose module is called otherwise.
MODULE_NAMES = {
    "atproto": "atproto_core",
    "ibis-framework": "ibis",
    "pillow": "PIL",
    "pytest-xdist": "xdist",
    "pyyaml": "yaml",
}


def requirements(lines):
    parsed = [Requirement(re.sub(r"\s+", "", line)) for line in lines]
    return {canonicalize_name(one.name): one.specifier for one in parsed}


def declared(*, test):
    extra = PROJECT["optional-dependencies"]["test"] if test else []
    return requirements([*PROJECT["dependencies"], *extra])


def conda():
    return requirements(line for line in ENVIRONMENT["dependencies"] if isinstance(line, str))


def pip():
    (section,) = [one["pip"] for one in ENVIRONMENT["dependencies"] if isinstance(one, dict)]
    return section


def third_party_imports():
    """Return each top-level module imported anywhere in the package, with one file that does."""
    found = {}
    for path in sorted((ROOT / "smo_research").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module]
            for name in names:
                found.setdefault(name.split(".")[0], path.relative_to(ROOT).as_posix())
    own = {*sys.stdlib_module_names, "smo_research"}
    return {name: path for name, path in found.items() if name not in own}


def test_conda_environment_says_the_same_as_pyproject():
    wanted = {
        CONDA_NAMES.get(name, name): bounds
        for name, bounds in declared(test=True).items()
        if name not in FROM_PIP
    }
    assert {name: bounds for name, bounds in conda().items() if name not in CONDA_ONLY} == wanted


def test_pip_section_has_the_rest_and_the_project():
    wanted = {name: bounds for name, bounds in declared(test=True).items() if name in FROM_PIP}
    *rest, project = pip()
    assert requirements(rest) == wanted
    assert project == "-e ."


def test_the_tables_of_names_are_not_stale():
    assert {*CONDA_NAMES, *FROM_PIP, *MODULE_NAMES} <= set(declared(test=True))


def test_conda_python_is_the_projects():
    assert conda()["python"] == SpecifierSet(PROJECT["requires-python"])
    assert "pip" in conda()


def test_conda_uses_conda_forge_alone():
    assert ENVIRONMENT["name"] == PROJECT["name"]
    assert ENVIRONMENT["channels"] == ["conda-forge", "nodefaults"]


def test_every_imported_module_belongs_to_a_declared_dependency():
    optional = PROJECT["optional-dependencies"]
    names = [*declared(test=False), *requirements(optional["spark"] + optional["bluesky"])]
    modules = {MODULE_NAMES.get(name, name).replace("-", "_") for name in names}
    stray = {name: path for name, path in third_party_imports().items() if name not in modules}
    assert not stray, f"imported, but not among the dependencies in pyproject.toml: {stray}"


def test_the_bound_on_sqlglot_is_declared():
    assert str(declared(test=False)["sqlglot"]) == "<30.18"


def names(connection):
    return [name for (name,) in connection.con.sql("SHOW ALL TABLES").project("name").fetchall()]


def test_duckdb_tables_are_created_replaced_and_dropped():
    connection = ibis.duckdb.connect()
    try:
        connection.create_table("acts", pa.table({"seq": [0, 1]}))
        assert connection.table("acts").to_pyarrow().to_pydict() == {"seq": [0, 1]}
        connection.create_table("acts", pa.table({"seq": [7]}), overwrite=True)
        assert names(connection) == ["acts"]
        assert connection.table("acts").to_pyarrow().to_pydict() == {"seq": [7]}
        connection.drop_table("acts")
        assert names(connection) == []
        with pytest.raises(ibis.common.exceptions.TableNotFound):
            connection.table("acts")
    finally:
        connection.disconnect()


def test_citation_and_changelog_know_the_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert (citation["version"], citation["license"]) == (PROJECT["version"], PROJECT["license"])
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"\n## {PROJECT['version']}\n" in changelog
