"""Graphs of others: hand-made files with each trap, then random graphs that come back."""

from __future__ import annotations

import gzip
import tempfile
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smo_research.datasets import graph_files
from smo_research.datasets.graph_files import from_networkx, read_graph
from smo_research.errors import DataError
from smo_research.tables import KINDS

GRAPHML = """\
<?xml version="1.0" encoding="UTF-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
<key id="t" for="edge" attr.name="time" attr.type="long"/>
<key id="k" for="edge" attr.name="kind" attr.type="string"><default>reply</default></key>
<graph edgedefault="directed">
<node id="amy"/><node id="bo"/><node id="zoe"/><node id="alone"/>
<edge id="x" source="zoe" target="amy"><data key="t">1577923200</data></edge>
<edge id="x" source="zoe" target="amy"><data key="t">1577836800</data>
  <data key="k">gossip</data></edge>
<edge source="amy" target="amy"><data key="t">1577836800</data></edge>
<edge source="bo" target="zoe"><data key="t">1577836800</data><data key="k">share</data></edge>
</graph></graphml>
"""
GEXF = """\
<gexf xmlns="http://gexf.net/1.3" version="1.3">
<graph defaultedgetype="directed" mode="dynamic" timeformat="dateTime">
<attributes class="edge" mode="static"><attribute id="0" title="mood" type="integer"/></attributes>
<nodes><node id="0" label="zoe"/><node id="1" label="amy" start="2020"/></nodes>
<edges>
<edge id="7" source="1" target="0" start="2020-01-02T00:00:00+01:00" kind="comment" weight="2"/>
<edge id="7" source="0" target="1" start="2020-01-01"><attvalues>
  <attvalue for="0" value="good"/></attvalues></edge>
</edges></graph></gexf>
"""
MIXED = GRAPHML.replace("directed", "undirected").replace("<edge ", '<edge directed="true" ')
WRITERS = {"graphml": nx.write_graphml, "gexf": nx.write_gexf}


def file_of(folder, text, name="talk.graphml"):
    path = Path(folder, name)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def rows(table, *columns):
    return table[["source_id", "target_id", *columns]].to_numpy().tolist()


def refused(folder, text, name="talk.graphml"):
    with pytest.raises(DataError) as told:
        read_graph(file_of(folder, text, name))
    message = str(told.value)
    assert message.startswith(name) and message.endswith(".") and "\n" not in message
    return message


def test_edges_with_times_become_acts_in_order_of_time_and_file(tmp_path):
    tables = read_graph(file_of(tmp_path, GRAPHML))
    assert tables.name == "talk" and tables.edges is None
    acts = tables.interactions
    assert rows(acts, "kind") == [
        ["a1", "a2", "message"],
        ["a3", "a1", "share"],
        ["a1", "a2", "reply"],
    ]
    assert acts["seq"].tolist() == [0, 1, 2]
    assert acts["created_at"].dt.strftime("%d %H").tolist() == ["01 00", "01 00", "02 00"]
    assert not any(name in acts.to_csv() for name in ("zoe", "amy", "bo"))


def test_gexf_of_gephi_gives_its_starts_and_no_wrong_attribute_stops_it(tmp_path):
    acts = read_graph(file_of(tmp_path, GEXF, "talk.gexf")).interactions
    assert rows(acts, "kind") == [["a1", "a2", "message"], ["a2", "a1", "comment"]]
    assert acts["created_at"].dt.strftime("%d %H").tolist() == ["01 00", "01 23"]


SPELLS = """\
<gexf xmlns="http://gexf.net/1.3" version="1.3">
<graph mode="dynamic" timeformat="dateTime" defaultedgetype="{directed}">
<nodes><node id="1" label="zoe"/><node id="2" label="amy"/></nodes>
<edges>
<edge id="7" source="1" target="2" weight="2"><attvalues/><spells>
<spell start="2020-01-03" end="2020-01-04"/><spell timestamp="2020-01-01"/></spells></edge>
<edge id="8" source="2" target="1" start="2020-01-02"/>
</edges></graph></gexf>"""


def left_out(path):
    left = {}
    tables = read_graph(path, leave=lambda what, number: left.update({what: number}))
    return tables, {what: number for what, number in left.items() if number}


def test_each_spell_of_an_edge_is_an_act(tmp_path):
    tables, left = left_out(file_of(tmp_path, SPELLS.format(directed="directed"), "s.gexf"))
    assert rows(tables.interactions) == [["a1", "a2"], ["a2", "a1"], ["a1", "a2"]]
    assert tables.interactions["created_at"].dt.day.tolist() == [1, 2, 3]
    assert not left
    said = refused(
        tmp_path, SPELLS.format(directed="directed").replace("timestamp", "end"), "s.gexf"
    )
    assert "edge 2: '' is no time" in said


def test_what_a_graph_does_not_tell_is_told(tmp_path):
    tables, left = left_out(file_of(tmp_path, SPELLS.format(directed="undirected"), "s.gexf"))
    assert len(tables.interactions) == 6
    assert left == {graph_files.NO_DIRECTION: 3}
    graph = nx.DiGraph()
    graph.add_weighted_edges_from([("a", "b", 2.5), ("b", "a", 3)])
    nx.write_graphml(graph, tmp_path / "w.graphml")
    assert left_out(tmp_path / "w.graphml")[1] == {graph_files.WEIGHTS: 2}


def test_parallel_edges_are_summed_by_pair_and_kind(tmp_path):
    graph = nx.MultiDiGraph()
    graph.add_edge("zoe", "amy", weight=2)
    graph.add_edge("zoe", "amy", weight=3)
    graph.add_edge("zoe", "amy", kind="share")
    graph.add_edge("amy", "zoe", kind="nonsense")
    for ending, write in WRITERS.items():
        path = tmp_path / f"talk.{ending}"
        write(graph, path)
        tables = read_graph(path)
        assert tables.interactions is None
        assert rows(tables.edges, "kind", "weight") == [
            ["a1", "a2", "message", 5],
            ["a1", "a2", "share", 1],
            ["a2", "a1", "message", 1],
        ]


def test_undirected_edges_count_both_ways():
    edges = from_networkx(nx.Graph([("zoe", "amy", {"weight": 4.0})]), "talk").edges
    assert rows(edges, "weight") == [["a1", "a2", 4], ["a2", "a1", 4]]
    acts = from_networkx(nx.Graph([("zoe", "amy", {"time": 1577836800})]), "talk").interactions
    assert rows(acts, "seq") == [["a1", "a2", 0], ["a2", "a1", 1]]


def test_mutual_edge_of_gexf_is_two(tmp_path):
    text = GEXF.replace('source="1"', 'type="mutual" source="1"')
    acts = read_graph(file_of(tmp_path, text, "talk.gexf")).interactions
    assert sorted(rows(acts)) == [["a1", "a2"], ["a1", "a2"], ["a2", "a1"]]


def test_weights_that_are_no_counts_are_one_each():
    graph = nx.DiGraph()
    graph.add_weighted_edges_from([("a", "b", 2.5), ("b", "a", 3)])
    assert from_networkx(graph, "talk").edges["weight"].tolist() == [1, 1]


def test_nodes_of_any_kind_keep_apart():
    graph = nx.DiGraph([(1, "1"), ("1", (1, 2)), ((1, 2), 1)])
    assert rows(from_networkx(graph, "talk").edges) == [["a1", "a2"], ["a2", "a3"], ["a3", "a1"]]


def test_times_come_as_seconds_text_dates_or_typed():
    times = [1577836800.5, "1577836801", "2020-01-01T00:00:02", datetime(2020, 1, 1, tzinfo=UTC)]
    graph = nx.MultiDiGraph([("a", "b", {"date": time}) for time in times])
    acts = from_networkx(graph, "talk").interactions
    assert acts["created_at"].dt.strftime("%S.%f").tolist() == [
        "00.000000",
        "00.500000",
        "01.000000",
        "02.000000",
    ]


def test_the_first_name_of_a_time_is_the_one_that_counts():
    graph = nx.DiGraph([("a", "b", {"date": "2020-01-02", "time": "2020-01-01"})])
    acts = from_networkx(graph, "talk").interactions
    assert acts["created_at"].dt.day.tolist() == [1]


@pytest.mark.parametrize(
    ("time", "said"),
    [
        ("soon", "a text of 4 characters is no time"),
        ("nan", "'nan' is no time"),
        (True, "'True' is no time"),
        (-5, "'-5' lies before 1970"),
        (1577836800000, "not milliseconds"),
        ("1969-12-31", "lies before 1970"),
        ("2999-01-01", "lies in the future"),
        (2019, "may be a year"),
        ("20190131", "may be a year"),
        (None, "is no time"),
    ],
)
def test_bad_time_names_file_and_edge(time, said):
    graph = nx.MultiDiGraph([("a", "b", {"time": 1}), ("a", "b", {"time": time})])
    with pytest.raises(DataError) as told:
        from_networkx(graph, "talk")
    assert str(told.value).startswith("talk, edge 2: ") and said in str(told.value)


def test_edge_without_a_time_among_others_is_named():
    graph = nx.MultiDiGraph([("a", "b", {"time": 1}), ("a", "b", {}), ("b", "a", {})])
    with pytest.raises(DataError, match=r"talk, edge 2: '' is no time.*\(2 such edges\)"):
        from_networkx(graph, "talk")


@pytest.mark.parametrize("weight", [0, -1, 0.5, float("nan"), float("inf"), "many", None, 10**400])
def test_bad_weight_names_file_and_edge(weight):
    graph = nx.MultiDiGraph([("a", "b", {}), ("a", "b", {"weight": weight})])
    with pytest.raises(DataError, match=r"talk, edge 2: .* is no weight; give the number"):
        from_networkx(graph, "talk")


def test_bad_values_in_a_file_are_named_by_their_place_in_it(tmp_path):
    soon = GRAPHML.replace('"zoe"><data key="t">1577836800', '"zoe"><data key="t">soon')
    assert "edge 4: a text of 4 characters is no time" in refused(tmp_path, soon)
    gexf = GEXF.replace("start=", "x=").replace('weight="2"', 'weight="0"')
    assert "edge 1: '0' is no weight" in refused(tmp_path, gexf, "talk.gexf")
    assert "edge 1" in refused(tmp_path, GRAPHML.replace(' source="zoe"', "", 1))


@pytest.mark.parametrize("graph", [nx.Graph(), nx.DiGraph([(1, 1)]), nx.MultiGraph([(1, 1)])])
def test_graph_without_edges_is_refused(graph, tmp_path):
    with pytest.raises(DataError, match=r"^talk has no edge between two accounts"):
        from_networkx(graph, "talk")
    for ending, write in WRITERS.items():
        write(graph, tmp_path / f"talk.{ending}")
        with pytest.raises(DataError, match=rf"^talk\.{ending} has no edge"):
            read_graph(tmp_path / f"talk.{ending}")


BOMB = """<!DOCTYPE graphml [<!ENTITY a "zoezoezoe"><!ENTITY b "&a;&a;&a;&a;">]>"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("head", [BOMB, '<!DOCTYPE graphml SYSTEM "file:///etc/hostname">'])
def test_entities_are_refused_before_they_do_anything(head, encoding, tmp_path):
    text = GRAPHML.replace("UTF-8", encoding).replace("<graphml", f"{head}<graphml", 1)
    text = text.replace("gossip", "&b;" if "ENTITY" in head else "gossip")
    assert "DOCTYPE" in refused(tmp_path, text.encode(encoding))


def test_size_is_capped_packed_or_not(tmp_path, monkeypatch):
    monkeypatch.setattr(graph_files, "MOST_BYTES", len(GRAPHML) - 1)
    assert "is larger than" in refused(tmp_path, GRAPHML)
    assert "is larger than" in refused(tmp_path, gzip.compress(GRAPHML.encode()), "talk.graphml.gz")


def test_packed_file_is_read_and_a_damaged_one_refused(tmp_path):
    packed = gzip.compress(GRAPHML.encode())
    assert len(read_graph(file_of(tmp_path, packed, "talk.graphml.gz")).interactions) == 3
    assert "is damaged" in refused(tmp_path, packed[:-20], "talk.graphml.gz")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no element found"),
        ("<html/>", "is no GraphML and no GEXF"),
        ("<graphml/>", "has 0 graphs"),
        (GRAPHML.replace("</graphml>", "<graph/></graphml>"), "has 2 graphs"),
        (GRAPHML[:-30], "cannot be read"),
        (MIXED, "directed=true edge found in undirected graph"),
        (GRAPHML.replace('key="t"', 'key="?"'), "no key"),
        (GRAPHML.replace("UTF-8", "nonsense"), "talk.graphml"),
        (GRAPHML.replace("<edge", "<hyperedge/><edge", 1), "hyperedges"),
        ("<graphml>" + "<graph>" * 30_000 + "</graph>" * 30_000 + "</graphml>", "is not as"),
    ],
)
def test_what_is_no_whole_graph_is_refused(text, said, tmp_path):
    assert said in refused(tmp_path, text)


def test_absent_file_and_folder_are_refused(tmp_path):
    for path in (tmp_path / "nothing.graphml", tmp_path):
        with pytest.raises(DataError, match="cannot be read"):
            read_graph(path)


def test_graph_is_not_changed():
    graph = nx.DiGraph([("a", "b", {"time": "2020-01-01"})])
    before = list(graph.edges(data=True))
    from_networkx(graph, "talk")
    assert list(graph.edges(data=True)) == before


NODES = st.integers(0, 5)
ENDS = st.lists(st.tuples(NODES, NODES), max_size=12)
SECONDS = st.integers(10**9, 17 * 10**8)


@st.composite
def graphs(draw):
    timed = draw(st.booleans())
    classes = [nx.Graph, nx.DiGraph, nx.MultiGraph, nx.MultiDiGraph]
    graph = draw(st.sampled_from(classes))()
    graph.add_nodes_from(range(draw(st.integers(0, 6))))
    for source, target in draw(ENDS):
        told = {"kind": draw(st.sampled_from([*KINDS, "other"]))}
        told |= {"time": draw(SECONDS)} if timed else {"weight": draw(st.integers(1, 9))}
        graph.add_edge(f"n{source}", f"n{target}", **told)
    return graph


@given(graph=graphs(), ending=st.sampled_from(sorted(WRITERS)))
@settings(max_examples=300, deadline=None)
def test_random_graphs_come_back_with_the_right_counts(graph, ending):
    kept = [told for *ends, told in graph.edges(data=True) if ends[0] != ends[1]]
    times = 1 if graph.is_directed() else 2
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"talk.{ending}")
        WRITERS[ending](graph, path)
        if not kept:
            with pytest.raises(DataError, match="has no edge"):
                read_graph(path)
            return
        tables = read_graph(path)
    known = Counter(told["kind"] if told["kind"] in KINDS else "message" for told in kept)
    ends = {end for edge in graph.edges() for end in edge if edge[0] != edge[1]}
    table = tables.edges if tables.interactions is None else tables.interactions
    assert set(table["source_id"]) | set(table["target_id"]) == {
        f"a{number}" for number in range(1, len(ends) + 1)
    }
    if tables.edges is not None:
        assert tables.edges["weight"].sum() == times * sum(told["weight"] for told in kept)
        assert not tables.edges.duplicated(["source_id", "target_id", "kind"]).any()
    else:
        assert Counter(table["kind"]) == {kind: times * count for kind, count in known.items()}
        seconds = [int(time.timestamp()) for time in table["created_at"]]
        assert seconds == sorted(told["time"] for told in kept for _ in range(times))


@given(data=st.binary(max_size=300), place=st.integers(0, len(GRAPHML)), whole=st.booleans())
@settings(max_examples=300, deadline=None)
def test_random_bytes_give_an_error_of_ours_only(data, place, whole):
    text = GRAPHML.encode()
    data = data if whole else text[:place] + data[:9] + text[place + len(data[:9]) :]
    with tempfile.TemporaryDirectory() as folder:
        try:
            read_graph(file_of(folder, data))
        except DataError:
            assert data != text
        else:
            assert not whole
