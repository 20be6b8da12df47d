"""Files of one's own, valid ones and damaged ones: a valid table of all rows, or a named error.

SMO_FUZZ=900 takes so many inputs a reader, other ones each time; without it they are the same few.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import re
import signal
import tarfile
import tempfile
import time
import zipfile
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

import ibis
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from damage import damaged, damaged_car, damaged_json, damaged_table
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from smo_research import example
from smo_research.datasets.bluesky_repo import read_bluesky
from smo_research.datasets.cells import NOTHING, ROUNDED
from smo_research.datasets.edgelist import read_edgelist
from smo_research.datasets.folder import inspect_folder, read_folder
from smo_research.datasets.graph_files import read_graph
from smo_research.datasets.mastodon_archive import read_mastodon
from smo_research.datasets.own import open_log, read_konect, read_posts, read_snap, read_table
from smo_research.datasets.twitter_analytics import read_twitter_analytics
from smo_research.datasets.x_archive import read_x
from smo_research.errors import DataError
from smo_research.problems import MAX_PROBLEMS_SHOWN, told
from smo_research.tables import SCHEMAS, Tables, checked

MOST_SECONDS = 10
MANY = os.environ.get("SMO_FUZZ")
FEW = 30
IDS = {
    "interactions": ["source_id", "target_id"],
    "posts": ["post_id", "account_id"],
    "accounts": ["account_id"],
    "edges": ["source_id", "target_id"],
}
SEEN: dict[str, Counter[str]] = defaultdict(Counter)
SLOWEST: dict[str, float] = defaultdict(float)

Files = dict[str, bytes]
Frames = dict[str, pd.DataFrame]
# Of each table how many rows it should have, or which ids.
Rows = dict[str, int | list[tuple[str, ...]]] | None


def fuzzed(cases: st.SearchStrategy[tuple[Files, Rows]]) -> Callable[[Any], Any]:
    """Make a test of many cases: the files of a folder, and the rows that are right."""
    chosen = settings(
        max_examples=int(MANY or FEW),
        derandomize=MANY is None,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    return lambda test: chosen(given(cases)(test))


class TooSlow(BaseException):
    """No reader may take this for an error of its file."""


@contextmanager
def in_time():
    """Stop what computes for longer than any reader may, however busy the machine is."""

    def stop(*_: Any) -> None:
        raise TooSlow(f"{MOST_SECONDS} seconds")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, MOST_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def read_case(case: tuple[Files, Rows], read: Callable[[Path], Frames]) -> Frames | None:
    """Read the files of a case, and check what comes of it; None is a named error."""
    files, rows = case
    name = os.environ["PYTEST_CURRENT_TEST"].split("::")[-1].split(" ")[0]
    with tempfile.TemporaryDirectory() as folder:
        for path, data in files.items():
            Path(folder, path).write_bytes(data)
        start = time.process_time()
        try:
            with in_time():
                frames = read(Path(folder))
        except DataError as error:
            frames = None
            check_message(str(error))
            assert rows is None, f"refused what is valid: {error}"
        SLOWEST[name] = max(SLOWEST[name], time.process_time() - start)
    SEEN[name]["refused" if frames is None else "read"] += 1
    for table, frame in (frames or {}).items():
        check_frame(table, frame)
    if rows is not None:
        assert set(frames) == set(rows)
        for table, right in rows.items():
            check_rows(frames[table], table, right)
    return frames


def check_message(message: str) -> None:
    """One sentence a problem, each in its line, with nothing that moves a terminal."""
    lines = message.split("\n")
    assert 1 <= len(lines) <= MAX_PROBLEMS_SHOWN + 1
    assert all(line.endswith(".") and line.isprintable() for line in lines), ascii(message)
    assert max(map(len, lines)) < 1000


def check_frame(table: str, frame: pd.DataFrame) -> None:
    valid, problems = checked(frame, table, source="it")
    assert not problems
    pd.testing.assert_frame_equal(valid, frame)


def check_rows(frame: pd.DataFrame, table: str, right: Any) -> None:
    if isinstance(right, int):
        assert len(frame) == right
    else:
        assert Counter(frame[IDS[table]].itertuples(index=False, name=None)) == Counter(right)


def frames_of(tables: Tables) -> Frames:
    found = {name: getattr(tables, name) for name in SCHEMAS}
    return {name: frame for name, frame in found.items() if frame is not None}


@pytest.fixture(scope="module", autouse=True)
def summary():
    """With SMO_FUZZ and -s, tell what was read."""
    yield
    if MANY:
        for name, seen in SEEN.items():
            print(f"\n{name}: {dict(seen)}, slowest {SLOWEST[name]:.2f} s", end="")
        print("\nin all", sum(map(Counter.total, SEEN.values())))


# What is valid.

ODD = [
    "007",
    "1e5",
    "NA",
    "null",
    "nan",
    "None",
    "true",
    "=1+1",
    "'",
    '"',
    ",",
    ";",
    "-1",
    "9" * 40,
]
ODD += [
    "\u00e9",
    "e\u0301",
    "\u202eabc",
    "\U0001f642",
    "#x",
    "0x1F",
    "1.0",
    "2020-01-01",
    "x" * 5000,
]
CHARACTERS = st.characters(codec="utf-8", exclude_characters="\n\r\0\ufeff")
TEXTS = st.text(CHARACTERS, min_size=1, max_size=6)
NAMES = st.sampled_from([*ODD, " a ", "\u2028", "\x85"]) | TEXTS.filter(
    lambda one: one not in NOTHING and not re.fullmatch(ROUNDED, one)
)
# In an edge list spaces part the cells, and these begin a comment.
WORDS = NAMES.filter(lambda one: not set("".join(one.split())) ^ set(one) and one[0] not in "#%")
FIRST, LAST = pd.Timestamp("1990-01-01"), pd.Timestamp("2024-12-31")
SECONDS = st.integers(int(FIRST.timestamp()), int(LAST.timestamp()))
TIMES = st.datetimes(FIRST.to_pydatetime(), LAST.to_pydatetime())
FORMS = ["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S.%f+00:00", "%Y-%m-%d"]
WHEN = st.builds(lambda when, form: when.strftime(form), TIMES, st.sampled_from(FORMS))
FLAGS = st.sampled_from(["true", "False", "1", "0", ""])
COUNTS = st.integers(0, 10**12).map(str) | st.just("")
KINDS = st.sampled_from(["message", "reply", "follow"])

# The columns of a table that must be there, and those that may.
COLUMNS = {
    "interactions": (
        {"source_id": NAMES, "target_id": NAMES, "created_at": WHEN, "kind": KINDS},
        {"post_id": NAMES | st.just("")},
    ),
    "posts": (
        {"post_id": NAMES, "account_id": NAMES, "created_at": WHEN},
        {"is_reply": FLAGS, "links": COUNTS, "post_type": st.sampled_from(["", "photo"])},
    ),
    "accounts": ({"account_id": NAMES, "platform": NAMES}, {"created_at": WHEN | st.just("")}),
}
UNIQUE = {"interactions": None, "posts": "post_id", "accounts": "account_id"}


@st.composite
def records(draw: Any, table: str) -> list[dict[str, str]]:
    needed, more = COLUMNS[table]
    chosen = draw(st.sets(st.sampled_from(sorted(more))))
    row = st.fixed_dictionaries(needed | {name: more[name] for name in sorted(chosen)})
    by = (lambda one: one[UNIQUE[table]]) if UNIQUE[table] else None
    return draw(st.lists(row, min_size=1, max_size=6, unique_by=by))


def csv_of(rows: list[dict[str, str]], separator: str = ",", end: str = "\n") -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, lineterminator=end)
    writer.writerows([list(rows[0]), *([row[name] for name in rows[0]] for row in rows)])
    return text.getvalue().encode()


def parquet_of(rows: list[dict[str, str]]) -> pa.Table:
    frame = pd.DataFrame(rows)
    if "created_at" in frame and "" not in set(frame["created_at"]):
        frame["created_at"] = pd.to_datetime(frame["created_at"], format="ISO8601", utc=True)
    return pa.Table.from_pandas(frame.replace("", None), preserve_index=False)


def bytes_of(table: pa.Table) -> bytes:
    data = io.BytesIO()
    pq.write_table(table, data)
    return data.getvalue()


def ids(rows: list[dict[str, str]], table: str) -> list[tuple[str, ...]]:
    return [tuple(row[name] for name in IDS[table]) for row in rows]


@st.composite
def csv_files(draw: Any, table: str) -> tuple[Files, Rows]:
    """A CSV file of a table, as it is or packed, valid or damaged."""
    rows, valid = draw(records(table)), draw(st.booleans())
    data = csv_of(rows, end=draw(st.sampled_from(["\n", "\r\n", "\r"])))
    data = draw(st.sampled_from([b"", b"\xef\xbb\xbf"])) + data
    data = data if valid else draw(damaged(data))
    right = {table: ids(rows, table)} if valid else None
    how = draw(st.integers(0, 4))
    if how == 0:
        return {f"{table}.csv.gz": gzip.compress(data, mtime=0)}, right
    if how == 1:
        return {f"{table}.csv.gz": draw(damaged(gzip.compress(data, mtime=0)))}, None
    return {f"{table}.csv": data}, right


@st.composite
def parquet_files(draw: Any, table: str) -> tuple[Files, Rows]:
    rows, valid = draw(records(table)), draw(st.booleans())
    made = parquet_of(rows)
    data = bytes_of(made) if valid else draw(damaged_table(made))
    return {f"{table}.parquet": data}, {table: ids(rows, table)} if valid else None


def rows_of_csv(data: bytes) -> int:
    """Count the rows of a CSV file without the reader."""
    text = data.decode().lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    csv.field_size_limit(1 << 24)
    cells = csv.reader(io.StringIO(text, newline=""))
    return sum(len(row) > 1 or bool("".join(row).strip()) for row in cells) - 1


def rows_of(path: Path) -> int:
    """Count the rows of a file without the reader."""
    if path.suffix == ".parquet":
        return pq.read_metadata(path).num_rows
    data = path.read_bytes()
    return rows_of_csv(gzip.decompress(data) if path.suffix == ".gz" else data)


def table_at(path: Path, table: str) -> pd.DataFrame:
    frame, problems = read_table(path, table)
    if problems:
        raise DataError(told(problems))
    return frame


@cache
def engine() -> ibis.BaseBackend:
    return ibis.duckdb.connect()


def read_own(folder: Path) -> Frames:
    """Read a log in both ways that there are: as a file that is given, and as one of a folder."""
    (path,) = folder.iterdir()
    form = "parquet" if path.suffix == ".parquet" else "csv"
    log = open_log(path, engine(), format=form)
    if isinstance(log, ibis.Table):
        found = engine().execute(log)
        assert len(found) == rows_of(path)
        log = read_edgelist(path, format=form)
        assert ids(found.to_dict("records"), "interactions") == ids(
            log.to_dict("records"), "interactions"
        )
    assert len(log) == rows_of(path)
    return {"interactions": log}


@fuzzed(csv_files("interactions"))
def test_a_log_as_csv(case):
    read_case(case, read_own)


@fuzzed(parquet_files("interactions"))
def test_a_log_as_parquet(case):
    read_case(case, read_own)


def read_own_posts(folder: Path) -> Frames:
    (path,) = folder.iterdir()
    posts = read_posts(path)
    assert len(posts) == rows_of(path)
    return {"posts": posts}


@fuzzed(csv_files("posts") | parquet_files("posts"))
def test_posts(case):
    read_case(case, read_own_posts)


@fuzzed(
    st.sampled_from(sorted(COLUMNS)).flatmap(lambda table: csv_files(table) | parquet_files(table))
)
def test_tables(case):
    def read(folder: Path) -> Frames:
        (path,) = folder.iterdir()
        table = path.name.partition(".")[0]
        frame = table_at(path, table)
        assert len(frame) == rows_of(path)
        return {table: frame}

    read_case(case, read)


# Folders.

SETTINGS = """\
title = "What it is"
ids = "public"
[windows]
period = 7
gap = 7
horizon = 42
from_launch = true
"""
MAPPED = """\
[table.{table}]
file = "{file}"
separator = "{separator}"
[table.{table}.columns]
{columns}
"""


@st.composite
def folders(draw: Any, settled: bool) -> tuple[Files, Rows]:
    """A folder of tables, with or without smo.toml that renames files and columns."""
    files: Files = {}
    right: Rows = {}
    said = SETTINGS if settled else ""
    for table in sorted(draw(st.sets(st.sampled_from(sorted(COLUMNS)), min_size=1))):
        rows = draw(records(table))
        right[table] = ids(rows, table) if settled else len(rows)
        if settled and draw(st.booleans()):
            separator = draw(st.sampled_from([";", "|", " ", ","]))
            names = {name: f"The {name.title()}" for name in rows[0]}
            columns = "\n".join(f'{name} = "{other}"' for name, other in names.items())
            file = f"{table} of ours.txt"
            said += MAPPED.format(table=table, file=file, separator=separator, columns=columns)
            renamed = [{names[name]: cell for name, cell in row.items()} for row in rows]
            files[file] = csv_of(renamed, separator)
        elif draw(st.booleans()):
            files[f"{table}.csv"] = csv_of(rows)
        else:
            files[f"{table}.parquet"] = bytes_of(parquet_of(rows))
    if settled:
        files["smo.toml"] = said.encode()
    if draw(st.booleans()):
        return files, right
    hurt = draw(st.sampled_from(sorted({*files} & {"smo.toml"} or files)))
    return files | {hurt: draw(damaged(files[hurt]))}, None


def read_own_folder(folder: Path) -> Frames:
    own, problems = inspect_folder(folder)
    if own is None:
        check_message(told(problems))
        raise DataError(told(problems))
    frames = frames_of(read_folder(folder).tables)
    assert {name: len(frame) for name, frame in frames.items()} == own.rows
    return frames


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_log_in_a_folder_whose_posts_are_all_unknown(ending, tmp_path):
    """Found in one of 720 folders: a column without any value lost its type to the pseudonyms."""
    rows = [{"source_id": "a", "target_id": "b", "created_at": "2020-01-01", "kind": "reply"}]
    rows = [row | {"post_id": ""} for row in rows]
    data = csv_of(rows) if ending == "csv" else bytes_of(parquet_of(rows))
    (tmp_path / f"interactions.{ending}").write_bytes(data)
    for table, frame in read_own_folder(tmp_path).items():
        check_frame(table, frame)


@fuzzed(folders(settled=False))
def test_folders(case):
    read_case(case, read_own_folder)


@fuzzed(folders(settled=True))
def test_folders_with_settings(case):
    read_case(case, read_own_folder)


# Edge lists.


@st.composite
def edge_lists(draw: Any, comment: str, weight: tuple[str, ...]) -> tuple[Files, Rows]:
    edge = st.tuples(WORDS, WORDS, *map(st.just, weight), SECONDS.map(str))
    edges = draw(st.lists(edge, min_size=1, max_size=8))
    lines = [draw(st.sampled_from([" ", "\t", "  "])).join(one) for one in edges]
    for _ in range(draw(st.integers(0, 2))):
        line = draw(st.sampled_from([f"{comment} a b 1", "", comment]))
        lines.insert(draw(st.integers(0, len(lines))), line)
    data = draw(st.sampled_from(["\n", "\r\n"])).join(lines).encode()
    acts = sum(one != other for one, other, *_ in edges)
    if acts and draw(st.booleans()):
        return {"log.txt": data}, {"interactions": acts}
    return {"log.txt": draw(damaged(data))}, None


def read_edges(read: Callable[..., Tables], comment: str) -> Callable[[Path], Frames]:
    def reading(folder: Path) -> Frames:
        path = folder / "log.txt"
        left: Counter[str] = Counter()
        tables = read(path, leave=lambda what, many: left.update({what: many}))
        text = path.read_bytes().decode().lstrip("\ufeff").replace("\r", "\n")
        lines = [line.strip(" \t") for line in text.split("\n")]
        rows = sum(bool(line) and not line.startswith(comment) for line in lines)
        assert len(tables.interactions) + left.total() == rows
        return frames_of(tables)

    return reading


@fuzzed(edge_lists("#", ()))
def test_edge_lists_of_snap(case):
    read_case(case, read_edges(read_snap, "#"))


@fuzzed(edge_lists("%", ("1",)))
def test_edge_lists_of_konect(case):
    read_case(case, read_edges(read_konect, "%"))


def test_a_row_of_odd_white_space_in_an_edge_list_is_named(tmp_path):
    """Found with 720 inputs; the line of such a row was not found."""
    path = tmp_path / "out.log"
    path.write_text("1 2 1 1200141634\n\x0b\n")
    with pytest.raises(DataError, match="row 2"):
        read_konect(path)


# Archives and exports: the examples of a few posts and acts, valid or damaged.

START = 1_300_000_000
OTHERS = st.sampled_from(["m1", "m2", "a77"])

Own = tuple[list[dict[str, Any]], list[tuple[str, str, Any]]]


@st.composite
def owned(draw: Any) -> Own:
    """Posts and acts of one account, no two in one second."""
    posts, acts = [], []
    moments = st.sets(st.integers(START, int(LAST.timestamp())), min_size=1, max_size=9)
    for number, second in enumerate(draw(moments)):
        when = pd.Timestamp(second, unit="s", tz="UTC")
        if draw(st.booleans()):
            acts.append(("me", draw(OTHERS), when))
        else:
            names = ("links", "hashtags", "reactions", "replies", "shares")
            counts = {name: draw(st.integers(0, 3)) for name in names}
            post = {"post_id": f"q{number}", "created_at": when, "has_media": draw(st.booleans())}
            posts.append(post | counts)
    return posts, acts


def made(kind: str, own: Own) -> Files:
    """Write the example of a format, of these posts and acts."""
    with tempfile.TemporaryDirectory() as folder:
        with mock.patch.multiple(example, _owner=lambda: own, _acts=lambda: own[1]):
            example.WRITERS[kind](Path(folder))
        files = sorted(path for path in Path(folder).rglob("*") if path.is_file())
        return {path.name: path.read_bytes() for path in files}


@st.composite
def exports(
    draw: Any, kind: str, right: Callable[[Own], Rows], change: Callable[[bytes], Any] = damaged
) -> tuple[Files, Rows]:
    own = draw(owned())
    files = made(kind, own)
    if draw(st.booleans()):
        return files, {name: many for name, many in right(own).items() if many}
    name = draw(st.sampled_from(sorted(files)))
    return files | {name: draw(change(files[name]))}, None


@st.composite
def packed(draw: Any, cases: st.SearchStrategy[tuple[Files, Rows]]) -> tuple[Files, Rows]:
    """An archive as a folder, or as one file, which may be damaged too."""
    files, rows = draw(cases)
    how = draw(st.sampled_from(["folder", "folder", "zip", "tar.gz"]))
    if how == "folder":
        return files, rows
    data = io.BytesIO()
    if how == "zip":
        how_packed = draw(st.sampled_from([0, 8]))
        with zipfile.ZipFile(data, "w") as archive:
            for name, content in files.items():
                # Of a time that stands still, or the damage would never be done twice alike.
                member = zipfile.ZipInfo(f"export/{name}")
                archive.writestr(member, content, how_packed)
    else:
        plain = io.BytesIO()
        with tarfile.open(fileobj=plain, mode="w") as archive:
            for name, content in files.items():
                member = tarfile.TarInfo(name)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
        data.write(gzip.compress(plain.getvalue(), mtime=0))
    if draw(st.booleans()):
        return {f"archive.{how}": data.getvalue()}, rows
    return {f"archive.{how}": draw(damaged(data.getvalue()))}, None


def in_json(text: bytes) -> Any:
    """Damage a file of JSON, after what assigns it in an archive of X."""
    start, assigned, value = text.decode().partition(" = ")
    return damaged_json(json.loads(value if assigned else text), start + assigned)


def one_account(read: Callable[..., Tables]) -> Callable[[Path], Frames]:
    """Read what one account has, and check that its tables fit together."""

    def reading(folder: Path) -> Frames:
        files = list(folder.iterdir())
        tables = read(files[0] if len(files) == 1 else folder)
        assert tables.accounts["account_id"].tolist() == ["a1"]
        known: set[str] = set()
        if tables.posts is not None:
            known = {f"p{number}" for number in range(1, len(tables.posts) + 1)}
            assert set(tables.posts["post_id"]) == known
            assert set(tables.posts["account_id"]) == {"a1"}
        if (acts := tables.interactions) is not None:
            assert set(acts["source_id"]) == {"a1"}
            assert "a1" not in set(acts["target_id"])
            assert acts["seq"].tolist() == list(range(len(acts)))
            assert set(acts.get("post_id", pd.Series(dtype="str")).dropna()) <= known
        return frames_of(tables)

    return reading


def rows_of_owner(own: Own, answers: int) -> Rows:
    """Count the posts, of which some are answers, and the acts."""
    posts, acts = own
    return {"accounts": 1, "posts": len(posts) + answers, "interactions": len(acts)}


def by_number(own: Own) -> Rows:
    # Each tenth act is a share, of the others each fifteenth a message or a like.
    return rows_of_owner(own, sum(bool(one % 10 and one % 15) for one in range(len(own[1]))))


def by_id(own: Own) -> Rows:
    """As `by_number`, for ids that hold the time; each tenth is that of a share."""
    acts = {when for *_, when in own[1]}
    whens = enumerate(sorted({post["created_at"] for post in own[0]} | acts))
    known = {when: (int(when.timestamp() * 1000) - 1288834974657 << 22) + n for n, when in whens}
    return rows_of_owner(own, sum(known[when] % 10 > 0 for when in acts))


@fuzzed(packed(exports("mastodon", by_number, in_json)))
def test_archives_of_mastodon(case):
    read_case(case, one_account(read_mastodon))


def test_a_file_without_a_name_in_an_archive_is_passed_over(tmp_path):
    """Found by a fuzzer that follows branches; Python 3.11 fails to ask whether it is a folder."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("nameless", "")
        for name, content in made("x", ([], [("me", "m1", FIRST.tz_localize("UTC"))])).items():
            archive.writestr(name, content)
    path = tmp_path / "archive.zip"
    path.write_bytes(data.getvalue().replace(b"nameless", b"\0ameless"))
    assert zipfile.ZipFile(path).infolist()[0].filename == ""
    assert len(read_x(path).posts) == 1


@fuzzed(packed(exports("x", by_id, in_json)))
def test_archives_of_x(case):
    read_case(case, one_account(read_x))


@fuzzed(exports("bluesky", by_number, damaged_car))
def test_repositories_of_bluesky(case):
    read_case(case, one_account(read_bluesky))


def read_analytics(folder: Path) -> Frames:
    left: Counter[str] = Counter()
    path = folder / "posts.csv"
    tables = read_twitter_analytics(path, leave=lambda what, many: left.update({what: many}))
    assert len(tables.posts) + left.total() == rows_of(path)
    assert set(tables.posts["account_id"]) == set(tables.accounts["account_id"])
    return frames_of(tables)


def test_a_row_of_white_space_that_is_no_blank_line_is_named(tmp_path):
    """Found by a fuzzer that follows branches; the line of such a row was not found."""
    path = tmp_path / "posts.csv"
    head = "Post id,Date,Post text,Post Link,Impressions,Likes,Replies,Reposts\n"
    path.write_text(head + " \n\x0b\n")
    with pytest.raises(DataError, match="row 3"):
        read_twitter_analytics(path)


@fuzzed(
    exports("twitter-analytics", lambda own: {"accounts": 1, "posts": len(own[0]) + len(own[1])})
)
def test_exports_of_twitter_analytics(case):
    read_case(case, read_analytics)


# Graphs.


@st.composite
def graphs(draw: Any, kind: str) -> tuple[Files, Rows]:
    """A graph, directed or not, its edges with times or without."""
    names = st.sampled_from(["zoe", "007", "\u00e9", "\U0001f642", "a b", "1.0", "nan"])
    whens = SECONDS.map(lambda one: pd.Timestamp(one, unit="s", tz="UTC"))
    acts = draw(st.lists(st.tuples(names, names, whens), min_size=1, max_size=8))
    ((name, data),) = made(kind, ([], acts)).items()
    text, ways = data.decode(), 1
    timed, between = draw(st.booleans()), [act[:2] for act in acts if act[0] != act[1]]
    if not timed:
        text = re.sub(' start="[^"]*"|<data[^>]*>.*?</data>', "", text)
    if draw(st.booleans()):
        text = re.sub('(edgedefault|defaultedgetype)="directed"', r'\1="undirected"', text)
        ways = 2
    if not between or draw(st.booleans()):
        return {name: draw(damaged(text.encode()))}, None
    if timed:
        return {name: text.encode()}, {"interactions": ways * len(between)}
    pairs = {*between, *(pair[::-1] for pair in between if ways == 2)}
    return {name: text.encode()}, {"edges": len(pairs)}


def read_own_graph(folder: Path) -> Frames:
    (path,) = folder.iterdir()
    return frames_of(read_graph(path))


@fuzzed(graphs("graphml"))
def test_graphs_as_graphml(case):
    read_case(case, read_own_graph)


@fuzzed(graphs("gexf"))
def test_graphs_as_gexf(case):
    read_case(case, read_own_graph)
