"""Readers of YouTube counts, news counters, the Higgs layers and the Reddit trees."""

from __future__ import annotations

import zipfile

import pandas as pd
import pytest

from smo_research.datasets.catalog import dataset
from smo_research.datasets.fetch import fetch
from smo_research.datasets.load import read
from smo_research.errors import DataError

HEADER = "channel,category,datetime,views,delta_views,subs,delta_subs,videos,activity,has_buzzed"


def week(channel, day, views, subs, videos):
    return f"{channel},Entertainment,2016-03-{day} 00:00:00,{views},1,{subs},9999,{videos},7,1"


FIRST = [
    week("UCz", "14", "100.5", "10.6", "3"),
    week("UCz", "21", "90.2", "9.4", "3"),
    week("UCa", "14", "5.0", "", "0"),
]
SECOND = [week("UCa", "14", "5.0", "", "0"), week("UCn", "14", "1.0", "2.0", "1")]


def zipped(path, rows, *, member="other_name.tsv", stray=(), header=HEADER):
    with zipfile.ZipFile(path, "w") as archive:
        for name in stray:
            archive.writestr(name, "not a table")
        archive.writestr(member, "\r\n".join([header, *rows, ""]))
    return path


def youtube(folder, first=FIRST, second=SECOND, **options):
    paths = [
        zipped(folder / "ent_timeseries.tsv.zip", first, **options),
        zipped(folder / "ent_timeseries_15p.tsv.zip", second),
    ]
    return read("youtube-entertainment", paths)


def test_youtube_counts_are_rounded_and_losses_and_hidden_ones_kept(tmp_path):
    weeks = youtube(tmp_path).followers
    assert weeks["account_id"].tolist() == ["a1", "a1", "a2", "a3"]
    assert weeks["followers"].tolist() == [11, 9, pd.NA, 2]
    assert weeks["posts_total"].tolist() == [3, 3, 0, 1]
    assert weeks["views_total"].tolist() == [100, 90, 5, 1]
    assert weeks["observed_at"].dt.day.tolist() == [14, 21, 14, 14]
    assert "9999" not in weeks.to_csv()


def test_youtube_channel_in_both_files_is_one_account_with_its_weeks_once(tmp_path):
    accounts = youtube(tmp_path).accounts
    assert accounts["account_id"].tolist() == ["a1", "a2", "a3"]
    assert accounts["sample"].tolist() == ["ent_timeseries", "both", "ent_timeseries_15p"]
    assert accounts["platform"].unique().tolist() == ["YouTube"]
    assert "UC" not in accounts.to_csv()


def test_youtube_member_may_have_any_name_and_company(tmp_path):
    stray = ["__MACOSX/._x.tsv", "._x.tsv", "folder/.DS_Store", "read me.txt"]
    tables = youtube(tmp_path, member="folder/final.tsv", stray=stray)
    assert len(tables.followers) == 4


def test_youtube_files_that_disagree_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"1 counts differ .* first at 2016-03-14.*download"):
        youtube(tmp_path, second=[week("UCa", "14", "6.0", "", "0")])


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"header": HEADER.replace("subs", "likes")}, "has no column subs"),
        ({"header": "channel\tsubs", "first": ["UCz\t5"]}, "has no column channel, datetime"),
        ({"first": [week("UCz", "14", "1", "many", "3")]}, "row 2: 'many' is no number"),
        ({"first": [*FIRST, week("UCz", "32", "1", "1", "3")]}, "row 5: '2016-03-32 .*' is no dat"),
        ({"first": [f"{FIRST[0]},9"]}, "is no csv"),
        ({"first": [week("", "14", "1", "1", "3")]}, "row 2: .* has no channel"),
        ({"stray": ["second.tsv"]}, "must hold one .tsv file, but holds 2"),
        ({"member": "table.csv"}, "must hold one .tsv file, but holds 0"),
    ],
)
def test_youtube_names_what_is_wrong(tmp_path, change, problem):
    with pytest.raises(DataError, match=rf"ent_timeseries.tsv.zip.*{problem}.*download"):
        youtube(tmp_path, **change)


def test_youtube_negative_count_is_refused(tmp_path):
    with pytest.raises(DataError, match="column 'followers': -4 is not allowed"):
        youtube(tmp_path, first=[week("UCz", "14", "1", "-4.0", "3")])


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04", b"text"], ids=["empty", "cut", "text"])
def test_youtube_damaged_archive_is_refused(tmp_path, damage):
    (tmp_path / "ent.tsv.zip").write_bytes(damage)
    with pytest.raises(DataError, match=r"ent.tsv.zip is damaged .*; download it again"):
        read("youtube-entertainment", [tmp_path / "ent.tsv.zip"] * 2)
    with pytest.raises(DataError, match="cannot be read"):
        read("youtube-entertainment", [tmp_path / "nowhere.zip"] * 2)


WIDE = '"IDLink","TS1","TS2","TS3"\n007,-1,0,2\n8,1,1,1\n9,-1,-1,-1\n'


def news(folder, facebook=WIDE, others='"IDLink","TS1"\n8,4\n'):
    paths = [folder / f"{name}.csv" for name in ("facebook", "google", "linkedin")]
    for path, text in zip(paths, (facebook, others, others), strict=True):
        path.write_text(text)
    return read("news-attention", paths)


def test_news_slices_become_rows_and_no_data_none(tmp_path):
    counters = news(tmp_path).counters
    facebook = counters[counters["platform"] == "Facebook"]
    assert facebook["item_id"].tolist() == ["007", "007", "8", "8", "8"]
    assert facebook["count"].tolist() == [0, 2, 1, 1, 1]
    assert facebook["hours_since"].tolist() == pytest.approx([2 / 3, 1, 1 / 3, 2 / 3, 1])
    assert facebook["hours_since"].tolist()[1] == 1.0
    assert counters["platform"].tolist()[5:] == ["Google+", "LinkedIn"]


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ("IDLink,TS1,TS3\n1,2,3\n", "columns must be IDLink, TS1, TS2"),
        ("IDLink\n1\n", "columns must be IDLink, TS1, TS2"),
        ("IDLink,TS1\n1,2\n2,x\n", "row 3 must have an item and 1 whole numbers"),
        ("IDLink,TS1,TS2\n1,2,3\n2,3\n", "row 3 must have an item and 2 whole numbers"),
        ("IDLink,TS1\n1,2\n2,3,4\n", "row 3 must have an item and 1 whole numbers"),
        ("IDLink,TS1\n2,3,4\n", "row 2 must have an item and 1 whole numbers"),
        ("IDLink,TS1\n1,2\n2,0.5\n", "row 3 must have an item and 1 whole numbers"),
        ("IDLink,TS1,TS2\n1,2,3\n2,-2,3\n", "row 3: '-2' is no count"),
        ("IDLink,TS1\n1,2\n1,3\n", "row 3: '1' is there twice"),
    ],
)
def test_news_names_what_is_wrong(tmp_path, rows, problem):
    with pytest.raises(DataError, match=rf"facebook.csv.*{problem}.*download"):
        news(tmp_path, facebook=rows)


def layers(folder, reply=b"7 8 2\n8 7 1\n7 7 3\n", mention=b"7 9 1\n7 8 5\n"):
    paths = [folder / "reply.edgelist", folder / "mention.edgelist"]
    for path, data in zip(paths, (reply, mention), strict=True):
        path.write_bytes(data)
    return read("higgs", paths)


def test_higgs_layers_keep_ids_weights_and_acts_toward_oneself(tmp_path):
    edges = layers(tmp_path, reply=b"007 8 2\r\n8 007 1\r\n007 007 3")
    assert edges.edges.to_numpy().tolist() == [
        ["007", "8", 2, "reply"],
        ["8", "007", 1, "reply"],
        ["007", "007", 3, "reply"],
        ["7", "9", 1, "mention"],
        ["7", "8", 5, "mention"],
    ]
    assert edges.interactions is None


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"7 8 2\n7 9\n", "row 2: '7 9' must be source_id target_id weight"),
        (b"7 8 2 1341100972\n", "row 1: .* must be source_id target_id weight"),
        (b"7 8 2\n\n7 9 1\n", "row 2: '' must be source_id target_id weight"),
        (b"7 8 0\n", "row 1: '0' is no number of acts"),
        (b"7 8 1.5\n", "row 1: '1.5' is no number of acts"),
        (b"7 8 1\n8 7 1\n7 8 2\n", "row 3: '7 8 2' is a pair that stands above already"),
    ],
)
def test_higgs_names_what_is_wrong(tmp_path, data, problem):
    with pytest.raises(DataError, match=rf"reply.edgelist, {problem}.*download"):
        layers(tmp_path, reply=data)


@pytest.mark.parametrize(
    ("name", "days", "testable"),
    [
        ("delab-reddit", (28, 7, 84), ["H5"]),
        ("youtube-entertainment", (28, None, 364), []),
        ("higgs", None, []),
        ("news-attention", None, []),
    ],
)
def test_studies_are_as_designed(name, days, testable):
    entry = dataset(name)
    windows = entry.windows
    assert (windows and (windows.period, windows.gap, windows.horizon)) == days
    assert windows is None or not windows.from_launch
    assert list(entry.testable) == testable
    assert not entry.exploratory


@pytest.mark.data
def test_youtube_published(real):
    tables = real("youtube-entertainment")
    weeks, accounts = tables.followers, tables.accounts
    assert len(accounts) == weeks["account_id"].nunique() == 1_254
    assert len(weeks) == 165_525
    assert str(weeks["observed_at"].min())[:10] == "2015-07-13"
    assert str(weeks["observed_at"].max())[:10] == "2019-09-30"
    assert accounts["sample"].value_counts().to_dict() == {
        "ent_timeseries": 672,
        "ent_timeseries_15p": 542,
        "both": 40,
    }
    rows = weeks.merge(accounts)["sample"].value_counts()
    assert rows["ent_timeseries"] + rows["both"] == 88_140
    assert rows["ent_timeseries_15p"] + rows["both"] == 83_022
    assert weeks["followers"].notna().all()
    ordered = weeks.sort_values(["account_id", "observed_at"])
    assert (ordered.groupby("account_id")["followers"].diff() < 0).any(), "losses are kept"


@pytest.mark.data
def test_news_published(real):
    counters = real("news-attention").counters
    items = [len(pd.read_csv(path, usecols=["IDLink"])) for path in fetch("news-attention")]
    assert items == [7_687, 7_749, 7_749]
    at_end = counters[counters["hours_since"] == 48]
    above = at_end[at_end["count"] > 0].groupby("platform").size()
    assert above.to_dict() == {"Facebook": 5_102, "Google+": 2_089, "LinkedIn": 1_031}
    read_once = counters.groupby("platform")["item_id"].nunique()
    assert read_once.tolist() == [7_687 - 165, 7_749 - 156, 7_749 - 156]
    assert at_end.groupby("platform").size().tolist() == read_once.tolist()
    assert counters.groupby("platform")["hours_since"].nunique().tolist() == [144] * 3


@pytest.mark.data
def test_higgs_published(real):
    edges = real("higgs").edges
    for kind, users, pairs in (("reply", 38_918, 32_523), ("mention", 116_408, 150_818)):
        layer = edges[edges["kind"] == kind]
        assert len(layer) == pairs
        assert pd.concat([layer["source_id"], layer["target_id"]]).nunique() == users


@pytest.mark.data
def test_delab_reddit_published(real):
    tables = real("delab-reddit")
    assert len(tables.posts) == 65_986
    assert (~tables.posts["is_reply"]).sum() == 1_387
    assert len(tables.accounts) == 28_093
    assert len(tables.interactions) == tables.posts["is_reply"].sum(), "every parent is found"
    roots = tables.posts.loc[~tables.posts["is_reply"], "post_id"]
    assert tables.interactions["post_id"].isin(roots).all()
