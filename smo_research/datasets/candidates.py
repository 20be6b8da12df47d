"""Reader of the candidates of 2020: archived follower counts, and tweets."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from smo_research.datasets.csv_cells import AGAIN, counts, flags, read_cells, times
from smo_research.datasets.tweet_text import text_features, unescape
from smo_research.errors import DataError
from smo_research.tables import Tables

FOLLOWERS, TWEETS = "*_analysis.csv", "Tweets-*.csv"
DIRECTORY, RESULTS = "PresTwitterDirectory.csv", "TweetsAnalysisResults.csv"
TIME = "%Y-%m-%d %H:%M:%S"
TWEET_COLUMNS = [
    "created_at",
    "screen_name",
    "text",
    "source",
    "is_quote",
    "is_retweet",
    "favorite_count",
    "retweet_count",
    "status_url",
]
PUBLISHED = {
    "TotalTweets": "tweets",
    "TweetsIn2019": "tweets_2019",
    "RepliesIn2019": "replies_2019",
}
# Suites that publish from a queue or calendar. TweetDeck and Media Studio can too, but are
# mostly used by hand, so they are not among them.
SCHEDULERS = {
    "Adobe® Social",
    "AgoraPulse Manager",
    "Buffer",
    "CoSchedule",
    "Hootsuite",
    "Hootsuite Inc.",
    "Social Media Publisher App",
    "Sprout Social",
    "SumAll",
    "Thunderclap",
}
# Other services, which tweet that something was posted there.
CROSS_POSTERS = {"Facebook", "Instagram", "Mailchimp", "Medium", "Periscope"}


def read(paths: Sequence[Path], *, name: str) -> Tables:
    """Read the accounts, their follower counts and the tweets of those who join.

    Ids are handles in lower case: the candidates are public figures. Times are UTC, which is
    what the clock in the tweets' own ids says. A tweet is a reply when its text starts with @, as
    in the published counts, so going on in one's own thread is none. The counts of a retweet
    belong to somebody else, and so do its hashtags, links and mentions: they are missing.
    `links` leaves out the link to the quoted tweet that ends a quote; the link to a picture or a
    video cannot be told from one that the author put there, and is counted.

    Raises
    ------
    DataError
        When a file is not the one that was published, or a tweet's account is not its candidate's.
    """
    followers = pd.concat([_followers(path) for path in _named(paths, FOLLOWERS)])
    handles = _handles(paths)
    tweets = pd.concat([_tweets(path, handles) for path in _named(paths, TWEETS)])
    ids = pd.concat([followers["account_id"], tweets["account_id"]]).unique()
    return Tables(
        name,
        accounts=pd.DataFrame({"account_id": ids, "platform": "Twitter"}),
        posts=tweets.sort_values("created_at", kind="stable", ignore_index=True),
        followers=followers.sort_values("observed_at", kind="stable", ignore_index=True),
    )


def published(paths: Sequence[Path]) -> pd.DataFrame:
    """Return what was published about the tweets, to check the posts against.

    Returns
    -------
    pandas.DataFrame
        One row a candidate: account_id, `tweets` (without retweets), and of those `tweets_2019`
        (2019-01-01 to 05-31, UTC) and `replies_2019`.
    """
    (path,) = _named(paths, RESULTS)
    results, refuse = read_cells(path, ["CandidateName", *PUBLISHED], missing=["NA"])
    names = results["CandidateName"]
    # R began the table with an empty row.
    found = pd.DataFrame(
        {"account_id": names.map(_handles(paths))}
        | {new: counts(results[old], refuse) for old, new in PUBLISHED.items()}
    )
    return found[names.notna()].reset_index(drop=True)


def _named(paths: Sequence[Path], pattern: str) -> list[Path]:
    found = [path for path in paths if path.match(pattern)]
    if not found:
        raise DataError(f"No file {pattern} is among those of the candidates; fetch them again.")
    return found


def _followers(path: Path) -> pd.DataFrame:
    cells, refuse = read_cells(path, ["DateTime", "FollowerCount"])
    return pd.DataFrame(
        {
            "account_id": path.name.removesuffix(FOLLOWERS[1:]),
            "observed_at": times(cells["DateTime"], refuse, format=TIME),
            "followers": counts(cells["FollowerCount"], refuse),
        }
    )


def _handles(paths: Sequence[Path]) -> dict[str, str]:
    """Return the account of each candidate's name."""
    (path,) = _named(paths, DIRECTORY)
    directory, _ = read_cells(path, ["CandidateName", "TwitterHandle"])
    handles = directory["TwitterHandle"].str.lower()
    return dict(zip(directory["CandidateName"], handles, strict=True))


def _tweets(path: Path, handles: dict[str, str]) -> pd.DataFrame:
    cells, refuse = read_cells(path, TWEET_COLUMNS)
    candidate = re.sub(r"Tweets-(.+?)(-\d+-\d+-\d+)?\.csv", r"\1", path.name)
    account = handles.get(candidate)
    ids = cells["status_url"].str.extract(r"/status/(\d+)$")[0]
    stranger = cells["screen_name"].str.lower() != account
    refuse(stranger, cells["screen_name"], f"is not the account of {candidate}; {AGAIN}")
    refuse(ids.isna(), cells["status_url"], f"is no address of a tweet; {AGAIN}")
    retweet = flags(cells["is_retweet"], refuse, yes="TRUE", no="FALSE").astype(bool)
    quote = flags(cells["is_quote"], refuse, yes="TRUE", no="FALSE").astype(bool)
    text = text_features(unescape(cells["text"]))
    own = {
        "hashtags": text["hashtags"],
        "links": text["links"] - (quote & text["ends_in_link"]),
        "mentions": text["mentions"],
    }
    client = unescape(cells["source"])
    reactions = {
        "reactions": counts(cells["favorite_count"], refuse),
        "shares": counts(cells["retweet_count"], refuse),
    }
    kind = pd.Series("tweet", cells.index).mask(quote, "quote").mask(retweet, "retweet")
    return pd.DataFrame(
        {
            "post_id": ids,
            "account_id": account,
            "created_at": times(cells["created_at"], refuse, format=TIME),
            "post_type": kind,
            **{column: values.astype("Int64").mask(retweet) for column, values in own.items()},
            "is_reply": text["is_reply"] & ~retweet,
            "is_automated": client.isin(SCHEDULERS | CROSS_POSTERS),
            "client": client,
            **{column: values.mask(retweet) for column, values in reactions.items()},
        }
    )
