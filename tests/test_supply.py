"""What is installed is what was locked, and a published pickle can run nothing."""

from __future__ import annotations

import collections
import datetime
import os
import pickle
import re
import subprocess
import sys
import tomllib
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
