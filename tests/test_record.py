"""The figures of record: the same when made anew, told apart when a number moves, never half."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from smo_research import cli, record
from smo_research.datasets.catalog import catalog, dataset
from smo_research.errors import DataError, SmoError
from smo_research.evidence.comeback import return_curve_table
from smo_research.evidence.hypotheses import hypotheses_hash
from smo_research.evidence.returning import first_contacts
from smo_research.report import plates
from smo_research.report import record_numbers as numbers
from smo_research.report.album import Record, save
from smo_research.report.compare import PIXELS, numbers_differ, pixels_differ, read_numbers
from smo_research.report.curves import return_curve
from smo_research.report.edition import make, verify
from smo_research.report.exhibits import as_written
from smo_research.report.style import look
from smo_research.simulation.marginals import ACTIVITY

ROOT = Path(__file__).parents[1]
FIGURES = ROOT / "figures"
NAME = "collegemsg"
RECORDS = record.records()
PAGE_INCHES = 180 / 25.4
SMALLEST_POINTS = 6
MOST_BYTES = 3e6

every = pytest.mark.parametrize("one", RECORDS, ids=lambda one: one.name)


def line_numbers(sources) -> pd.DataFrame:
    return pd.DataFrame(
        {"place": ["a", "b", "c"], "height": [1.0, 1 / 3, 2.0], "people": [9, 8, 7]}
    )


@look()
def line(table: pd.DataFrame) -> Figure:
    figure, ax = plt.subplots(figsize=(3, 2))
    ax.plot(table["place"], table["height"], "o-")
    ax.set_title("A line")
    return figure


@look()
def other_line(table: pd.DataFrame) -> Figure:
    figure = line(table)
    figure.axes[0].plot(table["place"], table["height"] / 2, "s")
    return figure


LINE = Record("line", "A line", "Of three points.", (), line_numbers, line, ("place",), seed=1)
BARS = replace(LINE, name="bars", title="Bars", datasets=(NAME,))


def curve_numbers(sources) -> pd.DataFrame:
    windows = dataset(NAME).windows
    contacts = first_contacts(sources.tables(NAME).interactions, windows=windows)
    return return_curve_table(contacts, windows=windows, dataset=NAME)


CURVE = Record(
    "curve", "Who is back", "Shares.", (NAME,), curve_numbers, return_curve,
    ("dataset", "answered", "days"),
)  # fmt: skip


class Simulated(record.Obtained):
    """Sources whose files nobody has; it says so in the manifest in the same words."""

    def made_from(self, names):
        return super().made_from(()) | {"data": {name: {"file": "00"} for name in names}}


SOURCES = Simulated((NAME,))
ABSENT = Simulated((), {NAME: "no network"})


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    place = tmp_path_factory.mktemp("made") / "figures"
    make(place, (LINE, BARS), SOURCES)
    return place


@pytest.fixture
def folder(made, tmp_path) -> Path:
    """Both figures, as they were made, and a file of somebody else's."""
    place = tmp_path / "figures"
    shutil.copytree(made, place)
    (place / "notes.txt").write_text("mine")
    return place


def contents(place: Path) -> dict[str, bytes]:
    return {
        path.relative_to(place).as_posix(): path.read_bytes()
        for path in sorted(place.rglob("*"))
        if path.is_file()
    }


def fields(place: Path, name: str) -> dict:
    return json.loads((place / "manifest.json").read_text(encoding="utf-8"))["figures"][name]


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


def refresh(place: Path, name: str, kind: str) -> None:
    """Make the manifest agree with a file that was changed."""
    manifest = json.loads((place / "manifest.json").read_text(encoding="utf-8"))
    hash_of = import_module("smo_research.report.album").hash_of
    manifest["figures"][name]["sha256"][kind] = hash_of(place / f"{name}.{kind}")
    (place / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


def test_each_figure_has_its_numbers_its_pictures_and_its_entry(folder):
    files = {f"{name}.{kind}" for name in ("line", "bars") for kind in ("csv", "svg", "png")}
    assert set(contents(folder)) == files | {"manifest.json", "README.md", "notes.txt"}
    entry = fields(folder, "bars")
    assert entry["title"] == "Bars"
    assert entry["seed"] == 1
    assert entry["data"] == {NAME: {"file": "00"}}
    assert entry["hypotheses_sha256"] == hypotheses_hash()
    assert entry["versions"]["pandas"] == pd.__version__
    assert set(entry["sha256"]) == {"csv", "svg", "png"}
    page = (folder / "README.md").read_text(encoding="utf-8")
    assert "![A line](line.png)" in page
    assert page.index("## A line") < page.index("## Bars")


def test_a_figure_shows_what_is_in_its_file_and_nothing_else(folder):
    """The plot is given the numbers as they were written: 8 digits, not the sources' 16."""
    seen = []
    save(
        replace(LINE, plot=lambda table: seen.append(table) or line(table)),
        line_numbers(None), folder, about=SOURCES.made_from(()),
    )  # fmt: skip
    assert seen[0]["height"].tolist() == [1.0, 0.33333333, 2.0]
    pd.testing.assert_frame_equal(seen[0], read_numbers(folder / "line.csv"))


def test_pictures_say_which_numbers_they_are_of(folder):
    digest = fields(folder, "line")["sha256"]["csv"].encode()
    assert digest in (folder / "line.png").read_bytes()
    assert digest in (folder / "line.svg").read_bytes()


def test_making_them_again_gives_the_same_bytes(folder, tmp_path):
    first = contents(folder)
    make(folder, (LINE, BARS), SOURCES)
    assert contents(folder) == first
    make(tmp_path / "elsewhere/deep", (LINE, BARS), SOURCES)
    del first["notes.txt"]
    assert contents(tmp_path / "elsewhere/deep") == first


@pytest.mark.data
def test_real_figures_are_the_same_in_another_process(real, tmp_path):
    real(NAME)
    make(tmp_path / "here", (CURVE,), record.obtain((CURVE,)))
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import test_record as t; "
        "t.make(sys.argv[2], (t.CURVE,), t.record.obtain((t.CURVE,)))"
    )
    subprocess.run(
        [sys.executable, "-c", code, str(Path(__file__).parent), str(tmp_path / "there")],
        env=os.environ | {"PYTHONHASHSEED": "7", "TZ": "Asia/Kathmandu", "LC_ALL": "C"},
        check=True,
        cwd=tmp_path,
    )
    here, there = (contents(tmp_path / place) for place in ("here", "there"))
    # A module that is not imported as the tests are is called otherwise.
    for made in (here, there):
        made["manifest.json"] = re.sub(rb'"numbers": "[\w.]+"', b"", made["manifest.json"])
    assert here == there
    hashes = {file.sha256 for file in dataset(NAME).files}
    assert set(fields(tmp_path / "here", "curve")["data"][NAME].values()) <= hashes
    assert verify(tmp_path / "here", (CURVE,), record.obtain((CURVE,))).startswith("1 figure ")


def test_what_was_made_is_verified(folder):
    before = contents(folder)
    assert verify(folder, (LINE, BARS), SOURCES).startswith("2 figures of record in ")
    assert contents(folder) == before


def test_a_changed_number_is_named_with_its_figure_row_and_column(folder):
    edit(folder / "bars.csv", "b,0.33333333,8", "b,0.33343333,8")
    with pytest.raises(SmoError) as raised:
        verify(folder, (LINE, BARS), SOURCES)
    assert str(raised.value) == (
        "bars: row b, column height: 0.33333333 made anew, 0.33343333 committed."
    )


def test_a_number_that_moved_in_the_sources_is_named(folder):
    moved = replace(LINE, numbers=lambda sources: line_numbers(sources).assign(people=[9, 8, 6]))
    with pytest.raises(SmoError, match=r"^line: row c, column people: 6 made anew, 7 committed\.$"):
        verify(folder, (moved, BARS), SOURCES)


def test_a_file_changed_by_hand_is_named_though_its_numbers_are_near(folder):
    edit(folder / "line.csv", "0.33333333", "0.333333331")
    with pytest.raises(SmoError, match=r"^line: line\.csv is not the file that the manifest names"):
        verify(folder, (LINE, BARS), SOURCES)
    refresh(folder, "line", "csv")
    verify(folder, (LINE, BARS), SOURCES)
    (folder / "bars.svg").write_text("<svg/>")
    with pytest.raises(SmoError, match=r"^bars: bars\.svg is not the file"):
        verify(folder, (LINE, BARS), SOURCES)


def test_the_same_numbers_drawn_otherwise_are_told_by_their_pixels(folder):
    with pytest.raises(SmoError, match=r"^line: the pictures are [\d.]+ of 255 apart"):
        verify(folder, (replace(LINE, plot=other_line), BARS), SOURCES)


def test_pixels_that_differ_under_other_versions_say_so(folder):
    edit(folder / "manifest.json", '"data": {},', '"data": {}, "old": 1,')
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["figures"]["line"]["versions"]["matplotlib"] = "3.0"
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    verify(folder, (LINE, BARS), SOURCES)
    with pytest.raises(SmoError, match=r"here is matplotlib [\d.]+, not 3\.0\.$"):
        verify(folder, (replace(LINE, plot=other_line), BARS), SOURCES)


@pytest.mark.parametrize(
    ("kept", "words"),
    [
        ({"n": [1, 2, 3]}, ""),
        ({"x": [0.5, np.nan, 2.0 + 1e-7]}, ""),
        ({"x": [0.5, np.nan, 2.0 + 1e-4]}, "row c, column x: 2.0 made anew, 2.0001 committed"),
        ({"x": [0.5, 0.1, 2.0]}, "row b, column x: nothing made anew, 0.1 committed"),
        ({"n": [1, 2, 4]}, "row c, column n: 3 made anew, 4 committed"),
        ({"n": [1, 2, "3?"]}, "row c, column n: 3 made anew, 3? committed"),
        ({"so": [True, True, True]}, "row b, column so: False made anew, True committed"),
        ({"key": ["a", "b", "d"]}, "row c is there only as made anew"),
        ({"key": ["b", "a", "c"]}, "the rows stand in another order, or twice"),
        ({"more": 1}, "columns key, x, n, so made anew, key, x, n, so, more committed"),
    ],
)
def test_the_first_difference_of_two_tables(kept, words):
    made = pd.DataFrame(
        {"key": ["a", "b", "c"], "x": [0.5, np.nan, 2.0], "n": [1, 2, 3], "so": [True, False, True]}
    )
    assert numbers_differ(made, made.assign(**kept), keys=["key"]) == words


def test_a_row_too_many_is_named():
    made = pd.DataFrame({"key": ["a"], "day": [1]})
    more = pd.DataFrame({"key": ["a", "a"], "day": [1, 2]})
    assert numbers_differ(made, more, keys=["key", "day"]) == "row a, 2 is there only as committed"


def test_only_an_empty_cell_is_missing(tmp_path):
    (tmp_path / "x.csv").write_text("name,value\nNA,0.1\n,\n")
    table = read_numbers(tmp_path / "x.csv")
    assert table["name"].isna().tolist() == [False, True]
    assert table["value"].iloc[0] == 0.1


def test_pictures_of_another_size_are_told(tmp_path):
    for name, width in (("one", 3), ("other", 4)):
        plt.figure(figsize=(width, 2)).savefig(tmp_path / f"{name}.png", dpi=50)
    assert pixels_differ(tmp_path / "one.png", tmp_path / "one.png") == ""
    assert pixels_differ(tmp_path / "one.png", tmp_path / "other.png") == (
        "the picture has 150 x 100 pixels made anew, 200 x 100 committed"
    )


@pytest.mark.parametrize("kind", ["csv", "svg", "png"])
def test_a_missing_file_is_named_before_anything_is_made(folder, kind):
    (folder / f"bars.{kind}").unlink()
    with pytest.raises(DataError, match=rf"^bars: bars\.{kind} is not in .*figures; run smo"):
        verify(folder, (LINE, replace(BARS, numbers=None)), SOURCES)


def test_another_list_of_figures_is_named(folder, tmp_path):
    with pytest.raises(DataError, match=r"^third: is not in .*manifest\.json"):
        verify(folder, (LINE, BARS, replace(LINE, name="third")), SOURCES)
    with pytest.raises(DataError, match=r"^bars: is in .*manifest\.json, but is no figure"):
        verify(folder, (LINE,), SOURCES)
    with pytest.raises(DataError, match=r"there is no manifest; run smo figures first"):
        verify(tmp_path / "none", (LINE,), SOURCES)
    (folder / "manifest.json").write_text("[]")
    with pytest.raises(DataError, match=r"is no manifest of figures"):
        verify(folder, (LINE,), SOURCES)


def test_what_lacks_its_data_stays_as_it_is_and_the_rest_is_made(folder):
    before = contents(folder)
    moved = replace(LINE, numbers=lambda sources: line_numbers(sources).assign(people=[9, 8, 6]))
    unmade = rf"^bars: could not be made without {NAME}; smo fetch says what was tried\.$"
    with pytest.raises(SmoError, match=unmade):
        make(folder, (moved, BARS), ABSENT)
    after = contents(folder)
    changed = {name for name in before if before[name] != after[name]}
    assert set(after) == set(before)
    assert {"line.csv", "manifest.json"} <= changed
    assert not {name for name in changed if name.startswith("bars")}
    assert set(json.loads(after["manifest.json"])["figures"]) == {"line", "bars"}
    verify(folder, (moved, BARS), SOURCES)


def test_where_no_figure_can_be_made_nothing_is_touched(tmp_path):
    with pytest.raises(SmoError, match=r"^bars: could not be made"):
        make(tmp_path / "new", (BARS,), ABSENT)
    assert not list(tmp_path.iterdir())


def test_what_lacks_its_data_is_not_verified(folder):
    with pytest.raises(SmoError, match=rf"^bars: could not be verified without {NAME};"):
        verify(folder, (LINE, BARS), ABSENT)
    edit(folder / "line.csv", "c,2,7", "c,2,6")
    with pytest.raises(SmoError, match=r"^line: row c.*\nbars: could not be verified"):
        verify(folder, (LINE, BARS), ABSENT)


@pytest.mark.parametrize("fails_at", ["bars.png", "manifest.json"])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failing_move_leaves_the_folder_as_it_was(folder, monkeypatch, fails_at, error):
    before = contents(folder)
    moved = replace(LINE, numbers=lambda sources: line_numbers(sources).assign(people=[9, 8, 6]))
    move = os.replace

    def fail(source, target):
        if Path(target).name == fails_at and ".part." not in str(target):
            raise error
        move(source, target)

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises((SmoError, KeyboardInterrupt)):
        make(folder, (moved, BARS), SOURCES)
    assert contents(folder) == before
    assert not list(folder.glob(".part*"))


def test_a_plot_that_fails_leaves_nothing(tmp_path):
    def fail(table):
        raise DataError("table must have more")

    with pytest.raises(DataError, match="must have more"):
        make(tmp_path / "new/figures", (LINE, replace(BARS, plot=fail)), SOURCES)
    assert not list(tmp_path.iterdir())


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path):
    (tmp_path / "figures").write_text("mine")
    with pytest.raises(SmoError, match=r"figures: cannot be written"):
        make(tmp_path / "figures", (replace(LINE, numbers=None),), SOURCES)


@pytest.fixture
def smo_figures(monkeypatch, capsys, tmp_path):
    """Run the command in an empty folder; gives its exit status, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(record, "records", lambda: (LINE, BARS))

    def run(*words, sources=SOURCES):
        monkeypatch.setattr(record, "obtain", lambda wanted, **options: sources)
        monkeypatch.setattr(sys, "argv", ["smo", "figures", *map(str, words)])
        status = 0
        try:
            cli.main()
        except SystemExit as end:
            status = end.code or 0
        told = capsys.readouterr()
        return status, told.out, told.err

    return run


def test_the_command_makes_and_verifies(smo_figures, tmp_path):
    assert smo_figures() == (0, "2 figures of record in figures\n", "")
    status, out, _ = smo_figures("--verify")
    assert status == 0
    assert out == (
        "2 figures of record in figures came out the same: numbers to 1e-06 of their size, "
        "pictures to 1 of 255\n"
    )
    assert smo_figures("-o", "mine")[0] == 0
    assert contents(tmp_path / "mine") == contents(tmp_path / "figures")
    assert smo_figures("mine", "--verify")[0] == 0


def test_the_command_fails_in_one_sentence_where_a_number_changed(smo_figures, tmp_path):
    smo_figures()
    edit(tmp_path / "figures/line.csv", "c,2,7", "c,2.5,7")
    assert smo_figures("--verify") == (
        2, "", "smo: line: row c, column height: 2.0 made anew, 2.5 committed.\n",
    )  # fmt: skip


def test_the_command_says_which_figures_it_could_not_make(smo_figures, tmp_path):
    status, out, err = smo_figures(sources=ABSENT)
    assert (status, out) == (2, "")
    assert err == f"smo: bars: could not be made without {NAME}; smo fetch says what was tried.\n"
    assert (tmp_path / "figures/line.png").is_file()


def test_sources_say_what_cannot_be_had(empty_cache, offline):
    sources = record.obtain((BARS, LINE))
    assert sources.names == ()
    assert list(sources.absent) == [NAME]
    assert "could not be obtained" in sources.absent[NAME]


def test_the_study_is_run_once_of_what_is_at_hand(monkeypatch):
    runs = []
    monkeypatch.setattr(record, "study", lambda names, **options: runs.append((names, options)))
    sources = record.Obtained((NAME,), workers=2)
    assert sources.study is sources.study
    assert runs == [((NAME,), {"mirror": None, "workers": 2, "tell": sources.tell})]


def studied(**tables) -> SimpleNamespace:
    return SimpleNamespace(study=SimpleNamespace(**tables))


def test_shares_of_fewer_than_five_people_are_not_in_the_numbers():
    shares = [0.0, 4 / 300, 5 / 300, 0.2]
    curve = {"answered": True, "days": range(4), "back": shares, "ci_low": 0.0, "ci_high": 1.0}
    table = pd.DataFrame({"dataset": NAME, **curve, "n_contacts": 300})
    assert numbers.return_curve_numbers(studied(curves=table))["days"].tolist() == [0, 2, 3]


def test_the_numbers_do_not_say_which_account_was_left_out():
    blocks = ["gap: 28 days", "gap: 28 days; left out: account 6094"]
    columns = ["std_error", "ci_low", "ci_high", "p_value", "unit", "n_obs", "n_accounts", "reason"]
    about = {"hypothesis": "H3", "dataset": numbers.LARGEST, "term": "answering", "estimate": 0.1}
    table = pd.DataFrame({"block": blocks, **about, **dict.fromkeys(columns, 0)})
    found = numbers.specification_numbers(studied(specifications=table), hypothesis="H3")
    assert found["block"].tolist() == ["gap: 28 days", "gap: 28 days; left out: one account"]
    assert table["block"].tolist() == blocks


def test_verdicts_have_the_pairs_that_the_catalogue_declares():
    columns = ["model", "block", "term", "estimate", "ci_low", "ci_high", "p_holm"]
    rows = [("H1", NAME, "untestable"), ("H5", NAME, "inconclusive")]
    table = pd.DataFrame(rows, columns=["hypothesis", "dataset", "verdict"])
    table = table.assign(**dict.fromkeys(columns, 0), unit="ln ratio", grade="", reason="")
    sources = studied(verdicts=table)
    assert numbers.verdict_numbers(sources)["hypothesis"].tolist() == ["H5"]
    assert numbers.testability_numbers(sources)["testable"].tolist() == [False, True]


def test_attention_has_the_interval_of_its_mean():
    """Four items: shares 0, 0, 1, 1 at the first hour; the mean 0.5, its error 1 / sqrt(12)."""
    rows = [(item, hour, count) for item, first in zip("abcd", (0, 0, 4, 4), strict=True)
            for hour, count in ((1.0, first), (2.0, 4))]  # fmt: skip
    counters = pd.DataFrame(rows, columns=["item_id", "hours_since", "count"])
    counters = counters.assign(platform="Facebook")
    curve = pd.DataFrame({"platform": "Facebook", "hours_since": [1.0, 2.0], "mean": [0.5, 1.0]})
    sources = studied(attention=curve.assign(n_items=4, dataset=numbers.ATTENTION))
    sources.tables = lambda name: SimpleNamespace(counters=counters)
    found = numbers.attention_numbers(sources)
    reach = 1.959964 / np.sqrt(12)
    np.testing.assert_allclose(found["ci_low"], [0.5 - reach, 1.0])
    np.testing.assert_allclose(found["ci_high"], [0.5 + reach, 1.0])


def test_attention_draws_its_intervals():
    table = pd.DataFrame({"platform": "Facebook", "hours_since": [1.0, 48.0], "mean": [0.5, 1.0]})
    table = table.assign(ci_low=[0.4, 1.0], ci_high=[0.6, 1.0], n_items=9)
    (ax,) = plates.attention_curves(table).axes
    (band,) = ax.collections
    assert ax.get_xlabel().endswith("shaded: 95 % interval")
    assert band.get_paths()[0].get_extents().ymin == pytest.approx(0.4)
    with pytest.raises(DataError, match="lacks ci_low"):
        plates.attention_curves(table.drop(columns="ci_low"))


def test_the_figure_of_the_calibration_is_that_of_the_committed_table():
    """Whoever calibrates anew runs `smo figures` too."""
    made = numbers.calibration_numbers(SOURCES)
    assert set(made["worlds_of"]) == {numbers.SIZES, numbers.POWERS}
    (one,) = (one for one in RECORDS if one.name == "calibration")
    kept = read_numbers(FIGURES / "calibration.csv")
    assert numbers_differ(as_written(made), kept, keys=one.keys) == ""


def test_shares_of_fewer_than_five_accounts_are_not_among_the_marginals(monkeypatch):
    """Of eight accounts all act, five act twice or more, and one acts nine times."""
    sources = [name for name, acts in zip("abcdefgh", [9, 2, 2, 2, 2, 1, 1, 1], strict=True)
               for _ in range(acts)]  # fmt: skip
    days = pd.date_range("2020-01-01", periods=len(sources), tz="UTC")
    log = pd.DataFrame({"source_id": sources, "target_id": "z", "created_at": days})
    log = log.assign(seq=range(len(log)))
    monkeypatch.setattr(numbers, "simulate", lambda world, seed: SimpleNamespace(interactions=log))
    sources = SimpleNamespace(tables=lambda name: SimpleNamespace(interactions=log), tell=print)
    found = numbers.marginal_numbers(sources)
    assert set(found["log"]) == {*numbers.FOLLOWED, "simulated"}
    active = found[(found["measure"] == ACTIVITY) & (found["log"] == "simulated")]
    assert active.set_index("x")["y"].to_dict() == {1: 1.0, 2: 5 / 8}


def test_figures_of_record_differ_in_name_and_know_their_data():
    names = [one.name for one in RECORDS]
    assert len(set(names)) == len(names)
    assert {name for one in RECORDS for name in one.datasets} <= set(catalog())


@every
def test_the_committed_figure_is_complete(one):
    entry = fields(FIGURES, one.name)
    assert set(entry["data"]) == set(one.datasets)
    for name, files in entry["data"].items():
        assert set(files.values()) <= {file.sha256 for file in dataset(name).files}
    assert f"![{one.title}]({one.name}.png)" in (FIGURES / "README.md").read_text(encoding="utf-8")
    for function in ("numbers", "plot"):
        home, _, name = entry[function].partition("(")[0].rpartition(".")
        assert callable(getattr(import_module(home), name))


@every
def test_the_committed_numbers_are_of_many_people_and_name_each_row_once(one):
    table = read_numbers(FIGURES / f"{one.name}.csv")
    assert not table.duplicated(list(one.keys)).any()
    text = (FIGURES / f"{one.name}.csv").read_text(encoding="utf-8")
    assert not re.search(r"account \d", text)
    counts = table[[name for name in table if name.startswith("n_")]]
    assert (counts.isna() | (counts == 0) | (counts >= numbers.FEWEST_PEOPLE)).all(axis=None)


@pytest.mark.slow
@every
def test_the_committed_picture_is_that_of_its_numbers(one, tmp_path):
    table = read_numbers(FIGURES / f"{one.name}.csv")
    save(one, table, tmp_path, about=record.Obtained(()).made_from(()))
    assert pixels_differ(tmp_path / f"{one.name}.png", FIGURES / f"{one.name}.png") == ""
    assert PIXELS <= 2


@every
def test_words_are_legible_on_a_page(one):
    drawn = one.plot(read_numbers(FIGURES / f"{one.name}.csv"))
    figure = drawn if isinstance(drawn, Figure) else drawn.get_figure(root=True)
    figure.canvas.draw()
    width = figure.get_tightbbox().width
    words = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text()]
    smallest = min(text.get_fontsize() for text in words)
    assert smallest * min(1, PAGE_INCHES / width) >= SMALLEST_POINTS


def test_the_committed_figures_are_light():
    assert sum(path.stat().st_size for path in FIGURES.iterdir()) < MOST_BYTES
