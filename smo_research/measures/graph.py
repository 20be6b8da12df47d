"""The interaction graph: who acted toward whom, how often, since when."""

from __future__ import annotations

import networkx as nx
import pandas as pd


def edges(interactions: pd.DataFrame) -> pd.DataFrame:
    """Sum up a log by directed pair, acts toward oneself left out.

    Parameters
    ----------
    interactions
        The canonical table.

    Returns
    -------
    pandas.DataFrame
        One row a pair: source_id, target_id, weight (acts), first_at and last_at (UTC), and
        a count of acts for each kind in the log, named as the kind.

    Examples
    --------
    >>> import pandas as pd
    >>> log = pd.DataFrame({"source_id": ["b", "b"], "target_id": ["a", "a"], "seq": [0, 1],
    ...                     "created_at": pd.to_datetime(["2020-01-01", "2020-01-03"], utc=True),
    ...                     "kind": ["reply", "mention"]})
    >>> edges(log)[["source_id", "target_id", "weight", "mention", "reply"]].values.tolist()
    [['b', 'a', 2, 1, 1]]
    """
    log = interactions[interactions["source_id"] != interactions["target_id"]]
    pair = ["source_id", "target_id"]
    grouped = log.groupby(pair, sort=True)
    summed = grouped["created_at"].agg(weight="size", first_at="min", last_at="max")
    kinds = log.groupby([*pair, "kind"]).size().unstack(fill_value=0)
    return summed.join(kinds).reset_index()


def interaction_graph(interactions: pd.DataFrame) -> nx.DiGraph:
    """Build the directed graph of a log.

    Parameters
    ----------
    interactions
        The canonical table `interactions`.

    Returns
    -------
    networkx.DiGraph
        Accounts as nodes; edges from who acted to whom it was toward, with the attributes
        weight, first_at, last_at (pandas.Timestamp, UTC) and a count for each kind in the log.

    Examples
    --------
    >>> import pandas as pd
    >>> log = pd.DataFrame({"source_id": ["b", "b"], "target_id": ["a", "a"], "seq": [0, 1],
    ...                     "created_at": pd.to_datetime(["2020-01-01", "2020-01-03"], utc=True),
    ...                     "kind": ["reply", "mention"]})
    >>> interaction_graph(log)["b"]["a"]["weight"]
    2
    """
    table = edges(interactions)
    names = [name for name in table.columns if name not in ("source_id", "target_id")]
    columns = [table[name].tolist() for name in names]
    graph: nx.DiGraph = nx.DiGraph()
    graph.add_edges_from(
        (source, target, dict(zip(names, values, strict=True)))
        for source, target, *values in zip(
            table["source_id"], table["target_id"], *columns, strict=True
        )
    )
    return graph
