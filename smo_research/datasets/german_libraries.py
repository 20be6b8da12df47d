"""Reader of the German libraries on Twitter: one look at 51 accounts, and their timelines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from smo_research.datasets.cells import Refuse
from smo_research.datasets.csv_cells import AGAIN, counts, flags, read_cells, times
from smo_research.errors import DataError
from smo_research.tables import Tables

TIME = "%a %b %d %H:%M:%S %z %Y"
# The files are named after 2014-04-09, when they were written. The accounts were asked for a day
# earlier: only then were all 51 as many whole days old as `days` says.
HARVESTED = pd.Timestamp("2014-04-08", tz="UTC")
ACCOUNT_COLUMNS = [
    "screen_name",
    "created_at",
    "followers_count",
    "statuses_count",
    "followBackCount",
    "XFollowsNotBack",
]
# "-": the tweet that was answered could not be had any more.
MISSING = ["NA", "-"]
TWEET_COLUMNS = {
    "has_hashtag": "hashtags",
    "has_url": "links",
    "has_mention": "mentions",
    "has_media": "has_media",
    "is_reply": "is_reply",
    "auto_tweet": "is_automated",
}


def read(paths: Sequence[Path], *, name: str) -> Tables:
    """Read accounts, their one count of followers, and up to 3,200 tweets of each.

    Ids are screen names: the accounts are organisations. `follow_back` is
    followBackCount / (followBackCount + XFollowsNotBack), over the followers that were listed;
    these are at most 5 more or fewer than `followers_count`. `hashtags`, `links` and `mentions`
    are 1 where the tweet has any and 0 where it has none: how many was not published. They are
    missing for retweets, and so are `has_media`, `reactions` and `shares`. What has "RT" or "MT"
    anywhere in its text was published as a retweet. `is_automated` was told from the client.

    Raises
    ------
    DataError
        Naming the file and the row, when a file is not the one that was published.
    """
    accounts = pd.concat([_accounts(path) for path in _named(paths, "stats_libtwitter")])
    tweets = pd.concat([_tweets(path) for path in _named(paths, "stats_timeline")])
    return Tables(
        name,
        accounts=accounts[["account_id", "platform", "created_at", "follow_back"]],
        posts=tweets.sort_values("created_at", kind="stable", ignore_index=True),
        followers=accounts[["account_id", "observed_at", "followers", "posts_total"]],
    )
