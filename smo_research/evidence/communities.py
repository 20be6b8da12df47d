"""Are there groups beyond chance? Communities beside graphs with the same number of contacts."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import igraph
import numpy as np
import pandas as pd

from smo_research.evidence.result import Result, untested
from smo_research.evidence.rewiring import beside_chance, of_rewired, require_rewirings
from smo_research.measures.position import LEIDEN_ITERATIONS, Network, read_edges, seeded

TERMS = ("modularity", "agreement of two runs", "clustering")
UNITS = ("modularity", "adjusted Rand index", "share, 0 to 1")
NULL = "who is in contact with whom is random, each account with as many contacts as it has"
RUNS = 5


def communities_against_rewired(
    edges: pd.DataFrame,
    *,
    rewirings: int = 20,
    seed: int = 1,
    dataset: str = "pairs as given",
    hypothesis: str = "rewiring",
) -> Result:
    """Compare communities and clustering with those of random graphs, contacts held.

    The graph is undirected: two accounts are in contact when either acted toward the other. The
    random graphs come as in `against_rewired`, but keep how many contacts each account has, so
    that the two differ in who they are alone.

    Parameters
    ----------
    edges
        Pairs, as `graph_measures` takes them; how often they acted plays no part.
    rewirings
        Number of random graphs, from 2.
    seed
        Of the rewiring and of the communities.
    dataset, hypothesis
        For the table.

    Returns
    -------
    Result
        Two rows a term, "observed" and "rewired" (mean, standard deviation and 95 % range of the
        random graphs). Terms: the largest modularity that 5 runs of Leiden find; how far two runs
        with other seeds agree, in the mean over pairs of them (adjusted Rand index: 1 the same
        communities, 0 no more alike than by chance); and clustering, the share of paths of two
        that are closed. A reason where no rewiring changes anything.

    Raises
    ------
    DataError
        When rewirings is no whole number from 2, or as `graph_measures`.

    References
    ----------
    Guimera, Sales-Pardo, Amaral (2004), Modularity from fluctuations in random graphs and complex
    networks, Physical Review E 70, 025101. Hubert, Arabie (1985), Comparing partitions.

    Examples
    --------
    >>> triangles = pd.DataFrame({"source_id": list("abcdefc"), "target_id": list("bcaefdd"),
    ...                           "weight": 1})
    >>> result = communities_against_rewired(triangles, rewirings=5)
    >>> result.table[["model", "term"]].values.tolist()[:2]
    [['observed', 'modularity'], ['rewired', 'modularity']]
    """
    require_rewirings(rewirings)
    account_ids, acts = read_edges(edges)
    graph = Network(account_ids, acts, seed, None).simple
    about: dict[str, Any] = {
        "hypothesis": hypothesis,
        "dataset": dataset,
        "block": "network",
        "n_obs": graph.ecount(),
        "n_accounts": graph.vcount(),
    }
    with seeded(seed):
        observed = _measured(graph)
        random = of_rewired(graph, rewirings, _measured)
    if np.ptp(random[:, 2]) == 0 and np.ptp(random[:, 0]) == 0 and random[0, 0] == observed[0]:
        return untested(
            hypothesis, dataset, NULL, "no rewiring that keeps the contacts changes anything"
        )
    rows = [
        row
        for place, (term, unit) in enumerate(zip(TERMS, UNITS, strict=True))
        for row in beside_chance(
            observed[place], random[:, place], about | {"term": term, "unit": unit}
        )
    ]
    formula = f"{rewirings:,} rewirings that keep how many contacts each account has"
    return Result(hypothesis, dataset, pd.DataFrame(rows), NULL, formula=formula, seed=seed)


def _measured(graph: igraph.Graph) -> np.ndarray:
    found = [
        graph.community_leiden(objective_function="modularity", n_iterations=LEIDEN_ITERATIONS)
        for _ in range(RUNS)
    ]
    alike = [
        igraph.compare_communities(one, other, method="adjusted_rand")
        for one, other in combinations(found, 2)
    ]
    clustering = graph.transitivity_undirected(mode="zero")
    return np.array([max(one.modularity for one in found), np.mean(alike), clustering])
