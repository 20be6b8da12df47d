"""What is killed at any moment leaves nothing that a later run takes for whole.

How many kills came in the middle is told with -rP. What came too late is no failure, so that
nothing here depends on how fast a machine is.
"""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from smo_research.simulation.scenarios import scenario
from smo_research.simulation.simulated import simulate

LONG_AGO = 1_000_000_000
SIZE = 8_000_000
NAME = "facebook-live"
# The command itself, on a catalogue of one file.
SMO = """
import dataclasses, sys
from smo_research import cli
from smo_research.datasets import catalog
name, path, size, sha, url = sys.argv[1:6]
files = (catalog.File(path, int(size), sha, (url,)),)
entry = dataclasses.replace(catalog.dataset(name), files=files)
catalog._read_catalog = lambda: {name: entry}
sys.argv = ["smo", *sys.argv[6:]]
sys.exit(cli.main())
"""


def command(path, data, url, *words):
    """The words of a command whose catalogue has these bytes under this name."""
    sha = hashlib.sha256(data).hexdigest()
    told = [NAME, path, str(len(data)), sha, url, *map(str, words)]
    return [sys.executable, "-c", SMO, *told]


def begin(words, cache, told):
    """Start a command in a group of its own, so that a kill ends all that it started."""
    env = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
    env.pop("SMO_MIRROR", None)
    env |= {"SMO_CACHE": str(cache), "PYTHONWARNINGS": "ignore"}
    with told.open("wb") as stream:
        return subprocess.Popen(
            words, env=env, start_new_session=True, stdout=subprocess.DEVNULL, stderr=stream
        )


def kill(process):
    """End it with all that it started; says whether it came before the end."""
    os.killpg(process.pid, signal.SIGKILL)
    return process.wait(60) == -signal.SIGKILL


def spread(kills, end=1.0):
    """One share at random in each of so many equal parts of the way."""
    draw = random.Random(8)
    return [(number + draw.random()) / kills * end for number in range(kills)]


def contents(folder):
    """Files by their names, those under passing names left out."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if path.is_file() and not any(part.startswith(".") for part in name.parts):
            found[name.as_posix()] = path.read_bytes()
    return found


def passing(*folders):
    """Files and folders under passing names, as runs have them while they write."""
    return [path for folder in folders for path in folder.rglob(".*")]


class Holding(BaseHTTPRequestHandler):
    """A publisher that keeps the rest of the file back until it is let go."""

    data: bytes
    length: int
    sent: threading.Event
    release: threading.Event

    def log_message(self, *args):
        pass

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.data)))
        self.end_headers()
        try:
            self.wfile.write(self.data[: self.length])
            self.sent.set()
            self.release.wait()
            self.wfile.write(self.data[self.length :])
        except OSError:
            self.sent.set()


@pytest.fixture
def publisher():
    """Give the address of a file, and a function that says how much of it is sent at first."""
    Holding.data = random.Random(1).randbytes(SIZE)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Holding)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()

    def holding(share):
        Holding.length = int(share * SIZE)
        Holding.sent, Holding.release = threading.Event(), threading.Event()

    yield f"http://127.0.0.1:{server.server_port}/log.bin", holding
    Holding.release.set()
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("kills", [5, pytest.param(50, marks=pytest.mark.slow)])
def test_killed_fetch_leaves_no_file_that_is_not_whole(tmp_path, publisher, kills):
    """Four in five while the server holds the rest back, the others after it sent all."""
    url, holding = publisher
    words = command("in/log.bin", Holding.data, url, "fetch", NAME)

    def whole(cache):
        holding(1)
        process = begin(words, cache, tmp_path / "told")
        assert Holding.sent.wait(60)
        began = time.monotonic()
        Holding.release.set()
        assert process.wait(60) == 0, (tmp_path / "told").read_text()
        assert contents(cache) == {f"raw/{NAME}/in/log.bin": Holding.data}
        return time.monotonic() - began

    rest = whole(tmp_path / "undisturbed")
    held = killed = 0
    for number, share in enumerate(spread(kills, end=1.25)):
        cache = tmp_path / f"cache{number}"
        holding(min(share, 1))
        process = begin(words, cache, tmp_path / "told")
        assert Holding.sent.wait(60)
        if share > 1:
            Holding.release.set()
            time.sleep((share - 1) * 4 * rest)
        killed += kill(process)
        Holding.release.set()
        kept = contents(cache)
        if share < 1:
            held += 1
            assert passing(cache)
            assert not kept
        assert kept in ({}, {f"raw/{NAME}/in/log.bin": Holding.data})
        for path in passing(cache):
            os.utime(path, (LONG_AGO, LONG_AGO))
        if not kept:
            whole(cache)
        else:
            assert begin(words, cache, tmp_path / "told").wait(60) == 0
            assert contents(cache) == kept
        assert not passing(cache)
        shutil.rmtree(cache)
    print(f"fetch: {killed} of {kills} were killed before their end, {held} inside the download")


@pytest.fixture
def studies(tmp_path):
    """Two small studies, each by its words: of data of one's own and of the catalogue."""
    world = simulate(scenario("conversation").turned(accounts=12, periods=20), seed=1)
    (tmp_path / "own").mkdir()
    world.posts.to_csv(tmp_path / "own/posts.csv", index=False)
    posts = world.posts.assign(
        status_id=world.posts["account_id"].str[1:] + "_" + world.posts["post_id"],
        status_type=world.posts["has_media"].map({True: "photo", False: "status"}),
        status_published=world.posts["created_at"].dt.strftime("%m/%d/%Y %H:%M"),
    )
    names = {"reactions": "num_reactions", "replies": "num_comments", "shares": "num_shares"}
    columns = ["status_id", "status_type", "status_published", *names.values()]
    data = posts.rename(columns=names)[columns].to_csv(index=False).encode()
    (tmp_path / "mirror" / NAME).mkdir(parents=True)
    (tmp_path / "mirror" / NAME / "posts.csv").write_bytes(data)
    places = {"own": ["--data", tmp_path / "own"], "catalogue": [NAME, "--mirror", "mirror"]}
    places["catalogue"][-1] = tmp_path / "mirror"
    return {
        kind: lambda folder, where=where: command(
            "posts.csv", data, "http://127.0.0.1:9/", "study", *where, "--quick", "-o", folder
        )
        for kind, where in places.items()
    }


def at_work(process, told):
    """Wait until a study has said its first word, or has ended."""
    while process.poll() is None and not told.stat().st_size:
        time.sleep(0.002)
    return time.monotonic()


@pytest.mark.parametrize("kills", [4, pytest.param(50, marks=pytest.mark.slow)])
def test_killed_study_leaves_nothing_that_is_not_whole(tmp_path, studies, kills):
    """Each writes where the other one has a whole study, whose manifest must not outlive it."""
    told = tmp_path / "told"

    def whole(kind, folder, cache):
        process = begin(studies[kind](folder), cache, told)
        began = at_work(process, told)
        assert process.wait(300) == 0, told.read_text()
        return time.monotonic() - began

    length = {one: whole(one, tmp_path / one / "out", tmp_path / one / "cache") for one in studies}
    made = {one: contents(tmp_path / one / "out") for one in studies}
    kept = {one: contents(tmp_path / one / "cache") for one in studies}
    assert any(name.startswith("tables/") for name in kept["catalogue"])
    killed = left = 0
    for number, share in enumerate(spread(kills)):
        kind, other = random.Random(number).sample(sorted(studies), 2)
        folder, cache = tmp_path / "out", tmp_path / "cache"
        shutil.copytree(tmp_path / other / "out", folder)
        cache.mkdir()
        process = begin(studies[kind](folder), cache, told)
        began = at_work(process, told)
        time.sleep(max(0, began + share * length[kind] - time.monotonic()))
        killed += kill(process)
        left += bool(passing(folder, cache))
        found = contents(folder)
        whose = found.get("manifest.json")
        assert whose in (None, made[kind]["manifest.json"], made[other]["manifest.json"])
        for one in studies:
            if whose == made[one]["manifest.json"]:
                assert found | made[one] == found
        for name, data in contents(cache).items():
            assert kept[kind][name] == data
        for path in passing(folder, cache):
            os.utime(path, (LONG_AGO, LONG_AGO))
        length[kind] = whole(kind, folder, cache)
        assert contents(folder) == made[other] | made[kind]
        assert contents(cache) == kept[kind]
        assert not passing(folder, cache)
        shutil.rmtree(folder)
        shutil.rmtree(cache)
    print(f"study: {killed} of {kills} were killed before their end, {left} while files were made")
