"""Networks: pieces over time, groups beside chance, and their pictures; truth by eye."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from smo_research.errors import DataError
from smo_research.evidence.communities import TERMS, communities_against_rewired
from smo_research.evidence.rewiring import against_rewired
from smo_research.measures.components import components_over_time
from smo_research.report.against_null import against_null
from smo_research.report.components import giant_component
from smo_research.report.networks import REST, ego_network, group_colours, network, positions
from smo_research.report.style import CONVERSATION


def log_of(*acts) -> pd.DataFrame:
    """Acts "who whom day"."""
    who, whom, days = zip(*(act.split() for act in acts), strict=True)
    at = pd.to_datetime([f"2020-01-{day}" for day in days], utc=True)
    return pd.DataFrame(
        {"source_id": who, "target_id": whom, "created_at": at, "seq": range(len(who))}
    )


def pairs_of(graph: nx.Graph) -> pd.DataFrame:
    ends = [(str(a), str(b), 1) for a, b in graph.edges()]
    return pd.DataFrame(ends, columns=["source_id", "target_id", "weight"])


def test_pieces_grow_as_the_log_runs():
    log = log_of("a b 01", "c d 02", "b a 09", "b c 16", "e e 17")
    found = components_over_time(log)
    assert found["accounts"].tolist() == [4, 4, 4]
    assert found["weak"].tolist() == [0.5, 0.5, 1.0]
    assert found["strong"].tolist() == [0.25, 0.5, 0.5]
    assert found["at"].iloc[-1] == log["created_at"].iloc[3]


def test_the_last_look_agrees_with_networkx():
    rng = np.random.default_rng(1)
    ends = rng.integers(0, 40, (60, 2)).astype(str)
    days = pd.Timestamp("2020-01-01", tz="UTC") + pd.to_timedelta(np.arange(60), unit="D")
    log = pd.DataFrame({"source_id": ends[:, 0], "target_id": ends[:, 1], "created_at": days})
    log = log[log["source_id"] != log["target_id"]]
    graph = nx.DiGraph(log[["source_id", "target_id"]].to_numpy().tolist())
    last = components_over_time(log).iloc[-1]
    for name, find in (
        ("weak", nx.weakly_connected_components),
        ("strong", nx.strongly_connected_components),
    ):
        assert last[name] == max(map(len, find(graph))) / len(graph)


@pytest.mark.parametrize(("log", "days"), [(log_of("a a 01"), 7), (log_of("a b 01"), 0)])
def test_pieces_need_acts_and_days(log, days):
    with pytest.raises(DataError):
        components_over_time(log, days=days)


def test_planted_circles_are_found_beyond_chance():
    graph = nx.connected_caveman_graph(6, 6)
    table = communities_against_rewired(pairs_of(graph), rewirings=10).table
    at = table.set_index(["term", "model"])
    for term in TERMS:
        assert at.loc[(term, "observed"), "estimate"] > at.loc[(term, "rewired"), "ci_high"]
    assert at.loc[("agreement of two runs", "observed"), "estimate"] == pytest.approx(1)
    best = nx.community.modularity(graph, nx.community.louvain_communities(graph, seed=1))
    assert at.loc[("modularity", "observed"), "estimate"] == pytest.approx(best)
    assert at.loc[("clustering", "observed"), "estimate"] == pytest.approx(nx.transitivity(graph))


def test_a_random_graph_is_like_its_rewirings():
    graph = nx.gnm_random_graph(60, 240, seed=3)
    table = communities_against_rewired(pairs_of(graph), rewirings=40, seed=2).table
    modularity = table[table["term"] == "modularity"].set_index("model")
    low, high = modularity.loc["rewired", ["ci_low", "ci_high"]]
    assert low <= modularity.loc["observed", "estimate"] <= high


def test_communities_come_out_the_same_with_the_same_seed():
    pairs = pairs_of(nx.gnm_random_graph(30, 90, seed=3))
    once, again = (communities_against_rewired(pairs, rewirings=3, seed=5).table for _ in range(2))
    pd.testing.assert_frame_equal(once, again)


def test_a_graph_that_no_rewiring_changes_has_a_reason():
    result = communities_against_rewired(pairs_of(nx.complete_graph(4)), rewirings=3)
    assert "no rewiring" in result.reason
    with pytest.raises(DataError, match="rewirings"):
        communities_against_rewired(pairs_of(nx.complete_graph(4)), rewirings=1)


def test_observed_stands_beside_chance():
    couples = nx.DiGraph([(a, b) for a in range(0, 20, 2) for b in (a + 1,)])
    couples.add_edges_from([(b, a) for a, b in couples.edges()])
    table = against_rewired(pairs_of(couples), rewirings=20, dataset="mine").table
    ax = against_null(table[table["term"] == "reciprocity"])
    assert ax.get_title("left") == "More than the numbers of contacts alone would give: reciprocity"
    (dot,) = (line for line in ax.lines if line.get_marker() == "o")
    assert dot.get_xdata() == 1.0
    with pytest.raises(DataError, match="row rewired"):
        against_null(table[table["model"] == "observed"])


def test_less_than_chance_is_said_too():
    row = {"dataset": "mine", "estimate": 0.1, "ci_low": 0.1, "ci_high": 0.1}
    table = pd.DataFrame(
        [
            row | {"term": "clustering", "model": "observed"},
            row | {"term": "clustering", "model": "rewired", "ci_low": 0.2, "ci_high": 0.3},
        ]
    )
    assert against_null(table).get_title("left").startswith("Less than")
    same = table.assign(ci_low=0.0, ci_high=0.3)
    assert against_null(same).get_title("left").startswith("Nothing here differs")


def test_the_largest_piece_is_counted():
    ax = giant_component(components_over_time(log_of("a b 01", "c d 02", "b a 09")))
    assert ax.get_title("left") == "In the end 2 of 4 accounts are one piece"


def test_contacts_stand_in_three_arcs():
    graph = nx.DiGraph([("i", "a"), ("a", "i"), ("b", "i"), ("i", "c"), ("a", "b")])
    ax = ego_network(graph, "i")
    assert ax.get_title("left") == "Account i: 3 contacts, 1 of them both ways, 1 tie among them"
    words = {text.get_text().replace("\n", " ") for text in ax.texts}
    assert words == {
        "1 wrote both ways",
        "1 wrote, got no message back",
        "1 got messages, never wrote",
    }
    assert [to_hex(line.get_color()) for line in ax.lines].count(CONVERSATION) == 1


def test_an_account_must_be_there_and_have_contacts():
    with pytest.raises(DataError, match="must be a node"):
        ego_network(nx.DiGraph([("a", "b")]), "z")
    graph = nx.DiGraph()
    graph.add_node("a")
    with pytest.raises(DataError, match="must have contacts"):
        ego_network(graph, "a")


def test_places_are_the_same_each_time_and_inside():
    graph = nx.gnm_random_graph(30, 40, seed=1)
    places = positions(graph, seed=4)
    assert places == positions(graph, seed=4)
    assert np.abs(np.array(list(places.values()))).max() == pytest.approx(1)
    with pytest.raises(DataError, match="at least one node"):
        positions(nx.Graph())


def test_the_largest_groups_are_coloured_and_the_rest_is_grey():
    groups = {node: "ABCDEFGG"[node] for node in range(8)}
    colours = group_colours(groups.values())
    assert list(colours)[:2] == ["G", "A"]
    assert [name for name, colour in colours.items() if colour == REST] == ["E", "F"]
    ax = network(nx.path_graph(8), groups=groups)
    assert [text.get_text() for text in ax.texts][-1] == "others: 2"
    with pytest.raises(DataError, match="sizes must have every node"):
        network(nx.path_graph(8), sizes={0: 1})
