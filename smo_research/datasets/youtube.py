"""Reader of two slices of YouNiverse: weekly counts of YouTube channels."""

from __future__ import annotations

import io
import warnings
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import pandas as pd

from smo_research.datasets.cells import Refuse, refuser
from smo_research.datasets.pseudonyms import pseudonyms
from smo_research.errors import DataError
from smo_research.tables import Tables

# The published columns that are read. The others are derived: delta_subs hides losses, and
# weekly_growth and has_buzzed are the outcome that the channels were chosen on.
COUNTS = {"subs": "followers", "videos": "posts_total", "views": "views_total"}
COLUMNS = ["channel", "datetime", *COUNTS]
BOTH = "both"


def read(paths: Sequence[Path], *, name: str) -> Tables:
    """Read accounts and weekly follower counts; channels become pseudonyms.

    The published counts are interpolated between weeks, so they are rounded to whole numbers;
    losses are kept. A channel that is in several files is one account, and its weeks are kept
    once. `sample` names the file a channel came from, without its endings, or says "both": the
    files were chosen on growth by different rules, so compare within one of them only.

    Raises
    ------
    DataError
        When a file is not the zipped table that was published, or two files give different
        counts for the same channel and time.
    """
    weeks = pd.concat([_read_file(path) for path in paths], ignore_index=True)
    weeks.insert(0, "account_id", pseudonyms(weeks.pop("channel")))
    samples = weeks.groupby("account_id", sort=False)["sample"]
    accounts = samples.first().where(samples.nunique() == 1, BOTH).reset_index()
    followers = weeks.drop(columns="sample").drop_duplicates()
    twice = followers[followers.duplicated(["account_id", "observed_at"])]
    if len(twice):
        raise DataError(
            f"{', '.join(path.name for path in paths)}: {len(twice)} counts differ between rows of "
            f"the same channel and time, first at {twice['observed_at'].iloc[0]}; download the "
            "files again."
        )
    accounts.insert(1, "platform", "YouTube")
    return Tables(name, accounts=accounts, followers=followers)


def _read_file(path: Path) -> pd.DataFrame:
    data = _unzip(path)
    # It is called .tsv, but has commas.
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            rows = pd.read_csv(
                io.BytesIO(data), sep=",", index_col=False, dtype=str, na_filter=False
            )
    except (ValueError, pd.errors.ParserWarning) as error:
        raise DataError(f"{path.name} is no csv ({error}); download it again.") from None
    absent = [column for column in COLUMNS if column not in rows]
    if absent:
        raise DataError(f"{path.name} has no column {', '.join(absent)}; download it again.")
    refuse = refuser(path, lambda row: row + 2)
    refuse(rows["channel"] == "", rows["datetime"], "has no channel; download the file again")
    times = pd.to_datetime(
        rows["datetime"], format="%Y-%m-%d %H:%M:%S", utc=True, errors="coerce"
    ).dt.as_unit("us")
    refuse(times.isna(), rows["datetime"], "is no date and time; download the file again")
    counts = {new: _whole(rows[old], refuse) for old, new in COUNTS.items()}
    weeks = pd.DataFrame({"channel": rows["channel"], "observed_at": times, **counts})
    return weeks.assign(sample=path.name.partition(".")[0])


def _whole(text: pd.Series, refuse: Refuse) -> pd.Series:
    numbers = pd.to_numeric(text, errors="coerce")
    refuse(numbers.isna() & (text != ""), text, "is no number; download the file again")
    return numbers.round().astype("Int64")


def _unzip(path: Path) -> bytes:
    """Return the one table of an archive, whatever its name; leave alone what a Mac adds."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = [
                member
                for member in archive.namelist()
                if member.endswith(".tsv") and not PurePosixPath(member).name.startswith(".")
            ]
            if len(members) != 1:
                raise DataError(
                    f"{path.name} must hold one .tsv file, but holds {len(members)}; download it "
                    "again."
                )
            return archive.read(members[0])
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise DataError(f"{path.name} is damaged ({error}); download it again.") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}); correct the name.") from None
