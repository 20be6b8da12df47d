"""The scoreboard: what was published is met or explained, and a doctored table shows."""

from __future__ import annotations

import dataclasses
import sys
import tomllib
from functools import partial

import pandas as pd
import pytest

import smo_research as smo
from smo_research import cli
from smo_research.datasets import candidates
from smo_research.datasets.catalog import catalog
from smo_research.datasets.fetch import fetch
from smo_research.errors import DataError, FetchError
from smo_research.evidence import published
from smo_research.evidence.published import (
    COLUMNS,
    FIGURES,
    OUTCOMES,
    check,
    compare,
    scoreboard,
    summary,
    unexplained,
)
from smo_research.evidence.recount_tweets import tweets_of_candidates

BLOCK = {
    "source": "nobody",
    "differs": {
        "share": {"measured": 8.8, "reason": "counted otherwise"},
        "secret": {"reason": "x"},
    },
}
SIZES = {"collegemsg": 8, "candidates-2020": 12, "facebook-metrics": 20, "german-libraries": 25}


def checks_of(name, tables):
    return scoreboard(check(name, tables, partial(fetch, name)))


def row(board, quantity):
    return board.set_index("quantity").loc[quantity]


@pytest.mark.parametrize(
    ("quantity", "figure", "found", "outcome", "reason"),
    [
        ("acts", 3, 3, "exact", ""),
        ("acts", 3, 4, "not reproducible", ""),
        ("acts", 3, 3.4, "within rounding", ""),
        ("acts", 3, float("nan"), "not reproducible", ""),
        ("acts", 3, None, "not reproducible", ""),
        ("share", 8.9, 8.94, "within rounding", ""),
        ("share", 8.9, 8.84, "not reproducible", "counted otherwise"),
        ("share", 8.9, 8.74, "not reproducible", ""),
        ("share", 8.9, None, "not reproducible", ""),
        ("secret", 36, None, "not reproducible", "x"),
        ("secret", 36, 35, "not reproducible", ""),
        ("day", "2019-09-30", "2019-09-30", "exact", ""),
        ("day", "2019-09-30", "2019-10-01", "not reproducible", ""),
    ],
)
def test_a_reason_holds_only_for_the_difference_that_it_explains(
    quantity, figure, found, outcome, reason
):
    measured = {} if found is None else {quantity: found}
    one = compare("tiny", quantity, figure, measured, BLOCK)
    assert (one.outcome, one.reason, one.source) == (outcome, reason, "nobody")


def test_what_is_rounded_by_the_publisher_is_never_exact():
    one = compare("tiny", "accounts met", 51, {"accounts met": 51}, BLOCK | {"rounded": True})
    assert one.outcome == "within rounding"


def test_summary_says_when_a_reason_is_missing():
    board = scoreboard([compare("tiny", "acts", 3, {"acts": 4}, BLOCK)])
    assert summary(board) == ("0 exact, 0 within rounding, 1 not reproducible (1 WITHOUT a reason)")


def test_every_figure_of_the_file_has_a_source_and_every_difference_a_reason():
    blocks = tomllib.loads(FIGURES.read_text(encoding="utf-8"))
    assert set(blocks) == set(catalog())
    for block in (block for of in blocks.values() for block in of):
        assert len(block["source"]) > 8
        assert set(block) <= {"source", "rounded", "figures", "differs"}
        for quantity, known in block.get("differs", {}).items():
            assert quantity in block["figures"]
            assert len(known["reason"]) > 40
            assert known.get("measured") != block["figures"][quantity]


@pytest.mark.data
@pytest.mark.parametrize("name", list(catalog()))
def test_no_published_figure_is_left_unexplained(name, real):
    board = checks_of(name, real(name))
    assert list(board) == COLUMNS
    assert len(board) >= SIZES.get(name, 3)
    assert unexplained(board).empty, unexplained(board).to_string()
    assert not board["quantity"].duplicated().any()
    assert set(board["outcome"]) <= set(OUTCOMES)
    assert ((board["reason"] != "") == (board["outcome"] == "not reproducible")).all()


@pytest.mark.data
def test_all_data_sets_together(real):
    for name in catalog():
        real(name)
    board = smo.reproduce()
    assert board.attrs["passed_over"] == {}
    assert board["outcome"].value_counts().to_dict() == {
        "exact": 96,
        "within rounding": 19,
        "not reproducible": 11,
    }
    pairs = board[["dataset", "quantity"]]
    assert not pairs.duplicated().any()
    assert list(dict.fromkeys(board["dataset"])) == list(catalog())


@pytest.mark.data
@pytest.mark.parametrize("column", ["TotalTweets", "TweetsIn2019", "RepliesIn2019"])
def test_the_tweets_of_all_23_candidates_are_exact(column, real):
    tables = real("candidates-2020")
    found = row(checks_of("candidates-2020", tables), f"accounts whose {column} is met")
    assert (found.published, found.measured, found.outcome) == (23, 23, "exact")
    theirs = candidates.published(fetch("candidates-2020")).set_index("account_id").sort_index()
    ours = candidates.PUBLISHED[column]
    mine = tweets_of_candidates(tables)[ours]
    assert mine.to_dict() == theirs[ours].to_dict()


@pytest.mark.data
def test_follower_losses_are_explained_by_the_steps_between_accounts(real):
    found = row(
        checks_of("candidates-2020", real("candidates-2020")), "steps that lose followers, %"
    )
    assert (found.published, found.outcome) == (8.9, "not reproducible")
    assert found.measured == pytest.approx(8.837, abs=0.001)
    assert "2,139 of 24,205" in found.reason


def without(table, share):
    return table[table.index % share != 0].reset_index(drop=True)


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "doctor", "quantities"),
    [
        ("collegemsg", {"interactions": lambda t: t[1:]}, ["acts"]),
        (
            "candidates-2020",
            {"posts": lambda t: t.assign(is_reply=t["is_reply"] & (t.index % 50 > 0))},
            ["accounts whose RepliesIn2019 is met", "accounts whose ReplyPercentIn2019 is met"],
        ),
        (
            "candidates-2020",
            {"followers": lambda t: without(t, 3)},
            ["follower counts, cleaned", "follower counts whose published change is met"],
        ),
        (
            "german-libraries",
            {"posts": lambda t: t.assign(links=t["links"].where(t.index % 20 > 0, 0))},
            ["libraries whose share with a link is met"],
        ),
        ("facebook-metrics", {"posts": lambda t: t[1:]}, ["public posts", "posts of the paper"]),
        ("higgs", {"edges": lambda t: without(t, 2)}, ["triangles, reply", "users, mention"]),
        ("lobsters", {"posts": lambda t: t[:-1]}, ["stories", "stories of 2023"]),
        ("news-attention", {"counters": lambda t: without(t, 144)}, []),
    ],
)
def test_a_doctored_table_is_a_mismatch_without_a_reason(name, doctor, quantities, real):
    tables = real(name)
    changed = {table: change(getattr(tables, table)) for table, change in doctor.items()}
    bad = unexplained(checks_of(name, dataclasses.replace(tables, **changed)))
    assert len(bad)
    assert set(quantities) <= set(bad["quantity"])


@pytest.fixture
def run(monkeypatch, capsys):
    """Run `smo reproduce`; gives its exit status and what it printed."""

    def command(*words):
        monkeypatch.setattr(sys, "argv", ["smo", "reproduce", *map(str, words)])
        try:
            cli.main()
            status = 0
        except SystemExit as end:
            status = end.code or 0
        return status, capsys.readouterr()

    return command


@pytest.mark.data
def test_the_command_prints_and_writes_the_checks(run, real, tmp_path):
    real("candidates-2020")
    status, told = run("candidates-2020", "-o", tmp_path / "checks.csv")
    assert status == 0
    assert told.out.splitlines()[-1] == summary(smo.reproduce(["candidates-2020"]))
    assert "RepliesIn2019" in told.out
    assert "Within accounts" in told.out
    run("candidates-2020", "-o", tmp_path / "checks.parquet")
    assert list(pd.read_parquet(tmp_path / "checks.parquet")) == COLUMNS
    written = pd.read_csv(tmp_path / "checks.csv")
    assert list(written) == COLUMNS
    assert (len(written), written["dataset"].unique().tolist()) == (12, ["candidates-2020"])


@pytest.mark.data
def test_the_command_fails_on_a_mismatch(run, real, monkeypatch):
    tables = real("collegemsg")
    fewer = dataclasses.replace(tables, interactions=tables.interactions[1:])
    monkeypatch.setattr(published, "load", lambda name, mirror=None: fewer)
    status, told = run("collegemsg")
    assert status == 1
    assert "WITHOUT a reason" in told.out.splitlines()[-1]


@pytest.mark.data
def test_a_data_set_that_cannot_be_had_is_passed_over(run, real, monkeypatch):
    tables = real("collegemsg")

    def at_hand(name, mirror=None):
        if name != "collegemsg":
            raise FetchError(f"{name}: not here")
        return tables

    monkeypatch.setattr(published, "load", at_hand)
    status, told = run("collegemsg", "higgs")
    assert status == 0
    assert "passed over higgs: not here" in told.out
    board = smo.reproduce(["higgs", "collegemsg"])
    assert set(board["dataset"]) == {"collegemsg"}
    assert list(board.attrs["passed_over"]) == ["higgs"]


def test_nothing_to_be_had_and_unknown_names_are_errors(run, empty_cache, offline, tmp_path):
    with pytest.raises(FetchError, match="No data set could be obtained"):
        smo.reproduce(["collegemsg"])
    with pytest.raises(DataError, match="nearest is 'collegemsg'"):
        smo.reproduce(["colegemsg"])
    assert run("collegemsg")[0] == 2
    assert run("collegemsg", "-o", tmp_path / "checks.txt")[0] == 2
