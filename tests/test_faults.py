"""What goes wrong outside of the code: disks, servers, archives, files, clocks, ids, names.

docs/faults.md lists each fault with its test, here or elsewhere.
"""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import fcntl
import gzip
import hashlib
import json
import os
import re
import resource
import subprocess
import sys
import threading
import time
import tracemalloc
from collections import Counter
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from smo_research import cli, output
from smo_research.datasets import catalog, edgelist, fetch, load, sources, text_files
from smo_research.datasets.catalog import File
from smo_research.datasets.edgelist import read_edgelist
from smo_research.datasets.folder import inspect_folder, read_folder
from smo_research.errors import DataError, SmoError
from smo_research.simulation.simulated import simulate
from smo_research.simulation.worlds import World
from smo_research.study import study, write
from smo_research.tables import Tables

ROOT = Path(__file__).parents[1]
HEAD = "source_id,target_id,created_at,kind\n"
DAY = pd.Timedelta(days=1)
LONG_AGO = 1_000_000_000


# What every fault must end in.


def refused(call, *parts):
    """Run what must fail with one of our errors; returns its one sentence."""
    with pytest.raises(SmoError) as error:
        call()
    message = str(error.value)
    assert "\n" not in message
    assert message.endswith(".")
    for part in parts:
        assert part in message
    return message


def files_in(folder):
    return sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()
    )


@pytest.fixture
def smo_command(tmp_path, monkeypatch, capsys, empty_cache):
    """Run a command in an empty folder as the shell would."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["smo", *map(str, words)])
        status = 0
        try:
            cli.main()
        except SystemExit as end:
            status = end.code or 0
        told = capsys.readouterr()
        return status, told.out, told.err

    return run


@contextlib.contextmanager
def disk_of(size):
    """No file can grow beyond so many bytes, as where the disk is full."""
    before, written = resource.getrlimit(resource.RLIMIT_FSIZE), sys.dont_write_bytecode
    # Python keeps what it could write of the code that it compiles.
    sys.dont_write_bytecode = True
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        sys.dont_write_bytecode = written


def log_text(days=80, people=40):
    """A log in which each writes to the next, and is answered."""
    rows = []
    for day in range(days):
        for one in range(people):
            other = (one + 1 + day % 3) % people
            date = pd.Timestamp("2020-01-01") + day * DAY
            rows += [f"p{one},p{other},{date.isoformat()},reply\n"]
    return HEAD + "".join(rows)


# Disks and places.


@pytest.mark.parametrize(
    ("log", "table"),
    [("log.csv", "panel.csv"), ("log.csv", "panel.parquet"), ("log.parquet", "panel.parquet")],
)
def test_a_full_disk_leaves_the_old_table(smo_command, tmp_path, log, table):
    here = tmp_path / "here"
    (here / "log.csv").write_text(log_text())
    if log.endswith("parquet"):
        read_edgelist(here / "log.csv", format="csv").to_parquet(here / log)
    (here / table).write_text("old")
    before = files_in(here)
    with disk_of(2_000):
        status, out, err = smo_command("panel", "--interactions", log, "-o", table)
    assert (status, out) == (2, "")
    assert err.startswith(f"smo: {table}: cannot be written (")
    assert len(err.splitlines()) == 1
    assert (here / table).read_text() == "old"
    assert files_in(here) == before


def test_a_place_that_may_not_be_written_to_is_told_before_the_work(
    smo_command, tmp_path, monkeypatch
):
    here = tmp_path / "here"
    (here / "log.csv").write_text(log_text(days=3))
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK and access(path, mode))
    monkeypatch.setattr(pd, "read_csv", lambda *args, **options: pytest.fail("it was read"))
    for words in (
        ["panel", "--interactions", "log.csv", "-o", "panel.csv"],
        ["graph", "--interactions", "log.csv", "-o", "nodes.parquet"],
        ["study", "--data", ".", "-o", "results"],
    ):
        status, out, err = smo_command(*words)
        assert (status, out) == (2, "")
        assert re.fullmatch(r"smo: .* to write to; .* -o\.\n|smo: .* change -o\.\n", err)
    assert files_in(here) == ["log.csv"]


def test_a_folder_in_the_place_of_a_table(smo_command, tmp_path):
    (tmp_path / "here/log.csv").write_text(log_text(days=3))
    (tmp_path / "here/panel.csv").mkdir()
    status, _, err = smo_command("panel", "--interactions", "log.csv", "-o", "panel.csv")
    assert status == 2
    assert err == "smo: panel.csv: is a folder and no file; change -o.\n"


def test_a_place_with_a_name_too_long(smo_command, tmp_path):
    (tmp_path / "here/log.csv").write_text(log_text(days=3))
    for words in (["study", "--data", "."], ["panel", "--interactions", "log.csv"]):
        status, out, err = smo_command(*words, "-o", "x" * 300 + ".csv")
        assert (status, out) == (2, "")
        assert err.endswith("is no place (File name too long); change -o.\n")


def test_an_output_that_cannot_be_printed(tmp_path):
    """/dev/full is a full disk for what a command prints; a closed one is no error."""
    (tmp_path / "interactions.csv").write_text(log_text(days=3))
    command = [sys.executable, "-m", "smo_research.cli", "validate", str(tmp_path)]
    with open("/dev/full", "w", encoding="utf-8") as full:
        run = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert run.returncode == 2
    assert run.stderr == (
        "smo: the system refused to read or write (No space left on device); make room, or name "
        "another place.\n"
    )
    closed = ["sh", "-c", 'exec "$@" >&-', "sh", *command]
    run = subprocess.run(closed, stderr=subprocess.PIPE, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")


@pytest.mark.parametrize("what", ["folder", "link to nothing", "link to itself"])
def test_what_is_no_file_in_the_place_of_a_table(tmp_path, what):
    place = tmp_path / "own/interactions.csv"
    place.parent.mkdir()
    if what == "folder":
        place.mkdir()
    else:
        place.symlink_to("nowhere" if what == "link to nothing" else place.name)
    with pytest.raises(DataError, match=r"interactions\.csv: is no file; put a file there\."):
        read_folder(place.parent)
    with pytest.raises(DataError, match=r"interactions\.csv cannot be read \("):
        read_edgelist(place, format="csv")


def made_in(folder, version, names=("a.csv", "b.csv", "figures/c.svg", "manifest.json")):
    """Make files as a study does, each with its version in it, without placing them."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"{version} {name}")


def versions_in(folder):
    return {path.read_text().split()[0] for path in folder.rglob("*.*") if path.is_file()}


def test_two_runs_into_one_folder_leave_one_whole(tmp_path, monkeypatch):
    """The first stops in the middle of moving until the second waits for it."""
    folder = tmp_path / "results"
    replace, lock = os.replace, fcntl.flock
    middle, waiting = threading.Event(), threading.Event()

    def asked(handle, how):
        if threading.current_thread().name == "second":
            waiting.set()
        lock(handle, how)

    def slow(source, target):
        replace(source, target)
        if Path(source).name == "a.csv" and threading.current_thread().name == "first":
            middle.set()
            waiting.wait(10)

    monkeypatch.setattr(os, "replace", slow)
    monkeypatch.setattr(fcntl, "flock", asked)
    placed = []

    def run(version):
        with output.beside(folder) as part:
            made_in(part, version)
            if version == "second":
                middle.wait()
            placed.append((version, len(output.place(part, folder))))

    threads = [threading.Thread(target=run, args=[name], name=name) for name in ("first", "second")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(placed) == [("first", 4), ("second", 4)]
    assert versions_in(folder) == {"second"}
    assert files_in(folder) == ["a.csv", "b.csv", "figures/c.svg", "manifest.json"]


def test_a_run_killed_while_moving_leaves_no_manifest(tmp_path, monkeypatch):
    """What a kill leaves is what is there at each move, for nothing is tidied after it."""
    folder = tmp_path / "results"
    with output.beside(folder) as part:
        made_in(part, "old")
        output.place(part, folder)
    replace, seen = os.replace, []

    def watched(source, target):
        replace(source, target)
        seen.append((versions_in(folder / "figures"), (folder / "manifest.json").exists()))

    with output.beside(folder) as part:
        made_in(part, "new")
        monkeypatch.setattr(os, "replace", watched)
        output.place(part, folder)
    assert [whole for _, whole in seen] == [False, False, False, True]
    assert versions_in(folder) == {"new"}


def test_what_killed_runs_left_goes_after_a_day(tmp_path):
    names = [f".part.{'0' * 32}", f".panel.{'a' * 32}.csv", ".panel.mine.csv", ".part.mine"]
    for age, base in (("old", LONG_AGO), ("new", time.time())):
        for name in names:
            path = tmp_path / age / name
            if "part" in name:
                path.mkdir(parents=True)
                (path / "evidence.csv").write_text("half")
            else:
                path.write_text("half")
            os.utime(path, (base, base))
        table = pd.DataFrame({"a": [1]})
        output.write_table(table, tmp_path / age / "panel.csv")
        with output.beside(tmp_path / age) as part:
            made_in(part, "x", ["b.csv"])
            output.place(part, tmp_path / age)
    kept = {age: {path.name for path in (tmp_path / age).iterdir()} for age in ("old", "new")}
    assert kept["new"] == {*names, "panel.csv", "b.csv"}
    assert kept["old"] == {".panel.mine.csv", ".part.mine", "panel.csv", "b.csv"}


def test_what_killed_runs_left_in_the_cache_goes_after_a_day(tmp_path):
    parts = [tmp_path / f".{'0' * 16}.{'a' * 32}", tmp_path / f".{'0' * 16}.{'b' * 32}"]
    for part, when in zip(parts, (LONG_AGO, time.time()), strict=True):
        part.mkdir()
        (part / "posts.parquet").write_text("half")
        os.utime(part, (when, when))
    load._keep(Tables("tiny", interactions=pd.DataFrame({"a": [1]})), tmp_path / ("1" * 16))
    assert {path.name for path in tmp_path.iterdir()} == {parts[1].name, "1" * 16}


def test_what_killed_downloads_left_goes_after_a_day(tmp_path):
    for folder in (tmp_path, tmp_path / "followers"):
        folder.mkdir(exist_ok=True)
        for letter, when in (("a", LONG_AGO), ("b", time.time())):
            part = folder / f".log.txt.gz.{letter * 32}"
            part.write_text("half")
            os.utime(part, (when, when))
    fetch._sweep(tmp_path)
    new = f".log.txt.gz.{'b' * 32}"
    assert files_in(tmp_path) == [new, f"followers/{new}"]


# Servers.

BODY = gzip.compress(b"1 2 1082040961\n2 1 1082155839\n", mtime=0)
HASH = hashlib.sha256(BODY).hexdigest()


class Publisher(BaseHTTPRequestHandler):
    """A publisher on this machine; what it does is the last word of the address."""

    protocol_version = "HTTP/1.1"
    asked: list[str]
    dripped: list[str]
    stop: threading.Event

    def log_message(self, *args):
        pass

    def do_GET(self):
        self.asked.append(self.path)
        self.close_connection = True
        with contextlib.suppress(OSError):
            getattr(self, self.path.strip("/").replace("-", "_"))()

    def answer(self, body, status=200, **headers):
        self.send_response(status)
        told = {"Connection": "close", "Content_Length": len(body), **headers}
        for name, value in told.items():
            if value is not None:
                self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        self.wfile.write(body)

    def good(self):
        self.answer(BODY)

    def packed(self):
        self.answer(gzip.compress(BODY), Content_Encoding="gzip")

    def other(self):
        self.answer(BODY[:-1] + b"x")

    def longer(self):
        self.answer(BODY + b"x")

    def shorter(self):
        self.answer(BODY[:-9])

    def dropped(self):
        self.answer(BODY[:-9], Content_Length=len(BODY))

    def no_length(self):
        self.answer(BODY[:-9], Content_Length="many")

    def page(self):
        self.answer(b"<html>Please log in</html>", Content_Type="text/html")

    def endless(self):
        self.answer(b"", Content_Length=None)
        while not self.stop.is_set():
            self.wfile.write(b"x" * 65_536)

    def bomb(self):
        self.answer(gzip.compress(b"\0" * 50_000_000), Content_Encoding="gzip")

    def unpackable(self):
        self.answer(b"this is not packed", Content_Encoding="gzip")

    def silent(self):
        self.stop.wait()

    def dripping(self):
        self.answer(b"", Content_Length=len(BODY))
        while not self.stop.wait(0.2):
            self.wfile.write(b"x")
            self.wfile.flush()
            self.dripped.append("x")

    def junk(self):
        self.wfile.write(b"\xff\x00 this is no HTTP\r\n\r\n")

    def gone(self):
        self.answer(b"gone", 410)

    def failing(self):
        self.answer(b"failed", 503)

    def moved(self):
        self.answer(b"", 302, Location="/page")

    def circle(self):
        self.answer(b"", 302, Location="/circle")

    def to_a_file(self):
        self.answer(b"", 302, Location=Path(__file__).as_uri())

    def to_nowhere(self):
        self.answer(b"", 302, Location="http://[::bad/")


@pytest.fixture
def publisher(monkeypatch, empty_cache):
    """Give a function that fetches a file from a server that behaves as it is told."""
    Publisher.asked, Publisher.dripped, Publisher.stop = [], [], threading.Event()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Publisher)
    server.daemon_threads = True
    known = catalog.dataset("collegemsg")
    threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)

    def get(*words):
        urls = tuple(f"http://127.0.0.1:{server.server_port}/{word}" for word in words)
        file = File("log.txt.gz", len(BODY), HASH, urls)
        entry = dataclasses.replace(known, name="tiny", files=(file,))
        monkeypatch.setattr(catalog, "_read_catalog", lambda: {"tiny": entry})
        return fetch.fetch("tiny")

    yield get
    Publisher.stop.set()
    server.shutdown()
    server.server_close()


LIES = {
    "other": f"but the published file has {HASH}",
    "longer": "sends more bytes than were published",
    "shorter": f"but the published file has {HASH}",
    "dropped": "cannot be reached (",
    "no-length": f"but the published file has {HASH}",
    "page": f"but the published file has {HASH}",
    "endless": "sends more bytes than were published",
    "bomb": "sends more bytes than were published",
    "unpackable": "cannot be reached (ContentDecodingError)",
    "junk": "cannot be reached (ConnectionError)",
    "gone": "answers 410",
    "failing": "answers 503",
    "moved": f"but the published file has {HASH}",
    "circle": "cannot be reached (TooManyRedirects)",
    "to-a-file": "cannot be reached (InvalidSchema)",
    "to-nowhere": "cannot be reached (",
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lying_server_is_named_and_nothing_is_kept(publisher, empty_cache, lie):
    refused(lambda: publisher(lie), f"/{lie} ", LIES[lie], "put log.txt.gz into")
    assert files_in(empty_cache) == []
    (path,) = publisher(lie, "good")
    assert path.read_bytes() == BODY


def test_packing_on_the_way_is_undone(publisher):
    (path,) = publisher("packed")
    assert path.read_bytes() == BODY


def test_a_server_without_an_answer_is_given_up(publisher, empty_cache, monkeypatch):
    monkeypatch.setattr(sources, "TIMEOUT_SECONDS", 0.2)
    refused(lambda: publisher("silent"), "/silent did not answer in 0.2 seconds")
    assert files_in(empty_cache) == []


def test_a_server_that_drips_is_given_up(publisher, empty_cache, monkeypatch):
    """Each byte comes in time, the whole would take ten seconds."""
    monkeypatch.setattr(sources, "GRACE_SECONDS", 1)
    refused(lambda: publisher("dripping"), "/dripping was not through after 1 seconds")
    assert len(Publisher.dripped) < len(BODY) / 2
    assert files_in(empty_cache) == []


def test_a_full_disk_while_fetching(publisher, empty_cache):
    with disk_of(20):
        refused(lambda: publisher("good"), "cannot be stored as", "put log.txt.gz into")
    assert files_in(empty_cache) == []
    assert publisher("good")[0].read_bytes() == BODY


def test_two_fetches_at_once_both_have_the_file(publisher, empty_cache):
    """Both have asked before either is answered."""
    both, got = threading.Barrier(2), []
    good = Publisher.good

    def together(self):
        both.wait(10)
        good(self)

    Publisher.good = together
    try:
        threads = [
            threading.Thread(target=lambda: got.append(publisher("good")[0].read_bytes()))
            for _ in range(2)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        Publisher.good = good
    assert got == [BODY, BODY]
    assert Publisher.asked == ["/good", "/good"]
    assert files_in(empty_cache) == ["raw/tiny/log.txt.gz"]


# Files of one's own. Each is read as a log (`smo panel`) and in a folder (`smo study --data`).


def log_file(tmp_path, content, name="interactions.csv"):
    path = tmp_path / "own" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def log_table(tmp_path, **columns):
    """A Parquet log of two acts, some of its columns given otherwise."""
    usual = {
        "source_id": ["a", "b"],
        "target_id": ["b", "a"],
        "created_at": ["2020-01-01", "2020-01-02"],
        "kind": ["reply", "reply"],
        "seq": [0, 1],
    }
    path = log_file(tmp_path, b"", "interactions.parquet")
    pq.write_table(pa.table({name: pa.array(one) for name, one in (usual | columns).items()}), path)
    return path


def both_refuse(path, *parts, rows=(None, None)):
    """Both readers name the file and what is wrong; rows as a log and in a folder count apart."""
    form = "parquet" if path.suffix == ".parquet" else "csv"
    as_log = refused(lambda: read_edgelist(path, format=form), path.name, *parts)
    own, problems = inspect_folder(path.parent)
    assert own is None
    assert {one.file for one in problems} == {path.name}
    for part in parts:
        assert part in str(problems[0])
    if rows[0] is not None:
        assert f"row {rows[0]}" in as_log
        # What cannot be cut into rows has lines, the header counted.
        place = f"row {rows[1]}" if isinstance(rows[1], int) else rows[1]
        assert place in str(problems[0])
    assert files_in(path.parent) == [path.name]


ROW = "a,b,2020-01-01,reply\n"
BAD_TEXT = {
    "quote left open": (HEAD + ROW + '"b,c,2020-01-01,reply\n' + ROW, "opens a quote", (3, 2)),
    "quote in the header": ('"' + HEAD + ROW, "opens a quote that is never closed", (1, "line 1")),
    "quote alone": ('"', "is not csv", (None, None)),
    "stray quotes": (
        HEAD + '"a,b,2020-01-01,reply\n' + ROW + 'x",y,2020-01-01,reply\n',
        "holds a line break or a NUL",
        (2, 1),
    ),
    "cell too many": (HEAD + ROW + "a,b,2020-01-01,reply,1\n", "has 5 columns", (3, 2)),
    "cell too many after a long one": (
        HEAD + f"a,{'x' * 10**6},2020-01-01,reply\n" + "a,b,2020-01-01,reply,1\n",
        "has 5 columns",
        (3, 2),
    ),
    "wrong time after a long one": (
        HEAD + f"a,{'x' * 10**6},2020-01-01,reply\n" + "a,b,soon,reply\n",
        "a text of 4 characters",
        (3, 2),
    ),
    "UTF-16": ((HEAD + ROW).encode("utf-16"), "is not UTF-8 text", (1, "line 1")),
    "UTF-16 without a mark": ((HEAD + ROW).encode("utf-16-le"), "holds a NUL", (1, "line 1")),
    "Latin-1": (
        (HEAD + ROW).encode() + "é,b,2020-01-01,reply\n".encode("latin-1"),
        "is not UTF-8 text",
        (3, "line 3"),
    ),
    "NUL": (HEAD + "a\0,b,2020-01-01,reply\n", "holds a NUL character", (2, "line 2")),
    "half a character": (
        HEAD.encode() + b"\xed\xa0\x80,b,2020-01-01,reply\n",
        "UTF-8",
        (2, "line 2"),
    ),
    "two columns of a name": (
        "source_id," + HEAD + "a," + ROW,
        "2 columns of the name",
        (None,) * 2,
    ),
    "empty": ("", "is empty", (None, None)),
    "byte order marks only": (b"\xef\xbb\xbf" * 2, "is empty", (None, None)),
    "header only": (HEAD, "has no rows", (None, None)),
    "other separator": ((HEAD + ROW).replace(",", ";"), "has no column", (None, None)),
    "row too short": (HEAD + ROW + "a,b\n", "", (3, 2)),
}


@pytest.mark.parametrize("fault", BAD_TEXT)
def test_a_wrong_csv_is_named_with_its_row(tmp_path, fault):
    content, said, rows = BAD_TEXT[fault]
    both_refuse(log_file(tmp_path, content), said, rows=rows)


def test_byte_order_marks_are_no_part_of_the_first_name(tmp_path):
    path = log_file(tmp_path, b"\xef\xbb\xbf" * 2 + (HEAD + ROW).encode())
    assert read_edgelist(path, format="csv")["source_id"].tolist() == ["a"]
    assert len(read_folder(path.parent).tables.interactions) == 1


def test_a_cell_of_a_million_characters_is_kept_and_no_limit_is_left_raised(tmp_path):
    before = csv.field_size_limit()
    path = log_file(tmp_path, HEAD + f"a,{'x' * 10**6},2020-01-01,reply\n")
    assert read_edgelist(path, format="csv")["target_id"].str.len().tolist() == [10**6]
    assert len(read_folder(path.parent).tables.interactions) == 1
    assert len(list(text_files.csv_rows(path.read_bytes()))) == 2
    assert csv.field_size_limit() == before


@pytest.mark.parametrize("ending", ["csv.gz", "toml"])
def test_a_gzip_bomb_is_refused_before_it_fills_the_memory(tmp_path, monkeypatch, ending):
    """A small one under a small floor; what is read of it stays under the bound."""
    monkeypatch.setattr(text_files, "FLOOR", 1 << 16)
    content = (HEAD + ROW * 500_000).encode()
    name = f"interactions.{ending}"
    path = log_file(tmp_path, gzip.compress(content) if ending == "csv.gz" else content, name)
    if ending == "toml":
        monkeypatch.setattr(text_files, "MOST_BYTES", 1 << 20)
        refused(lambda: text_files.read_text(path), name, "is larger than 1 MB")
        return
    assert len(content) > text_files.MOST_TIMES * path.stat().st_size
    tracemalloc.start()
    both_refuse(path, "unpacks to more than", "unpack it yourself if you trust it")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 3 * text_files.MOST_TIMES * path.stat().st_size


@pytest.mark.parametrize("damage", ["cut", "other", "garbage"])
def test_a_damaged_gzip_is_named(tmp_path, damage):
    packed = bytearray(gzip.compress((HEAD + ROW * 100).encode()))
    if damage == "cut":
        del packed[-20:]
    elif damage == "other":
        packed[len(packed) // 2] ^= 255
    else:
        packed += b"garbage"
    both_refuse(log_file(tmp_path, bytes(packed), "interactions.csv.gz"), "is damaged")


UNUSUAL = [
    *("007", "7", "1e5", "100000", "1234567890123456789", "1234567890123456788"),
    *("0x10", "+1", "nan", "NA", "None", "True", "1_000", " a ", "a"),
    *("e\u0301", "\u00e9", "\u202eabc", "\u05e9\u05dc\u05d5\u05dd", "\U0001f600"),
    *("\U0001f468\u200d\U0001f469", "\u2028", "c\x85d", "'", 'say ""hi""', "=1+1", "<b>"),
]


@pytest.mark.parametrize("form", ["csv", "parquet", "snap"])
def test_ids_that_look_like_something_else_stay_as_written(tmp_path, form):
    ids = [one for one in UNUSUAL if form != "snap" or not set(one) & set(" \u2028\x85")]
    rows = "".join(f"{one},{one},2020-01-01,reply\n" for one in ids)
    wanted = [one.replace('""', '"') for one in ids]
    if form == "csv":
        quoted = HEAD + rows.replace('say ""hi""', '"say ""hi"""')
        path = log_file(tmp_path, quoted + "", "interactions.csv")
        log_file(tmp_path, 'ids = "public"', "smo.toml")
        assert read_folder(path.parent).tables.interactions["source_id"].tolist() == wanted
    elif form == "parquet":
        few = pd.DataFrame({"source_id": wanted, "target_id": wanted, "kind": "reply"})
        path = log_file(tmp_path, b"", "interactions.parquet")
        few.assign(created_at=pd.Timestamp("2020-01-01")).to_parquet(path)
    else:
        wanted = ids
        path = log_file(tmp_path, "".join(f"{one} {one} 1577836800\n" for one in ids), "log.txt")
    log = read_edgelist(path, format=form)
    assert log["source_id"].tolist() == log["target_id"].tolist() == wanted
    assert log["source_id"].nunique() == len(ids)


# Parquet.


@pytest.mark.parametrize("damage", ["cut", "page", "letters", "footer", "empty", "csv"])
def test_broken_parquet_is_named(tmp_path, damage):
    path = log_table(tmp_path)
    data = bytearray(path.read_bytes())
    if damage == "cut":
        del data[len(data) // 2 :]
    elif damage == "page":
        data[4:60] = b"\xff" * 56
    elif damage == "letters":
        at = data.index(b"reply")
        data[at : at + 5] = b"\xff" * 5
    elif damage == "footer":
        data[-40:-8] = b"\xff" * 32
    elif damage == "empty":
        data.clear()
    else:
        data[:] = (HEAD + ROW).encode()
    path.write_bytes(data)
    both_refuse(path, "anew")


@pytest.mark.parametrize("lost", ["name", "numpy_type"])
def test_damaged_notes_of_pandas_in_parquet_are_named(tmp_path, lost):
    path = log_file(tmp_path, b"", "interactions.parquet")
    read_edgelist(log_file(tmp_path, HEAD + ROW, "log.csv"), format="csv").to_parquet(path)
    (path.parent / "log.csv").unlink()
    table = pq.read_table(path)
    notes = table.schema.metadata[b"pandas"].replace(f'"{lost}"'.encode(), b'"lost"')
    pq.write_table(table.replace_schema_metadata({b"pandas": notes}), path)
    both_refuse(path, "is not whole Parquet", "write it anew")


LISTS = pa.array([[1], [2, 3]])
WRONG_TYPES = {
    "bytes as time": ("created_at", pa.array([b"\xff\xfe", b"x"]), True),
    "lists as time": ("created_at", LISTS, True),
    "groups as time": ("created_at", pa.array([{"a": 1}, {"a": 2}]), True),
    "numbers as time": ("created_at", pa.array([1, 2]), False),
    "lengths as time": ("created_at", pa.array([1, 2], pa.duration("s")), False),
    "times of day as time": ("created_at", pa.array([1, 2], pa.time64("us")), True),
    "times beyond all years": ("created_at", pa.array([2**50, 0], pa.timestamp("s")), None),
    "times before all years": ("created_at", pa.array([-(2**50), 0], pa.timestamp("s")), None),
    "times before all dates": ("created_at", pa.array([-(2**57), 0], pa.timestamp("us")), None),
    "times beyond all dates": ("created_at", pa.array([2**62, 0], pa.timestamp("us")), None),
    "lists as seq": ("seq", LISTS, True),
    "times as seq": ("seq", pa.array([1, 2], pa.timestamp("us")), False),
    "seq beyond all numbers": ("seq", pa.array([2**63, 2**64 - 1], pa.uint64()), None),
    "bytes as id": ("source_id", pa.array([b"a", b"b"]), True),
    "lists as id": ("source_id", LISTS, True),
    "decimals as id": ("source_id", pa.array([1.5, 2.0]), False),
    "flags as id": ("source_id", pa.array([True, False]), False),
    "line breaks in ids": ("source_id", pa.array(["a\nb", "c"]), True),
}


@pytest.mark.parametrize("fault", WRONG_TYPES)
def test_a_wrong_type_in_parquet_is_named(tmp_path, fault):
    column, values, by_row = WRONG_TYPES[fault]
    path = log_table(tmp_path, **{column: values})
    refused(lambda: read_edgelist(path, format="parquet"), path.name, "row 1")
    own, problems = inspect_folder(path.parent)
    assert own is None
    assert all((one.file, one.column) == (path.name, column) for one in problems)
    if by_row is not None:
        assert (problems[0].row == 1) == by_row


@pytest.mark.parametrize("column", ["hashtags", "is_paid", "post_type", "reactions"])
@pytest.mark.parametrize(
    "values", [LISTS, pa.array([b"\xff", b"x"]), pa.array([{"a": 1}, {"a": 2}])], ids=str
)
def test_lists_and_bytes_in_posts_are_named(tmp_path, column, values):
    posts = {"post_id": ["1", "2"], "account_id": ["a", "b"], "created_at": ["2020-01-01"] * 2}
    table = pa.table({name: pa.array(one) for name, one in posts.items()} | {column: values})
    path = log_file(tmp_path, b"", "posts.parquet")
    pq.write_table(table, path)
    _, problems = inspect_folder(path.parent)
    assert [(one.row, one.column) for one in problems] == [(1, column), (2, column)]
    assert all("is not allowed" in one.wrong for one in problems)


def test_two_columns_of_one_name_in_parquet(tmp_path):
    path = log_table(tmp_path)
    table = pq.read_table(path)
    pq.write_table(table.append_column("source_id", table["target_id"]), path)
    both_refuse(path, "2 columns of the name 'source_id'")


def test_parquet_that_claims_more_cells_than_fit_is_not_read(tmp_path, monkeypatch):
    """Few bytes may be any number of equal cells; the rows here are real, the bound is small."""
    path = log_table(tmp_path, seq=pa.array([0, 1]))
    monkeypatch.setattr(edgelist, "MOST_CELLS", 9)
    monkeypatch.setattr(pd, "read_parquet", lambda *args: pytest.fail("it was read"))
    both_refuse(path, "says it has 10 cells", "at most 9")


@pytest.mark.parametrize("name", ["log[1].parquet", "log*.parquet", "source_id=p1/log.parquet"])
def test_no_name_of_a_file_is_taken_for_a_pattern_or_a_column(smo_command, tmp_path, name):
    here = tmp_path / "here"
    path = here / name
    path.parent.mkdir(exist_ok=True)
    (here / "log.csv").write_text(log_text())
    log = read_edgelist(here / "log.csv", format="csv")
    log.to_parquet(path)
    log.assign(source_id="other" + log["source_id"]).to_parquet(here / "log1.parquet")
    panels = []
    for given in ("log.csv", name):
        status, _, err = smo_command("panel", "--interactions", given, "-o", "panel.csv")
        assert status == 0, err
        panels.append((here / "panel.csv").read_bytes())
    assert panels[0] == panels[1]


# Clocks and time zones.

REFUSED_TIMES = [
    *("9999-12-31", "99999-01-01", "2262-04-12", "0001-01-01", "1969-12-31T23:59:59Z"),
    *("1970-01-01T00:00:00+01:00", "2020-02-30", "2020-13-01", "2020-06-30T23:59:60Z"),
    *("2020-01-01T24:00:00", "2020-01-01T10:00+99:00", "2020-01-01T10:00 Europe/Berlin"),
    *("2020-01-01 10:00:00 PM", "1577836800", "20200101", "2020", "now", "2020-01-01T"),
    *("\uff12\uff10\uff12\uff10-01-01", "2020-01-01T10:00:00\u221205:00", "01/02/2020"),
]


@pytest.mark.parametrize("time", REFUSED_TIMES, ids=ascii)
def test_a_time_that_cannot_be_is_refused(tmp_path, time):
    path = log_file(tmp_path, HEAD + ROW + f"a,b,{time},reply\n")
    both_refuse(path, rows=(3, 2))


TIMES = {
    "1970-01-01": "1970-01-01T00:00:00",
    "2020-03-29T02:30:00": "2020-03-29T02:30:00",
    "2020-10-25T02:30:00+02:00": "2020-10-25T00:30:00",
    "2020-10-25T02:30:00+01:00": "2020-10-25T01:30:00",
    "2020-01-01T10:00+05:45": "2020-01-01T04:15:00",
    "2020-01-01T10:00:00.123456789Z": "2020-01-01T10:00:00.123456",
    "2020-02-29 23:59:59.5": "2020-02-29T23:59:59.500000",
}


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/New_York"])
def test_times_with_and_without_a_zone_are_the_same_everywhere(tmp_path, monkeypatch, zone):
    """An hour that a clock skips or repeats is no trap: what names no zone is UTC."""
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        path = log_file(tmp_path, HEAD + "".join(f"a,b,{one},reply\n" for one in TIMES))
        log = read_edgelist(path, format="csv")
        assert [one.tz_localize(None).isoformat() for one in log["created_at"]] == [*TIMES.values()]
        own = read_folder(path.parent).tables.interactions
        assert sorted(own["created_at"]) == sorted(log["created_at"])
    finally:
        monkeypatch.undo()
        time.tzset()


# What is written.


def test_no_text_in_a_csv_is_a_formula(smo_command, tmp_path):
    names = ["=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "-5", "zoe"]
    text = log_text().replace("p39", "zoe")
    for number, name in enumerate(names[:-1]):
        text = text.replace(f"p{number},", f"{name},")
    (tmp_path / "here/log.csv").write_text(text)
    for ending in ("csv", "parquet"):
        words = ["graph", "--interactions", "log.csv", "--keep-ids", "-o", f"nodes.{ending}"]
        assert smo_command(*words)[0] == 0
    safe = pd.read_csv(tmp_path / "here/nodes.csv", dtype=str)
    whole = pd.read_parquet(tmp_path / "here/nodes.parquet")
    assert set(names) <= set(whole["account_id"])
    assert {*(f"'{name}" for name in names[:5]), "-5", "zoe"} <= set(safe["account_id"])
    assert not safe["account_id"].str.match(r"[=+@\t\r]|-\D|-2").any()
    numbers = [name for name in whole if name != "account_id"]
    assert safe[numbers].astype(float).equals(whole[numbers].astype(float))


def test_numbers_stay_numbers_where_formulas_are_made_harmless():
    table = pd.DataFrame({"n": [-1.5, 2.0], "text": ["-0.25", "+3e-4"], "odd": ["-inf", None]})
    assert output.safe_cells(table) is table
    mixed = pd.DataFrame({"text": pd.Series(["=1", None, -2], dtype=object)})
    assert output.safe_cells(mixed)["text"].tolist()[::2] == ["'=1", -2]
    assert mixed["text"][0] == "=1"


HTML = "<script>alert(1)</script>"
BROKEN_OUT = '"><img src=x onerror=alert(2)>&amp;{{ 7 * 7 }}<!--'


@pytest.fixture(scope="module")
def hostile_study(tmp_path_factory):
    """A study of own data whose ids and descriptions are HTML, as the command makes it."""
    folder = tmp_path_factory.mktemp("hostile") / "own"
    world = simulate(World(accounts=40, periods=14), seed=1)
    folder.mkdir()
    for name in ("interactions", "posts"):
        table = getattr(world, name)
        for column in {"source_id", "target_id", "account_id"} & set(table):
            table = table.assign(**{column: HTML + table[column] + BROKEN_OUT})
        table.to_parquet(folder / f"{name}.parquet")
    told = {
        "title": f"title {HTML}",
        "platform": f"platform {BROKEN_OUT}",
        "licence": f"licence {HTML}",
        "limits": f"limits {BROKEN_OUT}",
        "ids": "public",
    }
    toml = "".join(f"{name} = {json.dumps(text)}\n" for name, text in told.items())
    (folder / "smo.toml").write_text(toml)
    write(study(data=folder, quick=True), folder / "out")
    return folder / "out"


class Tags(HTMLParser):
    """The tags of a page, and its words."""

    def __init__(self):
        super().__init__()
        self.tags, self.attributes, self.words = Counter(), Counter(), []

    def handle_starttag(self, tag, attrs):
        self.tags[tag] += 1
        self.attributes.update(name for name, _ in attrs)

    def handle_data(self, data):
        self.words.append(data)


def test_html_in_ids_and_descriptions_stays_text_in_the_report(hostile_study):
    text = (hostile_study / "report.html").read_text()
    page = Tags()
    page.feed(text)
    said = "".join(page.words)
    assert f"title {HTML}" in said
    assert f"limits {BROKEN_OUT}" in said
    assert "alert(1)</script>" not in text
    assert page.attributes["onerror"] == 0
    assert not page.attributes.keys() & {"onload", "onclick"}
    # One script at most is the page's own, and it has none of the words.
    assert "alert(" not in "".join(re.findall(r"<script[^>]*>(.*?)</script>", text, re.DOTALL))
    assert "<img src=x" not in text


def test_html_in_ids_makes_no_figure_a_program(hostile_study):
    figures = sorted((hostile_study / "figures").glob("*.svg"))
    assert figures
    for path in figures:
        names = {element.tag.rpartition("}")[2] for element in ElementTree.parse(path).iter()}
        assert "script" not in names
        assert "img" not in names


# What smo.toml says.

WRONG_SETTINGS = {
    "ids = []": "write one of people, public, own",
    "title = []": "write it as text in quotes",
    "a = " + "[" * 5_000: "is nested too deep",
    '[windows]\nfrom_launch = "no"': "from_launch must be true or false",
    "[windows]\nperiod = 99999999999999999999": "period must be at most 36,525 days",
    "[table.interactions]\nfile = 3": "name a file in quotes",
    '[table.interactions]\nseparator = "ab"': "name one character in quotes",
    "[table.interactions]\nseparator = '\"'": "name one character in quotes",
    "[table.interactions]\ncolumns = 3": "write lines such as source_id",
    "[table.interactions.columns]\nsource_id = []": "write lines such as source_id",
    "[table.interactions]\nvalues = 3": "write lines such as kind",
    '[table.interactions.values]\nkind = ["reply"]': "write lines such as kind",
    '[[table.interactions]]\nfile = "x"': "it may have file, separator, encoding",
    'ids = "own"\nids = "own"': "is not TOML",
}


@pytest.mark.parametrize("toml", WRONG_SETTINGS, ids=lambda toml: toml[:40])
def test_settings_of_the_wrong_type_are_named(tmp_path, toml):
    path = log_file(tmp_path, HEAD + ROW)
    log_file(tmp_path, toml, "smo.toml")
    message = refused(lambda: read_folder(path.parent), WRONG_SETTINGS[toml])
    assert message.startswith("smo.toml: ")


# The table in the documentation.

NODE = re.compile(r"`(tests/\w+[.]py)(?:::(\w+))?(?:\[([^`]*)\])?`")


def rows_of_the_table():
    lines = (ROOT / "docs/faults.md").read_text(encoding="utf-8").splitlines()
    rows = [line.strip("| ").split(" | ") for line in lines if line.startswith("| ")]
    return [row for row in rows if row[0] != "fault"]


def test_the_table_lists_each_fault_once_with_a_test():
    rows = rows_of_the_table()
    assert len(rows) >= 40
    assert all(len(row) == 3 and NODE.fullmatch(row[2]) for row in rows)
    for column in (0, 2):
        assert len({row[column] for row in rows}) == len(rows)


@pytest.mark.parametrize("node", [row[2].strip("`") for row in rows_of_the_table()])
def test_every_test_in_the_table_exists(node):
    """The file has the function; where a case is named, its words stand in the file."""
    name, function, case = NODE.fullmatch(f"`{node}`").groups()
    text = (ROOT / name).read_text(encoding="utf-8")
    if function:
        assert f"\ndef {function}(" in text
    if case:
        assert f'"{case}"' in text or all(f'"{one}"' in text for one in case.split("-", 1))
