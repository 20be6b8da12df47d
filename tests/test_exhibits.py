"""The committed figures of record, shown and compared with numbers made anew."""

from __future__ import annotations

import json
import shutil

import pandas as pd
import pytest

from smo_research.errors import DataError
from smo_research.report.album import Record, hash_of, save, write_contents
from smo_research.report.exhibits import as_written, committed, compared, contents, exhibit, given

NUMBERS = pd.DataFrame({"site": ["a", "b"], "hours": [1 / 3, 2 / 3], "share": [0.25, 1 / 3]})
ABOUT = {
    "data": {"one-set": {}, "other-set": {}},
    "hypotheses_sha256": "0",
    "versions": {"smo_research": "1"},
}


def bars(table):
    return table.plot.bar(x="site", y="share")


RECORD = Record(
    name="shares",
    title="Shares & sites",
    caption="By <site>.",
    datasets=("one-set", "other-set"),
    numbers=lambda sources: sources.study.shares,
    plot=bars,
    keys=("site", "hours"),
)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    write_contents({"shares": save(RECORD, NUMBERS, folder, about=ABOUT)}, folder)
    return folder


@pytest.fixture
def folder(made, tmp_path):
    return shutil.copytree(made, tmp_path / "figures")


def test_the_committed_figures_are_found_and_are_as_listed():
    table = contents()
    assert "contest" in table.index
    assert table["as_listed"].all()


def test_a_figure_is_shown_with_caption_origin_and_numbers(folder):
    shown = exhibit("shares", folder=folder)
    assert shown.numbers["share"].tolist() == [0.25, 0.33333333]
    page = shown._repr_html_()
    assert 'alt="Shares &amp; sites"' in page
    assert "By &lt;site&gt;." in page
    assert "Made from one-set and other-set, with no random numbers" in page
    assert "2 rows of numbers" in page
    assert "data:image/png;base64,iVBOR" in page


def test_a_changed_file_shows(folder):
    assert contents(folder)["as_listed"].tolist() == [True]
    (folder / "shares.svg").write_text("other")
    assert contents(folder)["as_listed"].tolist() == [False]


def test_what_is_not_there_is_said(folder, tmp_path, monkeypatch):
    with pytest.raises(DataError, match="no figure of record 'none'; there are shares"):
        exhibit("none", folder=folder)
    with pytest.raises(DataError, match="smo figures"):
        committed(tmp_path / "nowhere")
    monkeypatch.setattr("smo_research.report.exhibits.CHECKOUT", tmp_path / "nowhere")
    below = tmp_path / "notebooks"
    below.mkdir()
    monkeypatch.chdir(below)
    assert committed() == folder


def test_the_same_numbers_give_the_same_picture(folder):
    again = RECORD.numbers(given(shares=NUMBERS))
    said = compared(RECORD, again, folder=folder)
    assert said == "shares: the same numbers, the same picture."


def test_a_changed_number_is_named(folder):
    wrong = NUMBERS.assign(share=[0.25, 0.3334])
    said = compared(RECORD, wrong, folder=folder)
    assert (
        said == "shares: row b, 0.66666667, column share: 0.3334 made anew, 0.33333333 committed."
    )


def test_another_picture_is_seen(folder):
    mono = Record(**{**vars(RECORD), "plot": lambda table: bars(table.assign(share=0.1))})
    assert "of 255 apart" in compared(mono, NUMBERS, folder=folder)


def test_as_written_changes_no_input():
    before = NUMBERS.copy()
    as_written(NUMBERS)
    pd.testing.assert_frame_equal(NUMBERS, before)


def test_the_manifest_is_what_is_read(folder):
    entries = json.loads((folder / "manifest.json").read_text())["figures"]
    assert entries["shares"]["sha256"]["csv"] == hash_of(folder / "shares.csv")
    assert exhibit("shares", folder=folder).made == entries["shares"]
