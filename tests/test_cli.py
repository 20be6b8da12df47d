"""The commands: what bad input is told, what good input gives, what stays behind."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import smo_research as smo
from smo_research import cli
from smo_research.datasets.catalog import catalog
from smo_research.datasets.fetch import cache_dir

HEAVY = ("pandas", "numpy", "scipy", "statsmodels", "seaborn", "matplotlib", "pyfixest", "ibis")
# As the tests were started; each test then has a cache of its own and no mirror.
AT_HAND = [cache_dir() / "raw", *map(Path, filter(None, [os.environ.get("SMO_MIRROR")]))]
DAY = 86_400
FIRST = 1_082_040_961


@pytest.fixture(scope="module")
def collegemsg(real):
    """The real log; of the module, so that it is read before a test has an empty cache."""
    return real("collegemsg").interactions


@pytest.fixture
def place(tmp_path, monkeypatch, empty_cache):
    """An empty folder to work in, with a cache and a folder for passing files of its own."""
    for name in ("here", "passing"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "passing"))
    return tmp_path


@pytest.fixture
def smo_command(place, monkeypatch, capsys):
    """Run a command as the shell would; gives its exit status, stdout and stderr."""

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


def files(place):
    return {
        path.relative_to(place).as_posix(): path.read_bytes()
        for path in place.rglob("*")
        if path.is_file()
    }


@pytest.fixture
def refused(smo_command, place):
    """Run a command that must fail: one message, status 2, nothing left behind."""

    def run(*words):
        before = files(place)
        status, out, err = smo_command(*words)
        assert (status, out) == (2, "")
        assert "Traceback" not in err
        *progress, message = err.splitlines()
        assert message.startswith("smo: ")
        assert all(line.endswith(": loading") for line in progress)
        assert files(place) == before
        return message

    return run


def acts(days=80, people=6):
    """A log in which everybody writes to the next one, and is answered, now and then."""
    rows = []
    for day in range(days):
        one, other = day % people, (day * 3 + 1) % people
        if one != other:
            rows += [(one, other, FIRST + day * DAY), (other, one, FIRST + day * DAY + 3600)]
    return rows


def log_frame(rows):
    source, target, when = zip(*rows, strict=True)
    return pd.DataFrame(
        {
            "source_id": [str(one) for one in source],
            "target_id": [str(one) for one in target],
            "created_at": pd.to_datetime(when, unit="s", utc=True),
        }
    )


def write_log(path, rows, format):
    frame = log_frame(rows)
    if format == "snap":
        path.write_text("# a b t\n" + "".join(f"{a} {b} {t}\n" for a, b, t in rows))
    elif format == "konect":
        path.write_text("% asym\n" + "".join(f"{a} {b} 1 {t}\n" for a, b, t in rows))
    elif format == "csv":
        frame.to_csv(path, index=False)
    else:
        frame.to_parquet(path)
    return path


CSV = "source_id,target_id,created_at\n"
BAD = {
    "missing column": (
        b"source_id,created_at\na,2020-01-01\n",
        ("csv", "has no column target_id", "needs source_id, target_id, created_at"),
    ),
    "text as time in csv": (
        (CSV + "a,b,2020-01-01\na,b,yesterday\n").encode(),
        ("csv", "row 3", "a text of 9 characters is no time", "give UTC"),
    ),
    "text as time in snap": (
        b"# log\n1 2 1082040961\n1 2 noon\n",
        ("snap", "row 3", "a text of 4 characters is no time", "give seconds"),
    ),
    "no time": (b"1 2 1082040961\n1 2\n", ("snap", "row 2", "too short", "each row")),
    "negative time": (b"1 2 -5\n", ("snap", "row 1", "'-5' lies before 1970", "give seconds")),
    "before 1970": (
        (CSV + "a,b,1066-10-14\n").encode(),
        ("csv", "row 2", "'1066-10-14' lies before 1970", "give UTC"),
    ),
    "far future": (
        (CSV + "a,b,2999-01-01\n").encode(),
        ("csv", "row 2", "'2999-01-01' lies in the future", "give UTC"),
    ),
    "milliseconds": (
        b"1 2 1082040961000\n",
        ("snap", "row 1", "lies in the future", "not milliseconds?"),
    ),
    "weight of nothing": (b"1 2 0 1082040961\n", ("konect", "row 1", "'0'", "drop the row")),
    "empty csv": (b"", ("csv", "is empty", "give it at least one row")),
    "empty snap": (b"\n \n", ("snap", "is empty", "give it at least one row")),
    "header only": (CSV.encode(), ("csv", "no rows", "give it at least one")),
    "comments only": (b"# 1\n# 2\n", ("snap", "comments only", "give it at least one row")),
    "no id": ((CSV + "a,,2020-01-01\n").encode(), ("csv", "row 2", "target_id", "drop the row")),
    "too many columns": (
        (CSV + "a,b,2020-01-01,c,d\n").encode(),
        ("csv", "row 2", "5 columns", "quote"),
    ),
    "not utf-8": (
        (CSV + "a,b,2020-01-01\n").encode() + "é,b,2020-01-02\n".encode("latin-1"),
        ("csv", "row 3", "not UTF-8", "convert"),
    ),
    "binary junk as text": (bytes(range(256)) * 9, ("snap", "not UTF-8", "convert")),
    "binary junk as parquet": (bytes(range(256)) * 9, ("parquet", "not whole Parquet", "anew")),
    "empty parquet": (b"", ("parquet", "not whole Parquet", "anew")),
    "acts toward oneself only": (
        b"1 1 1082040961\n",
        ("snap", "no act between two different accounts"),
    ),
    "log too short": (
        b"1 2 1082040961\n2 1 1082140961\n",
        ("snap", "spans 1.8 days", "choose a shorter period or horizon"),
    ),
}


@pytest.mark.parametrize("problem", BAD)
def test_a_bad_log_is_named_with_its_row_and_a_remedy(problem, refused, place):
    data, (log_format, *expected) = BAD[problem]
    (place / "here/bad.log").write_bytes(data)
    message = refused("panel", "--interactions", "bad.log", "--format", log_format)
    for part in ("bad.log", *expected):
        assert part in message


@pytest.mark.parametrize("left", [10, 60, -1])
def test_a_truncated_gzip(refused, place, left):
    whole = gzip.compress("".join(f"1 2 {FIRST + second}\n" for second in range(99)).encode())
    (place / "here/log.gz").write_bytes(whole[:left])
    message = refused("panel", "--interactions", "log.gz", "--format", "snap")
    assert re.search(r"log\.gz is damaged .*download it again", message)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["panel"], "Give either the name of a data set, or --interactions FILE"),
        (["panel", "collegemsg", "--interactions", "x.csv"], "Give either"),
        (["panel", "collegemsg", "--format", "snap"], "Give either"),
        (["panel", "colegemsg"], "There is no data set 'colegemsg'; the nearest is 'collegemsg'"),
        (["study", "mathoverfow"], "the nearest is 'mathoverflow'"),
        (["fetch", "CollegeMsg"], "the nearest is 'collegemsg'"),
        (["fetch"], "Name the data sets to fetch, or give --all"),
        (["fetch", "--all", "collegemsg"], "Name the data sets to fetch, or give --all"),
        (["panel", "--interactions", "no.csv"], "no.csv cannot be read (No such file"),
        (["panel", "--interactions", "no.parquet"], "no.parquet cannot be read (No such file"),
        (["panel", "--interactions", "log.txt"], "log.txt: name its format with --format snap"),
        (["panel", "--interactions", "log.csv", "--format", "gexf"], "must be snap, konect, csv"),
        (["panel", "--interactions", "folder", "--format", "snap"], "folder cannot be read (Is a"),
        (["panel", "--interactions", "folder", "--format", "parquet"], "folder cannot be read"),
        (["panel", "--interactions", "log.csv", "-o", "no/p.csv"], "no/p.csv: there is no folder"),
        (["panel", "--interactions", "log.csv", "-o", "p.xlsx"], "must end in .parquet or .csv"),
        (
            ["panel", "--interactions", "log.csv", "-o", "folder.csv"],
            "folder.csv: is a folder and no",
        ),
        (["panel", "--interactions", "log.csv", "--gap", 50], "50 > 42 days"),
        (["panel", "--interactions", "log.csv", "--gap", 0], "gap must be a whole number of days"),
        (["panel", "--interactions", "log.csv", "--period", 0], "period must be a whole number"),
        (["panel", "--interactions", "log.csv", "--horizon", 900], "log.csv: The log spans 79."),
        (["study", "-o", "log.csv"], "log.csv is no folder to write to; choose another with -o"),
        (["study", "-o", "log.csv/results"], "log.csv is no folder to write to"),
        (["study", "collegemsg", "--mirror", "nowhere"], "The mirror nowhere is not a folder"),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, list) else "",
)
def test_a_wrong_word_is_named(words, expected, refused, place, offline):
    write_log(place / "here/log.csv", acts(), "csv")
    (place / "here/folder").mkdir()
    (place / "here/folder.csv").mkdir()
    assert expected in refused(*words)


@pytest.mark.parametrize("words", [["panel", "--period=soon"], ["dance"], ["study", "--quik"]])
def test_a_word_that_is_none_of_the_commands(words, smo_command, place):
    before = files(place)
    status, out, err = smo_command(*words)
    assert (status, out) == (2, "")
    assert words[-1].partition("=")[0] in err
    assert "Traceback" not in err
    assert files(place) == before


def test_windows_longer_than_a_century(smo_command, place):
    write_log(place / "here/log.csv", acts(), "csv")
    status, _, err = smo_command("panel", "--interactions", "log.csv", "--period", 10**9)
    assert status == 2
    assert "--period" in err
    assert "Traceback" not in err


@pytest.mark.parametrize("command", ["fetch", "study", "panel"])
def test_a_mirror_with_other_bytes_is_refused(command, refused, place, offline):
    copy = place / "here/mirror/collegemsg/CollegeMsg.txt.gz"
    copy.parent.mkdir(parents=True)
    copy.write_bytes(gzip.compress(b"1 2 1082040961\n", mtime=0))
    message = refused(command, "collegemsg", "--mirror", "mirror")
    assert "CollegeMsg.txt.gz has sha256 " in message
    assert hashlib.sha256(copy.read_bytes()).hexdigest() in message
    assert "replace it with the published file" in message
    assert offline == []


def test_without_network_the_message_says_what_to_do(refused, offline):
    message = refused("panel", "collegemsg")
    assert "collegemsg: CollegeMsg.txt.gz could not be obtained" in message
    assert "--mirror or SMO_MIRROR" in message
    assert any("snap.stanford.edu" in url for url in offline)


def test_nothing_can_be_had(smo_command, place, offline):
    before = files(place)
    status, out, err = smo_command("study")
    assert (status, out) == (2, "")
    assert "No data set could be obtained" in err
    assert "Traceback" not in err
    for name in catalog():
        assert f"\n{name}: " in err
    assert files(place) == before


@pytest.mark.parametrize("format", ["snap", "konect", "csv", "parquet"])
@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_panel_of_a_file_is_the_panel_of_its_log(format, ending, smo_command, place):
    rows = acts()
    path = write_log(place / f"here/log.{format}", rows, format)
    out = place / f"here/panel.{ending}"
    status, told, err = smo_command(
        *["panel", "--interactions", path, "--format", format, "--keep-ids", "-o", out],
        *["--period", 5, "--gap", 4, "--horizon", 30],
    )
    assert (status, err) == (0, "")
    log = log_frame(rows).assign(seq=np.arange(len(rows)), kind="message")
    expected = smo.panel(log, windows=smo.Windows(period=5, gap=4, horizon=30))
    assert expected["lasting_audience"].sum() > 0
    assert f"{len(expected)} rows, 6 accounts" in told
    if ending == "parquet":
        pd.testing.assert_frame_equal(pd.read_parquet(out), expected)
    else:
        made = pd.read_csv(out, dtype={"account_id": str}, parse_dates=["period_start"])
        pd.testing.assert_frame_equal(made, expected, check_dtype=False)
    assert set(files(place)) == {f"here/log.{format}", f"here/panel.{ending}"}


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_panel_takes_the_posts_beside_a_log(format, smo_command, place):
    rows = acts()
    write_log(place / f"here/log.{format}", rows, format)
    posts = pd.DataFrame(
        {
            "post_id": ["1", "2", "3"],
            "account_id": ["0", "007", "0"],
            "created_at": pd.to_datetime([FIRST - DAY, FIRST, FIRST + 60], unit="s", utc=True),
            "hashtags": pd.array([2, None, 0], dtype="Int64"),
            "has_media": pd.array([True, False, None], dtype="boolean"),
        }
    )
    if format == "csv":
        posts.to_csv(place / "here/posts.csv", index=False)
    else:
        posts.to_parquet(place / "here/posts.parquet")
    status, told, err = smo_command(
        *["panel", "--interactions", f"log.{format}", "--posts", f"posts.{format}", "--keep-ids"],
        *["--period", 5, "--gap", 4, "--horizon", 30],
    )
    assert (status, err) == (0, "")
    log = log_frame(rows).assign(seq=np.arange(len(rows)), kind="message")
    expected = smo.panel(log, posts, windows=smo.Windows(period=5, gap=4, horizon=30))
    assert expected["posts"].sum() == 3
    assert "7 accounts" in told
    pd.testing.assert_frame_equal(pd.read_parquet(place / "here/panel.parquet"), expected)


HEAD = "post_id,account_id,created_at,has_media,hashtags"
BAD_POSTS = {
    "no such file": (None, "posts.csv: cannot be read"),
    "no posts": (HEAD, "the table 'posts' has no rows"),
    "a flag that is none": (
        f"{HEAD}\n1,a,2020-01-01,maybe,1",
        "row 1, column 'has_media': a text of 5",
    ),
    "half a hashtag": (f"{HEAD}\n1,a,2020-01-01,,1.5", "row 1, column 'hashtags': '1.5'"),
    "no time": (f"{HEAD}\n1,a,yesterday,,", "row 1, column 'created_at': a text of 9"),
    "no author": (f"{HEAD}\n1,a,2020-01-01,,\n2,,2020-01-01,,", "row 2, column 'account_id'"),
    "twice": (f"{HEAD}\n1,a,2020-01-01,,\n1,a,2020-01-01,,", "column 'post_id'"),
    "another table": ("post_id,when\n1,2020-01-01", "no column 'account_id'"),
    "a column too many": (f"{HEAD},mood\n1,a,2020-01-01,,,glad", "knows no column 'mood'"),
}


@pytest.mark.parametrize("content, problem", BAD_POSTS.values(), ids=BAD_POSTS)
def test_bad_posts_are_named(content, problem, smo_command, place):
    write_log(place / "here/log.csv", acts(), "csv")
    if content is not None:
        (place / "here/posts.csv").write_text(content + "\n")
    before = files(place)
    words = ("panel", "--interactions", "log.csv", "--posts", "posts.csv")
    status, out, err = smo_command(*words)
    assert (status, out) == (2, "")
    assert err.startswith("smo: posts.csv")
    assert problem in err
    assert files(place) == before


def test_posts_need_a_log_beside_them_and_an_ending(refused, place):
    write_log(place / "here/log.csv", acts(), "csv")
    assert "Give either" in refused("panel", "collegemsg", "--posts", "posts.csv")
    message = refused("panel", "--interactions", "log.csv", "--posts", "posts.txt")
    assert "posts.txt: must be a .csv or a .parquet file of posts" in message


def test_panel_guesses_the_format_by_the_ending(smo_command, place):
    write_log(place / "here/log.csv", acts(), "csv")
    packed = place / "here/packed.csv.gz"
    packed.write_bytes(gzip.compress((place / "here/log.csv").read_bytes()))
    panels = []
    for name in ("log.csv", "packed.csv.gz"):
        assert smo_command("panel", "--interactions", name, "-o", "p.csv")[0] == 0
        panels.append((place / "here/p.csv").read_bytes())
    assert panels[0] == panels[1]


def test_panel_replaces_an_older_one(smo_command, place):
    write_log(place / "here/log.csv", acts(), "csv")
    (place / "here/panel.parquet").write_text("old")
    assert smo_command("panel", "--interactions", "log.csv")[0] == 0
    assert len(pd.read_parquet(place / "here/panel.parquet")) > 0


@pytest.mark.data
def test_panel_of_a_data_set_is_that_of_the_package(collegemsg, smo_command, place, monkeypatch):
    tables = smo.Tables("collegemsg", interactions=collegemsg)
    monkeypatch.setattr("smo_research.datasets.load.load", lambda name, mirror: tables)
    assert smo_command("panel", "collegemsg", "--horizon", "28")[0] == 0
    expected = smo.panel(collegemsg, windows=smo.Windows(period=7, gap=7, horizon=28))
    pd.testing.assert_frame_equal(pd.read_parquet(place / "here/panel.parquet"), expected)


@pytest.mark.data
def test_fetch_from_a_mirror(collegemsg, smo_command, place, offline):
    (file,) = (f for f in catalog()["collegemsg"].files if f.instead_of is None)
    raw = _real_file("collegemsg", file.path)
    mirror = place / "here/mirror/collegemsg"
    mirror.mkdir(parents=True)
    (mirror / file.path).write_bytes(raw)
    status, out, err = smo_command("fetch", "collegemsg", "--mirror", "mirror")
    assert (status, err) == (0, "")
    assert Path(out.strip()).read_bytes() == raw
    assert Path(out.strip()).is_relative_to(place / "cache")
    assert "collegemsg (cached)" in smo_command("datasets")[1]


def _real_file(name, path):
    """The published bytes, from the cache or the mirror that the tests were started with."""
    places = [place / name / path for place in AT_HAND]
    found = next((one for one in places if one.is_file()), None)
    if found is None:
        pytest.skip(f"{path} came from its second source, so there is no such file to mirror")
    return found.read_bytes()


@pytest.mark.parametrize("words", [[], ["study"], ["panel"], ["fetch"], ["datasets"]])
def test_help(words, smo_command):
    status, out, err = smo_command(*words, "--help")
    assert (status, err) == (0, "")
    assert "Usage: " in out


def test_help_loads_nothing_heavy():
    code = (
        "import json, sys; sys.argv = ['smo', '--help']\n"
        "from smo_research.cli import main\n"
        "try: main()\n"
        "except SystemExit as end: assert not end.code\n"
        "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = json.loads(run.stdout.splitlines()[-1])
    assert "smo_research" in loaded
    assert not set(HEAVY) & set(loaded)


@pytest.mark.parametrize("where", ["tables", "write", "replace"])
def test_an_interrupt_leaves_nothing_behind(where, smo_command, place, monkeypatch):
    write_log(place / "here/log.csv", acts(), "csv")
    before = files(place)

    def interrupt(*args, **options):
        raise KeyboardInterrupt

    target = {
        "tables": "smo_research.measures.panel.panel",
        "write": "pandas.DataFrame.to_parquet",
        "replace": "os.replace",
    }[where]
    monkeypatch.setattr(target, interrupt)
    status, out, err = smo_command("panel", "--interactions", "log.csv")
    assert (status, out) == (130, "")
    assert "Traceback" not in err
    assert files(place) == before


def test_a_full_disk_leaves_the_old_panel(refused, place, monkeypatch):
    write_log(place / "here/log.csv", acts(), "csv")
    (place / "here/panel.csv").write_text("old")

    def full(self, path, **options):
        Path(path).write_text("half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_csv", full)
    message = refused("panel", "--interactions", "log.csv", "-o", "panel.csv")
    assert "panel.csv: cannot be written (No space left on device)" in message
