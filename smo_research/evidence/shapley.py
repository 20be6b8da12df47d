"""What each player adds to a team: exact Shapley contributions."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from itertools import combinations

import numpy as np


def teams(players: Iterable[str]) -> list[frozenset[str]]:
    """All subsets of the players, from none to all.

    Examples
    --------
    >>> [sorted(team) for team in teams("ab")]
    [[], ['a'], ['b'], ['a', 'b']]
    """
    names = list(players)
    return [frozenset(c) for size in range(len(names) + 1) for c in combinations(names, size)]


def shapley(
    losses: Mapping[frozenset[str], np.ndarray], players: list[str]
) -> dict[str, np.ndarray]:
    """Exact Shapley contributions to the fall in loss: the mean fall over all orders of joining.

    Parameters
    ----------
    losses
        Every team of players to its losses, one a draw.
    players
        Their names.

    Returns
    -------
    dict
        Player to its contributions, one a draw, in the unit of the losses. They add up to the
        fall from none to all, and may be negative.

    References
    ----------
    Shapley (1953), A value for n-person games.

    Examples
    --------
    >>> one = {frozenset(): np.array([1.0]), frozenset("a"): np.array([0.4])}
    >>> shapley(one, ["a"])["a"]
    array([0.6])
    """
    n = len(players)
    shares = {}
    for player in players:
        others = [name for name in players if name != player]
        share = np.zeros_like(losses[frozenset()])
        for without in teams(others):
            size = len(without)
            weight = math.factorial(size) * math.factorial(n - size - 1) / math.factorial(n)
            share = share + weight * (losses[without] - losses[without | {player}])
        shares[player] = share
    return shares
