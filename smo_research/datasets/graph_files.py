"""Reader of graphs of others: GraphML, GEXF, and graphs of NetworkX."""

from __future__ import annotations

import contextlib
import gzip
import io
import warnings
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree
from xml.parsers import expat

import networkx as nx
import numpy as np
import pandas as pd

from smo_research.datasets.cells import Refuse, from_calendar, from_epoch
from smo_research.datasets.left_out import Leave, unasked
from smo_research.datasets.pseudonyms import pseudonyms
from smo_research.errors import DataError
from smo_research.problems import shown
from smo_research.tables import KINDS, Tables, validate

MOST_BYTES = 1 << 27
MOST_ACTS = 1e12
TIMES = ("time", "timestamp", "created_at", "start", "date")
WEIGHTS = "weights, since not all are whole numbers of acts: each edge is one act"
NO_DIRECTION = (
    "directions of edges, since the graph has none: each is an act and its answer at once"
)
# What networkx says of a wrong graph, without the names that may follow.
FAULTS = (
    "directed=true edge found in undirected graph",
    "directed=false edge found in directed graph",
    "Directed edge found in undirected graph",
    "Undirected edge found in directed graph",
    "GraphML reader doesn't support hyperedges",
    "Bad GraphML data: no key",
    "Unknown GEXF version",
)
NUMBER = r"\s*[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?\s*"
# 2019 and 20190131 would pass for seconds of the year 1970.
DIGITS = r"\s*(?:19|20)\d\d(?:(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]))?(?:\.0*)?\s*"


class _Edge(NamedTuple):
    """An edge as the graph has it: its number in the file, its ends, its attributes."""

    number: int
    source: Any
    target: Any
    told: dict[str, Any]


class _NoDoctype(ElementTree.TreeBuilder):
    """Builds a tree of XML, but stops at a DOCTYPE, where entities would be declared."""

    def doctype(self, name: str, public: str | None, system: str | None) -> None:
        raise DataError("has a DOCTYPE, which may hide harm; remove it, or export the graph anew")


def read_graph(path: str | Path, *, leave: Leave = unasked) -> Tables:
    r"""Read a graph of accounts from a GraphML or a GEXF file.

    Parameters
    ----------
    path
        The file, of at most 128 MB; one that ends in .gz is decompressed. GraphML and GEXF are
        told apart by what is in it. Of an edge of GEXF with spells each spell is an edge.
    leave
        Is told what is left out, and how many.

    Returns
    -------
    Tables
        As `from_networkx` says; edges are numbered from 1 in the order of the file.

    Raises
    ------
    DataError
        Naming the file and the number of the edge that cannot be read.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "talk.graphml")
    >>> nx.write_graphml(nx.DiGraph([("zoe", "amy"), ("amy", "zoe"), ("amy", "bo")]), path)
    >>> read_graph(path).edges[["source_id", "target_id", "weight"]].values.tolist()
    [['a1', 'a2', 1], ['a2', 'a1', 1], ['a2', 'a3', 1]]
    """
    path = Path(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            graph, edges = _read(path)
    except DataError as error:
        raise DataError(f"{path.name} {error}.") from None
    except OSError as error:
        reason = error.strerror or "not readable"
        raise DataError(f"{path} cannot be read ({reason}); correct the name.") from None
    leave("edges from an account to itself", sum(edge.source == edge.target for edge in edges))
    leave("accounts without an edge", nx.number_of_isolates(graph))
    return _tables(edges, path.stem, path.name, leave, both=not graph.is_directed())


def from_networkx(graph: nx.Graph, name: str) -> Tables:
    """Make the canonical table of a graph whose nodes are accounts and whose edges are acts.

    Where edges have a time, each is an act; where none has, only how many acts a pair has is
    known. Edges from an account to itself are left out, and so are accounts without an edge. In
    an undirected graph each edge counts in both directions.

    Parameters
    ----------
    graph
        Any graph of NetworkX. It is not changed. Attributes of edges that are read: the time, the
        first of time, timestamp, created_at, start and date that any edge has (seconds since 1970
        or ISO 8601, UTC without a zone); weight, the number of acts, where there is no time; kind,
        if it is a kind of the canonical table, else "message".
    name
        Of the data set, and for messages.

    Returns
    -------
    Tables
        `interactions`, in the order of time and then of the graph, or else `edges`, parallel ones
        summed. Weights that are not all whole numbers are no numbers of acts, and each edge is
        then one act. Nodes are named a1, a2 and so on by their first appearance in the table.

    Raises
    ------
    DataError
        When a time is missing or none, a weight is below 1, or the graph has no edge; it names
        the edge by its number from 1.

    Examples
    --------
    >>> graph = nx.MultiDiGraph()
    >>> _ = graph.add_edge("zoe", "amy", time="2020-01-02", kind="reply")
    >>> _ = graph.add_edge("amy", "bo", time="2020-01-01")
    >>> acts = from_networkx(graph, "talk").interactions
    >>> acts[["source_id", "target_id", "kind"]].values.tolist()
    [['a1', 'a2', 'message'], ['a3', 'a1', 'reply']]
    """
    default = graph.graph.get("edge_default", {})
    edges = [
        _Edge(number, source, target, {**default, **told})
        for number, (source, target, told) in enumerate(graph.edges(data=True), 1)
    ]
    return _tables(edges, name, name, unasked, both=not graph.is_directed())


def _read(path: Path) -> tuple[nx.Graph, list[_Edge]]:
    """Return the graph of a file, and its edges in the order of the file."""
    with _sound():
        root = ElementTree.fromstring(_text(path), ElementTree.XMLParser(target=_NoDoctype()))
    form = root.tag.rpartition("}")[2]
    if form not in ("graphml", "gexf"):
        raise DataError("is no GraphML and no GEXF; export the graph as one of them")
    graphs = len(root.findall("{*}graph"))
    if graphs != 1:
        raise DataError(f"has {graphs} graphs; give a file with one")
    _unfold(root)
    elements = list(root.iterfind(".//{*}edge"))
    said = _plain(root, elements)
    with _sound():
        plain = io.BytesIO(ElementTree.tostring(root, encoding="utf-8"))
        if form == "graphml":
            graph = nx.read_graphml(plain, force_multigraph=True)
            found = [(key, *edge) for *edge, key in graph.edges(keys=True)]
            told = [graph.edges[source, target, key] for key, source, target in found]
        else:
            graph = nx.read_gexf(plain)
            found = [(int(told["id"]), *edge) for *edge, told in graph.edges(data=True)]
            told = [told for _, _, told in graph.edges(data=True)]
    if {number for number, _, _ in found} != set(range(1, len(elements) + 1)):
        raise DataError("has edges outside of its graph, or two with one key; export it anew")
    default = graph.graph.get("edge_default", {})
    edges = [
        _Edge(number, source, target, {**default, **said[number - 1], **attributes})
        for (number, source, target), attributes in zip(found, told, strict=True)
    ]
    return graph, sorted(edges, key=lambda edge: edge.number)


def _unfold(root: ElementTree.Element) -> None:
    """Put in the place of an edge with spells one edge a spell, with its start or its moment."""
    for edges in root.iterfind(".//{*}edges"):
        edges[:] = [one for edge in edges for one in _spelled(edge)]


def _spelled(edge: ElementTree.Element) -> Iterator[ElementTree.Element]:
    spells = edge.findall("{*}spells/{*}spell")
    if not spells:
        yield edge
    for spell in spells:
        told = {name: said for name, said in edge.attrib.items() if name not in TIMES}
        start = spell.get("start") or spell.get("timestamp") or ""
        one = ElementTree.Element(edge.tag, told | {"start": start})
        one.extend(child for child in edge if not child.tag.endswith("spells"))
        yield one


def _text(path: Path) -> bytes:
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        text = file.read(MOST_BYTES + 1)
    if len(text) > MOST_BYTES:
        raise DataError(f"is larger than {MOST_BYTES >> 20} MB; export fewer attributes")
    return text


@contextlib.contextmanager
def _sound() -> Iterator[None]:
    try:
        yield
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise DataError("is damaged; download or export it again") from None
    except (DataError, OSError):
        raise
    except ElementTree.ParseError as error:
        # The message itself would quote what stands there.
        (line, column), said = error.position, expat.ErrorString(error.code)
        raise DataError(
            f"cannot be read ({said}: line {line}, column {column}); export it anew"
        ) from None
    except nx.NetworkXError as error:
        said = next((one for one in FAULTS if one in str(error)), "not as its format says")
        raise DataError(f"cannot be read ({said}); export it anew") from None
    except Exception:
        # What the libraries raise on a wrong file is of any kind, and may quote it.
        raise DataError("is not as its format says; export it anew") from None


def _plain(root: ElementTree.Element, edges: Sequence[ElementTree.Element]) -> list[dict[str, str]]:
    """Make all attributes text and number the edges; return what edges say outside of them.

    So a wrong time comes back with the number of its edge, and none is lost that has the id
    of another.
    """
    for graph in root.iterfind("{*}graph"):
        graph.set("timeformat", "string")
    for key in root.iterfind(".//{*}key"):
        key.set("attr.type", "string")
    for attribute in root.iterfind(".//{*}attribute"):
        attribute.set("type", "string")
    said = []
    for number, edge in enumerate(edges, 1):
        if edge.get("source") is None or edge.get("target") is None:
            raise DataError(f"has no source or no target at edge {number}; export it anew")
        edge.set("id", str(number))
        names = [name for name in (*TIMES, "kind", "weight", "end") if name in edge.attrib]
        said.append({name: edge.attrib.pop(name) for name in names})
    return said


def _tables(edges: Sequence[_Edge], name: str, source: str, leave: Leave, *, both: bool) -> Tables:
    kept = [edge for edge in edges if edge.source != edge.target]
    if not kept:
        raise DataError(f"{source} has no edge between two accounts; give a graph with one.")
    numbers = [edge.number for edge in kept]
    told = pd.Series([edge.told for edge in kept], index=numbers, dtype=object)
    kinds = told.map(lambda one: one.get("kind"))
    codes: dict[Any, int] = {}
    ends = [(codes.setdefault(one, len(codes)) for one in edge[1:3]) for edge in kept]
    rows = pd.DataFrame(ends, columns=["source_id", "target_id"], index=numbers)
    rows["kind"] = kinds.where(kinds.map(lambda kind: kind in KINDS), "message").astype("str")
    refuse = _refuser(source)
    when = next((one for one in TIMES if any(one in edge.told for edge in kept)), None)
    if when is None:
        rows["weight"] = _weights(told.map(lambda one: one.get("weight", 1)), refuse, leave)
        rows = _both(rows) if both else rows
        rows = rows.groupby(["source_id", "target_id", "kind"], sort=False, as_index=False).sum()
        return Tables(name, edges=validate(_named(rows), "edges", source=source))
    rows["created_at"] = _times(told.map(lambda one: one.get(when, "")), refuse)
    leave(NO_DIRECTION, len(rows) if both else 0)
    rows = _both(rows) if both else rows
    rows = rows.sort_values("created_at", kind="stable", ignore_index=True)
    acts = _named(rows).assign(seq=range(len(rows)))
    return Tables(name, interactions=validate(acts, "interactions", source=source))


def _both(rows: pd.DataFrame) -> pd.DataFrame:
    """Return each row and, after it, the same row the other way."""
    back = rows.rename(columns={"source_id": "target_id", "target_id": "source_id"})
    return pd.concat([rows, back]).sort_index(kind="stable")


def _named(rows: pd.DataFrame) -> pd.DataFrame:
    ends = rows[["source_id", "target_id"]].to_numpy()
    named = pseudonyms(pd.Series(ends.ravel())).to_numpy().reshape(ends.shape)
    return rows.assign(source_id=named[:, 0], target_id=named[:, 1])


def _weights(values: pd.Series, refuse: Refuse, leave: Leave) -> pd.Series:
    weights = pd.to_numeric(values.astype("str"), errors="coerce").astype("float64")
    wrong = ~((weights >= 1) & (weights <= MOST_ACTS))
    refuse(wrong, values, "is no weight; give the number of acts, from 1, or no weights at all")
    whole = bool((weights % 1 == 0).all())
    leave(WEIGHTS, 0 if whole else len(weights))
    return weights.astype("int64") if whole else pd.Series(1, index=values.index)


def _times(values: pd.Series, refuse: Refuse) -> pd.Series:
    """Return UTC times of seconds, of dates and of times, whichever each value is."""
    text = values.astype("str")
    refuse(text.str.strip() == "", text, "is no time, but other edges have one; give one to all")
    year = text.str.fullmatch(DIGITS)
    refuse(year, text, "may be a year or a date; give a date as 2020-01-31, or seconds since 1970")
    number = text.str.fullmatch(NUMBER)
    times = [from_epoch(text[number], refuse), from_calendar(text[~number], refuse)]
    return pd.concat([one for one in times if len(one)]).reindex(values.index)


def _refuser(source: str) -> Refuse:
    """Return a check as that of `cells.refuser`, of values indexed by the number of the edge."""

    def refuse(wrong: Any, values: pd.Series, problem: str) -> None:
        rows = np.flatnonzero(np.asarray(wrong, dtype=bool))
        if len(rows):
            more = f" ({len(rows)} such edges)" if len(rows) > 1 else ""
            edge, value = values.index[rows[0]], shown(values.iloc[rows[0]])
            raise DataError(f"{source}, edge {edge}: {value} {problem}{more}.")

    return refuse
