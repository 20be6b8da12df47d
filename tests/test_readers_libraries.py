"""The German libraries: hand-made files with each trap, then what was published."""

from __future__ import annotations

import pandas as pd
import pytest

from smo_research.datasets import german_libraries
from smo_research.datasets.fetch import fetch
from smo_research.datasets.load import read
from smo_research.errors import DataError

BIG = 453163981939941376
ACCOUNTS = """followBackCount,XFollowsNotBack,followers_count,statuses_count,created_at,screen_name

30,10,41,7,Tue May 12 09:45:47 +0000 2009,lib_b
0,5,5,0,Fri Jan 01 00:00:00 +0000 2010,lib_a
"""
COLUMNS = (
    "genuine_tweet,orphan,has_mention,favorite_count,rt_count,reply_is_answer,hours_to_answer,"
    "auto_tweet,id_str,has_media,screen_name,created_at,has_url,is_reply,has_hashtag"
)
DAY = "Apr {:02} 13:34:47 +0000 2014"
TWEETS = f"""{COLUMNS}

1,NA,0,2,3,NA,NA,1,{BIG},0,lib_b,Mon {DAY.format(7)},1,0,1
1,0,1,0,0,1,0.4,0,{BIG - 1},1,lib_b,Sun {DAY.format(6)},0,1,0
1,1,1,0,0,-,-,0,{BIG - 2},0,lib_b,Sat {DAY.format(5)},0,1,0
0,0,NA,NA,NA,0,2.5,0,{BIG - 3},NA,lib_b,Fri {DAY.format(4)},NA,1,NA
0,NA,NA,NA,NA,NA,NA,0,{BIG - 4},NA,lib_b,Thu {DAY.format(3)},NA,0,NA
"""


@pytest.fixture
def files(tmp_path):
    accounts = tmp_path / "UniBib_libTwitterStats_2014-04-09.csv"
    tweets = tmp_path / "Unibib_timelineStats_2014-04-09.csv"
    accounts.write_text(ACCOUNTS, encoding="utf-8")
    tweets.write_text(TWEETS, encoding="utf-8")
    return [accounts, tweets]


def test_accounts_and_their_one_count(files):
    tables = read("german-libraries", files)
    assert tables.accounts["account_id"].tolist() == ["lib_b", "lib_a"]
    assert tables.accounts["follow_back"].tolist() == [0.75, 0]
    assert tables.accounts["created_at"].dt.year.tolist() == [2009, 2010]
    assert tables.followers["followers"].tolist() == [41, 5]
    assert tables.followers["posts_total"].tolist() == [7, 0]
    assert (tables.followers["observed_at"] == pd.Timestamp("2014-04-08", tz="UTC")).all()


def test_tweets(files):
    posts = read("german-libraries", files).posts
    assert posts["post_id"].tolist() == [str(BIG - back) for back in (4, 3, 2, 1, 0)]
    assert posts["created_at"].dt.day.tolist() == [3, 4, 5, 6, 7]
    assert posts["post_type"].tolist() == ["retweet", "retweet", "tweet", "tweet", "tweet"]
    assert posts["is_reply"].tolist() == [False, True, True, True, False]
    assert posts["is_automated"].tolist() == [False, False, False, False, True]
    last = posts.iloc[-1]
    assert last[["hashtags", "links", "mentions", "reactions", "shares"]].tolist() == [
        1,
        1,
        0,
        2,
        3,
    ]
    assert posts["has_media"].tolist()[2:] == [False, True, False]


def test_what_is_not_known_of_retweets_is_missing(files):
    posts = read("german-libraries", files).posts
    columns = ["hashtags", "links", "mentions", "has_media", "reactions", "shares"]
    assert posts[columns][:2].isna().all(axis=None)
    assert posts[columns][2:].notna().all(axis=None)


def test_answers(files):
    answers = german_libraries.answers(files)
    assert answers["account_id"].tolist() == ["lib_b", "lib_b"]
    assert answers["hours_to_answer"].fillna(-1).tolist() == [0.4, -1]
    assert answers["is_answer"].fillna(False).tolist() == [True, False]
    assert answers["is_answer"].isna().tolist() == [False, True]


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        (0, "30,10,41", "30,ten,41", "row 3: 'ten' is no count"),
        (0, "Tue May 12", "12 May", "row 3: .* is no time of the form"),
        (1, "\n1,0,1,0", "\n2,0,1,0", "row 4: '2' is neither 1 nor 0"),
        (1, "\n1,0,1,0", "\nNA,0,1,0", "row 4: .* is neither tweet nor retweet"),
        (1, "rt_count", "retweets", "has no column rt_count"),
    ],
)
def test_wrong_cells_are_refused(files, file, old, new, message):
    text = files[file].read_text(encoding="utf-8")
    assert old in text
    files[file].write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(DataError, match=message):
        german_libraries.read(files, name="german-libraries")


def test_wrong_hours_are_refused(files):
    files[1].write_text(TWEETS.replace(",0.4,", ",soon,"), encoding="utf-8")
    with pytest.raises(DataError, match="row 4: 'soon' is no number of hours"):
        german_libraries.answers(files)


def test_missing_kind_of_file_is_refused(files):
    with pytest.raises(DataError, match="No file"):
        german_libraries.read(files[:1], name="german-libraries")


@pytest.mark.data
def test_published_figures(real):
    tables = real("german-libraries")
    assert len(tables.accounts) == len(tables.followers) == 51
    assert len(tables.posts) == 59_405
    assert tables.posts.groupby("account_id").size().max() == 3_200
    assert set(tables.posts["account_id"]) == set(tables.accounts["account_id"])


@pytest.mark.data
def test_published_parts(real):
    real("german-libraries")
    paths = fetch("german-libraries")
    sizes = {path.name: pd.read_csv(path).shape for path in paths}
    assert list(sizes.values()) == [
        (3, 45),
        (27, 45),
        (21, 45),
        (2_560, 22),
        (23_905, 22),
        (32_940, 22),
    ]


def published(column):
    """Return a published column of the 51 accounts."""
    paths = [path for path in fetch("german-libraries") if "libTwitterStats" in path.name]
    return pd.concat([pd.read_csv(path, index_col="screen_name") for path in paths])[column]


@pytest.mark.data
@pytest.mark.parametrize(
    ("column", "theirs"),
    [
        ("is_reply", "replies_ratio"),
        ("hashtags", "avg_has_hashtag"),
        ("links", "avg_has_url"),
        ("mentions", "avg_has_mention"),
        ("has_media", "avg_has_media"),
    ],
)
def test_published_shares_of_all_51_follow_from_the_posts(real, column, theirs):
    posts = real("german-libraries").posts
    own = posts[posts["post_type"] == "tweet"]
    share = own.groupby("account_id")[column].mean().astype("float64")
    assert (share - published(theirs)).abs().max() <= 0.005001


@pytest.mark.data
def test_published_mean_hours_to_answer_of_all_51_follow_from_the_answers(real):
    names = real("german-libraries").accounts["account_id"]
    answers = german_libraries.answers(fetch("german-libraries"))
    mean = answers.groupby("account_id")["hours_to_answer"].mean().reindex(names).fillna(0)
    assert (mean - published("avg_hours_to_answer")).abs().max() <= 0.005001
    assert len(answers) == 5_656
    assert answers["hours_to_answer"].isna().sum() == 524


@pytest.mark.data
def test_follow_back_agrees_with_the_published_ratio(real):
    accounts = real("german-libraries").accounts.set_index("account_id")
    apart = accounts["follow_back"] + published("activeNotFollowRatio") - 1
    assert apart.abs().max() < 0.015
    listed = published("followBackCount") + published("XFollowsNotBack")
    assert (published("followers_count") - listed).between(-2, 5).all()
    friends = published("followBackCount") + published("NotFollowXBack")
    assert (published("friends_count") - friends).between(0, 4).all()


@pytest.mark.data
def test_accounts_were_counted_on_8_april(real):
    tables = real("german-libraries")
    opened = tables.accounts.set_index("account_id")["created_at"]
    days = published("days").reindex(opened.index)
    moment = german_libraries.HARVESTED + pd.Timedelta(hours=8, minutes=7)
    assert ((moment - opened).dt.days == days).all()
    assert tables.posts["created_at"].max() < german_libraries.HARVESTED
