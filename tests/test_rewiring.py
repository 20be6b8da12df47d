import random

import igraph
import networkx as nx
import numpy as np
import pandas as pd
import pytest

from smo_research.errors import DataError
from smo_research.evidence.result import VOCABULARY
from smo_research.evidence.rewiring import _measured, against_rewired
from smo_research.measures.graph import edges


def pairs(graph):
    source, target = zip(*graph.edges, strict=True)
    return pd.DataFrame({"source_id": source, "target_id": target, "weight": 1}).astype(
        {"source_id": str, "target_id": str}
    )


def rows_of(result):
    return result.table.set_index(["term", "model"])


COUPLES = nx.DiGraph([("a", "b"), ("b", "a"), ("c", "d"), ("d", "c")])


def test_two_couples_by_eye():
    """Four accounts, one contact each: 3 ways to be two couples, 6 to be a circle of four."""
    rows = rows_of(against_rewired(pairs(COUPLES), rewirings=4000))
    assert rows.loc[("reciprocity", "observed"), "estimate"] == 1
    assert rows.loc[("reciprocity", "rewired"), "estimate"] == pytest.approx(1 / 3, abs=0.03)
    assert rows.loc[("reciprocity", "difference"), "estimate"] == pytest.approx(2 / 3, abs=0.03)
    assert rows.loc[("reciprocity", "difference"), "p_value"] == pytest.approx(2 / 3, abs=0.06)
    assert rows.loc[("clustering", "difference"), "reason"].startswith("no rewiring")


def test_all_degrees_are_kept_and_the_graph_stays_simple(monkeypatch):
    seen = []

    def look(graph):
        seen.append((graph.indegree(), graph.outdegree(), tuple(sorted(graph.get_edgelist()))))
        assert graph.is_simple()
        return np.array([len(seen), 0.0])

    monkeypatch.setattr("smo_research.evidence.rewiring._measured", look)
    against_rewired(pairs(nx.gnm_random_graph(30, 120, seed=1, directed=True)), rewirings=20)
    assert len(seen) == 21
    assert all((one[0], one[1]) == (seen[0][0], seen[0][1]) for one in seen)
    assert len({one[2] for one in seen}) == 21


def test_mutual_triangles_stand_out():
    graph = nx.disjoint_union_all([nx.complete_graph(3)] * 12).to_directed()
    rows = rows_of(against_rewired(pairs(graph), rewirings=99))
    for term in ("reciprocity", "clustering"):
        assert rows.loc[(term, "observed"), "estimate"] == 1
        assert rows.loc[(term, "rewired"), "ci_high"] < 0.5
        difference = rows.loc[(term, "difference")]
        assert difference["p_value"] == pytest.approx(0.02)
        ends = 1 - rows.loc[(term, "rewired"), ["ci_high", "ci_low"]].astype(float)
        assert difference[["ci_low", "ci_high"]].tolist() == pytest.approx(ends.tolist())
        assert difference["estimate"] / difference["std_error"] > 5
    assert (rows["n_obs"] == 72).all() and (rows["n_accounts"] == 36).all()


def test_a_graph_at_random_does_not():
    rejected = sum(
        against_rewired(
            pairs(nx.gnm_random_graph(20, 80, seed=seed, directed=True)), rewirings=99, seed=seed
        )
        .table["p_value"]
        .le(0.05)
        .sum()
        for seed in range(40)
    )
    assert rejected <= 10


@pytest.mark.data
def test_observed_is_what_networkx_finds(real):
    table = edges(real("collegemsg").interactions.head(6000))
    theirs = nx.from_pandas_edgelist(table, "source_id", "target_id", create_using=nx.DiGraph)
    rows = rows_of(against_rewired(table, rewirings=20, dataset="collegemsg"))
    observed = rows.xs("observed", level="model")["estimate"]
    assert observed["reciprocity"] == pytest.approx(nx.overall_reciprocity(theirs), abs=1e-12)
    assert observed["clustering"] == pytest.approx(nx.transitivity(nx.Graph(theirs)), abs=1e-12)
    assert rows.loc[("reciprocity", "difference"), "ci_low"] > 0.3


def test_clustering_does_not_depend_on_what_was_asked_before():
    """igraph 1.0 gives 0.45, not 0.48, for this directed graph after is_simple()."""
    theirs = nx.gnm_random_graph(20, 120, seed=1, directed=True)
    graph = igraph.Graph(20, list(theirs.edges), directed=True)
    assert graph.is_simple()
    expected = nx.overall_reciprocity(theirs), nx.transitivity(nx.Graph(theirs))
    assert tuple(_measured(graph)) == pytest.approx(expected, abs=1e-12)


def test_the_seed_decides_and_nothing_else_is_changed():
    table = pairs(nx.gnm_random_graph(20, 80, seed=4, directed=True))
    before, state = table.copy(deep=True), random.getstate()
    once, again, other = (against_rewired(table, rewirings=30, seed=s).table for s in (1, 1, 2))
    pd.testing.assert_frame_equal(once, again, check_exact=True)
    assert not once.equals(other)
    backward = against_rewired(table.iloc[::-1], rewirings=30, seed=1).table
    pd.testing.assert_frame_equal(once, backward, check_exact=True)
    pd.testing.assert_frame_equal(table, before)
    assert random.getstate() == state


def test_prints_plots_and_displays():
    result = against_rewired(
        pairs(nx.gnm_random_graph(20, 80, seed=1, directed=True)), rewirings=9, dataset="made up"
    )
    assert list(result.table) == VOCABULARY
    assert result.table["model"].tolist() == ["observed", "rewired", "difference"] * 2
    assert "rewiring on made up" in result.summary()
    assert "<table" in result._repr_html_()
    assert result.plot().get_xlabel() == "share, 0 to 1\n95 % interval"


@pytest.mark.parametrize(
    "graph", [nx.DiGraph([("a", "b"), ("b", "c"), ("c", "a")]), nx.DiGraph([("a", "b")])]
)
def test_a_graph_that_cannot_be_rewired_is_an_object_with_a_reason(graph):
    result = against_rewired(pairs(graph), rewirings=9)
    assert "no rewiring that keeps the degrees changes it" in result.reason
    assert len(result.table) == 1


@pytest.mark.parametrize(
    ("table", "options", "message"),
    [
        (pairs(COUPLES), {"rewirings": 1}, "rewirings must be a whole number from 2, but is 1"),
        (pairs(COUPLES), {"rewirings": 2.5}, "whole number from 2, but is 2.5"),
        (pairs(COUPLES).drop(columns="weight"), {}, "have no column weight"),
        (pairs(COUPLES).assign(target_id="a", source_id="a"), {}, "no pair of two different"),
    ],
)
def test_what_is_refused(table, options, message):
    with pytest.raises(DataError, match=message):
        against_rewired(table, **options)
