"""Loading, with the two tiny sources of one log of messages."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import json

import pandas as pd
import pytest

from smo_research.datasets import catalog, mathoverflow
from smo_research.datasets import load as loading
from smo_research.datasets.load import data_hashes, load, read
from smo_research.errors import DataError
from smo_research.tables import Tables

SECONDS = b"1 2 1082040961\n3 1 1082041019\n1 3 1082041019\n3 3 1082155839\n"
MINUTES = (
    b"Source,Target,Timestamp\n1,2,4/15/04 2:56 PM\n3,1,4/15/04 2:56 PM\n"
    b"1,3,4/15/04 2:56 PM\n3,3,4/16/04 10:50 PM\n"
)


@pytest.fixture
def publish(empty_cache, offline, tmp_path, monkeypatch):
    """Make a tiny log, in a mirror, what the catalogue calls collegemsg."""
    entry = catalog.dataset("collegemsg")

    def publish(log):
        data = gzip.compress(log)
        file = catalog.File("CollegeMsg.txt.gz", len(data), hashlib.sha256(data).hexdigest())
        known = {"collegemsg": dataclasses.replace(entry, files=(file,))}
        monkeypatch.setattr(catalog, "_read_catalog", lambda: known)
        folder = tmp_path / "mirror/collegemsg"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "CollegeMsg.txt.gz").write_bytes(data)
        return folder.parent

    return publish


@pytest.fixture
def mirrored(publish):
    return publish(SECONDS)


@pytest.fixture
def reads(monkeypatch):
    """The names that were read from their published files."""
    names = []

    def counted(name, paths):
        names.append(name)
        return read(name, paths)

    monkeypatch.setattr(loading, "read", counted)
    return names


def write(path, data):
    path.write_bytes(gzip.compress(data))
    return path


def assert_same(one: Tables, other: Tables):
    assert one.name == other.name
    for table in loading.TABLES:
        left, right = getattr(one, table), getattr(other, table)
        assert (left is None) == (right is None)
        if left is not None:
            pd.testing.assert_frame_equal(left, right)


def test_both_sources_of_collegemsg_give_one_table(tmp_path):
    seconds = read("collegemsg", [write(tmp_path / "CollegeMsg.txt.gz", SECONDS)])
    minutes = read("collegemsg", [write(tmp_path / "collegemsg.csv.gz", MINUTES)])
    assert_same(seconds, minutes)
    log = seconds.interactions
    assert log["source_id"].tolist() == ["1", "3", "1", "3"]
    assert log["seq"].tolist() == [0, 1, 2, 3]
    assert (log["created_at"].dt.second == 0).all()
    assert log["created_at"][0] == pd.Timestamp("2004-04-15 14:56", tz="UTC")


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        (b"a,b,c\n1,2,3\n", "columns are a, b, c, but must be Source, Target, Timestamp"),
        (b"Source,Target,Timestamp\n1,2,15/4/04 2:56 PM\n", "row 2: '15/4/04 2:56 PM' is no month"),
    ],
)
def test_other_csv_is_refused(tmp_path, rows, problem):
    with pytest.raises(DataError, match=rf"collegemsg.csv.gz.*{problem}.*download .* again"):
        read("collegemsg", [write(tmp_path / "collegemsg.csv.gz", rows)])


def test_mathoverflow_orders_by_time_and_among_equals_by_layer(tmp_path):
    layers = [b"1 2 50\n1 1 10\n", b"3 2 50\n", b"4 2 50\n5 2 20\n"]
    paths = [write(tmp_path / f"{i}.txt.gz", layer) for i, layer in enumerate(layers)]
    log = mathoverflow.read(paths, name="mathoverflow").interactions
    assert log["source_id"].tolist() == ["1", "5", "1", "3", "4"]
    assert log["kind"].tolist() == ["answer", "comment", "answer", "comment", "comment"]
    assert log["seq"].tolist() == [0, 1, 2, 3, 4]
    assert (log["source_id"] == log["target_id"]).sum() == 1


def test_kept_tables_are_those_that_were_read(mirrored, reads):
    fresh = load("collegemsg", mirror=mirrored)
    kept = load("collegemsg")
    assert reads == ["collegemsg"]
    assert_same(fresh, kept)
    assert len(fresh.interactions) == 4


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "interactions.parquet").write_bytes(b"PAR1"),
        lambda folder: (folder / "interactions.parquet").unlink(),
        lambda folder: (folder / "hashes.json").write_text("{"),
        lambda folder: (folder / "hashes.json").write_text("[]"),
        lambda folder: other_values(folder / "interactions.parquet"),
    ],
    ids=["cut short", "table gone", "no json", "other json", "other values"],
)
def test_damaged_kept_tables_are_read_anew_and_repaired(mirrored, reads, empty_cache, damage):
    fresh = load("collegemsg", mirror=mirrored)
    (hashes,) = empty_cache.glob("tables/collegemsg/*/hashes.json")
    damage(hashes.parent)
    assert_same(load("collegemsg"), fresh)
    assert_same(load("collegemsg"), fresh)
    assert reads == ["collegemsg"] * 2
    assert [p.name for p in empty_cache.glob("tables/collegemsg/*")] == [hashes.parent.name]


def other_values(path):
    pd.read_parquet(path).assign(kind="reply").to_parquet(path)


def test_changed_reader_reads_anew(mirrored, reads, monkeypatch, tmp_path):
    load("collegemsg", mirror=mirrored)
    (tmp_path / "code").mkdir()
    (tmp_path / "code/collegemsg.py").write_text("changed")
    monkeypatch.setattr(loading, "__file__", str(tmp_path / "code/load.py"))
    load("collegemsg")
    load("collegemsg")
    assert reads == ["collegemsg"] * 2


def test_other_published_file_is_read_anew(mirrored, publish):
    assert len(load("collegemsg", mirror=mirrored).interactions) == 4
    publish(SECONDS + b"1 2 1082155840\n")
    assert len(load("collegemsg", mirror=mirrored).interactions) == 5


def test_tables_load_where_they_cannot_be_kept(mirrored, empty_cache, reads):
    empty_cache.mkdir()
    (empty_cache / "tables").write_text("a file where the folder should be")
    assert len(load("collegemsg", mirror=mirrored).interactions) == 4
    assert len(load("collegemsg").interactions) == 4
    assert reads == ["collegemsg"] * 2


def test_hashes_are_of_the_files_that_were_read(mirrored, empty_cache):
    load("collegemsg", mirror=mirrored)
    data = (mirrored / "collegemsg/CollegeMsg.txt.gz").read_bytes()
    assert data_hashes("collegemsg") == {"CollegeMsg.txt.gz": hashlib.sha256(data).hexdigest()}


def test_bad_row_names_the_file_and_nothing_is_kept(mirrored, empty_cache, monkeypatch):
    monkeypatch.setattr(
        loading, "fetch", lambda name, mirror: [write(mirrored / "x.txt.gz", b"1 2 x")]
    )
    with pytest.raises(DataError, match=r"x.txt.gz, row 1: 'x' is no time"):
        load("collegemsg")
    assert not list(empty_cache.rglob("*.parquet"))


def test_kept_copy_lists_every_table(mirrored, empty_cache):
    load("collegemsg", mirror=mirrored)
    (hashes,) = empty_cache.glob("tables/collegemsg/*/hashes.json")
    assert list(json.loads(hashes.read_text())) == ["interactions"]


def test_unknown_name_is_refused(empty_cache, offline):
    for function in (load, data_hashes):
        with pytest.raises(DataError, match="no data set 'mathoverflou'; the nearest is"):
            function("mathoverflou")
