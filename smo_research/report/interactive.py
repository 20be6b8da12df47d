"""What moves in a notebook: tables to sort and graphs to drag; sliders are in `controls`.

All of it works without a network, and leaves a picture or a plain table where nothing can move.
"""

from __future__ import annotations

import io
from base64 import b64encode
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import networkx as nx
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from smo_research.errors import DataError
from smo_research.report.networks import REST, group_colours, network, positions
from smo_research.report.style import QUIET

DPI = 144
_CSS_DPI = 96
_HEIGHT = 560
_MOST_BYTES = 2**20
_NODE_SIZES = (5, 16)
# Left of the middle and a little away: the widget's legend lies over the right of the graph.
_CAMERA = {"x": 0.68, "y": 0.5, "ratio": 1.3, "angle": 0}


@dataclass(frozen=True, eq=False)
class Shown:
    """A widget, and the picture that stands in for it where no widget can be drawn.

    Attributes
    ----------
    png
        The picture, as it was when this was made.
    words
        For those who see neither.
    widget
        None where there is only the picture.
    """

    png: bytes
    words: str
    widget: Any = None

    def _repr_mimebundle_(self, **options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        data: dict[str, Any] = {"image/png": b64encode(self.png).decode("ascii")}
        if self.widget is not None:
            data |= self.widget._repr_mimebundle_(**options)
        return data | {"text/plain": self.words}, {"image/png": {"width": css_width(self.png)}}


@dataclass(frozen=True, eq=False)
class Page:
    """A piece of HTML for a notebook to show, and the table that stands in for it elsewhere."""

    html: str
    table: pd.DataFrame

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return repr(self.table)


def sortable(table: pd.DataFrame, *, rows: int = 10, caption: str = "") -> Any:
    """Show a table whose columns can be sorted, searched and paged through.

    The script that does it goes into the notebook, so that no network is needed.

    Parameters
    ----------
    table
        Any; it is not changed.
    rows
        On one page.
    caption
        Above the table.

    Returns
    -------
    object
        For the notebook to show; where itables is missing, the table itself.

    Raises
    ------
    DataError
        When rows is under 1.

    Examples
    --------
    >>> table = pd.DataFrame({"dataset": ["one", "other"], "acts": [3, 2]})
    >>> sortable(table, caption="Acts")  # doctest: +SKIP
    >>> sortable(table, rows=0)
    Traceback (most recent call last):
        ...
    smo_research.errors.DataError: rows must be a whole number from 1, but is 0.
    """
    if rows < 1:
        raise DataError(f"rows must be a whole number from 1, but is {rows!r}.")
    try:
        import itables
    except ImportError:
        return table
    # Numbers of rows say nothing to a reader.
    named = any(table.index.names) or not pd.api.types.is_integer_dtype(table.index)
    itables.init_notebook_mode(all_interactive=False, connected=False)
    return Page(
        itables.to_html_datatable(
            table,
            caption=caption or None,
            connected=False,
            pageLength=rows,
            lengthMenu=sorted({rows, 2 * rows, 5 * rows}),
            classes="display compact",
            display_logo_when_loading=False,
            maxBytes=_MOST_BYTES,
            showIndex=named,
            # Else only the small arrows beside a column's name would sort by it.
            text_in_header_can_be_selected=False,
        ),
        table,
    )


def draggable(
    graph: nx.Graph,
    *,
    groups: Mapping[Hashable, str] | None = None,
    sizes: Mapping[Hashable, float] | None = None,
    title: str = "",
    seed: int = 1,
    still: bool = False,
) -> Shown:
    """Show a graph that one can drag, zoom and search; a still picture where that is impossible.

    Parameters
    ----------
    graph
        Directed or not; edges may have a `weight`.
    groups
        Name of the group of each node: the largest groups get a colour each.
    sizes
        A number from 0 for each node; its area grows with it.
    title
        Of the still picture.
    seed
        Of the layout.
    still
        Only the picture, for a screen that shows the widget empty (it needs WebGL).

    Returns
    -------
    Shown
        With a widget unless `still`, or ipysigma is missing. A page that draws no widgets shows
        the picture.

    Raises
    ------
    DataError
        When the graph has no nodes, or groups or sizes lack some.

    Examples
    --------
    >>> draggable(nx.path_graph(3), still=True).widget is None
    True
    """
    places = positions(graph, seed=seed)
    drawn = network(graph, groups=groups, sizes=sizes, title=title, places=places)
    words = f"A graph of {len(graph):,} nodes and {graph.size():,} edges."
    widget = None if still else _sigma(graph, places, groups, sizes)
    return Shown(as_png(drawn), words, widget)


def as_png(drawn: Axes | Figure) -> bytes:
    """Turn a figure into a picture, and close it so that no notebook shows it again."""
    import matplotlib.pyplot as plt

    figure = drawn if isinstance(drawn, Figure) else drawn.get_figure(root=True)
    if figure is None:
        raise DataError("draw must give a figure or Axes on one, but these Axes were removed.")
    target = io.BytesIO()
    figure.savefig(target, format="png", dpi=DPI, bbox_inches="tight", metadata={"Software": None})
    plt.close(figure)
    return target.getvalue()


def css_width(png: bytes) -> int:
    """Width of a picture on a page, in its own inches."""
    return round(int.from_bytes(png[16:20], "big") * _CSS_DPI / DPI)


def _sigma(
    graph: nx.Graph,
    places: Mapping[Hashable, tuple[float, float]],
    groups: Mapping[Hashable, str] | None,
    sizes: Mapping[Hashable, float] | None,
) -> Any:
    """The widget, of a copy of the graph that holds no more than is drawn."""
    try:
        import ipysigma
    except ImportError:
        return None
    named = {node: groups[node] for node in graph} if groups else {}
    colours = group_colours(named.values())
    named = {node: "others" if colours[name] == REST else name for node, name in named.items()}
    plain = type(graph)()
    for node in graph:
        x, y = places[node]
        size = float(sizes[node]) if sizes else 1.0
        plain.add_node(node, x=x, y=y, size=size, **({"group": named[node]} if groups else {}))
    plain.add_weighted_edges_from(graph.edges(data="weight", default=1))
    coloured: dict[str, Any] = {}
    if groups:
        palette = {name: colour for name, colour in colours.items() if colour != REST}
        palette |= {"others": REST} if len(palette) < len(colours) else {}
        coloured = {"node_color": "group", "node_color_palette": palette}
    return ipysigma.Sigma(
        plain,
        node_size="size",
        node_size_range=_NODE_SIZES,
        edge_size="weight",
        default_node_color=QUIET,
        default_edge_type="curve" if plain.is_directed() else "rectangle",
        height=_HEIGHT,
        camera_state=_CAMERA,
        **coloured,
    )
