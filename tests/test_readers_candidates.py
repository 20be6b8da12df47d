"""The candidates of 2020: hand-made files with each trap, then what was published."""

from __future__ import annotations

import pandas as pd
import pytest

from smo_research.datasets import candidates
from smo_research.datasets.catalog import dataset
from smo_research.datasets.fetch import fetch
from smo_research.datasets.load import read
from smo_research.datasets.tweet_text import text_features, unescape
from smo_research.errors import DataError

HEADER = (
    '"","created_at","screen_name","text","source","is_quote","is_retweet",'
    '"favorite_count","retweet_count","status_url"\n'
)


def tweet(number, time, text, *, quote="FALSE", retweet="FALSE", client="Buffer", who="AnnLee"):
    url = f"https://twitter.com/{who}/status/{number}"
    cells = f'"{text}","{client}",{quote},{retweet},{number % 100},{number % 10}'
    return f'"{who}.1",{time},"{who}",{cells},"{url}"\n'


TWEETS = [
    tweet(1137210590903111685, "2019-06-01 00:00:00", "after May https://t.co/a https://t.co/b"),
    tweet(
        1137210590903111684,
        "2019-05-31 23:59:59",
        "They say\n\nso: <U+2066>@bob<U+2069> https://t.co/a https://t.co/quoted",
        quote="TRUE",
        client="Twitter for iPhone",
    ),
    tweet(1137210590903111683, "2019-02-01 00:00:00", "@bob #1 reason: #<U+00C9>t<U+00E9>!"),
    tweet(1137210590903111682, "2019-01-01 00:00:00", "@carol #vote", retweet="TRUE"),
    tweet(1137210590903111681, "2018-12-31 23:59:59", "ann@lee.org", client="Adobe<U+00AE> Social"),
]


@pytest.fixture
def files(tmp_path):
    contents = {
        "annlee_analysis.csv": "MementoTimestamp,FollowerCount,DateTime\n"
        "20190102000000,12,2019-01-02 00:00:00\n20190101000000,10,2019-01-01 00:00:00\n",
        "zoe_analysis.csv": "FollowerCount,DateTime\n5,2019-01-01 12:00:00\n",
        "Tweets-Ann O'Lee-6-7-19.csv": HEADER + "".join(TWEETS),
        "PresTwitterDirectory.csv": "CandidateName,TwitterHandle\rAnn O'Lee,AnnLee\rZoe,zoe",
        "TweetsAnalysisResults.csv": '"","CandidateName","TotalTweets","TweetsIn2019",'
        '"RepliesIn2019"\n"1","Ann O\'Lee","4","2","1"\n"2",NA,NA,NA,NA\n',
    }
    for name, content in contents.items():
        (tmp_path / name).write_text(content, encoding="utf-8", newline="")
    return [tmp_path / name for name in contents]


@pytest.fixture
def posts(files):
    posts = read("candidates-2020", files).posts
    assert posts["created_at"].is_monotonic_increasing
    return posts.set_index(posts["post_id"].str[-1])


def test_accounts_are_handles_in_lower_case(files):
    tables = read("candidates-2020", files)
    assert tables.accounts.to_numpy().tolist() == [["annlee", "Twitter"], ["zoe", "Twitter"]]
    followers = tables.followers
    assert followers["account_id"].tolist() == ["annlee", "zoe", "annlee"]
    assert followers["followers"].tolist() == [10, 5, 12]
    assert followers["observed_at"].is_monotonic_increasing


def test_ids_stay_text_and_the_text_of_a_tweet_is_not_kept(posts):
    assert posts["post_id"].tolist()[0] == "1137210590903111681"
    assert "reason" not in posts.to_csv() + "".join(posts)


def test_kinds_of_tweets(posts):
    assert posts["post_type"].to_dict() == {
        "1": "tweet",
        "2": "retweet",
        "3": "tweet",
        "4": "quote",
        "5": "tweet",
    }
    assert posts["is_reply"].to_dict() == {
        "1": False,
        "2": False,
        "3": True,
        "4": False,
        "5": False,
    }


def test_what_belongs_to_somebody_else_is_missing(posts):
    columns = ["hashtags", "links", "mentions", "reactions", "shares"]
    assert posts.loc["2", columns].isna().all()
    assert posts.drop("2")[columns].notna().all(axis=None)


def test_link_to_the_quoted_tweet_is_not_counted(posts):
    assert posts["links"].drop("2").to_dict() == {"1": 0, "3": 0, "4": 1, "5": 2}


def test_features_of_the_text(posts):
    assert posts.loc["3", ["hashtags", "mentions"]].tolist() == [1, 1]
    assert posts.loc["4", ["hashtags", "mentions"]].tolist() == [0, 1]
    assert posts.loc["1", "mentions"] == 0


def test_clients(posts):
    assert posts["client"].tolist()[0] == "Adobe® Social"
    assert posts["is_automated"].tolist() == [True, True, True, False, True]


def test_published_counts_are_those_of_the_posts(files, posts):
    published = candidates.published(files)
    assert published.to_numpy().tolist() == [["annlee", 4, 2, 1]]
    assert recount(posts).loc["annlee"].tolist() == [4, 2, 1]


def recount(posts):
    own = posts[posts["post_type"] != "retweet"]
    year = own[own["created_at"].between("2019-01-01", "2019-05-31 23:59:59")]
    return pd.DataFrame(
        {
            "tweets": own.groupby("account_id").size(),
            "tweets_2019": year.groupby("account_id").size(),
            "replies_2019": year.groupby("account_id")["is_reply"].sum(),
        }
    )


def change(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        (2, '"AnnLee","after', '"Zoe","after', "row 2: 'Zoe' is not the account of Ann O'Lee"),
        (2, "status/1137210590903111683", "", "row 6: .* is no address of a tweet"),
        (2, "2019-06-01 00:00:00", "2019-06-01", "row 2: '2019-06-01' is no time"),
        (2, '"Buffer",FALSE,FALSE,85', '"Buffer",FALSE,no,85', "'no' is neither TRUE nor FALSE"),
        (2, ",85,5,", ",8.5,5,", "row 2: '8.5' is no count"),
        (2, "favorite_count", "likes", "has no column favorite_count"),
        (0, ",12,", ",-12,", "annlee_analysis.csv, row 2: '-12' is no count"),
        (3, "Ann O'Lee,AnnLee", "Ann,AnnLee", "is not the account of Ann O'Lee"),
    ],
)
def test_wrong_cells_are_refused(files, file, old, new, message):
    change(files[file], old, new)
    with pytest.raises(DataError, match=message):
        candidates.read(files, name="candidates-2020")


def test_missing_kind_of_file_is_refused(files):
    with pytest.raises(DataError, match="No file Tweets-"):
        candidates.read(files[:2] + files[3:], name="candidates-2020")


@pytest.mark.parametrize(
    ("text", "hashtags", "links", "mentions"),
    [
        ("#a #b_c #2020 #4ever ##c", 4, 0, 0),
        ("word#no &#039;no x_#no", 0, 0, 0),
        ("(#yes), .@yes “@yes”", 1, 0, 2),
        ("ann@lee.org @@no", 0, 0, 0),
        ("https://x.org/#no https://medium.com/@no HTTP://T.CO/x", 0, 3, 0),
        ("#yeshttps://t.co/x", 1, 1, 0),
        ("@http_ann no link", 0, 0, 1),
        ("", 0, 0, 0),
    ],
)
def test_text_features(text, hashtags, links, mentions):
    found = text_features(pd.Series([text])).iloc[0]
    assert (found["hashtags"], found["links"], found["mentions"]) == (hashtags, links, mentions)


def test_unescape_leaves_what_is_no_character():
    text = pd.Series(["<U+2019><U+0001F3F3>", "<U+D83D> <U+99999999> <U+zz>"], index=[4, 2])
    assert unescape(text).to_dict() == {4: "\u2019\U0001f3f3", 2: text[2]}


@pytest.mark.data
def test_published_figures(real):
    tables = real("candidates-2020")
    assert len(tables.accounts) == 27
    assert len(tables.followers) == 24_232
    assert tables.followers["account_id"].nunique() == 27
    assert len(tables.posts) == 69_211
    assert tables.posts["account_id"].nunique() == 23
    assert tables.posts["account_id"].isin(tables.followers["account_id"]).all()


@pytest.mark.data
def test_share_of_steps_that_are_losses(real):
    """8.9 % was published, which also counts the 26 jumps from one account to the next."""
    followers = real("candidates-2020").followers
    ordered = followers.sort_values(["account_id", "observed_at"])
    step = ordered.groupby("account_id")["followers"].diff().dropna()
    assert (len(step), (step < 0).sum()) == (24_205, 2_139)
    assert round(100 * (step < 0).mean(), 1) == 8.8
    across = ordered["followers"].diff() < 0
    assert round(100 * across.mean(), 1) == 8.9
    assert not ordered.duplicated(["account_id", "observed_at"]).any()


@pytest.mark.data
def test_published_counts_of_all_23_are_exact(real):
    posts = real("candidates-2020").posts
    published = candidates.published(fetch("candidates-2020")).set_index("account_id").sort_index()
    assert len(published) == 23
    pd.testing.assert_frame_equal(recount(posts).astype("Int64"), published, check_dtype=False)


@pytest.mark.data
def test_times_are_utc_as_the_ids_say(real):
    posts = real("candidates-2020").posts
    clock = posts[posts["post_id"].str.len() > 11]
    made = clock["post_id"].astype("int64") // 2**22 + 1_288_834_974_657
    apart = clock["created_at"] - pd.to_datetime(made, unit="ms", utc=True)
    assert len(clock) > 68_000
    assert apart.abs().max() < pd.Timedelta(seconds=6)


@pytest.mark.data
def test_retweets_have_no_counts_of_their_own(real):
    posts = real("candidates-2020").posts
    assert posts["post_type"].value_counts().to_dict() == {
        "tweet": 48_613,
        "retweet": 12_598,
        "quote": 8_000,
    }
    assert posts["reactions"].isna().equals(posts["post_type"] == "retweet")
    assert posts["shares"].isna().equals(posts["post_type"] == "retweet")


def test_study_is_as_designed():
    entry = dataset("candidates-2020")
    windows = entry.windows
    assert (windows.period, windows.gap, windows.horizon) == (7, None, 56)
    assert not windows.from_launch and not entry.exploratory
    assert entry.testable == ("H1", "H2", "H3", "H4", "H6", "H7")
    assert len(entry.files) == 27 + 23 + 2
