"""The interaction graph: three nodes by eye, then the published counts of a real one."""

from __future__ import annotations

import networkx as nx
import pandas as pd
import pytest

import smo_research as smo
from smo_research.measures.graph import edges

ACTS = [
    ("a", "b", "2020-01-01", "reply"),
    ("b", "a", "2020-01-02", "mention"),
    ("c", "c", "2020-01-03", "reply"),
    ("a", "b", "2020-01-05", "mention"),
    ("c", "a", "2020-01-04", "reply"),
    ("a", "b", "2020-01-03", "reply"),
]


@pytest.fixture
def log() -> pd.DataFrame:
    source, target, days, kinds = zip(*ACTS, strict=True)
    return pd.DataFrame(
        {
            "source_id": source,
            "target_id": target,
            "created_at": pd.to_datetime(days, utc=True),
            "seq": range(len(ACTS)),
            "kind": kinds,
        }
    )


def day(number: int) -> pd.Timestamp:
    return pd.Timestamp(2020, 1, number, tz="UTC")


def test_three_nodes_by_eye(log):
    graph = smo.interaction_graph(log)
    assert set(graph) == {"a", "b", "c"}
    assert {pair: dict(graph.edges[pair]) for pair in graph.edges} == {
        ("a", "b"): {
            "weight": 3,
            "first_at": day(1),
            "last_at": day(5),
            "mention": 1,
            "reply": 2,
        },
        ("b", "a"): {
            "weight": 1,
            "first_at": day(2),
            "last_at": day(2),
            "mention": 1,
            "reply": 0,
        },
        ("c", "a"): {
            "weight": 1,
            "first_at": day(4),
            "last_at": day(4),
            "mention": 0,
            "reply": 1,
        },
    }
    assert nx.reciprocity(graph) == pytest.approx(2 / 3)


def test_kinds_sum_to_the_weight_and_are_plain_numbers(log):
    for _, _, attributes in smo.interaction_graph(log).edges(data=True):
        assert attributes["mention"] + attributes["reply"] == attributes["weight"]
        assert {type(attributes[name]) for name in ("weight", "mention", "reply")} == {int}


def test_who_acts_only_toward_itself_is_no_node(log):
    alone = log[log["source_id"] == log["target_id"]]
    graph = smo.interaction_graph(alone)
    assert (len(graph), graph.size()) == (0, 0)
    assert len(edges(alone)) == 0


def test_a_log_without_acts_gives_an_empty_graph(log):
    assert len(smo.interaction_graph(log.head(0))) == 0


def test_the_input_stays_as_it_was(log):
    before = log.copy(deep=True)
    smo.interaction_graph(log)
    pd.testing.assert_frame_equal(log, before)


def test_the_order_of_the_log_does_not_matter(log):
    one, other = smo.interaction_graph(log), smo.interaction_graph(log[::-1])
    assert list(one.edges(data=True)) == list(other.edges(data=True))


def test_ids_stay_apart_that_look_alike_as_numbers(log):
    alike = log.assign(source_id="7", target_id="007")
    assert list(smo.interaction_graph(alike).edges) == [("7", "007")]


@pytest.mark.data
def test_collegemsg_has_the_published_counts(real):
    """Nodes, static edges and acts: the table on SNAP's page of CollegeMsg.

    Reciprocity: Panzarasa, Opsahl and Carley (2009) say that 63.6 % of the ties are reciprocated.
    """
    graph = smo.interaction_graph(real("collegemsg").interactions)
    assert graph.number_of_nodes() == 1_899
    assert graph.number_of_edges() == 20_296
    assert graph.size(weight="weight") == graph.size(weight="message") == 59_835
    assert round(nx.reciprocity(graph), 3) == 0.636


@pytest.mark.data
def test_collegemsg_can_be_read_by_networkx_itself(real):
    log = real("collegemsg").interactions
    theirs = nx.from_pandas_edgelist(
        log, "source_id", "target_id", create_using=nx.DiGraph, edge_attr=None
    )
    assert set(smo.interaction_graph(log).edges) == set(theirs.edges)
