"""Lobsters: hand-made files with each trap, then what was counted."""

from __future__ import annotations

import gzip

import pytest

from smo_research.datasets import lobsters
from smo_research.datasets.load import read
from smo_research.errors import DataError

TITLE = "It''s ''new'', (1.0);"
SQL = f"""\
('aaaaaa','2012-06-30T23:49:48.000-05:00','http://x.org/a,b','{TITLE}','zoe',0,4,'openbsd')
('bbbbbb','2012-12-30T23:49:48.000-06:00','','Ask: who''s | who?','amy',14,-3,'ask,meta')
('cccccc','2013-01-01T00:00:00.000-06:00',' ','C++','inactive-user',1,0,'')
"""
SQL = SQL.replace("('", 'INSERT INTO "table" VALUES(\'').replace("')\n", "');\n")
PIPES = """\
dddddd|2023-01-01T00:57:57.000-06:00|https://x.org/|Part 1 | ''Two'' - it's|zoe|5|10|c++
eeeeee|2023-01-01T00:58:57.000-06:00|https://x.org/|Über|inactive-user|0|1|a,b,c
"""


def write(folder, sql=SQL, pipes=PIPES):
    paths = [folder / "lobsters-2016.sql.gz", folder / "lobsters-2023.sql.gz"]
    for path, text in zip(paths, (sql, pipes), strict=True):
        path.write_bytes(gzip.compress(text.encode()))
    return paths


@pytest.fixture
def tables(tmp_path):
    return read("lobsters", write(tmp_path))


def test_submitters_and_stories_get_serial_names(tables):
    posts = tables.posts
    assert posts["post_id"].tolist() == ["p1", "p2", "p3", "p4", "p5"]
    assert posts["account_id"].tolist() == ["a1", "a2", "inactive-user", "a1", "inactive-user"]
    assert tables.accounts["account_id"].tolist() == ["a1", "a2", "inactive-user"]
    assert tables.accounts["platform"].unique().tolist() == ["Lobsters"]
    shown = posts.to_csv() + tables.accounts.to_csv()
    assert not any(word in shown for word in ("zoe", "amy", "aaaaaa", "x.org", "Two"))


def test_times_are_brought_to_utc_by_their_own_offset(tables):
    assert tables.posts["created_at"].dt.strftime("%Y-%m-%d %H").tolist() == [
        "2012-07-01 04",
        "2012-12-31 05",
        "2013-01-01 06",
        "2023-01-01 06",
        "2023-01-01 06",
    ]


def test_first_number_is_comments_and_the_second_the_score(tables):
    assert tables.posts["replies"].tolist() == [0, 14, 1, 5, 0]
    assert tables.posts["reactions"].tolist() == [4, 0, 0, 10, 1]


def test_tags_links_and_words(tables):
    assert tables.posts["hashtags"].tolist() == [1, 2, 0, 1, 3]
    assert tables.posts["links"].tolist() == [1, 0, 0, 1, 1]
    assert tables.posts["title_words"].tolist() == [3, 3, 1, 4, 1]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("'zoe',0,4", "'zoe',0", "lobsters-2016.sql.gz, row 1: .* is no story"),
        ("'amy',14", "'amy',-14", "row 2: .* is no story"),
        ("23:49:48.000-06:00", "23:49:48.000", "row 2: .* is no time with an offset"),
        ("2013-01-01", "2013-13-01", "row 3: .* is no time with an offset"),
        ("'amy'", "''", "row 2: .* has no submitter"),
        ("'bbbbbb'", "'aaaaaa'", "1 stories are there twice, first 'aaaaaa'"),
        ("'bbbbbb'", "'dddddd'", "1 stories are there twice, first 'dddddd'"),
    ],
)
def test_wrong_lines_are_refused(tmp_path, old, new, message):
    assert old in SQL
    with pytest.raises(DataError, match=message):
        lobsters.read(write(tmp_path, sql=SQL.replace(old, new, 1)), name="lobsters")


def test_wrong_line_with_pipes_is_refused(tmp_path):
    paths = write(tmp_path, pipes=PIPES.replace("|0|1|", "|1|"))
    with pytest.raises(DataError, match=r"lobsters-2023.sql.gz, row 2: .* is no story"):
        lobsters.read(paths, name="lobsters")


@pytest.mark.data
def test_counted_figures(real):
    tables = real("lobsters")
    posts = tables.posts
    assert len(posts) == 90_086
    assert len(tables.accounts) == posts["account_id"].nunique() == 5_560
    assert (posts["created_at"].dt.tz_convert("America/Chicago").dt.year <= 2021).sum() == 80_885
    assert set(posts["created_at"].dt.year) == {*range(2012, 2022), 2023}
    assert (posts["account_id"] == lobsters.GONE).sum() == 2_121
    assert posts["post_id"].tolist() == [f"p{n}" for n in range(1, len(posts) + 1)]


@pytest.mark.data
def test_numbers_are_plausible(real):
    """Half of the stories have no comment; a story starts with its submitter's own vote."""
    posts = real("lobsters").posts
    assert 0.45 < (posts["replies"] == 0).mean() < 0.5
    assert (posts["reactions"] == 0).mean() < 0.04
    assert (posts["links"] == 0).sum() == 2_329
    assert (posts["hashtags"] == 0).sum() == 1
