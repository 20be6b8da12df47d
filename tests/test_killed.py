"""A fetch that is killed at any moment leaves nothing that a later one takes for whole."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import sys
import time

import pytest

SIZE = 24_000_000
# The command itself, on a catalogue of one large file that only a mirror has.
FETCH = """
import dataclasses, sys
from smo_research import cli
from smo_research.datasets import catalog
size, sha, mirror = int(sys.argv[1]), sys.argv[2], sys.argv[3]
files = (catalog.File("log.bin", size, sha, ()),)
entry = dataclasses.replace(catalog.dataset("collegemsg"), name="tiny", files=files)
catalog._read_catalog = lambda: {"tiny": entry}
sys.argv = ["smo", "fetch", "tiny", "--mirror", mirror]
sys.exit(cli.main())
"""


@pytest.mark.parametrize("kills", [6, pytest.param(50, marks=pytest.mark.slow)])
def test_killed_fetch_leaves_no_file_that_is_not_whole(tmp_path, kills):
    data = random.Random(1).randbytes(SIZE)
    sha = hashlib.sha256(data).hexdigest()
    (tmp_path / "mirror/tiny").mkdir(parents=True)
    (tmp_path / "mirror/tiny/log.bin").write_bytes(data)
    command = [sys.executable, "-c", FETCH, str(SIZE), sha, str(tmp_path / "mirror")]

    def start(cache):
        env = os.environ | {"SMO_CACHE": str(cache)}
        return subprocess.Popen(
            command, env=env, start_new_session=True, stdout=subprocess.DEVNULL, stderr=None
        )

    began = time.monotonic()
    assert start(tmp_path / "whole").wait(60) == 0
    length = time.monotonic() - began
    draw = random.Random(8)
    killed = parts = 0
    for number in range(kills):
        cache = tmp_path / f"cache{number}"
        process = start(cache)
        try:
            process.wait((number + draw.random()) / kills * length)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
        killed += process.wait(60) == -signal.SIGKILL
        kept = cache / "raw/tiny/log.bin"
        parts += any((cache / "raw/tiny").glob(".*"))
        assert not kept.exists() or kept.read_bytes() == data
        assert start(cache).wait(60) == 0
        assert kept.read_bytes() == data
        for path in cache.rglob("*.*"):
            if path.is_file():
                path.unlink()
    print(f"{killed} of {kills} were killed before their end, {parts} in the middle of the file")
    assert killed
