"""Reader of Lobsters: links submitted to a bookmarking site."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from smo_research.datasets.cells import refuser
from smo_research.datasets.csv_cells import AGAIN
from smo_research.datasets.edgelist import read_text
from smo_research.datasets.pseudonyms import pseudonyms
from smo_research.errors import DataError
from smo_research.tables import Tables

COLUMNS = ["id", "created_time", "url", "title", "submitter", "comments", "score", "tags"]
# A quote inside stays doubled: it changes no count.
QUOTED = r"'([^']*(?:''[^']*)*)'"
SQL = re.compile(rf'INSERT INTO "table" VALUES\({",".join([QUOTED] * 5)},(\d+),(-?\d+),{QUOTED}\);')
# A title may hold pipes, so it takes what the other columns leave.
PIPES = re.compile(r"([^|]*)\|([^|]*)\|([^|]*)\|(.*)\|([^|]*)\|(\d+)\|(-?\d+)\|([^|]*)")
WORD = re.compile(r"\S*[^\W_]\S*")
# The site's name for whoever has left it: many people, and none of them named.
GONE = "inactive-user"


def read(paths: Sequence[Path], *, name: str) -> Tables:
    """Read the stories, from SQL inserts (to 2021) and lines with pipes (2023).

    Submitters and stories get serial names, since a story's id leads to its submitter; the name
    "inactive-user", which all accounts that were closed share, is kept. `reactions` is the score,
    which is votes up less votes down: where it is below 0 (1,797 stories) there is no number of
    votes, and 0 is the nearest. `replies` are the comments; the collection's schema names the two
    numbers in this order. `hashtags` is the number of tags, `links` 1 or, for a story of text
    only, 0; `title_words` counts what holds a letter or a digit. Titles are not kept.

    Raises
    ------
    DataError
        Naming the file and the row, when a line is no story or a story is there twice.
    """
    rows = pd.concat([_read_file(path) for path in paths], ignore_index=True)
    twice = rows["id"].duplicated()
    if twice.any():
        raise DataError(
            f"{', '.join(path.name for path in paths)}: {twice.sum()} stories are there twice, "
            f"first {rows['id'][twice].iloc[0]!r}; {AGAIN}."
        )
    submitters = rows["submitter"]
    accounts = pseudonyms(submitters.mask(submitters == GONE)).fillna(GONE)
    posts = pd.DataFrame(
        {
            "post_id": pseudonyms(rows["id"]).str.replace("a", "p"),
            "account_id": accounts,
            "created_at": rows["created_time"],
            "hashtags": rows["tags"].str.split(",").str.len().where(rows["tags"] != "", 0),
            "links": (rows["url"].str.strip() != "").astype("int64"),
            "title_words": [len(WORD.findall(title)) for title in rows["title"]],
            "reactions": pd.to_numeric(rows["score"]).clip(lower=0),
            "replies": pd.to_numeric(rows["comments"]),
        }
    )
    return Tables(
        name,
        accounts=pd.DataFrame({"account_id": accounts.unique(), "platform": "Lobsters"}),
        posts=posts.sort_values("created_at", kind="stable", ignore_index=True),
    )


def _read_file(path: Path) -> pd.DataFrame:
    lines = read_text(path).decode().rstrip("\n").split("\n")
    form = SQL if lines[0].startswith("INSERT") else PIPES
    found = [form.fullmatch(line) for line in lines]
    refuse = refuser(path, lambda row: row + 1)
    wrong = [match is None for match in found]
    refuse(wrong, pd.Series(lines), f"is no story; {AGAIN}")
    rows = pd.DataFrame([match.groups() for match in found if match], columns=COLUMNS, dtype="str")
    text = rows["created_time"]
    # Offsets change with summer time, so each time brings its own.
    times = pd.to_datetime(text, format="ISO8601", utc=True, errors="coerce").dt.as_unit("us")
    zoned = text.str.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?[+-]\d\d:\d\d")
    refuse(times.isna() | ~zoned, text, f"is no time with an offset; {AGAIN}")
    for column in ("id", "submitter"):
        refuse(rows[column] == "", text, f"has no {column}; {AGAIN}")
    return rows.assign(created_time=times)
