"""What libraries and candidates say about themselves, recounted from their own tweets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from smo_research.datasets import candidates, german_libraries
from smo_research.datasets.csv_cells import read_cells
from smo_research.tables import Tables

Number = int | float | str
Files = Callable[[], list[Path]]
# From 8:04 to 8:10 each library was as many whole days old as was published.
LOOKED_AT = german_libraries.HARVESTED + pd.Timedelta(hours=8, minutes=7)
HALF_A_CENT = 0.005 + 1e-9


def table(frame: pd.DataFrame | None) -> pd.DataFrame:
    """Return a table that the data set is known to bring."""
    return pd.DataFrame() if frame is None else frame


def agree(mine: pd.Series, theirs: pd.Series, *, within: float = HALF_A_CENT) -> int:
    """Count the accounts whose published number is met."""
    numbers = pd.to_numeric(theirs).astype(float)
    return int(((mine.astype(float).reindex(numbers.index) - numbers).abs() <= within).sum())


def libraries(tables: Tables, files: Files) -> dict[str, Number]:
    """Recount the files of the libraries, and their 45 variables from their tweets."""
    posts, paths = table(tables.posts), files()
    kinds = {"nat": "national libraries", "uni": "university libraries", "oeb": "public libraries"}
    read = {path: pd.read_csv(path, dtype=str, keep_default_na=False) for path in paths}
    looks, timelines = (
        {kinds[path.name[:3].lower()]: rows for path, rows in read.items() if part in path.name}
        for part in ("libTwitterStats", "timelineStats")
    )
    sizes: dict[str, Number] = {kind: len(rows) for kind, rows in looks.items()}
    sizes |= {
        f"tweets of {kind}": int(posts["account_id"].isin(rows["screen_name"]).sum())
        for kind, rows in looks.items()
    }
    theirs = pd.concat(looks.values()).set_index("screen_name")
    averages = _averages_of_libraries(tables, german_libraries.answers(paths))
    return (
        sizes
        | {
            "libraries": len(table(tables.accounts)),
            "tweets": len(posts),
            "variables of a library": theirs.shape[1] + 1,
            "variables of a tweet": pd.concat(timelines.values()).shape[1],
        }
        | {
            f"libraries whose {quantity} met": agree(mine, theirs[column])
            for quantity, (column, mine) in averages.items()
        }
    )


def _averages_of_libraries(
    tables: Tables, answers: pd.DataFrame
) -> dict[str, tuple[str, pd.Series]]:
    """Quantity to the published column and our own value, by library.

    What was published as averages of favourites and retweets are shares of tweets that have any.
    The shares of own and automated tweets are of all tweets ever made.
    """
    posts = table(tables.posts)
    own = posts[posts["post_type"] == "tweet"]
    own = own.assign(
        **{column: own[column] > 0 for column in ("reactions", "shares")},
        any=own[["hashtags", "links", "mentions", "has_media"]].astype("Int64").max(axis=1) > 0,
    ).set_index("account_id")
    share = own.select_dtypes(["boolean", "Int64"]).astype(float).groupby(level=0).mean()
    ever = table(tables.followers).set_index("account_id")["posts_total"]
    accounts = table(tables.accounts).set_index("account_id")
    days = (LOOKED_AT - accounts["created_at"]).dt.days
    last = posts.groupby("account_id")["created_at"].max()
    hours = answers.groupby("account_id")["hours_to_answer"].mean()
    return {
        "share of replies is": ("replies_ratio", share["is_reply"]),
        "share with a hashtag is": ("avg_has_hashtag", share["hashtags"]),
        "share with a link is": ("avg_has_url", share["links"]),
        "share with a mention is": ("avg_has_mention", share["mentions"]),
        "share with media is": ("avg_has_media", share["has_media"]),
        "share with any of the four is": ("avg_has_entity", share["any"]),
        "share favoured is": ("avg_Favs", share["reactions"]),
        "share retweeted is": ("avg_RTs", share["shares"]),
        "share of own tweets is": ("genuine_tweet_ratio", own.groupby(level=0).size() / ever),
        "automated share is": (
            "auto_tweet_ratio",
            own["is_automated"].groupby(level=0).sum() / ever,
        ),
        "tweets a day are": ("tweets_per_day", ever / days),
        "hours to answer are": ("avg_hours_to_answer", hours.reindex(days.index).fillna(0)),
        "follow-back is": ("activeNotFollowRatio", 1 - accounts["follow_back"]),
        "age in days is": ("days", days),
        "days since the last tweet are": ("days_since_last_tweet", (LOOKED_AT - last).dt.days),
    }


def candidate_results(tables: Tables, files: Files) -> dict[str, Number]:
    """Recount follower counts, and the published results on tweets."""
    followers, posts, paths = table(tables.followers), table(tables.posts), files()
    ordered = followers.sort_values(["account_id", "observed_at"])
    step = ordered.groupby("account_id")["followers"].diff()
    suffix = candidates.FOLLOWERS.removeprefix("*")
    changes = pd.concat(
        read_cells(path, ["AbsPrevRelative"])[0].assign(account_id=path.name.removesuffix(suffix))
        for path in sorted(paths)
        if path.match(candidates.FOLLOWERS)
    )
    changes = changes.sort_values("account_id", kind="stable")["AbsPrevRelative"]
    found: dict[str, Number] = {
        "accounts with follower counts": followers["account_id"].nunique(),
        "follower counts, cleaned": len(followers),
        "follower counts whose published change is met": agree(
            step.fillna(0).reset_index(drop=True), changes.reset_index(drop=True)
        ),
        "steps that lose followers, %": 100 * float((step.dropna() < 0).mean()),
        "tweets": len(posts),
        "accounts with tweets": posts["account_id"].nunique(),
    }
    mine, theirs = tweets_of_candidates(tables), candidates.published(paths).set_index("account_id")
    found |= {
        f"accounts whose {column} is met": agree(mine[ours], theirs[ours])
        for column, ours in candidates.PUBLISHED.items()
    }
    return found | _other_results(tables, paths, mine)


def tweets_of_candidates(tables: Tables) -> pd.DataFrame:
    """Count the tweets that are no retweets, those of January to May 2019, and replies in these.

    Returns
    -------
    pandas.DataFrame
        One row an account: `tweets`, `tweets_2019` and `replies_2019`, as in
        `candidates.published`.
    """
    posts = table(tables.posts)
    own = posts[posts["post_type"] != "retweet"]
    spring = own[own["created_at"].between("2019-01-01", "2019-05-31 23:59:59")]
    counts = pd.DataFrame(
        {
            "tweets": own.groupby("account_id").size(),
            "tweets_2019": spring.groupby("account_id").size(),
            "replies_2019": spring.groupby("account_id")["is_reply"].sum(),
        }
    )
    return counts.fillna(0).astype("int64")


def _other_results(tables: Tables, paths: list[Path], mine: pd.DataFrame) -> dict[str, Number]:
    """Shares, first tweets and namings of Trump; the texts are read for these and not kept."""
    (path,) = (path for path in paths if path.name == candidates.RESULTS)
    names = candidates.published(paths)["account_id"]
    columns = ["CandidateName", "EarliestTweet", "TrumpTweetsIn2019", "ReplyPercentIn2019"]
    theirs, _ = read_cells(path, columns, missing=["NA"])
    theirs = theirs[theirs["CandidateName"].notna()].set_index(pd.Index(names))
    first = table(tables.posts).groupby("account_id")["created_at"].min().reindex(names)
    earliest = pd.to_datetime(theirs["EarliestTweet"], utc=True)
    percent = 100 * mine["replies_2019"] / mine["tweets_2019"]
    columns = ["screen_name", "created_at", "text", "is_retweet"]
    tweets = pd.concat(
        read_cells(path, columns)[0] for path in paths if path.match(candidates.TWEETS)
    )
    spring = tweets["created_at"].between("2019-01-01", "2019-06-01")
    named = tweets["text"].str.contains("trump", case=False)
    counted = named.where(spring & (tweets["is_retweet"] == "FALSE"), False)
    trump = counted.groupby(tweets["screen_name"].str.lower()).sum()
    return {
        "accounts whose ReplyPercentIn2019 is met": agree(
            percent, theirs["ReplyPercentIn2019"], within=1e-9
        ),
        "accounts whose EarliestTweet is met": int((first == earliest).sum()),
        "accounts whose TrumpTweetsIn2019 is met": agree(trump, theirs["TrumpTweetsIn2019"]),
    }
