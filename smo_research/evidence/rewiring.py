"""Reciprocity and clustering beside graphs in which everyone has as many contacts, at random."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral
from typing import Any

import igraph
import numpy as np
import pandas as pd

from smo_research.errors import DataError
from smo_research.evidence.result import Result, evidence_row, untested
from smo_research.measures.position import Network, read_edges, seeded

MEASURES = ("reciprocity", "clustering")
# Trials per pair. After one, 96 % of the surplus of mutual pairs was gone on real graphs.
FIRST, BETWEEN = 10, 2
NULL = "accounts act toward others at random, each as often as it does and is acted toward"
UNCHANGED = "no rewiring that keeps the degrees changes it"


def against_rewired(
    edges: pd.DataFrame,
    *,
    rewirings: int = 200,
    seed: int = 1,
    dataset: str = "pairs as given",
    hypothesis: str = "rewiring",
) -> Result:
    """Compare reciprocity and clustering of a graph with what its degrees alone would give.

    Two pairs a→b and c→d become a→d and c→b unless that makes an account its own contact or a
    pair that is there; every in- and out-degree stays. A chain of such trials, 10 a pair at
    first and 2 a pair between draws, gives graphs with these degrees, all alike probable.

    Parameters
    ----------
    edges
        Pairs, as `graph_measures` takes them; how often they acted plays no part.
    rewirings
        Number of random graphs, from 2.
    seed
        Of the rewiring.
    dataset, hypothesis
        For the table.

    Returns
    -------
    Result
        Three rows a measure. Model "observed": the graph as it is, which has no error. "rewired":
        the mean, standard deviation and 95 % range of the random graphs. "difference": observed
        less their mean, with z = estimate / std_error, the range of observed less random, and a
        two-sided p: twice (1 + the random graphs as far out on that side) / (1 + rewirings), at
        most 1. The measures are those of NetworkX: reciprocity is the share of directed pairs that
        are returned (overall_reciprocity), clustering the share of paths of two that are closed in
        the undirected simple graph (transitivity), both 0 to 1. A reason stands in their place
        where no rewiring changes a measure.

    Raises
    ------
    DataError
        When rewirings is no whole number from 2, or as `graph_measures`.

    Notes
    -----
    Rewired graphs have fewer mutual pairs, so more undirected ones: clustering is compared at
    equal directed degrees, not at equal undirected ones. Trials cannot turn a lone circle of
    three around, which can keep small graphs from some of their rewirings.

    References
    ----------
    Maslov, Sneppen (2002), Specificity and stability in topology of protein networks, Science
    296, 910-913. Rao, Jana, Bandyopadhyay (1996), A Markov chain Monte Carlo method for generating
    random (0, 1)-matrices with given marginals, Sankhya A 58, 225-242.

    Examples
    --------
    >>> couples = pd.DataFrame({"source_id": list("abcdef"), "target_id": list("badcfe"),
    ...                         "weight": 1})
    >>> result = against_rewired(couples, rewirings=50)
    >>> observed, rewired, _ = result.table["estimate"][:3]
    >>> observed == 1 and rewired < 1
    True
    """
    require_rewirings(rewirings)
    account_ids, acts = read_edges(edges)
    graph = Network(account_ids, acts, seed, None).directed
    about: dict[str, Any] = {
        "hypothesis": hypothesis,
        "dataset": dataset,
        "block": "network",
        "unit": "share, 0 to 1",
        "n_obs": graph.ecount(),
        "n_accounts": graph.vcount(),
    }
    observed = _measured(graph)
    random = rewired(graph, rewirings, seed=seed)
    if np.ptp(random, axis=0).max() == 0 and (random[0] == observed).all():
        return untested(hypothesis, dataset, NULL, UNCHANGED)
    rows = [
        row
        for place, term in enumerate(MEASURES)
        for row in _rows(observed[place], random[:, place], about | {"term": term})
    ]
    return Result(
        hypothesis,
        dataset,
        pd.DataFrame(rows),
        NULL,
        formula=f"{rewirings:,} rewirings that keep every in- and out-degree",
        seed=seed,
    )


def require_rewirings(rewirings: object) -> None:
    """Refuse a number of random graphs that is no whole number from 2."""
    if isinstance(rewirings, bool) or not isinstance(rewirings, Integral) or rewirings < 2:
        raise DataError(f"rewirings must be a whole number from 2, but is {rewirings!r}.")


def rewired(graph: igraph.Graph, rewirings: int, *, seed: int) -> np.ndarray:
    """Measure random graphs with the degrees of a directed simple one.

    Returns
    -------
    numpy.ndarray
        One row a random graph: reciprocity, clustering.
    """
    with seeded(seed):
        return of_rewired(graph, rewirings, _measured)


def of_rewired(
    graph: igraph.Graph, rewirings: int, measured: Callable[[igraph.Graph], np.ndarray]
) -> np.ndarray:
    """Measure a chain of random graphs with the degrees of a graph, one row each.

    Random numbers are igraph's; set them with `seeded`.
    """
    chain = graph.copy()
    found = []
    for draw in range(rewirings):
        trials = BETWEEN if draw else FIRST
        chain.rewire(n=trials * chain.ecount(), allowed_edge_types="simple")
        found.append(measured(chain))
    return np.array(found)


def _measured(graph: igraph.Graph) -> np.ndarray:
    # Of a directed graph, igraph's transitivity depends on what was asked of it before.
    simple = graph.as_undirected(mode="collapse")
    return np.array([graph.reciprocity(), simple.transitivity_undirected(mode="zero")])


def _rows(observed: float, random: np.ndarray, about: dict[str, Any]) -> list[dict[str, Any]]:
    if np.ptp(random) == 0 and random[0] == observed:
        return [evidence_row(model="difference", reason=UNCHANGED, **about)]
    low, high = np.quantile(random, [0.025, 0.975])
    beyond = min((random >= observed).sum(), (random <= observed).sum())
    return [
        *beside_chance(observed, random, about),
        evidence_row(
            model="difference",
            estimate=observed - random.mean(),
            std_error=random.std(ddof=1),
            ci_low=observed - high,
            ci_high=observed - low,
            p_value=min(1.0, 2 * (1 + beyond) / (1 + len(random))),
            **about,
        ),
    ]


def beside_chance(
    observed: float, random: np.ndarray, about: dict[str, Any]
) -> list[dict[str, Any]]:
    """A measure of a graph, and its mean, spread and 95 % range in random ones: two rows."""
    low, high = np.quantile(random, [0.025, 0.975])
    seen = {"estimate": observed, "ci_low": observed, "ci_high": observed}
    drawn = {"estimate": random.mean(), "ci_low": low, "ci_high": high}
    return [
        evidence_row(model="observed", **seen, **about),
        evidence_row(model="rewired", std_error=random.std(ddof=1), **drawn, **about),
    ]
