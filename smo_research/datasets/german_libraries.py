"""Reader of the German libraries on Twitter: one look at 51 accounts, and their timelines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from smo_research.datasets.csv_cells import AGAIN, counts, flags, read_cells, times
from smo_research.errors import DataError
from smo_research.tables import Tables

ACCOUNTS, TIMELINES = "_libtwitterstats_", "_timelinestats_"
TIME = "%a %b %d %H:%M:%S %z %Y"
# The files are named after 2014-04-09, when they were written. The counts are a day older: it was
# from 8:04 to 8:10 that morning that each account was as many whole days old as `days` says.
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
TWEET_FLAGS = {"has_media": "has_media", "is_reply": "is_reply", "auto_tweet": "is_automated"}
TWEET_COUNTS = {
    "has_hashtag": "hashtags",
    "has_url": "links",
    "has_mention": "mentions",
    "favorite_count": "reactions",
    "rt_count": "shares",
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
    accounts = pd.concat([_accounts(path) for path in _named(paths, ACCOUNTS)])
    tweets = pd.concat([_tweets(path) for path in _named(paths, TIMELINES)])
    return Tables(
        name,
        accounts=accounts[["account_id", "platform", "created_at", "follow_back"]],
        posts=tweets.sort_values("created_at", kind="stable", ignore_index=True),
        followers=accounts[["account_id", "observed_at", "followers", "posts_total"]],
    )


def answers(paths: Sequence[Path]) -> pd.DataFrame:
    """Return the libraries' replies to tweets, with the time that each took.

    Returns
    -------
    pandas.DataFrame
        One row a reply that is no retweet: account_id; `hours_to_answer`, to a tenth; `is_answer`,
        whether the tweet replied to addressed the library. The last two are missing where that
        tweet could not be had any more. What nobody answered was not published.
    """
    columns = ["screen_name", "genuine_tweet", "is_reply", "hours_to_answer", "reply_is_answer"]
    parts = []
    for path in _named(paths, TIMELINES):
        cells, refuse = read_cells(path, columns, missing=MISSING)
        genuine, reply = (flags(cells[one], refuse) for one in ("genuine_tweet", "is_reply"))
        hours = pd.to_numeric(cells["hours_to_answer"], errors="coerce")
        wrong = cells["hours_to_answer"].notna() & ~(hours >= 0)
        refuse(wrong, cells["hours_to_answer"], f"is no number of hours; {AGAIN}")
        rows = pd.DataFrame(
            {
                "account_id": cells["screen_name"],
                "hours_to_answer": hours,
                "is_answer": flags(cells["reply_is_answer"], refuse),
            }
        )
        parts.append(rows[genuine & reply])
    return pd.concat(parts, ignore_index=True)


def _named(paths: Sequence[Path], part: str) -> list[Path]:
    # The names differ in case: UniBib_libTwitterStats, Unibib_timelineStats.
    found = [path for path in paths if part in path.name.lower()]
    if not found:
        raise DataError(f"No file *{part}*.csv is among those of the libraries; fetch them again.")
    return found


def _accounts(path: Path) -> pd.DataFrame:
    cells, refuse = read_cells(path, ACCOUNT_COLUMNS, missing=MISSING)
    number = {column: counts(cells[column], refuse) for column in ACCOUNT_COLUMNS[2:]}
    followed = number["followBackCount"]
    return pd.DataFrame(
        {
            "account_id": cells["screen_name"],
            "platform": "Twitter",
            "created_at": times(cells["created_at"], refuse, format=TIME),
            "follow_back": (followed / (followed + number["XFollowsNotBack"])).astype("float64"),
            "observed_at": HARVESTED,
            "followers": number["followers_count"],
            "posts_total": number["statuses_count"],
        }
    )


def _tweets(path: Path) -> pd.DataFrame:
    columns = ["id_str", "screen_name", "created_at", "genuine_tweet"]
    cells, refuse = read_cells(path, [*columns, *TWEET_FLAGS, *TWEET_COUNTS], missing=MISSING)
    genuine = flags(cells["genuine_tweet"], refuse)
    refuse(genuine.isna(), cells["id_str"], f"is neither tweet nor retweet; {AGAIN}")
    return pd.DataFrame(
        {
            "post_id": cells["id_str"],
            "account_id": cells["screen_name"],
            "created_at": times(cells["created_at"], refuse, format=TIME),
            "post_type": genuine.map({True: "tweet", False: "retweet"}),
            **{new: flags(cells[old], refuse) for old, new in TWEET_FLAGS.items()},
            **{new: counts(cells[old], refuse) for old, new in TWEET_COUNTS.items()},
        }
    )
