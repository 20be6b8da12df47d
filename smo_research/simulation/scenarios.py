"""The worlds that have a name."""

from __future__ import annotations

from typing import Any

from smo_research.errors import DataError
from smo_research.simulation.worlds import World

# Moods, not habits: what is always there shows in how many write now, which the models hold fixed.
TRICKS: dict[str, Any] = {
    "tweaks_on_engagement": 0.4,
    "tweaks_on_discovery": 0.15,
    "steadiness": 0.0,
}
# Through newcomers: where past answers raise staying, accounts compared with themselves (H5) come
# out a little low (the cell "lingering"), for the past of one contact is the present of another.
TALK: dict[str, Any] = {
    "answering_on_discovery": 0.2,
    "answered_on_return": 0.6,
    "habit": 0.0,
    "outreach": 8.0,
    "turns": 0.4,
}
SCENARIOS: dict[str, World] = {
    "null": World(),
    "tricks": World(**TRICKS),
    "conversation": World(**TALK),
    "both": World(**TRICKS, **TALK),
    "talent": World(talent=1.1, talent_on_answering=0.9, habit=0.9, answering_spread=1.5),
    "bought-followers": World(bought=0.05),
    "ceiling": World(**TALK, ceiling=40),
    "like-collegemsg": World(outreach=0.2, turns=0.87, activity_tail=1.8),
    "workshop": World(
        accounts=200,
        periods=40,
        newcomers=2.5,
        retention=0.25,
        talent=0.4,
        answering_on_retention=0.20,
        answered_on_return=0.6,
        habit=0.0,
        outreach=3.0,
        **TRICKS,
    ),
}


def scenario(name: str) -> World:
    """Find a world by its name.

    Raises
    ------
    DataError
        When no world has that name.

    Examples
    --------
    >>> scenario("tricks").tweaks_on_discovery
    0.15
    """
    if name not in SCENARIOS:
        raise DataError(f"There is no scenario '{name}'; choose one of {', '.join(SCENARIOS)}.")
    return SCENARIOS[name]
