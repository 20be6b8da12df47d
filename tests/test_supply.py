"""What is installed is what was locked and audited, and a published pickle can run nothing."""

from __future__ import annotations

import collections
import datetime
import os
import pickle
import re
import shlex
import subprocess
import sys
import threading
import tomllib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from smo_research.datasets import delab
from smo_research.errors import DataError

ROOT = Path(__file__).parents[1]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]

# Name, version and marker, then hashes: no index, no address, no path and no comment.
ENTRY = re.compile(
    r"[a-z0-9][a-z0-9-]*==[0-9][0-9a-z.]*(?: ; [A-Za-z0-9_ .'<>=!()]+)?"
    r"(?: \\\n    --hash=sha256:[0-9a-f]{64})+\n"
)
PYTHONS = ["3.11.0", "3.11.7", "3.12.0", "3.12.12", "3.13.0", "3.13.9"]
SYSTEMS = {
    "linux": {"os_name": "posix", "platform_system": "Linux"},
    "darwin": {"os_name": "posix", "platform_system": "Darwin"},
    "win32": {"os_name": "nt", "platform_system": "Windows"},
}


def entries(lock):
    return [Requirement(entry.partition(" \\")[0]) for entry in ENTRY.findall(lock)]


def place(python, system):
    minor = python.rpartition(".")[0]
    return {
        "python_full_version": python,
        "python_version": minor,
        "sys_platform": system,
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        **SYSTEMS[system],
    }


def locked(python, system):
    """Return the versions that one machine gets, and the names it would get twice."""
    here = place(python, system)
    chosen = [one for one in entries(LOCK) if one.marker is None or one.marker.evaluate(here)]
    versions = {one.name: next(iter(one.specifier)).version for one in chosen}
    counts = collections.Counter(one.name for one in chosen)
    return versions, [name for name, count in counts.items() if count > 1]


def unmet(declared, versions, python, system):
    here = place(python, system)
    wanted = [Requirement(line) for line in declared]
    return [
        str(one)
        for one in wanted
        if (one.marker is None or one.marker.evaluate(here))
        and versions.get(canonicalize_name(one.name), "0") not in one.specifier
    ]


def test_lock_is_pinned_names_with_hashes_and_nothing_else():
    assert ENTRY.sub("", LOCK) == ""
    names = [one.name for one in entries(LOCK)]
    assert names == sorted(names)
    assert {canonicalize_name(name) for name in names} == set(names)


@pytest.mark.parametrize(
    "line",
    [
        "--index-url https://example.org/simple\n",
        "# made with an index\n",
        "numpy==2.4.6\n",
        "numpy>=2.4.6 \\\n    --hash=sha256:" + "0" * 64 + "\n",
        "numpy @ file:///numpy.whl \\\n    --hash=sha256:" + "0" * 64 + "\n",
        "-e .\n",
        "numpy==2.4.6 \\\n    --hash=md5:" + "0" * 32 + "\n",
    ],
)
def test_anything_else_would_be_seen(line):
    assert ENTRY.sub("", LOCK + line) == line


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("python", PYTHONS)
def test_lock_holds_every_dependency_once_in_bounds(python, system):
    assert python in SpecifierSet(PROJECT["requires-python"])
    versions, twice = locked(python, system)
    assert not twice
    declared = [
        *PROJECT["dependencies"],
        *PROJECT["optional-dependencies"]["test"],
        *PYPROJECT["build-system"]["requires"],
    ]
    assert not unmet(declared, versions, python, system), "run `make lock`"


def test_a_stale_lock_would_be_seen():
    versions, _ = locked("3.12.0", "linux")
    stale = ["pandas<3", "no-such-package>=1", "numpy>=2.1"]
    assert unmet(stale, versions, "3.12.0", "linux") == ["pandas<3", "no-such-package>=1"]


def make(*arguments, makefile=ROOT / "Makefile", cwd=ROOT, **variables):
    """Run make as from a shell, also where make runs the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(
        ["make", "-f", str(makefile), *map(str, arguments)],
        cwd=cwd,
        env=kept | {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"} | variables,
        capture_output=True,
        text=True,
        check=False,
    )


def installs(target, folder, makefile=ROOT / "Makefile"):
    """Return what `make` would say to pip for a target, with nothing made yet."""
    venv = f"VENV={folder / 'venv'}"
    target = target.replace("VENV", str(folder / "venv"))
    run = make("--dry-run", venv, f"PINS={folder / 'pins.txt'}", target, makefile=makefile)
    assert run.returncode == 0, run.stderr
    said = [shlex.split(line) for line in run.stdout.splitlines() if " pip install " in line]
    return [words[words.index("install") + 1 :] for words in said]


def unlocked(installs):
    """Of what is said to pip, return what could bring something that was not locked."""
    hashed = {"--require-hashes", "--only-binary", ":all:", "--requirement", "requirements.lock"}
    alone = {"--no-deps", "--no-build-isolation", "--editable", "."}
    spoken = [set(words) - {"--quiet", "--disable-pip-version-check"} for words in installs]
    return [words for words in spoken if words not in (hashed, alone)]


def test_make_installs_from_the_lock_with_hashes(tmp_path):
    said = installs("VENV/.ready", tmp_path)
    assert len(said) == 2 and "--require-hashes" in said[0]
    assert not unlocked(said)


@pytest.mark.parametrize(
    "flag",
    ["--require-hashes", "--only-binary :all:", "--no-deps", "--requirement requirements.lock"],
)
def test_a_makefile_without_it_would_be_seen(tmp_path, flag):
    written = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert flag in written
    careless = tmp_path / "Makefile"
    careless.write_text(written.replace(f" {flag}", ""), encoding="utf-8")
    assert unlocked(installs("VENV/.ready", tmp_path, careless))


@pytest.mark.parametrize("extra", ["browser", "docs", "bench"])
def test_an_extra_may_not_move_what_is_locked(tmp_path, extra):
    assert extra in PROJECT["optional-dependencies"]
    *first, last = installs(extra, tmp_path)
    assert first and not unlocked(first)
    assert last[last.index("--constraint") + 1] == str(tmp_path / "pins.txt")
    assert "--no-build-isolation" in last and last[-1] == f".[{extra}]"


def test_the_pins_are_the_lock_without_hashes(tmp_path):
    pins = tmp_path / "pins.txt"
    run = make(f"PINS={pins}", pins)
    assert run.returncode == 0, run.stderr
    assert [Requirement(line) for line in pins.read_text("utf-8").splitlines()] == entries(LOCK)


@pytest.fixture
def tools(tmp_path):
    """Tools in whose place pip-audit says what it was told, and finds something or nothing."""
    (tmp_path / "bin").mkdir()
    auditor = tmp_path / "bin" / "pip-audit"
    auditor.write_text('#!/bin/sh\necho "told $*"\nexit "$FOUND"\n', encoding="utf-8")
    auditor.chmod(0o755)
    python = tmp_path / "bin" / "python"
    python.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n', encoding="utf-8")
    python.chmod(0o755)
    ready = tmp_path / ".ready"
    ready.touch()
    return tmp_path


class Database(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *arguments):
        pass


@pytest.fixture
def database():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Database)
    server.status = 200
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def audit(tools, port, found):
    return make("audit", f"TOOLS={tools}", f"OSV=http://127.0.0.1:{port}/", FOUND=str(found))


@pytest.mark.parametrize("found", [0, 1])
def test_the_audit_asks_about_the_lock_and_fails_with_what_it_finds(tools, database, found):
    run = audit(tools, database.server_port, found)
    assert bool(run.returncode) == bool(found)
    assert "--requirement requirements.lock" in run.stdout
    assert "--vulnerability-service osv" in run.stdout and "--strict" in run.stdout


def test_no_audit_without_the_database_and_one_line_says_so(tools, database):
    database.status = 503
    run = audit(tools, database.server_port, 1)
    assert run.returncode == 0
    assert run.stdout.splitlines() == [
        "Nothing was audited: the database of vulnerabilities cannot be reached."
    ]


class Call:
    """Pickles as a call, which unpickling makes."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def refused(tmp_path, content, match="is refused"):
    path = tmp_path / "dataset.pkl"
    path.write_bytes(content)
    with pytest.raises(DataError, match=match) as error:
        delab.read([path], name="delab-twitter")
    message = str(error.value)
    assert message.startswith("dataset.pkl is ") and message.endswith("; download it again.")
    assert "\n" not in message and len(message) < 300


def hostile(mark):
    command = f'"{sys.executable}" -c "open({str(mark)!r}, chr(119))"'
    code = f"open({str(mark)!r}, 'w').close()"
    system = Call(os.system, command)
    return {
        "system": system,
        "eval": Call(eval, code),
        "exec": Call(exec, code),
        "nested in a list": [1, {"deep": (system,)}],
        "argument of a call": Call(slice, Call(eval, code)),
        "key of a dictionary": {Call(eval, code): 1},
        "state of a table": Call(pd.DataFrame, {"tree_id": [Call(eval, code)]}),
    }


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("name", hostile(Path("mark")))
def test_hostile_pickle_runs_nothing(tmp_path, name, protocol):
    mark = tmp_path / "mark"
    content = pickle.dumps(hostile(mark)[name], protocol=protocol)
    refused(tmp_path, content, r"is refused \(it asks for ")
    assert not mark.exists()


@pytest.mark.parametrize("name", ["system", "eval", "nested in a list"])
def test_the_same_pickle_would_run_elsewhere(tmp_path, name):
    mark = tmp_path / "mark"
    pickle.loads(pickle.dumps(hostile(mark)[name]))
    assert mark.exists()


@pytest.mark.parametrize(
    "value",
    [
        collections.OrderedDict(a=1),
        datetime.date(2020, 1, 1),
        np.random.default_rng(0),
        Path("dataset.pkl"),
        subprocess.Popen,
        pd.Series([1]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_class_outside_the_list_is_refused(tmp_path, value):
    refused(tmp_path, pickle.dumps(value), r"is refused \(it asks for ")


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"\x80\x04\x95" + b"\xff" * 7 + b"\x7fN.", id="frame of 8 EiB"),
        pytest.param(b"\x80\x04\x8e" + b"\xff" * 7 + b"\x7fN.", id="bytes of 8 EiB"),
        pytest.param(b"P1\n.", id="persistent id"),
        pytest.param(b"\x80\x02\x82\x01.", id="unregistered extension"),
        pytest.param(b"\x80\x04h\x05.", id="memo that was never put"),
        pytest.param(b"\x80\x04.", id="empty stack"),
        pytest.param(b"\x80\x63N.", id="protocol of the future"),
        pytest.param(b"cbuiltins\nslice\n(I1\ntRI2\nb.", id="state for what has none"),
    ],
)
def test_damaged_pickle_is_refused(tmp_path, content):
    refused(tmp_path, content)


def bomb(levels):
    """Lists of ten times the list before: 10 to the power of `levels` leaves in few bytes."""
    value = ["x"] * 10
    for _ in range(levels - 1):
        value = [value] * 10
    return pickle.dumps(value)


def test_bomb_by_memo_is_refused_unexpanded(tmp_path):
    content = bomb(100)
    assert len(content) < 5_000
    refused(tmp_path, content, "is no table of tree_id")


def test_deep_nesting_is_refused(tmp_path):
    refused(tmp_path, b"]" * 100_000 + b"a" * 99_999 + b".", "is no table of tree_id")


def test_every_truncation_is_refused(tmp_path):
    whole = pickle.dumps({"tree_id": list(range(50)), "text": "x" * 50})
    for end in range(len(whole)):
        refused(tmp_path, whole[:end])


def test_array_over_raw_memory_is_refused(tmp_path):
    """Called, `numpy.ndarray` takes any bytes for addresses of objects; so in its own process."""
    path = tmp_path / "dataset.pkl"
    array = b"cnumpy\nndarray\n" + b"K\x01\x85" + b"X\x01\0\0\0O" + b"C\x08\x87\xd6\x12\0\0\0\0\0"
    path.write_bytes(b"\x80\x03cpandas.core.indexes.base\nIndex\n" + array + b"\x87R\x85R.")
    script = (
        "import pathlib, sys\n"
        "from smo_research.datasets import delab\n"
        "from smo_research.errors import DataError\n"
        "try:\n"
        "    delab.read([pathlib.Path(sys.argv[1])], name='delab-twitter')\n"
        "except DataError as error:\n"
        "    print(error)\n"
    )
    command = [sys.executable, "-c", script, str(path)]
    run = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert run.returncode == 0, f"ended by {run.returncode}: {run.stderr[-300:]}"
    assert "dataset.pkl is refused" in run.stdout
