"""Fixtures that several test modules share."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
import requests

from smo_research.datasets.catalog import File, dataset
from smo_research.datasets.fetch import cache_dir
from smo_research.datasets.load import load
from smo_research.tables import Tables


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own, and no mirror."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("SMO_CACHE", str(folder))
    monkeypatch.delenv("SMO_MIRROR", raising=False)
    return folder


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """No network; the list has what was asked for, in turn."""
    asked: list[str] = []

    def refuse_get(url: str, **options: object) -> None:
        asked.append(url)
        raise requests.ConnectionError("no network in this test")

    def refuse_pip(command: list[str], **options: object) -> subprocess.CompletedProcess[str]:
        asked.append(command[-1])
        return subprocess.CompletedProcess(command, 1, "", "ERROR: no network in this test\n")

    monkeypatch.setattr(requests, "get", refuse_get)
    monkeypatch.setattr(subprocess, "run", refuse_pip)
    return asked


@pytest.fixture(scope="session")
def real() -> Callable[[str], Tables]:
    """Give the tables of a published data set, or skip the test where its files are not at hand."""
    return _real


@cache
def _loaded(name: str) -> Tables:
    return load(name)


def _real(name: str) -> Tables:
    mirror = os.environ.get("SMO_MIRROR")
    promised = bool(os.environ.get("CI")) and mirror is not None and Path(mirror, name).is_dir()
    if not promised and not all(
        any(_at_hand(name, file) for file in files) for files in dataset(name).sources
    ):
        pytest.skip(
            f"{name} is neither in the cache nor in a mirror: run `smo fetch {name}`, "
            "or set SMO_MIRROR to a folder that has it"
        )
    return _loaded(name)


def _at_hand(name: str, file: File) -> bool:
    names = [file.path] + ([file.package.wheel] if file.package else [])
    places = [cache_dir() / "raw"]
    if os.environ.get("SMO_MIRROR"):
        places.append(Path(os.environ["SMO_MIRROR"]))
    return any((place / name / path).is_file() for place in places for path in names)
