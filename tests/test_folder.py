"""Folders of tables of one's own: read, mapped, checked, pseudonymised, studied."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from typer.testing import CliRunner

from smo_research.cli import app
from smo_research.datasets.catalog import catalog
from smo_research.datasets.fetch import is_cached
from smo_research.datasets.folder import inspect_folder, read_folder
from smo_research.datasets.testable import can_test
from smo_research.errors import DataError
from smo_research.problems import told
from smo_research.simulation.simulated import simulate, write
from smo_research.simulation.worlds import World
from smo_research.study import study
from smo_research.tables import Tables

LOG = (
    "source_id,target_id,created_at,kind\n"
    "zoe,amy,2020-01-02,reply\n"
    "amy,zoe,2020-01-01T23:30:00-02:00,reply\n"
    "bo,amy,2020-01-01,mention\n"
)


def made(folder, **files):
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        path = folder / (name.replace("__", "."))
        path.write_text(text, encoding="utf-8")
    return folder


def test_acts_by_time_with_pseudonyms_in_that_order(tmp_path):
    own = read_folder(made(tmp_path / "Our Village", interactions__csv=LOG))
    log = own.tables.interactions
    assert own.entry.name == "our-village"
    assert log["source_id"].tolist() == ["a1", "a3", "a2"]
    assert log["target_id"].tolist() == ["a2", "a2", "a3"]
    assert log["seq"].tolist() == [0, 1, 2]
    # 23:30 two hours west of Greenwich is 01:30 of the next day there.
    assert str(log["created_at"][1]) == "2020-01-02 00:00:00+00:00"
    assert str(log["created_at"][2]) == "2020-01-02 01:30:00+00:00"


def test_pseudonyms_agree_between_tables(tmp_path):
    posts = "post_id,account_id,created_at\n77,amy,2020-01-01\n78,new,2020-01-01\n"
    own = read_folder(made(tmp_path / "v", interactions__csv=LOG, posts__csv=posts))
    assert own.tables.posts["account_id"].tolist() == ["a2", "a4"]
    assert own.tables.posts["post_id"].tolist() == ["p1", "p2"]


@pytest.mark.parametrize(
    ("ids", "kept"), [("public", True), ("own", False), ("people", False), (None, False)]
)
def test_ids_are_kept_where_they_are_public_only(tmp_path, ids, kept):
    settings = f'ids = "{ids}"\n' if ids else "# nothing is said\n"
    folder = made(tmp_path / "v", interactions__csv=LOG, smo__toml=settings)
    sources = set(read_folder(folder).tables.interactions["source_id"])
    assert sources == ({"zoe", "amy", "bo"} if kept else {"a1", "a2", "a3"})


def test_types_of_posts_are_no_texts_and_those_of_few_people_are_one(tmp_path):
    head = "post_id,account_id,created_at,post_type\n"
    rows = [f"{k},person {k},2020-01-01,{'photo' if k < 5 else 'poll'}\n" for k in range(9)]
    folder = made(tmp_path / "v", posts__csv=head + "".join(rows))
    assert set(read_folder(folder).tables.posts["post_type"]) == {"photo", "other"}
    made(folder, smo__toml='ids = "own"\n')
    assert set(read_folder(folder).tables.posts["post_type"]) == {"photo", "poll"}
    made(folder, posts__csv=head + rows[0] + "x,person,2020-01-01,ask @zoe\n")
    _, (problem,) = inspect_folder(folder)
    assert str(problem).startswith("posts.csv, row 2, column 'post_type': a text of 8 characters")


def test_ids_stay_as_written(tmp_path):
    log = LOG.replace("zoe", "007").replace("amy", "7").replace("bo", "1e3")
    folder = made(tmp_path / "v", interactions__csv=log, smo__toml='ids = "public"\n')
    assert set(read_folder(folder).tables.interactions["source_id"]) == {"007", "7", "1e3"}


MAPPING = """
name = "letters"
[windows]
period = 14
horizon = 84
[table.interactions]
file = "letters of 1790.csv"
separator = ";"
[table.interactions.columns]
source_id = "From whom"
target_id = "To whom"
created_at = "Date"
[table.interactions.values]
kind = "message"
"""
LETTERS = "Date;From whom;To whom;What it says\n1990-05-01;Anna;Bea;secret\n1990-05-02;Bea;Anna;x\n"


def test_any_csv_can_be_mapped(tmp_path):
    folder = made(tmp_path / "v", smo__toml=MAPPING)
    (folder / "letters of 1790.csv").write_text(LETTERS)
    own = read_folder(folder)
    assert own.entry.name == "letters"
    assert (own.entry.windows.period, own.entry.windows.horizon) == (14, 84)
    assert own.tables.interactions["kind"].unique().tolist() == ["message"]
    assert own.tables.interactions["source_id"].tolist() == ["a1", "a2"]
    assert "secret" not in own.tables.interactions.to_csv()


def test_all_problems_at_once_each_with_its_place(tmp_path):
    log = LOG + "zoe,amy,yesterday,reply\n,amy,2020-01-01,reply\nzoe,amy,2020-01-01,shout\n"
    posts = "post_id,account_id,created_at,is_paid,likes\n1,amy,2020-01-01,perhaps,3\n"
    folder = made(tmp_path / "v", interactions__csv=log, posts__csv=posts)
    own, problems = inspect_folder(folder)
    assert own is None
    places = {(one.file, one.row, one.column) for one in problems}
    assert ("interactions.csv", 4, "created_at") in places
    assert ("posts.csv", 1, "is_paid") in places
    assert all(one.wrong and one.remedy for one in problems)
    assert {("interactions.csv", 5, "source_id"), ("interactions.csv", 6, "kind")} <= places


def test_twenty_problems_are_shown_and_the_rest_counted(tmp_path):
    rows = "".join("zoe,amy,then,reply\n" for _ in range(31))
    folder = made(tmp_path / "v", interactions__csv=LOG + rows)
    _, problems = inspect_folder(folder)
    lines = told(problems).splitlines()
    assert (len(problems), len(lines)) == (31, 21)
    assert lines[-1] == "... and 11 more problems."
    shown = CliRunner().invoke(app, ["validate", str(folder), "--json"])
    assert shown.exit_code == 2
    assert len(json.loads(shown.stdout)) == 31
    assert set(json.loads(shown.stdout)[0]) == {"file", "row", "column", "wrong", "remedy"}


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ("periods = 3", "'periods' is not known"),
        ("name = 'Ann'", "use small letters"),
        ("name = 'collegemsg'", "a data set of the catalogue"),
        ("ids = 'secret'", "write one of people, public, own"),
        ("[windows]\nperiod = 0", "period must be a whole number"),
        ("[windows]\ndays = 3", "it may have period, gap, horizon"),
        ("[table.talk]\nfile = 'x'", "there is no table 'talk'"),
        ("[table.posts]\nfile = 'x.csv'", "names the file x.csv, which is not there"),
        ("[table.posts]\npath = 'x.csv'", "it may have file, separator, encoding"),
        ("[table.posts.columns]\ntext = 'x'", "names a column 'text'"),
        ("[table.interactions.columns]\nsource_id = 'Who'", "there is no column 'Who'"),
        ("name = ", "is not TOML"),
        ("windows = 3", "write it as [windows]"),
        ("table = 3", "write it as [table]"),
    ],
)
def test_what_is_wrong_in_the_settings_is_said(tmp_path, toml, said):
    folder = made(tmp_path / "v", interactions__csv=LOG, smo__toml=toml + "\n")
    with pytest.raises(DataError, match=r"smo\.toml") as error:
        read_folder(folder)
    assert said in str(error.value)


def test_a_folder_without_tables_and_one_with_a_table_twice(tmp_path):
    with pytest.raises(DataError, match="there is no table in the folder; give one of accounts"):
        read_folder(made(tmp_path / "empty"))
    folder = made(tmp_path / "two", interactions__csv=LOG)
    read_folder(folder).tables.interactions.to_parquet(folder / "interactions.parquet")
    with pytest.raises(DataError, match="is there twice"):
        read_folder(folder)
    with pytest.raises(DataError, match="there is no such folder"):
        read_folder(tmp_path / "nowhere")


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"a,b\n1,2,3\n", b'a,b\n"1,2\n'])
def test_files_that_are_no_tables_are_problems(tmp_path, content):
    folder = made(tmp_path / "v")
    (folder / "posts.csv").write_bytes(content)
    own, problems = inspect_folder(folder)
    assert own is None
    assert problems[0].file == "posts.csv"


def test_parquet_and_csv_say_the_same(tmp_path):
    world = simulate(World(accounts=20, periods=8), seed=1)
    tables = {name: getattr(world, name) for name in ("accounts", "posts", "interactions")}
    for ending in ("csv", "parquet"):
        folder = made(tmp_path / f"v{ending}")
        for name, frame in tables.items():
            path = folder / f"{name}.{ending}"
            frame.to_csv(path, index=False) if ending == "csv" else frame.to_parquet(path)
    a, b = (read_folder(tmp_path / f"v{ending}").tables for ending in ("csv", "parquet"))
    for name in tables:
        pd.testing.assert_frame_equal(getattr(a, name), getattr(b, name))
        assert len(getattr(a, name)) == len(tables[name])


@pytest.mark.parametrize("name", ["collegemsg", "delab-reddit"])
def test_what_tables_can_test_is_what_the_catalogue_says(name):
    """Except where the catalogue bars what the way of collecting does not bear."""
    if not is_cached(name):
        pytest.skip(f"fetch it first: smo fetch {name}")
    from smo_research.datasets.load import load

    testable, reasons = can_test(load(name))
    assert set(catalog()[name].testable) <= set(testable)
    assert set(testable) | set(reasons) == {f"H{k}" for k in range(1, 8)}
    assert all(len(reason.split()) >= 5 for reason in reasons.values())


def test_nothing_can_be_tested_with_nothing():
    testable, reasons = can_test(Tables("nothing"))
    assert not testable
    assert len(reasons) == 7


def test_a_mapped_csv_ends_with_verdicts_and_a_report(tmp_path):
    world = simulate(World(accounts=40, periods=14), seed=1)
    folder = made(tmp_path / "v", smo__toml=MAPPING.replace("letters of 1790", "mine"))
    text = (folder / "smo.toml").read_text()
    (folder / "smo.toml").write_text(text.replace("14", "7").replace("84", "42"))
    log = world.interactions.rename(
        columns={"source_id": "From whom", "target_id": "To whom", "created_at": "Date"}
    )
    log.drop(columns=["seq", "kind"]).to_csv(folder / "mine.csv", sep=";", index=False)
    done = CliRunner().invoke(
        app, ["study", "--data", str(folder), "--quick", "-o", str(tmp_path / "out")]
    )
    assert done.exit_code == 0, done.output
    verdicts = pd.read_csv(tmp_path / "out" / "verdicts.csv")
    assert verdicts["hypothesis"].tolist() == [f"H{k}" for k in range(1, 8)]
    assert set(verdicts["dataset"]) == {"letters"}
    assert verdicts["verdict"].notna().all()
    page = (tmp_path / "out" / "report.html").read_text()
    assert "letters" in page
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert list(manifest["data"]["letters"]) == ["mine.csv"]


def test_names_and_own_data_are_not_mixed(tmp_path):
    with pytest.raises(DataError, match="not both"):
        study(["collegemsg"], data=tmp_path)


def test_a_sound_folder_says_what_it_can_test(tmp_path):
    write(World(accounts=20, periods=8), tmp_path / "world", seed=1)
    done = CliRunner().invoke(app, ["validate", str(tmp_path / "world")])
    assert done.exit_code == 0, done.output
    assert "can test H1, H2, H3, H4, H5, H6, H7" in done.stdout


@pytest.mark.parametrize(("people", "asked"), [(4, False), (5, True)])
def test_posts_of_fewer_than_five_people_are_not_shown(tmp_path, people, asked):
    rows = "".join(f"{k},person {k % people},2020-01-0{1 + k % 9},{k % 2},{k}\n" for k in range(40))
    text = "post_id,account_id,created_at,has_media,reactions\n" + rows
    folder = made(tmp_path / "v", posts__csv=text)
    assert ("H1" in read_folder(folder).entry.testable) == asked
    assert "H1" in read_folder(made(folder, smo__toml='ids = "own"\n')).entry.testable
