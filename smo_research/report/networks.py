"""Pictures of graphs: one account and its contacts, and whole networks by group."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping

import igraph
import matplotlib.pyplot as plt
import networkx as nx
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from smo_research.errors import DataError
from smo_research.measures.position import seeded
from smo_research.report.style import CONVERSATION, INK, NEUTRAL, QUIET, look
from smo_research.report.words import count, wrap

# Groups are neither tweaks nor conversation, so they take neither of those colours.
_GROUP_COLOURS = ("#117a65", "#8e4585", "#e69f00", "#56b4e9", INK)
REST = "#b5b5b5"
_EDGE = "#c9c9c9"
_NODE_AREA = (14.0, 130.0)
_GAP = 0.09
# Ego network: what a contact did, where its arc starts, colour, line, words.
_SIDES = {
    "both": (CONVERSATION, "-", "wrote both ways"),
    "in": (NEUTRAL, "--", "wrote, got no message back"),
    "out": (INK, ":", "got messages, never wrote"),
}
_SIZE = (7.2, 5.4)


def group_colours(groups: Iterable[str]) -> dict[str, str]:
    """Give the largest groups a colour each, and grey to the others.

    Examples
    --------
    >>> list(group_colours(["b", "a", "b"]))
    ['b', 'a']
    """
    sizes = sorted(Counter(groups).items(), key=lambda pair: (-pair[1], pair[0]))
    names = [name for name, _ in sizes]
    colours = dict.fromkeys(names, REST)
    return colours | dict(zip(names, _GROUP_COLOURS, strict=False))


def positions(graph: nx.Graph, *, seed: int = 1) -> dict[Hashable, tuple[float, float]]:
    """Place the nodes of a graph so that those with an edge lie near each other.

    Parameters
    ----------
    graph
        Directed or not; weights play no part.
    seed
        Of the layout.

    Returns
    -------
    dict
        For each node x and y, each -1 to 1. Fruchterman and Reingold's forces (1991), started
        from Kamada and Kawai's (1989).

    Raises
    ------
    DataError
        When the graph has no nodes.

    Examples
    --------
    >>> sorted(positions(nx.path_graph(2)))
    [0, 1]
    """
    if not len(graph):
        raise DataError("graph must have at least one node, but has none.")
    number = {node: place for place, node in enumerate(graph)}
    ends = [(number[source], number[target]) for source, target in graph.edges()]
    drawn = igraph.Graph(n=len(graph), edges=ends).simplify()
    with seeded(seed):
        start = drawn.layout_kamada_kawai(maxiter=10 * len(graph))
        found = np.array(drawn.layout_fruchterman_reingold(seed=start, niter=300, start_temp=1.0))
    found -= found.mean(axis=0)
    reach = np.abs(found).max() or 1.0
    return dict(zip(graph, map(tuple, (found / reach).tolist()), strict=True))


@look()
def network(
    graph: nx.Graph,
    *,
    groups: Mapping[Hashable, str] | None = None,
    sizes: Mapping[Hashable, float] | None = None,
    title: str = "",
    places: Mapping[Hashable, tuple[float, float]] | None = None,
    seed: int = 1,
    ax: Axes | None = None,
) -> Axes:
    """Draw a graph, its nodes coloured by group and the largest groups named.

    Parameters
    ----------
    graph
        Directed or not; an edge with more `weight` is drawn darker.
    groups
        Name of the group of each node.
    sizes
        A number from 0 for each node; its area grows with it.
    title
        What the figure shows.
    places
        As `positions` gives them, which does otherwise, with `seed`.
    ax
        Axes to draw on; new ones by default.

    Raises
    ------
    DataError
        When the graph has no nodes, or groups or sizes lack some.
    """
    for name, given in (("groups", groups), ("sizes", sizes)):
        lacking = [node for node in graph if given is not None and node not in given]
        if lacking:
            raise DataError(f"{name} must have every node of the graph, but lacks {lacking[0]!r}.")
    places = positions(graph, seed=seed) if places is None else places
    if ax is None:
        ax = plt.subplots(figsize=_SIZE)[1]
    at = np.array([places[node] for node in graph])
    _lines(ax, graph, places)
    named = [groups[node] for node in graph] if groups else ["" for _ in graph]
    colours = group_colours(named) if groups else {"": NEUTRAL}
    ax.scatter(
        at[:, 0], at[:, 1], s=_areas(graph, sizes), color=[colours[name] for name in named],
        edgecolor="white", linewidth=0.6, zorder=3,
    )  # fmt: skip
    if groups:
        _name_groups(ax, named, colours)
    return _finish(ax, title or f"{count(len(graph), 'node')}, {count(graph.size(), 'edge')}")


@look()
def ego_network(graph: nx.DiGraph, account: Hashable, *, ax: Axes | None = None) -> Axes:
    """Draw one account amid its contacts, by who of the two wrote.

    Parameters
    ----------
    graph
        As `interaction_graph` builds it: an edge from who acted to whom it was toward.
    account
        In the middle. Around it three arcs: contacts with acts both ways, those that only acted
        toward it, those that it alone acted toward; thicker lines are more acts. Grey lines join
        contacts that act toward one another.
    ax
        Axes to draw on; new ones by default.

    Raises
    ------
    DataError
        When the account is not in the graph, or has no contacts.
    """
    if account not in graph:
        raise DataError(f"account must be a node of the graph, but is {account!r}.")
    inward, outward = set(graph.pred[account]), set(graph.succ[account])
    sides = {
        "both": inward & outward - {account},
        "in": inward - outward - {account},
        "out": outward - inward - {account},
    }
    contacts = set.union(*sides.values())
    if not contacts:
        raise DataError(f"account must have contacts, but {account!r} has none.")
    if ax is None:
        ax = plt.subplots(figsize=_SIZE)[1]
    among = graph.subgraph(contacts)
    places = _around(sides, graph, account)
    ties = [[places[one], places[other]] for one, other in among.to_undirected().edges()]
    ax.add_collection(LineCollection(ties, colors=_EDGE, linewidths=0.7, zorder=1))
    for side, members in sides.items():
        colour, line, words = _SIDES[side]
        _spokes(ax, graph, account, [(one, places[one]) for one in members], colour, line)
        if members:
            _name_arc(ax, [places[one] for one in members], f"{len(members)} {words}", colour)
    ax.scatter([0], [0], s=220, color=INK, zorder=4)
    ax.set(xlim=(-1.8, 1.8), ylim=(-1.2, 1.25))
    return _finish(
        ax,
        f"Account {account}: {count(len(contacts), 'contact')}, {len(sides['both'])} of them both "
        f"ways, {count(len(ties), 'tie')} among them",
    )


def _around(
    sides: Mapping[str, set], graph: nx.DiGraph, account: Hashable
) -> dict[Hashable, tuple[float, float]]:
    """Places on a circle, an arc for each side, contacts that know each other side by side."""
    filled = {side: members for side, members in sides.items() if members}
    total = sum(map(len, filled.values()))
    among = graph.subgraph(set.union(*filled.values())).to_undirected()
    room = 2 * math.pi * (1 - _GAP * (len(filled) if len(filled) > 1 else 0))
    places, at = {}, math.pi / 2
    for members in filled.values():
        ordered = _neighbours_together(among.subgraph(members))
        step = room / total
        for place, one in enumerate(ordered):
            angle = at - step * (place + 0.5)
            places[one] = (math.cos(angle), math.sin(angle))
        at -= step * len(ordered) + 2 * math.pi * _GAP
    return places


def _neighbours_together(graph: nx.Graph) -> list:
    """Nodes in the order of a walk through each component, the largest first."""
    order = sorted(graph, key=str)
    parts = sorted(
        nx.connected_components(graph), key=lambda part: (-len(part), min(map(str, part)))
    )
    rank = {node: place for place, node in enumerate(order)}
    walked: list = []
    for part in parts:
        start = min(part, key=lambda node: (-graph.degree(node), rank[node]))
        walked += nx.dfs_preorder_nodes(
            graph, start, sort_neighbors=lambda found: sorted(found, key=str)
        )
    return walked


def _spokes(
    ax: Axes,
    graph: nx.DiGraph,
    account: Hashable,
    members: list[tuple[Hashable, tuple[float, float]]],
    colour: str,
    line: str,
) -> None:
    for one, place in members:
        acts = sum(
            graph[a][b].get("weight", 1)
            for a, b in ((account, one), (one, account))
            if graph.has_edge(a, b)
        )
        width = 0.7 + 0.75 * math.log2(acts)
        ax.plot([0, place[0]], [0, place[1]], color=colour, ls=line, lw=width, alpha=0.75, zorder=2)
        ax.scatter(*place, s=52, color=colour, edgecolor="white", linewidth=0.8, zorder=3)


def _name_arc(ax: Axes, places: list[tuple[float, float]], words: str, colour: str) -> None:
    x, y = np.mean(places, axis=0)
    far = math.hypot(x, y)
    x, y = (x / far, y / far) if far > 0.05 else (0.0, 1.0)
    side = "center" if abs(x) < 0.35 else "left" if x > 0 else "right"
    ax.annotate(
        wrap(words, 16), (1.12 * x, 1.14 * y), ha=side, va="center", color=colour,
        weight="bold", size=10,
    )  # fmt: skip


def _areas(graph: nx.Graph, sizes: Mapping[Hashable, float] | None) -> np.ndarray:
    low, high = _NODE_AREA
    if sizes is None:
        return np.full(len(graph), low * 2)
    found = np.array([float(sizes[node]) for node in graph])
    return low + (high - low) * found / (found.max() or 1.0)


def _lines(ax: Axes, graph: nx.Graph, places: Mapping[Hashable, tuple[float, float]]) -> None:
    edges = list(graph.edges(data="weight", default=1))
    if not edges:
        return
    weights = np.log1p([float(weight) for *_, weight in edges])
    shades = 0.25 + 0.6 * weights / weights.max()
    ends = [[places[source], places[target]] for source, target, _ in edges]
    ax.add_collection(LineCollection(ends, colors=QUIET, linewidths=0.8, alpha=shades, zorder=1))


def _name_groups(ax: Axes, named: list[str], colours: Mapping[str, str]) -> None:
    """List the groups beside the picture: within it they lie across one another."""
    sizes = Counter(named)
    lines = [(f"{name}: {sizes[name]:,}", colour) for name, colour in colours.items()]
    rest = sum(sizes[name] for name, colour in colours.items() if colour == REST)
    lines = [line for line in lines if line[1] != REST]
    lines += [(f"others: {rest:,}", QUIET)] if rest else []
    for place, (words, colour) in enumerate(lines):
        ax.annotate(
            words, (1.0, 0.95 - 0.055 * place), xycoords="axes fraction", color=colour, size=10,
            weight="bold", va="center",
        )  # fmt: skip


def _finish(ax: Axes, title: str) -> Axes:
    ax.set_aspect("equal")
    ax.set_axis_off()
    ax.set_title(wrap(title, 68), fontsize=11)
    return ax
