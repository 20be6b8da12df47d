import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path

import networkx as nx
import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "smo_research"
FACADE = PACKAGE / "__init__.py"

# Each line imports only from lines below it; what shares a line, never from each other.
HOUSE = [
    {"cli"},
    {"record", "calibrate", "workshop", "example"},
    {"importing", "one_log", "example_repository"},
    {"study"},
    {"report"},
    {"simulation"},
    {"evidence"},
    {"measures", "datasets"},
    {"tables"},
    {"problems"},
    {"output", "leaving", "options"},
    {"errors"},
]
LINE = {name: line for line, names in enumerate(HOUSE) for name in names}
ENTRANCES = {"smo_research", "smo_research.__main__"}

MOST_LINES = 350
MOST_BYTES = 2 * 1024 * 1024
TOP_LEVEL = [
    "notebooks/",
    "smo_research/",
    "data/",
    "figures/",
    "tests/",
    "environment.yml",
    "README.md",
]
HEAVY = ["statsmodels", "seaborn", "matplotlib", "pyfixest", "ibis"]

# In pieces, so that this file does not hold what it looks for.
HOSTS = ["py" + "pi.org", "python" + "hosted.org", "npm" + "js.org", "deb.deb" + "ian.org"]
FOLDERS = ["wo" + "rk", "ro" + "ot", "fa" + "rm", "tm" + "p"]
FORBIDDEN = re.compile(
    "|".join(re.escape(host) for host in HOSTS)
    + rf"|(?:^|[^A-Za-z0-9_.])/(?:{'|'.join(FOLDERS)})/",
    re.IGNORECASE | re.MULTILINE,
)


def module_name(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def imported(name, source, *, is_package):
    """Return the modules of the package that `source`, the text of module `name`, imports."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = name.split(".")[: None if is_package else -1]
                parents = parents[: len(parents) - node.level + 1]
                base = ".".join([*parents, *([base] if base else [])])
            for alias in node.names:
                inner = f"{base}.{alias.name}"
                found.add(inner if inner in MODULES else base)
    return {one for one in found if one.split(".")[0] == "smo_research"} - {name}


def imports():
    return {
        name: imported(name, path.read_text(encoding="utf-8"), is_package=path.stem == "__init__")
        for name, path in MODULES.items()
    }


def room(name):
    return name.split(".")[1]


def may_import(name, target):
    if name in ENTRANCES:
        return True
    if target in ENTRANCES:
        return False
    return room(name) == room(target) or LINE.get(room(name), -1) < LINE.get(room(target), -1)


def project_files():
    """Return the files that are in git, or would be after `git add --all`."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True)
    except (FileNotFoundError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def test_every_module_has_a_place_in_the_house():
    strangers = {name for name in MODULES if name not in ENTRANCES and room(name) not in LINE}
    assert not strangers, f"not in the design's list of modules: {sorted(strangers)}"


def test_imports_run_one_way():
    wrong = [
        f"{name} imports {target}"
        for name, targets in imports().items()
        for target in sorted(targets)
        if not may_import(name, target)
    ]
    assert not wrong, "imports must run downward (see HOUSE):\n" + "\n".join(wrong)


def test_no_import_goes_in_a_circle():
    graph = nx.DiGraph(
        [(name, target) for name, targets in imports().items() for target in targets]
    )
    circles = [" -> ".join([*circle, circle[0]]) for circle in nx.simple_cycles(graph)]
    assert not circles, "circular imports:\n" + "\n".join(circles)


@pytest.mark.parametrize(
    ("line", "target"),
    [
        ("import smo_research.tables", "smo_research.tables"),
        ("from smo_research.errors import DataError", "smo_research.errors"),
        ("from smo_research import tables", "smo_research.tables"),
        ("from smo_research import something", "smo_research"),
        ("from . import something", "smo_research.measures"),
        ("from ..tables import validate", "smo_research.tables"),
        ("def f():\n    from .. import errors", "smo_research.errors"),
        ("if TYPE_CHECKING:\n    from smo_research.tables import Tables", "smo_research.tables"),
    ],
)
def test_an_import_is_seen_however_it_is_written(line, target):
    assert imported("smo_research.measures.new", line, is_package=False) == {target}


@pytest.mark.parametrize(
    ("name", "target", "allowed"),
    [
        ("cli", "errors", True),
        ("study", "report.plots", True),
        ("evidence.models", "measures.panel", True),
        ("evidence.models", "evidence.result", True),
        ("measures.panel", "datasets.load", False),
        ("datasets.load", "measures.panel", False),
        ("errors", "tables", False),
        ("evidence.models", "report.plots", False),
        ("report.page", "study", False),
    ],
)
def test_the_rule_itself(name, target, allowed):
    assert may_import(f"smo_research.{name}", f"smo_research.{target}") is allowed
    assert not may_import(f"smo_research.{name}", "smo_research")


def test_no_module_is_too_long():
    lengths = {
        path.relative_to(ROOT).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for path in MODULES.values()
    }
    long = [
        f"{path} has {lines} lines; {MOST_LINES} are the most, so split it by what it is about"
        for path, lines in lengths.items()
        if lines > MOST_LINES
    ]
    assert not long, "\n".join(long)


def test_top_level_holds_what_one_looks_for_first():
    names = {path.relative_to(ROOT).as_posix() for path in project_files()}
    missing = [
        wanted
        for wanted in TOP_LEVEL
        if not any(
            name.startswith(wanted) if wanted[-1] == "/" else name == wanted for name in names
        )
    ]
    assert not missing, f"missing from the top level, or ignored by git: {missing}"


def test_no_file_names_a_registry_or_a_path_of_one_machine():
    found = []
    for path in project_files():
        content = path.read_bytes()
        if path.suffix == ".csv" or b"\0" in content:
            continue
        text = content.decode(encoding="utf-8", errors="replace")
        found += [
            f"{path.relative_to(ROOT).as_posix()}:{number}: {line.strip()[:100]}"
            for number, line in enumerate(text.splitlines(), 1)
            if FORBIDDEN.search(line)
        ]
    assert not found, "a package registry's host, or a path of one machine:\n" + "\n".join(found)


@pytest.mark.parametrize(
    ("text", "forbidden"),
    [
        ("https://" + HOSTS[0] + "/simple", True),
        ("see " + HOSTS[1], True),
        ("/" + FOLDERS[0] + "/main", True),
        ('open("/' + FOLDERS[1] + '/x")', True),
        ("https://example.org/" + FOLDERS[0] + "/main", False),
        ("frame" + FOLDERS[0], False),
        ("../" + FOLDERS[0] + "/main", False),
    ],
)
def test_the_pattern_itself(text, forbidden):
    assert bool(FORBIDDEN.search(text)) is forbidden


def test_no_file_is_large():
    large = [
        f"{path.relative_to(ROOT).as_posix()}: {path.stat().st_size / 1024**2:.1f} MiB"
        for path in project_files()
        if path.stat().st_size > MOST_BYTES
    ]
    assert not large, "over 2 MiB; data is downloaded, not committed:\n" + "\n".join(large)


def test_facade_lists_what_it_offers():
    if not FACADE.is_file() or not FACADE.read_text(encoding="utf-8").strip():
        pytest.skip("the facade is still empty")
    facade = importlib.import_module("smo_research")
    assert facade.__all__, "smo_research/__init__.py has no __all__"
    assert len(set(facade.__all__)) == len(facade.__all__)
    missing = [name for name in facade.__all__ if not hasattr(facade, name)]
    assert not missing, f"in __all__, but not to be had: {missing}"


def test_importing_the_package_leaves_heavy_modules_alone():
    code = f"import sys, smo_research; print(*[m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [], "import these where they are used, not at the top"
