"""Graph measures: small graphs by eye, then NetworkX on two real graphs, then the command."""

from __future__ import annotations

import random
import sys

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

import smo_research as smo
from smo_research import cli
from smo_research.errors import DataError
from smo_research.measures.graph import edges
from smo_research.measures.position import (
    MEASURES,
    POSITIONS,
    graph_measures,
    positions_by_period,
)

THREE = [("a", "b", 3), ("b", "a", 1), ("c", "a", 1)]
# A circle of three, c having a tail of two.
FIVE = [("a", "b", 1), ("b", "c", 1), ("c", "a", 1), ("c", "d", 1), ("d", "e", 1)]
QUICK = [name for name in MEASURES if name not in ("community", "betweenness")]
WINDOWS = smo.Windows(period=7, gap=7, horizon=42)


def pairs(rows):
    return pd.DataFrame(rows, columns=["source_id", "target_id", "weight"])


def measured(rows, **options):
    return graph_measures(pairs(rows), **options).set_index("account_id")


def test_three_nodes_by_eye():
    """PageRank: a = 0.05 + 0.85 (b + c), b = 0.05 + 0.85 a, c = 0.05, so a = 0.135 / 0.2775."""
    a = 0.135 / 0.2775
    expected = {
        "in_strength": [2, 3, 0],
        "out_strength": [3, 1, 1],
        "in_degree": [2, 1, 0],
        "out_degree": [1, 1, 1],
        "reciprocity": [2 / 3, 1, 0],
        "pagerank": [a, 0.05 + 0.85 * a, 0.05],
        "clustering": [0, 0, 0],
        "core_number": [1, 1, 1],
        "community": [0, 0, 0],
        "betweenness": [1 / 2, 0, 0],
        "constraint": [0.8**2 + 0.2**2, 1, 1],
    }
    table = measured(THREE)
    assert list(table.index) == ["a", "b", "c"]
    assert list(table) == list(expected) == list(MEASURES)
    for name, values in expected.items():
        assert table[name].tolist() == pytest.approx(values, abs=1e-9), name


def test_five_nodes_by_eye():
    table = measured(FIVE)
    assert table["clustering"].tolist() == pytest.approx([1, 1, 1 / 3, 0, 0])
    assert table["core_number"].tolist() == [2, 2, 2, 1, 1]
    assert table["community"].tolist() == [0, 0, 0, 1, 1]
    assert table["reciprocity"].tolist() == [0] * 5
    # c stands between b and a, a and d, a and e, b and d, b and e: 5 of 4 x 3.
    assert (table["betweenness"] * 12).tolist() == pytest.approx([1, 3, 5, 3, 0])
    of_a = (1 / 2 + 1 / 2 * 1 / 3) ** 2 + (1 / 2 + 1 / 2 * 1 / 2) ** 2
    of_c = 2 * (1 / 3 + 1 / 3 * 1 / 2) ** 2 + (1 / 3) ** 2
    assert table["constraint"].tolist() == pytest.approx([of_a, of_a, of_c, 1 / 2, 1])


def test_communities_are_numbered_by_size_then_by_first_member():
    circles = [
        *[("y", "z", 1), ("b", "x", 1)],
        *[("m", "n", 1), ("n", "o", 1), ("o", "m", 1)],
    ]
    expected = {"m": 0, "n": 0, "o": 0, "b": 1, "x": 1, "y": 2, "z": 2}
    for seed in range(5):
        assert measured(circles, seed=seed)["community"].to_dict() == expected


def test_kinds_are_summed_and_pairs_with_oneself_left_out():
    table = pd.DataFrame(
        {
            "source_id": ["a", "a", "b", "c", "d", "c"],
            "target_id": ["b", "b", "a", "a", "d", "c"],
            "kind": ["reply", "mention", "reply", "reply", "reply", "reply"],
            "weight": [1, 2, 1, 1, 9, 9],
        }
    )
    pd.testing.assert_frame_equal(graph_measures(table), graph_measures(pairs(THREE)))


def test_the_order_of_the_rows_does_not_matter():
    forward, backward = pairs(FIVE), pairs(FIVE[::-1])
    pd.testing.assert_frame_equal(graph_measures(forward), graph_measures(backward))


def test_two_accounts():
    table = measured([("b", "a", 1)])
    assert table["betweenness"].tolist() == [0, 0]
    assert table["constraint"].tolist() == [1, 1]
    assert table["reciprocity"].tolist() == [0, 0]


def test_measures_are_chosen_by_name():
    table = graph_measures(pairs(FIVE), measures=["core_number", "pagerank"])
    assert list(table) == ["account_id", "core_number", "pagerank"]
    whole = graph_measures(pairs(FIVE))
    pd.testing.assert_frame_equal(table, whole[list(table)])


def test_the_input_and_the_random_numbers_of_others_stay_as_they_were():
    table = pairs(FIVE)
    before, state = table.copy(deep=True), random.getstate()
    graph_measures(table, betweenness_samples=2)
    pd.testing.assert_frame_equal(table, before)
    assert random.getstate() == state


@pytest.mark.parametrize(
    ("table", "options", "message"),
    [
        (pairs(THREE).drop(columns="weight"), {}, "have no column weight"),
        (pairs([("a", "b", 0)]), {}, "must be a number above 0"),
        (pairs([("a", "b", np.nan)]), {}, "must be a number above 0"),
        (pairs([("a", "b", np.inf)]), {}, "must be a number above 0"),
        (pairs([("a", "b", "many")]), {}, "must be a number above 0"),
        (pairs([("a", None, 1)]), {}, "without source_id or target_id"),
        (pairs([("a", "a", 1)]), {}, "no pair of two different accounts"),
        (pairs(THREE).head(0).astype({"weight": int}), {}, "no pair of two different accounts"),
        (pairs(THREE), {"measures": ["pagerank", "fame"]}, "no measure 'fame'; choose of in_str"),
        (pairs(THREE), {"betweenness_samples": 1}, "whole number from 2, but is 1"),
        (pairs(THREE), {"betweenness_samples": 2.5}, "whole number from 2, but is 2.5"),
    ],
)
def test_bad_input_is_refused(table, options, message):
    with pytest.raises(DataError, match=message):
        graph_measures(table, **options)


@pytest.fixture(params=["collegemsg", "higgs-reply"])
def graph(request, real):
    """A real edge table, and its graph as NetworkX builds it, accounts in order."""
    if request.param == "collegemsg":
        table = edges(real("collegemsg").interactions)
    else:
        table = real("higgs").edges.query("kind == 'reply'")
    directed: nx.DiGraph = nx.DiGraph()
    kept = table[table["source_id"] != table["target_id"]]
    directed.add_nodes_from(sorted({*kept["source_id"], *kept["target_id"]}))
    columns = [kept[name].tolist() for name in ("source_id", "target_id", "weight")]
    directed.add_weighted_edges_from(zip(*columns, strict=True))
    return table, directed


def undirected(directed):
    found: nx.Graph = nx.Graph()
    found.add_nodes_from(directed)
    for source, target, weight in directed.edges(data="weight"):
        known = found.get_edge_data(source, target, {"weight": 0})["weight"]
        found.add_edge(source, target, weight=known + weight)
    return found


@pytest.mark.data
def test_equal_to_networkx(graph):
    table, theirs = graph
    simple = nx.Graph(theirs)
    expected = {
        "in_strength": dict(theirs.in_degree(weight="weight")),
        "out_strength": dict(theirs.out_degree(weight="weight")),
        "in_degree": dict(theirs.in_degree()),
        "out_degree": dict(theirs.out_degree()),
        "reciprocity": nx.reciprocity(theirs, list(theirs)),
        "pagerank": nx.pagerank(theirs, alpha=0.85, tol=1e-16, max_iter=1000, weight="weight"),
        "clustering": nx.clustering(simple),
        "core_number": nx.core_number(simple),
        "constraint": nx.constraint(theirs, weight="weight"),
    }
    assert list(expected) == QUICK
    ours = graph_measures(table, measures=QUICK).set_index("account_id")
    assert list(ours.index) == list(theirs)
    for name, values in expected.items():
        difference = (ours[name] - pd.Series(values)).abs().max()
        assert difference < 1e-8, f"{name}: {difference}"
    assert ours["pagerank"].sum() == pytest.approx(1, abs=1e-10)


class Drawn(random.Random):
    """Gives NetworkX the sample that was drawn for ours."""

    def __init__(self, places):
        super().__init__()
        self.places = places

    def sample(self, population, k):
        assert k == len(self.places)
        return [population[place] for place in self.places]


@pytest.mark.data
def test_betweenness_of_a_sample_is_networkx_from_the_same_accounts(graph):
    table, theirs = graph
    drawn = Drawn(np.random.default_rng(5).choice(len(theirs), 20, replace=False))
    expected = pd.Series(nx.betweenness_centrality(theirs, k=20, seed=drawn))
    ours = graph_measures(table, measures=["betweenness"], seed=5, betweenness_samples=20)
    difference = (ours.set_index("account_id")["betweenness"] - expected).abs().max()
    assert expected.max() > 1e-5
    assert difference < 1e-8


@pytest.mark.data
def test_betweenness_is_exact_by_default_where_it_is_cheap(real):
    table = edges(real("collegemsg").interactions.head(4000))
    theirs = nx.from_pandas_edgelist(table, "source_id", "target_id", create_using=nx.DiGraph)
    ours = graph_measures(table, measures=["betweenness"]).set_index("account_id")["betweenness"]
    assert len(ours) > 400
    assert (ours - pd.Series(nx.betweenness_centrality(theirs))).abs().max() < 1e-8


@pytest.mark.data
def test_betweenness_of_a_sample_ranks_accounts_alike(real):
    table = edges(real("collegemsg").interactions)
    exact, sampled = (
        graph_measures(table, measures=["betweenness"], betweenness_samples=samples)["betweenness"]
        for samples in (None, 256)
    )
    assert not exact.equals(sampled)
    assert spearmanr(exact, sampled)[0] > 0.95


@pytest.mark.data
def test_betweenness_is_exact_by_default_on_both_real_graphs(graph):
    table, theirs = graph
    exact, whole = (
        graph_measures(table, measures=["betweenness"], betweenness_samples=samples)
        for samples in (None, len(theirs))
    )
    pd.testing.assert_frame_equal(exact, whole)


def test_betweenness_of_a_large_graph_is_sampled(monkeypatch):
    monkeypatch.setattr("smo_research.measures.position.EXACT_UP_TO", 24)
    monkeypatch.setattr("smo_research.measures.position.SAMPLES", 2)
    options = {"measures": ["betweenness"], "seed": 3}
    sampled = graph_measures(pairs(FIVE), betweenness_samples=2, **options)
    assert not sampled.equals(graph_measures(pairs(FIVE), betweenness_samples=5, **options))
    pd.testing.assert_frame_equal(graph_measures(pairs(FIVE), **options), sampled)


@pytest.mark.data
def test_communities_are_as_good_as_those_of_networkx(graph):
    table, theirs = graph
    simple = undirected(theirs)
    ours = graph_measures(table, measures=["community"])
    groups = [set(rows) for _, rows in ours.groupby("community")["account_id"]]
    louvain = nx.community.louvain_communities(simple, seed=1)
    assert nx.community.modularity(simple, groups) > nx.community.modularity(simple, louvain) - 5e-3
    sizes = ours["community"].value_counts(sort=False).sort_index()
    assert sizes.is_monotonic_decreasing


@pytest.mark.data
def test_the_same_to_the_last_bit(graph):
    table, _ = graph
    names = [*POSITIONS, "constraint", "betweenness"]
    tables = [graph_measures(table, measures=names) for _ in range(3)]
    for other in tables[1:]:
        pd.testing.assert_frame_equal(tables[0], other, check_exact=True)


@pytest.mark.data
def test_same_seed_same_communities(real):
    table = edges(real("collegemsg").interactions)
    tables = [graph_measures(table, measures=["community"], seed=seed) for seed in (7, 7, 8)]
    pd.testing.assert_frame_equal(tables[0], tables[1])
    assert not tables[0].equals(tables[2])


def log_of(rows):
    source, target, times = zip(*rows, strict=True)
    return pd.DataFrame(
        {
            "source_id": source,
            "target_id": target,
            "created_at": pd.to_datetime(times, utc=True, format="ISO8601"),
            "seq": range(len(rows)),
            "kind": "message",
        }
    )


def test_two_periods_by_eye():
    log = log_of(
        [
            ("z", "z", "2019-12-01"),
            ("a", "b", "2020-01-01T15:00"),
            ("b", "c", "2020-01-07T23:59:59.999999"),
            ("c", "a", "2020-01-08"),
            ("a", "b", "2020-01-09"),
            ("b", "c", "2020-01-10"),
        ]
    )
    rows = positions_by_period(log, windows=WINDOWS)
    assert list(rows) == ["account_id", "period", "pagerank", "clustering", "core_number"]
    assert rows["period"].dtype == np.dtype("int32")
    keys = [("a", 0), ("a", 1), ("b", 0), ("b", 1), ("c", 0), ("c", 1)]
    assert list(zip(rows["account_id"], rows["period"], strict=True)) == keys
    assert rows["clustering"].tolist() == [0, 1] * 3
    assert rows["core_number"].tolist() == [1, 2] * 3
    assert rows["pagerank"][1::2].tolist() == pytest.approx([1 / 3] * 3)
    assert rows["pagerank"][::2].is_monotonic_increasing


def test_a_log_without_acts_between_two_has_no_positions():
    with pytest.raises(DataError, match="no act between two different accounts"):
        positions_by_period(log_of([("a", "a", "2020-01-01")]), windows=WINDOWS)


@pytest.mark.data
def test_positions_stand_beside_the_rows_of_the_panel(real):
    log = real("collegemsg").interactions
    before = log.copy(deep=True)
    rows = positions_by_period(log, windows=WINDOWS)
    pd.testing.assert_frame_equal(log, before)
    keys = ["account_id", "period"]
    panel = smo.panel(log, windows=WINDOWS)[keys]
    inside = rows[rows["period"] <= panel["period"].max()][keys].reset_index(drop=True)
    pd.testing.assert_frame_equal(inside, panel)


@pytest.mark.data
def test_a_period_is_the_graph_of_its_acts_and_knows_nothing_of_later_ones(real):
    log = real("collegemsg").interactions
    rows = positions_by_period(log, windows=WINDOWS)
    begin = log["created_at"].min().normalize() + pd.Timedelta(days=21)
    end = begin + pd.Timedelta(days=7)
    of_period = log[(log["created_at"] >= begin) & (log["created_at"] < end)]
    theirs = smo.interaction_graph(of_period)
    pagerank = pd.Series(nx.pagerank(theirs, tol=1e-16, max_iter=1000)).sort_index()
    ours = rows[rows["period"] == 3].set_index("account_id")
    assert list(ours.index) == list(pagerank.index)
    assert (ours["pagerank"] - pagerank).abs().max() < 1e-8
    clustering = pd.Series(nx.clustering(nx.Graph(theirs)))
    assert (ours["clustering"] - clustering).abs().max() < 1e-8
    later = log["created_at"] >= end
    changed = log.assign(target_id=log["target_id"].where(~later, "someone"))
    again = positions_by_period(changed, windows=WINDOWS)
    known, known_again = (table[table["period"] <= 3] for table in (rows, again))
    pd.testing.assert_frame_equal(
        known.reset_index(drop=True), known_again.reset_index(drop=True), check_exact=True
    )


@pytest.fixture
def smo_command(tmp_path, monkeypatch, capsys):
    """Run a command in a folder of its own; gives its exit status, stdout and stderr."""
    monkeypatch.chdir(tmp_path)

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


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_graph_of_a_file(ending, smo_command, tmp_path):
    (tmp_path / "log.txt").write_text("a b 1000\na b 2000\nb c 3000\nc a 4000\nd d 5000\n")
    out = f"nodes.{ending}"
    status, told, _ = smo_command(
        *["graph", "--interactions", "log.txt", "--format", "snap", "--keep-ids", "-o", out]
    )
    assert (status, told) == (0, f"{out}: 3 accounts, 3 pairs\n")
    read = pd.read_parquet if ending == "parquet" else pd.read_csv
    expected = graph_measures(pairs([("a", "b", 2), ("b", "c", 1), ("c", "a", 1)]))
    pd.testing.assert_frame_equal(read(tmp_path / out), expected)


@pytest.mark.data
@pytest.mark.parametrize("name", ["collegemsg", "higgs"])
def test_graph_of_a_data_set(name, real, smo_command, tmp_path):
    tables = real(name)
    table = edges(tables.interactions) if tables.interactions is not None else tables.edges
    quick = ["in_strength", "core_number"]
    assert smo_command("graph", name)[0] == 0
    written = pd.read_parquet(tmp_path / "nodes.parquet")
    assert list(written) == ["account_id", *MEASURES]
    expected = graph_measures(table, measures=quick)
    pd.testing.assert_frame_equal(written[["account_id", *quick]], expected)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["graph"], "Give either the name of a data set, or --interactions FILE"),
        (["graph", "collegemsg", "--interactions", "x.csv"], "Give either"),
        (["graph", "collegemsg", "--format", "snap"], "Give either"),
        (["graph", "colegemsg"], "There is no data set 'colegemsg'; the nearest is 'collegemsg'"),
        (["graph", "--interactions", "no.csv"], "no.csv cannot be read (No such file"),
        (["graph", "--interactions", "log.txt"], "log.txt: name its format with --format snap"),
        (["graph", "--interactions", "log.csv", "-o", "nodes.xlsx"], "must end in .parquet or"),
        (["graph", "--interactions", "log.csv", "-o", "no/n.csv"], "there is no folder no"),
        (["graph", "--interactions", "log.csv"], "log.csv: The edges hold no pair of two"),
    ],
)
def test_what_the_command_refuses(words, message, smo_command, tmp_path):
    (tmp_path / "log.csv").write_text("source_id,target_id,created_at\na,a,2020-01-01\n")
    status, out, err = smo_command(*words)
    assert (status, out) == (2, "")
    assert err.startswith("smo: ") and message in err
    assert "Traceback" not in err
    assert [path.name for path in tmp_path.iterdir()] == ["log.csv"]


@pytest.mark.data
def test_a_data_set_without_a_graph(real, smo_command):
    real("facebook-metrics")
    status, _, err = smo_command("graph", "facebook-metrics")
    assert status == 2
    assert "facebook-metrics has neither interactions nor edges" in err
