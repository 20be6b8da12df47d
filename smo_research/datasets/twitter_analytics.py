"""Reader of the posts that Twitter Analytics, now X Analytics, exports as CSV."""

from __future__ import annotations

import io
from pathlib import Path

import pandas as pd

from smo_research.datasets.cells import Refuse
from smo_research.datasets.csv_cells import AGAIN, read_cells
from smo_research.datasets.edgelist import read_text
from smo_research.datasets.left_out import Leave, unasked
from smo_research.datasets.pseudonyms import pseudonyms
from smo_research.datasets.tweet_text import text_features
from smo_research.errors import DataError
from smo_research.tables import Tables, validate

# What the two forms of the export call the columns: that to 2024, and that of today.
TWEETS = {
    "id": "Tweet id",
    "link": "Tweet permalink",
    "text": "Tweet text",
    "time": "time",
    "impressions": "impressions",
    "reactions": "likes",
    "replies": "replies",
    "shares": "retweets",
}
POSTS = {
    "id": "Post id",
    "link": "Post Link",
    "text": "Post text",
    "time": "Date",
    "impressions": "Impressions",
    "reactions": "Likes",
    "replies": "Replies",
    "shares": "Reposts",
}
COUNTS = ["impressions", "reactions", "replies", "shares"]
TIME, DAY = "%Y-%m-%d %H:%M %z", "%a, %b %d, %Y"
# An id holds the milliseconds since this moment, above its last 22 bits.
FIRST_MILLISECOND, BITS = 1_288_834_974_657, 22
HANDLE = r"//[^/]+/([^/]+)/status/"
PROMOTED = "promoted "
OVERVIEW = {"Date", "New follows", "Unfollows"}
# Digits that a rounded id has in common with the true one.
SAME_DIGITS = 12
BY_DAY = {"Date", "impressions", "engagements"}
MISSING = ["", "-"]
TWICE = "rows of posts that are there more than once; that with most impressions is kept"


def read_twitter_analytics(path: str | Path, *, leave: Leave = unasked) -> Tables:
    r"""Read the posts of an export of Twitter Analytics or of X Analytics.

    Two forms are known: "Tweet activity" (to 2024), with a time in each row and columns of what
    was paid for, and "Content" of X Analytics, with a day, where the time comes out of the post's
    id. `hashtags`, `links` and `mentions` are counted in the text; the link to a picture cannot
    be told from another and is counted. A post is a reply when its text starts with @. Whether it
    carries a picture is not told: the columns on media count what readers did, and are 0 both
    where there is none and where nobody looked. `is_paid` is true where any promoted column is
    above 0. Accounts (a1, a2, ...) and posts are numbered by their first appearance in time; an
    account that changed its name counts as two. No text, name or id is kept.

    Parameters
    ----------
    path
        The CSV file, or a folder of nothing but such files, of which a post that is in several
        is taken from the one that counts most impressions.
    leave
        Is told what is left out, and how many.

    Returns
    -------
    Tables
        `accounts` and `posts`.

    Raises
    ------
    DataError
        Naming the file, the row (from 1, the header counted) and the column that is wrong. So
        too for the account overview: its daily new follows and unfollows add up to no number of
        followers, and name no account.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp(), "tweets.csv")
    >>> head = "Tweet id,Tweet permalink,Tweet text,time,impressions,retweets,replies,likes\n"
    >>> row = "1,https://twitter.com/me/status/1,#one,2014-05-01 12:30 +0000,9.0,0.0,0.0,2.0\n"
    >>> _ = file.write_text(head + row)
    >>> read_twitter_analytics(file).posts[["post_id", "hashtags", "reactions"]].values.tolist()
    [['p1', 1, 2]]
    """
    path = Path(path)
    files = sorted(path.glob("*.csv")) if path.is_dir() else [path]
    if not files:
        raise DataError(f"{path} has no .csv file; give the folder of the exports.")
    rows = pd.concat([_read_file(file) for file in files], ignore_index=True)
    leave(TWICE, int(rows["id"].duplicated().sum()))
    rows = rows.sort_values("impressions", kind="stable", na_position="first")
    rows = rows.drop_duplicates("id", keep="last").sort_values(["created_at", "id"])
    accounts = pseudonyms(rows["handle"]).reset_index(drop=True)
    posts = rows.drop(columns=["id", "handle"]).reset_index(drop=True)
    posts = posts.assign(post_id="p" + (posts.index + 1).astype(str), account_id=accounts)
    owners = pd.DataFrame({"account_id": accounts.unique(), "platform": "Twitter"})
    return Tables(
        "twitter-analytics",
        accounts=validate(owners, "accounts", source=path.name),
        posts=validate(posts.dropna(axis="columns", how="all"), "posts", source=path.name),
    )


def _read_file(path: Path) -> pd.DataFrame:
    header = _header(path)
    names = TWEETS if TWEETS["id"] in header else POSTS
    if len(header) == 1 and ";" in header[0]:
        raise DataError(
            f"{path.name} was saved by a spreadsheet; {AGAIN}, and do not open it there."
        )
    if names["id"] not in header and set(header) >= BY_DAY:
        raise DataError(f"{path.name} is the export by day; give that by post (by tweet).")
    if "favorites" in header:  # what likes were called to the end of 2015
        names = names | {"reactions": "favorites"}
    if set(header) >= OVERVIEW:
        raise DataError(
            f"{path.name} is the account overview, which counts no followers and names no post; "
            "give the export of posts."
        )
    promoted = [name for name in header if name.startswith(PROMOTED)]
    cells, refuse = read_cells(path, [*names.values(), *promoted], missing=MISSING)
    if cells.empty:
        raise DataError(f"{path.name} has no posts; export a span of time with posts.")
    told = cells.rename(columns={name: key for key, name in names.items()})
    _check(told, names, refuse)
    text = text_features(told["text"].fillna(""))
    rows = pd.DataFrame(
        {
            "id": told["id"],
            "handle": told["link"]
            .str.extract(r"//[^/]+/([^/]+)/status/", expand=False)
            .str.lower(),
            "created_at": _times(told, names, refuse),
            **{column: text[column] for column in ("hashtags", "links", "mentions", "is_reply")},
            **{column: pd.to_numeric(told[column]).astype("Int64") for column in COUNTS},
        }
    )
    _refuse(rows["handle"].isna(), names["link"], "is no address of a post", refuse)
    if promoted:
        paid = cells[promoted].apply(pd.to_numeric, errors="coerce") > 0
        rows["is_paid"] = paid.any(axis="columns")
    return rows


def _header(path: Path) -> list[str]:
    try:
        header = pd.read_csv(io.BytesIO(read_text(path)), nrows=0)
    except pd.errors.ParserError as error:
        raise DataError(f"{path.name} is no table ({str(error).strip()}); {AGAIN}.") from None
    return header.columns.tolist()


def _check(told: pd.DataFrame, names: dict[str, str], refuse: Refuse) -> None:
    known = told["id"].str.fullmatch("[0-9]{1,19}", na=False)
    _refuse(~known, names["id"], "is no id (has a spreadsheet rounded it?)", refuse)
    linked = told["link"].str.extract(r"/status/(\d+)", expand=False)
    near = linked.str[:SAME_DIGITS] == told["id"].str[:SAME_DIGITS]
    other = near & (linked != told["id"])
    _refuse(other, names["id"], "is not the id in the link (has a spreadsheet rounded it?)", refuse)
    for column in COUNTS:
        counted = told[column].str.fullmatch(r"[0-9]{1,15}([.]0+)?", na=True)
        _refuse(~counted, names[column], "is no count", refuse)


def _times(told: pd.DataFrame, names: dict[str, str], refuse: Refuse) -> pd.Series:
    by_day = names["time"] == POSTS["time"]
    form = DAY if by_day else TIME
    found = pd.to_datetime(told["time"], format=form, utc=True, errors="coerce").dt.as_unit("us")
    _refuse(found.isna(), names["time"], f"is no time of the form {form}", refuse)
    if not by_day:
        return found
    milliseconds = told["id"].astype("uint64") // 2**BITS + FIRST_MILLISECOND
    exact = pd.to_datetime(milliseconds.astype("int64"), unit="ms", utc=True).dt.as_unit("us")
    # The day may be that of another time zone.
    apart = (exact - found).abs() > pd.Timedelta(days=2)
    _refuse(apart, names["id"], "is of another day than the row says", refuse)
    return exact


def _refuse(wrong: pd.Series, column: str, problem: str, refuse: Refuse) -> None:
    """Raise on the first wrong row, with the column's name in place of what a cell says."""
    refuse(wrong, pd.Series(column, index=wrong.index), f"{problem}; {AGAIN}")
