"""What people hold of their own, brought into canonical tables: archives, exports, graphs, logs."""

from __future__ import annotations

import inspect
import json
import os
import textwrap
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smo_research.errors import DataError
from smo_research.output import beside, check_folder, place, write_table

if TYPE_CHECKING:
    from smo_research.datasets.folder import Own
    from smo_research.tables import Tables

WIDTH = 100
OWN_ACTS_ONLY = (
    "It has what its owner did only: nobody's answers, mentions or reactions to the owner, and no "
    "counts of followers over time. So it tells which posts drew a response, and nothing of who "
    "was answered, who came back or how the audience grew. "
)
LOGS_ONLY = (
    "It has acts only: no posts, so no tweaks but timing, no counts of reactions and of followers."
)
PRIVACY = (
    "Privacy: people are a1, a2, ... in the order in which they first appear, and which is which "
    "is written nowhere. No text, name or address is in the tables; times and counts are, by which "
    "who knows an account may know it again, so keep the folder out of public repositories."
)


@dataclass(frozen=True)
class Kind:
    """A kind of archive, export, graph or log.

    Attributes
    ----------
    what
        What it is, for a reader.
    reader
        Its module in `datasets` and its function, which takes the path, and gives `Tables`; it
        may take `leave`, which is told what is left out.
    name, title, platform
        Of the data set that it makes.
    lacks
        What it cannot tell, in sentences.
    ids
        As in smo.toml: "own" for accounts of one's own, "people" for others.
    """

    what: str
    reader: str
    name: str
    title: str
    platform: str
    lacks: str
    ids: str = "own"


KINDS = {
    "mastodon": Kind(
        "archive of a Mastodon account (.zip, .tar.gz, or its folder)",
        "mastodon_archive.read_mastodon",
        "mastodon-archive",
        "Posts and acts of an account of Mastodon",
        "Mastodon",
        OWN_ACTS_ONLY + "Reactions and shares are there where its server wrote them down. Only "
        "outbox.json is read: the archive's likes and bookmarks have no times.",
    ),
    "bluesky": Kind(
        "repository of an account of Bluesky (.car)",
        "bluesky_repo.read_bluesky",
        "bluesky-repo",
        "Posts and acts of an account of Bluesky",
        "Bluesky",
        "It has what its owner did and did not delete: nobody's answers, mentions, likes or "
        "follows of the owner. So it tells how the owner posts, answers, likes and follows, and "
        "nothing of how that was received, who was answered, who came back or how the audience "
        "grew.",
    ),
    "x": Kind(
        "archive of an account of X, once Twitter (.zip, or its folder)",
        "x_archive.read_x",
        "x-archive",
        "Posts and acts of an account of X",
        "Twitter",
        OWN_ACTS_ONLY
        + "Likes and retweets are as on the day of the archive. Only tweets are read: the "
        "archive's likes and followers have no times, its messages are private, and of a long post "
        "it has here the first 280 characters, so that what comes later is not counted.",
    ),
    "twitter-analytics": Kind(
        "export of posts of Twitter Analytics or X Analytics (.csv, or a folder of them)",
        "twitter_analytics.read_twitter_analytics",
        "twitter-analytics",
        "Posts of an export of Twitter Analytics",
        "Twitter",
        "It has posts and their counts only: not who reacted or was answered, and no counts of "
        "followers. So it tells which posts drew a response, and nothing of who came back or how "
        "the audience grew.",
    ),
    "graph": Kind(
        "graph of accounts (GraphML or GEXF)",
        "graph_files.read_graph",
        "graph",
        "A graph of accounts",
        "own data",
        LOGS_ONLY + " Where its edges have no times, it tells who is tied to whom, and nothing of "
        "who was answered or came back.",
        ids="people",
    ),
    "snap": Kind(
        "timed edge list of SNAP (source target seconds)",
        "own.read_snap",
        "edge-list",
        "A timed edge list",
        "own data",
        LOGS_ONLY,
        ids="people",
    ),
    "konect": Kind(
        "timed edge list of KONECT (source target weight seconds)",
        "own.read_konect",
        "edge-list",
        "A timed edge list",
        "own data",
        LOGS_ONLY,
        ids="people",
    ),
}
TEMPLATES = (*(name for name in KINDS if name != "graph"), "graphml", "gexf", "csv")


@dataclass(frozen=True, eq=False)
class Imported:
    """What was brought in: of which kind, what was left out of it, and where it went."""

    kind: Kind
    own: Own
    left_out: dict[str, int]
    files: list[Path]

    def summary(self) -> str:
        """Say in a few lines what was read, left out and written, and what is not known."""
        left = [f"left out: {what}: {number:,}" for what, number in self.left_out.items()]
        names = ", ".join(path.name for path in self.files)
        lines = [
            f"read: {self.kind.what}",
            *(left or ["left out: nothing"]),
            f"cannot tell: {self.kind.lacks}",
            f"written: {names}; smo.toml may be edited, as in docs/own_data.md",
            PRIVACY,
        ]
        return "\n".join(textwrap.fill(line, WIDTH, subsequent_indent="  ") for line in lines)


def import_tables(
    kind: str,
    path: str | Path,
    output: str | Path,
    *,
    parquet: bool = False,
    act: str | None = None,
) -> Imported:
    r"""Read an archive, export, graph or log, and write its tables and smo.toml.

    Parameters
    ----------
    kind
        One of `KINDS`.
    path
        The file or folder.
    output
        A folder that is new or empty. Nothing is written unless it can then be studied.
    parquet
        Whether the tables are Parquet and not CSV.
    act
        For a log, the kind of each act; by default "message".

    Returns
    -------
    Imported
        What `smo import` prints.

    Raises
    ------
    DataError
        When the kind is not known, the folder is not empty, or the file is not as its format says.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "log.txt").write_text("zoe amy 1577836800\nbo bo 1577836900\n")
    >>> done = import_tables("snap", folder / "log.txt", folder / "tables")
    >>> done.own.rows, done.left_out
    ({'interactions': 1}, {'acts of an account toward itself': 1})
    """
    output, known = Path(output), _kind(kind)
    if act is not None and kind not in ("snap", "konect"):
        raise DataError(f"--act is for snap and konect; leave it out, since {kind} tells the acts.")
    check_empty(output)
    left: Counter[str] = Counter()
    tables = _reader(known, left, {} if act is None else {"kind": act})(Path(path))
    with beside(output) as part:
        own = _write(tables, known, part, "parquet" if parquet else "csv")
        return Imported(known, own, dict(+left), place(part, output))


def check_empty(output: Path) -> None:
    """Refuse a folder that has something in it, or cannot be written to."""
    check_folder(output)
    if output.exists() and any(os.scandir(output)):
        raise DataError(f"{output}: the folder is not empty; choose another with -o.")


def _kind(kind: str) -> Kind:
    if kind not in KINDS:
        raise DataError(f"There is no kind '{kind[:60]}'; give one of {', '.join(KINDS)}.")
    return KINDS[kind]


def _reader(kind: Kind, left: Counter[str], options: dict[str, str]) -> partial[Tables]:
    module, _, function = kind.reader.rpartition(".")
    read = getattr(import_module(f"smo_research.datasets.{module}"), function)
    if "leave" in inspect.signature(read).parameters:
        return partial(read, leave=lambda what, number: left.update({what: int(number)}), **options)
    return partial(read, **options)


def _write(tables: Tables, kind: Kind, folder: Path, ending: str) -> Own:
    """Write the tables and what they are, and read them again as a study would."""
    from smo_research.datasets.folder import SETTINGS, read_folder
    from smo_research.tables import SCHEMAS

    found = {name: getattr(tables, name) for name in SCHEMAS}
    files = {name: f"{name}.{ending}" for name, table in found.items() if table is not None}
    for name, file in files.items():
        write_table(found[name], folder / file)
    (folder / SETTINGS).write_text(_settings(kind, files), encoding="utf-8")
    return read_folder(folder)


def _settings(kind: Kind, files: Mapping[str, str]) -> str:
    told: dict[str, Any] = {
        "name": kind.name,
        "title": kind.title,
        "platform": kind.platform,
        "limits": kind.lacks,
        "ids": kind.ids,
    }
    # Of a basic string JSON and TOML write the same.
    lines = [f"{key} = {json.dumps(value)}" for key, value in told.items()]
    for name, file in files.items():
        lines += ["", f"[table.{name}]", f"file = {json.dumps(file)}"]
    return "\n".join([ABOVE, *lines, WINDOWS])


ABOVE = "# What these files are; docs/own_data.md says what each line may be."
WINDOWS = """
# In days: how long a period is, when a newcomer must be back at the earliest, and at the latest.
[windows]
period = 7
gap = 7
horizon = 42
# Whether the data begins with the platform itself.
from_launch = false
"""
