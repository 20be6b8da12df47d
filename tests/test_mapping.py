"""CSV files as people have them: brought in by smo.toml, or refused in words that say how."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from smo_research.datasets.edgelist import read_edgelist
from smo_research.datasets.folder import inspect_folder
from smo_research.datasets.own import read_table
from smo_research.errors import DataError
from smo_research.problems import told

ACTS = """
ids = "public"
[table.interactions]
file = "log.csv"
separator = ";"
{said}
[table.interactions.columns]
source_id = "Von"
target_id = "An"
created_at = "Wann"
{columns}
"""
ROOT = Path(__file__).parents[1]
POSTS = {"post_id": "ID", "account_id": "Wer", "created_at": "Wann"}
COLUMNS = {"has_media": "Bild", "reactions": "Likes"}
HEAD = "ID;Wer;Wann;Text;Bild;Likes\n"


def acts(folder, rows, said="", columns='kind = "Art"', encoding="utf-8"):
    (folder / "smo.toml").write_text(ACTS.format(said=said, columns=columns))
    (folder / "log.csv").write_bytes(f"Von;An;Wann;Art\n{rows}".encode(encoding))
    return inspect_folder(folder)


def posts(folder, rows, **said):
    path = folder / "posts.csv"
    path.write_text(HEAD + rows)
    return read_table(path, "posts", {"separator": ";", "columns": POSTS | COLUMNS, **said})


def refused(problems, row, column, *parts):
    (one,) = (one for one in problems if (one.row, one.column) == (row, column))
    for part in parts:
        assert part in str(one)


@pytest.mark.parametrize(
    ("form", "cell", "expected"),
    [
        ("%d/%m/%Y %H:%M", "31/12/2020 10:00", "2020-12-31T10:00:00Z"),
        ("%d.%m.%Y", "1.2.2020", "2020-02-01T00:00:00Z"),
        ("%m/%d/%Y %I:%M %p", "02/01/2020 01:30 PM", "2020-02-01T13:30:00Z"),
        ("%Y-%m-%d %H:%M:%S UTC", "2020-02-01 13:30:00 UTC", "2020-02-01T13:30:00Z"),
        ("%d/%m/%Y %H:%M %z", "01/02/2020 13:30 +0200", "2020-02-01T11:30:00Z"),
        ("seconds", "1289241911.72836", "2010-11-08T18:45:11.728360Z"),
        ("milliseconds", "1577836800500", "2020-01-01T00:00:00.500Z"),
    ],
)
def test_times_in_any_form_are_read_and_without_the_form_it_is_named(
    tmp_path, form, cell, expected
):
    own, problems = acts(tmp_path, f"a;b; {cell} ;reply\n", f'times = "{form}"')
    assert not problems
    assert own.tables.interactions["created_at"].tolist() == [pd.Timestamp(expected)]
    _, problems = acts(tmp_path, f"a;b;{cell};reply\n")
    said = form if form in ("seconds", "milliseconds") or "UTC" in form else 'times = "%'
    refused(problems, 1, "Wann", said, "under [table.interactions] in smo.toml")


@pytest.mark.parametrize(
    ("form", "cell"),
    [
        ("%d/%m/%Y", "12/31/2020"),
        ("%d/%m/%Y", "2020-12-31"),
        ("seconds", "1577836800000"),
        ("milliseconds", "1577836800"),
        ("seconds", "soon"),
        ("seconds", "inf"),
        ("seconds", "-1"),
    ],
)
def test_times_of_another_form_than_said_are_named(tmp_path, form, cell):
    rows = f"a;b;{cell};reply\na;b;;reply\n"
    _, problems = acts(tmp_path, rows, f'times = "{form}"')
    refused(problems, 1, "Wann", f"no time of the form {form}", "times in smo.toml")
    refused(problems, 2, "Wann", "a missing value")


def test_days_of_a_spreadsheet_are_named_with_what_to_do_there(tmp_path):
    _, problems = acts(tmp_path, "a;b;43861,5;reply\n")
    refused(problems, 1, "Wann", "in the spreadsheet", "yyyy-mm-dd hh:mm")


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "latin-1"])
def test_other_encodings_are_read_where_they_are_named(tmp_path, encoding):
    rows = "Jörg;Grüße;2020-01-01;reply\n"
    own, problems = acts(tmp_path, rows, f'encoding = "{encoding}"', encoding=encoding)
    assert not problems
    assert own.tables.interactions["source_id"].tolist() == ["Jörg"]
    _, problems = acts(tmp_path, rows, encoding=encoding)
    assert "is not UTF-8 text" in told(problems)
    assert 'encoding = "cp1252"' in told(problems)
    _, problems = acts(tmp_path, rows, 'encoding = "ascii"', encoding=encoding)
    assert "is not ascii text; correct the encoding" in told(problems)


def test_words_of_a_file_become_those_of_the_table(tmp_path):
    words = {"ja": "true", "nein": "false", "NULL": "", "-": ""}
    rows = "".join(
        f"{k};ja;2020-01-0{k};t;{flag};{count}\n"
        for k, (flag, count) in enumerate([("ja", "3"), ("nein", "-"), ("NULL", "3.0")], 1)
    )
    table, problems = posts(tmp_path, rows, words=words)
    assert not problems
    assert table["account_id"].tolist() == ["ja"] * 3
    assert table["has_media"].tolist() == [True, False, pd.NA]
    assert table["reactions"].tolist() == [3, pd.NA, 3]
    (tmp_path / "posts.csv").unlink()
    own, _ = acts(tmp_path, "a;b;2020-01-01;Antwort\n", 'words = {Antwort = "reply"}')
    assert own.tables.interactions["kind"].tolist() == ["reply"]


@pytest.mark.parametrize(
    ("flag", "count"), [("yes", "1.234"), ("WAHR", "1,234"), ("NULL", "1e3"), ("-", "-1")]
)
def test_cells_that_could_mean_something_else_are_named(tmp_path, flag, count):
    _, problems = posts(tmp_path, f"1;a;2020-01-01;t;{flag};{count}\n")
    refused(problems, 1, "Bild", "write true, false or nothing", "[table.posts.words]")
    refused(problems, 1, "Likes", "write a whole number", "[table.posts.words]")
    (tmp_path / "posts.csv").unlink()
    _, problems = acts(tmp_path, "a;b;2020-01-01;Antwort\n")
    refused(problems, 1, "Art", "no kind of act", "[table.interactions.words] in smo.toml")


@pytest.mark.parametrize("spoiled", ["1.23457E+18", "1,23457E+18", "7E+17"])
def test_ids_that_a_spreadsheet_rounded_are_refused(tmp_path, spoiled):
    _, problems = acts(tmp_path, f"{spoiled};007;2020-01-01;reply\na;b;soon;reply\n")
    refused(problems, 1, "Von", "an id that a spreadsheet has rounded", "export the file again")
    refused(problems, 2, "Wann", "give a UTC time")
    log = tmp_path / "interactions.csv"
    log.write_text(f'source_id,target_id,created_at\na,b,2020-01-01\n"{spoiled}",b,2020-01-01\n')
    with pytest.raises(DataError, match=r"row 3: .* that a spreadsheet has rounded"):
        read_edgelist(log, format="csv")


def test_long_ids_that_all_end_in_zeros_are_refused(tmp_path):
    ids = ["1234567890123450000", "1234567890123460000", "9"]
    _, problems = acts(tmp_path, "".join(f"{one};b;2020-01-01;reply\n" for one in ids))
    assert [one.row for one in problems] == [1, 2]
    assert "rounded" in told(problems)
    whole = [str(1234567890123450000 + k) for k in range(3)]
    _, problems = acts(tmp_path, "".join(f"{one};b;2020-01-01;reply\n" for one in whole))
    assert not problems


@pytest.mark.parametrize("nothing", ["NULL", "NaN", "#N/A", r"\N"])
def test_what_stands_for_no_id_is_no_account(tmp_path, nothing):
    _, problems = acts(tmp_path, f"a;{nothing};2020-01-01;reply\n")
    refused(problems, 1, "An", "stands for no id")
    words = f"words = {{'{nothing}' = ''}}"
    _, problems = acts(tmp_path, f"a;{nothing};2020-01-01;reply\n", words)
    refused(problems, 1, "An", "a missing value")


def test_rows_with_too_few_and_too_many_cells_are_all_named(tmp_path):
    short, long = "2;a;2020-01-02\n\n", "3;a;2020-01-03;t;1;2;9\n"
    rows = f'1;a;2020-01-01;"x\ny";1;3\n{short}{long}4;a;2020-01-04;"a\nb";1;1\n'
    _, problems = posts(tmp_path, rows)
    assert [(one.row, one.wrong) for one in problems] == [
        (2, "has 3 columns, but the header 6"),
        (3, "has 7 columns, but the header 6"),
    ]
    _, problems = posts(tmp_path, '1;a;2020-01-02\n2;a;2020-01-01;"x\ny";1;3\n')
    assert [one.row for one in problems] == [1]


@pytest.mark.parametrize("sign", [";", "\t", "|"])
def test_another_separator_is_named(tmp_path, sign):
    (tmp_path / "posts.csv").write_text(sign.join(["post_id", "account_id", "created_at"]))
    _, (problem,) = inspect_folder(tmp_path)
    written = {"\t": r"\t"}.get(sign, sign)
    assert f'write separator = "{written}" under [table.posts] in smo.toml' in str(problem)


def test_columns_of_other_names_are_told_with_the_lines_of_smo_toml(tmp_path):
    (tmp_path / "interactions.csv").write_text("source_id,An,created_at,Text\na,b,soon,x\n")
    _, problems = inspect_folder(tmp_path)
    said = told(problems)
    assert 'write target_id = "its name in the file"' in said
    assert "or what is the same in every row under [table.interactions.values]" in said
    assert "knows no column 'Text'; drop it, or name those to be read under" in said
    refused(problems, 1, "created_at", "give a UTC time")


def test_a_folder_with_another_file_and_an_empty_smo_toml_says_how_to_name_it(tmp_path):
    (tmp_path / "smo.toml").write_text("")
    (tmp_path / "export.csv").write_text("a,b\n1,2\n")
    _, (problem,) = inspect_folder(tmp_path)
    assert '[table.posts] file = "my.csv"' in str(problem)


@pytest.mark.parametrize(
    "said",
    [
        'times = "DD/MM/YYYY"',
        'times = "%Q"',
        "times = 3",
        'encoding = "klingon"',
        'encoding = "hex"',
        "words = 3",
        "words = {ja = true}",
    ],
)
def test_wrong_settings_of_a_mapping_are_named(tmp_path, said):
    _, problems = acts(tmp_path, "a;b;2020-01-01;reply\n", said)
    assert len(problems) == 1
    assert f"[table.interactions] has {said.split()[0]}" in str(problems[0])


def test_the_example_of_the_documentation_is_read(tmp_path):
    text = (ROOT / "docs/own_data.md").read_text(encoding="utf-8")
    text = text.partition("### A CSV from a spreadsheet")[2].partition("\n## ")[0]
    rows = "\n".join(line[4:] for line in text.splitlines() if line.startswith("    ")) + "\n"
    (tmp_path / "posts from Excel.csv").write_bytes(rows.encode("cp1252"))
    (tmp_path / "smo.toml").write_text(text.partition("```toml")[2].partition("```")[0])
    own, problems = inspect_folder(tmp_path)
    assert not problems
    assert own.tables.posts["has_media"].tolist() == [True, False]
    assert own.tables.posts["reactions"].tolist() == [12, pd.NA]
    assert str(own.tables.posts["created_at"][0]) == "2020-12-31 10:05:00+00:00"
