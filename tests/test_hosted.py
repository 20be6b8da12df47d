"""Binder and development containers are made from `environment.yml`, not from a second list."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml

from smo_research.datasets.catalog import catalog

ROOT = Path(__file__).parents[1]
ENVIRONMENT = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
CONTAINER = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8"))
POST_BUILD = ROOT / "postBuild"
# What else Binder would read, each with dependencies of its own or in place of the list.
OTHERS = [
    *["binder", ".binder", "Dockerfile", "requirements.txt", "Pipfile", "Pipfile.lock"],
    *["apt.txt", "install.R", "Project.toml", "default.nix", "runtime.txt", "conda-lock.yml"],
]


@pytest.mark.parametrize("name", OTHERS)
def test_binder_finds_one_list(name):
    assert not (ROOT / name).exists()


def test_the_list_installs_the_project_itself():
    (pip,) = [one["pip"] for one in ENVIRONMENT["dependencies"] if isinstance(one, dict)]
    assert pip[-1] == "-e ."
    assert any(str(one).startswith("jupyterlab ") for one in ENVIRONMENT["dependencies"])


def test_what_binder_runs_can_be_run():
    assert os.access(POST_BUILD, os.X_OK)
    assert POST_BUILD.read_text(encoding="utf-8").startswith("#!/bin/bash\n")
    subprocess.run(["bash", "-n", str(POST_BUILD)], check=True)


def test_the_container_uses_the_list_and_its_name():
    create = shlex.split(CONTAINER["onCreateCommand"])
    assert create == ["conda", "env", "create", "--file", "environment.yml"]
    run = shlex.split(CONTAINER["postCreateCommand"])
    assert run[run.index("--name") + 1] == ENVIRONMENT["name"]
    settings = CONTAINER["customizations"]["vscode"]["settings"]
    assert f"/envs/{ENVIRONMENT['name']}/" in settings["python.defaultInterpreterPath"]


@pytest.mark.parametrize("text", [POST_BUILD.read_text("utf-8"), CONTAINER["postCreateCommand"]])
def test_the_data_fetched_is_in_the_catalogue(text):
    names = re.search(r"smo fetch ([\w -]+?) *\|\|", text).group(1).split()
    assert names and set(names) <= set(catalog())


@pytest.mark.parametrize("text", [POST_BUILD.read_text("utf-8"), json.dumps(CONTAINER)])
def test_nothing_is_installed_beside_the_list(text):
    assert not re.search(r"\b(?:pip|conda|mamba|apt|apt-get) install\b", text)
