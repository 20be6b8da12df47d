"""Where accounts stand in the interaction graph: measures of each node, through igraph."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from numbers import Integral

import igraph
import numpy as np
import pandas as pd
from scipy import sparse
from tqdm import tqdm

from smo_research.errors import DataError
from smo_research.tables import Windows

DAMPING = 0.85
# Sum over the accounts of the last step; what is left to go is at most six times that.
PAGERANK_TOLERANCE = 1e-12
LEIDEN_ITERATIONS = 2
# Shortest paths from every account cost accounts x pairs; above this many, from a sample.
EXACT_UP_TO = 2_000_000_000
SAMPLES = 256
# Above so many accounts some measure takes seconds, and a bar shows.
LARGE = 10_000
POSITIONS = ("pagerank", "clustering", "core_number")


@dataclass(frozen=True, eq=False)
class Network:
    """The graph of an edge table, each form of it built when a measure first needs it.

    Attributes
    ----------
    account_ids
        The accounts, sorted; a node's number is its place among them.
    acts
        Square and sparse: how often the account of the row acted toward that of the column.
    """

    account_ids: pd.Index
    acts: sparse.csr_array
    seed: int
    betweenness_samples: int | None

    @cached_property
    def directed(self) -> igraph.Graph:
        """One edge a pair that acted, in the order of `acts.data`."""
        return _graph(self.acts, directed=True)

    @cached_property
    def mutual(self) -> sparse.coo_array:
        """Acts of both directions together, each two accounts once."""
        return sparse.triu(self.acts + self.acts.T, k=1, format="coo")

    @cached_property
    def simple(self) -> igraph.Graph:
        """Undirected: one edge between two accounts, in the order of `mutual.data`."""
        return _graph(self.mutual, directed=False)

    @cached_property
    def pairs(self) -> sparse.csr_array:
        """Who acted toward whom at all, as ones."""
        ones = np.ones(self.acts.nnz, dtype=np.int64)
        return sparse.csr_array((ones, self.acts.indices, self.acts.indptr), shape=self.acts.shape)


def graph_measures(
    edges: pd.DataFrame,
    *,
    measures: Sequence[str] | None = None,
    seed: int = 1,
    betweenness_samples: int | None = None,
) -> pd.DataFrame:
    """Measure the place of each account in the graph of an edge table.

    Parameters
    ----------
    edges
        Pairs with source_id, target_id and weight (acts): what `measures.graph.edges` returns, or
        the canonical table `edges`. Rows of the same pair are summed; pairs of an account with
        itself are left out, and an account that has no others is no node.
    measures
        Names of the columns wanted; by default all.
    seed
        Of the communities and of the sample for betweenness.
    betweenness_samples
        Number of accounts from which shortest paths are followed, from 2; all of them when the
        graph has no more. By default all where accounts x pairs is at most 2 x 10^9, else 256.

    Returns
    -------
    pandas.DataFrame
        One row an account, sorted by account_id, with these columns:

        - in_strength, out_strength: acts toward it, and by it
        - in_degree, out_degree: accounts that acted toward it, and that it acted toward
        - reciprocity: 2 x (accounts with acts both ways) / (in_degree + out_degree), 0 to 1
        - pagerank: directed, weighted by acts, damping 0.85; sums to 1
        - clustering, core_number: of the undirected, simple graph
        - community: Leiden, by the modularity of the undirected graph weighted by acts; 0 is the
          largest, and of equally large ones the one with the earlier account_id comes first
        - betweenness: directed, unweighted; the share of the pairs of other accounts, 0 to 1
        - constraint: Burt's, directed, weighted by acts

        The definitions, and the scaling of betweenness, are those of NetworkX.

    Raises
    ------
    DataError
        When a column is absent, an id missing or a weight not above 0; when no pair of two
        different accounts is left; when a measure or a number of samples is not one.

    Notes
    -----
    The seed is given to igraph for the time of the call, and afterwards Python's `random`, its
    generator by default.

    References
    ----------
    Traag, Waltman and van Eck (2019), From Louvain to Leiden. Brandes and Pich (2007), Centrality
    estimation in large networks. Burt (2004), Structural holes and good ideas.

    Examples
    --------
    >>> import pandas as pd
    >>> pairs = pd.DataFrame({"source_id": ["a", "b", "c"], "target_id": ["b", "a", "a"],
    ...                       "weight": [3, 1, 1]})
    >>> graph_measures(pairs, measures=["in_strength", "in_degree", "core_number"]).values.tolist()
    [['a', 2, 2, 1], ['b', 3, 1, 1], ['c', 0, 0, 1]]
    """
    wanted = [*MEASURES] if measures is None else [*measures]
    unknown = [name for name in wanted if name not in MEASURES]
    if unknown:
        raise DataError(
            f"There is no measure {', '.join(map(repr, unknown))}; choose of {', '.join(MEASURES)}."
        )
    if betweenness_samples is not None and (
        isinstance(betweenness_samples, bool)
        or not isinstance(betweenness_samples, Integral)
        or betweenness_samples < 2
    ):
        raise DataError(
            f"betweenness_samples must be a whole number from 2, but is {betweenness_samples!r}."
        )
    account_ids, acts = read_edges(edges)
    network = Network(account_ids, acts, seed, betweenness_samples)
    columns = {}
    # A bar on a terminal, and nothing elsewhere.
    for name in tqdm(wanted, disable=None if len(network.account_ids) > LARGE else True):
        columns[name] = MEASURES[name](network)
    return pd.DataFrame({"account_id": account_ids, **columns})


def positions_by_period(
    interactions: pd.DataFrame, *, windows: Windows, start: pd.Timestamp | None = None
) -> pd.DataFrame:
    """Measure the place of each account in the graph of the acts of each period alone.

    Later acts change nothing in a period before them, so a position may stand among the
    predictors of its period.

    Parameters
    ----------
    interactions
        The canonical table `interactions`.
    windows
        Only `period` is used; periods are those of `measures.panel.panel`, from midnight UTC of
        the day of the first act between two accounts.
    start
        Midnight UTC from which periods are counted instead, where posts came before any act.

    Returns
    -------
    pandas.DataFrame
        One row an account and period in which it acted or was acted toward, ordered by both:
        account_id, period, pagerank, clustering, core_number as in `graph_measures`.

    Raises
    ------
    DataError
        When no act between two different accounts is left.

    Examples
    --------
    >>> import pandas as pd
    >>> days = ["2020-01-01", "2020-01-02", "2020-01-09"]
    >>> log = pd.DataFrame({"source_id": ["b", "a", "c"], "target_id": ["a", "b", "a"],
    ...                     "created_at": pd.to_datetime(days, utc=True)})
    >>> rows = positions_by_period(log, windows=Windows(period=7, horizon=14))
    >>> rows[["account_id", "period", "core_number"]].values.tolist()
    [['a', 0, 1], ['a', 1, 1], ['b', 0, 1], ['c', 1, 1]]
    """
    log = interactions[interactions["source_id"] != interactions["target_id"]]
    if log.empty:
        raise DataError("The log holds no act between two different accounts; nothing to measure.")
    since = log["created_at"] - (start or log["created_at"].min().normalize())
    log = log.assign(period=(since // pd.Timedelta(days=windows.period)).astype("int32"))
    summed = log.groupby(["period", "source_id", "target_id"], observed=True).size()
    rows = [
        graph_measures(pairs, measures=POSITIONS).assign(period=period)
        for period, pairs in summed.rename("weight").reset_index().groupby("period")
    ]
    table = pd.concat(rows).sort_values(["account_id", "period"], ignore_index=True)
    table["period"] = table["period"].astype("int32")
    return table[["account_id", "period", *POSITIONS]]


def read_edges(edges: pd.DataFrame) -> tuple[pd.Index, sparse.csr_array]:
    """Turn an edge table into its accounts, sorted, and a sparse matrix of acts between them."""
    columns = ["source_id", "target_id", "weight"]
    absent = [name for name in columns if name not in edges]
    if absent:
        raise DataError(f"The edges have no column {', '.join(absent)}; give {', '.join(columns)}.")
    weight = edges["weight"]
    if not pd.api.types.is_numeric_dtype(weight) or not weight.between(0, np.inf, "neither").all():
        raise DataError("Each weight of the edges must be a number above 0; correct or drop rows.")
    if edges[columns[:2]].isna().any(axis=None):
        raise DataError("The edges have rows without source_id or target_id; drop them.")
    kept = edges[edges["source_id"] != edges["target_id"]]
    if kept.empty:
        raise DataError(
            "The edges hold no pair of two different accounts; there is nothing to measure."
        )
    both = pd.concat([kept["source_id"], kept["target_id"]], ignore_index=True)
    codes, account_ids = pd.factorize(both, sort=True)
    ends = codes[: len(kept)], codes[len(kept) :]
    shape = len(account_ids), len(account_ids)
    acts = sparse.coo_array((kept["weight"].to_numpy(), ends), shape=shape).tocsr()
    acts.sort_indices()
    return pd.Index(account_ids), acts


def _graph(acts: sparse.csr_array | sparse.coo_array, *, directed: bool) -> igraph.Graph:
    ends = acts.tocoo()
    # igraph reads pairs of Python numbers several times faster than an array.
    pairs = zip(ends.row.tolist(), ends.col.tolist(), strict=True)
    return igraph.Graph(n=acts.shape[0], edges=pairs, directed=directed)


def _reciprocity(network: Network) -> np.ndarray:
    pairs = network.pairs
    both_ways = pairs.multiply(pairs.T).sum(axis=1)
    return 2 * both_ways / (pairs.sum(axis=0) + pairs.sum(axis=1))


def _pagerank(network: Network) -> np.ndarray:
    """Iterate here, since igraph's threads make the last bits differ from run to run."""
    n = len(network.account_ids)
    made = network.acts.sum(axis=1)
    silent = made == 0
    share = sparse.diags_array(1 / np.where(silent, 1, made))
    inward = (share @ network.acts).T.tocsr()
    rank, moved = np.full(n, 1 / n), 1.0
    while moved > PAGERANK_TOLERANCE:
        before = rank
        rank = DAMPING * (inward @ before + before[silent].sum() / n) + (1 - DAMPING) / n
        moved = np.abs(rank - before).sum()
    return rank


def _clustering(network: Network) -> np.ndarray:
    return np.array(network.simple.transitivity_local_undirected(mode="zero"))


def _core_number(network: Network) -> np.ndarray:
    return np.array(network.simple.coreness())


def _community(network: Network) -> np.ndarray:
    with seeded(network.seed):
        found = network.simple.community_leiden(
            objective_function="modularity",
            weights=network.mutual.data.tolist(),
            n_iterations=LEIDEN_ITERATIONS,
        )
    _, first, member, size = np.unique(
        found.membership, return_index=True, return_inverse=True, return_counts=True
    )
    label = np.empty(len(size), dtype=np.int64)
    label[np.lexsort((first, -size))] = np.arange(len(size))
    return label[member]


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Give igraph's random numbers a seed for a while, and Python's own generator after it."""
    igraph.set_random_number_generator(random.Random(seed))
    try:
        yield
    finally:
        igraph.set_random_number_generator(random)


def _betweenness(network: Network) -> np.ndarray:
    n = len(network.account_ids)
    samples = network.betweenness_samples
    if samples is None:
        samples = n if n * network.acts.nnz <= EXACT_UP_TO else SAMPLES
    if samples >= n:
        paths = np.array(network.directed.betweenness())
        return paths / max((n - 1) * (n - 2), 1)
    sources = np.random.default_rng(network.seed).choice(n, samples, replace=False)
    paths = np.array(network.directed.betweenness(sources=sources.tolist()))
    # An account of the sample is no end between which it could stand itself.
    followed = np.full(n, samples)
    followed[sources] -= 1
    return paths / (followed * (n - 2))


def _constraint(network: Network) -> np.ndarray:
    return np.array(network.directed.constraint(weights=network.acts.data.tolist()))


MEASURES: dict[str, Callable[[Network], np.ndarray]] = {
    "in_strength": lambda network: network.acts.sum(axis=0),
    "out_strength": lambda network: network.acts.sum(axis=1),
    "in_degree": lambda network: network.pairs.sum(axis=0),
    "out_degree": lambda network: network.pairs.sum(axis=1),
    "reciprocity": _reciprocity,
    "pagerank": _pagerank,
    "clustering": _clustering,
    "core_number": _core_number,
    "community": _community,
    "betweenness": _betweenness,
    "constraint": _constraint,
}
