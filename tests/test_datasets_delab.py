from __future__ import annotations

import os
import pickle
import uuid

import numpy as np
import pandas as pd
import pytest

from smo_research.datasets import delab
from smo_research.datasets.load import read
from smo_research.datasets.pseudonyms import pseudonyms
from smo_research.errors import DataError

BIG = 1499397829768351744


def identifier(number):
    return uuid.UUID(int=number)


def trees():
    """Two trees, the replies before what they reply to: 1 <- 2 <- 3, 1 <- 4 and 5 <- 6."""
    rows = [
        # tree, post, parent, author
        (1, 3, 2, BIG),
        (1, 2, 1, BIG + 1),
        (1, 1, None, BIG),
        (5, 6, 5, 12),
        (5, 5, None, 12),
        (1, 4, 1, 12),
        (5, 7, 99, 13),
    ]
    return pd.DataFrame(
        {
            "tree_id": [identifier(tree) for tree, *_ in rows],
            "post_id": [identifier(post) for _, post, *_ in rows],
            "parent_id": [identifier(p) if p else np.nan for _, _, p, _ in rows],
            "author_id": [author for *_, author in rows],
            "created_at": pd.date_range("2022-01-01", periods=len(rows), tz="UTC"),
            "text": 5,
            "platform": "twitter",
            "sentiment_value": 0.5,
            "toxic_value": 0.5,
        },
        index=range(10, 10 + len(rows)),
    )


@pytest.fixture
def tables(monkeypatch, tmp_path):
    # Today's pandas writes other names into a pickle than the published one has.
    class Ready(delab._TableUnpickler):
        def load(self):
            return trees()

    monkeypatch.setattr(delab, "_TableUnpickler", Ready)
    path = tmp_path / "dataset.pkl"
    path.touch()
    return read("delab-twitter", [path])


def test_reply_is_an_act_toward_the_author_of_the_parent(tables):
    acts = tables.interactions
    assert list(zip(acts["source_id"], acts["target_id"], strict=True)) == [
        ("a1", "a2"),
        ("a2", "a1"),
        ("a3", "a3"),
        ("a3", "a1"),
    ]
    assert acts["seq"].tolist() == [0, 1, 3, 5]
    assert acts["kind"].unique().tolist() == ["reply"]
    assert acts["post_id"].tolist() == [str(identifier(tree)) for tree in (1, 1, 5, 1)]
    assert acts["created_at"].dt.day.tolist() == [1, 2, 4, 6]


def test_post_with_a_parent_is_a_reply_and_replies_are_not_counted(tables):
    posts = tables.posts
    assert posts["is_reply"].tolist() == [True, True, False, True, False, True, True]
    assert posts["account_id"].tolist() == ["a1", "a2", "a1", "a3", "a3", "a3", "a4"]
    assert list(posts) == ["post_id", "account_id", "created_at", "is_reply"]


def test_neither_raw_ids_nor_text_nor_sentiment_are_kept(tables):
    assert tables.accounts["account_id"].tolist() == ["a1", "a2", "a3", "a4"]
    assert tables.accounts["platform"].unique().tolist() == ["twitter"]
    shown = tables.accounts.to_csv() + tables.posts.to_csv() + tables.interactions.to_csv()
    assert str(BIG)[:8] not in shown
    assert "0.5" not in shown


def test_pseudonyms_number_by_first_appearance():
    ids = pd.Series([BIG + 1, BIG, BIG + 1, 7], index=[9, 8, 7, 6])
    names = pseudonyms(ids)
    assert names.tolist() == ["a1", "a2", "a1", "a3"]
    assert names.index.tolist() == [9, 8, 7, 6]
    assert pseudonyms(pd.Series(["x", None, "y"])).isna().tolist() == [False, True, False]


class Evil:
    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_hostile_pickle_is_refused_before_it_runs(tmp_path, protocol):
    mark, path = tmp_path / "mark", tmp_path / "dataset.pkl"
    path.write_bytes(pickle.dumps(Evil(os.mkdir, str(mark)), protocol=protocol))
    with pytest.raises(DataError, match=r"dataset.pkl is refused \(it asks for .*mkdir\)"):
        delab.read([path], name="delab-twitter")
    assert not mark.exists()
    pickle.loads(path.read_bytes())
    assert mark.exists()


@pytest.mark.parametrize(
    "code",
    [
        b"cbuiltins\neval\n(S'1'\ntR.",
        b"cpandas.core.frame\nDataFrame.from_dict\n.",
        b"\x80\x04\x8c\x11pandas.core.frame\x8c\x10DataFrame.to_csv\x93.",
        b"cnumpy\nload\n.",
        b"cuuid\nos.system\n.",
    ],
)
def test_all_other_names_are_refused(tmp_path, code):
    (tmp_path / "dataset.pkl").write_bytes(code)
    with pytest.raises(DataError, match="is refused"):
        delab.read([tmp_path / "dataset.pkl"], name="delab-twitter")


@pytest.mark.parametrize("content", [b"", b"\x80", b"text", pickle.dumps({"tree_id": 1})], ids=str)
def test_what_is_no_pickled_table_is_refused(tmp_path, content):
    (tmp_path / "dataset.pkl").write_bytes(content)
    with pytest.raises(DataError, match=r"dataset.pkl is .*; download it again"):
        delab.read([tmp_path / "dataset.pkl"], name="delab-twitter")


def test_missing_file_is_refused(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        delab.read([tmp_path / "nowhere.pkl"], name="delab-twitter")


def test_sixteen_names_are_allowed():
    assert len(delab.ALLOWED) == 16
