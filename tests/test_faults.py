"""What goes wrong outside of the code: disks, servers, archives, files, clocks, ids, names.

docs/faults.md lists each fault with its test, here or elsewhere.
"""

from __future__ import annotations

import contextlib
import dataclasses
import gzip
import hashlib
import os
import re
import resource
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pandas as pd
import pytest

from smo_research import cli, output
from smo_research.datasets import catalog, fetch, sources
from smo_research.datasets.catalog import File
from smo_research.datasets.edgelist import read_edgelist
from smo_research.errors import SmoError

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
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


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


def made_in(folder, version, names=("a.csv", "b.csv", "figures/c.svg", "manifest.json")):
    """Make files as a study does, each with its version in it, without placing them."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"{version} {name}")


def versions_in(folder):
    return {path.read_text().split()[0] for path in folder.rglob("*.*") if path.is_file()}


def test_two_runs_into_one_folder_leave_one_whole(tmp_path, monkeypatch):
    """The first stops in the middle of moving until the second is at the same point."""
    folder = tmp_path / "results"
    replace, middle, second = os.replace, threading.Event(), threading.Event()

    def slow(source, target):
        replace(source, target)
        if Path(source).name == "a.csv" and threading.current_thread().name == "first":
            middle.set()
            # It cannot come: the second waits for the first. It is only given the time to.
            second.wait(0.5)

    monkeypatch.setattr(os, "replace", slow)
    placed = []

    def run(version):
        with output.beside(folder) as part:
            made_in(part, version)
            if version == "second":
                middle.wait()
            placed.append((version, len(output.place(part, folder))))
            second.set()

    threads = [threading.Thread(target=run, args=[name], name=name) for name in ("first", "second")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert placed == [("first", 4), ("second", 4)]
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


# Servers.

BODY = gzip.compress(b"1 2 1082040961\n2 1 1082155839\n", mtime=0)
HASH = hashlib.sha256(BODY).hexdigest()


class Publisher(BaseHTTPRequestHandler):
    """A publisher on this machine; what it does is the last word of the address."""

    protocol_version = "HTTP/1.1"
    asked: list[str]
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
        while not self.stop.wait(0.02):
            self.wfile.write(b"x")
            self.wfile.flush()

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
    Publisher.asked, Publisher.stop = [], threading.Event()
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


@pytest.mark.parametrize(
    ("server", "said"),
    [("silent", "did not answer in 0.2 seconds"), ("dripping", "was not through after 0 seconds")],
)
def test_a_slow_server_is_given_up(publisher, empty_cache, monkeypatch, server, said):
    monkeypatch.setattr(sources, "TIMEOUT_SECONDS", 0.2)
    monkeypatch.setattr(sources, "SLOWEST_BYTES_SECOND", 1_000)
    refused(lambda: publisher(server), f"/{server} {said}")
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
